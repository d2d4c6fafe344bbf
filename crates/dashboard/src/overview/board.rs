//! The board and what is above it, drawn once for everyone who looks at the same. Pure.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use api::Alert;
use askama::Template;
use domain::AlertId;
use health::{Amount, CardId, CardKind, ClearingView, Lamp, Minute};

use super::card::{self, Around, CardView};
use super::hours::{self, Hour};
use super::snapshot::Snapshot;
use super::strip::{Cell, Strip};
use super::undelivered;
use super::wanted::{Filter, Grouping};
use crate::page;
use crate::words::{self, Leftover, OverviewWords, Wall, number};

/// For whom a board is drawn: anyone who has the same in all of these sees the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ViewKey {
    pub(crate) filter: Filter,
    /// The language and the zone; the time in it is that of the look.
    pub(crate) wall: Wall,
    pub(crate) may_act: bool,
    pub(crate) may_arrange: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Board {
    /// How many troubles need a person.
    pub(crate) trouble: u64,
    /// Whether there is no account yet.
    pub(crate) is_new: bool,
    /// How many cards are wanted, over all pages.
    pub(crate) matching: u64,
    /// The title in the browser's tab.
    pub(crate) tab: String,
    /// What is above the cards, by the id of its element.
    pub(crate) parts: Vec<Fragment>,
    /// The groups, in their order.
    pub(crate) groups: Vec<Group>,
    /// Where the next page begins.
    pub(crate) next: Option<String>,
    /// Changes with the order of the cards, and with nothing else.
    pub(crate) order: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) stands: Stands,
    pub(crate) cards: Vec<Fragment>,
}

/// Where a group of cards is on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stands {
    /// At the top: it needs a person, or waits.
    Top,
    Listed,
    /// In the list, as one row that says who is in it.
    Folded(String),
}

/// More troubles than these are drawn in two lines each.
const MANY: u64 = 4;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fragment {
    /// The id of its element, for a card without the `c-`.
    pub(crate) id: String,
    pub(crate) mark: u64,
    pub(crate) html: String,
}

impl Fragment {
    pub(crate) fn new(id: impl Into<String>, html: String) -> Self {
        let id = id.into();
        Self { mark: mark(&(&id, &html)), id, html }
    }
}

/// A number that is the same for the same thing, also in another run of the program. Cut to 48 bits, which a script can hold.
fn mark(thing: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    thing.hash(&mut hasher);
    hasher.finish() >> 16
}

impl Board {
    /// Draws what was seen.
    ///
    /// # Errors
    /// Only what a template itself can fail with.
    pub(crate) fn draw(
        viewer: &ViewKey,
        sight: &Snapshot,
        alerted: &[Alert],
        strip: impl Fn(&CardId) -> Vec<Minute>,
    ) -> Result<Self, askama::Error> {
        let wall = Wall { now: sight.at, ..viewer.wall };
        let words = OverviewWords::of(wall.language);
        let mut groups: Vec<Group> = Vec::new();
        let mut shown: HashSet<AlertId> = HashSet::new();
        let open = alerted.len() as u64;
        for (id, title, card) in grouped(words, viewer.filter.grouping, sight) {
            let around = Around {
                lines: sight.lines.iter().filter(|line| line.parent.as_ref() == Some(&card.id)).collect(),
                accounts: sight.causes.accounts(&card.id),
                is_cause: sight.causes.has(&card.id),
                is_brief: sight.troubles() > MANY,
                alert: alerted.iter().find(|alert| alert.card == card.id.as_str()),
            };
            let cells = Strip::of(&strip(&card.id), Cell::ThreeMinutes);
            let view = CardView::new(card, cells, words, wall, viewer.may_act).within(around);
            shown.extend(view.alert().map(|alert| alert.id));
            let drawn = Fragment::new(card.id.as_str(), view.render()?);
            if let Some(group) = groups.last_mut().filter(|group| group.id == id) {
                group.cards.push(drawn);
            } else {
                let is_top = matches!(id, NEEDS | WAITS);
                let stands = if is_top { Stands::Top } else { Stands::Listed };
                groups.push(Group { id, title, stands, cards: vec![drawn] });
            }
        }
        if !viewer.filter.is_narrow() && viewer.filter.grouping == Grouping::Need {
            fold_ports(&mut groups, sight);
        }
        let alerted: Vec<&Alert> = alerted.iter().filter(|alert| !shown.contains(&alert.id)).collect();
        let is_new = sight.numbers.kind(CardKind::Account) == 0;
        let order: Vec<_> = groups
            .iter()
            .map(|group| (group.id, group.cards.iter().map(|card| &card.id).collect::<Vec<_>>()))
            .collect();
        let parts = vec![
            Fragment::new(
                "verdict",
                Verdict { words, wall, sight, alerts: open, may_arrange: viewer.may_arrange }.render()?,
            ),
            Fragment::new(
                "alerts",
                Alerts { words, wall, sight, alerted: &alerted, may_act: viewer.may_act }.render()?,
            ),
            Fragment::new("facts", FactsView { words, wall, sight }.render()?),
            Fragment::new("kinds", Kinds { words, sight, filter: &viewer.filter }.render()?),
        ];
        Ok(Self {
            trouble: sight.troubles(),
            is_new,
            matching: sight.matching,
            tab: words.tab(sight.troubles()),
            parts,
            order: mark(&order),
            groups,
            next: sight.next.clone(),
        })
    }

    /// All cards, from top to bottom.
    pub(crate) fn cards(&self) -> impl Iterator<Item = &Fragment> {
        self.groups.iter().flat_map(|group| &group.cards)
    }

    pub(crate) fn top(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(|group| group.stands == Stands::Top)
    }

    pub(crate) fn rest(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(|group| group.stands != Stands::Top)
    }

    /// How many there are of a group: of troubles all, also those of later pages.
    pub(crate) fn count(&self, group: &Group) -> u64 {
        if group.id == NEEDS { self.trouble } else { group.cards.len() as u64 }
    }

    /// How many cards the list has.
    pub(crate) fn rest_count(&self) -> u64 {
        self.rest().map(|group| group.cards.len() as u64).sum()
    }

    /// One of the parts above the cards.
    pub(crate) fn part(&self, id: &str) -> &str {
        self.parts.iter().find(|part| part.id == id).map_or("", |part| &part.html)
    }

    /// The marks of all pieces, from which the browser knows what it has.
    pub(crate) fn marks(&self) -> String {
        let marks = self.parts.iter().chain(self.cards()).map(|drawn| format!("{:x}", drawn.mark));
        marks.collect::<Vec<_>>().join(".")
    }
}

/// The group of those that need a person.
const NEEDS: &str = "g-needs";
const WAITS: &str = "g-waits";

/// The cards with their groups, in the order of the board.
fn grouped<'a>(
    words: &OverviewWords,
    grouping: Grouping,
    sight: &'a Snapshot,
) -> Vec<(&'static str, &'static str, &'a health::Card)> {
    let mut all: Vec<_> = sight.cards.iter().collect();
    let place = |card: &health::Card| match grouping {
        // What is red because of another trouble is listed with its kind, and names it.
        Grouping::Need if sight.causes.has(&card.id) => 0,
        Grouping::Need if card.lamp == Lamp::Waiting => 1,
        Grouping::Need | Grouping::Kind => 2,
    };
    // The order of need is kept; what needs no one is put together by kind, switched off or not.
    all.sort_by_key(|card| match place(card) {
        2 => (2, card.kind),
        top => (top, CardKind::Service),
    });
    let group = |card: &health::Card| match place(card) {
        0 => (NEEDS, words.needs_you),
        1 => (WAITS, words.waits),
        _ => (kind_id(card.kind), words.kind_many(card.kind)),
    };
    all.into_iter().map(|card| (group(card).0, group(card).1, card)).collect()
}

/// Ports are one row while all of them are well.
fn fold_ports(groups: &mut [Group], sight: &Snapshot) {
    let Some(group) = groups.iter_mut().find(|group| group.id == kind_id(CardKind::Port)) else { return };
    let ports: Vec<_> = sight.cards.iter().filter(|card| card.kind == CardKind::Port).collect();
    let are_all_here = ports.len() as u64 == sight.numbers.kind(CardKind::Port);
    if are_all_here && ports.len() > 1 && ports.iter().all(|card| card.lamp == Lamp::Good) {
        let names: Vec<String> = ports.iter().map(|card| card.name.clone()).collect();
        group.stands = Stands::Folded(names.join(", "));
    }
}

const fn kind_id(kind: CardKind) -> &'static str {
    match kind {
        CardKind::Service => "g-service",
        CardKind::Account => "g-account",
        CardKind::Line => "g-line",
        CardKind::Port => "g-port",
        CardKind::Store => "g-store",
        CardKind::Queue => "g-queue",
    }
}

#[derive(Template)]
#[template(path = "overview/verdict.html")]
struct Verdict<'a> {
    words: &'static OverviewWords,
    wall: Wall,
    sight: &'a Snapshot,
    alerts: u64,
    may_arrange: bool,
}

impl Verdict<'_> {
    fn headline(&self) -> String {
        let (causes, facts) = (&self.sight.causes, &self.sight.facts);
        let left = Leftover {
            alerts: self.alerts,
            in_doubt: facts.in_doubt,
            failed_requests: facts.failed_requests,
        };
        self.words.headline(CardKind::ALL.map(|kind| (kind, causes.kind(kind).into())), left)
    }

    fn trouble(&self) -> Option<String> {
        let names = self.named(|card| self.sight.causes.has(&card.id), |card| card::name(card).into_owned());
        (!names.is_empty()).then(|| self.words.in_trouble(&names, self.sight.troubles()))
    }

    /// The services that cannot work because of accounts.
    fn held_up(&self) -> Option<String> {
        let is_held_up = |card: &health::Card| {
            !self.sight.causes.has(&card.id) && !self.sight.causes.accounts(&card.id).is_empty()
        };
        let all = self.sight.cards.iter().filter(|card| is_held_up(card)).count() as u64;
        let names = self.named(is_held_up, |card| card.name.clone());
        (all > 0).then(|| self.words.held_up(&names, all))
    }

    fn waits(&self) -> Option<String> {
        let names = self.named(
            |card| card.lamp == Lamp::Waiting,
            |card| match card.until {
                Some(until) => self.words.name_until(&card::name(card), self.wall.minute(until)),
                None => card::name(card).into_owned(),
            },
        );
        (!names.is_empty()).then(|| self.words.who_waits(&names, self.sight.numbers.waiting))
    }

    /// Nothing can be sent yet, and nothing is wrong.
    fn is_new(&self) -> bool {
        self.sight.numbers.kind(CardKind::Account) == 0 && self.sight.troubles() == 0
    }

    fn rest(&self) -> String {
        self.words.the_rest(self.sight.numbers.fine, self.sight.numbers.off)
    }

    fn named(
        &self,
        is_meant: impl Fn(&health::Card) -> bool,
        name: impl Fn(&health::Card) -> String,
    ) -> Vec<String> {
        self.sight.cards.iter().filter(|card| is_meant(card)).take(3).map(name).collect()
    }
}

#[derive(Template)]
#[template(path = "overview/alerts.html")]
struct Alerts<'a> {
    words: &'static OverviewWords,
    wall: Wall,
    sight: &'a Snapshot,
    /// Those that no card of the page shows.
    alerted: &'a [&'a Alert],
    may_act: bool,
}

impl Alerts<'_> {
    fn parts(&self, alert: &Alert) -> String {
        self.words.with_parts(alert.parts as u64)
    }

    /// One is open; several are in a fold that names them.
    fn folded(&self) -> Option<String> {
        let names: Vec<String> = self.alerted.iter().take(3).map(|alert| alert.name.clone()).collect();
        (self.alerted.len() > 1).then(|| self.words.alerts(&names, self.alerted.len() as u64))
    }

    fn clearing(&self) -> Option<&ClearingView> {
        self.sight.clearing.as_ref()
    }

    /// Where its card is: on this page, or where the filter leaves it out on its own.
    fn place(&self, card: &str) -> String {
        let is_here = self.sight.cards.iter().any(|shown| shown.id.as_str() == card);
        match card.parse() {
            Ok(id) if !is_here => card::card_path(&id),
            _ => format!("#c-{card}"),
        }
    }
}

#[derive(Template)]
#[template(path = "overview/facts.html")]
struct FactsView<'a> {
    words: &'static OverviewWords,
    wall: Wall,
    sight: &'a Snapshot,
}

impl FactsView<'_> {
    fn hours(&self) -> Vec<Hour> {
        hours::hours(&self.sight.facts.hours, self.sight.at)
    }

    /// What the chart says in words.
    fn day(&self) -> String {
        let sum =
            |of: fn(&Amount) -> u32| self.sight.facts.hours.iter().map(|hour| u64::from(of(hour))).sum();
        self.words.sent_and_failed(sum(|hour| hour.sent), sum(|hour| hour.failed))
    }

    fn hour(&self, hour: &Hour) -> String {
        let (from, amount) = (self.wall.minute(hour.from).text(), hour.amount);
        format!("{from} · {}", self.words.sent_and_failed(amount.sent.into(), amount.failed.into()))
    }

    fn process(&self) -> String {
        self.words.process(self.sight.process.cpu, self.wall.now.since(self.sight.process.started_at))
    }
}

#[derive(Template)]
#[template(path = "overview/kinds.html")]
struct Kinds<'a> {
    words: &'static OverviewWords,
    sight: &'a Snapshot,
    filter: &'a Filter,
}

impl Kinds<'_> {
    fn kinds(&self) -> impl Iterator<Item = (CardKind, u64)> {
        CardKind::ALL
            .into_iter()
            .map(|kind| (kind, self.sight.numbers.kind(kind)))
            .filter(|(kind, many)| *many > 0 && *kind != CardKind::Line)
    }

    /// Whether no card is left out.
    fn is_all(&self) -> bool {
        !self.filter.trouble && self.filter.kind.is_none()
    }
}
