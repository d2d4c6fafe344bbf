//! Telegram user accounts: their names, what their sessions are for, and how they are.

use std::fmt;
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::Timestamp;

/// The owner's name for an account: 1 to 64 of `a-z 0-9 _ -`. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountName(Arc<str>);

/// Names that an address means something else by: `/accounts/add`, `/v1/accounts/import`, `/accounts/sessions/…`.
const RESERVED: [&str; 3] = ["add", "import", "sessions"];

/// Text that cannot name an account.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidAccountName {
    /// It is empty, too long, or has other characters; cut to 64.
    #[error("{0:?} cannot name an account; use 1 to 64 of the letters a-z, digits, _ and -")]
    Form(String),
    /// An account of this name could not be distinguished from a page about all accounts.
    #[error("an account cannot be called {0:?}: addresses of Switchboard use that word; choose another name")]
    Reserved(&'static str),
}

/// The priorities of accounts; the lower, the earlier one is chosen.
pub const PRIORITIES: RangeInclusive<u16> = 1..=1000;

/// The priority of an account that names none.
pub const USUAL_PRIORITY: u16 = 100;

/// How many messages an account may send, as its owner wants it; what is not set is not limited. An album is one message, and
/// so is each part of a long text. They hold the one who asks, and whatever Telegram would allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct SendingLimits {
    /// Within any hour.
    pub per_hour: Option<NonZeroU32>,
    /// Within any 24 hours.
    pub per_day: Option<NonZeroU32>,
}

impl SendingLimits {
    /// What each of them can be.
    pub const RANGE: RangeInclusive<u32> = 1..=1_000_000;

    /// Whether there are none.
    pub const fn is_none(self) -> bool {
        self.per_hour.is_none() && self.per_day.is_none()
    }
}

impl AccountName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for AccountName {
    type Err = InvalidAccountName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(reserved) = RESERVED.into_iter().find(|reserved| *reserved == text) {
            return Err(InvalidAccountName::Reserved(reserved));
        }
        let valid = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
        if valid {
            Ok(Self(text.into()))
        } else {
            Err(InvalidAccountName::Form(text.chars().take(64).collect()))
        }
    }
}

impl Serialize for AccountName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for AccountName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// What a session is used for. A session without a list serves all of them.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray, strum::VariantNames)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Creating chats and inviting people.
    CreateChat,
    /// Sending text.
    SendText,
    /// Sending files.
    SendMedia,
    /// Leaving chats.
    LeaveChat,
}

enum_words!(Purpose);

/// How an account or one of its lines is. The order is from best to worst, so that the worst of several is their `max`.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    /// Connected, and a round trip was answered.
    Ready,
    /// Stopped by its owner for a while; connected all the same.
    Paused,
    /// Stopped, or not started yet.
    Offline,
    /// On its way.
    Connecting,
    /// Waiting for a deadline Telegram named.
    FloodWait,
    /// Something else is wrong; it is tried again.
    Error,
    /// Telegram lets it do less: no first contacts, or frozen.
    Restricted,
    /// No usable session: someone must sign in.
    NeedsLogin,
    /// Closed by Telegram.
    Banned,
}

enum_words!(AccountState);

impl AccountState {
    /// The name the old gateway used in `/stats`.
    pub const fn legacy_status(self) -> &'static str {
        match self {
            Self::Ready => "healthy",
            Self::Connecting => "starting",
            Self::FloodWait => "flood_wait",
            Self::Banned => "banned",
            Self::Paused | Self::Offline => "offline",
            Self::NeedsLogin | Self::Restricted | Self::Error => "error",
        }
    }
}

impl fmt::Display for AccountState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why an account or line is in its state: a stable word, and what the owner should do.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// No session in the settings, or its file is missing, unreadable or not signed in.
    NoSession,
    /// The session was ended from another device.
    SessionRevoked,
    /// The key was used from two places at once; Telegram ended it.
    AuthKeyDuplicated,
    /// The data centre does not know the key: a wrong key, or the wrong data centre.
    KeyUnknown,
    /// The account was banned.
    Banned,
    /// The account was deactivated.
    Deactivated,
    /// Telegram froze the account.
    Frozen,
    /// Too many first contacts.
    PeerFlood,
    /// Connected, but calls are not answered.
    NoAnswer,
    /// The data centre cannot be reached.
    Unreachable,
    /// Two lines of different people in one account, or the session of another account.
    WrongUser,
    /// Anything else; the detail says what.
    Other,
}

enum_words!(Reason);

impl Reason {
    /// The state an account with this trouble is in.
    pub const fn state(self) -> AccountState {
        match self {
            Self::NoSession | Self::SessionRevoked | Self::AuthKeyDuplicated | Self::KeyUnknown => {
                AccountState::NeedsLogin
            }
            Self::Banned | Self::Deactivated => AccountState::Banned,
            Self::Frozen | Self::PeerFlood => AccountState::Restricted,
            Self::NoAnswer | Self::Unreachable | Self::WrongUser | Self::Other => AccountState::Error,
        }
    }

    /// What the owner should do about it.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::NoSession => "name a session of this account in the settings, or sign in",
            Self::SessionRevoked => "the session was ended from another device; sign in again",
            Self::AuthKeyDuplicated => {
                "another program used the same session; stop it, wait a minute, then sign in again"
            }
            Self::KeyUnknown => {
                "Telegram does not know this key here; check the data centre or sign in again"
            }
            Self::Banned => "Telegram banned this account; write to its support",
            Self::Deactivated => "the account was deleted or deactivated; take it out of the settings",
            Self::Frozen => "Telegram froze this account; open the app and appeal there",
            Self::PeerFlood => "Telegram stopped first contacts from this account; let it rest for some days",
            Self::NoAnswer => "the connection stands but nothing is answered; it is being reconnected",
            Self::Unreachable => "the data centre cannot be reached; check the network and any proxy",
            Self::WrongUser => {
                "the sessions of this account belong to different people; give each account its own"
            }
            Self::Other => "see the detail and the log",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a flood wait holds back: floods are counted by (account, operation).
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Sending messages.
    SendMessage,
    /// Looking up names and chats.
    ResolvePeer,
    /// Reading dialogs, histories and members.
    Read,
    /// Making the connection.
    Connect,
    /// Making chats.
    CreateChat,
    /// Inviting people.
    Invite,
    /// Making administrators.
    Promote,
    /// Making invite links.
    ExportLink,
    /// Changing a chat's title, description and settings.
    EditChat,
    /// Removing people.
    RemoveMember,
    /// Leaving chats.
    Leave,
}

enum_words!(Operation);

/// A wait Telegram asked for, kept over restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flood {
    /// What must wait.
    pub operation: Operation,
    /// Until when.
    pub until: Timestamp,
}

/// The state shown for an account: the worst over its lines and its floods that still run.
///
/// An account without a line has no session, so it needs a login; a passing check does not clear a flood.
pub fn shown_state(
    lines: impl IntoIterator<Item = AccountState>,
    floods: impl IntoIterator<Item = Flood>,
    now: Timestamp,
) -> AccountState {
    let lines = lines.into_iter().max().unwrap_or(AccountState::NeedsLogin);
    let flooded = floods.into_iter().any(|flood| flood.until > now);
    if flooded { lines.max(AccountState::FloodWait) } else { lines }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_worst_comes_last() {
        use AccountState::{
            Banned, Connecting, Error, FloodWait, NeedsLogin, Offline, Paused, Ready, Restricted,
        };
        let worst_first =
            [Banned, NeedsLogin, Restricted, Error, FloodWait, Connecting, Offline, Paused, Ready];
        assert!(worst_first.windows(2).all(|pair| pair[0] > pair[1]));
        assert!(AccountState::ALL.into_iter().rev().eq(worst_first));
        assert_eq!(AccountState::ALL.len(), Banned as usize + 1, "none is left out");
    }

    #[test]
    fn names_are_checked() {
        assert!("backup_1".parse::<AccountName>().is_ok());
        for wrong in ["", "Main", "два", "a b", "add", "import", "sessions", &"a".repeat(65)] {
            assert!(wrong.parse::<AccountName>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_flood_that_runs_is_never_hidden_and_never_hides_worse(until in 0_i64..100, now in 0_i64..100) {
            let flood = Flood { operation: Operation::SendMessage, until: Timestamp::from_micros(until) };
            let now = Timestamp::from_micros(now);
            let shown = shown_state([AccountState::Ready], [flood], now);
            prop_assert_eq!(shown == AccountState::FloodWait, flood.until > now);
            prop_assert_eq!(shown_state([AccountState::Banned], [flood], now), AccountState::Banned);
        }
    }
}
