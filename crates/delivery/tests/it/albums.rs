//! Media: albums in order, prepared before anything is begun, each item once whatever happens in between.

use std::time::Duration;

use delivery::{Change, Evidence, How, Submission, SubmitError};
use domain::account::Reason;
use domain::message::OnFlood;
use domain::outcome::{Failure, OutcomeKind};
use domain::timeline::Step;
use domain::{MessageState, Outcome};
use store::{Join, Resolution};
use tokio::sync::broadcast::error::TryRecvError;

use crate::script::{Act, Bench, Prepares, album, group, mentioning, name, photo, text};

/// The texts and media of what arrived.
fn arrived(bench: &Bench) -> Vec<(String, Option<u16>)> {
    bench.script.effects().into_iter().map(|effect| (effect.text, effect.media)).collect()
}

fn refuse(outcome: Outcome) -> Act {
    Act::Refuse(outcome)
}

#[tokio::test]
async fn album_caption_and_remaining_text_arrive_in_order() {
    let bench = Bench::new().await;
    let (caption, rest) = ("a".repeat(1_000), "b".repeat(1_000));
    let id = bench.submit(album(group(1), 12, &format!("{caption}\n\n{rest}"))).await;
    let message = bench.settled(id).await;
    assert_eq!(message.state, MessageState::Sent);
    let mut expected: Vec<_> = (0..12).map(|place| (String::new(), Some(place))).collect();
    expected[0].0 = caption;
    expected.push((rest, None));
    assert_eq!(arrived(&bench), expected);
    assert_eq!(message.message_numbers(), (1..=13).collect::<Vec<i64>>());
    assert_eq!(message.parts.iter().map(|part| part.items.len()).collect::<Vec<_>>(), [10, 2, 1]);
    assert_eq!(bench.script.prepared().len(), 2, "each album once, the text never");
    let steps: Vec<_> =
        bench.store.outbox().timeline(id).await.expect("reads").into_iter().map(|entry| entry.step).collect();
    let part = [Step::Begun, Step::Attempted];
    assert_eq!(steps, [&[Step::Accepted], &part[..], &part[..], &[Step::Begun, Step::Sent]].concat());
    let bench = bench.restart().await;
    assert_eq!(bench.delivery.get(id).await.expect("reads"), Some(message), "the store has all of it");
}

#[tokio::test]
async fn media_need_no_text_and_have_a_limit() {
    let bench = Bench::new().await;
    let id = bench.submit(album(group(1), 1, "")).await;
    assert_eq!(bench.settled(id).await.state, MessageState::Sent);
    let none = bench.delivery.submit(album(group(1), 0, " ")).await;
    assert!(matches!(none, Err(SubmitError::Empty)), "{none:?}");
    let many = bench.delivery.submit(album(group(1), delivery::MOST_MEDIA + 1, "x")).await;
    assert!(matches!(many, Err(SubmitError::TooManyMedia { given: 51 })), "{many:?}");
}

#[tokio::test]
async fn a_message_whose_files_are_uploaded_is_cancelled_at_once() {
    let bench = Bench::new().await;
    bench.script.prepare("main", [Prepares::Uploads]);
    let slow = bench.submit(album(group(1), 3, "slow")).await;
    let behind = bench.submit(text(group(1), "behind")).await;
    let elsewhere = bench.submit(text(group(2), "elsewhere")).await;
    assert_eq!(bench.settled(elsewhere).await.state, MessageState::Sent, "other chats do not wait");
    let waiting = bench.delivery.get(slow).await.expect("reads").expect("exists");
    assert_eq!((waiting.state, waiting.account), (MessageState::Queued, None), "nothing was given away");
    assert!(matches!(bench.delivery.cancel(slow, None).await.expect("writes"), Change::Done(_)));
    assert_eq!(bench.settled(behind).await.state, MessageState::Sent);
    assert_eq!(bench.script.texts(), ["elsewhere", "behind"]);

    let parts = bench.delivery.get(slow).await.expect("reads").expect("exists").parts;
    assert!(matches!(bench.delivery.retry(slow).await.expect("writes"), Change::Done(_)));
    let sent = bench.settled(slow).await;
    assert_eq!(sent.state, MessageState::Sent);
    let random_ids = |parts: &[domain::message::Part]| -> Vec<i64> {
        parts.iter().flat_map(|part| &part.items).map(|item| item.random_id).collect()
    };
    assert_eq!(random_ids(&sent.parts), random_ids(&parts), "the same again");
}

#[tokio::test]
async fn a_program_that_stops_drops_what_it_prepares() {
    let bench = Bench::new().await;
    bench.script.prepare("main", [Prepares::Uploads]);
    let id = bench.submit(album(group(1), 2, "later")).await;
    while bench.script.prepared().is_empty() {
        bench.breathe().await;
    }
    let long = Duration::from_mins(1);
    tokio::time::timeout(long / 2, bench.delivery.drain(long)).await.expect("it does not wait");
    assert!(bench.script.effects().is_empty());
    let bench = bench.restart().await;
    assert_eq!(bench.settled(id).await.state, MessageState::Sent);
    assert_eq!(arrived(&bench), [("later".to_owned(), Some(0)), (String::new(), Some(1))]);
}

#[tokio::test]
async fn another_account_sends_an_album_that_one_cannot_prepare() {
    let bench = Bench::new().await;
    let until = bench.clock.now().plus(Duration::from_mins(5));
    bench.script.prepare("main", [Prepares::Fails(Outcome::held(until))]);
    let id = bench.submit(album(group(1), 2, "one")).await;
    assert_eq!(bench.settled(id).await.account, Some(name("backup")));
    let holds = bench.store.accounts().holds(bench.clock.now()).await.expect("reads");
    assert!(holds.floods.is_empty(), "it may still send: {holds:?}");
    let after = bench.submit(text(group(1), "two")).await;
    assert_eq!(bench.settled(after).await.account, Some(name("main")));

    bench.script.prepare("main", [Prepares::Fails(Outcome::Unavailable("no progress".into()))]);
    let id = bench.submit(album(group(2), 2, "three")).await;
    assert_eq!(bench.settled(id).await.account, Some(name("backup")));
    let tried: Vec<_> = bench.store.outbox().timeline(id).await.expect("reads");
    assert_eq!(tried[1].outcome, Some(OutcomeKind::Unavailable), "{tried:?}");
}

#[tokio::test]
async fn expired_media_are_prepared_again_by_the_same_account() {
    let bench = Bench::new().await;
    let expired = || refuse(Outcome::Unprepared("the reference expired".into()));
    bench.script.act("main", [expired(), expired(), Act::Send]);
    let id = bench.submit(album(group(1), 2, "one")).await;
    let message = bench.settled(id).await;
    assert_eq!((message.state, message.account), (MessageState::Sent, Some(name("main"))));
    assert_eq!((bench.script.effects().len(), bench.script.prepared().len()), (2, 3));
    let mut submission = mentioning(group(2), "look");
    submission.content.media = vec![photo(0)];
    bench.script.act("main", [expired(), Act::Send]);
    let id = bench.submit(submission).await;
    assert_eq!(bench.settled(id).await.account, Some(name("main")));
    // What may have arrived is asked for again with the same random ids, however it is prepared.
    bench.script.act("main", [Act::SendSilently, expired(), Act::Send]);
    let id = bench.submit(album(group(3), 2, "once")).await;
    assert_eq!(bench.settled(id).await.account, Some(name("main")));
    assert_eq!(bench.script.effects().len(), 2 + 1 + 2);
}

#[tokio::test]
async fn unprepared_album_waits_or_fails_as_requested() {
    let bench = Bench::new().await;
    let until = bench.clock.now().plus(Duration::from_mins(5));
    let flooded = || Prepares::Fails(Outcome::held(until));
    for account in ["main", "backup"] {
        bench.script.prepare(account, [flooded(), flooded()]);
    }
    let mut hurried = album(group(1), 1, "hurried");
    hurried.on_flood = OnFlood::Fail;
    let hurried = bench.submit(hurried).await;
    assert_eq!(bench.settled(hurried).await.failure, Some(Failure::FloodWait { until }));
    let patient = bench.submit(album(group(2), 1, "patient")).await;
    while bench.delivery.held_until(patient).is_none() {
        bench.breathe().await;
    }
    assert_eq!(bench.delivery.held_until(patient), Some(until));
    bench.clock.advance(Duration::from_secs(301));
    assert_eq!(bench.settled(patient).await.state, MessageState::Sent);
    assert_eq!(bench.script.texts(), ["patient"]);
}

#[tokio::test]
async fn missing_file_fails_the_message_at_once() {
    let bench = Bench::new().await;
    let gone = || Outcome::MediaGone("report.pdf was removed".into());
    bench.script.prepare("main", [Prepares::Fails(gone())]);
    let id = bench.submit(album(group(1), 2, "one")).await;
    let failed = bench.settled(id).await;
    let detail = "report.pdf was removed".to_owned();
    assert_eq!((failed.state, failed.failure), (MessageState::Failed, Some(Failure::MediaGone { detail })));
    assert_eq!(bench.script.prepared().len(), 1);
    assert!(matches!(bench.delivery.retry(id).await.expect("writes"), Change::Done(_)));
    assert_eq!(bench.settled(id).await.state, MessageState::Sent);

    bench.script.act("main", [refuse(Outcome::MediaExpired("the file id is old".into()))]);
    let id = bench.submit(album(group(1), 1, "two")).await;
    let failure = bench.settled(id).await.failure;
    assert_eq!(failure.map(|failure| failure.code()), Some("media_expired"));
}

#[tokio::test]
async fn lost_album_answer_is_repeated_with_its_random_ids() {
    let bench = Bench::new().await;
    bench.script.act("main", [Act::SendSilently, Act::Send]);
    let id = bench.submit(album(group(1), 3, "once")).await;
    let message = bench.settled(id).await;
    assert_eq!((message.state, message.message_numbers()), (MessageState::Sent, vec![1, 2, 3]));
    assert_eq!((bench.script.effects().len(), bench.script.calls()), (3, 2));
    let first = (name("main"), message.parts[0].random_id());
    assert_eq!(bench.script.prepared(), [first.clone(), first]);
}

#[tokio::test]
async fn unpreparable_doubtful_album_is_looked_for() {
    let bench = Bench::new().await;
    bench.script.act("main", [Act::SendSilently]);
    bench.script.prepare("main", [Prepares::Done, Prepares::Fails(Outcome::MediaGone("removed".into()))]);
    let id = bench.submit(album(group(1), 2, "there")).await;
    let message = bench.settled(id).await;
    assert_eq!((message.state, message.message_numbers()), (MessageState::Sent, vec![1, 2]));

    let unknown = || refuse(Outcome::Unknown("timeout".into()));
    bench.script.act("main", [unknown()]);
    bench.script.prepare("main", [Prepares::Done, Prepares::Fails(Outcome::MediaGone("removed".into()))]);
    let id = bench.submit(album(group(1), 2, "not there")).await;
    while bench.script.prepared().len() < 4 {
        bench.breathe().await;
    }
    // The second look comes a little later.
    bench.clock.advance(Duration::from_secs(3));
    assert_eq!(bench.settled(id).await.state, MessageState::Failed);
    assert_eq!(bench.script.effects().len(), 2);
}

#[tokio::test]
async fn upload_flood_after_a_lost_answer_never_moves_it() {
    let bench = Bench::new().await;
    let until = bench.clock.now().plus(Duration::from_mins(1));
    bench.script.act("main", [Act::SendSilently]);
    bench.script.prepare("main", [Prepares::Done, Prepares::Fails(Outcome::held(until))]);
    let id = bench.submit(album(group(1), 2, "once")).await;
    while bench.script.prepared().len() < 2 {
        bench.breathe().await;
    }
    bench.breathe().await;
    bench.clock.advance(Duration::from_secs(61));
    let message = bench.settled(id).await;
    assert_eq!((message.state, message.account), (MessageState::Sent, Some(name("main"))));
    assert_eq!(bench.script.effects().len(), 2);
    let holds = bench.store.accounts().holds(until).await.expect("reads");
    assert!(holds.floods.is_empty());
}

#[tokio::test]
async fn a_restart_in_the_middle_of_an_album_repeats_it_as_it_was() {
    let bench = Bench::new().await;
    bench.script.act("main", [Act::Send, Act::SendSilently, Act::Hang]);
    let id = bench.submit(album(group(1), 13, "thirteen")).await;
    while bench.script.calls() < 3 {
        bench.breathe().await;
    }
    let before = bench.delivery.get(id).await.expect("reads").expect("exists");
    assert_eq!(before.message_numbers().len(), 10);
    let bench = bench.restart().await;
    let message = bench.settled(id).await;
    assert_eq!((message.state, message.message_numbers().len()), (MessageState::Sent, 13));
    let effects = bench.script.effects();
    assert_eq!(
        effects.iter().map(|effect| effect.media).collect::<Vec<_>>(),
        (0..13).map(Some).collect::<Vec<_>>()
    );
    assert!(effects.iter().all(|effect| effect.account == name("main")));
}

#[tokio::test]
async fn a_mention_goes_into_the_caption() {
    let bench = Bench::new().await;
    let mut submission = mentioning(group(1), "look");
    submission.content.media = vec![photo(0), photo(1)];
    bench.script.prepare("main", [Prepares::Fails(Outcome::Unavailable("not yet".into()))]);
    let id = bench.submit(submission.clone()).await;
    assert_eq!(bench.settled(id).await.account, Some(name("backup")));
    submission.content.text = domain::text::FormattedText::default();
    let alone = bench.submit(submission).await;
    assert_eq!(bench.settled(alone).await.state, MessageState::Sent);
    assert_eq!(
        arrived(&bench),
        [("Anna look", Some(0)), ("", Some(1)), ("Anna", Some(0)), ("", Some(1))]
            .map(|(text, media)| (text.to_owned(), media))
    );
}

#[tokio::test]
async fn join_is_known_before_any_file_is_fetched() {
    let bench = Bench::new().await;
    let join = Join { fingerprint: [7; 32], repeats: Duration::from_mins(1) };
    let joining = || Submission { join: Some(join), ..album(group(1), 1, "one") };
    assert!(bench.delivery.joined(join).await.expect("reads").is_none());
    bench.script.prepare("main", [Prepares::Uploads]);
    let id = bench.submit(joining()).await;
    assert!(bench.delivery.joined(join).await.expect("reads").is_none(), "its caller waits");
    bench.delivery.unanswered(id).await;
    let joined = bench.delivery.joined(join).await.expect("reads").expect("it waits");
    assert_eq!((joined.id, joined.how), (id, How::Joined));
    assert_eq!(bench.delivery.submit(joining()).await.expect("joins"), joined);
    let steps = bench.store.outbox().timeline(id).await.expect("reads");
    assert_eq!(steps.iter().filter(|entry| entry.step == Step::Joined).count(), 2);
}

#[tokio::test]
async fn files_are_spent_when_their_message_was_sent_and_not_before() {
    let bench = Bench::new().await;
    let mut released = bench.delivery.media_released();
    bench.script.prepare("main", [Prepares::Fails(Outcome::MediaGone("removed".into()))]);
    let failed = bench.submit(album(group(1), 2, "failed")).await;
    assert_eq!(bench.settled(failed).await.state, MessageState::Failed);
    let without = bench.submit(text(group(1), "no files")).await;
    assert_eq!(bench.settled(without).await.state, MessageState::Sent);
    bench.script.prepare("main", [Prepares::Uploads]);
    let cancelled = bench.submit(album(group(2), 1, "cancelled")).await;
    while bench.script.prepared().len() < 2 {
        bench.breathe().await;
    }
    assert!(matches!(bench.delivery.cancel(cancelled, None).await.expect("writes"), Change::Done(_)));
    assert_eq!(released.try_recv(), Err(TryRecvError::Empty), "those may be sent after all");
    assert!(matches!(bench.delivery.retry(failed).await.expect("writes"), Change::Done(_)));
    assert_eq!(bench.settled(failed).await.state, MessageState::Sent);
    assert_eq!(released.recv().await, Ok(failed));
}

#[tokio::test]
async fn files_are_spent_when_a_doubt_ends_well() {
    let bench = Bench::new().await;
    let mut released = bench.delivery.media_released();
    let gone = || refuse(Outcome::SessionLost(Reason::SessionRevoked));
    let doubtful = async |account| {
        bench.script.act(account, [Act::SendSilently, gone()]);
        let id = bench.submit(album(group(1), 2, "perhaps")).await;
        assert_eq!(bench.settled(id).await.state, MessageState::InDoubt);
        id
    };
    let by_a_person = doubtful("main").await;
    assert_eq!(released.try_recv(), Err(TryRecvError::Empty));
    bench.delivery.resolve(by_a_person, Resolution::Sent).await.expect("writes");
    assert_eq!(released.recv().await, Ok(by_a_person));

    let by_evidence = doubtful("backup").await;
    bench.script.testify(Evidence::Present(None));
    bench.clock.advance(Duration::from_mins(11));
    let message =
        tokio::time::timeout(Duration::from_mins(1), released.recv()).await.expect("the doubt ends");
    assert_eq!(message, Ok(by_evidence));
}
