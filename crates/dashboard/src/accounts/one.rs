//! `/accounts/{name}`: an account, its sessions and waits, and what can be done with it.

use access::Right;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::account::{AccountState, Reason};
use health::{Advice, CardAction};

use super::{Account, Line, Switch, find};
use crate::dashboard::Dashboard;
use crate::listing::address;
use crate::overview::icon;
use crate::page::{self, Section, segment};
use crate::visitor::Visitor;
use crate::words::{self, AccountsWords, OverviewWords, Wall, WorkWords};

#[derive(Template)]
#[template(path = "accounts/one.html")]
pub(super) struct One<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static AccountsWords,
    pub(super) work: &'static WorkWords,
    pub(super) overview: &'static OverviewWords,
    pub(super) wall: Wall,
    pub(super) account: &'a Account,
    pub(super) may_arrange: bool,
    pub(super) may_operate: bool,
    pub(super) may_export: bool,
}

impl One<'_> {
    /// Its buttons, for whoever may press them.
    fn buttons(&self) -> Vec<CardAction> {
        if self.may_operate { buttons(self.account.switch) } else { Vec::new() }
    }

    fn icon(action: CardAction) -> &'static str {
        icon(action)
    }

    fn act_path(&self, action: CardAction) -> String {
        match action {
            CardAction::Stop => format!("{}/stop", self.card()),
            action => format!("{}/actions/{}", self.account.path(), action.as_str()),
        }
    }

    /// What happened and what to do, where it needs somebody.
    fn cure(&self) -> Option<&'static str> {
        let advice = match self.account.state {
            AccountState::Ready | AccountState::Connecting => return None,
            AccountState::FloodWait => Advice::WaitForDeadline,
            AccountState::Paused => Advice::Resume,
            AccountState::Offline => Advice::Start,
            _ => Advice::Account(reason_of(self.account.reason.as_deref())?),
        };
        Some(self.overview.advice(advice))
    }

    /// Its card, with the last two hours.
    fn card(&self) -> String {
        format!("/cards/{}", segment(&format!("account:{}", self.account.name)))
    }

    fn list(&self, path: &str) -> String {
        address(path, &[("account", &self.account.name)])
    }

    fn purposes(&self, line: &Line) -> String {
        if line.purposes.len() == domain::Purpose::ALL.len() {
            return self.words.everything.to_owned();
        }
        let words: Vec<_> = line.purposes.iter().map(|word| self.words.purpose(word)).collect();
        words.join(", ")
    }

    /// How much of each limit is used.
    fn limits(&self) -> Vec<String> {
        self.account.limits.used(self.words)
    }

    fn dialogs(&self) -> String {
        let Account { dialogs_read, dialogs_total, dialogs_complete, .. } = self.account;
        self.words.dialogs_of(*dialogs_read, *dialogs_total, *dialogs_complete)
    }

    fn took(&self, millis: u32) -> String {
        words::number::latency(self.visitor.language, std::time::Duration::from_millis(millis.into()))
    }
}

/// What can be done with an account, by how it is switched: its state may be worse than that.
pub(super) fn buttons(switch: Switch) -> Vec<CardAction> {
    match switch {
        Switch::Stopped => vec![CardAction::Start],
        Switch::Paused => vec![CardAction::Resume, CardAction::Restart, CardAction::Stop],
        Switch::On => vec![CardAction::Pause, CardAction::Restart, CardAction::Stop],
    }
}

/// The reason of a word of the API.
fn reason_of(word: Option<&str>) -> Option<Reason> {
    serde_json::from_value(serde_json::Value::from(word?)).ok()
}

/// The page.
pub(super) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Response {
    let account = match find(&dashboard, &visitor, &name).await {
        Ok(account) => account,
        Err(answer) => return *answer,
    };
    let body = One {
        visitor: &visitor,
        words: AccountsWords::of(visitor.language),
        work: WorkWords::of(visitor.language),
        overview: OverviewWords::of(visitor.language),
        wall: visitor.wall(),
        account: &account,
        may_arrange: visitor.may(Right::ArrangeAccounts),
        may_operate: visitor.may(Right::Operate),
        may_export: visitor.may(Right::ExportSessions),
    };
    page::page(&visitor, &account.name, Section::Accounts, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_read_and_every_switch_has_its_buttons() {
        assert_eq!(reason_of(Some("session_revoked")), Some(Reason::SessionRevoked));
        assert_eq!(reason_of(Some("new_word")), None);
        for switch in [Switch::On, Switch::Paused, Switch::Stopped] {
            let shown = buttons(switch);
            assert_eq!(shown.contains(&CardAction::Start), switch == Switch::Stopped);
            assert_eq!(shown.contains(&CardAction::Resume), switch == Switch::Paused);
            assert_eq!(shown.contains(&CardAction::Stop), switch != Switch::Stopped);
        }
    }
}
