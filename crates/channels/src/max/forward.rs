//! A message as the old server of MAX posted it on.

use serde_json::{Value, json};
use store::StoredInbound;

use crate::forward::{files, raw};
use crate::links::Links;

pub(super) fn legacy(stored: &StoredInbound, links: &Links) -> Value {
    let message = &stored.message;
    json!({
        "channel": "max",
        "message_id": message.external_id,
        "chat_id": stored.address.chat.as_str(),
        "user_id": message.user,
        "user_name": message.name,
        "text": message.text.as_str(),
        "attachments": files(stored, links).collect::<Vec<Value>>(),
        "timestamp": message.sent_at.as_micros() / 1_000,
        "raw_data": raw(stored),
    })
}
