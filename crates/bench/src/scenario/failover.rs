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
use crate::world::World;

/// How long a new chat may take to be known to the accounts that are in it.
const LEARNING: Duration = Duration::from_secs(30);

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
        known(ours.main, chat).await?;
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
        for (way, times) in [("over", &mut over), ("direct", &mut direct)] {
            let text = format!("{way} {number}");
            let asked = Instant::now();
            send(ours.contender.send_text, chat, &text).await?;
            // The first chat is the warm-up.
            if number > 0 {
                times.add(asked.elapsed());
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
async fn known(main: SocketAddr, chat: &str) -> Result<()> {
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
    let said = answer["status"].as_str().context("an answer without a status")?;
    if said == "ok" { Ok(()) } else { bail!("/send_text says {answer}") }
}
