//! Events: what other programs hear of, appended in the transaction of the change that caused it.
//!
//! A write brings its events with [`Transaction::tell`](crate::write::Transaction::tell); they are undone with it, and inserted
//! right before the commit of its group. The one writer numbers them, so the order of ids is the order of commits: a reader
//! that has seen an event has missed none before it.
//!
//! To follow them: take [`Events::newest`], read with [`Events::after`] from the last id that was seen until `up_to` is no
//! longer moving, then wait for [`changed`](tokio::sync::watch::Receiver::changed). `up_to` is the place to go on from, also
//! where no event on the way matched. It closes with the store.
//!
//! A row is a snapshot in ids and words. It stays as it is when the message that it is about changes or is removed.

mod append;

use std::ops::ControlFlow;
use std::time::Duration;

use domain::event::AccountEvent;
use domain::{AccountName, Event, EventFilter, EventId, EventType, Timestamp};
use tokio::sync::watch;

use crate::column::Columns;
use crate::database::{Connection, Row, params};
use crate::point;
use crate::write::Transaction;
use crate::{Store, StoreError};

pub(crate) use append::{EventLog, Last, NewEvent, newest};
use statements as sql;

pub(crate) const TABLE: &str = "events";

/// Events read at once at most.
const LONGEST: u32 = 1000;
/// Rows looked at in one read at most, whether they match or not: no reader keeps the connection for long.
const LOOK: u32 = 2000;
/// Rows removed in one write at most.
const PIECE: u32 = 100;
/// The fact that names the last event that was removed.
const REMOVED: &str = "events removed up to";

pub(crate) mod statements {
    //! The statements of the events.

    use crate::statement::statements;

    statements! {
        INSERT = "
            INSERT INTO events (seq, nth, at, type, account, chat, data) VALUES ($1, $2, $3, $4, $5, $6, $7)";
        LAST = "SELECT seq, nth FROM events WHERE seq = (SELECT max(seq) FROM events)";
        AFTER = "
            SELECT seq, at, type, account, chat, data FROM events WHERE seq > $1 ORDER BY seq LIMIT $2";
        REMOVED_UP_TO = "SELECT value FROM store_facts WHERE name = $1";
        /// The newest row stays: ids go on from it.
        OLDEST = "SELECT seq, nth FROM events WHERE seq < $1 ORDER BY seq LIMIT $2";
        REMOVE = "DELETE FROM events WHERE seq <= $1";
        SAVE_REMOVED = "
            INSERT INTO store_facts (name, value) VALUES ($1, $2)
            ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    }
}

/// An event as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its id, by which events are in order.
    pub id: EventId,
    /// When it happened, by the clock of that moment.
    pub at: Timestamp,
    /// Its type.
    pub kind: EventType,
    /// The account it is about.
    pub account: Option<AccountName>,
    /// The chat it is about: its id once that is known, else as the caller named it.
    pub chat: Option<String>,
    /// What it says, as JSON.
    pub data: String,
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventsRead {
    /// The events that matched, in order.
    pub events: Vec<StoredEvent>,
    /// Everything up to this one was looked at.
    pub up_to: EventId,
    /// Events after the place that was asked for were removed already, up to this one.
    pub gap: Option<EventId>,
}

/// How long events are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventRetention {
    /// For so long.
    pub keep: Duration,
    /// So many.
    pub most: u32,
}

/// The events' part of a store.
#[derive(Clone, Copy)]
pub struct Events<'a> {
    pub(crate) store: &'a Store,
}

impl Events<'_> {
    /// Events after one of them, in order, 1 to 1000 at once; from the oldest that is kept after [`EventId::ZERO`]. Fewer, or
    /// none, do not mean that there are no more: the end is where `up_to` does not move.
    pub async fn after(
        &self,
        after: EventId,
        filter: &EventFilter,
        limit: u32,
    ) -> Result<EventsRead, StoreError> {
        let (filter, limit) = (filter.clone(), limit.clamp(1, LONGEST) as usize);
        self.store.read(move |connection| read(connection, after, &filter, limit)).await
    }

    /// The newest event; it changes whenever some were committed.
    pub fn newest(&self) -> watch::Receiver<EventId> {
        self.store.inner.newest_event.clone()
    }

    /// The state shown for accounts is another one: now, and when that was reported last.
    pub async fn account_states(
        &self,
        changes: Vec<(AccountName, AccountEvent)>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let tell = move |transaction: &Transaction<'_>| {
            for (account, change) in &changes {
                let event = Event::AccountState(change.clone());
                transaction.tell(NewEvent { at, account: Some(account.clone()), chat: None, event });
            }
            Ok(())
        };
        self.store.change(point::ACCOUNT_STATES, tell).await
    }

    /// Removes events that are past their retention, in small steps; says how many. The newest one stays.
    pub async fn sweep(&self, retention: EventRetention) -> Result<u64, StoreError> {
        let before = self.store.now().minus(retention.keep).as_micros();
        let most = retention.most;
        let mut removed = 0;
        // A look first: most of the time there is nothing to write.
        let has_old = move |connection: &Connection| {
            Ok(!old(&Transaction::new(connection, false), before, most)?.is_empty())
        };
        while self.store.read(has_old).await? {
            let remove = move |transaction: &Transaction<'_>| remove_old(transaction, before, most);
            removed += self.store.change(point::DROP_EVENTS, remove).await? as u64;
        }
        Ok(removed)
    }
}

fn read(
    connection: &Connection,
    after: EventId,
    filter: &EventFilter,
    limit: usize,
) -> Result<EventsRead, StoreError> {
    let (mut events, mut up_to) = (Vec::new(), after);
    connection.each(sql::AFTER, params![after.get(), LOOK], |row| {
        let event = event(row)?;
        up_to = event.id;
        if filter.matches(event.kind, event.chat.as_deref(), event.account.as_ref().map(AccountName::as_str))
        {
            events.push(event);
        }
        Ok(if events.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    // Looked at afterwards: what was removed in between is seen here.
    let removed = connection.first(sql::REMOVED_UP_TO, [REMOVED], |row| {
        Ok(i64::from_be_bytes(Columns::new(row, "store_facts").get::<[u8; 8]>(0)?))
    })?;
    let gap = removed.map(EventId::new).filter(|removed| after != EventId::ZERO && after < *removed);
    Ok(EventsRead { events, up_to, gap })
}

pub(crate) fn event(row: &Row<'_>) -> Result<StoredEvent, StoreError> {
    let columns = Columns::new(row, TABLE);
    Ok(StoredEvent {
        id: EventId::new(columns.get(0)?),
        at: columns.time(1)?,
        kind: columns.word(2, "type of an event", EventType::from_word)?,
        account: columns.maybe_account(3)?,
        chat: columns.get(4)?,
        data: columns.get(5)?,
    })
}

/// The oldest rows that are past their retention, at most a piece of them.
fn old(transaction: &Transaction<'_>, before: i64, most: u32) -> Result<Vec<i64>, StoreError> {
    let place = |row: &Row<'_>| {
        let columns = Columns::new(row, TABLE);
        Ok((columns.get::<i64>(0)?, columns.get::<i64>(1)?))
    };
    let Some((newest, nth)) = transaction.first(sql::LAST, (), place)? else { return Ok(Vec::new()) };
    let surplus = nth - i64::from(most);
    let oldest = transaction.all(sql::OLDEST, params![newest, PIECE], place)?;
    let is_old = |(seq, nth): &(i64, i64)| *seq <= before || *nth <= surplus;
    Ok(oldest.into_iter().take_while(is_old).map(|(seq, _)| seq).collect())
}

fn remove_old(transaction: &Transaction<'_>, before: i64, most: u32) -> Result<usize, StoreError> {
    let old = old(transaction, before, most)?;
    if let Some(last) = old.last() {
        // Those that are not in it yet would not be found again after a crash.
        transaction.fill_conversations();
        transaction.run(sql::REMOVE, [last])?;
        transaction.run(sql::SAVE_REMOVED, params![REMOVED, last.to_be_bytes()])?;
    }
    Ok(old.len())
}
