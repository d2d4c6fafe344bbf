//! A copy fetched by name from where copies go, and compared with what was written there.

use std::path::{Path, PathBuf};

use config::BackupCopySettings;

use super::copying::{self, CopyError};
use super::destination::{CopyName, Destination, DestinationError, ENCRYPTED};
use super::history::{Copied, History};
use super::name::BackupName;

/// Why a copy was not fetched. Nothing of it is left.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    #[error("copies go nowhere: [backup.copy] names neither a folder nor a bucket")]
    NoDestination,
    #[error("{0:?} is no name of a backup; `switchboard backup list` shows them")]
    Name(String),
    #[error("no copy in {to} is known here; name one, such as switchboard-20300131T120000.250Z.tar.gz")]
    NoCopy { to: String },
    #[error(transparent)]
    Destination(#[from] DestinationError),
    #[error(transparent)]
    Copy(#[from] CopyError),
    #[error("the copy {name} in {to} is not what was written there; it was changed or is damaged")]
    Changed { name: String, to: String },
}

/// A copy that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedCopy {
    /// Its name there.
    pub name: String,
    pub to: String,
    pub bytes: u64,
    pub sha256: String,
    /// Whether it was compared with the hash of what was written: of a copy that another server made none is known here.
    pub is_compared: bool,
}

/// Fetches a copy into a file that is not there yet: the one of this name, else the newest that is known.
pub async fn fetch_copy(
    settings: &BackupCopySettings,
    data_dir: &Path,
    history: Option<&History>,
    name: Option<&str>,
    into: PathBuf,
) -> Result<FetchedCopy, FetchError> {
    let from = Destination::of(settings, data_dir)?.ok_or(FetchError::NoDestination)?;
    let to = from.address();
    let known = |name: &CopyName| {
        let copies = history.into_iter().flat_map(|history| history.copies_at(&to));
        copies.filter(|copied| copied.name == name.backup).max_by_key(|copied| copied.at)
    };
    let name = if let Some(text) = name {
        named(text).ok_or_else(|| FetchError::Name(text.to_owned()))?
    } else {
        let newest = history.and_then(|history| history.copies_at(&to).max_by_key(|copied| &copied.name));
        of(newest.ok_or_else(|| FetchError::NoCopy { to: to.clone() })?)
    };
    let known = known(&name);
    let name = known.map_or(name, of);
    let read = match copying::fetch(&from, &name, into.clone()).await {
        Ok(read) => read,
        Err(error) => {
            remove(into).await;
            return Err(error.into());
        }
    };
    let is_compared = known.is_some();
    if known.is_some_and(|copied| !copied.is(&read)) {
        remove(into).await;
        return Err(FetchError::Changed { name: name.to_string(), to });
    }
    let (bytes, sha256) = (read.bytes, read.sha256);
    Ok(FetchedCopy { name: name.to_string(), to, bytes, sha256, is_compared })
}

fn of(copied: &Copied) -> CopyName {
    CopyName { backup: copied.name.clone(), is_encrypted: copied.encrypted }
}

/// The name of a copy, or of its backup.
fn named(text: &str) -> Option<CopyName> {
    let (backup, is_encrypted) = text.strip_suffix(ENCRYPTED).map_or((text, false), |backup| (backup, true));
    Some(CopyName { backup: backup.parse::<BackupName>().ok()?, is_encrypted })
}

/// What cannot be removed stays in a folder for temporary files.
async fn remove(file: PathBuf) {
    let _ = tokio::fs::remove_file(file).await;
}
