//! What an account shows beside the id of a peer or file.

use std::fmt;

/// What Telegram gives an account with a user, channel or file, and takes beside its id; good for that account alone. It
/// prints as `[REDACTED]`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AccessHash(pub i64);

impl AccessHash {
    /// The value where none is needed: with a basic group, and with the account itself.
    pub const NONE: Self = Self(0);
}

impl fmt::Debug for AccessHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessHash([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_hash_is_not_printed() {
        assert_eq!(format!("{:?}", Some(AccessHash(77))), "Some(AccessHash([REDACTED]))");
    }
}
