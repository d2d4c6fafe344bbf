//! Telegram user accounts and their sessions.

use std::num::NonZeroU32;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

use domain::account::{AccountName, Purpose, USUAL_PRIORITY};
use ipnet::IpNet;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{proxy::ProxyAddress, secret};

/// The section `[telegram]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelegramSettings {
    /// After how long without an answered call one is made.
    #[serde(with = "crate::duration")]
    pub probe_every: Duration,
    /// How often the dialogs are read again.
    #[serde(with = "crate::duration")]
    pub refresh_dialogs_every: Duration,
    /// The user who is invited to chats that backup accounts create.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observer: Option<String>,
    /// What becomes of a private dialog whose account cannot go on.
    pub private_dialogs: PrivateDialogs,
    /// Other addresses of Telegram's data centres; none means Telegram's own.
    pub data_centres: Vec<DataCentre>,
    /// Private networks that proxies of accounts may be in which callers name.
    pub allow_private_proxies: Vec<IpNet>,
    /// Further RSA keys that a data centre may show when a key is agreed on, as PKCS#1 text; Telegram's own is known.
    pub server_keys: Vec<String>,
    /// The accounts.
    pub accounts: Vec<AccountSettings>,
}

impl Default for TelegramSettings {
    fn default() -> Self {
        Self {
            probe_every: Duration::from_secs(20),
            refresh_dialogs_every: Duration::from_mins(30),
            observer: None,
            private_dialogs: PrivateDialogs::default(),
            data_centres: Vec::new(),
            allow_private_proxies: Vec::new(),
            server_keys: Vec::new(),
            accounts: Vec::new(),
        }
    }
}

/// What becomes of a private dialog whose account cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrivateDialogs {
    /// It stays with the account until a person moves it.
    Stay,
    /// It moves when the account is lost: banned, deactivated or signed out by Telegram.
    #[default]
    MoveWhenLost,
    /// It also moves when the account must wait, is paused, stopped or frozen for longer than a caller is held.
    Move,
}

impl PrivateDialogs {
    /// The words for them.
    pub(crate) const NAMES: [&str; 3] = ["stay", "move_when_lost", "move"];
}

/// Where a data centre is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataCentre {
    /// Its number, 1 to 5.
    pub id: u8,
    /// Its address.
    pub address: SocketAddr,
}

/// One account.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountSettings {
    /// The owner's name for it.
    pub name: AccountName,
    /// Lower numbers are used first.
    #[serde(default = "AccountSettings::default_priority")]
    pub priority: u16,
    /// Whether it is used for calls that do not name an account.
    #[serde(default = "AccountSettings::default_pool")]
    pub pool: bool,
    /// The application's number, from my.telegram.org.
    pub api_id: i32,
    /// The application's secret.
    #[serde(serialize_with = "secret::redacted")]
    pub api_hash: SecretString,
    /// The phone number, for signing in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The proxy to connect through.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "secret::optional_proxy")]
    pub proxy: Option<ProxyAddress>,
    /// How many messages it may send within any hour; none means as many as there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages_per_hour: Option<NonZeroU32>,
    /// How many messages it may send within any 24 hours; none means as many as there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages_per_day: Option<NonZeroU32>,
    /// Its sessions; no two serve the same purpose.
    #[serde(default)]
    pub sessions: Vec<SessionSettings>,
}

impl AccountSettings {
    fn default_priority() -> u16 {
        USUAL_PRIORITY
    }

    fn default_pool() -> bool {
        true
    }

    /// Gives the session that names no purposes all that no other session names.
    pub(crate) fn share_purposes(&mut self) {
        let named: Vec<Purpose> =
            self.sessions.iter().flat_map(|session| session.purposes.iter().copied()).collect();
        for session in &mut self.sessions {
            if session.purposes.is_empty() {
                session.purposes =
                    Purpose::ALL.into_iter().filter(|purpose| !named.contains(purpose)).collect();
            }
        }
    }
}

/// One session of an account: a key that Telegram knows, and what it is used for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "WrittenSession", into = "WrittenSession")]
pub struct SessionSettings {
    /// Where the key is.
    pub source: SessionSource,
    /// What it is used for: never empty in settings that were loaded.
    pub purposes: Vec<Purpose>,
}

/// Where a session's key is.
#[derive(Debug, Clone)]
pub enum SessionSource {
    /// A session file of Telethon, Pyrogram, Kurigram or grammers, by its absolute path.
    File(PathBuf),
    /// A session string of Telethon, Pyrogram or Kurigram.
    Text(SecretString),
}

/// A session as the file has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSession {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "secret::optional_redacted")]
    string: Option<SecretString>,
    #[serde(default, rename = "for", skip_serializing_if = "Vec::is_empty")]
    purposes: Vec<Purpose>,
}

impl TryFrom<WrittenSession> for SessionSettings {
    type Error = &'static str;

    fn try_from(written: WrittenSession) -> Result<Self, Self::Error> {
        let source = match (written.file, written.string) {
            (Some(file), None) => SessionSource::File(file),
            (None, Some(text)) => SessionSource::Text(text),
            _ => return Err("a session has either a file or a string"),
        };
        Ok(Self { source, purposes: written.purposes })
    }
}

impl From<SessionSettings> for WrittenSession {
    fn from(session: SessionSettings) -> Self {
        let (file, string) = match session.source {
            SessionSource::File(file) => (Some(file), None),
            SessionSource::Text(text) => (None, Some(text)),
        };
        Self { file, string, purposes: session.purposes }
    }
}
