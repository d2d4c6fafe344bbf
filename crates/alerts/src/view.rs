//! Alerts, targets and windows as they are shown.

use config::AlertTargetKind;
use domain::{MaintenanceId, Timestamp};
use store::StoredAlert;

use crate::hours::MaintenanceWindow;

/// Why no one is notified of a card.
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

/// An alert, with what is known of it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertView {
    pub alert: StoredAlert,
    /// Why no one is notified of it now; nothing when it is not silent.
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
    pub signed: bool,
    pub origin: TargetOrigin,
    /// When it was made, and by whom, if it was made here.
    pub made: Option<(Timestamp, String)>,
    /// How many notices wait for it.
    pub waiting: u64,
    /// Since when the oldest of them waits.
    pub waiting_since: Option<Timestamp>,
    /// When it took something last.
    pub notified_at: Option<Timestamp>,
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
    pub created_at: Timestamp,
    pub created_by: String,
}
