//! `/accounts/{name}`: an account, its sessions and waits, and what can be done with it.

use access::Right;
use api::{AccountSource, Line, ReceivedGap, Switch};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::account::Reason;
use health::{Advice, Card, CardAction, CardId};
use http::Method;

use super::{Account, find};
use crate::dashboard::Dashboard;
use crate::listing::{address, chat_in_list};
use crate::overview::{CardView, Now, icon};
use crate::page::{self, segment};
use crate::view::{Linked, Section};
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
    /// Its card on the overview, and what is below it there.
    pub(super) card: Option<(&'a Card, Now<'a>)>,
    /// Of which chats it missed messages.
    pub(super) gaps: &'a api::Page<ReceivedGap>,
    pub(super) may_arrange: bool,
    pub(super) may_operate: bool,
    pub(super) may_export: bool,
}

impl One<'_> {
    /// Its buttons, for anyone who may press them.
    fn buttons(&self) -> Vec<CardAction> {
        if self.may_operate { buttons(self.account.switch) } else { Vec::new() }
    }

    fn icon(action: CardAction) -> &'static str {
        icon(action)
    }

    fn act_path(&self, action: CardAction) -> String {
        match action {
            CardAction::Stop => format!("{}/stop", self.card_path()),
            action => format!("{}/actions/{}", self.account.path(), action.as_str()),
        }
    }

    /// What happened and what mends it, where it needs a person.
    fn cure(&self) -> Option<CardView<'_>> {
        let (card, _) = self.card.as_ref().filter(|(card, _)| card.advice.is_some())?;
        Some(CardView::flat(card, self.overview, self.wall, self.may_operate))
    }

    /// What helps an account that was just added and has no card yet.
    fn first_advice(&self) -> Option<&'static str> {
        let reason = self.account.reason.filter(|_| self.card.is_none())?;
        Some(self.overview.advice(Advice::Account(reason)))
    }

    /// Whether Telegram has closed it, so that the page says how it can be had back.
    fn is_closed(&self) -> bool {
        let advice = self.card.as_ref().and_then(|(card, _)| card.advice);
        matches!(advice, Some(Advice::Account(Reason::Banned | Reason::Deactivated)))
    }

    /// Where its card is asked to stop.
    fn card_path(&self) -> String {
        format!("/cards/{}", segment(&format!("account:{}", self.account.name)))
    }

    fn list(&self, path: &str) -> String {
        address(path, &[("account", self.account.name.as_str())])
    }

    fn purposes(&self, line: &Line) -> String {
        if line.purposes.len() == domain::Purpose::ALL.len() {
            return self.words.everything.to_owned();
        }
        let words: Vec<_> =
            line.purposes.iter().map(|purpose| self.words.purpose(purpose.as_str())).collect();
        words.join(", ")
    }

    fn limits(&self) -> Vec<String> {
        self.account.limits_used(self.words)
    }

    /// The chat of a gap, with a link to it.
    fn missed_in(&self, gap: &ReceivedGap) -> String {
        match gap.chat_id {
            Some(chat) => chat_in_list(&gap.names, Some(&chat.to_string()), None),
            None => self.words.missed_private.to_owned(),
        }
    }

    fn dialogs(&self) -> String {
        let api::Account { dialogs_read, dialogs_total, dialogs_complete, .. } = **self.account;
        self.words.dialogs_of(dialogs_read as u64, dialogs_total, dialogs_complete)
    }

    fn known(&self) -> String {
        words::number::thousands(self.account.cached_peers as u64)
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

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Response {
    let account = match find(&dashboard, &visitor, &name).await {
        Ok(account) => account,
        Err(answer) => return *answer,
    };
    let (overview, wall) = (OverviewWords::of(visitor.language), visitor.wall());
    let card = dashboard.health().card(&CardId::account(&account.name));
    let minutes = card.as_ref().map(|card| dashboard.health().strip(&card.id)).unwrap_or_default();
    let path = format!("/v1/accounts/{}/gaps?limit=100", segment(&name));
    // The store may be away, and the rest of the page is in memory.
    let gaps = dashboard.ask(&visitor, Method::GET, &path, None).await.unwrap_or_default();
    let now = |card| (card, Now { words: overview, wall, card, minutes: &minutes });
    let body = One {
        visitor: &visitor,
        words: AccountsWords::of(visitor.language),
        work: WorkWords::of(visitor.language),
        overview,
        wall,
        account: &account,
        card: card.as_ref().map(now),
        gaps: &gaps,
        may_arrange: visitor.may(Right::ArrangeAccounts),
        may_operate: visitor.may(Right::Operate),
        may_export: visitor.may(Right::ExportSessions),
    };
    page::page(&visitor, account.name.as_str(), Section::Accounts, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_switch_has_its_buttons() {
        for switch in [Switch::On, Switch::Paused, Switch::Stopped] {
            let shown = buttons(switch);
            assert_eq!(shown.contains(&CardAction::Start), switch == Switch::Stopped);
            assert_eq!(shown.contains(&CardAction::Resume), switch == Switch::Paused);
            assert_eq!(shown.contains(&CardAction::Stop), switch != Switch::Stopped);
        }
    }
}
