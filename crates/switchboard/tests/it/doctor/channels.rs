//! Accounts of channels in trouble: one whose token its provider refuses, one whose provider posts to another program, one that another
//! program asks with the same token.

use std::time::Duration;

use serde_json::json;
use testkit::{Start, World, free_port};

use super::{MACHINE, close, closed_world, examined, finding, section, wrong};
use crate::binary;
use crate::channels::{connected, received, writes};

async fn examined_now(world: &World) -> serde_json::Value {
    examined(world, &["--offline"]).await.1
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_in_trouble_are_reported_with_their_commands() {
    let _machine = MACHINE.read().await;
    let world = closed_world().await;
    let (program, channels) = connected(&world).await;
    close(&world);
    let of_channels = |code: &&str| code.starts_with("channel") || code.starts_with("webhook");
    let report = examined_now(&world).await;
    let found: Vec<_> = wrong(&report).into_iter().filter(|code| of_channels(code)).collect();
    assert!(found.is_empty(), "{report:#}");

    world.post("/faults", &json!({"provider": "vk", "fault": "token_expired", "times": 1})).await;
    let other = json!({"url": "https://example.com/planted-path"});
    let (status, answer) = program.legacy(world.legacy_port(8765), "/api/webhook/subscribe", &other).await;
    assert_eq!(status, 200, "{answer}");
    for account in ["club", "shop"] {
        program.post(&format!("/v1/channels/{account}/check"), &json!({})).await;
    }
    // The server looks at itself every few seconds.
    program.advance(Duration::from_secs(6)).await;
    let report = examined_now(&world).await;
    for (code, severity, subject, command) in [
        ("channel_down", "error", "channel club", "switchboard channel test club"),
        ("webhook_elsewhere", "warning", "channel shop", "switchboard channel connect shop --take-over"),
    ] {
        let found = finding(&report, code);
        assert_eq!((&found["severity"], &found["subject"]), (&json!(severity), &json!(subject)), "{found:#}");
        let shown = found["fix"]["command"].as_str().expect("a command");
        assert!(shown.starts_with(&format!("{command} --config ")), "{found:#}");
    }
    assert!(!report.to_string().contains("planted"), "{report:#}");

    // The clock of the program stands in for that of the machine; every provider says what its own is.
    program.set_back(Duration::from_mins(10)).await;
    for channel in &channels {
        let name = channel["name"].as_str().expect("a name");
        program.post(&format!("/v1/channels/{name}/check"), &json!({})).await;
    }
    program.advance(Duration::from_secs(6)).await;
    let report = examined_now(&world).await;
    let found = section(&report, "channels")["findings"].as_array().expect("findings");
    let off = found.iter().find(|finding| finding["code"] == "clock_wrong");
    let off = off.unwrap_or_else(|| panic!("no clock_wrong: {report:#}"));
    assert!(off["evidence"].to_string().contains("the provider of club: +"), "{off:#}");
}

/// The address at which the bot of the settings asks for what came in.
fn updates_of_the_bot(world: &World) -> String {
    let settings = std::fs::read_to_string(world.settings_file()).expect("settings");
    let bot = settings.split("[[channels]]").find(|one| one.contains("name = \"bot\"")).expect("the bot");
    let value = |key: &str| {
        let after = |line: &'_ str| line.strip_prefix(key)?.strip_prefix(" = \"").map(str::to_owned);
        let found = bot.lines().find_map(after).expect("a key");
        found.trim_end_matches('"').to_owned()
    };
    format!("{}/bot{}/getUpdates?timeout=50", value("api"), value("token"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_program_on_one_token_is_named() {
    let _machine = MACHINE.read().await;
    let (world, port) = (closed_world().await, free_port());
    world.with_channels(&format!("http://127.0.0.1:{port}"));
    close(&world);
    let program = Start::on(&world, binary(), "data").at(port).ready().await;
    let shown = async || program.get("/v1/channels/bot").await.1;
    program.until("it is asked", || async { shown().await["receives_by"] == "poll" }).await;
    let asks = updates_of_the_bot(&world);
    let client = reqwest::Client::builder()
        .tls_certs_only([])
        .timeout(std::time::Duration::from_secs(30))
        .build()
        .expect("a client");
    let second = tokio::spawn(async move {
        loop {
            let _ = client.get(&asks).send().await;
        }
    });
    program.until("the other is noticed", || async { shown().await["state"] == "error" }).await;
    // That the account is found well otherwise does not hide it.
    let looked = program.post("/v1/channels/bot/check", &json!({})).await.1;
    let detail = looked["detail"].as_str().unwrap_or_default();
    assert!(
        looked["state"] == "error" && detail.starts_with("another program uses this account"),
        "{looked}"
    );
    // The server looks at itself every few seconds.
    program.advance(Duration::from_secs(6)).await;
    let report = examined_now(&world).await;
    let found = finding(&report, "channel_shared");
    assert_eq!(
        (&found["severity"], &found["subject"]),
        (&json!("error"), &json!("channel bot")),
        "{found:#}"
    );
    assert!(found.to_string().contains("terminated by other getUpdates"), "{found:#}");

    second.abort();
    let _ = second.await;
    writes(&world, "telegram", "bot", "Hello").await;
    let hears = || async {
        program.advance(Duration::from_secs(2)).await;
        !received(&program, "telegram").await.is_empty()
    };
    program.until("it hears alone", hears).await;
    assert_eq!(shown().await["state"], "ready");
}
