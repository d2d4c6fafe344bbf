//! Hours of the day in a time zone, such as `06:00-23:30 Europe/Moscow`.

use std::fmt;
use std::str::FromStr;

use domain::Timestamp;
use jiff::tz::TimeZone;

/// Hours of each day, by the clocks of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveHours {
    /// Minutes after midnight: from this one on, until the other. An end before the beginning is on the next day.
    from: u16,
    until: u16,
    zone: TimeZone,
    written: String,
}

/// A text that says no such hours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHours {
    #[error("must be two times of the day and a time zone, such as \"06:00-23:30 Europe/Moscow\"")]
    Form,
    #[error("begins and ends at the same time; leave it out for the whole day")]
    Empty,
    #[error("names the time zone {0:?}, which there is not; write one like Europe/Moscow or UTC")]
    Zone(String),
}

impl ActiveHours {
    /// Whether it is such an hour.
    pub fn cover(&self, now: Timestamp) -> bool {
        let Ok(now) = jiff::Timestamp::from_microsecond(now.as_micros()) else { return false };
        let time = now.to_zoned(self.zone.clone()).time();
        let minute = u16::try_from(i32::from(time.hour()) * 60 + i32::from(time.minute())).unwrap_or(0);
        if self.from < self.until {
            (self.from..self.until).contains(&minute)
        } else {
            minute >= self.from || minute < self.until
        }
    }
}

impl FromStr for ActiveHours {
    type Err = InvalidHours;

    fn from_str(text: &str) -> Result<Self, InvalidHours> {
        let (hours, zone) = text.trim().split_once(' ').ok_or(InvalidHours::Form)?;
        let (from, until) = hours.split_once('-').ok_or(InvalidHours::Form)?;
        let (from, until) = (minute(from)?, minute(until)?);
        if from == until {
            return Err(InvalidHours::Empty);
        }
        let name = zone.trim();
        let zone = TimeZone::get(name).map_err(|_| InvalidHours::Zone(name.chars().take(64).collect()))?;
        Ok(Self { from, until, zone, written: text.trim().to_owned() })
    }
}

fn minute(text: &str) -> Result<u16, InvalidHours> {
    let (hour, minute) = text.trim().split_once(':').ok_or(InvalidHours::Form)?;
    let number = |text: &str, digits: std::ops::RangeInclusive<usize>| {
        let is_number = digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|_| is_number)
    };
    match (number(hour, 1..=2), number(minute, 2..=2)) {
        (Some(24), Some(0)) => Ok(24 * 60),
        (Some(hour @ 0..24), Some(minute @ 0..60)) => Ok(hour * 60 + minute),
        _ => Err(InvalidHours::Form),
    }
}

impl fmt::Display for ActiveHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn hours(text: &str) -> ActiveHours {
        text.parse().expect("hours")
    }

    #[test]
    fn hours_follow_their_own_time_zone() {
        let moscow = hours("06:00-23:30 Europe/Moscow");
        assert!(!moscow.cover(time("2030-01-06T02:59:59Z")) && moscow.cover(time("2030-01-06T03:00:00Z")));
        assert!(moscow.cover(time("2030-01-06T20:29:59Z")) && !moscow.cover(time("2030-01-06T20:30:00Z")));
        // In summer the clocks of Berlin are an hour ahead of those in winter.
        let berlin = hours("8:00-9:00 Europe/Berlin");
        assert!(berlin.cover(time("2030-01-06T07:30:00Z")) && berlin.cover(time("2030-07-06T06:30:00Z")));
        assert!(!berlin.cover(time("2030-07-06T07:30:00Z")));
    }

    #[test]
    fn hours_may_last_over_midnight() {
        let night = hours("22:00-02:00 UTC");
        for (at, is_in) in [("21:59", false), ("22:00", true), ("01:59", true), ("02:00", false)] {
            assert_eq!(night.cover(time(&format!("2030-01-06T{at}:00Z"))), is_in, "{at}");
        }
        assert!(hours("00:00-24:00 UTC").cover(time("2030-01-06T23:59:59Z")));
    }

    #[test]
    fn invalid_hours_are_refused_with_their_reason() {
        use InvalidHours::{Empty, Form, Zone};
        for wrong in ["", "06:00-23:30", "6-23 UTC", "06:00 UTC", "06:0-07:00 UTC", "25:00-26:00 UTC"] {
            assert_eq!(wrong.parse::<ActiveHours>(), Err(Form), "{wrong}");
        }
        assert_eq!("06:00-06:00 UTC".parse::<ActiveHours>(), Err(Empty));
        assert_eq!("06:00-07:00 Mars/Base".parse::<ActiveHours>(), Err(Zone("Mars/Base".to_owned())));
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_printed_back(text in "\\PC{0,40}") {
            if let Ok(hours) = text.parse::<ActiveHours>() {
                prop_assert_eq!(hours.to_string().parse::<ActiveHours>(), Ok(hours));
            }
        }
    }
}
