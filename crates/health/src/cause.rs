//! What red cards come from: one trouble is counted once, however many cards are red because of it. Pure.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};

use crate::card::{Card, CardId, CardKind, Lamp};

/// The cards that need a person, and those that are red only because of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Causes {
    roots: HashSet<CardId>,
    /// The accounts that keep a service from its work.
    accounts: HashMap<CardId, Vec<CardId>>,
    counts: [u32; CardKind::ALL.len()],
}

impl Causes {
    /// Reads them off the cards. `pool` are the accounts that services work through.
    ///
    /// A session counts as its account. A service or a queue that works again as soon as something else does is no cause.
    pub fn of<C: Borrow<Card>>(cards: &[C], pool: &HashSet<CardId>) -> Self {
        let red = || cards.iter().map(Borrow::borrow).filter(|card| card.lamp == Lamp::Trouble);
        let mut roots: HashSet<CardId> = red()
            .filter_map(|card| match card.kind {
                CardKind::Account | CardKind::Port | CardKind::Store => Some(card.id.clone()),
                CardKind::Line => card.parent.clone(),
                CardKind::Service | CardKind::Queue => None,
            })
            .collect();
        let unable: Vec<CardId> = cards
            .iter()
            .map(Borrow::borrow)
            .filter(|card| card.kind == CardKind::Account && pool.contains(&card.id))
            .filter(|card| roots.contains(&card.id) || card.lamp == Lamp::Waiting)
            .map(|card| card.id.clone())
            .collect();
        let is_held_up = unable.iter().any(|account| roots.contains(account));
        let mut accounts = HashMap::new();
        let mut is_stalled = false;
        for card in red().filter(|card| card.kind == CardKind::Service) {
            let of_its_own = card.state == "stalled";
            is_stalled |= of_its_own;
            if of_its_own || !is_held_up {
                roots.insert(card.id.clone());
            }
            if !of_its_own {
                accounts.insert(card.id.clone(), unable.clone());
            }
        }
        let queue = red().filter(|card| card.kind == CardKind::Queue);
        roots.extend(
            queue.filter(|card| !(is_stalled && card.state == "stalled")).map(|card| card.id.clone()),
        );
        let mut counts = [0; CardKind::ALL.len()];
        for root in &roots {
            counts[root.kind() as usize] += 1;
        }
        Self { roots, accounts, counts }
    }

    /// Whether a card is a trouble of its own, by itself or by one of its sessions.
    pub fn has(&self, card: &CardId) -> bool {
        self.roots.contains(card)
    }

    /// The accounts because of which a service cannot work: those in trouble and those that wait.
    pub fn accounts(&self, service: &CardId) -> &[CardId] {
        self.accounts.get(service).map_or(&[], Vec::as_slice)
    }

    pub fn all(&self) -> u32 {
        self.counts.iter().sum()
    }

    pub fn kind(&self, kind: CardKind) -> u32 {
        self.counts[kind as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::overview::tests::{account, card_of};

    fn line(name: &str, lamp: Lamp) -> Card {
        let parent = Some(CardId::account(&name.parse().expect("a name")));
        Card { parent, ..card_of(CardId::line(&name.parse().expect("a name"), "all"), lamp) }
    }

    fn service(state: &'static str) -> Card {
        Card { state, ..card_of(CardId::service(domain::Service::SendText), Lamp::Trouble) }
    }

    fn of(cards: &[Card]) -> (u32, Vec<String>) {
        let pool = cards.iter().filter(|card| card.kind == CardKind::Account).map(|card| card.id.clone());
        let causes = Causes::of(cards, &pool.collect());
        let mut roots: Vec<_> = causes.roots.iter().map(ToString::to_string).collect();
        roots.sort();
        (causes.all(), roots)
    }

    fn names(roots: &[&str]) -> (u32, Vec<String>) {
        (u32::try_from(roots.len()).expect("few"), roots.iter().map(|root| (*root).to_owned()).collect())
    }

    #[test]
    fn an_account_counts_once_with_its_sessions_and_services() {
        let [one, two] = [1, 2].map(account);
        let cards = [
            card_of(CardId::account(&one), Lamp::Trouble),
            line(one.as_str(), Lamp::Trouble),
            card_of(CardId::account(&two), Lamp::Waiting),
            service("unable"),
            card_of(CardId::port("5021"), Lamp::Trouble),
            card_of(CardId::port("5022"), Lamp::Good),
        ];
        assert_eq!(of(&cards), names(&["account:account_1", "port:5021"]));
        let pool = [CardId::account(&one), CardId::account(&two)];
        let causes = Causes::of(&cards, &pool.clone().into());
        assert_eq!(causes.accounts(&cards[3].id), pool);
        assert_eq!((causes.kind(CardKind::Account), causes.kind(CardKind::Service)), (1, 0));
        // An account that no service works through keeps none from its work.
        assert!(Causes::of(&cards, &HashSet::new()).has(&cards[3].id));
    }

    #[test]
    fn a_red_session_makes_its_account_a_cause() {
        let one = account(1);
        let cards = [card_of(CardId::account(&one), Lamp::Good), line(one.as_str(), Lamp::Trouble)];
        assert_eq!(of(&cards), names(&["account:account_1"]));
    }

    #[test]
    fn a_service_is_a_cause_when_its_accounts_only_wait() {
        let waiting = card_of(CardId::account(&account(1)), Lamp::Waiting);
        assert_eq!(of(&[waiting, service("flood_wait")]), names(&["service:send_text"]));
    }

    #[test]
    fn a_stalled_service_and_queue_count_once() {
        let queue = Card { state: "stalled", ..card_of(CardId::queue(), Lamp::Trouble) };
        let account = card_of(CardId::account(&account(1)), Lamp::Trouble);
        assert_eq!(
            of(&[account, service("stalled"), queue.clone()]),
            names(&["account:account_1", "service:send_text"])
        );
        assert_eq!(of(&[Card { state: "full", ..queue }]), names(&["queue"]));
    }
}
