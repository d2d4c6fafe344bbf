//! The dashboard with thousands of accounts and the beats of two days: how soon a page is there, how soon a pressed button
//! shows, what a page weighs, and what one that is left open costs the server.

mod beats;
pub(crate) mod page;
mod press;
mod report;

use std::time::Duration;

use anyhow::{Result, bail};
use serde::Serialize;
use tokio::time::sleep;

use super::{Folders, Stage};
use crate::browser::Browser;
use crate::contender::{self, Switchboard};
use crate::latency::Summary;
use crate::usage;
use crate::world::World;

use page::Weight;

/// The least dialogs that the world gives each account.
const DIALOGS_EACH: usize = 30;

/// How long everything is left alone before it is measured: the first rounds of beats are over then.
const CALM: Duration = Duration::from_secs(45);

/// What was measured.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Dashboard {
    /// Accounts, each with a connection of its own, all of them ready.
    pub(crate) accounts: usize,
    /// Cards that have beats, and minutes in the file.
    pub(crate) cards: usize,
    pub(crate) beats: u64,
    /// The size of the file, in bytes, and the seconds that writing it took.
    pub(crate) file: u64,
    pub(crate) filled_in: f64,
    /// From a start on all this until it takes requests, and until all accounts are ready, in milliseconds.
    pub(crate) ready_after: u128,
    pub(crate) accounts_ready_after: u128,
    /// From the start of the navigation to the largest paint: nothing kept by the browser, and its files kept.
    pub(crate) first_visit: Summary,
    pub(crate) later_visit: Summary,
    /// From the request for the page to the last byte of it.
    pub(crate) server: Summary,
    /// What came over the wire on a first visit.
    pub(crate) weight: Weight,
    /// Minutes that the strip of one card showed.
    pub(crate) minutes_shown: u64,
    /// From a press to what it changed, painted.
    pub(crate) presses: Vec<Press>,
    /// Milliseconds of the server's processor time in a second, without and with a page open.
    pub(crate) alone: f64,
    pub(crate) watched: f64,
    /// Kilobytes of the server at the end, and at most.
    pub(crate) memory: u64,
    pub(crate) memory_highest: u64,
    /// Methods that the world did not know.
    pub(crate) unknown_methods: Vec<serde_json::Value>,
}

impl Dashboard {
    /// Of each thing the p90 of its presses, of all things the most; and the slowest press of all, in microseconds.
    pub(crate) fn slowest(&self) -> (u32, u32) {
        let most = |of: fn(&Summary) -> u32| self.presses.iter().map(|press| of(&press.times)).max();
        (most(|times| times.p90).unwrap_or(0), most(|times| times.max).unwrap_or(0))
    }

    /// How often something was pressed.
    pub(crate) fn pressed(&self) -> usize {
        self.presses.iter().map(|press| press.times.count).sum()
    }
}

/// Something that can be pressed.
#[derive(Debug, Serialize)]
pub(crate) struct Press {
    pub(crate) what: &'static str,
    pub(crate) times: Summary,
}

/// Runs the scenario.
pub(crate) async fn run(stage: &Stage) -> Result<Dashboard> {
    let folders = Folders::fresh(&stage.work, "dashboard")?;
    let accounts = stage.pace.accounts;
    let dialogs = accounts * DIALOGS_EACH;
    let world = World::of_size(&stage.switchboard, &folders.world, &folders.logs, accounts, dialogs).await?;
    let mut found = Dashboard::default();

    let mut first =
        contender::switchboard(&stage.switchboard, &world, &[], &folders.data, &folders.logs).await?;
    first.all_read().await?;
    sleep(CALM).await;
    first.contender.program.stop().await?;
    let filled = beats::fill(&folders.data, stage.pace.beats).await?;
    (found.cards, found.beats, found.file) = (filled.cards, filled.beats, filled.bytes);
    found.filled_in = filled.took.as_secs_f64();

    let ours =
        contender::switchboard_again(&stage.switchboard, &world, &[], &folders.data, &folders.logs).await?;
    found.accounts = ours.accounts;
    found.ready_after = ours.contender.ready_after.as_millis();
    found.accounts_ready_after = ours.accounts_ready_after.as_millis();
    sleep(CALM).await;
    let browser = Browser::start(&folders.world, &folders.logs).await?;
    look(stage, &browser, &ours, &mut found).await?;
    leave_open(stage, &browser, &ours, &mut found).await?;
    let base = format!("http://{}", ours.main);
    let reload = press::reload(&browser, &base, stage.pace.presses, stage.pace.rest);
    found.presses.push(reload.await?);
    browser.close().await?;

    let memory = usage::memory(ours.contender.program.pid())?;
    (found.memory, found.memory_highest) = (memory.now, memory.highest);
    ours.contender.program.stop().await?;
    found.unknown_methods = world.unknown_methods().await?;
    world.stop().await?;
    Ok(found)
}

/// Signs in, looks at the first page again and again, and presses its buttons.
async fn look(stage: &Stage, browser: &Browser, ours: &Switchboard, found: &mut Dashboard) -> Result<()> {
    let base = format!("http://{}", ours.main);
    page::sign_in(browser, &base).await?;
    let visits = page::visit(browser, &base, stage.pace.presses).await?;
    found.first_visit = visits.first.summary();
    found.later_visit = visits.later.summary();
    found.server = visits.server.summary();
    found.weight = visits.weight;
    found.minutes_shown = visits.minutes_shown;
    if visits.cards == 0 {
        bail!("the first page shows no cards");
    }
    found.presses = press::all(browser, &base, stage.pace.presses).await?;
    Ok(())
}

/// What a page that is left open costs.
async fn leave_open(
    stage: &Stage,
    browser: &Browser,
    ours: &Switchboard,
    found: &mut Dashboard,
) -> Result<()> {
    let pid = ours.contender.program.pid();
    let spent = async |open: &str| {
        browser.open(open).await?;
        // The loading of the page is over, and what was pressed before has calmed down.
        sleep(stage.pace.rest).await;
        let before = stage.ticks.processor(pid)?;
        sleep(stage.pace.watched).await;
        let spent = stage.ticks.processor(pid)? - before;
        anyhow::Ok(spent.as_secs_f64() * 1e3 / stage.pace.watched.as_secs_f64())
    };
    found.alone = spent("about:blank").await?;
    found.watched = spent(&format!("http://{}/", ours.main)).await?;
    Ok(())
}
