//! The answers of a legacy port, in the old gateway's shapes. Pure.

use axum::response::{IntoResponse, Response};
use domain::chat::ChatKind;
use domain::message::{MessageState, OutboundMessage, PartState};
use domain::outcome::Failure;
use domain::{MessageId, Timestamp};
use http::StatusCode;
use serde::Serialize;

use super::tagged::tagged;
use crate::answer::json;
use crate::problem::{Code, Problem, seconds_until};

/// What a caller is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Body,
}

/// The shapes; the order of the fields is the order on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum Body {
    /// Sent into a private chat, without a tag.
    Private { status: &'static str, chat_id: Option<i64>, message_id: Option<i64>, chat_type: &'static str },
    /// Sent anywhere else, or with a tag.
    Tagged {
        status: &'static str,
        chat_id: Option<i64>,
        message_id: Option<i64>,
        client_tagged_id: Option<i64>,
        client_tagged_name: Option<String>,
        chat_type: &'static str,
    },
    /// A field is missing.
    Bare { error: String },
    /// It was not sent.
    Error { status: &'static str, error: String },
    /// Every account must wait.
    Flood { status: &'static str, error: &'static str, retry_after: u64 },
    /// It may have been sent.
    Doubt { status: &'static str, error: String, id: MessageId, state: &'static str },
}

impl Answer {
    /// Not sent, and why.
    pub(super) fn error(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, body: Body::Error { status: "error", error: error.into() } }
    }

    /// Every account must wait.
    pub(super) fn flood(until: Timestamp, now: Timestamp) -> Self {
        let retry_after = seconds_until(until, now);
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            body: Body::Flood { status: "error", error: "FloodWait", retry_after },
        }
    }

    /// It may have been sent.
    pub(super) fn doubt(message: &OutboundMessage) -> Self {
        let account = message.account.as_ref().map_or("an account", |account| account.as_str());
        let error = format!(
            "the message was given to {account} and may have been sent; \
             see GET /v1/messages/{id}, the same call again joins this one",
            id = message.id
        );
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            body: Body::Doubt {
                status: "error",
                error,
                id: message.id,
                state: MessageState::InDoubt.as_str(),
            },
        }
    }

    /// What a message at its end answers; `None` while it may still change by itself.
    pub(super) fn of(
        message: &OutboundMessage,
        given: &str,
        tag_wanted: bool,
        now: Timestamp,
    ) -> Option<Self> {
        match message.state {
            MessageState::Sent | MessageState::Delivered | MessageState::Read => {
                Some(Self::sent(message, tag_wanted))
            }
            MessageState::Failed => Some(Self::failed(message, given, now)),
            MessageState::Cancelled => Some(Self::error(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the message was cancelled before it left; nothing was sent",
            )),
            MessageState::InDoubt => Some(Self::doubt(message)),
            MessageState::Queued
            | MessageState::Scheduled
            | MessageState::AwaitingApproval
            | MessageState::Sending => None,
        }
    }

    fn sent(message: &OutboundMessage, tag_wanted: bool) -> Self {
        let chat_id = message.chat_id.map(domain::ChatId::get);
        let message_id = message.message_ids().first().copied();
        let private = message.chat_id.is_some_and(|chat| chat.kind() == ChatKind::User);
        let body = if private && !tag_wanted {
            Body::Private { status: "ok", chat_id, message_id, chat_type: "private" }
        } else {
            let (client_tagged_id, client_tagged_name) = tagged(message).unzip();
            Body::Tagged {
                status: "ok",
                chat_id,
                message_id,
                client_tagged_id,
                client_tagged_name,
                // The old gateway calls every chat of this shape a group.
                chat_type: "group",
            }
        };
        Self { status: StatusCode::OK, body }
    }

    fn failed(message: &OutboundMessage, given: &str, now: Timestamp) -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        let sent = message.parts.iter().filter(|part| part.state == PartState::Sent).count();
        let rest = if sent > 0 {
            format!(" {sent} of {} parts were sent before.", message.parts.len())
        } else {
            String::new()
        };
        match &message.failure {
            Some(Failure::FloodWait { until }) => Self::flood(*until, now),
            Some(Failure::ChatNotFound { asked }) => {
                let asked = asked
                    .iter()
                    .map(|refusal| format!("{}: {}", refusal.account, refusal.why))
                    .collect::<Vec<_>>()
                    .join("; ");
                let asked = if asked.is_empty() { "none" } else { &asked };
                Self::error(status, format!("Cannot find chat {given} (accounts asked: {asked}){rest}"))
            }
            Some(failure @ Failure::NoAccount { .. }) => {
                Self::error(StatusCode::SERVICE_UNAVAILABLE, failure.describe() + &rest)
            }
            Some(failure @ (Failure::NoRights { .. } | Failure::Rejected { .. })) => {
                Self::error(status, failure.describe() + &rest)
            }
            None => Self::error(status, "the message failed and no reason was stored; see its timeline"),
        }
    }
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        // The old callers know 4xx, 429, 500 and 503 only.
        let status = match problem.code() {
            Code::StorageFull | Code::StoreUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            other => other.status(),
        };
        match (problem.wait_seconds(), status) {
            (Some(retry_after), StatusCode::TOO_MANY_REQUESTS) => {
                Self { status, body: Body::Flood { status: "error", error: "TooManyRequests", retry_after } }
            }
            _ => Self::error(status, problem.detail()),
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        json(self.status, &self.body)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tagged::tests::sent;
    use super::*;
    use domain::outcome::Refusal;

    fn text(answer: &Answer) -> String {
        serde_json::to_string(&answer.body).expect("JSON")
    }

    fn of(message: &OutboundMessage, tag_wanted: bool) -> (u16, String) {
        let answer = Answer::of(message, "-100777", tag_wanted, Timestamp::default()).expect("it is over");
        (answer.status.as_u16(), text(&answer))
    }

    fn failed(failure: Failure) -> (u16, String) {
        let mut message = sent("-1001234567890", "x", None);
        message.state = MessageState::Failed;
        message.parts[0].state = PartState::Waiting;
        message.failure = Some(failure);
        of(&message, false)
    }

    #[test]
    fn sent_into_a_private_chat_and_elsewhere() {
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
            failed(Failure::FloodWait { until: Timestamp::from_micros(29_500_000) }),
            (429, r#"{"status":"error","error":"FloodWait","retry_after":30}"#.to_owned())
        );
        assert_eq!(failed(Failure::NoAccount { asked: asked.clone() }).0, 503);
        assert_eq!(failed(Failure::NoRights { asked }).0, 500);
        assert_eq!(failed(Failure::Rejected { provider_code: "MESSAGE_EMPTY".to_owned() }).0, 500);
    }

    #[test]
    fn doubt_names_the_message_and_waiting_has_no_answer() {
        let mut message = sent("123", "x", None);
        message.state = MessageState::InDoubt;
        let (status, body) = of(&message, false);
        assert_eq!(status, 500);
        assert!(body.ends_with(r#","id":"msg_00000000000000000000000000","state":"in_doubt"}"#), "{body}");
        message.state = MessageState::Sending;
        assert_eq!(Answer::of(&message, "123", false, Timestamp::default()), None);
    }
}
