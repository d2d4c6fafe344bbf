//! What can go wrong, in terms a caller can act on.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_ROWID, SQLITE_CONSTRAINT_UNIQUE};
use rusqlite::{Error, ErrorCode};

use crate::StoreKind;

/// A read or a write that did not happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No room for new messages.
    #[error("the disk is full; free some space in the data directory")]
    StorageFull,
    /// The store cannot work now. When it was a wait that ended, the write may still happen.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// The row is in a state that forbids the write: it was changed since it was read. Nothing was written.
    #[error("{table}: {what}")]
    Conflict {
        /// The table.
        table: &'static str,
        /// The row, and what forbids the write.
        what: String,
    },
    /// The row that the write is about is not there. Nothing was written.
    #[error("{table}: {what}")]
    NotFound {
        /// The table.
        table: &'static str,
        /// Which row.
        what: String,
    },
    /// A value breaks a rule of its table (NOT NULL, CHECK, a foreign key): a fault of this program. Nothing was written.
    #[error("{table}: a value that its table does not take: {what}")]
    Invalid {
        /// The table.
        table: &'static str,
        /// What the database says.
        what: String,
    },
    /// A row holds what the program cannot read. It stays as it is.
    #[error("{table}: the column {column} of the row {id} cannot be read: {what}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: String,
        /// The row's id, as far as it is known.
        id: String,
        /// What is wrong with the value.
        what: String,
    },
    /// It is for someone on the do-not-contact list. Nothing was written.
    #[error("{}", domain::outcome::do_not_contact(*entry))]
    DoNotContact {
        /// The entry.
        entry: domain::DoNotContactId,
    },
    /// The account may write to no more people first. Nothing was written.
    #[error(
        "the account has written to or invited as many new people as it may within a day (limits.first_contacts_per_day); it may again at {until}"
    )]
    FirstContacts {
        /// When it may again.
        until: domain::Timestamp,
    },
    /// A paging cursor that this store did not give out.
    #[error("the cursor is none that was given out here; begin again without one")]
    BadCursor,
}

impl StoreError {
    pub(crate) fn conflict(table: &'static str, what: impl Into<String>) -> Self {
        Self::Conflict { table, what: what.into() }
    }

    pub(crate) fn not_found(table: &'static str, what: impl Into<String>) -> Self {
        Self::NotFound { table, what: what.into() }
    }

    pub(crate) fn corrupt(table: &'static str, column: &str, id: impl Display, what: impl Display) -> Self {
        Self::Corrupt { table, column: column.to_owned(), id: id.to_string(), what: what.to_string() }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let what = error.to_string();
        match (error.sqlite_error_code(), &error) {
            (Some(ErrorCode::DiskFull), _) => Self::StorageFull,
            (Some(ErrorCode::ConstraintViolation), Error::SqliteFailure(failure, _)) => {
                let table = table_named_in(&what);
                match failure.extended_code {
                    SQLITE_CONSTRAINT_UNIQUE | SQLITE_CONSTRAINT_PRIMARYKEY | SQLITE_CONSTRAINT_ROWID => {
                        Self::conflict(table, what)
                    }
                    _ => Self::Invalid { table, what },
                }
            }
            // Not from SQLite itself: a value of another type or range than the code expects.
            (None, Error::InvalidColumnType(_, column, _)) => {
                Self::corrupt("the database", column, "?", what)
            }
            (None, Error::FromSqlConversionFailure(..) | Error::IntegralValueOutOfRange(..)) => {
                Self::corrupt("the database", "?", "?", what)
            }
            _ => Self::Unavailable(what),
        }
    }
}

/// Finds the table in texts like `UNIQUE constraint failed: api_keys.hash`.
fn table_named_in(message: &str) -> &'static str {
    table_named(
        message.rsplit_once(": ").and_then(|(_, column)| column.split('.').next()).unwrap_or_default(),
    )
}

/// The table of this name, of those that errors are read for.
pub(crate) fn table_named(name: &str) -> &'static str {
    const TABLES: [&str; 19] = [
        "outbox",
        "outbox_parts",
        "outbox_timeline",
        "idempotency_keys",
        "telegram_sessions",
        "telegram_peers",
        "chat_bindings",
        "api_keys",
        "operations",
        "operation_steps",
        "callbacks",
        "failed_requests",
        "users",
        "user_sessions",
        "audit_log",
        "alerts",
        "webhooks",
        "posts",
        "received_messages",
    ];
    TABLES.into_iter().find(|table| *table == name).unwrap_or("the database")
}

/// Why a data directory could not be opened. The text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process works on it.
    #[error(
        "{} is in use{}; stop that process or name another --data-dir", dir.display(),
        holder.map_or_else(String::new, |pid| format!(" by process {pid}"))
    )]
    InUse {
        /// The data directory.
        dir: PathBuf,
        /// The process that holds it, where it could be read.
        holder: Option<u32>,
    },
    /// Another process works on the database, from another data directory.
    #[error(
        "{} is in use by a process with another data directory; stop that process, or name another database in store.url",
        file.display()
    )]
    DatabaseInUse {
        /// The database file.
        file: PathBuf,
    },
    /// The server of the database cannot be used.
    #[error("cannot use the store on PostgreSQL: {what}; see `url` in [store]")]
    Server {
        /// What it says.
        what: String,
    },
    /// The server of the database cannot be worked with now.
    #[error("PostgreSQL is not available: {what}; see `url` in [store], and that the server runs")]
    Unreachable {
        /// What went wrong.
        what: String,
    },
    /// Another process works on the store of a server.
    #[error(
        "the store on PostgreSQL is in use by {holder}; stop that process, or this one takes over when it ends"
    )]
    Held {
        /// The process that holds the lease.
        holder: String,
    },
    /// The directory cannot be made or written.
    #[error(
        "cannot write in {}: {source}; give this user the directory (chown) or name another with --data-dir",
        dir.display()
    )]
    NotWritable {
        /// The data directory.
        dir: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A backup is half in place.
    #[error(
        "a backup was being put in place in {} and that was broken off; call `switchboard restore` again, which does the rest",
        dir.display()
    )]
    HalfRestored {
        /// The data directory.
        dir: PathBuf,
    },
    /// Its sessions were given up: another side of a move holds them.
    #[error(
        "{} has given its sessions up: {} holds them since {}, with the number {}. Only one of the two may run. To take them back \
         give `switchboard move rollback` here", dir.display(), fence.holder.name, fence.at.to_the_second(), fence.number
    )]
    GivenUp {
        /// The data directory.
        dir: PathBuf,
        /// Who holds them.
        fence: Box<crate::Fence>,
    },
    /// A copy of another store that is not whole.
    #[error(
        "this store is a copy that was broken off; give the command that copies it again (`switchboard store copy`, \
         `switchboard restore`), which does the rest"
    )]
    HalfCopied,
    /// The file is no database, or a damaged one.
    #[error("{} is damaged: {what}; put a backup back with `switchboard restore`", file.display())]
    Corrupt {
        /// The database file.
        file: PathBuf,
        /// What SQLite says.
        what: String,
    },
    /// The data directory had a database, and there is none.
    #[error(
        "{database} is missing or empty, and the data directory {} had a database; name the right one in store.url, put a backup \
         back with `switchboard restore`, or start without the old data with `switchboard up --begin-empty`, which sends repeated \
         requests again", dir.display()
    )]
    MissingDatabase {
        /// The data directory.
        dir: PathBuf,
        /// Where the database should be.
        database: String,
    },
    /// The database is an older copy of the one that the data directory remembers, or such a copy that was started by itself.
    #[error(
        "{database} is older than the one that the data directory {} had, or was copied earlier and started since; put the newest \
         one back, or a backup with `switchboard restore`, or start on this one with `switchboard up --accept-database`, which may \
         send again what was sent since",
        dir.display()
    )]
    OlderDatabase {
        /// The data directory.
        dir: PathBuf,
        /// Where the database is.
        database: String,
    },
    /// The database of another store.
    #[error(
        "{database} belongs to another store than the data directory {}; name the right database in store.url or the right \
         --data-dir, put a backup back with `switchboard restore`, or use this one from now on with `switchboard up \
         --accept-database`", dir.display()
    )]
    ForeignDatabase {
        /// The data directory.
        dir: PathBuf,
        /// Where the database is.
        database: String,
    },
    /// The data directory does not remember the store of the database.
    #[error(
        "the data directory {} does not know {database}, because its store.json is missing, so the database may be an older copy; \
         put store.json back, or a backup with `switchboard restore`, or start on this database with `switchboard up \
         --accept-database`, which may send again what was sent since", dir.display()
    )]
    UnknownDatabase {
        /// The data directory.
        dir: PathBuf,
        /// Where the database is.
        database: String,
    },
    /// The store has real customers, and a demo was to be started on it; or the other way round.
    #[error("{}", of_other_kind(dir, *expected))]
    OtherKind {
        /// The data directory.
        dir: PathBuf,
        /// The kind that the store should have.
        expected: StoreKind,
    },
    /// The database file was removed or replaced while the store was open.
    #[error(
        "{} was removed or replaced while it was open; put the file back, or a backup with `switchboard restore`, and start again",
        file.display()
    )]
    LostDatabase {
        /// The database file.
        file: PathBuf,
    },
    /// A file of the data directory that the program wrote and cannot read any more.
    #[error(transparent)]
    DamagedFile(#[from] DamagedFile),
    /// Others than its owner can enter or change the data directory.
    #[error(
        "others can enter {} (mode {mode:03o}), and it {why}; name another directory with --data-dir, or run: {command}",
        dir.display()
    )]
    OpenToOthers {
        /// The data directory.
        dir: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// Why the program does not change them.
        why: &'static str,
        /// What changes them.
        command: String,
    },
    /// A newer version of the program wrote this database.
    #[error(
        "the database has schema version {found}, this program knows {known}; run the newer program again, or \
         restore a backup made before the update"
    )]
    Newer {
        /// The version of the database.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The master key is missing, unreadable or another one.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// The address names a database that this program does not speak to.
    #[error("store.url begins with {scheme:?}, which is not supported; write sqlite:switchboard.db")]
    UnsupportedUrl {
        /// What comes before the first colon.
        scheme: String,
    },
    /// Anything else that the database or the system says.
    #[error("cannot open {}: {what}", file.display())]
    Failed {
        /// The database file.
        file: PathBuf,
        /// What was said.
        what: String,
    },
}

impl OpenError {
    /// Whether the store stays closed until a person has changed something, so that another try ends the same way.
    pub const fn needs_a_person(&self) -> bool {
        matches!(
            self,
            Self::Newer { .. }
                | Self::GivenUp { .. }
                | Self::MissingDatabase { .. }
                | Self::OlderDatabase { .. }
                | Self::ForeignDatabase { .. }
                | Self::UnknownDatabase { .. }
                | Self::OtherKind { .. }
                | Self::LostDatabase { .. }
                | Self::Corrupt { .. }
                | Self::DamagedFile(_)
        )
    }
}

fn of_other_kind(dir: &Path, expected: StoreKind) -> String {
    let dir = dir.display();
    match expected {
        StoreKind::Demo => format!(
            "the store of the data directory {dir} has real customers, and a demo would take their messages; start the demo \
             without --data-dir and store.url, or name a new data directory"
        ),
        StoreKind::Real => format!(
            "the store of the data directory {dir} is that of a demo; name another data directory with --data-dir, and another \
             database if store.url names one"
        ),
    }
}

/// A file of the data directory that the program wrote and cannot read any more.
#[derive(Debug, thiserror::Error)]
#[error("{} is damaged: {what}; put it back from a copy, or, {advice}", file.display())]
pub struct DamagedFile {
    /// The file.
    pub file: PathBuf,
    /// What is wrong with it.
    pub what: String,
    /// What to do if there is no copy.
    pub advice: &'static str,
}

/// Why the database was not copied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// No room for the copy.
    #[error("there is no room for a copy of the database at {}; free some space there", file.display())]
    DiskFull {
        /// The copy.
        file: PathBuf,
    },
    /// The one who waited for it did so no longer.
    #[error("the copying was broken off")]
    Interrupted,
    /// The database is damaged.
    #[error("the database is damaged: {what}; restore it from an earlier backup")]
    Corrupt {
        /// What SQLite says.
        what: String,
    },
    /// The file of the copy cannot be made.
    #[error("{}: {source}", file.display())]
    File {
        /// The copy.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Anything else that SQLite or the system says.
    #[error("{}: {what}", file.display())]
    Failed {
        /// The file that it was about.
        file: PathBuf,
        /// What was said.
        what: String,
    },
}

/// What is wrong with the master key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MasterKeyError {
    /// Others than its owner may read the file.
    #[error("{} can be read by others (mode {mode:03o}); run: chmod 600 {}", file.display(), file.display())]
    TooOpen {
        /// The key file.
        file: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file cannot be read or made.
    #[error("cannot use the master key file {}: {source}", file.display())]
    Unreadable {
        /// The key file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is gone, but data was sealed with it.
    #[error(
        "the master key file {} is missing, and the stored sessions cannot be read without it; put it back from a \
         backup", file.display()
    )]
    Missing {
        /// Where it should be.
        file: PathBuf,
    },
    /// It is not a key.
    #[error("the master key{} is no key; it must be 64 hexadecimal digits or 32 bytes in base64", of(file.as_ref()))]
    Malformed {
        /// The key file, if it came from one.
        file: Option<PathBuf>,
    },
    /// It is a key, but not the one the data was sealed with.
    #[error("the master key{} is not the one this database was made with; put the right one back", of(file.as_ref()))]
    Wrong {
        /// The key file, if it came from one.
        file: Option<PathBuf>,
    },
    /// A rotation was begun, and the key that it made is not beside this one.
    #[error(
        "the master key was being replaced by another one, which is missing{}; put that file back beside master.key",
        of(file.as_ref())
    )]
    NextMissing {
        /// Where it should be.
        file: Option<PathBuf>,
    },
    /// The system gives no random numbers.
    #[error("cannot make a master key: the system gives no random numbers ({what})")]
    NoRandomness {
        /// What the system says.
        what: String,
    },
}

fn of(file: Option<&PathBuf>) -> String {
    file.map_or_else(String::new, |file| format!(" in {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::StoreError;
    use crate::database::Connection;

    #[test]
    fn only_a_second_row_of_the_same_key_is_a_conflict() {
        let connection = Connection::migrated();
        let refused = |sql| connection.execute(sql, ()).unwrap_err();
        let first = "INSERT INTO chat_migrations (from_id, to_id) VALUES (1, 2)";
        connection.execute(first, ()).unwrap();
        assert!(matches!(refused(first), StoreError::Conflict { .. }));
        let missing = refused("INSERT INTO chat_migrations (from_id, to_id) VALUES (3, NULL)");
        assert!(matches!(missing, StoreError::Invalid { .. }), "{missing:?}");
        connection.batch("CREATE TABLE checked (state INTEGER CHECK (state < 2)) STRICT");
        for wrong in ["INSERT INTO checked (state) VALUES (2)", "INSERT INTO checked (state) VALUES ('x')"] {
            assert!(matches!(refused(wrong), StoreError::Invalid { .. }), "{wrong}");
        }
    }
}
