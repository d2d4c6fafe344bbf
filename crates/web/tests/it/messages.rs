//! `/v1/messages`: sending and its answers, looking, and ending what waits or is in doubt.

use std::time::Duration;

use delivery::Quotas;
use delivery::sender::Readiness;
use domain::account::Reason;
use domain::{Outcome, Service};
use serde_json::{Value, json};
use telegram::ServiceAction;

use crate::client::Call;
use crate::script::able;
use crate::world::World;

const GROUP: &str = "-1001234567890";

#[tokio::test]
async fn a_text_is_sent_and_answered() {
    let world = World::new().await;
    let reply = world.message(&format!(r#"{{"chat":"{GROUP}","text":"hello"}}"#)).send().await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    let body = reply.json();
    assert!(body["id"].as_str().is_some_and(|id| id.starts_with("msg_")), "{body}");
    for (field, value) in [
        ("state", json!("sent")),
        ("account", json!("main")),
        ("chat", json!(GROUP)),
        ("chat_id", json!(GROUP)),
        ("message_ids", json!([45])),
        ("parts", json!(1)),
    ] {
        assert_eq!(body[field], value, "{body}");
    }
    let attempts = body["attempts"].as_array().expect("attempts");
    assert_eq!(attempts.len(), 1, "{body}");
    assert_eq!(attempts[0]["account"], "main");
    assert_eq!(attempts[0]["outcome"], "sent");
    assert!(attempts[0]["at"].as_str().is_some_and(|at| at.ends_with('Z')), "{body}");
    assert!(body.get("failure").is_none());
    assert_eq!(world.look(&body["id"]).await.message(), reply.message());
}

#[tokio::test]
async fn every_field_reaches_the_account() {
    let world = World::new().await;
    world.script.candidates_are(able(&[("main", Readiness::Ready), ("backup_1", Readiness::Ready)]));
    let body = json!({
        "chat": "@demo_channel", "text": "<b>hello</b> {client}", "parse_mode": "HTML", "reply_to": 7,
        "mention": {"user_id": 7}, "account": "backup_1", "silent": true, "preview": true, "wait": 1.5,
    });
    let reply = world.message(&body.to_string()).send().await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let answer = reply.json();
    assert_eq!((&answer["account"], &answer["chat_id"]), (&json!("backup_1"), &json!("-1000000000500")));
    let sent = world.script.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].account.as_str(), "backup_1");
    assert_eq!(sent[0].text.text, "hello Anna Ивановна");
    assert_eq!(sent[0].text.entities.len(), 2);
    assert_eq!(
        (sent[0].content.reply_to.clone(), sent[0].content.silent, sent[0].content.preview),
        (Some(7.into()), true, true)
    );
}

#[tokio::test]
async fn one_unit_too_many_makes_two_parts() {
    let world = World::new().await;
    let body = json!({ "chat": GROUP, "text": "a".repeat(4_097) }).to_string();
    let answer = world.message(&body).send().await.json();
    assert_eq!((&answer["message_ids"], &answer["parts"]), (&json!([45, 46]), &json!(2)));
    assert_eq!(answer["attempts"].as_array().map(Vec::len), Some(2), "{answer}");
    assert_eq!(world.script.texts().iter().map(String::len).collect::<Vec<_>>(), [4_096, 1]);
}

#[tokio::test]
async fn an_unfinished_message_is_accepted() {
    let world = World::new().await;
    world.script.hold();
    let reply = world.message(&format!(r#"{{"chat":"{GROUP}","text":"hello","wait":0}}"#)).send().await;
    assert_eq!(reply.status, 202, "{reply:?}");
    let body = reply.json();
    assert_eq!(body["state"], "sending");
    let location = format!("/v1/messages/{}", body["id"].as_str().expect("an id"));
    assert_eq!(reply.header("location"), Some(location.as_str()));
    world.script.release();
    world.until_state(&body["id"], "sent").await;
    assert_eq!(world.look(&body["id"]).await.status, 200);
}

#[tokio::test]
async fn a_caller_waits_for_as_long_as_it_says() {
    let world = World::new().await;
    world.script.hold();
    let call = world.message(&format!(r#"{{"chat":"{GROUP}","text":"hello","wait":60}}"#));
    let waiting = tokio::spawn(async move { call.send().await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    world.clock.advance(Duration::from_secs(50));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!waiting.is_finished());
    let reply = world.pass(Duration::from_secs(20), waiting).await;
    assert_eq!(reply.status, 202);
    world.script.release();
}

#[tokio::test]
async fn a_channel_that_is_not_there_is_refused_by_its_field() {
    let world = World::new().await;
    let reply = world.message(r#"{"chat":"avito:shop/u2i-1","text":"a"}"#).send().await;
    let problem = reply.problem(404, "chat_not_found");
    let detail = problem["detail"].as_str().expect("a detail");
    assert!(detail.contains("`chat`") && detail.contains("avito:shop/u2i-1"), "{detail}");
    assert!(detail.contains("lists the accounts of channels"), "{detail}");
    assert_eq!(
        world.call("GET", "/v1/messages").send().await.json()["items"],
        json!([]),
        "nothing was accepted"
    );
    // It is part of no service that could be stopped.
    world.pool.set_service(Service::SendText, ServiceAction::Stop).await.expect("stops");
    world.message(r#"{"chat":"avito:shop/u2i-1","text":"a"}"#).send().await.problem(404, "chat_not_found");
    // Nor is it a chat that can be read.
    let path = "/v1/chats/avito:shop%2Fu2i-1";
    assert_eq!(world.call("GET", path).send().await.status, 404);
}

#[tokio::test]
async fn a_flooded_message_waits_or_fails_as_requested() {
    let world = World::new().await;
    let until = world.clock.now().plus(Duration::from_mins(5));
    world.script.candidates_are(able(&[("main", Readiness::HeldUntil(until))]));

    let waits = world.message(&format!(r#"{{"chat":"{GROUP}","text":"a","wait":0}}"#)).send().await;
    assert_eq!((waits.status, &waits.json()["state"]), (202, &json!("queued")));
    let advice = waits.json()["advice"].as_str().expect("advice").to_owned();
    assert!(advice.contains("Not sent yet") && advice.contains("GET /v1/messages/msg_"), "{advice}");

    let fails = world.message(r#"{"chat":"-1001234567891","text":"b","on_flood":"fail"}"#).send().await;
    let problem = fails.problem(429, "flood_wait");
    let seconds: u64 = fails.header("retry-after").and_then(|value| value.parse().ok()).expect("Retry-After");
    // Less what it took until now on a slow machine.
    assert!((200..=300).contains(&seconds), "{seconds}");
    assert_eq!(problem["retry_after"], seconds);
    assert_eq!(problem["state"], "failed");
    assert_eq!(world.look(&problem["id"]).await.json()["failure"]["code"], "flood_wait");

    let shown = world.look(&waits.json()["id"]).await.json();
    assert_eq!(shown["state"], "queued");
    assert!(world.script.sent().is_empty());
}

#[tokio::test]
async fn a_full_queue_is_named_and_stops_no_other() {
    let world = World::new().await;
    let until = world.clock.now().plus(Duration::from_mins(5));
    let able = able(&[("main", Readiness::HeldUntil(until)), ("backup_1", Readiness::Ready)]);
    world.script.candidates_are(able);
    let quotas = |account, caller| world.delivery.limit(Quotas { account, caller }, Duration::from_mins(10));
    let waits = json!({ "chat": GROUP, "text": "a", "account": "main", "wait": 0 }).to_string();
    let other = json!({ "chat": GROUP, "text": "b", "account": "backup_1" }).to_string();
    let refused = async |quota: &str, whose: &str| {
        let reply = world.message(&waits).send().await;
        assert_eq!(reply.header("retry-after"), Some("5"), "{reply:?}");
        let problem = reply.problem(503, "queue_full");
        let detail = problem["detail"].as_str().expect("words");
        assert!(detail.contains(quota) && detail.contains(whose), "{detail}");
    };

    quotas(2, 100);
    for _ in 0..2 {
        assert_eq!(world.message(&waits).send().await.status, 202);
    }
    refused("limits.waiting_per_account", "account main").await;
    assert_eq!(world.message(&other).send().await.status, 200, "another account has room");

    quotas(100, 2);
    refused("limits.waiting_per_key", "API key ").await;
    let key = world.make_key(&["admin"]).await;
    let another = Call::new(&world.main(), "POST", "/v1/messages").key(&key).json(&waits);
    assert_eq!(another.send().await.status, 202, "another caller has room");
    let old = json!({ "chat": GROUP, "text": "c" }).to_string();
    assert_eq!(world.text(&old).send().await.status, 200, "so has an old port");

    quotas(100, 0);
    let full = world.text(&old).send().await;
    let answer = full.json();
    assert_eq!((full.status, &answer["status"]), (503, &json!("error")), "{answer}");
    assert!(
        answer["error"].as_str().is_some_and(|error| error.contains("limits.waiting_per_key")),
        "{answer}"
    );
    assert_eq!(world.script.texts(), ["b", "c"], "what was refused is nowhere");
}

#[tokio::test]
async fn a_message_is_scheduled_and_cancelled() {
    let world = World::new().await;
    let at = world.clock.now().plus(Duration::from_hours(1));
    let body = json!({ "chat": GROUP, "text": "later", "send_at": at, "wait": 0 }).to_string();
    let reply = world.message(&body).send().await;
    assert_eq!((reply.status, &reply.json()["state"]), (202, &json!("scheduled")));
    assert_eq!(reply.json()["send_at"], json!(at));
    let path = format!("/v1/messages/{}", reply.json()["id"].as_str().expect("an id"));

    let cancelled = world.call("POST", &format!("{path}/cancel")).send().await;
    assert_eq!((cancelled.status, &cancelled.json()["state"]), (200, &json!("cancelled")));
    let again = world.call("POST", &format!("{path}/cancel")).send().await;
    let problem = again.problem(409, "wrong_state");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("is cancelled")), "{problem}");
    assert_eq!(problem["state"], "cancelled");

    let retried = world.call("POST", &format!("{path}/retry")).send().await;
    assert_eq!(retried.status, 202, "{retried:?}");
    assert_eq!(retried.header("location"), Some(path.as_str()));
}

#[tokio::test]
async fn a_message_waits_for_a_person_and_is_approved() {
    let world = World::new().await;
    let body = json!({ "chat": GROUP, "text": "a draft", "needs_approval": "true" }).to_string();
    let reply = world.message(&body).send().await;
    assert_eq!((reply.status, &reply.json()["state"]), (202, &json!("awaiting_approval")));
    let path = format!("/v1/messages/{}", reply.json()["id"].as_str().expect("an id"));
    let approved = world.call("POST", &format!("{path}/approve")).send().await;
    assert_eq!((approved.status, &approved.json()["state"]), (202, &json!("queued")));
    let again = world.call("POST", &format!("{path}/reject")).send().await.problem(409, "wrong_state");
    assert!(again["detail"].as_str().is_some_and(|detail| detail.contains("awaiting_approval")), "{again}");
}

#[tokio::test]
async fn a_waiting_caller_learns_that_its_message_was_cancelled() {
    let world = World::new().await;
    let until = world.clock.now().plus(Duration::from_mins(5));
    world.script.candidates_are(able(&[("main", Readiness::HeldUntil(until))]));
    let call = world.message(&format!(r#"{{"chat":"{GROUP}","text":"a","wait":90}}"#));
    let waiting = tokio::spawn(async move { call.send().await });
    let id = loop {
        let listed = world.call("GET", "/v1/messages?state=queued").send().await.json();
        if let Some(id) = listed["items"][0]["id"].as_str() {
            break id.to_owned();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let cancelled = world.call("POST", &format!("/v1/messages/{id}/cancel")).send().await;
    assert_eq!(cancelled.status, 200, "{cancelled:?}");
    let problem = waiting.await.expect("no panic").problem(409, "cancelled");
    assert_eq!(problem["id"], id);
}

/// Sends a message that ends in doubt.
async fn doubtful(world: &World) -> Value {
    world.script.then([Outcome::Unknown("cut".into()), Outcome::Banned(Reason::Banned)]);
    let call = world.message(&format!(r#"{{"chat":"{GROUP}","text":"hello"}}"#));
    let waiting = tokio::spawn(async move { call.send().await });
    let reply = world.pass(Duration::from_millis(200), waiting).await;
    assert_eq!(reply.status, 202, "{reply:?}");
    assert!(reply.header("location").is_some());
    assert_eq!(reply.json()["state"], "in_doubt");
    reply.json()["id"].clone()
}

#[tokio::test]
async fn a_doubt_is_ended_by_a_person() {
    let world = World::new().await;
    for (word, status, state) in [("sent", 200, "sent"), ("resend", 202, "queued")] {
        let id = doubtful(&world).await;
        let path = format!("/v1/messages/{}/resolve", id.as_str().expect("an id"));
        let wrong = world.call("POST", &path).json(r#"{"as":"gone"}"#).send().await;
        assert_eq!(wrong.problem(422, "invalid_request")["errors"][0]["field"], "as");
        let missing = world.call("POST", &path).json("{}").send().await;
        assert_eq!(missing.problem(422, "invalid_request")["errors"][0]["field"], "as");
        let resolved = world.call("POST", &path).json(format!(r#"{{"as":"{word}"}}"#)).send().await;
        assert_eq!((resolved.status, &resolved.json()["state"]), (status, &json!(state)), "{resolved:?}");
        world.until_state(&id, "sent").await;
        let again = world.call("POST", &path).json(r#"{"as":"sent"}"#).send().await;
        again.problem(409, "wrong_state");
    }
    assert_eq!(world.script.texts(), ["hello"]);
}

#[tokio::test]
async fn why_describes_the_route_in_words() {
    let world = World::new().await;
    let until = world.clock.now().plus(Duration::from_secs(5));
    world.script.then([Outcome::held(until)]);
    let reply = world.message(&format!(r#"{{"chat":"{GROUP}","text":"hello"}}"#)).send().await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["attempts"].as_array().map(Vec::len), Some(2), "{reply:?}");
    let id = reply.json()["id"].as_str().expect("an id").to_owned();
    let why = world.call("GET", &format!("/v1/messages/{id}/why")).send().await;
    let why = why.json();
    assert_eq!((&why["id"], &why["state"]), (&json!(id), &json!("sent")));
    let steps: Vec<_> =
        why["timeline"].as_array().expect("steps").iter().map(|step| step["step"].clone()).collect();
    assert_eq!(steps.first(), Some(&json!("accepted")));
    assert_eq!(steps.last(), Some(&json!("sent")));
    assert!(steps.contains(&json!("attempted")), "{why}");
    for step in why["timeline"].as_array().expect("steps") {
        assert!(step["says"].as_str().is_some_and(|says| says.ends_with('.')), "{step}");
    }
}

#[tokio::test]
async fn the_list_is_filtered_and_paged() {
    let world = World::new().await;
    for number in 0..5 {
        let chat = if number % 2 == 0 { "-1001234567890" } else { "-1001234567891" };
        let reply =
            world.message(&json!({ "chat": chat, "text": number.to_string() }).to_string()).send().await;
        assert_eq!(reply.status, 200);
    }
    let mut seen = Vec::new();
    let mut path = "/v1/messages?limit=2".to_owned();
    loop {
        let page = world.call("GET", &path).send().await.json();
        let items = page["items"].as_array().expect("items");
        assert!(items.len() <= 2);
        assert!(items.iter().all(|item| item.get("attempts").is_none()), "{page}");
        seen.extend(items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()));
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/v1/messages?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.windows(2).all(|pair| pair[0] > pair[1]), "{seen:?}");

    for (query, count) in [
        ("state=sent&account=main&chat_id=-1001234567890", 3),
        ("chat_id=-1001234567891", 2),
        ("state=failed", 0),
        ("account=backup_1", 0),
        ("state=&account=", 5),
    ] {
        let page = world.call("GET", &format!("/v1/messages?{query}")).send().await.json();
        assert_eq!(page["items"].as_array().map(Vec::len), Some(count), "{query}: {page}");
    }
    for (query, field) in [
        ("state=lost", "state"),
        ("account=No%20Name", "account"),
        ("chat_id=x", "chat_id"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=x", "limit"),
        ("cursor=nonsense", "cursor"),
        ("stat=sent", "stat"),
        ("state=sent&state=failed", "state"),
    ] {
        let reply = world.call("GET", &format!("/v1/messages?{query}")).send().await;
        let problem = reply.problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
}

#[tokio::test]
async fn a_missing_message_is_not_found() {
    let world = World::new().await;
    for id in ["msg_00000000000000000000000000", "nonsense", "key_00000000000000000000000000"] {
        for (method, tail) in [("GET", ""), ("GET", "/why"), ("POST", "/cancel"), ("POST", "/retry")] {
            let reply = world.call(method, &format!("/v1/messages/{id}{tail}")).send().await;
            reply.problem(404, "message_not_found");
        }
        let path = format!("/v1/messages/{id}/resolve");
        let reply = world.call("POST", &path).json(r#"{"as":"sent"}"#).send().await;
        reply.problem(404, "message_not_found");
    }
}
