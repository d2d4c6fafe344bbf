//! Which of the next events may change a conversation, as a reader finds: the writer takes those alone.

use std::collections::{BTreeMap, HashSet};

use domain::event::MessageEvent;
use domain::{ChannelChat, ChatRef, EventId, EventType, ExternalChat};

use super::{TABLE, intake, rows, statements as sql};
use crate::column::{Columns, to_json};
use crate::database::{Connection, Row, params};
use crate::events::{event as read_event, statements as events};
use crate::write::Transaction;
use crate::{StoreError, StoredEvent};

/// Events that one write takes at most: other writes wait for it.
const AT_ONCE: usize = 100;

/// Events that were looked at.
pub(super) struct Sifted {
    pub(super) from: EventId,
    pub(super) up_to: EventId,
    /// Those among them that may change something, in their order.
    pub(super) events: Vec<StoredEvent>,
}

/// What is next of so many events at most; none where no event was ever taken.
pub(super) fn next(connection: &Connection, most: u32) -> Result<Option<Sifted>, StoreError> {
    let Some(from) = intake::cursor(&Transaction::new(connection, false))? else { return Ok(None) };
    let found = connection.all(events::AFTER, params![from.get(), most], read_event)?;
    let mut up_to = found.last().map_or(from, |event| event.id);
    let mut known = NamedConversations::of(connection, &found)?;
    let mut events: Vec<_> = found.into_iter().filter(|event| known.may_change(event)).collect();
    if events.len() > AT_ONCE {
        events.truncate(AT_ONCE);
        up_to = events.last().map_or(from, |event| event.id);
    }
    Ok(Some(Sifted { from, up_to, events }))
}

/// Chats and messages of conversations, as far as events name them: those that there are, and those that an event before adds.
#[derive(Default)]
struct NamedConversations {
    chats: HashSet<ChannelChat>,
    messages: HashSet<String>,
}

impl NamedConversations {
    fn of(connection: &Connection, events: &[StoredEvent]) -> Result<Self, StoreError> {
        let mut known = Self::default();
        let mut chats = BTreeMap::<_, HashSet<ExternalChat>>::new();
        let mut messages = Vec::new();
        let address = |row: &Row<'_>| rows::address(&Columns::new(row, TABLE), 0);
        let id = |row: &Row<'_>| Columns::new(row, TABLE).get::<String>(0);
        for event in events {
            if event.kind == EventType::MessageSent {
                messages.extend(message_of(event));
            }
            if let Some(ChannelChat { channel, account, chat }) = ours(event) {
                chats.entry((channel, account)).or_default().insert(chat);
            }
        }
        for ((channel, account), named) in &chats {
            let named = to_json("events", &named.iter().map(ExternalChat::as_str).collect::<Vec<_>>())?;
            let found = params![channel.as_str(), account.as_str(), named];
            known.chats.extend(connection.all(sql::STORED_CHATS, found, address)?);
        }
        if !messages.is_empty() {
            let named = to_json("events", &messages)?;
            known.messages.extend(connection.all(sql::STORED_MESSAGES, [named], id)?);
        }
        Ok(known)
    }

    /// Whether an event may change a conversation, after those before it.
    fn may_change(&mut self, event: &StoredEvent) -> bool {
        match event.kind {
            EventType::MessageReceived | EventType::MessageEdited | EventType::MessageDeleted => {
                let chat = event.chat.as_deref().and_then(|chat| chat.parse().ok());
                if matches!(chat, Some(ChatRef::Id(id)) if id.user_id().is_none()) {
                    return false;
                }
                self.chats.extend(intake::chat_of(event, event.account.clone()));
                true
            }
            EventType::MessageAccepted | EventType::MessageSent => {
                let message = message_of(event);
                let is_known = ours(event).is_some_and(|chat| self.chats.contains(&chat))
                    || message.as_ref().is_some_and(|message| self.messages.contains(message));
                self.messages.extend(message.filter(|_| is_known));
                is_known
            }
            EventType::MessageFailed | EventType::MessageInDoubt | EventType::MessageCancelled => true,
            _ => false,
        }
    }
}

/// The chat of an event about a message that is on its way.
fn ours(event: &StoredEvent) -> Option<ChannelChat> {
    let is_ours = matches!(event.kind, EventType::MessageAccepted | EventType::MessageSent);
    is_ours.then(|| intake::chat_of(event, event.account.clone())).flatten()
}

/// The id of a message of ours.
fn message_of(event: &StoredEvent) -> Option<String> {
    serde_json::from_str::<MessageEvent>(&event.data).ok().map(|event| event.message_id.to_string())
}
