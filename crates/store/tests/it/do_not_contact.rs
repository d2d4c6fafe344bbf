//! The do-not-contact list: what it holds, and that nothing is taken in or begun for who is on it.

use std::time::Duration;

use domain::saga::{Begun, Person, SagaState, Step};
use domain::{
    AccessHash, Address, ChannelChat, ChatId, ChatRef, Contact, ContactSource, DoNotContactId, InboundChange,
    InboundEvent, InboundMessage, Suppression, UserId,
};
use store::{AuditFilter, DoNotContactEntry, Page, PeerKind, StoreError, StoredPeer, TakenFromChannel};

use crate::support::{World, accept, accept_saga, account, begun, change, conformance, make_chat};

conformance! {
    a_contact_has_one_entry_until_it_is_removed,
    no_message_to_a_listed_contact_is_accepted_or_begun,
    no_invitation_of_a_listed_contact_is_begun,
    the_list_follows_a_group_that_became_a_supergroup,
    both_forms_of_a_number_are_one_contact,
    a_stop_refuses_advertising_and_first_messages_but_no_answers,
    a_near_miss_pauses_campaigns_until_a_person_decides,
    an_opt_out_is_of_the_person_in_every_channel_and_account,
    a_start_takes_back_the_entry_of_an_older_version,
    an_entry_goes_further_and_never_back,
}

const CLIENT: &str = "whatsapp:phone/70000000001";

/// What the client writes in its private chat.
async fn writes(world: &World, text: &str) {
    writes_in(world, CLIENT, text).await;
}

async fn writes_in(world: &World, address: &str, text: &str) {
    let ChannelChat { channel, account, chat } = address.parse().unwrap();
    world.clock.advance(Duration::from_secs(1));
    let key = world.now().to_string();
    let message = InboundMessage::private(chat, &key, text, world.now());
    let events = vec![InboundEvent { key, change: InboundChange::Message(Box::new(message)) }];
    let taken = TakenFromChannel { channel, account, events, cursor: None, stores_files: false };
    world.store.channels().take(taken).await.unwrap();
}

/// Whether a message of this listener to the client is accepted.
async fn accepts(world: &World, listener: &str) -> bool {
    let chat: ChannelChat = CLIENT.parse().unwrap();
    let mut message = world.message(1);
    (message.chat, message.address) = (ChatRef::Channel(chat.clone()), Some(Address::Channel(chat)));
    let mut accept = accept(message);
    accept.origin.listener = listener.to_owned();
    match world.store.outbox().accept(accept).await {
        Ok(_) => true,
        Err(StoreError::DoNotContact { .. }) => false,
        Err(other) => panic!("{other}"),
    }
}

async fn audited(world: &World, action: &str) -> usize {
    let filter = AuditFilter { action: Some(action.to_owned()), ..AuditFilter::default() };
    let page = Page { limit: 100, cursor: None };
    world.store.audit().list(&filter, &page).await.unwrap().items.len()
}

async fn a_stop_refuses_advertising_and_first_messages_but_no_answers(world: World) {
    writes(&world, "Где мой заказ?").await;
    assert!(accepts(&world, "v1").await && accepts(&world, "campaigns").await);
    writes(&world, "Хватит!").await;
    assert!(!accepts(&world, "v1").await && !accepts(&world, "campaigns").await);
    // A second stop is no question.
    writes(&world, "Отпишите меня от рассылки").await;
    assert!(!accepts(&world, "v1").await);
    assert_eq!(audited(&world, "answer_do_not_contact").await, 0);
    writes(&world, "А заказ когда придёт?").await;
    assert!(accepts(&world, "v1").await && !accepts(&world, "campaigns").await);
    assert_eq!(audited(&world, "answer_do_not_contact").await, 1);
    world.clock.advance(Duration::from_hours(7 * 24 + 1));
    assert!(!accepts(&world, "v1").await, "it asked too long ago");
    writes(&world, "START").await;
    assert!(accepts(&world, "v1").await && accepts(&world, "campaigns").await);
    assert_eq!(
        (audited(&world, "take_back_opt_out").await, audited(&world, "answer_do_not_contact").await),
        (1, 1)
    );
    // A START that is older than the stop takes nothing back.
    writes(&world, "Стоп").await;
    let stopped = world.now();
    for (at, accepted) in [(stopped.minus(Duration::from_mins(1)), false), (stopped, true)] {
        world.store.do_not_contact().take_back(CLIENT.parse().unwrap(), at).await.unwrap();
        assert_eq!(accepts(&world, "campaigns").await, accepted);
    }
    // What a person entered holds for answers too, and no client takes it back.
    world.store.do_not_contact().add(vec![entry(&world, CLIENT)]).await.unwrap();
    for text in ["А заказ когда придёт?", "START"] {
        writes(&world, text).await;
        assert!(!accepts(&world, "v1").await, "{text}");
    }
}

async fn a_near_miss_pauses_campaigns_until_a_person_decides(world: World) {
    let list = world.store.do_not_contact();
    for (refuses, level) in [(false, None), (true, Some(Suppression::Advertising))] {
        writes(&world, "Не пишите мне так поздно").await;
        assert!(accepts(&world, "v1").await && !accepts(&world, "campaigns").await);
        let paused = list.find(&CLIENT.parse().unwrap()).await.unwrap().unwrap();
        assert_eq!(paused.level, Suppression::Paused);
        assert_eq!(list.decide(paused.id, refuses).await, Ok(true));
        assert_eq!(list.decide(paused.id, refuses).await, Ok(false), "it is decided");
        let left = list.find(&CLIENT.parse().unwrap()).await.unwrap();
        assert_eq!(left.map(|entry| entry.level), level);
        assert_eq!(accepts(&world, "campaigns").await, !refuses);
    }
    // It is the client's own wish as before.
    writes(&world, "Старт").await;
    assert!(accepts(&world, "campaigns").await);
}

async fn an_opt_out_is_of_the_person_in_every_channel_and_account(world: World) {
    let list = world.store.do_not_contact();
    let peer = StoredPeer {
        chat_id: ChatId::user(6_000_000_013).unwrap(),
        access_hash: AccessHash(1),
        username: Some("client_13".parse().unwrap()),
        title: "Anna".into(),
        kind: PeerKind::User,
        dialog: false,
        phone: None,
        contact: false,
    };
    world.store.peers().save(&account("main"), vec![peer]).await.unwrap();
    for (writes_to, others, starts_in) in [
        (
            "sms:texts/+79010003004",
            &["sms:texts_smpp/+79010003004", "whatsapp:phone/79010003004@c.us"][..],
            "whatsapp:phone/79010003004@c.us",
        ),
        ("email:main/x@example.org#1", &["email:other/x@example.org"][..], "email:other/x@example.org#2"),
        (
            "telegram:bot/6000000013",
            &["telegram:other/6000000013", "telegram:bot/Abc:6000000013", "6000000013"][..],
            "telegram:bot/Abc:6000000013",
        ),
    ] {
        let listed = async || {
            let chats = others.iter().map(|chat| (chat.parse().unwrap(), None)).collect();
            let found = list.listed(chats).await.unwrap();
            found.iter().filter(|entry| entry.is_some()).count()
        };
        assert_eq!(listed().await, 0, "{writes_to}");
        writes_in(&world, writes_to, "Стоп").await;
        assert_eq!(listed().await, others.len(), "{writes_to}");
        writes_in(&world, starts_in, "START").await;
        assert_eq!(listed().await, 0, "{writes_to}");
    }
    // An entry by a name that accounts know holds for a bot too.
    list.add(vec![entry(&world, "@client_13")]).await.unwrap();
    let of_bot = list.listed(vec![("telegram:bot/6000000013".parse().unwrap(), None)]).await.unwrap();
    assert!(of_bot[0].is_some());
}

async fn a_start_takes_back_the_entry_of_an_older_version(world: World) {
    let list = world.store.do_not_contact();
    let contact = Contact::as_written(&CLIENT.parse().unwrap());
    let level = Suppression::Advertising;
    let old = DoNotContactEntry { contact, level, source: ContactSource::OptOut, ..entry(&world, CLIENT) };
    list.add(vec![old]).await.unwrap();
    assert!(!accepts(&world, "campaigns").await);
    writes(&world, "START").await;
    assert!(accepts(&world, "campaigns").await);
}

async fn an_entry_goes_further_and_never_back(world: World) {
    let list = world.store.do_not_contact();
    let levels = [Suppression::Paused, Suppression::All, Suppression::Advertising, Suppression::All];
    let mut added = Vec::new();
    for level in levels {
        let entry = DoNotContactEntry { level, ..entry(&world, CLIENT) };
        added.push(list.add(vec![entry]).await.unwrap().len());
    }
    assert_eq!(added, [1, 1, 0, 0]);
    assert_eq!(list.find(&CLIENT.parse().unwrap()).await.unwrap().unwrap().level, Suppression::All);
}

fn entry(world: &World, contact: &str) -> DoNotContactEntry {
    DoNotContactEntry {
        id: DoNotContactId::from_uuid(world.ids.next()),
        contact: contact.parse().unwrap(),
        source: ContactSource::Api,
        added_by: "anna".into(),
        reason: Some("asked to stop".into()),
        added_at: world.now(),
        level: Suppression::All,
    }
}

async fn a_contact_has_one_entry_until_it_is_removed(world: World) {
    let list = world.store.do_not_contact();
    let contacts = ["777", "@client_1", "+70000000001", "name@example.com"];
    let entries: Vec<_> = contacts.iter().map(|contact| entry(&world, contact)).collect();
    assert_eq!(list.add(entries.clone()).await, Ok(entries.clone()));
    let again = vec![entry(&world, "tg://user?id=777"), entry(&world, "8 000 000-00-01")];
    assert_eq!(list.add(again).await, Ok(Vec::new()));
    let mut page = Page { limit: 3, cursor: None };
    let first = list.list(&page).await.unwrap();
    page.cursor = first.next_cursor;
    let second = list.list(&page).await.unwrap();
    let listed: Vec<_> = first.items.into_iter().chain(second.items).collect();
    assert_eq!((listed, second.next_cursor), (entries.iter().rev().cloned().collect(), None));
    let phone: Contact = "+70000000001".parse().unwrap();
    assert_eq!(list.find(&phone).await, Ok(Some(entries[2].clone())));
    assert_eq!(list.remove(entries[2].id).await, Ok(true));
    assert_eq!(list.remove(entries[2].id).await, Ok(false));
    assert_eq!(list.find(&phone).await, Ok(None));
}

async fn the_list_follows_a_group_that_became_a_supergroup(world: World) {
    let (group, supergroup) = (ChatId::group(6).unwrap(), ChatId::channel(60).unwrap());
    let list = world.store.do_not_contact();
    for (listed, written_to) in [(group, supergroup), (supergroup, group)] {
        let entry = entry(&world, &listed.to_string());
        list.add(vec![entry.clone()]).await.unwrap();
        let chat = |id| vec![(ChatRef::Id(id), Some(id))];
        assert_eq!(list.listed(chat(listed)).await, Ok(vec![Some(entry.clone())]));
        world.store.peers().migrated(group, supergroup).await.unwrap();
        assert_eq!(list.listed(chat(written_to)).await, Ok(vec![Some(entry.clone())]), "{written_to}");
        assert_eq!(list.listed(chat(ChatId::channel(61).unwrap())).await, Ok(vec![None]));
        list.remove(entry.id).await.unwrap();
    }
}

async fn both_forms_of_a_number_are_one_contact(world: World) {
    let list = world.store.do_not_contact();
    for (listed, chat) in [
        ("+52 55 1234 5678", "whatsapp:main/5215512345678@c.us"),
        ("+54 11 4321-0000", "whatsapp:main/5491143210000@c.us"),
        ("+55 11 98765-4321", "whatsapp:main/551187654321@c.us"),
        ("(900)0007711", "sms:main/+79000007711"),
    ] {
        let entry = entry(&world, listed);
        list.add(vec![entry.clone()]).await.unwrap();
        let listed = list.listed(vec![(chat.parse().unwrap(), None)]).await;
        assert_eq!(listed, Ok(vec![Some(entry.clone())]), "{chat}");
        let mut message = world.message(1);
        (message.chat, message.address) = (chat.parse().unwrap(), None);
        let refused = world.store.outbox().accept(accept(message)).await;
        assert_eq!(refused, Err(StoreError::DoNotContact { entry: entry.id }), "{chat}");
    }
    let other: Contact = "+54 9 11 4321-0000".parse().unwrap();
    assert!(list.find(&other).await.unwrap().is_some());
}

async fn no_message_to_a_listed_contact_is_accepted_or_begun(world: World) {
    let (outbox, list) = (world.store.outbox(), world.store.do_not_contact());
    let user = ChatId::user(777).unwrap();
    let peer = StoredPeer {
        chat_id: user,
        access_hash: AccessHash(1),
        username: Some("client_1".parse().unwrap()),
        title: "Anna".into(),
        kind: PeerKind::User,
        dialog: false,
        phone: Some("70000000001".into()),
        contact: false,
    };
    world.store.peers().save(&account("main"), vec![peer]).await.unwrap();
    let mut waiting = world.message(1);
    (waiting.chat, waiting.address) = ("@client_1".parse().unwrap(), None);
    outbox.accept(accept(waiting.clone())).await.unwrap();
    for contact in ["777", "@client_1", "+70000000001"] {
        let entry = entry(&world, contact);
        let refused = StoreError::DoNotContact { entry: entry.id };
        list.add(vec![entry.clone()]).await.unwrap();
        for chat_id in [None, Some(user)] {
            let mut message = world.message(1);
            (message.chat, message.address) = (ChatRef::Id(user), chat_id.map(Into::into));
            for message in [message.clone(), begun(message)] {
                assert_eq!(outbox.accept(accept(message.clone())).await, Err(refused.clone()));
                assert_eq!(outbox.get(message.id).await, Ok(None));
            }
        }
        let begin = store::Begin {
            id: waiting.id,
            account: account("main"),
            address: user.into(),
            part: 0,
            plan: None,
            failover: None,
            passed_over: None,
            at: world.now(),
        };
        assert_eq!(outbox.begin(begin.clone()).await, Err(refused));
        assert_eq!(outbox.get(waiting.id).await, Ok(Some(waiting.clone())), "nothing was written");
        list.remove(entry.id).await.unwrap();
    }
    // A number that was written without a plus is a phone as well.
    list.add(vec![entry(&world, "+70000000001")]).await.unwrap();
    let mut message = world.message(1);
    (message.chat, message.address) = ("70000000001".parse().unwrap(), None);
    assert!(matches!(outbox.accept(accept(message)).await, Err(StoreError::DoNotContact { .. })));
    // And all others have their messages.
    outbox.accept(accept(world.message(1))).await.unwrap();
}

async fn no_invitation_of_a_listed_contact_is_begun(world: World) {
    let sagas = world.store.sagas();
    let mut saga = world.saga(make_chat("Demo"));
    sagas.accept(accept_saga(saga.clone())).await.unwrap();
    let listed = entry(&world, "777");
    world.store.do_not_contact().add(vec![listed.clone()]).await.unwrap();
    let mut member: domain::saga::Member =
        serde_json::from_value(serde_json::json!({ "who": "@demo_main", "role": "member" })).unwrap();
    let user_id = UserId::new(777).expect("an id");
    member.person = Some(Person { user_id, is_bot: false });
    saga.progress.members = vec![member];
    saga.state = SagaState::Running;
    saga.account = Some(account("main"));
    saga.begun = Some(Begun { step: Step::Invite { users: vec![user_id] }, at: world.now() });
    let refused = sagas.begin(change(saga.clone())).await;
    assert_eq!(refused, Err(StoreError::DoNotContact { entry: listed.id }));
    assert_eq!(world.get_saga(saga.id).await.state, SagaState::Queued);
}
