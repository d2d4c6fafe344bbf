//! Which account does a piece of work: the rules, over plain facts. Pure.
//!
//! An account that is bound to the chat comes first; else priority strictly, and load only breaks ties; a private chat
//! goes to an account that has it before one that has not. Into a chat go only accounts that are known to be in it; a
//! private dialog stays with the account that has it; work that names an account never goes to another one, and an
//! account outside the pool only does work that names it.

use delivery::{Readiness, RefusalKind};
use domain::account::{AccountState, Reason};
use domain::{ChatKind, Timestamp};

pub use crate::peers::PeerRelation;

/// Bits of a rank that hold the place of an account, and its load.
const INDEX_BITS: u32 = 24;
const LOAD_BITS: u32 = 21;

/// Whether an account can be used at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usable {
    /// A line is up.
    Now,
    /// A line is on its way.
    Connecting,
    /// No: how it is, and why.
    No(AccountState, Option<Reason>),
}

/// What matters about one account for one piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "facts that have nothing to do with each other")]
pub struct Facts {
    /// Its place among the accounts, below 2^24; of two that are otherwise equal the lower one goes first.
    pub index: usize,
    /// Lower numbers are used first.
    pub priority: u16,
    /// Whether it does work that does not name it.
    pub in_pool: bool,
    pub load: u32,
    pub usable: Usable,
    pub relation: PeerRelation,
    /// It has not read all its dialogs yet: what it does not know may be among the rest.
    pub is_reading: bool,
    /// Telegram stopped its first contacts.
    pub peer_flood: bool,
    /// It could, but would do it badly: anyone who does not have this goes first, whatever the priority.
    pub hampered: bool,
    /// A flood wait, or slow mode in this chat.
    pub held_until: Option<Timestamp>,
    /// It has sent as many messages as its owner lets it.
    pub limited_until: Option<Timestamp>,
    /// It has no right to write in this chat.
    pub marked: bool,
}

/// Why an account was not chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It does not know the chat.
    Unknown,
    /// It does not know the chat so far, which may change: it is still connecting, or reading its dialogs.
    CannotTell,
    /// It knows the group, and is not in it.
    NotInIt,
    /// Telegram said that it may not write there.
    Marked,
    /// Telegram stopped its first contacts, and this would be one.
    FirstContact,
    /// It must wait for longer than its private dialogs do.
    Held(Timestamp),
    /// It cannot be used.
    Unusable(AccountState, Option<Reason>),
    /// It cannot be used and does not come back by itself, and nothing says that it knows the chat.
    Gone(AccountState, Option<Reason>),
}

impl Refusal {
    pub const fn why(self) -> RefusalKind {
        match self {
            Self::Unknown => RefusalKind::NotFound,
            Self::NotInIt => RefusalKind::NotInChat,
            Self::Marked => RefusalKind::Forbidden,
            Self::CannotTell | Self::FirstContact | Self::Held(_) | Self::Unusable(..) => {
                RefusalKind::Unusable
            }
            Self::Gone(..) => RefusalKind::Gone,
        }
    }

    /// Why an account in this state cannot be used by someone who looks for a chat.
    pub const fn of_unusable(state: AccountState, reason: Option<Reason>, relation: PeerRelation) -> Self {
        match (state, relation) {
            (AccountState::Banned | AccountState::NeedsLogin, PeerRelation::No) => Self::Gone(state, reason),
            _ => Self::Unusable(state, reason),
        }
    }
}

/// The result: places of accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// Best first.
    pub able: Vec<(usize, Readiness)>,
    /// The others that were considered, in the order of the facts.
    pub refused: Vec<(usize, Refusal)>,
    /// The first choice among those in the chat, whether it can be used or not. Of several of the same priority, one
    /// that is ready.
    pub preferred: Option<usize>,
    /// The chat is a private dialog that goes over from its account to the one that is able.
    pub moves: bool,
    /// It would go over, and stays while no other account is known to be able to take it.
    pub stays: bool,
}

/// An account's rank: lower comes first. Its place is in the last bits, so that no two are the same.
fn rank(kind: ChatKind, one: &Facts, is_bound: bool) -> u64 {
    let load = one.load.min((1 << LOAD_BITS) - 1);
    // Anyone who was written to is to be answered by the account that they wrote to, not by a stranger.
    let is_stranger = kind == ChatKind::User && one.relation != PeerRelation::Dialog;
    u64::from(!is_bound) << 63
        | u64::from(is_stranger) << 62
        | u64::from(one.hampered) << 61
        | u64::from(one.priority) << (LOAD_BITS + INDEX_BITS)
        | u64::from(load) << INDEX_BITS
        | one.index as u64
}

fn index_of(rank: u64) -> usize {
    usize::try_from(rank & ((1 << INDEX_BITS) - 1)).unwrap_or(usize::MAX)
}

/// Whether the chat goes first to accounts of this rank, whatever their load is and whatever hampers them.
const fn seniority(rank: u64) -> u64 {
    (rank >> (LOAD_BITS + INDEX_BITS)) & !(1 << (61 - LOAD_BITS - INDEX_BITS))
}

/// Chooses. Each account is in `facts` once, in any order; those by priority and name are the quickest to sort. `pin`
/// is the place of the only account that may do it, `bound` of the one that the chat belongs to.
pub fn choose(
    kind: ChatKind,
    pin: Option<usize>,
    bound: Option<usize>,
    facts: impl IntoIterator<Item = Facts>,
    now: Timestamp,
) -> Choice {
    let facts = facts.into_iter();
    let many = facts.size_hint().0;
    let (mut able, mut refused) = (Vec::with_capacity(many), Vec::with_capacity(many));
    let mut first = None::<u64>;
    for one in facts {
        let is_bound = bound == Some(one.index);
        let considered = match (kind, pin, bound) {
            (_, Some(pinned), _) => one.index == pinned,
            // A private dialog stays with the account that has it.
            (ChatKind::User, None, Some(_)) => is_bound,
            (_, None, _) => one.in_pool || is_bound,
        };
        if !considered {
            continue;
        }
        let rank = rank(kind, &one, is_bound);
        let is_in_it = one.relation == PeerRelation::Dialog
            || kind == ChatKind::User && one.relation == PeerRelation::Contact;
        let precedes = |known: u64| (seniority(rank), index_of(rank)) < (seniority(known), index_of(known));
        if is_bound || is_in_it && first.is_none_or(precedes) {
            first = Some(rank);
        }
        match judge(kind, &one, now) {
            Ok(readiness) => able.push((rank, readiness)),
            Err(refusal) => refused.push((rank, refusal)),
        }
    }
    able.sort_unstable_by_key(|(rank, _)| *rank);
    if kind == ChatKind::User {
        // One account alone: the first that can, or the first that has the dialog and was turned away there, as another
        // one would be a stranger at the same door.
        let turned_away = refused.iter().filter(|(_, refusal)| *refusal == Refusal::Marked);
        let can = able.first().map(|(rank, _)| *rank);
        if let Some(last) = can.into_iter().chain(turned_away.map(|(rank, _)| *rank)).min() {
            able.retain(|(rank, _)| *rank == last);
            refused.retain(|(rank, _)| *rank <= last);
        }
    }
    let is_ready_equal = |first: u64| {
        let same = |(rank, readiness): &&(u64, Readiness)| {
            seniority(*rank) == seniority(first) && *readiness == Readiness::Ready
        };
        able.iter().find(same).map_or(first, |(rank, _)| *rank)
    };
    Choice {
        moves: false,
        stays: false,
        preferred: first.map(is_ready_equal).map(index_of),
        able: able.into_iter().map(|(rank, readiness)| (index_of(rank), readiness)).collect(),
        refused: refused.into_iter().map(|(rank, refusal)| (index_of(rank), refusal)).collect(),
    }
}

/// Chooses for a private dialog that goes over from the account it is bound to: to one that has it, else to one that
/// can reach the person. `away` returns whether an account's own dialogs would go over from it; none goes to such a
/// one. Where no other account can take it, it stays.
pub fn succeed(
    bound: &Facts,
    others: impl IntoIterator<Item = Facts>,
    away: impl Fn(&Facts) -> bool,
    now: Timestamp,
) -> Choice {
    let (mut fit, mut waiting) = (Vec::new(), Vec::new());
    for one in others.into_iter().filter(|one| one.index != bound.index) {
        match judge(ChatKind::User, &one, now) {
            Ok(Readiness::HeldUntil(until)) if one.in_pool && away(&one) => {
                waiting.push((one.index, Refusal::Held(until)));
            }
            _ => fit.push(one),
        }
    }
    let mut choice = choose(ChatKind::User, None, None, fit, now);
    choice.refused.extend(waiting);
    choice.preferred = Some(bound.index);
    choice.moves = !choice.able.is_empty();
    match judge(ChatKind::User, bound, now) {
        Err(refusal) => choice.refused.insert(0, (bound.index, refusal)),
        Ok(readiness) => {
            if let Some(until) = readiness.until().filter(|_| choice.moves) {
                choice.refused.insert(0, (bound.index, Refusal::Held(until)));
            } else {
                choice.stays = !choice.moves;
                choice.able = vec![(bound.index, readiness)];
                choice.moves = false;
            }
        }
    }
    choice
}

fn judge(kind: ChatKind, one: &Facts, now: Timestamp) -> Result<Readiness, Refusal> {
    if let Usable::No(state, reason) = one.usable {
        return Err(Refusal::of_unusable(state, reason, one.relation));
    }
    match (kind, one.relation) {
        (_, PeerRelation::No) if one.usable == Usable::Connecting => return Err(Refusal::CannotTell),
        // A basic group is asked for by its id alone, whatever is among the dialogs.
        (ChatKind::User | ChatKind::Channel, PeerRelation::No) if one.is_reading => {
            return Err(Refusal::CannotTell);
        }
        (_, PeerRelation::No) => return Err(Refusal::Unknown),
        (ChatKind::Group | ChatKind::Channel, PeerRelation::Contact) => return Err(Refusal::NotInIt),
        (ChatKind::User, PeerRelation::Contact) if one.peer_flood => return Err(Refusal::FirstContact),
        _ => {}
    }
    if one.marked {
        return Err(Refusal::Marked);
    }
    let later = |until: Option<Timestamp>| until.filter(|until| *until > now);
    Ok(match (one.usable, later(one.held_until), later(one.limited_until)) {
        (_, held, Some(until)) if held.is_none_or(|held| held < until) => Readiness::LimitedUntil(until),
        (_, Some(until), _) => Readiness::HeldUntil(until),
        (Usable::Connecting, None, _) => Readiness::Connecting,
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
            relation: PeerRelation::Dialog,
            is_reading: false,
            peer_flood: false,
            hampered: false,
            held_until: None,
            limited_until: None,
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
        facts[0].relation = PeerRelation::No;
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
    fn a_private_chat_goes_to_its_holder_before_a_stranger() {
        let facts = vec![Facts { relation: PeerRelation::Contact, ..account(0) }, account(1), account(2)];
        let choice = choose(ChatKind::User, None, None, facts.clone(), NOW);
        assert_eq!((able(&choice), choice.preferred), (vec![1], Some(1)));
        let strangers = facts.into_iter().map(|one| Facts { relation: PeerRelation::Contact, ..one });
        assert_eq!(able(&choose(ChatKind::User, None, None, strangers, NOW)), [0]);
    }

    #[test]
    fn a_hampered_first_choice_comes_last() {
        let facts = vec![Facts { hampered: true, ..account(0) }, account(1), account(2)];
        let choice = choose(ChatKind::Group, None, None, facts, NOW);
        assert_eq!((able(&choice), choice.preferred), (vec![1, 2, 0], Some(0)));
    }

    #[test]
    fn load_makes_no_other_first_choice() {
        let facts = vec![
            Facts { load: 3, ..account(0) },
            Facts { priority: 0, load: 1, ..account(1) },
            Facts { priority: 0, held_until: Some(LATER), ..account(2) },
        ];
        let choice = choose(ChatKind::Group, None, None, facts.clone(), NOW);
        assert_eq!((able(&choice), choice.preferred), (vec![2, 1, 0], Some(1)));
        let bound = choose(ChatKind::Group, None, Some(2), facts, NOW);
        assert_eq!(bound.preferred, Some(2));
        let away = Facts { usable: Usable::No(AccountState::Offline, None), ..account(0) };
        let strangers = Facts { relation: PeerRelation::Contact, ..account(1) };
        let choice = choose(ChatKind::Group, None, None, [away, strangers, account(2)], NOW);
        assert_eq!((able(&choice), choice.preferred), (vec![2], Some(0)));
    }

    #[test]
    fn a_dialog_goes_over_to_one_that_has_it_before_a_stranger() {
        let lost = Facts { usable: Usable::No(AccountState::Banned, Some(Reason::Banned)), ..account(0) };
        let stranger = Facts { relation: PeerRelation::Contact, ..account(1) };
        let none_waits = |_: &Facts| false;
        let choice = succeed(&lost, [lost, stranger, account(2)], none_waits, NOW);
        assert_eq!((able(&choice), choice.preferred, choice.moves), (vec![2], Some(0), true));
        let banned = Refusal::Unusable(AccountState::Banned, Some(Reason::Banned));
        assert_eq!(choice.refused.first(), Some(&(0, banned)));
        assert_eq!(able(&succeed(&lost, [lost, stranger], none_waits, NOW)), [1]);
        let restricted = Facts { peer_flood: true, ..stranger };
        let choice = succeed(&lost, [lost, restricted], none_waits, NOW);
        assert_eq!((choice.able.len(), choice.moves), (0, false));
        assert_eq!(choice.refused, [(0, banned), (1, Refusal::FirstContact)]);
    }

    #[test]
    fn a_dialog_stays_with_one_that_waits_while_no_other_can() {
        let held = |index| Facts { held_until: Some(LATER), ..account(index) };
        let unknown = Facts { relation: PeerRelation::No, ..account(1) };
        let choice = succeed(&held(0), [held(0), unknown, held(2)], |_| true, NOW);
        assert_eq!(
            (&choice.able, choice.moves, choice.stays),
            (&vec![(0, Readiness::HeldUntil(LATER))], false, true)
        );
        let choice = succeed(&held(0), [held(0), unknown, account(2)], |_| true, NOW);
        assert_eq!((able(&choice), choice.moves, choice.stays), (vec![2], true, false));
        assert_eq!(choice.refused.first(), Some(&(0, Refusal::Held(LATER))));
    }

    #[test]
    fn only_members_write_into_groups() {
        let facts = vec![
            Facts { relation: PeerRelation::Contact, ..account(0) },
            Facts { relation: PeerRelation::No, ..account(1) },
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
        let facts = vec![Facts { peer_flood: true, relation: PeerRelation::Contact, ..account(0) }];
        let choice = choose(ChatKind::User, None, None, facts, NOW);
        assert_eq!(choice.refused, [(0, Refusal::FirstContact)]);
    }

    #[test]
    fn readiness_gives_the_time() {
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

    #[test]
    fn of_a_wait_and_a_limit_the_later_one_is_named() {
        let later = |more: i64| Timestamp::from_micros(2_000 + more);
        for (held_until, limited_until, expected) in [
            (None, Some(LATER), Readiness::LimitedUntil(LATER)),
            (None, Some(NOW), Readiness::Ready),
            (Some(LATER), Some(LATER), Readiness::HeldUntil(LATER)),
            (Some(LATER), Some(later(1)), Readiness::LimitedUntil(later(1))),
            (Some(later(1)), Some(LATER), Readiness::HeldUntil(later(1))),
        ] {
            let facts = vec![Facts { held_until, limited_until, ..account(0) }];
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
            relation in prop_oneof![Just(PeerRelation::No), Just(PeerRelation::Contact), Just(PeerRelation::Dialog)],
            is_reading: bool, peer_flood: bool, hampered: bool, held in proptest::option::of(Just(LATER)),
            limited in proptest::option::of(Just(LATER)), marked: bool,
        ) -> Facts {
            Facts {
                index: 0, priority, in_pool, load, usable, relation, is_reading, peer_flood, hampered, held_until: held,
                limited_until: limited, marked,
            }
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
        fn chosen_accounts_are_able(
            kind in any_kind(), facts in any_accounts(),
            pin in proptest::option::of(0_usize..6), bound in proptest::option::of(0_usize..6),
        ) {
            let choice = choose(kind, pin, bound, facts.clone(), NOW);
            for (index, readiness) in &choice.able {
                let one = &facts[*index];
                prop_assert!(!matches!(one.usable, Usable::No(..)) && !one.marked && one.relation != PeerRelation::No);
                prop_assert!(kind == ChatKind::User || one.relation == PeerRelation::Dialog);
                prop_assert!(one.in_pool || pin == Some(*index) || bound == Some(*index));
                let is_free = one.held_until.is_none() && one.limited_until.is_none();
                prop_assert_eq!(*readiness == Readiness::Ready, one.usable == Usable::Now && is_free);
            }
            if kind == ChatKind::User {
                prop_assert!(choice.able.len() <= 1);
                let had = |one: &Facts| one.in_pool && one.relation == PeerRelation::Dialog && !one.marked
                    && !matches!(one.usable, Usable::No(..));
                if pin.is_none() && bound.is_none() && facts.iter().any(had) {
                    prop_assert!(choice.able.iter().all(|(index, _)| facts[*index].relation == PeerRelation::Dialog));
                }
            }
            // No one is named twice.
            let mut named: Vec<usize> = able(&choice);
            named.extend(choice.refused.iter().map(|(index, _)| *index));
            named.sort_unstable();
            let count = named.len();
            named.dedup();
            prop_assert_eq!(named.len(), count);
        }

        #[test]
        fn only_ready_accounts_report_an_unknown_chat(
            kind in any_kind(), facts in any_accounts(),
            pin in proptest::option::of(0_usize..6), bound in proptest::option::of(0_usize..6),
        ) {
            let choice = choose(kind, pin, bound, facts.clone(), NOW);
            for (index, refusal) in &choice.refused {
                let one = &facts[*index];
                let could_tell = one.usable == Usable::Now && (kind == ChatKind::Group || !one.is_reading);
                prop_assert!(refusal.why() != RefusalKind::NotFound || could_tell && one.relation == PeerRelation::No);
                prop_assert!(*refusal != Refusal::CannotTell || !could_tell);
                let is_gone = matches!(
                    one.usable, Usable::No(AccountState::Banned | AccountState::NeedsLogin, _)
                );
                prop_assert_eq!(refusal.why() == RefusalKind::Gone, is_gone && one.relation == PeerRelation::No);
            }
        }

        /// A dialog that goes over is taken by one other account that can do it now or soon, or it stays.
        #[test]
        fn a_dialog_goes_over_to_one_that_can_take_it(
            facts in any_accounts(), bound in 0_usize..6, away in prop::collection::vec(any::<bool>(), 6),
        ) {
            let Some(bound) = facts.get(bound).copied() else { return Ok(()) };
            let is_away = |one: &Facts| away[one.index];
            let choice = succeed(&bound, facts.clone(), is_away, NOW);
            prop_assert!(choice.able.len() <= 1);
            prop_assert_eq!(choice.preferred, Some(bound.index));
            for (index, readiness) in &choice.able {
                let one = &facts[*index];
                prop_assert!(!matches!(one.usable, Usable::No(..)) && !one.marked && one.relation != PeerRelation::No);
                prop_assert_eq!(choice.moves, *index != bound.index);
                if choice.moves {
                    prop_assert!(one.in_pool && (one.relation == PeerRelation::Dialog || !one.peer_flood));
                    prop_assert!(!(matches!(readiness, Readiness::HeldUntil(_)) && is_away(one)));
                    let is_ready = judge(ChatKind::User, &bound, NOW) == Ok(Readiness::Ready);
                    prop_assert!(!is_ready, "one that can go on keeps its dialogs");
                }
            }
            let mut named: Vec<usize> = able(&choice);
            named.extend(choice.refused.iter().map(|(index, _)| *index));
            let count = named.len();
            named.sort_unstable();
            named.dedup();
            prop_assert_eq!(named.len(), count, "no account is named twice");
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
        fn the_first_choice_is_bound_or_in_the_chat(
            kind in any_kind(), facts in any_accounts(), bound in proptest::option::of(0_usize..6),
        ) {
            let choice = choose(kind, None, bound, facts.clone(), NOW);
            match choice.preferred.map(|index| &facts[index]) {
                Some(one) if bound == Some(one.index) => {}
                Some(one) => {
                    prop_assert!(one.in_pool && one.relation != PeerRelation::No);
                    prop_assert!(bound.is_none_or(|bound| bound >= facts.len()));
                    let junior = |other: &Facts| !other.in_pool || other.priority >= one.priority;
                    prop_assert!(facts.iter().all(|other| other.relation != PeerRelation::Dialog || junior(other)));
                }
                None => prop_assert!(choice.able.is_empty()),
            }
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
            let turned = choose(kind, None, bound, turned, NOW);
            prop_assert_eq!((&turned.able, turned.preferred), (&choice.able, choice.preferred));
            prop_assert_eq!(turned.refused.iter().rev().collect::<Vec<_>>(), choice.refused.iter().collect::<Vec<_>>());
            for pair in choice.able.windows(2) {
                let key = |index: usize| {
                    let one = &facts[index];
                    (bound != Some(index), one.hampered, one.priority, one.load, index)
                };
                prop_assert!(key(pair[0].0) < key(pair[1].0));
            }
        }
    }
}
