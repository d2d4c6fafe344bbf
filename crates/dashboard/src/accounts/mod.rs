//! Accounts: how each is, adding, changing and removing them, signing in, and the sessions that belong to nobody.

pub(crate) mod act;
pub(crate) mod add;
pub(crate) mod change;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod limits;
pub(crate) mod list;
pub(crate) mod login;
pub(crate) mod one;
pub(crate) mod ownerless;
mod purposes;
pub(crate) mod remove;
#[cfg(test)]
mod tests;

use axum::response::Response;
use domain::{AccountName, AccountState, Timestamp};
use health::{Card, CardId, Lamp};
use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use crate::dashboard::Dashboard;
use crate::page::{refusal, segment};
use crate::view::Tint;
use crate::visitor::Visitor;
use crate::words::{AccountsWords, Span};

/// The section's own page.
const HERE: &str = "/accounts";

/// An account, as the API shows it.
#[derive(Debug, Clone, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each says one thing about the account")]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) state: AccountState,
    pub(crate) state_since: Timestamp,
    pub(crate) reason: Option<String>,
    pub(crate) priority: u16,
    pub(crate) pool: bool,
    pub(crate) phone: Option<String>,
    pub(crate) user_id: Option<i64>,
    pub(crate) username: Option<String>,
    /// Other accounts here of the same person.
    #[serde(default)]
    pub(crate) same_person_as: Vec<String>,
    pub(crate) display_name: Option<String>,
    pub(crate) switch: Switch,
    pub(crate) proxy: bool,
    pub(crate) source: String,
    pub(crate) wants_session: bool,
    pub(crate) lines: Vec<Line>,
    pub(crate) floods: Vec<Wait>,
    #[serde(default)]
    pub(crate) limits: Limits,
    pub(crate) cached_peers: u64,
    pub(crate) dialogs_complete: bool,
    pub(crate) dialogs_read: u64,
    pub(crate) dialogs_total: Option<u32>,
    pub(crate) operations: u64,
    pub(crate) errors: u64,
    pub(crate) last_error: Option<String>,
    pub(crate) last_active_at: Option<Timestamp>,
    pub(crate) updates: Updates,
    /// What its last calls say, where that is worse than its state.
    #[serde(skip)]
    pub(crate) by_calls: Option<ByCalls>,
}

/// What the last calls of an account say: its sessions are connected, and its work is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ByCalls {
    state: &'static str,
    tint: Tint,
}

impl ByCalls {
    /// Of a card, where it is so.
    pub(crate) fn of(card: &Card) -> Option<Self> {
        let tint = if card.lamp == Lamp::Trouble { Tint::Bad } else { Tint::Waiting };
        matches!(card.state, "unsteady" | "failing" | "stuck").then_some(Self { state: card.state, tint })
    }

    /// The class of the lamp.
    pub(crate) const fn class(self) -> &'static str {
        self.tint.class()
    }
}

/// How many messages an account may send, and how many it has.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(crate) struct Limits {
    pub(crate) messages_per_hour: Option<u32>,
    pub(crate) messages_per_day: Option<u32>,
    pub(crate) sent_last_hour: Option<u32>,
    pub(crate) sent_last_day: Option<u32>,
    pub(crate) free_at: Option<Timestamp>,
}

/// How an account was switched by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Switch {
    /// It works, if it can.
    On,
    /// It stays connected and gets no work.
    Paused,
    /// It is not connected.
    Stopped,
}

/// One session of an account.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Line {
    pub(crate) purposes: Vec<String>,
    pub(crate) source: String,
    pub(crate) state: AccountState,
    pub(crate) reason: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) dc_id: Option<i32>,
    pub(crate) last_answer_at: Option<Timestamp>,
    pub(crate) round_trip_ms: Option<u32>,
    pub(crate) reads_updates: bool,
}

/// A wait that Telegram asked for.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Wait {
    pub(crate) operation: String,
    pub(crate) until: Timestamp,
}

/// What an account heard.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Updates {
    pub(crate) received: u64,
    pub(crate) missed: u64,
}

impl Account {
    /// Where its page is.
    pub(crate) fn path(&self) -> String {
        path_of(&self.name)
    }

    /// The class of its lamp.
    pub(crate) const fn tint(&self) -> &'static str {
        match self.by_calls {
            Some(by_calls) => by_calls.class(),
            None => tint(self.state).class(),
        }
    }

    /// The word of its state.
    pub(crate) const fn state_word(&self) -> &'static str {
        match self.by_calls {
            Some(by_calls) => by_calls.state,
            None => self.state.as_str(),
        }
    }

    /// Takes up what its card says of its last calls.
    fn with_calls(self, dashboard: &Dashboard) -> Self {
        let card = self.name.parse().ok().and_then(|name| dashboard.health().card(&CardId::account(&name)));
        Self { by_calls: card.as_ref().and_then(ByCalls::of), ..self }
    }

    /// Who it is, by the name people see or the public one.
    pub(crate) fn person(&self) -> Option<String> {
        match (&self.display_name, &self.username) {
            (Some(name), Some(username)) => Some(format!("{name} @{username}")),
            (Some(name), None) => Some(name.clone()),
            (None, Some(username)) => Some(format!("@{username}")),
            (None, None) => None,
        }
    }

    /// The latest of its waits.
    pub(crate) fn until(&self) -> Option<Timestamp> {
        self.floods.iter().map(|wait| wait.until).max().filter(|_| self.state == AccountState::FloodWait)
    }

    /// The state that it was switched to by hand, where a worse one is shown instead.
    pub(crate) fn hidden_switch(&self) -> Option<&'static str> {
        let switched = match self.switch {
            Switch::On => return None,
            Switch::Paused => AccountState::Paused,
            Switch::Stopped => AccountState::Offline,
        };
        (self.state != switched).then_some(switched.as_str())
    }

    /// How many of its sessions are connected.
    pub(crate) fn lines_up(&self) -> usize {
        let up = |line: &&Line| matches!(line.state, AccountState::Ready | AccountState::Paused);
        self.lines.iter().filter(up).count()
    }

    /// Whether the settings file describes it, which alone can change it.
    pub(crate) fn is_in_settings(&self) -> bool {
        self.source == "settings"
    }
}

impl Limits {
    /// How much of each limit is used.
    pub(crate) fn used(&self, words: &AccountsWords) -> Vec<String> {
        let hour = (self.messages_per_hour, self.sent_last_hour, Span::Hour);
        let day = (self.messages_per_day, self.sent_last_day, Span::Day);
        let used = |(limit, sent, span): (Option<u32>, Option<u32>, Span)| {
            Some(words.of_limit(sent.unwrap_or(0), limit?, span))
        };
        [hour, day].into_iter().filter_map(used).collect()
    }
}

impl Line {
    /// The class of its lamp.
    pub(crate) const fn tint(&self) -> &'static str {
        tint(self.state).class()
    }

    /// Whether it is connected and answers.
    pub(crate) fn is_ready(&self) -> bool {
        self.state == AccountState::Ready
    }

    /// Whether it stands in the settings file.
    pub(crate) fn is_in_settings(&self) -> bool {
        self.source == "settings"
    }
}

/// What stands in a path as it is: the letters, digits and signs of names.
const IN_NAMES: AsciiSet = NON_ALPHANUMERIC.remove(b'_').remove(b'-');

/// Where the page of an account is.
pub(crate) fn path_of(name: &str) -> String {
    format!("{HERE}/{}", plain(name))
}

/// A name or an id as a segment of a path, left as it is where it is one.
fn plain(name: &str) -> impl std::fmt::Display {
    utf8_percent_encode(name, &IN_NAMES)
}

/// How a state looks.
const fn tint(state: AccountState) -> Tint {
    match state {
        AccountState::Ready => Tint::Good,
        AccountState::Paused | AccountState::Offline => Tint::Idle,
        AccountState::Connecting => Tint::Busy,
        AccountState::FloodWait => Tint::Waiting,
        AccountState::Error | AccountState::Restricted | AccountState::NeedsLogin | AccountState::Banned => {
            Tint::Bad
        }
    }
}

/// The account of a path, as the API knows it.
async fn find(dashboard: &Dashboard, visitor: &Visitor, name: &str) -> Result<Account, Box<Response>> {
    // What is no name is no path of the API either.
    if name.parse::<AccountName>().is_err() {
        return Err(Box::new(refusal::no_such_page(visitor)));
    }
    let path = format!("/v1/accounts/{}", segment(name));
    let found = dashboard.ask::<Account>(visitor, Method::GET, &path, None).await;
    found.map(|account| account.with_calls(dashboard)).map_err(|why| Box::new(refusal::of_api(visitor, &why)))
}
