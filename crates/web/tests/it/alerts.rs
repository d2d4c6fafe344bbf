//! `/v1/alerts`, `/v1/mutes`, `/v1/maintenance` and `/v1/alert-targets`.

use std::time::Duration;

use alerts::{Card, Probe, ProbeResult, Round};
use serde_json::{Value, json};
use testkit::Receiver;

use crate::client::Call;
use crate::world::World;

/// Three rounds in which a card is red; the alert, once it is listed.
async fn broken(world: &World, card: &str) -> Value {
    let (kind, name) = card.split_once(':').expect("a card");
    for _ in 0..3 {
        let card = Card { id: card.into(), kind: kind.into(), name: name.to_owned(), parent: None };
        let result = ProbeResult::Red { reason: "no_answer".to_owned(), detail: None };
        world.state.alerts().observe(Round { probes: vec![Probe { card, result }] });
    }
    let path = format!("/v1/alerts?state=open&card={card}");
    world.until_shown(&path, |page| page["items"][0]["id"].is_string()).await["items"][0].clone()
}

#[tokio::test]
async fn an_alert_is_listed_shown_and_muted() {
    let world = World::new().await;
    let alert = broken(&world, "account:main").await;
    for (field, value) in [
        ("card", json!("account:main")),
        ("kind", json!("account")),
        ("name", json!("main")),
        ("state", json!("open")),
        ("reason", json!("no_answer")),
        ("closed_at", Value::Null),
        ("silence", Value::Null),
        ("parts", json!(0)),
    ] {
        assert_eq!(alert[field], value, "{field}: {alert}");
    }
    let path = format!("/v1/alerts/{}", alert["id"].as_str().expect("an id"));
    assert_eq!(world.call("GET", &path).send().await.json()["id"], alert["id"]);
    let past = world.call("GET", "/v1/alerts?state=past").send().await.json();
    assert_eq!(past, json!({ "items": [], "next_cursor": null }));

    let mute = format!("{path}/mute");
    let muted = world.call("POST", &mute).json(r#"{"minutes":60}"#).send().await;
    assert_eq!((muted.status, &muted.json()["silence"]), (200, &json!("mute")), "{muted:?}");
    let listed = world.call("GET", "/v1/mutes").send().await.json();
    assert_eq!(
        (&listed["items"][0]["card"], listed["items"].as_array().map(Vec::len)),
        (&json!("account:main"), Some(1))
    );
    assert!(listed["items"][0]["muted_by"].as_str().is_some_and(|by| by.starts_with("key_")), "{listed}");
    assert_eq!(world.call("DELETE", &mute).send().await.status, 204);
    assert_eq!(world.call("GET", &path).send().await.json()["silence"], Value::Null);

    for (body, field) in [
        ("{}", "minutes"),
        (r#"{"minutes":0}"#, "minutes"),
        (r#"{"minutes":129601}"#, "minutes"),
        (r#"{"minutes":5,"until":"2030-01-01T00:00:00Z"}"#, "minutes"),
        (r#"{"until":"1999-01-01T00:00:00Z"}"#, "until"),
        (r#"{"until":"yesterday"}"#, "until"),
    ] {
        let problem = world.call("POST", &mute).json(body).send().await.problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], field, "{body}: {problem}");
    }
    for path in ["/v1/alerts/alert_1", "/v1/alerts/nothing"] {
        world.call("GET", path).send().await.problem(404, "alert_not_found");
    }
    world.call("GET", "/v1/alerts?state=broken").send().await.problem(422, "invalid_request");
    world.call("GET", "/v1/alerts?cursor=x").send().await.problem(422, "invalid_request");
}

#[tokio::test]
async fn any_card_can_be_muted_before_it_breaks() {
    let world = World::new().await;
    let muted = world.call("POST", "/v1/mutes").json(r#"{"card":"port:5021","minutes":5}"#).send().await;
    assert_eq!(muted.status, 200, "{muted:?}");
    assert_eq!(broken(&world, "port:5021").await["silence"], "mute");
    assert_eq!(world.call("DELETE", "/v1/mutes/port%3A5021").send().await.status, 204);
    world.call("DELETE", "/v1/mutes/port%3A5021").send().await.problem(404, "not_found");
    let problem = world.call("POST", "/v1/mutes").json(r#"{"card":"","minutes":5}"#).send().await;
    assert_eq!(problem.problem(422, "invalid_request")["errors"][0]["field"], "card");
}

#[tokio::test]
async fn a_target_is_made_tested_notified_and_removed() {
    let world = World::new().await;
    let receiver = Receiver::start().await;
    let body = json!({ "name": "pager", "kind": "webhook", "url": receiver.address(), "secret": "planted-in-secret" });
    let made = world.call("POST", "/v1/alert-targets").json(body.to_string()).send().await;
    assert_eq!(made.status, 201, "{made:?}");
    let target = made.json();
    assert_eq!(
        (&target["name"], &target["source"], &target["signed"]),
        (&json!("pager"), &json!("store"), &json!(true))
    );
    assert!(!made.body.contains("planted") && !made.body.contains("/hook"), "{}", made.body);

    let tested = world.call("POST", "/v1/alert-targets/pager/test").send().await;
    assert_eq!(
        (tested.status, tested.json()),
        (200, json!({ "delivered": true, "message": null, "why": null })),
        "{tested:?}"
    );
    assert_eq!(receiver.bodies()[0]["type"], "alerts.test");

    let reports = async |body: serde_json::Value| {
        world.call("POST", "/v1/alert-targets/pager/report").json(body.to_string()).send().await
    };
    let reported = reports(json!({ "subject": "moved", "text": "In 4 s." })).await;
    assert_eq!(reported.status, 200, "{reported:?}");
    let report = &receiver.bodies()[1];
    assert_eq!(report["type"], "report");
    assert!(
        report["data"]["text"].as_str().is_some_and(|text| text.ends_with(": moved\n\nIn 4 s.")),
        "{report}"
    );
    assert_eq!(reports(json!({ "subject": " ", "text": "a" })).await.status, 422);

    broken(&world, "account:main").await;
    world.clock.advance(Duration::from_secs(6));
    world.until_shown("/v1/alerts", |page| page["items"][0]["notified_at"].is_string()).await;
    world.until_shown("/v1/alert-targets", |page| page["items"][0]["waiting"] == 0).await;
    assert_eq!(receiver.bodies()[2]["data"]["raised"][0]["card"], "account:main");

    receiver.answer(500);
    let refused =
        world.call("POST", "/v1/alert-targets/pager/test").send().await.problem(502, "target_refused");
    assert!(refused["detail"].as_str().is_some_and(|detail| detail.contains("500")), "{refused}");

    world.call("POST", "/v1/alert-targets").json(body.to_string()).send().await.problem(409, "target_exists");
    assert_eq!(world.call("DELETE", "/v1/alert-targets/pager").send().await.status, 204);
    for (method, path) in [("DELETE", "/v1/alert-targets/pager"), ("POST", "/v1/alert-targets/pager/test")] {
        world.call(method, path).send().await.problem(404, "target_not_found");
    }
}

#[tokio::test]
async fn a_target_that_cannot_be_names_its_fields() {
    let world = World::new().await;
    for (body, field) in [
        (json!({ "name": "A", "kind": "telegram", "chat": "@demo_main" }), "name"),
        (json!({ "name": "a", "kind": "pager" }), "kind"),
        (json!({ "name": "a", "kind": "telegram" }), "chat"),
        (json!({ "name": "a", "kind": "webhook", "url": "http://10.0.0.1/x" }), "url"),
        (
            json!({ "name": "a", "kind": "webhook", "url": "https://example.com", "secret": "short" }),
            "secret",
        ),
        (
            json!({ "name": "a", "kind": "email", "smtp": "mail.example.com", "from": "a@example.com", "to": ["b@example.com"] }),
            "smtp",
        ),
        (json!({ "name": "a", "kind": "telegram", "chat": "@demo_main", "to": ["b@example.com"] }), "to"),
    ] {
        let problem = world.call("POST", "/v1/alert-targets").json(body.to_string()).send().await;
        let problem = problem.problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], field, "{body}: {problem}");
    }
    let looker = world.make_key(&["read"]).await;
    let call = Call::new(&world.main(), "POST", "/v1/alert-targets").key(&looker).json("{}");
    call.send().await.problem(403, "forbidden_scope");
    let call = Call::new(&world.main(), "GET", "/v1/alert-targets").key(&looker);
    assert_eq!(call.send().await.status, 200);
}

#[tokio::test]
async fn a_maintenance_window_is_once_or_every_week() {
    let world = World::new().await;
    let now = world.clock.now();
    let once = json!({
        "note": "new disk", "scope": "account", "from": now, "until": now.plus(Duration::from_hours(1)),
    });
    let made = world.call("POST", "/v1/maintenance").json(once.to_string()).send().await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.json()["now_until"], once["until"]);
    assert_eq!(broken(&world, "account:main").await["silence"], "maintenance");
    assert_eq!(broken(&world, "port:5021").await["silence"], Value::Null);
    let weekly = json!({ "days": ["sat", "sun"], "start": "02:30", "minutes": 90, "utc_offset": "-03:30" });
    let made_weekly = world.call("POST", "/v1/maintenance").json(weekly.to_string()).send().await;
    assert_eq!(made_weekly.status, 201, "{made_weekly:?}");
    let listed = world.call("GET", "/v1/maintenance").send().await.json();
    for (field, value) in weekly.as_object().expect("an object") {
        assert_eq!(listed["items"][1][field], *value, "{listed}");
    }
    for (body, field) in [
        (json!({}), "from"),
        (json!({ "from": now }), "until"),
        (json!({ "from": now, "until": now }), "until"),
        (json!({ "from": now, "until": now, "days": ["sat"] }), "days"),
        (json!({ "days": [], "start": "02:00", "minutes": 5 }), "days"),
        (json!({ "days": ["sat"], "start": "26:00", "minutes": 5 }), "start"),
        (json!({ "days": ["sat"], "start": "02:00", "minutes": 0 }), "minutes"),
        (json!({ "days": ["sat"], "start": "02:00", "minutes": 5, "utc_offset": "3" }), "utc_offset"),
        (json!({ "days": ["saturday"], "start": "02:00", "minutes": 5 }), "days[0]"),
        (json!({ "from": now, "until": now.plus(Duration::from_mins(1)), "scope": "a b" }), "scope"),
    ] {
        let problem = world.call("POST", "/v1/maintenance").json(body.to_string()).send().await;
        let problem = problem.problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], field, "{body}: {problem}");
    }
    let path = format!("/v1/maintenance/{}", made.json()["id"].as_str().expect("an id"));
    assert_eq!(world.call("DELETE", &path).send().await.status, 204);
    world.call("DELETE", &path).send().await.problem(404, "maintenance_not_found");
    world.call("DELETE", "/v1/maintenance/x").send().await.problem(404, "maintenance_not_found");
}
