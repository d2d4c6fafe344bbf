//! Sends that had no clear answer, and when each of them ended: for a while it may still have an effect.

use std::collections::VecDeque;
use std::time::Duration;

/// The most that are remembered.
const REMEMBERED: usize = 1_000;

/// Their keys, and when the last attempt of each ended, by the clock's running time.
#[derive(Default)]
pub(crate) struct UnclearSends(VecDeque<(i64, Duration)>);

impl UnclearSends {
    /// An attempt ended at this time.
    pub(crate) fn note(&mut self, key: i64, at: Duration) {
        self.0.retain(|(known, _)| *known != key);
        if self.0.len() >= REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back((key, at));
    }

    /// When the last attempt ended; none where there was none since the program started.
    pub(crate) fn ended(&self, key: i64) -> Option<Duration> {
        self.0.iter().find(|(known, _)| *known == key).map(|(_, at)| *at)
    }
}
