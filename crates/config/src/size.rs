//! Sizes as people write them: `2GB`, `1MiB`.

use serde::{Deserialize, Deserializer, Serializer, de};

/// The units; of those that fit a number the first is written.
const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("KB", 1_000),
    ("B", 1),
];

/// A text that is no size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a size such as \"2GB\" or \"1MiB\" (units B, KB, MB, GB, TB, KiB, MiB, GiB, TiB)")]
pub struct InvalidSize;

/// Reads a size in bytes: a whole number and a unit, in any letter case.
pub fn parse_size(text: &str) -> Result<u64, InvalidSize> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).ok_or(InvalidSize)?);
    let (_, worth) =
        UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit.trim_start())).ok_or(InvalidSize)?;
    number.parse::<u64>().ok().and_then(|number| number.checked_mul(*worth)).ok_or(InvalidSize)
}

/// Writes a size so that [`parse_size`] reads it, in the greatest unit that leaves a whole number.
pub fn format_size(bytes: u64) -> String {
    let (name, worth) = UNITS
        .into_iter()
        .find(|(_, worth)| bytes >= *worth && bytes.is_multiple_of(*worth))
        .unwrap_or(("B", 1));
    format!("{}{name}", bytes / worth)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields over by reference")]
pub(crate) fn serialize<S: Serializer>(bytes: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format_size(*bytes))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    parse_size(&String::deserialize(deserializer)?).map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn common_spellings_are_read() {
        for (text, bytes) in
            [("2GB", 2_000_000_000), ("1MiB", 1 << 20), ("1 mib", 1 << 20), ("10kb", 10_000), ("0B", 0)]
        {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in ["", "2", "GB", "-1GB", "1.5GB", "1PB", "99999999999999999999B", "99999999999TB"] {
            assert_eq!(parse_size(text), Err(InvalidSize), "{text}");
        }
    }

    proptest! {
        #[test]
        fn written_values_read_back(bytes in any::<u64>()) {
            prop_assert_eq!(parse_size(&format_size(bytes)), Ok(bytes));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9KMGTiB ]{0,12}|\\PC{0,8}") {
            let _ = parse_size(&text);
        }
    }
}
