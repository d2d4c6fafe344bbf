//! What was sent and what failed in each hour of the last day, as bars of an SVG. Pure.

use std::time::Duration;

use domain::Timestamp;
use health::Amount;

/// The drawing in its own units: ten for an hour.
pub(crate) const WIDTH: usize = 240;
const HEIGHT: f64 = 40.0;

/// In microseconds.
const HOUR: i64 = 3_600_000_000;

/// The bars of an hour: what was sent from the bottom up, what failed on top of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Hour {
    /// When it began.
    pub(crate) from: Timestamp,
    pub(crate) amount: Amount,
    /// Where it is drawn from the left.
    pub(crate) x: usize,
    /// The height of both bars; what is there is never shown as nothing.
    pub(crate) heights: [f64; 2],
}

impl Hour {
    /// Where the bar of what was sent begins.
    pub(crate) fn sent_y(&self) -> String {
        number(HEIGHT - self.heights[0])
    }

    /// Where the bar of what failed begins.
    pub(crate) fn failed_y(&self) -> String {
        number(HEIGHT - self.heights[0] - self.heights[1])
    }

    pub(crate) fn height(&self, bar: usize) -> String {
        number(self.heights.get(bar).copied().unwrap_or_default())
    }
}

fn number(value: f64) -> String {
    format!("{value:.1}")
}

/// The hours with their bars, oldest first; the last one is the hour of `now`.
pub(crate) fn hours(amounts: &[Amount; 24], now: Timestamp) -> Vec<Hour> {
    const LEAST: f64 = 1.5;
    let both = |amount: &Amount| f64::from(amount.sent) + f64::from(amount.failed);
    let most = amounts.iter().map(both).fold(1.0, f64::max);
    let room = HEIGHT - 2.0 * LEAST;
    let height = |count: u32| if count == 0 { 0.0 } else { LEAST + f64::from(count) / most * room };
    let begun = Timestamp::from_micros(now.as_micros() - now.as_micros().rem_euclid(HOUR));
    let ago = |place: usize| Duration::from_hours(23_u64.saturating_sub(place as u64));
    let hour = |(place, amount): (usize, &Amount)| Hour {
        from: begun.minus(ago(place)),
        amount: *amount,
        x: place * WIDTH / 24,
        heights: [height(amount.sent), height(amount.failed)],
    };
    amounts.iter().enumerate().map(hour).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_last_bar_is_of_the_hour_that_runs() {
        let now: Timestamp = "2026-11-20T11:07:31.5Z".parse().expect("a time");
        let mut amounts = [Amount::default(); 24];
        amounts[23] = Amount { sent: 30, failed: 10 };
        let hours = hours(&amounts, now);
        assert_eq!(hours[23].from.minus(Duration::from_hours(23)), hours[0].from);
        assert_eq!(now.since(hours[23].from).as_secs(), 7 * 60 + 31);
        assert_eq!((hours[23].failed_y(), hours[23].height(0)), ("0.0".to_owned(), "29.2".to_owned()));
        assert_eq!((hours[0].height(0), hours[0].height(1)), ("0.0".to_owned(), "0.0".to_owned()));
    }

    proptest! {
        #[test]
        fn every_bar_lies_in_the_drawing(counts in proptest::collection::vec((0_u32..9_000, 0_u32..9_000), 24)) {
            let amounts = std::array::from_fn(|at| Amount { sent: counts[at].0, failed: counts[at].1 });
            for hour in hours(&amounts, Timestamp::default()) {
                let [sent, failed] = hour.heights;
                prop_assert!(sent + failed <= HEIGHT + 0.001 && sent >= 0.0 && failed >= 0.0);
                prop_assert_eq!((sent > 0.0, failed > 0.0), (hour.amount.sent > 0, hour.amount.failed > 0));
            }
        }
    }
}
