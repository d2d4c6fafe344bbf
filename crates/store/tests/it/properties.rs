//! Whatever comes in whatever order: what is sent stays sent, what is final stays final, one key is one message.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::media::{FileKey, Media, MediaSource};
use domain::message::{OutboundMessage, Part, PartState};
use domain::outcome::Failure;
use domain::{MessageId, MessageState, Timestamp};
use proptest::prelude::*;
use store::{Accepted, Fail, Resolution, StoreError, Then};
use tokio::runtime::Runtime;

use crate::support::{World, accept, begun, with_album, with_key};

#[derive(Debug, Clone, Copy)]
enum Op {
    Begin(u16),
    Sent(u16),
    Requeue(u16),
    UnsentFail(u16),
    Fail,
    Doubt,
    Cancel,
    Retry,
    Resolve(Resolution),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => (0..3_u16).prop_map(Op::Begin),
        3 => (0..3_u16).prop_map(Op::Sent),
        2 => (0..3_u16).prop_map(Op::Requeue),
        1 => (0..3_u16).prop_map(Op::UnsentFail),
        1 => Just(Op::Fail),
        2 => Just(Op::Doubt),
        1 => Just(Op::Cancel),
        2 => Just(Op::Retry),
        1 => Just(Op::Resolve(Resolution::Sent)),
        1 => Just(Op::Resolve(Resolution::Resend)),
    ]
}

/// Does it; says whether it did anything.
async fn run(world: &World, id: MessageId, op: Op) -> Result<bool, StoreError> {
    let outbox = world.store.outbox();
    let failure = || Failure::NoAccount { asked: Vec::new() };
    let done = |()| true;
    match op {
        Op::Begin(part) => outbox.begin(world.begin(id, part)).await.map(done),
        Op::Sent(part) => outbox.part_sent(world.sent(id, part)).await.map(done),
        Op::Requeue(part) => {
            outbox.part_unsent(world.unsent(id, part, Then::Requeue { account: None })).await.map(done)
        }
        Op::UnsentFail(part) => {
            outbox.part_unsent(world.unsent(id, part, Then::Fail(failure()))).await.map(done)
        }
        Op::Fail => outbox.fail(Fail { id, failure: failure(), at: world.now() }).await,
        Op::Doubt => outbox.doubt(world.doubt(id)).await.map(done),
        Op::Cancel => outbox.cancel(id, world.now(), None).await,
        Op::Retry => outbox.retry(id, world.now()).await,
        Op::Resolve(resolution) => outbox.resolve(id, resolution, world.now()).await,
    }
}

fn check_change(op: Op, did: bool, before: &OutboundMessage, after: &OutboundMessage) {
    let context = format!("{op:?} answered {did}: {before:?} -> {after:?}");
    if !did {
        assert_eq!(before, after, "{context}");
    }
    assert_eq!(before.parts.len(), after.parts.len(), "{context}");
    for (old, new) in before.parts.iter().zip(&after.parts) {
        let calls =
            |part: &Part| -> Vec<_> { part.items.iter().map(|item| (item.random_id, item.media)).collect() };
        assert_eq!((calls(old), &old.text), (calls(new), &new.text), "{context}");
        if old.state == PartState::Sent {
            assert_eq!(old, new, "{context}");
        }
        // Only proof or a person's word takes a part back.
        if (old.state, new.state) == (PartState::Begun, PartState::Waiting) {
            let proof = matches!(op, Op::Requeue(_) | Op::UnsentFail(_) | Op::Resolve(Resolution::Resend));
            assert!(proof, "{context}");
        }
    }
    if before.state != after.state {
        let allowed = match before.state {
            MessageState::Sent | MessageState::Delivered | MessageState::Read => false,
            MessageState::Failed | MessageState::Cancelled => matches!(op, Op::Retry),
            MessageState::InDoubt => matches!(op, Op::Resolve(_) | Op::Sent(..)),
            _ => true,
        };
        assert!(allowed, "{context}");
    }
    let all_sent = after.parts.iter().all(|part| part.state == PartState::Sent);
    if after.state == MessageState::Sent {
        assert!(all_sent, "{context}");
    } else if all_sent {
        // Only a message that had ended before can have all parts sent and not be sent.
        assert!(
            matches!(after.state, MessageState::Failed | MessageState::Cancelled | MessageState::Queued),
            "{context}"
        );
    }
    if matches!(after.state, MessageState::Failed | MessageState::Cancelled) && before.state != after.state {
        assert!(!after.in_flight(), "{context}");
    }
    if after.state == MessageState::InDoubt {
        assert!(after.in_flight(), "{context}");
    }
    assert_eq!(after.failure.is_some(), after.state == MessageState::Failed, "{context}");
}

/// The files that a message has here.
fn keys(message: &OutboundMessage) -> BTreeSet<FileKey> {
    let key = |media: &Media| match &media.source {
        MediaSource::File { key, .. } => Some(key.clone()),
        MediaSource::Post { .. } | MediaSource::FileId { .. } => None,
    };
    message.content.media.iter().filter_map(key).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_is_sent_stays_sent_and_what_is_final_stays_final(
        starts in prop::collection::vec((any::<bool>(), 1..4_u16, 0..4_u8), 1..4),
        ops in prop::collection::vec((0..3_usize, op()), 1..40),
        on_postgres in prop::bool::weighted(0.2),
    ) {
        let runtime = Runtime::new().unwrap();
        runtime.block_on(async {
            let world = World::fresh_on(on_postgres).await;
            let mut ids = Vec::new();
            for (number, (is_begun, parts, files)) in (0..).zip(starts) {
                let message = if is_begun { begun(world.message(parts)) } else { world.message(parts) };
                // Each has files of its own, or none; the third one is the same for all.
                let own: Vec<u8> =
                    (0..files).map(|file| if file == 2 { 99 } else { number * 10 + file }).collect();
                let message = if own.is_empty() { message } else { with_album(message, &own) };
                ids.push(message.id);
                assert_eq!(world.store.outbox().accept(accept(message)).await, Ok(Accepted::New));
            }
            for (index, op) in ops {
                let id = ids[index % ids.len()];
                let before = (world.get(id).await, world.steps(id).await);
                let answer = run(&world, id, op).await;
                let after = (world.get(id).await, world.steps(id).await);
                check_change(op, answer == Ok(true), &before.0, &after.0);
                assert!(after.1.starts_with(&before.1));
                if answer != Ok(true) {
                    assert_eq!(before.1, after.1);
                }
                if let Err(error) = answer {
                    assert!(matches!(error, StoreError::Conflict { .. } | StoreError::NotFound { .. }), "{error:?}");
                }
                let (mut open, mut needed, mut all) = (Vec::new(), BTreeSet::new(), Vec::new());
                for id in &ids {
                    let message = world.get(*id).await;
                    if !message.state.is_final() {
                        open.push(*id);
                    }
                    let files = keys(&message);
                    if message.state != MessageState::Sent {
                        needed.extend(files.clone());
                    }
                    all.push((*id, files));
                }
                let in_use = world.store.outbox().files_in_use().await.unwrap();
                assert_eq!(in_use.into_iter().collect::<BTreeSet<_>>(), needed);
                for (id, files) in all {
                    let done_with = world.store.outbox().files_done_with(id).await.unwrap();
                    let expected: BTreeSet<_> = files.difference(&needed).cloned().collect();
                    assert_eq!(done_with.into_iter().collect::<BTreeSet<_>>(), expected);
                }
                let unfinished = world.store.outbox().unfinished(None, 10).await.unwrap().readable;
                assert_eq!(unfinished.into_iter().map(|message| message.id).collect::<Vec<_>>(), open);
            }
        });
    }

    #[test]
    fn one_key_never_makes_two_messages_that_count(
        steps in prop::collection::vec((0..3_u8, 0..2_u8, 0..8_u8), 1..40),
        on_postgres in prop::bool::weighted(0.2),
    ) {
        let runtime = Runtime::new().unwrap();
        runtime.block_on(async {
            let world = World::fresh_on(on_postgres).await;
            let outbox = world.store.outbox();
            let mut model: BTreeMap<u8, (u8, MessageId, Timestamp)> = BTreeMap::new();
            for (scope, fingerprint, what) in steps {
                match (what, model.get(&scope).copied()) {
                    (0, _) => world.clock.advance(Duration::from_hours(9)),
                    (1, Some((_, id, _))) => {
                        if outbox.cancel(id, world.now(), None).await.unwrap() {
                            model.remove(&scope);
                        }
                    }
                    (2, Some((_, id, _))) => {
                        outbox.part_sent(world.sent(id, 0)).await.unwrap();
                    }
                    (_, known) => {
                        let message =
                            if what % 2 == 0 { begun(world.message(1)) } else { world.message(1) };
                        let (id, now) = (message.id, message.created_at);
                        let answer = outbox.accept(with_key(message, scope, fingerprint)).await.unwrap();
                        let live = known
                            .filter(|(.., since)| now.since(*since) < Duration::from_hours(24));
                        let expected = match live {
                            None => Accepted::New,
                            Some((same, id, _)) if same == fingerprint => Accepted::Repeated(id),
                            Some(_) => Accepted::Conflict,
                        };
                        assert_eq!(answer, expected);
                        assert_eq!(outbox.get(id).await.unwrap().is_some(), answer == Accepted::New);
                        if answer == Accepted::New {
                            model.insert(scope, (fingerprint, id, now));
                        }
                    }
                }
            }
            assert_eq!(outbox.accept(accept(world.message(1))).await, Ok(Accepted::New));
        });
    }
}
