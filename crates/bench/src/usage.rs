//! What processes use of the machine, as `/proc` reports it.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::ops::Sub;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// The processor time of a process as the kernel counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    pid: u32,
    parent: u32,
    /// All of its threads, those that ended too, and the children it has waited for.
    ticks: u64,
}

/// Memory of a process or of several, in kilobytes. What processes share is counted once for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) now: u64,
    pub(crate) highest: u64,
    /// What is there now without pages of files, which the system takes back when it needs the room.
    pub(crate) anonymous: u64,
}

/// Processor time used up to some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Processor(Duration);

impl Sub for Processor {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// The kernel's clock ticks in a second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticks(u64);

impl Ticks {
    /// Asks the system; nearly everywhere it is a hundred.
    pub(crate) fn of_this_system() -> Result<Self> {
        let output = Command::new("getconf").arg("CLK_TCK").output().context("cannot start getconf")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let ticks = text.trim().parse().with_context(|| format!("getconf CLK_TCK says `{}`", text.trim()))?;
        if ticks == 0 {
            bail!("getconf CLK_TCK says nought");
        }
        Ok(Self(ticks))
    }

    /// The processor time of a process and of all below it.
    pub(crate) fn processor(self, root: u32) -> Result<Processor> {
        let stats = all()?;
        if stats.iter().all(|stat| stat.pid != root) {
            bail!("process {root} is gone");
        }
        Ok(self.time(tree(&stats, root).iter().map(|stat| stat.ticks).sum()))
    }

    /// The processor time of a process and of its children that have ended, but of none that runs.
    pub(crate) fn processor_alone(self, pid: u32) -> Result<Processor> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat"))
            .with_context(|| format!("process {pid} is gone"))?;
        let stat =
            parse_stat(&text).with_context(|| format!("cannot read what /proc says of process {pid}"))?;
        Ok(self.time(stat.ticks))
    }

    fn time(self, ticks: u64) -> Processor {
        Processor(Duration::from_millis(ticks.saturating_mul(1000) / self.0))
    }
}

/// The memory of a process and of all below it.
pub(crate) fn memory(root: u32) -> Result<Memory> {
    let mut sum = Memory::default();
    for stat in tree(&all()?, root) {
        // A process may end while it is looked at.
        if let Ok(status) = fs::read_to_string(format!("/proc/{}/status", stat.pid)) {
            let one = parse_status(&status);
            sum.now += one.now;
            sum.highest += one.highest;
            sum.anonymous += one.anonymous;
        }
    }
    if sum == Memory::default() {
        bail!("process {root} is gone");
    }
    Ok(sum)
}

/// The same, with what it is now as the highest so far: the kernel forgets what was before.
pub(crate) fn memory_from_now_on(root: u32) -> Result<Memory> {
    for stat in tree(&all()?, root) {
        let file = format!("/proc/{}/clear_refs", stat.pid);
        match fs::write(&file, "5") {
            // A process may end while it is looked at; if it was the root, the next line says so.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            cleared => cleared.with_context(|| format!("cannot write {file}"))?,
        }
    }
    memory(root)
}

fn all() -> Result<Vec<Stat>> {
    let mut stats = Vec::new();
    for entry in fs::read_dir("/proc").context("cannot list /proc")? {
        let path = entry?.path();
        let number =
            path.file_name().is_some_and(|name| name.to_string_lossy().bytes().all(|b| b.is_ascii_digit()));
        if number && let Ok(text) = fs::read_to_string(path.join("stat")) {
            stats.extend(parse_stat(&text));
        }
    }
    Ok(stats)
}

/// A process and everything it started.
fn tree(all: &[Stat], root: u32) -> Vec<Stat> {
    let mut members = BTreeSet::from([root]);
    loop {
        let before = members.len();
        members.extend(
            all.iter().filter(|stat| members.contains(&stat.parent)).map(|stat| stat.pid).collect::<Vec<_>>(),
        );
        if members.len() == before {
            return all.iter().filter(|stat| members.contains(&stat.pid)).copied().collect();
        }
    }
}

/// Reads a line of `/proc/PID/stat`. The name in brackets may hold anything, brackets too.
fn parse_stat(text: &str) -> Option<Stat> {
    let (pid, rest) = text.split_once(" (")?;
    let (_, fields) = rest.rsplit_once(") ")?;
    let fields: Vec<_> = fields.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Stat {
        pid: pid.parse().ok()?,
        parent: fields.get(1)?.parse().ok()?,
        ticks: number(11)? + number(12)? + number(13)? + number(14)?,
    })
}

fn parse_status(text: &str) -> Memory {
    let kilobytes = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
    };
    let (now, highest) = (kilobytes("VmRSS:"), kilobytes("VmHWM:"));
    Memory { now, highest, anonymous: kilobytes("RssAnon:") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str =
        "4242 (odd) na(me) S 17 4242 4242 0 -1 4194304 900 10 0 0 120 30 4 1 20 0 5 0 1000 1 2 3";

    #[test]
    fn a_line_of_stat_is_read_whatever_the_name() {
        assert_eq!(parse_stat(STAT), Some(Stat { pid: 4242, parent: 17, ticks: 155 }));
        for broken in ["", "1", "1 (a", "1 (a) S", "1 (a) S x y", "1 (a) S 0 1 1 0 -1 0 0 0 0 0 1 2 3"] {
            assert_eq!(parse_stat(broken), None, "{broken}");
        }
    }

    #[test]
    fn memory_is_read_and_missing_fields_are_zero() {
        assert_eq!(
            parse_status("Name:\tx\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\nRssAnon:\t   512 kB\n"),
            Memory { now: 1024, highest: 2048, anonymous: 512 }
        );
        assert_eq!(parse_status("Name:\tkthreadd\n"), Memory::default());
    }

    #[test]
    fn a_tree_is_the_process_and_all_below() {
        let stat = |pid, parent| Stat { pid, parent, ticks: 1 };
        let all = [stat(9, 5), stat(1, 0), stat(5, 2), stat(2, 1), stat(3, 1)];
        let pids: Vec<_> = tree(&all, 2).iter().map(|stat| stat.pid).collect();
        assert_eq!(pids, [9, 5, 2]);
    }

    #[test]
    fn the_highest_is_forgotten() {
        // Of this process itself: a child that has just been started still grows by what it loads. Larger than what other tests take.
        const BLOCK: u64 = 256 << 10;
        let me = std::process::id();
        let block = vec![1u8; 256 << 20];
        let full = memory(me).unwrap();
        assert!(full.now > BLOCK / 4 * 3 && block.iter().all(|byte| *byte == 1), "{full:?}");
        drop(block);
        let kept = memory(me).unwrap();
        assert!(kept.now < BLOCK / 2 && kept.highest > BLOCK / 4 * 3, "{kept:?}");
        let forgotten = memory_from_now_on(me).unwrap();
        assert!(forgotten.highest < BLOCK / 2, "{kept:?} {forgotten:?}");
        assert!(memory_from_now_on(u32::MAX).is_err());
    }

    #[test]
    fn this_process_uses_something() {
        let ticks = Ticks::of_this_system().unwrap();
        let me = std::process::id();
        assert!(memory(me).unwrap().highest > 0);
        let earlier = ticks.processor(me).unwrap();
        assert!(ticks.processor(me).unwrap() - earlier < Duration::from_mins(1));
        assert!(ticks.processor(u32::MAX).is_err() && memory(u32::MAX).is_err());
    }
}
