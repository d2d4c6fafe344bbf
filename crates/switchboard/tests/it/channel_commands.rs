//! An account of a channel by commands: connected where another program was, tested, registered again, given a new token, given up.
//! And by the API: added to the settings, and taken out of them.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;
use testkit::{Start, World, free_port};

use crate::binary;
use crate::channels::{connected, restarted};
use crate::shell::cli::cli;

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_connected_and_given_up_by_commands() {
    let world = World::start(binary()).await;
    let (program, _) = connected(&world).await;
    let channel = |arguments: &[&str]| cli(&world, &[&["channel"], arguments].concat()).run();
    let posts_to = async || {
        let webhook = program.get("/v1/channels/assistant/webhook").await.1;
        (webhook["is_registered"] == true, webhook["registered"].clone())
    };
    let ours = program.get("/v1/channels/assistant/webhook").await.1["url"].clone();
    // Another program registers its address.
    let other = json!({"url": "https://example.com/other"});
    let (status, answer) = program.legacy(world.legacy_port(8768), "/api/subscribe", &other).await;
    assert_eq!((status, posts_to().await), (200, (false, json!([other["url"]]))), "{answer}");
    for order in ["connect", "resubscribe"] {
        let refused = channel(&[order, "assistant"]);
        assert!(refused.code == Some(1) && refused.err.contains("https://example.com/…"), "{refused:?}");
        assert!(!refused.all().contains("/other"), "its path may be a secret: {refused:?}");
    }
    assert!(!posts_to().await.0);
    let registered = channel(&["connect", "assistant", "--take-over"]).fine();
    assert!(registered.contains("Registered   yes"), "{registered}");
    assert_eq!(posts_to().await, (true, json!([ours])));
    assert!(channel(&["resubscribe", "assistant"]).fine().contains("Registered   yes"));
    let given_up = channel(&["disconnect", "assistant"]).fine();
    assert!(given_up.contains("Registered   no"), "{given_up}");
    assert_eq!(posts_to().await, (false, json!([])));
    assert!(channel(&["resubscribe", "assistant"]).fine().contains("Registered   yes"));
    let in_part = channel(&["connect", "studio"]).fine();
    assert!(in_part.contains("Done         all") && in_part.contains("in its pages"), "{in_part}");

    let tested = channel(&["test", "shop"]).fine();
    assert!(tested.contains("State        ready") && tested.contains("Posts to     here"), "{tested}");
    let renewed = channel(&["refresh-token", "shop"]).fine();
    assert!(renewed.contains("Token until"), "{renewed}");
    let refused = channel(&["refresh-token", "club"]);
    assert!(refused.code == Some(1) && refused.err.contains("not renewed"), "{refused:?}");
    world.post("/faults", &json!({"provider": "vk", "fault": "token_expired", "times": 1})).await;
    let stopped = channel(&["test", "club"]);
    assert!(stopped.code == Some(1) && stopped.err.contains("club is not ready"), "{stopped:?}");
    assert!(stopped.out.contains("State        stopped"), "{stopped:?}");
}

/// The key of an account of the world, as its settings have it.
fn of_bot(text: &str, key: &str) -> String {
    let bot = text.split("[[channels]]").find(|section| section.contains("name = \"bot\"")).expect("a bot");
    let value = bot.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \""));
    value.and_then(|value| value.strip_suffix('"')).expect("a text").to_owned()
}

/// It names a file that is not to be written over.
const COMMENT: &str = "# mine: secrets/second.token\n";

#[tokio::test(flavor = "multi_thread")]
async fn an_account_comes_and_goes_through_the_api() {
    let world = World::start(binary()).await;
    let settings = || fs::read_to_string(world.settings_file()).expect("settings");
    let without = settings();
    world.with_channels("http://127.0.0.1:9");
    let api = of_bot(&settings(), "api");
    let before = format!("{COMMENT}{without}");
    world.edit_settings(|_| before.clone());
    let secret = |name: &str| world.settings_file().with_file_name("secrets").join(format!("{name}.token"));
    let mut program = Start::on(&world, binary(), "data").at(free_port()).ready().await;

    // What is refused leaves everything as it was.
    let add = |name: &str, receive: &str| {
        json!({
            "channel": "form", "name": name, "keys": {"receive": receive}, "secrets": {"token": "planted"},
        })
    };
    let inside =
        json!({"channel": "telegram", "name": "bot", "keys": {"api": api}, "secrets": {"token": "1:a"}});
    let (status, answer) = program.post("/v1/channels", &inside).await;
    assert_eq!((status, &answer["errors"][0]["field"]), (422, &json!("keys.api")), "{answer}");
    let (status, answer) = program.post("/v1/channels", &add("bot", "sometimes")).await;
    assert_eq!((status, &answer["errors"][0]["field"]), (422, &json!("keys.receive")), "{answer}");
    assert!(settings() == before && !secret("bot").exists());
    fs::create_dir_all(secret("bot").parent().expect("a folder")).expect("a folder");
    fs::write(secret("second"), "mine").expect("written");
    let (status, answer) = program.post("/v1/channels", &add("second", "auto")).await;
    assert_eq!((status, &answer["code"]), (409, &json!("wrong_state")), "{answer}");
    assert_eq!(fs::read_to_string(secret("second")).expect("a secret"), "mine");

    let (status, answer) = program.post("/v1/channels", &add("bot", "auto")).await;
    assert_eq!((status, &answer["needs_restart"]), (201, &json!(true)), "{answer}");
    assert!(
        settings().starts_with(COMMENT) && settings().contains("token = { file = \"secrets/bot.token\" }")
    );
    assert_eq!(fs::read_to_string(secret("bot")).expect("a secret"), "planted");
    assert_eq!(fs::metadata(secret("bot")).expect("a secret").permissions().mode() & 0o777, 0o600);
    let (status, answer) = program.post("/v1/channels", &add("bot", "auto")).await;
    assert_eq!((status, &answer["code"]), (409, &json!("account_exists")), "{answer}");
    assert_eq!(program.get("/v1/channels/bot").await.1["state"], "after_restart");
    let listed = cli(&world, &["channel", "list"]).fine();
    assert!(listed.contains("after_restart"), "{listed}");
    program = restarted(&world, program).await;
    program
        .until("it is ready", || async { program.get("/v1/channels/bot").await.1["state"] == "ready" })
        .await;

    let (status, answer) = program.delete("/v1/channels/bot").await;
    assert_eq!((status, &answer["needs_restart"]), (200, &json!(true)), "{answer}");
    assert!(settings() == before && !secret("bot").exists() && secret("second").exists());
    let listed = cli(&world, &["channel", "list"]).fine();
    assert!(listed.contains(", removed"), "{listed}");
    program = restarted(&world, program).await;
    assert_eq!(program.get("/v1/channels/bot").await.0, 404);
}
