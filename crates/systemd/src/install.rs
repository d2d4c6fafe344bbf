//! Installing and uninstalling: what is to be changed is known before anything is, and no foreign unit is touched.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::diff::diff;
use super::systemd::{Systemd, SystemdError};
use super::text::{InvalidUnit, MARK, UnitOptions};

/// The largest unit file that is read.
const LARGEST: u64 = 256 * 1024;

/// Why a service was not installed. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// An option.
    #[error(transparent)]
    Invalid(#[from] InvalidUnit),
    /// A file of this name is there, and was not written here.
    #[error(
        "{} was not written by `switchboard service install` and is left alone; remove it, or take another name with \
         --name", .0.display()
    )]
    Foreign(PathBuf),
    /// A file that the service needs is not there.
    #[error("{option} names {}, which is not there{hint}", file.display())]
    Missing {
        option: &'static str,
        file: PathBuf,
        /// How it is made.
        hint: &'static str,
    },
    /// A unit cannot be read or written.
    #[error("cannot use {}: {source}; run this as root", file.display())]
    File {
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The service manager.
    #[error(transparent)]
    Systemd(#[from] SystemdError),
}

/// Why a service was not uninstalled.
pub type UninstallError = InstallError;

/// One unit file and what is to become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    pub file: PathBuf,
    pub text: String,
    /// What is other than it is now; empty when nothing is.
    pub diff: String,
    /// Whether it is there now.
    pub exists: bool,
}

/// What an installation changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    unit: String,
    pub files: Vec<Planned>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Installed {
    /// Whether a unit file was written.
    pub wrote: bool,
    /// Whether the service was ordered to start or restart.
    pub started: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uninstalled {
    /// The unit files that were removed.
    pub removed: Vec<PathBuf>,
}

impl Plan {
    /// Compares what is to be with what is there.
    ///
    /// # Errors
    /// See [`InstallError`].
    pub fn make(options: &UnitOptions, manager: &Systemd) -> Result<Self, InstallError> {
        options.check()?;
        let planned = |(unit, text): (String, String)| {
            let file = manager.file(&unit);
            let now = read(&file)?;
            if now.as_deref().is_some_and(|now| !is_ours(now)) {
                return Err(InstallError::Foreign(file));
            }
            let diff = diff(now.as_deref().unwrap_or_default(), &text);
            Ok(Planned { file, text, diff, exists: now.is_some() })
        };
        let files = options.units().into_iter().map(planned).collect::<Result<_, _>>()?;
        Ok(Self { unit: options.unit(), files })
    }

    /// Whether a unit file is to be written.
    pub fn changes(&self) -> bool {
        self.files.iter().any(|file| !file.diff.is_empty())
    }

    /// Writes the units, and has the service started at boot and, unless `only_at_boot`, now; one that runs is
    /// restarted when its unit is another. Done twice it is done once.
    ///
    /// # Errors
    /// See [`InstallError`].
    pub async fn carry_out(&self, manager: &Systemd, only_at_boot: bool) -> Result<Installed, InstallError> {
        manager.check()?;
        let wrote = self.changes();
        for file in self.files.iter().filter(|file| !file.diff.is_empty()) {
            write(&file.file, &file.text)
                .map_err(|source| InstallError::File { file: file.file.clone(), source })?;
        }
        if wrote {
            manager.run(&["daemon-reload"]).await?;
        }
        let before = manager.status(&self.unit).await?;
        if before.at_boot != "enabled" {
            manager.run(&["enable", "--", &self.unit]).await?;
        }
        if only_at_boot || (before.state == "active" && !wrote) {
            return Ok(Installed { wrote, started: false });
        }
        if before.state == "failed" {
            manager.run(&["reset-failed", "--", &self.unit]).await?;
        }
        let how = if before.state == "active" { "restart" } else { "start" };
        manager.run(&[how, "--", &self.unit]).await?;
        Ok(Installed { wrote, started: true })
    }
}

/// Stops a service and removes its units, if they were written here. Its data stays.
///
/// # Errors
/// See [`InstallError`]; a foreign unit is left alone.
pub(super) async fn uninstall(manager: &Systemd, name: &str) -> Result<Uninstalled, UninstallError> {
    manager.check()?;
    let units = [format!("{name}.service"), format!("{name}-alert@.service")];
    let mut ours = Vec::new();
    for unit in &units {
        let file = manager.file(unit);
        match read(&file)? {
            Some(text) if is_ours(&text) => ours.push(file),
            Some(_) => return Err(InstallError::Foreign(file)),
            None => {}
        }
    }
    if ours.is_empty() {
        return Ok(Uninstalled { removed: ours });
    }
    if ours.contains(&manager.file(&units[0])) {
        manager.run(&["disable", "--now", "--", &units[0]]).await?;
    }
    for file in &ours {
        fs::remove_file(file).map_err(|source| InstallError::File { file: file.clone(), source })?;
    }
    manager.run(&["daemon-reload"]).await?;
    Ok(Uninstalled { removed: ours })
}

impl Systemd {
    /// Stops a service and removes its units, if they were written here. Its data stays.
    ///
    /// # Errors
    /// See [`InstallError`]; a foreign unit is left alone.
    pub async fn uninstall(&self, name: &str) -> Result<Uninstalled, UninstallError> {
        uninstall(self, name).await
    }
}

fn is_ours(text: &str) -> bool {
    text.lines().next() == Some(MARK)
}

fn read(file: &Path) -> Result<Option<String>, InstallError> {
    use std::io::Read;
    let mut text = String::new();
    match File::open(file).and_then(|opened| opened.take(LARGEST).read_to_string(&mut text)) {
        Ok(_) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(InstallError::File { file: file.to_owned(), source }),
    }
}

/// Writes beside the file, then in its place, so that there is never half a unit.
fn write(file: &Path, text: &str) -> io::Result<()> {
    let fresh = file.with_extension("service.new");
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut made = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&fresh)?;
    made.write_all(text.as_bytes())?;
    made.sync_all()?;
    fs::rename(&fresh, file)
}
