//! The board and what stands above it, drawn once for everybody who looks at the same. Pure.

use std::hash::{DefaultHasher, Hash, Hasher};

use askama::Template;
use health::{CardId, CardKind, ClearingView, Lamp, Minute};

use super::alerted::Alerted;
use super::card::{self, CardView};
use super::sight::Sight;
use super::strip::Strip;
use super::wanted::{Filter, Grouping};
use crate::page;
use crate::words::{self, OverviewWords, Wall, number};

/// For whom a board is drawn: whoever has the same in all of these sees the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Beholder {
    /// What is shown.
    pub(crate) filter: Filter,
    /// The language and the zone; the time in it is that of the look.
    pub(crate) wall: Wall,
    /// Whether they may press buttons.
    pub(crate) may_act: bool,
}

/// A board as it is drawn.
#[derive(Debug, Clone)]
pub(crate) struct Board {
    /// How many cards need somebody.
    pub(crate) trouble: u64,
    /// How many cards are wanted, over all pages.
    pub(crate) matching: u64,
    /// The title in the browser's tab.
    pub(crate) tab: String,
    /// What stands above the cards, by the id of its element.
    pub(crate) parts: Vec<Drawn>,
    /// The groups, in their order.
    pub(crate) groups: Vec<Group>,
    /// Where the next page begins.
    pub(crate) next: Option<String>,
    /// Changes with the order of the cards, and with nothing else.
    pub(crate) order: u64,
}

/// A group of cards.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// Its id on the page.
    pub(crate) id: &'static str,
    /// Its heading.
    pub(crate) title: &'static str,
    /// Its cards.
    pub(crate) cards: Vec<Drawn>,
}

/// A piece of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Drawn {
    /// The id of its element, for a card without the `c-`.
    pub(crate) id: String,
    /// Changes with its content.
    pub(crate) mark: u64,
    /// The piece itself.
    pub(crate) html: String,
}

impl Drawn {
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
        beholder: &Beholder,
        sight: &Sight,
        alerted: &[Alerted],
        strip: impl Fn(&CardId) -> Vec<Minute>,
    ) -> Result<Self, askama::Error> {
        let wall = Wall { now: sight.at, ..beholder.wall };
        let words = OverviewWords::of(wall.language);
        let mut groups: Vec<Group> = Vec::new();
        for (id, title, card) in grouped(words, beholder.filter.grouping, sight) {
            let view = CardView::new(card, Strip::of(&strip(&card.id)), words, wall, beholder.may_act);
            let drawn = Drawn::new(card.id.as_str(), view.render()?);
            match groups.last_mut().filter(|group| group.id == id) {
                Some(group) => group.cards.push(drawn),
                None => groups.push(Group { id, title, cards: vec![drawn] }),
            }
        }
        let order: Vec<_> = groups
            .iter()
            .map(|group| (group.id, group.cards.iter().map(|card| &card.id).collect::<Vec<_>>()))
            .collect();
        let parts = vec![
            Drawn::new("verdict", Verdict { words, wall, sight }.render()?),
            Drawn::new("alerts", Alerts { words, wall, sight, alerted, may_act: beholder.may_act }.render()?),
            Drawn::new("facts", FactsView { words, wall, sight }.render()?),
            Drawn::new("kinds", Kinds { words, sight, filter: &beholder.filter }.render()?),
        ];
        Ok(Self {
            trouble: sight.numbers.trouble,
            matching: sight.matching,
            tab: words.tab(sight.numbers.trouble),
            parts,
            order: mark(&order),
            groups,
            next: sight.next.clone(),
        })
    }

    /// All cards, from top to bottom.
    pub(crate) fn cards(&self) -> impl Iterator<Item = &Drawn> {
        self.groups.iter().flat_map(|group| &group.cards)
    }

    /// One of the parts above the cards.
    pub(crate) fn part(&self, id: &str) -> &str {
        self.parts.iter().find(|part| part.id == id).map_or("", |part| &part.html)
    }

    /// What the browser is told that it has: the marks of all pieces.
    pub(crate) fn marks(&self) -> String {
        let marks = self.parts.iter().chain(self.cards()).map(|drawn| format!("{:x}", drawn.mark));
        marks.collect::<Vec<_>>().join(".")
    }
}

/// The cards with their groups, in the order of the board.
fn grouped<'a>(
    words: &OverviewWords,
    grouping: Grouping,
    sight: &'a Sight,
) -> Vec<(&'static str, &'static str, &'a health::Card)> {
    let of_kind = |kind: CardKind| (kind_id(kind), words.kind_many(kind));
    let mut all: Vec<_> = sight
        .cards
        .iter()
        .map(|card| {
            let (id, title) = match (grouping, card.lamp) {
                (Grouping::Need, Lamp::Trouble) => ("g-needs", words.needs_you),
                (Grouping::Need, Lamp::Waiting) => ("g-waits", words.waits),
                (Grouping::Need, Lamp::Busy) => ("g-coming", words.coming_up),
                (Grouping::Need, _) if matches!(card.kind, CardKind::Account | CardKind::Line) => {
                    ("g-account", words.accounts_and_lines)
                }
                (Grouping::Need, _) if matches!(card.kind, CardKind::Store | CardKind::Queue) => {
                    ("g-store", words.store_and_queue)
                }
                _ => of_kind(card.kind),
            };
            (id, title, card)
        })
        .collect();
    match grouping {
        // The order of need is kept; what needs nobody is put together by kind, switched off or not.
        Grouping::Need => all.sort_by_key(|(_, _, card)| match card.lamp {
            Lamp::Trouble => (0, CardKind::Service),
            Lamp::Waiting => (1, CardKind::Service),
            Lamp::Busy => (2, CardKind::Service),
            Lamp::Off | Lamp::Good => (3, card.kind),
        }),
        Grouping::Kind => all.sort_by_key(|(_, _, card)| card.kind),
    }
    all
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
    sight: &'a Sight,
}

impl Verdict<'_> {
    fn trouble(&self) -> Option<String> {
        let names = self.named(Lamp::Trouble, |card| card::name(card).into_owned());
        (!names.is_empty()).then(|| self.words.in_trouble(&names, self.sight.numbers.trouble))
    }

    fn waits(&self) -> Option<String> {
        let names = self.named(Lamp::Waiting, |card| match card.until {
            Some(until) => self.words.name_until(&card::name(card), self.wall.minute(until)),
            None => card::name(card).into_owned(),
        });
        (!names.is_empty()).then(|| self.words.who_waits(&names, self.sight.numbers.waiting))
    }

    /// Nothing can be sent yet, and nothing is wrong.
    fn is_new(&self) -> bool {
        self.sight.numbers.kind(CardKind::Account) == 0 && self.sight.numbers.trouble == 0
    }

    fn rest(&self) -> String {
        self.words.the_rest(self.sight.numbers.fine, self.sight.numbers.off)
    }

    fn named(&self, lamp: Lamp, name: impl Fn(&health::Card) -> String) -> Vec<String> {
        self.sight.cards.iter().filter(|card| card.lamp == lamp).take(3).map(name).collect()
    }
}

#[derive(Template)]
#[template(path = "overview/alerts.html")]
struct Alerts<'a> {
    words: &'static OverviewWords,
    wall: Wall,
    sight: &'a Sight,
    alerted: &'a [Alerted],
    may_act: bool,
}

impl Alerts<'_> {
    /// How many alerts stand open; the others lie in a fold, so that the board stays in sight.
    const UNFOLDED: usize = 3;

    /// How many lie in the fold.
    fn folded(&self) -> usize {
        self.alerted.len().saturating_sub(Self::UNFOLDED)
    }

    fn clearing(&self) -> Option<&ClearingView> {
        self.sight.clearing.as_ref()
    }

    /// Where its card is: on this page, or where the filter leaves it out on its own.
    fn place(&self, card: &str) -> String {
        let is_here = self.sight.cards.iter().any(|shown| shown.id.as_str() == card);
        if is_here { format!("#c-{card}") } else { format!("/cards/{}", page::segment(card)) }
    }
}

#[derive(Template)]
#[template(path = "overview/facts.html")]
struct FactsView<'a> {
    words: &'static OverviewWords,
    wall: Wall,
    sight: &'a Sight,
}

impl FactsView<'_> {
    fn process(&self) -> String {
        self.words.process(self.sight.process.cpu, self.wall.now.since(self.sight.process.started_at))
    }
}

#[derive(Template)]
#[template(path = "overview/kinds.html")]
struct Kinds<'a> {
    words: &'static OverviewWords,
    sight: &'a Sight,
    filter: &'a Filter,
}

impl Kinds<'_> {
    /// The kinds that there are cards of.
    fn kinds(&self) -> impl Iterator<Item = (CardKind, u64)> {
        CardKind::ALL
            .into_iter()
            .map(|kind| (kind, self.sight.numbers.kind(kind)))
            .filter(|(_, many)| *many > 0)
    }

    /// Whether no card is left out.
    fn is_all(&self) -> bool {
        !self.filter.trouble && self.filter.kind.is_none() && self.filter.of.is_none()
    }
}
