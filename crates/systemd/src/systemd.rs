//! The service manager: asked by its own command, with a limit on every wait.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use tokio::process::Command;

/// How long the service manager may take. A start waits until the program says that it is ready.
const TIMEOUT: Duration = Duration::from_mins(3);

/// What the service manager did not do. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum SystemdError {
    /// There is none.
    #[error(
        "this machine is not run by systemd, so a service cannot be installed; `--print` shows the units, \
         and `switchboard up` runs anywhere"
    )]
    NoSystemd,
    /// It refused, or its command cannot be run.
    #[error("`{command}` failed: {output}")]
    Refused { command: String, output: String },
    /// It did not answer in time.
    #[error("`{command}` did not end within {} s; look at `systemctl list-jobs`", TIMEOUT.as_secs())]
    Late { command: String },
}

/// Where the service manager is, and where its units are.
#[derive(Debug, Clone)]
pub struct Systemd {
    /// The folder of units that the owner of the machine makes.
    pub(super) folder: PathBuf,
    /// The command, with what leads to it.
    systemctl: Vec<OsString>,
    /// There while it runs the machine; nothing where that cannot be seen from here.
    booted: Option<PathBuf>,
}

/// How a service is, as the service manager says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    pub unit: String,
    /// `active`, `failed`, `inactive`, `activating` …
    pub state: String,
    /// More: `running`, `auto-restart`, `dead` …
    pub sub_state: String,
    /// How the last run ended: `success`, `exit-code`, `watchdog`, `oom-kill` …
    pub result: String,
    /// `enabled` when it is started at boot.
    pub at_boot: String,
    pub pid: Option<u32>,
    /// How often it was started again by itself.
    pub restarts: Option<u64>,
    /// Since when it is as it is, in the words of the service manager.
    pub since: Option<String>,
    /// How much memory it has, in bytes.
    pub memory: Option<u64>,
    /// What the program says of itself.
    pub says: Option<String>,
    /// Whether there is such a unit.
    pub exists: bool,
}

impl Systemd {
    pub fn of_machine() -> Self {
        Self::at("/etc/systemd/system".into(), "systemctl".into(), "/run/systemd/system".into())
    }

    /// One in another place: its folder of units, its command, and what is there while it runs.
    pub fn at(folder: PathBuf, systemctl: PathBuf, booted: PathBuf) -> Self {
        Self { folder, systemctl: vec![systemctl.into()], booted: Some(booted) }
    }

    /// That of another machine, to which these words lead, such as `ssh host --`. Only its command is used. A shell there may read
    /// the names of units.
    pub fn beyond(words: impl IntoIterator<Item = OsString>) -> Self {
        let systemctl = words.into_iter().chain(["systemctl".into()]).collect();
        Self { folder: "/etc/systemd/system".into(), systemctl, booted: None }
    }

    /// Whether it runs the machine.
    ///
    /// # Errors
    /// [`SystemdError::NoSystemd`].
    pub fn check(&self) -> Result<(), SystemdError> {
        if self.booted.as_ref().is_none_or(|booted| booted.is_dir()) {
            Ok(())
        } else {
            Err(SystemdError::NoSystemd)
        }
    }

    /// Its version, such as `257`.
    ///
    /// # Errors
    /// See [`SystemdError`].
    pub async fn version(&self) -> Result<String, SystemdError> {
        self.check()?;
        let output = self.run(&["--version"]).await?;
        Ok(output.split_whitespace().nth(1).unwrap_or("unknown").to_owned())
    }

    pub fn file(&self, unit: &str) -> PathBuf {
        self.folder.join(unit)
    }

    /// How a unit is.
    ///
    /// # Errors
    /// See [`SystemdError`].
    pub async fn status(&self, unit: &str) -> Result<Status, SystemdError> {
        self.check()?;
        let properties = "--property=LoadState,ActiveState,SubState,Result,UnitFileState,MainPID,NRestarts,\
                          StateChangeTimestamp,MemoryCurrent,StatusText";
        Ok(read(unit, &self.run(&["show", properties, "--", unit]).await?))
    }

    /// Starts a service that is there; one that failed before is started all the same.
    ///
    /// # Errors
    /// See [`SystemdError`].
    pub async fn start(&self, unit: &str) -> Result<(), SystemdError> {
        if self.status(unit).await?.state == "failed" {
            self.run(&["reset-failed", "--", unit]).await?;
        }
        self.run(&["start", "--", unit]).await.map(drop)
    }

    /// Stops a service until it is started again.
    ///
    /// # Errors
    /// See [`SystemdError`].
    pub async fn stop(&self, unit: &str) -> Result<(), SystemdError> {
        self.check()?;
        self.run(&["stop", "--", unit]).await.map(drop)
    }

    /// Has a service started at boot, or not any more.
    ///
    /// # Errors
    /// See [`SystemdError`].
    pub async fn at_boot(&self, unit: &str, started: bool) -> Result<(), SystemdError> {
        self.check()?;
        self.run(&[if started { "enable" } else { "disable" }, "--", unit]).await.map(drop)
    }

    /// Runs its command; what it prints.
    pub(super) async fn run(&self, arguments: &[&str]) -> Result<String, SystemdError> {
        let shown = || {
            let program = self.systemctl.last().map(Path::new).and_then(Path::file_name).unwrap_or_default();
            format!("{} {}", program.display(), arguments.join(" "))
        };
        let refused = |output: String| SystemdError::Refused { command: shown(), output };
        let (program, before) = self.systemctl.split_first().ok_or(SystemdError::NoSystemd)?;
        let ran = Command::new(program).args(before).args(arguments).kill_on_drop(true).output();
        match tokio::time::timeout(TIMEOUT, ran).await {
            Ok(Ok(ended)) if ended.status.success() => {
                Ok(String::from_utf8_lossy(&ended.stdout).into_owned())
            }
            Ok(Ok(ended)) => {
                let output = String::from_utf8_lossy(&ended.stderr).trim().to_owned();
                Err(refused(if output.is_empty() { ended.status.to_string() } else { output }))
            }
            Ok(Err(error)) => Err(refused(error.to_string())),
            Err(_) => Err(SystemdError::Late { command: shown() }),
        }
    }
}

fn read(unit: &str, text: &str) -> Status {
    let value = |key: &str| {
        let found = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        found.map(str::trim).filter(|value| !value.is_empty() && *value != "[not set]").map(str::to_owned)
    };
    let word = |key: &str| value(key).unwrap_or_else(|| "unknown".to_owned());
    Status {
        unit: unit.to_owned(),
        state: word("ActiveState"),
        sub_state: word("SubState"),
        result: word("Result"),
        at_boot: value("UnitFileState").unwrap_or_else(|| "no".to_owned()),
        pid: value("MainPID").and_then(|pid| pid.parse().ok()).filter(|pid| *pid > 0),
        restarts: value("NRestarts").and_then(|count| count.parse().ok()),
        since: value("StateChangeTimestamp"),
        memory: value("MemoryCurrent").and_then(|bytes| bytes.parse().ok()).filter(|bytes| *bytes < u64::MAX),
        says: value("StatusText"),
        exists: value("LoadState").is_some_and(|state| state == "loaded"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unset_property_is_none() {
        let status = read(
            "switchboard.service",
            "LoadState=loaded\nActiveState=active\nSubState=running\nResult=success\nMainPID=42\nNRestarts=1\n\
             MemoryCurrent=[not set]\nStatusText=3 accounts ready = all\nUnitFileState=enabled\n",
        );
        assert_eq!((status.pid, status.memory, status.restarts), (Some(42), None, Some(1)));
        assert_eq!(status.says.as_deref(), Some("3 accounts ready = all"));
        assert!(status.exists && !read("x", "LoadState=not-found\nMainPID=0\n").exists);
    }
}
