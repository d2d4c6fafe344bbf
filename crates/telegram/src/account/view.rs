//! How accounts and lines look from outside.

use delivery::pace::Sent;
use domain::account::{AccountState, Flood, Reason};
use domain::{AccountName, KeepRule, Purpose, Timestamp, UserId};
use serde::Serialize;

use crate::account::Account;
use crate::calls::last_calls::LastCalls;
use crate::files::FilesView;
use crate::line::{Line, Origin};
use crate::routing::router::Usable;
use std::num::NonZeroU32;
use std::sync::atomic::Ordering;

/// An account as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "facts that have nothing to do with each other")]
pub struct AccountView {
    pub name: AccountName,
    /// The worst over its lines, its restrictions and its floods.
    pub state: AccountState,
    /// Whether it can do anything at all: it is connected, switched on and not restricted as a whole.
    #[serde(skip)]
    pub usable: Usable,
    pub reason: Option<Reason>,
    pub detail: Option<String>,
    pub advice: Option<&'static str>,
    /// Lower numbers are used first.
    pub priority: u16,
    /// Whether it carries messages that do not name it.
    pub pool: bool,
    /// Its phone number, masked.
    pub phone: Option<String>,
    pub user_id: Option<UserId>,
    pub username: Option<String>,
    pub display_name: Option<String>,
    /// Other accounts here that are the same person: what Telegram says to one holds for all of them.
    pub same_person_as: Vec<AccountName>,
    /// How it was switched by hand: `on`, `paused` or `stopped`. Its state may be worse than that.
    pub switch: &'static str,
    pub proxy: bool,
    /// Where it was described: what is in the settings is changed there alone.
    pub source: AccountSource,
    /// Whether someone has to sign in or give it a session: it has none, or one that is lost.
    pub wants_session: bool,
    pub lines: Vec<LineView>,
    pub floods: Vec<Flood>,
    /// How many messages it may send, and how many it has.
    pub limits: LimitsView,
    /// Which messages that come in are kept.
    pub keep: KeepRule,
    /// How far the fetching of their files is.
    pub files: FilesView,
    pub cached_peers: usize,
    pub dialogs_complete: bool,
    /// How many dialogs it knows; while they are read for the first time, how far that is.
    pub dialogs_read: usize,
    /// How many dialogs Telegram says there are; none until it was asked since the start.
    pub dialogs_total: Option<u32>,
    /// Calls it made since the start.
    pub operations: u64,
    pub errors: u64,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// Of which kinds of calls some went wrong lately.
    #[serde(skip)]
    pub troubles: Vec<LastCalls>,
    /// When it last made a call.
    pub last_active_at: Option<Timestamp>,
    pub state_since: Timestamp,
    pub updates: UpdatesView,
}

/// Where an account or a session was given to the program.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountSource {
    Settings,
    /// While it ran; the store keeps it.
    Store,
}

domain::enum_words!(AccountSource);

/// The limits of an account, and how far they are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LimitsView {
    /// Messages within any hour; none: as many as there are.
    pub messages_per_hour: Option<NonZeroU32>,
    /// Messages within any 24 hours; none: as many as there are.
    pub messages_per_day: Option<NonZeroU32>,
    /// Sent within the last hour, to the minute; none while nothing is limited, since nothing is counted then.
    pub sent_last_hour: Option<u32>,
    /// The same within the last 24 hours.
    pub sent_last_day: Option<u32>,
    /// When it may send again, if it may not now.
    pub free_at: Option<Timestamp>,
}

impl From<Sent> for LimitsView {
    fn from(sent: Sent) -> Self {
        let Sent { limits, last_hour, last_day, free_at } = sent;
        let counted = |count| (!limits.is_none()).then_some(count);
        Self {
            messages_per_hour: limits.per_hour,
            messages_per_day: limits.per_day,
            sent_last_hour: counted(last_hour),
            sent_last_day: counted(last_day),
            free_at,
        }
    }
}

/// The updates of an account since the start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UpdatesView {
    pub received: u64,
    /// Left out, because they were too far back.
    pub missed: u64,
    /// The latest stretches that were left out, oldest first; at most 20.
    pub gaps: Vec<Gap>,
}

/// A stretch of updates that was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Gap {
    pub noticed_at: Timestamp,
    /// The last update that was taken before it, by Telegram's count (`pts`).
    pub after_pts: i32,
    /// The last update that was left out.
    pub up_to_pts: i32,
}

/// A session of an account as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LineView {
    /// Its purposes joined by `+`, or `all`.
    pub name: String,
    pub purposes: Vec<Purpose>,
    pub source: AccountSource,
    /// What names a session of the store, in hexadecimal; those of the settings have no name.
    pub session: Option<String>,
    pub state: AccountState,
    pub reason: Option<Reason>,
    pub detail: Option<String>,
    pub dc_id: Option<i32>,
    /// When a call was last answered.
    pub last_answer_at: Option<Timestamp>,
    pub round_trip_ms: Option<u32>,
    /// Calls over it since it was made.
    pub operations: u64,
    pub errors: u64,
    /// Whether it is the one that reads the account's updates.
    pub reads_updates: bool,
}

impl AccountView {
    pub(crate) fn of(account: &Account) -> Self {
        let shown = account.shown();
        let health = &account.health;
        let person = health.person();
        let reader = health.reader();
        Self {
            name: account.name.clone(),
            state: shown.state,
            usable: account.usable(),
            reason: shown.reason,
            detail: shown.detail,
            advice: shown.reason.map(Reason::advice),
            priority: account.priority(),
            pool: account.in_pool(),
            phone: account.phone(),
            user_id: person.as_ref().map(|person| person.user_id),
            username: person.as_ref().and_then(|person| person.username.clone()),
            display_name: person.map(|person| person.display_name).filter(|name| !name.is_empty()),
            same_person_as: Vec::new(),
            switch: account.switch().as_str(),
            proxy: account.definition().proxy.is_some(),
            source: account.definition().source,
            wants_session: account.wants_session(),
            lines: account.lines().iter().map(|line| LineView::of(line, reader)).collect(),
            floods: account.flood_waits.floods(account.now()),
            limits: account.pace.sent().into(),
            keep: account.definition().keep.clone(),
            files: account.fetching.view(),
            cached_peers: account.peers.len(),
            dialogs_complete: account.dialogs_complete.load(Ordering::Acquire),
            dialogs_read: account.peers.dialogs(),
            dialogs_total: account.dialogs_total(),
            operations: health.operations(),
            errors: health.errors(),
            last_error: health.last_error(),
            troubles: health.calls.traffic.troubles(health.clock.running()),
            last_active_at: health.last_active(),
            state_since: shown.since,
            updates: UpdatesView {
                received: account.updates_received.load(Ordering::Relaxed),
                missed: account.updates_missed.load(Ordering::Relaxed),
                gaps: account.gaps.lock().iter().copied().collect(),
            },
        }
    }
}

impl LineView {
    fn of(line: &Line, reader: Option<usize>) -> Self {
        let (status, purposes) = (line.status(), line.purposes());
        let (source, session) = match line.origin() {
            Origin::Settings(_) => (AccountSource::Settings, None),
            Origin::Stored(fingerprint) => (AccountSource::Store, Some(fingerprint.to_string())),
        };
        Self {
            name: line_name(&purposes),
            purposes: purposes.to_vec(),
            source,
            session,
            state: status.state,
            reason: status.reason,
            detail: status.detail,
            dc_id: line.dc_id(),
            last_answer_at: line.last_answer(),
            round_trip_ms: line.round_trip_ms(),
            operations: line.operations(),
            errors: line.errors(),
            reads_updates: reader == Some(line.index()),
        }
    }
}

fn line_name(purposes: &[Purpose]) -> String {
    if Purpose::ALL.iter().all(|purpose| purposes.contains(purpose)) {
        return "all".to_owned();
    }
    purposes.iter().map(|purpose| purpose.as_str()).collect::<Vec<_>>().join("+")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_named_after_its_purposes() {
        assert_eq!(line_name(&Purpose::ALL), "all");
        assert_eq!(line_name(&[Purpose::SendText, Purpose::LeaveChat]), "send_text+leave_chat");
    }
}
