//! Port 5022 as its callers know it: bodies as n8n and Python send them, answers byte for byte.

use std::time::Duration;

use config::LegacyPort;
use delivery::sender::{Readiness, RefusalKind};
use domain::Outcome;
use serde_json::json;

use crate::client::{Call, Target};
use crate::script::{able, account, no_candidates};
use crate::world::{World, send_text_port};

pub(crate) const GROUP: &str = r#"{"chat":"-1001234567890","text":"hello"}"#;
pub(crate) const TAGGED_NULL: &str = r#"{"status":"ok","chat_id":-1001234567890,"message_id":45,"client_tagged_id":null,"client_tagged_name":null,"chat_type":"group"}"#;

#[tokio::test]
async fn requests_of_n8n_and_python_are_read() {
    let world = World::new().await;
    let n8n = world
        .text(r#"{"chat":"-1001234567890","text":"<b>hello</b>"}"#)
        .header("Accept", "application/json,text/html,application/xhtml+xml,application/xml,text/*;q=0.9, image/*;q=0.8, */*;q=0.7")
        .header("User-Agent", "axios/1.8.4")
        .header("Accept-Encoding", "gzip, compress, deflate, br");
    let reply = n8n.send().await;
    assert_eq!((reply.status, reply.body.as_str()), (200, TAGGED_NULL));
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let raw = Call::new(&world.old(), "POST", "/send_text")
        .header("Content-Type", "text/plain;charset=UTF-8")
        .body(GROUP);
    assert_eq!(raw.send().await.status, 200);
    let python = Call::new(&world.old(), "POST", "/send_text")
        .header("User-Agent", "python-requests/2.32.3")
        .header("Accept", "*/*")
        .json(r#"{"chat": -1001234567890, "text": "\u043f\u0440\u0438\u0432\u0435\u0442", "disable_preview": false}"#);
    assert_eq!(python.send().await.status, 200);
    assert_eq!(world.script.texts(), ["hello", "hello", "привет"]);
    let sent = world.script.sent();
    assert_eq!(sent.iter().map(|sent| sent.content.preview).collect::<Vec<_>>(), [false, false, true]);
    assert_eq!(sent[0].text.entities.len(), 1);
}

#[tokio::test]
async fn private_chats_and_tags_have_their_own_answers() {
    let world = World::new().await;
    let reply = world.text(r#"{"chat":123,"text":"hello"}"#).send().await;
    assert_eq!(
        (reply.status, reply.body.as_str()),
        (200, r#"{"status":"ok","chat_id":123,"message_id":45,"chat_type":"private"}"#)
    );
    let body =
        json!({ "chat": "-1001234567890", "text": "hello {client}", "tag_client": true, "client_id": 7 });
    let reply = world.text(&body.to_string()).send().await;
    assert_eq!(
        (reply.status, reply.body.as_str()),
        (
            200,
            r#"{"status":"ok","chat_id":-1001234567890,"message_id":46,"client_tagged_id":7,"client_tagged_name":"Anna Ивановна","chat_type":"group"}"#
        )
    );
    // A key that may not read is shown no name.
    for (scopes, name) in [(&["send"][..], json!(null)), (&["send", "read"], json!("Anna Ивановна"))]
    {
        let reply = world.text(&body.to_string()).key(&world.make_key(scopes).await).send().await.json();
        assert_eq!((&reply["client_tagged_name"], &reply["status"]), (&name, &json!("ok")), "{scopes:?}");
    }
    let by_name = world.text(r#"{"chat":"demo_channel","text":"x"}"#).send().await.json();
    assert_eq!(by_name["chat_id"], json!(-1_000_000_000_500_i64));
}

#[tokio::test]
async fn invalid_requests_are_refused() {
    let world = World::new().await;
    for body in
        ["", "{}", "no json", "[]", r#"{"text":"hello"}"#, r#"{"chat":"","text":"x"}"#, r#"{"chat":null}"#]
    {
        let reply = world.text(body).send().await;
        assert_eq!((reply.status, reply.body.as_str()), (400, r#"{"error":"chat is required"}"#), "{body}");
    }
    for (body, says) in [
        (r#"{"chat":"-1001234567890","text":""}"#, "empty"),
        (r#"{"chat":"no such chat","text":"x"}"#, "Cannot find chat no such chat"),
    ] {
        let reply = world.text(body).send().await;
        let answer = reply.json();
        assert_eq!((reply.status, &answer["status"]), (500, &json!("error")), "{body}: {answer}");
        assert!(answer["error"].as_str().is_some_and(|error| error.contains(says)), "{answer}");
        assert!(answer.get("traceback").is_none());
    }
    for client in [r#""x""#, "-7", r#""undefined""#, "[1]"] {
        let body = format!(r#"{{"chat":"-1001234567890","text":"x","tag_client":1,"client_id":{client}}}"#);
        let reply = world.text(&body).send().await;
        let answer = reply.json();
        assert_eq!((reply.status, &answer["status"]), (400, &json!("error")), "{body}: {answer}");
        assert!(answer["error"].as_str().is_some_and(|error| error.contains("client_id")), "{answer}");
    }
    assert!(world.script.sent().is_empty());
}

#[tokio::test]
async fn each_failure_has_its_status() {
    let world = World::new().await;
    world.script.candidates_are(no_candidates(RefusalKind::NotFound, "not among its dialogs"));
    let reply = world.text(GROUP).send().await;
    assert_eq!(
        (reply.status, reply.body.as_str()),
        (
            500,
            r#"{"status":"error","error":"Cannot find chat -1001234567890 (accounts asked: main: not among its dialogs)"}"#
        )
    );
    world.script.candidates_are(no_candidates(RefusalKind::Unusable, "offline"));
    let reply = world.text(GROUP).send().await;
    assert_eq!((reply.status, &reply.json()["status"]), (503, &json!("error")));
    world.script.candidates_are(able(&[("main", Readiness::Ready)]));
    for outcome in
        [Outcome::Forbidden("kicked".to_owned()), Outcome::Rejected { code: "CHAT_RESTRICTED".into() }]
    {
        world.script.then([outcome]);
        let reply = world.text(GROUP).send().await;
        assert_eq!((reply.status, &reply.json()["status"]), (500, &json!("error")));
    }
    assert!(world.script.sent().is_empty());
    let reply = world.text(GROUP).send().await;
    assert_eq!((reply.status, reply.body.as_str()), (200, TAGGED_NULL), "a failed call is not joined");
}

#[tokio::test]
async fn a_flood_longer_than_the_hold_is_reported_at_once() {
    let world = World::new().await;
    let until = world.clock.now().plus(Duration::from_mins(5));
    world.script.candidates_are(able(&[("main", Readiness::HeldUntil(until))]));
    let reply = world.text(GROUP).send().await;
    let answer = reply.json();
    assert_eq!(
        (reply.status, &answer["status"], &answer["error"]),
        (429, &json!("error"), &json!("FloodWait"))
    );
    assert!(answer["retry_after"].as_u64().is_some_and(|seconds| (290..=300).contains(&seconds)), "{answer}");
    assert!(
        reply.body.starts_with(r#"{"status":"error","error":"FloodWait","retry_after":"#),
        "{}",
        reply.body
    );
    // The answer is final: nothing is left that could be sent later.
    let listed = world.call("GET", "/v1/messages").send().await.json();
    assert_eq!(listed["items"][0]["state"], "cancelled");
    assert_eq!(world.delivery.queued(), 0);
}

#[tokio::test]
async fn a_message_behind_a_flooded_one_reports_the_flood() {
    let world = World::new().await;
    let until = world.clock.now().plus(Duration::from_mins(5));
    world.script.candidates_are(able(&[("main", Readiness::HeldUntil(until))]));
    let first = world.message(r#"{"chat":"-1001234567890","text":"first","wait":0}"#).send().await;
    assert_eq!((first.status, &first.json()["state"]), (202, &json!("queued")));
    let reply = world.text(GROUP).send().await;
    let answer = reply.json();
    assert_eq!((reply.status, &answer["error"]), (429, &json!("FloodWait")), "{reply:?}");
    assert!(answer["retry_after"].as_u64().is_some_and(|seconds| (290..=300).contains(&seconds)), "{answer}");
    assert_eq!(world.delivery.queued(), 1, "the first waits on");
}

#[tokio::test]
async fn a_wrong_field_is_the_callers_and_nothing_is_sent() {
    let world = World::new().await;
    for (fields, says) in [
        (r#""chat":"undefined""#, "chat is required"),
        (r#""chat":"null""#, "chat is required"),
        (r#""chat":"@demo","reply_to":"abc""#, "reply_to must be"),
        (r#""chat":"@demo","text":["a"]"#, "text must be"),
        (r#""chat":"@demo","text":{"a":1}"#, "text must be"),
    ] {
        let reply = world.text(&format!("{{{fields}}}")).send().await;
        let error = reply.json()["error"].as_str().map(ToOwned::to_owned).unwrap_or_default();
        assert!(reply.status == 400 && error.starts_with(says), "{fields}: {reply:?}");
    }
    assert!(world.script.sent().is_empty());
}

#[tokio::test]
async fn json_is_read_whatever_its_type_says() {
    let world = World::new().await;
    let form = "%7B%22chat%22%3A%22-1001234567890%22%2C%22text%22%3A%22hello%22%7D=";
    for (kind, body) in [
        (None, GROUP),
        (Some("application/x-www-form-urlencoded"), GROUP),
        (Some("application/x-www-form-urlencoded"), form),
    ] {
        let mut call = Call::new(&world.old(), "POST", "/send_text").body(body);
        if let Some(kind) = kind {
            call = call.header("Content-Type", kind);
        }
        let reply = call.send().await;
        assert_eq!((reply.status, reply.json()["status"].as_str()), (200, Some("ok")), "{body}: {reply:?}");
    }
    assert_eq!(world.script.texts(), ["hello"; 3]);
}

#[tokio::test]
async fn a_short_flood_is_waited_for() {
    let world = World::new().await;
    let until = world.clock.now().plus(Duration::from_mins(1));
    world.script.candidates_are(able(&[("main", Readiness::HeldUntil(until))]));
    let call = world.text(GROUP);
    let waiting = tokio::spawn(async move { call.send().await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    world.clock.advance(Duration::from_secs(40));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!waiting.is_finished());
    world.script.candidates_are(able(&[("main", Readiness::Ready)]));
    let reply = waiting.await.expect("no panic");
    assert_eq!((reply.status, reply.body.as_str()), (200, TAGGED_NULL));
}

#[tokio::test]
async fn no_caller_waits_longer_than_the_hold() {
    let world = World::new().await;
    world.script.candidates_are(able(&[("main", Readiness::Connecting)]));
    let call = world.text(GROUP);
    let waiting = tokio::spawn(async move { call.send().await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    world.clock.advance(Duration::from_secs(90));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!waiting.is_finished());
    let reply = world.pass(Duration::from_secs(5), waiting).await;
    assert_eq!((reply.status, &reply.json()["status"]), (503, &json!("error")));
    world.script.candidates_are(able(&[("main", Readiness::Ready)]));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(world.script.sent().is_empty(), "a negative answer is final");
}

#[tokio::test]
async fn an_idempotency_key_is_honoured_here_too() {
    let world = World::new().await;
    let keyed = |body: &str| world.text(body).header("Idempotency-Key", "order-1");
    let first = keyed(GROUP).send().await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (200, None));
    let again = keyed(GROUP).send().await;
    assert_eq!(
        (again.body.as_str(), again.header("idempotency-replayed")),
        (first.body.as_str(), Some("true"))
    );
    let conflict = keyed(r#"{"chat":"-1001234567890","text":"other"}"#).send().await;
    assert_eq!((conflict.status, &conflict.json()["status"]), (409, &json!("error")));
    let wrong = world.text(GROUP).header("Idempotency-Key", "a b").send().await;
    assert_eq!((wrong.status, &wrong.json()["status"]), (400, &json!("error")));
    assert_eq!(world.script.texts(), ["hello"]);
}

#[tokio::test]
async fn a_pinned_port_uses_its_account() {
    let world = World::with(|options| {
        options.legacy.ports = vec![
            LegacyPort { account: Some(account("backup_1")), ..send_text_port() },
            LegacyPort { account: Some(account("unknown")), ..send_text_port() },
        ];
    })
    .await;
    world.script.candidates_are(able(&[("main", Readiness::Ready), ("backup_1", Readiness::Ready)]));
    assert_eq!(world.text(GROUP).send().await.status, 200);
    assert_eq!(world.script.sent()[0].account.as_str(), "backup_1");
    let unknown = Target::Port(world.state.listeners()[2].address.parse().expect("an address"));
    let reply = Call::new(&unknown, "POST", "/send_text").json(GROUP).send().await;
    assert_eq!((reply.status, &reply.json()["status"]), (503, &json!("error")));
}

#[tokio::test]
async fn only_permitted_callers_are_served() {
    let world = World::with(|options| {
        options.legacy.ports = vec![
            LegacyPort { allow_from: vec!["10.0.0.0/8".parse().expect("a network")], ..send_text_port() },
            LegacyPort { key_required: true, ..send_text_port() },
        ];
    })
    .await;
    for (method, path) in
        [("POST", "/send_text"), ("GET", "/health"), ("GET", "/stats"), ("POST", "/reload_cache")]
    {
        let reply = Call::new(&world.old(), method, path).json(GROUP).send().await;
        assert_eq!((reply.status, &reply.json()["status"]), (403, &json!("error")), "{path}");
    }
    let keyed = Target::Port(world.state.listeners()[2].address.parse().expect("an address"));
    let call = Call::new(&keyed, "POST", "/send_text").json(GROUP);
    assert_eq!(call.send().await.status, 401);
    assert_eq!(call.clone().key("swb_wrong").send().await.status, 401);
    assert_eq!(call.clone().key(&world.make_key(&["read"]).await).send().await.status, 403);
    assert!(world.script.sent().is_empty());
    let send = world.make_key(&["send"]).await;
    assert_eq!(call.key(&send).send().await.status, 200);
    let (read, operate) = (world.make_key(&["read"]).await, world.make_key(&["operate"]).await);
    for (key, sees) in [(&read, true), (&send, false), (&operate, false)] {
        for path in ["/health", "/stats"] {
            let reply = Call::new(&keyed, "GET", path).key(key).send().await;
            assert_eq!(reply.status, if sees { 200 } else { 403 }, "{path}: {reply:?}");
        }
        assert_eq!(Call::new(&keyed, "POST", "/reload_cache").key(key).send().await.status, 200);
    }
}

#[tokio::test]
async fn a_web_page_cannot_use_the_port_of_this_machine() {
    let world = World::new().await;
    let page = Call::new(&world.old(), "POST", "/send_text")
        .header("Origin", "https://example.com")
        .header("Content-Type", "text/plain")
        .body(GROUP);
    let reply = page.send().await;
    assert_eq!((reply.status, &reply.json()["status"]), (403, &json!("error")));
    assert!(world.script.sent().is_empty());
    assert_eq!(page.key(&world.key).send().await.status, 200);
}

#[tokio::test]
async fn wrong_sizes_paths_and_methods_are_refused() {
    let world = World::with(|options| options.limits.body = 100).await;
    let large = json!({ "chat": "@demo", "text": "a".repeat(100) }).to_string();
    let reply = world.text(&large).send().await;
    assert_eq!((reply.status, &reply.json()["status"]), (413, &json!("error")));
    let reply = Call::new(&world.old(), "GET", "/nothing").send().await;
    assert_eq!((reply.status, &reply.json()["status"]), (404, &json!("error")));
    let reply = Call::new(&world.old(), "GET", "/send_text").send().await;
    assert_eq!(
        (reply.status, reply.header("allow"), &reply.json()["status"]),
        (405, Some("POST"), &json!("error"))
    );
}

#[tokio::test]
async fn every_health_check_reports_a_full_disk() {
    let world = World::new().await;
    let ready = async || Call::new(&world.main(), "GET", "/health/ready").send().await;
    world.free.is(1 << 20);
    world.clock.advance(Duration::from_mins(1));
    let full = ready().await;
    assert_eq!((full.status, &full.json()["status"]), (503, &json!("disk_full")), "{full:?}");
    let health = Call::new(&world.old(), "GET", "/health").send().await;
    let expected = r#"{"status":"not_ready","reason":"disk_full"}"#;
    assert_eq!((health.status, health.body.as_str()), (200, expected));
    world.free.is(1 << 40);
    world.clock.advance(Duration::from_mins(1));
    assert_ne!(ready().await.json()["status"], "disk_full");
}

#[tokio::test]
async fn health_stats_and_cache_reload_are_served() {
    let world = World::new().await;
    let health = Call::new(&world.old(), "GET", "/health").send().await;
    assert_eq!((health.status, health.body.as_str()), (200, r#"{"status":"not_ready"}"#));
    let stats = Call::new(&world.old(), "GET", "/stats").send().await;
    assert_eq!(
        (stats.status, stats.body.as_str()),
        (200, r#"{"cache_size":0,"accounts":[],"error_count":0,"operations_count":0}"#)
    );
    let reload = Call::new(&world.old(), "POST", "/reload_cache").send().await;
    assert_eq!((reload.status, reload.body.as_str()), (200, r#"{"status":"ok","cache_size":0}"#));
}

#[tokio::test]
async fn the_stop_waits_for_what_is_on_the_wire() {
    let world = World::with(|options| options.limits.grace = Duration::from_millis(20)).await;
    world.script.hold();
    let call = world.text(GROUP);
    let waiting = tokio::spawn(async move { call.send().await });
    let is_sending = || async {
        let page = store::Page { limit: 1, cursor: None };
        let sending =
            store::Filter { state: Some(domain::MessageState::Sending), ..store::Filter::default() };
        !world.store.outbox().list(&sending, &page).await.expect("reads").items.is_empty()
    };
    while !is_sending().await {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.stop.cancel();
    // Longer than the grace: it would have answered with a doubt by now.
    tokio::time::sleep(Duration::from_millis(100)).await;
    world.script.release();
    let reply = waiting.await.expect("an answer");
    assert_eq!((reply.status, &reply.json()["status"]), (200, &json!("ok")), "{reply:?}");
    world.serving.await.expect("no panic");
}

#[tokio::test]
async fn the_stop_cancels_what_never_left_and_says_so() {
    let world = World::with(|options| options.limits.grace = Duration::from_millis(20)).await;
    world.script.candidates_are(able(&[("main", Readiness::Connecting)]));
    let call = world.text(GROUP);
    let waiting = tokio::spawn(async move { call.send().await });
    while world.delivery.queued() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.stop.cancel();
    let reply = world.pass(Duration::from_secs(1), waiting).await;
    assert_eq!((reply.status, &reply.json()["status"]), (503, &json!("error")), "{reply:?}");
    let delivery = world.delivery.clone();
    world.serving.await.expect("no panic");
    assert_eq!(delivery.queued(), 0);
}
