//! The task of a saga: carries it to its end, and begins again from the store when it breaks.

use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::OperationId;
use domain::saga::Saga;
use futures::FutureExt;

use super::Sagas;
use super::runner::SagaRunner;
use super::turns::Turn;
use crate::persist::pause_after;

/// How long a saga rests after its task broke, or lost hold of it.
const REST: Duration = Duration::from_secs(1);

/// Carries a saga until it has ended or the program does.
pub(super) async fn run(sagas: Sagas, id: OperationId, saga: Option<Saga>, turn: Option<Turn>) {
    // Outlives a task that breaks: a chat that may have been made keeps its account from making another.
    let turn = Mutex::new(turn);
    let mut first = saga;
    loop {
        let saga = match first.take() {
            Some(saga) => Some(saga),
            None => match stored(&sagas, id).await {
                Some(stored) => stored,
                None => return,
            },
        };
        let unfinished = match saga {
            Some(saga) if saga.state.is_final() => {
                sagas.end(&saga);
                None
            }
            Some(saga) => Some(saga),
            None => {
                sagas.0.waiters.abandon(id);
                None
            }
        };
        if let Some(saga) = unfinished {
            sagas.0.waiters.begin(id, ());
            let only = saga.pin.clone().or_else(|| saga.account.clone());
            sagas.0.waiters.set_due(id, saga.created_at, Some(saga.task.kind().service()), only);
            let runner = SagaRunner { sagas: &sagas, turn: &turn };
            let carrying = AssertUnwindSafe(runner.carry(saga)).catch_unwind();
            let broke = carrying.await.is_err();
            if broke {
                tracing::error!(operation = %id, "the task of a saga broke; it is taken up again");
            }
            // Someone else changed it under this task's hands, and it has not ended: the store knows its state.
            if (broke || sagas.0.waiters.has(id)) && !sagas.0.closing.is_cancelled() {
                tokio::select! {
                    () = sagas.0.ambient.clock.sleep(REST) => continue,
                    () = sagas.0.closing.cancelled() => return,
                }
            }
        }
        if sagas.0.closing.is_cancelled() {
            return;
        }
        drop(turn.lock().unwrap_or_else(PoisonError::into_inner).take());
        if sagas.let_go(id) {
            return;
        }
    }
}

/// The saga as it is stored; nothing when the program ends before the store answers.
async fn stored(sagas: &Sagas, id: OperationId) -> Option<Option<Saga>> {
    loop {
        match sagas.get(id).await {
            Ok(saga) => return Some(saga),
            Err(error) => {
                tracing::error!(operation = %id, %error, "a saga cannot be read; trying again");
                tokio::select! {
                    () = sagas.0.ambient.clock.sleep(pause_after(&error)) => {}
                    () = sagas.0.closing.cancelled() => return None,
                }
            }
        }
    }
}
