//! `POST /send_media`: what callers get wrong is told as ever; this version sends no files, and says so.

use axum::extract::{Request, State as Shared};
use axum::response::Response;
use domain::ChatRef;
use http::StatusCode;

use super::Gate;
use super::answer::Answer;
use super::fields::Fields;
use super::request::Arrived;
use super::shipment::{Recipient, Wrong, files, recipient};

/// Answers a call.
pub(super) async fn handle(Shared(gate): Shared<Gate>, request: Request) -> Response {
    let told = match Arrived::read(&gate, request).await {
        Ok(arrived) => answer(&arrived.body, gate.stopped(), |chat| gate.state.pool().is_left(chat)),
        Err(answer) => answer,
    };
    gate.respond(Ok((told, false)))
}

/// What a body is answered, in the old order: the body, the recipient, whether the chat was left, the files.
fn answer(body: &[u8], stopped: Option<String>, is_left: impl Fn(&ChatRef) -> bool) -> Answer {
    let refused = |error: String| Answer::error(StatusCode::BAD_REQUEST, error);
    let fields = match Fields::read_strictly(body) {
        Ok(fields) => fields,
        Err(error) => return refused(format!("Invalid JSON: {error}")),
    };
    let recipient = match recipient(&fields) {
        Ok(Recipient::Chat(chat)) if is_left(&chat) => return Answer::skipped(),
        Ok(recipient) => recipient,
        Err(wrong) => return refused(wrong.to_string()),
    };
    if let Err(wrong @ Wrong::NoFiles) = files(&fields) {
        return refused(wrong.to_string());
    }
    match (recipient, stopped) {
        (Recipient::NoSuchId, _) => refused("Invalid peer (user_id/username)".to_owned()),
        (Recipient::NoSuchName, _) => Answer::error(StatusCode::NOT_FOUND, "Channel/username not found"),
        (Recipient::Chat(_), Some(stopped)) => {
            Answer::error(StatusCode::SERVICE_UNAVAILABLE, format!("{stopped}; nothing was sent"))
        }
        (Recipient::Chat(_), None) => Answer::error(
            StatusCode::SERVICE_UNAVAILABLE,
            "sending files is not available in this version; nothing was sent",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::answer::tests::wire;
    use super::*;

    fn of(body: &str) -> (u16, String) {
        let left: ChatRef = "@left_chat".parse().expect("a chat");
        wire(&answer(body.as_bytes(), None, |chat| *chat == left))
    }

    #[test]
    fn what_callers_get_wrong_in_the_old_order() {
        for (body, status, error) in [
            (r#"{"files":[]}"#, 400, "Specify 'user_id' or 'username'"),
            (r#"{"user_id":"x","files":[]}"#, 400, "user_id must be integer"),
            (r#"{"user_id":1}"#, 400, "files must be a non-empty list"),
            (r#"{"username":"@demo","files":[]}"#, 400, "files must be a non-empty list"),
            (r#"{"username":"@demo","files":"a.png"}"#, 400, "files must be a non-empty list"),
            (r#"{"user_id":99999999999999,"files":["a"]}"#, 400, "Invalid peer (user_id/username)"),
            (r#"{"username":"не имя","files":["a"]}"#, 404, "Channel/username not found"),
            (
                r#"{"username":"@demo","files":["a"]}"#,
                503,
                "sending files is not available in this version; nothing was sent",
            ),
        ] {
            assert_eq!(of(body), (status, format!(r#"{{"status":"error","error":"{error}"}}"#)), "{body}");
        }
        for body in ["", "x", "[1]", r#"{"user_id":1"#] {
            let (status, said) = of(body);
            assert_eq!(status, 400, "{body}");
            assert!(said.starts_with(r#"{"status":"error","error":"Invalid JSON: "#), "{said}");
        }
    }

    #[test]
    fn a_chat_that_was_left_comes_before_the_files() {
        let skipped = (200, r#"{"status":"skipped","reason":"chat already left"}"#.to_owned());
        assert_eq!(of(r#"{"username":"@left_chat"}"#), skipped);
        assert_eq!(of(r#"{"username":"left_chat","files":["a"]}"#), skipped);
    }

    #[test]
    fn a_stopped_service_says_so() {
        let body = br#"{"user_id":1,"files":["a"]}"#;
        let (status, said) = wire(&answer(body, Some("the service is stopped".to_owned()), |_| false));
        assert_eq!((status, said.contains("the service is stopped")), (503, true), "{said}");
    }
}
