//! The command line over what the server keeps and does: failed requests, services, chats.

use serde_json::{Value, json};
use testkit::{ACCOUNTS, Program, World};

use crate::binary;
use crate::shell::cli::{cli, running};

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

    let listed = cli(&world, &["failed", "list", "--json"]).run().json();
    let id = |title: &str| {
        let mut items = listed["items"].as_array().expect("items").iter();
        let item = items.find(|item| item["payload"]["title"] == title).expect("is kept");
        item["id"].as_str().expect("an id").to_owned()
    };
    let (wanted, unwanted) = (id("Wanted"), id("Unwanted"));
    let table = cli(&world, &["failed", "list"]).fine();
    assert!(table.contains(&wanted) && table.contains("create_chat") && table.contains("inbound"), "{table}");
    let shown = cli(&world, &["failed", "show", &wanted]).fine();
    assert!(shown.contains("Wanted") && shown.contains("CHANNELS_TOO_MUCH"), "{shown}");
    let output = cli(&world, &["failed", "retry", &wanted]).fine();
    assert!(output.contains("when the server runs"), "{output}");
    cli(&world, &["failed", "drop", &unwanted]).fine();
    for (arguments, word) in [(["failed", "retry", &unwanted], "dropped"), (["key", "create", " "], "name")] {
        let refused = cli(&world, &arguments).run();
        assert!(refused.code == Some(1) && refused.err.contains(word), "{refused:?}");
    }

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
    let nothing = cli(&world, &["failed", "list"]).fine();
    assert!(nothing.contains("No failed request waits"), "{nothing}");
    assert!(cli(&world, &["failed", "list", "--state", "all"]).fine().contains(&unwanted));
}
