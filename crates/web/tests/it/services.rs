//! `/v1/services`: looking at them, stopping and starting them, and what a stopped one answers.

use serde_json::json;

use crate::client::Call;
use crate::world::World;

#[tokio::test]
async fn services_are_listed_and_shown() {
    let world = World::new().await;
    let listed = world.call("GET", "/v1/services").send().await.json();
    let names: Vec<_> =
        listed["items"].as_array().expect("items").iter().map(|item| item["service"].clone()).collect();
    assert_eq!(names, ["create_chat", "send_text", "send_media", "leave_chat"]);
    let one = world.call("GET", "/v1/services/send_text").send().await;
    assert_eq!(one.status, 200, "{one:?}");
    let one = one.json();
    for (field, value) in [
        ("service", json!("send_text")),
        ("state", json!("active")),
        // No account is there at all.
        ("healthy", json!(false)),
        ("operations", json!(0)),
        ("errors", json!(0)),
        ("last_error", json!(null)),
        ("cache_size", json!(0)),
        ("ports", json!([0])),
    ] {
        assert_eq!(one[field], value, "{field}: {one}");
    }
    assert_eq!(world.call("GET", "/v1/services/leave_chat").send().await.json()["ports"], json!([]));
    world.call("GET", "/v1/services/dance").send().await.problem(404, "service_not_found");
}

#[tokio::test]
async fn a_stopped_one_takes_nothing_until_it_is_started() {
    let world = World::new().await;
    let act =
        |service: &str, action: &str| world.call("POST", &format!("/v1/services/{service}/actions/{action}"));
    let text = || world.message(r#"{"chat":"-1001234567890","text":"hello"}"#);
    let chat = || world.call("POST", "/v1/chats").json(r#"{"title":"Order 1"}"#);
    let leave = || world.call("DELETE", "/v1/chats/-1001234567890");

    let sent = text().header("Idempotency-Key", "order-1").send().await;
    assert_eq!(sent.status, 200, "{sent:?}");
    let made = chat().header("Idempotency-Key", "order-1").send().await;
    assert_eq!(made.status, 201, "{made:?}");

    let stopped = act("send_text", "stop").send().await;
    assert_eq!((stopped.status, &stopped.json()["state"]), (200, &json!("stopped")), "{stopped:?}");
    let problem = text().send().await.problem(503, "service_stopped");
    let detail = problem["detail"].as_str().expect("words");
    assert!(detail.contains("/v1/services/send_text/actions/start"), "{detail}");
    // What was accepted before the stop is still answered for.
    let again = text().header("Idempotency-Key", "order-1").send().await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, Some("true")), "{again:?}");
    assert_eq!(chat().send().await.status, 201, "another service goes on");

    assert_eq!(act("create_chat", "stop").send().await.status, 200);
    assert_eq!(act("leave_chat", "stop").send().await.status, 200);
    chat().send().await.problem(503, "service_stopped");
    leave().send().await.problem(503, "service_stopped");
    let add = world.call("POST", "/v1/chats/-1001234567890/members").json(r#"{"members":["@client_1"]}"#);
    add.send().await.problem(503, "service_stopped");
    let rename = world.call("PATCH", "/v1/chats/-1001234567890").json(r#"{"title":"b"}"#);
    rename.send().await.problem(503, "service_stopped");
    let again = chat().header("Idempotency-Key", "order-1").send().await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (201, Some("true")), "{again:?}");
    assert_eq!(world.hands.count("create"), 2);
    let ready = Call::new(&world.main(), "GET", "/health/ready").send().await;
    assert_eq!(ready.status, 200);

    for (service, action) in [("send_text", "start"), ("create_chat", "restart"), ("leave_chat", "start")] {
        let started = act(service, action).send().await;
        assert_eq!((started.status, &started.json()["state"]), (200, &json!("active")), "{started:?}");
    }
    assert_eq!((text().send().await.status, chat().send().await.status), (200, 201));
    assert_eq!(leave().send().await.status, 200);
}

#[tokio::test]
async fn unknown_services_and_actions_are_refused() {
    let world = World::new().await;
    let act = |path: &str| world.call("POST", &format!("/v1/services/{path}"));
    let reloaded = act("send_text/actions/reload-cache").send().await;
    assert_eq!((reloaded.status, &reloaded.json()["cache_size"]), (200, &json!(0)), "{reloaded:?}");
    act("send_text/actions/dance").send().await.problem(404, "not_found");
    act("dance/actions/stop").send().await.problem(404, "service_not_found");
    let sender = world.make_key(&["send", "read"]).await;
    let call = Call::new(&world.main(), "POST", "/v1/services/send_text/actions/stop").key(&sender);
    call.send().await.problem(403, "forbidden_scope");
}

#[tokio::test]
async fn a_stop_outlasts_a_restart() {
    let world = World::new().await;
    let stop = world.call("POST", "/v1/services/send_text/actions/stop").send().await;
    assert_eq!(stop.status, 200);
    let after = world.after_a_crash().await;
    let seen = after.call("GET", "/v1/services/send_text").send().await.json();
    assert_eq!((&seen["state"], &seen["since"]), (&json!("stopped"), &stop.json()["since"]), "{seen}");
    after.message(r#"{"chat":"-1001234567890","text":"hello"}"#).send().await.problem(503, "service_stopped");
}
