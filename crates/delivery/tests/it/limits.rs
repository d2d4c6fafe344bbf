//! What an account may send by the word of its owner.

use std::time::Duration;

use delivery::{Capabilities, Dedup};
use domain::message::OnFlood;
use domain::outcome::Failure;
use domain::timeline::Step;
use domain::{ChatId, ChatRef, ContactLimits, MessageState, Outcome};

use crate::script::{Act, Bench, CAPABILITIES, group, name, text};

/// Longer than what was sent counts.
const OVER_AN_HOUR: Duration = Duration::from_mins(62);

/// A bench whose accounts may send so many messages an hour.
async fn limited(main: u32, backup: u32) -> Bench {
    let bench = Bench::new().await;
    bench.script.limit("main", main).await;
    bench.script.limit("backup", backup).await;
    bench
}

/// How many the first account has sent within the hour, and the second.
fn sent(bench: &Bench) -> (u32, u32) {
    (bench.script.sent("main").last_hour, bench.script.sent("backup").last_hour)
}

#[tokio::test]
async fn messages_over_the_limit_wait_untried() {
    let bench = limited(3, 2).await;
    let mut all = Vec::new();
    for number in 1..=10 {
        all.push(bench.submit(text(group(number), &format!("message {number}"))).await);
    }
    bench.breathe().await;
    let effects = bench.script.effects();
    let by = |account: &str| effects.iter().filter(|effect| effect.account == name(account)).count();
    assert_eq!((by("main"), by("backup"), bench.script.calls(), sent(&bench)), (3, 2, 5, (3, 2)));
    let mut waiting = 0;
    for id in &all {
        let message = bench.delivery.get(*id).await.expect("reads").expect("exists");
        if message.state == MessageState::Sent {
            continue;
        }
        waiting += 1;
        let steps = bench.store.outbox().timeline(*id).await.expect("reads");
        assert!(steps.iter().all(|step| step.step != Step::Begun), "{steps:?}");
        let waiting_step = steps.iter().find(|step| step.step == Step::Waiting).expect("a wait");
        assert!(
            waiting_step.detail.as_ref().is_some_and(|why| why.contains("as its limits allow")),
            "{waiting_step:?}"
        );
    }
    assert_eq!(waiting, 5);
    bench.clock.advance(OVER_AN_HOUR);
    for id in all {
        assert_eq!(bench.settled(id).await.state, MessageState::Sent);
    }
    assert_eq!((bench.script.effects().len(), sent(&bench)), (10, (3, 2)));
}

#[tokio::test]
async fn strangers_over_the_ceiling_wait_for_another_account_or_another_day() {
    let bench = Bench::new().await;
    bench.store.limit_contacts(ContactLimits { first_contacts_per_day: 2, ..ContactLimits::default() });
    let person = |number: i64| ChatRef::Id(ChatId::user(number).expect("a user"));
    let mut accounts = Vec::new();
    for number in 1..=4 {
        let id = bench.submit(text(person(number), "hello")).await;
        accounts.extend(bench.settled(id).await.account);
    }
    assert_eq!(accounts, ["main", "main", "backup", "backup"].map(name));
    // Who was written to is no stranger any more, and neither is a group.
    for chat in [person(1), group(1)] {
        let id = bench.submit(text(chat.clone(), "once more")).await;
        assert_eq!(bench.settled(id).await.state, MessageState::Sent, "{chat}");
    }
    let mut hurried = text(person(5), "hurried");
    hurried.on_flood = OnFlood::Fail;
    let failed = bench.submit(hurried).await;
    assert!(matches!(bench.settled(failed).await.failure, Some(Failure::LimitReached { .. })));
    let waiting = bench.submit(text(person(6), "in time")).await;
    bench.breathe().await;
    assert_eq!(bench.script.effects().len(), 6);
    let steps = bench.store.outbox().timeline(waiting).await.expect("reads");
    assert!(steps.iter().any(|step| step.step == Step::Waiting), "{steps:?}");
    // A higher limit holds for what waits, as a message of the person would.
    let limits = ContactLimits { first_contacts_per_day: 3, ..ContactLimits::default() };
    bench.store.limit_contacts(limits);
    bench.clock.advance(Duration::from_secs(15));
    assert_eq!(bench.settled(waiting).await.state, MessageState::Sent);
    bench.store.limit_contacts(ContactLimits { first_contacts_per_day: 1, ..limits });
    let tomorrow = bench.submit(text(person(7), "tomorrow")).await;
    bench.clock.advance(Duration::from_hours(25));
    assert_eq!(bench.settled(tomorrow).await.state, MessageState::Sent);
}

#[tokio::test]
async fn a_caller_that_does_not_wait_learns_which_limit_it_was() {
    let bench = limited(1, 0).await;
    let first = bench.submit(text(group(1), "first")).await;
    assert_eq!(bench.settled(first).await.state, MessageState::Sent);
    let until = bench.script.sent("main").free_at.expect("it is at its limit");
    bench.script.hold("backup", until.plus(Duration::from_secs(1)));
    let mut hurried = text(group(1), "hurried");
    hurried.on_flood = OnFlood::Fail;
    let failed = bench.submit(hurried.clone()).await;
    assert_eq!(bench.settled(failed).await.failure, Some(Failure::LimitReached { until }));
    // The first that is free again is what counts.
    let sooner = until.minus(Duration::from_mins(1));
    bench.script.hold("backup", sooner);
    let failed = bench.submit(hurried).await;
    assert_eq!(bench.settled(failed).await.failure, Some(Failure::FloodWait { until: sooner }));
}

#[tokio::test]
async fn refusal_frees_its_place_in_the_limit_doubt_does_not() {
    let bench = limited(2, 9).await;
    bench.script.act("main", [Act::Refuse(Outcome::Forbidden("CHAT_WRITE_FORBIDDEN".into()))]);
    let refused = bench.submit(text(group(1), "refused there")).await;
    assert_eq!(bench.settled(refused).await.account, Some(name("backup")));
    assert_eq!(sent(&bench), (0, 1));
    // No one heard the answer; the second call of the same message needs no place of its own.
    bench.script.act("main", [Act::SendSilently]);
    let doubtful = bench.submit(text(group(2), "sent in silence")).await;
    assert_eq!(bench.settled(doubtful).await.state, MessageState::Sent);
    assert_eq!((sent(&bench), bench.script.effects().len()), ((1, 1), 2));
}

#[tokio::test]
async fn a_cancelled_message_gives_nothing_back_that_it_never_had() {
    let bench = limited(1, 1).await;
    for number in 1..=2 {
        let id = bench.submit(text(group(number), "in time")).await;
        assert_eq!(bench.settled(id).await.state, MessageState::Sent);
    }
    let id = bench.submit(text(group(3), "late")).await;
    bench.breathe().await;
    assert!(matches!(bench.delivery.cancel(id, None).await, Ok(delivery::Change::Done(_))));
    bench.breathe().await;
    assert_eq!((sent(&bench), bench.script.calls()), ((1, 1), 2));
}

#[tokio::test]
async fn a_clock_set_back_holds_messages_for_an_hour() {
    let bench = limited(1, 1).await;
    for number in 1..=2 {
        bench.submit(text(group(number), "within the limits")).await;
    }
    let over = bench.submit(text(group(3), "over them")).await;
    bench.breathe().await;
    assert_eq!(bench.script.calls(), 2);
    bench.clock.set_back(Duration::from_hours(10));
    bench.submit(text(group(4), "over them too")).await;
    bench.breathe().await;
    assert_eq!(bench.script.calls(), 2);
    bench.clock.advance(OVER_AN_HOUR);
    assert_eq!(bench.settled(over).await.state, MessageState::Sent);
}

#[tokio::test]
async fn first_limit_knows_what_was_sent_before() {
    let bench = Bench::new().await;
    for number in 1..=3 {
        let id = bench.submit(text(group(number), "unlimited")).await;
        assert_eq!(bench.settled(id).await.state, MessageState::Sent);
    }
    assert_eq!(bench.script.sent("main").last_hour, 0, "nothing is counted");
    bench.script.limit("main", 4).await;
    assert_eq!(bench.script.sent("main").last_hour, 3);
    let bench = bench.restart().await;
    assert_eq!(bench.script.sent("main").last_hour, 3, "no more than once");
    let id = bench.submit(text(group(4), "limited")).await;
    assert_eq!(bench.settled(id).await.account, Some(name("main")));
    let bench = bench.restart().await;
    let sent = bench.script.sent("main");
    assert!(sent.last_hour == 4 && sent.free_at.is_some(), "{sent:?}");
}

#[tokio::test]
async fn messages_in_progress_count_after_a_restart() {
    let bench = limited(2, 1).await;
    bench.script.act("main", [Act::SendAndHang]);
    let id = bench.submit(text(group(1), "under way")).await;
    while !bench.script.hangs() {
        tokio::task::yield_now().await;
    }
    bench.clock.advance(3 * OVER_AN_HOUR);
    let bench = bench.restart().await;
    assert_eq!(bench.settled(id).await.state, MessageState::Sent);
    assert_eq!(sent(&bench), (1, 0), "it may have arrived just now");
    let bench = bench.restart().await;
    assert_eq!(sent(&bench), (1, 0));
}

#[tokio::test]
async fn doubtful_messages_count_after_a_restart() {
    let bench = Bench::with(Capabilities { dedup: Dedup::None, ..CAPABILITIES }).await;
    bench.script.limit("main", 1).await;
    bench.script.act("main", [Act::SendSilently]);
    let id = bench.submit(text(group(1), "unheard")).await;
    assert_eq!(bench.settled(id).await.state, MessageState::InDoubt);
    let bench = bench.restart().await;
    assert_eq!(sent(&bench), (1, 0));
}
