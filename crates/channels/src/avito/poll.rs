//! Asking Avito what came in: the chats that changed, and in them the messages since.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use domain::{InboundChange, InboundEvent, InboundMessage, Timestamp, lenient};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::client::Client;
use super::inbound::events;
use super::outcome::About;
use crate::error::CallError;
use crate::provider::Polled;

/// The most that one page has.
const PAGE: usize = 100;
/// The last place at which a page may begin.
const LAST_OFFSET: usize = 1_000;
/// The most chats that one poll reads. The next poll reads the others.
const CHATS: usize = 20;
/// A message may be this much older than the change of its chat that shows it. What is read twice is kept once.
const LATE: i64 = 120;
/// The longest time between the writing of a message and the poll that first shows it, clocks that differ included. Shorter than the
/// week for which the keys of messages are kept, so that one that is read twice is no new one.
const SHOWN_WITHIN: i64 = 2 * 86_400;
/// The most chats in which is looked whether our last message was read.
const MOST_UNREAD: usize = 50;
/// The most of those that one poll looks at.
const UNREAD_AT_ONCE: usize = 2;
/// After this a message that was not read is no longer looked at.
const UNREAD_FOR: i64 = 7 * 86_400;

/// Where to go on. Times are seconds since 1970.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Cursor {
    /// All messages before this were read.
    from: i64,
    /// All chats that changed before this were read, and of those that changed then the `seen`.
    at: i64,
    /// The last message of each.
    #[serde(default)]
    seen: BTreeMap<String, String>,
    /// Chats with a message of ours that was not read, and when it was written.
    #[serde(default)]
    unread: VecDeque<(String, i64)>,
}

/// A chat in the list.
struct Chat {
    id: String,
    updated: i64,
    last_message: String,
}

/// What came in since the cursor. The first poll begins with the present.
pub(super) async fn poll(client: &Client, cursor: Option<&str>) -> Result<Polled, CallError> {
    let owner = client.owner().await?.id;
    let now = client.clock().now().as_seconds();
    let known = cursor.and_then(|text| serde_json::from_str::<Cursor>(text).ok());
    let Some(mut cursor) = known else {
        return Ok(polled(Vec::new(), &Cursor { from: now, at: now, ..Cursor::default() }, false));
    };
    cursor.follow(now);
    let mut chats = changed(client, &cursor).await?;
    chats.sort_by(|one, other| (one.updated, &one.id).cmp(&(other.updated, &other.id)));
    let more = chats.len() > CHATS;
    chats.truncate(CHATS);
    let mut found = Vec::new();
    for chat in &chats {
        let messages = history(client, &chat.id, cursor.from - LATE).await?;
        cursor.watch(&chat.id, &messages);
        for message in messages.iter().rev() {
            found.extend(events(message, &chat.id, owner, &with_owner(message, owner), client.clock().now()));
        }
        if chat.updated > cursor.at {
            cursor.at = chat.updated;
            cursor.seen.clear();
        }
        cursor.seen.insert(chat.id.clone(), chat.last_message.clone());
    }
    if !more {
        cursor.from = cursor.at;
    }
    if chats.is_empty() {
        cursor.rest(now);
        found.extend(cursor.reads(client, owner, now).await?);
    }
    Ok(polled(found, &cursor, more))
}

fn polled(events: Vec<InboundEvent>, cursor: &Cursor, more: bool) -> Polled {
    Polled { events, cursor: serde_json::to_string(cursor).ok(), more }
}

impl Cursor {
    /// A clock that was ahead put the beginning where messages are not yet.
    fn follow(&mut self, now: i64) {
        if self.from > now {
            self.from = self.at;
        }
    }

    /// Nothing changed: what is older than a message can be is not read again. In steps, so that a poll without news writes nothing.
    fn rest(&mut self, now: i64) {
        if self.from < now - 2 * SHOWN_WITHIN {
            self.from = now - SHOWN_WITHIN;
        }
    }

    /// Notes whether a message of ours in the chat was not read.
    fn watch(&mut self, chat: &str, messages: &[Value]) {
        self.unread.retain(|(known, _)| known != chat);
        let own = messages.iter().find(|message| message["direction"] == "out");
        let waits = own.filter(|own| own["is_read"] == false).and_then(created);
        if let Some(created) = waits {
            self.unread.push_back((chat.to_owned(), created));
        }
        if self.unread.len() > MOST_UNREAD {
            self.unread.pop_front();
        }
    }

    /// That messages were read, of a few chats in turn.
    async fn reads(&mut self, client: &Client, owner: i64, now: i64) -> Result<Vec<InboundEvent>, CallError> {
        let mut found = Vec::new();
        for _ in 0..UNREAD_AT_ONCE.min(self.unread.len()) {
            let Some((chat, created)) = self.unread.pop_front() else { break };
            if created < now - UNREAD_FOR {
                continue;
            }
            let messages = page(client, &chat, 0).await?;
            self.watch(&chat, &messages);
            let at = client.clock().now();
            let all = messages.iter().rev().flat_map(|message| events(message, &chat, owner, "", at));
            found.extend(all.filter(|event| matches!(event.change, InboundChange::Receipt { .. })));
        }
        Ok(found)
    }
}

/// The chats that changed since.
async fn changed(client: &Client, cursor: &Cursor) -> Result<Vec<Chat>, CallError> {
    let mut found: Vec<Chat> = Vec::new();
    for offset in (0..=LAST_OFFSET).step_by(PAGE) {
        let mut url = client.messenger("v2", &["chats"]).await?;
        url.query_pairs_mut()
            .append_pair("limit", &PAGE.to_string())
            .append_pair("offset", &offset.to_string())
            .append_pair("chat_types", "u2i,u2u");
        let reply = client.get(About::Account, &url).await?;
        let all =
            reply["chats"].as_array().ok_or_else(|| CallError::Unreadable("no chats in it".to_owned()))?;
        let mut is_old = all.len() < PAGE;
        for chat in all {
            let updated = lenient::time(&chat["updated"]).map(Timestamp::as_seconds);
            let (Some(id), Some(updated)) = (chat["id"].as_str(), updated) else { continue };
            let last_message = chat["last_message"]["id"].as_str().unwrap_or_default();
            let is_seen =
                updated == cursor.at && cursor.seen.get(id).is_some_and(|seen| seen == last_message);
            is_old |= updated < cursor.at;
            if updated >= cursor.at && !is_seen && !found.iter().any(|known| known.id == id) {
                found.push(Chat { id: id.to_owned(), updated, last_message: last_message.to_owned() });
            }
        }
        if is_old {
            break;
        }
    }
    Ok(found)
}

/// The messages of a chat since this second, newest first.
pub(super) async fn history(client: &Client, chat: &str, since: i64) -> Result<Vec<Value>, CallError> {
    let mut found = Vec::new();
    for offset in (0..=LAST_OFFSET).step_by(PAGE) {
        let page = page(client, chat, offset).await?;
        let is_last =
            page.len() < PAGE || page.iter().any(|message| created(message).is_some_and(|at| at < since));
        found.extend(page.into_iter().filter(|message| created(message).is_none_or(|at| at >= since)));
        if is_last {
            break;
        }
    }
    Ok(found)
}

/// The id of the message that this one answers.
pub(super) async fn quoted(client: &Client, message: &InboundMessage) -> Result<Option<String>, CallError> {
    let history = page(client, message.chat.as_str(), 0).await?;
    let found = history.iter().find(|one| one["id"] == message.external_id.as_str());
    Ok(found.and_then(|one| one["quote"]["id"].as_str()).map(str::to_owned))
}

fn created(message: &Value) -> Option<i64> {
    lenient::time(&message["created"]).map(Timestamp::as_seconds)
}

/// A message with whose account it is, as in a post.
fn with_owner(message: &Value, owner: i64) -> String {
    let mut whole = message.clone();
    if let Some(fields) = whole.as_object_mut() {
        fields.insert("user_id".to_owned(), owner.into());
    }
    whole.to_string()
}

/// A page of the history. It is a list, or has one.
async fn page(client: &Client, chat: &str, offset: usize) -> Result<Vec<Value>, CallError> {
    let mut url = client.messenger("v3", &["chats", chat, "messages", ""]).await?;
    url.query_pairs_mut().append_pair("limit", &PAGE.to_string()).append_pair("offset", &offset.to_string());
    match client.get(About::Chat, &url).await? {
        Value::Array(all) => Ok(all),
        Value::Object(mut reply) => match reply.remove("messages") {
            Some(Value::Array(all)) => Ok(all),
            _ => Err(CallError::Unreadable("no messages in it".to_owned())),
        },
        _ => Err(CallError::Unreadable("no messages in it".to_owned())),
    }
}

/// So long after a call that had no clear answer it may still have an effect.
pub(super) const SETTLES: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_days_move_the_start_and_a_clock_set_back_undoes_it() {
        let (day, mut cursor) = (86_400, Cursor { from: 0, at: 0, ..Cursor::default() });
        for (now, from) in [(3, 0), (4, 0), (5, 3), (7, 3), (8, 6)] {
            cursor.rest(now * day);
            assert_eq!(cursor.from, from * day, "after {now} days");
            // What is read from there on is younger than the keys of what was read: a week.
            assert!(now * day - cursor.from + LATE < 7 * day);
        }
        cursor.follow(9 * day);
        assert_eq!(cursor.from, 6 * day);
        cursor.follow(5 * day);
        assert_eq!(cursor.from, cursor.at);
    }
}
