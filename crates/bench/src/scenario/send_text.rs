//! Thirty-two callers over sixty-four chats: Switchboard and the baseline by turns, against one world.

use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;

use super::{Folders, OURS, Stage, THEIRS, bare_library};
use crate::contender::{self, Contender};
use crate::latency::{Latencies, Summary};
use crate::ledger::Audit;
use crate::load::{self, Door, Stretch};
use crate::usage;
use crate::world::World;

const CALLERS: usize = 32;

/// What was measured.
#[derive(Debug, Serialize)]
pub(crate) struct SendText {
    /// Callers that keep their connections.
    pub(crate) kept: Pair,
    /// Callers that make a connection for each request, as n8n does.
    pub(crate) closed: Pair,
    /// Methods that the world did not know.
    pub(crate) unknown_methods: Vec<serde_json::Value>,
}

/// The same load on both.
#[derive(Debug, Serialize)]
pub(crate) struct Pair {
    pub(crate) ours: Side,
    pub(crate) baseline: Side,
}

/// One side under one kind of load, all rounds together.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Side {
    pub(crate) requests: usize,
    pub(crate) per_second: f64,
    pub(crate) slowest_round_per_second: f64,
    pub(crate) fastest_round_per_second: f64,
    /// Microseconds.
    pub(crate) latency: Summary,
    /// Microseconds of processor time for each request: the server, the world, the load.
    pub(crate) processor: f64,
    pub(crate) processor_of_world: f64,
    pub(crate) processor_of_load: f64,
    /// Kilobytes after the load, and the most there ever were.
    pub(crate) memory: u64,
    pub(crate) memory_highest: u64,
    pub(crate) failures: usize,
    pub(crate) first_failure: Option<String>,
    pub(crate) audit: Audit,
}

/// The measurements of one side while they are taken.
#[derive(Default)]
struct Meter {
    latencies: Latencies,
    took: Duration,
    rounds: Vec<f64>,
    server: Duration,
    world: Duration,
    load: Duration,
    failures: usize,
    first_failure: Option<String>,
    audit: Audit,
}

/// Runs the scenario.
pub(crate) async fn run(stage: &Stage) -> Result<SendText> {
    let folders = Folders::fresh(&stage.work, "send_text")?;
    let mut world = World::start(&stage.switchboard, &folders.world, &folders.logs, super::DIALOGS).await?;
    let (library, clients) = bare_library(&world).await?;
    drop(library);
    let chats: Vec<i64> = clients.iter().map(|client| client.user_id).collect();

    let ours = contender::switchboard(&stage.switchboard, &world, &[OURS], &folders.data, &folders.logs)
        .await?
        .contender;
    let account = world.account(THEIRS)?.clone();
    let baseline = contender::baseline(&stage.python, &stage.baseline, &account, &folders.logs).await?;

    let kept = pair(stage, &mut world, [&ours, &baseline], &chats, true).await.context("kept connections")?;
    let closed =
        pair(stage, &mut world, [&ours, &baseline], &chats, false).await.context("closed connections")?;

    baseline.program.stop().await?;
    ours.program.stop().await?;
    let unknown_methods = world.unknown_methods().await?;
    world.stop().await?;
    Ok(SendText { kept, closed, unknown_methods })
}

/// Loads both by turns; who goes first changes with each round.
async fn pair(
    stage: &Stage,
    world: &mut World,
    contenders: [&Contender; 2],
    chats: &[i64],
    keep: bool,
) -> Result<Pair> {
    let mut meters = [Meter::default(), Meter::default()];
    let stretch = |contender: usize, round: &str, lasts: Duration| Stretch {
        address: contenders[contender].send_text,
        door: Door::SendText,
        headers: String::new(),
        callers: CALLERS,
        keep,
        lasts,
        at_most: usize::MAX,
        label: format!("{}{contender}-{round}", if keep { "k" } else { "c" }),
    };
    for contender in 0..2 {
        load::run(stretch(contender, "warm", stage.pace.warm_up), chats).await?;
    }
    world.new_rows().await?;
    for round in 0..stage.pace.rounds {
        for turn in 0..2 {
            let contender = (round + turn) % 2;
            let stretch = stretch(contender, &round.to_string(), stage.pace.round);
            measure(stage, world, contenders[contender], stretch, chats, &mut meters[contender]).await?;
        }
    }
    let [ours, baseline] = meters;
    Ok(Pair { ours: ours.read(contenders[0])?, baseline: baseline.read(contenders[1])? })
}

async fn measure(
    stage: &Stage,
    world: &mut World,
    contender: &Contender,
    stretch: Stretch,
    chats: &[i64],
    meter: &mut Meter,
) -> Result<()> {
    let processes = [contender.program.pid(), world.program.pid(), std::process::id()];
    let of = |process: usize| {
        // What this process started is measured by itself, so of this one only itself counts.
        if process == 2 {
            stage.ticks.processor_alone(processes[2])
        } else {
            stage.ticks.processor(processes[process])
        }
    };
    let before = [of(0)?, of(1)?, of(2)?];
    let seen = load::run(stretch, chats).await?;
    let after = [of(0)?, of(1)?, of(2)?];
    meter.server += after[0] - before[0];
    meter.world += after[1] - before[1];
    meter.load += after[2] - before[2];
    meter.rounds.push(rate(seen.claims.len(), seen.took));
    meter.took += seen.took;
    meter.latencies.extend(&seen.latencies);
    meter.failures += seen.failures;
    meter.first_failure = meter.first_failure.take().or(seen.first_failure);
    meter.audit.add(&Audit::of(&seen.claims, &world.new_rows().await?));
    Ok(())
}

impl Meter {
    fn read(self, contender: &Contender) -> Result<Side> {
        let memory = usage::memory(contender.program.pid())?;
        let latency = self.latencies.summary();
        Ok(Side {
            requests: latency.count,
            per_second: rate(latency.count, self.took),
            slowest_round_per_second: self.rounds.iter().copied().reduce(f64::min).unwrap_or_default(),
            fastest_round_per_second: self.rounds.iter().copied().reduce(f64::max).unwrap_or_default(),
            latency,
            processor: each(self.server, latency.count),
            processor_of_world: each(self.world, latency.count),
            processor_of_load: each(self.load, latency.count),
            memory: memory.now,
            memory_highest: memory.highest,
            failures: self.failures,
            first_failure: self.first_failure,
            audit: self.audit,
        })
    }
}

fn rate(count: usize, took: Duration) -> f64 {
    if took.is_zero() { 0.0 } else { as_number(count) / took.as_secs_f64() }
}

/// Microseconds for each of so many; without any it is all of them.
fn each(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e6 / as_number(count.max(1))
}

fn as_number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_shares_are_whole_even_without_requests() {
        assert!((rate(300, Duration::from_secs(2)) - 150.0).abs() < 1e-9);
        assert!(rate(0, Duration::ZERO).abs() < 1e-9);
        assert!((each(Duration::from_millis(3), 10) - 300.0).abs() < 1e-9);
        assert!((each(Duration::from_millis(3), 0) - 3000.0).abs() < 1e-9);
    }
}
