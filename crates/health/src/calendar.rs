//! Minutes by number: they follow each other whatever is done to the clock. Pure.

use std::time::Duration;

use domain::Timestamp;

const MINUTE: Duration = Duration::from_mins(1);
/// How near to a full minute counts as being on it.
const NEAR_MICROS: i64 = 5_000_000;
const MINUTE_MICROS: i64 = 60_000_000;

/// Numbers the minutes of this run, on from those of the last one.
///
/// The first number of all is that of the minute since 1970, so that hours and days begin where people expect it. From
/// then on a monotonic clock counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Calendar {
    first: i64,
    /// The reading of the monotonic clock at which that minute would have begun; less than zero is written as the
    /// time by which it began earlier.
    begun: Begun,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begun {
    At(Duration),
    EarlierBy(Duration),
}

impl Calendar {
    /// `last` is the minute of the last round of an earlier run, and the time of day it had. While the program was down
    /// only the time of day shows how long that was; a time before the last round shows nothing, and the next minute
    /// follows at once.
    pub(crate) fn begin(last: Option<(i64, Timestamp)>, now: Timestamp, running: Duration) -> Self {
        let minute_of = |at: Timestamp| at.as_micros().div_euclid(MINUTE_MICROS);
        let first = match last {
            None => minute_of(now),
            Some((minute, at)) if now >= at => minute.saturating_add(minute_of(now) - minute_of(at)),
            Some((minute, _)) => minute.saturating_add(1),
        };
        let into =
            Duration::from_micros(u64::try_from(now.as_micros().rem_euclid(MINUTE_MICROS)).unwrap_or(0));
        let begun = match running.checked_sub(into) {
            Some(begun) => Begun::At(begun),
            None => Begun::EarlierBy(into.saturating_sub(running)),
        };
        Self { first, begun }
    }

    fn since_first(&self, running: Duration) -> Duration {
        match self.begun {
            Begun::At(begun) => running.saturating_sub(begun),
            Begun::EarlierBy(earlier) => running.saturating_add(earlier),
        }
    }

    pub(crate) fn minute(&self, running: Duration) -> i64 {
        let minutes = self.since_first(running).as_secs() / MINUTE.as_secs();
        self.first.saturating_add(i64::try_from(minutes).unwrap_or(i64::MAX))
    }

    /// The minute in which something was at a time of the clock on the wall, counted back from the present.
    pub(crate) fn minute_of(&self, at: Timestamp, now: Timestamp, running: Duration) -> i64 {
        let number = |at: Timestamp| at.as_micros().div_euclid(MINUTE_MICROS);
        self.minute(running).saturating_sub(number(now).saturating_sub(number(at)))
    }

    /// When a minute began, counted back from the present: on the full minute where the clock on the wall is about there.
    pub(crate) fn begun_at(&self, minute: i64, now: Timestamp, running: Duration) -> Timestamp {
        let into = self.since_first(running).as_micros() % MINUTE.as_micros();
        let back = self.minute(running).saturating_sub(minute);
        let into = i64::try_from(into).unwrap_or(0);
        let micros = now.as_micros().saturating_sub(into).saturating_sub(back.saturating_mul(MINUTE_MICROS));
        Timestamp::from_micros(on_the_minute(micros))
    }
}

/// The two clocks are read one after the other, and that of the wall is set right by little steps all the time: a
/// minute that begins a moment early would be shown as the one before it.
fn on_the_minute(micros: i64) -> i64 {
    let past = micros.rem_euclid(MINUTE_MICROS);
    let (down, up) = (micros.saturating_sub(past), micros.saturating_add(MINUTE_MICROS - past));
    if past <= NEAR_MICROS {
        down
    } else if past >= MINUTE_MICROS - NEAR_MICROS {
        up
    } else {
        micros
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn a_restart_leaves_a_gap_and_a_clock_set_back_leaves_none() {
        let run = Calendar::begin(None, at(6_000_030), Duration::ZERO);
        assert_eq!(run.minute(Duration::ZERO), 100_000);
        assert_eq!(run.minute(Duration::from_secs(29)), 100_000);
        assert_eq!(run.minute(Duration::from_secs(30)), 100_001);
        let last = Some((100_001, at(6_000_070)));
        let next =
            |now| Calendar::begin(last, at(now), Duration::from_secs(5)).minute(Duration::from_secs(5));
        assert_eq!(next(6_000_100), 100_001, "the same minute goes on");
        assert_eq!(next(6_000_130), 100_002);
        assert_eq!(next(6_003_670), 100_061);
        assert_eq!(next(6_000_000 - 3_600), 100_002, "set back: the next minute");
    }

    #[test]
    fn a_minute_begins_where_the_clock_on_the_wall_says() {
        let run = Calendar::begin(None, at(6_000_030), Duration::from_secs(100));
        assert_eq!(run.begun_at(100_000, at(6_000_030), Duration::from_secs(100)), at(6_000_000));
        assert_eq!(run.begun_at(99_999, at(6_000_040), Duration::from_secs(110)), at(5_999_940));
        let minute_of = |then| run.minute_of(at(then), at(6_000_030), Duration::from_secs(100));
        assert_eq!([6_000_000, 5_999_999, 5_996_400].map(minute_of), [100_000, 99_999, 99_940]);
        // The clock was set back by an hour: the dots move with it and stay a minute apart.
        assert_eq!(run.begun_at(99_999, at(5_996_440), Duration::from_secs(110)), at(5_996_340));
        // A moment between the looks at the two clocks, and a clock that was moved a little, are no other minute.
        for moved in [-4_999_999, -1, 1, 4_999_999] {
            let now = Timestamp::from_micros(6_000_030_000_000 + moved);
            assert_eq!(run.begun_at(100_000, now, Duration::from_secs(100)), at(6_000_000), "{moved}");
        }
        assert_eq!(run.begun_at(100_000, at(6_000_036), Duration::from_secs(100)), at(6_000_006));
    }

    proptest! {
        /// However often the program is started, and whatever the clock shows then: numbers never go back, and while it
        /// runs they go on with the time that passes.
        #[test]
        fn minutes_never_go_back(
            runs in prop::collection::vec((0_i64..4_000_000_000, prop::collection::vec(0_u64..400, 1..8)), 1..6),
        ) {
            let mut last: Option<(i64, Timestamp)> = None;
            for (now, steps) in runs {
                let mut running = Duration::from_secs(3);
                let calendar = Calendar::begin(last, at(now), running);
                let begun = calendar.minute(running);
                prop_assert!(last.is_none_or(|(minute, _)| begun >= minute));
                let mut shown = at(now);
                for step in steps {
                    let before = calendar.minute(running);
                    running += Duration::from_secs(step);
                    shown = shown.plus(Duration::from_secs(step));
                    let minute = calendar.minute(running);
                    let passed = u64::try_from(minute - before).expect("it goes on");
                    prop_assert!(passed >= step / 60 && passed <= step / 60 + 1);
                    last = Some((minute, shown));
                }
            }
        }
    }
}
