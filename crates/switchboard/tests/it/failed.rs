//! The command line over what the server keeps and does: failed requests, services, chats.

use serde_json::{Value, json};
use testkit::{ACCOUNTS, Program, World};

use crate::binary;
use crate::shell::cli::{command, fine, ran, running};

async fn create(world: &World, program: &Program, title: &str) -> (u16, Value) {
    let body = json!({ "title": title, "usernames": ["client_1"] });
    program.legacy(world.legacy_port(5021), "/create_chat", &body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_requests_are_managed_offline() {
    let world = World::start(binary()).await;
    let mut program = running(&world, &ACCOUNTS).await;
    let too_many = json!({ "method": "channels.createChannel", "code": 400, "message": "CHANNELS_TOO_MUCH" });
    world.fault("rpc_error", too_many).await;
    for title in ["Wanted", "Unwanted"] {
        assert_eq!(create(&world, &program, title).await.0, 500);
    }
    assert_eq!(program.terminate().await, Some(0));
    world.delete("/faults").await;

    let listed: Value = serde_json::from_str(&fine(&world, &["failed", "list", "--json"])).expect("JSON");
    let id = |title: &str| {
        let mut items = listed["items"].as_array().expect("items").iter();
        let item = items.find(|item| item["payload"]["title"] == title).expect("is kept");
        item["id"].as_str().expect("an id").to_owned()
    };
    let (wanted, unwanted) = (id("Wanted"), id("Unwanted"));
    let table = fine(&world, &["failed", "list"]);
    assert!(table.contains(&wanted) && table.contains("create_chat") && table.contains("inbound"), "{table}");
    let shown = fine(&world, &["failed", "show", &wanted]);
    assert!(shown.contains("Wanted") && shown.contains("CHANNELS_TOO_MUCH"), "{shown}");
    let said = fine(&world, &["failed", "retry", &wanted]);
    assert!(said.contains("when the server runs"), "{said}");
    fine(&world, &["failed", "drop", &unwanted]);
    let (tried, said) = ran(&mut command(&world, "data", &["failed", "retry", &unwanted]));
    assert!(tried == Some(1) && said.contains("dropped"), "{said}");
    let (made, said) = ran(&mut command(&world, "data", &["key", "create", " "]));
    assert!(made == Some(1) && said.contains("name"), "{said}");

    let program = running(&world, &ACCOUNTS).await;
    // Without a server the same API answers, so the audit log has it too.
    let audit = program.get("/v1/audit?limit=100").await.1;
    for action in ["retry_failed_request", "drop_failed_request", "create_key"] {
        let entries = audit["items"].as_array().expect("items").iter();
        assert!(entries.filter(|entry| entry["action"] == action).count() > 0, "{action}: {audit:#}");
    }
    program
        .until("it is done", || async {
            program.get(&format!("/v1/failed-requests/{wanted}")).await.1["state"] == "done"
        })
        .await;
    world.chat_titled("Wanted").await;
    assert!(world.chats_titled("Unwanted").await.is_empty());
    let nothing = fine(&world, &["failed", "list"]);
    assert!(nothing.contains("No failed request waits"), "{nothing}");
    assert!(fine(&world, &["failed", "list", "--state", "all"]).contains(&unwanted));
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_service_stays_stopped_over_a_restart() {
    let world = World::start(binary()).await;
    let mut program = running(&world, &ACCOUNTS).await;
    assert_eq!(create(&world, &program, "First").await.0, 200);
    assert_eq!(fine(&world, &["service", "stop", "create_chat"]).trim(), "create_chat is stopped.");
    assert_eq!(create(&world, &program, "Second").await.0, 503);
    assert_eq!(program.terminate().await, Some(0));
    let (listed, said) = ran(&mut command(&world, "data", &["service", "list"]));
    assert!(listed == Some(1) && said.contains("switchboard up"), "{said}");

    let program = running(&world, &ACCOUNTS).await;
    let table = fine(&world, &["service", "list"]);
    let row = table.lines().find(|line| line.contains("create_chat")).expect("a row");
    assert!(row.contains("stopped") && row.contains(&world.legacy_port(5025).to_string()), "{table}");
    assert_eq!(create(&world, &program, "Second").await.0, 503);
    assert_eq!(fine(&world, &["service", "start", "create_chat"]).trim(), "create_chat is active.");
    assert_eq!(create(&world, &program, "Second").await.0, 200);
    assert!(fine(&world, &["service", "reload-cache"]).contains("read again"));

    let chats = fine(&world, &["chat", "list", "--account", "main"]);
    assert!(chats.contains("First") && chats.contains(&world.chat_titled("Second").await), "{chats}");
    assert!(!fine(&world, &["chat", "list", "--state", "left"]).contains("First"));
    assert!(fine(&world, &["chat", "unresolved"]).contains("was found"));
    assert_eq!(program.send("-1009999999999", "Is anybody there?").await.0, 404);
    let unresolved = fine(&world, &["chat", "unresolved"]);
    assert!(unresolved.contains("-1009999999999") && unresolved.contains("v1"), "{unresolved}");
}
