//! Taking over from an old Python installation: its services are stopped before the first session is opened here, since an old
//! program knows no fence, and disabled once ours works.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ambient::regular_file;
use domain::Timestamp;
use serde::{Deserialize, Serialize};
use systemd::{Systemd, SystemdError};

use crate::journal::FOLDER;
use crate::progress::Direction;

const FILE: &str = "takeover.json";

/// The largest that is read, in bytes.
const LARGEST: u64 = 4 << 20;

/// One step. Each may be done again after a kill.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TakeoverStep {
    StopUnits,
    /// Nothing has a session of the old installation open any more.
    CheckSessions,
    /// What is on another machine is copied to this one.
    Fetch,
    /// From its beginning on sessions may be open here.
    Import,
    Validate,
    DisableUnits,

    /// Our accounts are stopped, and their connections closed.
    CloseAccounts,
    /// The chats that were made meanwhile are written down for the old programs.
    HandBack,
    StartUnits,
}

domain::enum_words!(TakeoverStep);

impl TakeoverStep {
    pub const FORWARD: [Self; 6] =
        [Self::StopUnits, Self::CheckSessions, Self::Fetch, Self::Import, Self::Validate, Self::DisableUnits];

    /// What it is, for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::StopUnits => "old services are stopped",
            Self::CheckSessions => "nothing has the old sessions open",
            Self::Fetch => "files of the old machine are here",
            Self::Import => "sessions and registry are imported",
            Self::Validate => "accounts work here",
            Self::DisableUnits => "old services are disabled",
            Self::CloseAccounts => "accounts are closed here",
            Self::HandBack => "chats made meanwhile are handed back",
            Self::StartUnits => "old services are started",
        }
    }
}

/// A service of the old installation as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldUnit {
    pub name: String,
    pub was_running: bool,
    pub was_enabled: bool,
}

/// How far it is; a file in the data directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Takeover {
    pub begun_at: Timestamp,
    pub units: Vec<OldUnit>,
    /// The machine of the old installation, as `ssh` calls it; nothing for this one.
    #[serde(default)]
    pub machine: Option<String>,
    /// Files and folders of sessions and registries.
    pub paths: Vec<PathBuf>,
    pub plan: Option<PathBuf>,
    /// The session files that the plan names: nothing may have them open either.
    #[serde(default)]
    pub planned: Vec<PathBuf>,
    /// What the old registry calls accounts of ours, where that is another name.
    #[serde(default)]
    pub old_names: BTreeMap<String, String>,
    /// The accounts that got sessions, once they were imported.
    #[serde(default)]
    pub accounts: BTreeSet<String>,
    pub direction: Direction,
    begun: BTreeSet<TakeoverStep>,
    done: BTreeSet<TakeoverStep>,
    /// The accounts that there were here before, and how many sessions each had: those are none of its business.
    pub accounts_before: BTreeMap<String, usize>,
}

impl Takeover {
    pub fn new(begun_at: Timestamp, units: Vec<OldUnit>, paths: Vec<PathBuf>, plan: Option<PathBuf>) -> Self {
        Self {
            begun_at,
            units,
            machine: None,
            paths,
            plan,
            planned: Vec::new(),
            old_names: BTreeMap::new(),
            accounts: BTreeSet::new(),
            direction: Direction::Forward,
            begun: BTreeSet::new(),
            done: BTreeSet::new(),
            accounts_before: BTreeMap::new(),
        }
    }

    pub fn begin(&mut self, step: TakeoverStep) {
        self.begun.insert(step);
    }

    pub fn end(&mut self, step: TakeoverStep) {
        self.begin(step);
        self.done.insert(step);
    }

    /// The step to do now. None when there is nothing left to do.
    pub fn next(&self) -> Option<TakeoverStep> {
        let steps: &[TakeoverStep] = match self.direction {
            Direction::Forward => &TakeoverStep::FORWARD,
            Direction::Back if self.begun.contains(&TakeoverStep::Import) => {
                &[TakeoverStep::CloseAccounts, TakeoverStep::HandBack, TakeoverStep::StartUnits]
            }
            Direction::Back => &[TakeoverStep::StartUnits],
        };
        steps.iter().copied().find(|step| !self.done.contains(step))
    }

    /// From now on the old programs get their sessions back.
    pub fn turn_back(&mut self) {
        self.direction = Direction::Back;
    }

    /// The one of a data directory. Blocks.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(data_dir: &Path) -> io::Result<Option<Self>> {
        let mut text = String::new();
        match regular_file::open(&data_dir.join(FOLDER).join(FILE))
            .and_then(|file| file.take(LARGEST).read_to_string(&mut text))
        {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read?,
        };
        Ok(Some(serde_json::from_str(&text)?))
    }

    /// Writes it; it is on the disk then, whole. Blocks.
    ///
    /// # Errors
    /// It cannot be written; what was there before still is.
    pub fn write(&self, data_dir: &Path) -> io::Result<()> {
        let folder = data_dir.join(FOLDER);
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let fresh = folder.join(format!("{FILE}.new"));
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        made.write_all(&serde_json::to_vec_pretty(self)?)?;
        made.sync_all()?;
        fs::rename(&fresh, folder.join(FILE))?;
        File::open(&folder)?.sync_all()
    }
}

impl OldUnit {
    /// Looks at a service.
    ///
    /// # Errors
    /// See [`SystemdError`].
    pub async fn look(manager: &Systemd, name: &str) -> Result<Option<Self>, SystemdError> {
        let status = manager.status(name).await?;
        Ok(status.exists.then(|| Self {
            name: name.to_owned(),
            was_running: !["inactive", "failed"].contains(&status.state.as_str()),
            was_enabled: status.at_boot == "enabled",
        }))
    }

    /// Stops it, so that nothing starts it again but a boot; whether it is disabled is for later.
    ///
    /// # Errors
    /// See [`SystemdError`].
    pub async fn stop(&self, manager: &Systemd) -> Result<(), SystemdError> {
        manager.stop(&self.name).await
    }

    /// Keeps it from being started at boot.
    ///
    /// # Errors
    /// See [`SystemdError`].
    pub async fn disable(&self, manager: &Systemd) -> Result<(), SystemdError> {
        manager.at_boot(&self.name, false).await
    }

    /// As it was found.
    ///
    /// # Errors
    /// See [`SystemdError`].
    pub async fn restore(&self, manager: &Systemd) -> Result<(), SystemdError> {
        if self.was_enabled {
            manager.at_boot(&self.name, true).await?;
        }
        if self.was_running {
            manager.start(&self.name).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Killed anywhere and turned back or taken up: the old programs never run while a session may be open here.
        #[test]
        fn the_old_programs_and_ours_never_run_at_once(kills in proptest::collection::vec((0_usize..7, any::<bool>(), any::<bool>()), 0..5), back in any::<bool>()) {
            let (mut takeover, mut theirs, mut ours) = (Takeover::new(Timestamp::default(), Vec::new(), Vec::new(), None), true, false);
            let mut go = |takeover: &mut Takeover, mut steps: usize, acts: bool, killed: bool| {
                while let Some(step) = takeover.next() {
                    takeover.begin(step);
                    if !(killed && steps == 0 && !acts) {
                        match step {
                            TakeoverStep::StopUnits => theirs = false,
                            TakeoverStep::Import => ours = true,
                            TakeoverStep::CloseAccounts => ours = false,
                            TakeoverStep::StartUnits => theirs = true,
                            _ => {}
                        }
                        assert!(!(theirs && ours), "{takeover:?}");
                    }
                    if killed && steps == 0 {
                        return (theirs, ours);
                    }
                    takeover.end(step);
                    steps = steps.saturating_sub(1);
                }
                (theirs, ours)
            };
            for (steps, acts, turns) in kills {
                go(&mut takeover, steps, acts, true);
                if turns {
                    takeover.turn_back();
                }
            }
            if back {
                takeover.turn_back();
            }
            let is_back = takeover.direction == Direction::Back;
            prop_assert_eq!(go(&mut takeover, 0, true, false), (is_back, !is_back));
        }
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Takeover::read(folder.path()).unwrap(), None);
        let mut takeover = Takeover::new(Timestamp::default(), Vec::new(), vec!["/old".into()], None);
        takeover.end(TakeoverStep::StopUnits);
        takeover.write(folder.path()).unwrap();
        assert_eq!(Takeover::read(folder.path()).unwrap(), Some(takeover));
    }

    /// A stand-in for the command of the service manager, which keeps the state of units in files.
    fn stand_in(folder: &Path) -> Systemd {
        let script = folder.join("systemctl");
        let text = format!(
            "#!/bin/sh\ncd {}\necho \"$*\" >> log\nfor unit; do :; done\ncase $1 in\n\
             show) echo LoadState=loaded; echo ActiveState=$(cat $unit.state); echo UnitFileState=$(cat $unit.boot);;\n\
             start) echo active > $unit.state;; stop) echo inactive > $unit.state;;\n\
             enable) echo enabled > $unit.boot;; disable) echo disabled > $unit.boot;; esac\n",
            folder.display()
        );
        fs::write(&script, text).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        Systemd::at(folder.to_owned(), script, folder.to_owned())
    }

    #[tokio::test]
    async fn services_go_back_to_what_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let manager = stand_in(folder.path());
        for (unit, state, boot) in [("a.service", "active", "enabled"), ("b.service", "inactive", "disabled")]
        {
            fs::write(folder.path().join(format!("{unit}.state")), state).unwrap();
            fs::write(folder.path().join(format!("{unit}.boot")), boot).unwrap();
        }
        let mut units = Vec::new();
        for name in ["a.service", "b.service"] {
            units.push(OldUnit::look(&manager, name).await.unwrap().expect("it is there"));
        }
        for unit in &units {
            unit.stop(&manager).await.unwrap();
            unit.disable(&manager).await.unwrap();
        }
        let now = async |name| OldUnit::look(&manager, name).await.unwrap().unwrap();
        let (a, b) = (now("a.service").await, now("b.service").await);
        assert!(!a.was_running && !a.was_enabled && !b.was_running && !b.was_enabled);
        for unit in &units {
            unit.restore(&manager).await.unwrap();
        }
        assert_eq!([now("a.service").await, now("b.service").await].as_slice(), units);
    }
}
