//! Failover: what a call costs whose first account is turned away and whose second one sends, over a call that the
//! second one sends at once.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Folders, OURS, Stage, THEIRS};
use crate::contender::{self, authorization};
use crate::http;
use crate::latency::{Latencies, Summary};
use crate::report::{Goal, Measured, milliseconds, quantiles, table};
use crate::world::World;

/// How long a new chat may take to be known to the accounts that are in it.
const LEARNING: Duration = Duration::from_secs(30);

/// Less than this is added at p50, in microseconds; the call that is turned away is in it.
const ADDED: u32 = 5_000;

/// What was measured, in microseconds.
#[derive(Debug, Serialize)]
pub(crate) struct Failover {
    /// Calls that the second account sends at once.
    pub(crate) direct: Summary,
    /// Calls that the first account tries first: both calls to Telegram are in it.
    pub(crate) over: Summary,
    /// Messages sent, and those of them in the ledger once and from the right account.
    pub(crate) sent: usize,
    pub(crate) in_ledger: usize,
    /// Methods that the world did not know.
    pub(crate) unknown_methods: Vec<Value>,
}

impl Measured for Failover {
    fn text(&self) -> String {
        let rows = [("at once", self.direct), ("over a failover", self.over)]
            .map(|(name, times)| format!("| {name} | {} |", quantiles(times)));
        format!(
            "## What failover adds\n\nOne caller, {} new chats. In each, the first call meets an account that may not write \
             there and goes on with the next one, whose call to Telegram is in it as well as the first one's; the second \
             call goes to that account at once.\n\n{}",
            self.over.count,
            table("| `POST /send_text` | p50, ms | p90, ms | p99, ms |", rows)
        )
    }

    fn goals(&self) -> Vec<Goal> {
        let plus = self.over.p50.saturating_sub(self.direct.p50);
        vec![
            Goal::new(
                "added by a failover, p50",
                format!("< {} ms", milliseconds(ADDED)),
                format!("{} ms", milliseconds(plus)),
                self.over.count > 0 && plus < ADDED,
            ),
            Goal::new(
                "sent over a failover, and in the ledger once, from the second account",
                "all",
                format!("{} of {}", self.in_ledger, self.sent),
                self.sent > 0 && self.in_ledger == self.sent,
            ),
        ]
    }

    fn unknown_methods(&self) -> Vec<&Value> {
        self.unknown_methods.iter().collect()
    }
}

/// Runs the scenario: each chat is one failover and one direct call.
pub(crate) async fn run(stage: &Stage) -> Result<Failover> {
    let folders = Folders::fresh(&stage.work, "failover")?;
    let mut world = World::start(&stage.switchboard, &folders.world, &folders.logs, super::DIALOGS).await?;
    let mut ours =
        contender::switchboard(&stage.switchboard, &world, &[OURS, THEIRS], &folders.data, &folders.logs)
            .await?;
    ours.all_read().await?;
    let mut chats = Vec::new();
    for number in 0..=stage.pace.sends {
        chats.push(world.make_chat(&format!("Failover {number}"), OURS, THEIRS).await?);
    }
    for chat in &chats {
        wait_until_known(ours.main, chat).await?;
    }
    // A missing right is remembered for its chat: the first call of each chat meets it, the second does not.
    world
        .fault(&json!({
            "provider": "telegram", "fault": "rpc_error", "account": OURS, "method": "messages.sendMessage",
            "code": 400, "message": "CHAT_WRITE_FORBIDDEN",
        }))
        .await?;
    world.new_rows().await?;
    let (mut over, mut direct) = (Latencies::default(), Latencies::default());
    let mut expected = BTreeSet::new();
    for (number, chat) in chats.iter().enumerate() {
        for (route, times) in [("over", &mut over), ("direct", &mut direct)] {
            let text = format!("{route} {number}");
            let requested_at = Instant::now();
            send(ours.contender.send_text, chat, &text).await?;
            // The first chat is the warm-up.
            if number > 0 {
                times.add(requested_at.elapsed());
            }
            expected.insert((text, THEIRS.to_owned()));
        }
    }
    let rows = world.new_rows().await?;
    let sent = expected.len();
    let in_ledger =
        rows.into_iter().filter(|row| expected.remove(&(row.text.clone(), row.account.clone()))).count();
    world.forget_faults().await?;
    ours.contender.program.stop().await?;
    let unknown_methods = world.unknown_methods().await?;
    world.stop().await?;
    Ok(Failover { direct: direct.summary(), over: over.summary(), sent, in_ledger, unknown_methods })
}

/// Waits until both accounts know that they are in the chat.
async fn wait_until_known(main: SocketAddr, chat: &str) -> Result<()> {
    let began = Instant::now();
    loop {
        let record = http::get::<Value>(main, &format!("/v1/chats/{chat}"), &authorization()).await;
        let accounts =
            record.ok().and_then(|record| record["accounts"].as_array().map(Vec::len)).unwrap_or(0);
        if accounts >= 2 {
            return Ok(());
        }
        if began.elapsed() > LEARNING {
            bail!("chat {chat} is not known to both of its accounts");
        }
        sleep(Duration::from_millis(5)).await;
    }
}

async fn send(address: SocketAddr, chat: &str, text: &str) -> Result<()> {
    let answer = http::post(address, "/send_text", "", &json!({ "chat": chat, "text": text })).await?;
    let status = answer["status"].as_str().context("an answer without a status")?;
    if status == "ok" { Ok(()) } else { bail!("/send_text says {answer}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::assert_missed;

    #[test]
    fn each_goal_can_be_missed() {
        let summary = |p50| Summary { count: 10, p50, ..Summary::default() };
        let failover = |over, in_ledger| Failover {
            direct: summary(1_000),
            over: summary(over),
            sent: 20,
            in_ledger,
            unknown_methods: Vec::new(),
        };
        assert_missed(&failover(5_999, 20), 0);
        assert_missed(&failover(6_000, 19), 2);
    }
}
