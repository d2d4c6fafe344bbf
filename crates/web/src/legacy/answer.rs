//! The shapes of a legacy port's answers, and how each service says them. Pure.

use axum::response::{IntoResponse, Response};
use domain::{Service, Timestamp, UserId};
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use super::create_chat_answer::Debug;
use crate::answer::json;
use crate::problem::{Code, Problem, seconds_until};

/// The error word of a flood.
const FLOOD: &str = "FloodWait";

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
    Private {
        status: &'static str,
        chat_id: Option<i64>,
        message_id: Option<i64>,
        chat_type: &'static str,
    },
    /// Sent anywhere else, or with a tag.
    Tagged {
        status: &'static str,
        chat_id: Option<i64>,
        message_id: Option<i64>,
        client_tagged_id: Option<i64>,
        client_tagged_name: Option<String>,
        chat_type: &'static str,
    },
    /// Sent through a channel; its port says it in its own words.
    Carried {
        message_id: Option<String>,
        id: String,
    },
    Shipped {
        status: &'static str,
        recipient: Value,
        message_ids: Vec<i64>,
        count: usize,
    },
    /// The chat was left before: it is not touched.
    Skipped {
        status: &'static str,
        reason: &'static str,
    },
    /// A chat was made. Its id is a text.
    Created {
        status: &'static str,
        title: String,
        chat_id: Option<String>,
        invite_link: Option<String>,
        debug: Debug,
    },
    /// None of the users is found, so no chat was made.
    NoMembersFound {
        error: &'static str,
        debug: Debug,
    },
    LeftChannel {
        status: &'static str,
        left_type: &'static str,
        id: i64,
        kicked: Vec<UserId>,
    },
    LeftGroup {
        status: &'static str,
        left_type: &'static str,
        id: i64,
    },
    /// A chat that no account finds counts as left.
    LeftUnfound {
        status: &'static str,
        left_type: &'static str,
        note: String,
    },
    /// A field is missing, or the service says its errors so.
    Bare {
        error: String,
    },
    Error {
        status: &'static str,
        error: String,
    },
    Flood {
        status: &'static str,
        error: &'static str,
        retry_after: u64,
    },
    /// The same where errors are bare.
    BareFlood {
        error: &'static str,
        retry_after: u64,
    },
    Doubt {
        status: &'static str,
        error: String,
        id: String,
        state: &'static str,
    },
}

impl Answer {
    pub(super) fn error(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, body: Body::Error { status: "error", error: error.into() } }
    }

    /// A field is missing, or cannot be what it is.
    pub(super) fn bare(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, body: Body::Bare { error: error.into() } }
    }

    pub(super) fn flood(until: Timestamp, now: Timestamp) -> Self {
        let retry_after = seconds_until(until, now);
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            body: Body::Flood { status: "error", error: FLOOD, retry_after },
        }
    }

    /// The chat was left before.
    pub(super) const fn skipped() -> Self {
        Self {
            status: StatusCode::OK,
            body: Body::Skipped { status: "skipped", reason: "chat already left" },
        }
    }

    /// It may have been done: `what` says what, `path` shows more.
    pub(super) fn doubt(what: &str, path: &str, id: &impl ToString) -> Self {
        let id = id.to_string();
        let error = format!("{what}; see GET {path}/{id}, the same call again joins this one");
        let body = Body::Doubt { status: "error", error, id, state: "in_doubt" };
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, body }
    }

    pub(super) const fn is_doubt(&self) -> bool {
        matches!(self.body, Body::Doubt { .. })
    }

    /// The same as this service says it: creating a chat has bare errors, and only sending answers a flood with 429.
    #[must_use]
    pub(super) fn shaped_for(mut self, service: Service) -> Self {
        let creates = service == Service::CreateChat;
        let all_flooded = matches!(self.body, Body::Flood { error: FLOOD, .. });
        if all_flooded && (creates || service == Service::LeaveChat) {
            self.status = StatusCode::SERVICE_UNAVAILABLE;
        }
        self.body = match self.body {
            Body::Error { error, .. } if creates => Body::Bare { error },
            Body::Flood { error, retry_after, .. } if creates => Body::BareFlood { error, retry_after },
            body => body,
        };
        self
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
pub(super) mod tests {
    use super::*;

    /// Status and bytes of an answer.
    pub(crate) fn wire(answer: &Answer) -> (u16, String) {
        (answer.status.as_u16(), serde_json::to_string(&answer.body).expect("JSON"))
    }

    #[test]
    fn each_service_says_errors_its_own_way() {
        let until = Timestamp::from_micros(29_500_000);
        for (service, error, flood) in [
            (
                Service::CreateChat,
                (500, r#"{"error":"x"}"#),
                (503, r#"{"error":"FloodWait","retry_after":30}"#),
            ),
            (
                Service::SendText,
                (500, r#"{"status":"error","error":"x"}"#),
                (429, r#"{"status":"error","error":"FloodWait","retry_after":30}"#),
            ),
            (
                Service::SendMedia,
                (500, r#"{"status":"error","error":"x"}"#),
                (429, r#"{"status":"error","error":"FloodWait","retry_after":30}"#),
            ),
            (
                Service::LeaveChat,
                (500, r#"{"status":"error","error":"x"}"#),
                (503, r#"{"status":"error","error":"FloodWait","retry_after":30}"#),
            ),
        ] {
            let shaped = |answer: Answer| wire(&answer.shaped_for(service));
            let (status, body) = shaped(Answer::error(StatusCode::INTERNAL_SERVER_ERROR, "x"));
            assert_eq!((status, body.as_str()), error, "{service:?}");
            let (status, body) = shaped(Answer::flood(until, Timestamp::default()));
            assert_eq!((status, body.as_str()), flood, "{service:?}");
            let doubt = Answer::doubt("it may exist", "/v1/operations", &"op_1");
            assert_eq!(
                shaped(doubt),
                (
                    500,
                    r#"{"status":"error","error":"it may exist; see GET /v1/operations/op_1, the same call again joins this one","id":"op_1","state":"in_doubt"}"#
                        .to_owned()
                ),
                "{service:?}"
            );
            assert_eq!(
                shaped(Answer::skipped()),
                (200, r#"{"status":"skipped","reason":"chat already left"}"#.to_owned())
            );
        }
    }
}
