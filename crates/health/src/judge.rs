//! What a beat says, by what was seen of the card since the last one. Pure.

use std::borrow::Cow;
use std::time::Duration;

use domain::account::{AccountState, Flood, Operation};
use domain::{Purpose, Timestamp};
use store::StoreError;
use telegram::router::Usable;
use telegram::{AccountView, LineView};

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

    fn answered(latency: Option<Duration>, bound: Duration) -> Self {
        let slow = latency.is_some_and(|latency| latency > bound);
        Self {
            answer: if slow { Answer::Slow } else { Answer::Answered },
            latency,
            reason: slow.then_some(Cow::Borrowed("slow")),
        }
    }

    pub(crate) fn was_answered(&self) -> bool {
        matches!(self.answer, Answer::Answered | Answer::Slow)
    }
}

/// What was seen of a line since the last round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct LineSeen {
    /// A call was answered.
    pub(crate) answered: bool,
    /// In how many rounds in a row before this one it was connecting.
    pub(crate) connecting: u32,
    /// It is silent on purpose.
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
pub(crate) fn account(view: &AccountView, lines: &[Verdict]) -> Verdict {
    match view.state {
        AccountState::Paused => Verdict::not_asked("paused"),
        AccountState::Offline => Verdict::not_asked("stopped"),
        // Nobody gave it a session yet: there is nothing that could fail.
        AccountState::NeedsLogin if view.lines.is_empty() => Verdict::not_asked("no_session"),
        AccountState::Ready | AccountState::Connecting => worst(lines),
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
pub(crate) struct Worker {
    /// Its state.
    pub(crate) state: AccountState,
    /// What its beat says, floods left out: the best of its lines, as they stand in for each other.
    pub(crate) verdict: Verdict,
    /// Until when it may not do what the service does.
    pub(crate) flooded: bool,
}

impl Worker {
    /// An account of the pool, for a service. A restriction that concerns only first contacts leaves it able.
    pub(crate) fn of(view: &AccountView, lines: &[Verdict], purpose: Purpose, now: Timestamp) -> Self {
        let best =
            lines.iter().filter(|line| line.was_answered()).min_by_key(|line| (line.answer, line.latency));
        let verdict = match best {
            Some(best) if view.usable == Usable::Now => best.clone(),
            _ => account(view, lines),
        };
        Self { state: view.state, verdict, flooded: flooded_until(&view.floods, purpose, now).is_some() }
    }
}

/// A service: somebody of the pool can do its work, and its worker takes work up.
pub(crate) fn service(running: bool, clearing: bool, stalled: bool, pool: &[Worker]) -> Verdict {
    if !running {
        return Verdict::not_asked(if clearing { "clearing" } else { "stopped" });
    }
    if stalled {
        return Verdict::failed("stalled");
    }
    if pool.is_empty() {
        return Verdict::not_asked("no_account");
    }
    let able = pool.iter().filter(|worker| worker.verdict.was_answered());
    if let Some(free) = able.clone().find(|worker| !worker.flooded) {
        return free.verdict.clone();
    }
    if able.count() > 0 {
        return Verdict::failed("flood_wait");
    }
    let at_work =
        || pool.iter().filter(|worker| !matches!(worker.state, AccountState::Paused | AccountState::Offline));
    match at_work().find(|worker| worker.verdict.answer == Answer::NotAsked).or_else(|| at_work().next()) {
        None => Verdict::not_asked("paused"),
        Some(first) if first.verdict.answer == Answer::NotAsked => first.verdict.clone(),
        // The first choice says why; it is the one that is mended first.
        Some(first) => Verdict { latency: None, ..first.verdict.clone() },
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

/// The store, by what came of a real write and read.
pub(crate) fn store(round_trip: &Result<Duration, StoreError>) -> Verdict {
    match round_trip {
        Ok(latency) => Verdict::answered(Some(*latency), SLOW_HERE),
        Err(StoreError::StorageFull) => Verdict::failed("disk_full"),
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
