//! Received messages: how many a second are kept, each once, while a reader of the events hears of them.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{CLIENTS, Folders, OURS, Stage};
use crate::contender;
use crate::report::{Goal, Measured, table};
use crate::world::World;

/// Messages that are kept in a second, at least.
const A_SECOND: f64 = 1_000.0;

/// People who write at once.
const WRITERS: usize = 16;

/// How long the reader waits for more.
const LIMIT: Duration = Duration::from_secs(30);

/// What was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Received {
    pub(crate) messages: usize,
    /// From the first one written until the last one heard.
    pub(crate) seconds: f64,
    /// Until the last one was written.
    pub(crate) written_after: f64,
    pub(crate) lost: usize,
    pub(crate) repeated: usize,
}

impl Received {
    #[expect(clippy::cast_precision_loss, reason = "a rate for the eye")]
    fn a_second(&self) -> f64 {
        self.messages as f64 / self.seconds
    }
}

impl Measured for Received {
    fn text(&self) -> String {
        let rows = [
            format!("| messages a second | {:.0} |", self.a_second()),
            format!("| seconds until all are written | {:.1} |", self.written_after),
            format!("| seconds until all are heard | {:.1} |", self.seconds),
            format!("| lost | {} |", self.lost),
            format!("| heard more than once | {} |", self.repeated),
        ];
        format!(
            "## Received messages\n\n{} texts of {WRITERS} people to one account, each kept with its event before the event is \
             read; a reader of `GET /v1/events` counts them.\n\n{}",
            self.messages,
            table("| | Switchboard |", rows)
        )
    }

    fn goals(&self) -> Vec<Goal> {
        let rate = self.a_second();
        let whole = self.lost == 0 && self.repeated == 0;
        vec![
            Goal::new(
                "received messages, kept",
                format!("≥ {A_SECOND:.0}/s"),
                format!("{rate:.0}/s"),
                rate >= A_SECOND,
            ),
            Goal::all("received messages, each heard once", whole),
        ]
    }
}

/// Runs the scenario.
pub(crate) async fn run(stage: &Stage) -> Result<Received> {
    let folders = Folders::fresh(&stage.work, "received")?;
    let world = World::start(&stage.switchboard, &folders.world, &folders.logs, super::DIALOGS).await?;
    let ours =
        contender::switchboard(&stage.switchboard, &world, &[OURS], &folders.data, &folders.logs).await?;
    let messages = stage.pace.received;
    let mut reader = reader(ours.main, "message.received").await?;
    let world = Arc::new(world);
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        let (world, next) = (world.clone(), next.clone());
        writers.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= messages {
                    return anyhow::Ok(began.elapsed());
                }
                let from = format!("@client_{}", number % CLIENTS + 1);
                world.write(&from, &format!("@demo_{OURS}"), &format!("text {number}")).await?;
            }
        });
    }
    let mut received: HashMap<String, usize> = HashMap::new();
    let mut seconds = 0.0;
    let mut unread = String::new();
    while received.len() < messages {
        // A reader that hears no more has lost some.
        let Ok(line) = timeout(LIMIT, line(&mut reader, &mut unread)).await else { break };
        if let Some(id) = message_of(&line?) {
            *received.entry(id).or_default() += 1;
            seconds = began.elapsed().as_secs_f64();
        }
    }
    let mut written_after = Duration::ZERO;
    while let Some(writer) = writers.join_next().await {
        written_after = written_after.max(writer??);
    }
    ours.contender.program.stop().await?;
    Arc::into_inner(world).context("a writer is left")?.stop().await?;
    Ok(Received {
        messages,
        seconds,
        written_after: written_after.as_secs_f64(),
        lost: messages - received.len(),
        repeated: received.values().filter(|times| **times > 1).count(),
    })
}

/// A reader of events of one type whose request was answered.
pub(super) async fn reader(address: SocketAddr, kind: &str) -> Result<TcpStream> {
    let mut connection = TcpStream::connect(address).await?;
    let authorization = contender::authorization();
    let request = format!(
        "GET /v1/events?type={kind} HTTP/1.0\r\nHost: {address}\r\n{authorization}Accept: text/event-stream\r\n\r\n"
    );
    connection.write_all(request.as_bytes()).await?;
    let mut unread = String::new();
    if !timeout(LIMIT, line(&mut connection, &mut unread)).await??.contains(" 200 ") {
        bail!("the reader is refused");
    }
    Ok(connection)
}

/// The next line; what came with it and is not read yet stays.
pub(super) async fn line(connection: &mut TcpStream, unread: &mut String) -> Result<String> {
    loop {
        if let Some(end) = unread.find('\n') {
            return Ok(unread.drain(..=end).collect());
        }
        let mut bytes = vec![0; 64 * 1024];
        let count = connection.read(&mut bytes).await?;
        if count == 0 {
            bail!("the stream of events ended");
        }
        unread.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
}

/// The id of the message that an event's line of data is about.
pub(super) fn message_of(line: &str) -> Option<String> {
    let event: serde_json::Value = serde_json::from_str(line.strip_prefix("data:")?).ok()?;
    Some(event["data"]["message_id"].as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::assert_missed;

    #[test]
    fn rate_and_loss_are_judged() {
        let fast = Received { messages: 2_000, seconds: 2.0, written_after: 1.0, lost: 0, repeated: 0 };
        assert_missed(&fast, 0);
        assert_missed(&Received { seconds: 2.1, lost: 1, ..fast }, 2);
    }
}
