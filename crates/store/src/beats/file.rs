//! The file itself: its tables, and reading and writing them on a thread that may block.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::{BeatsBatch, BeatsPast, StoredMinute, StoredTally};
use crate::column::Columns;
use crate::database::{Connection, params, sqlite};
use crate::write::Durability;
use crate::{OpenError, StoreError};

/// The name of the file in the data directory.
const NAME: &str = "health.db";

/// The tables' version, kept in the file.
const VERSION: i64 = 1;

const TABLES: &str = "
    CREATE TABLE cards (id INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE minutes (
        minute INTEGER NOT NULL, card INTEGER NOT NULL, answer INTEGER NOT NULL, latency_ms INTEGER, reason TEXT,
        PRIMARY KEY (minute, card)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE tallies (
        span INTEGER NOT NULL, number INTEGER NOT NULL, card INTEGER NOT NULL, sent INTEGER NOT NULL,
        failed INTEGER NOT NULL, PRIMARY KEY (span, number, card)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE last_round (id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1), minute INTEGER NOT NULL, at INTEGER NOT NULL) STRICT;
    PRAGMA user_version = 1;";

const LAST: &str = "SELECT minute, at FROM last_round";
const SAVE_LAST: &str = "
    INSERT INTO last_round (id, minute, at) VALUES (1, $1, $2)
    ON CONFLICT (id) DO UPDATE SET minute = excluded.minute, at = excluded.at";
const CARDS: &str = "SELECT id, name FROM cards";
const ADD_CARD: &str = "INSERT INTO cards (name) VALUES ($1) ON CONFLICT (name) DO NOTHING";
const CARD: &str = "SELECT id FROM cards WHERE name = $1";
const MINUTES: &str =
    "SELECT minute, card, answer, latency_ms, reason FROM minutes WHERE minute > $1 ORDER BY minute, card";
const SAVE_MINUTE: &str = "
    INSERT INTO minutes (minute, card, answer, latency_ms, reason) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (minute, card) DO UPDATE SET
        answer = excluded.answer, latency_ms = excluded.latency_ms, reason = excluded.reason";
/// Two hours of them at a time: after days without the program there may be millions, and a round waits for this.
const FORGET_MINUTES: &str =
    "DELETE FROM minutes WHERE minute < min($1, (SELECT min(minute) FROM minutes) + 120)";
const TALLIES: &str = "SELECT span, number, card, sent, failed FROM tallies ORDER BY span, number, card";
const SAVE_TALLY: &str = "
    INSERT INTO tallies (span, number, card, sent, failed) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (span, number, card) DO UPDATE SET sent = excluded.sent, failed = excluded.failed";
const FORGET_TALLIES: &str = "DELETE FROM tallies WHERE span = $1 AND number < $2";

/// Opens the file; makes it if it is not there, and again if it is damaged.
pub(super) fn open(dir: &Path) -> Result<Connection, StoreError> {
    match try_open(dir) {
        Err(OpenError::Corrupt { file, what }) => {
            tracing::error!(file = %file.display(), what, "the file of beats is damaged; it is set aside and a new one is begun");
            set_aside(dir);
            try_open(dir).map_err(unavailable)
        }
        opened => opened.map_err(unavailable),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` hands it over")]
fn unavailable(error: OpenError) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

/// The damaged file is kept once, for anyone who wants to look at it.
fn set_aside(dir: &Path) {
    let file = dir.join(NAME);
    // Whatever cannot be moved fails again when it is opened, and is reported then.
    let _ = fs::rename(&file, dir.join("health.db.damaged"));
    for beside in ["health.db-wal", "health.db-shm"] {
        let _ = fs::remove_file(dir.join(beside));
    }
}

fn try_open(dir: &Path) -> Result<Connection, OpenError> {
    let file = dir.join(NAME);
    sqlite::make(&file)?;
    let connection = sqlite::writing(&file)?;
    let failed = |error: rusqlite::Error| sqlite::failed(&file, &error);
    connection.pragma_update(None, "synchronous", "NORMAL").map_err(failed)?;
    let version: i64 = connection.query_row("PRAGMA user_version", (), |row| row.get(0)).map_err(failed)?;
    match version {
        VERSION => {}
        0 => connection.execute_batch(&format!("BEGIN IMMEDIATE; {TABLES} COMMIT;")).map_err(failed)?,
        newer => return Err(OpenError::Newer { found: newer, known: VERSION }),
    }
    Ok(Connection::Sqlite(connection))
}

/// What is kept: minutes after the last round's minute less `minutes`, and all tallies.
pub(super) fn past(connection: &Connection, minutes: i64) -> Result<BeatsPast, StoreError> {
    let last = connection.first(LAST, (), |row| {
        let columns = Columns::new(row, "last_round");
        Ok((columns.get::<i64>(0)?, columns.time(1)?))
    })?;
    let Some((minute, _)) = last else { return Ok(BeatsPast::default()) };
    let names: HashMap<i64, Arc<str>> = connection
        .all(CARDS, (), |row| {
            let columns = Columns::new(row, "cards");
            Ok((columns.get::<i64>(0)?, columns.get::<String>(1)?.into()))
        })?
        .into_iter()
        .collect();
    let name = |id: i64| {
        names.get(&id).cloned().ok_or_else(|| StoreError::not_found("cards", format!("no card {id}")))
    };
    let mut reasons: HashMap<String, Arc<str>> = HashMap::new();
    let minutes = connection.all(MINUTES, [minute.saturating_sub(minutes)], |row| {
        let columns = Columns::new(row, "minutes");
        let reason = columns.get::<Option<String>>(4)?;
        Ok(StoredMinute {
            minute: columns.get(0)?,
            card: name(columns.get(1)?)?,
            answer: columns.get(2)?,
            latency_ms: columns.get(3)?,
            reason: reason
                .map(|word| Arc::clone(reasons.entry(word).or_insert_with_key(|word| word.as_str().into()))),
        })
    })?;
    let tallies = connection.all(TALLIES, (), |row| {
        let columns = Columns::new(row, "tallies");
        Ok(StoredTally {
            span: columns.get(0)?,
            number: columns.get(1)?,
            card: name(columns.get(2)?)?,
            sent: columns.get(3)?,
            failed: columns.get(4)?,
        })
    })?;
    Ok(BeatsPast { last, minutes, tallies })
}

/// Keeps a round in one transaction.
pub(super) fn save(connection: &Connection, batch: &BeatsBatch) -> Result<(), StoreError> {
    connection.begin(Durability::Soon)?;
    let saved = save_all(connection, batch).and_then(|()| connection.run("COMMIT", ()));
    if saved.is_err() {
        connection.roll_back();
    }
    saved
}

fn save_all(connection: &Connection, batch: &BeatsBatch) -> Result<(), StoreError> {
    let mut known = HashMap::new();
    connection.execute(SAVE_LAST, params![batch.minute, batch.at.as_micros()])?;
    for minute in &batch.minutes {
        let card = card(connection, &mut known, &minute.card)?;
        let row = params![minute.minute, card, minute.answer, minute.latency_ms, minute.reason.as_deref()];
        connection.execute(SAVE_MINUTE, row)?;
    }
    for tally in &batch.tallies {
        let card = card(connection, &mut known, &tally.card)?;
        let row = params![tally.span, tally.number, card, tally.sent, tally.failed];
        connection.execute(SAVE_TALLY, row)?;
    }
    connection.execute(FORGET_MINUTES, [batch.forget_before])?;
    let spans: HashSet<u32> = batch.tallies.iter().map(|tally| tally.span.max(1)).collect();
    for span in spans {
        let number = batch.forget_before.div_euclid(i64::from(span));
        connection.execute(FORGET_TALLIES, params![span, number])?;
    }
    Ok(())
}

/// The number of a card in this file.
fn card<'a>(
    connection: &Connection,
    known: &mut HashMap<&'a str, i64>,
    name: &'a str,
) -> Result<i64, StoreError> {
    if let Some(id) = known.get(name) {
        return Ok(*id);
    }
    let find = || connection.first(CARD, [name], |row| row.get::<i64>(0));
    let id = if let Some(id) = find()? {
        id
    } else {
        connection.execute(ADD_CARD, [name])?;
        find()?.ok_or_else(|| StoreError::not_found("cards", format!("{name} was not added")))?
    };
    known.insert(name, id);
    Ok(id)
}
