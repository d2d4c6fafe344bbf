//! The command line over webhooks: made, watched, tested, paused, posted to once more and removed.

use serde_json::json;
use testkit::{ACCOUNTS, Receiver, World};

use crate::binary;
use crate::shell::cli::{cli, running};

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_kept_by_commands_and_hears_of_a_message() {
    let world = World::start(binary()).await;
    world.edit_settings(|text| format!("{text}\n[events]\nallow_private = [\"127.0.0.1/32\"]\n"));
    let receiver = Receiver::start().await;
    let program = running(&world, &ACCOUNTS).await;
    let webhook = |arguments: &[&str]| cli(&world, &[&["webhook"], arguments].concat());
    let refused = webhook(&["add", "http://10.0.0.1/hook"]).run();
    assert!(refused.code == Some(1) && refused.err.contains("allow_private"), "{refused:?}");
    let added = webhook(&["add", receiver.address(), "--event", "message.*", "--json"]).run().json();
    let id = added["id"].as_str().expect("an id");
    assert!(added["secret"].as_str().is_some_and(|secret| secret.starts_with("whsec_")), "{added}");
    assert!(webhook(&["test", id]).fine().contains("It answered 200"));
    assert_eq!(receiver.bodies()[0]["type"], "ping");

    let sent = program.post("/v1/messages", &json!({"chat": "@client_1", "text": "planted"})).await;
    assert_eq!(sent.0, 200, "{}", sent.1);
    let is_told = |kind: &str| receiver.bodies().iter().any(|body| body["type"] == kind);
    program
        .until("it heard of it", || async { is_told("message.accepted") && is_told("message.sent") })
        .await;
    assert!(receiver.bodies().iter().all(|body| !body.to_string().contains("planted")));
    program
        .until("it is written", || async { program.get("/v1/webhooks").await.1["items"][0]["waiting"] == 0 })
        .await;
    let shown = webhook(&["show", id, "--state", "delivered"]).fine();
    assert!(shown.contains("message.sent") && shown.contains("200"), "{shown}");

    webhook(&["pause", id]).fine();
    assert!(webhook(&["list"]).fine().contains("paused"));
    webhook(&["resume", id]).fine();
    assert!(webhook(&["rotate", id]).fine().starts_with("whsec_"));
    let before = receiver.bodies().len();
    webhook(&["replay", id, "--since", "2020-01-01T00:00:00Z"]).fine();
    program.until("it is posted once more", || async { receiver.bodies().len() > before }).await;
    assert!(webhook(&["retry", id]).fine().contains("Posted once more: 0."));
    receiver.answer(500);
    let refused = webhook(&["test", id]).run();
    assert!(refused.code == Some(1) && refused.out.contains("it answered 500"), "{refused:?}");
    webhook(&["remove", id]).fine();
    assert!(webhook(&["list"]).fine().contains("There are no webhooks."));
}
