//! Whether a proxy is sick: through it too many chats are not found.

use std::collections::VecDeque;

/// The latest searches that count.
const LATEST: usize = 50;
/// With fewer nothing is said.
const LEAST: usize = 10;
/// The share of chats that are not found from which on the proxy is sick, in percent.
const THRESHOLD: usize = 40;

/// What came of the latest searches of a profile.
#[derive(Debug, Default)]
pub(crate) struct Sickness(VecDeque<bool>);

impl Sickness {
    /// A search ended; whether its chat was found.
    pub(crate) fn searched(&mut self, found: bool) {
        if self.0.len() == LATEST {
            self.0.pop_front();
        }
        self.0.push_back(found);
    }

    /// Whether more than the threshold were not found.
    pub(crate) fn is_sick(&self) -> bool {
        let missing = self.0.iter().filter(|found| !**found).count();
        self.0.len() >= LEAST && missing * 100 > self.0.len() * THRESHOLD
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn only_enough_searches_and_a_share_above_the_threshold_count(
            searches in prop::collection::vec(any::<bool>(), 0..120),
        ) {
            let mut sickness = Sickness::default();
            for found in &searches {
                sickness.searched(*found);
            }
            let latest = &searches[searches.len().saturating_sub(LATEST)..];
            let missing = latest.iter().filter(|found| !**found).count();
            let share = missing * 100;
            prop_assert_eq!(sickness.is_sick(), latest.len() >= 10 && share > latest.len() * 40);
        }
    }
}
