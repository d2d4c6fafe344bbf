//! The decisions about a message: who carries it, and what an outcome means. Pure.

use std::time::Duration;

use domain::outcome::{Failure, Refusal, SentIds, Unclear};
use domain::{AccountName, Address, ChatKind, ChatRef, Outcome, Timestamp};
use store::Binding;

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
            Readiness::Connecting | Readiness::Paused => Choice::Wait { until: None },
        };
    }
    if let Some(ready) = left().find(|able| able.readiness == Readiness::Ready) {
        return Choice::Go(ready.account.clone());
    }
    if left().next().is_none() {
        return Choice::Fail(no_candidate(candidates, chat, tried));
    }
    let first = first_free(left());
    match first {
        Some(first) if fail_on_flood && left().all(|able| able.readiness.until().is_some()) => {
            Choice::Fail(held_back(first))
        }
        first => Choice::Wait { until: first.and_then(|first| first.readiness.until()) },
    }
}

/// Chooses until the limits of the chosen account let it send: one that has no place left is limited among the candidates,
/// and another one is chosen.
pub(crate) fn admitted(
    candidates: &mut Candidates,
    choose: impl Fn(&Candidates) -> Choice,
    mut admit: impl FnMut(&AccountName) -> Result<(), Timestamp>,
) -> Choice {
    loop {
        let choice = choose(candidates);
        let Choice::Go(account) = &choice else { return choice };
        let Err(until) = admit(account) else { return choice };
        for able in candidates.able.iter_mut().filter(|able| able.account == *account) {
            able.readiness = Readiness::LimitedUntil(until);
        }
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
    let Some(until) = until else {
        let paused = candidates.able.iter().find(|able| able.readiness == Readiness::Paused);
        return paused.map_or_else(
            || "every account that could send is connecting".to_owned(),
            |able| format!("the account {} is paused", able.account),
        );
    };
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
        Readiness::Paused => Some("paused".to_owned()),
        Readiness::Ready => None,
    }
}

/// From whom work goes over to `chosen` and why, when that is not the first choice. `stood_in` is who it went over to last: that
/// is reported once, and where it goes on from there is reported as a step of its own.
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
/// for good is not waited for, or a chat that no one knows would never be distinguished from one that no one can be asked about.
fn no_candidate(
    candidates: &Candidates,
    chat: Option<&ChatRef>,
    tried: &[(Refusal, RefusalKind)],
) -> Failure {
    let untried =
        |refused: &&(Refusal, RefusalKind)| tried.iter().all(|(one, _)| one.account != refused.0.account);
    let all = || tried.iter().chain(candidates.refused.iter().filter(untried));
    let asked = all().map(|(refusal, _)| refusal.clone()).collect();
    let has = |wanted: RefusalKind| all().any(|(_, why)| *why == wanted);
    // A name means the same to everyone: that no one has it is known from a single answer.
    let one_is_enough = matches!(chat, Some(ChatRef::Username(_))) && candidates.address.is_none();
    if has(RefusalKind::Forbidden) {
        Failure::NoRights { asked }
    } else if has(RefusalKind::NotInChat) {
        Failure::NotInChat { asked }
    } else if has(RefusalKind::NotFound) && (one_is_enough || !has(RefusalKind::Unusable)) {
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
    /// It may have been sent, and no one can know.
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
    /// Never, and no look decides.
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

        (Outcome::Held { until, .. }, true) => Next::Again(Pause::Until(*until)),
        (Outcome::Banned(_) | Outcome::SessionLost(_), true) => Next::Doubt,
        (
            Outcome::NotFound(_)
            | Outcome::Forbidden(_)
            | Outcome::NotInChat(_)
            | Outcome::Restricted(_)
            | Outcome::ChatMoved
            | Outcome::Rejected { .. }
            | Outcome::MediaGone(_)
            | Outcome::MediaExpired(_),
            true,
        ) => Next::Look,

        (
            Outcome::Held { .. } | Outcome::Unavailable(_) | Outcome::ChatMoved | Outcome::Unprepared(_),
            false,
        ) => Next::GiveBack { exclude: None },
        (Outcome::NotFound(_), false) => Next::GiveBack { exclude: Some(RefusalKind::NotFound) },
        (Outcome::Forbidden(_), false) => Next::GiveBack { exclude: Some(RefusalKind::Forbidden) },
        (Outcome::NotInChat(_), false) => Next::GiveBack { exclude: Some(RefusalKind::NotInChat) },
        (Outcome::Restricted(_) | Outcome::Banned(_) | Outcome::SessionLost(_), false) => {
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

/// Whether it is the provider's own trouble that a preparation failed, and which: it answers, and with nothing of use.
pub(crate) fn server_error(outcome: &Outcome) -> Option<&str> {
    match outcome {
        Outcome::Unknown(Unclear::ServerError(detail) | Unclear::Unreadable(detail)) => Some(detail),
        _ => None,
    }
}

/// What a part means, once it is sent, for the account that its chat stays with. A private dialog stays with the account that
/// began it, unless a caller chose that account for once; a group is written to by anyone who is in it.
pub(crate) fn binding(address: &Address, pin: Option<&AccountName>, candidates: &Candidates) -> Binding {
    let is_private = address.chat_id().is_some_and(|chat_id| chat_id.kind() == ChatKind::User);
    match candidates {
        _ if pin.is_some() => Binding::Unchanged,
        Candidates { lost: true, .. } => Binding::Replaced,
        Candidates { is_bound: false, .. } if is_private => Binding::IfUnbound,
        _ => Binding::Unchanged,
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
                longer => longer,
            };
        }
    }
}

/// Accounts that may not write first to the person of a message, whatever else they may do.
pub(crate) fn limit_first_contacts(
    candidates: &mut Candidates,
    limited: &[(AccountName, Timestamp)],
    now: Timestamp,
) {
    for able in &mut candidates.able {
        let held = limited.iter().find(|(account, until)| *account == able.account && *until > now);
        if let Some((_, until)) = held
            && able.readiness.until().unwrap_or(now) <= *until
        {
            able.readiness = Readiness::LimitedUntil(*until);
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
