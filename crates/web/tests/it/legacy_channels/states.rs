//! What the accounts of the old ports are shown to do: paused, in trouble, with webhooks elsewhere.

use domain::Outcome;
use serde_json::json;

use super::{Ports, lock};

#[tokio::test]
async fn a_paused_account_keeps_messages_and_still_receives() {
    let ports = Ports::new().await;
    let (world, shop) = (&ports.world, ports.shop("avito"));
    let switch = async |verb: &str| {
        let reply = world.call("POST", &format!("/v1/channels/avito_1/{verb}")).send().await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.json()
    };
    assert_eq!(switch("pause").await["switch"], "paused");
    let body = json!({"channel": "avito", "chat": "u2i-1", "text": "later"}).to_string();
    let accepted = world.message(&body).send().await.json();
    world.until_shown("/v1/channels/avito_1", |shown| shown["waiting"] == 1).await;
    let path = format!("/v1/messages/{}/why", accepted["id"].as_str().unwrap());
    let why = world.until_shown(&path, |why| why.to_string().contains("the account avito_1 is paused")).await;
    assert!(why.to_string().contains("is paused"), "{why}");
    assert!(lock(&shop.sent).is_empty());
    assert_eq!(
        ports.provider_posts("avito", json!({"id": "m-1", "chat": "u2i-1", "text": "Hello"})).await.status,
        200
    );
    let deed = world.call("POST", "/v1/chats/avito:avito_1%2Fu2i-1/read").json("{}").send().await;
    assert_eq!((deed.status, &deed.json()["code"]), (409, &json!("wrong_state")), "{}", deed.body);
    let shown = world.call("GET", "/v1/channels/avito_1").send().await.json();
    assert!(!shown["last_in_at"].is_null() && shown["last_out_at"].is_null(), "{shown}");
    assert_eq!(world.store.accounts().switches().await.unwrap().len(), 1, "it outlives a restart");
    assert_eq!(switch("resume").await["switch"], "on");
    world.until_state(&accepted["id"], "sent").await;
    assert_eq!(lock(&shop.sent).len(), 1);
    let shown = world.call("GET", "/v1/channels/avito_1").send().await.json();
    assert!(!shown["last_out_at"].is_null() && shown["waiting"] == 0, "{shown}");
}

#[tokio::test]
async fn errors_and_webhook_addresses_are_shown() {
    let ports = Ports::new().await;
    let (world, shop) = (&ports.world, ports.shop("vk"));
    lock(&shop.urls).push("https://old.example.com/planted-secret".to_owned());
    lock(&shop.outcomes).push_back(Outcome::Forbidden("the customer blocked it".to_owned()));
    let body = json!({"channel": "vk", "chat": "7", "text": "x", "wait": 30}).to_string();
    world.message(&body).send().await;
    let shown = world.call("POST", "/v1/channels/vk_1/check").send().await.json();
    assert_eq!(
        (&shown["errors"]["last_hour"], &shown["errors"]["last_day"]),
        (&json!(1), &json!(1)),
        "{shown}"
    );
    assert!(shown["errors"]["last"].as_str().unwrap().contains("blocked"), "{shown}");
    assert_eq!(shown["webhook"]["state"], "elsewhere");
    assert_eq!(shown["webhook"]["elsewhere"], json!(["https://old.example.com/…"]));
    assert!(!shown.to_string().contains("planted"), "{shown}");
}
