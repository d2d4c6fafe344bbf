//! `Idempotency-Key` on `/v1`: one effect, one answer, however often and however close together it is asked.

use serde_json::json;

use delivery::sender::RefusalKind;

use crate::client::Call;
use crate::script::{able, no_candidates};
use crate::world::World;
use delivery::sender::Readiness;

const BODY: &str = r#"{"chat":"-1001234567890","text":"hello"}"#;

fn keyed(world: &World, key: &str, body: &str) -> Call {
    world.message(body).header("Idempotency-Key", key)
}

#[tokio::test]
async fn a_repeat_gets_the_same_message() {
    let world = World::new().await;
    let first = keyed(&world, "order-1", BODY).send().await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (200, None));
    for same in [
        BODY,
        r#"{ "text": "hello", "chat": "-1001234567890" }"#,
        r#"{"chat":"-1001234567890","text":"hello","wait":3}"#,
    ] {
        let again = keyed(&world, "order-1", same).send().await;
        assert_eq!((again.status, again.header("idempotency-replayed")), (200, Some("true")), "{same}");
        assert_eq!(again.message(), first.message());
    }
    assert_eq!(world.script.texts(), ["hello"]);

    let other = keyed(&world, "order-2", BODY).send().await;
    assert_ne!(other.json()["id"], first.json()["id"]);
    assert_eq!(world.script.texts().len(), 2);
}

#[tokio::test]
async fn another_body_is_a_conflict() {
    let world = World::new().await;
    assert_eq!(keyed(&world, "order-1", BODY).send().await.status, 200);
    let other = r#"{"chat":"-1001234567890","text":"hello!"}"#;
    keyed(&world, "order-1", other).send().await.problem(409, "idempotency_conflict");
    assert_eq!(world.script.texts().len(), 1);
}

#[tokio::test]
async fn keys_belong_to_who_uses_them() {
    let world = World::new().await;
    let first = keyed(&world, "order-1", BODY).send().await;
    let key = world.make_key(&["send"]).await;
    let other = Call::new(&world.main(), "POST", "/v1/messages").key(&key).json(BODY);
    let other = other.header("Idempotency-Key", "order-1").send().await;
    assert_eq!((other.status, other.header("idempotency-replayed")), (200, None));
    assert_ne!(other.json()["id"], first.json()["id"]);
}

#[tokio::test]
async fn a_negative_answer_is_not_kept() {
    let world = World::new().await;
    world.script.candidates_are(no_candidates(RefusalKind::Unusable, "offline"));
    keyed(&world, "order-1", BODY).send().await.problem(503, "no_account");
    world.script.candidates_are(able(&[("main", Readiness::Ready)]));
    let again = keyed(&world, "order-1", BODY).send().await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, None));
    assert_eq!(world.script.texts().len(), 1);
}

#[tokio::test]
async fn a_repeat_waits_and_answers_the_present_state() {
    let world = World::new().await;
    world.script.hold();
    let first = keyed(&world, "order-1", r#"{"chat":"-1001234567890","text":"hello","wait":0}"#).send().await;
    assert_eq!(first.status, 202);
    let call = keyed(&world, "order-1", BODY);
    let waiting = tokio::spawn(async move { call.send().await });
    tokio::time::sleep(std::time::Duration::from_millis(30)).await;
    assert!(!waiting.is_finished());
    world.script.release();
    let again = waiting.await.expect("no panic");
    assert_eq!((again.status, &again.json()["state"]), (200, &json!("sent")));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(world.script.texts().len(), 1);
}

#[tokio::test]
async fn many_at_once_are_one() {
    let world = World::new().await;
    let calls: Vec<_> = (0..16)
        .map(|_| {
            let call = keyed(&world, "order-1", BODY);
            tokio::spawn(async move { call.send().await })
        })
        .collect();
    let mut ids = Vec::new();
    let mut fresh = 0;
    for call in calls {
        let reply = call.await.expect("no panic");
        assert_eq!(reply.status, 200, "{reply:?}");
        fresh += usize::from(reply.header("idempotency-replayed").is_none());
        ids.push(reply.json()["id"].clone());
    }
    ids.dedup();
    assert_eq!((ids.len(), fresh), (1, 1));
    assert_eq!(world.script.texts(), ["hello"]);
}

#[tokio::test]
async fn a_repeat_after_its_time_is_the_same_message() {
    let world = World::new().await;
    let at = world.clock.now().plus(std::time::Duration::from_mins(1));
    let body = |wait: u8| {
        json!({ "chat": "-1001234567890", "text": "later", "send_at": at, "wait": wait }).to_string()
    };
    let (first, second) = (body(0), body(1));
    let accepted = keyed(&world, "order-1", &first).send().await;
    assert_eq!((accepted.status, &accepted.json()["state"]), (202, &json!("scheduled")));
    world.clock.advance(std::time::Duration::from_mins(2));
    let again = keyed(&world, "order-1", &second).send().await;
    assert_eq!((again.status, &again.json()["id"]), (200, &accepted.json()["id"]), "{again:?}");
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(world.script.texts(), ["later"]);
    keyed(&world, "order-2", &first).send().await.problem(422, "invalid_request");
    world.message(&first).send().await.problem(422, "invalid_request");
}
