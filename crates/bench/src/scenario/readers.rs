//! Readers of the events: what many of them take while nothing happens, and whether each hears the next event.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::{Folders, OURS, Stage};
use crate::contender;
use crate::http;
use crate::report::{Goal, Measured, megabytes, table};
use crate::usage;
use crate::world::World;

/// The most anonymous memory that the program may take with all of them, in kilobytes.
const MOST: u64 = 200 * 1024;

/// Until when a reader is answered, or hears of an event.
const LIMIT: Duration = Duration::from_secs(30);

/// What was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Readers {
    /// How many there are.
    pub(crate) count: usize,
    /// Kilobytes before the first reader, without pages of files.
    pub(crate) without: u64,
    /// Kilobytes with all of them.
    pub(crate) with: u64,
    /// The same with pages of files: before the first reader, and with all of them.
    pub(crate) whole: (u64, u64),
    /// Those that heard the event made after all were there.
    pub(crate) heard: usize,
}

impl Measured for Readers {
    fn text(&self) -> String {
        let rows = [
            format!("| anonymous memory before, MB | {} |", megabytes(self.without)),
            format!("| … with all readers, MB | {} |", megabytes(self.with)),
            format!("| whole memory before, MB | {} |", megabytes(self.whole.0)),
            format!("| … with all readers, MB | {} |", megabytes(self.whole.1)),
            format!("| readers that hear the next event | {} |", self.heard),
        ];
        format!(
            "## Readers of events\n\n{} readers of `GET /v1/events`, idle. The whole memory has pages of files too, the program \
             itself among them, which the system takes back when it needs the room.\n\n{}",
            self.count,
            table("| | Switchboard |", rows)
        )
    }

    fn goals(&self) -> Vec<Goal> {
        vec![
            Goal::memory(format!("anonymous memory with {} readers of events", self.count), MOST, self.with),
            Goal::all("readers of events that hear the next one", self.heard == self.count),
        ]
    }
}

/// Runs the scenario.
pub(crate) async fn run(stage: &Stage) -> Result<Readers> {
    let folders = Folders::fresh(&stage.work, "readers")?;
    let world = World::start(&stage.switchboard, &folders.world, &folders.logs, super::DIALOGS).await?;
    let ours =
        contender::switchboard(&stage.switchboard, &world, &[OURS], &folders.data, &folders.logs).await?;
    let pid = ours.contender.program.pid();
    let without = usage::memory(pid)?;
    let mut readers = Vec::with_capacity(stage.pace.readers);
    for _ in 0..stage.pace.readers {
        readers.push(reader(ours.main).await?);
    }
    sleep(stage.pace.rest).await;
    let with = usage::memory(pid)?;
    let message = json!({ "chat": "@client_1", "text": "all hear of this" });
    http::post(ours.main, "/v1/messages", &contender::authorization(), &message).await?;
    let mut heard = 0;
    for reader in &mut readers {
        heard += usize::from(hears(reader).await?);
    }
    drop(readers);
    ours.contender.program.stop().await?;
    world.stop().await?;
    Ok(Readers {
        count: stage.pace.readers,
        without: without.anonymous,
        with: with.anonymous,
        whole: (without.now, with.now),
        heard,
    })
}

/// A reader whose request was answered.
async fn reader(address: SocketAddr) -> Result<TcpStream> {
    let mut connection = TcpStream::connect(address).await.context("the limit of open files may be low")?;
    let authorization = contender::authorization();
    let request = format!(
        "GET /v1/events?type=message.* HTTP/1.1\r\nHost: {address}\r\n{authorization}Accept: text/event-stream\r\n\r\n"
    );
    connection.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    while !answer.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
        if timeout(LIMIT, connection.read_buf(&mut answer)).await.context("no answer")?? == 0 {
            bail!("a reader was cut: {}", String::from_utf8_lossy(&answer));
        }
    }
    if !answer.starts_with(b"HTTP/1.1 200") {
        bail!("a reader was refused: {}", String::from_utf8_lossy(&answer));
    }
    Ok(connection)
}

/// Whether an event comes.
async fn hears(reader: &mut TcpStream) -> Result<bool> {
    let mut seen = Vec::new();
    while !seen.windows(16).any(|bytes| bytes == b"message.accepted") {
        match timeout(LIMIT, reader.read_buf(&mut seen)).await {
            Ok(Ok(1..)) => {}
            Ok(_) | Err(_) => return Ok(false),
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::assert_missed;

    #[test]
    fn memory_and_deaf_readers_are_judged() {
        assert_missed(&Readers { count: 10, without: 1, with: MOST - 1, whole: (2, MOST), heard: 10 }, 0);
        assert_missed(&Readers { count: 10, without: 1, with: MOST, whole: (2, MOST), heard: 9 }, 2);
    }
}
