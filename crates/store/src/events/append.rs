//! Events on their way into the store: kept while their group runs, numbered and inserted right before its commit.

use ambient::Clock;
use domain::{AccountName, Event, EventId, Timestamp};
use tokio::sync::watch;

use super::{TABLE, statements as sql};
use crate::StoreError;
use crate::column::{Columns, to_json};
use crate::database::{Connection, Prepared, params};

/// An event that a write brings.
#[derive(Debug, Clone)]
pub(crate) struct NewEvent {
    pub(crate) at: Timestamp,
    pub(crate) account: Option<AccountName>,
    /// See [`super::StoredEvent::chat`].
    pub(crate) chat: Option<String>,
    pub(crate) event: Event,
}

/// The last row there is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Last {
    pub(crate) seq: i64,
    pub(crate) nth: i64,
}

/// Where events are numbered: in the thread that commits, so that the order of ids is the order of commits.
pub(crate) struct EventLog {
    clock: Clock,
    /// Not known after a commit whose end is not known.
    last: Option<Last>,
    newest: watch::Sender<EventId>,
}

impl EventLog {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, last: None, newest: watch::Sender::new(EventId::ZERO) }
    }

    /// The newest event, updated whenever a group that has some is committed.
    pub(crate) fn newest(&self) -> watch::Receiver<EventId> {
        self.newest.subscribe()
    }

    /// Reads where the order goes on.
    pub(crate) fn open(&mut self, connection: &Connection) -> Result<Last, StoreError> {
        let last = last(connection)?;
        self.last = Some(last);
        self.newest.send_replace(EventId::new(last.seq));
        Ok(last)
    }

    /// The last row before the group.
    pub(crate) fn last(&self, connection: &Connection) -> Result<Last, StoreError> {
        self.last.map_or_else(|| last(connection), Ok)
    }

    /// The same, unless the table would have to be asked.
    pub(crate) const fn cached(&self) -> Option<Last> {
        self.last
    }

    /// Inserts the events of a group, as its last statements.
    pub(crate) fn append(
        &mut self,
        prepared: &Prepared<'_>,
        events: &[NewEvent],
    ) -> Result<Option<Last>, StoreError> {
        if events.is_empty() {
            return Ok(None);
        }
        // Put back once the group is committed: whatever goes wrong meanwhile, the next group asks the table.
        let Last { seq, nth } = match self.last.take() {
            Some(last) => last,
            None => last(prepared.connection())?,
        };
        let first = seq.saturating_add(1).max(self.clock.now().as_micros());
        let mut last = None;
        for (event, place) in events.iter().zip(0..) {
            let row = Last { seq: first.saturating_add(place), nth: nth + 1 + place };
            insert(prepared, event, row)?;
            last = Some(row);
        }
        Ok(last)
    }

    /// The group with these events is committed.
    pub(crate) fn committed(&mut self, last: Option<Last>) {
        if let Some(last) = last {
            self.last = Some(last);
            self.newest.send_replace(EventId::new(last.seq));
        }
    }
}

/// The id of the newest event there is, or 0.
pub(crate) fn newest(connection: &Connection) -> Result<i64, StoreError> {
    last(connection).map(|last| last.seq)
}

fn last(connection: &Connection) -> Result<Last, StoreError> {
    let found = connection.first(sql::LAST, (), |row| {
        let columns = Columns::new(row, TABLE);
        Ok(Last { seq: columns.get(0)?, nth: columns.get(1)? })
    })?;
    Ok(found.unwrap_or(Last { seq: 0, nth: 0 }))
}

fn insert(prepared: &Prepared<'_>, event: &NewEvent, row: Last) -> Result<(), StoreError> {
    let NewEvent { at, account, chat, event } = event;
    let data = to_json(TABLE, event)?;
    let (kind, account) = (event.kind().as_str(), account.as_ref().map(AccountName::as_str));
    let params = params![row.seq, row.nth, at.as_micros(), kind, account, chat, data];
    prepared.run_row(sql::INSERT, params, false).map(|_| ())
}

#[cfg(test)]
mod tests {
    use domain::event::MessageEvent;
    use domain::{MessageId, MessageState};

    use super::*;

    fn events(count: usize) -> Vec<NewEvent> {
        let data = MessageEvent::new(MessageId::MIN, MessageState::Queued);
        let event = Event::MessageAccepted(data);
        (0..count)
            .map(|_| NewEvent { at: Timestamp::default(), account: None, chat: None, event: event.clone() })
            .collect()
    }

    fn stored(connection: &Connection) -> Vec<(i64, i64)> {
        connection
            .all("SELECT seq, nth FROM events ORDER BY seq", (), |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
    }

    #[test]
    fn ids_follow_the_clock_and_never_go_back() {
        let connection = Connection::migrated();
        let clock = Clock::system();
        let mut log = EventLog::new(clock.clone());
        log.open(&connection).unwrap();
        let mut newest = log.newest();
        let mut all = 0;
        for count in [1, 0, 3, 16, 17, 40] {
            let before = clock.now().as_micros();
            let last = log.append(&Prepared::new(&connection), &events(count)).unwrap();
            log.committed(last);
            all += count;
            let rows = stored(&connection);
            assert_eq!(rows.len(), all);
            assert!(rows.is_sorted_by(|one, next| one.0 < next.0 && one.1 + 1 == next.1), "{rows:?}");
            assert_eq!(newest.borrow_and_update().get(), rows.last().unwrap().0);
            if all == 1 {
                assert!(rows[0].0 >= before);
            }
            clock.set_back(std::time::Duration::from_mins(1));
        }
    }

    #[test]
    fn after_a_failed_commit_the_last_event_is_read_again() {
        let connection = Connection::migrated();
        let mut log = EventLog::new(Clock::system());
        log.open(&connection).unwrap();
        let first = log.append(&Prepared::new(&connection), &events(2)).unwrap();
        log.committed(first);
        connection.batch("BEGIN");
        log.append(&Prepared::new(&connection), &events(5)).unwrap();
        connection.batch("ROLLBACK");
        let again = log.append(&Prepared::new(&connection), &events(1)).unwrap();
        log.committed(again);
        let numbers: Vec<i64> = stored(&connection).into_iter().map(|(_, nth)| nth).collect();
        assert_eq!(numbers, [1, 2, 3]);
    }
}
