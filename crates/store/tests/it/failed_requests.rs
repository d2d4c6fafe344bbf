//! Failed requests: kept when their saga ends badly, tried again, done or dropped.

use std::time::Duration;

use domain::outcome::Failure;
use domain::saga::{Saga, SagaState, Verdict};
use domain::{FailedRequestId, OperationId, Service};
use store::{Direction, FailedRequest, FailedState, Page, StoreError};

use crate::support::{World, change, conformance, make_chat, saga_with_keep};

conformance! {
    a_saga_that_fails_keeps_its_request,
    only_requests_marked_to_keep_are_stored,
    a_cancelled_saga_keeps_its_request,
    trying_again_ends_well_or_badly,
    a_doubt_leaves_the_request_being_tried,
    a_dropped_request_stays_dropped,
    a_request_that_is_stuck_can_be_tried_again,
    a_body_that_is_too_long_is_replaced_by_a_note,
    lists_are_newest_first_and_by_state,
    a_refused_form_is_kept_once_and_taken_once,
}

async fn a_refused_form_is_kept_once_and_taken_once(world: World) {
    let forms = world.store.failed_requests();
    let keep = async |number: u128, payload: &str| {
        let id = FailedRequestId::from_uuid(uuid::Uuid::from_u128(number));
        let form = ("/forms/site".to_owned(), payload.to_owned(), "phone: is missing".to_owned());
        forms.keep_form(id, form, world.now()).await.unwrap();
        id
    };
    let first = keep(1, "{}").await;
    keep(2, "{}").await;
    let page = Page { limit: 5, cursor: None };
    let listed = forms.list(&[FailedState::Pending], &page).await.unwrap().items;
    let [form] = listed.as_slice() else { panic!("{listed:?}") };
    assert_eq!((form.id, form.service, form.direction), (first, None, Direction::Inbound));
    assert!(forms.form_retried(first, Some("phone: is missing".to_owned()), world.now()).await.unwrap());
    let refused = forms.get(first).await.unwrap().unwrap();
    assert_eq!((refused.state, refused.retry_count), (FailedState::Pending, 1));
    assert_eq!(refused.last_retry_error.as_deref(), Some("phone: is missing"));
    assert!(forms.form_retried(first, None, world.now()).await.unwrap());
    assert!(!forms.form_retried(first, None, world.now()).await.unwrap());
    assert_eq!(forms.get(first).await.unwrap().unwrap().state, FailedState::Done);
    // A form beyond the limit removes the oldest.
    let numbered = |number: u128| {
        let keep = &keep;
        async move { keep(number, &format!("{{\"a\":{number}}}")).await }
    };
    futures::future::join_all((10..1_011).map(numbered)).await;
    let oldest = FailedRequestId::from_uuid(uuid::Uuid::from_u128(10));
    assert_eq!(forms.get(oldest).await.unwrap(), None);
    let next = FailedRequestId::from_uuid(uuid::Uuid::from_u128(11));
    assert!(forms.get(next).await.unwrap().is_some());
}

async fn kept(world: &World, payload: &str) -> Saga {
    let saga = world.saga(make_chat("Demo"));
    world.store.sagas().accept(saga_with_keep(saga.clone(), payload)).await.unwrap();
    saga
}

async fn fail(world: &World, id: OperationId) {
    let saga = world.get_saga(id).await;
    let failure = Some(Failure::NoAccount { asked: Vec::new() });
    let failed = Saga { failure, ..world.ended(saga, SagaState::Failed) };
    world.store.sagas().save(change(failed)).await.unwrap();
}

fn request_of(id: OperationId) -> FailedRequestId {
    FailedRequestId::from_uuid(*id.as_uuid())
}

async fn get(world: &World, id: OperationId) -> FailedRequest {
    world.store.failed_requests().get(request_of(id)).await.unwrap().expect("it is kept")
}

async fn a_saga_that_fails_keeps_its_request(world: World) {
    let saga = kept(&world, r#"{"title":"Demo"}"#).await;
    assert_eq!(world.store.failed_requests().get(request_of(saga.id)).await, Ok(None));
    fail(&world, saga.id).await;
    let at = world.get_saga(saga.id).await.updated_at;
    let expected = FailedRequest {
        id: request_of(saga.id),
        at,
        service: Some(Service::CreateChat),
        direction: Direction::Inbound,
        endpoint: "/create_chat".into(),
        payload: r#"{"title":"Demo"}"#.into(),
        error: Failure::NoAccount { asked: Vec::new() }.describe(),
        state: FailedState::Pending,
        retry_count: 0,
        last_retry_at: None,
        last_retry_error: None,
        operation: Some(saga.id),
        callback: None,
        next_try_at: None,
    };
    assert_eq!(get(&world, saga.id).await, expected);
}

async fn only_requests_marked_to_keep_are_stored(world: World) {
    let plain = world.making().await;
    fail(&world, plain.id).await;
    let well = kept(&world, "{}").await;
    let done = world.ended(world.get_saga(well.id).await, SagaState::Done);
    world.store.sagas().save(change(done)).await.unwrap();
    for id in [plain.id, well.id] {
        assert_eq!(world.store.failed_requests().get(request_of(id)).await, Ok(None));
    }
}

async fn a_cancelled_saga_keeps_its_request(world: World) {
    let saga = kept(&world, "{}").await;
    let why = Some("every account must wait".to_owned());
    assert_eq!(world.store.sagas().cancel(saga.id, world.now(), why.clone()).await, Ok(true));
    let found = get(&world, saga.id).await;
    assert_eq!((found.state, Some(found.error)), (FailedState::Pending, why));
}

async fn trying_again_ends_well_or_badly(world: World) {
    let requests = world.store.failed_requests();
    let saga = kept(&world, "{}").await;
    fail(&world, saga.id).await;
    let id = request_of(saga.id);
    // By its own word first, then the saga; or by the saga alone.
    assert_eq!(requests.retried(id, world.now()).await, Ok(true));
    assert_eq!(world.store.sagas().retry(saga.id, world.now()).await, Ok(true));
    assert_eq!(requests.retried(id, world.now()).await, Ok(false));
    assert_eq!(requests.drop(id, world.now()).await, Ok(false));
    assert_eq!(get(&world, saga.id).await.retry_count, 1);
    world.store.sagas().cancel(saga.id, world.now(), Some("no time".into())).await.unwrap();
    let again = get(&world, saga.id).await;
    assert_eq!((again.state, again.last_retry_error.as_deref()), (FailedState::Pending, Some("no time")));
    assert_eq!(again.error, Failure::NoAccount { asked: Vec::new() }.describe());
    world.clock.advance(Duration::from_mins(1));
    let at = world.now();
    assert_eq!(world.store.sagas().retry(saga.id, at).await, Ok(true));
    let tried = get(&world, saga.id).await;
    assert_eq!((tried.state, tried.retry_count), (FailedState::Retried, 2));
    assert_eq!(tried.last_retry_at, Some(at));
    let done = world.ended(world.get_saga(saga.id).await, SagaState::Done);
    world.store.sagas().save(change(done)).await.unwrap();
    assert_eq!(get(&world, saga.id).await.state, FailedState::Done);
    assert_eq!(requests.retried(id, world.now()).await, Ok(false));
    assert_eq!(requests.drop(id, world.now()).await, Ok(false));
}

async fn a_doubt_leaves_the_request_being_tried(world: World) {
    let saga = kept(&world, "{}").await;
    fail(&world, saga.id).await;
    world.store.sagas().retry(saga.id, world.now()).await.unwrap();
    let running = world.begin_create(world.get_saga(saga.id).await);
    world.store.sagas().begin(change(running.clone())).await.unwrap();
    let doubtful = Saga { state: SagaState::InDoubt, ..running };
    world.store.sagas().save(change(doubtful)).await.unwrap();
    assert_eq!(get(&world, saga.id).await.state, FailedState::Retried);
    assert_eq!(world.store.failed_requests().drop(request_of(saga.id), world.now()).await, Ok(false));
    world.store.sagas().resolve(saga.id, Verdict::Again, world.now()).await.unwrap();
    fail(&world, saga.id).await;
    assert_eq!(get(&world, saga.id).await.state, FailedState::Pending);
}

async fn a_dropped_request_stays_dropped(world: World) {
    let saga = kept(&world, "{}").await;
    fail(&world, saga.id).await;
    let id = request_of(saga.id);
    assert_eq!(world.store.failed_requests().drop(id, world.now()).await, Ok(true));
    assert_eq!(world.store.failed_requests().drop(id, world.now()).await, Ok(false));
    assert_eq!(world.store.failed_requests().retried(id, world.now()).await, Ok(false));
    let dropped = get(&world, saga.id).await;
    world.store.sagas().retry(saga.id, world.now()).await.unwrap();
    world.store.sagas().cancel(saga.id, world.now(), None).await.unwrap();
    assert_eq!(get(&world, saga.id).await, dropped);
    let missing = FailedRequestId::from_uuid(world.ids.next());
    let refused = world.store.failed_requests().drop(missing, world.now()).await;
    assert!(matches!(refused, Err(StoreError::NotFound { table: "failed_requests", .. })));
}

async fn a_request_that_is_stuck_can_be_tried_again(world: World) {
    let requests = world.store.failed_requests();
    let saga = kept(&world, "{}").await;
    fail(&world, saga.id).await;
    let id = request_of(saga.id);
    // The program ended before the saga was tried again.
    assert_eq!(requests.retried(id, world.now()).await, Ok(true));
    assert_eq!(requests.retried(id, world.now()).await, Ok(true));
    assert_eq!(requests.drop(id, world.now()).await, Ok(true));
}

async fn a_body_that_is_too_long_is_replaced_by_a_note(world: World) {
    for (length, is_kept) in [(64 * 1024, true), (64 * 1024 + 1, false)] {
        let payload = format!("\"{}\"", "x".repeat(length - 2));
        let saga = kept(&world, &payload).await;
        fail(&world, saga.id).await;
        let found = get(&world, saga.id).await.payload;
        assert_eq!(found == payload, is_kept);
        let json: serde_json::Value = serde_json::from_str(&found).expect("it is JSON in any case");
        assert_eq!(json.get("note").is_some(), !is_kept);
    }
}

async fn lists_are_newest_first_and_by_state(world: World) {
    let requests = world.store.failed_requests();
    let mut made = Vec::new();
    for number in 0..12 {
        let saga = kept(&world, "{}").await;
        fail(&world, saga.id).await;
        let id = request_of(saga.id);
        if number % 3 == 0 {
            requests.drop(id, world.now()).await.unwrap();
        }
        made.push((id, number % 3 == 0));
    }
    made.reverse();
    for state in [None, Some(FailedState::Pending), Some(FailedState::Dropped), Some(FailedState::Done)] {
        let expected: Vec<_> = made
            .iter()
            .filter(|(_, dropped)| match state {
                None => true,
                Some(FailedState::Dropped) => *dropped,
                Some(FailedState::Pending) => !*dropped,
                Some(_) => false,
            })
            .map(|(id, _)| *id)
            .collect();
        let mut found = Vec::new();
        let mut cursor = None;
        loop {
            let listed = requests.list(state.as_slice(), &Page { limit: 3, cursor }).await.unwrap();
            found.extend(listed.items.iter().map(|request| request.id));
            cursor = listed.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "{state:?}");
    }
    let strange = Page { limit: 3, cursor: Some("msg_1".into()) };
    assert_eq!(requests.list(&[], &strange).await, Err(StoreError::BadCursor));
}
