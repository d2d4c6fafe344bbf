//! What an account may send by the word of its owner.

use std::time::Duration;

use domain::message::OnFlood;
use domain::outcome::Failure;
use domain::timeline::Step;
use domain::{MessageState, Outcome};

use crate::script::{Act, Bench, group, name, text};

#[tokio::test]
async fn messages_over_the_limit_wait_untried() {
    let bench = Bench::new().await;
    let until = bench.clock.now().plus(Duration::from_mins(5));
    bench.script.limit("main", 3, until);
    bench.script.limit("backup", 2, until);
    let mut all = Vec::new();
    for number in 1..=30 {
        all.push(bench.submit(text(group(number), &format!("message {number}"))).await);
    }
    bench.breathe().await;
    let sent = bench.script.effects();
    let by = |account: &str| sent.iter().filter(|effect| effect.account == name(account)).count();
    assert_eq!((by("main"), by("backup"), bench.script.calls()), (3, 2, 5));
    let mut waiting = 0;
    for id in &all {
        let message = bench.delivery.get(*id).await.expect("reads").expect("exists");
        if message.state == MessageState::Sent {
            continue;
        }
        waiting += 1;
        let steps = bench.store.outbox().timeline(*id).await.expect("reads");
        assert!(steps.iter().all(|step| step.step != Step::Begun), "{steps:?}");
        let told: Vec<_> = steps.iter().filter(|step| step.step == Step::Waiting).collect();
        let [told] = told[..] else { panic!("{steps:?}") };
        assert!(told.detail.as_ref().is_some_and(|why| why.contains("as its limits allow")), "{told:?}");
    }
    assert_eq!(waiting, 25);
    bench.clock.advance(Duration::from_secs(301));
    for id in all {
        assert_eq!(bench.settled(id).await.state, MessageState::Sent);
    }
    assert_eq!(bench.script.effects().len(), 30);
}

#[tokio::test]
async fn who_does_not_want_to_wait_is_told_which_limit_it_was() {
    let bench = Bench::new().await;
    let until = bench.clock.now().plus(Duration::from_mins(5));
    bench.script.limit("main", 0, until);
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
    let bench = Bench::new().await;
    let until = bench.clock.now().plus(Duration::from_mins(5));
    bench.script.limit("main", 2, until);
    bench.script.act("main", [Act::Refuse(Outcome::Forbidden("CHAT_WRITE_FORBIDDEN".into()))]);
    let refused = bench.submit(text(group(1), "refused there")).await;
    assert_eq!(bench.settled(refused).await.account, Some(name("backup")));
    assert_eq!(bench.script.left("main"), 2);
    // Nobody heard the answer; the second call of the same message needs no place of its own.
    bench.script.act("main", [Act::SendSilently]);
    let doubtful = bench.submit(text(group(2), "sent in silence")).await;
    assert_eq!(bench.settled(doubtful).await.state, MessageState::Sent);
    assert_eq!((bench.script.left("main"), bench.script.effects().len()), (1, 2));
}

#[tokio::test]
async fn a_cancelled_message_gives_nothing_back_that_it_never_had() {
    let bench = Bench::new().await;
    let until = bench.clock.now().plus(Duration::from_mins(5));
    for account in ["main", "backup"] {
        bench.script.limit(account, 0, until);
    }
    let id = bench.submit(text(group(1), "late")).await;
    bench.breathe().await;
    assert!(matches!(bench.delivery.cancel(id, None).await, Ok(delivery::Change::Done(_))));
    bench.breathe().await;
    assert_eq!((bench.script.left("main"), bench.script.left("backup"), bench.script.calls()), (0, 0, 0));
}
