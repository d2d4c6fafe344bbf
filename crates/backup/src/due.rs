//! When the next backup is due, and when the newest is too old. Pure.

use std::time::Duration;

use domain::Timestamp;

use super::history::History;

/// A new data directory gets its first backup so soon: by then its accounts are likely to be in it.
const FIRST: Duration = Duration::from_mins(30);

/// After an attempt that came to nothing the next one is made so much later at the latest.
const AGAIN: Duration = Duration::from_hours(1);

/// How old the newest may be where none is made by itself.
const OLD: Duration = Duration::from_hours(7 * 24);

/// How old the newest may be.
pub fn oldest(every: Duration) -> Duration {
    let day = Duration::from_hours(24);
    // One that came to nothing is tried again within the hour; a machine may be off for a night.
    if every.is_zero() { OLD } else { every.saturating_mul(2).max(every.saturating_add(day)) }
}

/// When the next one is due; never when none is made by itself (`every` is zero).
pub fn due(history: &History, every: Duration, now: Timestamp) -> Option<Timestamp> {
    if every.is_zero() {
        return None;
    }
    let latest = history.attempts.last().map_or(history.since, |last| last.at);
    // A clock that ran ahead and was set back: what was written down before says nothing of now.
    if latest > now {
        return Some(now);
    }
    let newest = history.newest().map(|made| made.at).filter(|at| *at <= latest).map(|at| at.plus(every));
    let again = history.failing().map(|failed| failed.at.plus(every.min(AGAIN)));
    Some(match (newest, again) {
        // One that was asked for by hand and failed does not bring the next one forward.
        (Some(newest), Some(again)) => newest.max(again),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => history.since.plus(FIRST.min(every)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Attempt, AttemptBy, BackupName};
    use proptest::prelude::*;

    const DAY: Duration = Duration::from_hours(24);

    fn at(hours: u64) -> Timestamp {
        Timestamp::from_micros(1_893_456_000_000_000).plus(Duration::from_hours(hours))
    }

    fn history(attempts: &[(u64, bool)]) -> History {
        let mut history = History::begun(at(0));
        for &(hour, well) in attempts {
            let came = if well { Ok(1) } else { Err("the disk is full".to_owned()) };
            let by = AttemptBy::Schedule;
            history.add(Attempt {
                name: BackupName::of(at(hour)),
                at: at(hour),
                by,
                came,
                proof: None,
                untried: None,
            });
        }
        history
    }

    #[test]
    fn the_first_comes_soon_and_then_one_each_time() {
        assert_eq!(due(&history(&[]), DAY, at(0)), Some(at(0).plus(FIRST)));
        assert_eq!(due(&history(&[(1, true)]), DAY, at(2)), Some(at(25)));
        assert_eq!(due(&history(&[(1, true)]), Duration::ZERO, at(2)), None);
    }

    #[test]
    fn the_newest_may_be_as_old_as_two_of_them() {
        for (every, most) in [(0, 7 * 24), (1, 25), (24, 48), (48, 96)] {
            assert_eq!(oldest(Duration::from_hours(every)), Duration::from_hours(most), "{every}");
        }
        assert_eq!(oldest(Duration::MAX), Duration::MAX);
    }

    #[test]
    fn after_a_failure_it_is_tried_again_soon() {
        assert_eq!(due(&history(&[(1, true), (25, false)]), DAY, at(25)), Some(at(26)));
        assert_eq!(due(&history(&[(1, false)]), DAY, at(1)), Some(at(2)));
        // By hand, ahead of time: the next one is not earlier for it.
        assert_eq!(due(&history(&[(1, true), (2, false)]), DAY, at(2)), Some(at(25)));
    }

    proptest! {
        #[test]
        fn the_next_is_due_within_one_interval_and_never_at_once(
            attempts in proptest::collection::vec((0_u64..2000, any::<bool>()), 0..6),
            begun in 0_u64..2000, now in 0_u64..2000, every in 1_u64..100,
        ) {
            let every = Duration::from_hours(every);
            let mut history = History { since: at(begun), ..history(&attempts) };
            let next = due(&history, every, at(now)).expect("some time");
            prop_assert!(next <= at(now).plus(every));
            // It comes: one who waits until then, and adds one, waits again for as long.
            let then = next.max(at(now));
            prop_assert!(due(&history, every, then).is_some_and(|again| again <= then));
            history.add(Attempt {
                name: BackupName::of(then), at: then, by: AttemptBy::Schedule, came: Ok(1), proof: None, untried: None
            });
            prop_assert_eq!(due(&history, every, then), Some(then.plus(every)));
        }
    }
}
