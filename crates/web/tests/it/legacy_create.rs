//! Port 5021 as its callers know it: a chat is made once, each step is reported, and what may exist is never called failed.

use std::time::Duration;

use config::{InviteCallback, LegacyPort};
use delivery::sender::{Readiness, RefusalKind};
use domain::account::Reason;
use domain::saga::{Step, Task};
use domain::{OperationId, Outcome, Service};
use serde_json::{Value, json};

use crate::client::{Call, Reply};
use crate::joining::{abandon, ask, eventually};
use crate::script::{able, account, no_candidates};
use crate::steps::FIRST_CHAT;
use crate::world::{SOON, World, port_of};

const BODY: &str = r#"{"title":"A chat","usernames":["@Anna_1","demo_bot"],"client_tg_id":77}"#;
const MADE: &str = r#"{"status":"ok","title":"A chat","chat_id":"-1001234567890","invite_link":"https://t.me/+abc","debug":{"account":"main","resolve_failed":[],"open_history":"ok","invite":"ok","invite_failed":[],"promote_bots":["@demo_bot: ok"],"export_invite":"ok"}}"#;

async fn world() -> World {
    World::with(|options| options.legacy.ports = vec![port_of(Service::CreateChat)]).await
}

fn create(world: &World, body: &str) -> Call {
    Call::new(&world.old(), "POST", "/create_chat").json(body)
}

/// Waits until a step of this name is under way or was taken.
async fn until_submitted(world: &World) {
    let waiting = async {
        while world.sagas.queued() == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(SOON, waiting).await.expect("it is accepted");
}

async fn saga(world: &World, reply: &Reply) -> domain::saga::Saga {
    let id: OperationId = reply.json()["id"].as_str().expect("an id").parse().expect("an operation");
    world.sagas.get(id).await.expect("reads").expect("is there")
}

#[tokio::test]
async fn requests_of_n8n_and_python_are_read() {
    let world = world().await;
    let n8n = create(&world, BODY)
        .header("Accept", "application/json,text/html,application/xhtml+xml,application/xml,text/*;q=0.9, image/*;q=0.8, */*;q=0.7")
        .header("User-Agent", "axios/1.8.4")
        .header("Accept-Encoding", "gzip, compress, deflate, br");
    let reply = n8n.send().await;
    assert_eq!((reply.status, reply.body.as_str()), (200, MADE));
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let python = Call::new(&world.old(), "POST", "/create_chat")
        .header("User-Agent", "python-requests/2.32.3")
        .header("Content-Type", "text/plain")
        .body(r#"{"title": "\u0427\u0430\u0442", "usernames": ["anna_1"]}"#);
    let answer = python.send().await.json();
    assert_eq!((&answer["title"], &answer["chat_id"]), (&json!("Чат"), &json!((FIRST_CHAT - 1).to_string())));
    assert_eq!(world.hands.count("create"), 2);
}

#[tokio::test]
async fn people_who_are_not_found_or_not_invited_are_named() {
    let world = world().await;
    let body = r#"{"title":"A chat","usernames":["@Anna_1","gone_1","shy_1","не имя"]}"#;
    let reply = create(&world, body).send().await;
    let debug = &reply.json()["debug"];
    let begins = |list: &Value, starts: &[&str]| {
        let list = list.as_array().expect("a list");
        assert_eq!(list.len(), starts.len(), "{debug}");
        for (line, start) in list.iter().zip(starts) {
            assert!(line.as_str().is_some_and(|line| line.starts_with(start)), "{debug}");
        }
    };
    assert_eq!(reply.status, 200, "{reply:?}");
    begins(&debug["resolve_failed"], &["@gone_1: ", "не имя: "]);
    begins(&debug["invite_missing"], &["@shy_1: "]);
    begins(&debug["invite_failed"], &[]);
    let unfindable = r#"{"title":"A chat","usernames":["gone_1","не имя"]}"#;
    let reply = create(&world, unfindable).send().await;
    let answer = reply.json();
    assert_eq!((reply.status, &answer["error"]), (400, &json!("no resolvable users")), "{answer}");
    begins(&answer["debug"]["resolve_failed"], &["@gone_1: ", "не имя: "]);
    let impossible = create(&world, r#"{"title":"A chat","usernames":["не имя"]}"#).send().await;
    assert_eq!((impossible.status, &impossible.json()["error"]), (400, &json!("no resolvable users")));
    assert_eq!(world.hands.count("create"), 1);
}

#[tokio::test]
async fn invalid_requests_are_refused() {
    let world = world().await;
    for (body, error) in [
        ("", "title is required"),
        ("no json", "title is required"),
        (r#"{"usernames":["@anna_1"]}"#, "title is required"),
        (r#"{"title":"x"}"#, "usernames (array) is required"),
        (r#"{"title":"x","usernames":"@anna_1"}"#, "usernames (array) is required"),
        (r#"{"title":"x","usernames":[]}"#, "usernames (array) is required"),
    ] {
        let reply = create(&world, body).send().await;
        assert_eq!((reply.status, reply.body), (400, format!(r#"{{"error":"{error}"}}"#)), "{body}");
    }
    assert!(world.hands.taken().is_empty());
}

#[tokio::test]
async fn a_title_of_300_characters_is_cut_for_telegram_alone() {
    let world = world().await;
    let title = "ж".repeat(300);
    let body = json!({ "title": title, "usernames": ["@anna_1"] }).to_string();
    let reply = create(&world, &body).send().await;
    assert_eq!((reply.status, &reply.json()["title"]), (200, &json!(title)));
    let sent = world.hands.taken().into_iter().find_map(|taken| match taken.step {
        Step::Create { title, .. } => Some(title),
        _ => None,
    });
    assert_eq!(sent, Some("ж".repeat(128)));
}

#[tokio::test]
async fn each_failure_has_its_status() {
    let world = world().await;
    world.hands.creators_are(no_candidates(RefusalKind::Unusable, "offline"));
    let reply = create(&world, BODY).send().await;
    assert_eq!(reply.status, 503, "{reply:?}");
    assert!(reply.json()["error"].is_string() && reply.json().get("status").is_none(), "{reply:?}");

    let until = world.clock.now().plus(Duration::from_mins(5));
    world.hands.creators_are(able(&[("main", Readiness::HeldUntil(until))]));
    let reply = create(&world, BODY).send().await;
    assert_eq!(reply.status, 503, "{reply:?}");
    assert!(reply.body.starts_with(r#"{"error":"FloodWait","retry_after":"#), "{}", reply.body);
    assert!(reply.json()["retry_after"].as_u64().is_some_and(|seconds| (290..=300).contains(&seconds)));
    assert_eq!(world.sagas.queued(), 0, "a negative answer is final");

    world.hands.creators_are(able(&[("main", Readiness::Ready)]));
    world.hands.then("create", [Outcome::Rejected { code: "CHAT_TITLE_EMPTY".into() }]);
    let reply = create(&world, BODY).send().await;
    assert_eq!(reply.status, 500, "{reply:?}");
    assert!(reply.json()["error"].as_str().is_some_and(|error| error.contains("CHAT_TITLE_EMPTY")));
    assert!(reply.json().get("status").is_none(), "{reply:?}");

    let kept = world.store.failed_requests();
    let kept = kept.list(&[], &store::Page { limit: 10, cursor: None }).await.expect("reads");
    assert_eq!(kept.items.len(), 3, "each is kept for a retry by hand");
    assert!(kept.items.iter().all(|kept| kept.endpoint == "/create_chat" && kept.payload.contains("Anna_1")));
}

#[tokio::test]
async fn a_refused_later_step_is_reported_and_the_chat_is_made() {
    let world = world().await;
    world.hands.then("export_link", [Outcome::Rejected { code: "CHAT_ADMIN_REQUIRED".into() }]);
    let reply = create(&world, BODY).send().await;
    let answer = reply.json();
    assert_eq!((reply.status, &answer["invite_link"]), (200, &Value::Null), "{answer}");
    let error = answer["debug"]["export_invite"].as_str().expect("a text").to_owned();
    assert!(error.contains("CHAT_ADMIN_REQUIRED"), "{error}");
}

#[tokio::test]
async fn backup_invites_the_observer_and_pins_hold() {
    let world = World::with(|options| {
        options.legacy.ports = vec![
            port_of(Service::CreateChat),
            LegacyPort { account: Some(account("backup_1")), ..port_of(Service::CreateChat) },
            LegacyPort { account: Some(account("unknown")), ..port_of(Service::CreateChat) },
        ];
    })
    .await;
    let pinned = Call::new(&world.old_at(1), "POST", "/create_chat").json(BODY).send().await;
    let debug = &pinned.json()["debug"];
    assert_eq!((&debug["account"], &debug["observer"]), (&json!("backup_1"), &json!("ok")), "{debug}");
    let first = create(&world, BODY).send().await;
    assert!(first.json()["debug"].get("observer").is_none(), "{first:?}");
    world.hands.then("create", [Outcome::Banned(Reason::Banned)]);
    let second = create(&world, BODY).send().await;
    assert_eq!(second.json()["debug"]["account"], "backup_1", "{second:?}");
    world.hands.then("create", [Outcome::Banned(Reason::Banned)]);
    let alone = Call::new(&world.old_at(1), "POST", "/create_chat").json(BODY).send().await;
    assert!([500, 503].contains(&alone.status), "a pinned port never fails over: {alone:?}");
    let unknown = Call::new(&world.old_at(2), "POST", "/create_chat").json(BODY).send().await;
    assert_eq!((unknown.status, unknown.json().get("status")), (503, None), "{unknown:?}");
}

#[tokio::test]
async fn chat_in_doubt_after_the_hold_is_joined() {
    let world = world().await;
    world.hands.hold("create");
    let call = create(&world, BODY);
    let waiting = tokio::spawn(async move { call.send().await });
    until_submitted(&world).await;
    let reply = world.pass(Duration::from_secs(10), waiting).await;
    let answer = reply.json();
    assert_eq!((reply.status, &answer["state"]), (500, &json!("in_doubt")), "{answer}");
    assert!(answer["id"].as_str().is_some_and(|id| id.starts_with("op_")), "{answer}");
    let call = create(&world, BODY);
    let joined = tokio::spawn(async move { call.send().await });
    tokio::time::sleep(Duration::from_millis(30)).await;
    world.hands.release();
    let joined = joined.await.expect("no panic");
    assert_eq!((joined.status, joined.body.as_str()), (200, MADE), "the same call joined it");
    assert_eq!(world.hands.count("create"), 1);
}

#[tokio::test]
async fn a_cut_call_is_finished_once_and_the_same_body_joins_it() {
    let world = world().await;
    world.hands.hold("invite");
    let stream = ask(&create(&world, BODY), &world).await;
    eventually(|| world.hands.count("open_history") == 1).await;
    abandon(&world, stream).await;
    let call = create(&world, BODY);
    let waiting = tokio::spawn(async move { call.send().await });
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert!(!waiting.is_finished());
    world.hands.release();
    let joined = waiting.await.expect("no panic");
    assert_eq!((joined.status, joined.body.as_str()), (200, MADE));
    assert_eq!(world.hands.count("create"), 1);
}

#[tokio::test]
async fn after_a_crash_the_same_body_joins() {
    let world = world().await;
    world.hands.hold("export_link");
    let call = create(&world, BODY);
    let waiting = tokio::spawn(async move { call.send().await });
    eventually(|| world.hands.count("promote") == 1).await;
    let next =
        world.after_a_crash_with(|options| options.legacy.ports = vec![port_of(Service::CreateChat)]).await;
    let joined = create(&next, BODY).send().await;
    assert_eq!((joined.status, joined.body.as_str()), (200, MADE));
    assert_eq!(next.hands.count("create"), 0, "the chat was there already");
    world.hands.release();
    assert_eq!(waiting.await.expect("no panic").status, 200);
}

#[tokio::test]
async fn unstarted_work_is_cancelled_at_the_end_of_the_hold() {
    let world = world().await;
    world.hands.creators_are(able(&[("main", Readiness::Connecting)]));
    let call = create(&world, BODY);
    let waiting = tokio::spawn(async move { call.send().await });
    until_submitted(&world).await;
    let reply = world.pass(Duration::from_secs(5), waiting).await;
    assert_eq!((reply.status, reply.json().get("status")), (503, None), "{reply:?}");
    world.hands.creators_are(able(&[("main", Readiness::Ready)]));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(world.hands.count("create"), 0, "a negative answer is final");
}

#[tokio::test]
async fn keys_are_honoured_and_two_calls_at_once_are_one_chat() {
    let world = world().await;
    let keyed = |body: &str| create(&world, body).header("Idempotency-Key", "order-1");
    let calls = [keyed(BODY), keyed(BODY)].map(|call| tokio::spawn(async move { call.send().await }));
    let mut replayed = 0;
    for call in calls {
        let reply = call.await.expect("no panic");
        assert_eq!((reply.status, reply.body.as_str()), (200, MADE));
        replayed += usize::from(reply.header("idempotency-replayed") == Some("true"));
    }
    assert_eq!((replayed, world.hands.count("create")), (1, 1));
    let conflict = keyed(r#"{"title":"Other","usernames":["@anna_1"]}"#).send().await;
    assert_eq!((conflict.status, conflict.json().get("status")), (409, None), "{conflict:?}");
    assert_eq!(create(&world, BODY).send().await.status, 200);
    assert_eq!(world.hands.count("create"), 2, "without a key two calls are two chats");
}

#[tokio::test]
async fn the_client_is_stored_only_for_a_configured_callback() {
    let url = "https://example.com/hook".to_owned();
    let callback = InviteCallback { url, group_id: "demo".to_owned(), ..InviteCallback::default() };
    for (callback, client) in [(Some(callback), Some("77")), (None, None)] {
        let world = World::with(|options| {
            options.legacy.ports = vec![port_of(Service::CreateChat)];
            options.legacy.invite_callback = callback;
        })
        .await;
        world.hands.hold("create");
        let call = create(&world, BODY);
        let waiting = tokio::spawn(async move { call.send().await });
        until_submitted(&world).await;
        let doubt = world.pass(Duration::from_secs(10), waiting).await;
        let Task::CreateChat { client_tg_id, .. } = saga(&world, &doubt).await.task else {
            panic!("another task")
        };
        assert_eq!(client_tg_id.as_deref(), client);
        world.hands.release();
    }
}
