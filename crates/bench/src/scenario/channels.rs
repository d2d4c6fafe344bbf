//! Channels: sending through ten accounts at once beside one after the other, and what idle accounts cost.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{Folders, OURS, Stage};
use crate::report::{Goal, Measured, megabytes, table};
use crate::world::World;
use crate::{contender, http, usage};

/// An account of each provider and gateway that can be sent through, its channel, and a customer there.
const TEN: [(&str, &str, &str); 10] = [
    ("bot", "telegram", "2000002"),
    ("shop", "avito", "2000002"),
    ("phone", "whatsapp", "2000002"),
    ("club", "vk", "2000002"),
    ("assistant", "max", "2000002"),
    ("studio", "instagram", "2000002"),
    ("mail", "email", "anna@example.com"),
    ("texts", "sms", "+70000000001"),
    ("texts_ru", "sms", "+70000000001"),
    ("texts_twilio", "sms", "+70000000001"),
];
/// Of these it is the only one through which no customer can write.
const SENDS_ONLY: &str = "texts_ru";
/// Messages through each account.
const EACH: usize = 6;
/// How much longer the slowest account may take while nine others send: its own pauses are most of its time.
const MOST: f64 = 1.1;
/// Copies of two accounts that do nothing, in all.
const IDLE: usize = 100;
/// What they may take, in kilobytes.
const MOST_MEMORY: u64 = 30 * 1024;
/// From the start until what it takes is taken.
const SETTLING: Duration = Duration::from_secs(5);

/// What was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Channels {
    /// How long the messages of each account took while no other one sent, in milliseconds.
    pub(crate) alone: Vec<(&'static str, u128)>,
    /// All accounts at once, in milliseconds.
    pub(crate) together: u128,
    /// Kilobytes of anonymous memory without and with idle accounts.
    pub(crate) without: u64,
    pub(crate) with: u64,
}

impl Channels {
    fn slowest(&self) -> u128 {
        self.alone.iter().map(|(_, took)| *took).max().unwrap_or_default()
    }

    #[expect(clippy::cast_precision_loss, reason = "a ratio for the eye")]
    fn ratio(&self) -> f64 {
        self.together as f64 / self.slowest().max(1) as f64
    }
}

impl Measured for Channels {
    fn text(&self) -> String {
        let alone = self.alone.iter().map(|(name, took)| format!("| {name} alone | {took} |"));
        let rows = alone.chain([format!("| all at once | {} |", self.together)]);
        format!(
            "## Channels\n\n{EACH} messages through each of ten accounts: one account after the other, then all at once; what each \
             provider permits a second is most of the time. {IDLE} idle accounts more take {} MB of anonymous memory ({} MB with \
             them).\n\n{}",
            megabytes(self.with.saturating_sub(self.without)),
            megabytes(self.with),
            table("| | ms |", rows)
        )
    }

    fn goals(&self) -> Vec<Goal> {
        let ratio = self.ratio();
        vec![
            Goal::new(
                "ten channels at once beside the slowest alone",
                format!("≤ {MOST}x"),
                format!("{ratio:.2}x"),
                ratio <= MOST,
            ),
            Goal::memory(
                "100 idle accounts of channels",
                MOST_MEMORY,
                self.with.saturating_sub(self.without),
            ),
        ]
    }
}

/// Runs the scenario.
pub(crate) async fn run(stage: &Stage) -> Result<Channels> {
    let folders = Folders::fresh(&stage.work, "channels")?;
    let world = World::start(&stage.switchboard, &folders.world, &folders.logs, super::DIALOGS).await?;
    let start = async |accounts: &[&str]| {
        let (data, logs) = (&folders.data, &folders.logs);
        contender::switchboard(&stage.switchboard, &world, accounts, data, logs).await
    };
    let names: Vec<_> = TEN.iter().map(|(name, ..)| *name).chain([OURS]).collect();
    let ours = start(&names).await?;
    let mut chats = Vec::new();
    for (account, channel, from) in TEN {
        let hears = if account == SENDS_ONLY { "texts" } else { account };
        chats.push((account, channel, world.customer_writes(channel, hears, from).await?));
    }
    let mut alone = Vec::new();
    for (account, channel, chat) in &chats {
        let began = Instant::now();
        send(ours.main, account, channel, chat.clone(), "alone").await?;
        alone.push((*account, began.elapsed().as_millis()));
    }
    let (began, mut sending) = (Instant::now(), JoinSet::new());
    for (account, channel, chat) in chats {
        sending.spawn(send(ours.main, account, channel, chat, "together"));
    }
    while let Some(sent) = sending.join_next().await {
        sent??;
    }
    let together = began.elapsed().as_millis();
    ours.contender.program.stop().await?;

    let rest = async |accounts: &[&str]| {
        let ours = start(accounts).await?;
        sleep(SETTLING + stage.pace.rest).await;
        let memory = usage::memory(ours.contender.program.pid())?.anonymous;
        ours.contender.program.stop().await?;
        anyhow::Ok(memory)
    };
    let without = rest(&[OURS]).await?;
    let mut copies = world.copy_channel("phone", IDLE / 2)?;
    copies.extend(world.copy_channel("shop", IDLE / 2)?);
    let accounts: Vec<_> = copies.iter().map(String::as_str).chain([OURS]).collect();
    let with = rest(&accounts).await?;
    world.stop().await?;
    Ok(Channels { alone, together, without, with })
}

/// Sends through an account, and waits for each message.
async fn send(
    main: SocketAddr,
    account: &'static str,
    channel: &'static str,
    chat: String,
    label: &'static str,
) -> Result<()> {
    let mut sending = JoinSet::new();
    for number in 0..EACH {
        let body = json!({
            "channel": channel, "channel_account": account, "chat": chat, "wait": 100, "text": format!("Message {number}, {label}"),
        });
        sending
            .spawn(async move { http::post(main, "/v1/messages", &contender::authorization(), &body).await });
    }
    while let Some(sent) = sending.join_next().await {
        let sent: Value = sent??;
        if sent["state"] != "sent" {
            bail!("{account}: {sent}");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::assert_missed;

    #[test]
    fn slowing_others_or_high_memory_misses_the_goals() {
        let of =
            |together, with| Channels { alone: vec![("a", 10), ("b", 100)], together, without: 1_000, with };
        assert_missed(&of(110, 31_719), 0);
        assert_missed(&of(111, 31_720), 2);
    }
}
