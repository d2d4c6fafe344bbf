//! New ids: version 7 UUIDs, which sort by the time they were made.

use std::sync::{Arc, Mutex, PoisonError};

use uuid::{ContextV7, Timestamp as UuidTime, Uuid};

use crate::Clock;

/// Makes ids that grow, also within one millisecond and when the clock is set back. Cheap to clone.
#[derive(Clone)]
pub struct Ids {
    clock: Clock,
    made: Arc<Mutex<Made>>,
}

struct Made {
    context: ContextV7,
    last: Uuid,
}

impl Ids {
    /// Ids whose leading bits are this clock's time.
    pub fn new(clock: Clock) -> Self {
        Self { clock, made: Arc::new(Mutex::new(Made { context: ContextV7::new(), last: Uuid::nil() })) }
    }

    /// Makes sure that all further ids are larger than this one, which an earlier run made.
    pub fn follow(&self, earlier: Uuid) {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.last = made.last.max(earlier);
    }

    /// The next id; larger than any this has made or followed.
    pub fn next(&self) -> Uuid {
        let micros = u64::try_from(self.clock.now().as_micros()).unwrap_or(0);
        let nanos = u32::try_from(micros % 1_000_000).unwrap_or(0) * 1_000;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = Uuid::new_v7(UuidTime::from_unix(&made.context, micros / 1_000_000, nanos));
        let after_last = Uuid::from_u128(made.last.as_u128().saturating_add(1));
        made.last = fresh.max(after_last);
        made.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow() {
        let ids = Ids::new(Clock::system());
        let made: Vec<Uuid> = (0..1_000).map(|_| ids.next()).collect();
        assert!(made.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn ids_grow_past_those_of_a_run_whose_clock_was_ahead() {
        let ids = Ids::new(Clock::system());
        let ahead = Uuid::from_u128(u128::MAX / 2);
        ids.follow(ahead);
        assert!(ids.next() > ahead && ids.next() > ahead);
    }
}
