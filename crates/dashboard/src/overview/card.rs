//! A card of the board: flat when it is fine; tall, with what happened and what mends it, when it is not.

use std::borrow::Cow;

use askama::Template;
use health::{Advice, Card, CardAction, CardId, CardKind, Lamp};

use super::card;
use super::sparkline::sparkline;
use super::strip::Strip;
use crate::page;
use crate::words::number::{bytes, percent, span, thousands};
use crate::words::{OverviewWords, Wall, number, reason, state};

/// The most buttons of a flat card; the others are on its own page.
const BUTTONS: usize = 3;

/// A card as it is drawn.
#[derive(Template)]
#[template(path = "overview/card.html")]
pub(crate) struct CardView<'a> {
    card: &'a Card,
    words: &'static OverviewWords,
    wall: Wall,
    strip: Strip,
    name: Cow<'a, str>,
    /// Whether whoever looks may press its buttons.
    may_act: bool,
}

/// The one button that mends a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mend {
    /// An action of the card.
    Act(CardAction),
    /// A page; `true` when it is short enough to be shown over this one.
    Go(String, Place, bool),
}

/// What happened to a card and what mends it.
#[derive(Template)]
#[template(path = "overview/cure.html")]
struct Cure<'a> {
    view: &'a CardView<'a>,
    /// One more class.
    more: &'static str,
}

/// Where a mending button leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// To sign an account in.
    SignIn,
    /// To the account.
    Account,
    /// To the ways of clearing a flood wait.
    Clearing,
    /// To what is in trouble.
    Trouble,
    /// To the doctor's findings.
    Diagnostics,
}

impl<'a> CardView<'a> {
    pub(crate) fn new(
        card: &'a Card,
        strip: Strip,
        words: &'static OverviewWords,
        wall: Wall,
        may_act: bool,
    ) -> Self {
        Self { card, words, wall, strip, name: name(card), may_act }
    }

    /// Whether it opens to say what happened.
    fn is_tall(&self) -> bool {
        let card = self.card;
        match card.lamp {
            Lamp::Trouble => true,
            Lamp::Waiting => card.advice.is_some() || card.proof.is_some(),
            Lamp::Busy | Lamp::Off | Lamp::Good => false,
        }
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
        let why = why.map(|code| reason(self.words.language, code));
        match card.lamp {
            Lamp::Good | Lamp::Off => None,
            Lamp::Busy => card.detail.clone(),
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

    /// What it sent in the hour that runs, written out.
    fn sent(&self) -> Option<String> {
        Some(thousands(sends(self.card)?.into()))
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

    /// What happened and what to do, in words.
    fn cure(&self) -> Option<&str> {
        match self.card.advice {
            Some(advice) => Some(self.words.advice(advice)),
            None => self.card.detail.as_deref(),
        }
    }

    /// What is said more, in words of whoever said it; nothing twice.
    fn detail(&self) -> Option<&str> {
        let detail = self.card.detail.as_deref()?;
        (self.card.advice.is_some() && self.card.proof.as_deref() != Some(detail)).then_some(detail)
    }

    /// What happened, drawn.
    pub(crate) fn cure_html(&self, more: &'static str) -> Result<String, askama::Error> {
        Cure { view: self, more }.render()
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

/// The page of a card.
pub(crate) fn card_path(id: &CardId) -> String {
    format!("/cards/{}", page::segment(id.as_str()))
}

/// Where a button of a card posts to; a stop is asked for first.
pub(crate) fn act_path(id: &CardId, action: CardAction) -> String {
    let card = card_path(id);
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

/// The icon of an action.
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

/// What it sent in the hour that runs.
pub(crate) fn sends(card: &Card) -> Option<u32> {
    card.sends?.last().copied()
}

/// The share of a card in the calls, the memory and the processor.
pub(crate) fn share_title(words: &OverviewWords, card: &Card) -> String {
    let mut parts = Vec::new();
    parts.extend(card.share.map(|share| format!("{} {}", words.share_of_calls, percent(share))));
    parts.extend(card.cpu.map(|cpu| format!("{} {}", words.processor, percent(cpu))));
    parts.extend(card.memory.map(|memory| format!("{} {}", words.memory, bytes(words.language, memory))));
    parts.join(", ")
}

/// The account of a card.
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
        Advice::Account(_) => {
            let name = account(card)?;
            if card.actions.contains(CardAction::SignIn) {
                go(Place::SignIn, format!("/accounts/{name}/login"))
            } else {
                act(CardAction::Restart).or_else(|| go(Place::Account, format!("/accounts/{name}")))
            }
        }
        Advice::WaitForDeadline | Advice::WaitOrAddAnAccount | Advice::WaitForClearing => {
            Some(Mend::Go("/flood-clearing".to_owned(), Place::Clearing, true))
        }
        Advice::Resume => act(CardAction::Resume),
        Advice::Start => act(CardAction::Start),
        Advice::MendAnAccount => go(Place::Trouble, "/?kind=trouble".to_owned()),
        Advice::RestartTheProgram
        | Advice::FreeThePort
        | Advice::MendTheAddress
        | Advice::LookIntoTheLog
        | Advice::FreeDisk
        | Advice::MendTheStore => go(Place::Diagnostics, "/diagnostics".to_owned()),
    }
}

/// What is left of it for whoever only looks: nothing to press, and no way to a page that they may not open.
fn for_readers(mend: Mend, account: Option<&str>) -> Option<Mend> {
    match mend {
        Mend::Act(_) | Mend::Go(_, Place::Clearing, _) => None,
        Mend::Go(_, Place::SignIn, _) => {
            Some(Mend::Go(format!("/accounts/{}", account?), Place::Account, false))
        }
        Mend::Go(..) => Some(mend),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::overview::tests::card;

    #[test]
    fn whoever_only_looks_is_led_to_pages_to_read() {
        let go = |path: &str, place| Mend::Go(path.to_owned(), place, false);
        let read = |mend| for_readers(mend, Some("main"));
        assert_eq!(read(Mend::Act(CardAction::Resume)), None);
        assert_eq!(read(go("/flood-clearing", Place::Clearing)), None);
        assert_eq!(
            read(go("/accounts/main/login", Place::SignIn)),
            Some(go("/accounts/main", Place::Account))
        );
        assert_eq!(
            read(go("/diagnostics", Place::Diagnostics)),
            Some(go("/diagnostics", Place::Diagnostics))
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
        assert_eq!(mend(&one), Some(Mend::Go("/accounts/main".to_owned(), Place::Account, false)));
        one.actions = health::ActionSet::of([CardAction::SignIn]);
        assert_eq!(mend(&one), Some(Mend::Go("/accounts/main/login".to_owned(), Place::SignIn, false)));
        one.advice = None;
        assert_eq!(mend(&one), None);
    }

    #[test]
    fn ids_are_safe_in_addresses() {
        let id: CardId = "line:main:send_text+leave_chat".parse().expect("an id");
        assert_eq!(card_path(&id), "/cards/line%3Amain%3Asend%5Ftext%2Bleave%5Fchat");
    }
}
