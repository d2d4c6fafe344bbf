//! Why a request gave no result, and whether it can have reached Telegram.

use std::io;

use grammers_tl_types::{deserialize, types};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code} {name}{}", value.map(|value| format!(" ({value})")).unwrap_or_default())]
pub struct RpcError {
    /// Like a status of HTTP; negative for errors of Telegram's own inside.
    pub code: i32,
    /// The name, without the number in it: `FLOOD_WAIT_31` is `FLOOD_WAIT`.
    pub name: String,
    /// The number that was in the name.
    pub value: Option<u32>,
    /// The constructor of the request that it answers.
    pub caused_by: Option<u32>,
}

impl RpcError {
    /// The same, as the answer to this request.
    #[must_use]
    pub fn caused_by(self, request: &[u8]) -> Self {
        Self { caused_by: request.first_chunk().map(|id| u32::from_le_bytes(*id)), ..self }
    }
}

impl From<types::RpcError> for RpcError {
    fn from(error: types::RpcError) -> Self {
        let types::RpcError { error_code: code, error_message: message } = error;
        let mut numbers = message.split(|letter: char| !letter.is_ascii_digit());
        let found = numbers.find_map(|digits| Some((digits, digits.parse::<u32>().ok()?)));
        let (name, value) = match found {
            Some((digits, value)) => (message.replace(&format!("_{digits}"), ""), Some(value)),
            None => (message.clone(), None),
        };
        Self { code, name, value, caused_by: None }
    }
}

/// Why a connection is over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Loss {
    #[error("the connection broke: {0}")]
    Broken(String),
    #[error("Telegram closed the connection")]
    Ended,
    /// Telegram refused it with a code of the transport: 404 for a key that it does not know, 429 for too many connections
    /// (<https://core.telegram.org/mtproto/mtproto-transports#transport-errors>).
    #[error("Telegram refused the connection with code {0}")]
    Status(u32),
    #[error("the connection carried something that is not the protocol: {0}")]
    Garbled(Garbled),
    #[error("Telegram takes nothing any more")]
    Stalled,
    #[error("Telegram does not answer")]
    Silent,
    #[error("the connection was closed here")]
    Closed,
}

impl From<io::Error> for Loss {
    fn from(error: io::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

/// What is wrong with bytes that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Garbled {
    #[error("a packet of {0} bytes")]
    Length(i64),
    /// A packet is missing, or came twice.
    #[error("packet {got} where {expected} was expected")]
    Order { got: i32, expected: i32 },
    #[error("a checksum that does not fit")]
    Checksum,
    #[error("a packet that this key does not open")]
    Key,
    #[error("a message that cannot be read")]
    Message,
    #[error("a message that unpacks to too much")]
    Unpacked,
}

/// Why a request gave no result.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RequestError {
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The data centre does not know the key: nothing was written.
    #[error("the data centre does not know this key")]
    KeyUnknown,
    /// The data centre or the proxy cannot be reached: nothing was written.
    #[error("{0}")]
    Unreachable(String),
    #[error("{loss}")]
    Lost {
        loss: Loss,
        /// Whether a byte of the request may have left, so that no one knows whether Telegram has it.
        written: bool,
    },
    #[error("the answer cannot be read: {0}")]
    Unreadable(#[from] deserialize::Error),
    #[error("the answer cannot be unpacked")]
    Unpackable,
    /// Telegram did not take the message that the request was in, for the reason with this number
    /// (<https://core.telegram.org/mtproto/service_messages_about_messages>).
    #[error("Telegram did not take the message (reason {0})")]
    NotTaken(i32),
    /// No packet can hold it: nothing was written.
    #[error("a request of {0} bytes fits no packet")]
    Unsendable(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_taken_out_of_a_name() {
        let read = |message: &str| {
            let error = types::RpcError { error_code: 420, error_message: message.to_owned() };
            let RpcError { name, value, .. } = error.into();
            (name, value)
        };
        assert_eq!(read("FLOOD_WAIT_31"), ("FLOOD_WAIT".to_owned(), Some(31)));
        assert_eq!(read("INTERDC_2_CALL_ERROR"), ("INTERDC_CALL_ERROR".to_owned(), Some(2)));
        assert_eq!(read("CHAT_INVALID"), ("CHAT_INVALID".to_owned(), None));
        assert_eq!(read("FLOOD_WAIT_99999999999"), ("FLOOD_WAIT_99999999999".to_owned(), None));
        assert_eq!(read(""), (String::new(), None));
    }

    #[test]
    fn an_error_names_the_request_that_it_answers() {
        let error = RpcError::from(types::RpcError { error_code: 400, error_message: "A".to_owned() });
        assert_eq!(error.clone().caused_by(&[1, 2, 0, 0, 9]).caused_by, Some(0x201));
        assert_eq!(error.caused_by(&[1]).caused_by, None);
    }
}
