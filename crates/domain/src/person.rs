//! People who use the dashboard: their names and their roles.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The most characters of a name.
const LONGEST: usize = 40;

/// The name that someone signs in with: 1 to 40 letters of any alphabet, digits and `. _ - @`, in lower case. Cheap to
/// clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserName(Arc<str>);

/// Text that cannot name a user. It is not repeated: people type passwords into the wrong field.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
#[error("this cannot name a user; use 1 to 40 letters, digits and . _ - @")]
pub struct InvalidUserName;

impl UserName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for UserName {
    type Err = InvalidUserName;

    /// Reads a name as people type it: capitals and spaces round it do not matter.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.trim().to_lowercase();
        let valid = (1..=LONGEST).contains(&name.chars().count())
            && name.chars().all(|letter| letter.is_alphanumeric() || ".-_@".contains(letter))
            // `.` and `..` mean something else in a path.
            && name.chars().any(char::is_alphanumeric);
        if valid { Ok(Self(name.into())) } else { Err(InvalidUserName) }
    }
}

impl Serialize for UserName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for UserName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// What a user is to this program. Each role may all that the one before it may, but an agent answers where a viewer only looks.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Answers clients, and sees nothing else.
    Agent,
    /// Looks.
    Viewer,
    /// Keeps it running: starts and stops, tries again, decides what is in doubt, sends.
    Operator,
    /// Arranges it: accounts, keys, people, alerts.
    Admin,
}

enum_words!(Role);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_read_as_people_type_them() {
        for (typed, name) in [("Anna ", "anna"), ("АННА", "анна"), ("ops@example.com", "ops@example.com")]
        {
            assert_eq!(typed.parse::<UserName>().as_ref().map(UserName::as_str), Ok(name), "{typed}");
        }
        for refused in ["", " ", "two words", "a/b", "..", "a\u{202e}b", "a\nb", &"x".repeat(41)] {
            assert_eq!(refused.parse::<UserName>(), Err(InvalidUserName), "{refused:?}");
        }
    }

    proptest! {
        #[test]
        fn a_name_reads_back_as_itself(text: String) {
            if let Ok(name) = text.parse::<UserName>() {
                prop_assert_eq!(name.to_string().parse(), Ok(name));
            }
        }
    }
}
