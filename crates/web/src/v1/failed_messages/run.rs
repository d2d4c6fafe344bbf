//! Trying failed messages again, one after another and no faster than so many a second: what waits for its turn is kept by the
//! lanes and limits of the accounts as ever.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use delivery::Change;
use domain::{MessageId, MessageState, Timestamp};
use store::{Filter, StoreError};
use tokio_util::sync::CancellationToken;

use crate::state::State;

const PAUSE: Duration = Duration::from_millis(20);

/// Ids that are read at once.
const BATCH: u32 = 500;

/// How many are counted at most: what is more is reported as this many.
pub(super) const MOST_COUNTED: u64 = 100_000;

#[derive(Debug, Clone)]
pub(super) struct Which {
    /// Of which account, into which chat, accepted when.
    pub(super) filter: Filter,
    /// Failed before this instant. What fails from then on was in no number that anyone was shown.
    pub(super) failed_until: Timestamp,
}

impl Which {
    /// Whether a message is still as it was counted. One that was tried again meanwhile and failed again is not.
    fn has(&self, state: MessageState, changed_at: Timestamp) -> bool {
        state == MessageState::Failed && changed_at < self.failed_until
    }
}

/// The run there is or was last; at most one goes on at a time.
#[derive(Debug, Default)]
pub(crate) struct Retries(Mutex<Option<Arc<Run>>>);

/// Failed messages that are tried again. It is not kept over a restart: what it had not reached stays failed.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) requested_by: String,
    pub(super) started_at: Timestamp,
    /// How many messages it is about.
    pub(super) total: u64,
    retried: AtomicU64,
    refused: AtomicU64,
    finished_at: Mutex<Option<Timestamp>>,
    stop: CancellationToken,
}

impl Run {
    pub(super) fn view(&self) -> api::RetryOfFailed {
        let finished_at = self.finished_at();
        let state = match finished_at {
            None => "running",
            Some(_) if self.is_cancelled() => "cancelled",
            Some(_) => "finished",
        };
        api::RetryOfFailed {
            state: state.to_owned(),
            total: self.total,
            retried: self.retried(),
            refused: self.refused(),
            asked_by: self.requested_by.clone(),
            started_at: self.started_at,
            finished_at,
        }
    }

    /// How many are in the queue again.
    pub(super) fn retried(&self) -> u64 {
        self.retried.load(Ordering::Relaxed)
    }

    /// How many were no longer failed when their turn came: someone else was faster.
    pub(super) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    pub(super) fn finished_at(&self) -> Option<Timestamp> {
        *self.finished_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it was ordered to end early.
    pub(super) fn is_cancelled(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Ends it after the message it is at.
    pub(super) fn cancel(&self) {
        if self.finished_at().is_none() {
            self.stop.cancel();
        }
    }
}

impl Retries {
    /// The run there is or was last.
    pub(super) fn last(&self) -> Option<Arc<Run>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Begins a run, unless one goes on: then that one, and `false`.
    fn begin(&self, run: Run) -> (Arc<Run>, bool) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some(going) if going.finished_at().is_none() => (Arc::clone(going), false),
            _ => {
                let run = Arc::new(run);
                *last = Some(Arc::clone(&run));
                (run, true)
            }
        }
    }
}

/// How many of them there are, and the last of them; counting ends at [`MOST_COUNTED`].
pub(super) async fn count(state: &State, which: &Which) -> Result<(u64, Option<MessageId>), StoreError> {
    let (mut number, mut last) = (0, None);
    while number < MOST_COUNTED {
        let ids = state.store().outbox().failed(&which.filter, which.failed_until, last, BATCH).await?;
        number += ids.len() as u64;
        match ids.last() {
            Some(id) => last = Some(*id),
            None => break,
        }
        if ids.len() < BATCH as usize {
            break;
        }
    }
    Ok((number, last))
}

/// Begins to try them again, or joins the run that goes on; `true` where a new one began.
pub(super) async fn begin(
    state: &State,
    which: Which,
    requested_by: String,
) -> Result<(Arc<Run>, bool), StoreError> {
    let (total, last) = count(state, &which).await?;
    let run = Run {
        requested_by,
        started_at: state.clock().now(),
        total,
        retried: AtomicU64::new(0),
        refused: AtomicU64::new(0),
        finished_at: Mutex::new(None),
        stop: CancellationToken::new(),
    };
    let (run, new) = state.retries().begin(run);
    if new {
        let (state, run) = (state.clone(), Arc::clone(&run));
        tracing::info!(messages = total, by = %run.requested_by, "failed messages are tried again");
        let tasks = state.tasks().clone();
        ambient::spawn_detached(&tasks, async move {
            // What fails from now on is not tried again by this run, however often it fails.
            if let Some(last) = last
                && let Err(error) = work(&state, &which, last, &run).await
            {
                tracing::warn!(%error, "trying failed messages again ended early");
            }
            let now = state.clock().now();
            *run.finished_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
            tracing::info!(
                retried = run.retried(),
                refused = run.refused(),
                "failed messages were tried again"
            );
        });
    }
    Ok((run, new))
}

async fn work(state: &State, which: &Which, last: MessageId, run: &Run) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let ids = state.store().outbox().failed(&which.filter, which.failed_until, after, BATCH).await?;
        let Some(end) = ids.last().copied() else { return Ok(()) };
        for id in ids.into_iter().take_while(|id| *id <= last) {
            tokio::select! {
                biased;
                () = run.stop.cancelled() => return Ok(()),
                () = state.stopping() => return Ok(()),
                () = state.clock().sleep(PAUSE) => {}
            }
            // A cancelled message is tried again by hand alone, so only what is still failed counts here.
            let failed = state.delivery().get(id).await?;
            let failed = failed.is_some_and(|message| which.has(message.state, message.updated_at));
            let done = failed && matches!(state.delivery().retry(id).await?, Change::Done(_));
            let counter = if done { &run.retried } else { &run.refused };
            counter.fetch_add(1, Ordering::Relaxed);
        }
        if end >= last {
            return Ok(());
        }
        after = Some(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn only_unchanged_failed_messages_are_retried(
            state in prop::sample::select(MessageState::ALL.to_vec()), changed_at in 0_i64..9, failed_until in 0_i64..9,
        ) {
            let at = Timestamp::from_micros;
            let which = Which { filter: Filter::default(), failed_until: at(failed_until) };
            prop_assert_eq!(which.has(state, at(changed_at)), state == MessageState::Failed && changed_at < failed_until);
        }
    }
}
