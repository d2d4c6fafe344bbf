//! The folder of backups: what is in it, what an end in the middle left there, and its history.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ambient::regular_file;
use domain::Timestamp;

use super::history::History;
use super::name::BackupName;
use super::owner;

const HISTORY: &str = "history.json";

/// The largest history that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// How the names of files and folders end that are not whole, or only for a trial.
const NOT_WHOLE: &str = ".partial";

/// How the names of copies end that are fetched for a drill. They may take long to come, and are in no one's way.
const FETCHED: &str = ".fetched";

#[derive(Debug, Clone)]
pub(crate) struct Folder(PathBuf);

/// What is there under the name of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct There {
    pub(crate) name: BackupName,
    pub(crate) bytes: u64,
}

/// Why the history of backups cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {what}", file.display())]
pub struct HistoryError {
    file: PathBuf,
    what: String,
}

/// The history of the backups in a folder; nothing when there is none yet.
///
/// # Errors
/// When it cannot be read, or is damaged.
pub fn read_history(folder: &Path) -> Result<Option<History>, HistoryError> {
    let file = folder.join(HISTORY);
    let failed = |error: io::Error| HistoryError { file: file.clone(), what: error.to_string() };
    let opened = match regular_file::open(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(failed)?,
    };
    let mut text = String::new();
    opened.take(LARGEST).read_to_string(&mut text).map_err(failed)?;
    serde_json::from_str(&text).map(Some).map_err(|error| failed(error.into()))
}

/// The file of the newest backup in a folder, if there is one. Blocks on the disk.
///
/// # Errors
/// The folder cannot be read.
pub fn newest_in(folder: &Path) -> io::Result<Option<PathBuf>> {
    let folder = Folder::new(folder.to_owned());
    Ok(folder.list()?.last().map(|there| folder.file(&there.name)))
}

impl Folder {
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Makes it if need be, for its owner alone.
    pub(crate) fn create(&self) -> io::Result<()> {
        if self.0.exists() {
            return Ok(());
        }
        DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
        self.0.parent().map_or(Ok(()), |parent| owner::follow(&self.0, parent))
    }

    /// Makes it if need be, and removes what an end in the middle of something left. Call it with the turn only: what is
    /// under way looks the same.
    pub(crate) fn prepare(&self) -> io::Result<()> {
        self.create()?;
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str().and_then(|name| name.strip_suffix(NOT_WHOLE)) else { continue };
            // Only our own: the folder may have other files too.
            let ours = name.trim_end_matches(".db").trim_end_matches(".trial");
            if ours.parse::<BackupName>().is_err() {
                continue;
            }
            let path = entry.path();
            let removed =
                if entry.file_type()?.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            // It is in no one's way: no two have one name.
            if let Err(error) = removed {
                tracing::warn!(file = %path.display(), %error, "what was left of a backup cannot be removed");
            }
        }
        Ok(())
    }

    /// Where a backup is stored.
    pub(crate) fn file(&self, name: &BackupName) -> PathBuf {
        self.0.join(name.as_str())
    }

    /// Where it is while it is written.
    pub(crate) fn partial(&self, name: &BackupName) -> PathBuf {
        self.0.join(format!("{name}{NOT_WHOLE}"))
    }

    /// Where the copy of the database is that goes into it.
    pub(crate) fn copy(&self, name: &BackupName) -> PathBuf {
        self.0.join(format!("{name}.db{NOT_WHOLE}"))
    }

    /// Where it is unpacked for a trial.
    pub(crate) fn trial(&self, name: &BackupName) -> PathBuf {
        self.0.join(format!("{name}.trial{NOT_WHOLE}"))
    }

    /// Where a copy of it is put that is fetched for a drill.
    pub(crate) fn fetched(&self, name: &BackupName) -> PathBuf {
        self.0.join(format!("{name}{FETCHED}"))
    }

    /// Removes what drills left that were broken off.
    pub(crate) fn remove_fetched(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            let name = entry.file_name();
            let ours = name.to_str().and_then(|name| name.strip_suffix(FETCHED));
            if ours.is_some_and(|name| name.parse::<BackupName>().is_ok()) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// The backups, the oldest first.
    pub(crate) fn list(&self) -> io::Result<Vec<There>> {
        let entries = match fs::read_dir(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry?;
            let Some(Ok(name)) = entry.file_name().to_str().map(str::parse::<BackupName>) else { continue };
            match entry.metadata() {
                Ok(metadata) if metadata.is_file() => found.push(There { name, bytes: metadata.len() }),
                // Removed by someone meanwhile, or no file.
                Ok(_) | Err(_) => {}
            }
        }
        found.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(found)
    }

    /// Gives a file that is whole its name, for good.
    pub(crate) fn finish(&self, name: &BackupName) -> io::Result<()> {
        owner::follow(&self.partial(name), &self.0)?;
        fs::rename(self.partial(name), self.file(name))?;
        self.sync()
    }

    /// The history; a new one if there is none, or none that can be read.
    pub(crate) fn history(&self, now: Timestamp) -> History {
        read_history(&self.0).unwrap_or_else(|error| {
            tracing::warn!(%error, "what became of earlier backups is not known; the record starts again");
            None
        })
        .unwrap_or_else(|| History::begun(now))
    }

    pub(crate) fn keep(&self, history: &History) -> io::Result<()> {
        let (file, new) = (self.0.join(HISTORY), self.0.join(format!("{HISTORY}.new")));
        let mut text = serde_json::to_vec_pretty(history)?;
        text.push(b'\n');
        let mut written = create_fresh(&new)?;
        written.write_all(&text)?;
        written.sync_all()?;
        owner::follow(&new, &self.0)?;
        fs::rename(&new, &file)?;
        self.sync()
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.0)?.sync_all()
    }
}

/// A new file in place of whatever has its name: never what a link leads to.
pub(crate) fn create_fresh(file: &Path) -> io::Result<File> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfinished_files_are_removed_and_foreign_files_stay() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path().join("backups"));
        assert_eq!(folder.list().unwrap(), []);
        folder.prepare().unwrap();
        let name = BackupName::of(Timestamp::default());
        for file in [folder.file(&name), folder.partial(&name), folder.copy(&name)] {
            fs::write(file, "some").unwrap();
        }
        fs::create_dir_all(folder.trial(&name).join("outgoing")).unwrap();
        for other in ["theirs.partial", "notes.txt", "switchboard-1.tar.gz"] {
            fs::write(folder.path().join(other), "").unwrap();
        }
        folder.prepare().unwrap();
        let mut left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["notes.txt", "switchboard-1.tar.gz", name.as_str(), "theirs.partial"]);
        assert_eq!(folder.list().unwrap(), [There { name, bytes: 4 }]);
    }

    #[test]
    fn a_history_reads_back_and_a_damaged_one_is_begun_again() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path().to_owned());
        assert!(read_history(place.path()).unwrap().is_none());
        let history = History::begun(Timestamp::from_micros(7));
        folder.keep(&history).unwrap();
        assert_eq!(read_history(place.path()).unwrap(), Some(history));
        fs::write(place.path().join(HISTORY), "{").unwrap();
        assert!(read_history(place.path()).is_err());
        assert_eq!(folder.history(Timestamp::from_micros(9)).since, Timestamp::from_micros(9));
    }
}
