//! What a session file holds, whichever program wrote it.

use std::fmt;
use std::net::SocketAddr;

use domain::secret::{ExposeSecret, Zeroize};
use domain::{AccessHash, ChatId, Secret, UserId};
use sha2::{Digest, Sha256};

use crate::Unreadable;
use crate::centre;

const KEY_LENGTH: usize = 256;

/// A permanent auth key. Anyone who has it is the account: it prints as `[REDACTED]` and is wiped when dropped.
pub struct Key(Secret<[u8; KEY_LENGTH]>);

impl Key {
    /// A key; none when it is all zeros, which stands for "no key".
    pub fn new(key: Secret<[u8; KEY_LENGTH]>) -> Option<Self> {
        let zeros = key.expose_secret().iter().all(|byte| *byte == 0);
        (!zeros).then_some(Self(key))
    }

    /// A key as it is in a file: 256 bytes, and not all of them zero.
    pub(crate) fn from_file(bytes: &[u8]) -> Result<Self, Unreadable> {
        if bytes.is_empty() {
            return Err(Unreadable::NotSignedIn);
        }
        if bytes.len() != KEY_LENGTH {
            return Err(Unreadable::KeyLength(bytes.len()));
        }
        let mut key = Box::new([0; KEY_LENGTH]);
        key.copy_from_slice(bytes);
        Self::new(Secret::new(key)).ok_or(Unreadable::ZeroKey)
    }

    /// What distinguishes this key from others without showing it.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut first = [0; 8];
        first.copy_from_slice(&Sha256::digest(self.0.expose_secret())[..8]);
        Fingerprint(first)
    }

    pub fn into_secret(self) -> Secret<[u8; KEY_LENGTH]> {
        self.0
    }
}

impl ExposeSecret<[u8; KEY_LENGTH]> for Key {
    fn expose_secret(&self) -> &[u8; KEY_LENGTH] {
        self.0.expose_secret()
    }
}

impl Clone for Key {
    fn clone(&self) -> Self {
        let mut copy = *self.0.expose_secret();
        let key = Self(Secret::new(Box::new(copy)));
        copy.zeroize();
        key
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, [REDACTED])", self.fingerprint())
    }
}

/// The first eight bytes of the SHA-256 of a key: two sessions with one fingerprint are one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; 8]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Which program wrote a session, and how.
#[derive(strum::Display, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A `.session` file of Telethon.
    #[strum(to_string = "Telethon file")]
    TelethonFile,
    /// A `StringSession` of Telethon.
    #[strum(to_string = "Telethon string")]
    TelethonString,
    /// A `.session` file of Pyrogram, or of Kurigram while it still wrote the same.
    #[strum(to_string = "Pyrogram file")]
    PyrogramFile,
    /// A `.session` file of Kurigram.
    #[strum(to_string = "Kurigram file")]
    KurigramFile,
    /// A session string; Pyrogram's and Kurigram's are the same.
    #[strum(to_string = "Pyrogram string")]
    PyrogramString,
    /// An SQLite file of grammers.
    #[strum(to_string = "grammers file")]
    GrammersFile,
}

/// A session, and where it was found.
#[derive(Debug, Clone)]
pub struct Found {
    pub kind: Kind,
    /// Version of the file's schema; strings have none.
    pub version: Option<u32>,
    pub session: Session,
}

/// An auth key, the data centre that knows it, and what its program remembered beside them.
#[derive(Debug, Clone)]
pub struct Session {
    /// Number of the data centre that knows the key, 1 to 255. Telegram has five.
    pub dc_id: i32,
    pub key: Key,
    /// Where the data centre is, when its number is not one of Telegram's five; else `None` from a reader, since anyone who
    /// wrote a foreign file would decide whom we connect to. A writer puts it into the file instead of the known one.
    pub address: Option<SocketAddr>,
    /// Whose the file says the session is. Only Telegram knows.
    pub user_id: Option<UserId>,
    /// Whether the account is a bot, if the file says so.
    pub is_bot: Option<bool>,
    /// The application that signed in, if the file says so. Staying with it looks least like someone else.
    pub api_id: Option<i32>,
    /// Whether it belongs to Telegram's data centres for tests, where no real account is.
    pub test_mode: bool,
    /// The peers whose access hashes the program kept. The hashes are good for this account alone.
    pub peers: Vec<Peer>,
    /// How far the account's updates were read, if kept.
    pub update_state: Option<UpdateState>,
    /// How far the updates of single channels were read.
    pub channel_states: Vec<ChannelState>,
}

impl Session {
    /// A session of which no more is known than its key.
    pub fn new(dc_id: i32, key: Key) -> Self {
        Self {
            dc_id,
            key,
            address: None,
            user_id: None,
            is_bot: None,
            api_id: None,
            test_mode: false,
            peers: Vec::new(),
            update_state: None,
            channel_states: Vec::new(),
        }
    }

    /// A session as a file names it: a number of a data centre, and where the file says that it is.
    pub(crate) fn at(dc_id: i64, address: Option<SocketAddr>, key: Key) -> Result<Self, Unreadable> {
        let impossible = || Unreadable::ImpossibleDataCentre(dc_id);
        let number = centre::number(dc_id).ok_or_else(impossible)?;
        let mut session = Self::new(number, key);
        session.test_mode = centre::is_test(number, address);
        if centre::builtin_address(number).is_none() {
            session.address = Some(address.ok_or_else(impossible)?);
        }
        Ok(session)
    }

    /// The address that other programs should connect to; `None` when no one knows it.
    pub(crate) fn reachable_at(&self) -> Option<SocketAddr> {
        let telegrams = if self.test_mode { centre::test_address } else { centre::builtin_address };
        self.address.or_else(|| telegrams(self.dc_id))
    }
}

/// A user or chat that a session's account can reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    pub id: ChatId,
    /// What Telegram wants to see beside the id; basic groups have none.
    pub access_hash: Option<AccessHash>,
    /// What it is, as far as the file says.
    pub kind: PeerKind,
    /// A public name, without the `@`.
    pub username: Option<String>,
    pub name: Option<String>,
}

/// What a peer is, as far as a session file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PeerKind {
    /// A person, or a bot where the file makes no difference.
    User,
    Bot,
    Group,
    Supergroup,
    Channel,
    /// A supergroup or a broadcast channel: the file makes no difference.
    SupergroupOrChannel,
}

impl PeerKind {
    pub(crate) fn of(id: ChatId) -> Self {
        match id.kind() {
            domain::ChatKind::User => Self::User,
            domain::ChatKind::Group => Self::Group,
            domain::ChatKind::Channel => Self::SupergroupOrChannel,
        }
    }
}

/// How far the updates of an account were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpdateState {
    pub pts: i32,
    /// Count of secret events.
    pub qts: i32,
    /// Seconds since 1970.
    pub date: i64,
    pub seq: i32,
}

/// How far the updates of a channel were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelState {
    pub id: ChatId,
    pub pts: i32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(first: u8) -> Key {
        Key::from_file(&[first; KEY_LENGTH]).expect("a key")
    }

    #[test]
    fn a_key_shows_its_fingerprint_and_no_more() {
        let shown = format!("{:?}", Session::new(2, key(171)));
        assert!(shown.contains("[REDACTED]") && !shown.contains("171"), "{shown}");
        assert!(shown.contains(&key(171).fingerprint().to_string()));
        assert_eq!(key(7).clone().fingerprint(), key(7).fingerprint());
        assert_ne!(key(7).fingerprint(), key(8).fingerprint());
    }

    #[test]
    fn invalid_keys_are_refused_with_the_reason() {
        let refusal = |bytes: &[u8]| Key::from_file(bytes).expect_err("a refusal");
        assert!(matches!(refusal(&[]), Unreadable::NotSignedIn));
        assert!(matches!(refusal(&[0; 256]), Unreadable::ZeroKey));
        assert!(matches!(refusal(&[1; 255]), Unreadable::KeyLength(255)));
    }

    #[test]
    fn a_foreign_address_is_kept_for_an_unknown_centre_alone() {
        let address = "203.0.113.9:443".parse().ok();
        assert_eq!(Session::at(2, address, key(1)).expect("a session").address, None);
        assert_eq!(Session::at(9, address, key(1)).expect("a session").address, address);
        for (dc_id, address) in [(9, None), (0, address), (-2, address), (4096, address)] {
            let refused = Session::at(dc_id, address, key(1)).err();
            assert!(matches!(refused, Some(Unreadable::ImpossibleDataCentre(id)) if id == dc_id));
        }
    }
}
