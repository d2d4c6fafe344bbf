//! How `campaign start` ends: over, paused by Ctrl+C once what is under way is finished, left behind, or with no account left.

use serde_json::json;
use testkit::World;

use super::{SEND, attempts, campaign, is, made, reasons};
use crate::shell::cli::{cli, started};

fn typed(world: &World, words: &[&str]) -> crate::shell::cli::Cli {
    cli(world, &[&["campaign", "start"], words].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_pauses_and_waits_for_what_is_under_way() {
    let (world, program) = started(&["fifth"]).await;
    made(&program, &["fifth"], 3, json!({"delay_seconds": 0})).await;
    world.fault("delay", json!({"method": SEND, "seconds": 3600, "times": 1})).await;
    let mut seat = typed(&world, &["spring"]).seat_of_width(100);
    program.until("one is on the wire", || async { world.calls(SEND).await > 0 }).await;
    seat.interrupt();
    is(&program, "paused").await;
    seat.shows("what is under way is finished", 1).await;
    assert_eq!(campaign(&program).await["run"]["attempts"]["claimed"], 1);
    world.delete("/faults").await;
    assert_eq!(seat.ended().await, Some(0), "{}", seat.screen());
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
