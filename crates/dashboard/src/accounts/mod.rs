//! Accounts: how each is, adding, changing and removing them, signing in, and the sessions that belong to no one.

pub(crate) mod act;
pub(crate) mod add;
pub(crate) mod change;
pub(crate) mod export;
mod file_kinds;
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

use std::ops::Deref;

use api::{AccountSource, Switch};
use axum::response::Response;
use domain::{AccountName, AccountState, Timestamp};
use health::{Card, CardId, Lamp};
use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::dashboard::Dashboard;
use crate::page::{refusal, segment};
use crate::view::{Linked, Tint};
use crate::visitor::Visitor;
use crate::words::{AccountsWords, Span};

const HERE: &str = "/accounts";

/// An account, and what its last calls say where that is worse than its state.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    view: api::Account,
    pub(crate) by_calls: Option<ByCalls>,
}

impl Deref for Account {
    type Target = api::Account;

    fn deref(&self) -> &api::Account {
        &self.view
    }
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

    pub(crate) const fn class(self) -> &'static str {
        self.tint.class()
    }
}

impl Linked for Account {
    fn path(&self) -> String {
        path_of(self.name.as_str())
    }
}

impl Account {
    /// With what its card says of its last calls.
    fn new(view: api::Account, dashboard: &Dashboard) -> Self {
        let card = dashboard.health().card(&CardId::account(&view.name));
        Self { by_calls: card.as_ref().and_then(ByCalls::of), view }
    }

    pub(crate) const fn tint(&self) -> &'static str {
        match self.by_calls {
            Some(by_calls) => by_calls.class(),
            None => tint(self.view.state).class(),
        }
    }

    pub(crate) const fn state_word(&self) -> &'static str {
        match self.by_calls {
            Some(by_calls) => by_calls.state,
            None => self.view.state.as_str(),
        }
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
        let up = |line: &&api::Line| matches!(line.state, AccountState::Ready | AccountState::Paused);
        self.lines.iter().filter(up).count()
    }

    /// Whether the settings file describes it, which alone can change it.
    pub(crate) fn is_in_settings(&self) -> bool {
        self.source == AccountSource::Settings
    }

    pub(crate) fn limits_used(&self, words: &AccountsWords) -> Vec<String> {
        let limits = &self.limits;
        let hour = (limits.messages_per_hour, limits.sent_last_hour, Span::Hour);
        let day = (limits.messages_per_day, limits.sent_last_day, Span::Day);
        let used = |(limit, sent, span): (Option<u32>, Option<u32>, Span)| {
            Some(words.of_limit(sent.unwrap_or(0), limit?, span))
        };
        [hour, day].into_iter().filter_map(used).collect()
    }
}

/// What is kept as it is in a path: the letters, digits and signs of names.
const IN_NAMES: AsciiSet = NON_ALPHANUMERIC.remove(b'_').remove(b'-');

/// Where the page of an account is.
pub(crate) fn path_of(name: &str) -> String {
    format!("{HERE}/{}", plain(name))
}

/// A name or an id as a segment of a path, left as it is where it is one.
fn plain(name: &str) -> impl std::fmt::Display {
    utf8_percent_encode(name, &IN_NAMES)
}

pub(super) const fn tint(state: AccountState) -> Tint {
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
    let found = dashboard.ask::<api::Account>(visitor, Method::GET, &path, None).await;
    found
        .map(|account| Account::new(account, dashboard))
        .map_err(|why| Box::new(refusal::of_api(visitor, &why)))
}
