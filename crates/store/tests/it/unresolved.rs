//! Chats that no one found: counted at every end for that reason, with who asked.

use std::time::Duration;

use domain::ApiKeyId;
use domain::outcome::{Failure, Refusal};
use domain::saga::{Left, Progress, Saga, SagaState};
use store::{Fail, Page, StoreError, Then, UnresolvedChat};

use crate::support::{World, accept, accept_saga, account, begun, change, conformance, leave_chat};

conformance! {
    every_end_for_want_of_a_chat_is_counted,
    other_ends_are_not_counted,
    a_chat_that_no_one_finds_and_counts_as_left_is_counted,
    callers_of_a_chat_are_recorded,
    the_latest_come_first,
    an_unresolved_chat_is_removed_on_request,
}

fn nowhere() -> Failure {
    let asked = vec![Refusal { account: account("main"), why: "not in its dialogs".into() }];
    Failure::ChatNotFound { asked }
}

async fn all(world: &World) -> Vec<UnresolvedChat> {
    let page = Page { limit: 500, cursor: None };
    world.store.unresolved().list(&page).await.unwrap().items
}

async fn lost_message(world: &World, chat: &str) {
    let mut message = world.message(1);
    message.chat = chat.parse().unwrap();
    let id = message.id;
    world.store.outbox().accept(accept(message)).await.unwrap();
    let fail = Fail { id, failure: nowhere(), at: world.now() };
    assert_eq!(world.store.outbox().fail(fail).await, Ok(true));
}

async fn every_end_for_want_of_a_chat_is_counted(world: World) {
    let first_at = world.now();
    lost_message(&world, "-1001234567890").await;
    let message = begun(world.message(1));
    let id = message.id;
    world.store.outbox().accept(accept(message)).await.unwrap();
    world.store.outbox().part_unsent(world.unsent(id, 0, Then::Fail(nowhere()))).await.unwrap();
    // A message that has ended ends no second time.
    let fail = Fail { id, failure: nowhere(), at: world.now() };
    assert_eq!(world.store.outbox().fail(fail).await, Ok(false));
    let saga = world.saga(leave_chat("-1001234567890"));
    world.store.sagas().accept(accept_saga(saga.clone())).await.unwrap();
    let failed = Saga { failure: Some(nowhere()), ..world.ended(saga, SagaState::Failed) };
    world.store.sagas().save(change(failed.clone())).await.unwrap();
    world.store.sagas().save(change(failed)).await.unwrap();

    let found = all(&world).await;
    assert_eq!(found.len(), 1);
    let chat = &found[0];
    assert_eq!((chat.chat_id.as_str(), chat.count), ("-1001234567890", 3));
    assert!(chat.first_at >= first_at && chat.last_at > chat.first_at);
    assert_eq!(chat.accounts, [Refusal { account: account("main"), why: "not in its dialogs".into() }]);
    assert_eq!((chat.callers.len(), chat.callers[0].count), (1, 3));
}

async fn other_ends_are_not_counted(world: World) {
    let id = world.queued(1).await;
    let failure = Failure::NoRights { asked: Vec::new() };
    world.store.outbox().fail(Fail { id, failure: failure.clone(), at: world.now() }).await.unwrap();
    let sending = world.sending(1).await;
    world.store.outbox().part_unsent(world.unsent(sending, 0, Then::Fail(failure))).await.unwrap();
    let saga = world.making().await;
    world.store.sagas().cancel(saga.id, world.now(), None).await.unwrap();
    assert!(all(&world).await.is_empty());
}

async fn a_chat_that_no_one_finds_and_counts_as_left_is_counted(world: World) {
    let saga = world.saga(leave_chat("@demo_chat"));
    world.store.sagas().accept(accept_saga(saga.clone())).await.unwrap();
    let progress = Progress { left: Some(Left::Unresolvable), ..Progress::default() };
    let done = Saga { progress, ..world.ended(saga, SagaState::Done) };
    let entries = vec![world.saga_entry("leave", Some("not_found")), world.saga_entry("finished", None)];
    world.store.sagas().save(store::SagaChange { entries, ..change(done) }).await.unwrap();
    let found = all(&world).await;
    assert_eq!((found[0].chat_id.as_str(), found[0].count), ("@demo_chat", 1));
    assert_eq!(found[0].accounts, [Refusal { account: account("main"), why: "not_found".into() }]);
}

async fn callers_of_a_chat_are_recorded(world: World) {
    let key = ApiKeyId::from_uuid(world.ids.next());
    for (listener, address) in [("5022", "192.0.2.7"), ("v1", "192.0.2.7"), ("5022", "192.0.2.7")] {
        let message = world.message(1);
        let id = message.id;
        let mut accept = accept(message);
        accept.origin.listener = listener.into();
        accept.origin.address = Some(address.parse().unwrap());
        accept.origin.api_key = (listener == "v1").then_some(key);
        world.store.outbox().accept(accept).await.unwrap();
        world.store.outbox().fail(Fail { id, failure: nowhere(), at: world.now() }).await.unwrap();
        world.clock.advance(Duration::from_secs(1));
    }
    let callers = all(&world).await.remove(0).callers;
    let shown: Vec<_> =
        callers.iter().map(|caller| (caller.listener.as_str(), caller.api_key, caller.count)).collect();
    assert_eq!(shown, [("5022", None, 2), ("v1", Some(key), 1)]);
    assert!(callers.iter().all(|caller| caller.address == Some("192.0.2.7".parse().unwrap())));
}

async fn the_latest_come_first(world: World) {
    for number in [3, 1, 2, 1] {
        lost_message(&world, &format!("@chat_{number}")).await;
        world.clock.advance(Duration::from_secs(1));
    }
    let mut names = Vec::new();
    let mut cursor = None;
    loop {
        let listed = world.store.unresolved().list(&Page { limit: 1, cursor }).await.unwrap();
        names.extend(listed.items.into_iter().map(|chat| (chat.chat_id, chat.count)));
        cursor = listed.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(names, [("@chat_1".into(), 2), ("@chat_2".into(), 1), ("@chat_3".into(), 1)]);
    for strange in ["", "1", "a.b"] {
        let page = Page { limit: 1, cursor: Some(strange.into()) };
        assert_eq!(world.store.unresolved().list(&page).await, Err(StoreError::BadCursor));
    }
}

async fn an_unresolved_chat_is_removed_on_request(world: World) {
    lost_message(&world, "@demo_chat").await;
    assert_eq!(world.store.unresolved().forget("@other").await, Ok(false));
    assert_eq!(world.store.unresolved().forget("@demo_chat").await, Ok(true));
    assert!(all(&world).await.is_empty());
    // It begins again, with its callers.
    lost_message(&world, "@demo_chat").await;
    let again = all(&world).await.remove(0);
    assert_eq!((again.count, again.callers[0].count), (1, 1));
}
