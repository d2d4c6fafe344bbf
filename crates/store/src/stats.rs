//! What is in the store now, in numbers: open work, and the room that all of it takes.

use std::fs;
use std::path::{Path, PathBuf};

use domain::Timestamp;
use domain::message::MessageState;
use domain::saga::{SagaState, TaskKind};

use crate::column::Columns;
use crate::database::Connection;
use crate::disk::Disk;
use crate::statement::statements;
use crate::{StoreError, codes};

statements! {
    // Only what is not ended well: each is counted from an index that holds nothing else. The first condition names
    // the index, the second one leaves out what has failed or was cancelled. To group them, SQLite would sort them all in memory.
    MESSAGES = "
        SELECT coalesce(sum(CASE WHEN state = 0 THEN 1 ELSE 0 END), 0), coalesce(sum(CASE WHEN state = 1 THEN 1 ELSE 0 END), 0),
            coalesce(sum(CASE WHEN state = 2 THEN 1 ELSE 0 END), 0), coalesce(sum(CASE WHEN state = 3 THEN 1 ELSE 0 END), 0),
            coalesce(sum(CASE WHEN state = 10 THEN 1 ELSE 0 END), 0)
        FROM outbox WHERE state < 20 AND state <= 10";
    SAGAS = "SELECT kind, state, count(*) FROM operations WHERE state <= 10 GROUP BY kind, state";
    CALLBACKS = "
        SELECT count(*), coalesce(sum(CASE WHEN next_at <= $1 THEN 1 ELSE 0 END), 0)
        FROM posts WHERE kind = 1 AND state = 0";
    UNRESOLVED = "SELECT count(*) FROM unresolved_chats";
    FAILED_REQUESTS = "SELECT count(*) FROM failed_requests WHERE state = 'pending'";
}

/// The states that [`MESSAGES`] counts, in its order.
const OPEN: [MessageState; 5] = [
    MessageState::Queued,
    MessageState::Scheduled,
    MessageState::AwaitingApproval,
    MessageState::Sending,
    MessageState::InDoubt,
];

/// What is in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    /// Messages that are not ended, and those in doubt, by state; a state that is not named has none.
    pub messages: Vec<(MessageState, u64)>,
    /// Sagas that are not ended, and those in doubt, by kind and state; what is not named has none.
    pub sagas: Vec<(TaskKind, SagaState, u64)>,
    /// Callbacks that wait.
    pub callbacks_waiting: u64,
    /// Those among them whose time has come.
    pub callbacks_due: u64,
    /// Failed requests that wait for a person.
    pub failed_requests: u64,
    /// Chats that no one found.
    pub unresolved: u64,
    /// The size of the database, in bytes.
    pub database_bytes: u64,
    /// The size of its log, in bytes.
    pub log_bytes: u64,
    /// What is free on the disk of the data directory, in bytes; nothing when the system does not say.
    pub free_bytes: Option<u64>,
}

/// Where the store is.
#[derive(Clone)]
pub(crate) struct Location {
    pub(crate) dir: PathBuf,
    pub(crate) file: PathBuf,
    pub(crate) disk: Disk,
}

/// Counts; on a thread that may block.
pub(crate) fn take(
    connection: &Connection,
    location: &Location,
    now: Timestamp,
) -> Result<Stats, StoreError> {
    let messages = connection.first(MESSAGES, (), |row| {
        let columns = Columns::new(row, "outbox");
        let counted = OPEN.iter().enumerate().map(|(column, state)| Ok((*state, columns.count(column)?)));
        counted.collect::<Result<Vec<_>, StoreError>>()
    })?;
    let messages = messages.into_iter().flatten().filter(|(_, count)| *count > 0).collect();
    let sagas = connection.all(SAGAS, (), |row| {
        let columns = Columns::new(row, "operations");
        let kind = columns.word(0, "kind", TaskKind::from_word)?;
        Ok((kind, columns.coded(1, "state", codes::saga)?, columns.count(2)?))
    })?;
    let callbacks = connection.first(CALLBACKS, [now.as_micros()], |row| {
        let columns = Columns::new(row, "posts");
        Ok((columns.count(0)?, columns.count(1)?))
    })?;
    let failed_requests =
        connection.first(FAILED_REQUESTS, (), |row| Columns::new(row, "failed_requests").count(0))?;
    let unresolved =
        connection.first(UNRESOLVED, (), |row| Columns::new(row, "unresolved_chats").count(0))?;
    let (callbacks_waiting, callbacks_due) = callbacks.unwrap_or_default();
    let database_bytes = match connection {
        Connection::Sqlite(_) => size(&location.file),
        Connection::Postgres(_) => {
            let sql = "SELECT pg_database_size(current_database())";
            connection.first(sql, (), |row| Columns::new(row, "the database").count(0))?.unwrap_or_default()
        }
    };
    Ok(Stats {
        messages,
        sagas,
        callbacks_waiting,
        callbacks_due,
        failed_requests: failed_requests.unwrap_or_default(),
        unresolved: unresolved.unwrap_or_default(),
        database_bytes,
        log_bytes: size(&log_of(&location.file)),
        free_bytes: location.disk.free_in(&location.dir).ok(),
    })
}

/// The log that SQLite keeps beside a database.
fn log_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

/// A file's length; nothing where there is none.
fn size(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |found| found.len())
}
