//! What came in while nothing was posted here. MAX lists no chats, so the known ones are read.

use domain::{ExternalChat, Timestamp};
use outbound::Method;
use serde_json::{Value, json};

use super::Max;
use super::look::CLOCKS_APART;
use super::recipient::Recipient;
use crate::error::CallError;
use crate::histories::Histories;

/// As many messages of a chat are read at a time.
const PAGE: usize = 100;
/// The most pages of a chat.
const PAGES: usize = 10;

/// Returns the messages of these chats since then, oldest first within a chat.
///
/// # Errors
/// MAX refuses it, or no answer came.
pub(super) async fn since(
    max: &Max,
    since: Timestamp,
    chats: Vec<ExternalChat>,
) -> Result<Histories, CallError> {
    // It distinguishes messages of the bot from those of people.
    if max.own_id().is_none() {
        max.client.me().await?;
    }
    let after = max.client.by_its_clock(since).minus(CLOCKS_APART).as_micros() / 1_000;
    let mut read = Histories::default();
    for chat in chats {
        let Ok(Recipient::Chat(number)) = Recipient::of(&chat) else { continue };
        match of_chat(max, number, after).await {
            Ok(messages) => read.events.extend(messages.iter().rev().flat_map(|message| {
                let at = message.get("timestamp").cloned().unwrap_or_default();
                max.read(&json!({"update_type": "message_created", "timestamp": at, "message": message}))
            })),
            Err(error) => read.fail(chat.as_str(), error)?,
        }
    }
    Ok(read)
}

/// The messages of a chat since then, the newest first.
async fn of_chat(max: &Max, chat: i64, after: i64) -> Result<Vec<Value>, CallError> {
    let mut found: Vec<Value> = Vec::new();
    let mut before = None::<i64>;
    for _ in 0..PAGES {
        let mut query =
            vec![("chat_id", chat.to_string()), ("after", after.to_string()), ("count", PAGE.to_string())];
        query.extend(before.map(|before| ("before", before.to_string())));
        let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let reply = max.client.call(Method::GET, "/messages", &query, None).await?;
        let messages = reply.get("messages").and_then(Value::as_array);
        let messages =
            messages.ok_or_else(|| CallError::Unreadable("a history without a list".to_owned()))?;
        found.extend(messages.iter().cloned());
        let oldest = messages.iter().filter_map(|message| message.get("timestamp")?.as_i64()).min();
        if messages.len() < PAGE || oldest.is_none_or(|oldest| oldest <= after || Some(oldest) == before) {
            break;
        }
        before = oldest;
    }
    Ok(found)
}
