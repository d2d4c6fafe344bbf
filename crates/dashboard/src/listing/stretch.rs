//! A stretch of time that a filter names: a range such as the last two hours, or from and to as the visitor's clock has them.

use std::time::Duration;

use domain::Timestamp;
use jiff::civil::DateTime;
use serde::Deserialize;

use crate::visitor::Zone;

/// The ranges that are offered, by their words in addresses.
const RANGES: [(&str, Duration); 4] = [
    ("15m", Duration::from_mins(15)),
    ("2h", Duration::from_hours(2)),
    ("1d", Duration::from_hours(24)),
    ("7d", Duration::from_hours(7 * 24)),
];

/// What a form says about time, as it stands there. What cannot be read means nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Stretch {
    /// One of the ranges that end now.
    pub(crate) range: String,
    /// The first minute, on the visitor's wall.
    pub(crate) from: String,
    /// The last minute, on the visitor's wall.
    pub(crate) to: String,
}

impl Stretch {
    /// The words of the ranges.
    pub(crate) fn ranges() -> impl Iterator<Item = &'static str> {
        RANGES.into_iter().map(|(word, _)| word)
    }

    /// Whether times were written out.
    pub(crate) fn is_exact(&self) -> bool {
        !self.from.is_empty() || !self.to.is_empty()
    }

    /// The range that is chosen; written-out times win over it.
    pub(crate) fn range(&self) -> Option<(&'static str, Duration)> {
        RANGES.into_iter().find(|(word, _)| *word == self.range && !self.is_exact())
    }

    /// The first instant of it.
    pub(crate) fn since(&self, zone: Zone, now: Timestamp) -> Option<Timestamp> {
        match self.range() {
            Some((_, length)) => Some(now.minus(length)),
            None => instant(&self.from, zone),
        }
    }

    /// The first instant after it: the minute that was written belongs to it.
    pub(crate) fn until(&self, zone: Zone) -> Option<Timestamp> {
        instant(&self.to, zone).map(|at| at.plus(Duration::from_mins(1)))
    }
}

/// A date and time as `<input type="datetime-local">` writes it.
fn instant(text: &str, zone: Zone) -> Option<Timestamp> {
    zone.instant(text.trim().parse::<DateTime>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn times_are_those_of_the_visitors_wall() {
        let zone = Zone::from_word("180").expect("a zone");
        let now = at("2026-11-20T11:07:31Z");
        let exact =
            Stretch { from: "2026-11-20T12:07".into(), to: "2026-11-20T14:07".into(), ..Stretch::default() };
        assert_eq!(exact.since(zone, now), Some(at("2026-11-20T09:07:00Z")));
        assert_eq!(exact.until(zone), Some(at("2026-11-20T11:08:00Z")));
        let range = Stretch { range: "2h".into(), ..Stretch::default() };
        assert_eq!((range.since(zone, now), range.until(zone)), (Some(at("2026-11-20T09:07:31Z")), None));
        let both = Stretch { range: "2h".into(), ..exact };
        assert_eq!(both.since(zone, now), Some(at("2026-11-20T09:07:00Z")));
    }

    #[test]
    fn what_cannot_be_read_means_nothing() {
        for wrong in ["", "yesterday", "2026-13-01T00:00", "9999-99-99"] {
            let stretch = Stretch { range: wrong.into(), from: wrong.into(), to: wrong.into() };
            assert_eq!(stretch.since(Zone::default(), Timestamp::default()), None, "{wrong}");
            assert_eq!(stretch.until(Zone::default()), None, "{wrong}");
        }
    }
}
