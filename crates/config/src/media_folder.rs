//! The media folder: where server paths are read, and what must not be in it.

use std::io;
use std::path::{Path, PathBuf};

use crate::settings::MediaSettings;

/// A media folder through which callers could read what is not meant for them.
#[derive(Debug, thiserror::Error)]
pub enum MediaFolderError {
    /// Everything that the program keeps would be in it.
    #[error(
        "`media.folder` is {}, and the data directory {} lies in it: callers could have its keys and sessions sent to \
         them; name a folder of its own, such as folder = \"media\"", folder.display(), data_dir.display()
    )]
    HoldsData {
        /// The folder.
        folder: PathBuf,
        /// The data directory.
        data_dir: PathBuf,
    },
    /// It is where the program keeps files of its own.
    #[error(
        "`media.folder` is {}, where the program keeps files of its own ({}); name another folder, such as folder = \
         \"media\"", folder.display(), own.display()
    )]
    HoldsFiles {
        /// The folder.
        folder: PathBuf,
        /// The program's own folder.
        own: PathBuf,
    },
    /// It cannot be looked at.
    #[error("`media.folder` is {}, which cannot be looked at: {source}; check its path and its rights", folder.display())]
    Unreadable {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl MediaSettings {
    /// The folder inside which server paths are read. `own` are the folders that the program keeps files in, relative to
    /// the data directory.
    ///
    /// # Errors
    /// Callers could read what is not meant for them.
    pub fn folder_in(&self, data_dir: &Path, own: &[&Path]) -> Result<PathBuf, MediaFolderError> {
        let folder = data_dir.join(&self.folder);
        let unreadable = |source| MediaFolderError::Unreadable { folder: folder.clone(), source };
        let (real, data) = (real(&folder).map_err(unreadable)?, real(data_dir).map_err(unreadable)?);
        if data.starts_with(&real) {
            return Err(MediaFolderError::HoldsData { folder, data_dir: data_dir.to_owned() });
        }
        for name in own {
            let own = crate::media_folder::real(&data.join(name)).map_err(unreadable)?;
            if own.starts_with(&real) || real.starts_with(&own) {
                return Err(MediaFolderError::HoldsFiles { folder, own });
            }
        }
        Ok(folder)
    }
}

/// A path without links and steps up, as far as it exists.
fn real(path: &Path) -> io::Result<PathBuf> {
    match path.canonicalize() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => match (path.parent(), path.file_name()) {
            (Some(parent), Some(name)) => Ok(real(parent)?.join(name)),
            _ => Err(error),
        },
        found => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn of(data_dir: &Path, folder: impl Into<PathBuf>) -> Result<PathBuf, MediaFolderError> {
        let settings = MediaSettings { folder: folder.into(), ..MediaSettings::default() };
        settings.folder_in(data_dir, &[Path::new("outgoing"), Path::new("uploads")])
    }

    #[test]
    fn a_folder_of_its_own_is_taken() {
        let place = tempfile::tempdir().unwrap();
        let data = place.path().join("data");
        std::fs::create_dir(&data).unwrap();
        assert_eq!(of(&data, "media").unwrap(), data.join("media"));
        assert_eq!(of(&data, place.path().join("pictures")).unwrap(), place.path().join("pictures"));
        assert!(of(&data, "outgoing_pictures").is_ok());
    }

    #[test]
    fn folders_of_the_program_itself_are_refused() {
        let place = tempfile::tempdir().unwrap();
        let data = place.path().join("data");
        std::fs::create_dir_all(data.join("outgoing")).unwrap();
        symlink(&data, place.path().join("link")).unwrap();
        for folder in [".", "..", "/", "media/../..", place.path().join("link").to_str().unwrap()] {
            let refused = of(&data, folder).unwrap_err();
            assert!(
                matches!(refused, MediaFolderError::HoldsData { .. } | MediaFolderError::Unreadable { .. }),
                "{folder}: {refused}"
            );
        }
        for folder in ["outgoing", "uploads", "uploads/x", "./outgoing/a"] {
            let refused = of(&data, folder).unwrap_err();
            assert!(matches!(refused, MediaFolderError::HoldsFiles { .. }), "{folder}: {refused}");
        }
    }
}
