//! A card of the board: flat when it is fine; tall, with what happened and what mends it, when it is not.

use std::borrow::Cow;

use api::Alert;
use askama::Template;
use domain::account::Reason;
use health::{Advice, Card, CardAction, CardId, CardKind, Lamp};

use super::card;
use super::sparkline::sparkline;
use super::strip::{Cell, Strip};
use crate::accounts::{ByCalls, path_of};
use crate::page;
use crate::view::LinkTarget;
use crate::words::number::{bytes, percent, span, thousands};
use crate::words::{self, OverviewWords, Sentence, Wall, number, reason, state, translate};

/// The most buttons of a flat card; the others are on its own page.
const BUTTONS: usize = 3;

#[derive(Template)]
#[template(path = "overview/card.html")]
pub(crate) struct CardView<'a> {
    card: &'a Card,
    words: &'static OverviewWords,
    wall: Wall,
    strip: Strip,
    name: Cow<'a, str>,
    /// Whether anyone who looks may press its buttons.
    may_act: bool,
    around: Around<'a>,
}

/// What is in the same entry as a card.
#[derive(Debug, Clone, Default)]
pub(crate) struct Around<'a> {
    pub(crate) lines: Vec<&'a Card>,
    /// The accounts because of which a service cannot work.
    pub(crate) accounts: &'a [CardId],
    /// Whether it is a trouble of its own.
    pub(crate) is_cause: bool,
    /// Whether it says what happened in one line.
    pub(crate) is_brief: bool,
    pub(crate) alert: Option<&'a Alert>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mend {
    Act(CardAction),
    /// A page; `true` when it is short enough to be shown over this one.
    Go(String, LinkTarget, bool),
}

/// What happened to a card and what mends it.
#[derive(Template)]
#[template(path = "overview/cure.html")]
struct Remedy<'a> {
    view: &'a CardView<'a>,
    more: &'static str,
}

impl Remedy<'_> {
    /// The alert that can be muted here.
    fn mutable(&self) -> Option<&Alert> {
        self.view.alert().filter(|alert| self.view.may_act && alert.silent_until.is_none())
    }

    /// Whether something is below the sentence.
    fn has_more(&self) -> bool {
        self.view.detail().is_some() || self.view.proof().is_some() || self.view.alert().is_some()
    }

    fn has_row(&self) -> bool {
        self.view.mend().is_some() || self.mutable().is_some()
    }
}

impl<'a> CardView<'a> {
    pub(crate) fn new(
        card: &'a Card,
        strip: Strip,
        words: &'static OverviewWords,
        wall: Wall,
        may_act: bool,
    ) -> Self {
        Self { card, words, wall, strip, name: name(card), may_act, around: Around::default() }
    }

    /// A card outside the board, of which only what happened is drawn.
    pub(crate) fn flat(card: &'a Card, words: &'static OverviewWords, wall: Wall, may_act: bool) -> Self {
        Self::new(card, Strip::of(&[], Cell::ThreeMinutes), words, wall, may_act)
    }

    /// The same with what is in its entry.
    pub(crate) fn within(self, around: Around<'a>) -> Self {
        Self { around, ..self }
    }

    /// Whether it opens to say what happened. What is red because of another trouble leaves that to it.
    fn is_tall(&self) -> bool {
        let card = self.card;
        match card.lamp {
            Lamp::Waiting => card.advice.is_some() || card.proof.is_some() || self.around.is_cause,
            Lamp::Trouble | Lamp::Busy | Lamp::Off | Lamp::Good => self.around.is_cause,
        }
    }

    /// Its alert, where it opens and shows it.
    pub(crate) fn alert(&self) -> Option<&'a Alert> {
        self.around.alert.filter(|_| self.is_tall())
    }

    /// The accounts because of which it cannot work, the first few with where they are, and how many more there are.
    fn accounts(&self) -> (Vec<(&'a str, String)>, usize) {
        const NAMED: usize = 4;
        let accounts = self.around.accounts;
        let named = accounts.iter().take(NAMED).map(|id| (id.name(), card_path(id)));
        (named.collect(), accounts.len().saturating_sub(NAMED))
    }

    /// Since when an alert is raised, and until when no one is notified of it.
    fn alert_words(&self, alert: &Alert) -> String {
        let until = alert.silent_until.map(|until| self.wall.minute(until));
        self.words.alert_since(self.wall.minute(alert.raised_at), until)
    }

    fn line_name<'b>(&self, line: &'b Card) -> Cow<'b, str> {
        match line.name.split_once('.').map_or(line.name.as_str(), |(purposes, _)| purposes) {
            "all" => Cow::Borrowed(self.words.for_everything),
            _ => Cow::Owned(line.name.replace('+', ", ")),
        }
    }

    /// The lamp of a session that is connected while the calls of its account fail: green would say that all is well.
    fn connected_only(&self, line: &Card) -> Option<&'static str> {
        ByCalls::of(self.card).filter(|_| line.lamp == Lamp::Good).map(ByCalls::class)
    }

    fn lamp(&self) -> &'static str {
        lamp(self.card.lamp)
    }

    fn state(&self) -> Cow<'static, str> {
        state(self.words.language, self.card.state)
    }

    /// The few words beside the state: until when it waits; else why it is in trouble.
    fn short(&self) -> Option<String> {
        let card = self.card;
        if let Some(until) = card.until {
            return Some(self.words.name_until("", self.wall.minute(until)).trim_start().to_owned());
        }
        // A tall card says why in its own words.
        let why = card.reason.as_deref().filter(|code| *code != card.state && card.advice.is_none());
        let names_accounts = !self.around.accounts.is_empty();
        let why = why.map(|code| reason(self.words.language, code));
        match card.lamp {
            Lamp::Good | Lamp::Off => None,
            Lamp::Busy => {
                card.detail.as_deref().map(|detail| translate(self.words.language, detail).into_owned())
            }
            Lamp::Trouble if names_accounts && !self.is_tall() => None,
            Lamp::Trouble | Lamp::Waiting => {
                let since = self.words.since_when(self.wall.minute(card.since));
                Some(why.map_or_else(|| since.clone(), |why| format!("{why}, {since}")))
            }
        }
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn strip_label(&self) -> String {
        self.words.strip(&self.name, self.strip.counts)
    }

    /// What it sent within the last hour, written out.
    fn sent(&self) -> Option<String> {
        Some(thousands(sends(self.card)?))
    }

    fn sends_nothing(&self) -> bool {
        sends(self.card).is_none_or(|sends| sends == 0)
    }

    fn spark(&self) -> Option<String> {
        sparkline(&self.card.sends?)
    }

    fn up(&self) -> Option<String> {
        let since = self.card.up_since?;
        Some(span(self.words.language, self.wall.now.since(since)))
    }

    /// Its part of the program's memory and processor, for the title of its share.
    fn share_title(&self) -> String {
        share_title(self.words, self.card)
    }

    fn buttons(&self) -> Vec<CardAction> {
        let wanted = self.card.actions.iter().filter(|action| *action != CardAction::SignIn);
        if self.may_act { wanted.take(BUTTONS).collect() } else { Vec::new() }
    }

    fn act_path(&self, action: CardAction) -> String {
        act_path(&self.card.id, action)
    }

    /// What happened and what to do, in words; in one line only what happened.
    fn cure(&self) -> Option<Cow<'_, str>> {
        let why = || self.card.reason.as_deref().map(|code| reason(self.words.language, code));
        match self.card.advice {
            Some(_) if self.around.is_brief && self.card.reason.is_some() => why(),
            Some(advice) => Some(self.words.advice(advice).into()),
            None => {
                self.card.detail.as_deref().map(|detail| translate(self.words.language, detail)).or_else(why)
            }
        }
    }

    /// What is said more, in the words of its source; nothing twice.
    fn detail(&self) -> Option<Sentence<'_>> {
        if let Some(facts) = self.words.facts(self.card, self.wall).filter(|_| !self.around.is_brief) {
            return Some(self.wall.verbatim(facts.into()));
        }
        let detail = self.card.detail.as_deref().filter(|_| !self.around.is_brief)?;
        (self.card.advice.is_some() && self.card.proof.as_deref() != Some(detail))
            .then(|| self.wall.sentence(detail))
    }

    /// What shows it, where there is room.
    fn proof(&self) -> Option<&str> {
        self.card.proof.as_deref().filter(|_| !self.around.is_brief)
    }

    pub(crate) fn cure_html(&self, more: &'static str) -> Result<String, askama::Error> {
        Remedy { view: self, more }.render()
    }

    fn mend(&self) -> Option<Mend> {
        let mend = mend(self.card)?;
        if self.may_act { Some(mend) } else { for_readers(mend, account(self.card)) }
    }
}

/// The name that people see: a line is named after its account too.
pub(crate) fn name(card: &Card) -> Cow<'_, str> {
    match card.kind {
        CardKind::Line => Cow::Owned(card.id.name().replacen(':', " · ", 1)),
        _ => Cow::Borrowed(&card.name),
    }
}

/// The page of a card; an account has one page, with its card on it.
pub(crate) fn card_path(id: &CardId) -> String {
    match id.kind() {
        CardKind::Account => path_of(id.name()),
        _ => own_path(id),
    }
}

/// Where what belongs to a card is.
pub(super) fn own_path(id: &CardId) -> String {
    format!("/cards/{}", page::segment(id.as_str()))
}

/// Where a button of a card posts to; a stop is asked for first.
pub(crate) fn act_path(id: &CardId, action: CardAction) -> String {
    let card = own_path(id);
    match action {
        CardAction::Stop => format!("{card}/stop"),
        action => format!("{card}/actions/{}", action.as_str()),
    }
}

/// The class of a lamp and of what goes with it.
pub(crate) const fn lamp(lamp: Lamp) -> &'static str {
    match lamp {
        Lamp::Trouble => "bad",
        Lamp::Waiting => "wait",
        Lamp::Busy => "busy",
        Lamp::Off => "",
        Lamp::Good => "ok",
    }
}

pub(crate) const fn icon(action: CardAction) -> &'static str {
    match action {
        CardAction::Start | CardAction::Resume => "play",
        CardAction::Stop => "stop",
        CardAction::Restart => "restart",
        CardAction::ReloadCache => "reload",
        CardAction::Pause => "pause",
        CardAction::SignIn => "phone",
    }
}

/// What it sent within the last hour.
pub(crate) fn sends(card: &Card) -> Option<u64> {
    card.sent_last_hour
}

/// The share of a card in the calls, the memory and the processor.
pub(crate) fn share_title(words: &OverviewWords, card: &Card) -> String {
    let mut parts = Vec::new();
    parts.extend(card.share.map(|share| format!("{} {}", words.share_of_calls, percent(share))));
    parts.extend(card.cpu.map(|cpu| format!("{} {}", words.processor, percent(cpu))));
    parts.extend(card.memory.map(|memory| format!("{} {}", words.memory, bytes(words.language, memory))));
    parts.join(", ")
}

fn account(card: &Card) -> Option<&str> {
    match card.kind {
        CardKind::Account => Some(card.id.name()),
        CardKind::Line => card.id.name().split(':').next(),
        _ => None,
    }
}

/// What mends a card, if one button does.
fn mend(card: &Card) -> Option<Mend> {
    let act = |action| card.actions.contains(action).then_some(Mend::Act(action));
    let go = |place, path: String| Some(Mend::Go(path, place, false));
    match card.advice? {
        Advice::Account(Reason::Banned | Reason::Deactivated) => {
            go(LinkTarget::Recovery, format!("{}#recovery", path_of(account(card)?)))
        }
        // Neither a press here nor a page of ours changes what Telegram has decided; the words say who can.
        Advice::Account(Reason::Frozen | Reason::PeerFlood) => None,
        Advice::Account(_) => {
            let name = account(card)?;
            if card.actions.contains(CardAction::SignIn) {
                go(LinkTarget::SignIn, format!("/accounts/{name}/login"))
            } else {
                act(CardAction::Restart).or_else(|| go(LinkTarget::Account, format!("/accounts/{name}")))
            }
        }
        Advice::WaitForDeadline | Advice::WaitOrAddAnAccount | Advice::WaitForClearing => {
            Some(Mend::Go("/flood-clearing".to_owned(), LinkTarget::Clearing, true))
        }
        Advice::PauseTheAccount => {
            act(CardAction::Pause).or_else(|| go(LinkTarget::Trouble, "/?kind=trouble".to_owned()))
        }
        Advice::Resume => act(CardAction::Resume),
        Advice::Start => act(CardAction::Start),
        Advice::MendAnAccount => go(LinkTarget::Trouble, "/?kind=trouble".to_owned()),
        Advice::RestartTheProgram
        | Advice::FreeThePort
        | Advice::MendTheAddress
        | Advice::LookIntoTheLog
        | Advice::FreeDisk
        | Advice::MendTheStore
        | Advice::RepairTheRow => go(LinkTarget::Diagnostics, "/diagnostics".to_owned()),
    }
}

/// What is left of it for anyone who only looks: nothing to press, and no way to a page that they may not open.
fn for_readers(mend: Mend, account: Option<&str>) -> Option<Mend> {
    match mend {
        Mend::Act(_) | Mend::Go(_, LinkTarget::Clearing, _) => None,
        Mend::Go(_, LinkTarget::SignIn, _) => {
            Some(Mend::Go(format!("/accounts/{}", account?), LinkTarget::Account, false))
        }
        Mend::Go(..) => Some(mend),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::overview::tests::card;

    #[test]
    fn a_viewer_gets_links_to_pages_to_read() {
        let go = |path: &str, place| Mend::Go(path.to_owned(), place, false);
        let read = |mend| for_readers(mend, Some("main"));
        assert_eq!(read(Mend::Act(CardAction::Resume)), None);
        assert_eq!(read(go("/flood-clearing", LinkTarget::Clearing)), None);
        assert_eq!(
            read(go("/accounts/main/login", LinkTarget::SignIn)),
            Some(go("/accounts/main", LinkTarget::Account))
        );
        assert_eq!(
            read(go("/diagnostics", LinkTarget::Diagnostics)),
            Some(go("/diagnostics", LinkTarget::Diagnostics))
        );
    }

    #[test]
    fn the_mending_button_is_one_that_the_card_has() {
        let mut one = card("account:main");
        one.advice = Some(Advice::Resume);
        assert_eq!(mend(&one), None);
        one.actions = health::ActionSet::of([CardAction::Resume]);
        assert_eq!(mend(&one), Some(Mend::Act(CardAction::Resume)));
        one.advice = Some(Advice::Account(domain::account::Reason::SessionRevoked));
        assert_eq!(mend(&one), Some(Mend::Go("/accounts/main".to_owned(), LinkTarget::Account, false)));
        one.actions = health::ActionSet::of([CardAction::SignIn]);
        assert_eq!(mend(&one), Some(Mend::Go("/accounts/main/login".to_owned(), LinkTarget::SignIn, false)));
        one.advice = None;
        assert_eq!(mend(&one), None);
    }

    #[test]
    fn no_button_promises_what_only_telegram_can_do() {
        let mut one = card("account:main");
        one.actions = health::ActionSet::of([CardAction::Restart, CardAction::SignIn]);
        for reason in [Reason::Banned, Reason::Deactivated] {
            one.advice = Some(Advice::Account(reason));
            let recovery = Mend::Go("/accounts/main#recovery".to_owned(), LinkTarget::Recovery, false);
            assert_eq!(mend(&one), Some(recovery));
        }
        for reason in [Reason::Frozen, Reason::PeerFlood] {
            one.advice = Some(Advice::Account(reason));
            assert_eq!(mend(&one), None);
        }
    }

    #[test]
    fn ids_are_safe_in_addresses() {
        let account: CardId = "account:backup_2".parse().expect("an id");
        assert_eq!(card_path(&account), "/accounts/backup_2");
        assert_eq!(act_path(&account, CardAction::Stop), "/cards/account%3Abackup%5F2/stop");
        let id: CardId = "line:main:send_text+leave_chat".parse().expect("an id");
        assert_eq!(card_path(&id), "/cards/line%3Amain%3Asend%5Ftext%2Bleave%5Fchat");
    }
}
