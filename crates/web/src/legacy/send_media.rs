//! `POST /send_media`: takes files in, sends them, keeps the caller waiting, and answers for good.

use std::time::Duration;

use axum::extract::{Request, State as Shared};
use axum::response::Response;
use delivery::{How, Submission, SubmitError, Submitted};
use domain::account::Operation;
use domain::message::{OnFlood, OutboundMessage};
use domain::{ChatRef, MessageId, Service, Timestamp};
use http::StatusCode;
use serde_json::Value;

use super::Gate;
use super::answer::Answer;
use super::caller::Caller;
use super::fields::Fields;
use super::request::{Arrived, Marks};
use super::send_media_request::{Recipient, Wrong, as_given, content, files, recipient};
use super::send_text::refused;
use super::wait::{Errand, Port as _, wait};
use super::{send_media_answer, send_text_answer};
use crate::files::{self, Asker, Named, Terms, Uploads};
use crate::state::State;

/// How long a recipient is looked for after a file could not be had.
const LOOK: Duration = Duration::from_secs(10);

pub(super) async fn handle(Shared(gate): Shared<Gate>, request: Request) -> Response {
    let outcome = Box::pin(call(&gate, request)).await;
    gate.respond(outcome)
}

/// What the answer needs of the call.
struct MediaErrand {
    /// The recipient as the caller wrote it.
    given: Value,
    by_name: bool,
    /// When the call came: fetching its files is part of the wait.
    since: Timestamp,
}

impl Errand for MediaErrand {
    type Work = OutboundMessage;

    const OPERATION: Operation = Operation::SendMessage;

    fn answer(&self, message: &OutboundMessage, now: Timestamp) -> Option<Answer> {
        send_media_answer::answer(message, &self.given, self.by_name, now)
    }

    fn doubt(&self, message: &OutboundMessage) -> Answer {
        send_text_answer::doubt(message)
    }

    fn since(&self) -> Option<Timestamp> {
        Some(self.since)
    }
}

#[derive(Debug)]
struct MediaRequest {
    chat: ChatRef,
    files: Vec<Named>,
    fields: Fields,
}

/// Reads a body in the old order: the body, the recipient, whether the chat was left, the files.
fn read(body: &[u8], is_left: impl Fn(&ChatRef) -> bool) -> Result<Read, Unread> {
    let fields = Fields::read_strictly(body).map_err(Unread::NoJson)?;
    let recipient = recipient(&fields)?;
    if let Recipient::Chat(chat) = &recipient
        && is_left(chat)
    {
        return Ok(Read::Left(fields));
    }
    let files = files(&fields)?;
    if fields.is_nested("caption") {
        return Err(Wrong::NestedCaption.into());
    }
    if fields.is_unset("caption") {
        return Err(Wrong::UnsetCaption.into());
    }
    match recipient {
        Recipient::Chat(chat) => Ok(Read::Request(MediaRequest { chat, files, fields })),
        Recipient::NoSuchId => Err(Unread::UnknownRecipient { by_name: false }),
        Recipient::NoSuchName => Err(Unread::UnknownRecipient { by_name: true }),
    }
}

#[derive(Debug)]
enum Read {
    /// It asks for something to be sent.
    Request(MediaRequest),
    Left(Fields),
}

/// Why a body asks for nothing that could be sent.
#[derive(Debug)]
enum Unread {
    NoJson(String),
    Wrong(Wrong),
    UnknownRecipient { by_name: bool },
}

impl From<Wrong> for Unread {
    fn from(wrong: Wrong) -> Self {
        Self::Wrong(wrong)
    }
}

impl From<Unread> for Answer {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::NoJson(error) => Self::error(StatusCode::BAD_REQUEST, format!("Invalid JSON: {error}")),
            Unread::Wrong(wrong) => {
                let status = match wrong {
                    Wrong::NoRecipient
                    | Wrong::Unset
                    | Wrong::NestedCaption
                    | Wrong::UnsetCaption
                    | Wrong::NotANumber
                    | Wrong::NoFiles => StatusCode::BAD_REQUEST,
                    Wrong::TooMany(_) | Wrong::NoSource(_) | Wrong::NoPost(_) => {
                        StatusCode::INTERNAL_SERVER_ERROR
                    }
                };
                Self::error(status, wrong.to_string())
            }
            Unread::UnknownRecipient { by_name } => send_media_answer::recipient_not_found(by_name),
        }
    }
}

async fn call(gate: &Gate, request: Request) -> Result<(Answer, bool), Answer> {
    let since = gate.state.clock().now();
    let arrived = Arrived::read(gate, request).await?;
    let read = read(&arrived.body, |chat| gate.state.pool().is_left(chat))?;
    let fields = match &read {
        Read::Request(MediaRequest { fields, .. }) | Read::Left(fields) => fields,
    };
    let errand = MediaErrand { given: as_given(fields), by_name: !fields.has("user_id"), since };
    let content = content(fields);
    let marks = arrived.marks(gate, &fields.clone().into_value());

    // What was accepted before is neither fetched nor sent again, whatever holds for new calls now.
    if let Some(before) = before(&gate.state, &marks).await.map_err(refused)? {
        let joined = async move { Ok::<_, SubmitError>(before) };
        let caller = Caller::submit(&gate.state, marks.join.is_some(), joined).await.map_err(refused)?;
        return wait(gate, caller, &errand).await;
    }
    let Read::Request(MediaRequest { chat, files, .. }) = read else { return Ok((Answer::skipped(), false)) };
    if let Some(stopped) = gate.stopped() {
        let error = format!("{stopped}; nothing was sent");
        return Err(Answer::error(StatusCode::SERVICE_UNAVAILABLE, error));
    }

    let pin = arrived.pin(gate, &chat)?;
    let origin = arrived.origin(gate);
    let load = match take(gate, files, Asker::from(&origin), since).await {
        Ok(load) => load,
        // The recipient comes first: a file that is missing says nothing to a caller whose recipient is missing too.
        Err(untaken) => {
            let looking = gate.state.delivery().has_no_account_for(&chat, pin.as_ref(), Service::SendMedia);
            let looked = gate.state.clock().timeout(LOOK, looking).await;
            return Err(if looked == Ok(true) {
                send_media_answer::recipient_not_found(errand.by_name)
            } else {
                untaken
            });
        }
    };
    let Marks { idempotency, join } = marks;
    let submission = Submission {
        chat,
        content,
        pin,
        on_flood: OnFlood::Wait,
        send_at: None,
        needs_approval: false,
        origin,
        idempotency,
        join,
    };
    let state = gate.state.clone();
    let submitting = async move {
        let Submitted { id, how } = files::submit(state, submission, load).await?;
        Ok::<_, SubmitError>((id, how))
    };
    let caller = Caller::submit(&gate.state, join.is_some(), submitting).await.map_err(refused)?;
    wait(gate, caller, &errand).await
}

/// What the same call brought before.
pub(super) async fn before(state: &State, marks: &Marks) -> Result<Option<(MessageId, How)>, SubmitError> {
    let delivery = state.delivery();
    let mut found = None;
    if let Some(key) = marks.idempotency {
        found = delivery.repeated(key).await?;
    }
    if let (None, Some(join)) = (&found, marks.join) {
        found = delivery.joined(join).await?;
    }
    Ok(found.map(|Submitted { id, how }| (id, how)))
}

/// Takes the files in, within the time that the caller waits.
async fn take(gate: &Gate, named: Vec<Named>, asker: Asker, since: Timestamp) -> Result<files::Load, Answer> {
    let hold = gate.state.options().legacy.hold;
    let terms = Terms { asker, uploads: Uploads::NONE, addresses_within: None };
    let taking = files::take(&gate.state, named, terms);
    match gate.state.clock().timeout_at(since.plus(hold), taking).await {
        Ok(Ok(load)) => Ok(load),
        Ok(Err(untaken)) => Err(send_media_answer::untaken(&untaken)),
        Err(_) => Err(Answer::error(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("the files did not arrive within {} s; nothing was sent", hold.as_secs()),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::answer::tests::wire;
    use super::*;

    fn of(body: &str) -> Result<Read, (u16, String)> {
        let left: ChatRef = "@left_chat".parse().expect("a chat");
        read(body.as_bytes(), |chat| *chat == left).map_err(|unread| wire(&unread.into()))
    }

    #[test]
    fn invalid_requests_are_refused_in_the_old_order() {
        for (body, status, error) in [
            (r#"{"files":[]}"#, 400, "Specify 'user_id' or 'username'"),
            (r#"{"user_id":"x","files":[]}"#, 400, "user_id must be integer"),
            (r#"{"user_id":1}"#, 400, "files must be a non-empty list"),
            (r#"{"username":"@demo","files":[]}"#, 400, "files must be a non-empty list"),
            (r#"{"username":"@demo","files":"a.png"}"#, 400, "files must be a non-empty list"),
            (r#"{"user_id":99999999999999,"files":["a"]}"#, 400, "Invalid peer (user_id/username)"),
            (r#"{"username":"не имя","files":["a"]}"#, 404, "Channel/username not found"),
            (
                r#"{"username":"@demo","files":[7]}"#,
                500,
                "files[0] must be a text, or an object with a text in file, url or path",
            ),
        ] {
            let refusal = of(body).expect_err("nothing to send");
            assert_eq!(refusal, (status, format!(r#"{{"status":"error","error":"{error}"}}"#)), "{body}");
        }
        for body in ["", "x", "[1]", r#"{"user_id":1"#] {
            let (status, error) = of(body).expect_err("no JSON");
            assert_eq!(status, 400, "{body}");
            assert!(error.starts_with(r#"{"status":"error","error":"Invalid JSON: "#), "{error}");
        }
        let Ok(Read::Request(request)) = of(r#"{"username":"@demo","files":["a"]}"#) else {
            panic!("it asks")
        };
        assert_eq!((request.chat.to_string().as_str(), request.files.len()), ("@demo", 1));
    }

    #[test]
    fn a_chat_that_was_left_comes_before_the_files() {
        for body in [r#"{"username":"@left_chat"}"#, r#"{"username":"left_chat","files":["a"]}"#] {
            assert!(matches!(of(body), Ok(Read::Left(_))), "{body}");
        }
    }
}
