//! What is removed in time, and what must stay.

use std::time::Duration;

use domain::account::Operation;
use domain::outcome::Failure;
use domain::saga::{Failover, RegistryChange, Saga, SagaState};
use domain::{CallbackId, FailedRequestId};
use store::{
    Accepted, AlertState, Begin, Fail, FailedState, FailoverFilter, Hold, NewCallback, Outcome, Page,
    Retention, SagaAccepted, SagaChange, StoredAlert, Swept,
};

use crate::alerts::alert;
use crate::channel_messages::{arrived, take, written};
use crate::support::{
    World, accept_saga, account, begun, change, chat, conformance, make_chat, saga_with_keep, with_join,
    with_key,
};
use crate::webhooks::{added, fan_out, tried};

const DAY: Duration = Duration::from_hours(24);

conformance! {
    old_things_go_and_open_ones_stay,
    many_things_go_in_pieces,
    old_work_on_chats_goes_and_open_work_stays,
    many_sagas_go_in_pieces,
    each_kind_goes_by_its_own_setting,
    messages_beyond_the_most_go_once_their_keys_are_over,
    received_messages_beyond_the_most_go_oldest_first,
}

async fn old_things_go_and_open_ones_stay(world: World) {
    let outbox = world.store.outbox();
    let sent = begun(world.message(1));
    outbox.accept(with_key(sent.clone(), 1, 1)).await.unwrap();
    outbox.part_sent(world.sent(sent.id, 0)).await.unwrap();
    let joined = begun(world.message(1));
    outbox.accept(with_join(joined.clone(), 1)).await.unwrap();
    outbox.part_sent(world.sent(joined.id, 0)).await.unwrap();
    outbox.unanswered(joined.id).await.unwrap();
    let cancelled = world.queued(1).await;
    outbox.cancel(cancelled, world.now(), None).await.unwrap();
    let queued = world.queued(1).await;
    let doubtful = world.sending(1).await;
    outbox.doubt(world.doubt(doubtful)).await.unwrap();
    let until = world.now().plus(Duration::from_mins(1));
    let hold = Hold::Flood { account: account("main"), operation: Operation::Read, until };
    world.store.accounts().save_hold(hold).await.unwrap();
    let slow = Hold::SlowMode { account: account("main"), chat_id: chat(), until: until.plus(DAY) };
    world.store.accounts().save_hold(slow).await.unwrap();

    assert_eq!(world.store.sweep().await, Ok(Swept::default()));
    world.clock.advance(Duration::from_secs(61));
    let swept = Swept { joins: 1, holds: 1, ..Swept::default() };
    assert_eq!(world.store.sweep().await, Ok(swept));
    world.clock.advance(DAY);
    assert_eq!(world.store.sweep().await, Ok(Swept { keys: 1, holds: 1, ..Swept::default() }));
    // Sent long after it was made: the end counts.
    let late = world.sending(1).await;
    world.clock.advance(80 * DAY);
    outbox.part_sent(world.sent(late, 0)).await.unwrap();
    world.clock.advance(10 * DAY);
    assert_eq!(world.store.sweep().await, Ok(Swept { messages: 3, ..Swept::default() }));
    for gone in [sent.id, joined.id, cancelled] {
        assert_eq!(outbox.get(gone).await, Ok(None));
        assert!(outbox.timeline(gone).await.unwrap().is_empty());
    }
    for stays in [queued, doubtful, late] {
        assert!(outbox.get(stays).await.unwrap().is_some());
    }
}

async fn many_things_go_in_pieces(world: World) {
    let mut tasks = Vec::new();
    for number in 0..450_u16 {
        let mut accept = with_key(begun(world.message(1)), 0, 0);
        let id = accept.message.id;
        if let Some(idempotency) = &mut accept.idempotency {
            idempotency.scope[..2].copy_from_slice(&number.to_be_bytes());
        }
        let (store, sent) = (world.store.clone(), world.sent(id, 0));
        tasks.push(tokio::spawn(async move {
            assert_eq!(store.outbox().accept(accept).await, Ok(Accepted::New));
            store.outbox().part_sent(sent).await.unwrap();
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    world.clock.advance(91 * DAY);
    assert_eq!(world.store.sweep().await, Ok(Swept { messages: 450, keys: 450, ..Swept::default() }));
    world.store.clone().close().await;
    for table in
        ["outbox", "outbox_parts", "outbox_timeline", "outbox_places", "idempotency_keys", "request_joins"]
    {
        assert_eq!(world.number(&format!("SELECT count(*) FROM {table}")), 0, "{table}");
    }
}

/// Ends a saga well, with a callback.
async fn done(world: &World, saga: Saga) -> CallbackId {
    let id = CallbackId::from_uuid(world.ids.next());
    let (client_tg_id, invite_link) = ("77".into(), "https://t.me/+demo".into());
    let callback = Some(NewCallback { id, client_tg_id, invite_link });
    let (title, about) = ("Demo".into(), String::new());
    let made = RegistryChange::Created { chat_id: chat(), title, about, account: account("main") };
    let saga = world.ended(saga, SagaState::Done);
    let end = SagaChange { callback, registry: vec![made], ..change(saga) };
    world.store.sagas().save(end).await.unwrap();
    id
}

/// A saga that was cancelled and has kept its request.
async fn kept(world: &World) -> Saga {
    let saga = world.saga(make_chat("Demo"));
    world.store.sagas().accept(saga_with_keep(saga.clone(), "{}")).await.unwrap();
    world.store.sagas().cancel(saga.id, world.now(), None).await.unwrap();
    saga
}

async fn old_work_on_chats_goes_and_open_work_stays(world: World) {
    world.store.keep(Retention { messages: 30 * DAY, ..Retention::default() });
    let callbacks = world.store.callbacks();
    let requests = world.store.failed_requests();
    let ended = world.begun_making().await;
    let delivered = done(&world, ended.clone()).await;
    callbacks.delivered(delivered, world.now()).await.unwrap();
    let other = world.begun_making().await;
    let given_up = done(&world, other.clone()).await;
    callbacks.failed(given_up, "refused".into(), world.now(), None).await.unwrap();
    let (pending, dropped) = (kept(&world).await, kept(&world).await);
    let request = |saga: &Saga| FailedRequestId::from_uuid(*saga.id.as_uuid());
    requests.drop(request(&dropped), world.now()).await.unwrap();
    requests.drop(FailedRequestId::from_uuid(*given_up.as_uuid()), world.now()).await.unwrap();
    let (queued, running) = (world.making().await, world.begun_making().await);
    let doubtful = Saga { state: SagaState::InDoubt, ..world.begun_making().await };
    world.store.sagas().save(change(doubtful.clone())).await.unwrap();
    let lost = world.queued(1).await;
    let failure = Failure::ChatNotFound { asked: Vec::new() };
    world.store.outbox().fail(Fail { id: lost, failure, at: world.now() }).await.unwrap();
    let moved = world.queued(1).await;
    let failover = Failover {
        at: world.now(),
        chat_id: None,
        from: account("backup_1"),
        to: account("main"),
        reason: "banned".into(),
    };
    let begin = Begin { failover: Some(failover), ..world.begin(moved, 0) };
    world.store.outbox().begin(begin).await.unwrap();

    world.clock.advance(29 * DAY);
    assert_eq!(world.store.sweep().await, Ok(Swept::default()));
    world.clock.advance(DAY);
    let swept = Swept {
        messages: 1,
        sagas: 3,
        failovers: 1,
        unresolved: 1,
        callbacks: 1,
        failed_requests: 2,
        ..Swept::default()
    };
    assert_eq!(world.store.sweep().await, Ok(swept));
    for gone in [&ended, &other, &dropped] {
        assert_eq!(world.store.sagas().get(gone.id).await, Ok(None));
        assert!(world.history(gone.id).await.is_empty());
    }
    for stays in [&queued, &running, &doubtful, &pending] {
        assert!(world.store.sagas().get(stays.id).await.unwrap().is_some());
    }
    let page = Page { limit: 10, cursor: None };
    assert!(world.store.unresolved().list(&page).await.unwrap().items.is_empty());
    let failovers = world.store.failovers().list(&FailoverFilter::default(), &page).await.unwrap();
    assert!(failovers.items.is_empty());
    assert!(callbacks.requeue(given_up, world.now()).await.is_err());
    // The chat that was made is no work: it stays in the registry.
    assert_eq!(world.store.chats().titled("Demo").await, Ok(vec![chat()]));
    // A request that waits for a person keeps what it takes to try it again.
    assert_eq!(
        requests.get(request(&pending)).await.unwrap().map(|kept| kept.state),
        Some(FailedState::Pending)
    );
    assert_eq!(world.store.sagas().retry(pending.id, world.now()).await, Ok(true));
}

async fn many_sagas_go_in_pieces(world: World) {
    let mut tasks = Vec::new();
    for _ in 0..250_u16 {
        let saga = world.saga(make_chat("Demo"));
        let end = change(world.ended(saga.clone(), SagaState::Done));
        let store = world.store.clone();
        tasks.push(tokio::spawn(async move {
            assert_eq!(store.sagas().accept(accept_saga(saga)).await, Ok(SagaAccepted::New));
            store.sagas().save(end).await.unwrap();
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    world.clock.advance(31 * DAY);
    assert_eq!(world.store.sweep().await, Ok(Swept { sagas: 250, ..Swept::default() }));
    world.store.clone().close().await;
    for table in ["operations", "operation_steps"] {
        assert_eq!(world.number(&format!("SELECT count(*) FROM {table}")), 0, "{table}");
    }
}

async fn each_kind_goes_by_its_own_setting(world: World) {
    let webhook = added(&world).await;
    let cancelled = world.queued(1).await;
    world.store.outbox().cancel(cancelled, world.now(), None).await.unwrap();
    let events = fan_out(&world, webhook).await;
    let posted = events.len() as u64;
    let taken = events.into_iter().map(|event| tried(event, Outcome::Delivered)).collect();
    world.store.webhooks().tried(webhook, taken, world.now()).await.unwrap();
    done(&world, world.begun_making().await).await;
    let dropped = FailedRequestId::from_uuid(*kept(&world).await.id.as_uuid());
    world.store.failed_requests().drop(dropped, world.now()).await.unwrap();
    // Two of each: the newest stays.
    for number in [1, 2] {
        world.take(world.received(chat(), number, "hello")).await;
        take(&world, vec![arrived(written(&world, &format!("m-{number}"), "hello"))]).await;
    }
    let now = Some(world.now());
    let over =
        StoredAlert { state: AlertState::Cleared, closed_at: now, finished_at: now, ..alert(&world, "a") };
    world.store.alerts().save(vec![over], None).await.unwrap();

    world.store.keep(Retention {
        messages: DAY,
        failed_requests: 2 * DAY,
        operations: 3 * DAY,
        received: 4 * DAY,
        alerts: 5 * DAY,
        webhook_attempts: 6 * DAY,
        ..Retention::default()
    });
    for swept in [
        Swept { messages: 1, ..Swept::default() },
        Swept { failed_requests: 1, ..Swept::default() },
        Swept { sagas: 2, ..Swept::default() },
        Swept { received: 2, ..Swept::default() },
        Swept { alerts: 1, ..Swept::default() },
        Swept { webhook_deliveries: posted, ..Swept::default() },
    ] {
        world.clock.advance(DAY);
        assert_eq!(world.store.sweep().await, Ok(swept));
    }
}

async fn messages_beyond_the_most_go_once_their_keys_are_over(world: World) {
    let mut sent = Vec::new();
    for number in 0..5_u8 {
        let message = begun(world.message(1));
        world.store.outbox().accept(with_key(message.clone(), number, 1)).await.unwrap();
        world.store.outbox().part_sent(world.sent(message.id, 0)).await.unwrap();
        sent.push(message.id);
        world.clock.advance(Duration::from_mins(1));
    }
    let waiting = world.queued(1).await;
    world.store.keep(Retention { messages_at_most: 3, ..Retention::default() });
    assert_eq!(world.store.sweep().await, Ok(Swept::default()), "who repeats a request finds its message");
    world.clock.advance(DAY);
    let swept = world.store.sweep().await.unwrap();
    assert_eq!((swept.messages, swept.keys), (3, 5));
    for (index, id) in sent.into_iter().enumerate() {
        assert_eq!(world.store.outbox().get(id).await.unwrap().is_some(), index > 2, "{index}");
    }
    assert!(world.store.outbox().get(waiting).await.unwrap().is_some());
    // One that waits counts, and is never among those that go.
    world.store.keep(Retention { messages_at_most: 1, ..Retention::default() });
    assert_eq!(world.store.sweep().await, Ok(Swept { messages: 2, ..Swept::default() }));
    assert!(world.store.outbox().get(waiting).await.unwrap().is_some());
}

#[tokio::test]
async fn messages_are_counted_in_pieces() {
    let world = World::fresh().await;
    let (since, id) = (world.clock.now(), world.queued(1).await);
    let at = since.plus(Duration::from_mins(1));
    let failure = Failure::Rejected { provider_code: "CHAT_RESTRICTED".into() };
    assert!(world.store.outbox().fail(Fail { id, failure, at }).await.unwrap());
    // More than two reads count, past the store.
    world.run(
        "CREATE TEMP TABLE copies AS
             WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 20500)
             SELECT one.* FROM numbers, outbox AS one;
         UPDATE copies SET id = unhex(substr(hex(id), 1, 12) || printf('%020x', rowid));
         INSERT INTO outbox SELECT * FROM copies",
    );
    let ended = world.store.outbox().ended_by_minute(since).await.unwrap();
    assert_eq!(ended.iter().map(|one| one.failed).collect::<Vec<_>>(), [20_501]);
    world.clock.advance(2 * DAY);
    for (most, messages) in [(20_501, 0), (20_499, 2), (10_400, 10_099)] {
        world.store.keep(Retention { messages_at_most: most, ..Retention::default() });
        assert_eq!(world.store.sweep().await.unwrap().messages, messages, "{most}");
    }
}

async fn received_messages_beyond_the_most_go_oldest_first(world: World) {
    let mut taken = Vec::new();
    for number in 1..=230 {
        let message = world.received(chat(), number, "hello");
        taken.push(message.id());
        world.take(message).await;
    }
    for (most, swept) in [(230, 0), (3, 227), (3, 0), (0, 2)] {
        world.store.keep(Retention { received_at_most: most, ..Retention::default() });
        assert_eq!(world.store.sweep().await.unwrap().received, swept, "{most}");
        for (place, id) in taken.iter().enumerate() {
            let is_there = world.store.received().get(id).await.unwrap().is_some();
            assert_eq!(is_there, place + most.max(1) as usize >= 230, "{place}");
        }
    }
}
