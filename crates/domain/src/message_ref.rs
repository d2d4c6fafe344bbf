//! The id of a message of either direction.

use std::fmt;
use std::str::FromStr;

use crate::{InboundId, MessageId, ReceivedId};

/// A message that was to be sent, or one that was received.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum MessageRef {
    /// `msg_…`.
    Sent(MessageId),
    /// `rcv_…`.
    Received(ReceivedId),
    /// `rcv_2…`, of a channel.
    Inbound(InboundId),
}

/// Text that is no id of a message.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{given:?} is no id of a message; it begins with \"msg_\" or \"rcv_\"")]
pub struct InvalidMessageRef {
    given: String,
}

impl FromStr for MessageRef {
    type Err = InvalidMessageRef;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let sent = text.parse().map(Self::Sent);
        sent.or_else(|_| text.parse().map(Self::Received))
            .or_else(|_| text.parse().map(Self::Inbound))
            .map_err(|_| InvalidMessageRef { given: text.chars().take(64).collect() })
    }
}

impl fmt::Display for MessageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sent(id) => id.fmt(f),
            Self::Received(id) => id.fmt(f),
            Self::Inbound(id) => id.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_direction_reads_back_and_others_are_refused() {
        for text in ["msg_01k2v7m3w0e9tq4b8s6n5x1zyr", "rcv_1zzzzy5q1rkpjw00000pg", "rcv_20000000000001"] {
            let read = text.parse::<MessageRef>().expect("an id");
            assert_eq!(
                (read.to_string().as_str(), matches!(read, MessageRef::Sent(_))),
                (text, text.starts_with('m'))
            );
        }
        for text in ["", "45", "op_01k2v7m3w0e9tq4b8s6n5x1zyr", "rcv_", "msg_"] {
            assert!(text.parse::<MessageRef>().is_err(), "{text}");
        }
    }
}
