//! How many requests an API key may make: so many in a second, a minute or an hour.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

/// The most requests of one period, and the greatest burst.
const MOST: u32 = 1_000_000;

/// How many requests may be made. Its text form is `10/s`, `600/m` or `5000/h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestRate {
    requests: NonZeroU32,
    period: Period,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Period {
    Second,
    Minute,
    Hour,
}

/// Text that is no rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no rate; write requests in a second, minute or hour, such as 10/s, 600/m or 5000/h")]
pub struct InvalidRate(String);

impl RequestRate {
    /// So many in a minute.
    pub const fn per_minute(requests: NonZeroU32) -> Self {
        Self { requests, period: Period::Minute }
    }

    /// How many in each period: the burst of a key that has none of its own.
    pub const fn requests(self) -> NonZeroU32 {
        self.requests
    }

    /// After each of these, one more may be made.
    pub fn interval(self) -> Duration {
        let period = match self.period {
            Period::Second => Duration::from_secs(1),
            Period::Minute => Duration::from_mins(1),
            Period::Hour => Duration::from_hours(1),
        };
        period / self.requests.get()
    }

    /// Reads how many may be made at once.
    pub fn burst(number: u32) -> Option<NonZeroU32> {
        NonZeroU32::new(number).filter(|number| number.get() <= MOST)
    }
}

impl FromStr for RequestRate {
    type Err = InvalidRate;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (number, period) = text.split_once('/')?;
            let period = match period.trim() {
                "s" | "sec" | "second" => Period::Second,
                "m" | "min" | "minute" => Period::Minute,
                "h" | "hour" => Period::Hour,
                _ => return None,
            };
            let requests = number.trim().parse::<NonZeroU32>().ok()?;
            (requests.get() <= MOST).then_some(Self { requests, period })
        };
        read().ok_or_else(|| InvalidRate(text.chars().take(64).collect()))
    }
}

impl fmt::Display for RequestRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let period = match self.period {
            Period::Second => "s",
            Period::Minute => "m",
            Period::Hour => "h",
        };
        write!(f, "{}/{period}", self.requests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_rate_is_read_in_the_words_people_use() {
        for (text, read, interval) in [
            ("10/s", "10/s", Duration::from_millis(100)),
            (" 600 / min", "600/m", Duration::from_millis(100)),
            ("3600/hour", "3600/h", Duration::from_secs(1)),
        ] {
            let rate: RequestRate = text.parse().expect(text);
            assert_eq!((rate.to_string().as_str(), rate.interval()), (read, interval));
        }
        for wrong in ["", "10", "0/s", "-1/s", "10/d", "1.5/s", "1000001/h", "/s"] {
            assert!(wrong.parse::<RequestRate>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn written_values_read_back(requests in 1..=MOST, period in "[smh]") {
            let text = format!("{requests}/{period}");
            prop_assert_eq!(text.parse::<RequestRate>().expect("a rate").to_string(), text);
        }
    }
}
