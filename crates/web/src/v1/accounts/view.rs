//! How `/v1` shows a Telegram account: its state, its sessions, its waits.

use std::num::NonZeroU32;

use domain::account::{Flood, Operation, Reason};
use domain::{AccountName, AccountState, Purpose, Timestamp};
use serde::Serialize;
use telegram::{AccountSource, AccountView, LimitsView, LineView};
use utoipa::ToSchema;

use crate::v1::words;

/// A Telegram account.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each says one thing about the account")]
pub(crate) struct Account {
    /// The owner's name for it.
    #[schema(value_type = String, example = "main")]
    pub(super) name: AccountName,
    /// The worst over its lines and floods.
    #[schema(schema_with = words::account_state)]
    state: AccountState,
    /// Since when.
    state_since: Timestamp,
    /// A stable word for why, such as `no_session` or `auth_key_duplicated`.
    #[schema(value_type = Option<String>)]
    reason: Option<Reason>,
    /// More, in words.
    detail: Option<String>,
    /// What the owner should do about it.
    advice: Option<&'static str>,
    /// The lower, the earlier it is chosen.
    priority: u16,
    /// Whether it is chosen at all when nobody pins it.
    pool: bool,
    /// Its phone number, most of it hidden.
    #[schema(example = "+7•••••••01")]
    phone: Option<String>,
    /// Telegram's id of it, once it was seen.
    user_id: Option<i64>,
    /// Its public name.
    username: Option<String>,
    /// Its name.
    display_name: Option<String>,
    /// Other accounts here that are the same person: what Telegram says to one holds for all of them.
    #[schema(value_type = Vec<String>)]
    same_person_as: Vec<AccountName>,
    /// How it was switched by hand: `on`, `paused` or `stopped`. Its state may be worse than that.
    #[schema(example = "on")]
    switch: &'static str,
    /// Whether it connects through a proxy.
    proxy: bool,
    /// Where it was described: `settings`, which alone can change it then, or `store`.
    #[schema(value_type = String, example = "store")]
    source: AccountSource,
    /// Whether someone has to sign in or give it a session: it has none, or one that is lost.
    wants_session: bool,
    /// Its sessions.
    lines: Vec<Line>,
    /// The waits Telegram asked for that still run.
    floods: Vec<FloodItem>,
    /// How many messages it may send, and how many it has.
    limits: Limits,
    /// How many chats and users it knows.
    cached_peers: usize,
    /// Whether all its dialogs were read once.
    dialogs_complete: bool,
    /// How many dialogs it knows; while they are read for the first time, how far that is.
    dialogs_read: usize,
    /// How many dialogs Telegram says there are; null until it was asked since the start.
    dialogs_total: Option<u32>,
    /// Calls since the start.
    operations: u64,
    /// Calls that failed since the start.
    errors: u64,
    /// The last failure.
    last_error: Option<String>,
    /// When it last did something.
    last_active_at: Option<Timestamp>,
    /// What it heard.
    updates: Updates,
}

/// One session of an account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Line {
    /// What it is called.
    #[schema(example = "send_text")]
    name: String,
    /// What it is for.
    #[schema(value_type = Vec<String>)]
    purposes: Vec<Purpose>,
    /// Where it was given: in the `settings`, or kept in the `store`.
    #[schema(value_type = String, example = "store")]
    source: AccountSource,
    /// What names a session of the store; those of the settings have no name.
    #[schema(example = "1f2e3d4c5b6a7988")]
    session: Option<String>,
    /// How it is.
    #[schema(schema_with = words::account_state)]
    state: AccountState,
    /// A stable word for why.
    #[schema(value_type = Option<String>)]
    reason: Option<Reason>,
    /// More, in words.
    detail: Option<String>,
    /// The data centre it is connected to.
    dc_id: Option<i32>,
    /// When a call of it was last answered.
    last_answer_at: Option<Timestamp>,
    /// How long that answer took, in milliseconds.
    round_trip_ms: Option<u32>,
    /// Whether it is the one that reads the account's updates.
    reads_updates: bool,
}

/// How many messages an account may send by the word of its owner, and how many it has. An album is one message, and so is each
/// part of a long text.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccountLimits)]
pub(crate) struct Limits {
    /// Within any hour; null: as many as there are.
    #[schema(minimum = 1, example = 30)]
    messages_per_hour: Option<u32>,
    /// Within any 24 hours; null: as many as there are.
    #[schema(minimum = 1, example = 300)]
    messages_per_day: Option<u32>,
    /// Sent within the last hour, to the minute; null while nothing is limited.
    sent_last_hour: Option<u32>,
    /// Sent within the last 24 hours, to the minute; null while nothing is limited.
    sent_last_day: Option<u32>,
    /// When it may send again, if it may not now.
    free_at: Option<Timestamp>,
}

impl From<LimitsView> for Limits {
    fn from(view: LimitsView) -> Self {
        Self {
            messages_per_hour: view.messages_per_hour.map(NonZeroU32::get),
            messages_per_day: view.messages_per_day.map(NonZeroU32::get),
            sent_last_hour: view.sent_last_hour,
            sent_last_day: view.sent_last_day,
            free_at: view.free_at,
        }
    }
}

/// A wait that Telegram asked for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Flood)]
pub(crate) struct FloodItem {
    /// What must wait.
    #[schema(value_type = String, example = "send_message")]
    operation: Operation,
    /// Until when.
    until: Timestamp,
}

/// The updates of an account since the start.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Updates {
    /// How many came.
    received: u64,
    /// How many were too old or too many to be read after a pause.
    missed: u64,
    /// The latest stretches that were left out, oldest first; at most 20.
    gaps: Vec<Gap>,
}

/// A stretch of updates that was left out.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UpdatesGap)]
pub(crate) struct Gap {
    /// When it was noticed.
    noticed_at: Timestamp,
    /// The last update that was taken before it, by Telegram's count (`pts`).
    after_pts: i32,
    /// The last update that was left out.
    up_to_pts: i32,
}

impl From<telegram::Gap> for Gap {
    fn from(gap: telegram::Gap) -> Self {
        Self { noticed_at: gap.noticed_at, after_pts: gap.after_pts, up_to_pts: gap.up_to_pts }
    }
}

impl From<AccountView> for Account {
    fn from(view: AccountView) -> Self {
        Self {
            name: view.name,
            state: view.state,
            state_since: view.state_since,
            reason: view.reason,
            detail: view.detail,
            advice: view.advice,
            priority: view.priority,
            pool: view.pool,
            phone: view.phone,
            user_id: view.user_id,
            username: view.username,
            display_name: view.display_name,
            same_person_as: view.same_person_as,
            switch: view.switch,
            proxy: view.proxy,
            source: view.source,
            wants_session: view.wants_session,
            lines: view.lines.into_iter().map(Into::into).collect(),
            floods: view.floods.into_iter().map(Into::into).collect(),
            limits: view.limits.into(),
            cached_peers: view.cached_peers,
            dialogs_complete: view.dialogs_complete,
            dialogs_read: view.dialogs_read,
            dialogs_total: view.dialogs_total,
            operations: view.operations,
            errors: view.errors,
            last_error: view.last_error,
            last_active_at: view.last_active_at,
            updates: Updates {
                received: view.updates.received,
                missed: view.updates.missed,
                gaps: view.updates.gaps.into_iter().map(Into::into).collect(),
            },
        }
    }
}

impl From<LineView> for Line {
    fn from(view: LineView) -> Self {
        Self {
            name: view.name,
            purposes: view.purposes,
            source: view.source,
            session: view.session,
            state: view.state,
            reason: view.reason,
            detail: view.detail,
            dc_id: view.dc_id,
            last_answer_at: view.last_answer_at,
            round_trip_ms: view.round_trip_ms,
            reads_updates: view.reads_updates,
        }
    }
}

impl From<Flood> for FloodItem {
    fn from(flood: Flood) -> Self {
        Self { operation: flood.operation, until: flood.until }
    }
}
