//! The steps of a side: what `moving` asks for, done with the store, the server and the settings of a data directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use ambient::Clock;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use config::{Settings, StoreUrl};
use domain::AccountName;
use moving::{AccountFact, Failed, Journal, Order, Performer, Role, Step, StoreFact};
use serde_json::{Value, json};
use store::{Fence, MasterKey, OpenError};
use systemd::Systemd;
use tokio::process::Command;

use super::choices::Choices;
use super::sources::{self, Variables};
use super::{environment, opening, server, used_files};
use crate::command::up;
use crate::{Location, test_build};

/// How long a command of this program may take.
const COMMAND: Duration = Duration::from_hours(2);

/// The folder that a backup is tried in.
const REHEARSAL: &str = "rehearsal";

/// A side: a data directory with its settings.
pub(super) struct SideWork {
    pub(super) location: Location,
    pub(super) data_dir: PathBuf,
    pub(super) settings_file: PathBuf,
    pub(super) clock: Clock,
    /// The service that the server of this side is, or is to be.
    pub(super) unit: Option<String>,
    /// What its server has in its environment.
    pub(super) variables: Variables,
}

pub(super) fn refused(error: &dyn std::fmt::Display) -> Failed {
    Failed::refused(error.to_string())
}

pub(super) fn broken(error: &anyhow::Error) -> Failed {
    Failed::refused(format!("{error:#}"))
}

impl Performer for SideWork {
    async fn perform(&mut self, step: Step, order: &Order) -> Result<Value, Failed> {
        let journal = &order.journal;
        let choices = Choices::of(&journal.choices);
        self.look_up(step, order, &choices).await?;
        let done = self.step(step, order, &choices).await;
        let data_dir = self.data_dir.clone();
        let adopted = tokio::task::spawn_blocking(move || moving::adopt(&data_dir)).await;
        let done = done?;
        adopted.map_err(|error| refused(&error))?.map_err(|error| refused(&error))?;
        Ok(done)
    }

    fn settings_file(&self) -> Option<PathBuf> {
        Some(self.settings_file.clone())
    }
}

impl SideWork {
    async fn step(&self, step: Step, order: &Order, choices: &Choices) -> Result<Value, Failed> {
        let journal = &order.journal;
        match step {
            Step::AuditOld => self.audit(None, &Choices::default()).await,
            Step::AuditNew => self.audit(Some(&order.given), choices).await,
            Step::FirstBackup => self.first_backup().await,
            Step::LastBackup => self.backup().await,
            Step::Environment => self.environment(order).await,
            Step::Check => self.check(journal).await,
            Step::Install => self.install(choices).await,
            Step::Stop => {
                if self.unit.is_none() {
                    sources::keep(&self.data_dir, &self.settings_file)?;
                }
                self.stop(None).await.map(|()| Value::Null)
            }
            Step::StopNew => self.stop(choices.unit.as_deref()).await.map(|()| Value::Null),
            Step::GiveUp => self.give_whole(&journal.fence_there(), &accounts_of(journal)).await,
            Step::Place => self.place(journal).await,
            Step::GiveBack => {
                // A kill may have left it half in place.
                self.stop(choices.unit.as_deref()).await?;
                self.place(journal).await?;
                self.give_whole(&journal.fence_back(), &[]).await
            }
            Step::PlaceBack => self.place_back(journal).await,
            Step::Renounce => self.renounce(&journal.fence_back(), choices).await,
            Step::TakeBack => {
                let fence = journal.fence_back();
                store::remember_fence(&self.data_dir, &fence).map_err(|error| refused(&error))?;
                self.give(&fence, &[]).await
            }
            Step::Start => self.start(choices).await,
            Step::Restart => self.restart(journal).await,
            Step::Open => opening::open_all(&self.data_dir, journal, &self.clock).await,
            Step::Validate => self.validate(journal, choices).await,
            Step::Monitor => self.monitor(choices).await,
            Step::Compare => self.compare(journal).await,
            Step::Retire => self.retire(order).await,
            Step::Clear => self.clear(journal, choices).await,
            Step::Transfer | Step::TransferRest | Step::TransferBack => {
                Err(Failed::refused("files are asked for one by one"))
            }
        }
    }
}

/// The accounts that the old side had, the least important first.
pub(super) fn audited(journal: &Journal) -> Vec<AccountFact> {
    let facts = journal.facts(Step::AuditOld);
    serde_json::from_value(facts["accounts"].clone()).unwrap_or_default()
}

fn accounts_of(journal: &Journal) -> Vec<AccountName> {
    audited(journal).into_iter().filter_map(|account| account.name.parse().ok()).collect()
}

impl SideWork {
    pub(super) fn new(location: Location, clock: Clock) -> anyhow::Result<Self> {
        let data_dir = location.data_dir()?;
        let settings_file = location.config.clone().unwrap_or_else(|| data_dir.join("switchboard.toml"));
        let settings_file = std::path::absolute(settings_file)?;
        Ok(Self { location, data_dir, settings_file, clock, unit: None, variables: Variables::new() })
    }

    /// Finds out where the settings of this side are, what its server is called, and which variables it has: the one who moves may
    /// be another user, in another shell.
    async fn look_up(&mut self, step: Step, order: &Order, choices: &Choices) -> Result<(), Failed> {
        let gives = step == Step::Environment && order.given["recipient"].is_string();
        let is_old = gives || step.role() == Role::Old;
        let before = order.journal.facts(Step::AuditOld);
        let pid = server::holder(&self.data_dir);
        if self.location.config.is_none() {
            let known = match pid {
                Some(pid) => server::settings_of(pid),
                None => before["settings_file"].as_str().filter(|_| is_old).map(PathBuf::from),
            };
            if let Some(file) = known {
                self.settings_file = file;
            }
        }
        self.unit = match (is_old, pid) {
            (true, Some(pid)) => server::unit_of(pid).await,
            (true, None) => before["unit"].as_str().map(str::to_owned),
            (false, _) => choices.unit.clone(),
        };
        self.variables = sources::variables(&self.data_dir, &self.settings_file, self.unit.as_deref()).await;
        Ok(())
    }

    /// The master key, wherever the server of this side has it from.
    pub(super) fn master_key(&self) -> Result<MasterKey, Failed> {
        match self.variables.get(sources::MASTER_KEY) {
            Some(key) => Ok(MasterKey::Given(key.clone().into())),
            None => up::master_key(&self.data_dir).map_err(|error| broken(&error)),
        }
    }

    /// The settings; those that came with a move may name variables, which came with them.
    pub(super) fn settings(&self) -> Result<Settings, Failed> {
        let file = Some(&self.settings_file).filter(|file| file.exists());
        let variables = self.variables.clone().into_iter().chain(crate::location::environment());
        let read = Settings::load_at_start(file.map(PathBuf::as_path), variables);
        read.map(|(settings, _)| settings).map_err(|error| refused(&error))
    }

    pub(super) fn is_on_server(settings: &Settings) -> bool {
        matches!(settings.store.url, StoreUrl::Postgres(_))
    }

    /// The database within the data directory.
    pub(super) fn database(&self) -> Result<PathBuf, Failed> {
        match self.settings()?.store.url {
            StoreUrl::Sqlite(file) if file.is_relative() => Ok(file),
            StoreUrl::Sqlite(file) => file.strip_prefix(&self.data_dir).map(Path::to_owned).map_err(|_| {
                let file = file.display();
                Failed::refused(format!(
                    "`store.url` names {file}, which is not in the data directory; move it there first"
                ))
            }),
            StoreUrl::Postgres(_) => Ok(PathBuf::new()),
        }
    }

    /// Runs a command of this program on the data directory, or another one; what it printed as JSON.
    pub(super) async fn own(
        &self,
        words: &[&str],
        data_dir: &Path,
        more: &[(&str, &str)],
    ) -> Result<Value, Failed> {
        let program = std::env::current_exe().map_err(|error| refused(&error))?;
        let mut command = Command::new(program);
        command.args(words).arg("--data-dir").arg(data_dir);
        if self.settings_file.exists() {
            command.arg("--config").arg(&self.settings_file);
        }
        command.envs(&self.variables).envs(more.iter().copied());
        command.env_remove("FAILPOINT").stdin(Stdio::null()).kill_on_drop(true);
        let ran = tokio::time::timeout(COMMAND, command.output()).await;
        let ran =
            ran.map_err(|_| Failed::refused(format!("`switchboard {}` does not end", words.join(" "))))?;
        let ran = ran.map_err(|error| refused(&error))?;
        if !ran.status.success() {
            let errors = String::from_utf8_lossy(&ran.stderr);
            return Err(Failed::refused(format!("`switchboard {}`: {}", words.join(" "), errors.trim())));
        }
        Ok(serde_json::from_slice(&ran.stdout).unwrap_or_default())
    }

    async fn backup(&self) -> Result<Value, Failed> {
        let made = self.own(&["backup", "create", "--json"], &self.data_dir, &[]).await?;
        let folder = self.data_dir.join(self.settings()?.backup.folder);
        let name = made["name"].as_str().unwrap_or_default();
        Ok(json!({ "file": folder.join(name), "bytes": made["bytes"] }))
    }

    /// The backup that is tried on the new side; the settings and keys are tried with it.
    async fn first_backup(&self) -> Result<Value, Failed> {
        let made = self.backup().await?;
        let (file, kept) = (made["file"].as_str().unwrap_or_default(), self.data_dir.join(moving::BACKUP));
        let _ = fs::remove_file(&kept);
        fs::hard_link(file, &kept)
            .or_else(|_| fs::copy(file, &kept).map(drop))
            .map_err(|error| refused(&error))?;
        Ok(made)
    }

    async fn environment(&self, order: &Order) -> Result<Value, Failed> {
        let (data_dir, file) = (self.data_dir.clone(), self.settings_file.clone());
        let (given, key, variables) = (order.given.clone(), self.master_key()?, self.variables.clone());
        let work = move || {
            if let Some(to) = given["recipient"].as_str() {
                let settings = Some(&file).filter(|file| file.exists());
                let parcel = environment::gather(key, settings, &variables)?;
                let sealed = moving::seal(&parcel, to).map_err(|error| refused(&error))?;
                let files: Vec<&str> = parcel.files.iter().map(|file| file.path.as_str()).collect();
                let variables: Vec<&String> = parcel.environment.keys().collect();
                let what =
                    json!({ "files": files, "variables": variables, "settings": parcel.settings.is_some() });
                return Ok(json!({ "sealed": STANDARD.encode(sealed), "what": what }));
            }
            let Some(sealed) = given["sealed"].as_str() else {
                return Ok(json!({ "recipient": environment::recipient(&data_dir)? }));
            };
            let sealed = STANDARD.decode(sealed).map_err(|error| refused(&error))?;
            let parcel = environment::open(&data_dir, &sealed, given["key"].as_str())?;
            let placed = environment::settle(&data_dir, &file, &parcel)?;
            environment::forget_recipient(&data_dir);
            Ok(json!({ "placed": placed }))
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| refused(&error))?
    }

    /// The backup is put back in a folder of its own, with the settings and the key that came: nothing connects with a session.
    async fn check(&self, journal: &Journal) -> Result<Value, Failed> {
        let settings = self.settings()?;
        let folder = self.data_dir.join(moving::FOLDER).join(REHEARSAL);
        let tried = self.rehearse(&folder, journal).await;
        let _ = fs::remove_dir_all(&folder);
        let accounts = tried?;
        let centres = settings.telegram.data_centres.iter().map(|centre| centre.address);
        let mut reached = Vec::new();
        for address in centres {
            let tried =
                tokio::time::timeout(Duration::from_secs(10), tokio::net::TcpStream::connect(address)).await;
            if !matches!(tried, Ok(Ok(_))) {
                return Err(Failed::refused(format!(
                    "Telegram cannot be reached at {address} from the new side"
                )));
            }
            reached.push(address.to_string());
        }
        Ok(json!({ "accounts": accounts, "reached": reached }))
    }

    async fn rehearse(&self, folder: &Path, journal: &Journal) -> Result<usize, Failed> {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).map_err(|error| refused(&error))?;
        let key = self.master_key()?;
        let restore = backup::Restore {
            file: moving::incoming(&self.data_dir).join(moving::BACKUP),
            places: backup::Places {
                data_dir: folder.to_owned(),
                database: folder.join("switchboard.db"),
                backups: folder.join("backups"),
            },
            master_key: key.beside(&self.data_dir),
            waiting: backup::Waiting::Hold,
            identity: None,
            clock: self.clock.clone(),
        };
        let ready = restore.prepare().await.map_err(|error| refused(&error))?;
        ready.put_in_place().await.map_err(|error| refused(&error))?;
        test_build::mark(folder).map_err(|error| broken(&error))?;
        if self.data_dir.join("master.key").exists() {
            fs::hard_link(self.data_dir.join("master.key"), folder.join("master.key"))
                .map_err(|error| refused(&error))?;
        }
        let at = [("SWITCHBOARD_STORE__URL", "sqlite:switchboard.db")];
        let listed = self.own(&["account", "list", "--json"], folder, &at).await?;
        let listed = listed["items"].as_array().cloned().unwrap_or_default();
        for AccountFact { name, state } in audited(journal) {
            let Some(found) = listed.iter().find(|account| account["name"] == name) else {
                return Err(Failed::refused(format!(
                    "the account {name} is not in what came over; do the settings name it?"
                )));
            };
            if state == "ready" && (found["state"] == "needs_login" || found["state"] == "error") {
                let why = found["detail"].as_str().unwrap_or_default();
                return Err(Failed::refused(format!(
                    "the session of {name} cannot be read on the new side: {why}"
                )));
            }
        }
        Ok(listed.len())
    }

    async fn install(&self, choices: &Choices) -> Result<Value, Failed> {
        let Some(unit) = &choices.unit else { return Ok(json!({ "unit": null })) };
        let name = unit.strip_suffix(".service").unwrap_or(unit);
        let file = self.settings_file.with_file_name(environment::VARIABLES);
        let file = file.to_string_lossy().into_owned();
        let mut words = vec!["service", "install", "--no-start", "--name", name];
        if Path::new(&file).exists() {
            words.extend(["--environment-file", &file]);
        }
        self.own(&words, &self.data_dir, &[]).await?;
        Ok(json!({ "unit": unit }))
    }

    pub(super) async fn stop(&self, unit: Option<&str>) -> Result<(), Failed> {
        server::stop(&self.data_dir, unit, &self.clock).await
    }

    /// Gives the sessions to the holder of a fence; the server is stopped first, however it was started.
    async fn give(&self, fence: &Fence, one_by_one: &[AccountName]) -> Result<Value, Failed> {
        self.stop(None).await?;
        let settings = self.settings()?;
        let key = self.master_key()?;
        let opened = up::open_store_with(&settings, &self.data_dir, self.clock.clone(), key).await;
        let store = match opened {
            Ok(store) => store,
            Err(error) => match error.downcast_ref() {
                // It was given before, and a kill came between.
                Some(OpenError::GivenUp { fence: known, .. }) if known.number >= fence.number => {
                    store::remember_fence(&self.data_dir, fence).map_err(|error| refused(&error))?;
                    return Ok(json!({ "number": fence.number, "holder": fence.holder.name }));
                }
                Some(OpenError::InUse { .. } | OpenError::DatabaseInUse { .. } | OpenError::Held { .. }) => {
                    return Err(Failed::passing(format!("{error:#}")));
                }
                _ => return Err(broken(&error)),
            },
        };
        let given = store.fences().give(fence, one_by_one).await;
        store.close().await;
        given.map_err(|error| refused(&error))?;
        store::remember_fence(&self.data_dir, fence).map_err(|error| refused(&error))?;
        Ok(json!({ "number": fence.number, "holder": fence.holder.name, "accounts": one_by_one.len() }))
    }

    /// The same before the database goes over: all that was committed is in it, the fence too.
    async fn give_whole(&self, fence: &Fence, one_by_one: &[AccountName]) -> Result<Value, Failed> {
        let given = self.give(fence, one_by_one).await?;
        if !Self::is_on_server(&self.settings()?) {
            let database = self.data_dir.join(self.database()?);
            if moving::has_log(&database).map_err(|error| refused(&error))? {
                let what = format!("another program reads {}; end it", database.display());
                return Err(Failed::passing(what));
            }
        }
        Ok(given)
    }

    async fn place(&self, journal: &Journal) -> Result<Value, Failed> {
        let placed = self.put_in_place(format!("replaced-{}", journal.id)).await?;
        store::remember_fence(&self.data_dir, &journal.fence_there()).map_err(|error| refused(&error))?;
        Ok(placed)
    }

    async fn place_back(&self, journal: &Journal) -> Result<Value, Failed> {
        self.stop(None).await?;
        let placed = self.put_in_place(format!("replaced-{}-back", journal.id)).await?;
        store::remember_fence(&self.data_dir, &journal.fence_back()).map_err(|error| refused(&error))?;
        Ok(placed)
    }

    async fn put_in_place(&self, replaced: String) -> Result<Value, Failed> {
        let (data_dir, database) = (self.data_dir.clone(), self.database()?);
        let is_on_server = Self::is_on_server(&self.settings()?);
        let work = move || {
            let lock =
                store::lock_directory(&data_dir).map_err(|error| Failed::passing(error.to_string()))?;
            test_build::mark(&data_dir).map_err(|error| broken(&error))?;
            let files =
                moving::put_in_place(&data_dir, &database, &replaced).map_err(|error| refused(&error))?;
            if !is_on_server {
                store::remember_database(&data_dir, &data_dir.join(&database))
                    .map_err(|error| refused(&error))?;
            }
            drop(lock);
            Ok(json!({ "files": files }))
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| refused(&error))?
    }

    async fn renounce(&self, fence: &Fence, choices: &Choices) -> Result<Value, Failed> {
        self.stop(choices.unit.as_deref()).await?;
        store::remember_fence(&self.data_dir, fence).map_err(|error| refused(&error))?;
        moving::clear(&self.data_dir).map_err(|error| refused(&error))?;
        Ok(json!({ "number": fence.number, "holder": fence.holder.name }))
    }

    pub(super) async fn start(&self, choices: &Choices) -> Result<Value, Failed> {
        if let Some(unit) = &choices.unit {
            self.start_unit(unit).await?;
            return Ok(json!({ "unit": unit }));
        }
        let mut words = vec!["up".to_owned(), "--data-dir".to_owned(), self.data_dir.display().to_string()];
        if self.settings_file.exists() {
            words.extend(["--config".to_owned(), self.settings_file.display().to_string()]);
        }
        words.extend(choices.listen.iter().flat_map(|listen| ["--listen".to_owned(), listen.clone()]));
        self.run_server(words).await
    }

    async fn restart(&self, journal: &Journal) -> Result<Value, Failed> {
        let before = journal.facts(Step::AuditOld);
        if before["store"] != StoreFact::Served.as_str() {
            return Ok(json!({ "was_running": false }));
        }
        if let Some(unit) = before["unit"].as_str() {
            self.start_unit(unit).await?;
            return Ok(json!({ "unit": unit, "report": self.report(journal, &[]).await }));
        }
        let words = before["started_with"].as_array().into_iter().flatten().skip(1).filter_map(Value::as_str);
        self.run_server(words.filter(|word| !up::ONCE.contains(word)).map(str::to_owned).collect()).await?;
        Ok(json!({ "pid": server::holder(&self.data_dir), "report": self.report(journal, &[]).await }))
    }

    /// Starts a service on what root may have written.
    async fn start_unit(&self, unit: &str) -> Result<(), Failed> {
        moving::adopt(&self.data_dir).map_err(|error| refused(&error))?;
        server::start_unit(&self.data_dir, unit, &self.clock).await
    }

    async fn run_server(&self, words: Vec<String>) -> Result<Value, Failed> {
        let environment = self.variables.clone().into_iter().collect();
        server::Start { data_dir: &self.data_dir, words, environment }.run(&self.clock).await?;
        Ok(json!({ "pid": server::holder(&self.data_dir) }))
    }

    /// The old side keeps its data as an archive, without what opens them.
    async fn retire(&self, order: &Order) -> Result<Value, Failed> {
        let journal = &order.journal;
        self.stop(None).await?;
        if let Some(unit) = journal.facts(Step::AuditOld)["unit"].as_str() {
            Systemd::of_machine().at_boot(unit, false).await.map_err(|error| refused(&error))?;
        }
        sources::forget(&self.data_dir).map_err(|error| refused(&error))?;
        let (mut wiped, mut kept) = (Vec::new(), Vec::new());
        let parcel = &journal.facts(Step::Environment)["parcel"];
        let folder = self.settings_file.parent().unwrap_or(Path::new(""));
        let named = parcel["files"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let mut files = vec![self.data_dir.join("master.key")];
        if let Some(unit) = &self.unit
            && let Ok(given) = Systemd::of_machine().given(unit).await
        {
            files.extend(given.credentials.into_iter().map(|(_, file)| file).chain(given.environment));
        }
        if parcel["settings"] == true {
            files.extend(named.map(|file| folder.join(file)));
            files.push(self.settings_file.clone());
        }
        let choices = Choices::of(&journal.choices);
        let of_new_side = used_files::of_new_side(journal, &order.given, choices.unit.as_deref()).await;
        for file in files {
            if used_files::is_among(&file, &of_new_side) {
                kept.push(file.display().to_string());
            } else if wipe(&file).map_err(|error| Failed::refused(format!("{}: {error}", file.display())))? {
                wiped.push(file.display().to_string());
            }
        }
        Ok(
            json!({ "wiped": wiped, "kept": kept, "archive": journal.facts(Step::LastBackup)["file"], "data": self.data_dir }),
        )
    }

    async fn clear(&self, journal: &Journal, choices: &Choices) -> Result<Value, Failed> {
        moving::clear(&self.data_dir).map_err(|error| refused(&error))?;
        environment::forget_recipient(&self.data_dir);
        if journal.progress.is_begun(Step::Install)
            && let Some(unit) = &choices.unit
        {
            let name = unit.strip_suffix(".service").unwrap_or(unit);
            let gone = Systemd::of_machine().uninstall(name).await.map_err(|error| refused(&error))?;
            return Ok(json!({ "removed": gone.removed }));
        }
        Ok(Value::Null)
    }
}

/// Overwrites a file and removes it; false where there is none. A file system that writes elsewhere keeps what was there.
fn wipe(file: &Path) -> std::io::Result<bool> {
    use std::io::Write as _;
    let length = match fs::metadata(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        metadata => metadata?.len(),
    };
    let mut opened = fs::OpenOptions::new().write(true).open(file)?;
    opened.write_all(&vec![0; usize::try_from(length).unwrap_or(0)])?;
    opened.sync_all()?;
    fs::remove_file(file)?;
    Ok(true)
}
