//! Messages that wait for a person's word.

use std::time::Duration;

use delivery::{Change, Submission};
use domain::timeline::Step;
use domain::{MessageId, MessageState};
use store::Approval;

use crate::script::{Bench, group, text};

fn asking(words: &str) -> Submission {
    Submission { needs_approval: true, ..text(group(1), words) }
}

async fn decide(bench: &Bench, id: MessageId, approval: Approval) -> Change {
    bench.delivery.decide(id, approval, "by anna".into()).await.expect("writes")
}

#[tokio::test]
async fn an_approved_message_leaves_once_and_no_other_does() {
    let bench = Bench::new().await;
    let [yes, no, open] = [
        bench.submit(asking("yes")).await,
        bench.submit(asking("no")).await,
        bench.submit(asking("open")).await,
    ];
    let bench = bench.restart().await;
    assert_eq!(bench.settled(yes).await.state, MessageState::AwaitingApproval, "without a wait");
    assert!(matches!(decide(&bench, yes, Approval::Approved).await, Change::Done(_)));
    assert!(matches!(decide(&bench, no, Approval::Rejected).await, Change::Done(_)));
    assert_eq!(bench.settled(yes).await.state, MessageState::Sent);
    for (id, state) in [(no, MessageState::Cancelled), (open, MessageState::AwaitingApproval)] {
        assert_eq!(bench.settled(id).await.state, state);
    }
    for id in [yes, no] {
        for approval in [Approval::Approved, Approval::Rejected] {
            assert!(matches!(decide(&bench, id, approval).await, Change::Refused(_)));
        }
    }
    assert_eq!(bench.script.texts(), ["yes"]);
    let steps = bench.store.outbox().timeline(yes).await.expect("reads");
    assert!(
        steps.iter().any(|entry| entry.step == Step::Approved && entry.detail.as_deref() == Some("by anna"))
    );
}

#[tokio::test]
async fn an_approved_message_still_waits_for_its_time() {
    let bench = Bench::new().await;
    let at = bench.clock.now().plus(Duration::from_hours(1));
    let id = bench.submit(Submission { send_at: Some(at), ..asking("later") }).await;
    let Change::Done(approved) = decide(&bench, id, Approval::Approved).await else { panic!("refused") };
    assert_eq!(approved.state, MessageState::Scheduled);
    bench.clock.advance(Duration::from_secs(3601));
    assert_eq!(bench.settled(id).await.state, MessageState::Sent);
}
