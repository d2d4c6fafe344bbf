//! Where the data lives.

use std::path::PathBuf;

use anyhow::Context;

use crate::Location;

impl Location {
    /// The data directory as an absolute path.
    pub(crate) fn data_dir(&self) -> anyhow::Result<PathBuf> {
        let given = match &self.data_dir {
            Some(given) => given.clone(),
            None => config::default_data_dir(is_root(), environment()),
        };
        std::path::absolute(&given).with_context(|| format!("the data directory {}", given.display()))
    }

    /// The settings: from the file named, else from the data directory, else all defaults; then the environment.
    pub(crate) fn settings(&self) -> anyhow::Result<config::Settings> {
        Ok(config::Settings::load(self.settings_file()?.as_deref(), environment())?)
    }

    /// The settings file: the one named, else that of the data directory, if there is one.
    pub(crate) fn settings_file(&self) -> anyhow::Result<Option<PathBuf>> {
        Ok(match &self.config {
            Some(file) => Some(file.clone()),
            None => Some(self.data_dir()?.join("switchboard.toml")).filter(|file| file.exists()),
        })
    }
}

/// The environment, as far as it is text; a variable that is not cannot be ours.
pub(crate) fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Whether the program runs as root; by the owner of its own process entry, which needs no unsafe call.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|entry| entry.uid() == 0)
}
