//! A data directory as a side of a move: its id and name, and the newest fence that it knows, in a file of its own.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use ambient::regular_file;
use serde::{Deserialize, Serialize};

use super::Fence;
use crate::OpenError;
use crate::error::DamagedFile;

/// The file. A data directory that never took part in a move has none.
const FILE: &str = "side.json";

/// The largest that is read, in bytes.
const LARGEST: u64 = 64 * 1024;

/// One of the two installations of a move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// Its id, which no other has.
    pub id: String,
    /// What people call it: its machine and its data directory.
    pub name: String,
}

/// What the file holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Own {
    pub(super) side: Side,
    pub(super) fence: Option<Fence>,
}

/// The side that a data directory is; `new` makes one where it was none. Blocks on the disk.
///
/// # Errors
/// The directory cannot be read or written.
pub fn side_of(data_dir: &Path, new: impl FnOnce() -> Side) -> Result<Side, OpenError> {
    if let Some(own) = read(data_dir)? {
        return Ok(own.side);
    }
    let own = Own { side: new(), fence: None };
    write(data_dir, &own)?;
    Ok(own.side)
}

/// The side that a data directory is, if it took part in a move. Blocks on the disk.
///
/// # Errors
/// The directory cannot be read.
pub fn recorded_side(data_dir: &Path) -> Result<Option<Side>, OpenError> {
    Ok(read(data_dir)?.map(|own| own.side))
}

/// The newest fence that a data directory remembers. Blocks on the disk.
///
/// # Errors
/// The directory cannot be read.
pub fn remembered_fence(data_dir: &Path) -> Result<Option<Fence>, OpenError> {
    Ok(read(data_dir)?.and_then(|own| own.fence))
}

/// Remembers a fence beside the store, if its number is larger than that of the one that is known; it is on the disk then.
/// Blocks.
///
/// # Errors
/// The directory is no side, or cannot be written.
pub fn remember_fence(data_dir: &Path, fence: &Fence) -> Result<(), OpenError> {
    let own = read(data_dir)?;
    let own = own.ok_or_else(|| failed(data_dir, io::Error::other("it has no side.json")))?;
    if own.fence.as_ref().is_some_and(|known| known.number >= fence.number) {
        return Ok(());
    }
    write(data_dir, &Own { fence: Some(fence.clone()), ..own })
}

pub(super) fn read(data_dir: &Path) -> Result<Option<Own>, OpenError> {
    let (file, mut text) = (data_dir.join(FILE), Vec::new());
    let damaged = |what: String| {
        let advice = "if no other machine runs this installation now, remove the file";
        DamagedFile { file: file.clone(), what, advice }.into()
    };
    match regular_file::open(&file).and_then(|file| file.take(LARGEST).read_to_end(&mut text)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => return Err(damaged(error.to_string())),
        read => read.map_err(|source| failed(data_dir, source))?,
    };
    serde_json::from_slice(&text).map(Some).map_err(|error| damaged(error.to_string()))
}

/// Beside the file first, then in its place, and on the disk.
fn write(data_dir: &Path, own: &Own) -> Result<(), OpenError> {
    let write = || {
        let fresh = data_dir.join(format!("{FILE}.new"));
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        made.write_all(&serde_json::to_vec_pretty(own)?)?;
        made.sync_all()?;
        fs::rename(&fresh, data_dir.join(FILE))?;
        File::open(data_dir)?.sync_all()
    };
    write().map_err(|source| failed(data_dir, source))
}

fn failed(data_dir: &Path, source: io::Error) -> OpenError {
    OpenError::NotWritable { dir: data_dir.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;

    fn side(id: &str) -> Side {
        Side { id: id.to_owned(), name: format!("{id}.example.com") }
    }

    #[test]
    fn a_damaged_file_is_named_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        for garbage in [&b"garbage"[..], b"", b"{}", b"[1]", &[0xff, 0xfe], b"{\"side\":{\"id\":1}}"] {
            fs::write(folder.path().join(FILE), garbage).unwrap();
            let refused = recorded_side(folder.path()).unwrap_err();
            let text = refused.to_string();
            assert!(matches!(refused, OpenError::DamagedFile(_)), "{refused:?}");
            assert!(text.contains("side.json is damaged") && text.contains("remove the file"), "{text}");
        }
    }

    #[test]
    fn a_smaller_number_is_never_remembered_over_a_larger() {
        let folder = tempfile::tempdir().unwrap();
        let fence = |number, holder| Fence {
            number,
            holder: side(holder),
            giver: side("old"),
            at: Timestamp::default(),
        };
        assert!(remember_fence(folder.path(), &fence(1, "new")).is_err(), "it is no side");
        assert_eq!(side_of(folder.path(), || side("old")).unwrap(), side("old"));
        assert_eq!(side_of(folder.path(), || side("other")).unwrap(), side("old"), "it keeps its id");
        assert_eq!(remembered_fence(folder.path()).unwrap(), None);
        remember_fence(folder.path(), &fence(2, "new")).unwrap();
        remember_fence(folder.path(), &fence(1, "old")).unwrap();
        assert_eq!(remembered_fence(folder.path()).unwrap(), Some(fence(2, "new")));
    }
}
