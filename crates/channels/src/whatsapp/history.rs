//! What came in while nothing was posted here: the histories of the chats that moved since.

use domain::{InboundEvent, Timestamp, lenient};
use serde_json::Value;

use super::client::Client;
use super::inbound;
use crate::error::CallError;
use crate::histories::Histories;

/// As many chats, and messages of a chat, are listed at a time.
const PAGE: usize = 100;
/// The most pages of each list.
const PAGES: usize = 50;

/// Returns the messages since then, oldest first.
///
/// # Errors
/// Wappi refuses it, or no answer came.
pub(super) async fn since(client: &Client, since: Timestamp) -> Result<Histories, CallError> {
    let earliest = client.by_its_clock(since).as_seconds();
    let (mut found, mut read) = (Vec::new(), Histories::default());
    for page in 0..PAGES {
        let (limit, offset) = (PAGE.to_string(), (page * PAGE).to_string());
        let query = [("limit", limit.as_str()), ("offset", offset.as_str()), ("show_all", "true")];
        let reply = client.get("/api/sync/chats/get", &query).await?;
        let dialogs = items(&reply, "dialogs")?;
        for dialog in dialogs {
            let moved = dialog.get("last_timestamp").and_then(Value::as_i64).is_none_or(|at| at >= earliest);
            if let Some(chat) = dialog.get("id").and_then(Value::as_str).filter(|_| moved) {
                match of_chat(client, chat, earliest).await {
                    Ok(messages) => found.extend(messages),
                    Err(error) => read.fail(chat, error)?,
                }
            }
        }
        if dialogs.len() < PAGE {
            break;
        }
    }
    found.sort_by_key(|(at, _)| *at);
    read.events = found.into_iter().map(|(_, event)| event).collect();
    Ok(read)
}

async fn of_chat(
    client: &Client,
    chat: &str,
    earliest: i64,
) -> Result<Vec<(Timestamp, InboundEvent)>, CallError> {
    let mut found = Vec::new();
    for page in 0..PAGES {
        let (limit, offset) = (PAGE.to_string(), (page * PAGE).to_string());
        let query = [("chat_id", chat), ("limit", &limit), ("offset", &offset), ("order", "desc")];
        let reply = client.get("/api/sync/messages/get", &query).await?;
        let messages = items(&reply, "messages")?;
        let is_new =
            |message: &&Value| lenient::time(&message["time"]).is_some_and(|at| at.as_seconds() >= earliest);
        let new = messages.iter().filter(is_new);
        found.extend(new.map(|message| inbound::of_history(message, client.clock().now())));
        if messages.len() < PAGE || !messages.iter().all(|message| is_new(&message)) {
            break;
        }
    }
    Ok(found)
}

fn items<'a>(reply: &'a Value, name: &str) -> Result<&'a Vec<Value>, CallError> {
    let items = reply.get(name).and_then(Value::as_array);
    items.ok_or_else(|| CallError::Unreadable(format!("an answer without {name}")))
}
