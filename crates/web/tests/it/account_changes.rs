//! Accounts that come and go, sessions of no account, and signing in as far as that needs no network.

use config::{DataCentre, TelegramSettings};
use serde_json::{Value, json};

use crate::accounts::settings;
use crate::client::{Call, Reply};
use crate::world::World;

const HASH: &str = "fedcba9876543210fedcba9876543210";

/// Two accounts in the settings, and a Telegram where no one answers.
async fn world() -> World {
    let silent_data_centre = |id| DataCentre { id, address: "127.0.0.1:1".parse().expect("an address") };
    let data_centres = (1..=5).map(silent_data_centre).collect();
    World::of(TelegramSettings { data_centres, ..settings() }, |_| {}).await
}

async fn add(world: &World, body: &Value) -> Reply {
    world.call("POST", "/v1/accounts").json(body.to_string()).send().await
}

fn third() -> Value {
    json!({ "name": "third", "api_id": 1_000_003, "api_hash": HASH, "phone": "+7 000 000-00-03" })
}

/// The names in the problem's list of wrong fields.
fn wrong_fields(problem: &Value) -> Vec<&str> {
    problem["errors"].as_array().expect("errors").iter().filter_map(|error| error["field"].as_str()).collect()
}

#[tokio::test]
async fn an_account_is_added_changed_and_removed() {
    let world = world().await;
    let added = add(&world, &third()).await;
    assert_eq!((added.status, added.header("location")), (201, Some("/v1/accounts/third")), "{added:?}");
    for (field, value) in [
        ("name", json!("third")),
        ("state", json!("needs_login")),
        ("reason", json!("no_session")),
        ("source", json!("store")),
        ("priority", json!(100)),
        ("pool", json!(true)),
        ("lines", json!([])),
    ] {
        assert_eq!(added.json()[field], value, "{field}: {added:?}");
    }
    assert!(!added.body.contains(HASH) && !added.body.contains("0000003\""), "{added:?}");
    assert_eq!(world.call("GET", "/v1/accounts/main").send().await.json()["source"], "settings");

    let change = |body: Value| world.call("PATCH", "/v1/accounts/third").json(body.to_string());
    let changed = change(json!({ "priority": 3, "pool": false })).send().await;
    assert_eq!((changed.status, &changed.json()["priority"]), (200, &json!(3)), "{changed:?}");
    assert_eq!(changed.json()["pool"], false);
    let bare = change(json!({ "phone": null, "proxy": null })).send().await;
    assert_eq!(
        (bare.status, &bare.json()["phone"], &bare.json()["priority"]),
        (200, &Value::Null, &json!(3)),
        "{bare:?}"
    );
    let files = json!({ "kinds": ["photo", "voice"], "max_size": 5_000_000 });
    let keep = json!({ "rule": "private", "always": ["-1001234567890"], "never": ["7"], "files": files });
    let changed = change(json!({ "keep_messages": keep })).send().await;
    assert_eq!((changed.status, &changed.json()["keep_messages"]), (200, &keep), "{changed:?}");
    let changed = change(json!({ "keep_messages": { "rule": "none" } })).send().await;
    let files = json!({ "kinds": [], "max_size": 10_000_000 });
    let none = json!({ "rule": "none", "always": [], "never": [], "files": files });
    assert_eq!(changed.json()["keep_messages"], none, "all of it is said again");
    assert_eq!(change(json!({})).send().await.status, 200, "nothing to change is no error");
    let names = |list: Value| {
        let items = list["items"].as_array().expect("items").clone();
        items.iter().map(|item| item["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(world.call("GET", "/v1/accounts").send().await.json()), ["main", "third", "fifth"]);

    assert_eq!(world.call("DELETE", "/v1/accounts/third").send().await.status, 204);
    for method in ["GET", "DELETE"] {
        world.call(method, "/v1/accounts/third").send().await.problem(404, "account_not_found");
    }
    change(json!({ "priority": 1 })).send().await.problem(404, "account_not_found");
    assert_eq!(add(&world, &third()).await.status, 201, "the name is free again");
}

#[tokio::test]
async fn a_name_is_taken_once_and_the_settings_file_wins() {
    let world = world().await;
    assert_eq!(add(&world, &third()).await.status, 201);
    add(&world, &third()).await.problem(409, "account_exists");
    let mut main = third();
    main["name"] = json!("main");
    add(&world, &main).await.problem(409, "account_is_in_settings");
    let patch = world.call("PATCH", "/v1/accounts/main").json(r#"{"priority":9}"#).send().await;
    patch.problem(409, "account_is_in_settings");
    world.call("DELETE", "/v1/accounts/main?force=true").send().await.problem(409, "account_is_in_settings");
}

#[tokio::test]
async fn every_wrong_field_is_named_and_no_secret_is_shown() {
    let world = world().await;
    let wrong = json!({ "name": "third", "api_id": 0, "api_hash": "a-secret-word", "phone": "a-secret-word",
        "proxy": "http://a-secret-word" });
    let problem = add(&world, &wrong).await.problem(422, "invalid_request");
    assert_eq!(wrong_fields(&problem), ["api_id", "api_hash", "phone", "proxy"], "{problem}");
    assert!(!problem.to_string().contains("secret-word"), "{problem}");
    for (field, value) in [
        ("name", json!("No Name")),
        ("name", json!("")),
        ("api_id", json!("one")),
        ("api_hash", json!([12_345_678])),
        ("phone", json!([12_345_678])),
        ("priority", json!(-1)),
        ("pool", json!("yes")),
        ("proxy", json!({ "12345678": 1 })),
        ("secret", json!(1)),
    ] {
        let mut body = third();
        body[field] = value;
        let problem = add(&world, &body).await.problem(422, "invalid_request");
        assert_eq!(wrong_fields(&problem), [field], "{problem}");
        assert!(!problem.to_string().contains("12345678"), "{problem}");
    }
    for (field, value, range) in [
        ("priority", 0, "from 1 to 1000"),
        ("priority", 1001, "from 1 to 1000"),
        ("messages_per_day", 1_000_001, "from 1 to 1000000"),
    ] {
        let mut body = third();
        body[field] = json!(value);
        let problem = add(&world, &body).await.problem(422, "invalid_request");
        assert_eq!(wrong_fields(&problem), [field], "{problem}");
        assert!(
            problem["errors"][0]["message"].as_str().is_some_and(|message| message.contains(range)),
            "{problem}"
        );
    }
    for wrong in [
        json!({"rule": "some"}),
        json!({"always": ["nowhere"]}),
        json!({"never": vec!["7"; 1_001]}),
        json!({"files": {"kinds": ["pictures"]}}),
        json!({"files": {"kinds": ["photo"], "max_size": 0}}),
        json!({"files": {"kinds": vec!["photo"; 9]}}),
    ] {
        let mut body = third();
        body["keep_messages"] = wrong;
        let problem = add(&world, &body).await.problem(422, "invalid_request");
        assert!(problem["errors"].to_string().contains("keep_messages"), "{problem}");
    }
    let query = world.call("DELETE", "/v1/accounts/main?force=perhaps").send().await;
    assert_eq!(wrong_fields(&query.problem(422, "invalid_request")), ["force"]);
}

#[tokio::test]
async fn a_note_is_written_shown_and_removed() {
    let world = world().await;
    let call = |method: &str| world.call(method, "/v1/accounts/main/note");
    let (get, remove) = (call("GET"), call("DELETE"));
    let put = |text: &str| call("PUT").json(json!({ "text": text }).to_string());
    get.send().await.problem(404, "not_found");
    for sent in ["\u{1F4DE}".repeat(2000), " Ask Анна.\n".to_owned()] {
        let written = put(&sent).send().await;
        let note = written.json();
        assert_eq!((written.status, note["text"].as_str()), (200, Some(sent.trim())), "{note}");
        assert!(note["updated_at"].is_string(), "{note}");
        assert!(note["updated_by"].as_str().is_some_and(|by| by.starts_with("key_")), "{note}");
        assert_eq!(get.send().await.json(), note);
    }
    for (body, expected) in [
        (json!({ "text": "x".repeat(2001) }), "2001 characters; 2000 at most"),
        (json!({ "text": "a\0b" }), "U+0000"),
        (json!({ "text": null }), "text"),
        (json!({}), "missing"),
    ] {
        let problem = call("PUT").json(body.to_string()).send().await.problem(422, "invalid_request");
        assert_eq!(wrong_fields(&problem), ["text"], "{problem}");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(expected)), "{problem}");
    }
    assert_eq!(get.send().await.status, 200, "what was refused changed nothing");
    assert_eq!(put(" \n").send().await.status, 204);
    get.send().await.problem(404, "not_found");
    for _ in 0..2 {
        assert_eq!(remove.send().await.status, 204);
    }
    for method in ["GET", "PUT", "DELETE"] {
        let call = world.call(method, "/v1/accounts/other/note").json(r#"{"text":"x"}"#);
        call.send().await.problem(404, "account_not_found");
    }
}

#[tokio::test]
async fn only_those_who_administer_may() {
    let world = world().await;
    let key = world.make_key(&["read", "send"]).await;
    for (method, path, body) in [
        ("POST", "/v1/accounts", third()),
        ("PATCH", "/v1/accounts/main", json!({})),
        ("DELETE", "/v1/accounts/main", Value::Null),
        ("POST", "/v1/accounts/main/login", json!({ "by": "qr" })),
        ("GET", "/v1/accounts/import", Value::Null),
        ("GET", "/v1/accounts/main/login", Value::Null),
        ("DELETE", "/v1/accounts/main/login", Value::Null),
        ("POST", "/v1/accounts/main/login/code", json!({ "code": "12345" })),
        ("POST", "/v1/accounts/main/login/password", json!({ "password": "x" })),
        ("POST", "/v1/accounts/main/login/terms", json!({ "accept": true })),
        ("POST", "/v1/accounts/main/login/resend", Value::Null),
        ("POST", "/v1/ownerless-sessions/1f2e3d4c5b6a7988/assign", json!({ "account": "main" })),
        ("DELETE", "/v1/ownerless-sessions/1f2e3d4c5b6a7988", Value::Null),
    ] {
        let call = Call::new(&world.main(), method, path).key(&key);
        let call = if body.is_null() { call } else { call.json(body.to_string()) };
        call.send().await.problem(403, "forbidden_scope");
    }
    let listed = Call::new(&world.main(), "GET", "/v1/ownerless-sessions").key(&key).send().await;
    assert_eq!((listed.status, &listed.json()["items"]), (200, &json!([])), "{listed:?}");
}

#[tokio::test]
async fn missing_ownerless_sessions_are_not_found() {
    let world = world().await;
    for id in ["1f2e3d4c5b6a7988", "not-hexadecimal", "%20"] {
        let path = format!("/v1/ownerless-sessions/{id}");
        world.call("DELETE", &path).send().await.problem(404, "session_not_found");
        let assign =
            world.call("POST", &format!("{path}/assign")).json(r#"{"account":"main","for":["send_text"]}"#);
        assign.send().await.problem(404, "session_not_found");
    }
    let wrong = world.call("POST", "/v1/ownerless-sessions/1f2e3d4c5b6a7988/assign");
    let problem =
        wrong.json(r#"{"account":"main","for":["dance"]}"#).send().await.problem(422, "invalid_request");
    assert_eq!(wrong_fields(&problem), ["for[0]"], "{problem}");
}

#[tokio::test]
async fn a_sign_in_that_cannot_begin_says_why() {
    let world = world().await;
    let login = |body: &str| world.call("POST", "/v1/accounts/main/login").json(body);
    for (body, field) in [
        (r"{}", "by"),
        (r#"{"by":"pigeon"}"#, "by"),
        (r#"{"by":"qr","phone":"+70000000001"}"#, "phone"),
        (r#"{"by":"phone","phone":"12"}"#, "phone"),
        (r#"{"by":"phone","for":["dance"]}"#, "for[0]"),
    ] {
        let problem = login(body).send().await.problem(422, "invalid_request");
        assert_eq!(wrong_fields(&problem), [field], "{body}: {problem}");
    }
    let other = world.call("POST", "/v1/accounts/other/login").json(r#"{"by":"qr"}"#).send().await;
    other.problem(404, "account_not_found");
    world.call("GET", "/v1/accounts/other/login").send().await.problem(404, "account_not_found");
    world.call("DELETE", "/v1/accounts/other/login").send().await.problem(404, "account_not_found");

    let none = world.call("GET", "/v1/accounts/main/login").send().await;
    assert_eq!((none.status, &none.json()["state"]), (200, &json!("none")), "{none:?}");
    assert_eq!(none.json()["next_step"]["path"], "/v1/accounts/main/login", "{none:?}");
    assert_eq!(world.call("DELETE", "/v1/accounts/main/login").send().await.status, 204, "nothing to cancel");
    for (step, body) in [
        ("code", r#"{"code":"12345"}"#),
        ("password", r#"{"password":"x"}"#),
        ("terms", r#"{"accept":true}"#),
        ("resend", ""),
    ] {
        let call = world.call("POST", &format!("/v1/accounts/main/login/{step}"));
        let call = if body.is_empty() { call } else { call.json(body) };
        call.send().await.problem(409, "wrong_state");
    }
    for (step, body) in [("code", r#"{"code":""}"#), ("password", r#"{"password":""}"#), ("code", r"{}")] {
        let call = world.call("POST", &format!("/v1/accounts/main/login/{step}")).json(body);
        assert_eq!(wrong_fields(&call.send().await.problem(422, "invalid_request")), [step]);
    }
    // No one answers at the other end; the number is not in the answer.
    let problem = login(r#"{"by":"phone"}"#).send().await.problem(502, "login_failed");
    assert!(!problem.to_string().contains("0000000001"), "{problem}");
}
