//! What a side finds out about itself: stage 1 of a move.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use config::{References, Settings};
use hyper::Method;
use moving::{AccountFact, Audit, Failed, PortFact, StoreFact};
use serde_json::{Value, json};
use systemd::Systemd;

use super::choices::Choices;
use super::server;
use super::side::{SideWork, refused};
use crate::machine;

/// How many flows are tried at most: each asks Telegram for messages.
const MOST_FLOWS: usize = 5;

/// Credentials of a service are nowhere but there.
const CREDENTIALS: &str = "/run/credentials/";

impl SideWork {
    pub(super) async fn audit(&self, given: Option<&Value>, choices: &Choices) -> Result<Value, Failed> {
        let settings = match self.settings() {
            // On a new side they may come with the move.
            Err(_) if given.is_some() && !self.settings_file.exists() => Settings::default(),
            settings => settings?,
        };
        let is_on_server = Self::is_on_server(&settings);
        let pid = server::holder(&self.data_dir);
        let database = self.database()?;
        let fence = store::remembered_fence(&self.data_dir).map_err(|error| refused(&error))?;
        let own = store::recorded_side(&self.data_dir).map_err(|error| refused(&error))?;
        let is_given_up = fence.is_some_and(|fence| own.is_some_and(|own| own.id != fence.holder.id));
        let store = match pid {
            Some(_) => StoreFact::Served,
            None if is_given_up => StoreFact::GivenUp,
            None if is_on_server && given.is_none() => StoreFact::AtRest,
            None if !is_on_server && self.data_dir.join(&database).exists() => StoreFact::AtRest,
            None => StoreFact::None,
        };
        let mut notes = Vec::new();
        let (mut accounts, mut measured) = (Vec::new(), None);
        let (mut flows, mut rehearsed) = (BTreeMap::new(), BTreeMap::new());
        if given.is_none() && matches!(store, StoreFact::Served | StoreFact::AtRest) {
            accounts = self.accounts().await?;
        }
        if given.is_none() && pid.is_some() {
            measured = Some(self.measure().await?);
            flows = self.try_flows().await;
            rehearsed = self.rehearse_flows().await?;
        }
        if given.is_some() && !self.settings_file.exists() {
            notes.push(format!("the settings come from the old side, to {}", self.settings_file.display()));
        }
        let (secrets, secrets_missing) = match given {
            None => self.secrets()?,
            Some(_) => (0, Vec::new()),
        };
        let audit = Audit {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            machine: machine::name(),
            network: name_of_space("net"),
            file_systems: file_systems(),
            data_dir: self.data_dir.display().to_string(),
            settings_file: Some(&self.settings_file)
                .filter(|file| file.exists())
                .map(|file| file.display().to_string()),
            at: self.clock.now(),
            store,
            data_bytes: moving::bytes_that_move(&self.data_dir).map_err(|error| refused(&error))?,
            links: match given {
                None => self.links()?,
                Some(_) => Vec::new(),
            },
            free_bytes: free(&self.data_dir),
            memory_bytes: memory(),
            system: system(),
            systemd: Systemd::of_machine().version().await.ok(),
            secrets,
            secrets_missing,
            measured,
            server_pid: pid,
            unit: match pid {
                Some(pid) => server::unit_of(pid).await,
                None => None,
            },
            started_with: pid.map(server::started_with).unwrap_or_default(),
            ports: ports(&settings, given, choices, self.settings_file.exists()),
            accounts,
            flows,
            rehearsed,
            packages: super::packages::installed().await,
            is_on_server,
            notes,
        };
        serde_json::to_value(audit).map_err(|error| refused(&error))
    }

    /// Links in the data directory that keep something from moving. Settings and what they name move in another way.
    fn links(&self) -> Result<Vec<String>, Failed> {
        let mut links = moving::links(&self.data_dir).map_err(|error| refused(&error))?;
        let named = References::of(&self.settings_file).map(|found| found.files).unwrap_or_default();
        let folder = self.settings_file.parent().unwrap_or(Path::new(""));
        let moves =
            |file: &Path| file == self.settings_file || named.iter().any(|name| folder.join(name) == file);
        links.retain(|link| !moves(&self.data_dir.join(link)));
        Ok(links)
    }

    /// All accounts, the least important first.
    async fn accounts(&self) -> Result<Vec<AccountFact>, Failed> {
        let listed = self.own(&["account", "list", "--json"], &self.data_dir, &[]).await?;
        let mut listed = listed["items"].as_array().cloned().unwrap_or_default();
        listed.sort_by_key(|account| std::cmp::Reverse(account["priority"].as_u64()));
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(listed
            .iter()
            .map(|account| AccountFact { name: word(&account["name"]), state: word(&account["state"]) })
            .collect())
    }

    /// How many secrets the settings refer to, and what is wrong with those that cannot move.
    fn secrets(&self) -> Result<(u64, Vec<String>), Failed> {
        if !self.settings_file.exists() {
            return Ok((0, Vec::new()));
        }
        let References { files, variables } =
            References::of(&self.settings_file).map_err(|error| refused(&error))?;
        let folder = self.settings_file.parent().unwrap_or(Path::new(""));
        let mut wrong = Vec::new();
        for file in &files {
            if file.starts_with(CREDENTIALS) {
                wrong.push(format!(
                    "{file} is a credential, which the service manager gives to the service alone: keep it in a file with mode \
                     0600, name that, and it moves; as it is, it cannot be taken along"
                ));
            } else if !folder.join(file).exists() {
                wrong.push(format!("{file} is not there"));
            }
        }
        for name in &variables {
            if !self.variables.contains_key(name) && std::env::var_os(name).is_none() {
                wrong.push(format!("the variable {name} is not set"));
            }
        }
        Ok(((files.len() + variables.len()) as u64, wrong))
    }

    /// Dry runs of flows that watch: how many presses each would do on the messages that there are. One that cannot be tried now is
    /// not tried on the new side either.
    async fn try_flows(&self) -> BTreeMap<String, u64> {
        let listed = self.call(Method::GET, "/v1/flows?limit=200", None).await.unwrap_or_default();
        let watches = |flow: &&Value| {
            let mut on = flow["accounts"].as_array().into_iter().flatten();
            on.any(|on| matches!(on["state"].as_str(), Some("watching" | "running")))
        };
        let mut tried = BTreeMap::new();
        for flow in listed["items"].as_array().into_iter().flatten().filter(watches).take(MOST_FLOWS) {
            let name = flow["name"].as_str().unwrap_or_default();
            if let Ok(presses) = self.try_flow(name).await {
                tried.insert(name.to_owned(), presses);
            }
        }
        tried
    }

    /// What a flow would press on the newest messages of its chat; nothing is pressed.
    pub(super) async fn try_flow(&self, name: &str) -> Result<u64, Failed> {
        let path = format!("/v1/flows/{name}/dry-run");
        Ok(presses(&self.call(Method::POST, &path, None).await?))
    }

    /// How many buttons each flow presses on messages that are made of itself; without those of which none can be made. No bot
    /// hears of it.
    pub(super) async fn rehearse_flows(&self) -> Result<BTreeMap<String, u64>, Failed> {
        let listed = self.call(Method::GET, "/v1/flows?limit=200", None).await?;
        let mut rehearsed = BTreeMap::new();
        for flow in listed["items"].as_array().into_iter().flatten() {
            let name = flow["name"].as_str().unwrap_or_default();
            let path = format!("/v1/flows/{name}/simulate");
            if let Ok(simulation) = self.call(Method::POST, &path, Some(&json!({}))).await {
                rehearsed.insert(name.to_owned(), presses(&simulation));
            }
        }
        Ok(rehearsed)
    }
}

fn presses(simulation: &Value) -> u64 {
    let messages = simulation["messages"].as_array().into_iter().flatten();
    let moments = messages.flat_map(|message| message["timeline"].as_array().into_iter().flatten());
    moments.filter(|moment| moment["stage"] == "pressed").count() as u64
}

/// The operating system and its kernel.
fn system() -> String {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{}, Linux {}", name.unwrap_or("unknown").trim_matches('"'), kernel.trim())
}

/// A name of the mounts that this process sees: under one path, two with the same name find the same file.
pub(super) fn file_systems() -> String {
    name_of_space("mnt")
}

/// A name of a namespace that this process is in.
fn name_of_space(kind: &str) -> String {
    let machine = fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let space = fs::read_link(Path::new("/proc/self/ns").join(kind)).unwrap_or_default();
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
        let legacy = settings.legacy.addresses().map(|(address, _)| address);
        std::iter::once(settings.listen).chain(legacy).collect()
    };
    if let (Some(listen), Some(first)) =
        (choices.listen.as_deref().and_then(|listen| listen.parse().ok()), addresses.first_mut())
    {
        *first = listen;
    }
    addresses.into_iter().map(fact).collect()
}
