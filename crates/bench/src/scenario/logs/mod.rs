//! Ten million log lines: how fast they go in, and how fast a word is found among them, beside `grep` and `zgrep`.

mod report;
mod rotation;

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ::logs::{LogStore, Query, Retention};
use ambient::Clock;
use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::Value;
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt;

use super::{Folders, Stage};
use crate::contender::{self, ADMIN, ADMIN_PASSWORD, authorization};
use crate::program::isolated_command;
use crate::world::World;
use crate::{http, usage};

use rotation::Rotation;

/// How many lines a search is to give.
const FIRST: u64 = 100;

/// Enough for all of them, packed.
const BUDGET: u64 = 8 << 30;

/// So many messages are logged between two looks at what is written: the program is not to be faster than its writer.
const TOGETHER: u64 = 2_000;

/// Words by how often they are there: one in a hundred messages, once, never.
const COMMON: &str = "flood_wait";
const RARE: &str = "the needle in the haystack";
const ABSENT: &str = "absent from all lines";

/// What was measured.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Logs {
    /// Lines logged, and lines in the store.
    pub(crate) lines: u64,
    pub(crate) written: u64,
    /// All of them as text, and in the store, in bytes.
    pub(crate) text: u64,
    pub(crate) stored: u64,
    /// Microseconds of processor time for a line.
    pub(crate) processor: f64,
    pub(crate) per_second: f64,
    pub(crate) words: Vec<Word>,
    /// Milliseconds of the page with its bars, without a word.
    pub(crate) page: u128,
    /// Kilobytes of a server before the first search in them, and at most after the last one.
    pub(crate) memory_before: u64,
    pub(crate) memory_highest: u64,
    pub(crate) rotation: Rotation,
}

/// One word that was looked for; times in milliseconds.
#[derive(Debug, Serialize)]
pub(crate) struct Word {
    pub(crate) what: &'static str,
    pub(crate) found: u64,
    pub(crate) expected: u64,
    pub(crate) ours: u128,
    /// Asked of a server, whatever letters are large.
    pub(crate) served: u128,
    pub(crate) served_found: u64,
    /// The page as HTML, with its bars: all lines of the last day with the word are counted for them.
    pub(crate) page: u128,
    pub(crate) grep: u128,
    pub(crate) zgrep: u128,
}

/// Runs the scenario.
pub(crate) async fn run(stage: &Stage) -> Result<Logs> {
    let folders = Folders::fresh(&stage.work, "logs")?;
    fs::create_dir_all(&folders.data).context("cannot make the data directory")?;
    let mut found = fill(stage, &folders.data.join("logs")).await?;
    let ours = |arguments: &[&str]| {
        let mut command = isolated_command(&stage.switchboard);
        command.arg("logs").args(arguments).arg("--data-dir").arg(&folders.data);
        command
    };
    let text = folders.logs.join("all.txt");
    let written = File::create(&text).with_context(|| format!("cannot write {}", text.display()))?;
    let status = ours(&["--since", "1d"]).stdout(written).status().context("cannot print the lines")?;
    if !status.success() {
        bail!("the lines were not printed: {status}");
    }
    found.text = fs::metadata(&text)?.len();
    let packed = folders.logs.join("all.txt.gz");
    let status = Command::new("gzip").arg("--keep").arg(&text).status().context("cannot start gzip")?;
    if !status.success() {
        bail!("gzip ended with {status}");
    }
    let common = stage.pace.logged.div_ceil(100).min(FIRST);
    for (what, word, expected) in [
        ("a common word", COMMON, common),
        ("a word that is there once", RARE, 1),
        ("a word that is not there", ABSENT, 0),
    ] {
        let limit = FIRST.to_string();
        let mut grep = Command::new("grep");
        grep.args(["-F", "-m", &limit, word]).arg(&text);
        let mut zgrep = Command::new("zgrep");
        zgrep.args(["-F", "-m", &limit, word]).arg(&packed);
        let (ours, found_lines) = fastest(ours(&["--grep", word, "--match-case", "--limit", &limit]))?;
        found.words.push(Word {
            what,
            found: found_lines,
            expected,
            ours,
            served: 0,
            served_found: 0,
            page: 0,
            grep: fastest(grep)?.0,
            zgrep: fastest(zgrep)?.0,
        });
    }
    serve(stage, &folders, &mut found).await?;
    let folder = folders.world.join("rotation");
    found.rotation = rotation::run(&folder, stage.pace.logged / 2, found.stored).await?;
    Ok(found)
}

/// Asks a server that has these lines for the same words.
async fn serve(stage: &Stage, folders: &Folders, found: &mut Logs) -> Result<()> {
    let world = World::start(&stage.switchboard, &folders.world, &folders.logs, super::DIALOGS).await?;
    let ours =
        contender::without_accounts_again(&stage.switchboard, &world, &folders.data, &folders.logs).await?;
    let pid = ours.program.pid();
    found.memory_before = usage::memory(pid)?.now;
    for (word, text) in found.words.iter_mut().zip([COMMON, RARE, ABSENT]) {
        for _ in 0..3 {
            let requested_at = Instant::now();
            word.served_found = first_lines(ours.main, text).await?;
            let took = requested_at.elapsed().as_millis();
            word.served = if word.served == 0 { took } else { word.served.min(took) };
        }
    }
    let cookie = http::sign_in(ours.main, ADMIN, ADMIN_PASSWORD).await?;
    found.page = page(ours.main, &cookie, "").await?;
    for (word, text) in found.words.iter_mut().zip([COMMON, RARE, ABSENT]) {
        word.page = page(ours.main, &cookie, text).await?;
    }
    found.memory_highest = usage::memory(pid)?.highest;
    ours.program.stop().await?;
    world.stop().await
}

/// How long the page of the last day takes until its last byte, the fastest of three times.
async fn page(main: SocketAddr, cookie: &str, text: &str) -> Result<u128> {
    let mut fastest = u128::MAX;
    for _ in 0..3 {
        let requested_at = Instant::now();
        let path = format!("/logs?range=1d&q={}", text.replace(' ', "%20"));
        let page = http::send(main, "GET", &path, cookie).await?;
        fastest = fastest.min(requested_at.elapsed().as_millis());
        if !page.windows(12).any(|piece| piece == b"id=\"refresh\"") {
            bail!("{path} is not the page of lines");
        }
    }
    Ok(fastest)
}

/// How many of the first lines with a text a server shows. An answer that took long has what was found by then and leads on.
async fn first_lines(main: SocketAddr, text: &str) -> Result<u64> {
    let (mut found, mut cursor) = (0, String::new());
    loop {
        let path = format!("/v1/logs?limit={FIRST}&q={}{cursor}", text.replace(' ', "%20"));
        let page: Value = http::get(main, &path, &authorization()).await?;
        found += page["items"].as_array().context("/v1/logs has no items")?.len() as u64;
        match page["next_cursor"].as_str() {
            Some(next) if found < FIRST => cursor = format!("&cursor={next}"),
            _ => return Ok(found.min(FIRST)),
        }
    }
}

/// Logs all lines through the layer that the program uses.
async fn fill(stage: &Stage, folder: &Path) -> Result<Logs> {
    let (layer, gathered) = ::logs::layer(Clock::system());
    let store = LogStore::open(folder, Retention::new(BUDGET, Duration::from_hours(24)), gathered)?;
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
    let pid = std::process::id();
    let used = stage.ticks.processor_alone(pid)?;
    let began = Instant::now();
    let mut found = Logs::default();
    let mut number = 0;
    while number < stage.pace.logged {
        let end = (number + TOGETHER).min(stage.pace.logged);
        tracing::dispatcher::with_default(&dispatch, || {
            for number in number..end {
                message(number);
            }
            if number <= stage.pace.logged / 2 && stage.pace.logged / 2 < end {
                tracing::info!("{RARE}");
                found.lines += 1;
            }
        });
        found.lines += 5 * (end - number);
        number = end;
        // What was logged is written before more is.
        store.search(Query { limit: 1, ..Query::default() }).await?;
    }
    let took = began.elapsed();
    let used = stage.ticks.processor_alone(pid)? - used;
    let counts = store.counts();
    found.written = counts.written;
    found.stored = counts.size;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let lines = found.lines as f64;
    found.processor = used.as_secs_f64() * 1e6 / lines;
    found.per_second = lines / took.as_secs_f64();
    store.close().await;
    Ok(found)
}

/// Lines of a message, in the shapes that the program writes.
fn message(number: u64) {
    // Ids as different as real ones.
    let id = u128::from(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)) << 48 | u128::from(number);
    let subject = format_args!("msg_01k{id:023x}");
    let account = ["main", "backup_1", "backup_2", "backup_3"][usize::try_from(number % 4).unwrap_or(0)];
    let (chat_id, took_ms) = (number.wrapping_mul(7_919) % 100_000, number.wrapping_mul(31) % 400);
    let service = "send_text";
    tracing::info!(subject, service, listener = "5022", chat_id, files = 0, "accepted");
    tracing::info!(subject, service, account, chat_id, part = 0, "begun");
    if number.is_multiple_of(100) {
        tracing::warn!(subject, service, account, part = 0, outcome = COMMON, took_ms, "attempted");
    } else {
        tracing::info!(subject, service, account, part = 0, outcome = "sent", took_ms, "attempted");
    }
    tracing::info!(subject, service, account, state = "sent", "ended");
    tracing::info!(
        listener = "5022",
        method = "POST",
        route = "/send_text",
        status = 200,
        took_ms,
        "answered"
    );
}

/// The fastest of three runs in milliseconds, and how many lines it printed.
fn fastest(mut command: Command) -> Result<(u128, u64)> {
    command.stdin(Stdio::null()).stderr(Stdio::null());
    let mut best: Option<(u128, u64)> = None;
    for _ in 0..3 {
        let began = Instant::now();
        let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
        let took = began.elapsed().as_millis();
        // That nothing was found is 1 for grep.
        if !matches!(output.status.code(), Some(0 | 1)) {
            bail!("{command:?} ended with {}", output.status);
        }
        let lines = String::from_utf8_lossy(&output.stdout).lines().count() as u64;
        if best.is_none_or(|(fastest, _)| took < fastest) {
            best = Some((took, lines));
        }
    }
    best.context("it was not started")
}
