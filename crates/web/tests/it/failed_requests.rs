//! `/v1/failed-requests`: what is kept for a person, and trying it again or dropping it.

use std::time::Duration;

use delivery::TaskSubmission;
use delivery::sender::{Readiness, RefusalKind};
use domain::message::OnFlood;
use domain::{OperationId, Service};
use serde_json::{Value, json};
use store::{Keep, Origin};

use crate::client::Call;
use crate::script::{able, no_candidates};
use crate::world::{SOON, World};

/// A chat that a legacy port asked for and that could not be made.
async fn failed(world: &World) -> OperationId {
    world.candidates_are(&no_candidates(RefusalKind::Unusable, "banned"));
    let task = json!({ "kind": "create_chat", "title": "Order 1", "members": [], "client_tg_id": "77" });
    let submission = TaskSubmission {
        task: serde_json::from_value(task).expect("a task"),
        pin: None,
        on_flood: OnFlood::Wait,
        flood_timeout: Duration::from_mins(1),
        origin: Origin { listener: "5021".to_owned(), api_key: None, address: None },
        idempotency: None,
        join: None,
        keep: Some(Keep {
            service: Service::CreateChat,
            endpoint: "/create_chat".to_owned(),
            payload: r#"{"title":"Order 1","usernames":["@client_1"]}"#.to_owned(),
        }),
    };
    let id = world.sagas.submit(submission).await.expect("accepted").id;
    let saga = world.sagas.settled(id, Duration::from_secs(10)).await.expect("the store").expect("a saga");
    assert_eq!(saga.state.as_str(), "failed");
    id
}

async fn only(world: &World) -> Value {
    let listed = world.call("GET", "/v1/failed-requests").send().await.json();
    let items = listed["items"].as_array().expect("items");
    assert_eq!(items.len(), 1, "{listed}");
    items[0].clone()
}

fn path(item: &Value, rest: &str) -> String {
    format!("/v1/failed-requests/{}{rest}", item["id"].as_str().expect("an id"))
}

#[tokio::test]
async fn failed_requests_are_listed_and_admins_see_the_body() {
    let world = World::new().await;
    let operation = failed(&world).await;
    let item = only(&world).await;
    for (field, value) in [
        ("service", json!("create_chat")),
        ("direction", json!("inbound")),
        ("endpoint", json!("/create_chat")),
        ("payload", json!({ "title": "Order 1", "usernames": ["@client_1"] })),
        ("state", json!("pending")),
        ("retry_count", json!(0)),
        ("operation", json!(operation.to_string())),
    ] {
        assert_eq!(item[field], value, "{field}: {item}");
    }
    assert!(item["error"].as_str().is_some_and(|error| error.contains("banned")), "{item}");
    assert_eq!(world.call("GET", &path(&item, "")).send().await.json(), item);

    let reader = world.make_key(&["read"]).await;
    for path in [path(&item, ""), "/v1/failed-requests".to_owned()] {
        let seen = Call::new(&world.main(), "GET", &path).key(&reader).send().await;
        assert_eq!(seen.status, 200, "{seen:?}");
        assert!(!seen.body.contains("payload") && !seen.body.contains("@client_1"), "{seen:?}");
    }
    let none = world.call("GET", "/v1/failed-requests?state=dropped").send().await.json();
    assert_eq!(none["items"], json!([]));
    world.call("GET", "/v1/failed-requests?state=lost").send().await.problem(422, "invalid_request");
    for id in ["fail_00000000000000000000000000", "nonsense"] {
        let reply = world.call("GET", &format!("/v1/failed-requests/{id}")).send().await;
        reply.problem(404, "failed_request_not_found");
    }
}

#[tokio::test]
async fn trying_again_makes_the_chat_once() {
    let world = World::new().await;
    let operation = failed(&world).await;
    let item = only(&world).await;

    let still = world.call("POST", &path(&item, "/retry")).send().await;
    assert_eq!((still.status, &still.json()["retry_count"]), (202, &json!(1)), "{still:?}");
    world.until_operation(&format!("/v1/operations/{operation}"), "failed").await;
    world.until_request(&item["id"], "pending").await;
    let seen = only(&world).await;
    assert!(seen["last_retry_error"].as_str().is_some_and(|error| error.contains("banned")), "{seen}");

    world.candidates_are(&able(&[("main", Readiness::Ready)]));
    let calls: Vec<_> = (0..4)
        .map(|_| {
            let call = world.call("POST", &path(&item, "/retry"));
            tokio::spawn(async move { call.send().await.status })
        })
        .collect();
    let mut taken = 0;
    for call in calls {
        let status = call.await.expect("no panic");
        assert!([202, 409].contains(&status), "{status}");
        taken += usize::from(status == 202);
    }
    assert_eq!(taken, 1);
    world.until_request(&item["id"], "done").await;
    assert_eq!(world.hands.count("create"), 1);
    world.call("POST", &path(&item, "/retry")).send().await.problem(409, "wrong_state");
    world.call("DELETE", &path(&item, "")).send().await.problem(409, "wrong_state");
}

#[tokio::test]
async fn a_dropped_request_stays_dropped() {
    let world = World::new().await;
    failed(&world).await;
    let item = only(&world).await;
    let sender = world.make_key(&["send"]).await;
    let call = Call::new(&world.main(), "DELETE", &path(&item, "")).key(&sender);
    call.send().await.problem(403, "forbidden_scope");
    for _ in 0..2 {
        assert_eq!(world.call("DELETE", &path(&item, "")).send().await.status, 204);
    }
    assert_eq!(only(&world).await["state"], "dropped");
    world.call("POST", &path(&item, "/retry")).send().await.problem(409, "wrong_state");
}

#[tokio::test]
async fn a_callback_that_was_given_up_is_due_again() {
    let world = World::new().await;
    let operation = failed(&world).await;
    world.candidates_are(&able(&[("main", Readiness::Ready)]));
    assert!(matches!(world.sagas.retry(operation).await, Ok(delivery::SagaChanged::Done(_))));
    world.until_operation(&format!("/v1/operations/{operation}"), "done").await;
    let now = world.clock.now();
    let due = world.store.callbacks().due(now, 10).await.expect("the store");
    assert_eq!(due.len(), 1);
    world.store.callbacks().failed(due[0].id, "503".to_owned(), now, None).await.expect("the store");

    let listed = world.call("GET", "/v1/failed-requests?state=pending").send().await.json();
    let item = &listed["items"][0];
    assert_eq!((&item["direction"], &item["error"]), (&json!("outbound"), &json!("503")), "{listed}");
    let again = world.call("POST", &path(item, "/retry")).send().await;
    assert_eq!((again.status, &again.json()["state"]), (202, &json!("retried")), "{again:?}");
    tokio::time::timeout(SOON, world.callbacks_due.notified()).await.expect("notified");
    let due = world.store.callbacks().due(world.clock.now(), 10).await.expect("the store");
    assert_eq!(due.len(), 1);
    world.store.callbacks().delivered(due[0].id, world.clock.now()).await.expect("the store");
    assert_eq!(world.call("GET", &path(item, "")).send().await.json()["state"], "done");
}
