//! Bringing an old installation over: a hundred session files with thousands of peers each, as Telethon leaves them.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::{Folders, Stage};
use crate::contender::{self, authorization};
use crate::http;
use crate::program::{empty_folder, isolated_command};
use crate::report::{Goal, Measured, table};
use crate::world::World;

pub(crate) const SESSIONS: usize = 100;

pub(crate) const PEERS: usize = 4_000;

/// The longest that an import may take, in milliseconds.
const TOOK: u128 = 10_000;

/// The least that each file has, in bytes.
const LEAST: u64 = 1 << 20;

/// How long the import may take before it is given up.
const TIMEOUT: Duration = Duration::from_mins(5);

/// What was measured.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Import {
    /// The size of all files, in bytes.
    pub(crate) bytes: u64,
    /// From the command to its end, in milliseconds.
    pub(crate) took: u128,
    /// Milliseconds of the server's processor time.
    pub(crate) processor: u128,
    /// Accounts that the server knows afterwards, and the peers that they know.
    pub(crate) accounts: usize,
    pub(crate) peers: u64,
    /// Methods that the world did not know.
    pub(crate) unknown_methods: Vec<Value>,
}

impl Measured for Import {
    fn text(&self) -> String {
        let row = format!("| {} | {} | {} | {} |", self.took, self.processor, self.accounts, self.peers);
        format!(
            "## Importing {SESSIONS} session files\n\n`switchboard account import` while `up` runs. Telethon made the files; \
             each has a key and {PEERS} peers, {} MB in all. Whose each is, is asked of Telegram.\n\n{}",
            self.bytes / 1_000_000,
            table("| took, ms | CPU, ms | accounts | peers known |", [row])
        )
    }

    fn goals(&self) -> Vec<Goal> {
        let peers = (SESSIONS * PEERS) as u64;
        vec![
            Goal::new(
                "import of 100 sessions",
                format!("< {TOOK} ms"),
                format!("{} ms", self.took),
                self.took > 0 && self.took < TOOK,
            ),
            Goal::new(
                "… accounts, and peers that they know",
                format!("{SESSIONS}, ≥ {peers}"),
                format!("{}, {}", self.accounts, self.peers),
                self.accounts == SESSIONS && self.peers >= peers,
            ),
        ]
    }

    fn unknown_methods(&self) -> Vec<&Value> {
        self.unknown_methods.iter().collect()
    }
}

/// Runs the scenario.
pub(crate) async fn run(stage: &Stage) -> Result<Import> {
    let folders = Folders::fresh(&stage.work, "import")?;
    // Few dialogs: what the server does once the accounts are there is not what is measured.
    let world =
        World::of_size(&stage.switchboard, &folders.world, &folders.logs, SESSIONS, super::DIALOGS).await?;
    let old = stage.work.join("import").join("old");
    empty_folder(&old)?;
    make_sessions(stage, &world, &old).await?;
    let mut found = Import::default();
    for entry in std::fs::read_dir(&old)? {
        let length = entry?.metadata()?.len();
        if length < LEAST {
            bail!("a session file has {length} bytes, and {LEAST} are wanted");
        }
        found.bytes += length;
    }
    let ours = contender::without_accounts(&stage.switchboard, &world, &folders.data, &folders.logs).await?;
    let pid = ours.program.pid();
    let account = world.accounts().first().context("the world has no accounts")?;
    let used = stage.ticks.processor_alone(pid)?;
    let mut command = isolated_command(&stage.switchboard);
    command
        .args(["account", "import"])
        .arg(&old)
        .args([
            "--yes",
            "--json",
            "--api-id",
            &account.api_id.to_string(),
            "--api-hash-env",
            "BENCH_API_HASH",
        ])
        .arg("--config")
        .arg(&ours.settings)
        .arg("--data-dir")
        .arg(&folders.data)
        .env("BENCH_API_HASH", &account.api_hash)
        .stdin(Stdio::null());
    let requested_at = Instant::now();
    let mut command = tokio::process::Command::from(command);
    let output =
        timeout(TIMEOUT, command.kill_on_drop(true).output()).await.context("the import does not end")??;
    found.took = requested_at.elapsed().as_millis();
    if !output.status.success() {
        bail!("the import ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    found.processor = (stage.ticks.processor_alone(pid)? - used).as_millis();
    let accounts: Value = http::get(ours.main, "/v1/accounts?limit=500", &authorization()).await?;
    let items = accounts["items"].as_array().context("/v1/accounts has no items")?;
    found.accounts = items.iter().filter(|account| account["user_id"].is_i64()).count();
    found.peers = items.iter().filter_map(|account| account["cached_peers"].as_u64()).sum();
    ours.program.stop().await?;
    found.unknown_methods = world.unknown_methods().await?;
    world.stop().await?;
    Ok(found)
}

/// Has Telethon write the files.
async fn make_sessions(stage: &Stage, world: &World, folder: &Path) -> Result<()> {
    let mut command = isolated_command(&stage.python);
    command
        .arg(stage.baseline.join("sessions.py"))
        .arg(folder)
        .arg(PEERS.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::null());
    let mut child =
        tokio::process::Command::from(command).kill_on_drop(true).spawn().context("cannot start Python")?;
    let mut stdin = child.stdin.take().context("Python takes nothing")?;
    for account in world.accounts() {
        let line = json!({
            "name": account.name, "dc_id": account.dc_id, "host": account.host, "port": account.port,
            "auth_key": account.auth_key,
        });
        stdin.write_all(format!("{line}\n").as_bytes()).await?;
    }
    drop(stdin);
    let status = timeout(TIMEOUT, child.wait()).await.context("Python does not end")??;
    if status.success() { Ok(()) } else { bail!("the session files were not made: {status}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::assert_missed;

    #[test]
    fn each_goal_can_be_missed() {
        let import = |took, accounts, peers| Import { took, accounts, peers, ..Import::default() };
        assert_missed(&import(9_999, 100, 400_000), 0);
        assert_missed(&import(10_000, 99, 399_999), 2);
    }
}
