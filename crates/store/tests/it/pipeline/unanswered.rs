//! Whom no program answers.

use std::time::Duration;

use domain::message::Writer;
use domain::{
    AppealState, ChannelChat, ChatRef, Contact, ContactProof, ExternalChat, InboundChange, InboundEvent,
    InboundKind, InboundMedia, InboundMessage, Responder, SpokenText, TurnStage,
};
use store::{
    AppealChange, BY_AI, BY_PROGRAM, ClientFields, HandInOutcome, InboundFilter, Page, PipelineRules,
    TakenFromChannel, TurnAnswer,
};

use super::{ANNA, SILENCE, Written, started, written};
use crate::support::{World, accept, conformance};

conformance! {
    a_client_who_opts_out_is_listed_and_not_answered,
    a_client_who_may_opt_out_is_for_a_person,
    a_form_with_the_id_of_another_one_is_kept,
    a_message_that_is_edited_into_a_refusal_counts,
    only_its_writer_takes_a_refusal_back,
    an_eleventh_mail_of_a_day_is_for_a_person,
    a_mail_that_no_program_may_answer_is_for_a_person,
    an_answer_that_promises_a_person_calls_one,
    what_is_taken_back_before_the_answer_is_not_answered,
    a_message_that_says_nothing_starts_no_answer,
    an_id_that_is_handed_in_with_another_chat_or_text_is_a_conflict,
}

impl World {
    /// A client writes and has finished.
    async fn finishes(&self, address: &str, id: &str, rules: &PipelineRules) {
        self.says(Written { phone: Some("+70000000001"), ..written(address, id) }).await;
        self.work(rules).await;
        self.clock.advance(SILENCE);
        self.work(rules).await;
    }
}

async fn a_client_who_opts_out_is_listed_and_not_answered(world: World) {
    let rules = started(&world, Responder::Ai).await;
    let ChannelChat { channel, account, chat } = ANNA.parse().unwrap();
    let message = InboundMessage::private(chat, "m-1", "Стоп", world.now());
    let change = InboundChange::Message(Box::new(message));
    let events = vec![InboundEvent { key: "m-1".to_owned(), change }];
    let taken = TakenFromChannel { channel, account, events, cursor: None, stores_files: false };
    world.store.channels().take(taken).await.unwrap();
    world.work(&rules).await;
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    assert_eq!(world.responding().await, []);
    let listed = world.store.do_not_contact().find(&ANNA.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(listed.source, domain::ContactSource::OptOut);
}

async fn a_client_who_may_opt_out_is_for_a_person(world: World) {
    let rules = started(&world, Responder::Ai).await;
    for (address, text, is_for_a_person) in [
        ("whatsapp:phone/70000000001@c.us", "Не пишите мне так поздно", true),
        ("whatsapp:phone/70000000002@c.us", "Напишите мне, когда будет готово", false),
        ("whatsapp:phone/70000000003@c.us", "Хочу отписаться, но сохранить скидку", true),
    ] {
        let before = world.responding().await.len();
        let ChannelChat { channel, account, chat } = address.parse().unwrap();
        let message = InboundMessage::private(chat, address, text, world.now());
        let change = InboundChange::Message(Box::new(message));
        let events = vec![InboundEvent { key: address.to_owned(), change }];
        let taken = TakenFromChannel { channel, account, events, cursor: None, stores_files: false };
        world.store.channels().take(taken).await.unwrap();
        world.work(&rules).await;
        world.clock.advance(SILENCE);
        world.work(&rules).await;
        assert_eq!(world.responding().await.len() - before, usize::from(!is_for_a_person), "{text}");
        let client = world.client_of(address).await;
        let appeal = world.store.pipeline().appeals_of(client, 1).await.unwrap().remove(0);
        assert_eq!(appeal.responder == Some(Responder::Human), is_for_a_person, "{text}");
    }
}

impl World {
    async fn reports(&self, address: &str, key: &str, change: InboundChange) {
        let ChannelChat { channel, account, .. } = address.parse().unwrap();
        let events = vec![InboundEvent { key: key.to_owned(), change }];
        let taken = TakenFromChannel { channel, account, events, cursor: None, stores_files: false };
        self.store.channels().take(taken).await.unwrap();
    }

    async fn takes_back(&self, address: &str, id: &str) {
        let change = InboundChange::Deleted { external_id: id.to_owned(), at: self.now() };
        self.reports(address, &format!("deleted {id}"), change).await;
    }
}

impl World {
    async fn writes(&self, address: &str, id: &str, text: &str, sender_proof: ContactProof) {
        let ChannelChat { chat, .. } = address.parse().unwrap();
        let message = InboundMessage { sender_proof, ..InboundMessage::private(chat, id, text, self.now()) };
        self.reports(address, id, InboundChange::Message(Box::new(message))).await;
    }

    async fn is_listed(&self, address: &str) -> bool {
        let contact = Contact::of_chat(&address.parse().unwrap());
        self.store.do_not_contact().find(&contact).await.unwrap().is_some()
    }
}

async fn only_its_writer_takes_a_refusal_back(world: World) {
    world.writes(ANNA, "m-1", "Стоп", ContactProof::Typed).await;
    assert!(world.is_listed(ANNA).await);
    world.writes(ANNA, "m-2", "Старт", ContactProof::Typed).await;
    assert!(world.is_listed(ANNA).await, "anyone may have written it");
    world.writes(ANNA, "m-3", "Старт", ContactProof::ChannelId).await;
    assert!(!world.is_listed(ANNA).await);
}

async fn a_message_that_is_edited_into_a_refusal_counts(world: World) {
    world.writes(ANNA, "m-1", "Сколько стоит?", ContactProof::ChannelId).await;
    let text = "Отпишите меня".into();
    let change = InboundChange::Edited { external_id: "m-1".to_owned(), text, at: world.now() };
    world.reports(ANNA, "edit", change).await;
    assert!(world.is_listed(ANNA).await);
}

async fn a_form_with_the_id_of_another_one_is_kept(world: World) {
    let site = "form:site/page-1";
    for text in ["Anna", "Boris", "Boris"] {
        world.writes(site, "page-1", text, ContactProof::Typed).await;
    }
    let page = Page { limit: 10, cursor: None };
    let kept = world.store.channels().list(&InboundFilter::default(), &page).await.unwrap().items;
    let texts: Vec<_> = kept.iter().map(|stored| stored.message.text.as_str()).collect();
    assert_eq!(texts, ["Boris", "Anna"]);
    assert_ne!(kept[0].address.chat, kept[1].address.chat);
}

async fn what_is_taken_back_before_the_answer_is_not_answered(world: World) {
    let rules = started(&world, Responder::Ai).await;
    // While it waits for silence.
    world.says(written(ANNA, "m-1")).await;
    world.work(&rules).await;
    world.takes_back(ANNA, "m-1").await;
    world.work(&rules).await;
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    assert_eq!(world.responding().await, []);
    // While its answer is being written: the rest is answered without it.
    world.says(written(ANNA, "m-2")).await;
    world.says(written(ANNA, "m-3")).await;
    world.work(&rules).await;
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    let first = world.responding().await.remove(0);
    world.takes_back(ANNA, "m-2").await;
    world.work(&rules).await;
    let second = world.responding().await.remove(0);
    assert_ne!(first.id, second.id);
    let batch = world.store.pipeline().batch(second.id).await.unwrap();
    let kept = batch.iter().filter(|message| message.deleted_at.is_none());
    let kept: Vec<_> = kept.map(|message| message.text.as_str()).collect();
    assert_eq!(kept, ["text of m-3"]);
    world.takes_back(ANNA, "m-3").await;
    world.work(&rules).await;
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    assert_eq!(world.responding().await, []);
    // The chat continues.
    world.finishes(ANNA, "m-4", &rules).await;
    assert_eq!(world.responding().await.len(), 1);
}

async fn a_message_that_says_nothing_starts_no_answer(world: World) {
    let rules = started(&world, Responder::Ai).await;
    let says = async |id: &str, text: &str, kind: Option<InboundKind>| {
        let ChannelChat { chat, .. } = ANNA.parse().unwrap();
        let message = InboundMessage {
            media: kind.map(InboundMedia::new).into_iter().collect(),
            user: Some("1".to_owned()),
            ..InboundMessage::private(chat, id, text, world.now())
        };
        world.reports(ANNA, id, InboundChange::Message(Box::new(message))).await;
        world.work(&rules).await;
        world.clock.advance(SILENCE);
        world.work(&rules).await;
        world.responding().await.len()
    };
    for (place, text) in
        ["", "   ", "\n", "\u{200b}", "\u{a0}", "\u{2800}", "\u{301}"].into_iter().enumerate()
    {
        assert_eq!(says(&format!("e-{place}"), text, None).await, 0, "{text:?}");
    }
    assert_eq!(says("e-9", "", Some(InboundKind::Sticker)).await, 1);
}

async fn an_id_that_is_handed_in_with_another_chat_or_text_is_a_conflict(world: World) {
    let hand_in = async |chat: &str, text: &str| {
        let (channel, account) = ("shop".parse().unwrap(), "main".parse().unwrap());
        let message = InboundMessage::private(ExternalChat::new(chat).unwrap(), "m-1", text, world.now());
        world.store.channels().hand_in(channel, account, vec![message]).await.unwrap().remove(0)
    };
    let HandInOutcome::New(first) = hand_in("42", "Hello").await else { panic!("it is new") };
    assert_eq!(hand_in("42", "Hello").await, HandInOutcome::Repeated);
    let of = |field| HandInOutcome::Conflict { first, field };
    assert_eq!(hand_in("42", "Another").await, of("text"));
    assert_eq!(hand_in("43", "Hello").await, of("external_chat_id"));
    let with_photo = async |id: &str| {
        let (channel, account) = ("shop".parse().unwrap(), "main".parse().unwrap());
        let message = InboundMessage {
            media: vec![InboundMedia::new(InboundKind::Image)],
            ..InboundMessage::private(ExternalChat::new("42").unwrap(), id, "Hello", world.now())
        };
        world.store.channels().hand_in(channel, account, vec![message]).await.unwrap().remove(0)
    };
    assert_eq!(with_photo("m-1").await, of("media"));
    assert!(matches!(with_photo("m-2").await, HandInOutcome::New(_)));
    assert_eq!(with_photo("m-2").await, HandInOutcome::Repeated);
    let of_picture = async |name: &str, user: &str| {
        let (channel, account) = ("shop".parse().unwrap(), "main".parse().unwrap());
        let url = format!("https://files.example.com/{name}");
        let message = InboundMessage {
            media: vec![InboundMedia::at(InboundKind::Image, url)],
            user: Some(user.to_owned()),
            ..InboundMessage::private(ExternalChat::new("42").unwrap(), "m-3", "", world.now())
        };
        world.store.channels().hand_in(channel, account, vec![message]).await.unwrap().remove(0)
    };
    let HandInOutcome::New(first) = of_picture("1.jpg?sign=a", "42").await else { panic!("it is new") };
    let of = |field| HandInOutcome::Conflict { first, field };
    assert_eq!(of_picture("1.jpg?sign=b", "42").await, HandInOutcome::Repeated);
    assert_eq!(of_picture("2.jpg", "42").await, of("media"));
    assert_eq!(of_picture("1.jpg?sign=b", "43").await, of("external_user_id"));
}

async fn an_eleventh_mail_of_a_day_is_for_a_person(world: World) {
    let rules = started(&world, Responder::Ai).await;
    let pipeline = world.store.pipeline();
    // A thread for each, as programs write.
    let thread = |number: u32| format!("email:mail/robot@example.org#{number}");
    for number in 1..=10 {
        world.finishes(&thread(number), &format!("m-{number}"), &rules).await;
        let turn = world.responding().await.remove(0);
        let text = SpokenText::read("Thank you").unwrap();
        let answer = TurnAnswer::Text { text, needs_approval: false, why: None, closes: false };
        assert!(pipeline.answer(turn.id, answer, ClientFields::default()).await.unwrap());
        assert!(world.submits(&turn).await);
    }
    world.finishes(&thread(11), "m-11", &rules).await;
    assert_eq!(world.responding().await, []);
    let client = world.client_of(&thread(11)).await;
    let appeal = pipeline.appeals_of(client, 1).await.unwrap().remove(0);
    assert_eq!((appeal.state, appeal.responder), (AppealState::WaitingUs, Some(Responder::Human)));
    // On other channels, and a day later, programs answer once a person gives it back.
    let back = AppealChange { responder: Some(None), ..AppealChange::default() };
    pipeline.change_appeal(appeal.id, back).await.unwrap();
    world.finishes("whatsapp:phone/70000000001@c.us", "w-1", &rules).await;
    assert_eq!(world.responding().await.len(), 1);
    world.clock.advance(Duration::from_hours(24));
    world.finishes(&thread(12), "m-12", &rules).await;
    assert_eq!(world.responding().await.len(), 2);
}

async fn a_mail_that_no_program_may_answer_is_for_a_person(world: World) {
    let rules = started(&world, Responder::Ai).await;
    let pipeline = world.store.pipeline();
    for (number, is_for_people) in [(1, true), (2, false)] {
        let address = format!("email:mail/anna{number}@example.org#1");
        let ChannelChat { channel, account, chat } = address.parse().unwrap();
        let key = format!("m-{number}");
        let message = InboundMessage {
            user: Some(format!("anna{number}@example.org")),
            subject: Some("Price of lamps".to_owned()),
            is_for_people,
            ..InboundMessage::private(chat, key.clone(), "How much?", world.now())
        };
        let events = vec![InboundEvent { key, change: InboundChange::Message(Box::new(message)) }];
        let taken = TakenFromChannel { channel, account, events, cursor: None, stores_files: false };
        world.store.channels().take(taken).await.unwrap();
        world.work(&rules).await;
        world.clock.advance(SILENCE);
        world.work(&rules).await;
        // A person sees both, with what they are about.
        let client = world.client_of(&address).await;
        let page = Page { limit: 10, cursor: None };
        let said = pipeline.conversation(client, &page).await.unwrap().items.remove(0);
        assert_eq!(said.text.as_str(), "Price of lamps\n\nHow much?");
        let appeal = pipeline.appeals_of(client, 1).await.unwrap().remove(0);
        let turn = pipeline.turns_of(appeal.id, 1).await.unwrap().remove(0);
        if is_for_people {
            assert_eq!((appeal.state, appeal.responder), (AppealState::WaitingUs, Some(Responder::Human)));
            assert_eq!((turn.stage, turn.why.as_deref()), (TurnStage::HandedOver, Some("for_people")));
        } else {
            assert_eq!(turn.stage, TurnStage::Respond);
        }
    }
}

async fn an_answer_that_promises_a_person_calls_one(world: World) {
    let rules = started(&world, Responder::Ai).await;
    let pipeline = world.store.pipeline();
    let promise = "Сейчас переключу вас на оператора, ожидайте.";
    let called = (AppealState::WaitingUs, Some(Responder::Human), true);
    for (place, (listener, text, closes, expected)) in [
        (BY_AI, promise, false, called),
        (BY_PROGRAM, promise, true, called),
        (BY_AI, "Наш оператор на месте с 9 до 18.", false, (AppealState::WaitingClient, None, false)),
        // What a program sends by itself answers no turn.
        ("api", promise, false, (AppealState::WaitingClient, None, false)),
    ]
    .into_iter()
    .enumerate()
    {
        let chat: ChannelChat = format!("avito:shop/u2i-{}", place + 10).parse().unwrap();
        world.says(written(&chat.to_string(), &format!("m-{place}"))).await;
        world.work(&rules).await;
        world.clock.advance(SILENCE);
        world.work(&rules).await;
        let turn = world.responding().await.remove(0);
        let spoken = SpokenText::read(text).unwrap();
        let answer = TurnAnswer::Text { text: spoken, needs_approval: false, why: None, closes };
        assert!(pipeline.answer(turn.id, answer, ClientFields::default()).await.unwrap());
        let mut message = world.message(1);
        message.account = Some(chat.account.clone());
        message.address = Some(domain::Address::Channel(chat.clone()));
        message.chat = ChatRef::Channel(chat);
        message.content.written_by = Writer::Program;
        message.content.text.text = text.to_owned();
        let mut accepting = accept(message.clone());
        accepting.origin.listener = listener.to_owned();
        world.store.outbox().accept(accepting).await.unwrap();
        assert!(pipeline.submitted(turn.id, message.id).await.unwrap());
        world.work(&rules).await;
        let appeal = pipeline.appeal(turn.appeal.unwrap()).await.unwrap().unwrap();
        let found = (appeal.state, appeal.responder, appeal.waiting_since.is_some());
        assert_eq!(found, expected, "{listener} {text}");
        assert!(appeal.answered_at.is_some());
    }
}
