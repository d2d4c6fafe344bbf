//! What the checks of health ask of the accounts: all that they know of the pool.

use std::sync::Arc;

use ambient::Clock;
use domain::{AccountName, Service};
use store::Store;
use tokio::sync::watch;

use super::Pool;
use super::services::ServiceView;
use crate::account::view::AccountView;
use crate::calls::CallsCounted;
use crate::flood_clearing::FloodClearing;

/// The accounts and services as health sees and switches them.
pub struct Monitor {
    pool: Arc<Pool>,
    pub clearing: FloodClearing,
}

impl Monitor {
    pub fn new(pool: Arc<Pool>, store: Store, clock: Clock) -> Self {
        Self { clearing: FloodClearing::new(store, Arc::clone(&pool), clock), pool }
    }

    pub fn accounts(&self) -> Vec<AccountView> {
        self.pool.accounts()
    }

    pub fn services(&self) -> Vec<ServiceView> {
        self.pool.services()
    }

    /// The services that nothing is asked of Telegram for.
    pub fn quiesced(&self) -> Vec<Service> {
        self.pool.quiesced()
    }

    /// The calls of all accounts since the start.
    pub fn calls(&self) -> Vec<CallsCounted> {
        self.pool.calls()
    }

    /// Changes whenever an account, a service or the clearing may have.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.pool.changes.subscribe()
    }

    /// Makes a line call Telegram now, if it is connected; `line` is its index in [`AccountView::lines`].
    pub fn probe(&self, account: &AccountName, line: usize) {
        self.pool.probe(account, line);
    }
}
