//! The steps of a side: what `moving` asks for, done with the store, the server and the settings of a data directory.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use ambient::Clock;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use config::{Settings, StoreUrl};
use domain::AccountName;
use hyper::Method;
use moving::{AccountFact, Audit, Failed, Journal, Order, Performer, PortFact, Step, StoreFact};
use serde_json::{Value, json};
use store::{Fence, OpenError};
use tokio::process::Command;

use super::choices::Choices;
use super::{environment, opening, server};
use crate::api_client::ApiClient;
use crate::{Location, control, machine, test_build};

/// How long a command of this program may take.
const COMMAND: Duration = Duration::from_hours(2);

/// How long one call to the server may take.
const CALL: Duration = Duration::from_mins(2);

/// The folder that a backup is tried in.
const REHEARSAL: &str = "rehearsal";

/// A side: a data directory with its settings.
pub(super) struct SideWork {
    location: Location,
    data_dir: PathBuf,
    settings_file: PathBuf,
    clock: Clock,
}

fn refused(error: &dyn std::fmt::Display) -> Failed {
    Failed::refused(error.to_string())
}

fn broken(error: &anyhow::Error) -> Failed {
    Failed::refused(format!("{error:#}"))
}

impl Performer for SideWork {
    async fn perform(&mut self, step: Step, order: &Order) -> Result<Value, Failed> {
        let journal = &order.journal;
        let choices = Choices::of(&journal.choices);
        match step {
            Step::AuditOld => self.audit(None, &Choices::default()).await,
            Step::AuditNew => self.audit(Some(&order.given), &choices).await,
            Step::FirstBackup => self.first_backup().await,
            Step::LastBackup => self.backup().await,
            Step::Environment => self.environment(order).await,
            Step::Check => self.check(journal).await,
            Step::Install => self.install(&choices).await,
            Step::Stop => self.stop(None).await.map(|()| Value::Null),
            Step::StopNew => self.stop(choices.unit.as_deref()).await.map(|()| Value::Null),
            Step::GiveUp => self.give(&journal.fence_there(), &accounts_of(journal)).await,
            Step::Place => self.place(journal).await,
            Step::GiveBack => {
                // A kill may have left it half in place.
                self.stop(choices.unit.as_deref()).await?;
                self.place(journal).await?;
                self.give(&journal.fence_back(), &[]).await
            }
            Step::PlaceBack => self.place_back(journal).await,
            Step::Renounce => self.renounce(&journal.fence_back(), &choices).await,
            Step::TakeBack => {
                let fence = journal.fence_back();
                store::remember_fence(&self.data_dir, &fence).map_err(|error| refused(&error))?;
                self.give(&fence, &[]).await
            }
            Step::Start => self.start(&choices).await,
            Step::Restart => self.restart(journal).await,
            Step::Open => opening::open_all(&self.data_dir, journal, &self.clock).await,
            Step::Validate => opening::validate(&self.data_dir, journal, &choices, &self.clock).await,
            Step::Monitor => self.monitor(&choices).await,
            Step::Compare => self.compare(journal).await,
            Step::Retire => self.retire(journal).await,
            Step::Clear => self.clear(journal, &choices).await,
            Step::Transfer | Step::TransferRest | Step::TransferBack => {
                Err(Failed::refused("files are asked for one by one"))
            }
        }
    }

    fn settings_file(&self) -> Option<PathBuf> {
        Some(self.settings_file.clone())
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
        Ok(Self { location, data_dir, settings_file, clock })
    }

    /// The settings; those that came with a move may name variables, which came with them.
    fn settings(&self) -> Result<Settings, Failed> {
        let file = Some(&self.settings_file).filter(|file| file.exists());
        let came = environment::variables(&self.settings_file);
        let variables = came.into_iter().chain(crate::location::environment());
        Settings::load(file.map(PathBuf::as_path), variables).map_err(|error| refused(&error))
    }

    fn is_on_server(settings: &Settings) -> bool {
        matches!(settings.store.url, StoreUrl::Postgres(_))
    }

    /// The database within the data directory.
    fn database(&self) -> Result<PathBuf, Failed> {
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

    async fn audit(&self, given: Option<&Value>, choices: &Choices) -> Result<Value, Failed> {
        let settings = match self.settings() {
            // On a new side they may come with the move.
            Err(_) if given.is_some() && !self.settings_file.exists() => Settings::default(),
            settings => settings?,
        };
        let is_on_server = Self::is_on_server(&settings);
        let pid = server::holder(&self.data_dir);
        let database = self.database()?;
        let fence = store::remembered_fence(&self.data_dir).map_err(|error| refused(&error))?;
        let own = store::known_side(&self.data_dir).map_err(|error| refused(&error))?;
        let is_given_up = fence.is_some_and(|fence| own.is_some_and(|own| own.id != fence.holder.id));
        let store = match pid {
            Some(_) => StoreFact::Served,
            None if is_given_up => StoreFact::GivenUp,
            None if is_on_server && given.is_none() => StoreFact::AtRest,
            None if !is_on_server && self.data_dir.join(&database).exists() => StoreFact::AtRest,
            None => StoreFact::None,
        };
        let mut notes = Vec::new();
        let begun = Instant::now();
        let (mut accounts, mut answer_ms) = (Vec::new(), None);
        if given.is_none() && matches!(store, StoreFact::Served | StoreFact::AtRest) {
            accounts = self.accounts().await?;
            let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            answer_ms = Some(took).filter(|_| pid.is_some());
        }
        if given.is_some() && !self.settings_file.exists() {
            notes.push(format!("the settings come from the old side, to {}", self.settings_file.display()));
        }
        let audit = Audit {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            machine: machine::name(),
            network: network(),
            data_dir: self.data_dir.display().to_string(),
            settings_file: Some(&self.settings_file)
                .filter(|file| file.exists())
                .map(|file| file.display().to_string()),
            at: self.clock.now(),
            store,
            data_bytes: moving::bytes_that_move(&self.data_dir).map_err(|error| refused(&error))?,
            free_bytes: free(&self.data_dir),
            memory_bytes: memory(),
            server_bytes: pid.and_then(|pid| ::machine::resident(&::machine::Root::default(), pid)),
            server_pid: pid,
            unit: match pid {
                Some(pid) => server::unit_of(pid).await,
                None => None,
            },
            started_with: pid.map(server::started_with).unwrap_or_default(),
            ports: ports(&settings, given, choices, self.settings_file.exists()),
            accounts,
            answer_ms,
            is_on_server,
            notes,
        };
        serde_json::to_value(audit).map_err(|error| refused(&error))
    }

    /// All accounts, the least important first.
    async fn accounts(&self) -> Result<Vec<AccountFact>, Failed> {
        let api = ApiClient::open(&self.location).await.map_err(|error| broken(&error))?;
        let listed = api.list("/v1/accounts?limit=200").await;
        api.close().await;
        let mut listed = listed.map_err(|error| broken(&error))?;
        listed.sort_by_key(|account| std::cmp::Reverse(account["priority"].as_u64()));
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(listed
            .iter()
            .map(|account| AccountFact { name: word(&account["name"]), state: word(&account["state"]) })
            .collect())
    }

    /// Runs a command of this program on the data directory, or another one; what it printed as JSON.
    async fn own(&self, words: &[&str], data_dir: &Path, more: &[(&str, &str)]) -> Result<Value, Failed> {
        let program = std::env::current_exe().map_err(|error| refused(&error))?;
        let mut command = Command::new(program);
        command.args(words).arg("--data-dir").arg(data_dir);
        if self.settings_file.exists() {
            command.arg("--config").arg(&self.settings_file);
        }
        command.envs(environment::variables(&self.settings_file)).envs(more.iter().copied());
        command.env_remove("FAILPOINT").stdin(Stdio::null()).kill_on_drop(true);
        let ran = tokio::time::timeout(COMMAND, command.output()).await;
        let ran =
            ran.map_err(|_| Failed::refused(format!("`switchboard {}` does not end", words.join(" "))))?;
        let ran = ran.map_err(|error| refused(&error))?;
        if !ran.status.success() {
            let said = String::from_utf8_lossy(&ran.stderr);
            return Err(Failed::refused(format!("`switchboard {}`: {}", words.join(" "), said.trim())));
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
        let given = order.given.clone();
        let work = move || {
            if let Some(to) = given["recipient"].as_str() {
                let settings = Some(&file).filter(|file| file.exists());
                let parcel = environment::gather(&data_dir, settings)?;
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
            let parcel = environment::open(&data_dir, &sealed)?;
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
        let key = super::super::up::master_key(&self.data_dir).map_err(|error| broken(&error))?;
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

    async fn stop(&self, unit: Option<&str>) -> Result<(), Failed> {
        server::stop(&self.data_dir, unit, &self.clock).await
    }

    /// Gives the sessions to the holder of a fence; the server is stopped first, however it was started.
    async fn give(&self, fence: &Fence, one_by_one: &[AccountName]) -> Result<Value, Failed> {
        self.stop(None).await?;
        let settings = self.settings()?;
        let opened = super::super::up::open_store(&settings, &self.data_dir, self.clock.clone()).await;
        let store = match opened {
            Ok(store) => store,
            Err(error) => match error.downcast_ref() {
                // It was given before, and a kill came between.
                Some(OpenError::GivenUp { fence: known, .. }) if known.number >= fence.number => {
                    store::remember_fence(&self.data_dir, fence).map_err(|error| refused(&error))?;
                    return Ok(json!({ "number": fence.number, "holder": fence.holder.name }));
                }
                Some(OpenError::InUse { .. } | OpenError::Held { .. }) => {
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

    async fn place(&self, journal: &Journal) -> Result<Value, Failed> {
        self.put_in_place(format!("replaced-{}", journal.id)).await
    }

    async fn place_back(&self, journal: &Journal) -> Result<Value, Failed> {
        self.stop(None).await?;
        self.put_in_place(format!("replaced-{}-back", journal.id)).await
    }

    async fn put_in_place(&self, replaced: String) -> Result<Value, Failed> {
        let (data_dir, database) = (self.data_dir.clone(), self.database()?);
        let work = move || {
            let lock =
                store::lock_directory(&data_dir).map_err(|error| Failed::passing(error.to_string()))?;
            test_build::mark(&data_dir).map_err(|error| broken(&error))?;
            let files =
                moving::put_in_place(&data_dir, &database, &replaced).map_err(|error| refused(&error))?;
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

    async fn start(&self, choices: &Choices) -> Result<Value, Failed> {
        if let Some(unit) = &choices.unit {
            server::start_unit(&self.data_dir, unit, &self.clock).await?;
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
            server::start_unit(&self.data_dir, unit, &self.clock).await?;
            return Ok(json!({ "unit": unit }));
        }
        let words = before["started_with"].as_array().into_iter().flatten().skip(1);
        self.run_server(words.filter_map(Value::as_str).map(str::to_owned).collect()).await
    }

    async fn run_server(&self, words: Vec<String>) -> Result<Value, Failed> {
        let environment = environment::variables(&self.settings_file).into_iter().collect();
        server::Start { data_dir: &self.data_dir, words, environment }.run(&self.clock).await?;
        Ok(json!({ "pid": server::holder(&self.data_dir) }))
    }

    /// What watches over the new side from now on; nothing of it is made up here.
    async fn monitor(&self, choices: &Choices) -> Result<Value, Failed> {
        let settings = self.settings()?;
        let targets = self.get("/v1/alert-targets").await.unwrap_or_default();
        let at_boot = match &choices.unit {
            Some(unit) => systemd::Systemd::of_machine().status(unit).await.ok().map(|status| status.at_boot),
            None => None,
        };
        Ok(json!({
            "log_kept_for": config::format_duration(settings.log.keep),
            "log_budget": settings.log.budget,
            "alert_targets": targets["items"].as_array().map_or(0, Vec::len),
            "at_boot": at_boot,
        }))
    }

    /// What the new side does beside what the old one did.
    async fn compare(&self, journal: &Journal) -> Result<Value, Failed> {
        let old = journal.facts(Step::AuditOld);
        let begun = Instant::now();
        let accounts = self.accounts().await?;
        let answer_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let pid = server::holder(&self.data_dir);
        let bytes = pid.and_then(|pid| ::machine::resident(&::machine::Root::default(), pid));
        Ok(json!({
            "answer_ms": { "old": old["answer_ms"], "new": answer_ms },
            "server_bytes": { "old": old["server_bytes"], "new": bytes },
            "accounts": accounts,
            "downtime": moving::downtime(journal),
        }))
    }

    /// The old side keeps its data as an archive, without what opens them.
    async fn retire(&self, journal: &Journal) -> Result<Value, Failed> {
        self.stop(None).await?;
        if let Some(unit) = journal.facts(Step::AuditOld)["unit"].as_str() {
            systemd::Systemd::of_machine().at_boot(unit, false).await.map_err(|error| refused(&error))?;
        }
        let mut wiped = Vec::new();
        let parcel = &journal.facts(Step::Environment)["parcel"];
        let folder = self.settings_file.parent().unwrap_or(Path::new(""));
        let named = parcel["files"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let mut files = vec![self.data_dir.join("master.key")];
        let new = journal.facts(Step::AuditNew);
        let is_shared =
            new["network"] == network() && new["settings_file"] == *self.settings_file.to_string_lossy();
        if parcel["settings"] == true && !is_shared {
            files.extend(named.map(|file| folder.join(file)));
            files.push(self.settings_file.clone());
        }
        for file in files {
            if wipe(&file).map_err(|error| Failed::refused(format!("{}: {error}", file.display())))? {
                wiped.push(file.display().to_string());
            }
        }
        Ok(
            json!({ "wiped": wiped, "archive": journal.facts(Step::LastBackup)["file"], "data": self.data_dir }),
        )
    }

    async fn clear(&self, journal: &Journal, choices: &Choices) -> Result<Value, Failed> {
        moving::clear(&self.data_dir).map_err(|error| refused(&error))?;
        environment::forget_recipient(&self.data_dir);
        if journal.progress.is_begun(Step::Install)
            && let Some(unit) = &choices.unit
        {
            let name = unit.strip_suffix(".service").unwrap_or(unit);
            let gone =
                systemd::Systemd::of_machine().uninstall(name).await.map_err(|error| refused(&error))?;
            return Ok(json!({ "removed": gone.removed }));
        }
        Ok(Value::Null)
    }

    async fn get(&self, path: &str) -> Result<Value, Failed> {
        let server = control::running(&self.data_dir).await.map_err(|error| broken(&error))?;
        server.call_within(CALL, Method::GET, path, None).await.map_err(|error| broken(&error))
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

/// A name of the network that this process is in: two with the same one share their ports.
fn network() -> String {
    let machine = fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let space = fs::read_link("/proc/self/ns/net").unwrap_or_default();
    format!("{} {} {}", machine.trim(), boot.trim(), space.display())
}

/// What is free where a folder is, or will be, in bytes.
fn free(folder: &Path) -> u64 {
    let there = folder.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/"));
    rustix::fs::statvfs(there).map_or(0, |stat| stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// All of the machine's memory, in bytes.
fn memory() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kilobytes.unwrap_or(0).saturating_mul(1024)
}

/// Where the server listens or will listen, and who has these addresses.
fn ports(settings: &Settings, given: Option<&Value>, choices: &Choices, has_settings: bool) -> Vec<PortFact> {
    let fact = |address: SocketAddr| {
        let holder = if given.is_some() && address.port() != 0 {
            let is_taken = match std::net::TcpListener::bind(address) {
                Ok(_) => None,
                Err(error) => Some(error.to_string()),
            };
            is_taken.map(|why| (::machine::holder(address), why))
        } else {
            None
        };
        PortFact {
            address: address.to_string(),
            taken: holder.is_some(),
            pid: holder.as_ref().and_then(|(holder, _)| holder.as_ref().map(|holder| holder.pid)),
            by: holder.map(|(holder, why)| holder.map_or(why, |holder| holder.to_string())),
        }
    };
    let old_ones = given.filter(|_| !has_settings).and_then(|given| given["ports"].as_array());
    let mut addresses: Vec<SocketAddr> = if let Some(ports) = old_ones {
        ports.iter().filter_map(|port| port["address"].as_str()?.parse().ok()).collect()
    } else {
        let legacy = settings.legacy.ports.iter().map(|port| SocketAddr::new(port.listen, port.port));
        std::iter::once(settings.listen).chain(legacy).collect()
    };
    if let (Some(listen), Some(first)) =
        (choices.listen.as_deref().and_then(|listen| listen.parse().ok()), addresses.first_mut())
    {
        *first = listen;
    }
    addresses.into_iter().map(fact).collect()
}
