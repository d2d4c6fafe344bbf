//! Accounts of channels on their pages: paused, connected, what they lack, the steps at their provider, a message for a test; added
//! to the settings, and removed.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ambient::{Chance, Clock};
use channels::http::{Http, Route};
use channels::{Account, CallError, HookPost, Identity, Setup, StoredValues};
use config::ChannelFields;
use domain::{ChannelName, ExposeSecret, Role, Timestamp};
use http::StatusCode;
use serde_json::{Value, json};
use test_app::TestApp;
use web::{ChannelAdded, ChannelChange, ChannelChanges, NotChanged};

use crate::channel_login::{self, NEW_TOKEN_ENDS, Phone, lock};
use crate::world::{Browser, World, note, send, shows, submit};

/// An account of forms, which asks nothing of any provider.
fn site() -> Account {
    made(json!({ "name": "site", "channel": "form" }))
}

fn made(fields: Value) -> Account {
    let fields: ChannelFields = serde_json::from_value(fields).expect("an account");
    let channel: ChannelName = fields.channel.as_str().parse().expect("a channel");
    let clock = Clock::system();
    let setup = Setup {
        http: Http::new(clock.clone(), "", &Route::default()).expect("a client"),
        kept: StoredValues::in_memory(channel.clone(), fields.name.clone()),
        fields,
        clock,
        chance: Chance::from_system(),
        hook_secret: "planted-secret".into(),
        hook_url: None,
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
    let [english, russian] = channels::Nature::of("form".parse().expect("a channel")).steps[0];
    assert!(page.body.contains(english) && !page.body.contains("actions/test"), "{}", page.body);
    assert!(!page.body.contains("planted"), "{}", page.body);
    let page = operator.get_with("/channels/site/setup", &[("accept-language", "ru")]).await;
    assert!(page.body.contains(russian) && page.body.contains("actions/test"), "{}", page.body);
    assert_eq!(viewer.get("/channels/other/setup").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_address_is_shown_where_something_posts_and_no_other() {
    let mail = json!({
        "name": "mail", "channel": "email", "address": "shop@example.com", "smtp": "smtp://127.0.0.1:1",
        "imap": "imap://shop:planted@127.0.0.1:1",
    });
    let world = World::of(TestApp::builder().with_channels(vec![site(), made(mail)])).await;
    let admin = world.person(Role::Admin).await;
    let public = format!("id=\"hook-url\">{}/forms/site</p>", test_app::PUBLIC_URL);
    for (page, address) in [("site", Some(&*public)), ("mail", None)] {
        for path in [format!("/channels/{page}"), format!("/channels/{page}/setup")] {
            let page = admin.get(&path).await;
            shows(&page, address.as_slice());
            assert_eq!(page.body.contains("hook-url"), address.is_some(), "{path}");
            assert!(!page.body.contains("planted") && !page.body.contains("public_url"), "{path}");
        }
    }
}

#[tokio::test]
async fn a_word_that_is_made_up_is_shown_to_admins_alone() {
    let fields = json!({ "name": "studio", "channel": "instagram", "app_secret": "a", "token": "b" });
    let with_word = json!({
        "name": "second", "channel": "instagram", "app_secret": "a", "token": "b", "verify_token": "planted-word",
    });
    let studio = made(fields);
    let made_up = studio.provider.verify_token().expect("a word").expose_secret().to_owned();
    let world = World::of(TestApp::builder().with_channels(vec![studio, made(with_word)])).await;
    let (admin, operator) = (world.person(Role::Admin).await, world.person(Role::Operator).await);
    let shown = format!("The word of verify_token: <span class=\"mono\">{made_up}</span>");
    shows(&admin.get("/channels/studio/setup").await, &[&shown]);
    let page = operator.get("/channels/studio/setup").await;
    assert!(page.status == StatusCode::OK && !page.body.contains(&made_up), "{}", page.body);
    let page = admin.get("/channels/second/setup").await;
    shows(&page, &["/hooks/instagram/second/"]);
    assert!(!page.body.contains("The word of verify_token") && !page.body.contains("planted-word"));
}

#[tokio::test]
async fn the_last_genuine_post_of_a_provider_is_shown() {
    let studio = made(json!({
        "name": "studio", "channel": "instagram", "app_secret": "a", "token": "b", "verify_token": "planted-word",
    }));
    let world = World::of(TestApp::builder().with_channels(vec![studio])).await;
    let viewer = world.person(Role::Viewer).await;
    let (channel, name) = ("instagram".parse().expect("a channel"), "studio".parse().expect("a name"));
    let shake = async |word: &str| {
        let post = HookPost {
            method: "GET".to_owned(),
            url: String::new(),
            query: format!("hub.mode=subscribe&hub.challenge=1&hub.verify_token={word}"),
            headers: Vec::new(),
            body: Vec::new(),
        };
        world.state.channels().hook(&channel, &name, "planted-secret", post).await.is_ok()
    };
    let (path, none) = ("/channels/studio/setup", "No genuine post of the provider is known yet.");
    assert!(!shake("forged").await);
    shows(&viewer.get(path).await, &[none]);
    assert!(shake("planted-word").await);
    let page = viewer.get(path).await;
    shows(&page, &["Last genuine post of the provider: <time"]);
    assert!(!page.body.contains(none), "{}", page.body);
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
    assert_eq!(act(&admin, "connect", &[("take_over", "yes")]).await, [ours.as_str()]);
    shows(&admin.get("/channels/phone").await, &["actions/disconnect\"", "actions/resubscribe\""]);
    lock(&phone.urls).clear();
    assert_eq!(act(&admin, "resubscribe", &[]).await, [ours]);
    assert!(act(&admin, "disconnect", &[]).await.is_empty());

    *lock(&phone.token_ends) = Some(Timestamp::from_micros(0));
    shows(&admin.get("/channels/phone").await, &["actions/refresh-token\""]);
    act(&admin, "refresh-token", &[]).await;
    assert_eq!(*lock(&phone.token_ends), Some(NEW_TOKEN_ENDS));
}

#[tokio::test]
async fn missing_settings_are_shown_and_a_test_is_sent() {
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
    // Where the address is entered by hand, connecting is for what is missing.
    phone.is_by_hand.store(true, Ordering::Release);
    let admin = world.person(Role::Admin).await;
    let connects = async || admin.get("/channels/phone").await.body.contains("actions/connect\"");
    assert!(connects().await);
    let reply = submit(&admin, "/channels/phone/actions/connect", &[]).await;
    assert!(note(&reply).contains("still to be entered"));
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
    assert!(!connects().await);
    assert!(!page.body.contains("photos") && !page.body.contains("not paid for"), "{}", page.body);

    let fields = [("channel", "whatsapp"), ("chat", "70000000001@c.us")];
    let reply = submit(&operator, "/channels/phone/actions/test", &fields).await;
    assert!(!note(&reply).is_empty());
    let wanted = ("70000000001@c.us".to_owned(), "This is a test message from Switchboard.".to_owned());
    assert_eq!(*lock(&phone.sent), [wanted]);
    send(&world.person(Role::Viewer).await, "/channels/phone/actions/test", &fields).await;
    assert_eq!(lock(&phone.sent).len(), 1, "a viewer sends nothing");
}

#[tokio::test]
async fn an_account_is_added_by_a_form_that_keeps_no_secret() {
    const FORM: &str = "/channels-new";
    let (changes, mut requests) = ChannelChanges::channel(None);
    let world = World::of(TestApp::builder().with_channel_changes(changes)).await;
    let (admin, operator) = (world.person(Role::Admin).await, world.person(Role::Operator).await);
    // The link is at the head and where the list would be.
    assert_eq!(admin.get("/channels").await.body.matches("href=\"/channels-new\"").count(), 2);
    assert!(!operator.get("/channels").await.body.contains("/channels-new"));
    assert_eq!(operator.get(FORM).await.status, StatusCode::FORBIDDEN);
    assert_eq!(
        send(&operator, FORM, &[("channel", "form"), ("name", "a")]).await.status,
        StatusCode::FORBIDDEN
    );
    shows(
        &admin.get(FORM).await,
        &["href=\"/channels-new?channel=vk\"", "href=\"/channels-new?channel=form\""],
    );
    let page = admin.get("/channels-new?channel=vk").await;
    let [english, russian] = channels::Nature::of("vk".parse().expect("a channel")).steps[0];
    let token = "name=\"token\" type=\"password\" required";
    let text = page.body.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains(token) && text.contains("next start"), "{text}");
    shows(&page, &[english, "The number of the community.", "name=\"receive\""]);
    assert!(!page.body.contains("name=\"profile_id\""), "a key of another channel");
    let page = admin.get_with("/channels-new?channel=vk", &[("accept-language", "ru")]).await;
    shows(&page, &[russian, "Номер сообщества.", "при следующем запуске"]);

    // What the API finds wrong is shown at its field; what was typed stays, but for what is secret.
    let wrong = [("channel", "vk"), ("name", "club"), ("token", "planted"), ("group_id", "a hundred")];
    let page = send(&admin, FORM, &wrong).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    for kept in ["value=\"club\"", "value=\"a hundred\"", "id=\"group_id-error\"", "takes a whole number"] {
        assert!(page.body.contains(kept), "{kept}: {}", page.body);
    }
    assert!(!page.body.contains("planted"), "{}", page.body);

    let fields =
        [("channel", "vk"), ("name", "club"), ("token", "planted"), ("group_id", "100"), ("proxy", "")];
    let mut answered = async |answer| {
        let adding = async {
            let Some(ChannelChange::Add(new, sender)) = requests.recv().await else {
                panic!("nothing is added")
            };
            sender.send(answer).expect("it is waited for");
            new
        };
        tokio::join!(send(&admin, FORM, &fields), adding)
    };
    let refused = NotChanged::Refused(CallError::Token("no such key <1>".to_owned()));
    let (page, new) = answered(Err(refused)).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.body.contains("no such key &#60;1&#62;") && !page.body.contains("planted"), "{}", page.body);
    assert_eq!((new.secrets[0].0, new.secrets[0].1.expose_secret()), ("token", "planted"));
    let (name, missing) = ("Demo club".to_owned(), vec!["photos".to_owned()]);
    let identity = Identity { name, missing, ..Identity::default() };
    let added = ChannelAdded { file: "/switchboard.toml".into(), identity: Some(identity) };
    let (page, _) = answered(Ok(added)).await;
    assert_eq!((page.status, page.header("location")), (StatusCode::SEE_OTHER, "/channels"));
    let message = note(&page);
    assert!(
        message.contains("club (Demo club) is in the settings.") && message.contains("Missing: photos."),
        "{message}"
    );
}

#[tokio::test]
async fn an_account_is_removed_after_a_question() {
    const QUESTION: &str = "/channels/site/remove";
    let (changes, mut requests) = ChannelChanges::channel(None);
    let builder = TestApp::builder().with_channels(vec![site()]).with_channel_changes(changes);
    let world = World::of(builder).await;
    let (admin, operator) = (world.person(Role::Admin).await, world.person(Role::Operator).await);
    shows(&admin.get("/channels/site").await, &["href=\"/channels/site/remove\""]);
    assert!(!operator.get("/channels/site").await.body.contains(QUESTION));
    assert_eq!(operator.get(QUESTION).await.status, StatusCode::FORBIDDEN);
    assert_eq!(send(&operator, QUESTION, &[]).await.status, StatusCode::FORBIDDEN);
    shows(&admin.get(QUESTION).await, &["Remove site?", "next start", "action=\"/channels/site/remove\""]);
    let mut taken = async |answer: Result<(), NotChanged>| {
        let Some(ChannelChange::Remove(name, sender)) = requests.recv().await else {
            panic!("nothing is removed")
        };
        assert_eq!(name.as_str(), "site");
        sender.send(answer.map(|()| "/switchboard.toml".into())).expect("it is waited for");
    };
    let read_only = NotChanged::File("it is read-only".to_owned());
    let (page, ()) = tokio::join!(submit(&admin, QUESTION, &[]), taken(Err(read_only)));
    assert!(note(&page).contains("it is read-only") && page.header("location") == QUESTION, "{page:?}");
    let (page, ()) = tokio::join!(submit(&admin, QUESTION, &[]), taken(Ok(())));
    assert!(note(&page).contains("next start") && page.header("location") == "/channels", "{page:?}");
}

#[tokio::test]
async fn changes_that_need_a_restart_are_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("next-start.toml");
    std::fs::write(&file, "[[channels]]\nname = \"club\"\nchannel = \"vk\"\n").expect("written");
    let (changes, _requests) = ChannelChanges::channel(Some(file));
    let builder = TestApp::builder().with_channels(vec![site()]).with_channel_changes(changes);
    let world = World::of(builder).await;
    let admin = world.person(Role::Admin).await;
    let list = admin.get("/channels").await;
    shows(
        &list,
        &["href=\"/channels/club\"", "After a restart", "takes it up at its next start", "lets it go at its"],
    );
    let russian = admin.get_with("/channels", &[("accept-language", "ru")]).await;
    shows(&russian, &["После перезапуска", "подхватит его", "отпустит его"]);
    let club = admin.get("/channels/club").await;
    shows(&club, &["After a restart", "href=\"/channels/club/remove\""]);
    assert!(!club.body.contains("actions/") && !club.body.contains("id=\"webhook\""), "{}", club.body);
    let setup = admin.get("/channels/club/setup").await;
    shows(&setup, &["takes it up at its next start"]);
    assert!(!setup.body.contains("actions/"), "{}", setup.body);
    assert!(
        !admin.get("/channels/site").await.body.contains("/channels/site/remove"),
        "it is removed already"
    );
}
