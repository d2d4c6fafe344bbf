//! The message centre: texts leave in parts, and what it delivers is answered once it is kept.

use std::sync::Arc;
use std::time::Duration;

use channels::{CallError, Outgoing, Polled, Provider, SetupError};
use config::{ChannelFields, ReceiveBy};
use domain::outcome::HoldScope;
use domain::{InboundChange, InboundReceipt, Outcome, ProviderId};
use futures::FutureExt;
use serde_json::{Value, json};

use crate::it::support::{World, messages, text};

const PHONE: &str = "+70000000001";

fn fields(world: &World, options: &str) -> ChannelFields {
    let mut fields = world.fields_of("texts_smpp");
    let address = fields.smpp.take().unwrap();
    fields.smpp = Some(format!("{}{options}", domain::secret::ExposeSecret::expose_secret(&address)).into());
    fields
}

fn provider(world: &World, options: &str) -> Arc<dyn Provider> {
    channels::make(World::setup(fields(world, options))).unwrap()
}

fn id_of(outcome: &Outcome) -> String {
    let Outcome::Sent(ids) = outcome else { panic!("{outcome:?}") };
    let Some(ProviderId::Text(id)) = ids.first() else { panic!("{outcome:?}") };
    id.to_string()
}

fn deed(more: &Value) -> Value {
    let mut deed = json!({"channel": "sms", "account": "texts_smpp", "from": PHONE});
    deed.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    deed
}

async fn polled(provider: &Arc<dyn Provider>, cursor: Option<&str>) -> Polled {
    provider.poll(cursor).unwrap().await.unwrap()
}

fn out(phone: &str, words: &str, key: i64) -> Outgoing {
    text(phone, words, key)
}

#[tokio::test]
async fn texts_leave_in_the_alphabet_and_parts_they_need() {
    let world = World::start().await;
    for options in ["", "?long=payload"] {
        let provider = provider(&world, options);
        let identity = provider.check().await.unwrap();
        assert_eq!((identity.id.as_str(), identity.name.as_str()), ("demo", "pretend-smsc"));
        let long = "Добрый день!".repeat(20);
        for (key, words) in
            ["Yes, until 8 pm {ñ} €", "Привет 😀", &long, &"a€".repeat(100)].into_iter().enumerate()
        {
            let id = id_of(&provider.send(&out(PHONE, words, i64::try_from(key).unwrap())).await);
            let last = world.ledger("sms").await.pop().unwrap();
            assert_eq!(
                (&last["text"], &last["external_id"], &last["chat_id"]),
                (&json!(words), &json!(id), &json!(PHONE))
            );
        }
    }
    assert_eq!(world.ledger("sms").await.len(), 8);
}

#[tokio::test]
async fn the_fate_of_a_message_is_reported() {
    let world = World::start().await;
    for (options, extra) in [
        ("", json!({})),
        ("", json!({"tlv": false})),
        ("?ids=hex_in_answers", json!({"id": "decimal"})),
        ("?ids=hex_in_answers", json!({"id": "decimal", "tlv": false})),
    ] {
        let provider = provider(&world, options);
        let sent = id_of(&provider.send(&out(PHONE, "Hello", 1)).await);
        let mut cursor = None;
        for (action, wanted) in [("deliver", true), ("undeliver", false)] {
            world.customer(deed(&json!({"action": action, "extra": extra}))).await;
            let brought = polled(&provider, cursor.as_deref()).await;
            let [event] = &brought.events[..] else { panic!("{brought:?}") };
            let InboundChange::Receipt { external_id, receipt, .. } = &event.change else {
                panic!("{event:?}")
            };
            assert_eq!((external_id, *receipt == InboundReceipt::Delivered), (&sent, wanted));
            cursor = brought.cursor;
        }
        // The next poll answers what was kept.
        let next = provider.poll(cursor.as_deref()).unwrap();
        assert!(tokio::time::timeout(Duration::from_millis(200), next).await.is_err());
    }
    // A phone that takes nothing: the message is taken, and a receipt says what became of it.
    let provider = provider(&world, "");
    world.customer(deed(&json!({"action": "block"}))).await;
    let sent = id_of(&provider.send(&out(PHONE, &"long ".repeat(50), 2)).await);
    let brought = polled(&provider, None).await;
    let InboundChange::Receipt { external_id, receipt, .. } = &brought.events[0].change else {
        panic!("{brought:?}")
    };
    assert!(
        *external_id == sent && matches!(receipt, InboundReceipt::Failed(why) if why.contains("UNDELIV"))
    );
}

#[tokio::test]
async fn an_unstored_message_is_delivered_again_as_the_same() {
    let world = World::start().await;
    let long = "Ещё один вопрос о доставке. ".repeat(5);
    let setup = World::setup(fields(&world, ""));
    let first = channels::make(setup.clone()).unwrap();
    first.check().await.unwrap();
    world.customer(deed(&json!({"text": "Yes"}))).await;
    world.customer(deed(&json!({"text": long}))).await;
    let mut brought = polled(&first, None).await;
    while brought.events.len() < 2 {
        // Kept nowhere: the same poll again.
        brought = polled(&first, None).await;
    }
    let found = messages(&brought.events);
    assert_eq!(
        (&*found[0].text, &*found[1].text, found[0].phone.as_ref().map(|phone| phone.value.as_str())),
        ("Yes", long.as_str(), Some(PHONE))
    );
    // The program ends before it answers: the next connection hears all of it.
    drop(first);
    let second = channels::make(setup).unwrap();
    let mut again = polled(&second, None).await;
    while again.events.len() < 2 {
        again = polled(&second, None).await;
    }
    assert_eq!(again.events, brought.events);
    // Answered, it does not come again; the same words are a new message.
    let cursor = again.cursor.clone();
    world.customer(deed(&json!({"text": "Yes"}))).await;
    let next = polled(&second, cursor.as_deref()).await;
    let found = messages(&next.events);
    assert_eq!((found.len(), &*found[0].text), (1, "Yes"));
    assert!(again.events.iter().all(|event| event.key != next.events[0].key));
}

#[tokio::test]
async fn an_unanswered_message_comes_again_as_the_same() {
    let world = World::start().await;
    let setup = World::setup(fields(&world, ""));
    let first = channels::make(setup.clone()).unwrap();
    world.customer(deed(&json!({"text": "Yes"}))).await;
    let brought = polled(&first, None).await;
    // The connection ends between the poll and the next one, which would answer.
    world.fault(json!({"provider": "sms", "method": "submit_sm", "fault": "cut", "times": 1})).await;
    first.send(&out(PHONE, "x", 1)).await;
    while first.check().await.is_err() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let again = polled(&first, brought.cursor.as_deref()).await;
    assert_eq!(again.events, brought.events);
    // The program ends as it answers.
    assert!(first.poll(again.cursor.as_deref()).unwrap().now_or_never().is_none());
    drop(first);
    let second = channels::make(setup).unwrap();
    assert_eq!(polled(&second, again.cursor.as_deref()).await.events, brought.events);
}

#[tokio::test]
async fn a_centre_refuses_and_the_account_knows_why() {
    let world = World::start().await;
    let provider = provider(&world, "");
    let refused = provider.send(&out("+7", "x", 1)).await;
    assert!(matches!(refused, Outcome::NotFound(_)), "{refused:?}");
    for (code, wanted) in
        [(0x0A, "Rejected"), (0x0B, "NotFound"), (0x45, "Rejected"), (0x14, "Held"), (0x08, "Held")]
    {
        world
            .fault(
                json!({"provider": "sms", "method": "submit_sm", "fault": "error", "code": code, "times": 1}),
            )
            .await;
        let outcome = provider.send(&out(PHONE, "x", 2)).await;
        assert!(format!("{outcome:?}").starts_with(wanted), "{code:#x}: {outcome:?}");
    }
    world.fault(json!({"provider": "sms", "fault": "rate_limit", "times": 1})).await;
    let held = provider.send(&out(PHONE, "x", 3)).await;
    assert!(matches!(held, Outcome::Held { scope: HoldScope::Account, .. }), "{held:?}");
    for fault in ["garbage", "cut"] {
        world.fault(json!({"provider": "sms", "method": "submit_sm", "fault": fault, "times": 1})).await;
        let unclear = provider.send(&out(PHONE, "x", 4)).await;
        assert!(matches!(unclear, Outcome::Unknown(_)), "{fault}: {unclear:?}");
    }
    // Bound again by itself.
    let mut outcome = provider.send(&out(PHONE, "again", 5)).await;
    while matches!(outcome, Outcome::Unavailable(_)) {
        tokio::time::sleep(Duration::from_millis(50)).await;
        outcome = provider.send(&out(PHONE, "again", 5)).await;
    }
    id_of(&outcome);
    assert_eq!(world.ledger("sms").await.len(), 1);
}

#[tokio::test]
async fn a_wrong_password_stops_the_account() {
    let world = World::start().await;
    let mut fields = fields(&world, "");
    let address = domain::secret::ExposeSecret::expose_secret(fields.smpp.as_ref().unwrap());
    fields.smpp = Some(address.replace("planted8", "planted9").into());
    fields.receive = ReceiveBy::Off;
    let provider = channels::make(World::setup(fields)).unwrap();
    assert!(provider.poll(None).is_none());
    let error = provider.check().await.unwrap_err();
    assert!(matches!(&error, CallError::Token(why) if !why.contains("planted")), "{error:?}");
    assert!(matches!(provider.send(&out(PHONE, "x", 1)).await, Outcome::SessionLost(_)));
}

#[tokio::test]
async fn wrong_addresses_are_refused_in_words() {
    let world = World::start().await;
    for (address, wanted) in [
        ("smpp://127.0.0.1", "smpp://SYSTEM_ID:PASSWORD@HOST"),
        ("smpp://demo:much-too-long@127.0.0.1", "the password has at most 8"),
        ("smpp://demo:planted8@127.0.0.1?ids=odd", "ids=same|"),
    ] {
        let fields = ChannelFields { smpp: Some(address.into()), ..fields(&world, "") };
        let error = channels::make(World::setup(fields)).err().unwrap();
        let SetupError::Field { field: "smpp", message } = &error else { panic!("{error:?}") };
        assert!(message.contains(wanted) && !message.contains("planted"), "{message}");
    }
}
