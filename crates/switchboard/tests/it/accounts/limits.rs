//! How much an account sends by the word of its owner: for every caller, over restarts, and until the hour is over.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Program, Start, World};

use super::stage::{NAME, Stage};
use crate::binary;

/// The world whose main account may send three messages an hour.
async fn limited() -> World {
    let world = World::start(binary()).await;
    world.edit_settings(|text| {
        let limited = text.replacen("name = \"main\"\n", "name = \"main\"\nmessages_per_hour = 3\n", 1);
        assert_ne!(limited, text, "the settings have no account called main");
        limited
    });
    world
}

async fn limits(program: &Program, account: &str) -> Value {
    program.get(&format!("/v1/accounts/{account}")).await.1["limits"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn sending_limits_hold_over_a_restart() {
    let world = limited().await;
    let group = world.chat_titled("Demo supergroup").await;
    let mut program = Start::on(&world, binary(), "data").ready().await;
    program.has_read_dialogs("main").await;
    program.has_read_dialogs("backup_1").await;
    let by_main =
        |text: &str, wait: u8| json!({ "chat": "@client_1", "text": text, "account": "main", "wait": wait });
    for text in ["one", "two", "three"] {
        assert_eq!(program.post("/v1/messages", &by_main(text, 20)).await.0, 200);
    }
    let (status, fourth) = program.post("/v1/messages", &by_main("four", 0)).await;
    assert_eq!((status, &fourth["state"]), (202, &json!("queued")), "{fourth}");
    let mut hurried = by_main("never", 20);
    // In a chat where nothing waits before it.
    hurried["chat"] = json!("@client_2");
    hurried["on_flood"] = json!("fail");
    let (status, refused) = program.post("/v1/messages", &hurried).await;
    assert_eq!((status, &refused["code"]), (429, &json!("limit_reached")), "{refused}");
    let (_, seen) = program.get("/v1/accounts/main").await;
    let shown = &seen["limits"];
    assert_eq!(
        (&shown["messages_per_hour"], &shown["messages_per_day"], &shown["sent_last_hour"], &seen["state"]),
        (&json!(3), &Value::Null, &json!(3), &json!("ready")),
        "{seen:#}"
    );
    assert!(shown["free_at"].is_string(), "{shown}");
    // Where another account is in the chat, it stands in, and the timeline says why.
    let (status, other) =
        program.post("/v1/messages", &json!({ "chat": group, "text": "in the group" })).await;
    assert_eq!((status, &other["account"]), (200, &json!("backup_1")), "{other}");
    let (_, why) = program.get(&format!("/v1/messages/{}/why", other["id"].as_str().expect("an id"))).await;
    assert!(why.to_string().contains("main (at its limit until "), "{why:#}");
    let id = fourth["id"].as_str().expect("an id").to_owned();
    let (_, why) = program.get(&format!("/v1/messages/{id}/why")).await;
    assert!(why.to_string().contains("main has sent as many messages as its limits allow"), "{why:#}");

    program.kill();
    let program = Start::on(&world, binary(), "data").ready().await;
    program.has_read_dialogs("main").await;
    assert_eq!(limits(&program, "main").await["sent_last_hour"], 3, "a restart forgets nothing");
    let (status, fifth) = program.post("/v1/messages", &by_main("five", 0)).await;
    assert_eq!((status, &fifth["state"]), (202, &json!("queued")), "{fifth}");
    assert_eq!(world.sent().await, ["one", "two", "three", "in the group"]);

    program.advance(Duration::from_mins(61)).await;
    let both = program.until("what waited is sent", || async { world.sent().await.len() == 6 });
    program.as_time_goes_by(Duration::from_secs(2), both).await;
    let sent = world.sent().await;
    assert_eq!(sent[4..], ["four", "five"], "in their order, once");
    assert_eq!(limits(&program, "main").await["sent_last_hour"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_changed_by_api_and_command() {
    let stage = Stage::new().await;
    let program = stage.program().await;
    let with = |limit: Value| {
        let mut account = stage.account();
        account["messages_per_day"] = limit;
        account
    };
    for wrong in [json!(0), json!(1_000_001), json!(-1), json!("ten"), json!(1.5)] {
        let (status, problem) = program.post("/v1/accounts", &with(wrong.clone())).await;
        assert!(
            status == 422 && problem.to_string().contains("messages_per_day"),
            "{wrong}: {status} {problem}"
        );
    }
    let (status, added) = program.post("/v1/accounts", &with(json!(100))).await;
    assert_eq!((status, &added["limits"]["messages_per_day"]), (201, &json!(100)), "{added}");
    let path = format!("/v1/accounts/{NAME}");
    let (status, changed) = program.patch(&path, &json!({ "messages_per_hour": 10 })).await;
    let shown = &changed["limits"];
    assert_eq!(
        (status, &shown["messages_per_hour"], &shown["messages_per_day"], &shown["sent_last_hour"]),
        (200, &json!(10), &json!(100), &json!(0)),
        "{changed}"
    );
    let (status, problem) = program.patch(&path, &json!({ "messages_per_hour": 0 })).await;
    assert!(status == 422 && problem.to_string().contains("messages_per_hour"), "{problem}");
    let (_, changed) = program.patch(&path, &json!({ "messages_per_day": null, "priority": 6 })).await;
    assert_eq!(
        (&changed["limits"]["messages_per_hour"], &changed["limits"]["messages_per_day"]),
        (&json!(10), &Value::Null)
    );

    assert!(stage.cli(&["show", NAME]).fine().contains("sent 0 of 10 messages in the last hour"));
    stage.cli(&["change", NAME, "--messages-per-day", "50"]).fine();
    assert_eq!(limits(&program, NAME).await["messages_per_day"], 50);
    stage.cli(&["change", NAME, "--no-limits"]).fine();
    let none = limits(&program, NAME).await;
    assert!(none.as_object().is_some_and(|fields| fields.values().all(Value::is_null)), "{none}");
    let keep = ["change", NAME, "--keep-messages", "private", "--keep-messages-of", "-1001234567890"];
    let files = ["--keep-files", "photo,voice", "--keep-files-up-to", "5MB"];
    stage.cli(&[&keep[..], &files].concat()).fine();
    let (_, shown) = program.get(&path).await;
    let files = json!({ "kinds": ["photo", "voice"], "max_size": 5_000_000 });
    let kept = json!({ "rule": "private", "always": ["-1001234567890"], "never": [], "files": files });
    assert_eq!(shown["keep_messages"], kept, "{shown}");
    // What the settings say is changed there.
    let (status, problem) = program.patch("/v1/accounts/main", &json!({ "messages_per_hour": 5 })).await;
    assert_eq!((status, &problem["code"]), (409, &json!("account_is_in_settings")), "{problem}");
}
