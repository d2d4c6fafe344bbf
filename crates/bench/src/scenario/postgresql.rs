//! Durable sends with the store on SQLite and on PostgreSQL, by turns, against one world.

use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;

use super::send_text::{Meter, Side, as_number, measure};
use super::{Folders, OURS, Stage, THEIRS, bare_library};
use crate::contender::{self, Contender};
use crate::latency::Summary;
use crate::ledger::Audit;
use crate::load::{self, Door, Stretch};
use crate::postgres::Database;
use crate::report::{Goal, Measured, milliseconds, table, times};
use crate::world::World;

const CALLERS: usize = 32;

/// At least this part of SQLite's sends a second.
const PART: f64 = 0.5;

/// The p99 at half of the rate, in microseconds.
const TAIL: u32 = 50_000;

/// What was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Postgresql {
    pub(crate) postgres: Side,
    pub(crate) sqlite: Side,
    /// At half of the rate that PostgreSQL reached.
    pub(crate) at_half: Half,
}

/// A stretch in which callers ask at a rate.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Half {
    pub(crate) per_second: f64,
    /// Microseconds.
    pub(crate) latency: Summary,
    pub(crate) failures: usize,
}

impl Measured for Postgresql {
    fn text(&self) -> String {
        let Self { postgres, sqlite, at_half } = self;
        let numbers = [
            ("sends a second", postgres.per_second, sqlite.per_second),
            ("CPU a send of the program, µs", postgres.processor, sqlite.processor),
        ];
        let latencies = [
            ("p50, ms", postgres.latency.p50, sqlite.latency.p50),
            ("p99, ms", postgres.latency.p99, sqlite.latency.p99),
        ];
        let rows = numbers
            .map(|(name, ours, theirs)| {
                format!("| {name} | {ours:.0} | {theirs:.0} | {} |", times(ours, theirs))
            })
            .into_iter()
            .chain(latencies.map(|(name, ours, theirs)| {
                let ratio = times(f64::from(ours), f64::from(theirs));
                format!("| {name} | {} | {} | {ratio} |", milliseconds(ours), milliseconds(theirs))
            }))
            .chain([
                format!(
                    "| sent, each once in the ledger | {} | {} | |",
                    postgres.audit.confirmed, sqlite.audit.confirmed
                ),
                format!("| failures | {} | {} | |", postgres.failures, sqlite.failures),
            ]);
        format!(
            "## The store on PostgreSQL and on SQLite\n\n`POST /send_text`, 32 callers over 64 chats; both wait for the disk, and \
             PostgreSQL's server shares the cores with all the rest. At half of its rate ({:.0} a second, as asked for) PostgreSQL has a p50 of {} ms and a p99 of \
             {} ms.\n\n{}",
            at_half.per_second,
            milliseconds(at_half.latency.p50),
            milliseconds(at_half.latency.p99),
            table("| | PostgreSQL | SQLite | ratio |", rows)
        )
    }

    fn goals(&self) -> Vec<Goal> {
        let Self { postgres, sqlite, at_half } = self;
        let mut audit = Audit::default();
        audit.add(&postgres.audit);
        audit.add(&sqlite.audit);
        let failures = postgres.failures + sqlite.failures + at_half.failures;
        vec![
            Goal::new(
                "durable sends a second on PostgreSQL, of those on SQLite",
                format!("≥ {PART}×"),
                times(postgres.per_second, sqlite.per_second),
                sqlite.per_second > 0.0 && postgres.per_second >= sqlite.per_second * PART,
            ),
            Goal::new(
                "p99 on PostgreSQL at half of its rate",
                format!("< {} ms", milliseconds(TAIL)),
                format!("{} ms", milliseconds(at_half.latency.p99)),
                at_half.latency.count > 0 && at_half.latency.p99 < TAIL,
            ),
            Goal::new("sends that failed on either store", "0", failures, failures == 0),
            Goal::once("sent from either store, and in the ledger exactly once", &audit),
        ]
    }
}

/// Runs the scenario.
pub(crate) async fn run(stage: &Stage) -> Result<Postgresql> {
    let folders = Folders::fresh(&stage.work, "postgres")?;
    let database = Database::fresh(stage.postgres.as_deref(), "bench_sends").await?;
    let mut world = World::start(&stage.switchboard, &folders.world, &folders.logs, super::DIALOGS).await?;
    let (library, clients) = bare_library(&world).await?;
    drop(library);
    let chats: Vec<i64> = clients.iter().map(|client| client.user_id).collect();
    let sqlite = contender::switchboard(&stage.switchboard, &world, &[OURS], &folders.data, &folders.logs)
        .await?
        .contender;
    let (data, logs) = (folders.data.with_extension("postgres"), folders.logs.join("postgres"));
    std::fs::create_dir_all(&logs)?;
    let store = (data.as_path(), database.url.as_str());
    let postgres =
        contender::switchboard_on(&stage.switchboard, &world, &[THEIRS], store, &logs).await?.contender;

    let contenders = [&postgres, &sqlite];
    let mut meters = [Meter::default(), Meter::default()];
    for (contender, name) in contenders.into_iter().zip(["pw", "sw"]) {
        load::run(stretch(contender, name.to_owned(), stage.pace.warm_up), &chats).await?;
    }
    world.new_rows().await?;
    for round in 0..stage.pace.rounds {
        for turn in 0..2 {
            let at = (round + turn) % 2;
            let stretch = stretch(contenders[at], format!("{at}-{round}"), stage.pace.round);
            measure(stage, &mut world, contenders[at], stretch, &chats, &mut meters[at]).await?;
        }
    }
    let [of_postgres, of_sqlite] = meters;
    let (of_postgres, of_sqlite) = (of_postgres.read(&postgres)?, of_sqlite.read(&sqlite)?);
    let at_half =
        at_half(stage, &postgres, of_postgres.per_second, &chats).await.context("half of the rate")?;
    postgres.program.stop().await?;
    sqlite.program.stop().await?;
    world.stop().await?;
    Ok(Postgresql { postgres: of_postgres, sqlite: of_sqlite, at_half })
}

fn stretch(contender: &Contender, label: String, lasts: Duration) -> Stretch {
    Stretch {
        address: contender.send_text,
        door: Door::SendText,
        headers: String::new(),
        callers: CALLERS,
        keep: true,
        lasts,
        at_most: usize::MAX,
        label,
    }
}

/// The latencies when callers ask half as often as could be answered.
async fn at_half(stage: &Stage, postgres: &Contender, rate: f64, chats: &[i64]) -> Result<Half> {
    let wanted = (rate / 2.0).max(1.0);
    let every = Duration::from_secs_f64(as_number(CALLERS) / wanted);
    let seen = load::run_paced(stretch(postgres, "half".to_owned(), stage.pace.round), chats, every).await?;
    let latency = seen.latencies.summary();
    let per_second = as_number(latency.count) / seen.took.as_secs_f64().max(1e-9);
    Ok(Half { per_second, latency, failures: seen.failures })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::assert_missed;

    fn side(per_second: f64) -> Side {
        let audit = Audit { confirmed: 1, ..Audit::default() };
        Side { requests: 1, per_second, audit, ..Side::default() }
    }

    #[test]
    fn half_as_fast_with_a_short_tail_is_enough() {
        let of = |rate, p99| Postgresql {
            postgres: side(rate),
            sqlite: side(1000.0),
            at_half: Half { latency: Summary { count: 1, p99, ..Summary::default() }, ..Half::default() },
        };
        assert_missed(&of(500.0, 49_999), 0);
        assert_missed(&of(499.0, 50_000), 2);
        assert!(of(500.0, 1000).text().contains("| sends a second | 500 | 1000 | 0.50× |"));
    }
}
