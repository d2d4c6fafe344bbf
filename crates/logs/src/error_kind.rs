//! The kind of error that a line reports, found from its fields.

/// A word that is no kind of error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no error type; there are {names}", names = ErrorKind::ALL.map(ErrorKind::as_str).join(", "))]
pub struct InvalidErrorKind(String);

/// The type of the error that a line reports. Found from the words that its fields carry (outcomes, reasons, the
/// provider's codes), never from its text. The words are stable; new ones may come. The numbers, from 1 to 63, are
/// those in files.
#[derive(strum::IntoStaticStr, strum::VariantArray, strum::FromRepr)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ErrorKind {
    /// Telegram wants the account to be silent for a while.
    FloodWait = 1,
    /// Telegram wants the account to be silent in one chat for a while.
    SlowMode = 2,
    /// The account may make no new contacts.
    PeerFlood = 3,
    /// The position in the stream of updates is no longer accepted.
    PersistentTimestamp = 4,
    /// A chat or a user that no account finds.
    CannotResolve = 5,
    /// The account may not write there.
    NoRights = 6,
    /// The content was refused.
    Rejected = 7,
    /// A file that is no longer there.
    MediaGone = 8,
    /// The connection was lost.
    ConnectionLost = 9,
    /// There was no answer in time, or none that says what happened.
    Timeout = 10,
    /// The account is banned, deactivated or frozen.
    Banned = 11,
    /// The session is gone.
    SessionLost = 12,
    /// Two programs used one session.
    AuthKeyDuplicated = 13,
    /// No account can do it.
    NoAccount = 14,
    /// The disk is full.
    StorageFull = 15,
    /// The store does not answer or does not take a write.
    StoreUnavailable = 16,
    /// An address or a port is taken.
    AddressInUse = 17,
    /// Another program did not accept a callback.
    CallbackFailed = 18,
    /// A task of this program broke down.
    Broken = 19,
}

/// The fields whose values are such words, in the order they are looked at.
pub(crate) const SIGNS: [&str; 5] = ["code", "outcome", "provider_code", "reason", "state"];

impl ErrorKind {
    pub(crate) const fn code(self) -> u8 {
        self as u8
    }

    /// The type of a number in a file; none for 0 and for a number of a later version.
    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::from_repr(code)
    }

    /// The type that belongs to an outcome, a reason or a provider's code.
    fn of_sign(sign: &str) -> Option<Self> {
        Some(match sign {
            "FLOOD_WAIT" | "FLOOD_PREMIUM_WAIT" => Self::FloodWait,
            "SLOWMODE_WAIT" => Self::SlowMode,
            "PEER_FLOOD" => Self::PeerFlood,
            "PERSISTENT_TIMESTAMP_OUTDATED"
            | "PERSISTENT_TIMESTAMP_INVALID"
            | "PERSISTENT_TIMESTAMP_EMPTY" => Self::PersistentTimestamp,
            "not_found" | "chat_not_found" | "PEER_ID_INVALID" | "USERNAME_NOT_OCCUPIED" => {
                Self::CannotResolve
            }
            "forbidden" | "CHAT_WRITE_FORBIDDEN" | "CHANNEL_PRIVATE" | "USER_BANNED_IN_CHANNEL" => {
                Self::NoRights
            }
            "media_expired" => Self::MediaGone,
            "unavailable" | "no_connection" => Self::ConnectionLost,
            "no_answer" | "unknown" | "timed_out" => Self::Timeout,
            "deactivated"
            | "frozen"
            | "USER_DEACTIVATED"
            | "USER_DEACTIVATED_BAN"
            | "FROZEN_METHOD_INVALID" => Self::Banned,
            "no_session"
            | "session_revoked"
            | "key_unknown"
            | "needs_login"
            | "SESSION_REVOKED"
            | "AUTH_KEY_UNREGISTERED" => Self::SessionLost,
            "AUTH_KEY_DUPLICATED" => Self::AuthKeyDuplicated,
            "taken" => Self::AddressInUse,
            "panic" => Self::Broken,
            word => return word.parse().ok(),
        })
    }

    /// What the value of a field says. A number after the word, as in `FLOOD_WAIT_30`, is left out.
    pub fn of_value(value: &str) -> Option<Self> {
        let word = value.trim_end_matches(|letter: char| letter.is_ascii_digit());
        let word = if word.len() < value.len() { word.trim_end_matches('_') } else { value };
        Self::of_sign(word)
    }
}

crate::word::is_a_word!(ErrorKind, InvalidErrorKind);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_read_back_and_are_there_once() {
        let mut codes = Vec::new();
        for kind in ErrorKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(ErrorKind::of_value(kind.as_str()), Some(kind));
            assert_eq!(ErrorKind::from_code(kind.code()), Some(kind));
            assert!((1..64).contains(&kind.code()) && !codes.contains(&kind.code()), "{kind}");
            codes.push(kind.code());
        }
        assert_eq!((ErrorKind::from_code(0), ErrorKind::from_code(63)), (None, None));
    }

    #[test]
    fn outcomes_and_the_words_of_the_provider_are_known() {
        for (value, kind) in [
            ("FLOOD_WAIT_1447", ErrorKind::FloodWait),
            ("flood_wait", ErrorKind::FloodWait),
            ("chat_not_found", ErrorKind::CannotResolve),
            ("PERSISTENT_TIMESTAMP_OUTDATED", ErrorKind::PersistentTimestamp),
            ("unknown", ErrorKind::Timeout),
        ] {
            assert_eq!(ErrorKind::of_value(value), Some(kind), "{value}");
        }
        for value in ["sent", "ready", "", "17", "a flood_wait"] {
            assert_eq!(ErrorKind::of_value(value), None, "{value}");
        }
    }
}
