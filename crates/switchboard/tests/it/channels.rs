//! Channels: customers write on each of them and are answered, each message once, whenever the program is killed.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use testkit::{Program, Start, World, free_port};

use crate::binary;
use crate::shell::cli::{Ran, cli};

/// A program with every channel of the world, connected as their owner would.
pub(crate) async fn connected(world: &World) -> (Program, Vec<Value>) {
    let port = free_port();
    world.with_channels(&format!("http://127.0.0.1:{port}"));
    connect(world, port).await
}

/// The same of a world whose settings have the channels, on a port that providers know.
pub(crate) async fn connect(world: &World, port: u16) -> (Program, Vec<Value>) {
    let program = start(world, port).await;
    let channels = program.get("/v1/channels").await.1["items"].as_array().expect("channels").clone();
    for channel in &channels {
        let name = channel["name"].as_str().expect("a name");
        let (status, answer) = program.post(&format!("/v1/channels/{name}/connect"), &json!({})).await;
        // A mailbox is read, and a message centre has a connection: neither has an address to post to.
        if status == 409 && (channel["channel"] == "email" || name == "texts_smpp") {
            continue;
        }
        if status == 409 || status == 200 && answer["is_registered"].is_null() {
            let webhook = program.get(&format!("/v1/channels/{name}/webhook")).await.1;
            let order = json!({
                "channel": channel["channel"], "account": name, "url": webhook["url"], "verify_token": "planted-verify-token",
            });
            world.put("/channels/hooks", &order).await;
        } else if status != 200 {
            panic!("{name}: {status} {answer}");
        }
    }
    (program, channels)
}

async fn start(world: &World, port: u16) -> Program {
    Start::on(world, binary(), "data").at(port).ready().await
}

/// Kills a program and starts it again where it was, so that providers reach it.
pub(crate) async fn restarted(world: &World, mut program: Program) -> Program {
    let port = program.address().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    program.kill();
    start(world, port).await
}

/// A customer writes; the chat as the product answers it.
pub(crate) async fn writes(world: &World, channel: &str, account: &str, text: &str) -> String {
    let from = match channel {
        "sms" => "+70000000001",
        "email" => "anna@example.com",
        _ => "2000002",
    };
    let deed = json!({"channel": channel, "account": account, "from": from, "name": "Anna", "phone": "+70000000001", "text": text});
    let done = world.post("/customers/messages", &deed).await;
    done["chat_id"].as_str().unwrap_or_else(|| panic!("{channel}: {done}")).to_owned()
}

pub(crate) async fn received(program: &Program, channel: &str) -> Vec<Value> {
    let path = format!("/v1/messages?direction=in&channel={channel}&limit=200");
    program.get(&path).await.1["items"].as_array().cloned().unwrap_or_default()
}

/// How often each text was sent through a channel.
pub(crate) async fn sent(world: &World, channel: &str) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for row in world.ledger().await.iter().filter(|row| row["provider"] == channel) {
        *counted.entry(row["text"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
    }
    counted
}

#[tokio::test(flavor = "multi_thread")]
async fn every_channel_hears_a_customer_and_answers() {
    let world = World::start(binary()).await;
    let (program, channels) = connected(&world).await;
    // SMS.ru carries nothing that customers write.
    for shown in channels.iter().filter(|one| one["name"] != "texts_ru") {
        let (channel, account) = (shown["channel"].as_str().unwrap(), shown["name"].as_str().unwrap());
        writes(&world, channel, account, "Is it still there?").await;
        let of_account = || async {
            let all = received(&program, channel).await;
            all.into_iter().find(|one| one["channel_account"] == account)
        };
        program.until(&format!("{account} hears"), || async { of_account().await.is_some() }).await;
        let one = of_account().await.expect("one");
        // A form has fields in place of a text, and no one to answer.
        if channel == "form" {
            continue;
        }
        assert!(one["text"].as_str().unwrap().contains("Is it still there?"), "{one}");
        let (chat, text) = (&one["external_chat_id"], format!("Yes, says {account}"));
        let body =
            json!({"channel": channel, "channel_account": account, "chat": chat, "text": text, "wait": 30});
        let (status, answer) = program.post("/v1/messages", &body).await;
        assert_eq!((status, &answer["state"]), (200, &json!("sent")), "{account}: {answer}");
        assert_eq!(sent(&world, channel).await.get(&text), Some(&1), "{account}");
        let path = one["chat"].as_str().unwrap().replace('/', "%2F").replace('#', "%23");
        let conversation = program.get(&format!("/v1/chats/{path}/messages")).await.1;
        let items = conversation["items"].as_array().unwrap_or_else(|| panic!("{account}: {conversation}"));
        let directions: Vec<_> = items.iter().map(|message| message["direction"].as_str().unwrap()).collect();
        assert_eq!(directions, ["out", "in"], "{account}");
        if account == "texts_twilio" {
            let arrives =
                json!({"channel": channel, "account": account, "from": "+70000000001", "action": "deliver"});
            world.post("/customers/messages", &arrives).await;
            let path = format!("/v1/messages/{}", answer["id"].as_str().unwrap());
            let is_delivered = || async { program.get(&path).await.1["state"] == "delivered" };
            program.until("it is delivered", is_delivered).await;
        }
    }
    let listed = cli(&world, &["channel", "list"]).fine();
    assert!(channels.iter().all(|one| listed.contains(one["name"].as_str().unwrap())), "{listed}");
    let status = |name: &str| cli(&world, &["channel", "status", name]).fine();
    let (site, mail) = (status("site"), status("mail"));
    assert!(site.contains("/forms/site\n") && !site.contains("/hooks/"), "{site}");
    assert!(!mail.contains("Webhook") && !mail.contains("/hooks/"), "{mail}");
    world.assert_nothing_unknown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_ports_of_channels_send_and_take_forms() {
    let world = World::start(binary()).await;
    let (program, _) = connected(&world).await;
    for (port, channel, account, path, to, text) in [
        (8765, "avito", "shop", "/api/messages/send", "chat_id", "text"),
        (8766, "whatsapp", "phone", "/api/messages/send", "to", "text"),
        (8767, "vk", "club", "/api/messages/send", "peer_id", "message"),
        (8768, "max", "assistant", "/api/send", "chat_id", "text"),
        (8769, "instagram", "studio", "/api/send", "recipient_id", "text"),
    ] {
        let chat = writes(&world, channel, account, "Is it there?").await;
        program.until("it comes in", || async { !received(&program, channel).await.is_empty() }).await;
        let words = format!("Yes, says {port}");
        let order = json!({ to: chat.strip_suffix("@c.us").unwrap_or(&chat), text: words });
        let (status, answer) = program.legacy(world.legacy_port(port), path, &order).await;
        assert_eq!(status, 200, "{port}: {answer}");
        assert_eq!(sent(&world, channel).await, BTreeMap::from([(words, 1)]), "{port}");
    }
    let form = json!({"name": "Anna", "phone": "+70000000001", "message": "Call me"});
    let (status, answer) = program.legacy(world.legacy_port(8770), "/api/submit", &form).await;
    let forms = received(&program, "form").await;
    let [kept] = &forms[..] else { panic!("{forms:?}") };
    let wanted = json!({
        "success": true, "submission_id": kept["external_message_id"], "message": "Form submitted successfully",
        "forwarded": false,
    });
    assert_eq!((status, answer), (200, wanted));
    assert_eq!(kept["external_chat_id"], kept["external_message_id"]);
    world.assert_nothing_unknown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reactions_stand_on_the_messages_that_they_are_to() {
    let world = World::start(binary()).await;
    let (program, channels) = connected(&world).await;
    let reacting = |one: &&Value| {
        one["can"]["receives"].as_array().expect("what it receives").contains(&json!("reaction"))
    };
    let accounts: Vec<_> = channels.iter().filter(reacting).collect();
    assert_eq!(accounts.len(), 4, "{accounts:?}");
    for shown in accounts {
        let (channel, account) = (shown["channel"].as_str().unwrap(), shown["name"].as_str().unwrap());
        assert_eq!(
            (&shown["can"]["sends"], &shown["can"]["reply"]),
            (&json!(true), &json!(account != "studio"))
        );
        let chat = writes(&world, channel, account, "Is it there?").await;
        program.until("it comes in", || async { !received(&program, channel).await.is_empty() }).await;
        let theirs = received(&program, channel).await.remove(0);
        let body = json!({"channel": channel, "chat": chat, "text": "Yes", "wait": 30});
        let (status, ours) = program.post("/v1/messages", &body).await;
        assert_eq!(status, 200, "{ours}");
        // VK has numbers in place of emoji.
        let emoji = if channel == "vk" { "4" } else { "👍" };
        let from = theirs["external_user_id"].as_str().expect("who wrote");
        for (id, external_id) in
            [(&theirs["id"], &theirs["external_message_id"]), (&ours["id"], &ours["message_ids"][0])]
        {
            let path = format!("/v1/messages/{}", id.as_str().expect("an id"));
            for (text, count) in [(emoji, 1), ("", 0)] {
                let deed = json!({
                    "channel": channel, "account": account, "from": from, "action": "react", "message_id": external_id,
                    "text": text,
                });
                world.post("/customers/messages", &deed).await;
                let is_so = || async {
                    let reactions = program.get(&path).await.1["reactions"].as_array().map_or(0, Vec::len);
                    reactions == count
                };
                program.until(&format!("{account}: {text:?} at {path}"), is_so).await;
                let shown = program.get(&path).await.1;
                if count == 1 {
                    let wanted = if channel == "vk" { Value::Null } else { json!(emoji) };
                    assert_eq!(shown["reactions"], json!([{"emoji": wanted, "count": 1}]), "{shown}");
                }
            }
        }
        assert_eq!(received(&program, channel).await.len(), 1, "a reaction is no message");
    }
    world.assert_nothing_unknown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_of_one_message_arrive_together_if_supported() {
    let world = World::start(binary()).await;
    let (program, _) = connected(&world).await;
    std::fs::write(world.data_dir("data").join("media/photo.png"), testkit::PNG).expect("writes");
    // Of an album of Telegram each picture is a message; Avito takes one picture a call, and the text by itself.
    for (channel, account, methods) in [
        ("telegram", "bot", &["sendMediaGroup", "sendMediaGroup"][..]),
        ("email", "mail", &["DATA"]),
        ("avito", "shop", &["image", "image", "text"]),
    ] {
        let chat = writes(&world, channel, account, "Show me").await;
        program.until("it comes in", || async { !received(&program, channel).await.is_empty() }).await;
        let media = json!([{"path": "photo.png"}, {"path": "photo.png"}]);
        let body = json!({"channel": channel, "chat": chat, "text": "Both", "media": media, "wait": 30});
        let (status, sent) = program.post("/v1/messages", &body).await;
        assert_eq!((status, &sent["state"]), (200, &json!("sent")), "{sent}");
        let ledger = world.ledger().await;
        let rows: Vec<_> = ledger.iter().filter(|row| row["provider"] == channel).collect();
        assert_eq!(rows.len(), methods.len(), "{rows:#?}");
        if channel != "avito" {
            let named: Vec<_> = rows.iter().map(|row| row["method"].as_str().unwrap()).collect();
            assert_eq!(named, methods);
        }
        let ids: Vec<_> = rows.iter().map(|row| row["external_id"].clone()).collect();
        assert_eq!(sent["message_ids"], json!(ids));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_program_loses_and_doubles_nothing_of_channels() {
    const EACH: usize = 12;
    let world = World::start(binary()).await;
    let (mut program, _) = connected(&world).await;
    let channels = [("avito", "shop"), ("vk", "club"), ("telegram", "bot"), ("sms", "texts_smpp")];
    for round in 0..EACH {
        for (channel, account) in channels {
            writes(&world, channel, account, &format!("question {round}")).await;
        }
        if round % 5 == 4 {
            program = restarted(&world, program).await;
        }
    }
    for (channel, _) in channels {
        let all = || async { received(&program, channel).await.len() >= EACH };
        program.until("all came in", all).await;
        let mut texts: Vec<_> = received(&program, channel)
            .await
            .iter()
            .map(|one| one["text"].as_str().unwrap().to_owned())
            .collect();
        texts.sort();
        texts.dedup();
        assert_eq!((texts.len(), received(&program, channel).await.len()), (EACH, EACH), "{channel}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_reported_twice_before_its_message_is_kept() {
    let world = World::start(binary()).await;
    let (program, _) = connected(&world).await;
    for (channel, account, provider) in
        [("vk", "club", "vk"), ("max", "assistant", "max"), ("telegram", "bot", "telegram_bot")]
    {
        let deed = async |more: Value| {
            let mut deed = json!({"channel": channel, "account": account, "from": "2000002", "name": "Anna"});
            deed.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            world.post("/customers/messages", &deed).await
        };
        world.fault("reorder", json!({"provider": provider, "times": 1})).await;
        let done = deed(json!({"text": "At five?"})).await;
        world.fault("redeliver", json!({"provider": provider, "times": 1})).await;
        deed(json!({"action": "edit", "message_id": done["message_id"], "text": "At six?"})).await;
        // The message that waits goes after this one.
        deed(json!({"text": "Thank you."})).await;
        let texts = || async {
            let all = received(&program, channel).await;
            let mut texts: Vec<_> = all.iter().map(|one| one["text"].as_str().unwrap().to_owned()).collect();
            texts.sort();
            texts
        };
        program.until(&format!("{channel} has both"), || async { texts().await.len() >= 2 }).await;
        assert_eq!(texts().await, ["At six?", "Thank you."], "{channel}");
        let all = received(&program, channel).await;
        let edited = all.iter().find(|one| one["text"] == "At six?").expect("the message");
        let page = program.request("GET", "/v1/events?limit=500").header("accept", "application/json");
        let page: Value = page.send().await.expect("an answer").json().await.expect("JSON");
        let of_it = page["items"].as_array().expect("events").iter();
        let of_it = of_it.filter(|event| event["data"]["message_id"] == edited["id"]);
        let kinds: Vec<_> = of_it.map(|event| event["type"].as_str().expect("a type")).collect();
        assert_eq!(kinds, ["message.received", "message.edited"], "{channel}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_with_another_secret_is_answered_as_no_path() {
    let world = World::start(binary()).await;
    let (program, _) = connected(&world).await;
    let url =
        program.get("/v1/channels/shop/webhook").await.1["url"].as_str().expect("an address").to_owned();
    let secret = url.rsplit('/').next().expect("a secret");
    let body = json!({"id": "x", "payload": {"type": "message", "value": {}}});
    for path in [
        "/hooks/avito/shop/wrong".to_owned(),
        format!("/hooks/vk/shop/{secret}"),
        format!("/hooks/avito/other/{secret}"),
    ] {
        assert_eq!(program.post(&path, &body).await.0, 404, "{path}");
    }
    assert!(!program.output().contains(secret), "the log has no secret");
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_added_to_the_settings_paused_and_removed() {
    let world = World::start(binary()).await;
    let (mut program, _) = connected(&world).await;
    let settings = || std::fs::read_to_string(world.settings_file()).expect("settings");
    world.edit_settings(|text| format!("# a comment of mine\n{text}"));
    let before = settings();

    let ran = cli(&world, &["channel", "add", "vk", "second", "--set", "group_id=100"]).run();
    assert_eq!(ran.code, Some(2), "{}", ran.all());
    assert!(ran.all().contains("needs token"), "{}", ran.all());
    // Nothing answers there, so nothing is changed.
    let nowhere = ["--set", "api=http://127.0.0.1:1", "--set", "group_id=100", "--set", "token=planted"];
    let add = [&["channel", "add", "vk", "second"][..], &nowhere].concat();
    let refused = cli(&world, &add).run();
    assert_eq!((refused.code, settings() == before), (Some(1), true), "{}", refused.all());
    let form = ["channel", "add", "form", "second", "--set", "origins=https://example.com"];
    cli(&world, &form).fine();
    assert_ne!(settings(), before);
    cli(&world, &["channel", "remove", "second", "--yes"]).fine();
    assert_eq!(settings(), before, "also before the server has it");
    let output = cli(&world, &form).fine();
    assert!(output.contains("Restart the server"), "{output}");
    assert!(
        settings().starts_with("# a comment of mine\n") && settings().contains("name = \"second\""),
        "{}",
        settings()
    );

    let body = json!({"name": "bot", "api_id": 1_000_001, "api_hash": "0123456789abcdef0123456789abcdef"});
    assert_eq!(program.post("/v1/accounts", &body).await.1["code"], "account_exists");

    cli(&world, &["channel", "pause", "bot"]).fine();
    let log = || cli(&world, &["channel", "logs", "bot", "--since", "1h"]).fine();
    program.until("the log says so", || async { log().contains("action=pause") }).await;
    program = restarted(&world, program).await;
    let listed = program.get("/v1/channels").await.1;
    let of = |name: &str| listed["items"].as_array().unwrap().iter().find(|one| one["name"] == name).cloned();
    assert_eq!(of("bot").expect("it is there")["switch"], "paused", "over a restart");
    assert!(of("second").is_some(), "{listed}");

    let chat = writes(&world, "telegram", "bot", "Hello").await;
    let body = json!({"channel": "telegram", "channel_account": "bot", "chat": chat, "text": "later"});
    program.post("/v1/messages", &body).await;
    program.until("it waits", || async { program.get("/v1/channels/bot").await.1["waiting"] == 1 }).await;
    let refused = cli(&world, &["channel", "remove", "bot", "--yes"]).run();
    assert!(refused.code == Some(1) && refused.all().contains("1 messages wait"), "{}", refused.all());
    cli(&world, &["channel", "remove", "second", "--yes"]).fine();
    assert_eq!(settings(), before);
    cli(&world, &["channel", "resume", "bot"]).fine();
    program.until("it leaves", || async { sent(&world, "telegram").await.contains_key("later") }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn owners_log_in_from_the_command_line() {
    let world = World::start(binary()).await;
    let (_program, _) = connected(&world).await;
    assert_eq!(cli(&world, &["channel", "login", "phone"]).fine(), "phone is logged in.\n");
    cli(&world, &["channel", "restart", "phone"]).fine();
    let out = cli(&world, &["channel", "logout", "phone"]).fine();
    assert!(out.contains("switchboard channel login phone"), "{out}");
    let login = cli(&world, &["channel", "login", "phone", "--json"]).run().json();
    assert_eq!(login["state"], "picture");
    let file = world.data_dir("data").with_file_name("qr.png");
    let path = file.to_str().expect("UTF-8").to_owned();
    let waiting = tokio::spawn(cli(&world, &["channel", "login", "phone", "--picture", &path]).beside());
    let drawn = cli(&world, &["channel", "login", "phone"]).spawn();
    while !file.exists() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let scanned =
        json!({"channel": "whatsapp", "from": "70000000001", "extra": {"profile": {"authorized": true}}});
    world.post("/customers/messages", &scanned).await;
    let ran = waiting.await.expect("it ends");
    assert_eq!(ran.fine(), "phone is logged in.\n");
    assert_eq!(Ran::of(drawn).fine(), "phone is logged in.\n");
    let link = cli(&world, &["channel", "login", "studio"]).fine();
    assert!(link.contains("/oauth/authorize?client_id="), "{link}");
    let status = cli(&world, &["channel", "status", "studio"]).fine();
    assert!(status.contains("Log in at    http"), "{status}");
}
