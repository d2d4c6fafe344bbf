//! Which of the next events may change a conversation, as a reader finds: the writer takes those alone.

use std::collections::{BTreeMap, HashSet};

use domain::{ChannelChat, ChatRef, EventId, EventType, ExternalChat};
use serde::Deserialize;

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

/// What is next of at most this number of events; none where no event was ever taken.
pub(super) fn next(connection: &Connection, most: u32) -> Result<Option<Sifted>, StoreError> {
    let Some(from) = intake::cursor(&Transaction::new(connection, false))? else { return Ok(None) };
    let found = connection.all(events::AFTER, params![from.get(), most], read_event)?;
    let mut up_to = found.last().map_or(from, |event| event.id);
    let ours: Vec<_> = found.iter().map(Ours::of).collect();
    let mut known = NamedConversations::of(connection, &ours)?;
    let may_change: Vec<_> =
        found.iter().zip(&ours).map(|(event, ours)| known.may_change(event, ours.as_ref())).collect();
    let mut events: Vec<_> =
        found.into_iter().zip(may_change).filter_map(|(event, may)| may.then_some(event)).collect();
    if events.len() > AT_ONCE {
        events.truncate(AT_ONCE);
        up_to = events.last().map_or(from, |event| event.id);
    }
    Ok(Some(Sifted { from, up_to, events }))
}

/// What an event about a message of ours names, which goes or went to someone who can be a client.
struct Ours<'a> {
    chat: Option<ChannelChat>,
    message: Option<&'a str>,
    /// Only then the message may be in a conversation already.
    is_sent: bool,
}

impl<'a> Ours<'a> {
    fn of(event: &'a StoredEvent) -> Option<Self> {
        #[derive(Deserialize)]
        struct Subject<'a> {
            message_id: &'a str,
        }
        if !matches!(event.kind, EventType::MessageAccepted | EventType::MessageSent) || is_of_group(event) {
            return None;
        }
        let subject = serde_json::from_str::<Subject<'_>>(&event.data);
        Some(Self {
            chat: intake::chat_of(event, event.account.clone()),
            message: subject.ok().map(|subject| subject.message_id),
            is_sent: event.kind == EventType::MessageSent,
        })
    }
}

/// Whether an event is about a chat of Telegram that is no client's.
fn is_of_group(event: &StoredEvent) -> bool {
    let chat = event.chat.as_deref().and_then(|chat| chat.parse().ok());
    matches!(chat, Some(ChatRef::Id(id)) if id.user_id().is_none())
}

/// Chats and messages of conversations, as far as events name them: those that there are, and those that an event before adds.
#[derive(Default)]
struct NamedConversations {
    chats: HashSet<ChannelChat>,
    messages: HashSet<String>,
}

impl NamedConversations {
    fn of(connection: &Connection, events: &[Option<Ours<'_>>]) -> Result<Self, StoreError> {
        let mut known = Self::default();
        let mut chats = BTreeMap::<_, HashSet<&ExternalChat>>::new();
        let mut messages = Vec::new();
        let address = |row: &Row<'_>| rows::address(&Columns::new(row, TABLE), 0);
        let id = |row: &Row<'_>| Columns::new(row, TABLE).get::<String>(0);
        for Ours { chat, message, is_sent } in events.iter().flatten() {
            messages.extend(message.filter(|_| *is_sent));
            if let Some(ChannelChat { channel, account, chat }) = chat {
                chats.entry((channel, account)).or_default().insert(chat);
            }
        }
        for ((channel, account), named) in &chats {
            let named = to_json("events", &named.iter().map(|chat| chat.as_str()).collect::<Vec<_>>())?;
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
    fn may_change(&mut self, event: &StoredEvent, ours: Option<&Ours<'_>>) -> bool {
        if let Some(Ours { chat, message, .. }) = ours {
            let is_known = chat.as_ref().is_some_and(|chat| self.chats.contains(chat))
                || message.is_some_and(|message| self.messages.contains(message));
            self.messages.extend(message.filter(|_| is_known).map(str::to_owned));
            return is_known;
        }
        match event.kind {
            EventType::MessageReceived | EventType::MessageEdited | EventType::MessageDeleted => {
                self.chats.extend(intake::chat_of(event, event.account.clone()));
                !is_of_group(event)
            }
            EventType::MessageFailed | EventType::MessageInDoubt | EventType::MessageCancelled => true,
            _ => false,
        }
    }
}
