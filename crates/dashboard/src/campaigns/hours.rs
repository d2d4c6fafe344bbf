//! What a campaign sent in each hour against what it may send, as bars of an SVG below a line. Pure.

use api::{CampaignHour, CampaignHours};

/// The drawing in its own units: ten for an hour.
pub(super) const BAR: usize = 10;
pub(super) const HEIGHT: u64 = 40;

/// The least height of a bar that counts something.
const LEAST: u64 = 2;

/// The bar of an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bar {
    pub(super) x: usize,
    pub(super) y: u64,
    pub(super) height: u64,
}

/// The hours with their bars, and how high the line of the limit is.
pub(super) fn drawn(hours: &CampaignHours) -> (Vec<(&CampaignHour, Bar)>, u64) {
    let most = hours.hours.iter().map(|hour| hour.sent).max().unwrap_or_default().max(hours.per_hour).max(1);
    let height = |count: u64| match count {
        0 => 0,
        count => {
            let part = u128::from(count) * u128::from(HEIGHT - 1) / u128::from(most);
            u64::try_from(part).unwrap_or(HEIGHT).max(LEAST)
        }
    };
    let bar = |place: usize, sent: u64| {
        let height = height(sent);
        Bar { x: place * BAR, y: HEIGHT - height, height }
    };
    let bars = hours.hours.iter().enumerate().map(|(place, hour)| (hour, bar(place, hour.sent))).collect();
    (bars, HEIGHT - height(hours.per_hour))
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn hours(per_hour: u64, sent: Vec<u64>) -> CampaignHours {
        let hour = |sent| CampaignHour { began_at: Timestamp::default(), sent };
        CampaignHours { per_hour, hours: sent.into_iter().map(hour).collect() }
    }

    #[test]
    fn a_full_hour_reaches_the_line() {
        let full = hours(50, vec![0, 50, 25]);
        let (bars, limit) = drawn(&full);
        let heights: Vec<_> = bars.iter().map(|(_, bar)| bar.height).collect();
        assert_eq!((heights, limit), (vec![0, 39, 19], 1));
        // A limit that was lowered is below what was sent before.
        let lowered = hours(10, vec![20]);
        let (bars, limit) = drawn(&lowered);
        assert_eq!((bars[0].1.y, limit), (1, 21));
    }

    proptest! {
        #[test]
        fn each_bar_fits_and_what_counts_is_seen(per_hour: u64, sent in prop::collection::vec(any::<u64>(), 0..24)) {
            let hours = hours(per_hour, sent);
            let (bars, limit) = drawn(&hours);
            prop_assert!(limit <= HEIGHT);
            for (hour, bar) in bars {
                prop_assert_eq!(bar.y + bar.height, HEIGHT);
                prop_assert_eq!(bar.height > 0, hour.sent > 0);
            }
        }
    }
}
