//! Callers without an `Idempotency-Key` whose same body within a time is one message: by API key, and by old port.

use std::time::Duration;

use config::LegacyPort;
use delivery::sender::{Readiness, RefusalKind};
use domain::Service;
use serde_json::json;

use crate::client::Call;
use crate::joining::eventually;
use crate::legacy::GROUP;
use crate::script::{able, no_candidates};
use crate::world::{World, port_of, send_text_port};

const BODY: &str = r#"{"chat":"-1001234567890","text":"hello"}"#;
const WITHIN: Duration = Duration::from_mins(10);

/// A key whose same body is one message for ten minutes.
async fn key(world: &World) -> String {
    let new = json!({ "name": "n8n", "scopes": ["send", "read"], "repeats": "10m" }).to_string();
    let made = world.call("POST", "/v1/keys").json(&new).send().await;
    assert_eq!(made.status, 201, "{made:?}");
    let made = made.json();
    assert_eq!(made["repeats"], json!("10m"));
    made["key"].as_str().expect("a key").to_owned()
}

fn by(world: &World, key: &str, body: &str) -> Call {
    Call::new(&world.main(), "POST", "/v1/messages").key(key).json(body)
}

/// A world whose old port for texts takes the same body as one message for ten minutes.
async fn joining_port() -> World {
    World::with(|options| {
        options.legacy.ports = vec![LegacyPort { repeats: Some(WITHIN), ..send_text_port() }];
    })
    .await
}

#[tokio::test]
async fn a_key_with_repeats_makes_one_message_of_a_body() {
    let world = World::new().await;
    let key = key(&world).await;
    let first = by(&world, &key, BODY).send().await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (200, None));
    for same in [BODY, r#"{"text":"hello","chat":"-1001234567890","wait":3}"#] {
        let again = by(&world, &key, same).send().await;
        assert_eq!((again.status, again.header("idempotency-replayed")), (200, Some("true")), "{same}");
        assert_eq!(again.json()["id"], first.json()["id"]);
    }
    let other = by(&world, &key, r#"{"chat":"-1001234567890","text":"other"}"#).send().await;
    assert_eq!((other.status, other.header("idempotency-replayed")), (200, None));
    // A key of the caller's own says better which requests are the same.
    let keyed = by(&world, &key, BODY).header("Idempotency-Key", "order-2").send().await;
    assert_eq!((keyed.status, keyed.header("idempotency-replayed")), (200, None));
    let elsewhere = world.message(BODY).send().await;
    assert_eq!((elsewhere.status, elsewhere.header("idempotency-replayed")), (200, None));
    assert_eq!(world.script.texts().len(), 4);
    world.clock.advance(WITHIN);
    let later = by(&world, &key, BODY).send().await;
    assert_eq!((later.status, later.header("idempotency-replayed")), (200, None));
}

#[tokio::test]
async fn a_repeat_joins_while_the_first_still_runs() {
    let world = joining_port().await;
    world.script.hold();
    let calls = [GROUP, GROUP, GROUP].map(|body| {
        let call = world.text(body);
        tokio::spawn(async move { call.send().await })
    });
    eventually(|| world.delivery.queued() == 1).await;
    world.script.release();
    let mut ids = Vec::new();
    for call in calls {
        let reply = call.await.expect("no panic");
        assert_eq!(reply.status, 200, "{reply:?}");
        ids.extend(reply.json()["message_id"].as_i64());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(world.script.texts(), ["hello"]);
}

#[tokio::test]
async fn a_repeat_after_a_crash_is_the_same_message() {
    let world = joining_port().await;
    let first = world.text(GROUP).send().await;
    assert_eq!(first.status, 200, "{first:?}");
    let next = world
        .after_a_crash_with(|options| {
            options.legacy.ports = vec![LegacyPort { repeats: Some(WITHIN), ..send_text_port() }];
        })
        .await;
    let again = next.text(GROUP).send().await;
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert!(next.script.texts().is_empty());
}

#[tokio::test]
async fn a_refusal_is_no_answer_to_a_repeat() {
    let world = joining_port().await;
    world.script.candidates_are(no_candidates(RefusalKind::Unusable, "offline"));
    assert_eq!(world.text(GROUP).send().await.status, 503);
    world.script.candidates_are(able(&[("main", Readiness::Ready)]));
    let again = world.text(GROUP).send().await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, None));
    assert_eq!(world.script.texts().len(), 1);
}

#[tokio::test]
async fn a_repeat_makes_no_second_chat() {
    let port = LegacyPort { repeats: Some(WITHIN), ..port_of(Service::CreateChat) };
    let world = World::with(|options| options.legacy.ports = vec![port]).await;
    let ask =
        || Call::new(&world.old(), "POST", "/create_chat").json(r#"{"title":"x","usernames":["@anna_1"]}"#);
    let first = ask().send().await;
    assert_eq!(first.status, 200, "{first:?}");
    let again = ask().send().await;
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
}

#[tokio::test]
async fn a_time_that_cannot_be_is_refused() {
    let world = World::new().await;
    for (repeats, status) in [("0s", 422), ("2d", 422), ("soon", 422), ("", 201)] {
        let body = json!({ "name": "n8n", "scopes": ["send"], "repeats": repeats }).to_string();
        let made = world.call("POST", "/v1/keys").json(&body).send().await;
        assert_eq!(made.status, status, "{repeats:?}: {made:?}");
    }
}
