//! Uploads: a large file from the disk to Telegram, beside Telethon with cryptg. No two files are the same, so that nothing
//! is sent a second time by its reference.

mod report;
mod round_trip;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::time::timeout;

use super::{Folders, OURS, Stage, THEIRS};
use crate::contender::{self, Switchboard, authorization};
use crate::world::{Account, World};
use crate::{http, program, usage};
use round_trip::RoundTrip;

/// Whom the files go to.
const RECIPIENT: &str = "client_1";

/// How long the library may take over one file.
const TIMEOUT: Duration = Duration::from_mins(5);

/// What was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Upload {
    /// The size of each file, in bytes.
    pub(crate) size: u64,
    /// Switchboard, asked by `POST /v1/messages`: taking the file in from its folder is a part of it.
    pub(crate) ours: Side,
    /// Telethon with cryptg, asked for the sending alone.
    pub(crate) library: Side,
    /// Files that both sent, and those of them that the world has whole.
    pub(crate) sent: usize,
    pub(crate) whole: usize,
    /// A much larger one, out and back.
    pub(crate) both_ways: RoundTrip,
    /// Methods that the world did not know.
    pub(crate) unknown_methods: Vec<Value>,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct Side {
    pub(crate) files: usize,
    /// The middle one of the times that a file took, in milliseconds.
    pub(crate) took: u32,
    /// Milliseconds of processor time for a file.
    pub(crate) processor: f64,
    /// By how many kilobytes the memory rose over what it was before the first file.
    pub(crate) memory_more: u64,
}

/// What the library says of one file.
#[derive(Deserialize)]
struct LibraryReport {
    seconds: f64,
    processor: f64,
    memory: u64,
}

/// Runs the scenario: by turns, so that both find the machine alike.
pub(crate) async fn run(stage: &Stage) -> Result<Upload> {
    let folders = Folders::fresh(&stage.work, "upload")?;
    let world = World::start(&stage.switchboard, &folders.world, &folders.logs, super::DIALOGS).await?;
    let mut ours =
        contender::switchboard(&stage.switchboard, &world, &[OURS], &folders.data, &folders.logs).await?;
    ours.all_read().await?;
    let media = folders.data.join("media");
    fs::create_dir_all(&media).context("cannot make the media folder")?;
    let mut library = Library::start(stage, world.account(THEIRS)?, &folders.logs).await?;

    // A small file first: what is made once is made then.
    send(&ours, &file(&media, "warm_up", 64 * 1024)?).await?;
    let first = library.send(&file(&media, "warm_up_too", 64 * 1024)?).await?;
    // The most that it ever had is from the reading of the dialogs: what files add would hide below it.
    let before = usage::memory_from_now_on(ours.contender.program.pid())?;

    let size = stage.pace.upload;
    let (mut our_times, mut library_times) = (Vec::new(), Vec::new());
    let (mut processor, mut library_processor, mut library_memory) = (Duration::ZERO, 0.0, first.memory);
    for round in 0..stage.pace.rounds {
        let path = file(&media, &format!("ours_{round}"), size)?;
        let used = stage.ticks.processor(ours.contender.program.pid())?;
        let requested_at = Instant::now();
        send(&ours, &path).await?;
        our_times.push(milliseconds(requested_at.elapsed()));
        processor += stage.ticks.processor(ours.contender.program.pid())? - used;
        let sample = library.send(&file(&media, &format!("theirs_{round}"), size)?).await?;
        library_times.push(milliseconds(Duration::from_secs_f64(sample.seconds)));
        library_processor += sample.processor * 1000.0;
        library_memory = library_memory.max(sample.memory);
    }
    let after = usage::memory(ours.contender.program.pid())?;
    let both_ways = round_trip::run(&ours, &file(&folders.logs, "both_ways", stage.pace.both_ways)?).await?;
    let rounds = f64::from(u32::try_from(stage.pace.rounds)?);
    let files = world.files().await?;
    let whole = files.iter().filter(|file| file["size"].as_u64() == Some(size)).count();
    library.stop().await?;
    ours.contender.program.stop().await?;
    let unknown_methods = world.unknown_methods().await?;
    world.stop().await?;
    Ok(Upload {
        size,
        ours: Side {
            files: our_times.len(),
            took: middle(&mut our_times),
            processor: processor.as_secs_f64() * 1000.0 / rounds,
            memory_more: after.highest.saturating_sub(before.now),
        },
        library: Side {
            files: library_times.len(),
            took: middle(&mut library_times),
            processor: library_processor / rounds,
            memory_more: library_memory.saturating_sub(first.memory),
        },
        sent: 2 * stage.pace.rounds,
        whole,
        both_ways,
        unknown_methods,
    })
}

/// Makes a file of bytes that were never seen before.
pub(super) fn file(folder: &Path, name: &str, size: u64) -> Result<PathBuf> {
    const PIECE: usize = 1024 * 1024;
    let path = folder.join(format!("{name}.bin"));
    let mut file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut piece = vec![0_u8; PIECE];
    let mut left = size;
    while left > 0 {
        getrandom::fill(&mut piece).context("the system has no random bytes")?;
        let take = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        file.write_all(&piece[..take])?;
        left -= take as u64;
    }
    file.sync_all()?;
    Ok(path)
}

/// Sends a file through Switchboard and waits until it is sent.
async fn send(ours: &Switchboard, path: &Path) -> Result<()> {
    let body = json!({ "chat": format!("@{RECIPIENT}"), "media": [{ "path": path, "as": "document" }], "wait": 100 });
    let answer = http::post(ours.main, "/v1/messages", &authorization(), &body).await?;
    if answer["state"] == "sent" { Ok(()) } else { bail!("/v1/messages says {answer}") }
}

fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

fn middle(times: &mut [u32]) -> u32 {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// The library in a process of its own.
struct Library {
    child: Child,
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
}

impl Library {
    async fn start(stage: &Stage, account: &Account, logs: &Path) -> Result<Self> {
        let log = File::create(logs.join("uploader.log"))?;
        let mut command = program::isolated_command(&stage.python);
        command
            .arg(stage.baseline.join("uploader.py"))
            .arg(RECIPIENT)
            .env("BASELINE_DC_ID", account.dc_id.to_string())
            .env("BASELINE_HOST", &account.host)
            .env("BASELINE_PORT", account.port.to_string())
            .env("BASELINE_AUTH_KEY", &account.auth_key)
            .env("BASELINE_API_ID", account.api_id.to_string())
            .env("BASELINE_API_HASH", &account.api_hash)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log);
        let mut child = tokio::process::Command::from(command)
            .kill_on_drop(true)
            .spawn()
            .context("cannot start the uploader")?;
        let stdin = child.stdin.take().context("the uploader takes nothing")?;
        let stdout = BufReader::new(child.stdout.take().context("the uploader says nothing")?).lines();
        let mut library = Self { child, stdin, stdout };
        library.line().await.context("the uploader did not start; see uploader.log")?;
        Ok(library)
    }

    async fn send(&mut self, path: &Path) -> Result<LibraryReport> {
        self.stdin.write_all(format!("{}\n", path.display()).as_bytes()).await?;
        Ok(serde_json::from_str(&self.line().await.context("the uploader broke off; see uploader.log")?)?)
    }

    async fn line(&mut self) -> Result<String> {
        timeout(TIMEOUT, self.stdout.next_line()).await.context("it is silent")??.context("it has ended")
    }

    async fn stop(mut self) -> Result<()> {
        drop(self.stdin);
        timeout(TIMEOUT, self.child.wait()).await.context("the uploader does not end")??;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_used_instead_of_the_mean() {
        assert_eq!(middle(&mut [900, 10, 20]), 20);
        assert_eq!(middle(&mut []), 0);
    }

    #[test]
    fn no_two_files_are_the_same_and_each_has_its_size() {
        let folder = std::env::temp_dir().join(format!("switchboard-bench-{}-files", std::process::id()));
        program::empty_folder(&folder).unwrap();
        let (one, other) = (file(&folder, "a", 1_500_000).unwrap(), file(&folder, "b", 1_500_000).unwrap());
        let (one, other) = (fs::read(one).unwrap(), fs::read(other).unwrap());
        assert_eq!((one.len(), other.len()), (1_500_000, 1_500_000));
        assert_ne!(one, other);
        fs::remove_dir_all(folder).unwrap();
    }
}
