//! Messages that were sent lately and whose ids are known: none of them is one that is looked for.

use std::collections::VecDeque;

use ambient::lock::Mutex;

use crate::stored_values::StoredValues;

/// As many ids are remembered.
const REMEMBERED: usize = 10_000;

/// Their ids at the provider. Two messages with the same text differ by it.
#[derive(Default)]
pub(crate) struct Recent(Mutex<VecDeque<String>>);

impl Recent {
    /// With those that were sent before the program started.
    pub(crate) fn of(kept: &StoredValues) -> Self {
        Self(Mutex::new(kept.sent().iter().cloned().collect()))
    }

    pub(crate) fn add(&self, id: &str) {
        let mut all = self.0.lock();
        if all.len() >= REMEMBERED {
            all.pop_front();
        }
        all.push_back(id.to_owned());
    }

    pub(crate) fn has(&self, id: &str) -> bool {
        self.0.lock().iter().any(|known| known == id)
    }
}
