//! What an answer of MAX means. Pure.

use serde_json::Value;

use crate::error::CallError;
use crate::http::Answer;

/// As much is kept of what MAX says about a refusal.
const LONGEST_DETAIL: usize = 200;

/// Reads an answer that is not about too many calls.
///
/// # Errors
/// It is a refusal, or cannot be read.
pub(super) fn read(answer: &Answer) -> Result<Value, CallError> {
    if !answer.is_success() {
        return Err(refusal(answer));
    }
    let reply: Value = answer.json()?;
    if !reply.is_object() {
        return Err(CallError::Unreadable(format!("{} with a body of another form", answer.status)));
    }
    if reply.get("success").and_then(Value::as_bool) == Some(false) {
        return Err(CallError::refused("not_successful", words(&reply)));
    }
    Ok(reply)
}

/// What an answer means that has no success.
pub(super) fn refusal(answer: &Answer) -> CallError {
    let reply: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let code = reply.get("code").and_then(Value::as_str).unwrap_or_default();
    let detail = match (code, words(&reply).as_str()) {
        ("", "") => format!("status {}", answer.status),
        (code, "") => code.to_owned(),
        (code, words) => format!("{code}: {words}"),
    };
    match answer.status {
        400 if code == "attachment.not.ready" => CallError::Unprepared(detail),
        401 => CallError::Token(detail),
        403 => CallError::Forbidden(detail),
        404 => CallError::NotFound(detail),
        429 => CallError::wait(answer.retry_after.unwrap_or(crate::error::NO_NUMBER)),
        status @ 400..=499 => {
            let code = if code.is_empty() { format!("http_{status}") } else { code.to_owned() };
            CallError::refused(code, words(&reply))
        }
        status @ 500..=599 => CallError::Server(format!("status {status}")),
        status => CallError::Unreadable(format!("status {status}")),
    }
}

fn words(reply: &Value) -> String {
    let words = reply.get("message").and_then(Value::as_str).unwrap_or_default();
    words.chars().take(LONGEST_DETAIL).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status,
            body: body.into(),
            content_type: None,
            retry_after: None,
            headers: outbound::header::HeaderMap::default(),
        }
    }

    #[test]
    fn each_refusal_means_what_the_api_says() {
        let error_body = |code: &str| format!(r#"{{"code":"{code}","message":"m"}}"#);
        let refused = |code: &str| CallError::refused(code, "m");
        for (status, body, wanted) in [
            (
                400,
                error_body("attachment.not.ready"),
                CallError::Unprepared("attachment.not.ready: m".to_owned()),
            ),
            (400, error_body("proto.payload"), refused("proto.payload")),
            (401, error_body("verify.token"), CallError::Token("verify.token: m".to_owned())),
            (403, error_body("chat.denied"), CallError::Forbidden("chat.denied: m".to_owned())),
            (404, error_body("not.found"), CallError::NotFound("not.found: m".to_owned())),
            (405, "<html>".to_owned(), CallError::refused("http_405", "")),
            (413, "<html>".to_owned(), CallError::refused("http_413", "")),
            (500, error_body("internal"), CallError::Server("status 500".to_owned())),
            (503, "<html>".to_owned(), CallError::Server("status 503".to_owned())),
            (302, String::new(), CallError::Unreadable("status 302".to_owned())),
            (200, r#"{"success":false,"message":"m"}"#.to_owned(), refused("not_successful")),
            (200, "<html>".to_owned(), CallError::Unreadable("200 with a body of another form".to_owned())),
            (200, "7".to_owned(), CallError::Unreadable("200 with a body of another form".to_owned())),
        ] {
            assert_eq!(read(&answer(status, &body)), Err(wanted), "{status} {body}");
        }
        assert!(read(&answer(200, r#"{"success":true}"#)).is_ok());
    }
}
