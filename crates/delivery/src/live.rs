//! The messages that are not finished, and who waits for them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use domain::message::OutboundMessage;
use domain::{MessageId, Timestamp};
use tokio::sync::oneshot;

type Waiter = oneshot::Sender<Box<OutboundMessage>>;

/// A message on its way.
#[derive(Default)]
struct Entry {
    waiters: Vec<Waiter>,
    held_until: Option<Timestamp>,
}

/// Who waits for what.
#[derive(Default)]
pub(crate) struct Live(Mutex<HashMap<MessageId, Entry>>);

impl Live {
    /// A message starts on its way. Before anyone can ask for it, so that no end is missed.
    pub(crate) fn begin(&self, id: MessageId) {
        self.map().entry(id).or_default();
    }

    /// It was not accepted after all.
    pub(crate) fn abandon(&self, id: MessageId) {
        self.map().remove(&id);
    }

    /// Resolves when the message is final; `None` if it is not on its way.
    pub(crate) fn wait(&self, id: MessageId) -> Option<oneshot::Receiver<Box<OutboundMessage>>> {
        let mut map = self.map();
        let waiters = &mut map.get_mut(&id)?.waiters;
        waiters.retain(|waiter| !waiter.is_closed());
        let (tell, told) = oneshot::channel();
        waiters.push(tell);
        Some(told)
    }

    /// It is final, and stored so.
    pub(crate) fn finish(&self, message: &OutboundMessage) {
        let entry = self.map().remove(&message.id).unwrap_or_default();
        for waiter in entry.waiters {
            // A caller that went away needs no answer.
            let _ = waiter.send(Box::new(message.clone()));
        }
    }

    /// Notes until when every account that could carry it is held back; `None` when that is over.
    pub(crate) fn hold(&self, id: MessageId, until: Option<Timestamp>) {
        if let Some(entry) = self.map().get_mut(&id) {
            entry.held_until = until;
        }
    }

    /// Until when every account that could carry it is held back.
    pub(crate) fn held_until(&self, id: MessageId) -> Option<Timestamp> {
        self.map().get(&id)?.held_until
    }

    /// How many are on their way.
    pub(crate) fn len(&self) -> usize {
        self.map().len()
    }

    fn map(&self) -> std::sync::MutexGuard<'_, HashMap<MessageId, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
