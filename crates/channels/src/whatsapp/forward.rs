//! A message as the old server of WhatsApp posted it on.

use serde_json::{Value, json};
use store::StoredInbound;

use crate::forward::files;
use crate::links::Links;

pub(super) fn legacy(stored: &StoredInbound, links: &Links) -> Value {
    let message = &stored.message;
    json!({
        "chatId": stored.address.chat.as_str(),
        "sender": message.user,
        "text": message.text.as_str(),
        "messageId": message.external_id,
        "timestamp": message.sent_at.as_seconds(),
        "senderName": message.name,
        "pushname": message.name,
        "media": files(stored, links).next(),
    })
}
