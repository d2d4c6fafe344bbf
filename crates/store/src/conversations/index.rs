//! The places of our messages in their conversations: an index that is filled in batches.
//!
//! A message enters it when it ends. Row by row, nearly each one would be a page more to write. So those that ended lately are
//! kept in memory, and are written in the order of their chats, some with each group: those of one chat share a page. After a
//! start they are found again by their events.

use std::sync::{Arc, Mutex, PoisonError};

use domain::event::MessageEvent;
use domain::{ChatId, Event, EventId, EventType};

use super::statements as sql;
use crate::StoreError;
use crate::column::Columns;
use crate::database::{Connection, Prepared, Row, params};
use crate::events::{self, Last, NewEvent};

/// So many are written as one batch.
const BATCH: usize = 1024;
/// After so many events it is written down how far the index is, however few messages ended: a start reads no more of them.
const EVENTS: i64 = 20_000;
/// Events read at once.
const LOOK: u32 = 2000;
/// The fact that names the last event whose messages are in the index.
const FILLED: &str = "conversations filled up to";

/// A message that ended, in the order of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct IndexEntry {
    pub(super) chat: ChatId,
    /// Microseconds.
    pub(super) at: i64,
    pub(crate) id: [u8; 16],
}

impl IndexEntry {
    /// That of a message whose end this event is, if its chat is known.
    fn of(event: &NewEvent) -> Option<Self> {
        let (Event::MessageSent(data)
        | Event::MessageFailed(data)
        | Event::MessageCancelled(data)
        | Event::MessageInDoubt(data)) = &event.event
        else {
            return None;
        };
        Some(Self {
            chat: chat(event.chat.as_deref())?,
            at: event.at.as_micros(),
            id: *data.message_id.as_uuid().as_bytes(),
        })
    }
}

fn chat(of_event: Option<&str>) -> Option<ChatId> {
    of_event?.parse().ok().and_then(ChatId::new)
}

/// Those of a chat whose ends these events are.
pub(crate) fn ended_in(events: &[NewEvent], chat: ChatId) -> impl Iterator<Item = IndexEntry> {
    events.iter().filter_map(IndexEntry::of).filter(move |entry| entry.chat == chat)
}

/// Adds the place of a message whose end this row is; says which event it was. A row that cannot be read is passed over.
fn read(row: &Row<'_>, entries: &mut Vec<IndexEntry>) -> Result<i64, StoreError> {
    let ended = [
        EventType::MessageSent,
        EventType::MessageFailed,
        EventType::MessageCancelled,
        EventType::MessageInDoubt,
    ];
    if let Ok(event) = events::event(row)
        && ended.contains(&event.kind)
        && let Some(chat) = chat(event.chat.as_deref())
        && let Ok(data) = serde_json::from_str::<MessageEvent>(&event.data)
    {
        entries.push(IndexEntry {
            chat,
            at: event.at.as_micros(),
            id: *data.message_id.as_uuid().as_bytes(),
        });
    }
    Columns::new(row, events::TABLE).get(0)
}

/// What ended and is not in the index.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lately(Arc<Mutex<Batches>>);

#[derive(Debug, Default)]
struct Batches {
    waiting: Vec<IndexEntry>,
    /// On their way into the index, in its order; the last are the next.
    leaving: Vec<IndexEntry>,
}

impl Lately {
    /// Those of a chat. To be asked before the index is: what enters it meanwhile is found twice then, and not missed.
    pub(crate) fn of(&self, chat: ChatId) -> Vec<IndexEntry> {
        self.with(|batches| {
            let all = batches.waiting.iter().chain(&batches.leaving);
            all.filter(|entry| entry.chat == chat).copied().collect()
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Batches) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Fills the index, in the thread that commits.
#[derive(Debug)]
pub(crate) struct ConversationIndex {
    lately: Lately,
    batch: usize,
    events: i64,
    /// How far the index is once those that leave are in it, until that is written down.
    filled: Option<EventId>,
    /// The number of the event when that was written down last.
    nth: i64,
}

/// What a group that is not committed yet has written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filled {
    leaving: usize,
    waiting: usize,
    is_noted: bool,
}

impl Default for ConversationIndex {
    fn default() -> Self {
        Self { lately: Lately::default(), batch: BATCH, events: EVENTS, filled: None, nth: 0 }
    }
}

impl ConversationIndex {
    pub(crate) fn lately(&self) -> &Lately {
        &self.lately
    }

    /// Reads what ended after the index was filled last.
    pub(crate) fn open(&mut self, connection: &Connection, last: Last) -> Result<(), StoreError> {
        let filled = connection.first(events::statements::REMOVED_UP_TO, [FILLED], |row| {
            Ok(i64::from_be_bytes(Columns::new(row, "store_facts").get(0)?))
        })?;
        let (mut waiting, mut after) = (Vec::new(), filled.unwrap_or(0));
        while let Some(up_to) = connection
            .all(events::statements::AFTER, params![after, LOOK], |row| read(row, &mut waiting))?
            .last()
        {
            after = *up_to;
        }
        (self.nth, self.filled) = (last.nth, None);
        self.lately.with(|batches| *batches = Batches { waiting, leaving: Vec::new() });
        self.next_batch(last);
        Ok(())
    }

    /// Writes the next of those that leave: so many, or all there are.
    pub(crate) fn write(
        &self,
        prepared: &Prepared<'_>,
        most: Option<usize>,
        last: Option<Last>,
    ) -> Result<Filled, StoreError> {
        let (entries, filled) = self.lately.with(|Batches { waiting, leaving }| {
            let keep = most.map_or(0, |most| leaving.len().saturating_sub(most));
            let mut entries = leaving[keep..].to_vec();
            let waiting = if most.is_none() { waiting.as_slice() } else { &[] };
            entries.extend(waiting);
            let is_noted = keep == 0 && (self.filled.is_some() || most.is_none());
            (entries, Filled { leaving: leaving.len() - keep, waiting: waiting.len(), is_noted })
        });
        for IndexEntry { chat, at, id } in entries {
            prepared.run_row(sql::SAVE_INDEX_ENTRY, params![chat.get(), at, id], false)?;
        }
        let up_to = if most.is_none() { last.map(|last| EventId::new(last.seq)) } else { self.filled };
        if let Some(up_to) = up_to.filter(|_| filled.is_noted) {
            prepared.run(events::statements::SAVE_REMOVED, params![FILLED, up_to.get().to_be_bytes()])?;
        }
        Ok(filled)
    }

    /// The group is committed, with these events up to this one.
    pub(crate) fn committed(&mut self, filled: Filled, events: &[NewEvent], last: Option<Last>) {
        self.lately.with(|Batches { waiting, leaving }| {
            leaving.truncate(leaving.len().saturating_sub(filled.leaving));
            waiting.drain(..filled.waiting.min(waiting.len()));
            waiting.extend(events.iter().filter_map(IndexEntry::of));
        });
        if filled.is_noted {
            self.filled = None;
            self.nth = last.map_or(self.nth, |last| last.nth);
        }
        if let Some(last) = last {
            self.next_batch(last);
        }
    }

    fn next_batch(&mut self, last: Last) {
        let (batch, is_long) = (self.batch, last.nth.saturating_sub(self.nth) >= self.events);
        let is_next = self.lately.with(|Batches { waiting, leaving }| {
            let is_next = leaving.is_empty() && (is_long || waiting.len() >= batch);
            if is_next {
                std::mem::swap(waiting, leaving);
                leaving.sort_unstable();
            }
            is_next
        });
        if is_next && self.filled.is_none() {
            self.filled = Some(EventId::new(last.seq));
        }
    }
}

#[cfg(test)]
mod tests {
    use ambient::Clock;
    use domain::{MessageId, MessageState, Timestamp};
    use proptest::prelude::*;

    use super::*;
    use crate::events::EventLog;

    #[derive(Debug, Clone)]
    enum Happens {
        /// So many messages end in a group.
        Group(usize),
        /// The group is not committed.
        Undone(usize),
        /// It is committed, and the answer is lost.
        Unclear(usize),
        /// All that ended is to be in the index.
        FilledUp,
        /// The program begins again.
        Restart,
    }

    fn happens() -> impl Strategy<Value = Happens> {
        prop_oneof![
            6 => (0..5_usize).prop_map(Happens::Group),
            2 => (0..5_usize).prop_map(Happens::Undone),
            1 => (0..5_usize).prop_map(Happens::Unclear),
            1 => Just(Happens::FilledUp),
            1 => Just(Happens::Restart),
        ]
    }

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum End {
        Committed,
        Undone,
        Unclear,
    }

    struct Store {
        connection: Connection,
        clock: Clock,
        events: EventLog,
        index: ConversationIndex,
        ended: Vec<IndexEntry>,
        number: u128,
    }

    impl Store {
        fn open(connection: Connection, ended: Vec<IndexEntry>, number: u128) -> Self {
            let clock = Clock::system();
            let mut events = EventLog::new(clock.clone());
            let last = events.open(&connection).unwrap();
            let mut index = ConversationIndex { batch: 4, events: 9, ..ConversationIndex::default() };
            index.open(&connection, last).unwrap();
            Self { connection, clock, events, index, ended, number }
        }

        fn group(&mut self, ends: usize, most: Option<usize>, end: End) {
            let events: Vec<_> = (0..ends)
                .map(|_| {
                    self.number += 1;
                    let id = MessageId::from_uuid(uuid::Uuid::from_u128(self.number));
                    let state =
                        if self.number.is_multiple_of(5) { MessageState::Queued } else { MessageState::Sent };
                    let data = MessageEvent::new(id, state);
                    let is_end = state == MessageState::Sent;
                    let event = if is_end { Event::MessageSent(data) } else { Event::MessageAccepted(data) };
                    let chat = Some((self.number % 3 + 1).to_string());
                    NewEvent {
                        at: Timestamp::from_micros(self.clock.now().as_micros()),
                        account: None,
                        chat,
                        event,
                    }
                })
                .collect();
            self.connection.batch("BEGIN");
            let last = self.events.last(&self.connection).unwrap();
            let filled = self.index.write(&Prepared::new(&self.connection), most, Some(last)).unwrap();
            let appended = self.events.append(&Prepared::new(&self.connection), &events).unwrap();
            self.connection.batch(if end == End::Undone { "ROLLBACK" } else { "COMMIT" });
            match end {
                End::Committed => {
                    self.events.committed(appended);
                    self.index.committed(filled, &events, appended.or(Some(last)));
                }
                End::Undone => return,
                End::Unclear => {
                    let last = self.events.open(&self.connection).unwrap();
                    self.index.open(&self.connection, last).unwrap();
                }
            }
            self.ended.extend(events.iter().filter_map(IndexEntry::of));
        }

        fn indexed(&self) -> Vec<IndexEntry> {
            let sql = "SELECT chat_id, at, id FROM outbox_places";
            let place = |row: &Row<'_>| {
                let columns = Columns::new(row, "outbox_places");
                Ok(IndexEntry { chat: columns.chat_id(0)?, at: columns.get(1)?, id: columns.get(2)? })
            };
            self.connection.all(sql, (), place).unwrap()
        }

        fn found(&self) -> Vec<IndexEntry> {
            let mut found = self.indexed();
            found.extend((1..=3).flat_map(|chat| self.index.lately().of(ChatId::new(chat).unwrap())));
            found.sort_unstable();
            found.dedup();
            found
        }
    }

    proptest! {
        #[test]
        fn ended_messages_are_in_the_index_or_in_memory(happens in proptest::collection::vec(happens(), 0..40)) {
            let mut store = Store::open(Connection::migrated(), Vec::new(), 0);
            for one in happens {
                match one {
                    Happens::Group(ends) => store.group(ends, Some(ends), End::Committed),
                    Happens::Undone(ends) => store.group(ends, Some(ends), End::Undone),
                    Happens::Unclear(ends) => store.group(ends, Some(ends), End::Unclear),
                    Happens::FilledUp => {
                        let ended = store.ended.len();
                        store.group(0, None, End::Committed);
                        prop_assert_eq!(store.indexed().len(), ended);
                    }
                    Happens::Restart => store = Store::open(store.connection, store.ended, store.number),
                }
                let mut ended = store.ended.clone();
                ended.sort_unstable();
                prop_assert_eq!(store.found(), ended);
                let waiting = store.index.lately().with(|batches| batches.waiting.len() + batches.leaving.len());
                prop_assert!(waiting < 40, "{waiting}");
            }
        }
    }
}
