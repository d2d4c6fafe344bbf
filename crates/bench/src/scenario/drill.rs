//! The drill: a campaign of a hundred thousand messages through fifty accounts, killed twenty times, while the clock of the program is
//! moved through the days that its caps make of it. What is counted at the end: ends, doubles, and the fullest hour.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Folders, SQLITE, Stage};
use crate::contender::{self, Switchboard, authorization};
use crate::report::{Goal, Measured, table};
use crate::world::World;
use crate::{http, program};

const PATH: &str = "/v1/campaigns/drill";

/// Recipients: clients, and guests of the pretend world.
const CLIENTS: usize = 64;
const GUESTS: usize = 186;
const CHATS: usize = CLIENTS + GUESTS;

/// What an account may send in an hour.
const CAP: usize = 25;
const HOUR: i64 = 3_600_000_000;

/// How far the clock is moved when no account may send, and how long nothing is sent before.
const STEP: Duration = Duration::from_mins(10);
const QUIET: Duration = Duration::from_millis(200);
/// How long nothing may come of it all.
const STUCK: Duration = Duration::from_mins(5);

/// How large a drill is.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Size {
    pub(crate) accounts: usize,
    pub(crate) runs: usize,
    pub(crate) cycles: usize,
    pub(crate) kills: usize,
}

impl Size {
    const fn all(self) -> usize {
        self.runs * self.cycles * CHATS
    }
}

/// What was found.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Drill {
    /// Recipients that had their turn: runs, times cycles, times chats.
    pub(crate) turns: usize,
    pub(crate) accounts: usize,
    pub(crate) kills: usize,
    /// Hours that the clock was moved.
    pub(crate) hours: u64,
    pub(crate) seconds: u64,
    /// Attempts by how they ended.
    pub(crate) sent: usize,
    pub(crate) unknown: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
    /// Attempts without an end.
    pub(crate) open: usize,
    /// Turns with two attempts that were sent, or may have been.
    pub(crate) doubled: usize,
    /// Chats that Telegram has more or fewer messages in than attempts say.
    pub(crate) at_odds: usize,
    /// What an account sent in its fullest hour.
    pub(crate) fullest_hour: usize,
}

impl Measured for Drill {
    fn text(&self) -> String {
        let Self { sent, unknown, failed, skipped, doubled, at_odds, fullest_hour, .. } = self;
        let row =
            format!("| {sent} | {unknown} | {failed} | {skipped} | {doubled} | {at_odds} | {fullest_hour} |");
        format!(
            "## A campaign that is killed again and again\n\n{} turns of {CHATS} chats through {} accounts, {CAP} an hour each, in a test \
             build whose clock was moved by {} hours; killed with SIGKILL {} times; {} seconds.\n\n{}",
            self.turns,
            self.accounts,
            self.hours,
            self.kills,
            self.seconds,
            table(
                "| sent | unknown | failed | skipped | two in a turn | chats at odds with the ledger | fullest hour of an account |",
                [row]
            )
        )
    }

    fn goals(&self) -> Vec<Goal> {
        let ended = self.sent + self.unknown;
        vec![
            Goal::new(
                format!("turns sent or unknown after {} kills", self.kills),
                self.turns,
                ended,
                self.open == 0 && ended == self.turns && self.turns > 0,
            ),
            Goal::new("turns of a drill with two messages", 0, self.doubled, self.doubled == 0),
            Goal::new("chats of a drill at odds with the ledger", 0, self.at_odds, self.at_odds == 0),
            Goal::new(
                "the fullest hour of an account in a drill",
                format!("≤ {CAP}"),
                self.fullest_hour,
                (1..=CAP).contains(&self.fullest_hour),
            ),
        ]
    }
}

/// The program, and how far the clock of its last start was moved.
struct Moved<'a> {
    stage: &'a Stage,
    world: &'a World,
    folders: &'a Folders,
    ours: Switchboard,
    by: Duration,
}

impl Moved<'_> {
    async fn advance(&self, by: Duration) -> Result<()> {
        let socket = self.folders.data.join("control.sock");
        let by = u64::try_from(by.as_millis())?;
        http::control(&socket, "/testing/clock", &json!({ "advance_ms": by })).await
    }

    /// SIGKILL, and a start at the time that the killed one had.
    async fn kill(self) -> Result<Self> {
        let Self { stage, world, folders, ours, by } = self;
        drop(ours);
        let ours = start(stage, world, folders).await?;
        let moved = Self { stage, world, folders, ours, by };
        moved.advance(by).await?;
        Ok(moved)
    }
}

async fn start(stage: &Stage, world: &World, folders: &Folders) -> Result<Switchboard> {
    let binary = stage.testing.as_deref().context("it needs a test build, whose clock can be moved")?;
    contender::switchboard_on(binary, world, &[], (&folders.data, SQLITE), &folders.logs).await
}

/// Runs the scenario.
pub(crate) async fn run(stage: &Stage) -> Result<Drill> {
    let size = stage.pace.drill;
    let folders = Folders::fresh(&stage.work, "drill")?;
    let (switchboard, logs) = (&stage.switchboard, &folders.logs);
    let mut world = World::of_size(switchboard, &folders.world, logs, size.accounts, super::DIALOGS).await?;
    program::empty_folder(&folders.data)?;
    let begun = Instant::now();
    let ours = start(stage, &world, &folders).await?;
    make(&ours, &world, size.cycles).await?;
    let mut moved = Moved { stage, world: &world, folders: &folders, ours, by: Duration::ZERO };
    let mut kills = 0;
    for run in 0..size.runs {
        let order = json!({ "new": true });
        http::post(moved.ours.main, &format!("{PATH}/start"), &authorization(), &order).await?;
        let (mut before, mut since) = (0, Instant::now());
        loop {
            let shown: Value = http::get(moved.ours.main, PATH, &authorization()).await?;
            let attempts = shown["run"]["attempts"].as_object().into_iter().flatten();
            let ended: u64 = attempts
                .filter(|(state, _)| *state != "claimed")
                .filter_map(|(_, count)| count.as_u64())
                .sum();
            if shown["run"]["state"] == "done" {
                break;
            }
            if shown["run"]["state"] != "running" || since.elapsed() > STUCK {
                bail!("it does not go on: {shown}");
            }
            let all = run * size.cycles * CHATS + usize::try_from(ended)?;
            if kills < size.kills && all > (kills + 1) * size.all() / (size.kills + 1) {
                kills += 1;
                moved = moved.kill().await?;
            } else if ended == before {
                // No account may send: the hours go by.
                moved.advance(STEP).await?;
                moved.by += STEP;
            }
            if ended != before {
                since = Instant::now();
            }
            before = ended;
            sleep(QUIET).await;
        }
    }
    let hours = moved.by.as_secs() / 3600;
    moved.ours.contender.program.stop().await?;
    let mut drill = Drill {
        turns: size.all(),
        accounts: size.accounts,
        kills,
        hours,
        seconds: begun.elapsed().as_secs(),
        ..Drill::default()
    };
    let mut written = BTreeMap::<String, usize>::new();
    for row in world.new_rows().await? {
        *written.entry(row.chat_id).or_default() += 1;
    }
    count(&folders.data, &written, &mut drill)?;
    world.stop().await?;
    Ok(drill)
}

/// A campaign with all accounts.
async fn make(ours: &Switchboard, world: &World, cycles: usize) -> Result<()> {
    let clients = (1..=CLIENTS).map(|number| format!("@client_{number}"));
    let guests = (1..=GUESTS).map(|number| format!("@guest_{number}"));
    let chats: Vec<_> = clients.chain(guests).collect();
    let accounts: Vec<_> = world.accounts().iter().map(|account| &account.name).collect();
    let settings = json!({
        "cycles": cycles, "cycle_delay_seconds": 0, "delay_seconds": 0, "max_messages_per_hour": CAP
    });
    for (path, body) in [
        ("/v1/campaigns".to_owned(), json!({ "name": "drill", "settings": settings })),
        (format!("{PATH}/senders"), json!({ "accounts": accounts })),
        (format!("{PATH}/messages"), json!({ "file": "[\"Hello\"]" })),
        (format!("{PATH}/tasks"), json!({ "file": chats.join("\n") })),
    ] {
        http::post(ours.main, &path, &authorization(), &body).await?;
    }
    Ok(())
}

/// Reads the attempts past the program. States: 0 claimed, 10 failed, 11 skipped, 12 unknown, 20 sent.
fn count(data: &Path, written: &BTreeMap<String, usize>, drill: &mut Drill) -> Result<()> {
    let store = rusqlite::Connection::open(data.join("switchboard.db"))?;
    let number = |statement: &str| -> Result<usize> {
        Ok(usize::try_from(store.query_row(statement, (), |row| row.get::<_, i64>(0))?)?)
    };
    let in_state =
        |state: u8| number(&format!("SELECT count(*) FROM campaign_attempts WHERE state = {state}"));
    (drill.open, drill.failed, drill.skipped) = (in_state(0)?, in_state(10)?, in_state(11)?);
    (drill.unknown, drill.sent) = (in_state(12)?, in_state(20)?);
    drill.doubled = number(
        "SELECT count(*) FROM (SELECT 1 FROM campaign_attempts WHERE state >= 12 GROUP BY run_id, cycle, peer HAVING count(*) > 1)",
    )?;
    let mut peers = BTreeMap::new();
    let mut statement = store.prepare(
        "SELECT peer, sum(state = 20), count(*) FROM campaign_attempts WHERE state >= 12 GROUP BY peer",
    )?;
    let rows = statement
        .query_map((), |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)))?;
    for row in rows {
        let (peer, sent, all) = row?;
        peers.insert(peer, usize::try_from(sent)?..=usize::try_from(all)?);
    }
    let fits = |(peer, times): (&String, &usize)| peers.get(peer).is_some_and(|range| range.contains(times));
    let unwritten = peers.iter().filter(|(peer, range)| *range.start() > 0 && !written.contains_key(*peer));
    drill.at_odds = written.iter().filter(|row| !fits(*row)).count() + unwritten.count();
    let mut statement = store.prepare(
        "SELECT sender, ended_at FROM campaign_attempts WHERE state >= 12 ORDER BY sender, ended_at",
    )?;
    let rows = statement.query_map((), |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
    let mut times = BTreeMap::<String, Vec<i64>>::new();
    for row in rows {
        let (sender, at) = row?;
        times.entry(sender).or_default().push(at);
    }
    drill.fullest_hour = times.values().map(|times| fullest(times)).max().unwrap_or_default();
    Ok(())
}

/// How many of these times, in their order, lie within an hour at most.
fn fullest(times: &[i64]) -> usize {
    let mut first = 0;
    let widths = times.iter().enumerate().map(|(last, at)| {
        while at - times[first] >= HOUR {
            first += 1;
        }
        last + 1 - first
    });
    widths.max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::assert_missed;

    #[test]
    fn the_fullest_hour_slides() {
        assert_eq!(fullest(&[]), 0);
        assert_eq!(fullest(&[0, HOUR - 1, HOUR, HOUR + 1]), 3);
    }

    #[test]
    fn a_double_or_a_full_hour_is_a_missed_goal() {
        let good = || Drill { turns: 10, sent: 9, unknown: 1, fullest_hour: CAP, ..Drill::default() };
        assert_missed(&good(), 0);
        let bad = Drill { doubled: 1, at_odds: 1, fullest_hour: CAP + 1, open: 1, ..good() };
        assert_missed(&bad, 4);
    }
}
