//! A hundred accounts, each of which sends a file: how much memory is back a while later.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Folders, Stage, upload};
use crate::contender::{self, authorization};
use crate::report::{Goal, Measured, megabytes, table};
use crate::world::World;
use crate::{http, usage};

pub(crate) const ACCOUNTS: usize = 100;

/// The size of each file, in bytes.
pub(crate) const SIZE: u64 = 1_000_000;

/// How long is looked at most.
pub(crate) const LOOKED: Duration = Duration::from_mins(1);

/// What is left a minute after the files, in kilobytes.
const AFTER: u64 = 80 * 1_024;

/// What was measured.
#[derive(Debug, Default, Serialize)]
pub(crate) struct ManyFiles {
    pub(crate) accounts: usize,
    pub(crate) sent: usize,
    /// Kilobytes before the first file, at most, and a minute after the last one.
    pub(crate) memory_before: u64,
    pub(crate) memory_highest: u64,
    pub(crate) memory_after: u64,
    /// Methods that the world did not know.
    pub(crate) unknown_methods: Vec<Value>,
}

impl Measured for ManyFiles {
    fn text(&self) -> String {
        let rows = [
            format!("| before | {} |", megabytes(self.memory_before)),
            format!("| at most | {} |", megabytes(self.memory_highest)),
            format!("| {} s after the last one | {} |", LOOKED.as_secs(), megabytes(self.memory_after)),
        ];
        let (accounts, size) = (self.accounts, SIZE / 1_000_000);
        format!(
            "## {accounts} accounts, each sends a file of {size} MB\n\n{}",
            table("| memory | MB |", rows)
        )
    }

    fn goals(&self) -> Vec<Goal> {
        let mut memory =
            Goal::memory("memory a minute after 100 accounts sent a file each", AFTER, self.memory_after);
        memory.met &= self.memory_after > 0;
        let whole = Goal::new(
            "… and files that arrived whole",
            "all",
            format!("{} of {}", self.sent, self.accounts),
            self.sent > 0 && self.sent == self.accounts,
        );
        vec![memory, whole]
    }

    fn unknown_methods(&self) -> Vec<&Value> {
        self.unknown_methods.iter().collect()
    }
}

/// Runs the scenario.
pub(crate) async fn run(stage: &Stage) -> Result<ManyFiles> {
    let folders = Folders::fresh(&stage.work, "many_files")?;
    let world =
        World::of_size(&stage.switchboard, &folders.world, &folders.logs, ACCOUNTS, super::sizes::DIALOGS)
            .await?;
    let mut ours =
        contender::switchboard(&stage.switchboard, &world, &[], &folders.data, &folders.logs).await?;
    ours.all_read().await?;
    sleep(stage.pace.rest).await;
    let pid = ours.contender.program.pid();
    let mut found = ManyFiles { memory_before: usage::memory(pid)?.now, ..ManyFiles::default() };
    let media = folders.data.join("media");
    fs::create_dir_all(&media).context("cannot make the media folder")?;
    let accounts: Value = http::get(ours.main, "/v1/accounts?limit=500", &authorization()).await?;
    let names = accounts["items"].as_array().context("/v1/accounts has no items")?;
    for name in names.iter().filter_map(|account| account["name"].as_str()) {
        let path = upload::file(&media, name, SIZE)?;
        let media = json!([{ "path": path, "as": "document" }]);
        let body = json!({ "chat": "@client_1", "account": name, "media": media, "wait": 100 });
        let answer = http::post(ours.main, "/v1/messages", &authorization(), &body).await?;
        if answer["state"] != "sent" {
            bail!("/v1/messages says {answer}");
        }
        found.accounts += 1;
    }
    let ended = Instant::now();
    found.memory_highest = usage::memory(pid)?.highest;
    sleep(LOOKED.saturating_sub(ended.elapsed())).await;
    found.memory_after = usage::memory(pid)?.now;
    found.sent = world.files().await?.iter().filter(|file| file["size"].as_u64() == Some(SIZE)).count();
    ours.contender.program.stop().await?;
    found.unknown_methods = world.unknown_methods().await?;
    world.stop().await?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::assert_missed;

    #[test]
    fn each_goal_can_be_missed() {
        let many =
            |memory_after, sent| ManyFiles { accounts: 100, sent, memory_after, ..ManyFiles::default() };
        assert_missed(&many(AFTER - 1, 100), 0);
        assert_missed(&many(AFTER, 99), 2);
    }
}
