//! How long the stages of runs took, as bars of an SVG: each twice as wide in time as the one before. Pure.

use api::FlowStageTimes;

/// The upper end of the first bar, in microseconds.
const FIRST: u64 = 64;

const HEIGHT: u64 = 40;

/// The least height of a bar that counts something.
const LEAST: u64 = 3;

/// In the drawing's own units.
pub(super) const BAR: usize = 10;

/// A bar of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bar {
    pub(super) x: usize,
    pub(super) y: u64,
    pub(super) height: u64,
    pub(super) count: u64,
    /// The longest time that it counts, in microseconds.
    pub(super) end: u64,
}

/// A stage with its bars, from the same time to the same time as those of the other stages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Drawn<'a> {
    pub(super) times: &'a FlowStageTimes,
    pub(super) bars: Vec<Bar>,
}

/// Draws all stages of a flow.
pub(super) fn drawn(stages: &[FlowStageTimes]) -> Vec<Drawn<'_>> {
    let counts = |stage: &FlowStageTimes| stage.histogram.iter().position(|count| *count > 0);
    let first = stages.iter().filter_map(counts).min().unwrap_or_default();
    let last = stages.iter().map(|stage| stage.histogram.len()).max().unwrap_or_default();
    let draw = |times| Drawn { times, bars: bars(times, first, last) };
    stages.iter().map(draw).collect()
}

fn bars(times: &FlowStageTimes, first: usize, last: usize) -> Vec<Bar> {
    let most = times.histogram.iter().copied().max().unwrap_or_default().max(1);
    let bar = |place: usize| {
        let count = times.histogram.get(place).copied().unwrap_or_default();
        let height = if count == 0 { 0 } else { (count.saturating_mul(HEIGHT) / most).max(LEAST) };
        let end = FIRST.saturating_mul(1 << place.min(50));
        Bar { x: (place - first) * BAR, y: HEIGHT - height.min(HEIGHT), height, count, end }
    };
    (first..last).map(bar).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn times(histogram: Vec<u64>) -> FlowStageTimes {
        FlowStageTimes {
            stage: "press".to_owned(),
            count: 0,
            p50_us: 0,
            p90_us: 0,
            p99_us: 0,
            most_us: 0,
            histogram,
        }
    }

    #[test]
    fn stages_are_drawn_over_the_same_times() {
        let stages = [times(vec![0, 2, 1]), times(vec![0, 0, 0, 4])];
        let drawn = drawn(&stages);
        let ends: Vec<Vec<u64>> =
            drawn.iter().map(|stage| stage.bars.iter().map(|bar| bar.end).collect()).collect();
        assert_eq!(ends, [[128, 256, 512], [128, 256, 512]]);
        let heights: Vec<u64> = drawn[0].bars.iter().map(|bar| bar.height).collect();
        assert_eq!(heights, [40, 20, 0]);
        assert_eq!(super::drawn(&[]), []);
    }

    proptest! {
        #[test]
        fn each_bar_fits_and_what_counts_is_seen(histogram in prop::collection::vec(any::<u32>(), 0..24)) {
            let stages = [times(histogram.into_iter().map(u64::from).collect())];
            for bar in &drawn(&stages)[0].bars {
                prop_assert_eq!(bar.y + bar.height, HEIGHT);
                prop_assert_eq!(bar.height > 0, bar.count > 0);
            }
        }
    }
}
