//! Whatever is in a store that is restored: nothing of it waits any more, and only a person's word changes that.

use std::fmt::Write as _;

use domain::message::MessageState;
use domain::outcome::Failure;
use domain::saga::{Begun, Saga, SagaState, Step};
use domain::{MessageId, OperationId, Timestamp, UserId};
use proptest::prelude::*;
use store::{Accepted, Fail, HeldBack, Resolution, Then};
use tokio::runtime::Runtime;

use crate::support::{World, accept, account, begun, change, chat};

/// What happens to a message without anybody.
#[derive(Debug, Clone, Copy)]
enum Alone {
    Begin(u16),
    Sent(u16),
    Requeue(u16),
    Fail,
    Doubt,
}

#[derive(Debug, Clone, Copy)]
enum Op {
    Alone(Alone),
    Cancel,
    Retry,
    Resolve(Resolution),
}

fn alone() -> impl Strategy<Value = Alone> {
    prop_oneof![
        3 => (0..3_u16).prop_map(Alone::Begin),
        3 => (0..3_u16).prop_map(Alone::Sent),
        2 => (0..3_u16).prop_map(Alone::Requeue),
        1 => Just(Alone::Fail),
        2 => Just(Alone::Doubt),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => alone().prop_map(Op::Alone),
        1 => Just(Op::Cancel),
        2 => Just(Op::Retry),
        1 => Just(Op::Resolve(Resolution::Sent)),
        1 => Just(Op::Resolve(Resolution::Resend)),
    ]
}

/// Does it, or is refused.
async fn run(world: &World, id: MessageId, op: Op) {
    let outbox = world.store.outbox();
    let _ = match op {
        Op::Alone(Alone::Begin(part)) => outbox.begin(world.begin(id, part)).await.is_ok(),
        Op::Alone(Alone::Sent(part)) => outbox.part_sent(world.sent(id, part)).await.is_ok(),
        Op::Alone(Alone::Requeue(part)) => {
            outbox.part_unsent(world.unsent(id, part, Then::Requeue { account: None })).await.is_ok()
        }
        Op::Alone(Alone::Fail) => {
            let failure = Failure::NoAccount { asked: Vec::new() };
            outbox.fail(Fail { id, failure, at: world.now() }).await.is_ok()
        }
        Op::Alone(Alone::Doubt) => outbox.doubt(world.doubt(id)).await.is_ok(),
        Op::Cancel => outbox.cancel(id, world.now(), None).await.is_ok(),
        Op::Retry => outbox.retry(id, world.now()).await.is_ok(),
        Op::Resolve(resolution) => outbox.resolve(id, resolution, world.now()).await.is_ok(),
    };
}

fn waits(state: MessageState) -> bool {
    !state.is_final()
}

/// A saga that has come so far.
#[derive(Debug, Clone, Copy)]
enum Far {
    Queued,
    Making,
    HasChat,
    Inviting,
    Leaving,
    Ended(SagaState),
}

fn far() -> impl Strategy<Value = Far> {
    prop_oneof![
        Just(Far::Queued),
        Just(Far::Making),
        Just(Far::HasChat),
        Just(Far::Inviting),
        Just(Far::Leaving),
        prop::sample::select(vec![SagaState::Done, SagaState::Failed]).prop_map(Far::Ended),
    ]
}

async fn saga(world: &World, far: Far) -> OperationId {
    let saga = world.making().await;
    let id = saga.id;
    let running = |step: Option<Step>| Saga {
        state: SagaState::Running,
        account: Some(account("main")),
        chat_id: Some(chat()),
        begun: step.map(|step| Begun { step, at: world.now() }),
        updated_at: world.now(),
        ..saga.clone()
    };
    let sagas = world.store.sagas();
    match far {
        Far::Queued => {}
        Far::Making => sagas.begin(change(world.begin_create(saga.clone()))).await.unwrap(),
        Far::HasChat => sagas.save(change(running(None))).await.unwrap(),
        Far::Inviting => {
            sagas
                .begin(change(running(Some(Step::Invite { users: UserId::new(7).into_iter().collect() }))))
                .await
                .unwrap();
        }
        Far::Leaving => sagas.begin(change(running(Some(Step::Leave)))).await.unwrap(),
        Far::Ended(state) => {
            let failure = (state == SagaState::Failed).then(|| Failure::NoAccount { asked: Vec::new() });
            sagas.save(change(Saga { state, failure, ..running(None) })).await.unwrap();
        }
    }
    id
}

/// All that can be seen of these.
async fn snapshot(world: &World, messages: &[MessageId], sagas: &[OperationId]) -> String {
    let mut snapshot = String::new();
    for id in messages {
        let timeline = world.store.outbox().timeline(*id).await;
        writeln!(snapshot, "{:?} {timeline:?}", world.get(*id).await).unwrap();
    }
    for id in sagas {
        writeln!(snapshot, "{:?} {:?}", world.get_saga(*id).await, world.history(*id).await).unwrap();
    }
    snapshot
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn restored_work_never_waits_without_a_person(
        starts in prop::collection::vec((any::<bool>(), 1..4_u16), 1..5),
        before in prop::collection::vec((0..4_usize, op()), 0..30),
        sagas in prop::collection::vec(far(), 0..4),
        after in prop::collection::vec((0..4_usize, alone()), 0..20),
        on_postgres in prop::bool::weighted(0.2),
    ) {
        Runtime::new().unwrap().block_on(async {
            let world = World::fresh_on(on_postgres).await;
            let (mut ids, mut operations) = (Vec::new(), Vec::new());
            for (is_begun, parts) in starts {
                let message = if is_begun { begun(world.message(parts)) } else { world.message(parts) };
                ids.push(message.id);
                assert_eq!(world.store.outbox().accept(accept(message)).await, Ok(Accepted::New));
            }
            for (index, op) in before {
                run(&world, ids[index % ids.len()], op).await;
            }
            for far in sagas {
                operations.push(saga(&world, far).await);
            }
            let mut were = Vec::new();
            for id in &ids {
                were.push(world.get(*id).await);
            }

            let made_at = Timestamp::default();
            let held = world.store.hold_back(made_at).await.unwrap();
            let (mut failed, mut in_doubt) = (0, 0);
            for before in &were {
                let now = world.get(before.id).await;
                let mut parts = before.parts.iter().zip(&now.parts);
                assert!(parts.all(|(before, now)| before == now), "what is known of parts stays known");
                if !waits(before.state) {
                    assert_eq!(before, &now);
                } else if before.in_flight() {
                    assert_eq!((now.state, now.failure), (MessageState::InDoubt, None));
                    in_doubt += 1;
                } else {
                    assert_eq!((now.state, now.failure), (MessageState::Failed, Some(Failure::Restored { made_at })));
                    failed += 1;
                }
            }
            assert_eq!((held.messages_failed, held.messages_in_doubt), (failed, in_doubt));
            for id in &operations {
                let saga = world.get_saga(*id).await;
                assert!(saga.state.is_final());
                assert_eq!(saga.begun.is_some(), saga.state == SagaState::InDoubt);
            }

            let once = snapshot(&world, &ids, &operations).await;
            assert_eq!(world.store.hold_back(made_at).await, Ok(HeldBack::default()));
            assert_eq!(snapshot(&world, &ids, &operations).await, once);

            for (index, alone) in after {
                run(&world, ids[index % ids.len()], Op::Alone(alone)).await;
                for id in &ids {
                    assert!(!waits(world.state(*id).await), "{alone:?}");
                }
            }
        });
    }
}
