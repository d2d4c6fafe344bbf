//! What keeps a move from beginning, and what undoes it by itself.

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::Start;

use super::killed::kill_after;
use super::{LONG, Sides};
use crate::binary;

#[tokio::test(flavor = "multi_thread")]
async fn a_target_in_use_and_a_port_that_is_taken_are_refused() {
    let sides = Sides::begin().await;
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let new = sides.folder("new");
    let words = ["plan", "--to", new.to_str().expect("UTF-8"), "--listen", &address];
    let refused = sides.cli(&words).beside().await;
    assert!(refused.code == Some(1) && refused.all().contains("is taken by"), "{}", refused.all());

    let mut other = Start::on(&sides.world, binary(), "new");
    other.settings = sides.world.data_dir("none.toml");
    fs::write(&other.settings, "listen = \"127.0.0.1:0\"\n").expect("writes");
    let mut other = other.ready().await;
    assert_eq!(other.terminate().await, Some(0));
    let refused = sides.run().beside().await;
    assert!(refused.code == Some(1) && refused.all().contains("there is a store in"), "{}", refused.all());
    fs::remove_dir_all(new).expect("removed");
    sides.is_served_by("old").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_fails_undoes_the_move() {
    let sides = Sides::begin().await;
    let undone = sides.run_with(&["--canary", "@no_such_person_at_all"]).beside().await;
    assert!(undone.code == Some(1) && undone.all().contains("the move was undone"), "{}", undone.all());
    sides.is_served_by("old").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_telegram_refuses_undoes_the_move() {
    let sides = Sides::begin().await;
    // Once the old side does not run, so that it does not find out first.
    let run = sides.run();
    tokio::task::block_in_place(|| kill_after(run, "stop"));
    // Until its accounts are opened one by one the new side, which runs, asks Telegram for nothing.
    let before = sides.world.get("/calls").await;
    let run = sides.run();
    tokio::task::block_in_place(|| kill_after(run, "start"));
    assert!(sides.holder("new").is_some());
    assert_eq!(sides.world.get("/calls").await, before);
    sides.world.fault("session_revoked", json!({ "account": "backup_2" })).await;
    let undone = sides.run().beside().await;
    assert!(undone.code == Some(1) && undone.all().contains("the move was undone"), "{}", undone.all());
    assert_eq!(sides.holder("new"), None);
    assert!(sides.holder("old").is_some(), "the old side serves again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_lost_while_watched_undoes_the_move() {
    let sides = Sides::begin().await;
    let (new, settings) = (sides.folder("new"), sides.world.settings_file());
    let (new, settings) = (new.to_str().expect("UTF-8"), settings.to_str().expect("UTF-8"));
    let words = ["run", "--to", new, "--to-config", settings, "--listen", "127.0.0.1:0", "--watch", "1h"];
    let run = sides.cli(&[&words[..], &["--canary", "@client_3", "--yes", "--json"]].concat());
    let run = tokio::spawn(run.beside());
    let begun = Instant::now();
    while !sides.world.sent().await.iter().any(|text| text.starts_with("The move from ")) {
        assert!(begun.elapsed() < LONG && !run.is_finished(), "no canary");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    sides.world.fault("session_revoked", json!({ "account": "backup_2" })).await;
    let order = json!({ "chat": "@client_2", "text": "never", "account": "backup_2", "wait": 0 });
    sides.post("new", "/v1/messages", &order).await;
    let undone = run.await.expect("it ends");
    let output = undone.all();
    assert!(undone.code == Some(1) && output.contains("the session of backup_2 was lost"), "{output}");
    assert!(output.contains("the move was undone"), "{output}");
    assert_eq!(sides.holder("new"), None);
    assert!(sides.holder("old").is_some(), "the old side serves again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_side_that_speaks_no_move_is_named() {
    let sides = Sides::begin().await;
    for (to, expected) in [
        ("exec:sh -c true", "does not answer as a side of a move"),
        ("exec:/no/such/program", "does not answer as a side of a move"),
        ("http://example.com", "is no side of a move"),
    ] {
        let refused = sides.cli(&["run", "--to", to, "--yes"]).beside().await;
        assert!(refused.all().contains(expected), "{to}: {}", refused.all());
    }
    sides.is_served_by("old").await;
}
