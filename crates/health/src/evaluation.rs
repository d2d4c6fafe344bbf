//! What a beat says, by what was seen of the card since the last one. Pure.

use std::borrow::Cow;
use std::time::Duration;

use domain::account::{AccountState, Flood, Operation};
use domain::{Service, Timestamp};
use store::StoreError;
use telegram::router::Usable;
use telegram::{AccountView, LastCalls, LineView};

use crate::health::PortState;
use crate::minute::ProbeOutcome;

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
/// How many calls in a row that go well end a trouble.
const WELL_AGAIN: usize = 3;

/// The result of a probe, without the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Evaluation {
    pub(crate) answer: ProbeOutcome,
    pub(crate) latency: Option<Duration>,
    pub(crate) reason: Option<Cow<'static, str>>,
}

impl Evaluation {
    pub(crate) const fn not_probed(why: &'static str) -> Self {
        Self { answer: ProbeOutcome::NotAsked, latency: None, reason: Some(Cow::Borrowed(why)) }
    }

    pub(crate) const fn failed(why: &'static str) -> Self {
        Self { answer: ProbeOutcome::Failed, latency: None, reason: Some(Cow::Borrowed(why)) }
    }

    pub(crate) const fn slow(why: &'static str) -> Self {
        Self { answer: ProbeOutcome::Slow, latency: None, reason: Some(Cow::Borrowed(why)) }
    }

    fn answered(latency: Option<Duration>, bound: Duration) -> Self {
        let slow = latency.is_some_and(|latency| latency > bound);
        Self {
            answer: if slow { ProbeOutcome::Slow } else { ProbeOutcome::Answered },
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
        matches!(self.answer, ProbeOutcome::Answered | ProbeOutcome::Slow)
    }
}

/// What was seen of a line since the last round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct LineObservation {
    pub(crate) answered: bool,
    /// In how many rounds in a row before this one it was connecting.
    pub(crate) connecting: u32,
    pub(crate) silent: bool,
}

/// A line: green after a real answer, red when it says why it cannot.
pub(crate) fn line(view: &LineView, observation: LineObservation) -> Evaluation {
    let reason = || match view.reason {
        Some(reason) => reason.as_str(),
        None => view.state.as_str(),
    };
    match view.state {
        AccountState::Connecting if observation.silent => Evaluation::not_probed("clearing"),
        AccountState::Connecting if observation.connecting < PATIENT_ROUNDS => {
            Evaluation::not_probed("connecting")
        }
        AccountState::Connecting => {
            Evaluation::failed(view.reason.map_or("not_connected", |reason| reason.as_str()))
        }
        AccountState::Offline => Evaluation::not_probed("stopped"),
        AccountState::Ready | AccountState::Paused if observation.answered => Evaluation::answered(
            view.round_trip_ms.map(|millis| Duration::from_millis(millis.into())),
            SLOW_LINE,
        ),
        AccountState::Ready | AccountState::Paused => Evaluation::not_probed("no_answer_yet"),
        AccountState::FloodWait
        | AccountState::Error
        | AccountState::Restricted
        | AccountState::NeedsLogin
        | AccountState::Banned => Evaluation::failed(reason()),
    }
}

/// An account: the worst of its lines and of what holds it as a whole. Lines that come back after a moment do not count
/// while another one answers.
pub(crate) fn account(view: &AccountView, lines: &[Evaluation], stuck: bool) -> Evaluation {
    let work = traffic(&view.troubles, |_| true).or(stuck.then(|| Evaluation::slow("stuck")));
    match view.state {
        AccountState::Paused => Evaluation::not_probed("paused"),
        AccountState::Offline => Evaluation::not_probed("stopped"),
        // No one gave it a session yet: there is nothing that could fail.
        AccountState::NeedsLogin if view.lines.is_empty() => Evaluation::not_probed("no_session"),
        AccountState::Ready => worse(worst(lines), work),
        AccountState::Connecting => worst(lines),
        AccountState::FloodWait
        | AccountState::Error
        | AccountState::Restricted
        | AccountState::NeedsLogin
        | AccountState::Banned => Evaluation {
            answer: ProbeOutcome::Failed,
            latency: None,
            reason: Some(Cow::Borrowed(view.reason.map_or(view.state.as_str(), |reason| reason.as_str()))),
        },
    }
}

/// What the last real calls say, of those kinds that are asked about: slow while a quarter of them went wrong, failed once
/// half of them did for longer than an outage and the latest one too. Three in a row that went well end it.
pub(crate) fn traffic(troubles: &[LastCalls], concerns: impl Fn(Operation) -> bool) -> Option<Evaluation> {
    let judged = |last: &LastCalls| {
        let why = last.trouble.as_str();
        if last.well_since >= WELL_AGAIN || last.wrong * 4 < last.calls {
            None
        } else if last.well_since == 0
            && last.wrong >= 2
            && last.wrong * 2 >= last.calls
            && last.wrong_for >= SHORT_OUTAGE
        {
            Some(Evaluation::failed(why))
        } else {
            Some(Evaluation::slow(why))
        }
    };
    let evaluations = troubles.iter().filter(|last| concerns(last.operation)).filter_map(judged);
    evaluations.max_by_key(|evaluation| evaluation.answer)
}

/// Whether work that has been with an account for so long is stuck.
pub(crate) fn is_stuck(since: Duration) -> bool {
    since > STUCK
}

/// The worse of what was found out and what real work shows of it.
fn worse(evaluation: Evaluation, work: Option<Evaluation>) -> Evaluation {
    match work {
        Some(work) if evaluation.was_answered() && work.answer > evaluation.answer => work,
        _ => evaluation,
    }
}

/// The worst of several; of two that are equally bad the first one, of two answers the slower one.
fn worst(evaluations: &[Evaluation]) -> Evaluation {
    let mut worst: Option<&Evaluation> = None;
    for evaluation in evaluations {
        if worst.is_none_or(|worst| (evaluation.answer, evaluation.latency) > (worst.answer, worst.latency)) {
            worst = Some(evaluation);
        }
    }
    worst.cloned().unwrap_or(Evaluation::not_probed("no_session"))
}

/// The kinds of calls that a service makes to change something.
pub(crate) const fn operations(service: Service) -> &'static [Operation] {
    match service {
        Service::SendText | Service::SendMedia => &[Operation::SendMessage],
        Service::CreateChat => &[Operation::CreateChat],
        Service::LeaveChat => &[Operation::Leave],
    }
}

/// Until when floods keep an account from what a service does.
pub(crate) fn flooded_until(floods: &[Flood], service: Service, now: Timestamp) -> Option<Timestamp> {
    let concerns = |flood: &&Flood| operations(service).contains(&flood.operation) && flood.until > now;
    floods.iter().filter(concerns).map(|flood| flood.until).max()
}

/// An account of the pool as a service sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Worker<'a> {
    pub(crate) name: &'a str,
    pub(crate) state: AccountState,
    /// What its beat says, floods left out: the best of its lines, as they stand in for each other.
    pub(crate) evaluation: Evaluation,
    /// Until when it may not do what the service does.
    pub(crate) flooded: bool,
}

impl<'a> Worker<'a> {
    /// An account of the pool, for a service. A restriction that concerns only first contacts leaves it able, and so do
    /// calls of other kinds that go wrong.
    pub(crate) fn of(view: &'a AccountView, lines: &[Evaluation], service: Service, now: Timestamp) -> Self {
        let concerns =
            |operation| operation == Operation::Connect || operations(service).contains(&operation);
        let best =
            lines.iter().filter(|line| line.was_answered()).min_by_key(|line| (line.answer, line.latency));
        let evaluation = match best {
            Some(best) if view.usable == Usable::Now => {
                worse(best.clone(), traffic(&view.troubles, concerns))
            }
            _ => account(view, lines, false),
        };
        let flooded = flooded_until(&view.floods, service, now).is_some();
        Self { name: view.name.as_str(), state: view.state, evaluation, flooded }
    }
}

/// What a service does, whichever account does its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServiceActivity {
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
pub(crate) fn service(activity: ServiceActivity, pool: &[Worker<'_>]) -> Evaluation {
    match activity {
        ServiceActivity::Stopped => return Evaluation::not_probed("stopped"),
        ServiceActivity::Clearing => return Evaluation::not_probed("clearing"),
        ServiceActivity::Stalled => return Evaluation::failed("stalled"),
        ServiceActivity::Stuck | ServiceActivity::Working => {}
    }
    if pool.is_empty() {
        return Evaluation::not_probed("no_account");
    }
    let able = pool.iter().filter(|worker| worker.evaluation.was_answered());
    if let Some(free) =
        able.clone().filter(|worker| !worker.flooded).min_by_key(|free| free.evaluation.answer)
    {
        return worse(
            free.evaluation.clone(),
            (activity == ServiceActivity::Stuck).then(|| Evaluation::slow("stuck")),
        );
    }
    let at_work =
        || pool.iter().filter(|worker| !matches!(worker.state, AccountState::Paused | AccountState::Offline));
    if able.count() > 0 {
        let all_wait = at_work().all(|worker| worker.flooded);
        return Evaluation::failed(if all_wait { "flood_wait" } else { "accounts_unable" });
    }
    match at_work()
        .find(|worker| worker.evaluation.answer == ProbeOutcome::NotAsked)
        .or_else(|| at_work().next())
    {
        None => Evaluation::not_probed("paused"),
        Some(first) if first.evaluation.answer == ProbeOutcome::NotAsked => first.evaluation.clone(),
        Some(first) if at_work().all(|worker| worker.evaluation.reason == first.evaluation.reason) => {
            Evaluation { latency: None, ..first.evaluation.clone() }
        }
        Some(_) => Evaluation::failed("accounts_unable"),
    }
}

/// A listener. `call` is the result of a real request through it.
pub(crate) fn port(state: PortState, call: Option<Result<Duration, ()>>) -> Evaluation {
    match (state, call) {
        (PortState::Starting, _) | (PortState::Listening, None) => Evaluation::not_probed("starting"),
        (PortState::Taken, _) => Evaluation::failed("port_taken"),
        (PortState::Refused, _) => Evaluation::failed("port_refused"),
        (PortState::Listening, Some(Ok(latency))) => Evaluation::answered(Some(latency), SLOW_HERE),
        (PortState::Listening, Some(Err(()))) => Evaluation::failed("no_answer"),
    }
}

/// The store, by the result of a real write and read, and whether a row was found unreadable.
pub(crate) fn store(round_trip: &Result<Duration, StoreError>) -> Evaluation {
    match round_trip {
        Ok(latency) => Evaluation::answered(Some(*latency), SLOW_HERE),
        Err(StoreError::StorageFull) => Evaluation::failed("disk_full"),
        Err(StoreError::Corrupt { .. }) => Evaluation::failed("row_unreadable"),
        Err(_) => Evaluation::failed("store_unavailable"),
    }
}

/// The queue, by whether its workers take work up, whether there is room, and how long the oldest work waits. What waits
/// for a service that was stopped or for a flood wait is no fault of the queue.
pub(crate) fn queue(stalled: bool, full: bool, oldest: Option<Duration>, is_counted: bool) -> Evaluation {
    if stalled {
        return Evaluation::failed("stalled");
    }
    if full {
        return Evaluation::failed("queue_full");
    }
    if !is_counted {
        return Evaluation::not_probed("store_unavailable");
    }
    if oldest.is_some_and(|oldest| oldest > SLOW_QUEUE) {
        return Evaluation {
            answer: ProbeOutcome::Slow,
            latency: None,
            reason: Some(Cow::Borrowed("waiting")),
        };
    }
    Evaluation { answer: ProbeOutcome::Answered, latency: None, reason: None }
}
