//! Browser profiles at work: a worker for each, their attempts, and what people ask of them.

mod carry;
mod control;
mod opening;
mod proxy;
mod replies;
mod turns;
mod worker;

use std::path::{Path, PathBuf};

use config::CampaignBrowserSettings;
use outbound::Allowed;

pub use control::{LogIn, ProfileChecked, ProfileError};
pub(super) use turns::Turns;
pub(super) use worker::work;

/// The browsers of this machine.
#[derive(Debug, Clone)]
pub struct Browsers {
    /// Where profiles keep what is theirs, and pictures are stored.
    pub folder: PathBuf,
    pub chromium: Programs,
    pub firefox: Programs,
    /// The address of Telegram Web K.
    pub web_k: String,
    /// The private networks that drivers, Donut and proxies may be in.
    pub allowed: Allowed,
}

/// A browser with its driver.
#[derive(Debug, Clone)]
pub struct Programs {
    pub program: PathBuf,
    pub driver: PathBuf,
    /// Further switches of the browser.
    pub arguments: Vec<String>,
}

/// The folder of browser profiles in the data directory.
pub const BROWSERS: &str = "browsers";

impl Browsers {
    /// As the settings say, in a data directory.
    pub fn new(settings: &CampaignBrowserSettings, data_dir: &Path, allowed: Allowed) -> Self {
        let CampaignBrowserSettings {
            chromium,
            driver,
            arguments,
            firefox,
            firefox_driver,
            firefox_arguments,
            web_k,
        } = settings.clone();
        let chromium = Programs { program: chromium, driver, arguments };
        let firefox = Programs { program: firefox, driver: firefox_driver, arguments: firefox_arguments };
        Self { folder: data_dir.join(BROWSERS), chromium, firefox, web_k, allowed }
    }

    fn pictures(&self) -> PathBuf {
        self.folder.join("pictures")
    }
}
