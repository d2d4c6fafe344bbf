//! Sagas: taken in once, each step before and after it, ends, doubts, and ways back.

use std::time::Duration;

use domain::account::Operation;
use domain::message::OnFlood;
use domain::outcome::Failure;
use domain::saga::{
    Begun, Ended, Failover, Member, Person, Progress, RegistryChange, Role, Saga, SagaState, Step,
    StepOutcome, Verdict,
};
use domain::{ApiKeyId, CallbackId, OperationId, UserId};
use store::{
    AcceptSaga, Accepted, ChatState, FailoverFilter, Hold, Join, NewCallback, Page, SagaAccepted, SagaChange,
    StoreError,
};

use crate::support::{
    TIMEOUT, World, accept_saga, account, change, chat, chat_number, conformance, leave_chat, make_chat,
    saga_with_key, with_key,
};

conformance! {
    a_saga_reads_back_as_it_was_taken_in,
    a_key_makes_one_saga,
    a_key_whose_saga_was_unsuccessful_is_free,
    keys_of_messages_and_sagas_do_not_mix,
    sixty_four_callers_with_one_key_make_one_saga,
    the_same_body_joins_a_saga_that_its_caller_has_left,
    callers_of_an_earlier_process_are_gone,
    everything_about_a_step_is_written_at_once,
    a_change_that_cannot_be_leaves_nothing,
    the_same_write_again_changes_nothing,
    an_ended_saga_stays_ended,
    states_that_make_no_sense_are_refused,
    only_what_is_queued_is_cancelled,
    a_retry_begins_where_the_saga_began,
    a_doubt_ends_with_the_chat_that_was_made,
    a_doubt_ends_by_doing_it_again,
    a_doubt_about_a_chat_needs_the_chat,
    a_doubt_about_the_last_step_ends_in_one_write,
    histories_are_bounded_and_in_order,
    unfinished_sagas_come_oldest_first,
    a_missing_saga_is_reported,
    sagas_survive_reopening,
    only_a_fresh_saga_is_taken_in,
}

async fn a_saga_reads_back_as_it_was_taken_in(world: World) {
    let person = Person { user_id: UserId::new(5).expect("an id"), is_bot: true };
    let member = Member {
        who: "@demo_main".parse().unwrap(),
        role: Role::Admin,
        person: Some(person),
        result: None,
        detail: Some("why".into()),
        promoted: Some(Ended::Refused { why: "no".into() }),
    };
    let saga = Saga {
        pin: Some(account("main")),
        on_flood: OnFlood::Fail,
        chat_id: Some(chat()),
        progress: Progress { members: vec![member], ..Progress::default() },
        ..world.saga(leave_chat("-1001234567890"))
    };
    let mut accept = accept_saga(saga.clone());
    accept.origin.api_key = Some(ApiKeyId::from_uuid(world.ids.next()));
    accept.origin.address = Some("192.0.2.7".parse().unwrap());
    let origin = accept.origin.clone();
    assert_eq!(world.store.sagas().accept(accept).await, Ok(SagaAccepted::New));
    assert_eq!(world.get_saga(saga.id).await, saga);
    assert_eq!(world.store.sagas().origin(saga.id).await, Ok(Some(origin)));
    assert_eq!(world.history(saga.id).await, ["accepted"]);
}

async fn only_a_fresh_saga_is_taken_in(world: World) {
    let fresh = world.saga(make_chat("Demo"));
    let running = world.begin_create(fresh.clone());
    let failure = Some(Failure::NoAccount { asked: Vec::new() });
    for wrong in [
        running.clone(),
        Saga { state: SagaState::Queued, ..running },
        Saga { state: SagaState::Done, ..fresh.clone() },
        Saga { failure, ..fresh.clone() },
    ] {
        let refused = world.store.sagas().accept(accept_saga(wrong)).await;
        assert!(matches!(refused, Err(StoreError::Conflict { table: "operations", .. })), "{refused:?}");
    }
    assert_eq!(world.store.sagas().get(fresh.id).await, Ok(None));
    assert_eq!(world.store.sagas().accept(accept_saga(fresh.clone())).await, Ok(SagaAccepted::New));
    let twice = world.store.sagas().accept(accept_saga(fresh)).await;
    assert!(matches!(twice, Err(StoreError::Conflict { table: "operations", .. })), "{twice:?}");
}

async fn a_key_makes_one_saga(world: World) {
    let sagas = world.store.sagas();
    let saga = || world.saga(make_chat("Demo"));
    let first = saga();
    let key = saga_with_key(first.clone(), 1, 1).idempotency.unwrap();
    assert_eq!(sagas.keyed(key, world.now()).await, Ok(None));
    assert_eq!(sagas.accept(saga_with_key(first.clone(), 1, 1)).await, Ok(SagaAccepted::New));
    assert_eq!(sagas.accept(saga_with_key(saga(), 1, 1)).await, Ok(SagaAccepted::Repeated(first.id)));
    assert_eq!(sagas.accept(saga_with_key(saga(), 1, 2)).await, Ok(SagaAccepted::Conflict));
    assert_eq!(sagas.accept(saga_with_key(saga(), 2, 1)).await, Ok(SagaAccepted::New));
    assert_eq!(sagas.keyed(key, world.now()).await, Ok(Some(SagaAccepted::Repeated(first.id))));
    assert_eq!(sagas.unfinished(None, 10).await.unwrap().readable.len(), 2);
    world.clock.advance(Duration::from_hours(24));
    assert_eq!(sagas.keyed(key, world.now()).await, Ok(None));
    assert_eq!(sagas.accept(saga_with_key(saga(), 1, 2)).await, Ok(SagaAccepted::New));
}

async fn a_key_whose_saga_was_unsuccessful_is_free(world: World) {
    let sagas = world.store.sagas();
    for end in 0..2 {
        let saga = world.saga(make_chat("Demo"));
        assert_eq!(sagas.accept(saga_with_key(saga.clone(), 1, end)).await, Ok(SagaAccepted::New));
        if end == 0 {
            assert_eq!(sagas.cancel(saga.id, world.now(), None).await, Ok(true));
        } else {
            let failure = Some(Failure::NoAccount { asked: Vec::new() });
            let failed = Saga { failure, ..world.ended(saga, SagaState::Failed) };
            sagas.save(change(failed)).await.unwrap();
        }
    }
    for state in [SagaState::Done, SagaState::InDoubt] {
        let saga = world.saga(make_chat("Demo"));
        assert_eq!(sagas.accept(saga_with_key(saga.clone(), 1, 9)).await, Ok(SagaAccepted::New));
        let running = world.begin_create(saga.clone());
        sagas.begin(change(running.clone())).await.unwrap();
        let ended =
            if state == SagaState::Done { world.ended(running, state) } else { Saga { state, ..running } };
        sagas.save(change(ended)).await.unwrap();
        let again = sagas.accept(saga_with_key(world.saga(make_chat("Demo")), 1, 9)).await;
        assert_eq!(again, Ok(SagaAccepted::Repeated(saga.id)));
        world.clock.advance(Duration::from_hours(24));
    }
}

async fn keys_of_messages_and_sagas_do_not_mix(world: World) {
    let message = world.message(1);
    let saga = world.saga(make_chat("Demo"));
    assert_eq!(world.store.outbox().accept(with_key(message.clone(), 1, 1)).await, Ok(Accepted::New));
    assert_eq!(world.store.sagas().accept(saga_with_key(saga.clone(), 2, 1)).await, Ok(SagaAccepted::New));
    let again = world.store.outbox().accept(with_key(world.message(1), 1, 1)).await;
    assert_eq!(again, Ok(Accepted::Repeated(message.id)));
    let again = world.store.sagas().accept(saga_with_key(world.saga(make_chat("Demo")), 2, 1)).await;
    assert_eq!(again, Ok(SagaAccepted::Repeated(saga.id)));
}

async fn sixty_four_callers_with_one_key_make_one_saga(world: World) {
    let callers: Vec<_> = (0..64)
        .map(|_| {
            let accept = saga_with_key(world.saga(make_chat("Demo")), 1, 1);
            let store = world.store.clone();
            tokio::spawn(async move { store.sagas().accept(accept).await.unwrap() })
        })
        .collect();
    let mut answers = Vec::new();
    for caller in callers {
        answers.push(caller.await.unwrap());
    }
    let (new, repeated): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| *answer == SagaAccepted::New);
    let made = world.store.sagas().unfinished(None, 100).await.unwrap().readable;
    assert_eq!((new.len(), made.len(), repeated.len()), (1, 1, 63));
    assert!(repeated.iter().all(|answer| *answer == SagaAccepted::Repeated(made[0].id)));
}

fn joining(world: &World, fingerprint: u8) -> AcceptSaga {
    let join = Join { fingerprint: [fingerprint; 32], repeats: Duration::from_mins(1) };
    AcceptSaga { join: Some(join), ..accept_saga(world.saga(make_chat("Demo"))) }
}

async fn the_same_body_joins_a_saga_that_its_caller_has_left(world: World) {
    let sagas = world.store.sagas();
    let first = joining(&world, 1);
    let saga = first.saga.clone();
    assert_eq!(sagas.accept(first).await, Ok(SagaAccepted::New));
    // While its caller waits, the same body is a new one.
    let second = joining(&world, 1);
    let other = second.saga.id;
    assert_eq!(sagas.accept(second).await, Ok(SagaAccepted::New));
    sagas.answered(other).await.unwrap();
    sagas.unanswered(other).await.unwrap();
    sagas.unanswered(saga.id).await.unwrap();
    assert_eq!(sagas.accept(joining(&world, 1)).await, Ok(SagaAccepted::Joined(saga.id)));
    assert_eq!(sagas.accept(joining(&world, 2)).await, Ok(SagaAccepted::New));
    // It is joined for a minute after its end, and a sweep in between takes nothing away.
    let running = world.begin_create(saga.clone());
    sagas.begin(change(running.clone())).await.unwrap();
    sagas.save(change(world.ended(running, SagaState::Done))).await.unwrap();
    world.clock.advance(Duration::from_secs(50));
    assert_eq!(world.store.sweep().await.unwrap().joins, 0);
    let keyed =
        AcceptSaga { idempotency: saga_with_key(saga.clone(), 7, 7).idempotency, ..joining(&world, 1) };
    assert_eq!(sagas.accept(keyed.clone()).await, Ok(SagaAccepted::Joined(saga.id)));
    world.clock.advance(Duration::from_secs(11));
    assert_eq!(sagas.accept(joining(&world, 1)).await, Ok(SagaAccepted::New));
    // The key that joined stands for what it joined.
    assert_eq!(sagas.accept(keyed).await, Ok(SagaAccepted::Repeated(saga.id)));
    assert_eq!(world.store.sweep().await.unwrap().joins, 1);
    // Without a join there is nothing to come back to.
    let plain = world.making().await;
    sagas.unanswered(plain.id).await.unwrap();
    sagas.answered(plain.id).await.unwrap();
}

async fn callers_of_an_earlier_process_are_gone(world: World) {
    let waiting = joining(&world, 1);
    let id = waiting.saga.id;
    world.store.sagas().accept(waiting).await.unwrap();
    world.store.clone().close().await;
    let store = world.open_again().await.unwrap();
    assert_eq!(store.sagas().accept(joining(&world, 1)).await, Ok(SagaAccepted::Joined(id)));
}

async fn everything_about_a_step_is_written_at_once(world: World) {
    let sagas = world.store.sagas();
    let queued = world.making().await;
    let running = world.begin_create(queued);
    let failover = Failover {
        at: world.now(),
        chat_id: None,
        from: account("backup_1"),
        to: account("main"),
        reason: "flood wait".into(),
    };
    let begin = SagaChange {
        entries: vec![world.saga_entry("create", Some("begun"))],
        failover: Some(failover.clone()),
        ..change(running.clone())
    };
    sagas.begin(begin).await.unwrap();
    assert_eq!(world.get_saga(running.id).await, running);

    let until = world.now().plus(Duration::from_mins(1));
    let made = Saga { chat_id: Some(chat()), begun: None, updated_at: world.now(), ..running };
    let created = RegistryChange::Created {
        chat_id: chat(),
        title: "Demo".into(),
        about: "A demo".into(),
        account: account("main"),
    };
    let save = SagaChange {
        entries: vec![world.saga_entry("create", Some("ok"))],
        hold: Some(Hold::Flood { account: account("main"), operation: Operation::Invite, until }),
        registry: vec![created],
        ..change(made.clone())
    };
    sagas.save(save).await.unwrap();
    let link = "https://t.me/+demo".to_owned();
    let progress = Progress { invite_link: Some(link.clone()), ..Progress::default() };
    let done = Saga { progress, ..world.ended(made, SagaState::Done) };
    let callback = NewCallback {
        id: CallbackId::from_uuid(world.ids.next()),
        client_tg_id: "77".into(),
        invite_link: link.clone(),
    };
    let end = SagaChange {
        registry: vec![RegistryChange::Linked { chat_id: chat(), link: link.clone() }],
        callback: Some(callback.clone()),
        ..change(done.clone())
    };
    sagas.save(end).await.unwrap();

    assert_eq!(world.get_saga(done.id).await, done);
    assert_eq!(world.history(done.id).await, ["accepted", "create", "create", "finished"]);
    let steps = sagas.steps(done.id).await.unwrap();
    assert_eq!(steps[2].outcome, Some(StepOutcome::Ok));
    let page = Page { limit: 10, cursor: None };
    let failovers = world.store.failovers().list(&FailoverFilter::default(), &page).await.unwrap();
    assert_eq!(failovers.items.len(), 1);
    assert_eq!(
        (&failovers.items[0].failover, &failovers.items[0].subject),
        (&failover, &done.id.to_string())
    );
    let record = world.store.chats().get(chat()).await.unwrap().expect("it is in the registry");
    assert_eq!((record.operation, record.state), (Some(done.id), ChatState::Active));
    assert_eq!((record.account, record.invite_link), (Some(account("main")), Some(link)));
    assert_eq!(world.store.accounts().bindings().await.unwrap(), [(chat(), account("main"))]);
    assert_eq!(world.store.accounts().holds(world.now()).await.unwrap().floods.len(), 1);
    let due = world.store.callbacks().due(world.now(), 10).await.unwrap();
    assert_eq!(due.len(), 1);
    assert_eq!((due[0].id, due[0].operation, due[0].attempts), (callback.id, done.id, 0));
}

async fn a_change_that_cannot_be_leaves_nothing(world: World) {
    let saga = world.making().await;
    assert_eq!(world.store.sagas().cancel(saga.id, world.now(), None).await, Ok(true));
    let late = SagaChange {
        entries: vec![world.saga_entry("create", Some("ok"))],
        registry: vec![RegistryChange::Left { chat_id: chat() }],
        ..change(world.begin_create(saga.clone()))
    };
    let refused = world.store.sagas().begin(late).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    assert_eq!(world.store.chats().get(chat()).await, Ok(None));
    assert_eq!(world.history(saga.id).await, ["accepted", "cancelled"]);
}

async fn the_same_write_again_changes_nothing(world: World) {
    let sagas = world.store.sagas();
    let queued = world.making().await;
    let failover = Failover {
        at: world.now(),
        chat_id: None,
        from: account("backup_1"),
        to: account("main"),
        reason: "banned".into(),
    };
    let begin = SagaChange {
        entries: vec![world.saga_entry("create", Some("begun"))],
        failover: Some(failover),
        ..change(world.begin_create(queued))
    };
    let running = begin.saga.clone();
    sagas.begin(begin.clone()).await.unwrap();
    sagas.begin(begin).await.unwrap();
    let end = change(world.ended(running, SagaState::Done));
    sagas.save(end.clone()).await.unwrap();
    sagas.save(end.clone()).await.unwrap();
    assert_eq!(world.history(end.saga.id).await, ["accepted", "create", "finished"]);
    let page = Page { limit: 10, cursor: None };
    let failovers = world.store.failovers().list(&FailoverFilter::default(), &page).await.unwrap();
    assert_eq!(failovers.items.len(), 1);
}

async fn an_ended_saga_stays_ended(world: World) {
    let sagas = world.store.sagas();
    for state in [SagaState::Done, SagaState::Failed, SagaState::Cancelled, SagaState::InDoubt] {
        let running = world.begun_making().await;
        let ended = if state == SagaState::InDoubt {
            Saga { state, ..running.clone() }
        } else {
            world.ended(running.clone(), state)
        };
        sagas.save(change(ended.clone())).await.unwrap();
        world.clock.advance(Duration::from_secs(1));
        let again = Saga { updated_at: world.now(), ..running.clone() };
        assert!(matches!(sagas.begin(change(again)).await, Err(StoreError::Conflict { .. })));
        let other = world.ended(running, SagaState::Done);
        assert!(matches!(sagas.save(change(other)).await, Err(StoreError::Conflict { .. })));
        assert_eq!(sagas.cancel(ended.id, world.now(), None).await, Ok(false));
        assert_eq!(world.get_saga(ended.id).await, ended);
    }
}

async fn states_that_make_no_sense_are_refused(world: World) {
    let sagas = world.store.sagas();
    let running = world.begun_making().await;
    let before = world.get_saga(running.id).await;
    let begun = Begun { step: Step::Leave, at: world.now() };
    for (state, begun) in [
        (SagaState::Queued, Some(begun.clone())),
        (SagaState::Done, Some(begun.clone())),
        (SagaState::Failed, Some(begun.clone())),
        (SagaState::Cancelled, Some(begun.clone())),
        (SagaState::InDoubt, None),
    ] {
        let wrong = Saga { state, begun, ..running.clone() };
        let refused = sagas.save(change(wrong)).await;
        assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{state:?} {refused:?}");
    }
    for wrong in [Saga { begun: None, ..running.clone() }, world.ended(running.clone(), SagaState::Queued)] {
        assert!(matches!(sagas.begin(change(wrong)).await, Err(StoreError::Conflict { .. })));
    }
    assert_eq!(world.get_saga(running.id).await, before);
}

async fn only_what_is_queued_is_cancelled(world: World) {
    let sagas = world.store.sagas();
    let running = world.begun_making().await;
    assert_eq!(sagas.cancel(running.id, world.now(), None).await, Ok(false));
    // It was refused, and waits for another account.
    let waits = Saga { account: None, ..world.ended(running, SagaState::Queued) };
    sagas.save(change(waits.clone())).await.unwrap();
    assert_eq!(sagas.cancel(waits.id, world.now(), Some("the caller is gone".into())).await, Ok(true));
    assert_eq!(sagas.cancel(waits.id, world.now(), None).await, Ok(false));
    assert_eq!(world.get_saga(waits.id).await.state, SagaState::Cancelled);
    let last = sagas.steps(waits.id).await.unwrap().pop().expect("a history");
    assert_eq!((last.what.as_str(), last.detail.as_deref()), ("cancelled", Some("the caller is gone")));
}

async fn a_retry_begins_where_the_saga_began(world: World) {
    let sagas = world.store.sagas();
    let saga = Saga { chat_id: Some(chat()), ..world.saga(leave_chat("-1001234567890")) };
    sagas.accept(accept_saga(saga.clone())).await.unwrap();
    assert_eq!(sagas.retry(saga.id, world.now()).await, Ok(false));
    let to_remove = [1, 2].into_iter().filter_map(UserId::new).collect();
    let progress = Progress { to_remove: Some(to_remove), ..Progress::default() };
    let failed = Saga {
        progress,
        account: Some(account("main")),
        chat_id: Some(chat_number(9)),
        failure: Some(Failure::NoRights { asked: Vec::new() }),
        ..world.ended(saga.clone(), SagaState::Failed)
    };
    sagas.save(change(failed)).await.unwrap();
    world.clock.advance(Duration::from_hours(1));
    let at = world.now();
    assert_eq!(sagas.retry(saga.id, at).await, Ok(true));
    assert_eq!(sagas.retry(saga.id, at).await, Ok(false));
    let fresh = Saga { patient_until: at.plus(TIMEOUT), updated_at: at, ..saga.clone() };
    assert_eq!(world.get_saga(saga.id).await, fresh);
    assert_eq!(world.history(saga.id).await, ["accepted", "failed", "retried"]);
    sagas.cancel(saga.id, world.now(), None).await.unwrap();
    assert_eq!(sagas.retry(saga.id, world.now()).await, Ok(true));
    let done = world.ended(world.get_saga(saga.id).await, SagaState::Done);
    sagas.save(change(done)).await.unwrap();
    assert_eq!(sagas.retry(saga.id, world.now()).await, Ok(false));
}

/// A saga that may have made a chat.
async fn doubtful(world: &World) -> Saga {
    let running = world.begun_making().await;
    let doubtful = Saga { state: SagaState::InDoubt, updated_at: world.now(), ..running };
    world.store.sagas().save(change(doubtful.clone())).await.unwrap();
    doubtful
}

async fn a_doubt_ends_with_the_chat_that_was_made(world: World) {
    let sagas = world.store.sagas();
    let saga = doubtful(&world).await;
    assert!(sagas.unfinished(None, 10).await.unwrap().readable.is_empty());
    world.clock.advance(Duration::from_hours(1));
    let at = world.now();
    assert_eq!(sagas.resolve(saga.id, Verdict::Done(Some(chat())), at).await, Ok(true));
    assert_eq!(sagas.resolve(saga.id, Verdict::Again, at).await, Ok(false));
    let goes_on = Saga {
        state: SagaState::Running,
        chat_id: Some(chat()),
        begun: None,
        patient_until: at.plus(TIMEOUT),
        updated_at: at,
        ..saga.clone()
    };
    assert_eq!(sagas.unfinished(None, 10).await.map(|found| found.readable), Ok(vec![goes_on]));
    let record = world.store.chats().get(chat()).await.unwrap().expect("it is in the registry");
    assert_eq!((record.operation, record.account), (Some(saga.id), Some(account("main"))));
    assert_eq!(record.title.as_deref(), Some("Demo"));
    assert_eq!(world.history(saga.id).await, ["accepted", "in_doubt", "resolved"]);
}

async fn a_doubt_ends_by_doing_it_again(world: World) {
    let sagas = world.store.sagas();
    let saga = doubtful(&world).await;
    assert_eq!(sagas.retry(saga.id, world.now()).await, Ok(false));
    let at = world.now();
    assert_eq!(sagas.resolve(saga.id, Verdict::Again, at).await, Ok(true));
    let fresh = world.get_saga(saga.id).await;
    assert_eq!((fresh.state, fresh.account, fresh.begun), (SagaState::Queued, None, None));
    assert_eq!(fresh.patient_until, at.plus(TIMEOUT));
    assert!(world.store.chats().left().await.unwrap().is_empty());
    assert_eq!(world.store.chats().titled("Demo").await, Ok(Vec::new()));
}

async fn a_doubt_about_a_chat_needs_the_chat(world: World) {
    let saga = doubtful(&world).await;
    let refused = world.store.sagas().resolve(saga.id, Verdict::Done(None), world.now()).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    assert_eq!(world.get_saga(saga.id).await, saga);
    assert_eq!(world.history(saga.id).await, ["accepted", "in_doubt"]);
}

async fn a_doubt_about_the_last_step_ends_in_one_write(world: World) {
    let sagas = world.store.sagas();
    let saga = Saga { chat_id: Some(chat()), ..world.saga(leave_chat("-1001234567890")) };
    sagas.accept(accept_saga(saga.clone())).await.unwrap();
    let begun = Some(Begun { step: Step::Leave, at: world.now() });
    let running = Saga { state: SagaState::Running, account: Some(account("main")), begun, ..saga };
    sagas.begin(change(running.clone())).await.unwrap();
    let doubtful = Saga { state: SagaState::InDoubt, ..running };
    sagas.save(change(doubtful.clone())).await.unwrap();
    world.clock.advance(Duration::from_hours(1));
    let at = world.now();
    let left = Saga { state: SagaState::Done, begun: None, updated_at: at, ..doubtful.clone() };
    let registry = vec![RegistryChange::Left { chat_id: chat() }];
    let verdict = SagaChange { registry, ..change(left.clone()) };
    // What is no end is refused, and changes nothing.
    let goes_on = change(Saga { state: SagaState::Running, ..left.clone() });
    assert!(matches!(sagas.resolve_as_done(goes_on).await, Err(StoreError::Conflict { .. })));
    assert_eq!(world.get_saga(doubtful.id).await, doubtful);

    assert_eq!(sagas.resolve_as_done(verdict.clone()).await, Ok(true));
    // Nothing is left that a restart would take up.
    assert!(sagas.unfinished(None, 10).await.unwrap().readable.is_empty());
    assert_eq!(world.get_saga(doubtful.id).await.state, SagaState::Done);
    assert_eq!(world.store.chats().left().await, Ok(vec![chat()]));
    assert_eq!(world.history(doubtful.id).await, ["accepted", "in_doubt", "resolved", "finished"]);
    assert_eq!(sagas.resolve_as_done(verdict).await, Ok(false));
    assert_eq!(world.history(doubtful.id).await.len(), 4);
}

async fn histories_are_bounded_and_in_order(world: World) {
    let sagas = world.store.sagas();
    let saga = world.making().await;
    let mut long = world.saga_entry("waiting", None);
    long.detail = Some("ж".repeat(2000));
    for _ in 0..1010 {
        sagas.note(saga.id, long.clone()).await.unwrap();
    }
    let steps = sagas.steps(saga.id).await.unwrap();
    assert_eq!(steps.len(), 1000);
    assert_eq!(steps[1].detail.as_ref().map(String::len), Some(1000));
    // What counts is added all the same.
    let begin = SagaChange {
        entries: vec![world.saga_entry("create", Some("begun")), long],
        ..change(world.begin_create(saga.clone()))
    };
    sagas.begin(begin.clone()).await.unwrap();
    sagas.begin(begin).await.unwrap();
    assert_eq!(world.history(saga.id).await[999..], ["waiting", "create", "waiting"]);
}

async fn unfinished_sagas_come_oldest_first(world: World) {
    let sagas = world.store.sagas();
    let mut open = Vec::new();
    for number in 0..9 {
        let saga = world.making().await;
        match number % 3 {
            0 => {
                sagas.begin(change(world.begin_create(saga.clone()))).await.unwrap();
                open.push(saga.id);
            }
            1 => open.push(saga.id),
            _ => assert_eq!(sagas.cancel(saga.id, world.now(), None).await, Ok(true)),
        }
    }
    let ids = |sagas: Vec<Saga>| sagas.into_iter().map(|saga| saga.id).collect::<Vec<_>>();
    assert_eq!(ids(sagas.unfinished(None, 100).await.unwrap().readable), open);
    assert_eq!(ids(sagas.unfinished(None, 2).await.unwrap().readable), open[..2]);
    assert_eq!(ids(sagas.unfinished(Some(open[1]), 100).await.unwrap().readable), open[2..]);
    assert_eq!(ids(sagas.unfinished(None, 0).await.unwrap().readable), open[..1]);
}

async fn a_missing_saga_is_reported(world: World) {
    let sagas = world.store.sagas();
    let saga = world.saga(make_chat("Demo"));
    let id = saga.id;
    assert_eq!(sagas.get(id).await, Ok(None));
    assert_eq!(sagas.origin(id).await, Ok(None));
    assert_eq!(sagas.steps(id).await, Ok(Vec::new()));
    let answers = [
        sagas.begin(change(world.begin_create(saga.clone()))).await,
        sagas.save(change(world.ended(saga, SagaState::Done))).await,
        sagas.cancel(id, world.now(), None).await.map(|_| ()),
        sagas.retry(id, world.now()).await.map(|_| ()),
        sagas.resolve(id, Verdict::Again, world.now()).await.map(|_| ()),
        sagas.note(id, world.saga_entry("waiting", None)).await,
        sagas.unanswered(id).await,
    ];
    for answer in answers {
        assert!(matches!(answer, Err(StoreError::NotFound { .. })), "{answer:?}");
    }
    assert_eq!(sagas.steps(OperationId::MIN).await, Ok(Vec::new()));
}

async fn sagas_survive_reopening(world: World) {
    let queued = world.making().await;
    let running = world.begun_making().await;
    let doubt = doubtful(&world).await;
    let histories = [world.history(queued.id).await, world.history(running.id).await];
    world.store.clone().close().await;
    let store = world.open_again().await.unwrap();
    for saga in [&queued, &running, &doubt] {
        assert_eq!(store.sagas().get(saga.id).await, Ok(Some(saga.clone())));
    }
    assert_eq!(
        store.sagas().unfinished(None, 10).await.map(|found| found.readable),
        Ok(vec![queued.clone(), running.clone()])
    );
    for (saga, history) in [queued, running].into_iter().zip(histories) {
        let steps = store.sagas().steps(saga.id).await.unwrap();
        assert_eq!(
            steps.into_iter().map(|entry| entry.what.as_str().to_owned()).collect::<Vec<_>>(),
            history
        );
    }
}
