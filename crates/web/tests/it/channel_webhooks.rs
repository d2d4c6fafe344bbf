//! Where providers of channels post to: an address that was lost is registered again, and posts that are too large are refused.

use std::sync::Arc;
use std::time::Duration;

use channels::http::Route;
use channels::{Account, WebhookLoss, WebhookState};
use config::ReceiveBy;
use serde_json::json;

use crate::channel_bad_days::made;
use crate::client::Call;
use crate::legacy_channels::Shop;
use crate::world::{SOON, World};

const OURS: &str = "https://switchboard.example.com/hooks/avito/avito_1/made-up";
const OTHER: &str = "https://example.com/other";

async fn world(shop: &Arc<Shop>) -> World {
    world_of("avito", shop).await
}

/// With an account of this channel.
async fn world_of(channel: &str, shop: &Arc<Shop>) -> World {
    let fields = json!({ "name": format!("{channel}_1"), "channel": channel });
    let fields = serde_json::from_value(fields).expect("an account");
    let channel = channel.parse().expect("a channel");
    let account = Account::new(fields, channel, Arc::clone(shop) as _, "made-up".into());
    World::with_channels(vec![account], |_| {}).await
}

fn account(world: &World) -> &Arc<Account> {
    world.state.channels().channels().get(&"avito_1".parse().expect("a name")).expect("the account")
}

/// Moves the clock by minutes until the account is as wanted.
async fn minutes_until(world: &World, wanted: impl Fn(&channels::AccountStatus) -> bool) {
    let deadline = std::time::Instant::now() + SOON;
    while !wanted(&account(world).status()) {
        assert!(std::time::Instant::now() < deadline, "it stays {:?}", account(world).status());
        world.clock.advance(Duration::from_mins(1));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn is(state: WebhookState) -> impl Fn(&channels::AccountStatus) -> bool {
    move |status| status.webhook.as_ref().is_some_and(|seen| seen.state == state)
}

#[tokio::test]
async fn a_lapsed_webhook_is_registered_again_by_itself() {
    let shop = Arc::new(Shop::default());
    let world = world(&shop).await;
    let connected = world.call("POST", "/v1/channels/avito_1/connect").json("{}").send().await;
    assert_eq!(connected.status, 200, "{}", connected.body);
    world.state.channels().start();
    shop.urls().clear();
    minutes_until(&world, |status| status.registering.is_some()).await;
    minutes_until(&world, is(WebhookState::Here)).await;
    assert_eq!(*shop.urls(), [OURS]);
    world.state.channels().stop(SOON).await;
}

#[tokio::test]
async fn a_taken_or_abandoned_webhook_is_left_alone() {
    let shop = Arc::new(Shop::default());
    let world = world(&shop).await;
    world.call("POST", "/v1/channels/avito_1/connect").json("{}").send().await;
    *shop.urls() = vec![OTHER.to_owned()];
    world.state.channels().start();
    minutes_until(&world, is(WebhookState::Elsewhere)).await;
    let later = world.clock.now().plus(Duration::from_mins(30));
    minutes_until(&world, |status| status.checked_at.is_some_and(|at| at >= later)).await;
    assert_eq!(account(&world).status().webhook_loss(ReceiveBy::Auto), Some(WebhookLoss::Taken));
    assert_eq!(*shop.urls(), [OTHER]);
    let refused = world.call("POST", "/v1/channels/avito_1/resubscribe").send().await;
    assert_eq!((refused.status, &refused.json()["code"]), (409, &json!("wrong_state")), "{}", refused.body);
    let over = world.call("POST", "/v1/channels/avito_1/connect").json(r#"{"take_over":true}"#).send().await;
    assert_eq!(over.status, 200, "{}", over.body);
    shop.urls().retain(|url| url == OURS);
    let given_up = world.call("POST", "/v1/channels/avito_1/disconnect").send().await;
    assert_eq!(given_up.status, 200, "{}", given_up.body);
    let later = world.clock.now().plus(Duration::from_mins(30));
    minutes_until(&world, |status| status.checked_at.is_some_and(|at| at >= later)).await;
    assert!(shop.urls().is_empty() && is(WebhookState::NotRegistered)(&account(&world).status()));
    world.state.channels().stop(SOON).await;
}

#[tokio::test]
async fn an_account_without_a_webhook_says_what_to_do_instead() {
    let accounts = [
        json!({ "name": "site", "channel": "form" }),
        json!({ "name": "post", "channel": "email", "address": "shop@example.com",
            "imap": "imap://demo:word@127.0.0.1:1", "smtp": "smtp://127.0.0.1:1" }),
        json!({ "name": "texts", "channel": "sms", "gateway": "smpp", "sender": "shop", "smpp": "smpp://demo:word@127.0.0.1:1" }),
    ];
    let accounts = accounts.map(|fields| made(fields, &Route::default()));
    let world = World::with_channels(accounts.into(), |_| {}).await;
    for (name, instead) in [("site", "channel status"), ("post", "channel test"), ("texts", "channel test")] {
        for verb in ["connect", "resubscribe", "disconnect"] {
            let call = world.call("POST", &format!("/v1/channels/{name}/{verb}"));
            let call = if verb == "connect" { call.json("{}") } else { call };
            let refused = call.send().await;
            assert_eq!(
                (refused.status, &refused.json()["code"]),
                (409, &json!("wrong_state")),
                "{name} {verb}"
            );
            let detail = refused.json()["detail"].to_string();
            assert!(detail.contains("nothing is to be connected") && detail.contains(instead), "{detail}");
        }
    }
}

#[tokio::test]
async fn a_refusal_is_tried_again_until_it_is_taken() {
    let shop = Arc::new(Shop::default());
    let world = world(&shop).await;
    world.call("POST", "/v1/channels/avito_1/connect").json("{}").send().await;
    shop.urls().clear();
    shop.refuses_to_register(3);
    world.state.channels().start();
    minutes_until(&world, |status| status.registering.as_ref().is_some_and(|last| last.error.is_some()))
        .await;
    assert!(matches!(account(&world).status().webhook_loss(ReceiveBy::Auto), Some(WebhookLoss::Lapsed(_))));
    minutes_until(&world, is(WebhookState::Here)).await;
    assert_eq!(account(&world).status().webhook_loss(ReceiveBy::Auto), None);
    shop.urls().clear();
    let again = world.call("POST", "/v1/channels/avito_1/resubscribe").send().await;
    assert_eq!((again.status, &again.json()["is_registered"]), (200, &json!(true)), "{}", again.body);
    assert_eq!(*shop.urls(), [OURS]);
    world.state.channels().stop(SOON).await;
}

#[tokio::test]
async fn a_post_of_10_mb_is_refused_and_the_next_is_taken() {
    let shop = Arc::new(Shop::default());
    let world = world(&shop).await;
    let post = async |id: &str, text: String| {
        let body = json!({ "id": id, "chat": "u2i-1", "text": text, "at": world.clock.now().as_micros() });
        let call = Call::new(&world.main(), "POST", "/hooks/avito/avito_1/made-up");
        call.json(body.to_string()).send().await
    };
    assert_eq!(post("m-1", "Hello".to_owned()).await.status, 200);
    let refused = post("m-2", "a".repeat(10_000_000)).await;
    assert_eq!((refused.status, &refused.json()["code"]), (413, &json!("too_large")), "{}", refused.body);
    // The provider posts the rest of what waits.
    assert_eq!(post("m-3", "a".repeat(1_500_000)).await.status, 200);
    let listed = world.call("GET", "/v1/messages?direction=in&channel=avito").send().await.json();
    let ids: Vec<_> =
        listed["items"].as_array().expect("a list").iter().map(|item| &item["external_message_id"]).collect();
    assert_eq!(ids, ["m-3", "m-1"]);
}

#[tokio::test]
async fn a_post_with_a_file_in_it_is_taken() {
    let mut shop = Shop::default();
    shop.largest_post = Some(32_000_000);
    let shop = Arc::new(shop);
    let world = world_of("whatsapp", &shop).await;
    let post = async |secret: &str, size: usize| {
        let (at, file) = (world.clock.now().as_micros(), "a".repeat(size));
        let body = json!({ "id": "m-1", "chat": "70000000001", "text": "Hello", "at": at, "body": file });
        let path = format!("/hooks/whatsapp/whatsapp_1/{secret}");
        Call::new(&world.main(), "POST", &path).json(body.to_string()).send().await.status
    };
    assert_eq!(post("wrong", 3_000_000).await, 413, "a file takes the secret");
    assert_eq!(post("made-up", 28_000_000).await, 200);
    assert_eq!(post("made-up", 40_000_000).await, 413);
    let listed = world.call("GET", "/v1/messages?direction=in&channel=whatsapp").send().await.json();
    assert_eq!(listed["items"][0]["external_message_id"], "m-1", "{listed}");
}
