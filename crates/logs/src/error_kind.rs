//! What kind of error a line tells of, found from its fields.

/// A word that is no kind of error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no error type; there are {names}", names = ErrorKind::ALL.map(ErrorKind::as_str).join(", "))]
pub struct InvalidErrorKind(String);

macro_rules! error_kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $word:literal, [$($sign:literal),*];)*) => {
        /// The type of an error that a line tells of. Found from the words that its fields carry (outcomes, reasons, the
        /// provider's codes), never from its text. The words are stable; new ones may come.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ErrorKind {
            $($(#[$doc])* $name,)*
        }

        impl ErrorKind {
            /// Every type.
            pub const ALL: [Self; [$(Self::$name),*].len()] = [$(Self::$name),*];

            /// The word in the API and on the command line.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The number in files, from 1 to 63.
            pub(crate) const fn code(self) -> u8 {
                match self { $(Self::$name => $code,)* }
            }

            /// The type of a number in a file; none for 0 and for a number of a later version.
            pub(crate) const fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$name),)* _ => None }
            }

            /// The type that an outcome, a reason or a provider's code stands for.
            fn of_sign(sign: &str) -> Option<Self> {
                match sign { $($word $(| $sign)* => Some(Self::$name),)* _ => None }
            }
        }
    };
}

error_kinds! {
    /// Telegram wants the account to be silent for a while.
    FloodWait = 1, "flood_wait", ["FLOOD_WAIT", "FLOOD_PREMIUM_WAIT"];
    /// Telegram wants the account to be silent in one chat for a while.
    SlowMode = 2, "slow_mode", ["SLOWMODE_WAIT"];
    /// The account may make no new contacts.
    PeerFlood = 3, "peer_flood", ["PEER_FLOOD"];
    /// The place in the stream of updates is no longer taken.
    PersistentTimestamp = 4, "persistent_timestamp",
        ["PERSISTENT_TIMESTAMP_OUTDATED", "PERSISTENT_TIMESTAMP_INVALID", "PERSISTENT_TIMESTAMP_EMPTY"];
    /// A chat or a user that nobody finds.
    CannotResolve = 5, "cannot_resolve", ["not_found", "chat_not_found", "PEER_ID_INVALID", "USERNAME_NOT_OCCUPIED"];
    /// The account may not write there.
    NoRights = 6, "no_rights", ["forbidden", "CHAT_WRITE_FORBIDDEN", "CHANNEL_PRIVATE", "USER_BANNED_IN_CHANNEL"];
    /// The content was refused.
    Rejected = 7, "rejected", [];
    /// A file that is no longer there.
    MediaGone = 8, "media_gone", ["media_expired"];
    /// The connection was lost.
    ConnectionLost = 9, "connection_lost", ["unavailable", "no_connection"];
    /// There was no answer in time, or none that says what happened.
    Timeout = 10, "timeout", ["no_answer", "unknown", "timed_out"];
    /// The account is banned, deactivated or frozen.
    Banned = 11, "banned", ["deactivated", "frozen", "USER_DEACTIVATED", "USER_DEACTIVATED_BAN", "FROZEN_METHOD_INVALID"];
    /// The session is gone.
    SessionLost = 12, "session_lost",
        ["no_session", "session_revoked", "key_unknown", "needs_login", "SESSION_REVOKED", "AUTH_KEY_UNREGISTERED"];
    /// Two programs used one session.
    AuthKeyDuplicated = 13, "auth_key_duplicated", ["AUTH_KEY_DUPLICATED"];
    /// No account can do it.
    NoAccount = 14, "no_account", [];
    /// The disk is full.
    StorageFull = 15, "storage_full", [];
    /// The store does not answer or does not take a write.
    StoreUnavailable = 16, "store_unavailable", [];
    /// An address or a port is taken.
    AddressInUse = 17, "address_in_use", ["taken"];
    /// Another program did not take what it was told.
    CallbackFailed = 18, "callback_failed", [];
    /// A task of this program broke down.
    Broken = 19, "broken", ["panic"];
}

/// The fields whose values are such words, in the order they are looked at.
pub(crate) const SIGNS: [&str; 5] = ["code", "outcome", "provider_code", "reason", "state"];

impl ErrorKind {
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
