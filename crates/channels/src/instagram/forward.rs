//! A message as the old server of Instagram posted it on.

use serde_json::{Value, json};
use store::StoredInbound;

use crate::forward::one_format;
use crate::links::Links;

pub(super) fn legacy(stored: &StoredInbound, links: &Links) -> Value {
    let mut body = one_format(stored, links);
    body["external_chat_id"] = json!(stored.message.user);
    body
}
