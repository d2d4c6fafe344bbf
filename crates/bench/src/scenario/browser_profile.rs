//! A campaign through one browser profile, beside a Playwright script on the same pretend Telegram Web K: messages a minute, and what the
//! browser takes of the memory with all that drives it.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use domain::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Folders, OURS, Stage, THEIRS};
use crate::contender::{self, authorization};
use crate::program::{Program, isolated_command};
use crate::report::{Goal, Measured, megabytes, table};
use crate::world::World;
use crate::{browser, http, usage};

/// The account whose owner logs in at the script's browser.
const SCRIPTED: &str = super::BARE;

const PROFILE: &str = "/v1/campaign-profiles/bench";
const CAMPAIGN: &str = "/v1/campaigns/bench";

/// How long a side may take.
const LIMIT: Duration = Duration::from_mins(15);
/// Between two looks at the memory.
const LOOK: Duration = Duration::from_millis(250);

/// What one side came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Side {
    pub(crate) sent: usize,
    pub(crate) seconds: f64,
    /// Kilobytes of the browser with all that drives it, at most.
    pub(crate) memory: u64,
}

impl Side {
    fn a_minute(self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "some dozens")]
        let sent = self.sent as f64;
        if self.seconds > 0.0 { sent * 60.0 / self.seconds } else { 0.0 }
    }

    fn row(self, name: &str) -> String {
        format!("| {name} | {} | {:.1} | {} |", self.sent, self.a_minute(), megabytes(self.memory))
    }
}

/// What was measured.
#[derive(Debug, Serialize)]
pub(crate) struct BrowserProfile {
    pub(crate) ours: Side,
    pub(crate) script: Side,
    pub(crate) chats: usize,
    /// Messages in the ledger.
    pub(crate) in_ledger: usize,
}

impl Measured for BrowserProfile {
    fn text(&self) -> String {
        format!(
            "## One browser profile\n\nThe same {} chats, one after the other, without a rest: found by name, opened, tested for what forbids to write, \
             written to, and followed until the server has the message. The script does what a script does: it searches, writes and waits for the \
             message, and tests nothing. Memory is that of the browser and of what drives it.\n\n{}",
            self.chats,
            table(
                "| | sent | messages a minute | memory, MB |",
                [self.ours.row("Switchboard"), self.script.row("Playwright")]
            )
        )
    }

    fn goals(&self) -> Vec<Goal> {
        vec![
            Goal::new(
                "messages through a browser profile, each in the ledger",
                2 * self.chats,
                self.in_ledger,
                self.ours.sent == self.chats && self.in_ledger == 2 * self.chats,
            ),
            Goal::memory(
                "memory of a browser profile, against a Playwright script",
                self.script.memory,
                self.ours.memory,
            ),
        ]
    }
}

/// Runs the scenario.
pub(crate) async fn run(stage: &Stage) -> Result<BrowserProfile> {
    let chats = stage.pace.browsed;
    let chromium = browser::found(&browser::NAMES)?;
    let folders = Folders::fresh(&stage.work, "browser_profile")?;
    let mut world = World::start(&stage.switchboard, &folders.world, &folders.logs, super::DIALOGS).await?;
    let names: Vec<_> = (1..=chats).map(|number| format!("client_{number}")).collect();
    let script = script(stage, &world, &folders, (&chromium, &names)).await.context("the script")?;
    world.browse(&chromium)?;
    let ours = ours(stage, &world, &folders, &names).await.context("the profile")?;
    let in_ledger = world.new_rows().await?.len();
    world.stop().await?;
    Ok(BrowserProfile { ours, script, chats, in_ledger })
}

/// What the script says in the end.
#[derive(Deserialize)]
struct ScriptReport {
    sent: usize,
    seconds: f64,
}

async fn script(
    stage: &Stage,
    world: &World,
    folders: &Folders,
    (chromium, names): (&str, &[String]),
) -> Result<Side> {
    let mut command = isolated_command(&stage.python);
    command
        .arg(stage.baseline.join("web_k.py"))
        .env("BASELINE_WEB_K", world.web_k().await?)
        .env("BASELINE_CHROMIUM", chromium)
        .env("BASELINE_PROFILE", folders.data.with_extension("script"))
        .env("BASELINE_CHATS", names.join(" "));
    let program = Program::start("script", command, &folders.logs)?;
    let log = folders.logs.join("script.log");
    let (begun, mut memory, mut logged_in) = (Instant::now(), 0, false);
    loop {
        let text = fs::read_to_string(&log)?;
        memory = memory.max(usage::memory(program.pid()).with_context(|| text.clone())?.now);
        if !logged_in && text.lines().any(|line| line == "code") {
            // A code that has expired meanwhile is followed by another.
            logged_in = world.scan(SCRIPTED).await.is_ok();
        }
        if let Some(ScriptReport { sent, seconds }) =
            text.lines().find_map(|line| serde_json::from_str(line).ok())
        {
            return Ok(Side { sent, seconds, memory });
        }
        if begun.elapsed() > LIMIT {
            bail!("it does not end: {text}");
        }
        sleep(LOOK).await;
    }
}

async fn ours(stage: &Stage, world: &World, folders: &Folders, names: &[String]) -> Result<Side> {
    let (data, logs) = (&folders.data, &folders.logs);
    let ours = contender::switchboard(&stage.switchboard, world, &[OURS], data, logs).await?;
    let (main, key, pid) = (ours.main, authorization(), ours.contender.program.pid());
    let alone = usage::memory(pid)?.now;
    http::put(main, PROFILE, &key, &json!({ "kind": "chromium" })).await?;
    let begun = Instant::now();
    loop {
        let seen = http::post(main, &format!("{PROFILE}/log-in"), &key, &json!({})).await?;
        match seen["state"].as_str() {
            Some("done") => break,
            Some("code") => drop(world.scan(THEIRS).await),
            _ if begun.elapsed() > LIMIT => bail!("it does not log in: {seen}"),
            _ => {}
        }
        sleep(LOOK).await;
    }
    let settings = json!({ "delay_seconds": 0, "max_messages_per_hour": 60 });
    let chats = names.iter().map(|name| format!("@{name}")).collect::<Vec<_>>().join("\n");
    for (path, body) in [
        ("/v1/campaigns", json!({ "name": "bench", "settings": settings })),
        ("/v1/campaigns/bench/senders", json!({ "profiles": ["bench"] })),
        ("/v1/campaigns/bench/messages", json!({ "file": "[\"Good day\"]" })),
        ("/v1/campaigns/bench/tasks", json!({ "file": chats })),
        ("/v1/campaigns/bench/start", json!({})),
    ] {
        http::post(main, path, &key, &body).await?;
    }
    let (begun, mut memory) = (Instant::now(), 0);
    loop {
        let shown: Value = http::get(main, CAMPAIGN, &key).await?;
        memory = memory.max(usage::memory(pid)?.now.saturating_sub(alone));
        if shown["run"]["state"] == "done" {
            break;
        }
        if shown["run"]["state"] != "running" || begun.elapsed() > LIMIT {
            bail!("it does not end: {shown}");
        }
        sleep(LOOK).await;
    }
    let attempts: Value = http::get(main, &format!("{CAMPAIGN}/attempts?limit=500&state=sent"), &key).await?;
    ours.contender.program.stop().await?;
    let rows = attempts["items"].as_array().context("no attempts")?;
    let times = |field: &str| -> Vec<Timestamp> {
        rows.iter().filter_map(|row| row[field].as_str()?.parse().ok()).collect()
    };
    let (first, last) = (times("claimed_at").into_iter().min(), times("ended_at").into_iter().max());
    let seconds = last.zip(first).map_or(0.0, |(last, first)| last.since(first).as_secs_f64());
    Ok(Side { sent: rows.len(), seconds, memory })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::assert_missed;

    #[test]
    fn missing_messages_or_more_memory_miss_the_goal() {
        let side = |memory| Side { sent: 10, seconds: 20.0, memory };
        let good = BrowserProfile { ours: side(90), script: side(100), chats: 10, in_ledger: 20 };
        assert_missed(&good, 0);
        assert!(good.text().contains("| Switchboard | 10 | 30.0 |"), "{}", good.text());
        assert_missed(&BrowserProfile { ours: side(100), in_ledger: 19, ..good }, 2);
    }
}
