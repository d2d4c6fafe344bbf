//! After a restore from a backup nothing leaves by itself, and what a person has tried again leaves once.

use std::time::Duration;

use delivery::{Change, Evidence, SagaChanged};
use domain::outcome::Failure;
use domain::saga::{SagaState, Verdict};
use domain::{ChatId, MessageId, MessageState};
use store::{Filter, Resolution};

use crate::provider::{Does, SagaBench, create, is_true_of};
use crate::saga_faults::CHANGING;
use crate::script::{Act, Bench, group, text};

/// A day and a half goes by; evidence is looked for all the time.
async fn time_goes_by(bench: &Bench) {
    for _ in 0..12 {
        bench.clock.advance(Duration::from_hours(3));
        bench.breathe().await;
    }
}

async fn state(bench: &Bench, id: MessageId) -> MessageState {
    bench.delivery.get(id).await.expect("reads").expect("exists").state
}

/// One that hangs on the wire, one of two parts that does, one whose time has not come, and two behind a flood wait.
async fn backlog(bench: &Bench) -> [MessageId; 5] {
    bench.script.act("main", [Act::Hang, Act::Hang]);
    let hanging = bench.submit(text(group(1), "hanging")).await;
    bench.breathe().await;
    let long = bench.submit(text(group(2), &"long ".repeat(1_000))).await;
    bench.breathe().await;
    assert_eq!(bench.script.calls(), 2, "both are on the wire");
    let until = bench.clock.now().plus(Duration::from_mins(5));
    for account in ["main", "backup"] {
        bench.script.hold(account, until);
    }
    let mut later = text(group(3), "later");
    later.send_at = Some(bench.clock.now().plus(Duration::from_hours(6)));
    let later = bench.submit(later).await;
    [
        hanging,
        long,
        later,
        bench.submit(text(group(4), "one")).await,
        bench.submit(text(group(4), "two")).await,
    ]
}

#[tokio::test]
async fn restored_messages_wait_and_a_retry_sends_each_once() {
    let bench = Bench::new().await;
    let [hanging, long, later, one, two] = backlog(&bench).await;
    let bench = bench.restore().await;
    time_goes_by(&bench).await;
    assert_eq!((bench.script.calls(), bench.script.texts().len()), (2, 0));
    for id in [hanging, long] {
        assert_eq!(state(&bench, id).await, MessageState::InDoubt);
    }
    let failed = bench.store.outbox().failed(&Filter::default(), bench.clock.now(), None, 10).await;
    assert_eq!(failed, Ok(vec![later, one, two]));
    for id in [later, one, two] {
        let message = bench.delivery.get(id).await.expect("reads").expect("exists");
        assert!(matches!(message.failure, Some(Failure::Restored { .. })), "{message:?}");
        assert!(matches!(bench.delivery.retry(id).await, Ok(Change::Done(_))));
        assert_eq!(bench.settled(id).await.state, MessageState::Sent);
    }
    for id in [hanging, long] {
        assert!(matches!(bench.delivery.resolve(id, Resolution::Resend).await, Ok(Change::Done(_))));
        assert_eq!(bench.settled(id).await.state, MessageState::Sent);
    }
    let texts = bench.script.texts();
    assert_eq!((&texts[..4], texts.len()), (&["later", "one", "two", "hanging"].map(str::to_owned)[..], 6));
    assert_eq!(bench.script.calls(), 2 + 6);
    assert_eq!(bench.delivery.queued(), 0);
}

#[tokio::test]
async fn message_seen_in_the_chat_ends_its_own_doubt_only() {
    let bench = Bench::new().await;
    let [hanging, long, ..] = backlog(&bench).await;
    let bench = bench.restore().await;
    bench.script.testify(Evidence::Present(None));
    time_goes_by(&bench).await;
    assert_eq!(state(&bench, hanging).await, MessageState::Sent);
    assert_eq!(
        state(&bench, long).await,
        MessageState::Failed,
        "the part behind it may have been sent as well"
    );
    assert_eq!((bench.script.calls(), bench.script.texts().len(), bench.delivery.queued()), (2, 0, 0));
    assert!(matches!(bench.delivery.retry(long).await, Ok(Change::Done(_))));
    assert_eq!(bench.settled(long).await.state, MessageState::Sent);
    assert_eq!(bench.script.texts().len(), 1, "the second part alone");
}

#[tokio::test]
async fn a_person_who_says_that_a_part_was_sent_takes_nothing_along() {
    let bench = Bench::new().await;
    let [_, long, ..] = backlog(&bench).await;
    let bench = bench.restore().await;
    time_goes_by(&bench).await;
    let change = bench.delivery.resolve(long, Resolution::Sent).await;
    assert!(matches!(change, Ok(Change::Done(message)) if message.state == MessageState::Failed));
    time_goes_by(&bench).await;
    assert_eq!((bench.script.calls(), bench.delivery.queued()), (2, 0));
}

#[tokio::test]
async fn a_saga_waits_for_a_person_and_makes_one_chat() {
    for step in CHANGING.into_iter().chain(["resolve"]) {
        for does in [Does::HangsBefore, Does::HangsAfter] {
            let bench = SagaBench::new().await;
            bench.provider.does("main", step, [does.clone()]);
            let id = bench.submit(create("Order 1")).await;
            bench.until(|world| world.calls.iter().any(|(_, taken)| taken.name() == step)).await;
            bench.breathe().await;
            let bench = bench.restore().await;
            let calls = bench.provider.steps().len();
            bench.clock.advance(Duration::from_hours(30));
            bench.breathe().await;
            assert_eq!(bench.provider.steps().len(), calls, "{step} {does:?}");

            let saga = bench.get(id).await;
            let change = if saga.state == SagaState::InDoubt {
                assert_eq!(step, "create");
                let made = bench.provider.world().chats.keys().next().copied();
                let verdict = made
                    .map_or(Verdict::Again, |chat| Verdict::Done(Some(ChatId::new(chat).expect("a chat"))));
                bench.sagas.resolve(id, verdict).await
            } else {
                assert!(matches!(saga.failure, Some(Failure::Restored { .. })), "{step}: {saga:?}");
                bench.sagas.retry(id).await
            };
            assert!(matches!(change, Ok(SagaChanged::Done(_))), "{step} {does:?}: {change:?}");
            let saga = bench.settled(id).await;
            let chats = bench.provider.chats();
            assert_eq!((saga.state, chats.len()), (SagaState::Done, 1), "{step} {does:?}");
            assert!(is_true_of(&saga, &chats[0]), "{step} {does:?}: {saga:?}");
        }
    }
}
