//! Thirty-two callers over sixty-four chats: Switchboard and the baseline by turns, against one world.

use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::Value;

use super::{Folders, OURS, Stage, THEIRS, bare_library};
use crate::contender::{self, Contender};
use crate::latency::{Latencies, Summary};
use crate::ledger::Audit;
use crate::load::{self, Door, Stretch};
use crate::report::{Goal, Measured, megabytes, milliseconds, table, times};
use crate::usage;
use crate::world::World;

const CALLERS: usize = 32;

/// At least so many times the baseline's requests a second.
const REQUESTS: f64 = 10.0;

/// At most this part of the baseline's p99.
const TAIL: f64 = 0.25;

/// At most this part of the baseline's processor time for a request.
const PROCESSOR: f64 = 0.09;

/// What was measured.
#[derive(Debug, Serialize)]
pub(crate) struct SendText {
    /// Callers that keep their connections.
    pub(crate) kept: Pair,
    /// Callers that make a connection for each request, as n8n does.
    pub(crate) closed: Pair,
    /// Methods that the world did not know.
    pub(crate) unknown_methods: Vec<Value>,
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
pub(super) struct Meter {
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

impl Measured for SendText {
    fn text(&self) -> String {
        format!(
            "## `POST /send_text`, 32 callers over 64 chats\n\nConnections are kept:\n\n{}\
             A new connection for each request (`Connection: close`, as n8n does):\n\n{}",
            self.kept.text(),
            self.closed.text()
        )
    }

    fn goals(&self) -> Vec<Goal> {
        let Pair { ours, baseline } = &self.kept;
        let (tail, tail_of_baseline) = (f64::from(ours.latency.p99), f64::from(baseline.latency.p99));
        let sides = [ours, baseline, &self.closed.ours, &self.closed.baseline];
        let failures: usize = sides.iter().map(|side| side.failures).sum();
        let mut audit = Audit::default();
        for side in sides {
            audit.add(&side.audit);
        }
        vec![
            Goal::new(
                "requests a second, of the baseline's",
                format!("≥ {REQUESTS}×"),
                times(ours.per_second, baseline.per_second),
                baseline.per_second > 0.0 && ours.per_second >= baseline.per_second * REQUESTS,
            ),
            Goal::new(
                "p99, of the baseline's",
                format!("≤ {TAIL}×"),
                times(tail, tail_of_baseline),
                ours.requests > 0 && tail <= tail_of_baseline * TAIL,
            ),
            Goal::new(
                "CPU a request, of the baseline's",
                format!("≤ {PROCESSOR}×"),
                times(ours.processor, baseline.processor),
                ours.requests > 0 && ours.processor <= baseline.processor * PROCESSOR,
            ),
            Goal::new("requests not answered with \"sent\", either side", "0", failures, failures == 0),
            Goal::once("sent under load, and in the ledger exactly once", &audit),
        ]
    }

    fn unknown_methods(&self) -> Vec<&Value> {
        self.unknown_methods.iter().collect()
    }
}

impl Pair {
    fn text(&self) -> String {
        let Self { ours, baseline } = self;
        let mut rows = vec![format!(
            "| requests a second | {:.0} | {:.0} | {} |",
            ours.per_second,
            baseline.per_second,
            times(ours.per_second, baseline.per_second)
        )];
        let rounds = |side: &Side| {
            format!("{:.0} – {:.0}", side.slowest_round_per_second, side.fastest_round_per_second)
        };
        rows.push(format!("| slowest – fastest round | {} | {} | |", rounds(ours), rounds(baseline)));
        rows.extend(
            [
                ("p50", ours.latency.p50, baseline.latency.p50),
                ("p90", ours.latency.p90, baseline.latency.p90),
                ("p99", ours.latency.p99, baseline.latency.p99),
                ("slowest", ours.latency.max, baseline.latency.max),
            ]
            .map(|(name, ours, baseline)| {
                let ratio = times(f64::from(ours), f64::from(baseline));
                format!("| {name}, ms | {} | {} | {ratio} |", milliseconds(ours), milliseconds(baseline))
            }),
        );
        rows.extend(
            [
                ("CPU a request, µs", ours.processor, baseline.processor),
                ("… of the pretend Telegram, µs", ours.processor_of_world, baseline.processor_of_world),
                ("… of the load, µs", ours.processor_of_load, baseline.processor_of_load),
            ]
            .map(|(name, ours, baseline)| {
                format!("| {name} | {ours:.0} | {baseline:.0} | {} |", times(ours, baseline))
            }),
        );
        rows.extend(
            [
                ("memory after it, MB", ours.memory, baseline.memory),
                ("memory at most, MB", ours.memory_highest, baseline.memory_highest),
            ]
            .map(|(name, ours, baseline)| {
                format!("| {name} | {} | {} | |", megabytes(ours), megabytes(baseline))
            }),
        );
        let wrong = |Audit { missing, doubled, misnamed, unclaimed, .. }: &Audit| {
            format!("{missing} / {doubled} / {misnamed} / {unclaimed}")
        };
        let (confirmed, of_baseline) = (ours.audit.confirmed, baseline.audit.confirmed);
        rows.extend([
            format!("| sent, each once in the ledger | {confirmed} | {of_baseline} | |"),
            format!(
                "| missing / twice / wrong id / not answered | {} | {} | |",
                wrong(&ours.audit),
                wrong(&baseline.audit)
            ),
            format!("| failures | {} | {} | |", ours.failures, baseline.failures),
        ]);
        let failures =
            [("Switchboard", ours), ("Flask + Telethon", baseline)].into_iter().filter_map(|(name, side)| {
                let failure = side.first_failure.as_ref()?.replace(['\n', '`'], " ");
                Some(format!("First failure of {name}: `{failure}`\n\n"))
            });
        [table("| | Switchboard | Flask + Telethon | ratio |", rows)].into_iter().chain(failures).collect()
    }
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

pub(super) async fn measure(
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
    pub(super) fn read(self, contender: &Contender) -> Result<Side> {
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

pub(super) fn as_number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::assert_missed;

    #[test]
    fn rates_and_shares_are_whole_even_without_requests() {
        assert!((rate(300, Duration::from_secs(2)) - 150.0).abs() < 1e-9);
        assert!(rate(0, Duration::ZERO).abs() < 1e-9);
        assert!((each(Duration::from_millis(3), 10) - 300.0).abs() < 1e-9);
        assert!((each(Duration::from_millis(3), 0) - 3000.0).abs() < 1e-9);
    }

    fn side(per_second: f64, p99: u32, processor: f64) -> Side {
        Side {
            requests: 10,
            per_second,
            latency: Summary { count: 10, p99, ..Summary::default() },
            processor,
            audit: Audit { confirmed: 10, ..Audit::default() },
            ..Side::default()
        }
    }

    fn measured(ours: Side) -> SendText {
        let baseline = || side(100.0, 4_000, 800.0);
        SendText {
            kept: Pair { ours, baseline: baseline() },
            closed: Pair { ours: baseline(), baseline: baseline() },
            unknown_methods: Vec::new(),
        }
    }

    #[test]
    fn each_goal_can_be_missed() {
        assert_missed(&measured(side(1_000.0, 1_000, 72.0)), 0);
        assert_missed(&measured(side(999.0, 1_001, 73.0)), 3);
        let mut wrong = measured(side(1_000.0, 1_000, 72.0));
        wrong.closed.baseline.failures = 1;
        wrong.kept.ours.audit.doubled = 1;
        assert_missed(&wrong, 2);
    }

    #[test]
    fn a_run_without_requests_meets_no_goal_of_speed() {
        let nothing = || Pair { ours: Side::default(), baseline: Side::default() };
        assert_missed(&SendText { kept: nothing(), closed: nothing(), unknown_methods: Vec::new() }, 4);
    }

    #[test]
    fn both_sides_stand_in_one_line_with_their_ratio() {
        let mut measured = measured(side(1_200.0, 2_000, 80.0));
        measured.kept.ours.first_failure = Some("answered 500 `x`\ny".to_owned());
        let text = measured.text();
        for line in [
            "| requests a second | 1200 | 100 | 12× |",
            "| p99, ms | 2.00 | 4.00 | 0.50× |",
            "| CPU a request, µs | 80 | 800 | 0.10× |",
            "| missing / twice / wrong id / not answered | 0 / 0 / 0 / 0 | 0 / 0 / 0 / 0 | |",
            "First failure of Switchboard: `answered 500  x  y`",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}
