//! What happened, as other programs hear of it.

use domain::{AccountName, EventId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::StoredEvent;
use utoipa::ToSchema;

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Its id; ids are in the order of what happened.
    #[schema(value_type = String, example = "evt_1795406400000000")]
    pub id: EventId,
    /// What it is; the list of all types is in the documentation.
    #[serde(rename = "type")]
    #[schema(example = "message.sent")]
    pub kind: String,
    /// When it happened.
    pub at: Timestamp,
    /// The account that it is about.
    #[schema(value_type = Option<String>, example = "main")]
    pub account: Option<AccountName>,
    /// The chat that it is about: its id once that is known, else as the caller named it.
    #[schema(example = "-1001234567890")]
    pub chat: Option<String>,
    /// What it says; the fields depend on the type.
    #[schema(value_type = Object, example = json!({"message_id": "msg_01k2v7m3w0e9tq4b8s6n5x1zyr", "state": "sent", "message_ids": [1042]}))]
    pub data: Value,
}

/// One event of a stream, as its lines are read.
#[derive(Debug, ToSchema)]
pub struct ServerSentEvent {
    /// What the stream goes on from.
    pub id: Option<String>,
    /// What it is; left out where the stream has one kind alone.
    pub event: Option<String>,
    /// What it says, as JSON.
    pub data: Option<String>,
}

impl From<StoredEvent> for Event {
    fn from(event: StoredEvent) -> Self {
        Self {
            id: event.id,
            kind: event.kind.as_str().to_owned(),
            at: event.at,
            account: event.account,
            chat: event.chat,
            data: serde_json::from_str(&event.data).unwrap_or_default(),
        }
    }
}
