//! New session files for other programs: complete and private, or not there at all.

use std::fs::File;
use std::io;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, Transaction};
use tempfile::NamedTempFile;

use crate::session::Session;
use crate::unreadable::Unwritable;
use crate::{pyrogram, telethon};

/// Writes a `.session` file as Telethon 1.2x to 1.40 make them (version 7); newer ones open it too. No one but the owner can read it.
///
/// # Errors
///
/// [`Unwritable::Exists`] when there is such a file: none is ever written over.
pub fn write_telethon(path: &Path, session: &Session) -> Result<(), Unwritable> {
    write(path, session, telethon::fill)
}

/// Writes a `.session` file as Kurigram 2.2 makes them (version 7). No one but the owner can read it.
///
/// # Errors
///
/// [`Unwritable::Exists`] when there is such a file: none is ever written over.
pub fn write_kurigram(path: &Path, session: &Session) -> Result<(), Unwritable> {
    write(path, session, pyrogram::fill)
}

type Fill = fn(&Transaction<'_>, &Session) -> Result<(), Unwritable>;

/// Writes beside the place, and puts it there when it is whole and on the disk.
fn write(path: &Path, session: &Session, fill: Fill) -> Result<(), Unwritable> {
    if path.symlink_metadata().is_ok() {
        return Err(Unwritable::Exists);
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // Temporary files are readable by their owner alone.
    let new = tempfile::Builder::new().prefix(".session-").suffix(".part").tempfile_in(folder)?;
    fill_file(&new, session, fill)?;
    new.as_file().sync_all()?;
    new.persist_noclobber(path).map_err(|refused| match refused.error.kind() {
        io::ErrorKind::AlreadyExists => Unwritable::Exists,
        _ => refused.error.into(),
    })?;
    File::open(folder)?.sync_all()?;
    Ok(())
}

fn fill_file(new: &NamedTempFile, session: &Session, fill: Fill) -> Result<(), Unwritable> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(new.path(), flags)?;
    // No one sees the file before it is whole, so that there is nothing to go back to.
    connection.pragma_update_and_check(None, "journal_mode", "MEMORY", |_| Ok(()))?;
    let transaction = connection.transaction()?;
    fill(&transaction, session)?;
    transaction.commit()?;
    connection.close().map_err(|(_, error)| error.into())
}
