//! Messages to chats outside Telegram: their addresses, the ids that their providers give them, and how far they are.

use std::time::Duration;

use domain::message::{OutboundMessage, PartState};
use domain::outcome::SentIds;
use domain::timeline::Step;
use domain::{
    Address, ChannelChat, ChatRef, Contact, ContactSource, DoNotContactId, EventFilter, EventId, MessageId,
    MessageState,
};
use domain::{ProviderId, Timestamp};
use store::{Accepted, Begin, DoNotContactEntry, PartSent, Receipt, ReceiptState, StoreError, Swept};

use crate::support::{World, accept, account, begun, conformance};

conformance! {
    a_message_to_a_channel_keeps_its_address,
    ids_of_providers_read_back_as_they_were,
    a_message_is_as_far_as_the_least_of_its_parts,
    receipts_go_forward_only_and_unknown_ids_are_not_ours,
    ids_of_providers_go_with_their_message,
    no_channel_reaches_a_listed_contact,
}

fn item() -> ChannelChat {
    "avito:shop/U2I-1".parse().unwrap()
}

fn message(world: &World, parts: u16) -> OutboundMessage {
    let mut message = world.message(parts);
    (message.chat, message.address) = (ChatRef::Channel(item()), Some(Address::Channel(item())));
    message
}

async fn taken_in(world: &World, parts: u16) -> MessageId {
    let message = OutboundMessage { account: Some(account("shop")), ..begun(message(world, parts)) };
    let id = message.id;
    assert_eq!(world.store.outbox().accept(accept(message)).await, Ok(Accepted::New));
    id
}

fn begin(world: &World, id: MessageId, part: u16) -> Begin {
    Begin { account: account("shop"), address: Address::Channel(item()), ..world.begin(id, part) }
}

fn sent(world: &World, id: MessageId, part: u16, ids: &[&str]) -> PartSent {
    let message_ids = ids.iter().copied().map(Some).collect();
    let address = Address::Channel(item());
    PartSent {
        account: account("shop"),
        address,
        message_ids,
        binding: store::Binding::IfUnbound,
        ..world.sent(id, part)
    }
}

fn receipt(provider_id: impl Into<ProviderId>, state: ReceiptState, at: Timestamp) -> Receipt {
    let (channel, account) = ("avito".parse().unwrap(), account("shop"));
    Receipt { channel, account, provider_id: provider_id.into(), state, at }
}

/// The types of the events about a message.
async fn event_words(world: &World, id: MessageId) -> Vec<&'static str> {
    let read = world.store.events().after(EventId::ZERO, &EventFilter::default(), 100).await.unwrap();
    let of_it = read.events.iter().filter(|event| event.data.contains(&id.to_string()));
    of_it.map(|event| event.kind.as_str()).collect()
}

async fn a_message_to_a_channel_keeps_its_address(world: World) {
    let outbox = world.store.outbox();
    let waiting = message(&world, 1);
    outbox.accept(accept(waiting.clone())).await.unwrap();
    assert_eq!(outbox.get(waiting.id).await, Ok(Some(waiting.clone())));
    let lane = outbox.lane(waiting.id).await.unwrap().expect("a lane");
    assert_eq!((lane.chat, lane.address), (waiting.chat.clone(), waiting.address.clone()));
    outbox.begin(begin(&world, waiting.id, 0)).await.unwrap();
    outbox.part_sent(sent(&world, waiting.id, 0, &["a1"])).await.unwrap();
    let stored = world.get(waiting.id).await;
    assert_eq!(stored.chat_id(), None);
    assert_eq!((stored.state, stored.address), (MessageState::Sent, waiting.address));
}

async fn ids_of_providers_read_back_as_they_were(world: World) {
    let outbox = world.store.outbox();
    for ids in [
        SentIds::one(Some("a1-b2")),
        SentIds::one(Some("77")),
        SentIds::one(Some(77)),
        SentIds::one(None::<ProviderId>),
        [Some(ProviderId::from("a")), None, Some(7.into())].into_iter().collect(),
    ] {
        let id = taken_in(&world, 1).await;
        let known: Vec<ProviderId> = ids.iter().take(1).flatten().cloned().collect();
        outbox.part_sent(PartSent { message_ids: ids, ..sent(&world, id, 0, &[]) }).await.unwrap();
        assert_eq!(world.get(id).await.message_ids(), known);
    }
    let mut answers = message(&world, 1);
    answers.content.reply_to = Some("a1-b2".into());
    outbox.accept(accept(answers.clone())).await.unwrap();
    assert_eq!(world.get(answers.id).await.content, answers.content);
}

async fn a_message_is_as_far_as_the_least_of_its_parts(world: World) {
    let outbox = world.store.outbox();
    let id = taken_in(&world, 2).await;
    outbox.part_sent(sent(&world, id, 0, &["a1"])).await.unwrap();
    let read = |provider_id: &str| receipt(provider_id, ReceiptState::Read, world.now());
    assert_eq!(outbox.receipt(read("a1")).await, Ok(Some(id)), "before the rest of it was sent");
    assert_eq!(world.state(id).await, MessageState::Sending);
    outbox.begin(begin(&world, id, 1)).await.unwrap();
    outbox.part_sent(sent(&world, id, 1, &["a2", "a3"])).await.unwrap();
    assert_eq!(world.state(id).await, MessageState::Sent);
    let delivered = |provider_id: &str| receipt(provider_id, ReceiptState::Delivered, world.now());
    for (update, state) in [
        (delivered("a2"), MessageState::Sent),
        (delivered("a3"), MessageState::Delivered),
        (read("a3"), MessageState::Delivered),
        (read("a2"), MessageState::Read),
    ] {
        assert_eq!(outbox.receipt(update.clone()).await, Ok(Some(id)));
        assert_eq!(world.state(id).await, state, "{update:?}");
    }
    let steps: Vec<Step> = world.steps(id).await;
    assert!(steps.ends_with(&[Step::Sent, Step::Delivered, Step::Read]), "{steps:?}");
    let once_each = ["message.accepted", "message.sent", "message.delivered", "message.read"];
    assert_eq!(event_words(&world, id).await, once_each);
    // One that left without an id at the provider is never said to have arrived.
    let id = taken_in(&world, 2).await;
    outbox.part_sent(sent(&world, id, 0, &[])).await.unwrap();
    outbox.begin(begin(&world, id, 1)).await.unwrap();
    outbox.part_sent(sent(&world, id, 1, &["b2"])).await.unwrap();
    assert_eq!(outbox.receipt(read("b2")).await, Ok(Some(id)));
    assert_eq!(world.state(id).await, MessageState::Sent);
}

async fn receipts_go_forward_only_and_unknown_ids_are_not_ours(world: World) {
    let outbox = world.store.outbox();
    let id = taken_in(&world, 1).await;
    outbox.part_sent(sent(&world, id, 0, &["a1"])).await.unwrap();
    let read = receipt("a1", ReceiptState::Read, world.now());
    for update in [read.clone(), read.clone(), receipt("a1", ReceiptState::Delivered, world.now())] {
        assert_eq!(outbox.receipt(update).await, Ok(Some(id)));
        assert_eq!(world.state(id).await, MessageState::Read);
    }
    assert_eq!(world.steps(id).await.iter().filter(|step| **step == Step::Read).count(), 1);
    assert!(!world.steps(id).await.contains(&Step::Delivered));
    assert_eq!(event_words(&world, id).await, ["message.accepted", "message.sent", "message.read"]);
    let other_account = Receipt { account: account("shop_2"), ..read.clone() };
    let other_channel = Receipt { channel: "vk".parse().unwrap(), ..read.clone() };
    for unknown in [other_account, other_channel, receipt("a9", ReceiptState::Read, world.now())] {
        assert_eq!(outbox.receipt(unknown).await, Ok(None));
    }
    // What goes to Telegram is not known by its ids.
    let telegram = world.sending(1).await;
    outbox.part_sent(world.sent(telegram, 0)).await.unwrap();
    let update = Receipt { account: account("main"), ..receipt(500, ReceiptState::Read, world.now()) };
    assert_eq!(outbox.receipt(update).await, Ok(None));
}

async fn ids_of_providers_go_with_their_message(world: World) {
    let outbox = world.store.outbox();
    let id = taken_in(&world, 1).await;
    outbox.part_sent(sent(&world, id, 0, &["a1"])).await.unwrap();
    world.clock.advance(Duration::from_hours(91 * 24));
    assert_eq!(world.store.sweep().await, Ok(Swept { messages: 1, ..Swept::default() }));
    let update = receipt("a1", ReceiptState::Delivered, world.now());
    assert_eq!(outbox.receipt(update).await, Ok(None));
}

async fn no_channel_reaches_a_listed_contact(world: World) {
    let (outbox, list) = (world.store.outbox(), world.store.do_not_contact());
    for (to, listed) in [
        ("avito:shop/U2I-1", "avito:shop/U2I-1"),
        ("email:main/Name@Example.com", "name@example.com"),
        ("sms:main/+70000000001", "8 000 000-00-01"),
        ("whatsapp:main/70000000001", "+70000000001"),
    ] {
        let to: ChannelChat = to.parse().unwrap();
        let addressed = |mut message: OutboundMessage| {
            (message.chat, message.address) =
                (ChatRef::Channel(to.clone()), Some(Address::Channel(to.clone())));
            message
        };
        let waiting = addressed(world.message(1));
        outbox.accept(accept(waiting.clone())).await.unwrap();
        let entry = DoNotContactEntry {
            id: DoNotContactId::from_uuid(world.ids.next()),
            contact: listed.parse::<Contact>().unwrap(),
            source: ContactSource::Api,
            added_by: "anna".into(),
            reason: None,
            added_at: world.now(),
            level: domain::Suppression::All,
        };
        list.add(vec![entry.clone()]).await.unwrap();
        let refused = StoreError::DoNotContact { entry: entry.id };
        for late in [addressed(world.message(1)), addressed(begun(world.message(1)))] {
            assert_eq!(outbox.accept(accept(late)).await, Err(refused.clone()), "{to}");
        }
        let begin = Begin { address: Address::Channel(to.clone()), ..world.begin(waiting.id, 0) };
        assert_eq!(outbox.begin(begin).await, Err(refused), "{to}");
        let stored = world.get(waiting.id).await;
        assert_eq!((stored.state, stored.parts[0].state), (MessageState::Queued, PartState::Waiting));
        list.remove(entry.id).await.unwrap();
    }
}
