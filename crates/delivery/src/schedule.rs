//! Messages that wait for their time: in the store, until it queues them; memory has the time of the next one alone.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::Timestamp;
use store::{NextScheduled, StoreError};
use tokio::sync::Notify;

use crate::{Delivery, Inner, Unbegun, persist};

/// When the next message is due.
#[derive(Default)]
pub(crate) struct Schedule {
    next: Mutex<Next>,
    changed: Notify,
}

#[derive(Default)]
struct Next {
    next: Option<NextScheduled>,
    /// The first of those that came since the store was last asked for the next.
    came: Option<NextScheduled>,
}

impl Schedule {
    /// The store has one that waits for its time.
    pub(crate) fn add(&self, scheduled: NextScheduled) {
        let mut first = self.next();
        let is_first = |other: Option<NextScheduled>| other.is_none_or(|other| scheduled.at < other.at);
        if is_first(first.came) {
            first.came = Some(scheduled);
        }
        if is_first(first.next) {
            first.next = Some(scheduled);
            self.changed.notify_one();
        }
    }

    /// The first one whose time has come, and that is not queued yet.
    pub(crate) fn overdue(&self, now: Timestamp) -> Option<Unbegun> {
        let next = self.next().next.filter(|next| next.at <= now)?;
        let since = Duration::from_micros(u64::try_from(next.at.as_micros()).unwrap_or(0));
        Some(Unbegun { what: *next.id.as_uuid(), service: next.service, since })
    }

    /// Looks for the first one that an earlier run left.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(crate) async fn resume(&self, outbox: store::Outbox<'_>) -> Result<(), StoreError> {
        if let Some(next) = outbox.next_scheduled().await? {
            self.add(next);
        }
        Ok(())
    }

    /// The store is about to be asked.
    fn ask(&self) {
        self.next().came = None;
    }

    /// What it said. One that came meanwhile may be earlier.
    fn go_on(&self, found: Option<NextScheduled>) {
        let mut first = self.next();
        first.next = first.came.into_iter().chain(found).min_by_key(|next| next.at);
    }

    fn next(&self) -> MutexGuard<'_, Next> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Has the store queue messages when their time comes, until the delivery closes.
pub(crate) async fn run(delivery: Delivery) {
    let Inner { schedule, ambient, closing, .. } = &*delivery.0;
    loop {
        let next = schedule.next().next.map(|next| next.at);
        let due = async {
            match next {
                Some(at) => ambient.clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = closing.cancelled() => return,
            () = schedule.changed.notified() => continue,
            () = due => {}
        }
        if queue_due(&delivery).await.is_err() {
            return;
        }
    }
}

async fn queue_due(delivery: &Delivery) -> Result<(), persist::Unwritten> {
    let Inner { store, schedule, ambient, closing, counts, .. } = &*delivery.0;
    let (outbox, what) = (store.outbox(), "the schedule");
    let now = ambient.clock.now();
    schedule.ask();
    loop {
        let due = persist::write(ambient, closing, &what, || outbox.becomes_due(now)).await?;
        if due.is_empty() {
            break;
        }
        for (waiting, scope) in due {
            counts.due(&scope);
            delivery.line_up_due(waiting, scope).await;
        }
    }
    let found = persist::write(ambient, closing, &what, || outbox.next_scheduled()).await?;
    schedule.go_on(found);
    Ok(())
}
