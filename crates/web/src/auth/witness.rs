//! Who made a request, and what was demanded of them: the check of the caller leaves it for what runs around the handler.

use std::sync::{Arc, OnceLock};

use super::caller::Caller;
use super::demand::Demand;

/// Where the check of the caller leaves who it is. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Witness(Arc<OnceLock<(Caller, Demand)>>);

impl Witness {
    pub(super) fn saw(&self, caller: &Caller, demand: Demand) {
        // The first look at a request is the one that counts.
        let _ = self.0.set((caller.clone(), demand));
    }

    /// The caller, once it was checked.
    pub(crate) fn caller(&self) -> Option<&Caller> {
        self.0.get().map(|(caller, _)| caller)
    }

    /// The caller and what was demanded of it.
    pub(super) fn seen(&self) -> Option<&(Caller, Demand)> {
        self.0.get()
    }
}
