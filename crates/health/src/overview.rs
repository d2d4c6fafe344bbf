//! The overview: what the first page, `GET /v1/overview` and `switchboard top` show.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use serde::Serialize;
use telegram::ClearingView;

use crate::card::{Card, CardId, CardKind, Lamp};
use crate::cause::Causes;
use crate::tally::Amount;

/// The most cards on a page.
pub const LARGEST_PAGE: usize = 200;

/// Which cards someone wants to see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CardFilter {
    /// Of these kinds; all if it is empty.
    pub kinds: Vec<CardKind>,
    /// Only those that need someone or wait for something.
    pub trouble: bool,
    /// Whose name, state or reason has this in it, small and capital letters alike.
    pub text: Option<String>,
    pub group: Option<CardId>,
    /// Sessions are in their accounts: none has a place of its own, and an account is wanted where one of them is.
    pub in_accounts: bool,
    /// By kind, and those of a kind by need; else by need first.
    pub by_kind: bool,
    /// The most cards, 1 to [`LARGEST_PAGE`]; none means the largest page.
    pub limit: Option<usize>,
    pub after: Option<Cursor>,
}

/// A place in the order of the overview: the cards after it are the next page, also when the order changes meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    rank: (Need, CardKind),
    id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Need {
    Trouble,
    Waiting,
    Nothing,
}

impl Need {
    const ALL: [Self; 3] = [Self::Trouble, Self::Waiting, Self::Nothing];

    const fn of(lamp: Lamp) -> Self {
        match lamp {
            Lamp::Trouble => Self::Trouble,
            Lamp::Waiting => Self::Waiting,
            Lamp::Busy | Lamp::Off | Lamp::Good => Self::Nothing,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no place in the overview; take the one that the page before gave")]
pub struct InvalidCursor;

impl Cursor {
    fn of(card: &Card) -> Self {
        Self { rank: (Need::of(card.lamp), card.kind), id: card.id.as_str().to_owned() }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.rank.0 as u8, self.rank.1 as u8, self.id)
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let mut pieces = text.splitn(3, '.');
        let mut number = || pieces.next().and_then(|piece| piece.parse::<usize>().ok());
        let need = number().and_then(|need| Need::ALL.get(need).copied()).ok_or(InvalidCursor)?;
        let kind = number().and_then(|kind| CardKind::ALL.get(kind).copied()).ok_or(InvalidCursor)?;
        let id = pieces.next().filter(|id| id.parse::<CardId>().is_ok()).ok_or(InvalidCursor)?;
        Ok(Self { rank: (need, kind), id: id.to_owned() })
    }
}

/// Puts cards in the order of the overview: trouble first, then what waits, then the rest by kind and name.
pub(crate) fn sort(cards: &mut [Arc<Card>]) {
    cards.sort_by(|one, other| place(one).cmp(&place(other)));
}

fn place(card: &Card) -> (Need, CardKind, &str) {
    (Need::of(card.lamp), card.kind, card.id.as_str())
}

fn by_kind((need, kind, id): (Need, CardKind, &str)) -> (CardKind, Need, &str) {
    (kind, need, id)
}

/// The page of sorted cards that someone wants, how many there are over all pages, and where the next page begins.
pub(crate) fn cut(cards: &[Arc<Card>], wanted: &CardFilter) -> (Vec<Card>, u32, Option<Cursor>) {
    let text = wanted.text.as_ref().map(|text| text.to_lowercase());
    let folded = folded_in(cards, wanted, text.as_deref());
    let matching = || {
        cards.iter().filter(|card| match &folded {
            None => is_wanted(card, wanted, text.as_deref()),
            Some(_) if card.kind == CardKind::Line => false,
            Some(folded) => is_wanted(card, wanted, text.as_deref()) || folded.contains(&card.id),
        })
    };
    let count = u32::try_from(matching().count()).unwrap_or(u32::MAX);
    let is_after = |card: &&Arc<Card>| match &wanted.after {
        None => true,
        Some(after) if wanted.by_kind => {
            by_kind(place(card)) > by_kind((after.rank.0, after.rank.1, after.id.as_str()))
        }
        Some(after) => place(card) > (after.rank.0, after.rank.1, after.id.as_str()),
    };
    let limit = wanted.limit.unwrap_or(LARGEST_PAGE).clamp(1, LARGEST_PAGE);
    let mut after: Vec<_> = matching().filter(is_after).collect();
    if wanted.by_kind {
        after.sort_by(|one, other| by_kind(place(one)).cmp(&by_kind(place(other))));
    }
    let mut rest = after.into_iter();
    let page: Vec<Card> = rest.by_ref().take(limit).map(|card| Card::clone(card)).collect();
    let next = rest.next().and(page.last()).map(Cursor::of);
    (page, count, next)
}

/// The sessions of these cards, in the order of the overview.
pub(crate) fn lines_of(all: &[Arc<Card>], cards: &[Card]) -> Vec<Card> {
    let accounts: HashSet<&CardId> =
        cards.iter().filter(|card| card.kind == CardKind::Account).map(|card| &card.id).collect();
    let lines =
        all.iter().filter(|card| card.parent.as_ref().is_some_and(|parent| accounts.contains(parent)));
    lines.map(|line| Card::clone(line)).collect()
}

/// The accounts that are wanted for one of their sessions; none where sessions have places of their own.
fn folded_in<'a>(
    cards: &'a [Arc<Card>],
    wanted: &CardFilter,
    text: Option<&str>,
) -> Option<HashSet<&'a CardId>> {
    let of_sessions = CardFilter { kinds: Vec::new(), ..wanted.clone() };
    let lists_accounts = wanted.kinds.is_empty() || wanted.kinds.contains(&CardKind::Account);
    let lines = cards.iter().filter(|card| card.kind == CardKind::Line && lists_accounts);
    let found =
        lines.filter(|card| is_wanted(card, &of_sessions, text)).filter_map(|card| card.parent.as_ref());
    wanted.in_accounts.then(|| found.collect())
}

fn is_wanted(card: &Card, wanted: &CardFilter, text: Option<&str>) -> bool {
    let of_kind = wanted.kinds.is_empty() || wanted.kinds.contains(&card.kind);
    let in_trouble = !wanted.trouble || Need::of(card.lamp) != Need::Nothing;
    let in_group =
        wanted.group.as_ref().is_none_or(|group| card.id == *group || card.parent.as_ref() == Some(group));
    let has = |field: &str, text: &str| field.to_lowercase().contains(text);
    let says = text.is_none_or(|text| {
        has(card.id.as_str(), text)
            || has(&card.name, text)
            || has(card.state, text)
            || card.reason.as_ref().is_some_and(|reason| has(reason, text))
            || card.detail.as_ref().is_some_and(|detail| has(detail, text))
    });
    of_kind && in_trouble && in_group && says
}

/// How many cards there are, by kind and lamp, whatever is filtered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts([[u32; Lamp::ALL.len()]; CardKind::ALL.len()]);

impl Counts {
    pub(crate) fn add(&mut self, kind: CardKind, lamp: Lamp) {
        self.0[kind as usize][lamp as usize] += 1;
    }

    pub fn of(&self, kind: CardKind, lamp: Lamp) -> u32 {
        self.0[kind as usize][lamp as usize]
    }

    pub fn lamp(&self, lamp: Lamp) -> u32 {
        self.0.iter().map(|lamps| lamps[lamp as usize]).sum()
    }

    pub fn kind(&self, kind: CardKind) -> u32 {
        self.0[kind as usize].iter().sum()
    }

    pub fn all(&self) -> u32 {
        self.0.iter().flatten().sum()
    }
}

/// The program itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Process {
    /// The memory it takes, in bytes, where the system shows it.
    pub memory: Option<u64>,
    /// The processor time it takes: 1 is one core. Measured over the last round of beats.
    pub cpu: Option<f32>,
    /// When it was started, counted back from the present by a monotonic clock.
    pub started_at: Timestamp,
    pub version: &'static str,
}

/// A few numbers about the work. Those of the store are as old as the last round of beats.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Messages sent in the last hour.
    pub sent_last_hour: u64,
    /// Messages and operations that are not finished.
    pub waiting: u64,
    /// How long the oldest one that is due has been waiting.
    pub oldest_waiting: Option<Duration>,
    /// Messages that failed since midnight, UTC.
    pub failed_today: u64,
    /// Messages and operations of which no one knows whether they happened.
    pub in_doubt: u64,
    pub failed_requests: u64,
    pub unresolved: u64,
    /// Half of the calls to Telegram since the start were answered within this.
    pub answer_p50: Option<Duration>,
    pub answer_p99: Option<Duration>,
    /// Whether the beats are kept on disk; if not, memory goes on and they are lost with the program.
    pub beats_kept: bool,
    /// What was sent and what failed in each of the last 24 hours of the clock, oldest first; the last one is the hour that
    /// runs.
    pub hours: [Amount; 24],
}

/// Everything at a glance.
#[derive(Debug, Clone, PartialEq)]
pub struct Overview {
    pub at: Timestamp,
    pub counts: Counts,
    pub causes: Arc<Causes>,
    /// How many of them are wanted, over all pages.
    pub matching: u32,
    pub process: Process,
    pub facts: Facts,
    pub clearing: Option<ClearingView>,
    /// The cards of this page: trouble first, then what waits, then the rest by kind and name.
    pub cards: Vec<Card>,
    /// The sessions of the accounts of this page, where they are shown in them.
    pub lines: Vec<Card>,
    pub next: Option<Cursor>,
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    fn card(number: usize, kind: CardKind, lamp: Lamp) -> Card {
        let id = match kind {
            CardKind::Service => CardId::service(domain::Service::ALL[number % 4]),
            CardKind::Line => CardId::line(&account(number / 2), &format!("all.{number}")),
            CardKind::Account => CardId::account(&account(number)),
            CardKind::Port => CardId::port(&number.to_string()),
            CardKind::Store => CardId::store(),
            CardKind::Queue => CardId::queue(),
        };
        let parent = (kind == CardKind::Line).then(|| CardId::account(&account(number / 2)));
        Card { parent, ..card_of(id, lamp) }
    }

    pub(crate) fn card_of(id: CardId, lamp: Lamp) -> Card {
        Card::new(id, lamp, lamp.as_str(), Timestamp::default())
    }

    pub(crate) fn account(number: usize) -> domain::AccountName {
        format!("account_{number}").parse().expect("a name")
    }

    fn cards() -> impl Strategy<Value = Vec<Arc<Card>>> {
        let one = (prop::sample::select(CardKind::ALL.to_vec()), prop::sample::select(Lamp::ALL.to_vec()));
        prop::collection::vec(one, 0..60).prop_map(|all| {
            let made = all.into_iter().enumerate().map(|(number, (kind, lamp))| card(number, kind, lamp));
            let mut cards: Vec<Arc<Card>> = Vec::new();
            for card in made {
                if cards.iter().all(|other| other.id != card.id) {
                    cards.push(Arc::new(card));
                }
            }
            cards
        })
    }

    #[test]
    fn cards_are_found_by_kind_trouble_text_and_group() {
        let mut all = [
            card(4, CardKind::Account, Lamp::Good),
            card(8, CardKind::Line, Lamp::Good),
            card(5, CardKind::Account, Lamp::Waiting),
            card(1, CardKind::Port, Lamp::Trouble),
            card(2, CardKind::Port, Lamp::Off),
        ]
        .map(Arc::new);
        sort(&mut all);
        let ids = |wanted: CardFilter| {
            let (cards, matching, next) = cut(&all, &wanted);
            assert_eq!((matching as usize, next), (cards.len(), None));
            cards.into_iter().map(|card| card.id.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(
            ids(CardFilter::default()),
            ["port:1", "account:account_5", "account:account_4", "line:account_4:all.8", "port:2"]
        );
        assert_eq!(
            ids(CardFilter { trouble: true, ..CardFilter::default() }),
            ["port:1", "account:account_5"]
        );
        let group = Some(CardId::account(&account(4)));
        assert_eq!(
            ids(CardFilter { group, ..CardFilter::default() }),
            ["account:account_4", "line:account_4:all.8"]
        );
        let text = Some("ACCOUNT_5".to_owned());
        assert_eq!(ids(CardFilter { text, ..CardFilter::default() }), ["account:account_5"]);
        let kinds = vec![CardKind::Port];
        assert_eq!(ids(CardFilter { kinds, ..CardFilter::default() }), ["port:1", "port:2"]);
        let folded = |text: &str| CardFilter {
            text: Some(text.to_owned()),
            in_accounts: true,
            ..CardFilter::default()
        };
        assert_eq!(ids(folded("")), ["port:1", "account:account_5", "account:account_4", "port:2"]);
        assert_eq!(ids(folded("all.8")), ["account:account_4"]);
        assert_eq!(ids(CardFilter { kinds: vec![CardKind::Port], ..folded("all.8") }), Vec::<String>::new());
        assert_eq!(
            ids(CardFilter { by_kind: true, ..CardFilter::default() }),
            ["account:account_5", "account:account_4", "line:account_4:all.8", "port:1", "port:2"]
        );
    }

    proptest! {
        /// Page by page each card comes once, in the order of the whole, and what a cursor says is read again.
        #[test]
        fn pages_follow_each_other(mut all in cards(), limit in 1_usize..9, is_by_kind: bool) {
            sort(&mut all);
            prop_assert!(all.windows(2).all(|pair| place(&pair[0]) < place(&pair[1])));
            let mut whole = all.clone();
            if is_by_kind {
                whole.sort_by_key(|card| (card.kind, Need::of(card.lamp), card.id.as_str().to_owned()));
            }
            let (mut seen, mut after) = (Vec::new(), None);
            loop {
                let wanted = CardFilter { limit: Some(limit), after, by_kind: is_by_kind, ..CardFilter::default() };
                let (page, matching, next) = cut(&all, &wanted);
                prop_assert_eq!(matching as usize, all.len());
                prop_assert!(page.len() <= limit);
                seen.extend(page.into_iter().map(|card| card.id));
                let Some(next) = next else { break };
                prop_assert_eq!(next.to_string().parse::<Cursor>(), Ok(next.clone()));
                after = Some(next);
            }
            prop_assert_eq!(seen, whole.iter().map(|card| card.id.clone()).collect::<Vec<_>>());
        }

        #[test]
        fn no_text_makes_a_cursor_panic(text in "\\PC{0,40}") {
            if let Ok(cursor) = text.parse::<Cursor>() {
                prop_assert_eq!(cursor.to_string().parse::<Cursor>(), Ok(cursor));
            }
        }
    }
}
