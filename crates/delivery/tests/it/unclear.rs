//! Attempts whose result is unknown: how long the same is tried, what a look decides, and what a person may do.

use std::time::Duration;

use delivery::Change;
use domain::outcome::{Failure, Unclear};
use domain::timeline::Step;
use domain::{MessageId, MessageState, Outcome};
use store::Resolution;

use crate::script::{Act, Bench, Prepares, album, group, text};

fn server_error() -> Outcome {
    Outcome::Unknown(Unclear::ServerError("500 INTERNAL".into()))
}

fn unreadable() -> Outcome {
    Outcome::Unknown(Unclear::Unreadable("the answer cannot be read".into()))
}

/// Lets time go by until the message is final, an hour at most.
pub(crate) async fn ended(bench: &Bench, id: MessageId) -> domain::message::OutboundMessage {
    for _ in 0..3_600 {
        let message = bench.delivery.get(id).await.expect("reads").expect("exists");
        if message.state.is_final() {
            return message;
        }
        bench.clock.advance(Duration::from_secs(1));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("it does not end");
}

async fn tried_once(bench: &Bench, id: MessageId) {
    while bench.delivery.gives_up_at(id).is_none() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn errors_without_end_fail_when_the_chat_has_nothing() {
    let bench = Bench::new().await;
    bench.script.act("main", vec![Act::Refuse(server_error()); 200]);
    let stuck = bench.submit(text(group(1), "stuck")).await;
    tried_once(&bench, stuck).await;
    let behind = bench.submit(text(group(1), "behind")).await;
    let failed = ended(&bench, stuck).await;
    assert_eq!(failed.failure, Some(Failure::ProviderError { detail: "500 INTERNAL".into() }));
    assert_eq!(bench.script.looks(), 2, "it may appear a little later");
    bench.script.calm();
    assert_eq!(ended(&bench, behind).await.state, MessageState::Sent, "the queue goes on");
    let steps = bench.store.outbox().timeline(stuck).await.expect("reads");
    let detail = |step: &domain::timeline::Entry| step.detail.clone().unwrap_or_default();
    let until =
        steps.iter().find(|step| step.step == Step::Waiting).map(detail).expect("it says when it gives up");
    assert!(until.contains("is tried until"), "{until}");
    let attempts = steps.iter().filter(|step| step.step == Step::Attempted).count();
    assert!((5..=15).contains(&attempts), "the first and the last of them: {attempts}");
}

#[tokio::test]
async fn silence_without_end_is_in_doubt() {
    let bench = Bench::new().await;
    bench.script.act("main", vec![Act::Refuse(Outcome::Unknown("no answer in time".into())); 200]);
    let id = bench.submit(text(group(1), "unheard")).await;
    assert_eq!(ended(&bench, id).await.state, MessageState::InDoubt);
}

#[tokio::test]
async fn an_unreadable_answer_is_looked_for() {
    let bench = Bench::new().await;
    // Done, and none of the answers can be read.
    bench.script.act("main", [Act::SendSilently]);
    bench.script.act("main", vec![Act::Refuse(unreadable()); 200]);
    let id = bench.submit(text(group(1), "done")).await;
    let message = ended(&bench, id).await;
    assert_eq!((message.state, message.message_ids().len()), (MessageState::Sent, 1));
    assert!(bench.script.calls() < 10, "not only at the end of its time");
    // Not done: no one may say that it was sent.
    bench.script.act("main", vec![Act::Refuse(unreadable()); 200]);
    let id = bench.submit(text(group(2), "not done")).await;
    assert_eq!(ended(&bench, id).await.state, MessageState::InDoubt);
    assert!(bench.script.looks() > 1);
}

#[tokio::test]
async fn an_upload_that_fails_without_end_fails() {
    let bench = Bench::new().await;
    for account in ["main", "backup"] {
        bench.script.prepare(account, vec![Prepares::Fails(server_error()); 200]);
    }
    let id = bench.submit(album(group(1), 1, "photo")).await;
    let failure = ended(&bench, id).await.failure;
    assert_eq!(failure, Some(Failure::ProviderError { detail: "500 INTERNAL".into() }));
}

#[tokio::test]
async fn a_person_ends_what_is_stuck_after_its_first_attempt() {
    let bench = Bench::new().await;
    bench.script.act("main", [Act::RefuseLate(server_error())]);
    bench.script.act("main", vec![Act::Refuse(server_error()); 200]);
    let id = bench.submit(text(group(1), "stuck")).await;
    while bench.script.calls() < 1 {
        bench.breathe().await;
    }
    let refused = bench.delivery.stop_trying(id).await.expect("reads");
    assert!(matches!(refused, Change::Refused(_)), "the first attempt is still on the wire");
    bench.script.answer_late();
    tried_once(&bench, id).await;
    let Change::Done(stopped) = bench.delivery.stop_trying(id).await.expect("reads") else {
        panic!("refused")
    };
    assert_eq!(stopped.state, MessageState::InDoubt);
    let calls = bench.script.calls();
    bench.clock.advance(Duration::from_mins(5));
    bench.breathe().await;
    assert_eq!(bench.script.calls(), calls, "it is tried no longer");
}

#[tokio::test]
async fn a_person_resolves_what_is_stuck() {
    let bench = Bench::new().await;
    bench.script.act("main", vec![Act::Refuse(server_error()); 3]);
    bench.script.act("main", [Act::Hang]);
    let id = bench.submit(text(group(1), "stuck")).await;
    tried_once(&bench, id).await;
    let Change::Done(resolved) = bench.delivery.resolve(id, Resolution::Sent).await.expect("writes") else {
        panic!("refused")
    };
    assert_eq!(resolved.state, MessageState::Sent);
    assert_eq!(bench.delivery.queued(), 0);
}
