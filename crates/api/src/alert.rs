//! An alert, and a muted card.

use alerts::{AlertView, StoredMute};
use domain::{AlertId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::schemas;

/// Something stayed broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Alert {
    /// Its id.
    #[schema(value_type = String, example = "alert_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    pub id: AlertId,
    /// The card it is about.
    #[schema(example = "account:main")]
    pub card: String,
    /// What the card is.
    #[schema(example = "account")]
    pub kind: String,
    /// What people call it.
    #[schema(example = "main")]
    pub name: String,
    /// `open`; `cleared`: it is well again; `joined`: the alert of what it is a part of speaks for it; `gone`: there is no
    /// such card any more.
    #[schema(schema_with = schemas::alert_state)]
    pub state: String,
    /// Why it is red, as a stable word.
    #[schema(example = "session_revoked")]
    pub reason: String,
    /// Why it is red, in words.
    pub detail: Option<String>,
    /// When it was raised: after three beats in a row that failed.
    pub raised_at: Timestamp,
    /// Since when it is not open any more.
    pub closed_at: Option<Timestamp>,
    /// The alert that speaks for this one.
    #[schema(value_type = Option<String>)]
    pub joined_to: Option<AlertId>,
    /// When the targets were notified, or it was put in their queues.
    pub notified_at: Option<Timestamp>,
    /// When they were reminded last.
    pub reminded_at: Option<Timestamp>,
    /// Why no one is notified of it now: `mute` or `maintenance`.
    #[schema(example = "mute")]
    pub silence: Option<String>,
    /// Until when no one is.
    pub silent_until: Option<Timestamp>,
    /// How many parts of the card are red too: the lines of an account.
    pub parts: usize,
}

impl From<AlertView> for Alert {
    fn from(view: AlertView) -> Self {
        let AlertView { alert, silence, parts } = view;
        Self {
            id: alert.id,
            card: alert.card,
            kind: alert.kind,
            name: alert.name,
            state: alert.state.as_str().to_owned(),
            reason: alert.reason,
            detail: alert.detail,
            raised_at: alert.raised_at,
            closed_at: alert.closed_at,
            joined_to: alert.joined_to,
            notified_at: alert.notified_at,
            reminded_at: alert.reminded_at,
            silence: silence.map(|silence| silence.as_str().to_owned()),
            silent_until: silence.map(alerts::Silence::until),
            parts,
        }
    }
}

/// A card that no one is notified of for a while.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Mute {
    /// The card.
    #[schema(example = "account:main")]
    pub card: String,
    /// Until when.
    pub until: Timestamp,
    /// Since when.
    pub muted_at: Timestamp,
    /// Who wanted it.
    #[schema(example = "anna")]
    pub muted_by: String,
}

impl From<StoredMute> for Mute {
    fn from(mute: StoredMute) -> Self {
        let StoredMute { card, until, muted_at, muted_by } = mute;
        Self { card, until, muted_at, muted_by }
    }
}
