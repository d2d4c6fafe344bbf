//! Where the data and the settings are.

use std::path::PathBuf;

use anyhow::Context;

/// The options that say where the program keeps its data and reads its settings.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Location {
    /// The settings file [default: `switchboard.toml` in the data directory, if there is one]
    #[arg(long, value_name = "FILE", env = "SWITCHBOARD_CONFIG")]
    pub(crate) config: Option<PathBuf>,

    /// The directory of the database, keys and files [default: /var/lib/switchboard for root, else
    /// `$XDG_DATA_HOME/switchboard`]
    #[arg(long, value_name = "DIR", env = "SWITCHBOARD_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

impl Location {
    /// The data directory as an absolute path.
    pub(crate) fn data_dir(&self) -> anyhow::Result<PathBuf> {
        let given = match &self.data_dir {
            Some(given) => given.clone(),
            None => config::default_data_dir(is_root(), environment()),
        };
        std::path::absolute(&given).with_context(|| format!("the data directory {}", given.display()))
    }

    /// The settings: from the file named, else from the data directory, else all defaults; then the environment. Of the folder
    /// `flows` those files that are right.
    pub(crate) fn settings(&self) -> anyhow::Result<config::Settings> {
        Ok(self.settings_at_start()?.0)
    }

    /// The same, and what is wrong with the other files of flows.
    pub(crate) fn settings_at_start(&self) -> anyhow::Result<(config::Settings, Vec<config::Problem>)> {
        let read = config::Settings::load_at_start(self.settings_file()?.as_deref(), environment())?;
        domain::phone::set_home(read.0.home_country);
        Ok(read)
    }

    /// The settings file: the one named, else that of the data directory, if there is one.
    pub(crate) fn settings_file(&self) -> anyhow::Result<Option<PathBuf>> {
        Ok(Some(self.settings_path()?).filter(|file| self.config.is_some() || file.exists()))
    }

    /// The same, which need not be there yet.
    pub(crate) fn settings_path(&self) -> anyhow::Result<PathBuf> {
        Ok(match &self.config {
            Some(file) => file.clone(),
            None => self.data_dir()?.join("switchboard.toml"),
        })
    }
}

/// The environment, as far as it is UTF-8: no variable of ours is anything else.
pub(crate) fn environment() -> impl Iterator<Item = (String, String)> {
    crate::test_build::environment()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Whether the program runs as root; by the owner of its own process entry, which needs no unsafe call.
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|entry| entry.uid() == 0)
}
