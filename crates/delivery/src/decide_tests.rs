//! What holds for the decisions about a message.

use std::time::Duration;

use domain::account::Reason;
use domain::outcome::{Failure, HoldScope, Refusal, SentIds, Unclear};
use domain::{AccountName, Address, ChatId, ChatRef, Outcome, Timestamp};
use proptest::prelude::*;
use store::Binding;

use crate::capabilities::Dedup;
use crate::decide::{
    Choice, Next, Pause, Repeat, Tried, Unsettled, admitted, after, after_look, as_unsent, back_off, before,
    binding, choose, failover, hold_back, passed_over,
};
use crate::sender::{Candidate, Candidates, MessageLookup, Readiness, RefusalKind};

fn name(text: &str) -> AccountName {
    text.parse().expect("a name")
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Sent(SentIds::one(Some(1)))),
        (0_i64..100).prop_map(|at| Outcome::held(Timestamp::from_micros(at))),
        (0_i64..100)
            .prop_map(|at| Outcome::Held { until: Timestamp::from_micros(at), scope: HoldScope::Chat }),
        Just(Outcome::NotFound("x".into())),
        Just(Outcome::Forbidden("x".into())),
        Just(Outcome::NotInChat("x".into())),
        Just(Outcome::Restricted(Reason::PeerFlood)),
        Just(Outcome::Banned(Reason::Banned)),
        Just(Outcome::SessionLost(Reason::SessionRevoked)),
        Just(Outcome::Unavailable("x".into())),
        Just(Outcome::ChatMoved),
        Just(Outcome::Unprepared("x".into())),
        Just(Outcome::Rejected { code: "MESSAGE_TOO_LONG".into() }),
        Just(Outcome::MediaGone("x".into())),
        Just(Outcome::MediaExpired("x".into())),
        Just(Outcome::InProgress),
        Just(Outcome::Unknown("x".into())),
        Just(Outcome::Unknown(Unclear::Unreadable("x".into()))),
        Just(Outcome::Unknown(Unclear::ServerError("x".into()))),
    ]
}

fn repeats() -> impl Strategy<Value = Repeat> {
    prop_oneof![Just(Repeat::Free), Just(Repeat::AfterLook), Just(Repeat::Over), Just(Repeat::Never)]
}

fn looks() -> impl Strategy<Value = MessageLookup> {
    prop_oneof![
        Just(MessageLookup::Here(SentIds::one(Some(1)))),
        Just(MessageLookup::NotThere),
        Just(MessageLookup::CannotTell),
    ]
}

proptest! {
    /// Once an attempt may have arrived, no later answer but a look at the chat sets the message free, and without a key
    /// only a look that does not find it lets it be sent again.
    #[test]
    fn doubt_never_leads_to_another_account_or_a_second_send(
        outcome in outcomes(), unclear_answers in 0_u32..5, expired: bool, repeat in repeats(), found in looks(),
    ) {
        let tried = Tried { doubtful: true, unclear_answers, expired, repeat };
        let next = after(&outcome, tried);
        prop_assert!(!matches!(next, Next::GiveBack { .. } | Next::Fail(_) | Next::Send), "{:?}", next);
        prop_assert_eq!(before(repeat) == Next::Send, repeat == Repeat::Free);
        let next = after_look(found.clone(), &outcome, tried);
        let is_free = matches!(next, Next::GiveBack { .. } | Next::Fail(_) | Next::Send);
        prop_assert!(!is_free || found == MessageLookup::NotThere, "{:?}", next);
        prop_assert!(next != Next::Send || repeat == Repeat::AfterLook, "{:?}", repeat);
    }

    /// Where nothing is known against doubles, an unknown outcome is the end of the tries.
    #[test]
    fn without_key_or_look_unknown_is_doubt(outcome in outcomes(), unclear_answers in 0_u32..5, expired: bool) {
        let tried = Tried { doubtful: false, unclear_answers, expired, repeat: Repeat::Never };
        prop_assert_eq!(before(Repeat::Never), Next::Doubt);
        let next = after(&outcome, tried);
        prop_assert_eq!(next == Next::Doubt, matches!(outcome, Outcome::Unknown(_) | Outcome::InProgress));
        // What proves something means the same for all.
        if next != Next::Doubt {
            prop_assert_eq!(next, after(&outcome, Tried { repeat: Repeat::Free, ..tried }));
        }
    }

    /// A key is good from the instant at which the part was begun until its window is over.
    #[test]
    fn a_key_is_repeated_inside_its_window_only(age in 0_u64..200, window in prop::option::of(0_u64..200)) {
        let begun = Timestamp::from_micros(1_000);
        let window = window.map(Duration::from_secs);
        let repeat = Repeat::of(Dedup::Key { window }, begun, begun.plus(Duration::from_secs(age)));
        let is_over = window.is_some_and(|window| Duration::from_secs(age) >= window);
        prop_assert_eq!(repeat, if is_over { Repeat::Over } else { Repeat::Free });
    }

    /// Nothing was sent, or nothing more than before: a part that cannot be prepared is never taken for sent.
    #[test]
    fn unprepared_work_is_never_done(outcome in outcomes(), doubtful: bool) {
        let next = after(&as_unsent(outcome), Tried { doubtful, ..Tried::default() });
        prop_assert!(!matches!(next, Next::Done(_)), "{:?}", next);
        let frees = matches!(next, Next::GiveBack { .. } | Next::Fail(_));
        prop_assert_eq!(frees, !doubtful, "{:?}", next);
    }

    #[test]
    fn an_inconclusive_look_ends_in_doubt(outcome in outcomes(), repeat in repeats()) {
        let tried = Tried { doubtful: true, unclear_answers: 3, expired: false, repeat };
        let next = after_look(MessageLookup::CannotTell, &outcome, tried);
        prop_assert!(matches!(next, Next::Doubt | Next::Again(_)), "{:?}", next);
        // And not for ever.
        let at_last = after_look(MessageLookup::CannotTell, &outcome, Tried { expired: true, ..tried });
        prop_assert_eq!(at_last, Next::Doubt);
    }

    /// An unpinned message binds a free private dialog, and any chat whose account is lost.
    #[test]
    fn a_chat_is_bound_once_and_again_when_lost(is_group: bool, is_pinned: bool, is_bound: bool, lost: bool) {
        let chat_id = ChatId::new(if is_group { -7 } else { 7 }).expect("an id");
        let pin = is_pinned.then(|| name("a"));
        let candidates = Candidates { lost, is_bound, ..Candidates::default() };
        let expected = match (is_pinned, lost, is_group || is_bound) {
            (true, ..) | (false, false, true) => Binding::Unchanged,
            (false, true, _) => Binding::Replaced,
            (false, false, false) => Binding::IfUnbound,
        };
        prop_assert_eq!(binding(&Address::Telegram(chat_id), pin.as_ref(), &candidates), expected);
    }

    #[test]
    fn only_proof_gives_a_message_back(outcome in outcomes()) {
        if let Next::GiveBack { .. } | Next::Fail(_) = after(&outcome, Tried::default()) {
            prop_assert!(outcome.proves_unsent());
        }
    }

    #[test]
    fn the_chosen_account_is_able_and_was_not_tried(
        able in prop::collection::vec(0_u8..3, 0..5), tried in prop::collection::vec(0_usize..5, 0..5),
        fail: bool,
    ) {
        let candidates = Candidates {
            address: None,
            able: able.iter().enumerate().map(|(number, kind)| Candidate {
                account: name(&format!("a{number}")),
                readiness: match kind {
                    0 => Readiness::Ready,
                    1 => Readiness::HeldUntil(Timestamp::from_micros(9)),
                    _ => Readiness::Connecting,
                },
            }).collect(),
            ..Candidates::default()
        };
        let tried: Vec<_> = tried.iter().map(|number| {
            (Refusal { account: name(&format!("a{number}")), why: "x".into() }, RefusalKind::NotFound)
        }).collect();
        if let Choice::Go(account) = choose(&candidates, None, &tried, None, fail) {
            prop_assert!(candidates.able.iter()
                .any(|able| able.account == account && able.readiness == Readiness::Ready));
            prop_assert!(tried.iter().all(|(refusal, _)| refusal.account != account));
        }
    }
}

fn whys() -> impl Strategy<Value = RefusalKind> {
    prop_oneof![
        3 => Just(RefusalKind::NotFound), 1 => Just(RefusalKind::Forbidden), 1 => Just(RefusalKind::NotInChat), 1 => Just(RefusalKind::Unusable),
        1 => Just(RefusalKind::Gone)
    ]
}

proptest! {
    /// "Not found" is final, and a chat that is left is marked on its strength: it takes everyone's word.
    #[test]
    fn a_chat_is_not_found_only_when_everyone_was_asked(
        refused in prop::collection::vec(whys(), 0..5), tried in prop::collection::vec(whys(), 0..3),
        by_name: bool, known: bool,
    ) {
        let refusal = |(number, why): (usize, &RefusalKind)| {
            (Refusal { account: name(&format!("a{number}")), why: "x".into() }, *why)
        };
        let chat_id = ChatId::channel(1).expect("a chat");
        let chat = if by_name { "@demo_group".parse().expect("a name") } else { ChatRef::Id(chat_id) };
        let candidates = Candidates {
            address: known.then_some(chat_id.into()),
            refused: refused.iter().enumerate().map(refusal).collect(),
            ..Candidates::default()
        };
        let tried: Vec<_> = tried.iter().enumerate().map(refusal).collect();
        // What an account answered counts more than what was expected of it.
        let mut last: Vec<RefusalKind> = tried.iter().map(|(_, why)| *why).collect();
        last.extend(refused.iter().skip(tried.len()));
        let choice = choose(&candidates, Some(&chat), &tried, None, false);
        let not_found = matches!(choice, Choice::Fail(Failure::ChatNotFound { .. }));
        if by_name && !known {
            let is_known = last.contains(&RefusalKind::Forbidden) || last.contains(&RefusalKind::NotInChat);
            prop_assert_eq!(not_found, last.contains(&RefusalKind::NotFound) && !is_known);
        } else {
            let all_missing = last.iter().all(|why| matches!(why, RefusalKind::NotFound | RefusalKind::Gone));
            prop_assert_eq!(not_found, all_missing && last.contains(&RefusalKind::NotFound));
        }
    }
}

proptest! {
    /// Work never goes over from the account that does it, and only from one that was considered.
    #[test]
    fn an_account_never_stands_in_for_itself(
        first in prop::option::of(0_u8..4), tried in prop::collection::vec(0_u8..4, 0..4), chosen in 0_u8..4,
    ) {
        let account = |number: &u8| name(&format!("a{number}"));
        let candidates = Candidates { preferred: first.as_ref().map(account), ..Candidates::default() };
        let tried: Vec<_> = tried.iter()
            .map(|number| (Refusal { account: account(number), why: "x".into() }, RefusalKind::NotFound))
            .collect();
        let chosen = account(&chosen);
        let considered = |one: &AccountName| {
            candidates.preferred.as_ref() == Some(one) || tried.iter().any(|(r, _)| r.account == *one)
        };
        match failover(&candidates, &tried, &chosen, None) {
            Some((from, why)) => {
                prop_assert!(from != chosen && considered(&from) && !why.is_empty());
                let text = passed_over(&candidates, &tried, &chosen);
                prop_assert_eq!(text.matches(from.as_str()).count(), 1, "{}", text);
                prop_assert!(!text.contains(chosen.as_str()), "{}", text);
            }
            None => prop_assert!(candidates.preferred.iter().all(|first| *first == chosen)),
        }
    }
}

#[test]
fn everybody_who_was_passed_over_is_named_once_with_the_reason() {
    let able = |account: &str, readiness| Candidate { account: name(account), readiness };
    let refused = |account: &str, why: &str| Refusal { account: name(account), why: why.to_owned() };
    let mut candidates = Candidates {
        able: vec![
            able("main", Readiness::HeldUntil(Timestamp::from_micros(60_000_000))),
            able("second", Readiness::Connecting),
            able("third", Readiness::Ready),
            able("fourth", Readiness::Ready),
        ],
        refused: vec![(refused("fifth", "banned"), RefusalKind::Unusable)],
        preferred: Some(name("main")),
        ..Candidates::default()
    };
    let tried = [(refused("sixth", "CHAT_WRITE_FORBIDDEN"), RefusalKind::Forbidden)];
    assert_eq!(
        passed_over(&candidates, &tried, &name("third")),
        "instead of main (flood wait until 1970-01-01T00:01:00Z), sixth (CHAT_WRITE_FORBIDDEN), \
         second (connecting), fifth (banned)"
    );
    candidates.refused.extend(
        (0..9).map(|number| (refused(&format!("more_{number}"), "not in the chat"), RefusalKind::NotFound)),
    );
    let text = passed_over(&candidates, &tried, &name("third"));
    assert!(text.ends_with("more_0 (not in the chat), and 8 more"), "{text}");
}

#[test]
fn only_an_account_that_cannot_prepare_is_held_back() {
    let able = |account: &str, readiness| Candidate { account: name(account), readiness };
    let at = Timestamp::from_micros;
    let mut candidates = Candidates {
        able: vec![
            able("a", Readiness::Ready),
            able("b", Readiness::HeldUntil(at(50))),
            able("c", Readiness::Connecting),
            able("d", Readiness::Ready),
            able("e", Readiness::Ready),
        ],
        ..Candidates::default()
    };
    let not_before =
        ["a", "b", "c", "d"].map(|account| (name(account), at(if account == "d" { 9 } else { 30 })));
    hold_back(&mut candidates, &not_before, at(10));
    let after: Vec<_> = candidates.able.iter().map(|able| able.readiness).collect();
    let held = |until| Readiness::HeldUntil(at(until));
    assert_eq!(after, [held(30), held(50), Readiness::Connecting, Readiness::Ready, Readiness::Ready]);
}

#[test]
fn all_held_waits_for_the_first_or_fails_if_the_caller_wants() {
    let held = |account: &str, at| Candidate {
        account: name(account),
        readiness: Readiness::HeldUntil(Timestamp::from_micros(at)),
    };
    let candidates = Candidates { able: vec![held("a", 9), held("b", 5)], ..Candidates::default() };
    let until = Timestamp::from_micros(5);
    assert_eq!(choose(&candidates, None, &[], None, false), Choice::Wait { until: Some(until) });
    assert_eq!(choose(&candidates, None, &[], None, true), Choice::Fail(Failure::FloodWait { until }));
}

#[test]
fn at_the_end_of_its_time_a_look_decides() {
    let tried = Tried { doubtful: true, expired: true, ..Tried::default() };
    let failed = || Next::Fail(Failure::ProviderError { detail: "500 INTERNAL".into() });
    let here = SentIds::one(Some(7));
    let table = [
        (Unclear::ServerError("500 INTERNAL".into()), failed()),
        // The provider may still be at it, or have done it.
        (Unclear::NoAnswer("no answer in time".into()), Next::Doubt),
        (Unclear::Unreadable("the answer cannot be read".into()), Next::Doubt),
    ];
    for (unclear, expected) in table {
        let outcome = Outcome::Unknown(unclear);
        assert_eq!(after(&outcome, tried), Next::Look);
        assert_eq!(after_look(MessageLookup::NotThere, &outcome, tried), expected, "{outcome:?}");
        assert_eq!(after_look(MessageLookup::CannotTell, &outcome, tried), Next::Doubt, "{outcome:?}");
        assert_eq!(after_look(MessageLookup::Here(here.clone()), &outcome, tried), Next::Done(here.clone()));
    }
}

#[test]
fn a_look_decides_where_the_key_is_over_or_none() {
    let unknown = Outcome::Unknown("no answer in time".into());
    let failed = || Next::Fail(Failure::ProviderError { detail: "no answer in time".into() });
    let looked = |found, repeat, expired| {
        after_look(found, &unknown, Tried { doubtful: true, expired, repeat, ..Tried::default() })
    };
    assert_eq!(looked(MessageLookup::NotThere, Repeat::Over, false), failed());
    assert_eq!(looked(MessageLookup::NotThere, Repeat::AfterLook, false), Next::Send);
    assert_eq!(looked(MessageLookup::NotThere, Repeat::AfterLook, true), failed());
    for repeat in [Repeat::Over, Repeat::AfterLook] {
        assert_eq!(looked(MessageLookup::CannotTell, repeat, false), Next::Again(Pause::BackOff));
        assert_eq!(looked(MessageLookup::CannotTell, repeat, true), Next::Doubt);
    }
    // The last answer was a wait: another account may have it now.
    let held = Outcome::held(Timestamp::default());
    let tried = Tried { doubtful: true, repeat: Repeat::Over, ..Tried::default() };
    assert_eq!(after_look(MessageLookup::NotThere, &held, tried), Next::GiveBack { exclude: None });
}

#[test]
fn wait_after_a_doubtful_attempt_lasts_until_its_deadline() {
    let until = Timestamp::from_micros(60_000_000);
    let tried = Tried { doubtful: true, ..Tried::default() };
    for wait in [Outcome::held(until), Outcome::Held { until, scope: HoldScope::Chat }] {
        assert_eq!(after(&wait, tried), Next::Again(Pause::Until(until)));
    }
}

#[test]
fn a_part_is_given_up_after_a_while_and_several_tries() {
    let (start, limit) = (Timestamp::from_micros(0), Duration::from_mins(10));
    let tries = |count| (0..count).fold(None, |before, _| Some(Unsettled::and_again(before, start)));
    let late = start.plus(limit);
    let expired = |count, now| tries(count).is_some_and(|tried| tried.expired(now, limit));
    assert!(expired(5, late) && !expired(4, late) && !expired(99, start.plus(limit / 2)));
}

#[test]
fn the_back_off_doubles_and_stops_at_half_a_minute() {
    assert_eq!(back_off(1), Duration::from_millis(200));
    assert_eq!(back_off(2), Duration::from_millis(400));
    assert_eq!(back_off(99), Duration::from_secs(30));
}

proptest! {
    /// The first that is ready and has a place left goes; where none has, the message waits for the first place that comes
    /// free, and is never given to anyone.
    #[test]
    fn no_account_goes_over_its_limit(
        all in prop::collection::vec((any::<bool>(), prop::option::of(1_i64..100)), 1..8), fail_on_flood: bool,
    ) {
        let account = |number: usize| name(&format!("a{number}"));
        let able = |(number, (is_ready, _)): (usize, &(bool, Option<i64>))| Candidate {
            account: account(number),
            readiness: if *is_ready { Readiness::Ready } else { Readiness::Connecting },
        };
        let able = all.iter().enumerate().map(able).collect();
        let mut candidates = Candidates { able, ..Candidates::default() };
        let limit = |number: usize| all[number].1.map(Timestamp::from_micros);
        let admit = |candidate: &AccountName| {
            let number = (0..all.len()).find(|number| account(*number) == *candidate).expect("one of them");
            limit(number).map_or(Ok(()), Err)
        };
        let choice =
            admitted(&mut candidates, |them| choose(them, None, &[], None, fail_on_flood), admit);
        let ready = || (0..all.len()).filter(|number| all[*number].0);
        let (first, sooner) = (ready().find(|number| limit(*number).is_none()), ready().filter_map(limit).min());
        match (choice, first) {
            (choice, Some(first)) => prop_assert_eq!(choice, Choice::Go(account(first))),
            (Choice::Wait { until }, None) => prop_assert_eq!(until, sooner),
            (Choice::Fail(Failure::LimitReached { until }), None) => {
                prop_assert!(fail_on_flood && Some(until) == sooner && ready().count() == all.len());
            }
            (other, None) => prop_assert!(false, "{:?}", other),
        }
    }
}
