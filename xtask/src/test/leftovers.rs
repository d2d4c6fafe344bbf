//! Processes that outlive the test that started them: they become children of this one, are named and killed.

use std::collections::BTreeSet;
use std::fs;
use std::process::{self, Command};

use anyhow::{Context, Result};
use rustix::process::{getpid, set_child_subreaper};

use super::watchdog::{children, descendants};

/// The children that are no leftovers: what the tests need, as a database server.
pub(super) struct Leftovers {
    known: BTreeSet<u32>,
}

impl Leftovers {
    /// From now on orphans come to this process.
    pub(super) fn adopt() -> Result<Self> {
        set_child_subreaper(Some(getpid())).context("cannot take over what the tests leave")?;
        Ok(Self { known: children(process::id()).into_iter().collect() })
    }

    /// Kills what has come, with all that it started.
    pub(super) fn end(&self) {
        for (pid, line) in self.left() {
            eprintln!("warning: a test left a process, which is killed: {line}");
            let pids = [vec![pid], descendants(pid)].concat();
            let _ = Command::new("kill").arg("-KILL").args(pids.iter().map(u32::to_string)).status();
        }
    }

    /// What has come and still runs, with its command lines.
    fn left(&self) -> Vec<(u32, String)> {
        let new = children(process::id()).into_iter().filter(|pid| !self.known.contains(pid));
        let with_line = new.filter_map(|pid| {
            let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
            // It is empty where only the parent's wait is missing.
            (!line.is_empty()).then(|| (pid, line.replace('\0', " ").trim_end().to_owned()))
        });
        with_line.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_orphan_is_left_and_a_known_child_is_not() {
        let mut known = Command::new("sleep").arg("61").spawn().expect("it starts");
        let leftovers = Leftovers::adopt().expect("a subreaper");
        let script = "sleep 62 >/dev/null 2>&1 & echo $!";
        let said = Command::new("sh").args(["-c", script]).output().expect("it runs").stdout;
        let orphan: u32 = String::from_utf8_lossy(&said).trim().parse().expect("a pid");
        let left = leftovers.left();
        assert!(left.iter().any(|(pid, line)| *pid == orphan && line.contains("62")), "{left:?}");
        assert!(left.iter().all(|(pid, _)| *pid != known.id()), "{left:?}");
        assert!(Command::new("kill").arg(orphan.to_string()).status().expect("kill").success());
        known.kill().and_then(|()| known.wait()).expect("it ends");
    }
}
