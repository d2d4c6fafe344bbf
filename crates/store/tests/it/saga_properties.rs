//! Whatever comes in whatever order: sagas change state only as allowed, one key is one saga, and nothing is lost on reopening.

use std::collections::BTreeMap;

use domain::OperationId;
use domain::outcome::Failure;
use domain::saga::{Saga, SagaEntry, SagaState, Verdict};
use proptest::prelude::*;
use store::{SagaAccepted, SagaChange, Store, StoreError};
use tokio::runtime::Runtime;

use crate::support::{World, change, chat, conformance, make_chat, saga_with_key};

conformance! { two_accepts_with_one_key_at_once_make_one_saga }

#[derive(Debug, Clone, Copy)]
enum Op {
    Begin,
    Save(SagaState, bool),
    Cancel,
    Retry,
    Done,
    Again,
    Note,
}

fn op() -> impl Strategy<Value = Op> {
    let state = prop::sample::select(SagaState::ALL.to_vec());
    prop_oneof![
        4 => Just(Op::Begin),
        6 => (state, any::<bool>()).prop_map(|(state, begun)| Op::Save(state, begun)),
        1 => Just(Op::Cancel),
        3 => Just(Op::Retry),
        2 => Just(Op::Done),
        2 => Just(Op::Again),
        1 => Just(Op::Note),
    ]
}

/// Does it; says whether it did anything.
async fn run(world: &World, before: &Saga, op: Op) -> Result<bool, StoreError> {
    let sagas = world.store.sagas();
    let (id, now) = (before.id, world.now());
    let done = |()| true;
    let entries = vec![world.saga_entry("create", Some("begun"))];
    match op {
        Op::Begin => {
            let saga = world.begin_create(before.clone());
            sagas.begin(SagaChange { entries, ..change(saga) }).await.map(done)
        }
        Op::Save(state, begun) => {
            let begun = if begun { world.begin_create(before.clone()).begun } else { None };
            let failure = (state == SagaState::Failed).then(|| Failure::NoAccount { asked: Vec::new() });
            let saga = Saga { state, begun, failure, updated_at: now, ..before.clone() };
            sagas.save(SagaChange { entries, ..change(saga) }).await.map(done)
        }
        Op::Cancel => sagas.cancel(id, now, None).await,
        Op::Retry => sagas.retry(id, now).await,
        Op::Done => sagas.resolve(id, Verdict::Done(Some(chat())), now).await,
        Op::Again => sagas.resolve(id, Verdict::Again, now).await,
        Op::Note => sagas.note(id, world.saga_entry("waiting", None)).await.map(done),
    }
}

fn check(op: Op, did: bool, before: &Saga, after: &Saga) {
    let context = format!("{op:?} answered {did}: {before:?} -> {after:?}");
    if !did {
        assert_eq!(before, after, "{context}");
    }
    assert_eq!((before.id, &before.task, before.created_at), (after.id, &after.task, after.created_at));
    if before.state != after.state {
        let allowed = match before.state {
            SagaState::Queued | SagaState::Running => {
                !matches!(op, Op::Retry | Op::Done | Op::Again | Op::Note)
            }
            SagaState::Done => false,
            SagaState::Failed | SagaState::Cancelled => matches!(op, Op::Retry),
            SagaState::InDoubt => matches!(op, Op::Done | Op::Again),
        };
        assert!(allowed, "{context}");
        let cancelled = matches!(op, Op::Cancel) && before.state != SagaState::Queued;
        assert!(!cancelled, "{context}");
    }
    // What was begun is known to be so until it has a result.
    match after.state {
        SagaState::InDoubt => assert!(after.begun.is_some(), "{context}"),
        SagaState::Running => {}
        SagaState::Queued | SagaState::Done | SagaState::Failed | SagaState::Cancelled => {
            assert!(after.begun.is_none(), "{context}");
        }
    }
}

type Image = Vec<(Saga, Vec<SagaEntry>)>;

async fn image(store: &Store, ids: &[OperationId]) -> Image {
    let mut image = Vec::new();
    for id in ids {
        let saga = store.sagas().get(*id).await.unwrap().expect("the saga is there");
        image.push((saga, store.sagas().steps(*id).await.unwrap()));
    }
    image
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn sagas_change_state_legally_and_none_is_lost(
        count in 1..4_usize,
        ops in prop::collection::vec((0..3_usize, op()), 1..40),
        on_postgres in prop::bool::weighted(0.2),
    ) {
        let runtime = Runtime::new().unwrap();
        runtime.block_on(async {
            let world = World::fresh_on(on_postgres).await;
            let mut ids = Vec::new();
            for _ in 0..count {
                ids.push(world.making().await.id);
            }
            for (index, op) in ops {
                let id = ids[index % ids.len()];
                let (before, history) = image(&world.store, &[id]).await.remove(0);
                let answer = run(&world, &before, op).await;
                let (after, longer) = image(&world.store, &[id]).await.remove(0);
                check(op, answer == Ok(true), &before, &after);
                assert!(longer.starts_with(&history));
                if answer == Ok(true) {
                    assert!(longer.len() > history.len(), "{op:?} left no trace");
                } else {
                    assert_eq!(history, longer);
                }
                if let Err(error) = answer {
                    assert!(matches!(error, StoreError::Conflict { .. } | StoreError::NotFound { .. }), "{error:?}");
                }
            }
            let before = image(&world.store, &ids).await;
            let open: Vec<_> =
                before.iter().filter(|(saga, _)| !saga.state.is_final()).map(|(saga, _)| saga.clone()).collect();
            world.store.clone().close().await;
            let store = world.open_again().await.unwrap();
            assert_eq!(image(&store, &ids).await, before);
            assert_eq!(store.sagas().unfinished(None, 10).await.unwrap().readable, open);
        });
    }

    #[test]
    fn one_key_never_makes_two_sagas_that_count(
        steps in prop::collection::vec((0..3_u8, 0..2_u8, 0..6_u8), 1..40),
        on_postgres in prop::bool::weighted(0.2),
    ) {
        let runtime = Runtime::new().unwrap();
        runtime.block_on(async {
            let world = World::fresh_on(on_postgres).await;
            let sagas = world.store.sagas();
            let mut model: BTreeMap<u8, (u8, OperationId)> = BTreeMap::new();
            for (scope, fingerprint, what) in steps {
                match (what, model.get(&scope).copied()) {
                    (0, Some((_, id))) => {
                        if sagas.cancel(id, world.now(), None).await.unwrap() {
                            model.remove(&scope);
                        }
                    }
                    (1, Some((_, id))) => {
                        let saga = world.get_saga(id).await;
                        let _ = sagas.begin(change(world.begin_create(saga))).await;
                    }
                    (_, known) => {
                        let saga = world.saga(make_chat("Demo"));
                        let id = saga.id;
                        let answer = sagas.accept(saga_with_key(saga, scope, fingerprint)).await.unwrap();
                        let expected = match known {
                            None => SagaAccepted::New,
                            Some((same, id)) if same == fingerprint => SagaAccepted::Repeated(id),
                            Some(_) => SagaAccepted::Conflict,
                        };
                        assert_eq!(answer, expected);
                        assert_eq!(sagas.get(id).await.unwrap().is_some(), answer == SagaAccepted::New);
                        if answer == SagaAccepted::New {
                            model.insert(scope, (fingerprint, id));
                        }
                    }
                }
            }
        });
    }
}

async fn two_accepts_with_one_key_at_once_make_one_saga(world: World) {
    for scope in 0..32 {
        let (one, other) = (world.saga(make_chat("Demo")), world.saga(make_chat("Demo")));
        let sagas = world.store.sagas();
        let (first, second) = tokio::join!(
            sagas.accept(saga_with_key(one.clone(), scope, 1)),
            sagas.accept(saga_with_key(other.clone(), scope, 1)),
        );
        match (first.unwrap(), second.unwrap()) {
            (SagaAccepted::New, repeated) => assert_eq!(repeated, SagaAccepted::Repeated(one.id)),
            (repeated, new) => {
                assert_eq!((repeated, new), (SagaAccepted::Repeated(other.id), SagaAccepted::New));
            }
        }
    }
}
