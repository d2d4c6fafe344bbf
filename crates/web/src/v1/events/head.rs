//! The newest events, read and written out once for all readers that have come so far.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use domain::{AccountName, EventFilter, EventId};
use store::StoredEvent;
use tokio::sync::broadcast;

use super::About;
use crate::auth::Caller;
use crate::state::State;

/// How many events a reader may be behind before it reads from the store again.
const BEHIND: usize = 1024;
/// How many events are read at once.
const PAGE: u32 = 500;
/// After a read that failed.
const PAUSE: Duration = Duration::from_secs(1);

/// An event as it goes out to readers.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) id: EventId,
    pub(super) text: Bytes,
    about: About,
}

impl Shown {
    pub(super) fn new(event: StoredEvent) -> Self {
        let (id, about) = (event.id, About::of(&event));
        // JSON has no line breaks of its own, so it is one row.
        let data = serde_json::to_string(&api::Event::from(event)).unwrap_or_default();
        Self { id, text: format!("id: {id}\ndata: {data}\n\n").into(), about }
    }

    pub(super) fn is_wanted(&self, filter: &EventFilter) -> bool {
        let account = self.about.account.as_ref().map(AccountName::as_str);
        filter.matches(self.about.kind, self.about.chat.as_deref(), account)
    }

    pub(super) fn is_shown(&self, state: &State, caller: &Caller) -> bool {
        self.about.is_shown(state, caller)
    }
}

/// What hands new events out. It works from the first reader on, and reads only while there are some.
#[derive(Debug, Default)]
pub(crate) struct Head(OnceLock<broadcast::Sender<Arc<Shown>>>);

impl Head {
    /// Events from now on. What was committed before this returns may be missing and is in the store.
    pub(super) fn follow(&self, state: &State) -> broadcast::Receiver<Arc<Shown>> {
        let sender = self.0.get_or_init(|| {
            let sender = broadcast::Sender::new(BEHIND);
            ambient::spawn_detached(state.tasks(), hand_out(state.clone(), sender.clone()));
            sender
        });
        sender.subscribe()
    }
}

async fn hand_out(state: State, readers: broadcast::Sender<Arc<Shown>>) {
    let mut newest = state.store().events().newest();
    let mut at = *newest.borrow_and_update();
    loop {
        tokio::select! {
            biased;
            () = state.stopping() => return,
            changed = newest.changed() => if changed.is_err() {
                return;
            },
        }
        let up_to = *newest.borrow_and_update();
        if readers.receiver_count() == 0 {
            at = up_to;
            continue;
        }
        while at < up_to {
            match state.store().events().after(at, &EventFilter::default(), PAGE).await {
                Ok(read) => {
                    at = read.up_to;
                    for event in read.events {
                        // Without readers there is no one to miss it.
                        let _ = readers.send(Arc::new(Shown::new(event)));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "new events cannot be read; readers wait");
                    tokio::select! {
                        () = state.stopping() => return,
                        () = state.clock().sleep(PAUSE) => {}
                    }
                }
            }
        }
    }
}
