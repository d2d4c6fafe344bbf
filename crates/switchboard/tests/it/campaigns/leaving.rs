//! How `campaign start` begins: a new run, at a time, for a campaign chosen at the terminal. How it ends: over, paused by Ctrl+C once
//! what is under way is finished, paused after a trial, left behind, or with no account left.

use std::time::Duration;

use domain::Timestamp;
use serde_json::json;
use testkit::World;

use super::{SEND, attempts, campaign, is, made, reasons, start};
use crate::shell::cli::{cli, started};

fn typed(world: &World, words: &[&str]) -> crate::shell::cli::Cli {
    cli(world, &[&["campaign", "start"], words].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_pauses_and_waits_for_what_is_under_way() {
    let (world, program) = started(&["fifth"]).await;
    made(&program, &["fifth"], 3, json!({"delay_seconds": 0})).await;
    world.fault("delay", json!({"method": SEND, "seconds": 3600, "times": 1})).await;
    let mut pty = typed(&world, &["spring"]).pty_of_width(100);
    program.until("one is on the wire", || async { world.calls(SEND).await > 0 }).await;
    pty.shows("1 of 3 cycle 1 of 1: 0 sent", 1).await;
    pty.interrupt();
    is(&program, "paused").await;
    pty.shows("what is under way is finished", 1).await;
    assert_eq!(campaign(&program).await["run"]["attempts"]["claimed"], 1);
    world.delete("/faults").await;
    assert_eq!(pty.ended().await, Some(0), "{}", pty.screen());
    assert_eq!(reasons(&attempts(&program).await, "sent").len(), 1);
    assert_eq!(world.effects(SEND).await.len(), 1);
    // It goes on at the next chat, and nothing follows it.
    let left = typed(&world, &["spring", "--detach", "--json"]).run().json();
    assert_eq!(left["run"]["state"], "running", "{left}");
    is(&program, "done").await;
    assert_eq!(world.effects(SEND).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_without_an_account_left_ends_with_three() {
    let (world, program) = started(&["main", "fifth"]).await;
    made(&program, &["main", "fifth"], 4, json!({"delay_seconds": 0})).await;
    let unknown = typed(&world, &["autumn"]).run();
    assert!(unknown.code == Some(1) && unknown.err.contains("autumn"), "{unknown:?}");
    // One of the two at a time.
    let one = typed(&world, &["spring", "--workers", "1", "--limit", "2"]).beside().await;
    assert_eq!(one.code, Some(0), "{one:?}");
    let senders: Vec<_> = attempts(&program).await.iter().map(|row| row["account"].clone()).collect();
    assert!(senders.len() == 2 && senders[0] == senders[1], "{senders:?}");
    for account in ["main", "fifth"] {
        world.fault("banned", json!({"account": account})).await;
    }
    let frozen = typed(&world, &["spring"]).beside().await;
    assert_eq!(frozen.code, Some(3), "{frozen:?}");
    assert_eq!(campaign(&program).await["run"]["reason"], "no_sender");
    let again = typed(&world, &["spring"]).beside().await;
    assert!(again.code == Some(3) && again.err.contains("list-profiles spring"), "{again:?}");
    assert_eq!(world.effects(SEND).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_asks_at_the_terminal_whether_to_go_on() {
    let (world, program) = started(&["fifth"]).await;
    made(&program, &["fifth"], 3, json!({"delay_seconds": 0})).await;
    let mut pty = typed(&world, &["spring", "--limit", "1"]).pty_of_width(100);
    pty.shows("Go on with the 2 chats that are left?", 1).await;
    assert_eq!(world.effects(SEND).await.len(), 1);
    pty.types("n");
    assert_eq!(pty.ended().await, Some(1), "{}", pty.screen());
    assert!(pty.screen().contains("it stays paused"), "{}", pty.screen());
    assert_eq!(campaign(&program).await["run"]["state"], "paused");
    let mut pty = typed(&world, &["spring", "--limit", "1"]).pty_of_width(100);
    pty.shows("Go on with the 1 chats that are left?", 1).await;
    pty.types("y");
    assert_eq!(pty.ended().await, Some(0), "{}", pty.screen());
    assert_eq!(campaign(&program).await["run"]["state"], "done");
    assert_eq!(world.effects(SEND).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_without_a_name_asks_which_campaign() {
    let (world, program) = started(&["fifth"]).await;
    made(&program, &["fifth"], 1, json!({"delay_seconds": 0})).await;
    let mut pty = typed(&world, &["--detach"]).pty();
    pty.shows("Which campaign? [1-1]", 1).await;
    pty.types("1");
    assert_eq!(pty.ended().await, Some(0), "{}", pty.screen());
    is(&program, "done").await;
    assert_eq!(world.effects(SEND).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_run_takes_the_place_of_one_that_is_not_over() {
    let (world, program) = started(&["fifth"]).await;
    made(&program, &["fifth"], 3, json!({"delay_seconds": 0})).await;
    let trial = typed(&world, &["spring", "--limit", "1"]).beside().await;
    assert_eq!(trial.code, Some(0), "{trial:?}");
    let old = campaign(&program).await["run"]["id"].clone();
    // A person gets the next message of a campaign after an hour.
    program.advance(Duration::from_hours(2)).await;
    let new = typed(&world, &["spring", "--new", "--detach", "--json"]).run().json();
    assert_ne!(new["run"]["id"], old);
    is(&program, "done").await;
    assert_eq!(reasons(&attempts(&program).await, "sent").len(), 3);
    assert_eq!(world.effects(SEND).await.len(), 4);
    let runs = program.get("/v1/campaigns/spring/runs").await.1;
    let replaced = runs["items"].as_array().expect("items").iter().find(|run| run["id"] == old);
    let replaced = replaced.unwrap_or_else(|| panic!("{runs}"));
    assert_eq!((&replaced["state"], &replaced["reason"]), (&json!("stopped"), &json!("replaced")), "{runs}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_starts_at_a_time_sends_nothing_before() {
    let (world, program) = started(&["fifth"]).await;
    made(&program, &["fifth"], 2, json!({"delay_seconds": 0})).await;
    let now: Timestamp = program.now().await.parse().expect("a time");
    let at = now.plus(Duration::from_mins(10));
    typed(&world, &["spring", "--at", &at.to_string(), "--detach"]).fine();
    program.pass_calmly(240).await;
    assert_eq!(world.effects(SEND).await.len(), 0);
    // Who starts it once more changes nothing about that.
    start(&program).await;
    program.as_time_goes_by(Duration::from_secs(4), is(&program, "done")).await;
    let attempts = attempts(&program).await;
    let claimed = attempts.iter().map(|row| row["claimed_at"].as_str().expect("a time").parse::<Timestamp>());
    assert!(claimed.map(|claimed| claimed.expect("a time")).all(|claimed| claimed >= at), "{attempts:?}");
    assert_eq!(world.effects(SEND).await.len(), 2);
}
