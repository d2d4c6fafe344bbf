//! One caller: what Switchboard adds to a send, over the bare client library against the same world.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::Value;

use super::{Folders, OURS, Stage, bare_library};
use crate::contender;
use crate::latency::{Latencies, Summary};
use crate::ledger::{Audit, Claim};
use crate::library::{Library, Person};
use crate::load::{self, Door, Stretch};
use crate::report::{Goal, Measured, milliseconds, quantiles, table};
use crate::world::World;

/// The three ways by turns, so often.
const BLOCKS: usize = 5;

/// A block may take this long; it takes a second.
const TIMEOUT: Duration = Duration::from_mins(2);

/// Less than this is added to one send at p50, in microseconds.
const ADDED: u32 = 1_000;

/// What was measured, in microseconds.
#[derive(Debug, Serialize)]
pub(crate) struct AddedLatency {
    /// `messages.sendMessage` through the library alone.
    pub(crate) library: Summary,
    /// `POST /send_text`.
    pub(crate) send_text: Summary,
    /// `POST /v1/messages`.
    pub(crate) messages: Summary,
    pub(crate) audit: Audit,
    /// Methods that the world did not know.
    pub(crate) unknown_methods: Vec<Value>,
}

impl AddedLatency {
    fn plus(&self, times: Summary) -> u32 {
        times.p50.saturating_sub(self.library.p50)
    }
}

impl Measured for AddedLatency {
    fn text(&self) -> String {
        let row =
            |name: &str, times: Summary, plus: &str| format!("| {name} | {} | {plus} |", quantiles(times));
        let rows = [
            row("the client library alone", self.library, ""),
            row("`POST /send_text`", self.send_text, &milliseconds(self.plus(self.send_text))),
            row("`POST /v1/messages`", self.messages, &milliseconds(self.plus(self.messages))),
        ];
        format!(
            "## What is added to one send\n\nOne caller, one send after the other, {} of each kind by turns. The write to \
             the disk is in it.\n\n{}",
            self.library.count,
            table("| | p50, ms | p90, ms | p99, ms | added at p50, ms |", rows)
        )
    }

    fn goals(&self) -> Vec<Goal> {
        let added = |what, times: Summary| {
            let plus = self.plus(times);
            let wanted = format!("< {} ms", milliseconds(ADDED));
            Goal::new(what, wanted, format!("{} ms", milliseconds(plus)), times.count > 0 && plus < ADDED)
        };
        vec![
            added("added by `POST /send_text`, p50", self.send_text),
            added("added by `POST /v1/messages`, p50", self.messages),
            Goal::once("sent by one caller, and in the ledger exactly once", &self.audit),
        ]
    }

    fn unknown_methods(&self) -> Vec<&Value> {
        self.unknown_methods.iter().collect()
    }
}

/// Runs the scenario.
pub(crate) async fn run(stage: &Stage) -> Result<AddedLatency> {
    let folders = Folders::fresh(&stage.work, "added_latency")?;
    let mut world = World::start(&stage.switchboard, &folders.world, &folders.logs, super::DIALOGS).await?;
    let (library, clients) = bare_library(&world).await?;
    let chats: Vec<i64> = clients.iter().map(|client| client.user_id).collect();
    let ours =
        contender::switchboard(&stage.switchboard, &world, &[OURS], &folders.data, &folders.logs).await?;

    let mut times = [Latencies::default(), Latencies::default(), Latencies::default()];
    let mut audit = Audit::default();
    for block in 0..=BLOCKS {
        let mut claims = Vec::new();
        let label = |route: &str| format!("{route}-{block}");
        let (library_times, library_claims) =
            bare(&library, &clients, stage.pace.sends, &label("bare")).await?;
        claims.extend(library_claims);
        let mut seen = vec![library_times];
        for (door, address, label) in [
            (Door::SendText, ours.contender.send_text, label("legacy")),
            (Door::Messages, ours.main, label("v1")),
        ] {
            let stretch = Stretch {
                address,
                door,
                headers: contender::authorization(),
                callers: 1,
                keep: true,
                lasts: TIMEOUT,
                at_most: stage.pace.sends,
                label,
            };
            let through = load::run(stretch, &chats).await?;
            if let Some(failure) = through.first_failure {
                bail!(
                    "{door:?}: {} of {} sends failed, first: {failure}",
                    through.failures,
                    stage.pace.sends
                );
            }
            seen.push(through.latencies);
            claims.extend(through.claims);
        }
        let rows = new_rows(&mut world).await?;
        // The first block is the warm-up.
        if block > 0 {
            audit.add(&Audit::of(&claims, &rows));
            for (times, seen) in times.iter_mut().zip(&seen) {
                times.extend(seen);
            }
        }
    }
    ours.contender.program.stop().await?;
    drop(library);
    let unknown_methods = world.unknown_methods().await?;
    world.stop().await?;
    let [library, send_text, messages] = times.map(|times| times.summary());
    Ok(AddedLatency { library, send_text, messages, audit, unknown_methods })
}

async fn new_rows(world: &mut World) -> Result<Vec<crate::ledger::Row>> {
    world.new_rows().await.context("the ledger of one caller")
}

async fn bare(
    library: &Library,
    to: &[Person],
    count: usize,
    label: &str,
) -> Result<(Latencies, Vec<Claim>)> {
    let mut times = Latencies::default();
    let mut claims = Vec::with_capacity(count);
    for (turn, person) in (0..count).zip(to.iter().cycle()) {
        let text = format!("Message {label}-{turn}: your parcel is on its way.");
        let random_id = getrandom::u64().context("the system has no random numbers")?.cast_signed();
        let requested_at = Instant::now();
        let message_id = library.send(*person, &text, random_id).await?;
        times.add(requested_at.elapsed());
        claims.push(Claim { text, message_id });
    }
    Ok((times, claims))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::assert_missed;

    #[test]
    fn a_millisecond_more_is_too_much() {
        let summary = |p50| Summary { count: 10, p50, ..Summary::default() };
        let added = |messages| AddedLatency {
            library: summary(500),
            send_text: summary(1_499),
            messages: summary(messages),
            audit: Audit { confirmed: 30, ..Audit::default() },
            unknown_methods: Vec::new(),
        };
        assert_missed(&added(1_499), 0);
        assert_missed(&added(1_500), 1);
        assert!(added(1_300).text().contains("| `POST /v1/messages` | 1.30 | 0.00 | 0.00 | 0.80 |"));
    }
}
