//! Two sizes: the owner's, and a hundred accounts. How gently the first reading of the dialogs goes, how quick a start is
//! that knows them, what rest takes.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use tokio::time::sleep;

use super::{Folders, Stage};
use crate::contender;
use crate::usage;
use crate::world::World;

/// The call that reads dialogs.
const READING: &str = "messages.getDialogs";

/// The dialogs over all accounts.
pub(crate) const DIALOGS: usize = 4_000;

/// What was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Sizes {
    /// Five accounts with ten sessions.
    pub(crate) owner: Size,
    /// A hundred accounts with a session each.
    pub(crate) hundred: Size,
}

/// One size.
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
    pub(crate) unknown_methods: Vec<serde_json::Value>,
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
    size.memory_after_reading = usage::memory(first.contender.program.pid())?.now;
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
    size.memory_at_rest = usage::memory(again.contender.program.pid())?.now;
    again.contender.program.stop().await?;
    size.unknown_methods = world.unknown_methods().await?;
    world.stop().await?;
    Ok(size)
}
