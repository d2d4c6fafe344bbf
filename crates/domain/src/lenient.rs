//! Ids, numbers and times as other programs write them, all read by one rule. Pure.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::Timestamp;
use crate::missing::is_missing;

/// From here on a number counts milliseconds, then microseconds, then nanoseconds. Seconds reach it in the year 5138.
const MILLIS_FROM: u64 = 100_000_000_000;
/// A time without a zone that is read as UTC may be so much ahead.
const CLOCKS_DIFFER: Duration = Duration::from_mins(5);
/// Whole numbers up to this are exact in a float.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A time as a program stated it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatedTime {
    /// The time, or when it was read.
    pub at: Timestamp,
    /// Whether no clock can have said the stated time, so that it was replaced.
    pub is_replaced: bool,
}

/// Reads a text of JSON, also one with the byte order mark that editors of Windows put before it.
///
/// # Errors
/// It is no JSON.
pub fn json(text: &[u8]) -> serde_json::Result<Value> {
    serde_json::from_slice(text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text))
}

/// Returns an id or a key: a text or a number. None where it is left out, empty or a word for no value.
pub fn id(value: &Value) -> Option<String> {
    let text = text(value)?;
    (!is_missing(&text)).then_some(text)
}

/// Returns a text without the space around it, or a number. None where nothing is written.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        // A greater whole number has lost its last digits.
        Value::Number(number)
            if number.is_f64() && number.as_f64().is_some_and(|float| float.abs() >= EXACT) =>
        {
            None
        }
        Value::Number(_) => Some(number(value).map_or_else(|| value.to_string(), |whole| whole.to_string())),
        _ => None,
    }
}

/// Returns a whole number, also one that is written as text or as `7.0`.
pub fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok().or_else(|| whole(text.trim().parse().ok()?)),
        _ => None,
    }
}

/// Whether a provider or a program says yes: `true`, `1`, `"True"` or `"yes"`.
pub fn is_true(value: &Value) -> bool {
    match value {
        Value::String(word) => ["true", "1", "yes"].contains(&word.trim().to_ascii_lowercase().as_str()),
        Value::Number(_) => number(value) == Some(1),
        other => *other == Value::Bool(true),
    }
}

/// Whether a flag says no: `false`, `0`, `"no"`, or nothing at all.
pub fn is_no(value: &Value) -> bool {
    const WORDS: [&str; 13] =
        ["", "false", "0", "no", "off", "n", "f", "нет", "null", "none", "undefined", "nan", "nil"];
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(_) => number(value) == Some(0),
        Value::String(word) => WORDS.contains(&word.trim().to_lowercase().as_str()),
        _ => false,
    }
}

/// Returns a time: seconds, milliseconds or smaller units since 1970, as number or text, also with a fraction; or a date as text.
pub fn time(value: &Value) -> Option<Timestamp> {
    written(value).map(|(at, _)| at)
}

/// Returns a time that came at this moment. Where it is left out, that is now. A time that no clock can have said is replaced by now, and
/// so is one without a zone that would be ahead. None where it is no time.
pub fn time_at(value: &Value, now: Timestamp) -> Option<StatedTime> {
    let is_left_out = match value {
        Value::Null => true,
        Value::String(text) => is_missing(text),
        _ => false,
    };
    if is_left_out {
        return Some(StatedTime { at: now, is_replaced: false });
    }
    let (stated, has_zone) = written(value)?;
    let is_ahead = !has_zone && stated > now.plus(CLOCKS_DIFFER);
    let at = if is_ahead { now } else { stated.plausible(now) };
    Some(StatedTime { at, is_replaced: at != stated })
}

/// A time, and whether it says its zone.
fn written(value: &Value) -> Option<(Timestamp, bool)> {
    match value {
        // As MongoDB prints it.
        Value::Object(fields) if fields.len() == 1 => {
            written(["$date", "$numberLong"].iter().find_map(|name| fields.get(*name))?)
        }
        Value::Number(number) => since_1970(&number.to_string()).map(|at| (at, true)),
        Value::String(text) => {
            let text = text.trim();
            // `/Date(1796059220000+0300)/`, as .NET prints it: the zone changes nothing.
            if let Some(inner) = text.strip_prefix("/Date(").and_then(|rest| rest.strip_suffix(")/")) {
                let zone = inner.get(1..).and_then(|rest| rest.find(['+', '-']));
                return since_1970(zone.map_or(inner, |at| inner.get(..=at).unwrap_or(inner)))
                    .map(|at| (at, true));
            }
            since_1970(text)
                .or_else(|| text.parse().ok())
                .or_else(|| of_mail(text))
                .or_else(|| printed(text))
                .map(|at| (at, true))
                .or_else(|| {
                    let civil = without_zone(text)?.to_zoned(TimeZone::UTC).ok()?;
                    Some((Timestamp::from_micros(civil.timestamp().as_microsecond()), false))
                })
        }
        _ => None,
    }
}

/// A count of units since 1970.
pub(crate) fn since_1970(text: &str) -> Option<Timestamp> {
    if let Ok(whole) = text.parse::<i64>() {
        let size = whole.unsigned_abs();
        let micros = if size < MILLIS_FROM {
            whole.checked_mul(1_000_000)
        } else if size < 100_000_000_000_000 {
            whole.checked_mul(1_000)
        } else if size < 100_000_000_000_000_000 {
            Some(whole)
        } else {
            Some(whole / 1_000)
        };
        return micros.map(Timestamp::from_micros);
    }
    let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit() || b".+-eE".contains(&byte));
    let float = text.parse::<f64>().ok().filter(|float| is_decimal && float.abs() <= EXACT)?;
    // The fraction is at most a thousandth of a unit off.
    let (units, fraction) = (whole(float.trunc())?, float.fract());
    let base = since_1970(&units.to_string())?;
    let per_unit = if units.unsigned_abs() < MILLIS_FROM { 1_000_000.0 } else { 1_000.0 };
    let more = whole((fraction * per_unit).round())?;
    Some(Timestamp::from_micros(base.as_micros().saturating_add(more)))
}

/// A time as headers of mails have it: `Sun, 29 Nov 2026 20:20:20 +0300`.
fn of_mail(text: &str) -> Option<Timestamp> {
    let zoned = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Timestamp::from_micros(zoned.timestamp().as_microsecond()))
}

/// A time as JavaScript, Go and databases print it: `Sun Nov 29 2026 20:20:20 GMT+0300 (MSK)`, `2026-11-29 17:20:20 +0000 UTC`.
fn printed(text: &str) -> Option<Timestamp> {
    const FORMS: [&str; 2] = ["%a %b %d %Y %H:%M:%S GMT%z", "%Y-%m-%d %H:%M:%S%.f %z"];
    let text = text.split(" (").next()?;
    let in_utc = text.strip_suffix(" UTC");
    let of_form =
        |form: &&str| jiff::fmt::strtime::parse(form, in_utc.unwrap_or(text)).ok()?.to_timestamp().ok();
    let civil = || in_utc.and_then(without_zone)?.to_zoned(TimeZone::UTC).ok();
    let at = FORMS.iter().find_map(of_form).or_else(|| Some(civil()?.timestamp()))?;
    Some(Timestamp::from_micros(at.as_microsecond()))
}

fn without_zone(text: &str) -> Option<DateTime> {
    const FORMS: [&str; 7] = [
        "%d.%m.%Y %H:%M:%S",
        "%d.%m.%Y, %H:%M:%S",
        "%d.%m.%Y %H:%M",
        "%d.%m.%Y, %H:%M",
        "%d.%m.%Y",
        "%Y/%m/%d %H:%M:%S",
        "%Y/%m/%d %H:%M",
    ];
    let plain = text.parse().ok();
    plain.or_else(|| {
        FORMS.iter().find_map(|form| {
            let parsed = jiff::fmt::strtime::parse(form, text).ok()?;
            parsed
                .to_datetime()
                .ok()
                .or_else(|| Some(parsed.to_date().ok()?.to_datetime(jiff::civil::Time::midnight())))
        })
    })
}

/// A number like `7.0`, as spreadsheets write it.
fn whole(number: f64) -> Option<i64> {
    if number.fract() != 0.0 || number.abs() > EXACT {
        return None;
    }
    format!("{number:.0}").parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// 2026-11-30T17:20:20Z.
    const NOW: Timestamp = Timestamp::from_micros(1_796_059_220_000_000);

    #[test]
    fn a_time_is_read_in_every_form() {
        let second = 1_796_059_220_i64;
        for written in [
            json!(second),
            json!(second * 1_000),
            json!(second * 1_000_000),
            json!(second * 1_000_000_000),
            json!("1796059220"),
            json!(" 1796059220000 "),
            json!(1_796_059_220.0),
            json!("1796059220.000"),
            json!("2026-11-30T17:20:20Z"),
            json!("2026-11-30T20:20:20+03:00"),
            json!("2026-11-30T20:20:20+0300"),
            json!("2026-11-30 17:20:20"),
            json!("2026-11-30T17:20:20"),
            json!("2026-11-30T17:20:20.000000"),
            json!("30.11.2026 17:20:20"),
            json!("30.11.2026, 17:20:20"),
            json!("Mon, 30 Nov 2026 20:20:20 +0300"),
            json!("Mon, 30 Nov 2026 17:20:20 GMT"),
            json!("Mon Nov 30 2026 20:20:20 GMT+0300 (Moscow Standard Time)"),
            json!("Mon Nov 30 2026 17:20:20 GMT+0000"),
            json!("2026-11-30 17:20:20 +0000 UTC"),
            json!("2026-11-30 20:20:20.000000 +0300"),
            json!("2026-11-30 17:20:20 UTC"),
            json!("2026-11-30 17:20:20+00"),
            json!("2026-11-30T17:20:20.000Z"),
            json!("20261130T172020Z"),
            json!("2026/11/30 17:20:20"),
            json!("/Date(1796059220000)/"),
            json!("/Date(1796059220000+0300)/"),
            json!({ "$date": "2026-11-30T17:20:20Z" }),
            json!({ "$date": { "$numberLong": "1796059220000" } }),
        ] {
            assert_eq!(time(&written), Some(NOW), "{written}");
            assert_eq!(time_at(&written, NOW), Some(StatedTime { at: NOW, is_replaced: false }), "{written}");
        }
        assert_eq!(time(&json!(1_796_059_220.5)).unwrap().as_micros(), NOW.as_micros() + 500_000);
        assert_eq!(time(&json!("2026-11-30")).unwrap().as_seconds(), 1_795_996_800);
        for none in [
            json!("soon"),
            json!([1]),
            json!(true),
            json!("17:20"),
            json!("1e400"),
            json!("inf"),
            json!("/Date()/"),
            json!({ "date": 1 }),
        ] {
            assert_eq!(time(&none), None, "{none}");
            assert_eq!(time_at(&none, NOW), None, "{none}");
        }
    }

    #[test]
    fn a_time_that_no_clock_said_is_replaced_and_marked() {
        for impossible in [
            json!(0),
            json!(-5),
            json!(7),
            json!("2099-01-01T00:00:00Z"),
            json!("0001-01-01T00:00:00Z"),
            json!(4_102_444_800_i64),
            json!(i64::MAX),
            json!("2026-12-02T00:00:00Z"),
            // Local time without a zone that would be ahead.
            json!("2026-11-30T20:20:20"),
        ] {
            assert_eq!(
                time_at(&impossible, NOW),
                Some(StatedTime { at: NOW, is_replaced: true }),
                "{impossible}"
            );
        }
        for left_out in [json!(null), json!(""), json!("null"), json!("undefined"), json!("NaN")] {
            assert_eq!(
                time_at(&left_out, NOW),
                Some(StatedTime { at: NOW, is_replaced: false }),
                "{left_out}"
            );
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_json() {
        assert_eq!(json("\u{feff}{\"a\":1}".as_bytes()).unwrap(), json!({ "a": 1 }));
        assert!(json("\u{feff}".as_bytes()).is_err() && json(b"{").is_err());
    }

    #[test]
    fn a_flag_is_read_as_programs_write_it() {
        for yes in [json!(true), json!(1), json!("True"), json!(" 1 "), json!("YES")] {
            assert!(is_true(&yes) && !is_no(&yes), "{yes}");
        }
        for no in [
            json!(null),
            json!(false),
            json!(0),
            json!(0.0),
            json!("0"),
            json!("False"),
            json!("no"),
            json!("off"),
            json!("нет"),
            json!("None"),
            json!("undefined"),
            json!(""),
        ] {
            assert!(is_no(&no) && !is_true(&no), "{no}");
        }
        for neither in [json!(7), json!("now"), json!({ "reason": "angry" }), json!("[object Object]")] {
            assert!(!is_no(&neither) && !is_true(&neither), "{neither}");
        }
    }

    #[test]
    fn an_id_is_a_text_or_a_number() {
        for (written, read) in [
            (json!(7), Some("7")),
            (json!(7.0), Some("7")),
            (json!(" a "), Some("a")),
            (json!("undefined"), None),
            (json!(""), None),
            (json!(null), None),
            (json!({"id": 7}), None),
            (json!(false), None),
        ] {
            assert_eq!(id(&written).as_deref(), read, "{written}");
        }
        for (written, read) in
            [(json!("7"), Some(7)), (json!(7.0), Some(7)), (json!("7.0"), Some(7)), (json!(7.5), None)]
        {
            assert_eq!(number(&written), read, "{written}");
        }
    }

    proptest! {
        #[test]
        fn any_number_or_text_is_a_plausible_time_or_none(number: f64, whole: i64, text in "\\PC{0,30}") {
            for value in [json!(number), json!(whole), json!(text), json!(number.to_string())] {
                if let Some(StatedTime { at, .. }) = time_at(&value, NOW) {
                    prop_assert_eq!(at.plausible(NOW), at, "{}", value);
                }
            }
        }
    }
}
