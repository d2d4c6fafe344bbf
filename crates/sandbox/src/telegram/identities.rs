//! Everything secret-looking about the world, derived from its seed, so that a restart keeps sessions valid.

use std::net::SocketAddrV4;

use base64::Engine;
use sha2::{Digest, Sha256};

use super::peer::Peer;

/// The seed of a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seed(pub(crate) u64);

impl Seed {
    fn block(self, label: &str, number: u32) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.0.to_le_bytes());
        hash.update(u32::try_from(label.len()).unwrap_or(u32::MAX).to_le_bytes());
        hash.update(label.as_bytes());
        hash.update(number.to_le_bytes());
        hash.finalize().into()
    }

    pub(crate) fn auth_key(self, label: &str) -> [u8; 256] {
        let mut key = [0; 256];
        for (number, part) in key.chunks_exact_mut(32).enumerate() {
            part.copy_from_slice(&self.block(label, u32::try_from(number).unwrap_or(u32::MAX)));
        }
        key
    }

    /// A number drawn for this label.
    pub(crate) fn number(self, label: &str) -> u64 {
        let block = self.block(label, 0);
        u64::from_le_bytes(std::array::from_fn(|i| block[i]))
    }

    /// 32 hexadecimal digits, as an api hash has.
    pub(crate) fn hex32(self, label: &str) -> String {
        hex::encode(&self.block(label, 0)[..16])
    }

    /// Five digits, as a login code has.
    pub(crate) fn five_digits(self, label: &str) -> String {
        format!("{:05}", self.number(label) % 100_000)
    }

    /// The access hash of a peer for one viewer: another account's hash is of no use, as at Telegram.
    pub(crate) fn access_hash(self, viewer: i64, peer: Peer) -> i64 {
        let (kind, id) = match peer {
            Peer::User(id) => (1, id),
            Peer::Group(id) => (2, id),
            Peer::Channel(id) => (3, id),
        };
        self.hash_of([viewer.cast_unsigned(), kind, id.cast_unsigned()])
    }

    /// The access hash of a file for one viewer, or the proof of its reference in one era.
    pub(crate) fn file_hash(self, viewer: i64, id: i64, era: Option<u32>) -> i64 {
        let kind = era.map_or(4, |era| 5 + u64::from(era));
        self.hash_of([viewer.cast_unsigned(), kind, id.cast_unsigned()])
    }

    fn hash_of(self, words: [u64; 3]) -> i64 {
        let mut mixed = self.0;
        for word in words {
            mixed = mix(mixed ^ word);
        }
        // 0 means "no hash" to clients.
        (mixed | 1).cast_signed()
    }
}

/// One step of `SplitMix64`.
pub(crate) fn mix(word: u64) -> u64 {
    let mut z = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A Telethon `StringSession`: data centre, address, key.
pub(crate) fn string_session(dc_id: i32, address: SocketAddrV4, key: &[u8; 256]) -> String {
    let mut raw = Vec::with_capacity(263);
    raw.push(u8::try_from(dc_id).unwrap_or_default());
    raw.extend(address.ip().octets());
    raw.extend(address.port().to_be_bytes());
    raw.extend(key);
    format!("1{}", base64::engine::general_purpose::URL_SAFE.encode(raw))
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddrV4};

    use super::*;

    #[test]
    fn a_string_session_is_as_telethon_writes_it() {
        let key = std::array::from_fn(|i| u8::try_from(i % 256).unwrap());
        let text = string_session(2, SocketAddrV4::new(Ipv4Addr::new(149, 154, 167, 51), 443), &key);
        assert_eq!(text.len(), 353);
        assert!(text.starts_with("1ApWapzMBuwABAgME"));
        assert!(text.ends_with("-_z9_v8="));
    }

    #[test]
    fn everything_follows_from_the_seed() {
        let (one, other) = (Seed(1), Seed(2));
        assert_eq!(one.auth_key("main"), one.auth_key("main"));
        assert_ne!(one.auth_key("main"), one.auth_key("backup_1"));
        assert_ne!(one.auth_key("main"), other.auth_key("main"));
        assert_eq!(one.five_digits("x").len(), 5);
        assert_eq!(one.hex32("x").len(), 32);
    }

    #[test]
    fn an_access_hash_is_good_for_one_viewer_and_one_peer() {
        let seed = Seed(7);
        let hash = seed.access_hash(1, Peer::User(5));
        assert_eq!(hash, seed.access_hash(1, Peer::User(5)));
        assert_ne!(hash, seed.access_hash(2, Peer::User(5)));
        assert_ne!(hash, seed.access_hash(1, Peer::Channel(5)));
        assert_ne!(hash, 0);
    }
}
