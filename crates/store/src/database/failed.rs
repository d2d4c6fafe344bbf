//! What went wrong with PostgreSQL, in terms of the store.

use std::error::Error;

use tokio_postgres::error::{DbError, SqlState};

use crate::StoreError;
use crate::error::table_named;

/// Why there is no answer to work with.
pub(super) enum Failed {
    Answered(tokio_postgres::Error),
    Unanswered,
}

impl From<Failed> for StoreError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Answered(error) => Self::from(&error),
            Failed::Unanswered => gone("it does not answer"),
        }
    }
}

impl Failed {
    /// Whether the server may answer otherwise later.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Answered(error) => error.as_db_error().is_none_or(|refused| is_passing(refused.code())),
            Self::Unanswered => true,
        }
    }
}

/// Whether the server may accept this later.
fn is_passing(code: &SqlState) -> bool {
    // It starts or stops; it has no connection or no room left; the connection broke; it follows another server; a lock is taken;
    // the lease is another one's.
    ["57P", "53", "08", "25006", "55P03", "22012"].iter().any(|class| code.code().starts_with(class))
}

pub(super) fn gone(what: &str) -> StoreError {
    StoreError::Unavailable(format!("PostgreSQL: {what}"))
}

/// An error with its cause; it holds no password.
pub(super) fn description(error: &tokio_postgres::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

impl From<&tokio_postgres::Error> for StoreError {
    fn from(error: &tokio_postgres::Error) -> Self {
        let Some(refused) = error.as_db_error() else { return gone(&description(error)) };
        let (table, what) = (table_named(refused.table().unwrap_or_default()), words(refused));
        match refused.code() {
            code if *code == SqlState::UNIQUE_VIOLATION => Self::conflict(table, what),
            code if *code == SqlState::DISK_FULL => Self::StorageFull,
            code if *code == SqlState::DIVISION_BY_ZERO => gone("another process has taken the store over"),
            // Data exceptions and violations of a constraint.
            code if code.code().starts_with("22") || code.code().starts_with("23") => {
                Self::Invalid { table, what }
            }
            _ => gone(&what),
        }
    }
}

/// What the server says, without the values of the row.
fn words(refused: &DbError) -> String {
    let constraint = refused.constraint().map(|name| format!(" ({name})")).unwrap_or_default();
    format!("{}{constraint}", refused.message())
}
