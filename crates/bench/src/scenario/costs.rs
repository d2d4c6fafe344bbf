//! What one send costs, counted: statements, commits, waits for the disk, calls of the system, and allocations.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use tokio::time::sleep;

use super::{CLIENTS, Folders, OURS, Stage};
use crate::contender::{self, Switchboard};
use crate::http;
use crate::load::{self, Door, Stretch};
use crate::report::{Measured, table};
use crate::world::World;

/// Callers at once.
const TOGETHER: usize = 32;

/// A stretch may take this long; it takes seconds, and longer while it is traced.
const LIMIT: Duration = Duration::from_mins(2);

/// The functions through which all Rust code of the program allocates.
const ALLOCATORS: [&str; 3] = ["mi_malloc_aligned", "mi_zalloc_aligned", "mi_realloc_aligned"];

/// Sends by each caller while allocations are counted, which makes each a thousand times slower.
const WHILE_COUNTED: usize = 3;

/// How long a debugger takes at most to attach to the program.
const ATTACHED: Duration = Duration::from_secs(10);

/// The counters of the store, as `/metrics` has them.
const STORE: [(&str, &str); 3] = [
    ("statements", "switchboard_store_statements_total"),
    ("commits", "switchboard_store_commits_total"),
    ("waits for the disk", "switchboard_store_syncs_total"),
];

/// Calls that are named in the report; all of them are in the numbers.
const CALLS: [&str; 8] =
    ["fdatasync", "pwrite64", "fcntl", "futex", "epoll_wait", "recvfrom", "sendto", "write"];

/// What was counted.
#[derive(Debug, Serialize)]
pub(crate) struct Costs {
    /// By one caller, one send after the other.
    pub(crate) alone: Count,
    /// By 32 callers at once.
    pub(crate) together: Count,
}

/// The sum over some sends.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Count {
    pub(crate) sends: u64,
    /// By the names of [`STORE`].
    pub(crate) store: BTreeMap<&'static str, u64>,
    /// By the name of the call; empty where `strace` is not installed or may not look.
    pub(crate) calls: BTreeMap<String, u64>,
    /// Allocations of [`WHILE_COUNTED`] sends by each caller; nothing where `gdb` is not installed or may not look.
    pub(crate) allocations: Option<u64>,
}

impl Count {
    fn a_send(&self, number: u64) -> String {
        let hundredths = number * 100 / self.sends.max(1);
        format!("{}.{:02}", hundredths / 100, hundredths % 100)
    }

    fn of_calls(&self, name: &str) -> String {
        match self.calls.get(name) {
            _ if self.calls.is_empty() => "–".to_owned(),
            number => self.a_send(number.copied().unwrap_or_default()),
        }
    }
}

impl Measured for Costs {
    fn text(&self) -> String {
        let Self { alone, together } = self;
        let of_store = |(name, _): &(&'static str, &str)| {
            let cell = |count: &Count| count.a_send(count.store.get(name).copied().unwrap_or_default());
            format!("| {name} | {} | {} |", cell(alone), cell(together))
        };
        let of_calls =
            |name: &&str| format!("| `{name}` | {} | {} |", alone.of_calls(name), together.of_calls(name));
        let all = |count: &Count| match count.calls.values().sum::<u64>() {
            0 => "–".to_owned(),
            sum => count.a_send(sum),
        };
        let allocated = |count: &Count, callers: usize| {
            let sends = callers * WHILE_COUNTED;
            let each = count.allocations.and_then(|number| number.checked_div(u64::try_from(sends).ok()?));
            each.map_or_else(|| "–".to_owned(), |number| number.to_string())
        };
        let sums = [
            format!("| allocations | {} | {} |", allocated(alone, 1), allocated(together, TOGETHER)),
            format!("| calls of the system | {} | {} |", all(alone), all(together)),
        ];
        let rows = STORE.iter().map(of_store).chain(sums).chain(CALLS.iter().map(of_calls));
        format!(
            "## What one send costs\n\n`POST /send_text`, {} sends by one caller and {} by 32; calls of the system are counted by `strace` and \
             allocations of Rust code by `gdb`, each in a stretch of its own.\n\n{}",
            alone.sends,
            together.sends,
            table("| a send takes | one caller | 32 callers |", rows)
        )
    }
}

/// Runs the scenario.
pub(crate) async fn run(stage: &Stage) -> Result<Costs> {
    let folders = Folders::fresh(&stage.work, "costs")?;
    let world = World::start(&stage.switchboard, &folders.world, &folders.logs, super::DIALOGS).await?;
    let (_library, clients) = super::bare_library(&world).await?;
    let chats: Vec<i64> = clients.iter().map(|client| client.user_id).collect();
    let ours =
        contender::switchboard(&stage.switchboard, &world, &[OURS], &folders.data, &folders.logs).await?;
    send(&ours, &chats, 1, CLIENTS, "warm").await?;
    let alone = count(&ours, &chats, 1, stage.pace.sends, &folders.logs).await?;
    let together = count(&ours, &chats, TOGETHER, stage.pace.sends, &folders.logs).await?;
    ours.contender.program.stop().await?;
    world.stop().await?;
    Ok(Costs { alone, together })
}

/// So many sends by each caller, counted by the program and then under `strace`, and a few under `gdb`.
async fn count(ours: &Switchboard, chats: &[i64], callers: usize, each: usize, logs: &Path) -> Result<Count> {
    let before = store(ours).await?;
    send(ours, chats, callers, each, &format!("counted-{callers}")).await?;
    let after = store(ours).await?;
    let mut count = Count { sends: u64::try_from(callers * each)?, ..Count::default() };
    for (name, now) in after {
        count.store.insert(name, now.saturating_sub(before.get(name).copied().unwrap_or_default()));
    }
    let pid = ours.contender.program.pid();
    let summary = logs.join(format!("strace-{callers}"));
    let mut tracer = Command::new("strace");
    tracer.args(["-c", "-f", "-p", &pid.to_string(), "-o"]).arg(&summary).stdout(Stdio::null());
    if let Some(tracer) = attach(tracer, pid).await? {
        let sent = send(ours, chats, callers, each, &format!("traced-{callers}")).await;
        detach(tracer)?;
        sent?;
        count.calls = calls(&fs::read_to_string(&summary).context("strace wrote nothing")?);
    }
    let hits = logs.join(format!("gdb-{callers}"));
    if let Some(debugger) = attach(counter(pid, &hits)?, pid).await? {
        let sent = send(ours, chats, callers, WHILE_COUNTED, &format!("debugged-{callers}")).await;
        detach(debugger)?;
        sent?;
        count.allocations = allocations(&fs::read_to_string(&hits).context("gdb wrote nothing")?);
    }
    Ok(count)
}

async fn send(ours: &Switchboard, chats: &[i64], callers: usize, each: usize, label: &str) -> Result<()> {
    let stretch = Stretch {
        address: ours.contender.send_text,
        door: Door::SendText,
        headers: contender::authorization(),
        callers,
        keep: true,
        lasts: LIMIT,
        at_most: each,
        label: label.to_owned(),
    };
    let seen = load::run(stretch, chats).await?;
    match seen.first_failure {
        Some(failure) => bail!("{} sends failed, first: {failure}", seen.failures),
        None => Ok(()),
    }
}

async fn store(ours: &Switchboard) -> Result<BTreeMap<&'static str, u64>> {
    let page = http::send(ours.main, "GET", "/metrics", &contender::authorization()).await?;
    let page = String::from_utf8_lossy(&page);
    let number = |metric: &str| -> Result<u64> {
        let line = page.lines().find_map(|line| line.strip_prefix(metric)?.strip_prefix(' '));
        line.and_then(|number| number.trim().parse().ok())
            .with_context(|| format!("/metrics has no {metric}"))
    };
    STORE.iter().map(|(name, metric)| Ok((*name, number(metric)?))).collect()
}

/// A debugger that counts how often a process comes by the functions that allocate, and says so when it is interrupted.
fn counter(pid: u32, hits: &Path) -> Result<Command> {
    let mut command = Command::new("gdb");
    command.args(["--batch", "--nx", "--pid", &pid.to_string()]);
    for function in ALLOCATORS {
        command.args(["-ex", &format!("break {function}"), "-ex", "ignore $bpnum 1000000000"]);
    }
    command.args(["-ex", "continue", "-ex", "info breakpoints", "-ex", "detach"]);
    command.stdin(Stdio::null()).stdout(fs::File::create(hits)?);
    Ok(command)
}

/// Starts a debugger of all threads of a process; nothing where it is not installed or may not.
async fn attach(mut command: Command, pid: u32) -> Result<Option<Child>> {
    let name = command.get_program().to_string_lossy().into_owned();
    let Ok(mut tracer) = command.stderr(Stdio::null()).spawn() else {
        eprintln!("not all is counted: {name} cannot be started");
        return Ok(None);
    };
    let step = Duration::from_millis(50);
    for _ in 0..ATTACHED.as_millis() / step.as_millis() {
        sleep(step).await;
        if tracer.try_wait()?.is_some() {
            eprintln!("not all is counted: {name} may not look at other processes");
            return Ok(None);
        }
        if is_traced(pid)? {
            return Ok(Some(tracer));
        }
    }
    detach(tracer)?;
    bail!("{name} did not stand beside process {pid} within {} s", ATTACHED.as_secs())
}

/// Whether all threads of a process have a tracer.
fn is_traced(pid: u32) -> Result<bool> {
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let status = fs::read_to_string(task?.path().join("status"))?;
        if status.lines().any(|line| line.split_whitespace().eq(["TracerPid:", "0"])) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Ends it so that it writes its summary.
fn detach(mut tracer: Child) -> Result<()> {
    let interrupted = Command::new("kill").args(["-INT", &tracer.id().to_string()]).status()?;
    if !interrupted.success() {
        tracer.kill()?;
    }
    tracer.wait()?;
    Ok(())
}

/// Reads the table of `strace -c`: `% time, seconds, usecs/call, calls, errors or nothing, syscall`.
fn calls(summary: &str) -> BTreeMap<String, u64> {
    let row = |line: &str| {
        let cells: Vec<_> = line.split_whitespace().collect();
        let name = (*cells.last()?).to_owned();
        let number = cells.get(3)?.parse().ok()?;
        let is_call = cells.len() >= 5 && name != "total" && cells.first()?.parse::<f64>().is_ok();
        is_call.then_some((name, number))
    };
    summary.lines().filter_map(row).collect()
}

/// Reads what `info breakpoints` says of each: `breakpoint already hit 12 times`.
fn allocations(output: &str) -> Option<u64> {
    let hits = output.lines().filter_map(|line| line.trim().strip_prefix("breakpoint already hit "));
    let numbers = hits.filter_map(|hits| hits.split_whitespace().next()?.parse::<u64>().ok());
    numbers.reduce(u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_strace_is_read() {
        let summary = "% time     seconds  usecs/call     calls    errors syscall\n\
            ------ ----------- ----------- --------- --------- ----------------\n \
            61.25    0.122500         408       300           fdatasync\n \
            38.75    0.077500          12      6120       100 futex\n\
            ------ ----------- ----------- --------- --------- ----------------\n\
            100.00    0.200000          31      6420       100 total\n";
        let expected = [("fdatasync".to_owned(), 300), ("futex".to_owned(), 6120)];
        assert_eq!(calls(summary), BTreeMap::from(expected));
    }

    #[test]
    fn the_breakpoints_of_gdb_are_added_up() {
        let output = "Num     Type           Disp Enb Address            What\n\
            1       breakpoint     keep y   0x01 <mi_malloc_aligned>\n\
            \tbreakpoint already hit 12 times\n\
            \tignore next 999999988 hits\n\
            2       breakpoint     keep y   0x02 <mi_zalloc_aligned>\n\
            \tbreakpoint already hit 1 time\n";
        assert_eq!((allocations(output), allocations("No symbol table")), (Some(13), None));
    }

    #[test]
    fn uncounted_values_are_not_shown_as_zero() {
        let alone = Count { sends: 200, store: [("statements", 2500)].into(), ..Count::default() };
        let text = Costs { alone, together: Count::default() }.text();
        assert!(text.contains("| statements | 12.50 |") && text.contains("| `fdatasync` | – |"), "{text}");
    }
}
