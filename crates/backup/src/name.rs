//! The name of a backup: when it was made, so that names sort by time.

use std::fmt;
use std::str::FromStr;

use domain::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// What every name begins and ends with.
const BEGINNING: &str = "switchboard-";
const ENDING: &str = ".tar.gz";

/// The name of a backup's file, such as `switchboard-20300131T120000.250Z.tar.gz`. Sorts by time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BackupName(String);

/// Text that names no backup.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} names no backup; names look like switchboard-20300131T120000.250Z.tar.gz, as `switchboard backup list` shows them"
)]
pub struct InvalidBackupName(String);

impl BackupName {
    /// The name of what is made at this time.
    pub fn of(made_at: Timestamp) -> Self {
        // `2030-01-31T12:00:00.250000Z`, without what file systems and shells mind.
        let text: String = made_at.to_string().chars().filter(|c| !matches!(c, '-' | ':')).collect();
        let millis = text.rsplit_once('.').map_or(text.clone(), |(second, rest)| {
            format!("{second}.{}Z", rest.chars().take(3).collect::<String>())
        });
        Self(format!("{BEGINNING}{millis}{ENDING}"))
    }

    /// When it was made, to the millisecond.
    pub fn made_at(&self) -> Timestamp {
        let part = |from: usize, to: usize| self.0.get(BEGINNING.len() + from..BEGINNING.len() + to);
        let text = || {
            let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
            let (hour, minute, rest) = (part(9, 11)?, part(11, 13)?, part(13, 20)?);
            Some(format!("{year}-{month}-{day}T{hour}:{minute}:{rest}"))
        };
        // Digits that are no time, such as a 13th month, were not written by this program.
        text().and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    /// The name of the file.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BackupName {
    type Err = InvalidBackupName;

    fn from_str(text: &str) -> Result<Self, InvalidBackupName> {
        let shape = |at: &str| {
            // 20300131T120000.250Z
            at.len() == 20
                && at.bytes().enumerate().all(|(place, byte)| match place {
                    8 => byte == b'T',
                    15 => byte == b'.',
                    19 => byte == b'Z',
                    _ => byte.is_ascii_digit(),
                })
        };
        let middle = text.strip_prefix(BEGINNING).and_then(|rest| rest.strip_suffix(ENDING));
        match middle {
            Some(at) if shape(at) => Ok(Self(text.to_owned())),
            _ => Err(InvalidBackupName(text.chars().take(64).collect())),
        }
    }
}

impl fmt::Display for BackupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for BackupName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for BackupName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_contains_the_time() {
        let name = BackupName::of(Timestamp::from_micros(1_896_091_200_250_999));
        assert_eq!(name.as_str(), "switchboard-20300131T120000.250Z.tar.gz");
        assert_eq!(name.made_at(), Timestamp::from_micros(1_896_091_200_250_000));
        let never = "switchboard-20301331T120000.250Z.tar.gz".parse::<BackupName>().unwrap();
        assert_eq!(never.made_at(), Timestamp::default());
    }

    #[test]
    fn other_texts_are_no_names() {
        for text in [
            "",
            "switchboard-.tar.gz",
            "../switchboard-20300131T120000.250Z.tar.gz",
            "switchboard-20300131T120000.250Z.tar.gz/..",
            "switchboard-20300131T120000.25/Z.tar.gz",
            "switchboard-20300131T120000.250Z.tar.gz.partial",
        ] {
            assert!(text.parse::<BackupName>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn names_read_back_and_sort_by_time(
            first in 0_i64..253_000_000_000_000_000, second in 0_i64..253_000_000_000_000_000
        ) {
            let names = [first, second].map(|at| BackupName::of(Timestamp::from_micros(at)));
            prop_assert_eq!(names[0].as_str().parse::<BackupName>(), Ok(names[0].clone()));
            prop_assert_eq!(names[0].cmp(&names[1]), (first / 1000).cmp(&(second / 1000)));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,60}") {
            let _ = text.parse::<BackupName>();
        }
    }
}
