//! Accounts of channels on their pages: paused, connected, what they lack, the steps at their provider, a message for a test.

use std::sync::Arc;

use ambient::{Chance, Clock};
use channels::http::{Http, Route};
use channels::{Account, Kept, Setup};
use domain::{AccountName, ChannelName, Role, Timestamp};
use http::StatusCode;
use serde_json::json;
use test_app::TestApp;

use crate::channel_login::{self, NEW_TOKEN_ENDS, Phone, lock};
use crate::world::{Browser, World, note, send, shows, submit};

/// An account of forms, which asks nothing of any provider.
fn site() -> Account {
    let (name, channel): (AccountName, ChannelName) =
        ("site".parse().expect("a name"), "form".parse().expect("a channel"));
    let clock = Clock::system();
    let setup = Setup {
        fields: serde_json::from_value(json!({ "name": "site", "channel": "form" })).expect("an account"),
        http: Http::new(clock.clone(), "", &Route::default()).expect("a client"),
        kept: Kept::in_memory(channel.clone(), name),
        clock,
        chance: Chance::from_system(),
        hook_secret: "planted-secret".into(),
    };
    let provider = channels::make(setup.clone()).expect("a provider");
    Account::new(setup.fields, channel, provider, setup.hook_secret)
}

#[tokio::test]
async fn an_account_is_paused_and_resumed_on_its_page() {
    let world = World::of(TestApp::builder().with_channels(vec![site()])).await;
    let operator = world.person(Role::Operator).await;
    assert!(operator.get("/").await.body.contains("href=\"/channels/site\""), "the overview has it");
    for (verb, shown) in [("pause", "Resume"), ("resume", "Pause")] {
        let path = format!("/channels/site/actions/{verb}");
        assert!(send(&operator, &path, &[]).await.status.is_redirection(), "{verb}");
        let page = operator.get("/channels/site").await;
        assert!(page.body.contains(&format!("<button class=\"btn\">{shown}</button>")), "{}", page.body);
    }
    let viewer = world.person(Role::Viewer).await;
    assert!(!viewer.get("/channels/site").await.body.contains("actions/pause"));
    send(&viewer, "/channels/site/actions/pause", &[]).await;
    assert!(world.store.accounts().switches().await.expect("reads").is_empty(), "a viewer pauses nothing");
}

#[tokio::test]
async fn the_steps_at_a_provider_are_shown_in_both_languages() {
    let world = World::of(TestApp::builder().with_channels(vec![site()])).await;
    let (viewer, operator) = (world.person(Role::Viewer).await, world.person(Role::Operator).await);
    let page = viewer.get("/channels/site/setup").await;
    let [english, russian] = channels::steps("form".parse().expect("a channel"))[0];
    assert!(page.body.contains(english) && !page.body.contains("actions/test"), "{}", page.body);
    assert!(!page.body.contains("planted"), "{}", page.body);
    let page = operator.get_with("/channels/site/setup", &[("accept-language", "ru")]).await;
    assert!(page.body.contains(russian) && page.body.contains("actions/test"), "{}", page.body);
    assert_eq!(viewer.get("/channels/other/setup").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_address_is_taken_over_and_given_up_and_a_token_renewed() {
    const OTHER: &str = "https://example.com/planted";
    let phone = Arc::new(Phone::default());
    let world = channel_login::world(&phone).await;
    let (admin, operator) = (world.person(Role::Admin).await, world.person(Role::Operator).await);
    let act = async |browser: &Browser<'_>, action: &str, fields: &[(&str, &str)]| {
        send(browser, &format!("/channels/phone/actions/{action}"), fields).await;
        lock(&phone.urls).clone()
    };
    lock(&phone.urls).push(OTHER.to_owned());
    shows(&admin.get("/channels/phone").await, &["actions/connect\"", "name=\"take_over\""]);
    assert_eq!(act(&admin, "connect", &[]).await, [OTHER]);
    assert_eq!(act(&operator, "connect", &[("take_over", "yes")]).await, [OTHER]);
    let ours = format!("{}/hooks/whatsapp/phone/made-up", test_app::PUBLIC_URL);
    assert_eq!(act(&admin, "connect", &[("take_over", "yes")]).await, [ours]);
    shows(&admin.get("/channels/phone").await, &["actions/disconnect\""]);
    assert!(act(&admin, "disconnect", &[]).await.is_empty());

    *lock(&phone.token_ends) = Some(Timestamp::from_micros(0));
    shows(&admin.get("/channels/phone").await, &["actions/refresh-token\""]);
    act(&admin, "refresh-token", &[]).await;
    assert_eq!(*lock(&phone.token_ends), Some(NEW_TOKEN_ENDS));
}

#[tokio::test]
async fn what_an_account_lacks_is_shown_and_a_test_is_sent() {
    let phone = Arc::new(Phone::default());
    let world = channel_login::world(&phone).await;
    let operator = world.person(Role::Operator).await;
    let (setup, check) = ("/channels/phone/setup", "/channels/phone/actions/check");
    shows(&operator.get(setup).await, &["It was not found well yet"]);
    *lock(&phone.lacks) = vec!["photos <1>".to_owned()];
    submit(&operator, check, &[]).await;
    shows(&operator.get(setup).await, &["<ul><li>photos &#60;1&#62;</li></ul>"]);
    let page = operator.get("/channels/phone").await;
    shows(&page, &["Demo shop", "<dt>Missing</dt><dd>photos &#60;1&#62;</dd>"]);
    *lock(&phone.trouble) = Some("the profile is not paid for".to_owned());
    submit(&operator, check, &[]).await;
    for path in [setup, "/channels/phone"] {
        shows(&operator.get(path).await, &["the profile is not paid for"]);
    }
    *lock(&phone.trouble) = None;
    lock(&phone.lacks).clear();
    submit(&operator, check, &[]).await;
    let page = operator.get(setup).await;
    shows(&page, &["The provider names nothing that is missing."]);
    assert!(!page.body.contains("photos") && !page.body.contains("not paid for"), "{}", page.body);

    let fields = [("channel", "whatsapp"), ("chat", "70000000001@c.us")];
    let told = submit(&operator, "/channels/phone/actions/test", &fields).await;
    assert!(!note(&told).is_empty());
    let wanted = ("70000000001@c.us".to_owned(), "This is a test message from Switchboard.".to_owned());
    assert_eq!(*lock(&phone.sent), [wanted]);
    send(&world.person(Role::Viewer).await, "/channels/phone/actions/test", &fields).await;
    assert_eq!(lock(&phone.sent).len(), 1, "a viewer sends nothing");
}
