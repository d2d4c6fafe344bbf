//! Writing down how runs are: the newest of each, after what they wanted done was done.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use domain::{AccountName, FlowRunId, FlowRunState};
use futures::future::join_all;
use store::StoredFlowRun;
use tokio::sync::Notify;

use super::Inner;
use crate::machine::RunRecord;
use ambient::lock::Mutex;

/// Runs that may wait for the store; of more, the oldest are not written.
const MOST: usize = 10_000;

/// How long a run waits for more that happens in it: a write takes the disk and the processor from the presses that follow.
const GATHER: Duration = Duration::from_millis(10);

/// How soon after the store refused some it is asked again.
const AGAIN: Duration = Duration::from_secs(1);

/// Runs that are not in the store as they are.
#[derive(Default)]
pub(super) struct Records {
    waiting: Mutex<BTreeMap<FlowRunId, StoredFlowRun>>,
    changed: Notify,
}

impl Records {
    /// Puts how a run is in the place of how it was. [`Records::wake`] has it written.
    pub(super) fn put(&self, record: RunRecord, account: &AccountName) {
        let run = StoredFlowRun {
            id: record.id,
            flow: record.flow,
            account: account.clone(),
            chat_id: record.chat_id,
            message_id: record.message_id,
            began_at: record.began_at,
            ended_at: record.ended_at,
            state: record.state,
            code: record.code.map(str::to_owned),
            step: record.step,
            moments: record.moments,
        };
        let mut waiting = self.waiting.lock();
        if waiting.len() >= MOST
            && !waiting.contains_key(&run.id)
            && let Some((lost, _)) = waiting.pop_first()
        {
            tracing::warn!(run = %lost, "a run of a flow is not written down: the store takes none");
        }
        waiting.insert(run.id, run);
    }

    pub(super) fn wake(&self) {
        self.changed.notify_one();
    }

    fn take(&self) -> Vec<StoredFlowRun> {
        std::mem::take(&mut *self.waiting.lock()).into_values().collect()
    }

    /// Puts back what was not written, unless there is something newer of it.
    fn put_back(&self, run: StoredFlowRun) {
        self.waiting.lock().entry(run.id).or_insert(run);
    }
}

/// Writes until the program ends, and then once more.
pub(super) async fn run(inner: Arc<Inner>) {
    // How many moments of each run were reported.
    let mut reported = HashMap::<FlowRunId, usize>::new();
    loop {
        let is_last = tokio::select! {
            () = inner.records.changed.notified() => false,
            () = inner.closing.cancelled() => true,
        };
        if !is_last {
            tokio::select! {
                () = inner.closing.cancelled() => {}
                () = inner.parts.clock.sleep(GATHER) => {}
            }
        }
        let all_written = write(&inner, &mut reported).await;
        if is_last {
            return;
        }
        if !all_written {
            tokio::select! {
                () = inner.closing.cancelled() => {}
                () = inner.parts.clock.sleep(AGAIN) => {}
            }
            inner.records.changed.notify_one();
        }
    }
}

async fn write(inner: &Inner, reported: &mut HashMap<FlowRunId, usize>) -> bool {
    let writes = inner.records.take().into_iter().map(|run| {
        let first_unreported = reported.get(&run.id).copied().unwrap_or_default();
        async move { (inner.parts.store.flow_runs().save(run.clone(), first_unreported).await, run) }
    });
    let mut all_written = true;
    for (result, run) in join_all(writes.collect::<Vec<_>>()).await {
        match result {
            Ok(()) if run.state == FlowRunState::Running => drop(reported.insert(run.id, run.moments.len())),
            Ok(()) => drop(reported.remove(&run.id)),
            Err(error) => {
                tracing::debug!(run = %run.id, %error, "a run of a flow is written later");
                all_written = false;
                inner.records.put_back(run);
            }
        }
    }
    all_written
}
