//! Profiles: where a browser that is logged in comes from. One profile is one lease, one account, one proxy.

mod chromium;
mod donut;
mod driver;
mod forwarder;
mod memory;
mod running;

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use ambient::Clock;
use serde_json::{Value, json};
use thiserror::Error;

pub use chromium::{Chromium, Proxy};
pub use donut::{Donut, DonutError};
pub use forwarder::Upstream;

use crate::webdriver::{DriverError, Session};
use driver::Driver;
use forwarder::Forwarder;

/// Locked for as long as a lease lasts.
const LEASE: &str = "lease.lock";

/// Why a profile cannot be used.
#[derive(Debug, Error)]
pub enum ProfileError {
    #[error("{0} is used by another lease")]
    Leased(PathBuf),
    /// A second browser on one directory damages it.
    #[error(
        "a browser (process {process}) runs on {folder} and cannot be attached to: close it, it is then started as it must be"
    )]
    Running {
        folder: PathBuf,
        /// The process.
        process: u32,
    },
    #[error(
        "{available} MB of memory are free, and a browser needs {needed} MB: run the browser on another machine and name its \
         driver as a profile of the kind endpoint"
    )]
    Memory {
        /// What is free, in MB.
        available: u64,
        /// What is needed, in MB.
        needed: u64,
    },
    #[error(
        "{program} cannot be started: {source}; install it (Debian: `apt-get install chromium chromium-driver`)"
    )]
    Start {
        program: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{program} did not come up: {words}")]
    NotUp {
        program: PathBuf,
        /// What it said, or how it ended.
        words: String,
    },
    /// The driver knows browsers of its own version alone.
    #[error("the driver does not fit the browser: {0}")]
    Versions(String),
    #[error("{path} cannot be used: {source}")]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// A browser that runs looks for its proxy there alone, and never goes without.
    #[error(
        "port {0}, where the browser looks for its proxy, cannot be taken ({1}): close the browser or what listens there"
    )]
    ProxyPort(u16, io::Error),
    /// A browser keeps the proxy that it was started with.
    #[error(
        "the browser runs with another proxy than its profile has now: close it, it is then started with the new one"
    )]
    ProxyChanged,
    #[error(transparent)]
    Donut(#[from] DonutError),
    #[error(transparent)]
    Driver(#[from] DriverError),
}

/// A profile in use.
#[derive(Debug)]
pub struct Lease {
    session: Session,
    driver: Option<Driver>,
    /// Whether the browser is ours to close.
    ours: bool,
    /// What the browser reaches its proxy through, if that asks for a password.
    _forwarder: Option<Forwarder>,
    /// Locked for as long as the lease lasts.
    _lock: Option<Lock>,
}

impl Lease {
    /// The browser.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Gives the profile back. The browser goes on, so that the next lease finds its page as it was.
    pub async fn release(self) -> Result<(), DriverError> {
        let ended = self.session.end().await;
        drop(self.driver);
        ended
    }

    /// Gives the profile back and closes the browser, if it is one that we started, as its window would be closed.
    pub async fn close(self) -> Result<(), DriverError> {
        if self.ours {
            match self.session.devtools("Browser.close").await {
                Ok(_) | Err(DriverError::Gone(_)) => {}
                Err(error) => tracing::warn!(%error, "the browser does not close"),
            }
        }
        self.release().await.or_else(|error| match error {
            DriverError::Gone(_) => Ok(()),
            other => Err(other),
        })
    }
}

/// A driver that someone else runs: on another machine behind a tunnel, or a grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// `http://127.0.0.1:9515`: a driver has no password, so it is reached on loopback or through a tunnel.
    pub driver: String,
    /// What is asked for: which browser, which profile.
    pub capabilities: Value,
}

impl Endpoint {
    /// Opens a session there.
    pub async fn lease(&self) -> Result<Lease, ProfileError> {
        let session = Session::open(&self.driver, &self.capabilities).await?;
        Ok(Lease { session, driver: None, ours: false, _forwarder: None, _lock: None })
    }
}

/// A session on a browser that listens on a port of this machine.
async fn attached(
    port: u16,
    program: &Path,
    folder: &Path,
    lock: Lock,
    ours: bool,
    clock: &Clock,
) -> Result<Lease, ProfileError> {
    let driver = Driver::start(program, folder, clock).await?;
    let capabilities = json!({ "goog:chromeOptions": { "debuggerAddress": format!("127.0.0.1:{port}") } });
    let session = Session::open(&driver.address, &capabilities).await.map_err(|error| match error {
        DriverError::Refused { message, .. } if message.contains("only supports") => {
            ProfileError::Versions(message)
        }
        other => other.into(),
    })?;
    Ok(Lease { session, driver: Some(driver), ours, _forwarder: None, _lock: Some(lock) })
}

/// The one lease of a profile's directory.
#[derive(Debug)]
struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // A process that is being started has the file too, until it runs its program.
        if let Err(error) = self.0.unlock() {
            tracing::warn!(%error, "the lease of a profile is not given back");
        }
    }
}

/// Takes the one lease of a profile's directory.
fn lock(folder: &Path) -> Result<Lock, ProfileError> {
    let path = folder.join(LEASE);
    let file = |source| ProfileError::File { path: path.clone(), source };
    let lock = File::options().create(true).append(true).open(&path).map_err(file)?;
    match lock.try_lock() {
        Ok(()) => Ok(Lock(lock)),
        Err(TryLockError::WouldBlock) => Err(ProfileError::Leased(folder.to_owned())),
        Err(TryLockError::Error(source)) => Err(file(source)),
    }
}

fn private_folder(path: &Path) -> Result<(), ProfileError> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| ProfileError::File { path: path.to_owned(), source })
}
