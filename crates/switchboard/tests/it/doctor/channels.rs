//! Accounts of channels in trouble: one whose token its provider refuses, one whose provider posts to another program.

use std::time::Duration;

use serde_json::json;
use testkit::World;

use super::{TURN, close, closed_world, examined, finding, wrong};
use crate::channels::connected;

async fn examined_now(world: &World) -> serde_json::Value {
    examined(world, &["--offline"]).await.1
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_in_trouble_are_reported_with_their_commands() {
    let _turn = TURN.lock().await;
    let world = closed_world().await;
    let (program, _) = connected(&world).await;
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
}
