//! What files answer on the port that sends them, and files that were never taken in. Pure.

use domain::Timestamp;
use domain::message::{MessageState, OutboundMessage, PartState};
use domain::outcome::Failure;
use http::StatusCode;
use serde_json::Value;

use super::answer::{Answer, Body};
use super::refused::{cannot_find, describe_refusals};
use super::send_text_answer;
use crate::files::{Untaken, Why};
use crate::problem::Code;

/// What a message at its end answers; `None` while it may still change by itself. `given` is the recipient as its caller
/// wrote it.
pub(super) fn answer(
    message: &OutboundMessage,
    given: &Value,
    by_name: bool,
    now: Timestamp,
) -> Option<Answer> {
    match message.state {
        MessageState::Sent | MessageState::Delivered | MessageState::Read => Some(sent(message, given)),
        MessageState::Failed => Some(failed(message, given, by_name, now)),
        MessageState::Cancelled => Some(Answer::error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the message was cancelled before it left; nothing was sent",
        )),
        MessageState::InDoubt => Some(send_text_answer::doubt(message)),
        MessageState::Queued
        | MessageState::Scheduled
        | MessageState::AwaitingApproval
        | MessageState::Sending => None,
    }
}

/// A recipient that no one can be, or that no account finds.
pub(super) fn recipient_not_found(by_name: bool) -> Answer {
    if by_name {
        Answer::error(StatusCode::NOT_FOUND, "Channel/username not found")
    } else {
        Answer::error(StatusCode::BAD_REQUEST, "Invalid peer (user_id/username)")
    }
}

/// A file that was not taken in: nothing was sent.
pub(super) fn untaken(untaken: &Untaken) -> Answer {
    let Untaken { index, why, .. } = untaken;
    let status = match why.code() {
        Code::StorageFull | Code::StoreUnavailable | Code::QueueFull | Code::ShuttingDown => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let reason = match why {
        // What the disk says may name paths of this machine.
        why if why.code() == Code::StoreUnavailable => {
            "the file could not be written; the log says why".to_owned()
        }
        Why::NoUpload => "there is no such file".to_owned(),
        why => why.to_string(),
    };
    Answer::error(status, format!("files[{index}]: {reason}; nothing was sent"))
}

fn sent(message: &OutboundMessage, given: &Value) -> Answer {
    let message_ids = message.message_numbers();
    let count = message_ids.len();
    let body = Body::Shipped { status: "ok", recipient: given.clone(), message_ids, count };
    Answer { status: StatusCode::OK, body }
}

fn failed(message: &OutboundMessage, given: &Value, by_name: bool, now: Timestamp) -> Answer {
    let sent = message.parts.iter().filter(|part| part.state == PartState::Sent).count();
    let rest = match sent {
        0 => String::new(),
        sent => format!(" {sent} of {} parts were sent before.", message.parts.len()),
    };
    let error = StatusCode::INTERNAL_SERVER_ERROR;
    let (status, failure) = match &message.failure {
        Some(Failure::FloodWait { until } | Failure::LimitReached { until }) => {
            return Answer::flood(*until, now);
        }
        Some(Failure::ChatNotFound { .. }) => return recipient_not_found(by_name),
        Some(Failure::NotInChat { asked: accounts }) => {
            let given = given.as_str().map_or_else(|| given.to_string(), str::to_owned);
            return Answer::error(error, cannot_find(&given, &describe_refusals(accounts)) + &rest);
        }
        Some(failure @ Failure::NoAccount { .. }) => (StatusCode::SERVICE_UNAVAILABLE, failure),
        Some(failure @ Failure::MediaExpired { .. }) => (StatusCode::GONE, failure),
        Some(failure @ Failure::DoNotContact { .. }) => (StatusCode::FORBIDDEN, failure),
        Some(
            failure @ (Failure::NoRights { .. }
            | Failure::Rejected { .. }
            | Failure::MediaGone { .. }
            | Failure::ProviderError { .. }
            | Failure::Undelivered { .. }
            | Failure::Restored { .. }),
        ) => (error, failure),
        None => return Answer::error(error, "the message failed and no reason was stored; see its timeline"),
    };
    Answer::error(status, failure.describe() + &rest)
}

#[cfg(test)]
mod tests {
    use super::super::answer::tests::wire;
    use super::super::tagged::tests;
    use super::*;
    use domain::outcome::SentIds;
    use media::TakeError;

    fn of(message: &OutboundMessage, given: &Value) -> (u16, String) {
        wire(&answer(message, given, given.is_string(), Timestamp::default()).expect("it is over"))
    }

    fn failing(failure: Failure) -> OutboundMessage {
        OutboundMessage {
            state: MessageState::Failed,
            failure: Some(failure),
            ..tests::sent("-100500", "a", None)
        }
    }

    #[test]
    fn an_album_answers_all_its_messages() {
        let mut message = tests::sent("-100500", "a", None);
        let mut part = message.parts[0].clone();
        part.items.push(part.items[0].clone());
        part.set_sent(&[Some(45), Some(46)].into_iter().collect::<SentIds>());
        message.parts = vec![part];
        assert_eq!(
            of(&message, &Value::from("@demo")),
            (200, r#"{"status":"ok","recipient":"@demo","message_ids":[45,46],"count":2}"#.to_owned())
        );
        assert_eq!(
            of(&message, &Value::from(123)).1,
            r#"{"status":"ok","recipient":123,"message_ids":[45,46],"count":2}"#
        );
    }

    #[test]
    fn failures_follow_the_table() {
        let name = Value::from("@demo");
        let not_found = || failing(Failure::ChatNotFound { asked: Vec::new() });
        let error = |message: &str| format!(r#"{{"status":"error","error":"{message}"}}"#);
        assert_eq!(of(&not_found(), &name), (404, error("Channel/username not found")));
        assert_eq!(of(&not_found(), &Value::from(7)), (400, error("Invalid peer (user_id/username)")));
        for (failure, status) in [
            (Failure::FloodWait { until: Timestamp::from_micros(1_000_000) }, 429),
            (Failure::NoAccount { asked: Vec::new() }, 503),
            (Failure::MediaExpired { detail: "x".to_owned() }, 410),
            (Failure::MediaGone { detail: "x".to_owned() }, 500),
            (Failure::NoRights { asked: Vec::new() }, 500),
            (Failure::NotInChat { asked: Vec::new() }, 500),
            (Failure::Restored { made_at: Timestamp::default() }, 500),
            (Failure::Rejected { provider_code: "PHOTO_INVALID_DIMENSIONS".into() }, 500),
        ] {
            let (actual, body) = of(&failing(failure), &name);
            assert_eq!(actual, status, "{body}");
            assert!(body.starts_with(r#"{"status":"error","error":""#), "{body}");
        }
        let doubt = OutboundMessage { state: MessageState::InDoubt, ..tests::sent("-100500", "a", None) };
        assert!(of(&doubt, &name).1.ends_with(r#""state":"in_doubt"}"#));
    }

    #[test]
    fn a_file_that_was_not_taken_in_is_named() {
        for (why, status, says) in [
            (Why::Take(TakeError::Empty), 500, "files[1]: the file is empty; nothing was sent"),
            (Why::Take(TakeError::NoSpace), 503, "no space"),
            (Why::Take(TakeError::Disk(std::io::Error::other("/secret"))), 503, "the log says why"),
            (Why::Busy, 503, "too many files"),
        ] {
            let (actual, body) = wire(&untaken(&Untaken { index: 1, field: "url", why }));
            assert_eq!(actual, status, "{body}");
            assert!(body.contains(says) && !body.contains("/secret"), "{body}");
        }
    }
}
