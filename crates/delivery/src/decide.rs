//! The decisions on a message's way: who carries it, and what an outcome means. Pure.

use std::time::Duration;

use domain::outcome::{Failure, Refusal, SentIds, Unclear};
use domain::{AccountName, ChatRef, Outcome, Timestamp};

use crate::capabilities::Dedup;
use crate::sender::{Candidate, Candidates, MessageLookup, Readiness, RefusalKind};

/// Who carries the next part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    /// This account, now.
    Go(AccountName),
    /// No one now; look again at this instant, or when something changes.
    Wait {
        /// The earliest instant a held account is free; `None` while accounts are only connecting.
        until: Option<Timestamp>,
    },
    /// No one, and waiting will not help.
    Fail(Failure),
}

/// Chooses among the candidates.
///
/// `tried` are the accounts that refused this very message; `stay_with` is the account that sent its first parts, which
/// keeps the rest as long as it is able at all. `chat` is the chat as the caller named it, if the work is about one.
pub(crate) fn choose(
    candidates: &Candidates,
    chat: Option<&ChatRef>,
    tried: &[(Refusal, RefusalKind)],
    stay_with: Option<&AccountName>,
    fail_on_flood: bool,
) -> Choice {
    let left = || {
        candidates
            .able
            .iter()
            .filter(|able| !tried.iter().any(|(refusal, _)| refusal.account == able.account))
    };
    if let Some(first) = stay_with.and_then(|account| left().find(|able| able.account == *account)) {
        return match first.readiness {
            Readiness::Ready => Choice::Go(first.account.clone()),
            Readiness::HeldUntil(_) | Readiness::LimitedUntil(_) if fail_on_flood => {
                Choice::Fail(held_back(first))
            }
            Readiness::HeldUntil(until) | Readiness::LimitedUntil(until) => {
                Choice::Wait { until: Some(until) }
            }
            Readiness::Connecting => Choice::Wait { until: None },
        };
    }
    if let Some(ready) = left().find(|able| able.readiness == Readiness::Ready) {
        return Choice::Go(ready.account.clone());
    }
    if left().next().is_none() {
        return Choice::Fail(nobody(candidates, chat, tried));
    }
    let first = first_free(left());
    match first {
        Some(first) if fail_on_flood && left().all(|able| able.readiness.until().is_some()) => {
            Choice::Fail(held_back(first))
        }
        first => Choice::Wait { until: first.and_then(|first| first.readiness.until()) },
    }
}

/// Of those that are held back the first that is free again.
fn first_free<'a>(candidates: impl Iterator<Item = &'a Candidate>) -> Option<&'a Candidate> {
    let held = candidates.filter_map(|able| Some((able.readiness.until()?, able)));
    held.min_by_key(|(until, _)| *until).map(|(_, able)| able)
}

/// That someone who is held back cannot do it, and what holds it.
fn held_back(candidate: &Candidate) -> Failure {
    let until = candidate.readiness.until().unwrap_or_default();
    match candidate.readiness {
        Readiness::LimitedUntil(_) => Failure::LimitReached { until },
        _ => Failure::FloodWait { until },
    }
}

/// What a message waits for that no one may carry before this instant, in words.
pub(crate) fn waits_for(candidates: &Candidates, until: Option<Timestamp>) -> String {
    let Some(until) = until else { return "every account that could send is connecting".to_owned() };
    let first = candidates.able.iter().find(|able| able.readiness.until() == Some(until));
    let until = until.to_the_second();
    match first {
        Some(Candidate { account, readiness: Readiness::LimitedUntil(_) }) => format!(
            "no account may send yet; the first is free at {until}: {account} has sent as many messages as its limits allow"
        ),
        _ => format!("no account may send yet; the first that is held back is free at {until}"),
    }
}

/// What keeps a candidate from carrying anything now, in words.
fn held_back_by(candidate: &Candidate) -> Option<String> {
    match candidate.readiness {
        Readiness::HeldUntil(until) => Some(format!("flood wait until {}", until.to_the_second())),
        Readiness::LimitedUntil(until) => Some(format!("at its limit until {}", until.to_the_second())),
        Readiness::Connecting => Some("connecting".to_owned()),
        Readiness::Ready => None,
    }
}

/// From whom work goes over to `chosen` and why, when that is not the first choice. `stood_in` is who it went over to last: that
/// is told once, and where it goes on from there is told as a step of its own.
pub(crate) fn failover(
    candidates: &Candidates,
    tried: &[(Refusal, RefusalKind)],
    chosen: &AccountName,
    stood_in: Option<&AccountName>,
) -> Option<(AccountName, String)> {
    if stood_in == Some(chosen) {
        return None;
    }
    let first = stood_in.or(candidates.preferred.as_ref()).filter(|first| *first != chosen);
    let last_tried = || tried.iter().rev().map(|(refusal, _)| &refusal.account).find(|one| *one != chosen);
    let from = first.or_else(last_tried)?;
    let refused = tried.iter().rev().chain(&candidates.refused);
    let refused = refused.map(|(refusal, _)| refusal).find(|refusal| refusal.account == *from);
    let able = || candidates.able.iter().find(|able| able.account == *from);
    let why = match refused {
        Some(refusal) => refusal.why.clone(),
        None => able().and_then(held_back_by).unwrap_or_else(|| "its calls could not be made".to_owned()),
    };
    Some((from.clone(), why))
}

/// Who was passed over for `chosen` and why, in words: those who were tried, those before it who are held back, and those
/// who cannot do it.
pub(crate) fn passed_over(
    candidates: &Candidates,
    tried: &[(Refusal, RefusalKind)],
    chosen: &AccountName,
) -> String {
    const NAMED: usize = 5;
    let mut all: Vec<(&AccountName, String)> = Vec::new();
    let first = failover(candidates, tried, chosen, None);
    all.extend(first.iter().map(|(account, why)| (account, why.clone())));
    all.extend(tried.iter().map(|(refusal, _)| (&refusal.account, refusal.why.clone())));
    let before = candidates.able.iter().take_while(|able| able.account != *chosen);
    all.extend(before.filter_map(|able| Some((&able.account, held_back_by(able)?))));
    all.extend(candidates.refused.iter().map(|(refusal, _)| (&refusal.account, refusal.why.clone())));
    let mut named: Vec<&AccountName> = vec![chosen];
    all.retain(|(account, _)| {
        let is_new = !named.contains(account);
        named.push(account);
        is_new
    });
    let more = all.len().saturating_sub(NAMED);
    let mut words: Vec<_> =
        all.iter().take(NAMED).map(|(account, why)| format!("{account} ({why})")).collect();
    words.extend((more > 0).then(|| format!("and {more} more")));
    format!("instead of {}", words.join(", "))
}

/// Why there is no one. A missing right says most. That a chat is not found is said only when everyone who might know it
/// was asked: while one of them cannot be, it may well be in that one's dialogs, and "not found" is final. The one who is gone
/// for good is not waited for, or a chat that no one knows would never be told from one that no one can be asked about.
fn nobody(candidates: &Candidates, chat: Option<&ChatRef>, tried: &[(Refusal, RefusalKind)]) -> Failure {
    let untried =
        |refused: &&(Refusal, RefusalKind)| tried.iter().all(|(one, _)| one.account != refused.0.account);
    let all = || tried.iter().chain(candidates.refused.iter().filter(untried));
    let asked = all().map(|(refusal, _)| refusal.clone()).collect();
    let said = |wanted: RefusalKind| all().any(|(_, why)| *why == wanted);
    // A name means the same to everyone: that no one has it is known from a single answer.
    let one_is_enough = matches!(chat, Some(ChatRef::Username(_))) && candidates.address.is_none();
    if said(RefusalKind::Forbidden) {
        Failure::NoRights { asked }
    } else if said(RefusalKind::NotInChat) {
        Failure::NotInChat { asked }
    } else if said(RefusalKind::NotFound) && (one_is_enough || !said(RefusalKind::Unusable)) {
        Failure::ChatNotFound { asked }
    } else {
        Failure::NoAccount { asked }
    }
}

/// What happens after an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    /// It is there.
    Done(SentIds),
    /// Proof that nothing was sent: another account may try, or this one later.
    GiveBack {
        /// This account is not to be asked again for this message.
        exclude: Option<RefusalKind>,
    },
    /// Proof that nothing was sent, and no one else would fare better.
    Fail(Failure),
    /// The same account again, after this wait; [`before`] says what comes first then.
    Again(Pause),
    /// It is sent, with the same `random_id` if it was sent before.
    Send,
    /// Look at the chat first, then ask [`after_look`].
    Look,
    /// It may have been sent, and no one can tell.
    Doubt,
}

/// What another attempt may be of a part of which one may have arrived.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// At any time: the part arrives once.
    #[default]
    Free,
    /// Once a look shows that it is not there.
    AfterLook,
    /// No more. A look decides.
    Over,
    /// Never, and no look tells.
    Never,
}

impl Repeat {
    /// What the provider allows now for a part that was begun at `begun`.
    pub(crate) fn of(dedup: Dedup, begun: Timestamp, now: Timestamp) -> Self {
        match dedup {
            Dedup::Key { window: Some(window) } if now >= begun.plus(window) => Self::Over,
            Dedup::Key { .. } => Self::Free,
            Dedup::ReadBack => Self::AfterLook,
            Dedup::None => Self::Never,
        }
    }
}

/// What comes first when a part is taken up of which an attempt may have arrived, also after a restart.
pub(crate) const fn before(repeat: Repeat) -> Next {
    match repeat {
        Repeat::Free => Next::Send,
        Repeat::AfterLook | Repeat::Over => Next::Look,
        Repeat::Never => Next::Doubt,
    }
}

/// How long to wait before the same attempt is made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pause {
    /// As [`back_off`] says.
    BackOff,
    /// Until the provider's own deadline.
    Until(Timestamp),
}

/// What was tried of a part so far, this attempt included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tried {
    /// An earlier attempt may have arrived, so that an outcome proves something about this one only.
    pub(crate) doubtful: bool,
    /// How often in a row an answer came that does not say what came of it: the same `random_id` is being handled, or it
    /// cannot be read.
    pub(crate) unclear_answers: u32,
    /// It has been tried for as long as it may be.
    pub(crate) expired: bool,
    /// What another attempt may be.
    pub(crate) repeat: Repeat,
}

/// What an outcome means.
pub(crate) fn after(outcome: &Outcome, tried: Tried) -> Next {
    match (outcome, tried.doubtful) {
        (Outcome::Sent(ids), _) => Next::Done(ids.clone()),
        (Outcome::InProgress | Outcome::Unknown(_), _) | (_, true) if tried.repeat == Repeat::Never => {
            Next::Doubt
        }
        // Where it cannot be tried freely, a look comes before the next attempt anyway.
        (Outcome::InProgress | Outcome::Unknown(_), _)
            if tried.expired || (tried.unclear_answers >= 3 && tried.repeat == Repeat::Free) =>
        {
            Next::Look
        }
        (Outcome::Unavailable(_) | Outcome::Unprepared(_), true) if tried.expired => Next::Look,
        (Outcome::Unknown(_) | Outcome::InProgress, _)
        | (Outcome::Unavailable(_) | Outcome::Unprepared(_), true) => Next::Again(Pause::BackOff),

        (Outcome::FloodWait(until) | Outcome::SlowMode(until), true) => Next::Again(Pause::Until(*until)),
        (Outcome::Banned(_) | Outcome::SessionLost(_), true) => Next::Doubt,
        (
            Outcome::NotFound(_)
            | Outcome::Forbidden(_)
            | Outcome::NotInChat(_)
            | Outcome::PeerFlood
            | Outcome::ChatMoved
            | Outcome::Rejected { .. }
            | Outcome::MediaGone(_)
            | Outcome::MediaExpired(_),
            true,
        ) => Next::Look,

        (
            Outcome::FloodWait(_)
            | Outcome::SlowMode(_)
            | Outcome::Unavailable(_)
            | Outcome::ChatMoved
            | Outcome::Unprepared(_),
            false,
        ) => Next::GiveBack { exclude: None },
        (Outcome::NotFound(_), false) => Next::GiveBack { exclude: Some(RefusalKind::NotFound) },
        (Outcome::Forbidden(_), false) => Next::GiveBack { exclude: Some(RefusalKind::Forbidden) },
        (Outcome::NotInChat(_), false) => Next::GiveBack { exclude: Some(RefusalKind::NotInChat) },
        (Outcome::PeerFlood | Outcome::Banned(_) | Outcome::SessionLost(_), false) => {
            Next::GiveBack { exclude: Some(RefusalKind::Unusable) }
        }
        (Outcome::Rejected { code }, false) => Next::Fail(Failure::Rejected { provider_code: code.clone() }),
        (Outcome::MediaGone(detail), false) => Next::Fail(Failure::MediaGone { detail: detail.clone() }),
        (Outcome::MediaExpired(detail), false) => {
            Next::Fail(Failure::MediaExpired { detail: detail.clone() })
        }
    }
}

/// What it means that an attempt could not be prepared. Nothing of this attempt was sent, whatever the outcome says: one
/// that leaves it open is as good as none.
pub(crate) fn as_unsent(outcome: Outcome) -> Outcome {
    if outcome.proves_unsent() {
        outcome
    } else {
        Outcome::Unavailable(outcome.detail().unwrap_or_else(|| outcome.word().to_owned()))
    }
}

/// Whether it is the provider's own trouble that a preparation failed, and which.
pub(crate) fn server_error(outcome: &Outcome) -> Option<&str> {
    match outcome {
        Outcome::Unknown(Unclear::ServerError(detail)) => Some(detail),
        _ => None,
    }
}

/// How many attempts come to nothing, at least, before a part is no longer tried.
const LEAST_TRIES: u32 = 5;

/// How long a part has been tried without a word on what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unsettled {
    /// Since when.
    pub(crate) since: Timestamp,
    /// How often.
    times: u32,
}

impl Unsettled {
    /// The same with one more attempt at this instant.
    pub(crate) fn and_again(before: Option<Self>, now: Timestamp) -> Self {
        before.map_or(Self { since: now, times: 1 }, |Self { since, times }| Self { since, times: times + 1 })
    }

    /// Whether that is long enough.
    pub(crate) fn expired(self, now: Timestamp, limit: Duration) -> bool {
        self.times >= LEAST_TRIES && now >= self.since.plus(limit)
    }
}

/// The same candidates for a message of which some accounts can prepare the next part only later.
pub(crate) fn hold_back(
    candidates: &mut Candidates,
    not_before: &[(AccountName, Timestamp)],
    now: Timestamp,
) {
    for able in &mut candidates.able {
        let held = not_before.iter().find(|(account, until)| *account == able.account && *until > now);
        if let Some((_, later)) = held {
            able.readiness = match able.readiness {
                Readiness::Ready => Readiness::HeldUntil(*later),
                Readiness::HeldUntil(until) | Readiness::LimitedUntil(until) if until < *later => {
                    Readiness::HeldUntil(*later)
                }
                longer @ (Readiness::HeldUntil(_) | Readiness::LimitedUntil(_)) => longer,
                Readiness::Connecting => Readiness::Connecting,
            };
        }
    }
}

/// What a look at the chat means after `outcome`.
pub(crate) fn after_look(found: MessageLookup, outcome: &Outcome, tried: Tried) -> Next {
    match (found, outcome) {
        (MessageLookup::Here(ids), _) => Next::Done(ids),
        (MessageLookup::NotThere, _) if tried.repeat == Repeat::AfterLook && !tried.expired => Next::Send,
        // Such a look is proof: of what can be read back, and of what is no longer under way.
        (MessageLookup::NotThere, Outcome::Unknown(unclear))
            if matches!(tried.repeat, Repeat::AfterLook | Repeat::Over) =>
        {
            Next::Fail(Failure::ProviderError { detail: unclear.to_string() })
        }
        // It answered, and the chat does not have the message: nothing of it is under way any more.
        (MessageLookup::NotThere, Outcome::Unknown(Unclear::ServerError(detail))) if tried.expired => {
            Next::Fail(Failure::ProviderError { detail: detail.clone() })
        }
        // The chat could be read and the message is not in it: now the refusal holds for every attempt.
        (MessageLookup::NotThere, refusal) if refusal.proves_unsent() => after(refusal, Tried::default()),
        (_, outcome) if !tried.expired && (!outcome.proves_unsent() || tried.repeat != Repeat::Free) => {
            Next::Again(Pause::BackOff)
        }
        (MessageLookup::NotThere | MessageLookup::CannotTell, _) => Next::Doubt,
    }
}

/// How long to wait before attempt number `attempt` (the first repeat is 1): 0.2 s, doubled, at most 30 s.
pub(crate) fn back_off(attempt: u32) -> Duration {
    Duration::from_millis(200)
        .saturating_mul(1 << attempt.saturating_sub(1).min(10))
        .min(Duration::from_secs(30))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ChatId;
    use domain::account::Reason;
    use proptest::prelude::*;

    fn name(text: &str) -> AccountName {
        text.parse().expect("a name")
    }

    fn outcomes() -> impl Strategy<Value = Outcome> {
        prop_oneof![
            Just(Outcome::Sent(SentIds::one(Some(1)))),
            (0_i64..100).prop_map(|at| Outcome::FloodWait(Timestamp::from_micros(at))),
            (0_i64..100).prop_map(|at| Outcome::SlowMode(Timestamp::from_micros(at))),
            Just(Outcome::NotFound("x".into())),
            Just(Outcome::Forbidden("x".into())),
            Just(Outcome::NotInChat("x".into())),
            Just(Outcome::PeerFlood),
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
        fn what_cannot_be_prepared_is_never_done(outcome in outcomes(), doubtful: bool) {
            let next = after(&as_unsent(outcome), Tried { doubtful, ..Tried::default() });
            prop_assert!(!matches!(next, Next::Done(_)), "{:?}", next);
            let frees = matches!(next, Next::GiveBack { .. } | Next::Fail(_));
            prop_assert_eq!(frees, !doubtful, "{:?}", next);
        }

        #[test]
        fn what_cannot_be_told_ends_in_doubt_not_in_a_guess(outcome in outcomes(), repeat in repeats()) {
            let tried = Tried { doubtful: true, unclear_answers: 3, expired: false, repeat };
            let next = after_look(MessageLookup::CannotTell, &outcome, tried);
            prop_assert!(matches!(next, Next::Doubt | Next::Again(_)), "{:?}", next);
            // And not for ever.
            let at_last = after_look(MessageLookup::CannotTell, &outcome, Tried { expired: true, ..tried });
            prop_assert_eq!(at_last, Next::Doubt);
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
                let all_told = last.iter().all(|why| matches!(why, RefusalKind::NotFound | RefusalKind::Gone));
                prop_assert_eq!(not_found, all_told && last.contains(&RefusalKind::NotFound));
            }
        }
    }

    proptest! {
        /// Work never goes over from the account that does it, and only from one that was considered.
        #[test]
        fn whoever_is_stood_in_for_is_somebody_else(
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
                    let told = passed_over(&candidates, &tried, &chosen);
                    prop_assert_eq!(told.matches(from.as_str()).count(), 1, "{}", told);
                    prop_assert!(!told.contains(chosen.as_str()), "{}", told);
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
        candidates
            .refused
            .extend((0..9).map(|number| {
                (refused(&format!("more_{number}"), "not in the chat"), RefusalKind::NotFound)
            }));
        let told = passed_over(&candidates, &tried, &name("third"));
        assert!(told.ends_with("more_0 (not in the chat), and 8 more"), "{told}");
    }

    #[test]
    fn who_cannot_prepare_yet_is_held_back_and_nobody_else() {
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
            assert_eq!(
                after_look(MessageLookup::Here(here.clone()), &outcome, tried),
                Next::Done(here.clone())
            );
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
        let held = Outcome::FloodWait(Timestamp::default());
        let tried = Tried { doubtful: true, repeat: Repeat::Over, ..Tried::default() };
        assert_eq!(after_look(MessageLookup::NotThere, &held, tried), Next::GiveBack { exclude: None });
    }

    #[test]
    fn wait_after_a_doubtful_attempt_lasts_until_its_deadline() {
        let until = Timestamp::from_micros(60_000_000);
        let tried = Tried { doubtful: true, ..Tried::default() };
        for wait in [Outcome::FloodWait(until), Outcome::SlowMode(until)] {
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
}
