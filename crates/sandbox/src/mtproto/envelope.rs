//! The two envelopes of MTProto: encrypted (MTProto 2.0, the server's side) and plain (for the key exchange alone).

use grammers_crypto::aes::{ige_decrypt, ige_encrypt};
use sha2::{Digest, Sha256};

use super::tl::{self, Malformed, Reader};
use crate::keys::AuthKeyId;

/// Key id and message key, in front of the encrypted part.
const HEADER: usize = 24;
/// Salt, session, message id, sequence number, length.
const INNER_HEADER: usize = 32;
/// The least and the most padding a client may use.
const PADDING: std::ops::RangeInclusive<usize> = 12..=1024;

/// Why an encrypted packet is not taken. Each of them ends the connection: the sender does not hold the key, or errs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EnvelopeError {
    /// Its length fits no encrypted packet.
    #[error("an encrypted packet of {0} bytes")]
    Length(usize),
    /// The message key does not fit the content.
    #[error("the message key does not fit the content")]
    MessageKey,
    /// The length inside does not fit the packet.
    #[error("a message of {0} bytes does not fit its packet")]
    Inner(i32),
}

/// An auth key as the wire uses it.
pub(crate) struct Key {
    pub(crate) id: AuthKeyId,
    bytes: [u8; 256],
    /// One salt, made of the key and kept for ever: clients must handle a wrong one, and all of them begin with a wrong one.
    pub(crate) salt: i64,
}

/// What was in an encrypted packet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Opened<'a> {
    pub(crate) salt: i64,
    pub(crate) session: i64,
    pub(crate) message: i64,
    pub(crate) sequence: i32,
    pub(crate) body: &'a [u8],
}

#[derive(Clone, Copy)]
enum Sender {
    Client,
    Server,
}

impl Sender {
    fn offset(self) -> usize {
        match self {
            Self::Client => 0,
            Self::Server => 8,
        }
    }
}

impl Key {
    pub(crate) fn new(id: AuthKeyId, bytes: [u8; 256]) -> Self {
        let digest: [u8; 32] = Sha256::new().chain_update(b"salt").chain_update(bytes).finalize().into();
        // Never 0, with which clients begin.
        let salt = i64::from_le_bytes(std::array::from_fn(|i| digest[i])) | 1;
        Self { id, bytes, salt }
    }

    /// Opens a packet that begins with this key's id, in place.
    pub(crate) fn open<'a>(&self, packet: &'a mut [u8], padded: bool) -> Result<Opened<'a>, EnvelopeError> {
        let length = packet.len();
        let encrypted = length.checked_sub(HEADER).ok_or(EnvelopeError::Length(length))?;
        let surplus = encrypted % 16;
        if encrypted < INNER_HEADER + 16 || (surplus != 0 && !padded) {
            return Err(EnvelopeError::Length(length));
        }
        let (header, content) = packet[..length - surplus].split_at_mut(HEADER);
        let message_key: [u8; 16] = std::array::from_fn(|i| header[8 + i]);
        let (key, vector) = self.cipher(&message_key, Sender::Client);
        ige_decrypt(content, &key, &vector);
        if self.message_key(content, Sender::Client) != message_key {
            return Err(EnvelopeError::MessageKey);
        }
        opened(content)
    }

    /// Encrypts, in place, a packet in which the key id and the message key are still to be filled in.
    pub(crate) fn seal(&self, packet: &mut [u8]) {
        let (header, content) = packet.split_at_mut(HEADER);
        let message_key = self.message_key(content, Sender::Server);
        let (key, vector) = self.cipher(&message_key, Sender::Server);
        ige_encrypt(content, &key, &vector);
        header[..8].copy_from_slice(&self.id.0.to_le_bytes());
        header[8..].copy_from_slice(&message_key);
    }

    fn message_key(&self, content: &[u8], from: Sender) -> [u8; 16] {
        let part = &self.bytes[88 + from.offset()..][..32];
        let large = Sha256::new().chain_update(part).chain_update(content).finalize();
        std::array::from_fn(|i| large[8 + i])
    }

    fn cipher(&self, message_key: &[u8; 16], from: Sender) -> ([u8; 32], [u8; 32]) {
        let x = from.offset();
        let a = Sha256::new().chain_update(message_key).chain_update(&self.bytes[x..][..36]).finalize();
        let b = Sha256::new().chain_update(&self.bytes[40 + x..][..36]).chain_update(message_key).finalize();
        let inner = |i: &usize| (8..24).contains(i);
        let key = std::array::from_fn(|i| if inner(&i) { b[i] } else { a[i] });
        let vector = std::array::from_fn(|i| if inner(&i) { a[i] } else { b[i] });
        (key, vector)
    }
}

fn opened(content: &[u8]) -> Result<Opened<'_>, EnvelopeError> {
    let mut reader = Reader::new(content);
    let mut read = || -> Result<(i64, i64, i64, i32, i32), Malformed> {
        Ok((reader.i64()?, reader.i64()?, reader.i64()?, reader.i32()?, reader.i32()?))
    };
    let (salt, session, message, sequence, length) =
        read().map_err(|Malformed| EnvelopeError::Length(content.len()))?;
    let body = usize::try_from(length)
        .ok()
        .filter(|length| length % 4 == 0)
        .and_then(|length| content.get(INNER_HEADER..INNER_HEADER + length))
        .filter(|body| PADDING.contains(&(content.len() - INNER_HEADER - body.len())))
        .ok_or(EnvelopeError::Inner(length))?;
    Ok(Opened { salt, session, message, sequence, body })
}

/// How a packet is laid out before [`Key::seal`].
pub(crate) struct Layout {
    /// Bytes of the whole packet.
    pub(crate) packet: usize,
    /// Random bytes at its end.
    pub(crate) padding: usize,
}

impl Layout {
    /// For this many bytes of messages, headers of the messages included.
    pub(crate) fn of(messages: usize) -> Self {
        let content = 16 + messages;
        let padded = (content + PADDING.start()).next_multiple_of(16);
        Self { packet: HEADER + padded, padding: padded - content }
    }
}

/// The body of a plain packet.
pub(crate) fn open_plain(packet: &[u8]) -> Result<&[u8], Malformed> {
    let mut reader = Reader::new(packet);
    let (key, _message) = (reader.i64()?, reader.i64()?);
    if key != 0 {
        return Err(Malformed);
    }
    let length = reader.count()?;
    reader.take(length)
}

/// A plain packet.
pub(crate) fn plain(message: i64, body: &[u8]) -> Vec<u8> {
    let mut packet = Vec::with_capacity(20 + body.len());
    packet.extend_from_slice(&[0; 8]);
    packet.extend_from_slice(&message.to_le_bytes());
    packet.extend_from_slice(&tl::int(body.len()).to_le_bytes());
    packet.extend_from_slice(body);
    packet
}

#[cfg(test)]
mod tests {
    use grammers_crypto::{AuthKey, DequeBuffer, decrypt_data_v2, encrypt_data_v2};
    use proptest::prelude::*;

    use super::*;

    fn key() -> ([u8; 256], Key) {
        let bytes = std::array::from_fn(|i| u8::try_from(i).unwrap().wrapping_mul(7));
        let ring = crate::keys::KeyRing::default();
        (bytes, Key::new(ring.register(bytes, 2), bytes))
    }

    fn from_client(body: &[u8], claimed: i32) -> Vec<u8> {
        let mut buffer = DequeBuffer::with_capacity(64, 64);
        buffer.extend(5_i64.to_le_bytes());
        buffer.extend(6_i64.to_le_bytes());
        buffer.extend(8_i64.to_le_bytes());
        buffer.extend(1_i32.to_le_bytes());
        buffer.extend(claimed.to_le_bytes());
        buffer.extend(body.iter().copied());
        encrypt_data_v2(&mut buffer, &AuthKey::from_bytes(key().0));
        buffer[..].to_vec()
    }

    proptest! {
        #[test]
        fn packets_encrypted_by_a_client_are_decrypted(words in 0..100_usize) {
            let body = vec![3; words * 4];
            let mut packet = from_client(&body, tl::int(body.len()));
            let opened = key().1.open(&mut packet, false);
            prop_assert_eq!(opened, Ok(Opened { salt: 5, session: 6, message: 8, sequence: 1, body: &body }));
        }

        #[test]
        fn encrypted_packets_are_decrypted_by_a_client(words in 0..100_usize) {
            let messages = vec![4; words * 4];
            let layout = Layout::of(messages.len());
            prop_assert!(PADDING.contains(&layout.padding));
            let mut packet = vec![0; 24 + 16];
            packet.extend_from_slice(&messages);
            packet.resize(packet.len() + layout.padding, 1);
            prop_assert_eq!(packet.len(), layout.packet);
            key().1.seal(&mut packet);
            let content = decrypt_data_v2(&mut packet, &AuthKey::from_bytes(key().0)).unwrap();
            prop_assert_eq!(&content[16..16 + messages.len()], &messages[..]);
        }

        #[test]
        fn a_changed_bit_is_detected(at in 8..88_usize, bit in 0..8_u8) {
            let mut packet = from_client(&[1; 20], 20);
            packet[at] ^= 1 << bit;
            prop_assert_eq!(key().1.open(&mut packet, false), Err(EnvelopeError::MessageKey));
        }
    }

    #[test]
    fn lengths_are_checked() {
        for claimed in [-4, 21, 40, 400, i32::MAX] {
            assert_eq!(
                key().1.open(&mut from_client(&[1; 20], claimed), false),
                Err(EnvelopeError::Inner(claimed))
            );
        }
        for length in [0, 23, 24, 40, 56, 75] {
            assert_eq!(key().1.open(&mut vec![0; length], false), Err(EnvelopeError::Length(length)));
        }
    }

    #[test]
    fn padding_of_the_transport_is_dropped() {
        let mut packet = from_client(&[1; 20], 20);
        packet.extend([0; 7]);
        assert_eq!(key().1.open(&mut packet.clone(), true).map(|opened| opened.body.len()), Ok(20));
        assert!(matches!(key().1.open(&mut packet, false), Err(EnvelopeError::Length(_))));
    }

    #[test]
    fn plain_packets_survive_a_round_trip() {
        assert_eq!(open_plain(&plain(5, b"body")), Ok(&b"body"[..]));
        assert_eq!(open_plain(&[0; 19]), Err(Malformed));
        assert_eq!(open_plain(&[1; 40]), Err(Malformed));
    }
}
