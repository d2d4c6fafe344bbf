//! Two programs on one database: one works, the other one waits, and no text leaves twice whatever becomes of the first.

use std::time::{Duration, Instant};

use serde_json::json;
use testkit::World;

use super::{database, hasty, held, is_sent, link_to, one_of_several, order};
use crate::binary;

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_takes_over_from_one_that_was_killed() {
    let (world, database) = (World::start(binary()).await, database().await);
    let mut first = one_of_several(&world, &database.url(), "first").ready().await;
    first.account_is("main", "ready").await;
    let id = held(&world, &first, "held").await;
    let mut second = one_of_several(&world, &database.url(), "second").standing_by().await;
    let output = second.said("Waiting ").await;
    assert!(output.contains("in use by") && output.contains(&format!("process {}", first.pid())), "{output}");
    first.kill();
    world.delete("/faults").await;
    database.end_lease();
    let second = second.listening().await;
    is_sent(&second, &id).await;
    assert_eq!(order(&second, "next").await.expect("an answer").0, 200);
    assert_eq!(world.sent().await, ["held", "next"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_started_again_after_a_kill_does_not_wait_for_its_own_lease() {
    let (world, database) = (World::start(binary()).await, database().await);
    let mut first = one_of_several(&world, &database.url(), "data").ready().await;
    first.account_is("main", "ready").await;
    let id = held(&world, &first, "held").await;
    first.kill();
    world.delete("/faults").await;
    // By the clock of the server it is held for an hour: a wait for it would end the test.
    database.query("UPDATE store_leases SET expires_at = now() + interval '1 hour'");
    let mut elsewhere = one_of_several(&world, &database.url(), "elsewhere").standing_by().await;
    let output = elsewhere.said("Waiting ").await;
    assert!(output.contains("in use by"), "{output}");
    let second = one_of_several(&world, &database.url(), "data").ready().await;
    assert!(!second.output().contains("Waiting "), "{}", second.output());
    is_sent(&second, &id).await;
    assert_eq!(order(&second, "next").await.expect("an answer").0, 200);
    assert_eq!(world.sent().await, ["held", "next"]);
    elsewhere.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_slept_sends_nothing_and_stands_by() {
    let (world, database) = (World::start(binary()).await, database().await);
    let first = one_of_several(&world, &database.url(), "first").ready().await;
    first.account_is("main", "ready").await;
    let id = held(&world, &first, "held").await;
    let second = one_of_several(&world, &database.url(), "second").standing_by().await;
    first.stop();
    world.delete("/faults").await;
    database.end_lease();
    let mut second = second.listening().await;
    second.account_is("main", "ready").await;
    is_sent(&second, &id).await;

    // It knows nothing of the time that went by, and both are asked for the same under one key.
    first.wake();
    let (refused, accepted) = tokio::join!(order(&first, "both"), order(&second, "both"));
    assert!(refused.as_ref().is_none_or(|(status, _)| *status == 503), "{refused:?}");
    assert_eq!(accepted.expect("an answer").0, 200);
    let mut first = first.as_standby();
    let output = first.said("Waiting ").await;
    assert!(output.contains(&format!("process {}", second.pid())), "{output}");
    assert_eq!(world.sent().await, ["held", "both"]);

    second.kill();
    database.end_lease();
    let first = first.listening().await;
    assert_eq!(order(&first, "both").await.expect("an answer").0, 200, "the key is known");
    assert_eq!(order(&first, "after").await.expect("an answer").0, 200);
    assert_eq!(world.sent().await, ["held", "both", "after"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_overslept_says_nothing_to_telegram() {
    const POINT: &str = "telegram.send.before";
    const SEND: &str = "messages.sendMessage";
    let (world, database) = (World::start(binary()).await, database().await);
    let link = link_to(&database).await;
    let first = hasty(&world, &link.url(&database.url())).ready().await;
    first.account_is("main", "ready").await;
    first.arm(POINT, 0).await;
    let order = json!({ "chat": "@client_1", "text": "held", "wait": 0 });
    let (status, accepted) = first.post("/v1/messages", &order).await;
    assert_eq!(status, 202, "{accepted}");
    first.until("it is begun and about to leave", || first.stopped_at(POINT)).await;
    // When it wakes up, what it asks about its lease is not answered.
    link.stall();
    first.stop();
    let slept = Instant::now();
    database.end_lease();
    let second = one_of_several(&world, &database.url(), "second").ready().await;
    second.account_is("main", "ready").await;
    is_sent(&second, accepted["id"].as_str().expect("an id")).await;
    let calls = world.calls(SEND).await;

    // Longer than six of its seconds.
    tokio::time::sleep(Duration::from_millis(700).saturating_sub(slept.elapsed())).await;
    first.wake();
    first.release_if_there(POINT).await;
    first.until("it has begun again", || async { first.output().matches("TEST BUILD").count() == 2 }).await;
    assert_eq!(world.calls(SEND).await, calls);
    assert_eq!(world.sent().await, ["held"]);
}
