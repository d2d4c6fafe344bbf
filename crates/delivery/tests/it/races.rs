//! Interleavings: restarts with pinned neighbours, names learned on the way, cancels against retries, losses in a wait.

use std::time::Duration;

use delivery::{Change, Submission};
use domain::account::Reason;
use domain::message::OnFlood;
use domain::outcome::Failure;
use domain::{ChatRef, MessageState, Outcome};
use store::{Idempotency, SameBy};

use crate::script::{Act, Bench, group, name, text};

fn unknown() -> Act {
    Act::Refuse(Outcome::Unknown("timeout".into()))
}

fn two_parts() -> Submission {
    text(group(1), &format!("{}\n\n{}", "a".repeat(4_000), "b".repeat(4_000)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restart_keeps_a_pinned_message_behind_the_one_in_flight() {
    let bench = Bench::new().await;
    bench.script.act("main", [Act::Hang, unknown()]);
    let pinned = |body: &str| Submission { pin: Some(name("main")), ..text(group(1), body) };
    let one = bench.submit(pinned("one")).await;
    let two = bench.submit(pinned("two")).await;
    while bench.script.calls() < 1 {
        bench.breathe().await;
    }
    let bench = bench.restart().await;
    bench.settled(one).await;
    bench.settled(two).await;
    assert_eq!(bench.script.texts(), ["one", "two"]);
}

#[tokio::test]
async fn flood_never_reports_a_half_sent_text_as_unsent() {
    let bench = Bench::new().await;
    let until = bench.clock.now().plus(Duration::from_secs(30));
    bench.script.act("main", [Act::Send, Act::Refuse(Outcome::held(until))]);
    let hurried = || {
        let mut submission = two_parts();
        submission.on_flood = OnFlood::Fail;
        submission.idempotency =
            Some(Idempotency { scope: [1; 32], fingerprint: [0; 32], same_by: SameBy::Key });
        submission
    };
    let first = bench.submit(hurried()).await;
    bench.breathe().await;
    bench.clock.advance(Duration::from_secs(31));
    let again = bench.submit(hurried()).await;
    assert_eq!(first, again);
    assert_eq!(bench.settled(again).await.state, MessageState::Sent);
    let parts: Vec<_> = bench.script.texts().iter().map(|text| text.as_bytes()[0]).collect();
    assert_eq!(parts, [b'a', b'b']);
}

#[tokio::test]
async fn a_half_sent_text_that_fails_keeps_its_key() {
    let bench = Bench::new().await;
    bench.script.act("main", [Act::Send, Act::Refuse(Outcome::Rejected { code: "MEDIA_INVALID".into() })]);
    let keyed = || {
        let mut submission = two_parts();
        submission.idempotency =
            Some(Idempotency { scope: [1; 32], fingerprint: [0; 32], same_by: SameBy::Key });
        submission
    };
    let first = bench.submit(keyed()).await;
    let failed = bench.settled(first).await;
    assert_eq!((failed.state, failed.message_ids().len()), (MessageState::Failed, 1));
    assert_eq!(bench.submit(keyed()).await, first, "asking again must not send the first part again");
}

#[tokio::test]
async fn restart_keeps_all_parts_with_one_account() {
    let bench = Bench::new().await;
    let until = bench.clock.now().plus(Duration::from_mins(5));
    bench.script.act("main", [Act::Send, Act::Refuse(Outcome::held(until))]);
    let id = bench.submit(two_parts()).await;
    bench.breathe().await;
    let bench = bench.restart().await;
    bench.breathe().await;
    assert_eq!(bench.script.effects().len(), 1);
    bench.clock.advance(Duration::from_secs(301));
    bench.settled(id).await;
    assert!(bench.script.effects().iter().all(|effect| effect.account == name("main")));
}

#[tokio::test]
async fn an_account_lost_in_a_long_wait_ends_it_in_doubt() {
    let bench = Bench::new().await;
    let until = bench.clock.now().plus(Duration::from_mins(5));
    bench.script.act("main", [Act::SendSilently, Act::Refuse(Outcome::held(until))]);
    let id = bench.submit(text(group(1), "one")).await;
    while bench.script.calls() < 2 {
        bench.breathe().await;
    }
    bench.breathe().await;
    bench.script.lose("main");
    assert_eq!(bench.settled(id).await.state, MessageState::InDoubt);
    let holds = bench.store.accounts().holds(bench.clock.now()).await.expect("reads");
    assert_eq!(holds.floods.len(), 1, "a flood met in doubt is kept as well");
}

#[tokio::test]
async fn each_account_is_named_once() {
    let bench = Bench::new().await;
    for account in ["main", "backup"] {
        bench.script.act(account, [Act::Refuse(Outcome::Banned(Reason::Banned))]);
    }
    let id = bench.submit(text(group(1), "hello")).await;
    let Some(Failure::NoAccount { asked }) = bench.settled(id).await.failure else {
        panic!("another failure")
    };
    assert_eq!(asked.iter().map(|one| one.account.as_str()).collect::<Vec<_>>(), ["main", "backup"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_learned_on_the_way_lets_no_one_pass() {
    let bench = Bench::new().await;
    bench.script.forget_names();
    let gate = bench.script.hold_look_ups();
    let by_name = ChatRef::Username("client_1".parse().expect("a name"));
    let first = bench.submit(text(by_name.clone(), "0")).await;
    bench.breathe().await;
    bench.script.learn_names();
    let second = bench.submit(text(by_name, "1")).await;
    gate.add_permits(10);
    bench.settled(first).await;
    bench.settled(second).await;
    assert_eq!(bench.script.texts(), ["0", "1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_retry_in_the_middle_of_a_cancel_is_not_stranded() {
    let bench = Bench::new().await;
    let until = bench.clock.now().plus(Duration::from_mins(5));
    bench.script.hold("main", until);
    bench.script.hold("backup", until);
    let mut ids = vec![bench.submit(text(group(1), "head")).await];
    for number in 0..60 {
        let id = bench.submit(text(group(1), &number.to_string())).await;
        ids.push(id);
        let delivery = bench.delivery.clone();
        let retrying = tokio::spawn(async move {
            while !matches!(delivery.retry(id).await.expect("writes"), Change::Done(_)) {
                tokio::task::yield_now().await;
            }
        });
        bench.delivery.cancel(id, None).await.expect("writes");
        retrying.await.expect("retried");
    }
    bench.clock.advance(Duration::from_secs(301));
    for id in ids {
        assert_eq!(bench.settled(id).await.state, MessageState::Sent);
    }
    assert_eq!(bench.delivery.queued(), 0);
    assert_eq!(bench.script.effects().len(), 61, "each once");
}

#[tokio::test]
async fn an_account_whose_calls_cannot_be_made_is_not_asked_for_ever() {
    let bench = Bench::new().await;
    bench.script.act("main", vec![Act::Refuse(Outcome::Unavailable("not now".into())); 100]);
    let id = bench.submit(text(group(1), "hello")).await;
    assert_eq!(bench.settled(id).await.account, Some(name("backup")));
    assert!(bench.script.calls() <= 3);
}

#[tokio::test]
async fn waiting_pinned_message_lets_others_change_account() {
    let bench = Bench::new().await;
    bench.script.hold("main", bench.clock.now().plus(Duration::from_mins(5)));
    let mut pinned = text(group(1), "pinned");
    pinned.pin = Some(name("main"));
    let pinned = bench.submit(pinned).await;
    let free = bench.submit(text(group(1), "free")).await;
    assert_eq!(bench.settled(free).await.account, Some(name("backup")));
    assert!(bench.delivery.held_until(pinned).is_some());
    bench.delivery.cancel(pinned, None).await.expect("writes");
    assert_eq!(bench.delivery.held_until(pinned), None);
}
