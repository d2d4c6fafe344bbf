//! What a provider has against doubles decides what follows an attempt that nothing is known of.

use std::time::Duration;

use delivery::{Capabilities, Dedup};
use domain::outcome::{Failure, Unclear};
use domain::timeline::Step;
use domain::{MessageState, Outcome};

use crate::script::{Act, Bench, CAPABILITIES, group, mentioning, text};
use crate::unclear::ended;

const FOR_EVER: Dedup = Dedup::Key { window: None };
const A_MINUTE: Dedup = Dedup::Key { window: Some(Duration::from_mins(1)) };

async fn bench(dedup: Dedup) -> Bench {
    Bench::with(Capabilities { dedup, ..CAPABILITIES }).await
}

fn server_error() -> Outcome {
    Outcome::Unknown(Unclear::ServerError("500 INTERNAL".into()))
}

fn silence() -> Outcome {
    Outcome::Unknown("no answer in time".into())
}

async fn called(bench: &Bench, times: u32) {
    while bench.script.calls() < times {
        bench.breathe().await;
    }
}

/// A provider that errs for ever and one that never answers hold their chat no longer than they may.
#[tokio::test]
async fn trouble_without_end_lets_the_next_message_go() {
    let failed =
        |detail: &str| (MessageState::Failed, Some(Failure::ProviderError { detail: detail.into() }));
    let doubt = || (MessageState::InDoubt, None);
    let (errs, silent) = ("500 INTERNAL", "no answer in time");
    let table = [
        (FOR_EVER, server_error(), failed(errs)),
        (FOR_EVER, silence(), doubt()),
        (A_MINUTE, server_error(), failed(errs)),
        (A_MINUTE, silence(), failed(silent)),
        (Dedup::ReadBack, server_error(), failed(errs)),
        (Dedup::ReadBack, silence(), failed(silent)),
        (Dedup::None, server_error(), doubt()),
        (Dedup::None, silence(), doubt()),
    ];
    for (dedup, outcome, expected) in table {
        let bench = bench(dedup).await;
        // Without a key the one call is all: more refusals could meet the next message before they end.
        let refusals = if dedup == Dedup::None { 1 } else { 1_000 };
        bench.script.act("main", vec![Act::Refuse(outcome.clone()); refusals]);
        let stuck = bench.submit(text(group(1), "stuck")).await;
        called(&bench, 1).await;
        let behind = bench.submit(text(group(1), "behind")).await;
        let stuck = ended(&bench, stuck).await;
        assert_eq!((stuck.state, stuck.failure), expected, "{dedup:?} {outcome:?}");
        bench.script.calm();
        assert_eq!(ended(&bench, behind).await.state, MessageState::Sent, "{dedup:?} {outcome:?}");
        assert_eq!(bench.script.texts(), ["behind"], "{dedup:?} {outcome:?}");
    }
}

#[tokio::test]
async fn a_mention_in_trouble_without_end_lets_the_next_go() {
    let bench = bench(FOR_EVER).await;
    bench.script.refuse_mentions(vec![server_error(); 1_000]);
    let stuck = bench.submit(mentioning(group(1), "stuck")).await;
    let behind = bench.submit(text(group(1), "behind")).await;
    let failure = ended(&bench, stuck).await.failure;
    assert_eq!(failure, Some(Failure::ProviderError { detail: "500 INTERNAL".into() }));
    assert_eq!(ended(&bench, behind).await.state, MessageState::Sent);
    assert_eq!(bench.script.texts(), ["behind"]);
}

#[tokio::test]
async fn a_readable_message_is_resent_only_if_absent() {
    for arrived in [true, false] {
        let bench = bench(Dedup::ReadBack).await;
        bench.script.act("main", [if arrived { Act::SendSilently } else { Act::Refuse(silence()) }]);
        let id = bench.submit(text(group(1), "one")).await;
        assert_eq!(ended(&bench, id).await.state, MessageState::Sent);
        assert_eq!(bench.script.texts(), ["one"]);
        assert_eq!(bench.script.calls(), if arrived { 1 } else { 2 });
    }
}

#[tokio::test]
async fn an_unreadable_message_ends_in_doubt() {
    let bench = bench(Dedup::ReadBack).await;
    bench.script.blind();
    bench.script.act("main", [Act::SendSilently]);
    let id = bench.submit(text(group(1), "one")).await;
    assert_eq!(ended(&bench, id).await.state, MessageState::InDoubt);
    assert_eq!((bench.script.calls(), bench.script.texts().len()), (1, 1), "never sent again");
    assert!(bench.script.looks() >= 5, "not at once");
    let steps = bench.store.outbox().timeline(id).await.expect("reads");
    let detail = steps.iter().find(|step| step.step == Step::Waiting).and_then(|step| step.detail.clone());
    assert!(detail.is_some_and(|detail| detail.contains("it is looked for")));
}

#[tokio::test]
async fn after_a_restart_a_look_comes_before_a_send() {
    for (dedup, calls) in [(Dedup::ReadBack, 1), (A_MINUTE, 2)] {
        let bench = bench(dedup).await;
        bench.script.act("main", [Act::SendAndHang]);
        let id = bench.submit(text(group(1), "one")).await;
        called(&bench, 1).await;
        let bench = bench.restart().await;
        assert_eq!(ended(&bench, id).await.state, MessageState::Sent, "{dedup:?}");
        assert_eq!((bench.script.texts().len(), bench.script.calls()), (1, calls), "{dedup:?}");
    }
}

#[tokio::test]
async fn without_key_or_look_a_restart_ends_in_doubt() {
    for act in [Act::Hang, Act::SendAndHang] {
        let bench = bench(Dedup::None).await;
        bench.script.act("main", [act]);
        let id = bench.submit(text(group(1), "one")).await;
        called(&bench, 1).await;
        let behind = bench.submit(text(group(1), "two")).await;
        let bench = bench.restart().await;
        assert_eq!(ended(&bench, id).await.state, MessageState::InDoubt);
        assert_eq!(ended(&bench, behind).await.state, MessageState::Sent);
        assert_eq!(bench.script.calls(), 2, "it is not sent again");
    }
}

/// The window counts from the instant at which the part was begun, which the store keeps.
#[tokio::test]
async fn a_key_whose_window_is_over_is_not_sent_again() {
    for (act, expected) in [(Act::SendAndHang, MessageState::Sent), (Act::Hang, MessageState::Failed)] {
        let bench = bench(A_MINUTE).await;
        bench.script.act("main", [act]);
        let id = bench.submit(text(group(1), "one")).await;
        called(&bench, 1).await;
        bench.clock.advance(Duration::from_mins(3));
        let bench = bench.restart().await;
        assert_eq!(ended(&bench, id).await.state, expected);
        assert_eq!(bench.script.calls(), 1);
    }
}

#[tokio::test]
async fn a_wait_that_outlives_the_key_gives_the_part_back() {
    let bench = bench(A_MINUTE).await;
    let until = bench.clock.now().plus(Duration::from_mins(5));
    bench.script.act("main", [Act::Refuse(silence()), Act::Refuse(Outcome::held(until))]);
    let id = bench.submit(text(group(1), "one")).await;
    assert_eq!(ended(&bench, id).await.state, MessageState::Sent);
    assert_eq!((bench.script.texts(), bench.script.looks()), (vec!["one".to_owned()], 2));
}

#[tokio::test]
async fn proof_that_nothing_was_sent_means_the_same_for_all() {
    for dedup in [FOR_EVER, A_MINUTE, Dedup::ReadBack, Dedup::None] {
        let bench = bench(dedup).await;
        let until = bench.clock.now().plus(Duration::from_mins(5));
        bench.script.act("main", [Act::Refuse(Outcome::held(until))]);
        let id = bench.submit(text(group(1), "one")).await;
        assert_eq!(bench.settled(id).await.account, Some(crate::script::name("backup")), "{dedup:?}");
    }
}

#[tokio::test]
async fn an_outcome_without_a_lasting_key_waits_for_the_disk() {
    for (dedup, waits) in [(FOR_EVER, false), (A_MINUTE, true), (Dedup::ReadBack, true), (Dedup::None, true)]
    {
        let bench = bench(dedup).await;
        let id = bench.submit(text(group(1), "one")).await;
        bench.settled(id).await;
        let written = bench.store.written();
        assert_eq!(written.commits == written.synced, waits, "{dedup:?}");
    }
}
