//! The files of a data directory that move, and their blocks.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::journal::FOLDER;

/// The size of a block, in bytes.
pub(crate) const BLOCK: u64 = 64 * 1024;

/// How deep folders of a data directory are looked through, and how many files there may be.
const DEEPEST: usize = 6;
const MOST_FILES: usize = 200_000;

/// Where what comes over is made ready.
const INCOMING: &str = "incoming";

/// The backup of a move, which goes along with the files.
pub const BACKUP: &str = "move/first.tar.gz";

/// What stays where it is: it belongs to the machine, to a process, or comes over in another way.
const STAYS: [&str; 10] = [
    FOLDER,
    "backups",
    "control.sock",
    "reserve",
    "session-copies",
    "side.json",
    store::STORE_MARK,
    "switchboard.lock",
    "restoring.json",
    "restoring.partial",
];

/// How names begin and end that stay.
const STAYS_FROM: [&str; 2] = ["master.key", "replaced-"];
const STAYS_TO: [&str; 5] = ["-wal", "-shm", ".part", ".partial", ".new"];

/// One file that moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileEntry {
    /// Its path in the data directory.
    pub(crate) name: String,
    /// Its size, in bytes.
    pub(crate) bytes: u64,
}

/// The hash of a block.
pub(crate) type Sum = [u8; 32];

/// Whether a name may be read or written by the other side: nothing else ever is.
pub(crate) fn belongs(name: &str) -> bool {
    let path = Path::new(name);
    if name == BACKUP {
        return true;
    }
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    let first = name.split('/').next().unwrap_or_default();
    plain
        && !name.is_empty()
        && !name.contains(['\\', '\0'])
        && path.components().count() <= DEEPEST
        && !STAYS.contains(&first)
        && !STAYS_FROM.iter().any(|start| first.starts_with(start))
        && !STAYS_TO.iter().any(|end| name.ends_with(end))
}

/// The files of a data directory that move, in order. Links are not followed; see [`links`]. Blocks on the disk.
pub(crate) fn list(data_dir: &Path, but: Option<&Path>) -> io::Result<Vec<FileEntry>> {
    walk(data_dir, but).map(|(files, _)| files)
}

/// Links in the place of files that move: what they lead to does not. Blocks on the disk.
///
/// # Errors
/// The directory cannot be read.
pub fn links(data_dir: &Path) -> io::Result<Vec<String>> {
    walk(data_dir, None).map(|(_, links)| links)
}

fn walk(data_dir: &Path, but: Option<&Path>) -> io::Result<(Vec<FileEntry>, Vec<String>)> {
    let (mut found, mut links) = (Vec::new(), Vec::new());
    let mut folders = vec![(data_dir.to_owned(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let Some(name) = entry.file_name().to_str().map(|name| format!("{prefix}{name}")) else {
                continue;
            };
            if !belongs(&name) || but == Some(entry.path().as_path()) {
                continue;
            }
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => folders.push((entry.path(), format!("{name}/"))),
                Ok(metadata) if metadata.is_file() => {
                    found.push(FileEntry { name, bytes: metadata.len() });
                }
                // Browsers keep links in their profiles that lead to no file.
                Ok(metadata) if metadata.is_symlink() => {
                    let target = fs::metadata(entry.path());
                    if target.is_ok_and(|target| target.is_file() || target.is_dir()) {
                        links.push(name);
                    }
                }
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(_) | Err(_) => {}
            }
            if found.len() + links.len() > MOST_FILES {
                return Err(io::Error::other("there are too many files in the data directory"));
            }
        }
    }
    let backup = data_dir.join(BACKUP);
    match fs::metadata(&backup) {
        Ok(metadata) => found.push(FileEntry { name: BACKUP.to_owned(), bytes: metadata.len() }),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Err(_) => {}
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    links.sort();
    Ok((found, links))
}

/// How much the files of a data directory that move take, in bytes. Blocks on the disk.
///
/// # Errors
/// The directory cannot be read.
pub fn bytes_that_move(data_dir: &Path) -> io::Result<u64> {
    Ok(list(data_dir, None)?.iter().map(|entry| entry.bytes).sum())
}

/// Whether a database that is closed has commits in the log beside it, which stays where it is. Blocks on the disk.
///
/// # Errors
/// The log cannot be looked at.
pub fn has_log(database: &Path) -> io::Result<bool> {
    let mut log = database.as_os_str().to_owned();
    log.push("-wal");
    match fs::metadata(log) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        metadata => Ok(metadata?.len() > 0),
    }
}

/// The folder that files come over into.
pub fn incoming(data_dir: &Path) -> PathBuf {
    data_dir.join(FOLDER).join(INCOMING)
}

/// Up to `most` sums of the blocks of a file, from one on; none past its end, or where there is no such file.
pub(crate) fn sums(file: &Path, from: u64, most: u64) -> io::Result<Vec<Sum>> {
    let opened = match File::open(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        opened => opened?,
    };
    let mut found = Vec::new();
    let mut block = vec![0; usize::try_from(BLOCK).unwrap_or(usize::MAX)];
    for number in from..from.saturating_add(most) {
        match read_block(&opened, number, &mut block)? {
            0 => break,
            read => found.push(sum(block.get(..read).unwrap_or_default())),
        }
    }
    Ok(found)
}

pub(crate) fn sum(bytes: &[u8]) -> Sum {
    Sha256::digest(bytes).into()
}

/// One sum for a whole file, of the sums of its blocks.
pub(crate) fn whole(sums: &[Sum]) -> String {
    let mut hash = Sha256::new();
    for sum in sums {
        hash.update(sum);
    }
    hex::encode(hash.finalize())
}

/// The blocks of a file, one behind the other.
pub(crate) fn read_blocks(file: &Path, numbers: &[u64]) -> io::Result<Vec<u8>> {
    let opened = File::open(file)?;
    let mut bytes = Vec::new();
    let mut block = vec![0; usize::try_from(BLOCK).unwrap_or(usize::MAX)];
    for number in numbers {
        let read = read_block(&opened, *number, &mut block)?;
        bytes.extend_from_slice(block.get(..read).unwrap_or_default());
    }
    Ok(bytes)
}

fn read_block(file: &File, number: u64, into: &mut [u8]) -> io::Result<usize> {
    let (mut read, start) = (0, number.saturating_mul(BLOCK));
    while read < into.len() {
        let rest = into.get_mut(read..).unwrap_or_default();
        match file.read_at(rest, start.saturating_add(read as u64))? {
            0 => break,
            some => read += some,
        }
    }
    Ok(read)
}

/// Writes blocks of a file that is made if need be; all but the last of the file are whole.
pub(crate) fn write_blocks(file: &Path, numbers: &[u64], mut bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(file)?;
    for number in numbers {
        let length = bytes.len().min(usize::try_from(BLOCK).unwrap_or(usize::MAX));
        let (block, rest) = bytes.split_at(length);
        opened.write_all_at(block, number.saturating_mul(BLOCK))?;
        bytes = rest;
    }
    Ok(())
}

/// Cuts a file to its size and puts it on the disk; the sum of the whole of it.
pub(crate) fn settle(file: &Path, bytes: u64) -> io::Result<String> {
    if let Some(folder) = file.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(file)?;
    opened.set_len(bytes)?;
    opened.sync_all()?;
    Ok(whole(&sums(file, 0, u64::MAX)?))
}

/// Copies what is in place already into the folder that files come over into, where nothing is yet: a side that gets
/// its own data back needs only what changed.
pub(crate) fn seed(data_dir: &Path, names: &[FileEntry]) -> io::Result<()> {
    for FileEntry { name, .. } in names {
        let (from, to) = (data_dir.join(name), incoming(data_dir).join(name));
        if to.exists() || !from.is_file() {
            continue;
        }
        if let Some(folder) = to.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let mut made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&to)?;
        io::copy(&mut File::open(&from)?.take(u64::MAX), &mut made)?;
    }
    Ok(())
}

/// Removes what came over and is not to be there.
pub(crate) fn keep_only(data_dir: &Path, names: &[FileEntry]) -> io::Result<()> {
    let folder = incoming(data_dir);
    for found in list(&folder, None)? {
        if !names.iter().any(|entry| entry.name == found.name) {
            fs::remove_file(folder.join(found.name))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_locks_and_what_is_half_written_stay() {
        for name in [
            "switchboard.db",
            "outgoing/01a",
            "uploads/u.json",
            "logs/2030/01.gz",
            "health.db",
            "flows/trip.toml",
        ] {
            assert!(belongs(name), "{name}");
        }
        for name in [
            "",
            "/etc/passwd",
            "../x",
            "a/../b",
            "master.key",
            "master.key.next",
            "side.json",
            "store.json",
            "switchboard.lock",
            "switchboard.db-wal",
            "move/journal.json",
            "backups/a.tar.gz",
            "outgoing/x.part",
            "replaced-1/switchboard.db",
            "a/b/c/d/e/f/g",
            "a\0b",
        ] {
            assert!(!belongs(name), "{name}");
        }
    }

    #[test]
    fn links_do_not_move_and_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let (data, elsewhere) = (folder.path().join("data"), folder.path().join("disk"));
        for made in [data.join("uploads"), elsewhere.join("media")] {
            fs::create_dir_all(made).unwrap();
        }
        fs::write(data.join("switchboard.db"), "rows").unwrap();
        // Both names of a file with two move, as two files.
        fs::hard_link(data.join("switchboard.db"), data.join("uploads/same")).unwrap();
        fs::write(elsewhere.join("file"), "bytes").unwrap();
        for (from, to) in
            [("media", "media"), ("uploads/01", "file"), ("SingletonLock", "nowhere"), ("backups", "media")]
        {
            std::os::unix::fs::symlink(elsewhere.join(to), data.join(from)).unwrap();
        }
        assert_eq!(links(&data).unwrap(), ["media", "uploads/01"], "backups stay anyway");
        let files: Vec<_> = list(&data, None).unwrap().into_iter().map(|entry| entry.name).collect();
        assert_eq!(files, ["switchboard.db", "uploads/same"]);
    }

    #[test]
    fn a_log_beside_a_closed_database_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let (database, log) =
            (folder.path().join("switchboard.db"), folder.path().join("switchboard.db-wal"));
        fs::write(&database, "rows").unwrap();
        assert!(!has_log(&database).unwrap());
        fs::write(&log, "").unwrap();
        assert!(!has_log(&database).unwrap(), "all of it is in the database");
        fs::write(&log, "a commit").unwrap();
        assert!(has_log(&database).unwrap());
    }

    proptest! {
        #[test]
        fn blocks_put_together_are_the_file(length in 0_usize..300_000, seed in any::<u8>()) {
            let folder = tempfile::tempdir().unwrap();
            let bytes: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap().wrapping_add(seed)).collect();
            let (from, to) = (folder.path().join("from"), folder.path().join("a/to"));
            fs::write(&from, &bytes).unwrap();
            let found = sums(&from, 0, u64::MAX).unwrap();
            let numbers: Vec<u64> = (0..found.len() as u64).collect();
            for pair in numbers.chunks(2) {
                write_blocks(&to, pair, &read_blocks(&from, pair).unwrap()).unwrap();
            }
            prop_assert_eq!(settle(&to, length as u64).unwrap(), whole(&found));
            prop_assert_eq!(fs::read(&to).unwrap(), bytes);
        }
    }
}
