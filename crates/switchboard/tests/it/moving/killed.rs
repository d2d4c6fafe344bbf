//! Killed at every step of a move, taken up or turned back: one side serves in the end, and nothing is lost or doubled.

use std::time::Instant;

use super::{LONG, Sides, fine, kill};
use crate::shell::cli::Cli;

/// Those that are passed on the way there and change something, and those on the way back.
const THERE: [&str; 14] = [
    "first_backup",
    "transfer",
    "environment",
    "check",
    "install",
    "stop",
    "last_backup",
    "give_up",
    "transfer_rest",
    "place",
    "start",
    "open",
    "validate",
    "monitor",
];
const BACK: [&str; 6] = ["stop_new", "give_back", "transfer_back", "place_back", "restart", "clear"];

/// Starts a command and kills it, and the sides that it talks with, where it has done a step and not written so.
#[expect(clippy::zombie_processes, reason = "what is killed is waited for; a test that fails ends all")]
pub(super) fn kill_after(command: Cli, step: &str) {
    use std::io::{BufRead as _, BufReader};
    let mut child = command.env("FAILPOINT", &format!("moving.{step}.after")).spawn();
    let errors = BufReader::new(child.stderr.take().expect("piped"));
    let begun = Instant::now();
    let mut all = String::new();
    for line in errors.lines() {
        let line = line.expect("a line");
        let stands = line.contains("stopped at moving.");
        all.push_str(&line);
        all.push('\n');
        if stands {
            kill(&mut child);
            return;
        }
        assert!(begun.elapsed() < LONG, "it does not come to {step}: {all}");
    }
    panic!("it ended before {step}: {all}");
}

async fn taken_up(step: &'static str) {
    let sides = Sides::begin().await;
    let run = sides.run();
    tokio::task::block_in_place(|| kill_after(run, step));
    fine(sides.run().beside().await);
    sides.is_served_by("new").await;
}

async fn turned_back(step: &'static str) {
    let sides = Sides::begin().await;
    let run = sides.run();
    tokio::task::block_in_place(|| kill_after(run, step));
    fine(sides.rollback().beside().await);
    sides.is_served_by("old").await;
}

async fn killed_during_rollback(step: &'static str) {
    let sides = Sides::begin().await;
    fine(sides.run().beside().await);
    let rollback = sides.rollback();
    tokio::task::block_in_place(|| kill_after(rollback, step));
    fine(sides.rollback().beside().await);
    sides.is_served_by("old").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_killed_at_any_step_is_taken_up() {
    for step in THERE {
        taken_up(step).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_killed_at_any_step_is_turned_back() {
    for step in THERE {
        turned_back(step).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_killed_at_any_step_goes_on() {
    for step in BACK {
        killed_during_rollback(step).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retirement_that_is_killed_is_taken_up() {
    let sides = Sides::begin().await;
    fine(sides.run().beside().await);
    let finish = || sides.cli(&["finish", "--yes", "--json"]);
    tokio::task::block_in_place(|| kill_after(finish(), "retire"));
    let refused = sides.rollback().beside().await;
    assert!(refused.code == Some(1) && refused.all().contains("no way back"), "{}", refused.all());
    fine(finish().beside().await);
    assert!(!sides.folder("old").join("master.key").exists());
    sides.is_served_by("new").await;
}
