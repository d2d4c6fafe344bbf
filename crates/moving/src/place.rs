//! Putting what came over in place, and removing it: steps that a kill cannot tear, done again they do the rest.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use store::STORE_MARK;

use crate::files::{incoming, list};
use crate::journal::FOLDER;

/// What came over could not be put in place.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", file.display())]
pub struct PlaceError {
    file: PathBuf,
    /// What the system says.
    source: io::Error,
}

/// Moves what came over into the data directory; what was there before goes into `replaced`, a folder of the move. The database
/// is the last: until it is there, no store opens on what is half in place. Blocks; the caller has the directory's lock.
///
/// # Errors
/// Something cannot be moved; calling again does the rest.
pub fn put_in_place(data_dir: &Path, database: &Path, replaced: &str) -> Result<u64, PlaceError> {
    let folder = incoming(data_dir);
    let failed = |file: &Path, source| PlaceError { file: file.to_owned(), source };
    let mut names: Vec<String> = list(&folder, None)
        .map_err(|source| failed(&folder, source))?
        .into_iter()
        .map(|entry| entry.name)
        .collect();
    names.sort_by_key(|name| Path::new(name) == database);
    let kept = data_dir.join(FOLDER).join(replaced);
    let mut placed = 0;
    for name in names {
        let (from, to) = (folder.join(&name), data_dir.join(&name));
        let mut old = vec![name.clone()];
        if Path::new(&name) == database {
            // The log of the database that was there must not meet the new one.
            old = ["-wal", "-shm", ""].map(|ending| format!("{name}{ending}")).into();
            // The identity belongs to its database.
            old.insert(0, STORE_MARK.to_owned());
        }
        for old in old {
            keep(&data_dir.join(&old), &kept.join(&old)).map_err(|source| failed(&to, source))?;
        }
        renamed(&from, &to).map_err(|source| failed(&to, source))?;
        placed += 1;
    }
    match forget_replaced(data_dir, replaced) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(failed(&kept, source)),
        _ => Ok(placed),
    }
}

/// How many folders of what earlier moves replaced are kept.
const KEPT: usize = 1;

/// The names of such folders begin with this.
const REPLACED: &str = "replaced-";

/// Removes what earlier moves replaced, but for the latest of it and for `current`.
fn forget_replaced(data_dir: &Path, current: &str) -> io::Result<()> {
    let mut earlier = Vec::new();
    for entry in fs::read_dir(data_dir.join(FOLDER))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(REPLACED) && name != current && entry.file_type()?.is_dir() {
            earlier.push((entry.metadata()?.modified()?, entry.path()));
        }
    }
    earlier.sort_unstable();
    let old = earlier.len().saturating_sub(KEPT);
    earlier.iter().take(old).try_for_each(|(_, folder)| fs::remove_dir_all(folder))
}

/// Moves what is replaced away. If it was kept before a kill, what is there is a copy of that, or of what comes over.
fn keep(from: &Path, to: &Path) -> io::Result<()> {
    if !to.try_exists()? {
        return renamed(from, to);
    }
    match fs::remove_file(from) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Moves a file, if it is there; the folder that it goes to is made. It may be on another disk, which is mounted there.
fn renamed(from: &Path, to: &Path) -> io::Result<()> {
    if !from.try_exists()? {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let is_elsewhere = match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => true,
        renamed => renamed.map(|()| false)?,
    };
    if is_elsewhere {
        let mut partial = to.as_os_str().to_owned();
        partial.push(".partial");
        fs::copy(from, &partial)?;
        File::open(&partial)?.sync_all()?;
        fs::rename(&partial, to)?;
    }
    if let Some(folder) = to.parent() {
        File::open(folder)?.sync_all()?;
    }
    if is_elsewhere { fs::remove_file(from) } else { Ok(()) }
}

/// Removes what came over and was not put in place. Blocks.
///
/// # Errors
/// Something cannot be removed; calling again does the rest.
pub fn clear(data_dir: &Path) -> Result<(), PlaceError> {
    let folder = incoming(data_dir);
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(PlaceError { file: folder, source: error })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_files_are_preserved_and_a_repeat_does_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        fs::create_dir_all(incoming(data).join("outgoing")).unwrap();
        for (name, text) in [
            ("switchboard.db", "old"),
            ("switchboard.db-wal", "old log"),
            ("store.json", "old identity"),
            ("move/incoming/switchboard.db", "new"),
            ("move/incoming/outgoing/01", "file"),
        ] {
            fs::write(data.join(name), text).unwrap();
        }
        let read = |name: &str| fs::read_to_string(data.join(name)).ok();
        for placed in [2, 0] {
            assert_eq!(put_in_place(data, Path::new("switchboard.db"), "replaced-1").unwrap(), placed);
            assert_eq!(read("switchboard.db").as_deref(), Some("new"));
            assert_eq!(read("outgoing/01").as_deref(), Some("file"));
            assert_eq!([read("switchboard.db-wal"), read("store.json")], [None, None]);
            assert_eq!(read("move/replaced-1/store.json").as_deref(), Some("old identity"));
            assert_eq!(read("move/replaced-1/switchboard.db").as_deref(), Some("old"));
            assert_eq!(read("move/replaced-1/switchboard.db-wal").as_deref(), Some("old log"));
        }
        clear(data).unwrap();
        clear(data).unwrap();
        assert!(!incoming(data).exists());
    }

    #[test]
    fn a_folder_that_is_another_disk_is_placed_too_and_a_kill_tears_nothing() {
        use std::os::unix::fs::MetadataExt as _;
        // Folders for temporary files may be in memory too.
        let (folder, disk) = (tempfile::tempdir_in(".").unwrap(), tempfile::tempdir_in("/dev/shm").unwrap());
        let data = folder.path();
        let device = |path: &Path| fs::metadata(path).unwrap().dev();
        assert_ne!(device(data), device(disk.path()), "this test needs two file systems");
        fs::create_dir_all(incoming(data).join("outgoing")).unwrap();
        std::os::unix::fs::symlink(disk.path(), data.join("outgoing")).unwrap();
        for (name, text) in [
            ("outgoing/01", "old"),
            ("move/incoming/outgoing/01", "new"),
            ("move/incoming/switchboard.db", "new"),
        ] {
            fs::write(data.join(name), text).unwrap();
        }
        let read = |name: &str| fs::read_to_string(data.join(name)).ok();
        assert_eq!(put_in_place(data, Path::new("switchboard.db"), "replaced-1").unwrap(), 2);
        assert_eq!(
            (read("outgoing/01").as_deref(), read("move/replaced-1/outgoing/01").as_deref()),
            (Some("new"), Some("old"))
        );
        // Killed before what was copied is removed.
        fs::write(incoming(data).join("outgoing/01"), "new").unwrap();
        assert_eq!(put_in_place(data, Path::new("switchboard.db"), "replaced-1").unwrap(), 1);
        assert_eq!(
            (read("outgoing/01").as_deref(), read("move/replaced-1/outgoing/01").as_deref()),
            (Some("new"), Some("old"))
        );
        assert_eq!(read("move/incoming/outgoing/01"), None);
    }

    #[test]
    fn only_the_latest_of_what_was_replaced_before_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        for number in 1..=5 {
            fs::create_dir_all(incoming(data)).unwrap();
            fs::write(incoming(data).join("switchboard.db"), "new").unwrap();
            fs::write(data.join("switchboard.db"), "old").unwrap();
            let replaced = format!("replaced-{number}");
            put_in_place(data, Path::new("switchboard.db"), &replaced).unwrap();
            // Their times are those of a file system, which may be the same.
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(number);
            File::open(data.join(FOLDER).join(&replaced)).unwrap().set_modified(time).unwrap();
        }
        let mut left: Vec<_> =
            fs::read_dir(data.join(FOLDER)).unwrap().map(|one| one.unwrap().file_name()).collect();
        left.retain(|name| name.to_string_lossy().starts_with(REPLACED));
        left.sort();
        assert_eq!(left, ["replaced-4", "replaced-5"]);
    }
}
