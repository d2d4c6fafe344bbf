//! What the store of a running program knows of the callers that wait for an answer.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// How long the program may keep the store busy.
const PATIENCE: Duration = Duration::from_secs(20);

/// How many callers without a key have neither an answer nor a note that they are gone, as far as the store in a data
/// directory knows. Until the note is there, the same body is a request of its own.
pub fn waiting_callers(data_dir: &Path) -> i64 {
    let file = data_dir.join("switchboard.db");
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("opens");
    connection.busy_timeout(PATIENCE).expect("waits");
    let count = "SELECT count(*) FROM request_joins WHERE open = 0";
    connection.query_row(count, [], |row| row.get(0)).expect("counts")
}
