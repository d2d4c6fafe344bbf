//! The do-not-contact list: the command line over it, with a server and without, and every way out held back by it.

use serde_json::{Value, json};
use testkit::{ACCOUNTS, Program, RedisServer, World};

use crate::binary;
use crate::channels::{connected, received, writes};
use crate::flows::{hears, offers};
use crate::people::stage::signed_in;
use crate::pipeline::answers;
use crate::redis::{push, reasons, started};
use crate::shell::cli::{cli, running};

#[tokio::test(flavor = "multi_thread")]
async fn list_is_kept_by_commands_and_holds_the_server_back() {
    let world = World::start(binary()).await;
    let mut program = running(&world, &ACCOUNTS).await;
    let list = |arguments: &[&str]| cli(&world, &[&["do-not-contact"], arguments].concat());
    let added = list(&["add", "@client_1", "-1001234567890", "--reason", "asked to stop"]).fine();
    assert!(added.contains("2 added, 0 on the list already"), "{added}");
    let refused = cli(&world, &["send", "https://t.me/Client_1", "hello"]).run();
    assert!(refused.code == Some(1) && refused.err.contains("do-not-contact list"), "{refused:?}");
    assert_eq!(program.terminate().await, Some(0));

    let imported = list(&["import", "-"]).given("8 000 000-00-01\nno one\n@client_1\n");
    assert!(imported.out.contains("1 added, 1 on the list already.\nAdded "), "{imported:?}");
    assert!(imported.out.contains("\nLine 2: "), "{imported:?}");
    let shown = list(&["list", "--contact", "70000000001", "--json"]).run().json();
    assert_eq!(
        (&shown["items"][0]["source"], &shown["items"][0]["added_by"]),
        (&"import".into(), &"machine".into())
    );
    let exported = list(&["export"]).fine();
    assert_eq!(exported.lines().count(), 4, "{exported}");
    assert!(
        exported.contains("@client_1,username,all,cli,machine,") && exported.contains(",asked to stop"),
        "{exported}"
    );
    list(&["remove", "-1001234567890"]).fine();
    let table = list(&["list"]).fine();
    assert!(table.contains("@client_1") && !table.contains("-1001234567890"), "{table}");
    let missing = list(&["remove", "@client_2"]).run();
    assert!(missing.code == Some(1) && missing.err.contains("no entry"), "{missing:?}");
}

const FLOW: &str = r#"
[[flows]]
name = "asks"
account = "fifth"
watch = "@demo_bot_1"
trigger = { text = "New trip" }
[[flows.steps]]
send = "A flow"
"#;
const CODE: &str = "do_not_contact";

/// What a page says after an answer was written into its form, by a person who signs in for it.
async fn page_after(world: &World, program: &Program, client: &str, text: &str) -> String {
    let cookie = signed_in(world, program, "operator").await;
    let http = reqwest::Client::builder()
        .tls_certs_only([])
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("a client");
    let path = format!("/inbox/{client}");
    let page = http.get(format!("{}{path}", program.address())).header("cookie", &cookie).send().await;
    let page = page.expect("a page").text().await.expect("a text");
    let csrf = page.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let fields = format!("csrf={}&drawn=1&text={}", csrf.expect("a form"), text.replace(' ', "+"));
    let request = http.post(format!("{}{path}", program.address())).header("cookie", &cookie);
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(fields);
    request.send().await.expect("an answer").text().await.expect("a page")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_sends_to_a_person_on_the_list() {
    let world = World::start(binary()).await;
    let redis = RedisServer::start();
    world.edit_settings(|text| text + FLOW);
    let program = started(&world, &redis, "").await;
    program.account_is("main", "ready").await;
    program.account_is("fifth", "ready").await;
    hears(&world, &program).await;
    let chat = writes(&world, "vk", "club", "Is it still there?").await;
    program
        .until("it is answered", || async { answers(&world, "vk", "Is it still there?").await == 1 })
        .await;
    let found = program.get("/v1/conversations?channel=vk").await.1;
    let client = found["items"][0]["client"]["id"].as_str().expect("a client").to_owned();
    let reply = format!("/v1/conversations/{client}/reply");
    let does = async |action: &str| {
        let deed = json!({"channel": "vk", "account": "club", "from": "2000002", "action": action});
        world.post("/customers/messages", &deed).await;
    };
    does("block").await;
    let failed = program.post(&reply, &json!({"text": "A reply that fails", "wait": 30})).await.1;
    does("unblock").await;
    assert_eq!(failed["state"], "failed", "{failed}");
    let again =
        format!("/v1/conversations/{client}/messages/{}/retry", failed["id"].as_str().expect("an id"));
    let contacts = json!({
        "contacts": [format!("vk:club/{chat}"), "@client_1", "@demo_bot_1", "+70000000001"]
    });
    let (status, added) = program.post("/v1/do-not-contact", &contacts).await;
    assert!(status < 300, "{added}");
    let before = world.ledger().await.len();

    let message = json!({"channel": "vk", "channel_account": "club", "chat": chat, "text": "A message"});
    let first = json!({
        "channel": "telegram_account", "channel_account": "main", "to": "@client_1", "text": "The first"
    });
    for (path, body) in [
        (reply.as_str(), json!({"text": "A person"})),
        ("/v1/messages", message),
        ("/v1/messages", json!({"chat": "@client_1", "text": "A message"})),
        ("/v1/conversations", first),
        (again.as_str(), json!({})),
    ] {
        let (status, refused) = program.post(path, &body).await;
        assert_eq!((status, refused["code"].as_str()), (403, Some(CODE)), "{path}: {refused}");
    }
    let old = json!({"chat": "client_1", "text": "An old flow"});
    let (status, refused) = program.legacy(world.legacy_port(5022), "/send_text", &old).await;
    assert!(status >= 400 && refused.to_string().contains("do-not-contact"), "{status}: {refused}");
    let old = json!({"peer_id": chat.parse::<i64>().expect("a number"), "message": "An old flow"});
    let (status, refused) = program.legacy(world.legacy_port(8767), "/api/messages/send", &old).await;
    assert!(status == 403 && refused.to_string().contains("do-not-contact"), "{status}: {refused}");
    offers(&world, "New trip to Tver", &["Book"]).await;
    let has_failed =
        || async { program.get("/v1/flow-runs?flow=asks").await.1["items"][0]["state"] == "failed" };
    program.until("the flow is refused", has_failed).await;
    let call = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "reply", "arguments": {"client_id": client, "text": "An assistant", "idempotency_key": "one"}}
    });
    let called = program.request("POST", "/mcp").header("accept", "application/json, text/event-stream");
    let called: Value = called.json(&call).send().await.expect("an answer").json().await.expect("JSON");
    assert!(called["result"]["isError"] == true && called.to_string().contains(CODE), "{called}");
    let page = page_after(&world, &program, &client, "A person in the inbox").await;
    assert!(page.contains("do-not-contact list"), "{page}");

    let pushed = json!({"channel": "vk", "external_chat_id": chat, "message_text": "A program"});
    push(&redis, "queue:outgoing", &[pushed]).await;
    program.until("it is a dead letter", || async { reasons(&redis).len() == 1 }).await;
    assert!(reasons(&redis)[0].starts_with(CODE), "{:?}", reasons(&redis));
    // A model answers the client again: the person who was refused took the conversation over.
    program.post(&format!("/v1/conversations/{client}/hand-over"), &json!({})).await;
    writes(&world, "vk", "club", "And in green?").await;
    let turns = format!("/v1/conversations/{client}/turns");
    let is_refused = || async { program.get(&turns).await.1["items"][0]["why"] == CODE };
    program.until("the model's answer is refused", is_refused).await;
    let failed = program.get("/v1/pipeline/failed-turns").await.1;
    assert_eq!(failed["items"][0]["why"], CODE, "{failed}");
    let (_, retried) = program.post("/v1/pipeline/failed-turns/retry", &json!({})).await;
    assert_eq!(retried["again"], 1, "{retried}");
    program.until("it is refused again", is_refused).await;

    assert_eq!(program.post("/v1/campaigns", &json!({"name": "spring", "settings": {}})).await.0, 201);
    for (path, body) in [
        ("senders", json!({"accounts": ["main"]})),
        ("messages", json!({"file": "Good day"})),
        ("tasks", json!({"file": "@client_1"})),
        ("start", json!({})),
    ] {
        let (status, answer) = program.post(&format!("/v1/campaigns/spring/{path}"), &body).await;
        assert!(status < 300, "{path}: {answer}");
    }
    let attempts = "/v1/campaigns/spring/attempts";
    let is_skipped = || async { program.get(attempts).await.1["items"][0]["reason"] == CODE };
    program.until("the campaign leaves them out", is_skipped).await;

    let ledger = world.ledger().await;
    let to_them: Vec<&Value> = ledger[before..]
        .iter()
        .filter(|row| row["provider"] == "vk" || row["method"] == "messages.sendMessage")
        .collect();
    assert!(to_them.is_empty(), "{to_them:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_on_any_channel_puts_its_writer_on_the_list() {
    let world = World::start(binary()).await;
    let (program, channels) = connected(&world).await;
    program.has_read_dialogs("main").await;
    // How many people are on the list by their own words.
    let listed = async || {
        let all = program.get("/v1/do-not-contact?limit=200").await.1["items"].clone();
        all.as_array().into_iter().flatten().filter(|entry| entry["source"] == "opt_out").count()
    };
    // SMS.ru carries nothing that customers write.
    for shown in channels.iter().filter(|one| one["name"] != "texts_ru") {
        let (channel, account) =
            (shown["channel"].as_str().expect("a channel"), shown["name"].as_str().expect("a name"));
        let from = match channel {
            "sms" | "whatsapp" | "form" => "+70000000002",
            "email" => "boris@example.com",
            _ => "2000003",
        };
        let deed =
            json!({"channel": channel, "account": account, "from": from, "name": "Boris", "text": "Стоп"});
        world.post("/customers/messages", &deed).await;
        let message = async || {
            received(&program, channel).await.into_iter().find(|one| one["channel_account"] == account)
        };
        program.until(&format!("{account} hears them"), || async { message().await.is_some() }).await;
        let one = message().await.expect("the message");
        let chat = one["chat"].as_str().expect("a chat").replace('+', "%2B").replace('#', "%23");
        let found = program.get(&format!("/v1/do-not-contact?contact={chat}")).await.1;
        assert_eq!(found["items"][0]["source"], "opt_out", "{account}: {found}");
        // A form is answered nowhere.
        if channel == "form" {
            continue;
        }
        let body = json!({"chat": one["chat"], "text": "One more thing"});
        let (status, refused) = program.post("/v1/messages", &body).await;
        assert_eq!((status, refused["code"].as_str()), (403, Some(CODE)), "{account}: {refused}");
    }
    let before = listed().await;
    world.post("/telegram/messages", &json!({"from": "@client_1", "chat": "main", "text": "Стоп"})).await;
    program.until("the account lists them", || async { listed().await == before + 1 }).await;
    let (status, refused) = program.send("@client_1", "One more thing").await;
    assert_eq!((status, refused["code"].as_str()), (403, Some(CODE)), "{refused}");
}
