//! Browser profiles at work: a worker for each, their attempts, and what people ask of them.

mod carry;
mod control;
mod opening;
mod proxy;
mod worker;

use std::path::{Path, PathBuf};

use config::CampaignBrowserSettings;

pub use control::{LogIn, ProfileChecked, ProfileError};
pub(super) use worker::work;

/// The browsers of this machine.
#[derive(Debug, Clone)]
pub struct Browsers {
    /// Where profiles keep what is theirs, and pictures lie.
    pub folder: PathBuf,
    /// The program of Chromium.
    pub chromium: PathBuf,
    /// The program of its driver.
    pub driver: PathBuf,
    /// Further switches of Chromium.
    pub arguments: Vec<String>,
    /// The address of Telegram Web K.
    pub web_k: String,
}

/// The folder of browser profiles in the data directory.
pub const BROWSERS: &str = "browsers";

impl Browsers {
    /// As the settings say, in a data directory.
    pub fn new(settings: &CampaignBrowserSettings, data_dir: &Path) -> Self {
        let CampaignBrowserSettings { chromium, driver, arguments, web_k } = settings.clone();
        Self { folder: data_dir.join(BROWSERS), chromium, driver, arguments, web_k }
    }

    fn pictures(&self) -> PathBuf {
        self.folder.join("pictures")
    }
}
