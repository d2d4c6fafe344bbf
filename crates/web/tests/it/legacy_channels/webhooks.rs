//! The old ports register the addresses of webhooks and show them without their secrets.

use serde_json::json;

use super::{Ports, lock};

#[tokio::test]
async fn webhooks_are_registered_and_removed() {
    let ports = Ports::new().await;
    let url = "https://example.com/hook";
    for (channel, set, remove) in [
        ("avito", "/api/webhook/subscribe", ("POST", "/api/webhook/unsubscribe")),
        ("whatsapp", "/api/webhook/set", ("DELETE", "/api/webhook")),
        ("vk", "/api/callback/servers", ("DELETE", "/api/callback/servers/1")),
        ("max", "/api/subscribe", ("DELETE", "/api/subscribe?url=https%3A%2F%2Fexample.com%2Fhook")),
    ] {
        let (status, answer) = ports.post(channel, set, json!({ "url": url })).await;
        assert_eq!(status, 200, "{channel}: {answer}");
        if channel == "avito" {
            assert_eq!((&answer["url"], &answer["version"]), (&json!(url), &json!(2)));
            let (_, status) = ports.get(channel, "/api/webhook/status").await;
            assert_eq!((&status["subscribed"], &status["here"]), (&json!(true), &json!(false)));
        }
        assert_eq!(*lock(&ports.shop(channel).urls), [url], "{channel}");
        let reply = ports.call(channel, remove.0, remove.1).send().await;
        assert_eq!(reply.status, 200, "{channel}: {reply:?}");
        assert!(lock(&ports.shop(channel).urls).is_empty(), "{channel}");
    }
}

#[tokio::test]
async fn an_address_of_the_port_stands_for_the_account_own_one() {
    let ports = Ports::with(None, false).await;
    for (channel, set) in [
        ("avito", "/api/webhook/subscribe"),
        ("whatsapp", "/api/webhook/set"),
        ("vk", "/api/callback/servers"),
        ("max", "/api/subscribe"),
    ] {
        // The host that the call itself is made to.
        let url = format!("http://desk.test/webhook/{channel}");
        let (status, answer) = ports.post(channel, set, json!({ "url": url })).await;
        assert_eq!(status, 200, "{channel}: {answer}");
        let ours = format!("https://switchboard.example.com/hooks/{channel}/{channel}_1/made-up");
        assert_eq!(*lock(&ports.shop(channel).urls), [ours.as_str()], "{channel}");
        assert!(!answer.to_string().contains("made-up"), "{channel}: {answer}");
        // Its secret is not shown, and the form in which it is shown stands for it.
        let (status_path, removal) = match channel {
            "avito" => ("/api/webhook/status", ("POST", "/api/webhook/unsubscribe".to_owned())),
            "whatsapp" => ("/api/webhook", ("DELETE", "/api/webhook".to_owned())),
            "vk" => ("/api/callback/servers", ("DELETE", "/api/callback/servers/1".to_owned())),
            _ => {
                let shown = format!("https://switchboard.example.com/hooks/{channel}/{channel}_1/...");
                ("/api/subscriptions", ("DELETE", format!("/api/subscribe?url={shown}")))
            }
        };
        let shown = ports.get(channel, status_path).await.1.to_string();
        assert!(shown.contains(&format!("/{channel}_1/...\"")) && !shown.contains("made-up"), "{shown}");
        let masked = ours.replace("made-up", "...");
        assert_eq!(ports.post(channel, set, json!({ "url": masked })).await.0, 200, "{channel}");
        assert!(lock(&ports.shop(channel).urls).iter().all(|url| *url == ours), "{channel}");
        lock(&ports.shop(channel).urls).truncate(1);
        let removed = ports.call(channel, removal.0, &removal.1).send().await;
        assert!(removed.status == 200 && !removed.body.contains("made-up"), "{channel}: {removed:?}");
        assert!(lock(&ports.shop(channel).urls).is_empty(), "{channel}");
    }
}

#[tokio::test]
async fn an_address_of_another_program_is_registered_and_shown() {
    let ports = Ports::with(None, false).await;
    let url = "https://example.com/webhook/whatsapp";
    let (status, answer) = ports.post("whatsapp", "/api/webhook/set", json!({ "url": url })).await;
    assert_eq!((status, &answer["url"]), (200, &json!(url)), "{answer}");
    let shown = ports.world.call("GET", "/v1/channels/whatsapp_1").send().await.json();
    assert_eq!(shown["webhook"]["state"], "elsewhere", "{shown}");
    assert_eq!(shown["webhook"]["elsewhere"], json!(["https://example.com/…"]), "{shown}");
}
