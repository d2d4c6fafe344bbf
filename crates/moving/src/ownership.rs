//! Whose the files of a data directory are: what root makes in the directory of a service the service could not open.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt, lchown};
use std::path::Path;

use crate::journal::FOLDER;

/// How deep folders are looked through.
const DEEPEST: usize = 8;

/// Gives all that is in a data directory to the directory's owner. Only root can; for others nothing is done. Blocks.
///
/// # Errors
/// An owner cannot be changed.
pub fn adopt(data_dir: &Path) -> io::Result<()> {
    within(data_dir, data_dir, DEEPEST)
}

/// The same of what a move writes down before and after a step.
pub(crate) fn adopt_journal(data_dir: &Path) -> io::Result<()> {
    let Some(owner) = other_owner(data_dir)? else { return Ok(()) };
    for name in ["side.json", FOLDER] {
        give(&data_dir.join(name), &owner)?;
    }
    within(data_dir, &data_dir.join(FOLDER), 0)
}

fn within(data_dir: &Path, folder: &Path, deepest: usize) -> io::Result<()> {
    let Some(owner) = other_owner(data_dir)? else { return Ok(()) };
    let mut folders = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let path = entry?.path();
            if give(&path, &owner)? && depth < deepest {
                folders.push((path, depth + 1));
            }
        }
    }
    Ok(())
}

/// The owner of a data directory, where that is not the one who asks, and the one who asks is root.
fn other_owner(data_dir: &Path) -> io::Result<Option<Metadata>> {
    let own = fs::metadata("/proc/self")?.uid();
    match fs::metadata(data_dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        owner => Ok(Some(owner?).filter(|owner| own == 0 && owner.uid() != own)),
    }
}

/// Gives what belongs to root to an owner; whether it is a folder. Of a link the link itself: what it leads to is left alone.
fn give(path: &Path, owner: &Metadata) -> io::Result<bool> {
    // A server that runs there removes what it is done with.
    let gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    let metadata = match fs::symlink_metadata(path) {
        Err(error) if gone(&error) => return Ok(false),
        metadata => metadata?,
    };
    if metadata.uid() == 0 {
        match lchown(path, Some(owner.uid()), Some(owner.gid())) {
            Err(error) if !gone(&error) => return Err(error),
            _ => {}
        }
    }
    Ok(metadata.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_made_by_root_are_given_to_their_owner() {
        let folder = tempfile::tempdir().unwrap();
        if fs::metadata("/proc/self").unwrap().uid() != 0 {
            // Others have what they make.
            adopt(folder.path()).unwrap();
            return;
        }
        let other = folder.path().join("of-the-other");
        fs::create_dir_all(folder.path().join("data/move/deep")).unwrap();
        fs::write(&other, "").unwrap();
        let data = folder.path().join("data");
        for name in ["side.json", "switchboard.db", "move/journal.json", "move/deep/file"] {
            fs::write(data.join(name), "").unwrap();
        }
        std::os::unix::fs::symlink(&other, data.join("link")).unwrap();
        lchown(&data, Some(65_534), Some(65_534)).unwrap();
        let owner = |name: &str| fs::symlink_metadata(data.join(name)).unwrap().uid();
        adopt_journal(&data).unwrap();
        assert_eq!(
            ["side.json", "move", "move/journal.json", "move/deep/file", "switchboard.db"].map(owner),
            [65_534, 65_534, 65_534, 0, 0]
        );
        adopt(&data).unwrap();
        assert_eq!(["move/deep/file", "switchboard.db", "link"].map(owner), [65_534; 3]);
        assert_eq!(fs::metadata(&other).unwrap().uid(), 0, "what a link leads to is left alone");
    }
}
