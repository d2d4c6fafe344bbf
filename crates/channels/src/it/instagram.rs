//! An Instagram account that is written to, answers, and is refused.

use std::sync::Arc;
use std::time::Duration;

use channels::{
    CallError, HookPost, HookRefusal, LogIn, LogInAnswer, OldCall, Outgoing, OutgoingFile, Provider,
};
use config::ChannelKind;
use delivery::MessageLookup;
use domain::media::MediaForm;
use domain::message::Writer;
use domain::outcome::HoldScope;
use domain::secret::ExposeSecret;
use domain::{ExternalChat, InboundChange, MessageOrigin, Outcome, ProviderId};
use serde_json::{Value, json};

use crate::it::support::{Receiver, World, messages, text};

const CHANNEL: ChannelKind = ChannelKind::Instagram;
const CUSTOMER: &str = "5550001";

fn writes(text: &str) -> Value {
    json!({"channel": "instagram", "from": CUSTOMER, "name": "Lena", "text": text})
}

fn chat() -> ExternalChat {
    ExternalChat::new(CUSTOMER).unwrap()
}

fn id_of(outcome: &Outcome) -> String {
    let Outcome::Sent(ids) = outcome else { panic!("{outcome:?}") };
    let Some(ProviderId::Text(id)) = ids.first() else { panic!("{outcome:?}") };
    id.to_string()
}

/// An account whose address is typed in the dashboard, and what is posted there.
async fn connected(world: &World) -> (Arc<dyn Provider>, Receiver) {
    let provider = world.provider(CHANNEL);
    let identity = provider.check().await.unwrap();
    assert_eq!((identity.id.as_str(), identity.name.as_str()), ("17840000000000001", "demo_studio"));
    assert!(identity.missing.is_empty());
    assert_eq!(provider.register("https://example.com/hook").await, Ok(()));
    let receiver = Receiver::start(Arc::clone(&provider)).await;
    let order = json!({
        "channel": "instagram", "account": "studio", "url": receiver.url, "verify_token": "planted-verify-token"
    });
    assert_eq!(world.type_hook(&order).await, 204);
    let shake = receiver.next().await;
    assert!(provider.hook(&shake).unwrap().events.is_empty());
    (provider, receiver)
}

#[tokio::test]
async fn a_word_that_the_settings_lack_is_made_up_and_counts() {
    let world = World::start().await;
    let mut fields = world.fields(CHANNEL);
    assert!(fields.verify_token.take().is_some() && world.provider(CHANNEL).verify_token().is_none());
    let provider = channels::make(World::setup(fields)).unwrap();
    let made_up = provider.verify_token().unwrap();
    let shake = |word: &str| HookPost {
        method: "GET".to_owned(),
        url: String::new(),
        query: format!("hub.mode=subscribe&hub.verify_token={word}&hub.challenge=1"),
        headers: Vec::new(),
        body: Vec::new(),
    };
    assert_eq!(provider.hook(&shake(made_up.expose_secret())).unwrap().answer.body, "1");
    assert_eq!(provider.hook(&shake("planted-verify-token")), Err(HookRefusal::NotGenuine));
}

#[tokio::test]
async fn what_was_not_posted_is_read_from_conversations() {
    let world = World::start().await;
    let (provider, receiver) = connected(&world).await;
    let since = ambient::Clock::system().now();
    world.customer(writes("Hello")).await;
    let posted = provider.hook(&receiver.next().await).unwrap().events;
    world.customer(writes("Are you there?")).await;
    let sent = id_of(&provider.send(&text(CUSTOMER, "Yes", 1)).await);
    let read = provider.missed(since, Vec::new()).unwrap().await.unwrap();
    let found: Vec<_> =
        messages(&read.events).into_iter().map(|message| (&*message.text, message.origin)).collect();
    let of_person = MessageOrigin::Person;
    let wanted = [("Hello", of_person), ("Are you there?", of_person), ("Yes", MessageOrigin::Owner)];
    assert_eq!(found, wanted);
    // What was posted, or sent from here, is known by its key and its id.
    assert_eq!(read.events[0].key, posted[0].key);
    assert_eq!(messages(&read.events)[2].external_id, sent);
}

#[tokio::test]
async fn texts_go_both_ways() {
    let world = World::start().await;
    let (provider, receiver) = connected(&world).await;
    let done = world.customer(writes("Привет, 2/3?")).await;
    let post = receiver.next().await;
    let events = provider.complete(provider.hook(&post).unwrap().events).await;
    let [message] = messages(&events)[..] else { panic!("{events:?}") };
    assert_eq!((&*message.text, message.name.as_deref()), ("Привет, 2/3?", Some("Lena")));
    assert_eq!(message.external_id, done["message_id"]);
    assert_eq!(message.chat, chat());

    let sent = id_of(&provider.send(&text(CUSTOMER, "Да", 1)).await);
    let echo = provider.hook(&receiver.next().await).unwrap().events;
    let [message] = messages(&echo)[..] else { panic!("{echo:?}") };
    assert_eq!((message.external_id.as_str(), message.origin), (sent.as_str(), MessageOrigin::Owner));
    world
        .customer(
            json!({"channel": "instagram", "from": CUSTOMER, "action": "owner_writes", "text": "By hand"}),
        )
        .await;
    let by_hand = provider.hook(&receiver.next().await).unwrap().events;
    assert_eq!(messages(&by_hand)[0].chat, chat());

    let mut forged = post.clone();
    forged.body.push(b' ');
    assert_eq!(provider.hook(&forged), Err(HookRefusal::NotGenuine));
}

#[tokio::test]
async fn deeds_of_customers_become_events() {
    let world = World::start().await;
    let (provider, receiver) = connected(&world).await;
    let next = async || provider.hook(&receiver.next().await).unwrap().events;
    let act = async |more: Value| {
        let mut deed = json!({"channel": "instagram", "from": CUSTOMER});
        deed.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        world.customer(deed).await["message_id"].clone()
    };
    act(json!({"text": "one", "subject": "ad7"})).await;
    assert_eq!(messages(&next().await)[0].ad.as_ref().unwrap().id.as_deref(), Some("ad7"));
    id_of(&provider.send(&text(CUSTOMER, "Well?", 1)).await);
    next().await;
    act(json!({"action": "read"})).await;
    let read = next().await;
    assert!(matches!(&read[0].change, InboundChange::ReadUpTo { chat: of, .. } if *of == chat()));
    act(json!({"media": [{"kind": "sticker"}]})).await;
    assert_eq!(&*messages(&next().await)[0].text, "[hidden]");
    act(json!({"text": "of two", "extra": {"with_stranger": true, "string_times": true}})).await;
    assert_eq!(messages(&next().await).len(), 1);
    act(json!({"text": "made up", "extra": {"form": "test"}})).await;
    assert!(messages(&next().await).is_empty());
}

#[tokio::test]
async fn files_go_out_by_their_link() {
    let world = World::start().await;
    let provider = world.provider(CHANNEL);
    world.customer(writes("Hello")).await;
    let photo = MediaForm::Photo { width: 1, height: 1 };
    let voice = MediaForm::Voice { duration_ms: 1 };
    let with = |file: OutgoingFile| Outgoing { file: Some(file), ..text(CUSTOMER, "", 1) };
    let played = with(world.file(voice.clone(), "a.m4a", "audio/mp4", b"x"));
    assert!(provider.account_interval(&played) * 10 > Duration::from_secs(1));
    assert_eq!(provider.account_interval(&text(CUSTOMER, "", 1)), provider.pacing().account);
    let bare = world.file(photo.clone(), "a.png", "image/png", b"planted");
    let refused = provider.send(&with(bare)).await;
    assert!(refused.detail().unwrap().contains("public_url"), "{refused:?}");
    let ogg = world.served_file(voice, "planted", "audio/ogg", b"x").await;
    assert!(provider.send(&with(ogg)).await.detail().unwrap().contains("m4a"));
    let mut gone = world.served_file(photo, "planted", "image/png", b"x").await;
    gone.link = Some(gone.link.unwrap() + "/gone");
    let refused = provider.send(&with(gone)).await;
    assert!(matches!(refused, Outcome::Rejected { .. }), "{refused:?}");
    assert!(world.ledger("instagram").await.is_empty());
}

#[tokio::test]
async fn refusals_say_what_is_wrong() {
    let world = World::start().await;
    let provider = world.provider(CHANNEL);
    let send = || async { provider.send(&text(CUSTOMER, "Hello", 1)).await };
    assert!(matches!(send().await, Outcome::NotFound(_)));
    world
        .customer(json!({"channel": "instagram", "from": CUSTOMER, "text": "x", "extra": {"hours_ago": 25}}))
        .await;
    let closed = send().await;
    assert!(matches!(&closed, Outcome::Forbidden(why) if why.contains("24 hours")), "{closed:?}");
    world.customer(writes("x")).await;
    let long = provider.send(&text(CUSTOMER, &"я".repeat(501), 1)).await;
    assert!(matches!(long, Outcome::Rejected { .. }), "{long:?}");
    world.fault(json!({"provider": "instagram", "fault": "rate_limit", "seconds": 120, "times": 1})).await;
    assert!(matches!(send().await, Outcome::Held { scope: HoldScope::Account, .. }));
    world.customer(json!({"channel": "instagram", "from": CUSTOMER, "action": "block"})).await;
    assert!(matches!(send().await, Outcome::NotFound(_)));
    world.customer(json!({"channel": "instagram", "from": CUSTOMER, "action": "unblock"})).await;
    assert!(matches!(send().await, Outcome::Sent(_)));
    let hidden =
        json!({"channel": "instagram", "from": "5550002", "text": "x", "extra": {"hides_name": true}});
    world.customer(hidden).await;
    assert_eq!(world.ledger("instagram").await.len(), 1);

    world.fault(json!({"provider": "instagram", "fault": "token_expired", "times": 1})).await;
    assert!(matches!(send().await, Outcome::SessionLost(_)));
    let error = provider.renew_token().await.unwrap_err();
    assert!(
        matches!(&error, CallError::Token(why) if why.contains("ended") && !why.contains("planted-instagram")),
        "{error}"
    );
}

#[tokio::test]
async fn an_unclear_send_is_looked_for() {
    let world = World::start().await;
    let setup = World::setup(world.fields(CHANNEL));
    let clock = setup.clock.clone();
    let provider = channels::make(setup).unwrap();
    world.customer(writes("Hello")).await;
    let since = clock.now();
    assert!(matches!(provider.send(&text(CUSTOMER, "one", 1)).await, Outcome::Sent(_)));
    // The one that is known to be sent is no other with the same text.
    assert_eq!(provider.find(&text(CUSTOMER, "one", 9), since).await, MessageLookup::NotThere);
    let out = text(CUSTOMER, "two", 10);
    world.fault(json!({"provider": "instagram", "fault": "error", "times": 1})).await;
    assert_eq!(provider.find(&out, since).await, MessageLookup::CannotTell);

    let photo =
        world.served_file(MediaForm::Photo { width: 1, height: 1 }, "planted", "image/png", b"x").await;
    let out = Outgoing { file: Some(photo), ..text(CUSTOMER, "", 11) };
    assert!(provider.settles(&out) > provider.settles(&text(CUSTOMER, "two", 12)));
}

#[tokio::test]
async fn a_renewed_token_is_used_and_stored() {
    let world = World::start().await;
    let setup = World::setup(world.fields(CHANNEL));
    let kept = setup.kept.clone();
    let provider = channels::make(setup.clone()).unwrap();
    assert_eq!(provider.token_expires(), None);
    let (one, other) = tokio::join!(provider.renew_token(), provider.renew_token());
    assert_eq!((one, other), (Ok(()), Ok(())));
    let renewed = kept.text("token").unwrap();
    assert!(provider.token_expires().unwrap() > setup.clock.now().plus(Duration::from_hours(59 * 24)));
    provider.check().await.unwrap();
    // It is too young to be renewed again.
    assert!(matches!(provider.renew_token().await, Err(CallError::Refused { .. })));
    assert_eq!(kept.text("token").unwrap(), renewed);
    let after_restart = channels::make(setup.clone()).unwrap();
    assert_eq!(after_restart.token_expires(), provider.token_expires());
    let mut fields = setup.fields.clone();
    fields.token = Some("another-token".into());
    let other = channels::make(channels::Setup { fields, ..setup }).unwrap();
    assert_eq!(other.token_expires(), None);
    let error = other.check().await.unwrap_err();
    assert!(matches!(error, CallError::Token(_)), "{error}");
    assert!(!kept.get("token").unwrap().expose_secret().is_empty());
}

#[tokio::test]
async fn only_a_person_answers_after_a_day() {
    let world = World::start().await;
    let provider = world.provider(CHANNEL);
    let by_person = || Outgoing { written_by: Writer::Person, ..text(CUSTOMER, "Hello", 1) };
    let wrote = async |hours: u32| {
        let deed =
            json!({"channel": "instagram", "from": CUSTOMER, "text": "x", "extra": {"hours_ago": hours}});
        world.customer(deed).await;
    };
    wrote(25).await;
    let refused = provider.send(&text(CUSTOMER, "Hello", 1)).await;
    assert!(matches!(&refused, Outcome::Forbidden(why) if why.contains("only a person")), "{refused:?}");
    id_of(&provider.send(&by_person()).await);
    wrote(7 * 24 + 1).await;
    let refused = provider.send(&by_person()).await;
    assert!(matches!(&refused, Outcome::Forbidden(why) if why.contains("7 days")), "{refused:?}");
    assert_eq!(world.ledger("instagram").await.len(), 1);
}

const BACK: &str = "http://127.0.0.1:1/oauth/instagram/callback";

/// Opens the link of an account; what the browser brings back.
async fn let_in(provider: &Arc<dyn Provider>) -> LogInAnswer {
    let LogIn::Link { url, .. } = provider.log_in(Some(BACK)).await.unwrap() else { panic!("no link") };
    let browser = reqwest::Client::builder()
        .tls_certs_only([])
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let answer = browser.get(url.expose_secret()).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 302, "{}", url.expose_secret());
    let place = answer.headers()["location"].to_str().unwrap().to_owned();
    // A browser keeps what follows the mark.
    let place = place.strip_suffix("#_").unwrap();
    let query = place.strip_prefix(BACK).and_then(|rest| rest.strip_prefix('?')).unwrap();
    let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let value = |name: &str| pairs.iter().find(|(known, _)| known == name).unwrap().1.clone();
    LogInAnswer { state: value("state"), code: Some(value("code").into()), error: None }
}

#[tokio::test]
async fn the_owner_logs_in_by_a_link_that_counts_once() {
    let world = World::start().await;
    let mut fields = world.fields(CHANNEL);
    fields.token = None;
    let setup = World::setup(fields);
    let (kept, clock) = (setup.kept.clone(), setup.clock.clone());
    let provider = channels::make(setup.clone()).unwrap();
    assert!(matches!(provider.check().await, Err(CallError::Token(why)) if why.contains("channel login")));
    assert_eq!((provider.token_lives(), provider.token_expires()), (None, None));
    assert!(
        matches!(provider.log_in(None).await, Err(CallError::Refused { code, .. }) if code == "no_public_url")
    );
    let code_of = |result: Result<(), CallError>| match result {
        Err(CallError::Refused { code, .. }) => code,
        other => panic!("{other:?}"),
    };

    let answer = let_in(&provider).await;
    let mut forged = answer.clone();
    forged.state = forged.state.replace("studio.1", "studio.2");
    assert_eq!(code_of(provider.finish_log_in(&forged, BACK).await), "wrong_state");
    let unsubscribed =
        json!({"channel": "instagram", "from": "5550001", "text": "x", "extra": {"unsubscribes": true}});
    world.customer(unsubscribed).await;
    provider.finish_log_in(&answer, BACK).await.unwrap();
    let identity = provider.check().await.unwrap();
    assert_eq!((identity.id.as_str(), identity.missing.len()), ("17840000000000001", 0), "{identity:?}");
    assert!(provider.token_expires().unwrap() > clock.now().plus(Duration::from_hours(59 * 24)));
    assert_eq!(code_of(provider.finish_log_in(&answer, BACK).await), "used_up");

    // It is kept over a restart, and so is what was used.
    let restarted = channels::make(setup.clone()).unwrap();
    restarted.check().await.unwrap();
    assert_eq!(code_of(restarted.finish_log_in(&answer, BACK).await), "used_up");
    let token = kept.text("token").unwrap();

    // The provider refuses a code that was used, another address, a wrong secret.
    let mut again = let_in(&restarted).await;
    again.code = answer.code;
    assert_eq!(code_of(restarted.finish_log_in(&again, BACK).await), "exchange");
    let elsewhere = let_in(&restarted).await;
    assert_eq!(code_of(restarted.finish_log_in(&elsewhere, "http://127.0.0.1:1/other").await), "exchange");
    let mut fields = setup.fields.clone();
    fields.app_secret = Some("planted-wrong-secret".into());
    let other = channels::make(channels::Setup { fields, ..setup.clone() }).unwrap();
    assert_eq!(code_of(other.finish_log_in(&let_in(&other).await, BACK).await), "exchange");
    let mut declined = let_in(&restarted).await;
    (declined.code, declined.error) = (None, Some("access_denied".to_owned()));
    assert_eq!(code_of(restarted.finish_log_in(&declined, BACK).await), "not_granted");
    let late = let_in(&restarted).await;
    clock.advance(Duration::from_mins(31));
    assert_eq!(code_of(restarted.finish_log_in(&late, BACK).await), "ended");
    assert_eq!(kept.text("token").unwrap(), token);

    // Another person's account is not taken for this one.
    kept.put(vec![("user_id", "17840000000000009".into())]).await.unwrap();
    let stranger = let_in(&restarted).await;
    assert_eq!(code_of(restarted.finish_log_in(&stranger, BACK).await), "another_account");
    assert_eq!(kept.text("token").unwrap(), token);
}

#[tokio::test]
async fn comments_are_read_answered_hidden_and_deleted() {
    let world = World::start().await;
    let provider = world.provider(CHANNEL);
    let call = async |call: OldCall| provider.old_call(&call).await;
    let posts = async |after: Option<&str>| {
        call(OldCall::Posts { limit: 1, after: after.map(str::to_owned) }).await.unwrap()
    };
    let first = posts(None).await;
    // The address of the next page has the token in it.
    assert_eq!(first["paging"], json!({ "cursors": { "after": "1" } }));
    assert_ne!(posts(Some("1")).await["data"][0]["id"], first["data"][0]["id"]);
    let post = first["data"][0]["id"].as_str().unwrap().to_owned();
    let comments =
        async || call(OldCall::Comments { post: post.clone(), limit: 5, after: None }).await.unwrap();
    let comment = comments().await["data"][0]["id"].as_str().unwrap().to_owned();

    let reply = async |comment: &str, text: &str| {
        let (comment, text) = (comment.to_owned(), text.to_owned());
        call(OldCall::ReplyToComment { comment, text }).await
    };
    let made = reply(&comment, "Ten").await.unwrap();
    assert!(matches!(reply(&comment, " ").await, Err(CallError::Refused { .. })));
    assert!(matches!(reply("17910000000000009", "Ten").await, Err(CallError::Refused { .. })));
    assert!(matches!(reply("me", "Ten").await, Err(CallError::NotFound(_))));
    let lost =
        json!({"provider": "instagram", "method": "/replies", "fault": "cut", "effect": true, "times": 1});
    world.fault(lost).await;
    let unclear = reply(&comment, "Eleven").await.unwrap_err();
    assert!(!unclear.proves_nothing_done(), "{unclear:?}");
    call(OldCall::HideComment { comment: comment.clone(), is_hidden: true }).await.unwrap();
    let now = comments().await;
    assert_eq!((&now["data"][0]["hidden"], now["data"].as_array().unwrap().len()), (&json!(true), 3));
    assert_eq!(now["data"][1]["id"], made["id"]);
    call(OldCall::DeleteComment { comment }).await.unwrap();
    assert_eq!(comments().await["data"], json!([]));
    let texts: Vec<_> = world.ledger("instagram").await.iter().map(|it| it["text"].clone()).collect();
    assert_eq!(texts, ["Ten", "Eleven", "", ""]);
}

#[tokio::test]
async fn a_new_chat_offers_the_questions_that_are_set() {
    let world = World::start().await;
    let provider = world.provider(CHANNEL);
    let question = |words: &str| json!({ "question": words, "payload": "open" });
    let set = async |questions: Vec<Value>| {
        let all = json!([{ "call_to_actions": questions, "locale": "default" }]);
        provider.old_call(&OldCall::SetIceBreakers { all }).await
    };
    set(vec![question("Are you open?")]).await.unwrap();
    let shown = provider.old_call(&OldCall::IceBreakers).await.unwrap();
    assert_eq!(shown["data"][0]["call_to_actions"], json!([question("Are you open?")]));
    for wrong in [Vec::new(), vec![question("?"); 5], vec![question(&"a".repeat(81))]] {
        assert!(matches!(set(wrong).await, Err(CallError::Refused { .. })));
    }
    provider.old_call(&OldCall::RemoveIceBreakers).await.unwrap();
    assert_eq!(provider.old_call(&OldCall::IceBreakers).await, Ok(json!({ "data": [] })));
}

#[tokio::test]
async fn quick_replies_go_with_a_text() {
    let world = World::start().await;
    let provider = world.provider(CHANNEL);
    world.customer(writes("Hello")).await;
    let with = |titles: &[&str]| {
        let reply = |title: &&str| json!({ "content_type": "text", "title": title, "payload": title });
        let options = json!({ "quick_replies": titles.iter().map(reply).collect::<Vec<_>>() });
        Outgoing { provider_options: Some(options), ..text(CUSTOMER, "Today?", 1) }
    };
    id_of(&provider.send(&with(&["Yes", "No"])).await);
    assert_eq!(world.ledger("instagram").await[0]["method"], "send_quick_replies");
    for wrong in [&["a title that is too long"][..], &["a"; 14], &[]] {
        let refused = provider.send(&with(wrong)).await;
        assert!(matches!(refused, Outcome::Rejected { .. }), "{refused:?}");
    }
}
