//! The visitor's offset from UTC, as their browser sent it in a cookie; UTC until it did.

use domain::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// The most that any place on earth is off, in minutes.
const MOST: i32 = 14 * 60;

/// Minutes east of UTC; `None` until the browser said so, which is UTC and is shown as such.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Zone(Option<i16>);

impl Zone {
    /// The cookie that a script of ours sets.
    pub(crate) const COOKIE: &'static str = "zone";

    /// The word of the cookie: minutes east of UTC.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        let minutes = word.parse::<i16>().ok()?;
        (i32::from(minutes).abs() <= MOST).then_some(Self(Some(minutes)))
    }

    /// Whether the times shown are UTC for want of anything better, and must say so.
    pub(crate) fn is_unknown(self) -> bool {
        self.0.is_none()
    }

    /// The offset as times are written: `+03:00`.
    /// Minutes east of UTC.
    pub(crate) fn minutes(self) -> i16 {
        self.0.unwrap_or_default()
    }

    pub(crate) fn offset(self) -> String {
        let minutes = self.0.unwrap_or_default();
        let sign = if minutes < 0 { '-' } else { '+' };
        let minutes = minutes.unsigned_abs();
        format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }

    pub(crate) fn date_time(self, at: Timestamp) -> DateTime {
        let seconds = i32::from(self.0.unwrap_or_default()) * 60;
        let offset = Offset::from_seconds(seconds).unwrap_or(Offset::UTC);
        let instant = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default();
        offset.to_datetime(instant)
    }

    /// The instant at which the clock there shows this; none where no clock ever does.
    pub(crate) fn instant(self, there: DateTime) -> Option<Timestamp> {
        let seconds = i32::from(self.0.unwrap_or_default()) * 60;
        let offset = Offset::from_seconds(seconds).unwrap_or(Offset::UTC);
        let instant = offset.to_timestamp(there).ok()?;
        Some(Timestamp::from_micros(instant.as_microsecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_as_the_clock_on_the_visitors_wall() {
        let at: Timestamp = "2026-11-20T23:31:08Z".parse().expect("a time");
        let shown = |word: &str| Zone::from_word(word).expect("a zone").date_time(at).to_string();
        assert_eq!(shown("180"), "2026-11-21T02:31:08");
        assert_eq!(shown("-570"), "2026-11-20T14:01:08");
        for (word, offset) in [("180", "+03:00"), ("-570", "-09:30"), ("0", "+00:00")] {
            assert_eq!(Zone::from_word(word).expect("a zone").offset(), offset);
        }
        assert_eq!(Zone::default().date_time(at).to_string(), "2026-11-20T23:31:08");
        for wrong in ["", "x", "841", "-841", "1e3"] {
            assert_eq!(Zone::from_word(wrong), None, "{wrong}");
        }
    }
}
