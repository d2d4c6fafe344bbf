//! Exactly once: lost answers, retries, keys, restarts, doubt.

use delivery::{Change, Evidence, How, SubmitError};
use domain::MessageState;
use domain::account::Reason;
use domain::outcome::{Failure, SentIds};
use domain::timeline::Step;
use domain::{ChatId, ChatRef, Outcome};
use std::time::Duration;
use store::{Idempotency, Join, Resolution, SameBy};

use crate::script::{Act, Bench, group, mentioning, name, text};

fn unknown() -> Act {
    Act::Refuse(Outcome::Unknown("timeout".into()))
}

#[tokio::test]
async fn a_text_is_sent_and_its_timeline_is_recorded() {
    let bench = Bench::new().await;
    let id = bench.submit(text(group(1), "hello")).await;
    let message = bench.settled(id).await;
    assert_eq!((message.state, message.message_numbers()), (MessageState::Sent, vec![1]));
    assert_eq!(message.account, Some(name("main")));
    let steps: Vec<_> =
        bench.store.outbox().timeline(id).await.expect("reads").into_iter().map(|entry| entry.step).collect();
    assert_eq!(steps, [Step::Accepted, Step::Begun, Step::Sent]);
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_with_the_same_random_id() {
    let bench = Bench::new().await;
    bench.script.act("main", [Act::SendSilently, unknown(), Act::Send]);
    let id = bench.submit(text(group(1), "hello")).await;
    let message = bench.settled(id).await;
    assert_eq!((message.state, bench.script.calls()), (MessageState::Sent, 3));
    assert_eq!(bench.script.texts(), ["hello"]);
    assert_eq!(bench.script.effects()[0].account, name("main"));
}

#[tokio::test]
async fn a_flood_after_a_lost_answer_never_moves_the_message() {
    let bench = Bench::new().await;
    let until = bench.clock.now().plus(Duration::from_mins(1));
    bench.script.act("main", [Act::SendSilently, Act::Refuse(Outcome::held(until))]);
    let id = bench.submit(text(group(1), "hello")).await;
    bench.breathe().await;
    bench.clock.advance(Duration::from_secs(61));
    assert_eq!(bench.settled(id).await.state, MessageState::Sent);
    assert_eq!(bench.script.effects().len(), 1);
}

#[tokio::test]
async fn proven_refusal_goes_to_the_next_account() {
    let bench = Bench::new().await;
    let until = bench.clock.now().plus(Duration::from_mins(1));
    bench.script.act("main", [Act::Refuse(Outcome::held(until))]);
    let first = bench.submit(text(group(1), "one")).await;
    assert_eq!(bench.settled(first).await.account, Some(name("backup")));
    let holds = bench.store.accounts().holds(bench.clock.now()).await.expect("reads");
    assert_eq!(holds.floods.len(), 1, "the flood is kept");
}

#[tokio::test]
async fn no_one_finds_the_chat_and_each_reason_is_named() {
    let bench = Bench::new().await;
    for account in ["main", "backup"] {
        bench.script.act(account, [Act::Refuse(Outcome::NotFound("PEER_ID_INVALID".into()))]);
    }
    let id = bench.submit(text(group(1), "hello")).await;
    let message = bench.settled(id).await;
    let Some(Failure::ChatNotFound { asked }) = message.failure else { panic!("{:?}", message.failure) };
    assert_eq!(asked.iter().map(|r| r.account.as_str()).collect::<Vec<_>>(), ["main", "backup"]);
    assert!(bench.script.effects().is_empty());
}

#[tokio::test]
async fn ban_after_a_lost_answer_is_doubt_and_frees_the_lane() {
    let bench = Bench::new().await;
    bench.script.act("main", [Act::SendSilently, Act::Refuse(Outcome::Banned(Reason::Banned))]);
    let first = bench.submit(text(group(1), "one")).await;
    let second = bench.submit(text(group(1), "two")).await;
    assert_eq!(bench.settled(first).await.state, MessageState::InDoubt);
    assert_eq!(bench.settled(second).await.account, Some(name("backup")));
    assert_eq!(bench.script.texts(), ["one", "two"]);

    let Change::Done(resolved) = bench.delivery.resolve(first, Resolution::Sent).await.expect("writes")
    else {
        panic!("refused")
    };
    assert_eq!(resolved.state, MessageState::Sent);
    assert!(matches!(
        bench.delivery.resolve(first, Resolution::Sent).await.expect("writes"),
        Change::Refused(_)
    ));
}

#[tokio::test]
async fn others_in_the_chat_end_a_doubt_at_once_or_later() {
    let bench = Bench::new().await;
    let gone = || Act::Refuse(Outcome::SessionLost(Reason::SessionRevoked));
    bench.script.act("main", [Act::SendSilently, gone()]);
    let id = bench.submit(text(group(1), "one")).await;
    assert_eq!(bench.settled(id).await.state, MessageState::InDoubt);
    bench.script.testify(Evidence::Present(Some(SentIds::one(Some(77)))));
    bench.clock.advance(Duration::from_mins(11));
    let ended = async {
        while bench.delivery.get(id).await.expect("reads").expect("exists").state != MessageState::Sent {
            bench.breathe().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), ended).await.expect("the doubt ends");
    assert_eq!(bench.delivery.get(id).await.expect("reads").expect("exists").message_numbers(), [77]);

    bench.script.act("backup", [Act::SendSilently, gone()]);
    let seen = bench.submit(text(group(1), "two")).await;
    assert_eq!(bench.settled(seen).await.message_numbers(), [77], "no doubt to begin with");
    assert_eq!(bench.script.texts(), ["one", "two"]);
}

#[tokio::test]
async fn a_doubt_resolved_as_resend_is_sent_by_who_is_left() {
    let bench = Bench::new().await;
    bench.script.act("main", [unknown(), Act::Refuse(Outcome::SessionLost(Reason::SessionRevoked))]);
    let id = bench.submit(text(group(1), "one")).await;
    assert_eq!(bench.settled(id).await.state, MessageState::InDoubt);
    bench.delivery.resolve(id, Resolution::Resend).await.expect("writes");
    let message = bench.settled(id).await;
    assert_eq!((message.state, message.account), (MessageState::Sent, Some(name("backup"))));
    assert_eq!(bench.script.texts(), ["one"]);
}

#[tokio::test]
async fn a_restart_in_the_middle_repeats_the_same_random_id() {
    let bench = Bench::new().await;
    bench.script.act("main", [Act::SendSilently, Act::Hang]);
    let id = bench.submit(text(group(1), "one")).await;
    let behind = bench.submit(text(group(1), "two")).await;
    while bench.script.calls() < 2 {
        bench.breathe().await;
    }
    let bench = bench.restart().await;
    assert_eq!(bench.settled(id).await.state, MessageState::Sent);
    assert_eq!(bench.settled(behind).await.state, MessageState::Sent);
    assert_eq!(bench.script.texts(), ["one", "two"]);
}

#[tokio::test]
async fn a_refusal_after_a_restart_does_not_undo_a_send() {
    let bench = Bench::new().await;
    let refused = Act::Refuse(Outcome::Rejected { code: "MESSAGE_TOO_LONG".into() });
    bench.script.act("main", [Act::SendSilently, Act::Hang, refused]);
    let id = bench.submit(text(group(1), "one")).await;
    while bench.script.calls() < 2 {
        bench.breathe().await;
    }
    let bench = bench.restart().await;
    assert_eq!(bench.settled(id).await.state, MessageState::Sent);
    assert_eq!(bench.script.texts(), ["one"]);
}

#[tokio::test]
async fn one_key_is_one_message_for_any_number_of_callers() {
    let bench = Bench::new().await;
    let keyed = |body: u8| {
        let mut submission = text(group(1), "once");
        submission.idempotency =
            Some(Idempotency { scope: [1; 32], fingerprint: [body; 32], same_by: SameBy::Key });
        submission
    };
    let callers = (0..20).map(|_| bench.delivery.submit(keyed(0)));
    let answers = futures::future::join_all(callers).await;
    let answers: Vec<_> = answers.into_iter().map(|answer| answer.expect("accepted")).collect();
    assert_eq!(answers.iter().filter(|answer| answer.how == How::New).count(), 1);
    assert!(answers.iter().all(|answer| answer.id == answers[0].id));
    assert_eq!(bench.settled(answers[0].id).await.state, MessageState::Sent);
    assert_eq!(bench.script.texts(), ["once"]);
    assert!(matches!(bench.delivery.submit(keyed(1)).await, Err(SubmitError::Conflict)));
}

#[tokio::test]
async fn a_failed_message_frees_its_key() {
    let bench = Bench::new().await;
    let keyed = || {
        let mut submission = text(group(1), "once");
        submission.idempotency =
            Some(Idempotency { scope: [1; 32], fingerprint: [0; 32], same_by: SameBy::Key });
        submission
    };
    bench.script.act("main", [Act::Refuse(Outcome::Rejected { code: "MESSAGE_TOO_LONG".into() })]);
    let first = bench.submit(keyed()).await;
    assert_eq!(bench.settled(first).await.state, MessageState::Failed);
    let second = bench.delivery.submit(keyed()).await.expect("accepted");
    assert_eq!(second.how, How::New);
}

#[tokio::test]
async fn known_key_returns_its_message_despite_refusals() {
    let bench = Bench::new().await;
    let mut submission = text(group(1), "once");
    submission.idempotency = Some(Idempotency { scope: [1; 32], fingerprint: [0; 32], same_by: SameBy::Key });
    let first = bench.submit(submission.clone()).await;
    assert_eq!(bench.settled(first).await.state, MessageState::Sent);
    submission.pin = Some(name("gone-since"));
    let again = bench.delivery.submit(submission.clone()).await.expect("the same message");
    assert_eq!((again.id, again.how), (first, How::Replayed));
    submission.idempotency = Some(Idempotency { scope: [1; 32], fingerprint: [1; 32], same_by: SameBy::Key });
    let other = bench.delivery.submit(submission.clone()).await;
    assert!(matches!(other, Err(SubmitError::Conflict)), "{other:?}");
    submission.idempotency = Some(Idempotency { scope: [2; 32], fingerprint: [0; 32], same_by: SameBy::Key });
    let new = bench.delivery.submit(submission).await;
    assert!(matches!(new, Err(SubmitError::UnknownAccount(_))), "{new:?}");
    assert_eq!(bench.script.texts(), ["once"]);
}

#[tokio::test]
async fn the_same_body_joins_once_its_caller_is_gone() {
    let bench = Bench::new().await;
    let joined = || {
        let mut submission = text(group(1), "again");
        submission.join = Some(Join { fingerprint: [9; 32], repeats: Duration::from_mins(1) });
        submission
    };
    let first = bench.submit(joined()).await;
    assert_eq!(bench.settled(first).await.state, MessageState::Sent);
    let other = bench.delivery.submit(joined()).await.expect("accepted");
    assert_eq!(other.how, How::New, "the first caller still waits for its answer");
    bench.delivery.answered(other.id).await;
    bench.delivery.unanswered(first).await;
    let repeat = bench.delivery.submit(joined()).await.expect("accepted");
    assert_eq!((repeat.id, repeat.how), (first, How::Joined));
    bench.delivery.answered(first).await;
    assert_eq!(bench.delivery.submit(joined()).await.expect("accepted").how, How::New);
}

#[tokio::test]
async fn a_caller_that_hangs_up_leaves_nothing_half_done() {
    let bench = Bench::new().await;
    for number in 0..20_u64 {
        let submitting = bench.delivery.submit(text(group(1), "kept"));
        // Some are dropped before they began, some in the middle: none may hold the lane.
        let _ = tokio::time::timeout(Duration::from_micros(number * 20), submitting).await;
    }
    let last = bench.submit(text(group(1), "last")).await;
    assert_eq!(bench.settled(last).await.state, MessageState::Sent);
    assert_eq!(bench.script.texts().last().map(String::as_str), Some("last"));
}

#[tokio::test]
async fn unknown_name_is_resolved_once_and_keeps_order() {
    let bench = Bench::new().await;
    bench.script.forget_names();
    let by_name = ChatRef::Username("client_1".parse().expect("a name"));
    let mut last = None;
    for number in 0..5 {
        last = Some(bench.submit(text(by_name.clone(), &number.to_string())).await);
    }
    bench.settled(last.expect("some")).await;
    bench.breathe().await;
    assert_eq!(bench.script.texts(), ["0", "1", "2", "3", "4"]);
}

#[tokio::test]
async fn a_mention_is_placed_once_an_account_is_known() {
    let bench = Bench::new().await;
    let id = bench.submit(mentioning(group(1), "Hello {client}!")).await;
    let message = bench.settled(id).await;
    assert_eq!(bench.script.texts(), ["Hello Anna!"]);
    assert_eq!(message.parts.len(), 1);
}

#[tokio::test]
async fn a_long_text_leaves_in_parts_in_order() {
    let bench = Bench::new().await;
    let until = bench.clock.now().plus(Duration::from_secs(30));
    bench.script.act("main", [Act::Send, Act::Refuse(Outcome::held(until)), Act::Send]);
    let long = format!("{}\n\n{}", "a".repeat(4_000), "b".repeat(4_000));
    let id = bench.submit(text(group(1), &long)).await;
    bench.breathe().await;
    bench.clock.advance(Duration::from_secs(31));
    let message = bench.settled(id).await;
    assert_eq!((message.state, message.message_numbers().len()), (MessageState::Sent, 2));
    let effects = bench.script.effects();
    assert_eq!(effects.iter().map(|e| e.text.as_bytes()[0]).collect::<Vec<_>>(), [b'a', b'b']);
    assert!(effects.iter().all(|e| e.account == name("main")), "the rest stays with who sent the first part");
}

/// The first answer was lost, and then the group became a supergroup: the old group takes nothing any more, so repeating
/// the attempt there would go on for ever.
#[tokio::test]
async fn doubtful_text_to_a_moved_group_is_looked_for() {
    for arrived in [true, false] {
        let bench = Bench::new().await;
        let (old, new) = (ChatId::group(5).expect("a chat"), ChatId::channel(6).expect("a chat"));
        let first = if arrived { Act::SendSilently } else { unknown() };
        bench.script.act("main", [first, Act::Refuse(Outcome::ChatMoved)]);
        let id = bench.submit(text(ChatRef::Id(old), "hello")).await;
        while bench.script.calls() == 0 {
            tokio::task::yield_now().await;
        }
        bench.script.migrate(old, new);
        let message = bench.settled(id).await;
        assert_eq!(message.state, MessageState::Sent, "arrived: {arrived}");
        let effects = bench.script.effects();
        assert_eq!(effects.len(), 1, "once, wherever it is: {effects:?}");
        assert_eq!(effects[0].address, if arrived { old } else { new }.into(), "arrived: {arrived}");
    }
}
