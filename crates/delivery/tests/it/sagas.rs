//! Sagas as they should go, and what callers can do about them.

use std::time::Duration;

use delivery::{How, SagaChanged, SagaError, TaskSubmission};
use domain::account::Operation;
use domain::message::OnFlood;
use domain::outcome::Failure;
use domain::saga::{Ended, Left, MemberResult, ObserverRule, RegistryChange, SagaState, Task};
use domain::{ChatId, ChatRef, Outcome, Timestamp};
use store::{FailoverFilter, Idempotency, Keep, Page, SameBy};

use crate::provider::{Chat, Does, OBSERVER, SagaBench, create, is_true_of, leave, task, user, users};
use crate::script::name;

fn page() -> Page {
    Page { limit: 50, cursor: None }
}

fn group(number: i64) -> ChatId {
    ChatId::channel(number).expect("a chat")
}

#[tokio::test]
async fn a_chat_is_made_and_its_timeline_is_recorded() {
    let bench = SagaBench::new().await;
    let id = bench.submit(create("Order 1")).await;
    let saga = bench.settled(id).await;
    let chats = bench.provider.chats();
    assert!(is_true_of(&saga, &chats[0]), "{saga:?}");
    assert_eq!((chats.len(), &chats[0].admins, chats[0].open_history), (1, &vec![1_001, 3], true));
    assert_eq!(saga.account, Some(name("main")));
    assert_eq!(saga.progress.invite, Some(Ended::Ok));
    let results: Vec<_> = saga.progress.members.iter().filter_map(|one| one.result).collect();
    let added = MemberResult::Added;
    assert_eq!(results, [added, MemberResult::NotFound, MemberResult::Privacy, added, added]);
    let history = bench.history(id).await;
    let changing =
        ["create begun", "create ok", "open_history begun", "open_history ok", "invite begun", "invite ok"];
    assert_eq!(history[6..12], changing, "{history:?}");
    assert_eq!(history.last().map(String::as_str), Some("finished"));

    let record = bench.store.chats().get(group(1)).await.expect("reads").expect("is there");
    assert_eq!((record.account, record.operation), (Some(name("main")), Some(id)));
    assert_eq!(record.invite_link, saga.progress.invite_link);
    let callbacks = bench.store.callbacks().due(bench.clock.now(), 10).await.expect("reads");
    assert_eq!((callbacks.len(), callbacks[0].client_tg_id.as_str()), (1, "42"));
    assert!(matches!(&bench.provider.world().registered[0], RegistryChange::Created { account, .. }
        if *account == name("main")));
}

#[tokio::test]
async fn a_flood_on_the_first_choice_is_the_next_ones_chance() {
    let bench = SagaBench::new().await;
    let until = bench.clock.now().plus(Duration::from_hours(1));
    bench.provider.does("main", "create", [Does::Refuses(Outcome::held(until))]);
    let id = bench.submit(create("Order 1")).await;
    let saga = bench.settled(id).await;
    assert_eq!(saga.account, Some(name("backup")));
    let chats = bench.provider.chats();
    assert!(is_true_of(&saga, &chats[0]) && chats[0].members.contains(&OBSERVER), "{chats:?}");
    let failovers = bench.store.failovers().list(&FailoverFilter::default(), &page()).await.expect("reads");
    assert_eq!(failovers.items.len(), 1);
    let failover = &failovers.items[0].failover;
    assert_eq!((&failover.from, &failover.to), (&name("main"), &name("backup")));
    assert!(failover.reason.contains("flood wait until"), "{}", failover.reason);
    let holds = bench.store.accounts().holds(bench.clock.now()).await.expect("reads");
    assert_eq!(holds.floods.len(), 1, "the flood is kept");
}

#[tokio::test]
async fn flood_while_resolving_moves_on_and_resolves_again() {
    let bench = SagaBench::new().await;
    let until = bench.clock.now().plus(Duration::from_hours(1));
    bench.provider.does("main", "resolve", [Does::Works, Does::Refuses(Outcome::held(until))]);
    let saga = bench.settled(bench.submit(create("Order 1")).await).await;
    assert_eq!(saga.account, Some(name("backup")));
    assert_eq!(bench.provider.times("resolve"), 2 + 5 + 1, "two by main, five and the observer by backup");
}

#[tokio::test]
async fn a_pinned_saga_never_moves() {
    let bench = SagaBench::new().await;
    let until = bench.clock.now().plus(Duration::from_mins(5));
    bench.provider.does("main", "create", [Does::Refuses(Outcome::held(until))]);
    let mut pinned = create("Order 1");
    pinned.pin = Some(name("main"));
    let id = bench.submit(pinned).await;
    bench.until(|world| world.calls.iter().any(|(_, step)| step.name() == "create")).await;
    bench.until(|_| bench.sagas.held_until(id).is_some()).await;
    assert_eq!(bench.sagas.held_until(id), Some(until));
    assert_eq!(bench.settled(id).await.account, Some(name("main")));
    let failovers = bench.store.failovers().list(&FailoverFilter::default(), &page()).await.expect("reads");
    assert!(failovers.items.is_empty());
    assert!(bench.history(id).await.contains(&"waiting".to_owned()));
}

#[tokio::test]
async fn when_all_must_wait_it_waits_fails_or_is_cancelled() {
    let bench = SagaBench::new().await;
    let until = bench.clock.now().plus(Duration::from_mins(5));
    for account in ["main", "backup"] {
        bench.provider.hold(account, Operation::CreateChat, until);
    }
    let mut hurried = create("hurried");
    hurried.on_flood = OnFlood::Fail;
    hurried.keep = Some(Keep {
        service: domain::Service::CreateChat,
        endpoint: "/create_chat".into(),
        payload: "{}".into(),
    });
    let hurried = bench.submit(hurried).await;
    let failed = bench.sagas.settled(hurried, Duration::from_secs(20)).await.expect("reads").expect("exists");
    assert_eq!(failed.failure, Some(Failure::FloodWait { until }));
    let kept = bench.store.failed_requests().list(&[], &page()).await.expect("reads");
    assert_eq!(kept.items.len(), 1);

    let cancelled = bench.submit(create("cancelled")).await;
    let patient = bench.submit(create("patient")).await;
    bench.breathe().await;
    bench.until(|_| bench.sagas.held_until(patient).is_some()).await;
    assert_eq!(bench.sagas.held_until(patient), Some(until));
    assert!(matches!(bench.sagas.cancel(cancelled, None).await, Ok(SagaChanged::Done(_))));
    assert!(matches!(bench.sagas.cancel(cancelled, None).await, Ok(SagaChanged::Refused(_))));
    assert_eq!(bench.settled(patient).await.state, SagaState::Done);
    assert_eq!(bench.get(cancelled).await.state, SagaState::Cancelled);
    assert_eq!(bench.provider.chats().len(), 1, "a cancelled saga makes nothing");
    assert!(bench.comes_to_rest().await);

    assert!(matches!(bench.sagas.retry(cancelled).await, Ok(SagaChanged::Done(_))));
    assert_eq!(bench.settled(cancelled).await.state, SagaState::Done);
    assert_eq!(bench.provider.chats().len(), 2);
}

#[tokio::test]
async fn one_key_is_one_chat_for_any_number_of_callers() {
    let bench = SagaBench::new().await;
    let keyed = |body: u8| {
        let mut submission = create("Order 1");
        submission.idempotency =
            Some(Idempotency { scope: [1; 32], fingerprint: [body; 32], same_by: SameBy::Key });
        submission
    };
    let answers = futures::future::join_all((0..20).map(|_| bench.sagas.submit(keyed(0)))).await;
    let answers: Vec<_> = answers.into_iter().map(|answer| answer.expect("accepted")).collect();
    assert_eq!(answers.iter().filter(|answer| answer.how == How::New).count(), 1);
    assert!(answers.iter().all(|answer| answer.id == answers[0].id));
    assert_eq!(bench.settled(answers[0].id).await.state, SagaState::Done);
    assert_eq!(bench.provider.chats().len(), 1);
    assert!(matches!(bench.sagas.submit(keyed(1)).await, Err(SagaError::Conflict)));
    let again = bench.sagas.submit(keyed(0)).await.expect("the same");
    assert_eq!((again.id, again.how), (answers[0].id, How::Replayed));
    let mut unknown = create("Order 2");
    unknown.pin = Some(name("nobody"));
    assert!(matches!(bench.sagas.submit(unknown).await, Err(SagaError::UnknownAccount(_))));
}

#[tokio::test]
async fn no_one_is_found_and_nothing_is_made() {
    let bench = SagaBench::new().await;
    let without_members = TaskSubmission {
        task: Task::CreateChat {
            title: "Order 1".into(),
            about: String::new(),
            members: users(&[2, 4]),
            admins: Vec::new(),
            observer: ObserverRule::Always,
            needs_a_member: true,
            client_tg_id: None,
        },
        ..create("")
    };
    let saga = bench.settled(bench.submit(without_members).await).await;
    let provider_code = "NO_RESOLVABLE_USERS".into();
    assert_eq!(saga.failure, Some(Failure::Rejected { provider_code }));
    assert!(saga.progress.members.iter().all(|one| one.result == Some(MemberResult::NotFound)));
    assert!(bench.provider.chats().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_makes_one_chat_at_a_time() {
    let bench = SagaBench::new().await;
    let mut ids = Vec::new();
    for number in 0..20 {
        ids.push(bench.submit(create(&number.to_string())).await);
    }
    for id in ids {
        let saga = bench.settled(id).await;
        assert_eq!((saga.state, saga.account), (SagaState::Done, Some(name("main"))), "strictly by rank");
    }
    assert_eq!(bench.provider.chats().len(), 20);
    assert_eq!(bench.provider.world().most_at_once, 1);
}

#[tokio::test]
async fn leaving_removes_the_others_at_its_own_pace() {
    let bench = SagaBench::new().await;
    let members: Vec<i64> = (1..=200).collect();
    bench.provider.world().chats.insert(group(1).get(), Chat { members, ..Chat::default() });
    let began = bench.clock.now();
    let saga = bench.settled(bench.submit(leave(group(1), true)).await).await;
    assert_eq!((saga.state, saga.progress.left), (SagaState::Done, Some(Left::Channel)));
    assert_eq!((saga.progress.removed.len(), saga.progress.not_removed.len()), (200, 0));
    assert!(bench.clock.now().since(began) >= Duration::from_millis(199 * 500));
    let chat = &bench.provider.chats()[0];
    assert!(chat.members.is_empty() && chat.left_by == ["main"]);
    assert_eq!(bench.store.chats().left().await.expect("reads"), [group(1)]);
    assert_eq!(bench.provider.world().registered, [RegistryChange::Left { chat_id: group(1) }]);
}

#[tokio::test]
async fn stopped_service_pauses_its_work_and_resumes_it() {
    let bench = SagaBench::new().await;
    let members: Vec<i64> = (1..=20).collect();
    bench.provider.world().chats.insert(group(1).get(), Chat { members, ..Chat::default() });
    let id = bench.submit(leave(group(1), true)).await;
    for removed in 1..=5 {
        bench.until(|world| world.chats[&group(1).get()].members.len() <= 20 - removed).await;
        bench.clock.advance(Duration::from_millis(500));
    }
    bench.provider.switch(true);
    bench.breathe().await;
    let before = bench.provider.times("remove");
    assert!(before < 20, "{before}");
    // Longer than a saga waits for anything else.
    bench.clock.advance(Duration::from_hours(2));
    bench.breathe().await;
    assert_eq!(bench.provider.times("remove"), before);
    bench.provider.switch(false);
    let saga = bench.settled(id).await;
    assert_eq!((saga.state, saga.progress.removed.len()), (SagaState::Done, 20));
    assert_eq!(bench.provider.times("remove"), 20);
}

#[tokio::test]
async fn a_service_that_is_stopped_says_of_no_chat_that_it_is_left() {
    let bench = SagaBench::new().await;
    bench.provider.world().in_chat = Some(Vec::new());
    bench.provider.switch(true);
    let waiting = bench.submit(leave(group(1), false)).await;
    let cancelled = bench.submit(leave(group(2), false)).await;
    bench.breathe().await;
    assert_eq!(bench.get(waiting).await.state, SagaState::Queued);
    let changed = bench.sagas.cancel(cancelled, None).await.expect("the store answers");
    assert!(matches!(changed, SagaChanged::Done(_)), "{changed:?}");
    bench.provider.switch(false);
    let saga = bench.settled(waiting).await;
    assert_eq!((saga.state, saga.progress.left), (SagaState::Done, Some(Left::Unresolvable)));
    assert_eq!(bench.get(cancelled).await.state, SagaState::Cancelled);
    assert!(bench.comes_to_rest().await);
}

#[tokio::test]
async fn basic_group_is_left_and_an_unknown_chat_counts_as_left() {
    let bench = SagaBench::new().await;
    let basic = ChatId::group(5).expect("a chat");
    let saga = bench.settled(bench.submit(leave(basic, true)).await).await;
    assert_eq!((saga.progress.left, bench.provider.times("remove")), (Some(Left::BasicChat), 0));

    bench.provider.world().in_chat = Some(Vec::new());
    let saga = bench.settled(bench.submit(leave(group(9), true)).await).await;
    assert_eq!((saga.state, saga.progress.left), (SagaState::Done, Some(Left::Unresolvable)));
    let unresolved = bench.store.unresolved().list(&page()).await.expect("reads");
    assert_eq!(unresolved.items.len(), 1);
    assert_eq!(unresolved.items[0].accounts.len(), 2);

    let strict = task(Task::LeaveChat {
        chat: ChatRef::Id(group(9)),
        remove_members: false,
        missing_is_left: false,
        keep_own: false,
    });
    let saga = bench.settled(bench.submit(strict).await).await;
    assert!(matches!(saga.failure, Some(Failure::ChatNotFound { asked }) if asked.len() == 2));

    // No one could be asked: that says nothing about the chat.
    for account in ["main", "backup"] {
        bench.provider.lose(account);
    }
    let saga = bench.settled(bench.submit(leave(group(8), false)).await).await;
    assert!(matches!(saga.failure, Some(Failure::NoAccount { .. })), "{saga:?}");
    let left = bench.store.chats().left().await.expect("reads");
    assert_eq!(left, [basic], "a chat that was never ours is not marked: messages to it are not skipped");
}

/// One account does not find the chat, the one that is in it cannot be asked: that is no proof that the chat is gone.
#[tokio::test]
async fn chat_waits_for_accounts_that_may_be_in_it() {
    let bench = SagaBench::new().await;
    bench.provider.world().in_chat = Some(vec!["backup".into()]);
    bench.provider.lose("backup");
    let saga = bench.settled(bench.submit(leave(group(9), true)).await).await;
    let Some(Failure::NoAccount { asked }) = &saga.failure else { panic!("{saga:?}") };
    assert_eq!(asked.len(), 2, "each reason is named");
    assert_eq!((saga.state, saga.progress.left), (SagaState::Failed, None));
    assert!(bench.store.chats().left().await.expect("reads").is_empty());
    assert!(bench.store.unresolved().list(&page()).await.expect("reads").items.is_empty());
    assert!(bench.provider.world().registered.is_empty());
}

/// What was left before stays left, although not everyone can be asked again.
#[tokio::test]
async fn a_chat_that_was_left_before_needs_no_one() {
    let bench = SagaBench::new().await;
    let ours = RegistryChange::Bound { chat_id: group(9), account: name("main") };
    bench.store.chats().change(vec![ours], Timestamp::default()).await.expect("writes");
    bench.provider.world().in_chat = Some(Vec::new());
    bench.settled(bench.submit(leave(group(9), false)).await).await;
    assert_eq!(bench.store.chats().left().await.expect("reads"), [group(9)]);
    bench.provider.lose("backup");
    let saga = bench.settled(bench.submit(leave(group(9), false)).await).await;
    assert_eq!((saga.state, saga.progress.left), (SagaState::Done, Some(Left::Unresolvable)));
    let by_backup = delivery::TaskSubmission { pin: Some(name("backup")), ..leave(group(9), false) };
    let saga = bench.settled(bench.submit(by_backup).await).await;
    assert!(matches!(saga.failure, Some(Failure::NoAccount { .. })), "it speaks for itself: {saga:?}");
}

#[tokio::test]
async fn people_are_added_removed_and_the_chat_is_edited() {
    let bench = SagaBench::new().await;
    let chat = ChatRef::Id(group(1));
    let add = task(Task::AddMembers { chat: chat.clone(), members: users(&[1, 2, 7]), admins: users(&[5]) });
    let saga = bench.settled(bench.submit(add).await).await;
    assert!(is_true_of(&saga, &bench.provider.chats()[0]), "{saga:?}");
    assert_eq!(bench.provider.chats()[0].admins, [5]);

    let remove = task(Task::RemoveMembers { chat: chat.clone(), members: users(&[1, 2]) });
    let saga = bench.settled(bench.submit(remove).await).await;
    let results: Vec<_> = saga.progress.members.iter().filter_map(|one| one.result).collect();
    assert_eq!(results, [MemberResult::Removed, MemberResult::NotFound]);
    assert_eq!(bench.provider.chats()[0].members, [5]);

    let edit = task(Task::EditChat { chat, title: Some("new".into()), about: Some("words".into()) });
    let saga = bench.settled(bench.submit(edit).await).await;
    assert_eq!((saga.progress.title, saga.progress.about), (Some(Ended::Ok), Some(Ended::Ok)));
    let record = bench.store.chats().get(group(1)).await.expect("reads").expect("is there");
    assert_eq!(record.title.as_deref(), Some("new"));
}

#[tokio::test]
async fn missing_right_or_lost_account_moves_the_chat() {
    let bench = SagaBench::new().await;
    let chat = ChatRef::Id(group(1));
    bench.provider.world().bound_to = Some("main".into());
    let edit = || task(Task::EditChat { chat: chat.clone(), title: Some("new".into()), about: None });
    bench.provider.does(
        "main",
        "set_title",
        [Does::Refuses(Outcome::Forbidden("CHAT_ADMIN_REQUIRED".into()))],
    );
    let saga = bench.settled(bench.submit(edit()).await).await;
    assert_eq!((saga.state, saga.account), (SagaState::Done, Some(name("backup"))));
    let bound = |world: &crate::provider::World| {
        world.registered.iter().any(|change| matches!(change, RegistryChange::Bound { .. }))
    };
    assert!(!bound(&bench.provider.world()), "main may still write there");

    bench.provider.lose("main");
    let saga = bench.settled(bench.submit(edit()).await).await;
    assert_eq!(saga.account, Some(name("backup")));
    assert!(bound(&bench.provider.world()));
    let record = bench.store.chats().get(group(1)).await.expect("reads").expect("is there");
    assert_eq!(record.account, Some(name("backup")));

    for _ in 0..2 {
        let refusal = Does::Refuses(Outcome::Forbidden("CHAT_ADMIN_REQUIRED".into()));
        bench.provider.does("backup", "set_title", [refusal]);
    }
    let saga = bench.settled(bench.submit(edit()).await).await;
    assert!(matches!(saga.failure, Some(Failure::NoRights { .. })), "{saga:?}");
}

#[tokio::test]
async fn a_flood_on_a_later_step_is_waited_for_or_reported() {
    let bench = SagaBench::new().await;
    let soon = bench.clock.now().plus(Duration::from_mins(1));
    bench.provider.does("main", "invite", [Does::Refuses(Outcome::held(soon))]);
    let saga = bench.settled(bench.submit(create("Order 1")).await).await;
    assert_eq!((saga.progress.invite.clone(), bench.provider.times("invite")), (Some(Ended::Ok), 2));
    assert!(is_true_of(&saga, &bench.provider.chats()[0]) && saga.updated_at >= soon);

    let late = bench.clock.now().plus(Duration::from_hours(1));
    bench.provider.does("main", "invite", [Does::Refuses(Outcome::held(late))]);
    let saga = bench.settled(bench.submit(create("Order 2")).await).await;
    assert!(
        matches!(&saga.progress.invite, Some(Ended::Refused { why }) if why.contains("flood wait until"))
    );
    let failed = saga.progress.members.iter().filter(|one| one.result == Some(MemberResult::Failed)).count();
    assert_eq!((failed, saga.account.clone()), (4, Some(name("main"))), "the chat stays with its maker");
    assert!(is_true_of(&saga, &bench.provider.chats()[1]) && saga.progress.invite_link.is_some());
}

#[tokio::test]
async fn the_observer_that_cannot_be_added_is_only_their_own_result() {
    let bench = SagaBench::new().await;
    let mut submission = create("Order 1");
    if let Task::CreateChat { observer, .. } = &mut submission.task {
        *observer = ObserverRule::Always;
    }
    let refused = Does::Refuses(Outcome::Rejected { code: "USER_BLOCKED".into() });
    bench.provider.does("main", "invite", [Does::Works, refused]);
    let saga = bench.settled(bench.submit(submission).await).await;
    let observer = saga.progress.members.last().expect("is there");
    assert_eq!((&observer.who, observer.result), (&user(OBSERVER), Some(MemberResult::Failed)));
    assert!(is_true_of(&saga, &bench.provider.chats()[0]));
}
