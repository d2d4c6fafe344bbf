//! `/v1/webhooks`.

use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use domain::ExposeSecret;
use serde_json::{Value, json};

use crate::client::Call;
use crate::world::World;

/// An endpoint of the test's own: takes what comes to `/in` and refuses what comes to `/out`.
async fn endpoint() -> String {
    let router = Router::new()
        .route("/in", post(|| async { "thanks" }))
        .route("/out", post(|| async { (StatusCode::INTERNAL_SERVER_ERROR, "not today") }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

fn wrong_fields(problem: &Value) -> Vec<&str> {
    problem["errors"].as_array().expect("errors").iter().filter_map(|error| error["field"].as_str()).collect()
}

async fn made(world: &World, body: Value) -> Value {
    let made = world.call("POST", "/v1/webhooks").json(body.to_string()).send().await;
    assert_eq!(made.status, 201, "{made:?}");
    made.json()
}

fn path(webhook: &Value) -> String {
    format!("/v1/webhooks/{}", webhook["id"].as_str().expect("an id"))
}

#[tokio::test]
async fn a_webhook_is_made_changed_and_removed() {
    let world = World::new().await;
    let url = format!("{}/in", endpoint().await);
    // As forms of automation tools write it.
    let webhook = made(
        &world,
        json!({
            "url": url, "events": ["message.*", ""], "chats": [-1_001_234_567_890_i64], "ordered": "true",
            "description": "", "headers": {"Authorization": "planted"},
        }),
    )
    .await;
    assert!(webhook["secret"].as_str().is_some_and(|secret| secret.starts_with("whsec_")), "{webhook}");
    for (field, value) in [
        ("url", json!(url)),
        ("events", json!(["message.*"])),
        ("chats", json!(["-1001234567890"])),
        ("ordered", json!(true)),
        ("description", json!(null)),
        ("headers", json!(["authorization"])),
        ("state", json!("active")),
        ("waiting", json!(0)),
    ] {
        assert_eq!(webhook[field], value, "{field}: {webhook}");
    }
    let path = path(&webhook);
    let shown = world.call("GET", &path).send().await;
    assert!(!shown.body.contains("planted") && !shown.body.contains("whsec_"), "{}", shown.body);
    let change = json!({"description": "n8n", "events": [], "ordered": false});
    let changed = world.call("PATCH", &path).json(change.to_string()).send().await.json();
    assert_eq!((&changed["description"], &changed["events"]), (&json!("n8n"), &json!([])));
    assert_eq!((&changed["url"], &changed["headers"]), (&json!(url), &json!(["authorization"])));
    let rotated = world.call("POST", &format!("{path}/rotate")).send().await.json();
    assert_ne!(rotated["secret"], webhook["secret"]);
    assert!(rotated["previous_secret_until"].is_string(), "{rotated}");
    for (action, state) in [("pause", "paused"), ("resume", "active")] {
        let answer = world.call("POST", &format!("{path}/{action}")).send().await.json();
        assert_eq!(answer["state"], state);
    }
    assert_eq!(world.call("DELETE", &path).send().await.status, 204);
    for (method, end) in
        [("GET", ""), ("DELETE", ""), ("POST", "/test"), ("GET", "/attempts"), ("POST", "/retry")]
    {
        world.call(method, &format!("{path}{end}")).send().await.problem(404, "webhook_not_found");
    }
}

#[tokio::test]
async fn another_server_gets_no_header_of_the_one_before() {
    let world = World::new().await;
    let webhook = json!({"url": "https://example.com/a", "headers": {"authorization": "planted"}, "description": "n8n"});
    let path = path(&made(&world, webhook).await);
    let change = async |body: Value| {
        let changed = world.call("PATCH", &path).json(body.to_string()).send().await;
        assert_eq!(changed.status, 200, "{changed:?}");
        changed.json()["headers"].clone()
    };
    assert_eq!(change(json!({"url": "https://example.com/b?c"})).await, json!(["authorization"]));
    assert_eq!(change(json!({"url": "https://example.net/b"})).await, json!([]));
    let again = json!({"url": "https://example.com/a", "headers": {"x-own": "planted"}});
    assert_eq!(change(again).await, json!(["x-own"]));
    assert_eq!(change(json!({"url": "https://example.com:8443/a"})).await, json!([]));
}

#[tokio::test]
async fn a_webhook_of_the_settings_keeps_its_account_and_its_headers() {
    let world = World::new().await;
    let url = format!("{}/in", endpoint().await);
    let webhook = made(&world, json!({"url": url, "accounts": ["main"], "description": "of main"})).await;
    let (path, webhooks) = (path(&webhook), world.store.webhooks());
    let mut stored = webhooks.list().await.expect("a list").pop().expect("a webhook");
    webhooks.remove(stored.id, stored.created_at).await.expect("removed");
    stored.created_by = events::MADE_BY_SETTINGS.to_owned();
    webhooks.add(&stored).await.expect("added");
    for (field, value) in [
        ("accounts", json!(["shop"])),
        ("accounts", json!([])),
        ("headers", json!({"metadata-flavor": "Google"})),
        ("description", json!("of shop")),
    ] {
        let refused = world.call("PATCH", &path).json(json!({ field: value }).to_string()).send().await;
        assert_eq!((refused.status, wrong_fields(&refused.json())), (422, vec![field]), "{refused:?}");
    }
    // As the form of the page sends what stays.
    let same = json!({"accounts": ["main"], "headers": {}, "description": "of main", "ordered": true});
    let changed = world.call("PATCH", &path).json(same.to_string()).send().await;
    assert_eq!((changed.status, &changed.json()["ordered"]), (200, &json!(true)));
}

#[tokio::test]
async fn the_path_of_an_address_is_for_administrators() {
    let world = World::new().await;
    let url = "https://example.com:8443/services/planted?token=planted";
    let path = path(&made(&world, json!({"url": url})).await);
    let server = json!("https://example.com:8443");
    let (read, operate) = (world.make_key(&["read"]).await, world.make_key(&["operate"]).await);
    let call = |key: &str, method: &str, path: &str| Call::new(&world.main(), method, path).key(key);
    assert_eq!(call(&read, "GET", &path).send().await.json()["url"], server);
    assert_eq!(call(&read, "GET", "/v1/webhooks").send().await.json()["items"][0]["url"], server);
    for action in ["pause", "resume", "replay?since=2030-01-01T00:00:00Z"] {
        let answer = call(&operate, "POST", &format!("{path}/{action}")).send().await;
        assert!(answer.status < 300 && !answer.body.contains("planted"), "{action}: {answer:?}");
        assert_eq!(answer.json()["url"], server, "{action}");
    }
    assert_eq!(world.call("GET", &path).send().await.json()["url"], json!(url));
}

#[tokio::test]
async fn each_secret_that_is_replaced_counts_for_a_day() {
    let world = World::new().await;
    let first = made(&world, json!({"url": "https://example.com/hook"})).await;
    let rotate = async || {
        let rotated = world.call("POST", &format!("{}/rotate", path(&first))).send().await;
        rotated.json()["secret"].as_str().expect("a secret").to_owned()
    };
    let before = async || {
        let id = first["id"].as_str().expect("an id").parse().expect("an id");
        let kept = world.store.webhooks().get(id).await.expect("reads").expect("is there");
        let secrets = kept.secrets.previous.iter().map(|(secret, _)| secret.expose_secret().to_owned());
        secrets.collect::<Vec<_>>()
    };
    let second = rotate().await;
    world.clock.advance(Duration::from_hours(1));
    let third = rotate().await;
    assert_eq!(before().await, [second.as_str(), first["secret"].as_str().expect("a secret")]);
    world.clock.advance(Duration::from_hours(23));
    rotate().await;
    assert_eq!(before().await, [third, second], "the day of the first is over");
}

#[tokio::test]
async fn a_webhook_that_cannot_be_names_its_fields() {
    let world = World::new().await;
    let url = "https://example.com/hook";
    for (body, fields) in [
        (json!({}), vec!["url"]),
        (json!({"url": "http://10.0.0.1/x"}), vec!["url"]),
        (json!({"url": "http://[::ffff:10.0.0.1]/"}), vec!["url"]),
        (json!({"url": "http://[64:ff9b::a00:1]/"}), vec!["url"]),
        (json!({"url": "http://169.254.169.254/latest/meta-data"}), vec!["url"]),
        (
            json!({"url": "ftp://example.com", "events": ["no.such"], "accounts": ["A B"]}),
            vec!["events[0]", "accounts[0]", "url"],
        ),
        (json!({"url": url, "ordered": "perhaps"}), vec!["ordered"]),
        (json!({"url": url, "headers": {"webhook-id": "1"}}), vec!["headers.webhook-id"]),
        (json!({"url": url, "headers": {"x-own": "a\nb"}}), vec!["headers.x-own"]),
        (json!({"url": url, "event": ["*"]}), vec!["event"]),
    ] {
        let problem = world.call("POST", "/v1/webhooks").json(body.to_string()).send().await;
        let problem = problem.problem(422, "invalid_request");
        assert_eq!(wrong_fields(&problem), fields, "{body}: {problem}");
    }
}

#[tokio::test]
async fn a_test_says_how_it_went() {
    let world = World::new().await;
    let address = endpoint().await;
    let taken = made(&world, json!({"url": format!("{address}/in")})).await;
    let tested = world.call("POST", &format!("{}/test", path(&taken))).send().await.json();
    assert_eq!(
        (&tested["taken"], &tested["status"], &tested["answer"]),
        (&json!(true), &json!(200), &json!("thanks"))
    );
    assert!(tested["latency_ms"].is_u64(), "{tested}");
    let refused = made(&world, json!({"url": format!("{address}/out")})).await;
    let tested = world.call("POST", &format!("{}/test", path(&refused))).send().await.json();
    assert_eq!(
        (&tested["taken"], &tested["status"], &tested["answer"]),
        (&json!(false), &json!(500), &json!("not today"))
    );
    assert!(tested["error"].as_str().is_some_and(|error| error.contains("500")), "{tested}");
}

#[tokio::test]
async fn attempts_are_listed_and_posted_once_more() {
    let world = World::new().await;
    let webhook =
        made(&world, json!({"url": format!("{}/in", endpoint().await), "events": ["message.*"]})).await;
    let path = path(&webhook);
    let later = world.clock.now().plus(Duration::from_hours(1));
    let message = json!({"chat": "-1001234567890", "text": "planted", "send_at": later, "wait": 0});
    assert_eq!(world.call("POST", "/v1/messages").json(message.to_string()).send().await.status, 202);
    let attempts = format!("{path}/attempts");
    let page = world.until_shown(&attempts, |page| page["items"][0]["state"] == "delivered").await;
    let attempt = &page["items"][0];
    assert_eq!((&attempt["type"], &attempt["status"]), (&json!("message.accepted"), &json!(200)));
    assert_eq!((&attempt["answer"], &attempt["attempts"]), (&json!("thanks"), &json!(1)));
    assert_eq!(attempt["payload"]["type"], "message.accepted");
    assert!(attempt["latency_ms"].is_u64(), "{attempt}");
    assert!(!page.to_string().contains("planted"), "{page}");
    let none = world.call("GET", &format!("{attempts}?state=dead")).send().await.json();
    assert_eq!(none["items"], json!([]));
    let wrong = world.call("GET", &format!("{attempts}?state=gone")).send().await;
    assert_eq!(wrong_fields(&wrong.problem(422, "invalid_request")), ["state"]);
    let event = attempt["event"].as_str().expect("an event");
    let retried = world.call("POST", &format!("{attempts}/{event}/retry")).send().await;
    assert_eq!((retried.status, retried.json()), (202, json!({"retried": 1})));
    world.call("POST", &format!("{attempts}/evt_1/retry")).send().await.problem(404, "attempt_not_found");
    let retried = world.call("POST", &format!("{path}/retry")).send().await;
    assert_eq!((retried.status, retried.json()), (202, json!({"retried": 0})));
    for since in ["", "?since=yesterday"] {
        let wrong = world.call("POST", &format!("{path}/replay{since}")).send().await;
        assert_eq!(wrong_fields(&wrong.problem(422, "invalid_request")), ["since"]);
    }
    let replayed = world.call("POST", &format!("{path}/replay?since=2020-01-01T00:00:00Z")).send().await;
    assert_eq!(replayed.status, 202, "{replayed:?}");
    world.until_shown(&path, |shown| shown["replaying"] == false && shown["waiting"] == 0).await;
}
