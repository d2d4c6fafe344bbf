//! What a beat says, by what was seen of the card since the last one. Pure.

use std::borrow::Cow;
use std::time::Duration;

use domain::account::{AccountState, Flood, Operation};
use domain::{Purpose, Timestamp};
use store::StoreError;
use telegram::router::Usable;
use telegram::{AccountView, LastCalls, LineView};

use crate::health::PortState;
use crate::minute::Answer;

/// An answer of Telegram that takes longer than this is slow.
const SLOW_LINE: Duration = Duration::from_secs(2);
/// The same of a port on this machine, and of the store.
const SLOW_HERE: Duration = Duration::from_secs(1);
/// A line that is still connecting in its third round in a row has trouble.
pub(crate) const PATIENT_ROUNDS: u32 = 2;
/// Work that could leave and is still there after this makes the queue slow.
const SLOW_QUEUE: Duration = Duration::from_mins(5);

/// Work that was given to an account and has no result after this is stuck.
const STUCK: Duration = Duration::from_mins(1);
/// Calls that go wrong for less than this may be one short outage.
const SHORT_OUTAGE: Duration = Duration::from_secs(10);
/// So many calls in a row that go well end a trouble.
const WELL_AGAIN: usize = 3;

/// What came of asking, without the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) answer: Answer,
    pub(crate) latency: Option<Duration>,
    pub(crate) reason: Option<Cow<'static, str>>,
}

impl Verdict {
    pub(crate) const fn not_asked(why: &'static str) -> Self {
        Self { answer: Answer::NotAsked, latency: None, reason: Some(Cow::Borrowed(why)) }
    }

    pub(crate) const fn failed(why: &'static str) -> Self {
        Self { answer: Answer::Failed, latency: None, reason: Some(Cow::Borrowed(why)) }
    }

    pub(crate) const fn slow(why: &'static str) -> Self {
        Self { answer: Answer::Slow, latency: None, reason: Some(Cow::Borrowed(why)) }
    }

    fn answered(latency: Option<Duration>, bound: Duration) -> Self {
        let slow = latency.is_some_and(|latency| latency > bound);
        Self {
            answer: if slow { Answer::Slow } else { Answer::Answered },
            latency,
            reason: slow.then_some(Cow::Borrowed("slow")),
        }
    }

    /// Why, where the code is one of the program's own.
    pub(crate) const fn code(&self) -> Option<&'static str> {
        match &self.reason {
            Some(Cow::Borrowed(code)) => Some(code),
            Some(Cow::Owned(_)) | None => None,
        }
    }

    pub(crate) fn was_answered(&self) -> bool {
        matches!(self.answer, Answer::Answered | Answer::Slow)
    }
}

/// What was seen of a line since the last round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct LineSeen {
    pub(crate) answered: bool,
    /// In how many rounds in a row before this one it was connecting.
    pub(crate) connecting: u32,
    pub(crate) silent: bool,
}

/// A line: green after a real answer, red when it says why it cannot.
pub(crate) fn line(view: &LineView, seen: LineSeen) -> Verdict {
    let reason = || match view.reason {
        Some(reason) => reason.as_str(),
        None => view.state.as_str(),
    };
    match view.state {
        AccountState::Connecting if seen.silent => Verdict::not_asked("clearing"),
        AccountState::Connecting if seen.connecting < PATIENT_ROUNDS => Verdict::not_asked("connecting"),
        AccountState::Connecting => {
            Verdict::failed(view.reason.map_or("not_connected", |reason| reason.as_str()))
        }
        AccountState::Offline => Verdict::not_asked("stopped"),
        AccountState::Ready | AccountState::Paused if seen.answered => Verdict::answered(
            view.round_trip_ms.map(|millis| Duration::from_millis(millis.into())),
            SLOW_LINE,
        ),
        AccountState::Ready | AccountState::Paused => Verdict::not_asked("no_answer_yet"),
        AccountState::FloodWait
        | AccountState::Error
        | AccountState::Restricted
        | AccountState::NeedsLogin
        | AccountState::Banned => Verdict::failed(reason()),
    }
}

/// An account: the worst of its lines and of what holds it as a whole. Lines that come back after a moment do not count
/// while another one answers.
pub(crate) fn account(view: &AccountView, lines: &[Verdict], stuck: bool) -> Verdict {
    let work = traffic(&view.troubles, |_| true).or(stuck.then(|| Verdict::slow("stuck")));
    match view.state {
        AccountState::Paused => Verdict::not_asked("paused"),
        AccountState::Offline => Verdict::not_asked("stopped"),
        // No one gave it a session yet: there is nothing that could fail.
        AccountState::NeedsLogin if view.lines.is_empty() => Verdict::not_asked("no_session"),
        AccountState::Ready => worse(worst(lines), work),
        AccountState::Connecting => worst(lines),
        AccountState::FloodWait
        | AccountState::Error
        | AccountState::Restricted
        | AccountState::NeedsLogin
        | AccountState::Banned => Verdict {
            answer: Answer::Failed,
            latency: None,
            reason: Some(Cow::Borrowed(view.reason.map_or(view.state.as_str(), |reason| reason.as_str()))),
        },
    }
}

/// What the last real calls say, of those kinds that are asked about: slow while a quarter of them went wrong, failed once
/// half of them did for longer than an outage and the latest one too. Three in a row that went well end it.
pub(crate) fn traffic(troubles: &[LastCalls], concerns: impl Fn(Operation) -> bool) -> Option<Verdict> {
    let judged = |last: &LastCalls| {
        let why = last.trouble.as_str();
        if last.well_since >= WELL_AGAIN || last.wrong * 4 < last.calls {
            None
        } else if last.well_since == 0
            && last.wrong >= 2
            && last.wrong * 2 >= last.calls
            && last.wrong_for >= SHORT_OUTAGE
        {
            Some(Verdict::failed(why))
        } else {
            Some(Verdict::slow(why))
        }
    };
    let verdicts = troubles.iter().filter(|last| concerns(last.operation)).filter_map(judged);
    verdicts.max_by_key(|verdict| verdict.answer)
}

/// Whether work that has been with an account for so long is stuck.
pub(crate) fn is_stuck(since: Duration) -> bool {
    since > STUCK
}

/// The worse of what was found out and what real work shows of it.
fn worse(verdict: Verdict, work: Option<Verdict>) -> Verdict {
    match work {
        Some(work) if verdict.was_answered() && work.answer > verdict.answer => work,
        _ => verdict,
    }
}

/// The worst of several; of two that are equally bad the first one, of two answers the slower one.
fn worst(verdicts: &[Verdict]) -> Verdict {
    let mut worst: Option<&Verdict> = None;
    for verdict in verdicts {
        if worst.is_none_or(|worst| (verdict.answer, verdict.latency) > (worst.answer, worst.latency)) {
            worst = Some(verdict);
        }
    }
    worst.cloned().unwrap_or(Verdict::not_asked("no_session"))
}

/// The kinds of calls that a service makes to change something.
pub(crate) const fn operations(purpose: Purpose) -> &'static [Operation] {
    match purpose {
        Purpose::SendText | Purpose::SendMedia => &[Operation::SendMessage],
        Purpose::CreateChat => &[Operation::CreateChat],
        Purpose::LeaveChat => &[Operation::Leave],
    }
}

/// Until when floods keep an account from what a service does.
pub(crate) fn flooded_until(floods: &[Flood], purpose: Purpose, now: Timestamp) -> Option<Timestamp> {
    let concerns = |flood: &&Flood| operations(purpose).contains(&flood.operation) && flood.until > now;
    floods.iter().filter(concerns).map(|flood| flood.until).max()
}

/// An account of the pool as a service sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Worker<'a> {
    pub(crate) name: &'a str,
    pub(crate) state: AccountState,
    /// What its beat says, floods left out: the best of its lines, as they stand in for each other.
    pub(crate) verdict: Verdict,
    /// Until when it may not do what the service does.
    pub(crate) flooded: bool,
}

impl<'a> Worker<'a> {
    /// An account of the pool, for a service. A restriction that concerns only first contacts leaves it able, and so do
    /// calls of other kinds that go wrong.
    pub(crate) fn of(view: &'a AccountView, lines: &[Verdict], purpose: Purpose, now: Timestamp) -> Self {
        let concerns =
            |operation| operation == Operation::Connect || operations(purpose).contains(&operation);
        let best =
            lines.iter().filter(|line| line.was_answered()).min_by_key(|line| (line.answer, line.latency));
        let verdict = match best {
            Some(best) if view.usable == Usable::Now => {
                worse(best.clone(), traffic(&view.troubles, concerns))
            }
            _ => account(view, lines, false),
        };
        let flooded = flooded_until(&view.floods, purpose, now).is_some();
        Self { name: view.name.as_str(), state: view.state, verdict, flooded }
    }
}

/// What a service does, whichever account does its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doing {
    Stopped,
    /// It is stopped while flood waits are cleared.
    Clearing,
    /// Its worker takes no work up.
    Stalled,
    /// It works, and some of its work is stuck.
    Stuck,
    Working,
}

/// A service: an account of the pool can do its work, and its worker takes work up.
pub(crate) fn service(doing: Doing, pool: &[Worker<'_>]) -> Verdict {
    match doing {
        Doing::Stopped => return Verdict::not_asked("stopped"),
        Doing::Clearing => return Verdict::not_asked("clearing"),
        Doing::Stalled => return Verdict::failed("stalled"),
        Doing::Stuck | Doing::Working => {}
    }
    if pool.is_empty() {
        return Verdict::not_asked("no_account");
    }
    let able = pool.iter().filter(|worker| worker.verdict.was_answered());
    if let Some(free) = able.clone().filter(|worker| !worker.flooded).min_by_key(|free| free.verdict.answer) {
        return worse(free.verdict.clone(), (doing == Doing::Stuck).then(|| Verdict::slow("stuck")));
    }
    let at_work =
        || pool.iter().filter(|worker| !matches!(worker.state, AccountState::Paused | AccountState::Offline));
    if able.count() > 0 {
        let all_wait = at_work().all(|worker| worker.flooded);
        return Verdict::failed(if all_wait { "flood_wait" } else { "accounts_unable" });
    }
    match at_work().find(|worker| worker.verdict.answer == Answer::NotAsked).or_else(|| at_work().next()) {
        None => Verdict::not_asked("paused"),
        Some(first) if first.verdict.answer == Answer::NotAsked => first.verdict.clone(),
        Some(first) if at_work().all(|worker| worker.verdict.reason == first.verdict.reason) => {
            Verdict { latency: None, ..first.verdict.clone() }
        }
        Some(_) => Verdict::failed("accounts_unable"),
    }
}

/// A listener. `call` is what came of a real request through it.
pub(crate) fn port(state: PortState, call: Option<Result<Duration, ()>>) -> Verdict {
    match (state, call) {
        (PortState::Starting, _) | (PortState::Listening, None) => Verdict::not_asked("starting"),
        (PortState::Taken, _) => Verdict::failed("port_taken"),
        (PortState::Refused, _) => Verdict::failed("port_refused"),
        (PortState::Listening, Some(Ok(latency))) => Verdict::answered(Some(latency), SLOW_HERE),
        (PortState::Listening, Some(Err(()))) => Verdict::failed("no_answer"),
    }
}

/// The store, by what came of a real write and read, and whether a row was found unreadable.
pub(crate) fn store(round_trip: &Result<Duration, StoreError>) -> Verdict {
    match round_trip {
        Ok(latency) => Verdict::answered(Some(*latency), SLOW_HERE),
        Err(StoreError::StorageFull) => Verdict::failed("disk_full"),
        Err(StoreError::Corrupt { .. }) => Verdict::failed("row_unreadable"),
        Err(_) => Verdict::failed("store_unavailable"),
    }
}

/// The queue, by whether its workers take work up, whether there is room, and how long the oldest work waits. What waits
/// for a service that was stopped or for a flood wait is no fault of the queue.
pub(crate) fn queue(stalled: bool, full: bool, oldest: Option<Duration>, is_counted: bool) -> Verdict {
    if stalled {
        return Verdict::failed("stalled");
    }
    if full {
        return Verdict::failed("queue_full");
    }
    if !is_counted {
        return Verdict::not_asked("store_unavailable");
    }
    if oldest.is_some_and(|oldest| oldest > SLOW_QUEUE) {
        return Verdict { answer: Answer::Slow, latency: None, reason: Some(Cow::Borrowed("waiting")) };
    }
    Verdict { answer: Answer::Answered, latency: None, reason: None }
}
