//! An account of a channel by commands: connected where another program was, tested, registered again, given a new token, given up.

use serde_json::json;
use testkit::World;

use crate::binary;
use crate::channels::connected;
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
