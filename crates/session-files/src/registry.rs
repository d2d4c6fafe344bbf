//! The registry of the scripts that came before: which account a chat went through, what was done, what failed.

use std::collections::HashSet;
use std::path::Path;

use domain::{ChatId, Timestamp};

use crate::read::{Reader, passing};
use crate::sqlite::{Database, Fields, MAGIC, whole};
use crate::unreadable::Unreadable;

/// The largest registry that is read.
const LARGEST_MB: u64 = 1024;

/// How many lines of each log are kept: the newest.
const MOST_LOGGED: usize = 100_000;

/// How many assignments and failed requests are taken, and how many odd rows are listed one by one.
const MOST_ROWS: usize = 1_000_000;
const MOST_ODD: usize = 1_000;

/// All that an old registry holds.
#[derive(Debug, Default)]
pub struct Registry {
    pub assignments: Vec<Assignment>,
    /// What was done, the newest 100,000 lines, oldest first.
    pub operations: Vec<LoggedOperation>,
    /// Which chats changed accounts, the newest 100,000 lines, oldest first.
    pub failovers: Vec<Failover>,
    /// Requests that failed and were kept so that a person can try them again.
    pub failed_requests: Vec<FailedRequest>,
    /// Tables that the file does not have.
    pub missing: Vec<Table>,
    /// Rows that could not be understood, the first thousand.
    pub odd: Vec<OddRow>,
}

/// A table of the old registry.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Table {
    #[strum(serialize = "chat_assignments")]
    Assignments,
    #[strum(serialize = "operations_log")]
    Operations,
    #[strum(serialize = "failover_log")]
    Failovers,
    #[strum(serialize = "failed_requests")]
    FailedRequests,
}

domain::enum_words!(Table);

impl Table {
    const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Assignments => &["chat_id", "account_name", "title", "invite_link", "created_at", "status"],
            Self::Operations => &["id", "ts", "account_name", "chat_id", "operation", "status", "detail"],
            Self::Failovers => &["id", "ts", "chat_id", "from_account", "to_account", "reason"],
            Self::FailedRequests => &[
                "id",
                "ts",
                "service",
                "direction",
                "endpoint",
                "request_payload",
                "error",
                "status",
                "retry_count",
                "last_retry_ts",
                "last_retry_error",
            ],
        }
    }

    /// Which rows are read, in which order: of the logs the newest, of the rest all.
    fn order(self, there: &HashSet<String>) -> String {
        let newest = if there.contains("ts") { "ts DESC, rowid DESC" } else { "rowid DESC" };
        match self {
            Self::Assignments | Self::FailedRequests => format!("ORDER BY rowid LIMIT {MOST_ROWS}"),
            Self::Operations | Self::Failovers => format!("ORDER BY {newest} LIMIT {MOST_LOGGED}"),
        }
    }
}

/// A row that could not be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OddRow {
    pub table: Table,
    /// Which row of the table, counted from 1 in the order they were read.
    pub number: u64,
    pub why: &'static str,
}

/// A chat, and the account it went through.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    pub chat_id: ChatId,
    /// The name that the old scripts had for the account.
    pub account_name: Option<String>,
    pub title: Option<String>,
    pub invite_link: Option<String>,
    /// When the chat was made or first seen.
    pub created_at: Option<Timestamp>,
    pub status: AssignmentStatus,
}

/// Whether a chat was left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AssignmentStatus {
    /// In use; also when the file does not say.
    Active,
    /// Left: not to be touched.
    Left,
    /// A word that the scripts did not have.
    Other(String),
}

/// A line of the log of operations.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedOperation {
    pub at: Option<Timestamp>,
    pub account_name: Option<String>,
    pub chat_id: Option<ChatId>,
    pub operation: Option<String>,
    pub status: OperationStatus,
    pub detail: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperationStatus {
    Ok,
    Error,
    /// The account was ordered to wait.
    FloodWait,
    /// The account was banned.
    Banned,
    /// A word that the scripts did not have, or none.
    Other(String),
}

/// A chat that changed accounts.
#[derive(Debug, Clone, PartialEq)]
pub struct Failover {
    pub at: Option<Timestamp>,
    pub chat_id: ChatId,
    pub from_account: Option<String>,
    pub to_account: Option<String>,
    pub reason: Option<String>,
}

/// A request that failed. It is never sent again by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct FailedRequest {
    pub id: i64,
    pub at: Option<Timestamp>,
    pub service: Option<String>,
    /// Whether it came to the script or went out from it.
    pub direction: Direction,
    pub endpoint: Option<String>,
    pub request_payload: Option<String>,
    pub error: Option<String>,
    /// `pending`, or what became of it.
    pub status: String,
    pub retry_count: u32,
    /// When it was last tried again.
    pub last_retry_at: Option<Timestamp>,
    pub last_retry_error: Option<String>,
}

/// Which way a request went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From a caller to the script; also when the file does not say.
    Inbound,
    /// From the script to someone else.
    Outbound,
}

/// As [`Reader::legacy_registry`], with the private copy in the system's temporary folder.
pub fn legacy_registry(path: &Path) -> Result<Registry, Unreadable> {
    passing().legacy_registry(path)
}

impl Reader {
    /// Reads an old registry. Tables and columns that are not there are left out, rows that make no sense are listed.
    ///
    /// # Errors
    ///
    /// [`Unreadable::NotTheRegistry`] when it has none of the registry's tables, and others as for a session.
    pub fn legacy_registry(&self, path: &Path) -> Result<Registry, Unreadable> {
        let metadata = std::fs::metadata(path)?;
        if !metadata.is_file() {
            return Err(Unreadable::NotAFile);
        }
        if metadata.len() == 0 {
            return Err(Unreadable::Empty);
        }
        let copy = self.copy(path, LARGEST_MB)?;
        if !copy.begins_with(MAGIC)? {
            return Err(Unreadable::NotSqlite);
        }
        read(&Database::open(&copy)?)
    }
}

fn read(database: &Database<'_>) -> Result<Registry, Unreadable> {
    let mut registry = Registry::default();
    for table in Table::ALL {
        let there = database.columns(table.as_str())?;
        if there.is_empty() {
            registry.missing.push(table);
            continue;
        }
        let mut number = 0;
        database.each(table.as_str(), table.columns(), &table.order(&there), |row| {
            number += 1;
            if let Err(why) = registry.take(table, row)
                && registry.odd.len() < MOST_ODD
            {
                registry.odd.push(OddRow { table, number, why });
            }
            Ok(())
        })?;
    }
    if registry.missing.len() == Table::ALL.len() {
        return Err(Unreadable::NotTheRegistry);
    }
    registry.operations.reverse();
    registry.failovers.reverse();
    Ok(registry)
}

impl Registry {
    fn take(&mut self, table: Table, row: Fields<'_>) -> Result<(), &'static str> {
        match table {
            Table::Assignments => self.assignments.push(assignment(row)?),
            Table::Operations => self.operations.push(operation(row)),
            Table::Failovers => self.failovers.push(failover(row)?),
            Table::FailedRequests => self.failed_requests.push(failed_request(row)?),
        }
        Ok(())
    }
}

fn assignment(row: Fields<'_>) -> Result<Assignment, &'static str> {
    let status = match word(row, "status").as_str() {
        "" | "active" => AssignmentStatus::Active,
        "left" => AssignmentStatus::Left,
        other => AssignmentStatus::Other(other.to_owned()),
    };
    Ok(Assignment {
        chat_id: chat(row)?,
        account_name: row.text("account_name"),
        title: row.text("title"),
        invite_link: row.text("invite_link"),
        created_at: time(row, "created_at"),
        status,
    })
}

fn operation(row: Fields<'_>) -> LoggedOperation {
    let status = match word(row, "status").as_str() {
        "ok" => OperationStatus::Ok,
        "error" => OperationStatus::Error,
        "flood_wait" => OperationStatus::FloodWait,
        "banned" => OperationStatus::Banned,
        other => OperationStatus::Other(other.to_owned()),
    };
    LoggedOperation {
        at: time(row, "ts"),
        account_name: row.text("account_name"),
        chat_id: chat(row).ok(),
        operation: row.text("operation"),
        status,
        detail: row.text("detail"),
    }
}

fn failover(row: Fields<'_>) -> Result<Failover, &'static str> {
    Ok(Failover {
        at: time(row, "ts"),
        chat_id: chat(row)?,
        from_account: row.text("from_account"),
        to_account: row.text("to_account"),
        reason: row.text("reason"),
    })
}

fn failed_request(row: Fields<'_>) -> Result<FailedRequest, &'static str> {
    let direction = match word(row, "direction").as_str() {
        "" | "inbound" => Direction::Inbound,
        "outbound" => Direction::Outbound,
        _ => return Err("its direction is neither inbound nor outbound"),
    };
    let status = word(row, "status");
    Ok(FailedRequest {
        id: row.integer("id").ok_or("it has no id")?,
        at: time(row, "ts"),
        service: row.text("service"),
        direction,
        endpoint: row.text("endpoint"),
        request_payload: row.text("request_payload"),
        error: row.text("error"),
        status: if status.is_empty() { "pending".to_owned() } else { status },
        retry_count: u32::try_from(row.count("retry_count")).unwrap_or_default(),
        last_retry_at: time(row, "last_retry_ts"),
        last_retry_error: row.text("last_retry_error"),
    })
}

fn word(row: Fields<'_>, column: &str) -> String {
    row.text(column).unwrap_or_default().trim().to_ascii_lowercase()
}

fn chat(row: Fields<'_>) -> Result<ChatId, &'static str> {
    // A number that some script wrote as REAL is a number all the same.
    let id = row.text("chat_id").and_then(|text| text.parse().ok());
    id.or_else(|| row.integer("chat_id").and_then(ChatId::new)).ok_or("it names no chat")
}

/// Seconds since 1970 with a part behind the point; none for zero and for what cannot be a time.
fn time(row: Fields<'_>, column: &str) -> Option<Timestamp> {
    instant(row.real(column)?)
}

fn instant(seconds: f64) -> Option<Timestamp> {
    /// The end of the year 9999.
    const END: f64 = 253_402_300_799.0;
    (seconds > 0.0 && seconds <= END)
        .then(|| whole((seconds * 1e6).round()).map(Timestamp::from_micros))
        .flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_seconds_with_a_fraction() {
        assert_eq!(instant(1_700_000_000.25), Some(Timestamp::from_micros(1_700_000_000_250_000)));
        assert_eq!([0.0, -5.0, 1e30, f64::NAN, f64::INFINITY].map(instant), [None; 5]);
    }

    proptest! {
        #[test]
        fn a_time_is_exact_to_the_microsecond(micros in 1..4_000_000_000_000_000_i64) {
            #[expect(clippy::cast_precision_loss, reason = "smaller than 2^53")]
            let seconds = micros as f64 / 1e6;
            prop_assert_eq!(instant(seconds), Some(Timestamp::from_micros(micros)));
        }
    }
}
