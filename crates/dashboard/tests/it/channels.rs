//! Accounts of channels on their pages: paused and resumed, with the steps at their provider.

use ambient::{Chance, Clock};
use channels::http::{Http, Route};
use channels::{Account, Kept, Setup};
use domain::{AccountName, ChannelName, Role};
use http::StatusCode;
use serde_json::json;
use test_app::TestApp;

use crate::world::{World, send};

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
