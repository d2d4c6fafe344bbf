//! The position of a message in a conversation: by time, and never two at one place.

use std::fmt;
use std::str::FromStr;

use domain::MessageId;

use crate::StoreError;

/// A place in a conversation. Of one microsecond what was received is before what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    /// Microseconds.
    pub(crate) at: i64,
    pub(crate) of: Of,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Of {
    /// The number of its row.
    Received(i64),
    Sent([u8; 16]),
}

impl Position {
    /// Behind every message.
    pub(crate) const END: Self = Self { at: i64::MAX, of: Of::Sent([0xff; 16]) };

    /// Where that is among what was received: a time and a number, which itself is not meant.
    pub(crate) const fn among_received(&self) -> (i64, i64) {
        match self.of {
            Of::Received(seq) => (self.at, seq),
            Of::Sent(_) => (self.at, i64::MAX),
        }
    }

    /// The same among what was sent.
    pub(crate) const fn among_sent(&self) -> (i64, [u8; 16]) {
        match self.of {
            Of::Received(_) => (self.at, [0; 16]),
            Of::Sent(id) => (self.at, id),
        }
    }
}

/// The form of cursors.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.of {
            Of::Received(seq) => write!(f, "{}.{seq}", self.at),
            Of::Sent(id) => write!(f, "{}.{}", self.at, MessageId::from_uuid(uuid::Uuid::from_bytes(id))),
        }
    }
}

impl FromStr for Position {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let (at, of) = text.split_once('.').ok_or(StoreError::BadCursor)?;
        let of = match of.parse::<MessageId>() {
            Ok(id) => Of::Sent(*id.as_uuid().as_bytes()),
            Err(_) => Of::Received(of.parse().map_err(|_| StoreError::BadCursor)?),
        };
        Ok(Self { at: at.parse().map_err(|_| StoreError::BadCursor)?, of })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place() -> impl Strategy<Value = Position> {
        let of = prop_oneof![
            (0..5_i64).prop_map(Of::Received),
            (1..5_u8).prop_map(|letter| Of::Sent([letter; 16])),
        ];
        (0..5_i64, of).prop_map(|(at, of)| Position { at, of })
    }

    proptest! {
        #[test]
        fn cursors_read_back(place in place()) {
            prop_assert_eq!(place.to_string().parse::<Position>().ok(), Some(place));
        }

        #[test]
        fn bounds_of_each_direction_are_those_of_the_order(one in place(), other in place()) {
            let (before, after) = match other.of {
                Of::Received(seq) => {
                    ((other.at, seq) < one.among_received(), (other.at, seq) > one.among_received())
                }
                Of::Sent(id) => ((other.at, id) < one.among_sent(), (other.at, id) > one.among_sent()),
            };
            prop_assert_eq!((before, after), (other < one, other > one));
        }
    }

    #[test]
    fn an_invalid_cursor_is_refused() {
        for text in ["", "1", "1.", ".1", "1.x", "x.1", "msg_01k2v7m3w0e9tq4b8s6n5x1zyr"] {
            assert_eq!(text.parse::<Position>(), Err(StoreError::BadCursor), "{text}");
        }
    }
}
