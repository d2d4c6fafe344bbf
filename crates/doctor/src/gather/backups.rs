//! What became of backups, as it is written down beside them.

use std::path::{Path, PathBuf};

use config::Settings;

use backup::{History, read_history};

/// Where they are stored, and what became of them.
pub(crate) struct StoredBackups {
    pub(crate) folder: PathBuf,
    pub(crate) history: Result<Option<History>, String>,
}

/// Reads it. Blocks on the disk.
pub(crate) fn read(settings: &Settings, data_dir: &Path) -> StoredBackups {
    let folder = data_dir.join(&settings.backup.folder);
    let history = read_history(&folder).map_err(|error| error.to_string());
    StoredBackups { folder, history }
}
