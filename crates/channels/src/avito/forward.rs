//! A message as the old server of Avito posted it on: the workflow reads Avito's own body and fails on anything else.

use serde_json::json;
use store::StoredInbound;

use crate::forward::raw;

/// What Avito posted; what it was asked for as a post of it.
pub(super) fn legacy(stored: &StoredInbound) -> Option<String> {
    let (message, chat) = (&stored.message, stored.address.chat.as_str());
    // A post has no time of a message outside its payload.
    let Some(mut value) = raw(stored).filter(|raw| raw["created"].is_i64()) else {
        return message.raw.clone();
    };
    let item = message.ad.as_ref().and_then(|ad| ad.id.as_deref()?.parse::<i64>().ok());
    value["chat_id"] = json!(chat);
    value["chat_type"] = json!(chat.split('-').next());
    value["item_id"] = json!(item);
    value["published_at"] = json!(message.sent_at);
    let post = json!({
        "id": message.external_id,
        "version": "v3.0.0",
        "timestamp": message.sent_at.as_seconds(),
        "payload": { "type": "message", "value": value },
    });
    Some(post.to_string())
}
