//! Maintenance windows: for which cards, and when. Pure.

use std::fmt;
use std::time::Duration;

use domain::Timestamp;
use serde::{Deserialize, Serialize};

/// Minutes of the longest window that comes back every week: a whole week would never end.
const LONGEST_MINUTES: u32 = 6 * 24 * 60;
/// The longest window that comes once.
const LONGEST: Duration = Duration::from_hours(90 * 24);
const LONGEST_NOTE: usize = 200;
const DAY: i64 = 24 * 60 * 60;

#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

domain::enum_words!(Weekday);

impl Weekday {
    /// The day of the week of a day counted from 1970-01-01, which was a Thursday.
    fn of(day: i64) -> Self {
        let place = usize::try_from((day + 3).rem_euclid(7)).unwrap_or(0);
        Self::ALL[place]
    }
}

/// For which cards a window is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    All,
    /// Those of a kind, such as `account`.
    Kind(String),
    /// One, with its parts.
    Card(String),
}

impl Scope {
    /// Reads `all`, a kind, or the id of a card.
    pub fn read(text: &str) -> Self {
        // The store and the queue are kinds with one card each, so it does not matter which of the two they are taken for.
        match text {
            "all" => Self::All,
            _ if text.contains(':') => Self::Card(text.to_owned()),
            _ => Self::Kind(text.to_owned()),
        }
    }

    pub(crate) fn covers(&self, card: &str, kind: &str, parent: Option<&str>) -> bool {
        match self {
            Self::All => true,
            Self::Kind(wanted) => wanted == kind,
            Self::Card(wanted) => wanted == card || Some(wanted.as_str()) == parent,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "all",
            Self::Kind(text) | Self::Card(text) => text,
        })
    }
}

/// When a window is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Hours {
    Once {
        from: Timestamp,
        until: Timestamp,
    },
    Weekly {
        /// The days on which it begins.
        days: Vec<Weekday>,
        /// When it begins on each of them: minutes after midnight.
        start: u32,
        /// How long it lasts, in minutes.
        minutes: u32,
        /// How far the clocks it is meant by are ahead of UTC, in minutes.
        utc_offset: i32,
    },
}

/// A time in which no one is notified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaintenanceWindow {
    /// What for, in words.
    pub note: String,
    pub scope: Scope,
    pub hours: Hours,
}

/// A window that cannot be. Names the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {message}")]
pub struct InvalidHours {
    /// The field.
    pub field: &'static str,
    /// What is wrong with it, and what to write.
    pub message: String,
}

/// The form in the store.
#[derive(Serialize, Deserialize)]
struct Record {
    note: String,
    scope: String,
    hours: Hours,
}

impl MaintenanceWindow {
    /// Whether it is one that can come.
    ///
    /// # Errors
    /// Names the first field that is wrong.
    pub fn check(&self, now: Timestamp) -> Result<(), InvalidHours> {
        let wrong = |field, message: &str| Err(InvalidHours { field, message: message.to_owned() });
        if self.note.chars().count() > LONGEST_NOTE || self.note.chars().any(char::is_control) {
            return wrong("note", "is wrong: write at most 200 characters on one line");
        }
        match &self.hours {
            Hours::Once { from, until } if until <= from => wrong("until", "is not after from; swap them"),
            Hours::Once { until, .. } if *until <= now => wrong("until", "is past; write a time to come"),
            Hours::Once { from, until } if until.since(*from) > LONGEST => {
                wrong("until", "is more than 90 days after from; make it shorter")
            }
            Hours::Weekly { days, .. } if days.is_empty() => {
                wrong("days", "is empty; write one or more of mon, tue, wed, thu, fri, sat, sun")
            }
            Hours::Weekly { start, .. } if *start >= 24 * 60 => {
                wrong("start", "is no time of day; write one like \"02:30\"")
            }
            Hours::Weekly { minutes, .. } if !(1..=LONGEST_MINUTES).contains(minutes) => {
                wrong("minutes", "must be from 1 to 8640, which is six days")
            }
            Hours::Weekly { utc_offset, .. } if utc_offset.abs() > 14 * 60 => {
                wrong("utc_offset", "is wrong: write one like \"+03:00\", at most 14 hours")
            }
            _ => Ok(()),
        }
    }

    /// Until when it lasts, if it is now.
    pub fn covers(&self, now: Timestamp) -> Option<Timestamp> {
        match &self.hours {
            Hours::Once { from, until } => (*from <= now && now < *until).then_some(*until),
            Hours::Weekly { days, start, minutes, utc_offset } => {
                let offset = i64::from(*utc_offset) * 60;
                let local = now.as_seconds() + offset;
                let today = local.div_euclid(DAY);
                // It may have begun some days ago; of several that overlap, the one that ends last.
                (0..7)
                    .map(|back| today - back)
                    .filter(|day| days.contains(&Weekday::of(*day)))
                    .map(|day| day * DAY + i64::from(*start) * 60)
                    .filter(|begin| *begin <= local && local < begin + i64::from(*minutes) * 60)
                    .map(|begin| begin + i64::from(*minutes) * 60 - offset)
                    .max()
                    .map(|seconds| Timestamp::from_micros(seconds.saturating_mul(1_000_000)))
            }
        }
    }

    /// As it is kept.
    pub(crate) fn to_record(&self) -> Result<String, serde_json::Error> {
        let Self { note, scope, hours } = self;
        serde_json::to_string(&Record { note: note.clone(), scope: scope.to_string(), hours: hours.clone() })
    }

    /// Reads what was kept.
    pub(crate) fn from_record(text: &str) -> Result<Self, serde_json::Error> {
        let Record { note, scope, hours } = serde_json::from_str(text)?;
        Ok(Self { note, scope: Scope::read(&scope), hours })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn weekly(days: &[Weekday], start: u32, minutes: u32, utc_offset: i32) -> MaintenanceWindow {
        let hours = Hours::Weekly { days: days.to_vec(), start, minutes, utc_offset };
        MaintenanceWindow { note: String::new(), scope: Scope::All, hours }
    }

    #[test]
    fn a_weekly_window_follows_its_own_time_zone() {
        // 2030-01-06 is a Sunday. At 02:00 in UTC+3 it is 23:00 on Saturday in UTC.
        let window = weekly(&[Weekday::Sun], 2 * 60, 120, 180);
        assert_eq!(window.covers(time("2030-01-05T22:59:59Z")), None);
        let until = Some(time("2030-01-06T01:00:00Z"));
        assert_eq!(window.covers(time("2030-01-05T23:00:00Z")), until);
        assert_eq!(window.covers(time("2030-01-06T00:59:59Z")), until);
        assert_eq!(window.covers(time("2030-01-06T01:00:00Z")), None);
        assert_eq!(window.covers(time("2030-01-12T23:30:00Z")), Some(time("2030-01-13T01:00:00Z")));
    }

    #[test]
    fn a_window_may_last_over_midnight_and_over_days() {
        let window = weekly(&[Weekday::Fri], 23 * 60, 3 * 24 * 60, 0);
        assert_eq!(window.covers(time("2030-01-07T12:00:00Z")), Some(time("2030-01-07T23:00:00Z")));
        assert_eq!(window.covers(time("2030-01-08T00:00:00Z")), None);
    }

    #[test]
    fn a_window_that_cannot_be_names_its_field() {
        let now = time("2030-01-01T00:00:00Z");
        let field = |window: &MaintenanceWindow| window.check(now).unwrap_err().field;
        let once = |from: &str, until: &str| MaintenanceWindow {
            hours: Hours::Once { from: time(from), until: time(until) },
            ..weekly(&[], 0, 1, 0)
        };
        assert_eq!(field(&once("2030-01-02T00:00:00Z", "2030-01-02T00:00:00Z")), "until");
        assert_eq!(field(&once("2029-01-02T00:00:00Z", "2029-01-03T00:00:00Z")), "until");
        assert_eq!(field(&once("2030-01-02T00:00:00Z", "2031-01-02T00:00:00Z")), "until");
        assert!(once("2029-12-31T00:00:00Z", "2030-01-02T00:00:00Z").check(now).is_ok());
        assert_eq!(field(&weekly(&[], 0, 1, 0)), "days");
        assert_eq!(field(&weekly(&Weekday::ALL, 1440, 1, 0)), "start");
        assert_eq!(field(&weekly(&Weekday::ALL, 0, 0, 0)), "minutes");
        assert_eq!(field(&weekly(&Weekday::ALL, 0, 1, 900)), "utc_offset");
        let note = MaintenanceWindow { note: "a\nb".into(), ..weekly(&Weekday::ALL, 0, 1, 0) };
        assert_eq!(field(&note), "note");
    }

    #[test]
    fn cards_are_meant_one_by_one_by_kind_or_all() {
        let covers = |scope: &str| Scope::read(scope).covers("line:main:all", "line", Some("account:main"));
        assert!(covers("all") && covers("line") && covers("line:main:all") && covers("account:main"));
        assert!(!covers("account") && !covers("account:backup_1"));
    }

    proptest! {
        #[test]
        fn a_window_lasts_until_it_says_and_comes_back_after_a_week(
            seconds in 0..4_000_000_000_i64, day in 0..7_usize, start in 0..1440_u32, minutes in 1..8640_u32,
            offset in -840..840_i32,
        ) {
            let window = weekly(&[Weekday::ALL[day]], start, minutes, offset);
            let now = Timestamp::from_micros(seconds * 1_000_000);
            prop_assert_eq!(MaintenanceWindow::from_record(&window.to_record().unwrap()).unwrap(), window.clone());
            let week = Duration::from_hours(7 * 24);
            if let Some(until) = window.covers(now) {
                prop_assert!(until > now);
                prop_assert!(until.since(now) <= Duration::from_secs(u64::from(minutes) * 60));
                prop_assert_eq!(window.covers(until.minus(Duration::from_secs(1))), Some(until));
                prop_assert_eq!(window.covers(until), None);
                prop_assert_eq!(window.covers(now.plus(week)), Some(until.plus(week)));
            } else {
                prop_assert_eq!(window.covers(now.plus(week)), None);
            }
        }
    }
}
