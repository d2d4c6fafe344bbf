//! How `/v1` shows an alert.

use alerts::AlertView;
use domain::{AlertId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::v1::words;

/// Something stayed broken.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Alert)]
pub(crate) struct Shown {
    /// Its id.
    #[schema(value_type = String, example = "alert_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    id: AlertId,
    /// The card it is about.
    #[schema(example = "account:main")]
    card: String,
    /// What the card is.
    #[schema(example = "account")]
    kind: String,
    /// What people call it.
    #[schema(example = "main")]
    name: String,
    /// `open`; `cleared`: it is well again; `joined`: the alert of what it is a part of speaks for it; `gone`: there is no
    /// such card any more.
    #[schema(schema_with = words::alert_state)]
    state: &'static str,
    /// Why it is red, as a stable word.
    #[schema(example = "session_revoked")]
    reason: String,
    /// Why it is red, in words.
    detail: Option<String>,
    /// When it was raised: after three beats in a row that failed.
    raised_at: Timestamp,
    /// Since when it is not open any more.
    closed_at: Option<Timestamp>,
    /// The alert that speaks for this one.
    #[schema(value_type = Option<String>)]
    joined_to: Option<AlertId>,
    /// When the targets were told, or it was put in their queues.
    told_at: Option<Timestamp>,
    /// When they were reminded last.
    reminded_at: Option<Timestamp>,
    /// Why nobody is told of it now: `mute` or `maintenance`.
    #[schema(example = "mute")]
    silence: Option<&'static str>,
    /// Until when nobody is.
    silent_until: Option<Timestamp>,
    /// How many parts of the card are red too: the lines of an account.
    parts: usize,
}

impl From<AlertView> for Shown {
    fn from(view: AlertView) -> Self {
        let AlertView { alert, silence, parts } = view;
        Self {
            id: alert.id,
            card: alert.card,
            kind: alert.kind,
            name: alert.name,
            state: alert.state.as_str(),
            reason: alert.reason,
            detail: alert.detail,
            raised_at: alert.raised_at,
            closed_at: alert.closed_at,
            joined_to: alert.joined_to,
            told_at: alert.told_at,
            reminded_at: alert.reminded_at,
            silence: silence.map(alerts::Silence::as_str),
            silent_until: silence.map(alerts::Silence::until),
            parts,
        }
    }
}
