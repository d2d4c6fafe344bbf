//! The watchdog of a test program: where no test ends for long, the program is killed, and the tests that hang are named.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

/// The longest that a test program may go without a test that ends. The longest test takes a few minutes where other work
/// keeps the machine busy.
const LIMIT: Duration = Duration::from_mins(10);

/// What runs, as far as the lines of the program show.
#[derive(Debug)]
pub(super) struct Watchdog {
    moved_at: Instant,
    /// Tests that have run for a minute; the test programs name them.
    slow: BTreeSet<String>,
}

impl Watchdog {
    pub(super) fn new() -> Self {
        Self { moved_at: Instant::now(), slow: BTreeSet::new() }
    }

    /// Takes a line of output.
    pub(super) fn read(&mut self, line: &str) {
        let test = line.strip_prefix("test ");
        if let Some((name, _)) = test.and_then(|rest| rest.split_once(" has been running for over ")) {
            self.slow.insert(name.to_owned());
            return;
        }
        if let Some((name, _)) = test.and_then(|rest| rest.split_once(" ... ")) {
            self.slow.remove(name);
            self.moved_at = Instant::now();
        }
    }

    fn is_over(&self) -> bool {
        self.moved_at.elapsed() >= LIMIT
    }

    /// Kills the program and what it started, where a test of it hangs.
    pub(super) fn bite(&mut self, program: u32) {
        if !self.is_over() {
            return;
        }
        let names = if self.slow.is_empty() { "no test is named".to_owned() } else { self.names() };
        eprintln!("error: no test has ended for {} minutes; still running: {names}", LIMIT.as_secs() / 60);
        let pids: Vec<String> = family(program).iter().map(u32::to_string).collect();
        let _ = Command::new("kill").arg("-KILL").args(pids).status();
        self.moved_at = Instant::now();
    }

    fn names(&self) -> String {
        self.slow.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

/// A process, those that it started, and those that they started.
fn family(pid: u32) -> Vec<u32> {
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
    all
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
        assert_eq!(watchdog.names(), "two");
        assert!(!watchdog.is_over());
    }

    #[test]
    fn only_a_test_that_ends_is_progress() {
        let mut watchdog = Watchdog::new();
        let Some(long_ago) = Instant::now().checked_sub(LIMIT) else { return };
        watchdog.moved_at = long_ago;
        for line in ["test one has been running for over 60 seconds", "a line of a test"] {
            watchdog.read(line);
            assert!(watchdog.is_over(), "{line}");
        }
        watchdog.read("test one ... ok");
        assert!(!watchdog.is_over());
    }

    #[test]
    fn a_child_of_a_child_is_of_the_family() {
        let mut child = Command::new("sh")
            .args(["-c", "sleep 60 & echo; wait"])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("sh");
        let mut line = [0];
        std::io::Read::read_exact(child.stdout.as_mut().expect("piped"), &mut line).expect("it runs");
        let all = family(std::process::id());
        assert!(all.contains(&child.id()) && family(child.id()).len() == 2, "{all:?}");
        let pids: Vec<String> = family(child.id()).iter().map(u32::to_string).collect();
        assert!(Command::new("kill").args(pids).status().expect("kill").success());
        child.wait().expect("it ends");
    }
}
