//! Port 5024 as its callers know it: the others are removed, the chat is left, and one that no one finds counts as left.

use std::time::Duration;

use config::LegacyPort;
use delivery::sender::{Readiness, RefusalKind};
use domain::Service;
use serde_json::json;

use crate::client::Call;
use crate::script::{able, account, no_candidates};
use crate::world::{World, port_of};

const CHANNEL: &str = r#"{"status":"ok","left_type":"channel","id":1234567890,"kicked":[11,12]}"#;

async fn world() -> World {
    World::with(|options| options.legacy.ports = vec![port_of(Service::LeaveChat)]).await
}

fn leave(world: &World, body: &str) -> Call {
    Call::new(&world.old(), "POST", "/leave_chat").json(body)
}

async fn left(world: &World, body: &str) -> (u16, String) {
    let call = leave(world, body);
    let waiting = tokio::spawn(async move { call.send().await });
    // Half a second passes between two removals.
    let reply = world.pass(Duration::from_millis(100), waiting).await;
    (reply.status, reply.body)
}

#[tokio::test]
async fn chats_are_left_by_id_bare_id_and_name() {
    let world = world().await;
    for chat in [r#""-1001234567890""#, "-1001234567890", "1234567890", r#""1234567890""#] {
        let answer = left(&world, &format!(r#"{{"chat":{chat}}}"#)).await;
        assert_eq!(answer, (200, CHANNEL.to_owned()), "{chat}");
    }
    assert_eq!(world.hands.count("leave"), 4);
    let named = left(&world, r#"{"chat":"@demo_channel"}"#).await;
    assert_eq!(named, (200, r#"{"status":"ok","left_type":"channel","id":500,"kicked":[11,12]}"#.to_owned()));
    let group = left(&world, r#"{"chat":"-123"}"#).await;
    assert_eq!(group, (200, r#"{"status":"ok","left_type":"basic_chat","id":123}"#.to_owned()));
}

#[tokio::test]
async fn a_request_without_a_chat_is_refused() {
    let world = world().await;
    for body in ["", "{}", "no json", r#"{"chat":""}"#, r#"{"chat":null}"#] {
        let reply = leave(&world, body).send().await;
        assert_eq!(
            (reply.status, reply.body.as_str()),
            (400, r#"{"status":"error","error":"chat is required"}"#),
            "{body}"
        );
    }
    assert!(world.hands.taken().is_empty());
}

#[tokio::test]
async fn a_chat_that_no_one_finds_counts_as_left() {
    let world = world().await;
    world.hands.reachers_are(no_candidates(RefusalKind::NotFound, "not among its dialogs"));
    for body in [r#"{"chat":"-1001234567890"}"#, r#"{"chat":"no chat at all"}"#] {
        let reply = leave(&world, body).send().await;
        let answer = reply.json();
        assert_eq!(
            (reply.status, &answer["status"], &answer["left_type"]),
            (200, &json!("ok"), &json!("unresolvable")),
            "{body}"
        );
        assert!(answer["note"].is_string(), "{answer}");
    }
    assert_eq!(world.hands.count("leave"), 0);
}

#[tokio::test]
async fn each_failure_has_its_status() {
    let world = world().await;
    world.hands.reachers_are(no_candidates(RefusalKind::Unusable, "offline"));
    let reply = leave(&world, r#"{"chat":"-1001234567890"}"#).send().await;
    assert_eq!((reply.status, &reply.json()["status"]), (503, &json!("error")), "{reply:?}");
    let until = world.clock.now().plus(Duration::from_mins(10));
    world.hands.reachers_are(able(&[("main", Readiness::HeldUntil(until))]));
    let reply = leave(&world, r#"{"chat":"-1001234567890"}"#).send().await;
    assert_eq!(reply.status, 503, "{reply:?}");
    assert!(
        reply.body.starts_with(r#"{"status":"error","error":"FloodWait","retry_after":"#),
        "{}",
        reply.body
    );
    assert_eq!(world.hands.count("leave"), 0);
}

#[tokio::test]
async fn removing_the_others_can_be_switched_off() {
    let world = World::with(|options| {
        options.legacy.ports = vec![port_of(Service::LeaveChat)];
        options.legacy.leave_removes_members = false;
    })
    .await;
    let answer = left(&world, r#"{"chat":"-1001234567890"}"#).await;
    assert_eq!(
        answer,
        (200, r#"{"status":"ok","left_type":"channel","id":1234567890,"kicked":[]}"#.to_owned())
    );
    assert_eq!((world.hands.count("remove"), world.hands.count("leave")), (0, 1));
}

#[tokio::test]
async fn while_members_are_removed_the_caller_waits_three_holds() {
    let world = world().await;
    world.hands.hold("remove");
    let call = leave(&world, r#"{"chat":"-1001234567890"}"#);
    let waiting = tokio::spawn(async move { call.send().await });
    while world.hands.count("list_members") == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    for _ in 0..28 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        world.clock.advance(Duration::from_secs(10));
    }
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert!(!waiting.is_finished(), "it is still at it after 280 s");
    let doubt = world.pass(Duration::from_secs(10), waiting).await;
    let answer = doubt.json();
    assert_eq!((doubt.status, &answer["state"]), (500, &json!("in_doubt")), "{answer}");
    assert!(answer["id"].as_str().is_some_and(|id| id.starts_with("op_")), "{answer}");
    world.hands.release();
    assert_eq!(left(&world, r#"{"chat":"-1001234567890"}"#).await, (200, CHANNEL.to_owned()));
    assert_eq!(world.hands.count("leave"), 1, "the same call joined it");
}

#[tokio::test]
async fn a_pinned_port_uses_its_account() {
    let world = World::with(|options| {
        options.legacy.ports =
            vec![LegacyPort { account: Some(account("backup_1")), ..port_of(Service::LeaveChat) }];
    })
    .await;
    assert_eq!(left(&world, r#"{"chat":"-1001234567890"}"#).await.0, 200);
    assert!(world.hands.taken().iter().all(|taken| taken.account.as_str() == "backup_1"));
}
