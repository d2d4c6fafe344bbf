//! What goes into a backup, and where it is in a data directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The database, whatever it is called in the data directory.
pub(crate) const DATABASE: &str = "switchboard.db";

/// The folders whose files belong to what the database says: files that wait to be sent, and uploads.
pub(crate) const FOLDERS: [&str; 2] = ["outgoing", "uploads"];

/// How files end that are still being written.
const NOT_WHOLE: &str = ".part";

/// One file on its way into a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// Its size when it was looked at, in bytes.
    pub(crate) bytes: u64,
}

/// Whether an entry of a backup may be put into a data directory under this name: nothing else is ever written.
pub(crate) fn belongs(name: &str) -> bool {
    if name == DATABASE {
        return true;
    }
    let Some((folder, file)) = name.split_once('/') else { return false };
    let plain = !file.is_empty() && file.len() <= 255 && !file.starts_with('.');
    FOLDERS.contains(&folder) && plain && !file.contains(['/', '\\', '\0'])
}

/// The files beside the database. What is removed meanwhile belonged to a message that is over.
pub(crate) fn files(data_dir: &Path) -> io::Result<Vec<Source>> {
    let mut found = Vec::new();
    for folder in FOLDERS {
        let entries = match fs::read_dir(data_dir.join(folder)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_str().map(|name| format!("{folder}/{name}"));
            let Some(name) = name.filter(|name| belongs(name) && !name.ends_with(NOT_WHOLE)) else {
                continue;
            };
            match entry.metadata() {
                Ok(metadata) if metadata.is_file() => {
                    found.push(Source { name, path: entry.path(), bytes: metadata.len() });
                }
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_a_backup_belong_in_it() {
        for name in ["switchboard.db", "outgoing/01a", "uploads/up_1.json"] {
            assert!(belongs(name), "{name}");
        }
        for name in [
            "",
            "master.key",
            "switchboard.toml",
            "outgoing",
            "outgoing/",
            "outgoing/../master.key",
            "outgoing/a/b",
            "/outgoing/a",
            "../outgoing/a",
            "logs/1",
            "outgoing/.hidden",
            "outgoing/a\0b",
        ] {
            assert!(!belongs(name), "{name}");
        }
    }

    #[test]
    fn files_that_are_not_whole_and_folders_are_left_out() {
        let data = tempfile::tempdir().unwrap();
        assert_eq!(files(data.path()).unwrap(), []);
        fs::create_dir_all(data.path().join("outgoing/folder")).unwrap();
        for name in ["outgoing/b", "outgoing/a", "outgoing/c.part", "master.key"] {
            fs::write(data.path().join(name), name).unwrap();
        }
        let names: Vec<_> = files(data.path()).unwrap().into_iter().map(|file| file.name).collect();
        assert_eq!(names, ["outgoing/a", "outgoing/b"]);
    }
}
