//! The report: what was looked at, how far one could see, what is there, and what was found.

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use super::finding::{Finding, Severity};
use super::inside::Inside;
use legacy_survey::Row;

/// Everything that one examination brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub made_at: Timestamp,
    /// The version of the program that made it.
    pub version: String,
    /// The server that runs on the data directory, if one does.
    pub server: Option<Server>,
    /// What was looked at, in a fixed order.
    pub sections: Vec<Section>,
    /// The table of an old installation, if one was surveyed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub legacy: Vec<Row>,
    /// What only the server knows, for a command on this machine that looks again; left out unless it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inside: Option<Box<Inside>>,
}

/// The server that runs on the data directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    pub version: String,
    pub pid: u32,
    /// Since when it runs.
    pub started_at: Timestamp,
    /// What names its settings, secrets left out: equal settings have the same.
    pub settings: String,
}

/// One area, and what was found there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    pub area: Area,
    /// How far one could see.
    pub looked: Looked,
    /// Why it was not all; empty when it was.
    pub unseen: Vec<String>,
    /// How it is, wrong or not.
    pub facts: Vec<Fact>,
    /// What was found, the worst first.
    pub findings: Vec<Finding>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// What it is about, such as `127.0.0.1:5022`.
    pub name: String,
    pub value: String,
    /// What shows more of it: a command, to be typed in a shell as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// How far one could see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Looked {
    Not,
    Partly,
    Wholly,
}

/// Something that the doctor looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Area {
    /// The program and its server.
    Program,
    Settings,
    Store,
    Backups,
    /// What waits, what is in doubt, what came to nothing.
    Queue,
    Ports,
    Accounts,
    /// Accounts of channels, and their providers.
    Channels,
    /// Session files and who has them open.
    Sessions,
    /// Processes of the old scripts.
    Processes,
    /// Unit files and crash loops.
    Units,
    /// Who may read which file.
    Files,
    /// Room on the disk.
    Disk,
    Clock,
    /// Names and addresses that must be reached.
    Network,
    /// Memory and its limit.
    Memory,
    /// What is reported to other programs.
    Callbacks,
    /// Where providers send what customers write.
    Webhooks,
    /// The last errors by their kind.
    Errors,
    /// An installation of the old scripts.
    Legacy,
    /// One that a newer program has.
    #[serde(other)]
    Other,
}

impl Area {
    /// Every area that this program knows, in the order of a report.
    pub const ALL: [Self; 20] = [
        Self::Program,
        Self::Settings,
        Self::Store,
        Self::Backups,
        Self::Queue,
        Self::Ports,
        Self::Accounts,
        Self::Channels,
        Self::Sessions,
        Self::Processes,
        Self::Units,
        Self::Files,
        Self::Disk,
        Self::Clock,
        Self::Network,
        Self::Memory,
        Self::Callbacks,
        Self::Webhooks,
        Self::Errors,
        Self::Legacy,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Program => "program",
            Self::Settings => "settings",
            Self::Store => "store",
            Self::Backups => "backups",
            Self::Queue => "queue",
            Self::Ports => "ports",
            Self::Accounts => "accounts",
            Self::Channels => "channels",
            Self::Sessions => "sessions",
            Self::Processes => "processes",
            Self::Units => "units",
            Self::Files => "files",
            Self::Disk => "disk",
            Self::Clock => "clock",
            Self::Network => "network",
            Self::Memory => "memory",
            Self::Callbacks => "callbacks",
            Self::Webhooks => "webhooks",
            Self::Errors => "errors",
            Self::Legacy => "legacy",
            Self::Other => "other",
        }
    }
}

impl Report {
    /// All findings, the worst first; among equals in the order of the areas.
    pub fn findings(&self) -> Vec<(Area, &Finding)> {
        let mut all: Vec<_> = self
            .sections
            .iter()
            .flat_map(|section| section.findings.iter().map(|finding| (section.area, finding)))
            .collect();
        all.sort_by_key(|(_, finding)| finding.severity);
        all
    }

    /// How many findings are this bad.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings().iter().filter(|(_, finding)| finding.severity == severity).count()
    }

    /// Whether nothing is wrong; notes are nothing wrong.
    pub fn is_well(&self) -> bool {
        !self.findings().iter().any(|(_, finding)| finding.severity.is_wrong())
    }

    /// The section of an area, if it was looked at.
    pub fn section(&self, area: Area) -> Option<&Section> {
        self.sections.iter().find(|section| section.area == area)
    }
}

impl Section {
    /// One in which all was seen and nothing found yet.
    pub fn new(area: Area) -> Self {
        Self { area, looked: Looked::Wholly, unseen: Vec::new(), facts: Vec::new(), findings: Vec::new() }
    }

    /// One in which nothing was seen, and why.
    pub fn unseen(area: Area, why: impl Into<String>) -> Self {
        Self { looked: Looked::Not, unseen: vec![why.into()], ..Self::new(area) }
    }

    pub(crate) fn fact(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.facts.push(Fact { name: name.into(), value: value.into(), command: None });
    }

    /// Something that is so, and the command that shows more of it.
    pub(crate) fn fact_and(
        &mut self,
        name: impl Into<String>,
        value: impl Into<String>,
        command: impl Into<String>,
    ) {
        self.facts.push(Fact { name: name.into(), value: value.into(), command: Some(command.into()) });
    }

    /// Something that could not be seen.
    pub(crate) fn lacks(&mut self, why: impl Into<String>) {
        self.looked = self.looked.min(Looked::Partly);
        self.unseen.push(why.into());
    }

    /// Sorts the worst to the front.
    pub(crate) fn sorted(mut self) -> Self {
        self.findings.sort_by_key(|finding| finding.severity);
        self
    }
}
