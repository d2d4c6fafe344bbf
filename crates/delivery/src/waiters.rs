//! The messages or sagas that are not finished, and who waits for them.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::{AccountName, Service, Timestamp};
use tokio::sync::{Notify, oneshot};
use tokio_util::sync::CancellationToken;

/// What of a service's work could leave and has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The service; none for what goes to channels.
    pub service: Option<Service>,
    /// How much of it there is.
    pub count: u64,
    /// Since when the oldest could leave.
    pub oldest: Timestamp,
}

/// Work that was given to an account and has no result yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InHand {
    /// The account that has it.
    pub account: AccountName,
    /// The service; none for what goes to channels.
    pub service: Option<Service>,
    /// Since when the account has it, by the monotonic clock.
    pub since: Duration,
}

/// One on its way, or one in the store that is waited for.
struct Entry<T, P> {
    /// What it counts as; nothing while only the store has it.
    counted: Option<P>,
    waiters: Vec<oneshot::Sender<Box<T>>>,
    held_until: Option<Timestamp>,
    /// Since when it could leave, and which service's it is; unknown while it waits for its time.
    due: Option<(Timestamp, Option<Service>)>,
    /// The one account that it is for, if no other may do it.
    only: Option<AccountName>,
    /// It may have been done or not: until when it is tried, and what ends that.
    unsettled: Option<(Timestamp, CancellationToken)>,
    /// The account that has it, and since when.
    with: Option<(AccountName, Duration)>,
}

impl<T, P> Default for Entry<T, P> {
    fn default() -> Self {
        Self {
            counted: None,
            waiters: Vec::new(),
            held_until: None,
            due: None,
            only: None,
            unsettled: None,
            with: None,
        }
    }
}

/// Who waits for what: things of the kind `T`, named by an `I`, each counted as a `P` while memory has it.
pub(crate) struct Waiters<I, T, P = ()> {
    all: Mutex<HashMap<I, Entry<T, P>>>,
    /// Signals that an account has something no longer.
    outcome: Notify,
}

impl<I, T, P> Default for Waiters<I, T, P> {
    fn default() -> Self {
        Self { all: Mutex::default(), outcome: Notify::new() }
    }
}

impl<I: Copy + Eq + Hash, T, P> Waiters<I, T, P> {
    /// One starts on its way. Before anyone can ask for it, so that no end is missed.
    pub(crate) fn begin(&self, id: I, counted: P) {
        self.map().entry(id).or_default().counted = Some(counted);
    }

    /// It was not accepted after all.
    pub(crate) fn abandon(&self, id: I) {
        self.map().remove(&id);
    }

    /// Only the store has it from now on; it stays here for those who wait for it.
    pub(crate) fn leave(&self, id: I) {
        let mut map = self.map();
        let Some(entry) = map.remove(&id) else { return };
        let waiters: Vec<_> = entry.waiters.into_iter().filter(|waiter| !waiter.is_closed()).collect();
        if !waiters.is_empty() {
            map.insert(id, Entry { waiters, ..Entry::default() });
        }
    }

    /// Resolves when it is final, wherever it is, and returns whether it is here.
    pub(crate) fn listen(&self, id: I) -> (oneshot::Receiver<Box<T>>, bool) {
        let (sender, receiver) = oneshot::channel();
        let mut map = self.map();
        let entry = map.entry(id).or_default();
        entry.waiters.retain(|waiter| !waiter.is_closed());
        entry.waiters.push(sender);
        (receiver, entry.counted.is_some())
    }

    /// Someone who waited does so no longer.
    pub(crate) fn stop_listening(&self, id: I) {
        let mut map = self.map();
        if map.get(&id).is_some_and(|entry| {
            entry.counted.is_none() && entry.waiters.iter().all(oneshot::Sender::is_closed)
        }) {
            map.remove(&id);
        }
    }

    /// Resolves when it is final; `None` if memory has it not.
    pub(crate) fn wait(&self, id: I) -> Option<oneshot::Receiver<Box<T>>> {
        let mut map = self.map();
        let waiters = &mut map.get_mut(&id).filter(|entry| entry.counted.is_some())?.waiters;
        waiters.retain(|waiter| !waiter.is_closed());
        let (sender, receiver) = oneshot::channel();
        waiters.push(sender);
        Some(receiver)
    }

    /// It is final, and stored so. Before anyone is notified it is counted, if it was still on its way: of several who
    /// report the same end one is the first.
    pub(crate) fn finish(&self, id: I, count: impl FnOnce(P), ended: impl Fn() -> T) {
        // Bound to a name first: the lock is not held while it is counted.
        let entry = self.map().remove(&id);
        let Some(entry) = entry else { return };
        if let Some(counted) = entry.counted {
            count(counted);
        }
        if entry.with.is_some() {
            self.outcome.notify_waiters();
        }
        for waiter in entry.waiters {
            // A caller that went away needs no answer.
            let _ = waiter.send(Box::new(ended()));
        }
    }

    /// Notes until when every account that could carry it is held back; `None` when that is over.
    pub(crate) fn hold(&self, id: I, until: Option<Timestamp>) {
        if let Some(entry) = self.map().get_mut(&id) {
            entry.held_until = until;
        }
    }

    /// An account has it since then; `None` when none has it any more. The same account has it since it had it first.
    pub(crate) fn set_with(&self, id: I, with: Option<(&AccountName, Duration)>) {
        if let Some(entry) = self.map().get_mut(&id) {
            match (&entry.with, with) {
                (Some((has_it, _)), Some((account, _))) if has_it == account => {}
                (_, with) => entry.with = with.map(|(account, since)| (account.clone(), since)),
            }
        }
        if with.is_none() {
            self.outcome.notify_waiters();
        }
    }

    /// Resolves once the account has nothing any more of what it has now.
    pub(crate) async fn outcomes_of(&self, account: &AccountName) {
        let has = |entry: &Entry<T, P>| entry.with.as_ref().is_some_and(|(with, _)| with == account);
        let mut left: Vec<I> = self.map().iter().filter(|(_, entry)| has(entry)).map(|(id, _)| *id).collect();
        while !left.is_empty() {
            let outcome = self.outcome.notified();
            left.retain(|id| self.map().get(id).is_some_and(has));
            if !left.is_empty() {
                outcome.await;
            }
        }
    }

    /// What accounts have and what has no result yet.
    pub(crate) fn in_hand(&self) -> Vec<InHand> {
        let in_hand = |entry: &Entry<T, P>| {
            let ((account, since), (_, service)) = (entry.with.clone()?, entry.due?);
            Some(InHand { account, service, since })
        };
        self.map().values().filter_map(in_hand).collect()
    }

    /// It could leave since then, for this service, through `only` this account if one is named.
    pub(crate) fn set_due(
        &self,
        id: I,
        since: Timestamp,
        service: Option<Service>,
        only: Option<AccountName>,
    ) {
        if let Some(entry) = self.map().get_mut(&id) {
            entry.due = Some((since, service));
            entry.only = only;
        }
    }

    /// How many of those that could leave wait for one account and no other, by account.
    pub(crate) fn due_of_accounts(&self) -> HashMap<AccountName, u64> {
        let mut all = HashMap::new();
        for account in
            self.map().values().filter(|entry| entry.due.is_some()).filter_map(|entry| entry.only.as_ref())
        {
            *all.entry(account.clone()).or_default() += 1;
        }
        all
    }

    /// Those that could leave, by service.
    pub(crate) fn due(&self) -> Vec<Due> {
        let mut all: Vec<Due> = Vec::new();
        for (since, service) in self.map().values().filter_map(|entry| entry.due) {
            match all.iter_mut().find(|due| due.service == service) {
                Some(due) => {
                    due.count += 1;
                    due.oldest = due.oldest.min(since);
                }
                None => all.push(Due { service, count: 1, oldest: since }),
            }
        }
        all
    }

    /// Until when every account that could carry it is held back.
    pub(crate) fn held_until(&self, id: I) -> Option<Timestamp> {
        self.map().get(&id)?.held_until
    }

    /// It is not known what came of it, and it is tried until then; `stopped` ends that early.
    pub(crate) fn is_unsettled(&self, id: I, until: Timestamp, stopped: CancellationToken) {
        if let Some(entry) = self.map().get_mut(&id) {
            entry.unsettled = Some((until, stopped));
        }
    }

    /// It is known again what came of it so far.
    pub(crate) fn is_settled(&self, id: I) {
        if let Some(entry) = self.map().get_mut(&id) {
            entry.unsettled = None;
        }
    }

    /// Until when it is tried although it may have been done.
    pub(crate) fn gives_up_at(&self, id: I) -> Option<Timestamp> {
        self.map().get(&id)?.unsettled.as_ref().map(|(until, _)| *until)
    }

    /// Has it tried no longer; false unless it may have been done.
    pub(crate) fn stop(&self, id: I) -> bool {
        let map = self.map();
        let stopped = map.get(&id).and_then(|entry| entry.unsettled.as_ref()).map(|(_, stopped)| stopped);
        stopped.inspect(|stopped| stopped.cancel()).is_some()
    }

    /// Whether it is on its way.
    pub(crate) fn has(&self, id: I) -> bool {
        self.map().get(&id).is_some_and(|entry| entry.counted.is_some())
    }

    /// How many are on their way.
    pub(crate) fn len(&self) -> usize {
        self.map().len()
    }

    fn map(&self) -> std::sync::MutexGuard<'_, HashMap<I, Entry<T, P>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
