//! Files that were sent to be imported: in a folder that no one else can read, until they are imported, taken back or too old.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use domain::Timestamp;

/// How long files wait to be imported.
pub(crate) const BUNDLE_LIFETIME: Duration = Duration::from_mins(30);

/// The most bundles that wait at once.
const MOST_BUNDLES: usize = 4;

/// The most files of one bundle.
pub(crate) const MOST_FILES: usize = 200;

/// The longest name of a file, in bytes.
const LONGEST_NAME: usize = 100;

/// The folder of the data directory.
const FOLDER: &str = "imports";

/// What is stored beside a database and belongs to it.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Bundles of files that wait to be imported.
pub(crate) struct Bundles {
    folder: PathBuf,
    waiting: Mutex<BTreeMap<String, Timestamp>>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum BundleError {
    #[error("{MOST_BUNDLES} imports wait to be begun; import them or take their files back first")]
    TooManyBundles,
    /// The disk does not take them.
    #[error("the files cannot be kept: {0}")]
    Disk(#[from] io::Error),
}

impl Bundles {
    /// Those of a data directory. What an earlier program left there is removed by [`Self::clear`].
    pub(crate) fn new(data_dir: &Path) -> Self {
        Self { folder: data_dir.join(FOLDER), waiting: Mutex::default() }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Timestamp>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps files until `now` and [`KEPT`]. Names are made harmless, and each is its own. `number` distinguishes this bundle
    /// from others.
    ///
    /// # Errors
    /// Too many bundles wait, or the disk does not take the files; then nothing is left of them.
    pub(crate) async fn keep(
        &self,
        number: impl std::fmt::Display,
        files: Vec<(String, Bytes)>,
        now: Timestamp,
    ) -> Result<(String, Timestamp), BundleError> {
        let (id, until) = (format!("imp_{number}"), now.plus(BUNDLE_LIFETIME));
        {
            let mut waiting = self.waiting();
            if waiting.len() >= MOST_BUNDLES {
                return Err(BundleError::TooManyBundles);
            }
            waiting.insert(id.clone(), until);
        }
        let folder = self.folder.join(&id);
        let place = folder.clone();
        let written = tokio::task::spawn_blocking(move || write_all(&place, &files)).await;
        let written = written.unwrap_or_else(|error| Err(io::Error::other(error)));
        if let Err(error) = written {
            self.remove(&id).await;
            return Err(error.into());
        }
        Ok((id, until))
    }

    /// The files of a bundle, without what only belongs to another file. None where there is no such bundle.
    pub(crate) async fn find(&self, id: &str, now: Timestamp) -> Option<Vec<PathBuf>> {
        if self.waiting().get(id).is_none_or(|until| *until <= now) {
            return None;
        }
        let folder = self.folder.join(id);
        tokio::task::spawn_blocking(move || files_of(&folder)).await.ok()?.ok()
    }

    /// Removes a bundle, its files overwritten; whether there was one.
    pub(crate) async fn remove(&self, id: &str) -> bool {
        let known = self.waiting().contains_key(id);
        if known {
            let folder = self.folder.join(id);
            let wiped = tokio::task::spawn_blocking(move || wipe(&folder)).await;
            if let Ok(Err(error)) = &wiped {
                tracing::warn!(%error, "the files of an import cannot be removed");
            }
            self.waiting().remove(id);
        }
        known
    }

    pub(crate) async fn clear(&self) {
        let folder = self.folder.clone();
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || wipe(&folder)).await {
            tracing::warn!(%error, "files of an earlier import cannot be removed");
        }
    }
}

fn write_all(folder: &Path, files: &[(String, Bytes)]) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    for (name, bytes) in named(files) {
        let mut file =
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(folder.join(name))?;
        file.write_all(bytes)?;
    }
    Ok(())
}

/// Each file with a name of its own that is safe on any disk.
fn named(files: &[(String, Bytes)]) -> BTreeMap<String, &Bytes> {
    let mut found = BTreeMap::new();
    for (given, bytes) in files {
        let name = harmless(given);
        let mut unused = name.clone();
        let mut number = 2;
        while found.contains_key(&unused) {
            unused = format!("{number}-{name}");
            number += 1;
        }
        found.insert(unused, bytes);
    }
    found
}

/// The last part of a name, of letters, digits and a few signs, and never hidden.
fn harmless(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let safe = |letter: char| if letter.is_alphanumeric() || "._-+@".contains(letter) { letter } else { '_' };
    let mut name: String = last.chars().map(safe).collect();
    // The ending says what it is: what is too long is cut at its beginning.
    while name.len() > LONGEST_NAME {
        name.remove(0);
    }
    let bare = name.trim_start_matches('.');
    if bare.is_empty() { "file".to_owned() } else { bare.to_owned() }
}

fn files_of(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        files.push(entry?.path());
    }
    files.sort();
    let belongs = |path: &PathBuf| {
        let text = path.to_string_lossy();
        let whose = COMPANIONS.iter().find_map(|ending| text.strip_suffix(ending));
        whose.is_some_and(|whose| files.iter().any(|other| other.as_os_str() == whose))
    };
    Ok(files.iter().filter(|path| !belongs(path)).cloned().collect())
}

/// Overwrites and removes all files of a folder, and the folder. One that is not there is no error.
fn wipe(folder: &Path) -> io::Result<()> {
    let listing = match fs::read_dir(folder) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in listing {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            wipe(&entry.path())?;
            continue;
        }
        let length = usize::try_from(entry.metadata()?.len()).unwrap_or(0);
        // What cannot be overwritten is removed all the same.
        let _ = fs::OpenOptions::new().write(true).open(entry.path()).and_then(|mut file| {
            file.write_all(&vec![0; length])?;
            file.sync_all()
        });
        fs::remove_file(entry.path())?;
    }
    fs::remove_dir(folder)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-20T11:07:31Z".parse().expect("a time")
    }

    fn file(name: &str, bytes: &'static [u8]) -> (String, Bytes) {
        (name.to_owned(), Bytes::from_static(bytes))
    }

    #[tokio::test]
    async fn stored_files_are_private_to_the_program_and_removed() {
        let dir = tempfile::tempdir().expect("a directory");
        let bundles = Bundles::new(dir.path());
        let files = vec![
            file("../../main.session", b"one"),
            file("main.session", b"two"),
            file("main.session-wal", b"x"),
        ];
        let (id, until) = bundles.keep(7, files, now()).await.expect("kept");
        assert_eq!(until, now().plus(BUNDLE_LIFETIME));
        let paths = bundles.find(&id, now()).await.expect("there");
        let folder = dir.path().join(FOLDER).join(&id);
        let names: Vec<_> =
            paths.iter().map(|path| path.file_name().expect("a name").to_string_lossy()).collect();
        assert_eq!(names, ["2-main.session", "main.session"]);
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&paths[0])), (0o700, 0o600));
        assert_eq!(mode(folder.parent().expect("a folder")), 0o700);
        assert!(bundles.find(&id, until).await.is_none(), "too old");
        assert!(bundles.find("imp_../..", now()).await.is_none());
        assert!(bundles.remove(&id).await && !folder.exists());
        assert!(!bundles.remove(&id).await && bundles.find(&id, now()).await.is_none());
    }

    #[tokio::test]
    async fn waiting_bundles_are_limited_and_leftovers_are_removed() {
        let dir = tempfile::tempdir().expect("a directory");
        let bundles = Bundles::new(dir.path());
        for number in 0..MOST_BUNDLES {
            bundles.keep(number, vec![file("a", b"x")], now()).await.expect("kept");
        }
        let more = bundles.keep(99, vec![file("a", b"x")], now()).await;
        assert!(matches!(more, Err(BundleError::TooManyBundles)));
        let next = Bundles::new(dir.path());
        next.clear().await;
        assert!(!dir.path().join(FOLDER).exists());
        next.clear().await;
        next.keep(99, vec![file("a", b"x")], now()).await.expect("kept");
    }

    #[tokio::test]
    async fn a_failed_write_leaves_no_files() {
        let dir = tempfile::tempdir().expect("a directory");
        fs::write(dir.path().join(FOLDER), b"in the way").expect("written");
        let bundles = Bundles::new(dir.path());
        let kept = bundles.keep(1, vec![file("a", b"x")], now()).await;
        assert!(matches!(kept, Err(BundleError::Disk(_))));
        assert!(bundles.waiting().is_empty());
    }

    proptest! {
        #[test]
        fn a_name_never_leaves_its_folder(given in "\\PC{0,200}") {
            let name = harmless(&given);
            prop_assert!(!name.is_empty() && name.len() <= LONGEST_NAME && !name.starts_with('.'));
            prop_assert!(!name.contains(['/', '\\', '\0']));
            prop_assert_eq!(harmless(&name), name);
        }

        #[test]
        fn every_file_has_a_name_of_its_own(given in proptest::collection::vec("[ab/.]{0,3}", 0..12)) {
            let files: Vec<_> = given.iter().map(|name| (name.clone(), Bytes::new())).collect();
            prop_assert_eq!(named(&files).len(), files.len());
        }
    }
}
