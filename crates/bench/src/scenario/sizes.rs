//! Two sizes: the owner's, and a hundred accounts. How gently the first reading of the dialogs goes, how quick a start is
//! that knows them, what rest takes.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;
use tokio::time::sleep;

use super::{Folders, Stage};
use crate::contender;
use crate::report::{Goal, Measured, megabytes, table};
use crate::usage;
use crate::world::World;

/// The call that reads dialogs.
const READING: &str = "messages.getDialogs";

/// The dialogs over all accounts.
pub(crate) const DIALOGS: usize = 4_000;

/// A call of the first reading may bring this many dialogs.
const DIALOGS_OF_A_CALL: u64 = 100;

/// What was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Sizes {
    /// Five accounts with ten sessions.
    pub(crate) owner: Size,
    /// A hundred accounts with a session each.
    pub(crate) hundred: Size,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct Size {
    pub(crate) accounts: usize,
    /// Dialogs that were asked for; the world gives each account some, so there may be more.
    pub(crate) dialogs: usize,
    /// Calls of the first reading.
    pub(crate) first_reading: u64,
    /// From a start that knows the dialogs until it takes requests, in milliseconds.
    pub(crate) ready_after: u128,
    /// From that start until all accounts are ready, in milliseconds.
    pub(crate) accounts_ready_after: u128,
    /// Calls that read dialogs in that run.
    pub(crate) reading_again: u64,
    /// Kilobytes after the first reading, and at rest after the start that knew everything.
    pub(crate) memory_after_reading: u64,
    pub(crate) memory_at_rest: u64,
    /// Methods that the world did not know.
    pub(crate) unknown_methods: Vec<Value>,
}

impl Measured for Sizes {
    fn text(&self) -> String {
        let Self { owner, hundred } = self;
        let rows = [
            ("calls of the first reading", owner.first_reading.into(), hundred.first_reading.into()),
            ("start with all known, to ready, ms", owner.ready_after, hundred.ready_after),
            ("… to all accounts ready, ms", owner.accounts_ready_after, hundred.accounts_ready_after),
            ("calls that read dialogs in it", owner.reading_again.into(), hundred.reading_again.into()),
        ]
        .map(|(name, owner, hundred): (_, u128, u128)| format!("| {name} | {owner} | {hundred} |"));
        let memory = [
            (
                "anonymous memory after the first reading, MB",
                owner.memory_after_reading,
                hundred.memory_after_reading,
            ),
            ("anonymous memory at rest, MB", owner.memory_at_rest, hundred.memory_at_rest),
        ]
        .map(|(name, owner, hundred)| format!("| {name} | {} | {} |", megabytes(owner), megabytes(hundred)));
        let header = format!("| | 5 accounts, 10 sessions | {} accounts |", hundred.accounts);
        format!(
            "## Sizes\n\n{} dialogs over all accounts; a hundred accounts have more, as each has its own customers.\n\n{}",
            owner.dialogs,
            table(&header, rows.into_iter().chain(memory))
        )
    }

    fn goals(&self) -> Vec<Goal> {
        let mut goals = self.owner.goals("5 accounts", 1_000, 40 * 1_024);
        goals.extend(self.hundred.goals("100 accounts", 2_000, 64 * 1_024));
        goals
    }

    fn unknown_methods(&self) -> Vec<&Value> {
        self.owner.unknown_methods.iter().chain(&self.hundred.unknown_methods).collect()
    }
}

impl Size {
    /// The goals of so many accounts: milliseconds until all are ready, and kilobytes.
    fn goals(&self, accounts: &str, start: u128, memory: u64) -> Vec<Goal> {
        let most = self.memory_after_reading.max(self.memory_at_rest);
        // The last page of each account is not full.
        let calls = (self.dialogs as u64).div_ceil(DIALOGS_OF_A_CALL) + self.accounts as u64;
        let mut memory = Goal::memory(format!("anonymous memory of {accounts}"), memory, most);
        memory.met &= most > 0;
        vec![
            Goal::new(
                format!("start of {accounts} that know all"),
                format!("< {start} ms"),
                format!("{} ms", self.accounts_ready_after),
                self.accounts_ready_after > 0 && self.accounts_ready_after < start,
            ),
            Goal::new(
                "… and its calls that read dialogs",
                "0",
                self.reading_again,
                self.accounts > 0 && self.reading_again == 0,
            ),
            memory,
            Goal::new(
                format!("first reading of {accounts}"),
                format!("≤ {calls} calls"),
                format!("{} calls", self.first_reading),
                self.first_reading > 0 && self.first_reading <= calls,
            ),
        ]
    }
}

/// Runs the scenario.
pub(crate) async fn run(stage: &Stage) -> Result<Sizes> {
    Ok(Sizes {
        owner: one(stage, "size_owner", 5, &["backup_1", "fifth"]).await?,
        hundred: one(stage, "size_hundred", 100, &[]).await?,
    })
}

/// One size, in a world of its own. The main account has four sessions, the others one, and `more` one more each.
async fn one(stage: &Stage, name: &str, accounts: usize, more: &[&str]) -> Result<Size> {
    let folders = Folders::fresh(&stage.work, name)?;
    let world = World::of_size(&stage.switchboard, &folders.world, &folders.logs, accounts, DIALOGS).await?;
    if !more.is_empty() {
        world.give_more_sessions(more)?;
    }
    let mut size = Size { dialogs: DIALOGS, ..Size::default() };

    let mut first =
        contender::switchboard(&stage.switchboard, &world, &[], &folders.data, &folders.logs).await?;
    first.all_read().await?;
    sleep(stage.pace.rest).await;
    size.accounts = first.accounts;
    size.first_reading = world.calls(READING).await?;
    size.memory_after_reading = usage::memory(first.contender.program.pid())?.anonymous;
    first.contender.program.stop().await?;

    world.forget_calls().await?;
    // The data is on the disk, and the world has seen the sessions go.
    sleep(Duration::from_secs(1)).await;
    let mut again =
        contender::switchboard_again(&stage.switchboard, &world, &[], &folders.data, &folders.logs).await?;
    again.all_read().await?;
    size.ready_after = again.contender.ready_after.as_millis();
    size.accounts_ready_after = again.accounts_ready_after.as_millis();
    sleep(stage.pace.rest).await;
    size.reading_again = world.calls(READING).await?;
    size.memory_at_rest = usage::memory(again.contender.program.pid())?.anonymous;
    again.contender.program.stop().await?;
    size.unknown_methods = world.unknown_methods().await?;
    world.stop().await?;
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::assert_missed;

    #[test]
    fn each_goal_can_be_missed() {
        let size = |accounts, ready, memory, again| Size {
            accounts,
            dialogs: 4_000,
            first_reading: 40 + accounts as u64,
            accounts_ready_after: ready,
            memory_at_rest: memory,
            reading_again: again,
            ..Size::default()
        };
        let good = Sizes { owner: size(5, 999, 40_959, 0), hundred: size(100, 1_999, 65_535, 0) };
        assert_missed(&good, 0);
        let mut bad = Sizes { owner: size(5, 1_000, 40_960, 1), hundred: size(100, 2_000, 65_536, 1) };
        bad.owner.first_reading += 1;
        bad.hundred.first_reading += 1;
        assert_missed(&bad, 8);
        assert_missed(&Sizes { owner: Size::default(), hundred: Size::default() }, 8);
    }
}
