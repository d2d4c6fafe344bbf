//! Campaigns: how a run, a sender and an attempt are, and who sends.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{AccountName, Timestamp};

/// How a run of a campaign is.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CampaignRunState {
    /// Its senders are at work, or wait for their hour.
    Running,
    /// It goes on when a person says so.
    Paused,
    /// All its cycles are over.
    Done,
    /// A person ended it.
    Stopped,
}

enum_words!(CampaignRunState);

impl CampaignRunState {
    /// Whether it is over.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Stopped)
    }
}

/// How an attempt to write to one recipient is.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptState {
    /// A sender has it.
    Claimed,
    /// It is proved that nothing was sent.
    Failed,
    /// It was not tried.
    Skipped,
    /// It may have been sent or not. It is never sent again in its cycle.
    Unknown,
    /// It was sent.
    Sent,
}

enum_words!(AttemptState);

impl AttemptState {
    /// Whether it was sent, or may have been.
    pub const fn may_be_sent(self) -> bool {
        matches!(self, Self::Sent | Self::Unknown)
    }
}

/// A part of what became of attempts, by the name of a log.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CampaignLog {
    /// All of them.
    #[default]
    Main,
    /// What was sent.
    Success,
    /// What failed for its chat: it is not found, takes no message, or has no value for a variable.
    FailedChats,
    /// What failed for anything else.
    FailedSend,
}

enum_words!(CampaignLog);

impl CampaignLog {
    /// Codes of failures that are about the chat.
    pub const ABOUT_CHATS: [&str; 5] =
        ["chat_not_found", "no_rights", "not_in_chat", "template", "task_gone"];

    /// Whether an attempt with this end is in it.
    pub fn has(self, state: AttemptState, code: Option<&str>) -> bool {
        let is_about_chat = code.is_some_and(|code| Self::ABOUT_CHATS.contains(&code));
        match self {
            Self::Main => true,
            Self::Success => state == AttemptState::Sent,
            Self::FailedChats => state == AttemptState::Failed && is_about_chat,
            Self::FailedSend => state == AttemptState::Failed && !is_about_chat,
        }
    }
}

/// How a sender of a campaign is.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SenderState {
    /// It may send.
    Active,
    /// Telegram restricted it; it sends nothing until a person unblocks it.
    Blocked,
    /// It is signed out.
    LoggedOut,
}

enum_words!(SenderState);

/// The owner's name for a browser profile: 1 to 64 of `a-z 0-9 _ -`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProfileName(Arc<str>);

/// Text that cannot name a browser profile; cut to 64.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} cannot name a profile; use 1 to 64 of the letters a-z, digits, _ and -")]
pub struct InvalidProfileName(String);

impl ProfileName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ProfileName {
    type Err = InvalidProfileName;

    fn from_str(text: &str) -> Result<Self, InvalidProfileName> {
        let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
        if (1..=64).contains(&text.len()) && text.bytes().all(letter) {
            return Ok(Self(text.into()));
        }
        Err(InvalidProfileName(text.chars().take(64).collect()))
    }
}

impl TryFrom<String> for ProfileName {
    type Error = InvalidProfileName;

    fn try_from(text: String) -> Result<Self, InvalidProfileName> {
        text.parse()
    }
}

impl From<ProfileName> for String {
    fn from(name: ProfileName) -> Self {
        name.as_str().to_owned()
    }
}

/// Who sends for a campaign.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CampaignSender {
    /// A user account, through the outbox.
    Account(AccountName),
    /// A browser in which a person has logged in at Telegram Web K.
    Profile(ProfileName),
}

/// Text that names no sender.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no sender; write account: or profile: and its name")]
pub struct InvalidSender(String);

impl CampaignSender {
    /// The account, if it is one.
    pub const fn account(&self) -> Option<&AccountName> {
        match self {
            Self::Account(name) => Some(name),
            Self::Profile(_) => None,
        }
    }

    /// The browser profile, if it is one.
    pub const fn profile(&self) -> Option<&ProfileName> {
        match self {
            Self::Profile(name) => Some(name),
            Self::Account(_) => None,
        }
    }
}

impl fmt::Display for CampaignSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(name) => write!(f, "account:{name}"),
            Self::Profile(name) => write!(f, "profile:{name}"),
        }
    }
}

impl FromStr for CampaignSender {
    type Err = InvalidSender;

    fn from_str(text: &str) -> Result<Self, InvalidSender> {
        let sender = match text.split_once(':') {
            Some(("account", name)) => name.parse().ok().map(Self::Account),
            Some(("profile", name)) => name.parse().ok().map(Self::Profile),
            Some(_) | None => None,
        };
        sender.ok_or_else(|| InvalidSender(text.chars().take(64).collect()))
    }
}

/// How a proxy of browser profiles is.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProxyHealth {
    /// It was not tested yet.
    Untested,
    /// The last test went through it.
    Healthy,
    /// No profile gets it until a test goes through it again.
    Sick,
}

enum_words!(ProxyHealth);

/// How many messages a sender may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderCaps {
    /// Within any hour.
    pub hour: u32,
    /// Within any 24 hours.
    pub day: u32,
}

impl SenderCaps {
    /// Whether there is room for one more after so many within the last 24 hours, whenever in them they were.
    pub fn has_room_after(self, sent: u64) -> bool {
        sent < u64::from(self.hour.min(self.day))
    }

    /// When there is room for one more, if there is none now. `ended` are the times at which what may have been sent ended
    /// within the last 24 hours or later, in any order, or within the last hour where the day surely has room; `open` is how many
    /// have no end yet.
    ///
    /// A message leaves before its attempt ends and after its claim, so no hour of the provider has more than these do.
    pub fn free_at(self, mut ended: Vec<Timestamp>, open: usize, now: Timestamp) -> Option<Timestamp> {
        ended.sort_unstable();
        let of = |cap: u32, window: Duration| {
            let cap = usize::try_from(cap).unwrap_or(usize::MAX);
            let within = &ended[ended.partition_point(|at| *at <= now.minus(window))..];
            let over = (within.len() + open + 1).checked_sub(cap).filter(|over| *over > 0)?;
            // Where what is open fills it, one of them ends first.
            Some(within.get(over - 1).map_or_else(|| now.plus(Duration::from_secs(1)), |at| at.plus(window)))
        };
        of(self.hour, Duration::from_hours(1)).max(of(self.day, Duration::from_hours(24)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Attempts begin when there is room and take a while; whatever is sent in between never passes the caps.
        #[test]
        fn no_window_has_more_than_its_cap(
            steps in prop::collection::vec((0_u64..2_000, 0_u64..900), 1..200),
            hour in 1_u32..30,
            day in 1_u32..100,
        ) {
            let caps = SenderCaps { hour, day };
            let (mut now, mut sent, mut ended) = (Timestamp::from_micros(1 << 50), Vec::new(), Vec::new());
            for (pause, takes) in steps {
                now = now.plus(Duration::from_secs(pause));
                if let Some(free_at) = caps.free_at(ended.clone(), 0, now) {
                    prop_assert!(free_at > now);
                    let lately = ended.iter().filter(|at| **at > now.minus(Duration::from_hours(24))).count();
                    prop_assert!(!caps.has_room_after(lately as u64));
                    now = free_at;
                    prop_assert_eq!(caps.free_at(ended.clone(), 0, now), None);
                }
                let end = now.plus(Duration::from_secs(takes));
                // It leaves at some time of the attempt.
                sent.push(now.plus(Duration::from_secs(takes / 2)));
                ended.push(end);
                now = end;
            }
            for (window, cap) in [(Duration::from_hours(1), hour), (Duration::from_hours(24), day)] {
                for from in &sent {
                    let within = sent.iter().filter(|at| *at >= from && **at < from.plus(window)).count();
                    prop_assert!(within <= cap as usize, "{within} of {cap}");
                }
            }
        }

        #[test]
        fn open_conversations_count_toward_the_cap(open in 0_usize..40, cap in 1_u32..40) {
            let caps = SenderCaps { hour: cap, day: 1000 };
            let is_free = caps.free_at(Vec::new(), open, Timestamp::default()).is_none();
            prop_assert_eq!(is_free, open < cap as usize);
        }
    }

    #[test]
    fn a_clock_that_is_set_back_gives_no_room() {
        let now = Timestamp::from_micros(1 << 50);
        let caps = SenderCaps { hour: 1, day: 10 };
        let later = now.plus(Duration::from_mins(30));
        assert_eq!(caps.free_at(vec![later], 0, now), Some(later.plus(Duration::from_hours(1))));
    }

    #[test]
    fn a_sender_reads_back() {
        let sender = CampaignSender::Account("main".parse().expect("a name"));
        assert_eq!(sender.to_string().parse(), Ok(sender));
        let sender = CampaignSender::Profile("shop-1".parse().expect("a name"));
        assert_eq!((sender.to_string(), sender.account()), ("profile:shop-1".to_owned(), None));
        assert_eq!(sender.to_string().parse(), Ok(sender));
        for text in ["main", "profile:", "profile:../x", "browser:x"] {
            assert!(text.parse::<CampaignSender>().is_err(), "{text}");
        }
    }
}
