//! People who write to an account of Telegram: who of them are customers, and who answers them.

use domain::message::OutboundMessage;
use domain::outcome::Failure;
use domain::{
    AccessHash, Address, AppealState, ChatId, ChatRef, CustomerRule, Customers, MessageId, MessageOrigin,
    MessageState, ReceivedMessage, Responder, SpokenText, TurnStage,
};
use store::{AppealFilter, ClientFields, Fail, PeerKind, PipelineRules, StoredPeer, TurnAnswer};

use super::{ANNA, SILENCE, page, started, written};
use crate::support::{World, accept, account, conformance};

conformance! {
    an_answer_of_an_account_awaits_approval_in_its_thread,
    an_answer_of_an_account_that_fails_is_for_a_person,
    an_owner_who_answers_from_a_phone_stops_the_program,
    people_in_the_contacts_of_an_account_are_no_customers,
    messages_to_people_who_are_no_clients_are_passed_over,
}

impl World {
    /// The outbox takes an answer of the account that was written to.
    async fn accepts(&self, chat_id: ChatId, state: MessageState) -> MessageId {
        let mut message = self.message(1);
        message.chat = ChatRef::Id(chat_id);
        message.address = Some(chat_id.into());
        message.pin = Some(account("main"));
        message.state = state;
        let id = message.id;
        self.store.outbox().accept(accept(message)).await.unwrap();
        id
    }
}

async fn people_in_the_contacts_of_an_account_are_no_customers(world: World) {
    let customers = CustomerRule { rule: Customers::NotContacts, ..CustomerRule::default() };
    let rules = PipelineRules { customers, ..started(&world, Responder::Human).await };
    for (number, contact) in [(7, true), (8, false)] {
        let chat_id = ChatId::user(i64::from(number)).unwrap();
        let peer = StoredPeer {
            chat_id,
            access_hash: AccessHash(1),
            username: None,
            title: "Anna".into(),
            kind: PeerKind::User,
            dialog: true,
            phone: None,
            contact,
        };
        world.store.peers().save(&account("main"), vec![peer]).await.unwrap();
        world.take(world.received(chat_id, number, "Is it still there?")).await;
    }
    world.work(&rules).await;
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    let appeals = world.store.pipeline().appeals(&AppealFilter::default(), &page()).await.unwrap().items;
    assert_eq!(appeals.len(), 1);
    world.client_of("telegram_account:main/8").await;
}

async fn messages_to_people_who_are_no_clients_are_passed_over(world: World) {
    let rules = started(&world, Responder::Human).await;
    let (outbox, pipeline) = (world.store.outbox(), world.store.pipeline());
    world.says(written(ANNA, "m-1")).await;
    let chat = ChatRef::Channel(ANNA.parse().unwrap());
    let address = Some(Address::Channel(ANNA.parse().unwrap()));
    outbox.accept(accept(OutboundMessage { chat, address, ..world.message(1) })).await.unwrap();
    // Her chat is known by nothing but the event before.
    assert_eq!(pipeline.take_in(&rules, 100).await.unwrap().took, 2);
    for _ in 0..20 {
        outbox.accept(accept(world.message(1))).await.unwrap();
    }
    let before = world.store.written().statements;
    assert_eq!(pipeline.take_in(&rules, 100).await.unwrap().took, 0);
    assert!(world.store.written().statements - before < 20, "no statement for each of them");
    let newest = *world.store.events().newest().borrow();
    assert_eq!(pipeline.take_in(&rules, 100).await.unwrap().up_to, newest);
}

async fn an_owner_who_answers_from_a_phone_stops_the_program(world: World) {
    let rules = started(&world, Responder::Ai).await;
    let chat_id = ChatId::user(8).unwrap();
    world.take(world.received(chat_id, 1, "Is it still there?")).await;
    world.work(&rules).await;
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    let turn = world.responding().await.remove(0);
    let answer = world.received(chat_id, 2, "Yes");
    world.take(ReceivedMessage { origin: MessageOrigin::Owner, ..answer }).await;
    world.work(&rules).await;
    let pipeline = world.store.pipeline();
    assert_eq!(pipeline.turn(turn.id).await.unwrap().unwrap().stage, TurnStage::Discarded);
    let appeal = pipeline.appeal(turn.appeal.unwrap()).await.unwrap().unwrap();
    assert_eq!((appeal.state, appeal.responder), (AppealState::WaitingClient, Some(Responder::Human)));
}

async fn an_answer_of_an_account_that_fails_is_for_a_person(world: World) {
    let rules = started(&world, Responder::Ai).await;
    let chat_id = ChatId::user(8).unwrap();
    world.take(world.received(chat_id, 1, "Is it still there?")).await;
    world.work(&rules).await;
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    let turn = world.responding().await.remove(0);
    let pipeline = world.store.pipeline();
    let text = TurnAnswer::Text {
        text: SpokenText::read("Yes").unwrap(),
        needs_approval: false,
        why: None,
        closes: false,
    };
    assert!(pipeline.answer(turn.id, text, ClientFields::default()).await.unwrap());
    let id = world.accepts(chat_id, MessageState::Queued).await;
    assert!(pipeline.submitted(turn.id, id).await.unwrap());
    let failure = Failure::NoAccount { asked: Vec::new() };
    assert!(world.store.outbox().fail(Fail { id, failure, at: world.now() }).await.unwrap());
    world.work(&rules).await;
    let appeal = pipeline.appeal(turn.appeal.unwrap()).await.unwrap().unwrap();
    assert_eq!((appeal.state, appeal.responder), (AppealState::WaitingUs, Some(Responder::Human)));
    // It is in the thread, to be sent again.
    let messages = pipeline.conversation(appeal.client, &page()).await.unwrap().items;
    assert_eq!(messages[0].message, id.to_string());
}

async fn an_answer_of_an_account_awaits_approval_in_its_thread(world: World) {
    let rules = started(&world, Responder::Ai).await;
    let chat_id = ChatId::user(8).unwrap();
    world.take(world.received(chat_id, 1, "Is it still there?")).await;
    world.work(&rules).await;
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    let id = world.accepts(chat_id, MessageState::AwaitingApproval).await.to_string();
    world.work(&rules).await;
    let client = world.client_of("telegram_account:main/8").await;
    let messages = world.store.pipeline().conversation(client, &page()).await.unwrap().items;
    assert_eq!(messages[0].message, id);
}
