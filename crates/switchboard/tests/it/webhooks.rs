//! The command line over webhooks: made, watched, tested, paused, posted to once more and removed.

use std::time::Duration;

use serde_json::{Value, json};
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
    let is_notified = |kind: &str| receiver.bodies().iter().any(|body| body["type"] == kind);
    program
        .until("it heard of it", || async { is_notified("message.accepted") && is_notified("message.sent") })
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
    let own =
        ["--event", "message.accepted", "--event", "message.sent", "--header", "x-own=of=ours", "--ordered"];
    let changed = webhook(&[&["change", id, "--description", "planted"], own.as_slice()].concat()).fine();
    assert!(changed.contains("is changed"), "{changed}");
    let now = || webhook(&["list", "--json"]).run().json()["items"][0].clone();
    let is = now();
    assert_eq!(is["events"], json!(["message.accepted", "message.sent"]));
    assert_eq!((&is["headers"], &is["ordered"]), (&json!(["x-own"]), &json!(true)), "{is}");
    let nothing = webhook(&["change", id]).run();
    assert!(nothing.code == Some(2) && nothing.err.contains("give --url, --description"), "{nothing:?}");
    let event = receiver.posted()[1].headers["webhook-id"].clone();
    assert!(webhook(&["retry", id, "--event", &event]).fine().contains("Posted once more: 1."));
    let is_again = || {
        let posted =
            receiver.posted().into_iter().filter(|posted| posted.headers.get("webhook-id") == Some(&event));
        posted.map(|posted| posted.headers.get("x-own").cloned()).collect::<Vec<_>>()
            == [None, Some("of=ours".to_owned())]
    };
    program.until("that event is posted once more", || async { is_again() }).await;
    webhook(&["change", id, "--no-headers", "--unordered"]).fine();
    let is = now();
    assert_eq!((&is["headers"], &is["ordered"]), (&json!([]), &json!(false)), "{is}");
    assert_eq!(
        (&is["description"], &is["url"]),
        (&json!("planted"), &json!(receiver.address())),
        "what is left out stays"
    );
    let before = receiver.bodies().len();
    webhook(&["replay", id, "--since", "2020-01-01T00:00:00Z"]).fine();
    program.until("it is posted once more", || async { receiver.bodies().len() > before }).await;
    assert!(webhook(&["retry", id]).fine().contains("Posted once more: 0."));
    receiver.answer(500);
    let refused = webhook(&["test", id]).run();
    assert!(refused.code == Some(1) && refused.out.contains("it answered 500"), "{refused:?}");

    // An endpoint that wants nothing more is switched off, and its owner hears of it.
    receiver.answer(410);
    program.post("/v1/messages", &json!({"chat": "@client_1", "text": "again"})).await;
    let card = json!(format!("webhook:{id}"));
    program
        .until("the owner is alerted", || async {
            program.advance(Duration::from_secs(10)).await;
            let alerts = program.get("/v1/alerts").await.1;
            let is_of_it = |alert: &Value| alert["card"] == card && alert["reason"] == "switched_off";
            alerts["items"].as_array().is_some_and(|alerts| alerts.iter().any(is_of_it))
        })
        .await;
    webhook(&["remove", id]).fine();
    assert!(webhook(&["list"]).fine().contains("There are no webhooks."));
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_hear_of_their_accounts_and_chats_alone() {
    let world = World::start(binary()).await;
    world.edit_settings(|text| format!("{text}\n[events]\nallow_private = [\"127.0.0.1/32\"]\n"));
    let (of_account, of_chat) = (Receiver::start().await, Receiver::start().await);
    let program = running(&world, &ACCOUNTS).await;
    let send = async |chat: &str, account: &str| {
        let body = json!({"chat": chat, "account": account, "text": "planted", "wait": 30});
        let (status, answer) = program.post("/v1/messages", &body).await;
        assert_eq!(status, 200, "{answer}");
        answer["chat_id"].clone()
    };
    let chat = send("@client_2", "main").await;
    for (receiver, narrow) in
        [(&of_account, json!({"accounts": ["backup_1"]})), (&of_chat, json!({"chats": [chat]}))]
    {
        let mut body = json!({"url": receiver.address(), "events": ["message.sent"]});
        body.as_object_mut().expect("an object").extend(narrow.as_object().expect("an object").clone());
        let (status, answer) = program.post("/v1/webhooks", &body).await;
        assert_eq!(status, 201, "{answer}");
    }
    // What none of them is to hear of comes first.
    for (chat, account) in [("@client_1", "main"), ("@client_1", "backup_1"), ("@client_2", "main")] {
        send(chat, account).await;
    }
    let both = || async { !of_account.bodies().is_empty() && !of_chat.bodies().is_empty() };
    program.until("both have heard", both).await;
    let received = |receiver: &Receiver, field: &str| -> Vec<Value> {
        receiver.bodies().iter().map(|body| body[field].clone()).collect()
    };
    assert_eq!(received(&of_account, "account"), [json!("backup_1")]);
    assert_eq!(received(&of_chat, "chat"), [chat]);
}
