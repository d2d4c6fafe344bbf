//! What tests of other crates read and change in the store of a running program.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use std::{fs, io, process};

use domain::Timestamp;
use rusqlite::{Connection, OpenFlags};

use crate::database::sqlite;
use crate::{OpenError, migrations};

/// How long the program may keep the store busy.
const TIMEOUT: Duration = Duration::from_secs(20);

/// How many callers without a key have neither an answer nor a note that they are gone, as far as the store in a data
/// directory knows. Until the note is there, the same body is a request of its own.
pub fn waiting_callers(data_dir: &Path) -> rusqlite::Result<i64> {
    let connection =
        Connection::open_with_flags(data_dir.join("switchboard.db"), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(TIMEOUT)?;
    let sql = "
        SELECT (SELECT count(*) FROM request_joins WHERE open = 0)
            + (SELECT coalesce(sum(length(callers)), 0) / 56 FROM waiting_callers)";
    connection.query_row(sql, [], |row| row.get(0))
}

/// The variable that names the length of a second, in milliseconds, by which leases are renewed and end.
pub const SECOND_OF_LEASES: &str = "SECOND_OF_LEASES";

pub(crate) fn second_of_leases() -> Duration {
    let named = std::env::var(SECOND_OF_LEASES).ok().and_then(|text| text.parse().ok());
    Duration::from_millis(named.unwrap_or(1000))
}

/// The variable that names a file which new stores begin as copies of: its schema is made once.
pub const MIGRATED_STORE: &str = "MIGRATED_STORE";

/// Makes a new database a copy of the file that [`MIGRATED_STORE`] names; the first one makes that file.
pub(crate) fn begin_migrated(database: &Path) -> Result<(), OpenError> {
    static MAKING: Mutex<()> = Mutex::new(());
    let Some(migrated) = std::env::var_os(MIGRATED_STORE) else { return Ok(()) };
    let is_new = fs::metadata(database).is_ok_and(|found| found.len() == 0);
    // What was written to a database that was killed early may be in its log alone.
    if !is_new || database.with_extension("db-wal").exists() {
        return Ok(());
    }
    let _making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    let migrated = Path::new(&migrated);
    let failed = |error: io::Error| OpenError::Failed { file: migrated.to_owned(), what: error.to_string() };
    if !migrated.exists() {
        let made = migrated.with_extension(process::id().to_string());
        let failed_to_make = |error| sqlite::failed(&made, &error);
        let mut connection = Connection::open(&made).map_err(failed_to_make)?;
        migrations::run(&mut connection, &made, Timestamp::default())?;
        connection.close().map_err(|(_, error)| failed_to_make(error))?;
        fs::rename(&made, migrated).map_err(failed)?;
    }
    let copied = database.with_extension("copied");
    let copy = || {
        fs::copy(migrated, &copied)?;
        // It keeps the rights that the store gave it.
        fs::set_permissions(&copied, fs::metadata(database)?.permissions())?;
        fs::rename(&copied, database)
    };
    // Where it cannot be written, the store says so in its own words.
    let _ = copy();
    Ok(())
}
