//! How much may be written, and what has to go for it: the oldest first, whole segments.

/// When less than this is free on the disk, the logs stop growing: the last bytes belong to messages.
const LEAVE_FREE: u64 = 64 << 20;

/// What the files of a store take up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage<'a> {
    /// The segments, the oldest first.
    pub(crate) segments: &'a [u64],
    pub(crate) open: u64,
}

impl Usage<'_> {
    pub(crate) fn total(self) -> u64 {
        self.segments.iter().fold(self.open, |total, size| total.saturating_add(*size))
    }

    /// How many of the oldest segments must go before `needed` bytes may be written; nothing when there is no way.
    ///
    /// `free` is what the disk has left, if that is known.
    pub(crate) fn to_remove(self, needed: u64, budget: u64, free: Option<u64>) -> Option<usize> {
        let mut total = self.total();
        let allowed = match free {
            Some(free) if free < LEAVE_FREE => budget.min(total),
            _ => budget,
        };
        let mut removed = 0;
        while total.saturating_add(needed) > allowed {
            total -= self.segments.get(removed)?;
            removed += 1;
        }
        Some(removed)
    }
}

/// The sizes in which a store of some budget writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// The raw bytes after which a block is packed.
    pub(crate) block: usize,
    /// The bytes after which the next segment begins.
    pub(crate) segment: u64,
}

impl Sizes {
    pub(crate) fn of(budget: u64) -> Self {
        let part = budget / 16;
        Self {
            block: usize::try_from(part).unwrap_or(usize::MAX).clamp(16 << 10, 1 << 20),
            segment: part.clamp(16 << 10, 16 << 20),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn removal_keeps_the_budget_and_removes_no_more(
            segments in prop::collection::vec(0_u64..1000, 0..10),
            open in 0_u64..1000,
            needed in 0_u64..1000,
            budget in 0_u64..5000,
            free in prop::option::of(prop_oneof![0..LEAVE_FREE, Just(LEAVE_FREE)]),
        ) {
            let usage = Usage { segments: &segments, open };
            let low = free.is_some_and(|free| free < LEAVE_FREE);
            let allowed = if low { budget.min(usage.total()) } else { budget };
            let left = |removed: usize| Usage { segments: &segments[removed..], open }.total();
            match usage.to_remove(needed, budget, free) {
                Some(removed) => {
                    prop_assert!(left(removed) + needed <= allowed);
                    prop_assert!(removed == 0 || left(removed - 1) + needed > allowed);
                }
                None => prop_assert!(open + needed > allowed),
            }
        }
    }
}
