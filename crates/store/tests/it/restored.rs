//! A store that was restored from a backup does nothing by itself that the server which went on may have done.

use std::time::Duration;

use domain::outcome::Failure;
use domain::person::Role;
use domain::saga::{Begun, RegistryChange, Saga, SagaState, Step as SagaStep, Verdict};
use domain::timeline::Step;
use domain::{
    AlertNoticeId, CallbackId, FailedRequestId, MessageId, MessageState, Service, SessionId, Timestamp,
};
use store::{
    Accepted, BeginSession, FailedState, HeldBack, NewCallback, NewNotice, NewUser, Resolution, SagaAccepted,
    SagaChange, StoredClearing, Switch,
};

use crate::support::{
    World, accept, account, begun, change, chat, conformance, file_key, make_chat, saga_with_keep,
    saga_with_key, with_album, with_join, with_key,
};

conformance! {
    waiting_messages_fail_and_a_retry_sends_the_unsent_parts,
    messages_in_progress_are_in_doubt_until_seen_in_the_chat,
    parts_behind_a_doubt_wait_for_a_person,
    a_person_confirms_only_the_doubtful_part,
    a_key_refers_to_a_message_that_may_have_been_sent,
    files_stay_as_long_as_for_any_failed_message,
    a_large_backlog_is_held_back_in_pieces,
    sagas_fail_or_are_in_doubt,
    a_saga_that_has_its_chat_goes_on_with_it,
    callbacks_are_given_up,
    a_restore_gives_up_notices_and_ends_sessions,
    a_restored_clearing_leaves_no_service_stopped,
}

fn made_at() -> Timestamp {
    "2026-11-20T11:07:31Z".parse().unwrap()
}

fn restored() -> Failure {
    Failure::Restored { made_at: made_at() }
}

async fn hold_back(world: &World) -> HeldBack {
    let held = world.store.hold_back(made_at()).await.unwrap();
    assert_eq!(
        world.store.hold_back(made_at()).await,
        Ok(HeldBack::default()),
        "a second call finds nothing"
    );
    assert_eq!(world.store.outbox().unfinished(None, 100).await.map(|found| found.readable), Ok(Vec::new()));
    assert_eq!(world.store.sagas().unfinished(None, 100).await.map(|found| found.readable), Ok(Vec::new()));
    held
}

async fn last_step(world: &World, id: MessageId) -> (Step, Option<String>) {
    let last = world.store.outbox().timeline(id).await.unwrap().pop().unwrap();
    (last.step, last.detail)
}

async fn waiting_messages_fail_and_a_retry_sends_the_unsent_parts(world: World) {
    let outbox = world.store.outbox();
    let mut scheduled = world.message(1);
    scheduled.state = MessageState::Scheduled;
    scheduled.send_at = Some(world.now().plus(Duration::from_hours(1)));
    let mut awaiting = world.message(1);
    awaiting.state = MessageState::AwaitingApproval;
    let (queued, half) = (world.queued(1).await, world.sending(2).await);
    let mut ids = vec![queued, half];
    for message in [scheduled, awaiting] {
        ids.push(message.id);
        assert_eq!(outbox.accept(accept(message)).await, Ok(Accepted::New));
    }
    outbox.part_sent(world.sent(half, 0)).await.unwrap();
    let over = world.sending(1).await;
    outbox.part_sent(world.sent(over, 0)).await.unwrap();

    let held = hold_back(&world).await;
    assert_eq!(held, HeldBack { messages_failed: 4, ..HeldBack::default() });
    for id in &ids {
        let message = world.get(*id).await;
        assert_eq!((message.state, message.failure), (MessageState::Failed, Some(restored())));
        assert_eq!(last_step(&world, *id).await, (Step::Failed, Some("restored".to_owned())));
    }
    assert_eq!(world.state(over).await, MessageState::Sent);
    world.clock.advance(Duration::from_secs(1));
    let failed = outbox.failed(&store::Filter::default(), world.now(), None, 10).await.unwrap();
    assert_eq!(failed.len(), 4, "retrying all that failed finds them");
    for id in &ids {
        assert_eq!(outbox.retry(*id, world.now()).await, Ok(true));
    }
    let states = [MessageState::Queued, MessageState::Queued, MessageState::Scheduled, MessageState::Queued];
    for (id, state) in ids.iter().zip(states) {
        let message = world.get(*id).await;
        assert_eq!((message.state, message.failure), (state, None));
    }
    let half = world.get(half).await;
    assert_eq!(
        half.account,
        Some(account("main")),
        "the rest stays with the account that sent the first part"
    );
    assert_eq!(half.message_numbers(), [500]);
}

async fn messages_in_progress_are_in_doubt_until_seen_in_the_chat(world: World) {
    let (one, other) = (world.sending(1).await, world.sending(1).await);
    let held = hold_back(&world).await;
    assert_eq!(held, HeldBack { messages_in_doubt: 2, ..HeldBack::default() });
    let message = world.get(one).await;
    assert_eq!((message.state, message.failure), (MessageState::InDoubt, None));
    assert_eq!(message.account, Some(account("main")), "a search shows the account");
    let (step, detail) = last_step(&world, one).await;
    assert_eq!(step, Step::InDoubt);
    assert_eq!(detail.as_deref(), Some("it was under way when the backup of 2026-11-20T11:07:31Z was made"));
    world.store.outbox().part_sent(world.sent(one, 0)).await.unwrap();
    assert_eq!((world.state(one).await, world.get(one).await.failure), (MessageState::Sent, None));
    assert_eq!(world.store.outbox().resolve(other, Resolution::Resend, world.now()).await, Ok(true));
    assert_eq!(world.state(other).await, MessageState::Queued);
}

async fn parts_behind_a_doubt_wait_for_a_person(world: World) {
    let outbox = world.store.outbox();
    let (before, held) = (world.sending(3).await, world.sending(3).await);
    outbox.doubt(world.doubt(before)).await.unwrap();
    let steps = world.steps(before).await;
    assert_eq!(hold_back(&world).await, HeldBack { messages_in_doubt: 1, ..HeldBack::default() });
    assert_eq!(world.steps(before).await, steps, "its doubt is no other than before");
    for id in [before, held] {
        // Someone else in the chat saw the first part.
        outbox.part_sent(world.sent(id, 0)).await.unwrap();
        let message = world.get(id).await;
        assert_eq!((message.state, message.failure), (MessageState::Failed, Some(restored())));
        assert_eq!(last_step(&world, id).await.0, Step::Failed);
        assert_eq!(outbox.retry(id, world.now()).await, Ok(true));
        outbox.begin(world.begin(id, 1)).await.unwrap();
        outbox.part_sent(world.sent(id, 1)).await.unwrap();
        outbox.begin(world.begin(id, 2)).await.unwrap();
        outbox.part_sent(world.sent(id, 2)).await.unwrap();
        assert_eq!(world.state(id).await, MessageState::Sent);
    }
}

async fn a_person_confirms_only_the_doubtful_part(world: World) {
    let outbox = world.store.outbox();
    let (whole, half, again) = (world.sending(1).await, world.sending(2).await, world.sending(2).await);
    hold_back(&world).await;
    for id in [whole, half] {
        assert_eq!(outbox.resolve(id, Resolution::Sent, world.now()).await, Ok(true));
    }
    assert_eq!(world.state(whole).await, MessageState::Sent);
    assert_eq!(
        (world.state(half).await, world.get(half).await.failure),
        (MessageState::Failed, Some(restored()))
    );
    let steps = world.steps(half).await;
    assert_eq!(steps[steps.len() - 2..], [Step::Resolved, Step::Failed]);
    assert_eq!(outbox.resolve(again, Resolution::Resend, world.now()).await, Ok(true));
    assert_eq!((world.state(again).await, world.get(again).await.failure), (MessageState::Queued, None));
    // From here on it is a message like any other: evidence of one part lets the next one leave.
    outbox.begin(world.begin(again, 0)).await.unwrap();
    outbox.doubt(world.doubt(again)).await.unwrap();
    outbox.part_sent(world.sent(again, 0)).await.unwrap();
    assert_eq!(world.state(again).await, MessageState::Queued);
}

async fn a_key_refers_to_a_message_that_may_have_been_sent(world: World) {
    let outbox = world.store.outbox();
    let keyed = world.message(1);
    assert_eq!(outbox.accept(with_key(keyed.clone(), 1, 1)).await, Ok(Accepted::New));
    let joined = world.message(1);
    assert_eq!(outbox.accept(with_join(joined.clone(), 2)).await, Ok(Accepted::New));
    outbox.unanswered(joined.id).await.unwrap();
    let saga = world.saga(make_chat("Demo"));
    assert_eq!(world.store.sagas().accept(saga_with_key(saga.clone(), 3, 3)).await, Ok(SagaAccepted::New));
    hold_back(&world).await;

    let again = async || outbox.accept(with_key(world.message(1), 1, 1)).await;
    assert_eq!(again().await, Ok(Accepted::Repeated(keyed.id)));
    assert_eq!(outbox.accept(with_key(world.message(1), 1, 9)).await, Ok(Accepted::Conflict));
    assert_eq!(outbox.accept(with_join(world.message(1), 2)).await, Ok(Accepted::Joined(joined.id)));
    let other = world.saga(make_chat("Demo"));
    let answer = world.store.sagas().accept(saga_with_key(other, 3, 3)).await;
    assert_eq!(answer, Ok(SagaAccepted::Repeated(saga.id)));
    // Once a person has had it sent again, it fails like any other.
    outbox.retry(keyed.id, world.now()).await.unwrap();
    let failure = Failure::NoAccount { asked: Vec::new() };
    outbox.fail(store::Fail { id: keyed.id, failure, at: world.now() }).await.unwrap();
    assert_eq!(again().await, Ok(Accepted::New));
}

async fn files_stay_as_long_as_for_any_failed_message(world: World) {
    let message = with_album(world.message(1), &[1]);
    world.store.outbox().accept(accept(message)).await.unwrap();
    world.clock.advance(Duration::from_hours(20 * 24));
    hold_back(&world).await;
    world.clock.advance(Duration::from_hours(6 * 24));
    assert_eq!(world.store.outbox().files_in_use().await, Ok(vec![file_key(1)]));
    world.clock.advance(Duration::from_hours(2 * 24));
    assert_eq!(world.store.outbox().files_in_use().await, Ok(Vec::new()));
}

async fn a_large_backlog_is_held_back_in_pieces(world: World) {
    let mut accepted = tokio::task::JoinSet::new();
    for number in 0..1_100_u32 {
        let message = if number % 10 == 0 { begun(world.message(1)) } else { world.message(1) };
        let store = world.store.clone();
        accepted.spawn(async move { store.outbox().accept(accept(message)).await });
    }
    for answer in accepted.join_all().await {
        assert_eq!(answer, Ok(Accepted::New));
    }
    let held = hold_back(&world).await;
    assert_eq!((held.messages_failed, held.messages_in_doubt), (990, 110));
}

fn request_of(saga: &Saga) -> FailedRequestId {
    FailedRequestId::from_uuid(*saga.id.as_uuid())
}

async fn sagas_fail_or_are_in_doubt(world: World) {
    let sagas = world.store.sagas();
    let queued = world.saga(make_chat("Demo"));
    sagas.accept(saga_with_keep(queued.clone(), r#"{"title":"Demo"}"#)).await.unwrap();
    let making = world.begun_making().await;
    let held = hold_back(&world).await;
    assert_eq!(held, HeldBack { operations_failed: 1, operations_in_doubt: 1, ..HeldBack::default() });

    let failed = world.get_saga(queued.id).await;
    assert_eq!((failed.state, failed.failure.clone()), (SagaState::Failed, Some(restored())));
    assert_eq!(world.history(queued.id).await.pop().as_deref(), Some("failed"));
    let request = world.store.failed_requests().get(request_of(&queued)).await.unwrap().unwrap();
    assert_eq!((request.state, Some(request.error)), (FailedState::Pending, failed.failed_because()));
    let doubt = world.get_saga(making.id).await;
    assert_eq!((doubt.state, doubt.begun, doubt.failure), (SagaState::InDoubt, making.begun, None));
    let entry = sagas.steps(making.id).await.unwrap().pop().unwrap();
    assert_eq!((entry.what.as_str(), entry.account), ("in_doubt", Some(account("main"))));
    assert!(entry.detail.unwrap().contains("the backup of 2026-11-20"));

    assert_eq!(sagas.retry(queued.id, world.now()).await, Ok(true));
    let again = world.get_saga(queued.id).await;
    assert_eq!((again.state, again.account, again.failure), (SagaState::Queued, None, None));
    assert_eq!(sagas.resolve(making.id, Verdict::Done(Some(chat())), world.now()).await, Ok(true));
    assert_eq!(world.get_saga(making.id).await.state, SagaState::Running);
}

async fn a_saga_that_has_its_chat_goes_on_with_it(world: World) {
    let sagas = world.store.sagas();
    let between = world.begun_making().await;
    let created = RegistryChange::Created {
        chat_id: chat(),
        title: "Demo".into(),
        about: String::new(),
        account: account("main"),
    };
    let has_chat = Saga { chat_id: Some(chat()), begun: None, updated_at: world.now(), ..between };
    sagas.save(SagaChange { registry: vec![created], ..change(has_chat.clone()) }).await.unwrap();
    // The other one is about to let newcomers read what was written before, which may be done twice.
    let inside = world.begun_making().await;
    let step = SagaStep::OpenHistory;
    let inside = Saga {
        chat_id: Some(chat()),
        begun: Some(Begun { step, at: world.now() }),
        updated_at: world.now(),
        ..inside
    };
    sagas.begin(change(inside.clone())).await.unwrap();
    assert_eq!(hold_back(&world).await, HeldBack { operations_failed: 2, ..HeldBack::default() });
    for saga in [has_chat, inside] {
        assert_eq!(sagas.retry(saga.id, world.now()).await, Ok(true));
        let again = world.get_saga(saga.id).await;
        assert_eq!((again.state, again.failure, again.begun), (SagaState::Running, None, None));
        assert_eq!((again.chat_id, again.account), (Some(chat()), Some(account("main"))), "no second chat");
        assert_eq!(world.history(saga.id).await.pop().as_deref(), Some("retried"));
    }
}

async fn callbacks_are_given_up(world: World) {
    let id = CallbackId::from_uuid(world.ids.next());
    let done = world.ended(world.begun_making().await, SagaState::Done);
    let callback =
        Some(NewCallback { id, client_tg_id: "77".into(), invite_link: "https://t.me/+demo".into() });
    world.store.sagas().save(SagaChange { callback, ..change(done) }).await.unwrap();
    assert_eq!(hold_back(&world).await, HeldBack { callbacks: 1, ..HeldBack::default() });
    let callbacks = world.store.callbacks();
    assert_eq!(callbacks.next_due().await, Ok(None));
    let request = FailedRequestId::from_uuid(*id.as_uuid());
    let kept = world.store.failed_requests().get(request).await.unwrap().unwrap();
    assert_eq!((kept.state, Some(kept.error)), (FailedState::Pending, Some(restored().describe())));
    assert_eq!(callbacks.requeue(id, world.now()).await, Ok(true));
    let due = callbacks.due(world.now(), 10).await.unwrap();
    assert_eq!((due.len(), due[0].attempts), (1, 0), "holding it back was no attempt");
}

async fn a_restore_gives_up_notices_and_ends_sessions(world: World) {
    let notice = NewNotice {
        id: AlertNoticeId::from_uuid(world.ids.next()),
        at: world.now(),
        payload: "{}".into(),
        targets: vec![("duty".into(), false), ("log".into(), false), ("here".into(), true)],
    };
    world.store.alerts().save(Vec::new(), Some(notice)).await.unwrap();
    let (name, at) = ("anna".parse().unwrap(), world.now());
    let user = NewUser { name, role: Role::Admin, password: "plain words".into(), at };
    world.store.users().add(&user).await.unwrap();
    let session = BeginSession {
        token: [1; 32],
        id: SessionId::from_uuid(world.ids.next()),
        user: user.name.clone(),
        password_at: at,
        at,
        address: None,
        browser: None,
        device: [9; 32],
        known_as: Vec::new(),
        known_as_since: Timestamp::default(),
    };
    assert_eq!(world.store.user_sessions().begin(&session).await, Ok(true));
    let held = hold_back(&world).await;
    assert_eq!(held, HeldBack { notices: 2, user_sessions: 1, ..HeldBack::default() });
    assert_eq!(world.store.alerts().first_waiting().await, Ok(Vec::new()));
    assert_eq!(world.store.user_sessions().find([1; 32]).await, Ok(None));
    assert!(world.store.users().get(&user.name).await.unwrap().is_some());
}

async fn a_restored_clearing_leaves_no_service_stopped(world: World) {
    let (services, accounts) = (world.store.services(), world.store.accounts());
    for service in [Service::SendText, Service::CreateChat, Service::LeaveChat] {
        services.save(service, true, world.now()).await.unwrap();
    }
    for (name, switch) in
        [("main", Switch::Paused), ("backup_1", Switch::Stopped), ("backup_2", Switch::Paused)]
    {
        accounts.save_switch(&account(name), switch).await.unwrap();
    }
    let until = world.now().plus(Duration::from_mins(5));
    let run = StoredClearing {
        how: "stop_all".into(),
        phase: "silent".into(),
        by: "anna".into(),
        started_at: world.now(),
        until: Some(until),
        hurry: false,
        waiting: vec![Service::SendText, Service::CreateChat],
        done: Vec::new(),
        silent: Service::ALL.to_vec(),
        pauses: vec![(account("main"), until), (account("backup_1"), until)],
    };
    world.store.clearing().save(Some(run)).await.unwrap();
    assert_eq!(hold_back(&world).await, HeldBack::default());
    assert_eq!(world.store.clearing().get().await, Ok(None));
    let stopped: Vec<Service> =
        services.stopped().await.unwrap().into_iter().map(|(service, _)| service).collect();
    assert_eq!(stopped, [Service::LeaveChat], "what a person stopped stays stopped");
    let off: Vec<_> =
        accounts.switches().await.unwrap().into_iter().filter(|(_, switch)| *switch != Switch::On).collect();
    assert_eq!(off, [(account("backup_1"), Switch::Stopped), (account("backup_2"), Switch::Paused)]);
}
