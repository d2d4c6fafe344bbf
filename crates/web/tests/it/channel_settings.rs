//! Accounts of channels that are added to the settings and taken out of them: what the API hands on, and how it says no.

use std::path::PathBuf;
use std::sync::Arc;

use channels::{Account, CallError, Identity};
use config::{ChannelKind, ChannelValue};
use domain::ExposeSecret;
use serde_json::{Value, json};
use test_app::TestApp;
use tokio::sync::mpsc::Receiver;
use web::{ChannelAdded, ChannelChange, ChannelChanges, NewChannel, NotChanged};

use crate::accounts;
use crate::client::Reply;
use crate::legacy_channels::Shop;
use crate::world::World;

const PATH: &str = "/v1/channels";

/// A server with the accounts `main` of Telegram and `shop` of Avito, and who changes its settings.
async fn world() -> (World, Receiver<ChannelChange>) {
    world_of(None).await
}

/// The same, with its settings file.
async fn world_of(settings: Option<PathBuf>) -> (World, Receiver<ChannelChange>) {
    let fields = serde_json::from_value(json!({ "name": "shop", "channel": "avito" })).expect("an account");
    let channel = "avito".parse().expect("a channel");
    let shop = Account::new(fields, channel, Arc::new(Shop::default()) as _, "made-up".into());
    let (changes, receiver) = ChannelChanges::channel(settings);
    let builder = TestApp::builder()
        .with_telegram(accounts::settings())
        .with_channels(vec![shop])
        .with_channel_changes(changes);
    (World::built(builder, |_| {}).await, receiver)
}

/// A call whose change is answered so; the account that was to be added.
async fn added(
    world: &World,
    receiver: &mut Receiver<ChannelChange>,
    body: &Value,
    answer: Result<ChannelAdded, NotChanged>,
) -> (Reply, NewChannel) {
    let call = world.call("POST", PATH).json(body.to_string());
    let changed = async {
        let Some(ChannelChange::Add(new, sender)) = receiver.recv().await else { panic!("nothing is added") };
        sender.send(answer).expect("it is waited for");
        new
    };
    tokio::join!(call.send(), changed)
}

async fn removed(
    world: &World,
    receiver: &mut Receiver<ChannelChange>,
    name: &str,
    answer: Result<(), NotChanged>,
) -> Reply {
    let call = world.call("DELETE", &format!("{PATH}/{name}"));
    let changed = async {
        let Some(ChannelChange::Remove(removed_name, sender)) = receiver.recv().await else {
            panic!("nothing is removed")
        };
        assert_eq!(removed_name.as_str(), name);
        sender.send(answer.map(|()| "/etc/switchboard.toml".into())).expect("it is waited for");
    };
    tokio::join!(call.send(), changed).0
}

async fn audited(world: &World, action: &str) -> Vec<Value> {
    let list = world.call("GET", &format!("/v1/audit?action={action}")).send().await.json();
    list["items"].as_array().expect("items").clone()
}

#[tokio::test]
async fn an_account_is_handed_on_with_its_keys_and_secrets() {
    let (world, mut receiver) = world().await;
    let body = json!({
        "channel": "vk", "name": "club", "keys": {"group_id": 100, "receive": "poll"}, "secrets": {"token": "planted"},
    });
    let identity = Identity {
        id: "100".to_owned(),
        name: "Demo".to_owned(),
        missing: vec!["photos".to_owned()],
        gap: None,
    };
    let file = "/etc/switchboard.toml";
    let answer = ChannelAdded { file: file.into(), identity: Some(identity) };
    let (reply, new) = added(&world, &mut receiver, &body, Ok(answer)).await;
    let wanted = json!({
        "name": "club", "channel": "vk", "file": file, "needs_restart": true, "is": "Demo", "missing": ["photos"],
    });
    assert_eq!((reply.status, reply.json()), (201, wanted));
    assert_eq!((new.channel, new.name.as_str(), new.check), (ChannelKind::Vk, "club", true));
    let keys = [("group_id", ChannelValue::Number(100)), ("receive", ChannelValue::Text("poll".to_owned()))];
    assert_eq!(new.keys, keys);
    let secrets: Vec<_> = new.secrets.iter().map(|(key, secret)| (*key, secret.expose_secret())).collect();
    assert_eq!(secrets, [("token", "planted")]);

    let body = json!({"name": "club", "api_id": 1_000_001, "api_hash": "0123456789abcdef0123456789abcdef"});
    let taken = world.call("POST", "/v1/accounts").json(body.to_string()).send().await;
    taken.problem(409, "account_exists");

    // As a form has them, all keys are texts.
    let body = json!({
        "channel": "form", "name": "site", "keys": {"origins": "https://a.example.com, https://b.example.com", "old_hook": "true"},
        "check": false,
    });
    let answer = ChannelAdded { file: file.into(), identity: None };
    let (reply, new) = added(&world, &mut receiver, &body, Ok(answer)).await;
    assert_eq!((reply.status, &reply.json()["is"], new.check), (201, &Value::Null, false));
    let origins = ["https://a.example.com", "https://b.example.com"].map(str::to_owned).to_vec();
    assert_eq!(new.keys, [("old_hook", ChannelValue::Flag(true)), ("origins", ChannelValue::List(origins))]);

    let entries = audited(&world, "add_channel").await;
    let of = |entry: &Value| (entry["subject"].clone(), entry["details"].clone(), entry["result"].clone());
    assert_eq!(of(&entries[1]), (json!("club"), json!({"channel": "vk"}), json!("done")));
    assert!(!entries.iter().any(|entry| entry.to_string().contains("planted")));
}

#[tokio::test]
async fn errors_of_a_new_account_are_reported_by_field() {
    let (world, mut receiver) = world().await;
    let wrong = async |body: &Value| {
        let problem =
            world.call("POST", PATH).json(body.to_string()).send().await.problem(422, "invalid_request");
        assert!(!problem.to_string().contains("planted"), "{problem}");
        let errors = problem["errors"].as_array().expect("errors").clone();
        errors.iter().map(|error| error["field"].as_str().expect("a field").to_owned()).collect::<Vec<_>>()
    };
    let of = |channel: &str, keys: Value, secrets: Value| json!({ "channel": channel, "name": "club", "keys": keys, "secrets": secrets });
    assert_eq!(wrong(&of("fax", json!({}), json!({}))).await, ["channel"]);
    assert_eq!(wrong(&of("vk", json!({}), json!({}))).await, ["secrets.token", "keys.group_id"]);
    let token = json!({"token": "planted"});
    assert_eq!(wrong(&of("vk", json!({"group_id": "a hundred"}), token.clone())).await, ["keys.group_id"]);
    let keys = json!({"group_id": 100, "profile_id": "1"});
    assert_eq!(wrong(&of("vk", keys, token.clone())).await, ["keys.profile_id"]);
    assert_eq!(wrong(&of("max", json!({"token": "planted"}), json!({}))).await, ["keys.token"]);
    assert_eq!(wrong(&of("max", json!({"tokn": 1}), token.clone())).await, ["keys.tokn"]);
    assert_eq!(wrong(&of("form", json!({}), json!({"origins": "planted"}))).await, ["secrets.origins"]);
    let of_owner = json!({"ca_file": "/etc/passwd", "named_by_caller": false});
    assert_eq!(wrong(&of("max", of_owner, token.clone())).await, ["keys.ca_file", "keys.named_by_caller"]);
    let body = json!({"channel": "form", "name": "Not A Name"});
    assert_eq!(wrong(&body).await, ["name"]);
    assert!(receiver.try_recv().is_err(), "nothing was handed on");

    // What the settings find has the same form.
    let body = of("vk", json!({"group_id": -1}), token.clone());
    let found = vec![("group_id".to_owned(), "must be a whole number, 1 or more".to_owned())];
    let answer = NotChanged::Wrong { text: "all of it".to_owned(), keys: found };
    let (reply, _) = added(&world, &mut receiver, &body, Err(answer)).await;
    assert_eq!(reply.problem(422, "invalid_request")["errors"][0]["field"], "keys.group_id");
}

#[tokio::test]
async fn each_reason_not_to_add_an_account_has_its_code() {
    let (world, mut receiver) = world().await;
    let body = json!({"channel": "max", "name": "assistant", "secrets": {"token": "planted"}});
    let of_telegram = json!({"channel": "max", "name": "main", "secrets": {"token": "planted"}});
    let taken = world.call("POST", PATH).json(of_telegram.to_string()).send().await;
    assert_eq!(taken.problem(409, "account_exists")["errors"][0]["field"], "name");
    let text = || "it".to_owned();
    let name = vec![("name".to_owned(), text())];
    for (why, status, code) in [
        (NotChanged::Wrong { text: text(), keys: name }, 409, "account_exists"),
        (NotChanged::Wrong { text: text(), keys: Vec::new() }, 422, "settings_wrong"),
        (NotChanged::File(text()), 409, "wrong_state"),
        (NotChanged::OfDemo, 409, "wrong_state"),
        (NotChanged::Stopping, 503, "shutting_down"),
        (NotChanged::Refused(CallError::Token(text())), 422, "rejected"),
        (NotChanged::Refused(CallError::Unreached(text())), 502, "provider_error"),
    ] {
        let reason = why.to_string();
        let (reply, _) = added(&world, &mut receiver, &body, Err(why)).await;
        let problem = reply.problem(status, code);
        let detail = problem["detail"].as_str().expect("a detail");
        assert!(detail.contains(&reason) || status == 503 || code == "account_exists", "{reason}: {problem}");
    }
    drop(receiver);
    world.call("POST", PATH).json(body.to_string()).send().await.problem(503, "shutting_down");
    let without_server = World::new().await;
    without_server.call("POST", PATH).json(body.to_string()).send().await.problem(409, "wrong_state");
    let entries = audited(&world, "add_channel").await;
    let is_no = |entry: &Value| entry["result"] == "refused" || entry["result"] == "failed";
    assert!(!entries.is_empty() && entries.iter().all(is_no), "{entries:?}");
}

#[tokio::test]
async fn an_account_is_taken_out_unless_messages_wait_for_it() {
    let (world, mut receiver) = world().await;
    let gone = NotChanged::NoSuchAccount("other".parse().expect("a name"));
    removed(&world, &mut receiver, "other", Err(gone)).await.problem(404, "account_not_found");
    // It is running, so a file of the environment has it.
    let elsewhere = NotChanged::NoSuchAccount("shop".parse().expect("a name"));
    removed(&world, &mut receiver, "shop", Err(elsewhere)).await.problem(409, "wrong_state");
    world.call("DELETE", "/v1/channels/shop?with_waiting=x").send().await.problem(422, "invalid_request");

    world.call("POST", "/v1/channels/shop/pause").send().await;
    let waiting = r#"{"chat":"avito:shop/u2i-1","text":"later","wait":0}"#;
    assert_eq!(world.message(waiting).send().await.status, 202);
    world.call("DELETE", "/v1/channels/shop").send().await.problem(409, "account_busy");
    assert!(receiver.try_recv().is_err(), "nothing was handed on");
    let call = world.call("DELETE", "/v1/channels/shop?with_waiting=true");
    let taken = async {
        let Some(ChannelChange::Remove(_, sender)) = receiver.recv().await else {
            panic!("nothing is removed")
        };
        sender.send(Ok("/etc/switchboard.toml".into())).expect("it is waited for");
    };
    let (reply, ()) = tokio::join!(call.send(), taken);
    let wanted = json!({
        "name": "shop", "file": "/etc/switchboard.toml", "needs_restart": true, "waiting": 1, "still_registered": false,
    });
    assert_eq!((reply.status, reply.json()), (200, wanted));
    let entry = &audited(&world, "remove_channel").await[0];
    assert_eq!((&entry["subject"], &entry["result"]), (&json!("shop"), &json!("done")));
    assert_eq!(removed(&world, &mut receiver, "new", Ok(())).await.json()["waiting"], 0);
}

#[tokio::test]
async fn the_list_has_what_the_next_start_changes() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("switchboard.toml");
    let (world, _receiver) = world_of(Some(file.clone())).await;
    let listed = async || {
        let list = world.call("GET", PATH).send().await.json();
        let of =
            |one: &Value| (one["name"].clone(), one["state"] == "after_restart", one["is_removed"].clone());
        list["items"].as_array().expect("items").iter().map(of).collect::<Vec<_>>()
    };
    let shop = |is_removed: bool| (json!("shop"), false, json!(is_removed));
    // Where the file cannot be read, nothing is said of the next start.
    assert_eq!(listed().await, [shop(false)]);
    std::fs::write(&file, "listen = ").expect("written");
    assert_eq!(listed().await, [shop(false)]);

    let section =
        |name: &str, channel: &str| format!("[[channels]]\nname = \"{name}\"\nchannel = \"{channel}\"\n");
    std::fs::write(&file, section("shop", "avito") + &section("club", "vk")).expect("written");
    assert_eq!(listed().await, [(json!("club"), true, json!(false)), shop(false)]);
    let page = world.call("GET", "/v1/channels?limit=1").send().await.json();
    assert_eq!((&page["items"][0]["name"], &page["next_cursor"]), (&json!("club"), &json!("club")));
    let club = world.call("GET", "/v1/channels/club").send().await;
    let shown = club.json();
    assert_eq!((club.status, &shown["channel"], &shown["can"]["sends"]), (200, &json!("vk"), &json!(false)));
    world.call("POST", "/v1/channels/club/pause").send().await.problem(404, "account_not_found");

    std::fs::write(&file, "# none\n").expect("written");
    assert_eq!(listed().await, [shop(true)]);
    assert_eq!(world.call("GET", "/v1/channels/shop").send().await.json()["is_removed"], true);
    world.call("GET", "/v1/channels/club").send().await.problem(404, "account_not_found");
}
