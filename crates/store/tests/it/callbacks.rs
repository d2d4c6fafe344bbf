//! Callbacks: due in order, tried again, delivered or given up.

use std::time::Duration;

use domain::saga::SagaState;
use domain::{CallbackId, Service, Timestamp};
use store::{Direction, FailedRequest, FailedState, NewCallback, Page, SagaChange, StoreError};

use crate::support::{World, change, conformance};

conformance! {
    callbacks_come_when_they_are_due,
    a_callback_is_tried_until_it_is_delivered,
    a_callback_that_was_given_up_waits_for_a_person,
    a_delivered_callback_is_not_retried,
    a_missing_callback_is_reported,
    callbacks_survive_reopening,
}

/// A callback that waits.
async fn waiting(world: &World) -> CallbackId {
    let id = CallbackId::from_uuid(world.ids.next());
    let done = world.ended(world.begun_making().await, SagaState::Done);
    let (client_tg_id, invite_link) = ("77".into(), "https://t.me/+demo".into());
    let callback = Some(NewCallback { id, client_tg_id, invite_link });
    world.store.sagas().save(SagaChange { callback, ..change(done) }).await.unwrap();
    id
}

async fn due(world: &World, now: Timestamp) -> Vec<CallbackId> {
    world.store.callbacks().due(now, 100).await.unwrap().into_iter().map(|callback| callback.id).collect()
}

async fn callbacks_come_when_they_are_due(world: World) {
    let callbacks = world.store.callbacks();
    assert_eq!(callbacks.next_due().await, Ok(None));
    let before = world.now();
    let (first, second) = (waiting(&world).await, waiting(&world).await);
    assert_eq!(due(&world, before).await, []);
    assert_eq!(due(&world, world.now()).await, [first, second]);
    assert_eq!(callbacks.due(world.now(), 1).await.unwrap().len(), 1);
    let later = world.now().plus(Duration::from_secs(30));
    callbacks.failed(first, "refused".into(), world.now(), Some(later)).await.unwrap();
    assert_eq!(due(&world, world.now()).await, [second]);
    assert_eq!(due(&world, later).await, [second, first]);
    callbacks.delivered(second, world.now()).await.unwrap();
    assert_eq!(callbacks.next_due().await, Ok(Some(later)));
}

async fn list(world: &World, states: &[FailedState]) -> Vec<FailedRequest> {
    let page = Page { limit: 10, cursor: None };
    world.store.failed_requests().list(states, &page).await.unwrap().items
}

async fn a_callback_is_tried_until_it_is_delivered(world: World) {
    let callbacks = world.store.callbacks();
    let id = waiting(&world).await;
    for attempt in 1..=3_u32 {
        let next = world.now().plus(Duration::from_secs(30));
        callbacks.failed(id, format!("refusal {attempt}"), world.now(), Some(next)).await.unwrap();
        let found = callbacks.due(next, 1).await.unwrap().remove(0);
        assert_eq!((found.attempts, found.next_at), (attempt, next));
        assert_eq!(found.last_error, Some(format!("refusal {attempt}")));
        assert_eq!((found.client_tg_id.as_str(), found.invite_link.as_str()), ("77", "https://t.me/+demo"));
        assert_eq!(found.listener.as_deref(), Some("v1"), "the listener that was asked for the chat");
        let listed = list(&world, &[FailedState::Pending, FailedState::Waiting]).await;
        let [shown] = listed.as_slice() else { panic!("{listed:?}") };
        assert_eq!(
            (shown.callback, shown.state, shown.next_try_at),
            (Some(id), FailedState::Waiting, Some(next))
        );
        assert_eq!(shown.error, format!("refusal {attempt}"));
        assert_eq!(world.store.failed_requests().get(shown.id).await.unwrap().as_ref(), Some(shown));
        assert_eq!(list(&world, &[]).await, listed);
        assert!(list(&world, &[FailedState::Pending]).await.is_empty(), "no person has to do anything");
    }
    let now = world.now();
    assert_eq!(callbacks.hurry(id, now).await, Ok(true));
    assert_eq!(callbacks.next_due().await, Ok(Some(now)));
    callbacks.delivered(id, world.now()).await.unwrap();
    callbacks.delivered(id, world.now()).await.unwrap();
    assert_eq!(callbacks.next_due().await, Ok(None));
    assert_eq!(callbacks.hurry(id, world.now()).await, Ok(false));
    assert!(list(&world, &[]).await.is_empty());
}

async fn a_callback_that_was_given_up_waits_for_a_person(world: World) {
    let callbacks = world.store.callbacks();
    let id = waiting(&world).await;
    assert_eq!(callbacks.requeue(id, world.now()).await, Ok(false));
    let at = world.now();
    callbacks.failed(id, "refused".into(), at, None).await.unwrap();
    callbacks.failed(id, "refused".into(), at, None).await.unwrap();
    assert_eq!(callbacks.next_due().await, Ok(None));
    let failed_id = domain::FailedRequestId::from_uuid(*id.as_uuid());
    let failed = || async { world.store.failed_requests().get(failed_id).await.unwrap().expect("kept") };
    let first = failed().await;
    assert_eq!((first.direction, first.service), (Direction::Outbound, Some(Service::CreateChat)));
    assert_eq!((first.callback, first.state, first.at), (Some(id), FailedState::Pending, at));
    assert_eq!((first.error.as_str(), first.retry_count), ("refused", 0));
    assert!(first.operation.is_some() && first.payload.contains("https://t.me/+demo"));

    world.clock.advance(Duration::from_mins(1));
    let again = world.now();
    assert_eq!(callbacks.requeue(id, again).await, Ok(true));
    assert_eq!(callbacks.requeue(id, again).await, Ok(false));
    let tried = failed().await;
    assert_eq!((tried.state, tried.retry_count), (FailedState::Retried, 1));
    assert_eq!(tried.last_retry_at, Some(again));
    let found = callbacks.due(again, 1).await.unwrap().remove(0);
    assert_eq!((found.id, found.attempts), (id, 1));
    callbacks.failed(id, "still refused".into(), world.now(), None).await.unwrap();
    let second = failed().await;
    assert_eq!((second.state, second.error.as_str()), (FailedState::Pending, "refused"));
    assert_eq!(second.last_retry_error.as_deref(), Some("still refused"));
    callbacks.requeue(id, world.now()).await.unwrap();
    callbacks.delivered(id, world.now()).await.unwrap();
    assert_eq!(failed().await.state, FailedState::Done);
}

async fn a_delivered_callback_is_not_retried(world: World) {
    let callbacks = world.store.callbacks();
    let id = waiting(&world).await;
    callbacks.delivered(id, world.now()).await.unwrap();
    assert_eq!(callbacks.requeue(id, world.now()).await, Ok(false));
    for next in [None, Some(world.now())] {
        let refused = callbacks.failed(id, "late".into(), world.now(), next).await;
        assert!(matches!(refused, Err(StoreError::Conflict { table: "callbacks", .. })), "{refused:?}");
    }
    assert_eq!(callbacks.next_due().await, Ok(None));
}

async fn a_missing_callback_is_reported(world: World) {
    let id = CallbackId::from_uuid(world.ids.next());
    let callbacks = world.store.callbacks();
    let answers = [
        callbacks.delivered(id, world.now()).await,
        callbacks.failed(id, "x".into(), world.now(), None).await,
        callbacks.failed(id, "x".into(), world.now(), Some(world.now())).await,
        callbacks.requeue(id, world.now()).await.map(|_| ()),
    ];
    for answer in answers {
        assert!(matches!(answer, Err(StoreError::NotFound { table: "callbacks", .. })), "{answer:?}");
    }
}

async fn callbacks_survive_reopening(world: World) {
    let id = waiting(&world).await;
    world.store.clone().close().await;
    let store = world.open_again().await.unwrap();
    assert_eq!(store.callbacks().due(world.now(), 10).await.unwrap()[0].id, id);
}
