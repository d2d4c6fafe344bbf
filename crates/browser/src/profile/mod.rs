//! Profiles: where a browser that is logged in comes from. One profile is one lease, one account, one proxy.

mod donut;
mod driver;
mod engine;
mod forwarder;
mod local;
mod marionette;
mod memory;
mod running;

use std::fs::{File, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fmt, io};

use ambient::{Clock, FileLock};
use outbound::{Allowed, NamedBy, Names};
use serde_json::Value;
use thiserror::Error;

pub use donut::{Donut, DonutError};
pub use engine::Engine;
pub use forwarder::Proxy;
pub use local::Local;

use crate::webdriver::{DriverError, Session};
use driver::Driver;
use forwarder::Forwarder;
use running::{ended, started_at};

/// Locked for as long as a lease lasts.
const LEASE: &str = "lease.lock";

/// The session that an earlier lease left at a driver of someone else.
const SESSION: &str = "endpoint.session";

/// How long a browser may take to close.
const CLOSING: Duration = Duration::from_secs(20);

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
        "{program} cannot be started: {source}; install it (Debian: `apt-get install chromium chromium-driver`, or `firefox-esr` and the geckodriver of Mozilla)"
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
    /// The browser, if it is ours to close.
    ours: Option<Ours>,
    /// Where the session is noted, if its end would end the browser.
    note: Option<PathBuf>,
    /// What the browser reaches its proxy through, if it has one.
    _forwarder: Option<Forwarder>,
    /// Locked for as long as the lease lasts.
    _lock: Option<FileLock>,
}

/// A browser of our own.
struct Ours {
    engine: Engine,
    port: u16,
    process: Option<u32>,
    clock: Clock,
}

impl fmt::Debug for Ours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} on port {}", self.engine, self.port)
    }
}

impl Lease {
    /// The browser.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Gives the profile back. The browser goes on, so that the next lease finds its page as it was.
    pub async fn release(self) -> Result<(), DriverError> {
        if self.note.is_some() {
            return Ok(());
        }
        let ended = self.session.end().await;
        drop(self.driver);
        ended
    }

    /// Gives the profile back and closes the browser, if it is one that we started, as its window would be closed.
    pub async fn close(mut self) -> Result<(), DriverError> {
        let (ours, note) = (self.ours.take(), self.note.take());
        let process = ours.as_ref().and_then(|ours| ours.process);
        let process = process.and_then(|process| Some((process, started_at(process)?)));
        if ours.as_ref().is_some_and(|ours| ours.engine == Engine::Chromium) {
            match self.session.devtools("Browser.close").await {
                Ok(_) | Err(DriverError::Gone(_)) => {}
                Err(error) => tracing::warn!(%error, "the browser does not close"),
            }
        }
        let released = self.release().await.or_else(|error| match error {
            DriverError::Gone(_) => Ok(()),
            other => Err(other),
        });
        if let Some(note) = note.filter(|_| released.is_ok())
            && let Err(error) = tokio::fs::remove_file(&note).await
        {
            tracing::warn!(%error, "the note of a session stays");
        }
        if let Some(Ours { engine, port, clock, .. }) = ours {
            // The next lease would attach to a browser that still answers, and lose it.
            let closed = async {
                if engine == Engine::Firefox {
                    marionette::close(port, &clock).await;
                }
                if let Some((process, began)) = process {
                    ended(process, began, &clock).await;
                }
            };
            if clock.timeout(CLOSING, closed).await.is_err() {
                tracing::warn!(?engine, "a browser does not close");
            }
        }
        released
    }
}

/// A driver that someone else runs: on another machine behind a tunnel, or a grid.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// `http://127.0.0.1:9515`: a driver has no password, so it is reached on loopback or through a tunnel.
    pub driver: String,
    /// The private networks that it may be in.
    pub allowed: Allowed,
    /// What is asked for: which browser, which profile.
    pub capabilities: Value,
    /// Where the lease is kept.
    pub folder: PathBuf,
}

impl Endpoint {
    /// Goes on with the session of an earlier lease, or opens one there.
    pub async fn lease(&self) -> Result<Lease, ProfileError> {
        private_folder(&self.folder)?;
        let lock = lock(&self.folder)?;
        let note = self.folder.join(SESSION);
        let session = if let Some(session) = self.left(&note).await? {
            session
        } else {
            let open = || Session::open(&self.driver, by_caller(&self.allowed), &self.capabilities);
            let session = match open().await {
                // A driver on a busy machine can miss the start of its browser.
                Err(DriverError::Refused { error, .. }) if error == "session not created" => open().await?,
                opened => opened?,
            };
            let kept = tokio::fs::write(&note, format!("{} {}", session.id(), self.driver)).await;
            kept.map_err(|source| ProfileError::File { path: note.clone(), source })?;
            session
        };
        Ok(Lease { session, driver: None, ours: None, note: Some(note), _forwarder: None, _lock: Some(lock) })
    }

    /// The session that an earlier lease left, if its browser is still there.
    async fn left(&self, note: &Path) -> Result<Option<Session>, ProfileError> {
        let noted = tokio::fs::read_to_string(note).await.unwrap_or_default();
        let Some((id, _)) = noted.split_once(' ').filter(|(_, driver)| *driver == self.driver) else {
            return Ok(None);
        };
        let session = Session::left(&self.driver, by_caller(&self.allowed), id)?;
        match session.tabs().await {
            Ok(_) => Ok(Some(session)),
            Err(error @ DriverError::Unreachable { .. }) => Err(error.into()),
            Err(_) => Ok(None),
        }
    }
}

/// Has the guard judge what a caller named.
fn by_caller(allowed: &Allowed) -> NamedBy {
    NamedBy::Caller(Names::of_system(allowed.clone()))
}

/// A session on a browser that listens on a port of this machine.
async fn attached(
    engine: Engine,
    (port, program, folder): (u16, &Path, &Path),
    lock: FileLock,
    clock: &Clock,
) -> Result<Lease, ProfileError> {
    let driver = Driver::start(program, engine.driver_arguments(port), folder, clock).await?;
    let named_by = NamedBy::Settings(driver.address.clone());
    let opened = Session::open(&driver.address, named_by, &engine.capabilities(port)).await;
    let session = opened.map_err(|error| match error {
        DriverError::Refused { message, .. } if message.contains("only supports") => {
            ProfileError::Versions(message)
        }
        other => other.into(),
    })?;
    Ok(Lease { session, driver: Some(driver), ours: None, note: None, _forwarder: None, _lock: Some(lock) })
}

/// Takes the one lease of a profile's directory.
fn lock(folder: &Path) -> Result<FileLock, ProfileError> {
    let path = folder.join(LEASE);
    let file = |source| ProfileError::File { path: path.clone(), source };
    let lock = File::options().create(true).append(true).open(&path).map_err(file)?;
    FileLock::take(lock).map_err(|error| match error {
        TryLockError::WouldBlock => ProfileError::Leased(folder.to_owned()),
        TryLockError::Error(source) => file(source),
    })
}

fn private_folder(path: &Path) -> Result<(), ProfileError> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| ProfileError::File { path: path.to_owned(), source })
}
