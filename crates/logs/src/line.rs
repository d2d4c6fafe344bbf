//! A log line as its readers see it, and its id.

use std::fmt;
use std::str::FromStr;

use domain::Timestamp;
use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};

use crate::error_kind::ErrorKind;
use crate::level::Level;
use crate::service::Service;

/// What the text form of an id begins with.
const PREFIX: &str = "log_";
/// Letters after it: 13 of 5 bits.
const LETTERS: usize = 13;
/// Crockford's base 32, lower case: sorts as the number does.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The id of a line: a number that grows by one with each line and is never used again, also when the clock is set back
/// and when old lines are gone. Ids sort by the order in which lines were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineId(u64);

/// Text that is no id of a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no id of a log line; it begins with \"log_\" and has 13 letters and digits after it")]
pub struct InvalidLineId(String);

impl LineId {
    /// No line has it: all lines come after it.
    pub const NONE: Self = Self(0);

    pub(crate) const fn new(number: u64) -> Self {
        Self(number)
    }

    pub(crate) const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for LineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut letters = [b'0'; LETTERS];
        let mut rest = self.0;
        for slot in letters.iter_mut().rev() {
            *slot = ALPHABET[usize::try_from(rest & 31).unwrap_or(0)];
            rest >>= 5;
        }
        f.write_str(PREFIX)?;
        letters.iter().try_for_each(|&letter| fmt::Write::write_char(f, char::from(letter)))
    }
}

impl FromStr for LineId {
    type Err = InvalidLineId;

    fn from_str(text: &str) -> Result<Self, InvalidLineId> {
        let invalid = || InvalidLineId(text.chars().take(40).collect());
        let letters = text.strip_prefix(PREFIX).ok_or_else(invalid)?.as_bytes();
        // Of 65 bits the first is always 0.
        if letters.len() != LETTERS || letters[0] > b'f' {
            return Err(invalid());
        }
        let number = letters.iter().try_fold(0_u64, |number, letter| {
            let digit = ALPHABET.iter().position(|known| known == letter)?;
            Some((number << 5) | u64::try_from(digit).ok()?)
        });
        number.map(Self).ok_or_else(invalid)
    }
}

impl Serialize for LineId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A log line.
///
/// As JSON it is `{"id","at","level","service","account","subject","error","message","fields":{…}}`, in which `account` and
/// `subject` are null where the line has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its id, which also says its place among the others.
    pub id: LineId,
    /// What the clock said. Not always later than the line before: clocks are set back.
    pub at: Timestamp,
    pub level: Level,
    pub service: Service,
    /// The type of its error, if it has one.
    pub error: Option<ErrorKind>,
    /// The sentence. Any text, also control characters and HTML: a caller that shows it has to make it harmless, as
    /// [`escaped`](crate::escaped) does for terminals.
    pub message: String,
    /// What goes with it, in the order in which it was given. The same holds for the values.
    pub fields: Vec<(String, String)>,
}

impl Line {
    /// The account that it is about.
    pub fn account(&self) -> Option<&str> {
        self.field("account")
    }

    /// The message, operation, request or file that it is about, as an id.
    pub fn subject(&self) -> Option<&str> {
        SUBJECTS.iter().find_map(|name| self.field(name))
    }

    /// The first field of this name.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// What searches for words look at: the sentence and each field as `name=value`, with spaces between.
    pub fn text(&self) -> String {
        let mut text = self.message.clone();
        for (name, value) in &self.fields {
            text.push(' ');
            text.push_str(name);
            text.push('=');
            text.push_str(value);
        }
        text
    }
}

/// The fields that name what a line is about, the first of them that is there.
pub(crate) const SUBJECTS: [&str; 4] = ["subject", "operation", "callback", "upload"];

struct Fields<'a>(&'a [(String, String)]);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = serializer.serialize_struct("Line", 9)?;
        line.serialize_field("id", &self.id)?;
        line.serialize_field("at", &self.at)?;
        line.serialize_field("level", &self.level)?;
        line.serialize_field("service", &self.service)?;
        line.serialize_field("account", &self.account())?;
        line.serialize_field("subject", &self.subject())?;
        line.serialize_field("error", &self.error)?;
        line.serialize_field("message", &self.message)?;
        line.serialize_field("fields", &Fields(&self.fields))?;
        line.end()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ids_read_back_and_sort_as_their_numbers(a: u64, b: u64) {
            let (x, y) = (LineId::new(a), LineId::new(b));
            prop_assert_eq!(x.to_string().parse(), Ok(x));
            prop_assert_eq!(x.to_string().cmp(&y.to_string()), a.cmp(&b));
        }

        #[test]
        fn any_text_is_no_id_or_reads_back(text in "log_[0-9a-z]{13}|\\PC{0,20}") {
            if let Ok(id) = text.parse::<LineId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }
}
