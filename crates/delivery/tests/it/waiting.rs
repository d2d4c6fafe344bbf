//! Floods, schedules, cancels and retries.

use std::time::Duration;

use delivery::Change;
use domain::message::OnFlood;
use domain::outcome::Failure;
use domain::{ChatRef, MessageState, Outcome};

use crate::script::{Act, Bench, group, name, text};

#[tokio::test]
async fn message_waits_out_floods_or_fails_as_requested() {
    let bench = Bench::new().await;
    let until = bench.clock.now().plus(Duration::from_mins(5));
    bench.script.hold("main", until);
    bench.script.hold("backup", until);
    let patient = bench.submit(text(group(1), "patient")).await;
    let mut hurried = text(group(2), "hurried");
    hurried.on_flood = OnFlood::Fail;
    let hurried = bench.submit(hurried).await;
    let failed = bench.settled(hurried).await;
    assert_eq!(failed.failure, Some(Failure::FloodWait { until }));
    bench.clock.advance(Duration::from_secs(301));
    assert_eq!(bench.settled(patient).await.state, MessageState::Sent);
    assert_eq!(bench.script.texts(), ["patient"]);
}

#[tokio::test]
async fn a_flood_holds_only_its_own_lane() {
    let bench = Bench::new().await;
    let until = bench.clock.now().plus(Duration::from_mins(5));
    bench.script.hold("main", until);
    let mut pinned = text(group(1), "pinned");
    pinned.pin = Some(name("main"));
    let pinned = bench.submit(pinned).await;
    let other = bench.submit(text(group(2), "other")).await;
    let free = bench.submit(text(group(1), "free")).await;
    assert_eq!(bench.settled(other).await.account, Some(name("backup")));
    assert_eq!(bench.settled(free).await.account, Some(name("backup")));
    bench.clock.advance(Duration::from_secs(301));
    assert_eq!(bench.settled(pinned).await.account, Some(name("main")));
}

#[tokio::test]
async fn behind_a_queue_that_waits_fail_on_flood_fails_at_once() {
    let bench = Bench::new().await;
    let hurried = |words: &str| {
        let mut hurried = text(group(1), words);
        hurried.on_flood = OnFlood::Fail;
        hurried
    };
    // It is in line already when the flood begins.
    let until = bench.clock.now().plus(Duration::from_mins(5));
    bench.script.act("main", [Act::RefuseLate(Outcome::held(until))]);
    bench.script.hold("backup", until);
    let patient = bench.submit(text(group(1), "patient")).await;
    while bench.script.calls() < 1 {
        bench.breathe().await;
    }
    let early = bench.submit(hurried("early")).await;
    bench.script.answer_late();
    assert_eq!(bench.settled(early).await.failure, Some(Failure::FloodWait { until }));
    // It comes while the one before it waits.
    let late = bench.submit(hurried("late")).await;
    assert_eq!(bench.settled(late).await.failure, Some(Failure::FloodWait { until }));
    bench.clock.advance(Duration::from_secs(301));
    assert_eq!(bench.settled(patient).await.state, MessageState::Sent);
    assert_eq!(bench.script.texts(), ["patient"]);
}

#[tokio::test]
async fn order_holds_without_a_pin_and_for_each_pin() {
    let bench = Bench::new().await;
    let until = bench.clock.now().plus(Duration::from_mins(5));
    bench.script.hold("main", until);
    let submit = async |words: &str, pin: Option<&str>| {
        let mut submission = text(group(1), words);
        submission.pin = pin.map(name);
        bench.submit(submission).await
    };
    let mut all = Vec::new();
    for (words, pin) in [
        ("main 1", Some("main")),
        ("main 2", Some("main")),
        ("free 1", None),
        ("backup 1", Some("backup")),
        ("free 2", None),
        ("backup 2", Some("backup")),
    ] {
        all.push(submit(words, pin).await);
    }
    for id in all.split_off(2) {
        assert_eq!(bench.settled(id).await.account, Some(name("backup")), "no one waits for main");
    }
    bench.clock.advance(Duration::from_secs(301));
    for id in all {
        assert_eq!(bench.settled(id).await.account, Some(name("main")));
    }
    let texts = bench.script.texts();
    for kind in ["main", "free", "backup"] {
        let of_kind: Vec<_> = texts.iter().filter(|text| text.starts_with(kind)).collect();
        assert_eq!(of_kind, [&format!("{kind} 1"), &format!("{kind} 2")]);
    }
}

#[tokio::test]
async fn a_waiting_message_can_be_cancelled_and_sent_after_all() {
    let bench = Bench::new().await;
    let until = bench.clock.now().plus(Duration::from_mins(5));
    bench.script.hold("main", until);
    bench.script.hold("backup", until);
    let id = bench.submit(text(group(1), "late")).await;
    bench.breathe().await;
    let Change::Done(message) = bench.delivery.cancel(id, None).await.expect("writes") else {
        panic!("refused")
    };
    assert_eq!(message.state, MessageState::Cancelled);
    assert!(matches!(bench.delivery.cancel(id, None).await.expect("writes"), Change::Refused(_)));
    bench.clock.advance(Duration::from_secs(301));
    bench.breathe().await;
    assert!(bench.script.effects().is_empty(), "a cancelled message never leaves");
    assert_eq!(bench.delivery.queued(), 0);

    assert!(matches!(bench.delivery.retry(id).await.expect("writes"), Change::Done(_)));
    assert_eq!(bench.settled(id).await.state, MessageState::Sent);
}

#[tokio::test]
async fn a_message_given_to_an_account_cannot_be_cancelled() {
    let bench = Bench::new().await;
    bench.script.act("main", [Act::Hang]);
    let id = bench.submit(text(group(1), "gone")).await;
    while bench.script.calls() < 1 {
        bench.breathe().await;
    }
    assert!(matches!(bench.delivery.cancel(id, None).await.expect("writes"), Change::Refused(_)));
}

#[tokio::test]
async fn a_message_waits_for_its_time_also_over_a_restart() {
    let bench = Bench::new().await;
    let mut later = text(group(1), "later");
    later.send_at = Some(bench.clock.now().plus(Duration::from_hours(1)));
    let id = bench.submit(later).await;
    assert_eq!(bench.delivery.get(id).await.expect("reads").expect("exists").state, MessageState::Scheduled);
    let bench = bench.restart().await;
    bench.breathe().await;
    assert!(bench.script.effects().is_empty());
    bench.clock.advance(Duration::from_secs(3601));
    assert_eq!(bench.settled(id).await.state, MessageState::Sent);
}

#[tokio::test]
async fn a_cancelled_scheduled_message_waits_for_its_time_again() {
    let bench = Bench::new().await;
    let mut later = text(group(1), "later");
    later.send_at = Some(bench.clock.now().plus(Duration::from_hours(1)));
    let id = bench.submit(later).await;
    assert!(matches!(bench.delivery.cancel(id, None).await.expect("writes"), Change::Done(_)));
    let Change::Done(again) = bench.delivery.retry(id).await.expect("writes") else { panic!("refused") };
    assert_eq!((again.state, bench.delivery.queued()), (MessageState::Scheduled, 1));
    bench.breathe().await;
    assert!(bench.script.effects().is_empty());
    bench.clock.advance(Duration::from_secs(3601));
    assert_eq!(bench.settled(id).await.state, MessageState::Sent);
    assert_eq!(bench.script.texts(), ["later"]);
}

#[tokio::test]
async fn an_account_that_went_away_lets_the_next_one_carry() {
    let bench = Bench::new().await;
    bench.script.lose("main");
    let id = bench.submit(text(group(1), "hello")).await;
    assert_eq!(bench.settled(id).await.account, Some(name("backup")));
    bench.script.lose("backup");
    let id = bench.submit(text(group(1), "hello")).await;
    assert!(
        matches!(bench.settled(id).await.failure, Some(Failure::NoAccount { asked }) if asked.len() == 2)
    );
}

#[tokio::test]
async fn a_call_that_could_not_be_made_is_made_again_soon() {
    let bench = Bench::new().await;
    bench.script.act("main", [Act::Refuse(Outcome::Unavailable("not connected".into()))]);
    let id = bench.submit(text(group(1), "hello")).await;
    assert_eq!(bench.settled(id).await.state, MessageState::Sent);
    assert_eq!(bench.script.texts(), ["hello"]);
}

#[tokio::test]
async fn unresolved_message_keeps_its_place_over_a_restart() {
    let bench = Bench::new().await;
    let until = bench.clock.now().plus(Duration::from_mins(5));
    for account in ["main", "backup"] {
        bench.script.hold(account, until);
    }
    let chat: ChatRef = "@somebody".parse().expect("a name");
    bench.script.forget_names();
    let gate = bench.script.hold_look_ups();
    for words in ["one", "two"] {
        bench.submit(text(chat.clone(), words)).await;
    }
    gate.add_permits(1);
    bench.breathe().await;
    // The name is known by now, so that this one is stored with the chat; those before it are not.
    let last = bench.submit(text(chat, "three")).await;
    assert!(bench.delivery.get(last).await.expect("reads").expect("exists").address.is_some());
    bench.script.forget_names();
    let bench = bench.restart().await;
    bench.clock.advance(Duration::from_secs(301));
    bench.breathe().await;
    gate.add_permits(10);
    assert_eq!(bench.settled(last).await.state, MessageState::Sent);
    assert_eq!(bench.script.texts(), ["one", "two", "three"]);
}
