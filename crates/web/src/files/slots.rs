//! Slots for files on their way in: what is stored here has its own, and of those for addresses each caller has a share.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use domain::ApiKeyId;
use store::Origin;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

/// The most files that are taken from uploads and paths at once: the disk is the only one to wait for.
const MOST_HERE: usize = 16;

/// The most files that come from addresses at once. Each has a few buffers in memory, and waits for a stranger.
const MOST_AWAY: usize = 64;

/// How many of those may be one caller's, so that slow addresses of one leave room for the files of the others.
const SHARE: usize = 16;

/// Who names files, for the bound on each one's share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Asker {
    Key(ApiKeyId),
    /// Anyone who calls from this address without a key.
    Address(IpAddr),
    /// Anyone who calls on this machine.
    Machine,
}

impl From<&Origin> for Asker {
    fn from(origin: &Origin) -> Self {
        match (origin.api_key, origin.address) {
            (Some(key), _) => Self::Key(key),
            (None, Some(address)) => Self::Address(address),
            (None, None) => Self::Machine,
        }
    }
}

pub(super) struct Slots {
    here: Semaphore,
    away: Semaphore,
    /// Only of callers that have a file on its way or wait for a slot: the others' are forgotten.
    shares: Mutex<HashMap<Asker, Weak<Semaphore>>>,
}

/// A slot for a file from an address.
pub(super) struct Away<'a> {
    _share: OwnedSemaphorePermit,
    _slot: SemaphorePermit<'a>,
}

impl Slots {
    pub(super) fn new() -> Self {
        let (here, away) = (Semaphore::new(MOST_HERE), Semaphore::new(MOST_AWAY));
        Self { here, away, shares: Mutex::default() }
    }

    /// Waits for a slot for a file that is stored here.
    pub(super) async fn here(&self) -> Option<SemaphorePermit<'_>> {
        self.here.acquire().await.ok()
    }

    /// Waits for a slot for a file from an address. The caller's own comes first: who has used up its share waits for
    /// itself, and takes no slot that someone else could have.
    pub(super) async fn away(&self, asker: Asker) -> Option<Away<'_>> {
        let share = self.share(asker).acquire_owned().await.ok()?;
        let slot = self.away.acquire().await.ok()?;
        Some(Away { _share: share, _slot: slot })
    }

    fn share(&self, asker: Asker) -> Arc<Semaphore> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        shares.retain(|_, share| share.strong_count() > 0);
        if let Some(share) = shares.get(&asker).and_then(Weak::upgrade) {
            return share;
        }
        let share = Arc::new(Semaphore::new(SHARE));
        shares.insert(asker, Arc::downgrade(&share));
        share
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn asker(last: u8) -> Asker {
        Asker::Address(IpAddr::from([10, 0, 0, last]))
    }

    fn taken(slots: &Slots, asker: Asker) -> Option<Away<'_>> {
        slots.away(asker).now_or_never().flatten()
    }

    #[test]
    fn no_one_has_more_than_a_share() {
        let slots = Slots::new();
        let mut held = Vec::new();
        for one in 0..u8::try_from(MOST_AWAY / SHARE).expect("a few") {
            let mine: Vec<_> = (0..=SHARE).map_while(|_| taken(&slots, asker(one))).collect();
            assert_eq!(mine.len(), SHARE, "{one}");
            held.push(mine);
        }
        assert!(taken(&slots, asker(99)).is_none(), "all are taken");
        let lying_here: Vec<_> =
            (0..=MOST_HERE).map_while(|_| slots.here().now_or_never().flatten()).collect();
        assert_eq!(lying_here.len(), MOST_HERE, "that is another matter");
        held.pop();
        assert!(taken(&slots, asker(99)).is_some());
        assert!(taken(&slots, asker(0)).is_none(), "its share is used up all the same");
    }

    #[test]
    fn callers_without_transfers_are_forgotten() {
        let slots = Slots::new();
        for one in 0..200 {
            assert!(taken(&slots, asker(one)).is_some());
        }
        let _mine = taken(&slots, Asker::Machine);
        assert_eq!(slots.shares.lock().expect("no one broke it").len(), 1);
    }
}
