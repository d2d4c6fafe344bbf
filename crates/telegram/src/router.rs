//! Which account carries a message: the rules, over plain facts. Pure.

use delivery::{Readiness, Why};
use domain::account::{AccountState, Reason};
use domain::{ChatKind, Timestamp};

use crate::peers::Knows;

/// Whether an account can be used at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usable {
    /// A line is up.
    Now,
    /// A line is on its way.
    Connecting,
    /// No: how it is, and why.
    No(AccountState, Option<Reason>),
}

/// What matters about one account for one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Its place among the accounts; the order of names.
    pub(crate) index: usize,
    pub(crate) priority: u16,
    /// Whether it carries messages that do not name it.
    pub(crate) in_pool: bool,
    /// How many messages it is sending now.
    pub(crate) load: u32,
    pub(crate) usable: Usable,
    pub(crate) knows: Knows,
    /// Telegram stopped its first contacts.
    pub(crate) peer_flood: bool,
    /// A flood wait, or slow mode in this chat.
    pub(crate) held_until: Option<Timestamp>,
    /// It has no right to write in this chat.
    pub(crate) marked: bool,
}

/// Why an account was not chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It does not know the chat.
    Unknown,
    /// It knows the group, and is not in it.
    NotInIt,
    /// Telegram said that it may not write there.
    Marked,
    /// Telegram stopped its first contacts, and this would be one.
    FirstContact,
    /// It cannot be used.
    Unusable(AccountState, Option<Reason>),
}

impl Refusal {
    /// The kind of refusal, for the delivery.
    pub(crate) const fn why(self) -> Why {
        match self {
            Self::Unknown => Why::NotFound,
            Self::NotInIt | Self::Marked => Why::Forbidden,
            Self::FirstContact | Self::Unusable(..) => Why::Unusable,
        }
    }
}

/// The result: indices of accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Choice {
    /// Best first.
    pub(crate) able: Vec<(usize, Readiness)>,
    /// The others that were considered, in the same order.
    pub(crate) refused: Vec<(usize, Refusal)>,
}

/// Chooses. `facts` are in the order of names; `pin` and `bound` are indices.
pub(crate) fn choose(
    kind: ChatKind,
    pin: Option<usize>,
    bound: Option<usize>,
    mut facts: Vec<Facts>,
    now: Timestamp,
) -> Choice {
    match (kind, pin, bound) {
        (_, Some(pinned), _) => facts.retain(|one| one.index == pinned),
        // A private dialog stays with the account that has it.
        (ChatKind::User, None, Some(bound)) => facts.retain(|one| one.index == bound),
        (_, None, _) => facts.retain(|one| one.in_pool || bound == Some(one.index)),
    }
    facts.sort_by_key(|one| (bound != Some(one.index), one.priority, one.load, one.index));
    let mut choice = Choice::default();
    for one in facts {
        match judge(kind, &one, now) {
            Ok(readiness) => choice.able.push((one.index, readiness)),
            Err(refusal) => choice.refused.push((one.index, refusal)),
        }
        let settled = match choice.refused.last() {
            _ if !choice.able.is_empty() => true,
            // It has the dialog and was turned away there: another account would be a stranger at the same door.
            Some((index, Refusal::Marked)) => *index == one.index,
            _ => false,
        };
        if kind == ChatKind::User && settled {
            break;
        }
    }
    choice
}

fn judge(kind: ChatKind, one: &Facts, now: Timestamp) -> Result<Readiness, Refusal> {
    if let Usable::No(state, reason) = one.usable {
        return Err(Refusal::Unusable(state, reason));
    }
    match (kind, one.knows) {
        (_, Knows::No) => return Err(Refusal::Unknown),
        (ChatKind::Group | ChatKind::Channel, Knows::Contact) => return Err(Refusal::NotInIt),
        (ChatKind::User, Knows::Contact) if one.peer_flood => return Err(Refusal::FirstContact),
        _ => {}
    }
    if one.marked {
        return Err(Refusal::Marked);
    }
    Ok(match (one.usable, one.held_until.filter(|until| *until > now)) {
        (_, Some(until)) => Readiness::HeldUntil(until),
        (Usable::Connecting, None) => Readiness::Connecting,
        _ => Readiness::Ready,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000);
    const LATER: Timestamp = Timestamp::from_micros(2_000);

    fn account(index: usize) -> Facts {
        Facts {
            index,
            priority: u16::try_from(index).expect("small"),
            in_pool: true,
            load: 0,
            usable: Usable::Now,
            knows: Knows::Dialog,
            peer_flood: false,
            held_until: None,
            marked: false,
        }
    }

    fn able(choice: &Choice) -> Vec<usize> {
        choice.able.iter().map(|(index, _)| *index).collect()
    }

    #[test]
    fn the_bound_account_comes_first_then_priority_then_load() {
        let facts = vec![
            Facts { load: 3, priority: 1, ..account(0) },
            Facts { load: 1, priority: 1, ..account(1) },
            Facts { priority: 0, load: 9, ..account(2) },
            Facts { in_pool: false, ..account(3) },
        ];
        assert_eq!(able(&choose(ChatKind::Group, None, None, facts.clone(), NOW)), [2, 1, 0]);
        assert_eq!(able(&choose(ChatKind::Group, None, Some(0), facts.clone(), NOW)), [0, 2, 1]);
        assert_eq!(able(&choose(ChatKind::Group, None, Some(3), facts, NOW)), [3, 2, 1, 0]);
    }

    #[test]
    fn a_private_chat_has_one_account() {
        let mut facts = vec![account(0), account(1), account(2)];
        facts[0].knows = Knows::No;
        assert_eq!(able(&choose(ChatKind::User, None, None, facts.clone(), NOW)), [1]);
        facts[1].usable = Usable::No(AccountState::Banned, Some(Reason::Banned));
        assert_eq!(able(&choose(ChatKind::User, None, None, facts.clone(), NOW)), [2]);
        let bound = choose(ChatKind::User, None, Some(1), facts.clone(), NOW);
        assert_eq!(able(&bound), Vec::<usize>::new());
        assert_eq!(bound.refused, [(1, Refusal::Unusable(AccountState::Banned, Some(Reason::Banned)))]);
        facts[1] = Facts { marked: true, ..account(1) };
        let turned_away = choose(ChatKind::User, None, None, facts, NOW);
        assert_eq!((able(&turned_away).len(), turned_away.refused.last()), (0, Some(&(1, Refusal::Marked))));
    }

    #[test]
    fn only_members_write_into_groups() {
        let facts = vec![
            Facts { knows: Knows::Contact, ..account(0) },
            Facts { knows: Knows::No, ..account(1) },
            account(2),
        ];
        let choice = choose(ChatKind::Channel, None, None, facts, NOW);
        assert_eq!(able(&choice), [2]);
        assert_eq!(choice.refused, [(0, Refusal::NotInIt), (1, Refusal::Unknown)]);
    }

    #[test]
    fn a_peer_flood_stops_first_contacts_alone() {
        let facts = vec![Facts { peer_flood: true, ..account(0) }];
        assert_eq!(able(&choose(ChatKind::User, None, None, facts, NOW)), [0]);
        let facts = vec![Facts { peer_flood: true, knows: Knows::Contact, ..account(0) }];
        let choice = choose(ChatKind::User, None, None, facts, NOW);
        assert_eq!(choice.refused, [(0, Refusal::FirstContact)]);
    }

    #[test]
    fn readiness_says_when() {
        for (usable, held_until, expected) in [
            (Usable::Now, None, Readiness::Ready),
            (Usable::Now, Some(LATER), Readiness::HeldUntil(LATER)),
            (Usable::Now, Some(NOW), Readiness::Ready),
            (Usable::Connecting, None, Readiness::Connecting),
            (Usable::Connecting, Some(LATER), Readiness::HeldUntil(LATER)),
        ] {
            let facts = vec![Facts { usable, held_until, ..account(0) }];
            assert_eq!(choose(ChatKind::Group, None, None, facts, NOW).able, [(0, expected)]);
        }
    }

    fn any_usable() -> impl Strategy<Value = Usable> {
        prop_oneof![
            3 => Just(Usable::Now),
            1 => Just(Usable::Connecting),
            1 => Just(Usable::No(AccountState::Error, Some(Reason::NoAnswer))),
            1 => Just(Usable::No(AccountState::Paused, None)),
        ]
    }

    prop_compose! {
        fn any_facts()(
            priority in 0_u16..3, in_pool: bool, load in 0_u32..3, usable in any_usable(),
            knows in prop_oneof![Just(Knows::No), Just(Knows::Contact), Just(Knows::Dialog)],
            peer_flood: bool, held in proptest::option::of(Just(LATER)), marked: bool,
        ) -> Facts {
            Facts { index: 0, priority, in_pool, load, usable, knows, peer_flood, held_until: held, marked }
        }
    }

    prop_compose! {
        fn any_accounts()(mut facts in proptest::collection::vec(any_facts(), 0..6)) -> Vec<Facts> {
            for (index, one) in facts.iter_mut().enumerate() {
                one.index = index;
            }
            facts
        }
    }

    fn any_kind() -> impl Strategy<Value = ChatKind> {
        prop_oneof![Just(ChatKind::User), Just(ChatKind::Group), Just(ChatKind::Channel)]
    }

    proptest! {
        #[test]
        fn whoever_is_chosen_can_do_it(
            kind in any_kind(), facts in any_accounts(),
            pin in proptest::option::of(0_usize..6), bound in proptest::option::of(0_usize..6),
        ) {
            let choice = choose(kind, pin, bound, facts.clone(), NOW);
            for (index, readiness) in &choice.able {
                let one = &facts[*index];
                prop_assert!(!matches!(one.usable, Usable::No(..)) && !one.marked && one.knows != Knows::No);
                prop_assert!(kind == ChatKind::User || one.knows == Knows::Dialog);
                prop_assert!(one.in_pool || pin == Some(*index) || bound == Some(*index));
                prop_assert_eq!(*readiness == Readiness::Ready, one.usable == Usable::Now && one.held_until.is_none());
            }
            if kind == ChatKind::User {
                prop_assert!(choice.able.len() <= 1);
            }
            // Nobody is named twice.
            let mut named: Vec<usize> = able(&choice);
            named.extend(choice.refused.iter().map(|(index, _)| *index));
            named.sort_unstable();
            let count = named.len();
            named.dedup();
            prop_assert_eq!(named.len(), count);
        }

        #[test]
        fn a_pinned_message_never_moves(
            kind in any_kind(), facts in any_accounts(), pin in 0_usize..6,
            bound in proptest::option::of(0_usize..6),
        ) {
            let choice = choose(kind, Some(pin), bound, facts, NOW);
            prop_assert!(able(&choice).iter().all(|index| *index == pin));
            prop_assert!(choice.refused.iter().all(|(index, _)| *index == pin));
        }

        #[test]
        fn a_bound_private_chat_never_moves(facts in any_accounts(), bound in 0_usize..6) {
            let choice = choose(ChatKind::User, None, Some(bound), facts, NOW);
            prop_assert!(able(&choice).iter().all(|index| *index == bound));
        }

        #[test]
        fn the_order_is_by_rule_and_not_by_chance(
            kind in any_kind(), facts in any_accounts(), bound in proptest::option::of(0_usize..6),
        ) {
            let choice = choose(kind, None, bound, facts.clone(), NOW);
            let mut turned = facts.clone();
            turned.reverse();
            prop_assert_eq!(&choose(kind, None, bound, turned, NOW), &choice);
            for pair in choice.able.windows(2) {
                let key = |index: usize| {
                    (bound != Some(index), facts[index].priority, facts[index].load, index)
                };
                prop_assert!(key(pair[0].0) < key(pair[1].0));
            }
        }
    }
}
