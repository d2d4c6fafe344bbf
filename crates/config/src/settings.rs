//! All settings, and the sections that are small.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    num::NonZeroU32,
    path::PathBuf,
    time::Duration,
};

use domain::account::AccountName;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::{
    alerts::AlertSettings, doctor::DoctorSettings, legacy::LegacySettings, store::StoreSettings,
    telegram::TelegramSettings,
};

/// Everything that the file and the environment can say. Printing it shows no secrets.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where the main listener is.
    pub listen: SocketAddr,
    /// The proxies whose word about the client's address is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// Where the store is.
    pub store: StoreSettings,
    /// Backups of the data directory.
    pub backup: BackupSettings,
    /// Files to send.
    pub media: MediaSettings,
    /// Telegram user accounts.
    pub telegram: TelegramSettings,
    /// The old gateway's ports.
    pub legacy: LegacySettings,
    /// Events sent to other programs.
    pub events: EventsSettings,
    /// Who is told when something stays broken.
    pub alerts: AlertSettings,
    /// What the doctor looks after beyond this machine.
    pub doctor: DoctorSettings,
    /// What callers may ask for at most.
    pub limits: LimitsSettings,
    /// What is logged, and how.
    pub log: LogSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 5099)),
            trusted_proxies: Vec::new(),
            store: StoreSettings::default(),
            backup: BackupSettings::default(),
            media: MediaSettings::default(),
            telegram: TelegramSettings::default(),
            legacy: LegacySettings::default(),
            events: EventsSettings::default(),
            alerts: AlertSettings::default(),
            doctor: DoctorSettings::default(),
            limits: LimitsSettings::default(),
            log: LogSettings::default(),
        }
    }
}

impl Settings {
    /// Ports pinned to accounts that these settings do not name. That is no error: such a port says that it has no
    /// account, and the others serve.
    pub fn ports_without_account(&self) -> impl Iterator<Item = (u16, &AccountName)> {
        let named = |name: &AccountName| self.telegram.accounts.iter().any(|account| account.name == *name);
        self.legacy
            .ports
            .iter()
            .filter_map(|port| Some((port.port, port.account.as_ref()?)))
            .filter(move |(_, account)| !named(account))
    }
}

/// The section `[backup]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BackupSettings {
    /// How often the running program makes one; zero: never by itself.
    #[serde(with = "crate::duration")]
    pub every: Duration,
    /// How many are kept; older ones are removed.
    pub keep: usize,
    /// Where they lie; a relative folder is relative to the data directory.
    pub folder: PathBuf,
}

impl Default for BackupSettings {
    fn default() -> Self {
        Self { every: Duration::from_hours(24), keep: 7, folder: PathBuf::from("backups") }
    }
}

/// The section `[media]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MediaSettings {
    /// The folder inside which server paths are read; a relative one is relative to the data directory.
    pub folder: PathBuf,
    /// Private networks that media addresses may point to.
    pub allow_private: Vec<IpNet>,
    /// The greatest file, in bytes.
    #[serde(with = "crate::size")]
    pub max_size: u64,
    /// How long the server of a media address may take to begin its answer.
    #[serde(with = "crate::duration")]
    pub answer_within: Duration,
    /// How long a file on its way in may bring nothing.
    #[serde(with = "crate::duration")]
    pub silence: Duration,
    /// How long one file may take on its way in.
    #[serde(with = "crate::duration")]
    pub file_within: Duration,
    /// How long a call of `POST /v1/messages` is kept for the files that it names by address.
    #[serde(with = "crate::duration")]
    pub addresses_within: Duration,
    /// How long an upload is kept.
    #[serde(with = "crate::duration")]
    pub uploads_keep: Duration,
    /// The most that all uploads kept may have together, in bytes.
    #[serde(with = "crate::size")]
    pub uploads_max_size: u64,
}

impl Default for MediaSettings {
    fn default() -> Self {
        Self {
            folder: PathBuf::from("media"),
            allow_private: Vec::new(),
            max_size: 2_000_000_000,
            answer_within: Duration::from_secs(20),
            silence: Duration::from_secs(30),
            file_within: Duration::from_mins(30),
            addresses_within: Duration::from_secs(100),
            uploads_keep: Duration::from_hours(24),
            uploads_max_size: 4_000_000_000,
        }
    }
}

/// The section `[events]`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EventsSettings {
    /// Private networks that webhooks may point to.
    pub allow_private: Vec<IpNet>,
}

/// The section `[limits]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsSettings {
    /// The greatest request body, in bytes.
    #[serde(with = "crate::size")]
    pub body: u64,
    /// How many requests one API key may make in a minute; no limit when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute_per_key: Option<NonZeroU32>,
    /// How many requests one client address may make in a minute; no limit when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute_per_address: Option<NonZeroU32>,
    /// How long a message is tried of which Telegram does not say what came of it.
    #[serde(with = "crate::duration")]
    pub give_up_after: Duration,
}

impl Default for LimitsSettings {
    fn default() -> Self {
        Self {
            body: 1 << 20,
            requests_per_minute_per_key: None,
            requests_per_minute_per_address: None,
            give_up_after: Duration::from_mins(10),
        }
    }
}

/// The section `[log]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// The least important lines that are written.
    pub level: LogLevel,
    /// How a line is written.
    pub format: LogFormat,
    /// The most that the log store's files may have together, in bytes.
    #[serde(with = "crate::size")]
    pub budget: u64,
    /// How old a line of the log store may become.
    #[serde(with = "crate::duration")]
    pub keep: Duration,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            level: LogLevel::default(),
            format: LogFormat::default(),
            budget: 200_000_000,
            keep: Duration::from_hours(30 * 24),
        }
    }
}

/// How important a log line is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something may need a look.
    Warn,
    /// What happens.
    #[default]
    Info,
    /// How it happens.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// Every level, the most important first.
    pub const NAMES: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

    /// The name in settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a log line is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON object a line.
    Json,
}

impl LogFormat {
    /// Every format.
    pub const NAMES: [&str; 2] = ["text", "json"];
}
