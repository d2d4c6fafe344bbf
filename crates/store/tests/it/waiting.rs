//! What waits: counted by place, read by queue and by lane, and queued when its time comes.

use std::time::Duration;

use domain::{AccountName, Address, ChatRef, MessageId, MessageState, Service, Timestamp};
use store::{Accept, Caller, LaneKey, Queue, QuotaScope, WaitingAt};

use crate::support::{World, accept, account, chat_number, conformance};

conformance! {
    waiting_messages_are_counted_by_scope,
    messages_of_a_channel_belong_to_no_service,
    a_queue_and_a_lane_are_read_in_the_order_of_acceptance,
    due_messages_are_queued_and_later_ones_wait,
    a_message_taken_back_reports_where_it_waited,
}

async fn wait_in(
    world: &World,
    chat: i64,
    pin: Option<AccountName>,
    send_at: Option<Timestamp>,
) -> MessageId {
    let mut message = world.message(1);
    let id = message.id;
    message.chat = ChatRef::Id(chat_number(chat));
    message.address = Some(chat_number(chat).into());
    message.state = if send_at.is_some() { MessageState::Scheduled } else { MessageState::Queued };
    message.send_at = send_at;
    let queue = pin.clone().map_or(Queue::Account(account("main")), Queue::Pinned);
    message.pin = pin;
    world.store.outbox().accept(Accept { queue, ..accept(message) }).await.unwrap();
    id
}

fn lane(chat: i64, pin: Option<AccountName>) -> LaneKey {
    LaneKey { chat_id: Some(chat_number(chat)), names: vec![ChatRef::Id(chat_number(chat))], pin }
}

fn place(queue: Queue) -> QuotaScope {
    QuotaScope { queue, caller: Caller::Listener("v1".into()), service: Some(Service::SendText) }
}

async fn waiting_messages_are_counted_by_scope(world: World) {
    let later = world.now().plus(Duration::from_hours(1));
    let pin = Some(account("backup"));
    for chat in 1..=3 {
        wait_in(&world, chat, None, None).await;
    }
    wait_in(&world, 1, pin.clone(), None).await;
    wait_in(&world, 1, pin, Some(later)).await;
    let under_way = world.sending(1).await;
    let outbox = world.store.outbox();
    let mut counted = outbox.count_waiting().await.unwrap();
    counted.sort_by_key(|at| (at.scheduled, at.count));
    let (main, backup) = (Queue::Account(account("main")), Queue::Pinned(account("backup")));
    let at = |queue, scheduled, count| WaitingAt { place: place(queue), scheduled, count };
    assert_eq!(counted, [at(backup.clone(), false, 1), at(main, false, 3), at(backup, true, 1)]);
    assert_eq!(outbox.under_way(None, 10).await, Ok(vec![under_way]));
    assert_eq!(outbox.last_id().await, Ok(Some(under_way)));
}

async fn messages_of_a_channel_belong_to_no_service(world: World) {
    let outbox = world.store.outbox();
    let since = world.now().minus(Duration::from_mins(5));
    let mut ids = Vec::new();
    for send_at in [None, Some(world.now().plus(Duration::from_hours(1)))] {
        let mut message = world.message(1);
        message.chat = "avito:shop/u2i-1".parse().unwrap();
        message.address = Address::written(&message.chat);
        message.state = if send_at.is_some() { MessageState::Scheduled } else { MessageState::Queued };
        message.send_at = send_at;
        ids.push(message.id);
        outbox.accept(accept(message)).await.unwrap();
    }
    let of_none = |service: Option<Service>| assert_eq!(service, None);
    let counted = outbox.count_waiting().await.unwrap();
    assert_eq!(counted.len(), 2);
    for at in counted {
        of_none(at.place.service);
    }
    of_none(outbox.place(ids[0]).await.unwrap().unwrap().service);
    of_none(outbox.next_scheduled().await.unwrap().unwrap().service);
    let failure = domain::outcome::Failure::Rejected { provider_code: "x".into() };
    assert!(outbox.fail(store::Fail { id: ids[0], failure, at: world.now() }).await.unwrap());
    let ended = outbox.ended_by_minute(since).await.unwrap();
    assert_eq!(ended.iter().map(|one| (one.service, one.failed)).collect::<Vec<_>>(), [(None, 1)]);
}

async fn a_queue_and_a_lane_are_read_in_the_order_of_acceptance(world: World) {
    let pin = Some(account("main"));
    let mut free = Vec::new();
    for chat in [1, 2, 1, 1] {
        free.push(wait_in(&world, chat, None, None).await);
    }
    let pinned = wait_in(&world, 1, pin.clone(), None).await;
    let outbox = world.store.outbox();
    let queue = Queue::Account(account("main"));
    let page = outbox.of_queue(queue.clone(), None, 3).await.unwrap();
    assert_eq!(page.iter().map(|row| row.id).collect::<Vec<_>>(), free[..3]);
    let rest = outbox.of_queue(queue, Some(free[2]), 3).await.unwrap();
    assert_eq!(rest.iter().map(|row| row.id).collect::<Vec<_>>(), free[3..]);
    let ids = async |key, limit| {
        let page = outbox.of_lane(key, limit).await.unwrap();
        page.readable.iter().map(|(message, _)| message.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(lane(1, None), 2).await, [free[0], free[2]]);
    assert_eq!(ids(lane(1, None), 9).await, [free[0], free[2], free[3]]);
    assert_eq!(ids(lane(1, pin.clone()), 9).await, [pinned]);
    let by_name = LaneKey { chat_id: None, ..lane(1, None) };
    assert_eq!(ids(by_name, 9).await, [free[0], free[2], free[3]]);
    let (whole, its_place) = outbox.of_lane(lane(2, None), 9).await.unwrap().readable.remove(0);
    assert_eq!((whole, its_place), (world.get(free[1]).await, place(Queue::Account(account("main")))));
    assert_eq!(outbox.waits_in(lane(1, pin)).await, Ok(true));
    assert_eq!(outbox.waits_in(lane(3, None)).await, Ok(false));
}

async fn due_messages_are_queued_and_later_ones_wait(world: World) {
    let now = world.now();
    let at = |minutes| now.plus(Duration::from_mins(minutes));
    let mut ids = Vec::new();
    for minutes in [30, 10, 20] {
        ids.push(wait_in(&world, 1, None, Some(at(minutes))).await);
    }
    let outbox = world.store.outbox();
    let next = outbox.next_scheduled().await.unwrap().unwrap();
    assert_eq!((next.id, next.at, next.service), (ids[1], at(10), Some(Service::SendText)));
    assert_eq!(outbox.becomes_due(at(9)).await, Ok(Vec::new()));
    let due = outbox.becomes_due(at(20)).await.unwrap();
    assert_eq!(due.iter().map(|(waiting, _)| waiting.id).collect::<Vec<_>>(), [ids[1], ids[2]]);
    assert!(due.iter().all(|(_, its)| *its == place(Queue::Account(account("main")))));
    assert_eq!(world.state(ids[1]).await, MessageState::Queued);
    assert_eq!(world.state(ids[0]).await, MessageState::Scheduled);
    assert_eq!(outbox.next_scheduled().await.unwrap().map(|next| next.id), Some(ids[0]));
}

async fn a_message_taken_back_reports_where_it_waited(world: World) {
    let later = Some(world.now().plus(Duration::from_hours(1)));
    let queued = wait_in(&world, 1, Some(account("main")), None).await;
    let scheduled = wait_in(&world, 1, None, later).await;
    let outbox = world.store.outbox();
    let pinned = place(Queue::Pinned(account("main")));
    assert_eq!(
        outbox.take_back(queued, world.now(), None).await,
        Ok(Some((pinned.clone(), MessageState::Queued)))
    );
    assert_eq!(outbox.take_back(queued, world.now(), None).await, Ok(None));
    assert_eq!(outbox.place(queued).await, Ok(Some(pinned)));
    let taken = outbox.take_back(scheduled, world.now(), None).await.unwrap();
    assert_eq!(taken.map(|(_, state)| state), Some(MessageState::Scheduled));
}
