//! Lines and errors over a stretch of time, as bars of an SVG. Pure.

use std::time::Duration;

use ::logs::Bucket;
use domain::Timestamp;

const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 40.0;
/// The bars that a drawing has at most, about.
const BARS: u64 = 120;

/// The lengths that a bar may stand for, in seconds.
const LENGTHS: [u64; 12] = [1, 5, 15, 30, 60, 120, 300, 900, 1_800, 3_600, 7_200, 21_600];

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bar {
    pub(super) x: String,
    pub(super) y: String,
    pub(super) width: String,
    pub(super) height: String,
    pub(super) of_errors: bool,
}

/// How long a bar is, for a stretch of this length.
pub(super) fn length(stretch: Duration) -> Duration {
    let wanted = stretch.as_secs() / BARS;
    let found = LENGTHS.into_iter().find(|length| *length >= wanted);
    Duration::from_secs(found.unwrap_or_else(|| stretch.as_secs().div_ceil(BARS)))
}

pub(super) fn axis(since: Timestamp, until: Timestamp) -> Vec<Timestamp> {
    let quarter = until.since(since) / 4;
    (0..=4).map(|place| since.plus(quarter * place)).collect()
}

/// The bars of the counts; what is there is never shown as nothing.
#[expect(clippy::cast_precision_loss, reason = "a drawing of 600 by 40")]
pub(super) fn bars(buckets: &[Bucket]) -> Vec<Bar> {
    let most = buckets.iter().map(|bucket| bucket.lines).max().unwrap_or(0).max(1) as f64;
    let step = WIDTH / buckets.len().max(1) as f64;
    let bar = |place: usize, count: u64, of_errors| {
        let height = (count as f64 / most * HEIGHT).max(1.5);
        let number = |value: f64| format!("{value:.1}");
        Bar {
            x: number(place as f64 * step),
            y: number(HEIGHT - height),
            width: number((step - 1.0).max(0.8)),
            height: number(height),
            of_errors,
        }
    };
    let mut bars = Vec::new();
    for (place, bucket) in buckets.iter().enumerate() {
        if bucket.lines > 0 {
            bars.push(bar(place, bucket.lines, false));
        }
        if bucket.errors > 0 {
            bars.push(bar(place, bucket.errors, true));
        }
    }
    bars
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_bar_lies_in_the_drawing(counts in proptest::collection::vec((0_u64..10_000, 0_u64..10_000), 0..200)) {
            let buckets: Vec<Bucket> = counts.iter().map(|(lines, errors)| Bucket {
                start: Timestamp::default(), lines: lines + errors, errors: *errors,
            }).collect();
            let bars = bars(&buckets);
            prop_assert_eq!(bars.iter().filter(|bar| bar.of_errors).count(), counts.iter().filter(|(_, errors)| *errors > 0).count());
            for bar in bars {
                let number = |text: &str| text.parse::<f64>().expect("a number");
                prop_assert!(number(&bar.x) >= 0.0 && number(&bar.x) + number(&bar.width) <= WIDTH + 0.9);
                prop_assert!((number(&bar.y) + number(&bar.height) - HEIGHT).abs() < 0.11);
            }
        }

        #[test]
        fn a_stretch_has_no_more_bars_than_fit(seconds in 60_u64..10_000_000) {
            let length = length(Duration::from_secs(seconds));
            prop_assert!(seconds / length.as_secs().max(1) <= 2 * BARS, "{length:?}");
        }
    }
}
