//! `/v1/failed-messages`: what failed is tried again together, and nothing that failed after it was counted.

use std::time::Duration;

use ambient::Ids;
use domain::message::{Content, OnFlood, OutboundMessage, Part};
use domain::outcome::Failure;
use domain::text::{FormattedText, ParseMode};
use domain::timeline::Step;
use domain::{ChatRef, MessageId, MessageState};
use http::StatusCode;
use serde_json::{Value, json};
use store::{Accept, Fail, Origin};

use crate::world::World;

const COUNT: &str = "/v1/failed-messages";
const RETRY: &str = "/v1/failed-messages/retry";

/// A message that waits, put into the store behind the back of the workers, who leave it alone.
async fn queued(world: &World, ids: &Ids) -> MessageId {
    let (now, id) = (world.clock.now(), MessageId::from_uuid(ids.next()));
    let chat = "-1001234567890".parse::<domain::ChatId>().expect("a chat");
    let text = FormattedText::plain("hello");
    let message = OutboundMessage {
        id,
        chat: ChatRef::Id(chat),
        address: Some(chat.into()),
        pin: None,
        account: None,
        parts: vec![Part::of_text(0, text.clone(), 77)],
        content: Content {
            text,
            parse_mode: ParseMode::None,
            reply_to: None,
            mention: None,
            mention_optional: false,
            written_by: domain::message::Writer::Program,
            silent: false,
            preview: false,
            media: Vec::new(),
            provider_options: None,
        },
        state: MessageState::Queued,
        failure: None,
        on_flood: OnFlood::Wait,
        send_at: None,
        created_at: now,
        updated_at: now,
    };
    let origin = Origin { listener: "v1".to_owned(), api_key: None, address: None };
    let accept = Accept { message, origin, idempotency: None, join: None, queue: store::Queue::Pool };
    world.store.outbox().accept(accept).await.expect("accepted");
    id
}

async fn fails(world: &World, id: MessageId) {
    let failure = Failure::Rejected { provider_code: "MESSAGE_EMPTY".into() };
    let done = world.store.outbox().fail(Fail { id, failure, at: world.clock.now() }).await;
    assert_eq!(done, Ok(true));
}

async fn failed(world: &World, ids: &Ids) -> MessageId {
    let id = queued(world, ids).await;
    fails(world, id).await;
    id
}

async fn is_retried(world: &World, id: MessageId) -> bool {
    let timeline = world.store.outbox().timeline(id).await.expect("a timeline");
    timeline.iter().any(|entry| entry.step == Step::Retried)
}

async fn begun(world: &World, path: &str) -> Value {
    let reply = world.call("POST", path).send().await;
    assert_eq!(reply.status, StatusCode::ACCEPTED, "{reply:?}");
    reply.json()
}

/// The run when it is over.
async fn over(world: &World) -> Value {
    for _ in 0..20_000 {
        let report = world.call("GET", COUNT).send().await.json();
        if report["retry"]["state"] != "running" {
            return report;
        }
        for _ in 0..10 {
            world.clock.advance(Duration::from_millis(20));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    panic!("it never ends");
}

#[tokio::test]
async fn messages_that_failed_after_the_count_are_left_alone() {
    let world = World::new().await;
    let ids = Ids::new(world.clock.clone());
    // Older than the one that is counted, it fails after it.
    let late = queued(&world, &ids).await;
    let one = failed(&world, &ids).await;
    let report = world.call("GET", COUNT).send().await.json();
    assert_eq!(report["count"], 1, "{report}");
    let new = failed(&world, &ids).await;
    fails(&world, late).await;
    let counted_at = report["failed_until"].as_str().expect("an instant");
    let then = format!("?failed_until={counted_at}");
    let again = world.call("GET", &format!("{COUNT}{then}")).send().await.json();
    assert_eq!((&again["count"], &again["failed_until"]), (&json!(1), &report["failed_until"]));
    let run = begun(&world, &format!("{RETRY}{then}")).await;
    assert_eq!((&run["total"], &run["joined"]), (&json!(1), &json!(false)), "{run}");
    let report = over(&world).await;
    assert_eq!((&report["count"], &report["retry"]["retried"]), (&json!(2), &json!(1)), "{report}");
    let retried =
        (is_retried(&world, one).await, is_retried(&world, new).await, is_retried(&world, late).await);
    assert_eq!(retried, (true, false, false));
    // What has not failed yet cannot be meant.
    let now = world.clock.now();
    let ahead = format!("{COUNT}?failed_until={}", now.plus(Duration::from_hours(1)));
    let report = world.call("GET", &ahead).send().await.json();
    let at: domain::Timestamp =
        report["failed_until"].as_str().and_then(|at| at.parse().ok()).expect("an instant");
    assert!(at < now.plus(Duration::from_mins(30)), "{report}");
    world
        .call("POST", &format!("{RETRY}?failed_until=tomorrow"))
        .send()
        .await
        .problem(422, "invalid_request");
}

#[tokio::test]
async fn concurrent_retry_joins_the_run_and_skips_new_failures() {
    let world = World::new().await;
    let ids = Ids::new(world.clock.clone());
    // As many as are read at once, and two more that are read when these are done with.
    for _ in 0..500 {
        failed(&world, &ids).await;
    }
    let late = queued(&world, &ids).await;
    let last = failed(&world, &ids).await;
    let run = begun(&world, RETRY).await;
    assert_eq!((&run["total"], &run["joined"]), (&json!(501), &json!(false)), "{run}");
    fails(&world, late).await;
    let second = begun(&world, &format!("{RETRY}?chat_id=-1009999999999")).await;
    assert_eq!((&second["total"], &second["joined"]), (&json!(501), &json!(true)), "{second}");
    assert_eq!(second["started_at"], run["started_at"]);
    let report = over(&world).await;
    assert_eq!((&report["count"], &report["retry"]["retried"]), (&json!(1), &json!(501)), "{report}");
    assert_eq!(report["retry"]["refused"], 0, "{report}");
    assert!(is_retried(&world, last).await && !is_retried(&world, late).await);
}
