//! Alerts, targets and windows as they are shown.

use config::AlertTargetKind;
use domain::{AlertId, MaintenanceId, Timestamp};
use store::AlertState;

use crate::hours::MaintenanceWindow;

/// Why nobody is told of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    Mute { until: Timestamp },
    Maintenance { until: Timestamp },
}

impl Silence {
    /// The word in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mute { .. } => "mute",
            Self::Maintenance { .. } => "maintenance",
        }
    }

    pub const fn until(self) -> Timestamp {
        match self {
            Self::Mute { until } | Self::Maintenance { until } => until,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertView {
    pub id: AlertId,
    /// The card it is about, such as `account:main`.
    pub card: String,
    /// What the card is, such as `account`.
    pub kind: String,
    /// What people call it.
    pub name: String,
    /// How the alert is.
    pub state: AlertState,
    /// Why the card is red, as a stable word.
    pub reason: String,
    /// Why it is red, in words.
    pub detail: Option<String>,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// Since when it is not open any more.
    pub closed_at: Option<Timestamp>,
    /// The alert that speaks for this one.
    pub joined_to: Option<AlertId>,
    /// When the targets were told.
    pub told_at: Option<Timestamp>,
    /// When they were reminded last.
    pub reminded_at: Option<Timestamp>,
    /// Why nobody is told of it now, if nobody is.
    pub silence: Option<Silence>,
    /// How many parts of the card are red too.
    pub parts: usize,
}

/// Where a target was declared.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetOrigin {
    /// In the settings file; it is changed there.
    Settings,
    Store,
}

domain::enum_words!(TargetOrigin);

/// A target, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetView {
    pub name: String,
    pub kind: AlertTargetKind,
    /// Where it is, as far as that is no secret: the chat, the host of a webhook, the mailboxes.
    pub place: String,
    /// Whether its posts are signed.
    pub signed: bool,
    /// Where it was declared.
    pub origin: TargetOrigin,
    /// When it was made, and by whom, if it was made here.
    pub made: Option<(Timestamp, String)>,
    /// How many notices wait for it.
    pub waiting: u64,
    /// Since when the oldest of them waits.
    pub waiting_since: Option<Timestamp>,
    /// When it took something last.
    pub told_at: Option<Timestamp>,
    /// When it did not, since then.
    pub failed_at: Option<Timestamp>,
    /// Why it did not.
    pub last_error: Option<String>,
    /// Since when it wants nothing more. A test that it takes turns it on again.
    pub off_at: Option<Timestamp>,
}

/// Where a target listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetAddress {
    pub name: String,
    /// A name or an address, the latter without brackets.
    pub host: String,
    pub port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowView {
    pub id: MaintenanceId,
    /// When and what for.
    pub window: MaintenanceWindow,
    /// Until when it lasts, if it is now.
    pub now_until: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    pub created_by: String,
}

/// A card that nobody is told of for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MuteView {
    pub card: String,
    pub until: Timestamp,
    pub muted_at: Timestamp,
    pub muted_by: String,
}
