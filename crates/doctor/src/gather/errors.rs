//! The last errors, counted in the kept log lines of a data directory, whether a server writes them or not.

use std::io;
use std::path::Path;
use std::time::Duration;

use ambient::Clock;
use logs::Reader;

use crate::check::errors::{ErrorTally, Kind, no_lines};

/// How far back is looked.
const WITHIN: Duration = Duration::from_hours(7 * 24);

/// Counts them, or says why that cannot be done. Blocks for some seconds at most.
pub(crate) fn tally(data_dir: &Path, clock: &Clock) -> Result<ErrorTally, String> {
    let folder = data_dir.join(logs::FOLDER);
    match std::fs::read_dir(&folder) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(no_lines(&folder)),
        Err(error) => return Err(format!("the logs in {} cannot be read: {error}", folder.display())),
    }
    let tally = Reader::new(&folder).tally(clock.now().minus(WITHIN)).map_err(|error| error.to_string())?;
    let kind = |found: logs::ErrorCount| Kind {
        word: found.kind.map(logs::ErrorKind::as_str),
        count: found.count,
        last_at: found.last.at,
        last: found.last.text(),
    };
    Ok(ErrorTally {
        within: WITHIN.as_secs(),
        kinds: tally.kinds.into_iter().map(kind).collect(),
        cut: tally.cut,
        damaged: tally.damaged,
    })
}
