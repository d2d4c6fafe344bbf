//! Instants as the product stores and shows them: microseconds since 1970, RFC 3339 in UTC outside.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::lenient;

/// Counts of seconds since 1970 are read from 2001 on; a smaller number is something else.
const FIRST_COUNTED: u64 = 1_000_000_000_000_000;

/// An instant in UTC, exact to the microsecond. Sorts by time; stored as a 64-bit integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// Text that is no RFC 3339 instant.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is no RFC 3339 time; write it like 2030-01-31T12:00:00Z")]
pub struct InvalidTimestamp(String);

impl Timestamp {
    /// From microseconds since 1970-01-01T00:00:00Z.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This instant moved into the future; stays at the end of time rather than overflow.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// This instant moved into the past; stays at the beginning of time rather than overflow.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// The first whole second that is not before it, as text for sentences: no one reads microseconds of a deadline.
    pub fn to_the_second(self) -> impl fmt::Display {
        let second = self.0.div_euclid(1_000_000).saturating_add(i64::from(self.0.rem_euclid(1_000_000) > 0));
        fmt::from_fn(move |f| match jiff::Timestamp::from_second(second) {
            Ok(instant) => write!(f, "{instant:.0}"),
            Err(_) => write!(f, "{second}s"),
        })
    }

    /// This instant as another program reported it, or `now` where no clock can have said it: before the year 2000 or more than a
    /// day ahead.
    #[must_use]
    pub fn plausible(self, now: Self) -> Self {
        const YEAR_2000: Timestamp = Timestamp::from_micros(946_684_800_000_000);
        let is_plausible = YEAR_2000 <= self && self <= now.plus(Duration::from_hours(24));
        if is_plausible { self } else { now }
    }

    /// How long from `earlier` to this; zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(instant) => write!(f, "{instant:.6}"),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let counted = || lenient::since_1970(text).filter(|at| at.0.unsigned_abs() >= FIRST_COUNTED);
        match text.parse::<jiff::Timestamp>() {
            Ok(instant) => Ok(Self(instant.as_microsecond())),
            Err(_) => counted().ok_or_else(|| InvalidTimestamp(text.chars().take(64).collect())),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl de::Visitor<'_> for Reader {
            type Value = Timestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time like 2030-01-31T12:00:00Z")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_i64<E: de::Error>(self, count: i64) -> Result<Timestamp, E> {
                self.visit_str(&count.to_string())
            }

            fn visit_u64<E: de::Error>(self, count: u64) -> Result<Timestamp, E> {
                self.visit_str(&count.to_string())
            }

            fn visit_f64<E: de::Error>(self, count: f64) -> Result<Timestamp, E> {
                self.visit_str(&count.to_string())
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_no_clock_can_have_said_is_now() {
        let now = Timestamp::from_micros(1_893_456_000_000_000);
        let day = Duration::from_hours(24);
        for kept in [now, now.minus(day * 3650), now.plus(day), Timestamp::from_micros(946_684_800_000_000)] {
            assert_eq!(kept.plausible(now), kept);
        }
        let far = [0, -1, 7, 1 << 62, -(1 << 62), i64::MAX, i64::MIN, 1_893_456_000_000];
        for far in far.map(Timestamp::from_micros).into_iter().chain([now.plus(day * 2)]) {
            assert_eq!(far.plausible(now), now, "{far}");
        }
    }

    #[test]
    fn shows_rfc_3339_with_microseconds_and_reads_it_back() {
        let instant = Timestamp::from_micros(1_893_456_000_000_007);
        assert_eq!(instant.to_string(), "2030-01-01T00:00:00.000007Z");
        assert_eq!(instant.to_string().parse(), Ok(instant));
        assert_eq!("2030-01-01T03:00:00+03:00".parse(), Ok(Timestamp::from_micros(1_893_456_000_000_000)));
        assert!("yesterday".parse::<Timestamp>().is_err());
    }

    #[test]
    fn counts_since_1970_are_read_as_programs_write_them() {
        let instant = Timestamp::from_micros(1_893_456_000_000_000);
        for json in
            ["1893456000", "1893456000000", "1893456000.0", "\"1893456000\"", "\"2030-01-01T00:00:00Z\""]
        {
            assert_eq!(serde_json::from_str::<Timestamp>(json).ok(), Some(instant), "{json}");
        }
        for other in ["7", "true", "\"7\"", "\"2030-01-01T00:00:00\"", "[]", "null"] {
            assert!(serde_json::from_str::<Timestamp>(other).is_err(), "{other}");
        }
    }

    #[test]
    fn people_read_whole_seconds_and_never_one_too_early() {
        for (micros, shown) in [
            (1_893_456_000_000_000, "2030-01-01T00:00:00Z"),
            (1_893_456_000_000_001, "2030-01-01T00:00:01Z"),
            (-1, "1970-01-01T00:00:00Z"),
            (i64::MAX, "9223372036855s"),
        ] {
            assert_eq!(Timestamp::from_micros(micros).to_the_second().to_string(), shown);
        }
    }

    #[test]
    fn arithmetic_stops_at_the_ends_of_time() {
        let end = Timestamp::from_micros(i64::MAX);
        assert_eq!(end.plus(Duration::from_secs(1)), end);
        assert_eq!(Timestamp::default().since(end), Duration::ZERO);
    }
}
