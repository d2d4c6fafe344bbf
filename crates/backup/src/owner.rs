//! Whose files are: what root writes into the folder of a service belongs to that service, or it could not read it.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Gid, Uid};

/// Gives a file, or a folder with all in it, to the owner of another folder. Nothing is changed where it is theirs already, nor
/// where this user may not give it away: then it is this user's own service.
pub(crate) fn follow(path: &Path, folder: &Path) -> io::Result<()> {
    let owner = fs::metadata(folder)?;
    give(path, owner.uid(), owner.gid())
}

fn give(path: &Path, user: u32, group: u32) -> io::Result<()> {
    let metadata = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        metadata => metadata?,
    };
    if metadata.is_symlink() {
        return Ok(());
    }
    if (metadata.uid(), metadata.gid()) != (user, group) {
        match rustix::fs::chownat(
            CWD,
            path,
            Some(Uid::from_raw(user)),
            Some(Gid::from_raw(group)),
            AtFlags::SYMLINK_NOFOLLOW,
        ) {
            Err(rustix::io::Errno::PERM) => return Ok(()),
            given => given?,
        }
    }
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            give(&entry?.path(), user, group)?;
        }
    }
    Ok(())
}
