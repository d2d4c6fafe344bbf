//! Why a call is refused, and how each port says it.

use axum::response::{IntoResponse, Response};
use config::ChannelKind;
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};
use store::StoreError;

use super::super::answer::{Answer, Body};
use super::Gate;
use crate::answer::json as answer;
use crate::problem::{Problem, whole_seconds};
use ::channels::CallError;

/// Why a call is refused. The port says it, on the way out.
#[derive(Debug, Clone)]
pub(super) enum Refused {
    /// The key is missing or wrong.
    Key,
    /// Fields are missing or wrong, as the entries of the list say.
    Fields(Vec<Value>),
    /// Anything else.
    Error { status: StatusCode, error: String, details: Value },
}

impl Refused {
    pub(super) fn error(status: StatusCode, error: impl Into<String>) -> Self {
        Self::Error { status, error: error.into(), details: Value::Null }
    }

    /// One field is wrong.
    pub(super) fn field(place: &str, name: &str, message: &str, kind: &str) -> Self {
        Self::Fields(vec![json!({ "loc": [place, name], "msg": message, "type": kind })])
    }

    /// Why, in words.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Key => "Invalid API key".to_owned(),
            Self::Fields(list) => Value::from(list.clone()).to_string(),
            Self::Error { error, .. } => error.clone(),
        }
    }

    /// The code of VK, where it is in front of the words.
    fn provider_code(error: &str) -> Option<i64> {
        let end = error.find(|one: char| !one.is_ascii_digit()).unwrap_or(error.len());
        error[..end].parse().ok()
    }

    pub(super) fn response_for(self, gate: &Gate) -> Response {
        match self {
            Self::Key => answer(StatusCode::UNAUTHORIZED, &json!({ "detail": "Invalid API key" })),
            Self::Fields(list) => answer(StatusCode::UNPROCESSABLE_ENTITY, &json!({ "detail": list })),
            Self::Error { status, error, details } => {
                let mut body = if gate.is_terse() {
                    json!({ "detail": error })
                } else {
                    json!({ "success": false, "error": error, "details": details })
                };
                if gate.port.channel == ChannelKind::Vk {
                    body["error_code"] = Self::provider_code(&error).into();
                }
                let mut response = answer(status, &body);
                if let Some(wait) = details["retry_after"].as_u64() {
                    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait));
                }
                response
            }
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Answer> for Refused {
    fn from(answer: Answer) -> Self {
        let (error, details) = match answer.body {
            Body::Error { error, .. } | Body::Bare { error } => (error, Value::Null),
            Body::Flood { retry_after, .. } | Body::BareFlood { retry_after, .. } => {
                (format!("too many; try again in {retry_after} s"), json!({ "retry_after": retry_after }))
            }
            Body::Doubt { error, id, state, .. } => (error, json!({ "id": id, "state": state })),
            _ => ("this is no answer of a channel".to_owned(), Value::Null),
        };
        Self::Error { status: answer.status, error, details }
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Answer::from(problem).into()
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Problem::from(error).into()
    }
}

impl From<CallError> for Refused {
    fn from(error: CallError) -> Self {
        let status = match &error {
            CallError::Token(_) => StatusCode::UNAUTHORIZED,
            CallError::Account(_) | CallError::Forbidden(_) => StatusCode::FORBIDDEN,
            CallError::Wait { wait, .. } => {
                let wait = whole_seconds(*wait);
                let details = json!({ "retry_after": wait });
                return Self::Error {
                    status: StatusCode::TOO_MANY_REQUESTS,
                    error: error.to_string(),
                    details,
                };
            }
            CallError::NotFound(_) => StatusCode::NOT_FOUND,
            CallError::Refused { code, .. } if code == "by_hand" || code == "not_supported" => {
                StatusCode::NOT_IMPLEMENTED
            }
            CallError::Refused { code, detail } => {
                let error = format!("{code}: {detail}");
                return Self::error(StatusCode::BAD_REQUEST, error.trim_end_matches(": "));
            }
            CallError::Unprepared(_) => StatusCode::BAD_REQUEST,
            CallError::Conflict(_) => StatusCode::CONFLICT,
            CallError::Unreached(_) => StatusCode::SERVICE_UNAVAILABLE,
            CallError::NoAnswer(_) => StatusCode::GATEWAY_TIMEOUT,
            CallError::Broken(_) | CallError::Server(_) | CallError::Unreadable(_) => StatusCode::BAD_GATEWAY,
        };
        Self::error(status, error.to_string())
    }
}
