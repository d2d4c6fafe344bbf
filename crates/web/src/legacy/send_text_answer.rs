//! What a message answers on the port that sends texts. Pure.

use domain::Timestamp;
use domain::chat::ChatKind;
use domain::message::{MessageState, OutboundMessage, PartState};
use domain::outcome::Failure;
use http::StatusCode;

use super::answer::{Answer, Body};
use super::refused::{cannot_find, describe_refusals};
use super::tagged::tagged;

/// What a message at its end answers; `None` while it may still change by itself. The name of the user that is mentioned is
/// shown to callers that may read.
pub(super) fn answer(
    message: &OutboundMessage,
    given: &str,
    tag_wanted: bool,
    may_read: bool,
    now: Timestamp,
) -> Option<Answer> {
    match message.state {
        MessageState::Sent | MessageState::Delivered | MessageState::Read => {
            Some(sent(message, tag_wanted, may_read))
        }
        MessageState::Failed => Some(failed(message, given, now)),
        MessageState::Cancelled => Some(Answer::error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the message was cancelled before it left; nothing was sent",
        )),
        MessageState::InDoubt => Some(doubt(message)),
        MessageState::Queued
        | MessageState::Scheduled
        | MessageState::AwaitingApproval
        | MessageState::Sending => None,
    }
}

pub(super) fn doubt(message: &OutboundMessage) -> Answer {
    let account = message.account.as_ref().map_or("an account", |account| account.as_str());
    let what = format!("the message was given to {account} and may have been sent");
    Answer::doubt(&what, "/v1/messages", &message.id)
}

fn sent(message: &OutboundMessage, tag_wanted: bool, may_read: bool) -> Answer {
    let chat_id = message.chat_id().map(domain::ChatId::get);
    let message_id = message.message_numbers().first().copied();
    let private = message.chat_id().is_some_and(|chat| chat.kind() == ChatKind::User);
    let body = if private && !tag_wanted {
        Body::Private { status: "ok", chat_id, message_id, chat_type: "private" }
    } else {
        let (client_tagged_id, client_tagged_name) = tagged(message).unzip();
        Body::Tagged {
            status: "ok",
            chat_id,
            message_id,
            client_tagged_id,
            client_tagged_name: client_tagged_name.filter(|_| may_read),
            // The old gateway calls every chat of this shape a group.
            chat_type: "group",
        }
    };
    Answer { status: StatusCode::OK, body }
}

fn failed(message: &OutboundMessage, given: &str, now: Timestamp) -> Answer {
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    let sent = message.parts.iter().filter(|part| part.state == PartState::Sent).count();
    let rest = if sent > 0 {
        format!(" {sent} of {} parts were sent before.", message.parts.len())
    } else {
        String::new()
    };
    match &message.failure {
        Some(Failure::FloodWait { until } | Failure::LimitReached { until }) => Answer::flood(*until, now),
        Some(Failure::ChatNotFound { asked: accounts } | Failure::NotInChat { asked: accounts }) => {
            Answer::error(status, cannot_find(given, &describe_refusals(accounts)) + &rest)
        }
        Some(failure @ Failure::NoAccount { .. }) => {
            Answer::error(StatusCode::SERVICE_UNAVAILABLE, failure.describe() + &rest)
        }
        Some(failure @ Failure::DoNotContact { .. }) => {
            Answer::error(StatusCode::FORBIDDEN, failure.describe() + &rest)
        }
        Some(
            failure @ (Failure::NoRights { .. }
            | Failure::Rejected { .. }
            | Failure::MediaGone { .. }
            | Failure::MediaExpired { .. }
            | Failure::ProviderError { .. }
            | Failure::Undelivered { .. }
            | Failure::Restored { .. }),
        ) => Answer::error(status, failure.describe() + &rest),
        None => Answer::error(status, "the message failed and no reason was stored; see its timeline"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::answer::tests::wire;
    use super::super::tagged::tests::sent;
    use super::*;
    use domain::outcome::Refusal;

    fn of(message: &OutboundMessage, tag_wanted: bool) -> (u16, String) {
        wire(&answer(message, "-100777", tag_wanted, true, Timestamp::default()).expect("it is over"))
    }

    fn failed(failure: Failure) -> (u16, String) {
        let mut message = sent("-1001234567890", "x", None);
        message.state = MessageState::Failed;
        message.parts[0].state = PartState::Waiting;
        message.failure = Some(failure);
        of(&message, false)
    }

    #[test]
    fn private_chats_have_their_own_answer() {
        assert_eq!(
            of(&sent("123", "x", None), false),
            (200, r#"{"status":"ok","chat_id":123,"message_id":45,"chat_type":"private"}"#.to_owned())
        );
        assert_eq!(
            of(&sent("-1001234567890", "x", None), false),
            (
                200,
                r#"{"status":"ok","chat_id":-1001234567890,"message_id":45,"client_tagged_id":null,"client_tagged_name":null,"chat_type":"group"}"#
                    .to_owned()
            )
        );
        assert_eq!(
            of(&sent("-1001234567890", "{client}", Some((7, "Anna"))), true).1,
            r#"{"status":"ok","chat_id":-1001234567890,"message_id":45,"client_tagged_id":7,"client_tagged_name":"Anna","chat_type":"group"}"#
        );
    }

    #[test]
    fn failures_follow_the_table() {
        let asked = vec![Refusal { account: "main".parse().expect("a name"), why: "not in it".to_owned() }];
        assert_eq!(
            failed(Failure::ChatNotFound { asked: asked.clone() }),
            (
                500,
                r#"{"status":"error","error":"Cannot find chat -100777 (accounts asked: main: not in it)"}"#
                    .to_owned()
            )
        );
        assert_eq!(
            failed(Failure::NotInChat { asked: asked.clone() }),
            failed(Failure::ChatNotFound { asked: asked.clone() })
        );
        assert_eq!(
            failed(Failure::FloodWait { until: Timestamp::from_micros(29_500_000) }),
            (429, r#"{"status":"error","error":"FloodWait","retry_after":30}"#.to_owned())
        );
        assert_eq!(failed(Failure::NoAccount { asked: asked.clone() }).0, 503);
        assert_eq!(failed(Failure::NoRights { asked }).0, 500);
        assert_eq!(failed(Failure::Restored { made_at: Timestamp::default() }).0, 500);
        assert_eq!(failed(Failure::Rejected { provider_code: "MESSAGE_EMPTY".into() }).0, 500);
    }

    #[test]
    fn doubt_names_the_message_and_waiting_has_no_answer() {
        let mut message = sent("123", "x", None);
        message.state = MessageState::InDoubt;
        let (status, body) = of(&message, false);
        assert_eq!(status, 500);
        assert!(body.ends_with(r#","id":"msg_00000000000000000000000000","state":"in_doubt"}"#), "{body}");
        message.state = MessageState::Sending;
        assert_eq!(answer(&message, "123", false, true, Timestamp::default()), None);
    }
}
