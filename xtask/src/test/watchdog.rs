//! The watchdog of a test run: where no test ends for long, the test program is killed, and the tests that hang are named.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

/// The longest that a test program may go without a test that ends. The longest test takes a few minutes where other work
/// keeps the machine busy.
const LIMIT: Duration = Duration::from_mins(10);

/// What runs, as far as the lines of cargo show.
#[derive(Debug)]
pub(super) struct Watchdog {
    is_running: bool,
    moved_at: Instant,
    /// Tests that have run for a minute; the test programs name them.
    slow: BTreeSet<String>,
}

impl Watchdog {
    pub(super) fn new() -> Self {
        Self { is_running: false, moved_at: Instant::now(), slow: BTreeSet::new() }
    }

    /// Takes a line of output.
    pub(super) fn read(&mut self, line: &str) {
        let test = line.strip_prefix("test ");
        if let Some((name, _)) = test.and_then(|rest| rest.split_once(" has been running for over ")) {
            self.slow.insert(name.to_owned());
            return;
        }
        let begins = line.starts_with("running ") && (line.ends_with(" tests") || line.ends_with(" test"));
        let ends = line.starts_with("test result: ");
        if begins || ends {
            self.is_running = begins;
            self.slow.clear();
        } else if let Some((name, _)) = test.and_then(|rest| rest.split_once(" ... ")) {
            self.slow.remove(name);
        } else {
            return;
        }
        self.moved_at = Instant::now();
    }

    /// How long the next line may take.
    pub(super) fn time_left(&self) -> Duration {
        if self.is_running { LIMIT.saturating_sub(self.moved_at.elapsed()) } else { LIMIT }
    }

    /// Kills the test programs of this cargo where one of them hangs; it goes on with the next one.
    pub(super) fn bite(&mut self, cargo: u32) {
        if !self.is_running || self.moved_at.elapsed() < LIMIT {
            return;
        }
        let names = if self.slow.is_empty() { "no test is named".to_owned() } else { self.names() };
        eprintln!("error: no test has ended for {} minutes; still running: {names}", LIMIT.as_secs() / 60);
        let pids: Vec<String> = descendants(cargo).iter().map(u32::to_string).collect();
        let _ = Command::new("kill").arg("-KILL").args(pids).status();
        self.is_running = false;
    }

    fn names(&self) -> String {
        self.slow.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

/// The processes that a process started, and those that they started.
fn descendants(pid: u32) -> Vec<u32> {
    let mut all = vec![pid];
    let mut next = 0;
    while let Some(pid) = all.get(next) {
        next += 1;
        let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        let children = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
        let children: Vec<u32> = children
            .flat_map(|one| one.split_whitespace().map(str::parse).collect::<Vec<_>>())
            .flatten()
            .collect();
        all.extend(children);
    }
    all.split_off(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_that_hang_are_named_until_they_end() {
        let mut watchdog = Watchdog::new();
        for line in [
            "running 3 tests",
            "test one ... ok",
            "test two has been running for over 60 seconds",
            "test three has been running for over 60 seconds",
            "test three ... FAILED",
        ] {
            watchdog.read(line);
        }
        assert!(watchdog.is_running);
        assert_eq!(watchdog.names(), "two");
        assert!(watchdog.time_left() <= LIMIT);
        watchdog.read("test result: FAILED. 1 passed; 1 failed; 0 ignored");
        assert!(!watchdog.is_running && watchdog.slow.is_empty());
    }

    #[test]
    fn only_what_ends_is_progress() {
        let mut watchdog = Watchdog::new();
        watchdog.read("running 1 test");
        let Some(long_ago) = Instant::now().checked_sub(LIMIT) else { return };
        watchdog.moved_at = long_ago;
        for line in ["test one has been running for over 60 seconds", "a line of a test", "Compiling store"] {
            watchdog.read(line);
            assert_eq!(watchdog.time_left(), Duration::ZERO, "{line}");
        }
        watchdog.read("test one ... ok");
        assert!(watchdog.time_left() > Duration::ZERO);
    }

    #[test]
    fn a_child_of_a_child_is_a_descendant() {
        let mut child = Command::new("sh")
            .args(["-c", "sleep 60 & echo; wait"])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("sh");
        let mut line = [0];
        std::io::Read::read_exact(child.stdout.as_mut().expect("piped"), &mut line).expect("it runs");
        let all = descendants(std::process::id());
        assert!(all.contains(&child.id()) && descendants(child.id()).len() == 1, "{all:?}");
        let pids: Vec<String> = descendants(child.id()).iter().map(u32::to_string).collect();
        assert!(Command::new("kill").args(pids).status().expect("kill").success());
        child.wait().expect("it ends");
    }
}
