//! How much waits: for each account, for each caller, and in all, whether memory has it or only the store.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::{AccountName, Service};
use store::{Caller, Queue, QuotaScope, WaitingAt};

use crate::submission::Full;

/// Unfinished messages at most; 0 takes none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// That wait for one account, or for any.
    pub account: u64,
    /// Of one API key, or without a key of one listener.
    pub caller: u64,
}

/// The messages of one queue. A count may be below zero for a moment, while a message ends that becomes due.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    scheduled: i64,
    text: i64,
    media: i64,
    channel: i64,
}

impl Count {
    const fn of(&mut self, scheduled: bool, service: Option<Service>) -> &mut i64 {
        match (scheduled, service) {
            (true, _) => &mut self.scheduled,
            (false, Some(Service::SendMedia)) => &mut self.media,
            (false, Some(_)) => &mut self.text,
            (false, None) => &mut self.channel,
        }
    }

    const fn due(&self) -> i64 {
        self.text + self.media + self.channel
    }
}

#[derive(Debug, Default)]
struct Counts {
    queues: HashMap<Queue, Count>,
    accounts: HashMap<Option<AccountName>, i64>,
    callers: HashMap<Caller, i64>,
    all: i64,
}

impl Counts {
    fn add(&mut self, scope: &QuotaScope, scheduled: bool, count: i64) {
        change(&mut self.queues, &scope.queue, |queue| {
            *queue.of(scheduled, scope.service) += count;
            *queue == Count::default()
        });
        let add = |all: &mut i64| {
            *all += count;
            *all == 0
        };
        change(&mut self.accounts, &scope.queue.account().cloned(), add);
        change(&mut self.callers, &scope.caller, add);
        self.all += count;
    }
}

/// Changes an entry, and drops it when it is empty then.
fn change<K: Eq + Hash + Clone, V: Default>(
    map: &mut HashMap<K, V>,
    key: &K,
    change: impl FnOnce(&mut V) -> bool,
) {
    let is_empty = match map.get_mut(key) {
        Some(value) => change(value),
        None => change(map.entry(key.clone()).or_default()),
    };
    if is_empty {
        map.remove(key);
    }
}

/// The counts of a delivery.
#[derive(Debug, Default)]
pub(crate) struct WaitingCounts(Mutex<Counts>);

impl WaitingCounts {
    /// Counts a message that is about to be accepted.
    ///
    /// # Errors
    /// There is no room for it; nothing is counted.
    pub(crate) fn accept(&self, scope: &QuotaScope, scheduled: bool, quotas: Quotas) -> Result<(), Full> {
        let mut counts = self.lock();
        let is_full = |waiting: Option<&i64>, quota| {
            waiting.copied().unwrap_or(0) >= i64::try_from(quota).unwrap_or(i64::MAX)
        };
        let account = scope.queue.account();
        if is_full(counts.accounts.get(&account.cloned()), quotas.account) {
            return Err(account.cloned().map_or(Full::Pool, Full::Account));
        }
        if is_full(counts.callers.get(&scope.caller), quotas.caller) {
            return Err(match &scope.caller {
                Caller::Key(key) => Full::Key(*key),
                Caller::Listener(listener) => Full::Listener(listener.clone()),
            });
        }
        counts.add(scope, scheduled, 1);
        Ok(())
    }

    /// Counts one more, whatever there is.
    pub(crate) fn begin(&self, scope: &QuotaScope, scheduled: bool) {
        self.lock().add(scope, scheduled, 1);
    }

    /// Counts what an earlier run left.
    pub(crate) fn resume(&self, waiting: &WaitingAt) {
        let count = i64::try_from(waiting.count).unwrap_or(i64::MAX);
        self.lock().add(&waiting.place, waiting.scheduled, count);
    }

    /// It was scheduled, and its time has come.
    pub(crate) fn due(&self, scope: &QuotaScope) {
        let mut counts = self.lock();
        counts.add(scope, true, -1);
        counts.add(scope, false, 1);
    }

    /// It waits no more.
    pub(crate) fn end(&self, scope: &QuotaScope, scheduled: bool) {
        self.lock().add(scope, scheduled, -1);
    }

    /// How many there are.
    pub(crate) fn all(&self) -> usize {
        usize::try_from(self.lock().all).unwrap_or(0)
    }

    /// How many could leave, by service; those of channels are part of none.
    pub(crate) fn due_by_service(&self) -> [(Option<Service>, u64); 3] {
        let counts = self.lock();
        let sum =
            |of: fn(&Count) -> i64| u64::try_from(counts.queues.values().map(of).sum::<i64>()).unwrap_or(0);
        [
            (Some(Service::SendText), sum(|count| count.text)),
            (Some(Service::SendMedia), sum(|count| count.media)),
            (None, sum(|count| count.channel)),
        ]
    }

    /// How many of those that could leave wait for one account and no other.
    pub(crate) fn due_of_accounts(&self) -> HashMap<AccountName, u64> {
        let counts = self.lock();
        let pinned = counts.queues.iter().filter_map(|(queue, count)| match queue {
            Queue::Pinned(account) => Some((account.clone(), u64::try_from(count.due()).ok()?)),
            Queue::Account(_) | Queue::Pool => None,
        });
        pinned.filter(|(_, count)| *count > 0).collect()
    }

    /// Whether any quota is used up.
    pub(crate) fn is_full(&self, quotas: Quotas) -> bool {
        let counts = self.lock();
        let is_over = |count: &i64, quota| u64::try_from(*count).is_ok_and(|count| count >= quota);
        counts.accounts.values().any(|count| is_over(count, quotas.account))
            || counts.callers.values().any(|count| is_over(count, quotas.caller))
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: Option<Service> = Some(Service::SendText);

    fn scope(account: Option<u8>, caller: u8, service: Option<Service>) -> QuotaScope {
        let name = |number: u8| format!("account_{number}").parse().expect("a name");
        QuotaScope {
            queue: account.map_or(Queue::Pool, |number| Queue::Pinned(name(number))),
            caller: Caller::Listener(caller.to_string().into()),
            service,
        }
    }

    #[test]
    fn a_full_account_or_caller_stops_no_other() {
        let counts = WaitingCounts::default();
        let quotas = Quotas { account: 2, caller: 3 };
        for _ in 0..2 {
            assert_eq!(counts.accept(&scope(Some(1), 1, TEXT), false, quotas), Ok(()));
        }
        let account = "account_1".parse().expect("a name");
        assert_eq!(counts.accept(&scope(Some(1), 2, TEXT), false, quotas), Err(Full::Account(account)));
        assert!(counts.is_full(quotas));
        assert_eq!(counts.accept(&scope(Some(2), 1, TEXT), true, quotas), Ok(()));
        assert_eq!(counts.accept(&scope(None, 1, TEXT), false, quotas), Err(Full::Listener("1".into())));
        assert_eq!(counts.accept(&scope(None, 2, TEXT), false, quotas), Ok(()));
        counts.end(&scope(Some(1), 1, TEXT), false);
        assert_eq!(counts.accept(&scope(Some(1), 2, Some(Service::SendMedia)), false, quotas), Ok(()));
        assert_eq!(counts.all(), 4);
    }

    fn services() -> impl Strategy<Value = Option<Service>> {
        prop::option::of(prop::sample::select(vec![Service::SendText, Service::SendMedia]))
    }

    proptest! {
        #[test]
        fn ended_messages_are_not_counted(
            messages in prop::collection::vec((prop::option::of(0_u8..3), 0_u8..3, services(), any::<bool>()), 0..40),
        ) {
            let counts = WaitingCounts::default();
            for (account, caller, service, scheduled) in &messages {
                counts.begin(&scope(*account, *caller, *service), *scheduled);
            }
            prop_assert_eq!(counts.all(), messages.len());
            for (account, caller, service, _) in messages.iter().filter(|(.., scheduled)| *scheduled) {
                counts.due(&scope(*account, *caller, *service));
            }
            let due: u64 = counts.due_by_service().iter().map(|(_, count)| count).sum();
            prop_assert_eq!(due, messages.len() as u64);
            for (account, caller, service, _) in &messages {
                counts.end(&scope(*account, *caller, *service), false);
            }
            let left = counts.lock();
            prop_assert!(left.queues.is_empty() && left.accounts.is_empty() && left.callers.is_empty() && left.all == 0);
        }
    }
}
