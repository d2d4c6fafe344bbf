//! An account: its state, its sessions, its waits; and sessions without an account.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use domain::account::{Operation, Reason};
use domain::{
    AccountName, AccountState, ChatId, FileKind, FileRule, Keep, KeepRule, Purpose, Timestamp, UserId,
};
use serde::{Deserialize, Serialize};
use store::Switch;
use telegram::{AccountSource, AccountView, LimitsView, LineView, OwnerlessView};
use utoipa::ToSchema;

use crate::schemas;

/// A Telegram account.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each says one thing about the account")]
pub struct Account {
    /// The owner's name for it.
    #[schema(value_type = String, example = "main")]
    pub name: AccountName,
    /// The worst over its lines and floods.
    #[schema(schema_with = schemas::account_state)]
    pub state: AccountState,
    /// Since when.
    pub state_since: Timestamp,
    /// A stable word for why, such as `no_session` or `auth_key_duplicated`.
    #[schema(value_type = Option<String>)]
    pub reason: Option<Reason>,
    /// More, in words.
    pub detail: Option<String>,
    /// What the owner should do about it.
    pub advice: Option<String>,
    /// Whether it works, as the overview shows it: it is ready, and its last calls went well.
    #[serde(default)]
    pub healthy: bool,
    /// Why the overview shows it in trouble, as a stable word such as `server_errors`; null without trouble.
    #[serde(default)]
    pub trouble: Option<String>,
    /// The lower, the earlier it is chosen.
    pub priority: u16,
    /// Whether it is chosen when no one pins it.
    pub pool: bool,
    /// Its phone number, most of it hidden.
    #[schema(example = "+7•••••••01")]
    pub phone: Option<String>,
    /// Telegram's id of it, once it was seen.
    #[schema(value_type = Option<i64>)]
    pub user_id: Option<UserId>,
    /// Its public name.
    pub username: Option<String>,
    /// Its name.
    pub display_name: Option<String>,
    /// Other accounts here that are the same person: what Telegram says to one holds for all of them.
    #[schema(value_type = Vec<String>)]
    pub same_person_as: Vec<AccountName>,
    /// How it was switched by hand: `on`, `paused` or `stopped`. Its state may be worse than that.
    #[schema(value_type = String, example = "on")]
    #[serde(with = "crate::word")]
    pub switch: Switch,
    /// Whether it connects through a proxy.
    pub proxy: bool,
    /// Where it was described: `settings`, which alone can change it then, or `store`.
    #[schema(value_type = String, example = "store")]
    #[serde(with = "crate::word")]
    pub source: AccountSource,
    /// Whether someone has to sign in or give it a session: it has none, or one that is lost.
    pub wants_session: bool,
    /// Its sessions.
    pub lines: Vec<Line>,
    /// The waits Telegram asked for that still run.
    pub floods: Vec<Flood>,
    /// How many messages it may send, and how many it has.
    pub limits: AccountLimits,
    /// Which messages that come in are kept.
    pub keep_messages: KeepMessages,
    /// How far the fetching of their files is.
    #[serde(default)]
    pub files: FilesWaiting,
    /// How many chats and users it knows.
    pub cached_peers: usize,
    /// Whether all its dialogs were read once.
    pub dialogs_complete: bool,
    /// How many dialogs it knows; while they are read for the first time, how far that is.
    pub dialogs_read: usize,
    /// How many dialogs Telegram says there are; null until it was asked since the start.
    pub dialogs_total: Option<u32>,
    /// Calls since the start.
    pub operations: u64,
    /// Calls that failed since the start.
    pub errors: u64,
    /// The last failure.
    pub last_error: Option<String>,
    /// When it last did something.
    pub last_active_at: Option<Timestamp>,
    /// What it heard.
    pub updates: Updates,
}

/// One session of an account.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Line {
    /// What it is called.
    #[schema(example = "send_text")]
    pub name: String,
    /// What it is for.
    #[schema(value_type = Vec<String>)]
    pub purposes: Vec<Purpose>,
    /// Where it was given: in the `settings`, or kept in the `store`.
    #[schema(value_type = String, example = "store")]
    #[serde(with = "crate::word")]
    pub source: AccountSource,
    /// What names a session of the store; those of the settings have no name.
    #[schema(example = "1f2e3d4c5b6a7988")]
    pub session: Option<String>,
    /// How it is.
    #[schema(schema_with = schemas::account_state)]
    pub state: AccountState,
    /// A stable word for why.
    #[schema(value_type = Option<String>)]
    pub reason: Option<Reason>,
    /// More, in words.
    pub detail: Option<String>,
    /// The data centre it is connected to.
    pub dc_id: Option<i32>,
    /// When a call of it was last answered.
    pub last_answer_at: Option<Timestamp>,
    /// How long that answer took, in milliseconds.
    pub round_trip_ms: Option<u32>,
    /// Whether it is the one that reads the account's updates.
    pub reads_updates: bool,
}

/// How many messages an account may send by the word of its owner, and how many it has. An album is one message, and so is each
/// part of a long text.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
pub struct AccountLimits {
    /// Within any hour; null: as many as there are.
    #[schema(minimum = 1, example = 30)]
    pub messages_per_hour: Option<u32>,
    /// Within any 24 hours; null: as many as there are.
    #[schema(minimum = 1, example = 300)]
    pub messages_per_day: Option<u32>,
    /// Sent within the last hour, to the minute; null while nothing is limited.
    pub sent_last_hour: Option<u32>,
    /// Sent within the last 24 hours, to the minute; null while nothing is limited.
    pub sent_last_day: Option<u32>,
    /// When it may send again, if it may not now.
    pub free_at: Option<Timestamp>,
}

/// Files of messages that came in and are to be fetched.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct FilesWaiting {
    /// How many.
    pub waiting: u64,
    /// Why none is fetched now: `disk_full`, `disk_failed`, `flood_wait`, `not_connected` or `paused`.
    #[schema(example = "disk_full")]
    pub stopped: Option<String>,
}

/// Which messages that come in are kept and reported as events.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeepMessages {
    /// `private`: those of private chats. `registered`: those, and the messages of the chats that were made here or sent to.
    /// `all`, or `none`.
    #[serde(default)]
    #[schema(value_type = String, pattern = "^(private|registered|all|none)$", default = "registered", example = "registered")]
    pub rule: Keep,
    /// Chats whose messages are kept whatever the rule says.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 1000, example = json!(["-1001234567890"]))]
    pub always: Vec<ChatId>,
    /// Chats whose messages are never kept.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 1000)]
    pub never: Vec<ChatId>,
    /// Which files of what is kept are fetched as they come in.
    #[serde(default)]
    pub files: KeepFiles,
}

/// Which files are fetched as they come in. Others are fetched when they are asked for.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KeepFiles {
    /// Those of these kinds: `photo`, `video`, `video_note`, `animation`, `voice`, `audio`, `sticker` or `document`.
    #[schema(value_type = Vec<String>, max_items = 8, example = json!(["photo", "voice"]))]
    pub kinds: Vec<FileKind>,
    /// As far as they have no more bytes than this.
    #[schema(minimum = 1, default = 10_000_000, example = 5_000_000)]
    pub max_size: u64,
}

impl Default for KeepFiles {
    fn default() -> Self {
        let FileRule { kinds, max_size } = FileRule::default();
        Self { kinds, max_size }
    }
}

impl From<KeepRule> for KeepMessages {
    fn from(KeepRule { rule, always, never, files }: KeepRule) -> Self {
        let FileRule { kinds, max_size } = files;
        Self { rule, always, never, files: KeepFiles { kinds, max_size } }
    }
}

impl From<KeepMessages> for KeepRule {
    fn from(KeepMessages { rule, always, never, files }: KeepMessages) -> Self {
        let KeepFiles { kinds, max_size } = files;
        Self { rule, always, never, files: FileRule { kinds, max_size } }
    }
}

impl From<LimitsView> for AccountLimits {
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
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Flood {
    /// What must wait.
    #[schema(value_type = String, example = "send_message")]
    pub operation: Operation,
    /// Until when.
    pub until: Timestamp,
}

/// The updates of an account since the start.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Updates {
    /// How many came.
    pub received: u64,
    /// How many were too old or too many to be read after a pause.
    pub missed: u64,
    /// The latest stretches that were left out, oldest first; at most 20.
    pub gaps: Vec<UpdatesGap>,
}

/// A stretch of updates that was left out.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UpdatesGap {
    /// When it was noticed.
    pub noticed_at: Timestamp,
    /// The last update that was taken before it, by Telegram's count (`pts`).
    pub after_pts: i32,
    /// The last update that was left out.
    pub up_to_pts: i32,
}

impl From<telegram::Gap> for UpdatesGap {
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
            advice: view.advice.map(str::to_owned),
            healthy: view.state == AccountState::Ready,
            trouble: None,
            priority: view.priority,
            pool: view.pool,
            phone: view.phone,
            user_id: view.user_id,
            username: view.username,
            display_name: view.display_name,
            same_person_as: view.same_person_as,
            switch: Switch::from_word(view.switch).unwrap_or(Switch::On),
            proxy: view.proxy,
            source: view.source,
            wants_session: view.wants_session,
            lines: view.lines.into_iter().map(Into::into).collect(),
            floods: view.floods.into_iter().map(Into::into).collect(),
            limits: view.limits.into(),
            keep_messages: view.keep.into(),
            files: FilesWaiting {
                waiting: view.files.waiting,
                stopped: view.files.stopped.map(str::to_owned),
            },
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

impl From<domain::account::Flood> for Flood {
    fn from(flood: domain::account::Flood) -> Self {
        Self { operation: flood.operation, until: flood.until }
    }
}

/// One page of the accounts.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct AccountsPage {
    /// The accounts, in order.
    pub items: Vec<Account>,
    /// What to give as `cursor` for the next page; null on the last one.
    pub next_cursor: Option<String>,
    /// How many accounts there are in each state, whatever is asked for; a state that is not named has none.
    #[schema(example = json!({ "ready": 17, "needs_login": 1 }))]
    pub states: BTreeMap<String, usize>,
    /// Sessions that are kept and belong to no account, on each page all of them; null while the store does not answer.
    pub ownerless_sessions: Option<Vec<OwnerlessSession>>,
}

/// A session that belongs to no account.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OwnerlessSession {
    /// The fingerprint of its key.
    #[schema(example = "1f2e3d4c5b6a7988")]
    pub id: String,
    /// The data centre it lives in.
    pub dc_id: i32,
    /// Whose it is, as reported by Telegram.
    #[schema(value_type = Option<i64>)]
    pub user_id: Option<UserId>,
    /// The public name of that user.
    pub username: Option<String>,
    /// The name of that user.
    pub display_name: Option<String>,
    /// Where it came from, in words.
    #[schema(example = "account main: another session took its place")]
    pub origin: String,
}

impl From<OwnerlessView> for OwnerlessSession {
    fn from(view: OwnerlessView) -> Self {
        Self {
            id: view.session,
            dc_id: view.dc_id,
            user_id: view.user_id,
            username: view.username,
            display_name: view.display_name,
            origin: view.origin,
        }
    }
}
