//! The rounds: every twenty seconds each card is asked, judged, reported and kept.

use std::collections::HashMap;
use std::time::Duration;

use ambient::Clock;
use domain::account::Operation;
use futures::future::join_all;
use store::{BeatsPast, EndedInMinute, Stats, StoreError};
use telegram::{CallResult, CallsCounted};
use tokio_util::sync::CancellationToken;

use crate::health::{Health, Port, PortState};
use crate::history::Work;
use crate::minute::STRIP;
use crate::observation::{Probes, quantiles};
use crate::port_call;
use crate::process;
use crate::tally::Reading;

/// How often a card is asked.
const BEAT: Duration = Duration::from_secs(20);

/// The longest piece of a wait.
const NAP: Duration = Duration::from_secs(1);

/// How long the store may take for a write and a read, and for being counted.
const STORE_LIMIT: Duration = Duration::from_secs(10);

/// How far back messages are counted at the start.
const DAY: Duration = Duration::from_hours(24);

/// When lines that were asked are looked at: what comes later than the last of these counts for the next round.
const LOOKS: [Duration; 4] =
    [Duration::from_millis(200), Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

/// How often the overview may say that it has changed.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Asks until the program ends, then keeps what is known.
pub(crate) async fn run(health: Health, stopping: CancellationToken) {
    let clock = health.0.parts.clock.clone();
    let strip = i64::try_from(STRIP).unwrap_or(i64::MAX);
    let past = health.0.file.past(strip).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "earlier beats cannot be read; strips begin now");
        BeatsPast::default()
    });
    let ended = tokio::select! {
        ended = made_up(&health) => ended,
        () = stopping.cancelled() => Vec::new(),
    };
    {
        let mut history = health.history();
        history.restore(past, clock.now(), clock.running());
        history.make_up(&ended, clock.now(), clock.running());
    }
    let mut spent = None;
    loop {
        let begun = clock.running();
        tokio::select! {
            () = round(&health, &mut spent) => {}
            () = stopping.cancelled() => break,
        }
        tokio::select! {
            () = until(&clock, begun.saturating_add(BEAT)) => {}
            () = stopping.cancelled() => break,
        }
    }
    // What was done since the last round counts too.
    let (observation, work) = (health.look(), work(&health, health.0.parts.accounts.calls()));
    {
        let mut history = health.history();
        let minute = history.minute(observation.at, observation.running);
        history.count(&observation, &work, minute);
    }
    keep(&health).await;
    health.0.file.close().await;
}

/// What ended before this run began, as the store has it: whatever stopped the program, that is there.
async fn made_up(health: &Health) -> Vec<EndedInMinute> {
    let since = health.0.parts.clock.now().minus(DAY);
    match tokio::time::timeout(STORE_LIMIT, health.0.parts.store.outbox().ended_by_minute(since)).await {
        Ok(Ok(ended)) => ended,
        Ok(Err(error)) => {
            tracing::warn!(%error, "what was sent before the start cannot be counted");
            Vec::new()
        }
        Err(_) => {
            tracing::warn!("what was sent before the start was not counted in time");
            Vec::new()
        }
    }
}

/// Waits until a monotonic clock has come so far.
async fn until(clock: &Clock, deadline: Duration) {
    loop {
        let left = deadline.saturating_sub(clock.running());
        if left.is_zero() {
            return;
        }
        // Cut into pieces: where the clock is moved between these two lines, that is noticed soon.
        clock.sleep(left.min(NAP)).await;
    }
}

/// One round. `spent` is the processor time of the round before, and when that was read.
async fn round(health: &Health, spent: &mut Option<(Duration, Duration)>) {
    let ports = health.0.ports.get().map(|ports| ports()).unwrap_or_default();
    let (calls, store, stock, ()) =
        tokio::join!(call_ports(&ports), round_trip(health), count(health), ask_lines(health));
    measure(health, spent).await;
    let probes = Probes { ports: calls, store, stock };
    let calls = health.0.parts.accounts.calls();
    let answers_within = quantiles(&calls, [0.5, 0.99]);
    let (observation, work) = (health.look(), work(health, calls));
    let round = {
        let mut history = health.history();
        history.answers_within = answers_within;
        history.round(&observation, probes, work)
    };
    // No one need listen.
    let _ = health.0.rounds.send(round.into());
    health.forget_snapshot();
    health.0.nudge.notify_one();
    keep(health).await;
}

/// Asks over each connected line that was not answered since the last round, and waits a little for the answers.
async fn ask_lines(health: &Health) {
    let accounts = &health.0.parts.accounts;
    let unanswered = || health.history().answers.unanswered(&accounts.accounts());
    let silent = unanswered();
    for (account, place) in &silent {
        accounts.probe(account, *place);
    }
    if silent.is_empty() {
        return;
    }
    for pause in LOOKS {
        tokio::time::sleep(pause).await;
        if unanswered().is_empty() {
            return;
        }
    }
}

async fn call_ports(ports: &[Port]) -> HashMap<String, Result<Duration, String>> {
    let listening = ports.iter().filter(|port| port.state == PortState::Listening);
    let calls = listening.map(|port| async {
        let called = port_call::call(&port.name, &port.address).await;
        (port.name.clone(), called.map_err(|error| error.to_string()))
    });
    join_all(calls).await.into_iter().collect()
}

async fn round_trip(health: &Health) -> Result<Duration, StoreError> {
    let late = || StoreError::Unavailable(format!("no answer within {} s", STORE_LIMIT.as_secs()));
    let store = &health.0.parts.store;
    // By real time: a clock that leaps says nothing about the disk.
    let trip = tokio::time::timeout(STORE_LIMIT, store.round_trip()).await;
    let latency = trip.unwrap_or_else(|_| Err(late()))?;
    store.unreadable().map_or(Ok(latency), Err)
}

async fn count(health: &Health) -> Option<Stats> {
    match tokio::time::timeout(STORE_LIMIT, health.0.parts.store.stats()).await {
        Ok(Ok(stock)) => Some(stock),
        // What the store says of itself is on its own card.
        Ok(Err(_)) | Err(_) => None,
    }
}

async fn measure(health: &Health, spent: &mut Option<(Duration, Duration)>) {
    let usage = tokio::task::spawn_blocking(process::usage).await.unwrap_or_default();
    let now = health.0.parts.clock.running();
    let part = usage.cpu.zip(*spent).and_then(|(cpu, (before, then))| {
        let (cpu, passed) = (cpu.checked_sub(before)?, now.checked_sub(then)?);
        (!passed.is_zero()).then(|| cpu.as_secs_f32() / passed.as_secs_f32())
    });
    *spent = usage.cpu.map(|cpu| (cpu, now));
    health.note_usage(part, usage.resident_bytes);
}

fn work(health: &Health, calls: Vec<CallsCounted>) -> Work {
    let (delivery, sagas) = (&health.0.parts.delivery, &health.0.parts.sagas);
    let counted = delivery.counted();
    let due = delivery.due().into_iter().chain(sagas.due());
    let sent = |calls: CallsCounted| {
        let of = |wanted: fn(CallResult) -> bool| {
            let matching = calls
                .calls
                .iter()
                .filter(|(operation, result, _)| *operation == Operation::SendMessage && wanted(*result));
            matching.map(|(.., count)| *count).sum()
        };
        let reading = Reading {
            sent: of(|result| result == CallResult::Answered),
            failed: of(|result| result != CallResult::Answered),
        };
        (calls.account, reading)
    };
    let mut due_of_accounts = delivery.due_of_accounts();
    for (account, count) in sagas.due_of_accounts() {
        *due_of_accounts.entry(account).or_default() += count;
    }
    Work {
        in_hand: delivery.in_hand(),
        due_of_accounts,
        due: due.map(|due| (due.service, due.count, due.oldest)).collect(),
        unbegun: delivery.unbegun().into_iter().chain(sagas.unbegun()).collect(),
        full: delivery.is_full(),
        counted: Reading { sent: counted.sent, failed: counted.failed.iter().map(|(_, count)| *count).sum() },
        accounts: calls.into_iter().map(sent).collect(),
    }
}

/// Writes the round down; if that cannot be, memory goes on, and the overview shows it.
async fn keep(health: &Health) {
    let clock = &health.0.parts.clock;
    let batch = health.history().to_keep(clock.now(), clock.running());
    let saved = health.0.file.save(batch).await;
    if saved.is_ok() {
        health.history().tallies.saved();
    }
    let was_stored = health.0.is_stored.swap(saved.is_ok(), std::sync::atomic::Ordering::Relaxed);
    if let Err(error) = saved
        && was_stored
    {
        tracing::warn!(%error, "beats cannot be kept on disk; those in memory go on");
    }
}

/// Says that the overview may have changed, at most once a second.
pub(crate) async fn tell_changes(health: Health, stopping: CancellationToken) {
    let mut accounts = health.0.parts.accounts.changes();
    let mut last = None;
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            changed = accounts.changed() => if changed.is_err() { return },
            () = health.0.nudge.notified() => last = None,
            () = health.0.parts.clock.sleep(TELL_EVERY) => {}
        }
        let counted = health.0.parts.delivery.counted();
        let now = Some((*accounts.borrow_and_update(), counted.accepted, counted.sent, counted.cancelled));
        if now == last {
            continue;
        }
        last = now;
        health.0.changes.send_modify(|count| *count = count.wrapping_add(1));
        tokio::select! {
            () = stopping.cancelled() => return,
            () = health.0.parts.clock.sleep(TELL_EVERY) => {}
        }
    }
}
