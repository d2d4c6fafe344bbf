//! What only the running server knows: given to the doctor by the caller that has it.

use std::path::PathBuf;
use std::time::Duration;

use domain::account::{AccountState, Reason};
use domain::{AccountName, Timestamp};

use serde::{Deserialize, Serialize};

use super::report::Server;

/// The server as it sees itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inside {
    pub server: Server,
    pub settings_file: Option<PathBuf>,
    pub listeners: Vec<ListenerFact>,
    pub accounts: Vec<AccountFact>,
    #[serde(default)]
    pub channels: Vec<ChannelFact>,
    /// Services that were stopped by hand, by name.
    pub stopped: Vec<String>,
    /// What is in the store; nothing when it did not answer.
    pub stock: Option<StockFact>,
    /// Why the store did not take what the server wrote to try it; nothing when it did. A disk that is full is no reason: that is
    /// reported of the disk.
    #[serde(default)]
    pub unwritten: Option<String>,
    /// What it keeps in memory to be quick, by name, and how many of it.
    pub caches: Vec<(String, u64)>,
    /// How many seconds Telegram's clock is ahead of this machine's; nothing when no account could ask.
    pub telegram_ahead: Option<i64>,
    /// Fingerprints of the session keys that it has in its store.
    pub sessions: Vec<String>,
    /// Which account each of them is of, as far as that is known.
    #[serde(default)]
    pub owners: Vec<(AccountName, String)>,
    /// Requests that name a client behind a proxy which the settings do not trust.
    #[serde(default)]
    pub forwarded: ForwardedFact,
    /// Where alert targets listen that were made while it ran; those of the settings are found there.
    #[serde(default)]
    pub alert_targets: Vec<AlertTargetFact>,
}

/// Where an alert target listens: a mail server or the host of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertTargetFact {
    pub name: String,
    /// A name or an address.
    pub host: String,
    pub port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerFact {
    /// `main`, the number of an old port, or `control`.
    pub name: String,
    /// Where it listens, or tries to.
    pub address: String,
    pub state: ListenerFactState,
    /// What is wrong, in words.
    pub detail: Option<String>,
    pub since: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListenerFactState {
    Starting,
    Listening,
    /// Another program has the address.
    Taken,
    /// The system refuses the address.
    Refused,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountFact {
    pub name: AccountName,
    pub state: AccountState,
    pub reason: Option<Reason>,
    pub detail: Option<String>,
    pub since: Timestamp,
    #[serde(default)]
    pub same_person_as: Vec<AccountName>,
    /// Its sessions that are not well: name, state, reason.
    pub lines: Vec<(String, AccountState, Option<Reason>)>,
}

/// An account of a channel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelFact {
    pub name: String,
    pub channel: String,
    /// As the API names it.
    pub state: String,
    /// Why it is not ready.
    pub detail: Option<String>,
    /// Rights and the like that it lacks.
    pub missing: Vec<String>,
    pub is_paused: bool,
    /// Another program asks with its token.
    pub is_shared: bool,
    /// Whether what customers write is wanted at all.
    pub receives: bool,
    /// As the API names it.
    pub receives_by: String,
    /// Where its provider posts to, as the API names it; nothing where it cannot be asked.
    pub webhook: Option<String>,
    /// The hosts of other programs that it posts to.
    pub elsewhere: Vec<String>,
    /// What went wrong there last.
    pub provider_error: Option<String>,
    pub posts_waiting: Option<u64>,
    /// Why posts to our registered address do not arrive here.
    #[serde(default)]
    pub arrival_error: Option<String>,
    /// Why this program does not reach that address, where posts of providers arrive all the same.
    #[serde(default)]
    pub unreached: Option<String>,
    /// How many seconds its provider's clock is ahead of this machine's.
    pub clock_ahead: Option<i64>,
}

/// What is in the store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockFact {
    pub waiting: u64,
    /// For how long the oldest of them has waited, if known.
    pub oldest: Option<Duration>,
    /// Messages whose end is not known.
    pub messages_in_doubt: u64,
    /// Operations whose end is not known.
    pub operations_in_doubt: u64,
    /// Failed requests that wait for a person.
    pub failed_requests: u64,
    /// Chats that no account could find; with `unresolved_more`, at least so many.
    pub unresolved: u64,
    /// Whether there are more than were counted.
    pub unresolved_more: bool,
    /// Sessions that belong to no account.
    pub ownerless: u64,
    pub callbacks_waiting: u64,
    /// Those of them whose time has come.
    pub callbacks_due: u64,
    /// The size of the database, in bytes.
    pub database_bytes: u64,
    /// The size of its log, in bytes.
    pub log_bytes: u64,
}

/// Requests that name a client behind a proxy which the settings do not trust, since the start. No address is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardedFact {
    /// From this machine or a private network, where proxies are.
    pub near: u64,
    /// From elsewhere: anyone may write such a header.
    pub far: u64,
    /// When the last one came.
    pub last_at: Option<Timestamp>,
}
