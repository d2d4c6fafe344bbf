//! Messages that wait for their time.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::message::OutboundMessage;
use domain::{MessageId, Timestamp};
use tokio::sync::Notify;

use crate::{Delivery, Unbegun};

/// What is due when.
#[derive(Default)]
pub(crate) struct Schedule {
    due: Mutex<BTreeMap<(Timestamp, MessageId), OutboundMessage>>,
    changed: Notify,
}

impl Schedule {
    pub(crate) fn add(&self, at: Timestamp, message: OutboundMessage) {
        self.due().insert((at, message.id), message);
        self.changed.notify_one();
    }

    pub(crate) fn remove(&self, id: MessageId) {
        self.due().retain(|(_, other), _| *other != id);
    }

    /// The first one whose time has come, and that no one took out yet.
    pub(crate) fn overdue(&self, now: Timestamp) -> Option<Unbegun> {
        let due = self.due();
        let ((at, id), message) = due.first_key_value().filter(|((at, _), _)| *at <= now)?;
        let since = Duration::from_micros(u64::try_from(at.as_micros()).unwrap_or(0));
        Some(Unbegun { what: *id.as_uuid(), purpose: crate::purpose(message), since })
    }

    fn first(&self) -> Option<Timestamp> {
        self.due().first_key_value().map(|((at, _), _)| *at)
    }

    fn take_due(&self, now: Timestamp) -> Vec<OutboundMessage> {
        let mut due = self.due();
        let later = due.split_off(&(now.plus(Duration::from_micros(1)), MessageId::MIN));
        std::mem::replace(&mut *due, later).into_values().collect()
    }

    fn due(&self) -> std::sync::MutexGuard<'_, BTreeMap<(Timestamp, MessageId), OutboundMessage>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hands messages to their lanes when their time comes, until the delivery closes.
pub(crate) async fn run(delivery: Delivery) {
    let inner = &delivery.0;
    loop {
        let next = inner.schedule.first();
        let due = async {
            match next {
                Some(at) => inner.ambient.clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = inner.closing.cancelled() => return,
            () = inner.schedule.changed.notified() => {}
            () = due => {}
        }
        for message in inner.schedule.take_due(inner.ambient.clock.now()) {
            delivery.enqueue(message);
        }
    }
}
