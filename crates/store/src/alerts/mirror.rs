//! The targets of the store in a file beside it, sealed as they are there: for anyone who must notify someone that the
//! program is dead, and can have no store.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use ambient::regular_file;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::SecretText;
use serde::{Deserialize, Serialize};

use super::targets::{self, SealedTarget};
use crate::{MasterKey, MasterKeyError, StoreError};

/// The file's name in the data directory.
const FILE: &str = "alert-targets.json";
/// The greatest file that is read.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Why the targets cannot be mirrored, or read from their mirror.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MirrorError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The master key cannot be used.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// The file cannot be written or read.
    #[error("cannot use {}: {source}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file holds something else, or was sealed with another key.
    #[error("{} cannot be read: {what}; `switchboard up` writes it again", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        what: String,
    },
}

/// A target out of the mirror.
#[derive(Debug)]
pub struct MirroredTarget {
    /// Its name.
    pub name: String,
    /// What and where it is.
    pub record: SecretText,
}

#[derive(Serialize, Deserialize)]
struct Mirror {
    version: u32,
    targets: Vec<Sealed>,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    name: String,
    /// In base64.
    sealed: String,
}

/// Reads the targets that the store of a data directory had last. Opens no store, and takes no lock. None without the
/// file.
///
/// # Errors
/// See [`MirrorError`].
pub fn read_mirrored_targets(
    data_dir: &Path,
    master_key: &MasterKey,
) -> Result<Vec<MirroredTarget>, MirrorError> {
    let file = data_dir.join(FILE);
    let mut text = String::new();
    match regular_file::open(&file) {
        Ok(opened) => {
            opened
                .take(LARGEST)
                .read_to_string(&mut text)
                .map_err(|source| MirrorError::File { file: file.clone(), source })?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(MirrorError::File { file, source }),
    }
    let damaged = |what: String| MirrorError::Damaged { file: file.clone(), what };
    let mirror: Mirror = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
    if mirror.version != 1 {
        return Err(damaged(format!("its version is {}", mirror.version)));
    }
    if mirror.targets.is_empty() {
        return Ok(Vec::new());
    }
    let vault = master_key.vault(data_dir, true)?;
    let open = |Sealed { name, sealed }: Sealed| {
        let sealed = STANDARD.decode(sealed).map_err(|error| damaged(error.to_string()))?;
        let record = targets::open(&vault, &name, &sealed).map_err(damaged)?;
        Ok(MirroredTarget { name, record })
    };
    mirror.targets.into_iter().map(open).collect()
}

/// Writes the file again: beside the old one, then in its place.
pub(super) async fn write(dir: PathBuf, targets: Vec<SealedTarget>) -> Result<(), MirrorError> {
    let targets = targets
        .into_iter()
        .map(|target| Sealed { name: target.name, sealed: STANDARD.encode(target.record) })
        .collect();
    let writing = tokio::task::spawn_blocking(move || {
        let file = dir.join(FILE);
        replace(&dir, &file, &Mirror { version: 1, targets })
            .map_err(|source| MirrorError::File { file, source })
    });
    writing.await.map_err(|error| StoreError::Unavailable(error.to_string()))?
}

fn replace(dir: &Path, file: &Path, mirror: &Mirror) -> io::Result<()> {
    let fresh = dir.join(format!("{FILE}.new"));
    // One that a kill left behind.
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
    made.write_all(&serde_json::to_vec(mirror)?)?;
    made.sync_all()?;
    fs::rename(&fresh, file)?;
    File::open(dir)?.sync_all()
}
