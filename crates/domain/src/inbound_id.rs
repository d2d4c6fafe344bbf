//! The id of a message that came in through a channel: `rcv_2` and the number of its row.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::ReceivedId;
use crate::id::ALPHABET;

/// What the text form begins with. That of [`ReceivedId`] has another form number.
const PREFIX: &str = "rcv_2";
/// Letters of five bits each that 63 bits take.
const LETTERS: usize = 13;

/// A message that came in through a channel. Its text form is as long for every number, and sorts as the numbers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InboundId(i64);

/// Text that is no id of a message of a channel.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is no id of a received message; take `id` from the list of messages as it is")]
pub struct InvalidInboundId(String);

impl InboundId {
    /// The message of the row with this number; none for a negative one.
    pub fn new(number: i64) -> Option<Self> {
        (number >= 0).then_some(Self(number))
    }

    /// The number of the row.
    pub const fn get(self) -> i64 {
        self.0
    }

    fn read(letters: &str) -> Option<i64> {
        if letters.len() != LETTERS {
            return None;
        }
        letters.bytes().try_fold(0_i64, |number, letter| {
            let digit = ALPHABET.iter().position(|known| *known == letter)?;
            number.checked_mul(32)?.checked_add(i64::try_from(digit).ok()?)
        })
    }
}

impl fmt::Display for InboundId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        (0..LETTERS).rev().try_for_each(|place| {
            let digit = (self.0 >> (5 * place)) & 31;
            write!(f, "{}", char::from(ALPHABET[usize::try_from(digit).unwrap_or_default()]))
        })
    }
}

impl FromStr for InboundId {
    type Err = InvalidInboundId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.strip_prefix(PREFIX).and_then(Self::read);
        number.map(Self).ok_or_else(|| InvalidInboundId(text.chars().take(64).collect()))
    }
}

impl Serialize for InboundId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for InboundId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A message that came in, through an account of Telegram or a channel.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AnyReceivedId {
    /// Through an account of Telegram.
    Telegram(ReceivedId),
    /// Through a channel.
    Channel(InboundId),
}

impl From<ReceivedId> for AnyReceivedId {
    fn from(id: ReceivedId) -> Self {
        Self::Telegram(id)
    }
}

impl From<InboundId> for AnyReceivedId {
    fn from(id: InboundId) -> Self {
        Self::Channel(id)
    }
}

impl fmt::Display for AnyReceivedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Telegram(id) => id.fmt(f),
            Self::Channel(id) => id.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_id_reads_back_and_sorts_as_its_number(one in 0..i64::MAX, other in 0..i64::MAX) {
            let id = |number| InboundId::new(number).expect("an id").to_string();
            prop_assert_eq!(id(one).parse().ok(), InboundId::new(one));
            prop_assert_eq!(id(one).cmp(&id(other)), one.cmp(&other));
            prop_assert!(id(one).parse::<ReceivedId>().is_err());
        }

        #[test]
        fn any_text_is_refused_or_is_the_one_id(text in "(rcv_2)?[0-9a-z]{0,15}") {
            if let Ok(id) = text.parse::<InboundId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }

    #[test]
    fn the_form_stays_as_it_is() {
        assert_eq!(InboundId(1_790_000_000_000_000).to_string(), "rcv_2001jvzvd2br00");
        assert!(InboundId::new(-1).is_none());
        let any: AnyReceivedId = serde_json::from_str("\"rcv_20000000000001\"").expect("an id");
        assert_eq!(any, AnyReceivedId::Channel(InboundId(1)));
    }
}
