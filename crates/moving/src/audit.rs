//! What each side is found to be before a move, and what of it keeps the move from beginning.

use std::collections::BTreeMap;

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::measure::Measured;

/// What stays free beside what comes over, in bytes.
const MARGIN: u64 = 128 << 20;

/// How far the clocks may be apart, in seconds: times of floods and limits come along.
const CLOCKS_APART: u64 = 30;

/// What a side found out about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    pub version: String,
    pub machine: String,
    /// The same for two sides that share their network: then one may have the other's port until it stops.
    pub network: String,
    /// The same for two sides under whose paths the same files are; empty in audits of older programs.
    #[serde(default)]
    pub file_systems: String,
    pub data_dir: String,
    pub settings_file: Option<String>,
    pub at: Timestamp,
    pub store: StoreFact,
    /// What the data that moves takes, in bytes.
    pub data_bytes: u64,
    /// Links in the data directory: what they lead to does not move.
    #[serde(default)]
    pub links: Vec<String>,
    /// What is free where the data directory is, in bytes.
    pub free_bytes: u64,
    /// All of the memory, in bytes.
    pub memory_bytes: u64,
    /// The operating system and its kernel.
    pub system: String,
    /// The version of the service manager; nothing where none runs the machine.
    pub systemd: Option<String>,
    /// How many secrets the settings refer to, and which of them are not there.
    pub secrets: u64,
    pub secrets_missing: Vec<String>,
    /// What was measured of the server; nothing where none runs.
    pub measured: Option<Measured>,
    /// The process that has the data directory.
    pub server_pid: Option<u32>,
    /// The service of systemd that it is.
    pub unit: Option<String>,
    /// The words that it was started with.
    pub started_with: Vec<String>,
    /// Where it listens, or would.
    pub ports: Vec<PortFact>,
    /// The accounts, the least important first.
    pub accounts: Vec<AccountFact>,
    /// The flows that press, each with what a dry run of it showed: how many messages would begin one.
    pub flows: BTreeMap<String, u64>,
    /// All flows that can be rehearsed, each with how many buttons it presses on messages made of itself.
    #[serde(default)]
    pub rehearsed: BTreeMap<String, u64>,
    /// What the program uses of the machine, each with its version, as far as the package manager knows it.
    #[serde(default)]
    pub packages: BTreeMap<String, String>,
    /// Whether the store is on a server, which both sides reach.
    pub is_on_server: bool,
    /// What was found that is worth knowing and keeps nothing from being done.
    pub notes: Vec<String>,
}

/// An account as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountFact {
    pub name: String,
    /// Its state, in the word of the API.
    pub state: String,
}

/// What is in the data directory.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreFact {
    /// No store.
    None,
    /// A store that no process works on.
    AtRest,
    /// A store that a server works on.
    Served,
    /// A store whose sessions another side holds.
    GivenUp,
}

domain::enum_words!(StoreFact);

/// An address and who has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortFact {
    pub address: String,
    /// Whether another process has it.
    pub taken: bool,
    pub by: Option<String>,
    pub pid: Option<u32>,
}

/// What keeps a move from beginning, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Objection {
    pub code: &'static str,
    pub what: String,
}

/// What keeps a move from one side to the other from beginning. `wants_service` is whether the new side is to run as a service;
/// `resumed` is whether this very move was begun before: then what
/// it brought is no reason. `wants_service` is whether the new side is to be a service.
pub fn judge(old: &Audit, new: &Audit, wants_service: bool, resumed: bool) -> Vec<Objection> {
    let mut found = Vec::new();
    let mut object = |code, what: String| found.push(Objection { code, what });
    if old.version != new.version {
        object(
            "other_version",
            format!(
                "the old side has version {}, the new one {}; install the same on both",
                old.version, new.version
            ),
        );
    }
    match old.store {
        StoreFact::None => object("no_store", format!("there is no store in {}", old.data_dir)),
        StoreFact::GivenUp if !resumed => object(
            "given_up",
            format!(
                "another side holds the sessions of {}; see `switchboard move status` there",
                old.data_dir
            ),
        ),
        _ => {}
    }
    // What an earlier move gave back is no one's any more.
    let is_used = matches!(new.store, StoreFact::AtRest | StoreFact::Served);
    if !resumed && is_used && !old.is_on_server {
        object(
            "target_in_use",
            format!(
                "there is a store in {} already; name another data directory, or move that one away",
                new.data_dir
            ),
        );
    }
    for link in &old.links {
        object(
            "link",
            format!(
                "{link} in {} is a link, and what it leads to would stay behind; put that in its place, or mount it there",
                old.data_dir
            ),
        );
    }
    for missing in &old.secrets_missing {
        object("secret_missing", format!("{missing} on the old side, and the settings refer to it"));
    }
    if wants_service && new.systemd.is_none() {
        object("no_systemd", format!("{} is not run by systemd; leave `--unit` out there", new.machine));
    }
    let needed = old.data_bytes.saturating_mul(2).saturating_add(MARGIN);
    if !resumed && new.free_bytes < needed {
        object(
            "no_room",
            format!(
                "{} MB are needed in {}, {} MB are free",
                needed >> 20,
                new.data_dir,
                new.free_bytes >> 20
            ),
        );
    }
    let one_network = old.network == new.network;
    for port in new.ports.iter().filter(|port| port.taken) {
        let is_old_server = one_network && port.pid.is_some() && port.pid == old.server_pid;
        if !is_old_server && !resumed {
            let by = port.by.as_deref().unwrap_or("another process");
            object("port_taken", format!("{} is taken by {by} on the new side", port.address));
        }
    }
    let apart = new.at.since(old.at).max(old.at.since(new.at)).as_secs();
    if apart > CLOCKS_APART {
        object("clocks_apart", format!("the clocks of the two sides are {apart} s apart; set them right"));
    }
    found
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn audit(store: StoreFact) -> Audit {
        Audit {
            version: "1.0.0".into(),
            machine: "m".into(),
            network: "n".into(),
            file_systems: "f".into(),
            data_dir: "/data".into(),
            settings_file: None,
            at: Timestamp::default(),
            store,
            data_bytes: 1 << 20,
            links: Vec::new(),
            free_bytes: 1 << 40,
            memory_bytes: 1 << 30,
            system: "Debian".into(),
            systemd: Some("257".into()),
            secrets: 0,
            secrets_missing: Vec::new(),
            measured: None,
            server_pid: Some(7),
            unit: None,
            started_with: Vec::new(),
            ports: Vec::new(),
            accounts: Vec::new(),
            flows: BTreeMap::new(),
            rehearsed: BTreeMap::new(),
            packages: BTreeMap::new(),
            is_on_server: false,
            notes: Vec::new(),
        }
    }

    fn codes(old: &Audit, new: &Audit, resumed: bool) -> Vec<&'static str> {
        judge(old, new, true, resumed).into_iter().map(|objection| objection.code).collect()
    }

    #[test]
    fn obstacles_to_a_move_are_named() {
        let (old, new) = (audit(StoreFact::Served), audit(StoreFact::None));
        assert_eq!(codes(&old, &new, false), Vec::<&str>::new());
        let port = |pid| PortFact { address: "0.0.0.0:1".into(), taken: true, by: None, pid: Some(pid) };
        assert_eq!(codes(&old, &Audit { ports: vec![port(7)], ..new.clone() }, false), Vec::<&str>::new());
        let wrong = Audit {
            version: "1.0.1".into(),
            store: StoreFact::AtRest,
            free_bytes: 1,
            ports: vec![port(8)],
            systemd: None,
            at: Timestamp::from_micros(3_600_000_000),
            ..new.clone()
        };
        let all = [
            "other_version",
            "target_in_use",
            "link",
            "secret_missing",
            "no_systemd",
            "no_room",
            "port_taken",
            "clocks_apart",
        ];
        let without = Audit {
            secrets_missing: vec!["hash is not there".into()],
            links: vec!["media".into()],
            ..old.clone()
        };
        assert_eq!(codes(&without, &wrong, false), all);
        assert_eq!(codes(&audit(StoreFact::None), &new, false), ["no_store"]);
        assert_eq!(codes(&audit(StoreFact::GivenUp), &new, false), ["given_up"]);
        assert_eq!(codes(&audit(StoreFact::GivenUp), &audit(StoreFact::AtRest), true), Vec::<&str>::new());
    }
}
