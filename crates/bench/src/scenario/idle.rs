//! Start and rest: how long until ready, and what each takes while nothing is asked of it.

use anyhow::Result;
use serde::Serialize;
use tokio::time::sleep;

use super::{Folders, OURS, Stage};
use crate::contender;
use crate::program::Program;
use crate::report::{Measured, megabytes, table};
use crate::usage;
use crate::world::World;

/// What was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Idle {
    /// Switchboard with all accounts of the world.
    pub(crate) ours: AtRest,
    /// The baseline, which has one account in a process.
    pub(crate) baseline: AtRest,
}

/// One program at rest.
#[derive(Debug, Serialize)]
pub(crate) struct AtRest {
    pub(crate) accounts: usize,
    /// From the start until it takes requests, in milliseconds.
    pub(crate) ready_after: u128,
    /// From the start until all of its accounts are ready, in milliseconds.
    pub(crate) accounts_ready_after: u128,
    /// Kilobytes.
    pub(crate) memory: u64,
    /// Milliseconds of processor time in a second.
    pub(crate) processor: f64,
}

impl Measured for Idle {
    fn text(&self) -> String {
        let Self { ours, baseline } = self;
        let rows = [
            format!("| accounts | {} | {} |", ours.accounts, baseline.accounts),
            format!("| start to ready, ms | {} | {} |", ours.ready_after, baseline.ready_after),
            format!(
                "| start to all accounts ready, ms | {} | {} |",
                ours.accounts_ready_after, baseline.accounts_ready_after
            ),
            format!("| memory at rest, MB | {} | {} |", megabytes(ours.memory), megabytes(baseline.memory)),
            format!("| CPU at rest, ms a second | {:.1} | {:.1} |", ours.processor, baseline.processor),
        ];
        format!("## Start and rest\n\n{}", table("| | Switchboard | Flask + Telethon |", rows))
    }
}

/// Runs the scenario.
pub(crate) async fn run(stage: &Stage) -> Result<Idle> {
    let folders = Folders::fresh(&stage.work, "idle")?;
    let world = World::start(&stage.switchboard, &folders.world, &folders.logs, super::DIALOGS).await?;

    let switchboard =
        contender::switchboard(&stage.switchboard, &world, &[], &folders.data, &folders.logs).await?;
    let (memory, processor) = rest(stage, &switchboard.contender.program).await?;
    let ours = AtRest {
        accounts: switchboard.accounts,
        ready_after: switchboard.contender.ready_after.as_millis(),
        accounts_ready_after: switchboard.accounts_ready_after.as_millis(),
        memory,
        processor,
    };
    // Only now may the baseline use the key of one of these accounts.
    switchboard.contender.program.stop().await?;

    let account = world.account(OURS)?;
    let contender = contender::baseline(&stage.python, &stage.baseline, account, &folders.logs).await?;
    let (memory, processor) = rest(stage, &contender.program).await?;
    let ready = contender.ready_after.as_millis();
    let baseline = AtRest { accounts: 1, ready_after: ready, accounts_ready_after: ready, memory, processor };
    contender.program.stop().await?;
    world.stop().await?;
    Ok(Idle { ours, baseline })
}

/// The memory after a rest, and the processor time taken by it.
async fn rest(stage: &Stage, program: &Program) -> Result<(u64, f64)> {
    let before = stage.ticks.processor(program.pid())?;
    sleep(stage.pace.rest).await;
    let used = stage.ticks.processor(program.pid())? - before;
    let memory = usage::memory(program.pid())?;
    Ok((memory.now, used.as_secs_f64() * 1000.0 / stage.pace.rest.as_secs_f64()))
}
