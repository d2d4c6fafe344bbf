//! Lengths of time as people write them: `20s`, `30m`, `1h30m`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer, de};

/// The units in the order they are written, with their milliseconds.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// A text that is no length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a length of time such as \"20s\", \"30m\" or \"1h30m\" (units d, h, m, s, ms)")]
pub struct InvalidDuration;

/// Reads a length of time: whole numbers with units, the greater unit first, each at most once.
pub fn parse_duration(text: &str) -> Result<Duration, InvalidDuration> {
    let mut rest = text;
    let mut milliseconds = 0_u64;
    let mut units = UNITS.iter();
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).ok_or(InvalidDuration)?);
        let (unit, after) = after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        // The search goes on where the last one stopped, so units cannot come twice or upside down.
        let (_, worth) = units.find(|(name, _)| *name == unit).ok_or(InvalidDuration)?;
        milliseconds = number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(*worth))
            .and_then(|part| milliseconds.checked_add(part))
            .ok_or(InvalidDuration)?;
        rest = after;
    }
    if text.is_empty() { Err(InvalidDuration) } else { Ok(Duration::from_millis(milliseconds)) }
}

/// Writes a length of time so that [`parse_duration`] reads it; what is below a millisecond is left out.
pub fn format_duration(duration: Duration) -> String {
    let mut left = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (name, worth) in UNITS {
        if left >= worth {
            text.push_str(&(left / worth).to_string());
            text.push_str(name);
            left %= worth;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format_duration(*duration))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    parse_duration(&String::deserialize(deserializer)?).map_err(de::Error::custom)
}

/// A length of time that may be left out, and then is not written.
pub(crate) mod optional {
    use std::time::Duration;

    use serde::{Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde hands a reference to the field")]
    pub(crate) fn serialize<S: Serializer>(
        duration: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        duration.map(super::format_duration).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        super::deserialize(deserializer).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn common_spellings_are_read() {
        for (text, seconds) in
            [("20s", 20), ("30m", 1800), ("100s", 100), ("1h30m", 5400), ("0s", 0), ("1d", 86_400)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse_duration("1s500ms"), Ok(Duration::from_millis(1500)));
        for text in
            ["", "20", "s", "20 s", "-1s", "1.5s", "30m1h", "1s1s", "1y", "99999999999999999999s", "1S"]
        {
            assert_eq!(parse_duration(text), Err(InvalidDuration), "{text}");
        }
    }

    proptest! {
        #[test]
        fn written_values_read_back(milliseconds in any::<u64>()) {
            let duration = Duration::from_millis(milliseconds);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9hmsd]{0,12}|\\PC{0,8}") {
            let _ = parse_duration(&text);
        }
    }
}
