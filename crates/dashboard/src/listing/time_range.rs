//! A stretch of time that a filter names: a day or a range that ends now, or from and to as the visitor's clock has them.

use std::time::Duration;

use domain::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use serde::Deserialize;

use crate::view::Zone;

/// The days that are offered, by their words in addresses, with how many days before the visitor's present one they are.
const DAYS: [(&str, u64); 2] = [("today", 0), ("yesterday", 1)];

/// The ranges that are offered, by their words in addresses.
const RANGES: [(&str, Duration); 4] = [
    ("15m", Duration::from_mins(15)),
    ("2h", Duration::from_hours(2)),
    ("1d", Duration::from_hours(24)),
    ("7d", Duration::from_hours(7 * 24)),
];

/// What a form says about time, as written. What cannot be read filters nothing and is reported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct TimeRange {
    /// A day, or one of the ranges that end now.
    pub(crate) range: String,
    /// The first minute, on the visitor's wall.
    pub(crate) from: String,
    /// The last minute, on the visitor's wall.
    pub(crate) to: String,
}

impl TimeRange {
    pub(crate) fn days() -> impl Iterator<Item = &'static str> {
        DAYS.into_iter().map(|(word, _)| word)
    }

    pub(crate) fn ranges() -> impl Iterator<Item = &'static str> {
        RANGES.into_iter().map(|(word, _)| word)
    }

    /// Whether times were written out; they win over a day and a range.
    pub(crate) fn is_exact(&self) -> bool {
        [&self.from, &self.to].iter().any(|written| !written.trim().is_empty())
    }

    /// The first instant of it.
    pub(crate) fn since(&self, zone: Zone, now: Timestamp) -> Option<Timestamp> {
        if self.is_exact() {
            return zone.instant(Written::read(&self.from, zone, now)?.first());
        }
        match self.day(zone, now) {
            Some(day) => zone.instant(day.to_datetime(Time::midnight())),
            None => RANGES.iter().find(|(word, _)| *word == self.range).map(|(_, length)| now.minus(*length)),
        }
    }

    /// The first instant after it: the minute or the day that was written belongs to it.
    pub(crate) fn until(&self, zone: Zone, now: Timestamp) -> Option<Timestamp> {
        if self.is_exact() {
            return zone.instant(Written::read(&self.to, zone, now)?.after());
        }
        // The present day has no end yet.
        let day = self.day(zone, now).filter(|day| *day != zone.date_time(now).date())?;
        zone.instant(day.tomorrow().ok()?.to_datetime(Time::midnight()))
    }

    fn day(&self, zone: Zone, now: Timestamp) -> Option<Date> {
        let (_, before) = DAYS.iter().find(|(word, _)| *word == self.range)?;
        Some(zone.date_time(now.minus(Duration::from_hours(24 * before))).date())
    }

    pub(crate) fn unread(&self, zone: Zone, now: Timestamp) -> Option<&str> {
        let written = [&self.from, &self.to].map(|written| written.trim());
        written.into_iter().find(|written| !written.is_empty() && Written::read(written, zone, now).is_none())
    }
}

/// The date and time that a person wrote into a field, on their wall: `2026-11-22 18:30`, `22.11.2026 18:30`, a date alone or
/// a time of today.
pub(crate) fn written_time(text: &str, zone: Zone, now: Timestamp) -> Option<DateTime> {
    Some(Written::read(text, zone, now)?.first())
}

/// What a person wrote into a field for a date and a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    Day(Date),
    Minute(DateTime),
}

impl Written {
    fn read(text: &str, zone: Zone, now: Timestamp) -> Option<Self> {
        let mut words = text.split([' ', 'T', ',', '\u{a0}']).filter(|word| !word.is_empty());
        let (first, second) = (words.next()?, words.next());
        if words.next().is_some() {
            return None;
        }
        let Some(day) = date(first) else {
            let today = zone.date_time(now).date();
            return second
                .is_none()
                .then(|| clock(first))
                .flatten()
                .map(|time| Self::Minute(today.to_datetime(time)));
        };
        match second {
            None => Some(Self::Day(day)),
            Some(time) => clock(time).map(|time| Self::Minute(day.to_datetime(time))),
        }
    }

    fn first(self) -> DateTime {
        match self {
            Self::Day(day) => day.to_datetime(Time::midnight()),
            Self::Minute(minute) => minute,
        }
    }

    fn after(self) -> DateTime {
        match self {
            Self::Day(day) => day.tomorrow().unwrap_or(day).to_datetime(Time::midnight()),
            Self::Minute(minute) => minute.saturating_add(jiff::Span::new().minutes(1)),
        }
    }
}

/// `2026-11-22`, `22.11.2026` or `22/11/2026`: the day comes before the month wherever the year is last.
fn date(text: &str) -> Option<Date> {
    let parts: Vec<&str> = text.split(['-', '.', '/']).collect();
    let [first, month, last] = *parts.as_slice() else { return None };
    let (year, day) = if first.len() == 4 { (first, last) } else { (last, first) };
    let is_whole = year.len() == 4;
    is_whole.then(|| Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()).flatten()
}

/// `18:30`, with seconds or without.
fn clock(text: &str) -> Option<Time> {
    let mut parts = text.split(':').map(str::parse::<i8>);
    let (hour, minute, second) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next());
    if parts.next().is_some() {
        return None;
    }
    Time::new(hour, minute, second.unwrap_or(Ok(0)).ok()?, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn moscow() -> Zone {
        Zone::from_word("180").expect("a zone")
    }

    #[test]
    fn times_are_those_of_the_visitors_wall() {
        let (zone, now) = (moscow(), at("2026-11-20T11:07:31Z"));
        let exact = TimeRange {
            from: "2026-11-20 12:07".into(),
            to: "20.11.2026 14:07".into(),
            ..TimeRange::default()
        };
        assert_eq!(exact.since(zone, now), Some(at("2026-11-20T09:07:00Z")));
        assert_eq!(exact.until(zone, now), Some(at("2026-11-20T11:08:00Z")));
        let range = TimeRange { range: "2h".into(), ..TimeRange::default() };
        assert_eq!(
            (range.since(zone, now), range.until(zone, now)),
            (Some(at("2026-11-20T09:07:31Z")), None)
        );
        let both = TimeRange { range: "2h".into(), ..exact };
        assert_eq!(both.since(zone, now), Some(at("2026-11-20T09:07:00Z")));
    }

    #[test]
    fn a_day_is_that_of_the_visitors_calendar() {
        // In Moscow the 21st has begun.
        let (zone, now) = (moscow(), at("2026-11-20T22:30:00Z"));
        let day = |word: &str| TimeRange { range: word.into(), ..TimeRange::default() };
        let of = |stretch: TimeRange| (stretch.since(zone, now), stretch.until(zone, now));
        assert_eq!(of(day("today")), (Some(at("2026-11-20T21:00:00Z")), None));
        let yesterday = (Some(at("2026-11-19T21:00:00Z")), Some(at("2026-11-20T21:00:00Z")));
        assert_eq!(of(day("yesterday")), yesterday);
        let written =
            TimeRange { from: "2026-11-20".into(), to: "20/11/2026".into(), ..TimeRange::default() };
        assert_eq!(of(written), yesterday);
        let clock = TimeRange { from: "0:45".into(), ..TimeRange::default() };
        assert_eq!(of(clock), (Some(at("2026-11-20T21:45:00Z")), None));
    }

    #[test]
    fn unreadable_times_are_ignored_and_reported() {
        let (zone, now) = (Zone::default(), Timestamp::default());
        for wrong in
            ["soon", "2026-13-01T00:00", "9999-99-99", "1.2.26", "25:00", "2026-11-20 18:30 x", "1:2:3:4"]
        {
            let stretch = TimeRange { range: wrong.into(), from: wrong.into(), to: wrong.into() };
            assert_eq!((stretch.since(zone, now), stretch.until(zone, now)), (None, None), "{wrong}");
            assert_eq!(stretch.unread(zone, now), Some(wrong));
        }
        let blank = TimeRange { range: "1d".into(), from: " ".into(), to: String::new() };
        assert_eq!(
            (blank.unread(zone, now), blank.since(zone, at("2026-11-20T00:00:00Z"))),
            (None, Some(at("2026-11-19T00:00:00Z")))
        );
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_or_refused(text in "\\PC{0,24}", micros in any::<i64>()) {
            let _ = Written::read(&text, moscow(), Timestamp::from_micros(micros)).map(|written| (written.first(), written.after()));
        }
    }
}
