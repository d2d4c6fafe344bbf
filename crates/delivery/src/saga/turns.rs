//! Turns: an account makes one chat at a time, so that a chat that is found after a lost answer can only be the one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use domain::AccountName;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// Whose turn it is, by account.
pub(crate) struct Turns {
    slots: Mutex<HashMap<AccountName, Arc<Slot>>>,
    doubts: Arc<watch::Sender<u64>>,
}

struct Slot {
    permit: Arc<Semaphore>,
    /// The one who has the turn does not know whether the chat was made.
    doubt: AtomicBool,
}

/// The turn of one account; given back when dropped.
pub(crate) struct Turn {
    account: AccountName,
    slot: Arc<Slot>,
    doubts: Arc<watch::Sender<u64>>,
    _permit: OwnedSemaphorePermit,
}

impl Default for Turns {
    fn default() -> Self {
        Self { slots: Mutex::default(), doubts: Arc::new(watch::Sender::new(0)) }
    }
}

impl Turns {
    /// The turn of this account, if it is free.
    pub(crate) fn try_take(&self, account: &AccountName) -> Option<Turn> {
        let slot = self.slot(account);
        let permit = Arc::clone(&slot.permit).try_acquire_owned().ok()?;
        Some(self.turn(account, slot, permit))
    }

    /// The turn of this account, first come, first served. Waits as long as the others take.
    pub(crate) async fn take(&self, account: &AccountName) -> Option<Turn> {
        let slot = self.slot(account);
        let permit = Arc::clone(&slot.permit).acquire_owned().await.ok()?;
        Some(self.turn(account, slot, permit))
    }

    /// Whether the one who has this account's turn may keep it for long.
    pub(crate) fn in_doubt(&self, account: &AccountName) -> bool {
        self.slot(account).doubt.load(Ordering::Acquire)
    }

    /// Changes whenever a doubt begins or ends.
    pub(crate) fn doubts(&self) -> watch::Receiver<u64> {
        self.doubts.subscribe()
    }

    fn slot(&self, account: &AccountName) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = slots.entry(account.clone()).or_insert_with(|| {
            Arc::new(Slot { permit: Arc::new(Semaphore::new(1)), doubt: AtomicBool::new(false) })
        });
        Arc::clone(slot)
    }

    fn turn(&self, account: &AccountName, slot: Arc<Slot>, permit: OwnedSemaphorePermit) -> Turn {
        Turn { account: account.clone(), slot, doubts: Arc::clone(&self.doubts), _permit: permit }
    }
}

impl Turn {
    /// Whose it is.
    pub(crate) fn account(&self) -> &AccountName {
        &self.account
    }

    /// Whether the chat was made is not known: the others look for another account.
    pub(crate) fn begin_doubt(&self) {
        if !self.slot.doubt.swap(true, Ordering::AcqRel) {
            self.doubts.send_modify(|changes| *changes += 1);
        }
    }

    /// It is known again.
    pub(crate) fn end_doubt(&self) {
        if self.slot.doubt.swap(false, Ordering::AcqRel) {
            self.doubts.send_modify(|changes| *changes += 1);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.end_doubt();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_has_the_turn_and_a_doubt_is_seen_by_the_others() {
        let turns = Turns::default();
        let main: AccountName = "main".parse().expect("a name");
        let first = turns.take(&main).await.expect("open");
        assert!(turns.try_take(&main).is_none() && !turns.in_doubt(&main));
        let mut doubts = turns.doubts();
        first.begin_doubt();
        assert!(turns.in_doubt(&main) && doubts.has_changed().expect("open"));
        doubts.mark_unchanged();
        drop(first);
        assert!(!turns.in_doubt(&main) && doubts.has_changed().expect("open"));
        assert_eq!(turns.try_take(&main).expect("free").account(), &main);
    }
}
