//! A request of a legacy port, a callback or a form of a site that failed.

use domain::{FailedRequestId, Service, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::FailedState;
use utoipa::ToSchema;

use crate::schemas;

/// The longest summary, in bytes.
const LONGEST_SUMMARY: usize = 200;

/// A request that failed and is kept, so that it can be tried again by hand.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FailedRequest {
    /// Its id.
    #[schema(value_type = String, example = "fail_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    pub id: FailedRequestId,
    /// When it first failed.
    pub at: Timestamp,
    /// The service it belongs to; none of a form that a page of a site sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = schemas::service, required = false)]
    pub service: Option<Service>,
    /// `inbound`: it came to us. `outbound`: it went from us to another program.
    #[schema(example = "inbound")]
    pub direction: String,
    /// Its path.
    #[schema(example = "/create_chat")]
    pub endpoint: String,
    /// What it is about: the title of the chat that it asks for, or the start of a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Order 1001")]
    #[schema(extensions(("x-words" = json!(true))))]
    pub summary: Option<String>,
    /// Its body; shown to keys with the scope `admin` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    #[schema(extensions(("x-words" = json!(true))))]
    pub payload: Option<Value>,
    /// Why it failed the first time.
    pub error: String,
    /// What became of it.
    #[schema(schema_with = schemas::failed_state)]
    #[serde(with = "crate::word")]
    pub state: FailedState,
    /// How often it was tried again by hand.
    pub retry_count: u32,
    /// When it was last tried again.
    pub last_retry_at: Option<Timestamp>,
    /// Why that failed.
    pub last_retry_error: Option<String>,
    /// When it is tried next by itself: a callback that was not taken.
    pub next_try_at: Option<Timestamp>,
    /// The operation it made.
    #[schema(example = "op_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    pub operation: Option<String>,
}

impl FailedRequest {
    /// `with_payload` shows its body too.
    pub fn new(request: store::FailedRequest, with_payload: bool) -> Self {
        // What cannot be read as JSON is shown as the text it is.
        let payload = match serde_json::from_str(&request.payload) {
            Ok(value) => value,
            Err(_) => Value::String(request.payload),
        };
        let summary = summary(&payload);
        let payload = with_payload.then_some(payload);
        Self {
            id: request.id,
            at: request.at,
            service: request.service,
            direction: request.direction.as_str().to_owned(),
            endpoint: request.endpoint,
            summary,
            payload,
            error: request.error,
            state: request.state,
            retry_count: request.retry_count,
            last_retry_at: request.last_retry_at,
            last_retry_error: request.last_retry_error,
            next_try_at: request.next_try_at,
            operation: request.operation.map(|id| id.to_string()),
        }
    }
}

/// The first of the fields that people know a request by, as old callers and callbacks write them.
fn summary(payload: &Value) -> Option<String> {
    let named = ["title", "chat_title", "text", "message", "chat_id", "chat", "name", "Name"];
    let found = named.into_iter().find_map(|name| match payload.get(name)? {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })?;
    Some(found[..found.floor_char_boundary(LONGEST_SUMMARY)].to_owned())
}
