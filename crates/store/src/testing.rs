//! What tests of other crates read and change in the store of a running program.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// How long the program may keep the store busy.
const TIMEOUT: Duration = Duration::from_secs(20);

/// How many callers without a key have neither an answer nor a note that they are gone, as far as the store in a data
/// directory knows. Until the note is there, the same body is a request of its own.
pub fn waiting_callers(data_dir: &Path) -> rusqlite::Result<i64> {
    let connection =
        Connection::open_with_flags(data_dir.join("switchboard.db"), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(TIMEOUT)?;
    connection.query_row("SELECT count(*) FROM request_joins WHERE open = 0", [], |row| row.get(0))
}

/// The variable that names the length of a second, in milliseconds, by which leases are renewed and end.
pub const SECOND_OF_LEASES: &str = "SECOND_OF_LEASES";

pub(crate) fn second_of_leases() -> Duration {
    let named = std::env::var(SECOND_OF_LEASES).ok().and_then(|text| text.parse().ok());
    Duration::from_millis(named.unwrap_or(1000))
}
