//! Accounts, as `/v1` and the legacy port show them: those without a session need no network.

use config::{AccountSettings, TelegramSettings};
use domain::secret::SecretText;
use domain::{AccountName, ChatId};
use serde_json::{Value, json};
use store::{GapChange, Missed, TakenUpdates};

use crate::client::Call;
use crate::script::account;
use crate::world::World;

/// Two accounts without a session.
pub(crate) fn settings() -> TelegramSettings {
    let one = |name: &str, priority, pool| AccountSettings {
        name: account(name),
        priority,
        pool,
        api_id: 1_000_001,
        api_hash: SecretText::from("0123456789abcdef0123456789abcdef"),
        keep_messages: domain::Keep::default(),
        keep_messages_of: Vec::new(),
        skip_messages_of: Vec::new(),
        keep_files: Vec::new(),
        keep_files_up_to: 10_000_000,
        phone: Some("+70000000001".to_owned()),
        proxy: None,
        messages_per_hour: None,
        messages_per_day: None,
        sessions: Vec::new(),
    };
    TelegramSettings {
        accounts: vec![one("fifth", 5, false), one("main", 1, true)],
        ..TelegramSettings::default()
    }
}

#[tokio::test]
async fn accounts_are_listed_by_priority_and_shown() {
    let world = World::of(settings(), |_| {}).await;
    let listed = world.call("GET", "/v1/accounts").send().await.json();
    let names: Vec<_> =
        listed["items"].as_array().expect("items").iter().map(|item| item["name"].clone()).collect();
    assert_eq!(names, ["main", "fifth"]);
    let main = world.call("GET", "/v1/accounts/main").send().await;
    assert_eq!((main.status, &main.json()["name"]), (200, &json!("main")));
    let main = main.json();
    for (field, value) in [
        ("state", json!("needs_login")),
        ("reason", json!("no_session")),
        ("priority", json!(1)),
        ("pool", json!(true)),
        ("switch", json!("on")),
        ("proxy", json!(false)),
        ("floods", json!([])),
        ("cached_peers", json!(0)),
        ("dialogs_read", json!(0)),
        ("dialogs_total", json!(null)),
        (
            "keep_messages",
            json!({ "rule": "registered", "always": [], "never": [], "files": { "kinds": [], "max_size": 10_000_000 } }),
        ),
        ("files", json!({ "waiting": 0, "stopped": null })),
        ("updates", json!({ "received": 0, "missed": 0, "gaps": [] })),
    ] {
        assert_eq!(main[field], value, "{field}: {main}");
    }
    assert!(main["advice"].as_str().is_some_and(|advice| !advice.is_empty()), "{main}");
    assert!(!listed.to_string().contains("0000000001"), "the number is masked: {listed}");
    world.call("GET", "/v1/accounts/other").send().await.problem(404, "account_not_found");
}

#[tokio::test]
async fn accounts_are_found_by_state_and_text() {
    let world = World::of(settings(), |_| {}).await;
    let names = |query: &'static str| {
        let call = world.call("GET", &format!("/v1/accounts?{query}"));
        async move {
            let listed = call.send().await.json();
            let items = listed["items"].as_array().expect("items").clone();
            items.iter().map(|item| item["name"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
        }
    };
    let stopped = world.call("POST", "/v1/accounts/main/actions/stop").send().await.json();
    assert_eq!(stopped["switch"], json!("stopped"));
    assert_eq!(names("state=needs_login").await, ["main", "fifth"]);
    assert_eq!(names("state=ready,offline").await, Vec::<String>::new());
    assert_eq!(names("state=trouble").await, ["main", "fifth"]);
    assert_eq!(names("state=ready,trouble&q=fif").await, ["fifth"]);
    assert_eq!(names("order=need").await, ["main", "fifth"]);
    assert_eq!(names("order=need&limit=1&cursor=main").await, ["fifth"]);
    assert_eq!(names("q=FIF").await, ["fifth"]);
    assert_eq!(names("q=%E2%80%A201&state=needs_login").await, ["main", "fifth"]);
    assert_eq!(names("q=nobody").await, Vec::<String>::new());
    let counted = world.call("GET", "/v1/accounts?q=nobody").send().await.json();
    assert_eq!(counted["states"], json!({ "needs_login": 2 }));
    for wrong in ["state=ill", "order=name", "state=ready,"] {
        world.call("GET", &format!("/v1/accounts?{wrong}")).send().await.problem(422, "invalid_request");
    }
}

#[tokio::test]
async fn accounts_are_paused_and_resumed() {
    let world = World::of(settings(), |_| {}).await;
    for action in ["start", "stop", "restart", "pause", "resume"] {
        let reply = world.call("POST", &format!("/v1/accounts/main/actions/{action}")).send().await;
        assert_eq!((reply.status, &reply.json()["name"]), (200, &json!("main")), "{action}: {reply:?}");
    }
    world.call("POST", "/v1/accounts/main/actions/dance").send().await.problem(404, "not_found");
    world.call("POST", "/v1/accounts/other/actions/pause").send().await.problem(404, "account_not_found");
}

#[tokio::test]
async fn the_old_statistics_have_their_fields_and_types() {
    let world = World::of(settings(), |_| {}).await;
    let stats = Call::new(&world.old(), "GET", "/stats").send().await;
    assert_eq!(stats.status, 200);
    let one = |name: &str, priority: u16| {
        format!(
            r#"{{"name":"{name}","priority":{priority},"status":"error","is_healthy":false,"flood_remaining":0,"last_error":"#
        )
    };
    assert!(
        stats.body.starts_with(&format!(r#"{{"cache_size":0,"accounts":[{}"#, one("main", 1))),
        "{}",
        stats.body
    );
    assert!(stats.body.contains(&one("fifth", 5)), "{}", stats.body);
    assert!(stats.body.ends_with(r#"],"error_count":0,"operations_count":0}"#), "{}", stats.body);
    let account = stats.json()["accounts"][0].clone();
    let mut fields: Vec<_> = account.as_object().expect("fields").keys().cloned().collect();
    fields.sort();
    let mut expected = [
        "name",
        "priority",
        "status",
        "is_healthy",
        "flood_remaining",
        "last_error",
        "error_count",
        "operations_count",
        "last_active",
        "self_user_id",
        "self_username",
        "cache_size",
    ];
    expected.sort_unstable();
    assert_eq!(fields, expected);
    let health = Call::new(&world.old(), "GET", "/health").send().await;
    assert_eq!(health.body, r#"{"status":"not_ready"}"#);
    let ready = Call::new(&world.main(), "GET", "/health/ready").send().await;
    assert_eq!((ready.status, &ready.json()["accounts_settled"]), (200, &json!(true)));
}

#[tokio::test]
async fn gaps_of_an_account_are_listed() {
    let world = World::new().await;
    let account = r#"{"name":"main","api_id":7,"api_hash":"0123456789abcdef0123456789abcdef"}"#;
    assert_eq!(world.call("POST", "/v1/accounts").json(account).send().await.status, 201);
    let (name, chat): (AccountName, ChatId) =
        ("main".parse().expect("a name"), "-1001234567890".parse().expect("a chat"));
    let since = world.clock.now();
    let missed = [Some(chat), None].map(|channel| Missed { channel, since }).into();
    world
        .store
        .received()
        .take(TakenUpdates { missed, ..TakenUpdates::new(name.clone()) })
        .await
        .expect("noted");
    let why = "CHANNEL_PRIVATE".to_owned();
    let failed = GapChange::Failed { chat_id: Some(chat), why };
    world.store.received().change_gap(&name, failed).await.expect("noted");
    let listed = world.call("GET", "/v1/accounts/main/gaps").send().await.json();
    let noticed = &listed["items"][0]["noticed_at"];
    let gap = |chat: Value, failure: Value| json!({"chat_id": chat, "since": since, "messages": 0, "noticed_at": noticed, "failure": failure});
    let both = [gap(json!(chat), json!("CHANNEL_PRIVATE")), gap(json!(null), json!(null))];
    assert_eq!(listed, json!({"items": both, "next_cursor": null}));
    let first = world.call("GET", "/v1/accounts/main/gaps?limit=1").send().await.json();
    assert_eq!(first["items"], json!([both[0]]));
    let cursor = first["next_cursor"].as_str().expect("more");
    let path = format!("/v1/accounts/main/gaps?cursor={cursor}");
    assert_eq!(
        world.call("GET", &path).send().await.json(),
        json!({"items": [both[1]], "next_cursor": null})
    );
    world.call("GET", "/v1/accounts/other/gaps").send().await.problem(404, "account_not_found");
}
