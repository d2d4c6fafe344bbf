//! A mailbox: mails go out, come in, come back and go wrong.

use std::sync::Arc;
use std::time::Duration;

use channels::{Deed, Polled, Provider};
use config::ChannelKind;
use delivery::MessageLookup;
use domain::inbound::{InboundChange, InboundKind, InboundReceipt};
use domain::media::MediaForm;
use domain::outcome::{HoldScope, SentIds};
use domain::text::{Entity, EntityKind, FormattedText};
use domain::{ExternalChat, MessageOrigin, Outcome, ProviderId, Timestamp};
use serde_json::{Value, json};

use crate::it::support::{World, content_of, id_of, md5, messages, text};

const ANNA: &str = "anna@example.org";

/// A mailbox that is read up to now.
struct Fixture {
    world: World,
    provider: Arc<dyn Provider>,
    cursor: String,
}

impl Fixture {
    async fn open() -> Self {
        let world = World::start().await;
        let provider = world.provider(ChannelKind::Email);
        let cursor = poll(&*provider, None).await.cursor.unwrap();
        Self { world, provider, cursor }
    }

    /// What a poll brings.
    async fn polled(&mut self) -> Polled {
        let polled = poll(&*self.provider, Some(&self.cursor)).await;
        self.cursor = polled.cursor.clone().unwrap();
        polled
    }

    async fn writes(&mut self, mut deed: Value) -> (Value, Polled) {
        deed["channel"] = "email".into();
        let done = self.world.customer(deed).await;
        (done, self.polled().await)
    }

    async fn ledger(&self) -> Vec<Value> {
        self.world.ledger("email").await
    }
}

async fn poll(provider: &dyn Provider, cursor: Option<&str>) -> Polled {
    provider.poll(cursor).expect("it can be asked").await.unwrap()
}

#[tokio::test]
async fn mails_are_answered_in_their_thread() {
    let mut fixture = Fixture::open().await;
    let identity = fixture.provider.check().await.unwrap();
    assert_eq!((identity.id.as_str(), identity.missing.len()), ("shop@example.com", 0));
    // The poll waits while the mail is on its way.
    let waiting = fixture.provider.poll(Some(&fixture.cursor)).unwrap();
    let write = json!({"channel": "email", "from": ANNA, "name": "Анна", "subject": "Цена", "text": "Сколько стоит?"});
    let (done, polled) = tokio::join!(fixture.world.customer(write), waiting);
    let polled = polled.unwrap();
    fixture.cursor = polled.cursor.clone().unwrap();
    let received = messages(&polled.events);
    assert_eq!((received.len(), received[0].text.as_str()), (1, "Сколько стоит?"));
    assert_eq!(Value::from(received[0].chat.as_str()), done["chat_id"]);
    assert_eq!(Value::from(received[0].external_id.as_str()), done["message_id"]);
    assert_eq!((received[0].origin, received[0].name.as_deref()), (MessageOrigin::Person, Some("Анна")));
    let proved = domain::ProvedContact::new(ANNA, domain::ContactProof::Mail);
    assert_eq!((received[0].sender_proof, received[0].email.as_ref()), (proved.proof, Some(&proved)));
    assert!(received[0].raw.as_deref().unwrap().contains("Цена"));

    let chat = received[0].chat.clone();
    let answer = text(chat.as_str(), "Сто рублей.\nС доставкой.", 7);
    let sent = id_of(&fixture.provider.send(&answer).await);
    assert_eq!(sent, id_of(&fixture.provider.send(&answer).await), "the same in each attempt");
    let ledger = fixture.ledger().await;
    assert_eq!(ledger[0]["external_id"], sent.as_str());
    assert_eq!(ledger[0]["chat_id"], chat.as_str());
    assert_eq!(ledger[0]["text"].as_str().unwrap().replace('\r', ""), "Сто рублей.\nС доставкой.");

    // The customer answers and quotes; the owner answers in a mail program.
    let quoting = format!("Беру\n\n01.11.2026 10:00, shop@example.com пишет:\n> {}", "Сто рублей.");
    let (_, polled) = fixture.writes(json!({"from": ANNA, "text": quoting})).await;
    let received = messages(&polled.events);
    assert_eq!((received[0].text.as_str(), received[0].chat.clone()), ("Беру", chat.clone()));
    assert_eq!(received[0].reply_to.as_deref(), Some(sent.as_str()));
    let (_, polled) = fixture.writes(json!({"from": ANNA, "action": "owner_writes", "text": "Ждём"})).await;
    let received = messages(&polled.events);
    assert_eq!(
        (received[0].origin, &received[0].chat, received[0].user.as_deref()),
        (MessageOrigin::Owner, &chat, Some(ANNA))
    );

    // Where the server keeps what is sent, our own mail comes back under its id.
    let copy = json!({"from": ANNA, "action": "owner_writes", "text": "x", "extra": {"id": sent}});
    let (_, polled) = fixture.writes(copy).await;
    let received = messages(&polled.events);
    assert_eq!((received[0].external_id.as_str(), received[0].origin), (sent.as_str(), MessageOrigin::Owner));
    // A mail to an address alone begins a thread, which goes on there.
    let new = id_of(&fixture.provider.send(&text("boris@example.org", "Hello\nBoris", 8)).await);
    assert_ne!(new, sent);
    let (done, polled) = fixture.writes(json!({"from": "boris@example.org", "text": "Yes?"})).await;
    assert_eq!(done["chat_id"], "boris@example.org");
    assert_eq!(messages(&polled.events)[0].chat.as_str(), "boris@example.org");
    let again = fixture.provider.send(&text("boris@example.org", "Well", 9)).await;
    assert_eq!(fixture.ledger().await.last().unwrap()["chat_id"], "boris@example.org", "{again:?}");
}

#[tokio::test]
async fn files_go_both_ways_and_mails_are_marked_read() {
    let mut fixture = Fixture::open().await;
    let content = b"content\r\n.\r\n\x00\xff";
    let mut outgoing = text(ANNA, "Bold words", 3);
    outgoing.text.entities = vec![Entity { offset: 0, length: 4, kind: EntityKind::Bold }];
    outgoing.file = Some(fixture.world.file(MediaForm::Document, "счёт.pdf", "application/pdf", content));
    id_of(&fixture.provider.send(&outgoing).await);
    let row = fixture.ledger().await.pop().unwrap();
    assert_eq!((&row["text"], &row["file_md5"]), (&json!("Bold words"), &json!(md5(content))));
    let mut formatted = text(ANNA, "", 4);
    formatted.text = FormattedText {
        text: "a < b".to_owned(),
        entities: vec![Entity { offset: 0, length: 5, kind: EntityKind::Italic }],
    };
    id_of(&fixture.provider.send(&formatted).await);
    assert_eq!(fixture.ledger().await.pop().unwrap()["text"], "a < b");

    let media = json!([{"kind": "image"}, {"kind": "document", "name": "смета.pdf", "content": "AAH/"}]);
    let (done, polled) =
        fixture.writes(json!({"from": ANNA, "text": "Here", "media": media, "times": 2})).await;
    // It is in the mailbox twice, under one key.
    assert_eq!((polled.events.len(), &polled.events[0].key), (2, &polled.events[1].key));
    let received = messages(&polled.events);
    let [picture, paper] = received[0].media.as_slice() else { panic!("{:?}", received[0].media) };
    assert_eq!((picture.kind, paper.kind), (InboundKind::Image, InboundKind::Document));
    assert_eq!((paper.name.as_deref(), paper.size), (Some("смета.pdf"), Some(3)));
    let fetched = fixture.provider.fetch(paper, 100).await.unwrap();
    assert_eq!((fetched.mime.as_deref(), fetched.size), (Some("application/pdf"), Some(3)));
    assert_eq!(content_of(fetched).await, [0, 1, 255]);
    assert!(fixture.provider.fetch(paper, 2).await.is_err());

    let chat = ExternalChat::new(done["chat_id"].as_str().unwrap()).unwrap();
    for external_id in [None, done["message_id"].as_str().map(str::to_owned)] {
        fixture.provider.act(&chat, &Deed::MarkRead { external_id }).await.unwrap();
    }
    assert!(fixture.provider.act(&chat, &Deed::Typing).await.is_err());
    // A mail that is too large is named, and stays where it is.
    let (_, polled) = fixture
        .writes(json!({"from": ANNA, "extra": {"size": 40_000_000, "headers": {}}, "text": "Big"}))
        .await;
    let received = messages(&polled.events);
    assert_eq!(
        (received[0].media[0].size, received[0].media[0].kind),
        (Some(40_000_000), InboundKind::Other)
    );
    assert!(fixture.provider.fetch(&received[0].media[0], 100).await.is_err());
}

#[tokio::test]
async fn programs_are_no_persons_and_bounces_are_failures() {
    let mut fixture = Fixture::open().await;
    for headers in [
        json!({"Auto-Submitted": "auto-replied"}),
        json!({"Precedence": "bulk"}),
        json!({"List-Id": "<news.example.org>", "List-Unsubscribe": "<mailto:x@example.org>"}),
    ] {
        let (_, polled) =
            fixture.writes(json!({"from": ANNA, "text": "I am away", "extra": {"headers": headers}})).await;
        assert_eq!(messages(&polled.events)[0].origin, MessageOrigin::Bot);
    }
    let (_, polled) =
        fixture.writes(json!({"from": "no-reply@example.org", "text": "x", "forged": true})).await;
    let received = messages(&polled.events);
    assert_eq!(received[0].origin, MessageOrigin::Bot);
    assert_eq!(received[0].sender_proof, domain::ContactProof::Typed);
    assert!(received[0].raw.as_deref().unwrap().contains("dmarc=fail"));
    let mut mail = json!({"from": ANNA, "subject": "Цена", "text": "x"});
    let (_, polled) = fixture.writes(mail.clone()).await;
    let chat = messages(&polled.events)[0].chat.clone();
    mail["forged"] = true.into();
    let (_, polled) = fixture.writes(mail).await;
    let forged = messages(&polled.events)[0];
    assert_eq!(forged.sender_proof, domain::ContactProof::Typed);
    assert_ne!(forged.chat, chat, "a forged mail of the same subject is in a thread of its own");

    id_of(&fixture.provider.send(&text(ANNA, "Hello", 1)).await);
    let (_, polled) = fixture.writes(json!({"from": ANNA, "action": "undeliver"})).await;
    let InboundChange::Receipt { receipt, .. } = &polled.events[0].change else { panic!("{polled:?}") };
    assert_eq!(*receipt, InboundReceipt::Failed("5.1.1 smtp; 550 no such mailbox".to_owned()));

    // A mail in an old alphabet, without an id, and one that is broken.
    let old = "From: <Anna@Example.org>\nTo: shop@example.com\nSubject: =?windows-1251?B?z/Do4uXy?=\nContent-Type: text/html\n\n";
    for body in ["<p>One &amp; two</p>", ""] {
        let raw = format!("{old}{body}");
        let (_, polled) = fixture.writes(json!({"from": ANNA, "extra": {"raw": raw}})).await;
        let received = messages(&polled.events);
        assert_eq!(received[0].text.as_str(), if body.is_empty() { "Привет" } else { "One & two" });
        assert_eq!((received[0].external_id.len(), received[0].user.as_deref()), (24, Some(ANNA)));
    }
    let broken = "no header at all\n\n--x\n";
    let (_, polled) = fixture.writes(json!({"from": ANNA, "extra": {"raw": broken}})).await;
    let received = messages(&polled.events);
    assert_eq!((received[0].user.as_deref(), received[0].origin), (None, MessageOrigin::Person));
    assert!(received[0].is_for_people, "no program answers it");
    // The mailbox gets other numbers: the same mails have the same keys.
    let (done, polled) =
        fixture.writes(json!({"from": ANNA, "text": "After", "extra": {"renumber": true}})).await;
    assert!(polled.events.len() > 5, "{}", polled.events.len());
    let last = messages(&polled.events).pop().unwrap();
    assert_eq!(Value::from(last.external_id.as_str()), done["message_id"]);
    let keys: Vec<&str> = polled.events.iter().map(|event| event.key.as_str()).collect();
    assert!(keys.iter().all(|key| key.starts_with("mail:") || key.starts_with("report:")), "{keys:?}");
}

#[tokio::test]
async fn each_refusal_of_a_send_has_its_outcome() {
    let fixture = Fixture::open().await;
    let send = |to: &str| {
        let (outgoing, provider) = (text(to, "Hello", 1), Arc::clone(&fixture.provider));
        async move { provider.send(&outgoing).await }
    };
    assert!(matches!(send("unknown@example.org").await, Outcome::NotFound(_)));
    assert!(matches!(send("no address").await, Outcome::NotFound(_)));
    assert!(matches!(send("full@example.org").await, Outcome::Forbidden(_)));
    let later = send("greylist@example.org").await;
    assert!(matches!(later, Outcome::Held { scope: HoldScope::Chat, .. }), "{later:?}");
    assert!(matches!(send("greylist@example.org").await, Outcome::Sent(_)));
    fixture.world.customer(json!({"channel": "email", "from": ANNA, "action": "block"})).await;
    assert!(matches!(send(ANNA).await, Outcome::Forbidden(_)));
    fixture.world.customer(json!({"channel": "email", "from": ANNA, "action": "unblock"})).await;
    // A header cannot be put into a mail.
    let mut odd = text(ANNA, "Hello\r\nBcc: all@example.com\r\n\r\nx", 2);
    odd.reply_to = Some(ProviderId::from("a@b>\r\nBcc: all@example.com"));
    odd.file = Some(fixture.world.file(MediaForm::Document, "a\"b.txt", "text/plain\r\nBcc: x", b"x"));
    assert!(matches!(fixture.provider.send(&odd).await, Outcome::Sent(_)));
    let before = fixture.ledger().await.len();
    for (order, is_held) in [
        (json!({"fault": "rate_limit", "method": "rcpt"}), true),
        (json!({"fault": "error", "method": "mail", "code": 451, "message": "4.3.0 later"}), true),
        (json!({"fault": "token_expired", "method": "auth"}), false),
        (json!({"fault": "cut", "method": "rcpt"}), false),
    ] {
        let mut order = order;
        (order["provider"], order["times"]) = ("email".into(), 1.into());
        fixture.world.fault(order.clone()).await;
        let outcome = send(ANNA).await;
        assert!(outcome.proves_unsent(), "{order} {outcome:?}");
        assert_eq!(matches!(outcome, Outcome::Held { .. }), is_held, "{order} {outcome:?}");
    }
    assert_eq!(fixture.ledger().await.len(), before);
    // After the last line of the mail nothing is certain.
    let order = json!({"provider": "email", "method": "data", "fault": "error", "code": 354, "times": 1});
    fixture.world.fault(order).await;
    let outcome = send(ANNA).await;
    assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
    fixture
        .world
        .fault(json!({"provider": "email", "method": "data", "fault": "deaf", "times": 1, "effect": true}))
        .await;
    let setup = World::setup(fixture.world.fields(ChannelKind::Email));
    let clock = setup.clock.clone();
    let provider = channels::make(setup).unwrap();
    let outgoing = text(ANNA, "Hello", 3);
    let late = async {
        while fixture.ledger().await.len() < before + 1 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        clock.advance(Duration::from_mins(6));
    };
    let (outcome, ()) = tokio::join!(provider.send(&outgoing), late);
    assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
    // Where the server keeps what it took, the doubt ends. Elsewhere that there is none proves nothing.
    let since = Timestamp::from_micros(0);
    assert_eq!(provider.find(&outgoing, since).await, MessageLookup::CannotTell);
    let id = "0000000000000003.0@example.com";
    let copy = json!({"channel": "email", "from": ANNA, "action": "owner_writes", "text": "Hello", "extra": {"id": id}});
    fixture.world.customer(copy).await;
    assert_eq!(provider.find(&outgoing, since).await, MessageLookup::Here(SentIds::one(Some(id))));
    assert_eq!(provider.find(&text(ANNA, "Hello", 4), since).await, MessageLookup::CannotTell);

    // A poll that fails takes nothing: the next one brings it.
    fixture.world.customer(json!({"channel": "email", "from": ANNA, "text": "Still there?"})).await;
    for fault in ["cut", "garbage", "error"] {
        fixture
            .world
            .fault(json!({"provider": "email", "method": "fetch", "fault": fault, "times": 1}))
            .await;
        let polled = fixture.provider.poll(Some(&fixture.cursor)).unwrap().await;
        assert!(polled.is_err(), "{fault} {polled:?}");
    }
    // The copy that the server kept is the owner's.
    assert_eq!(poll(&*fixture.provider, Some(&fixture.cursor)).await.events.len(), 2);
    let mut wrong = fixture.world.fields(ChannelKind::Email);
    let address = format!("imap://shop:planted-word@{}", &wrong.imap.as_ref().map(host).unwrap());
    wrong.imap = Some(address.into());
    let refused = channels::make(World::setup(wrong)).unwrap().check().await.unwrap_err();
    assert!(refused.stops_account() && !refused.to_string().contains("planted"), "{refused}");
}

fn host(address: &domain::SecretText) -> String {
    use domain::secret::ExposeSecret;
    address.expose_secret().rsplit('@').next().unwrap().to_owned()
}
