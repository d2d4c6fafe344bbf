//! Why a text is not certainly one phone number, with what was understood.

use std::fmt;

use super::Phone;

/// Why a text is not certainly one phone number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnreadPhone {
    /// It has no digits that could be a number.
    Missing,
    /// It has several numbers.
    Several(Vec<Phone>),
    /// It has words beside the number.
    Words(Vec<Phone>),
    /// It may be one of these numbers; there may be none.
    Unsure(Vec<Phone>),
    /// A spreadsheet rounded it.
    Rounded,
}

impl UnreadPhone {
    /// Whether the text looks like a number at all.
    pub const fn is_like_a_number(&self) -> bool {
        !matches!(self, Self::Missing)
    }
}

impl std::error::Error for UnreadPhone {}

impl fmt::Display for UnreadPhone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |found: &[Phone]| found.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        match self {
            Self::Missing => f.write_str("this has no phone number; write one like +70000000001"),
            Self::Several(found) => {
                write!(f, "this has several phone numbers: {}; write each one by itself", list(found))
            }
            Self::Words(found) => {
                write!(
                    f,
                    "this has words beside the phone number {}; write the number by itself",
                    list(found)
                )
            }
            Self::Unsure(found) if found.is_empty() => f.write_str(
                "this is not certainly a phone number; write it with + and its country, such as +70000000001",
            ),
            Self::Unsure(found) => write!(
                f,
                "this may be the phone number {}; write it with + and its country if it is",
                list(found)
            ),
            Self::Rounded => f.write_str("a spreadsheet rounded this phone number; write all its digits"),
        }
    }
}
