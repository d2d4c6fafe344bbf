//! The tasks that keep an account alive: its lines, the reader of its updates, the reader of its dialogs.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use media::Outgoing;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::account::Account;
use crate::files::fetching;
use crate::line::health;
use crate::line::{self, Arrived, Line};
use crate::peers::dialogs;
use crate::pool::fences::Fenced;
use crate::pool::quiesce::Quiesced;
use crate::updates;

/// How many accounts read a page of dialogs at once.
const READING: usize = 4;

/// How many accounts fetch the file of a message at once.
const FETCHING: usize = 2;

/// Where tasks run, and what they share.
pub(crate) struct Running {
    pub(crate) tasks: TaskTracker,
    pub(crate) closing: CancellationToken,
    refresh_every: Duration,
    turns: Arc<Semaphore>,
    /// The folder of received files; none where none is fetched.
    received: Option<Outgoing>,
    fetching: Arc<Semaphore>,
    /// Whether it is of use who is in the contacts of the accounts.
    contacts: bool,
    pub(crate) at_rest: bool,
    pub(crate) quiesced: Quiesced,
    pub(crate) fenced: Fenced,
}

impl Running {
    pub(crate) fn new(
        refresh_every: Duration,
        received: Option<Outgoing>,
        contacts: bool,
        at_rest: bool,
        quiesced: Quiesced,
        fenced: Fenced,
    ) -> Self {
        Self {
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
            refresh_every,
            turns: Arc::new(Semaphore::new(READING)),
            received,
            fetching: Arc::new(Semaphore::new(FETCHING)),
            contacts,
            at_rest,
            quiesced,
            fenced,
        }
    }

    pub(crate) fn line(&self, line: &Arc<Line>) {
        line.fence(self.fenced.has(line.account()));
        line.quiesce(self.quiesced.covers(&line.purposes()));
        if self.at_rest {
            line.rest();
        } else {
            self.tasks.spawn(line::run(Arc::clone(line)));
        }
    }
}

pub(crate) fn run(running: &Running, account: &Arc<Account>, mut arrived: mpsc::Receiver<Arrived>) {
    for line in account.lines().iter() {
        running.line(line);
    }
    if running.at_rest {
        return;
    }
    let (reader, closing, contacts) = (Arc::clone(account), account.closing.clone(), running.contacts);
    running.tasks.spawn(async move {
        while AssertUnwindSafe(updates::run(&reader, &mut arrived, &closing, contacts))
            .catch_unwind()
            .await
            .is_err()
        {
            survive(&reader, &closing, "reading updates").await;
        }
    });
    let (reader, closing, turns) = (Arc::clone(account), account.closing.clone(), Arc::clone(&running.turns));
    running.tasks.spawn(async move {
        loop {
            tokio::select! {
                () = closing.cancelled() => return,
                _ = AssertUnwindSafe(updates::gaps::run(&reader, &turns)).catch_unwind() => {}
            }
            survive(&reader, &closing, "reading what was missed").await;
        }
    });
    if let Some(folder) = running.received.clone() {
        let (reader, closing) = (Arc::clone(account), account.closing.clone());
        let turns = Arc::clone(&running.fetching);
        running.tasks.spawn(async move {
            loop {
                tokio::select! {
                    () = closing.cancelled() => return,
                    _ = AssertUnwindSafe(fetching::run(&reader, &folder, &turns)).catch_unwind() => {}
                }
                survive(&reader, &closing, "fetching files").await;
            }
        });
    }
    let (reader, closing) = (Arc::clone(account), account.closing.clone());
    let (every, turns) = (running.refresh_every, Arc::clone(&running.turns));
    running.tasks.spawn(async move {
        loop {
            let reading = dialogs::run(&reader, every, &turns);
            tokio::select! {
                () = closing.cancelled() => return,
                _ = AssertUnwindSafe(reading).catch_unwind() => {}
            }
            survive(&reader, &closing, "reading dialogs").await;
        }
    });
}

/// After a panic: says so, and leaves the thing alone for a moment.
async fn survive(account: &Account, closing: &CancellationToken, what: &str) {
    if closing.is_cancelled() {
        return;
    }
    tracing::error!(account = %account.name, what, "a task broke down and is started again");
    tokio::select! {
        () = closing.cancelled() => {}
        () = account.health.clock.sleep(health::back_off(4)) => {}
    }
}
