//! The envelope of MTProto 2.0, the client's side: packets sealed with the key of an account, and opened. Pure.
//!
//! After <https://core.telegram.org/mtproto/description#encrypted-message-encrypted-data>.

use domain::Secret;
use domain::secret::ExposeSecret;
use sha1::{Digest as _, Sha1};
use sha2::Sha256;

use super::error::Garbled;
use super::ige::{self, BLOCK};
use crate::AuthKey;

/// Id of the key, and key of the message, in front of what is encrypted.
pub(super) const HEADER: usize = 8 + 16;

/// Salt, session, message id, number, length.
const INNER_HEADER: usize = 8 + 8 + 8 + 4 + 4;

/// The least bytes that what is encrypted ends with, and the most.
const PADDING: std::ops::RangeInclusive<usize> = 12..=1024;

/// As many bytes as a packet is ever padded with here.
pub(super) const MOST_PADDING: usize = 12 + BLOCK;

/// A key as packets are sealed with it.
pub(super) struct Envelope {
    key: AuthKey,
    id: [u8; 8],
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Opened<'a> {
    pub(super) session: i64,
    pub(super) message: i64,
    pub(super) sequence: i32,
    pub(super) body: &'a [u8],
}

/// Who sealed a packet: the two sides use different parts of the key.
#[derive(Clone, Copy)]
enum From {
    Client,
    Server,
}

impl From {
    const fn offset(self) -> usize {
        match self {
            Self::Client => 0,
            Self::Server => 8,
        }
    }
}

impl Envelope {
    pub(super) fn new(key: &AuthKey) -> Self {
        let key = Secret::new(Box::new(*key.expose_secret()));
        let digest = Sha1::digest(key.expose_secret());
        let id = digest.last_chunk().copied().unwrap_or_default();
        Self { key, id }
    }

    /// Seals the packet that begins at `start` of the buffer: room for [`HEADER`], then what is to be encrypted.
    pub(super) fn seal(&self, buffer: &mut Vec<u8>, start: usize, padding: &[u8; MOST_PADDING]) {
        self.seal_from(From::Client, buffer, start, padding);
    }

    fn seal_from(&self, from: From, buffer: &mut Vec<u8>, start: usize, padding: &[u8; MOST_PADDING]) {
        let clear = buffer.len().saturating_sub(start + HEADER);
        let missing = (clear + PADDING.start()).next_multiple_of(BLOCK) - clear;
        buffer.extend(padding.iter().take(missing));
        let packet = buffer.get_mut(start..).unwrap_or_default();
        let Some((header, content)) = packet.split_first_chunk_mut::<HEADER>() else { return };
        let message_key = self.message_key(content, from);
        let (key, vector) = self.cipher(&message_key, from);
        ige::encrypt(content, &key, &vector);
        let (id, place) = header.split_at_mut(8);
        id.copy_from_slice(&self.id);
        place.copy_from_slice(&message_key);
    }

    pub(super) fn open<'a>(&self, packet: &'a mut [u8]) -> Result<Opened<'a>, Garbled> {
        self.open_from(From::Server, packet)
    }

    fn open_from<'a>(&self, from: From, packet: &'a mut [u8]) -> Result<Opened<'a>, Garbled> {
        let length = i64::try_from(packet.len()).unwrap_or(i64::MAX);
        let split = packet.split_first_chunk_mut::<HEADER>();
        let (header, content) = split.ok_or(Garbled::Length(length))?;
        if content.len() < INNER_HEADER + PADDING.start() || content.len() % BLOCK != 0 {
            return Err(Garbled::Length(length));
        }
        let (id, message_key) = header.split_at(8);
        let message_key: [u8; 16] = message_key.try_into().map_err(|_| Garbled::Length(length))?;
        if id != self.id {
            return Err(Garbled::Key);
        }
        let (key, vector) = self.cipher(&message_key, from);
        ige::decrypt(content, &key, &vector);
        if self.message_key(content, from) != message_key {
            return Err(Garbled::Key);
        }
        opened(content).ok_or(Garbled::Message)
    }

    fn message_key(&self, content: &[u8], from: From) -> [u8; 16] {
        let part = &self.key.expose_secret()[88 + from.offset()..][..32];
        let large = Sha256::new().chain_update(part).chain_update(content).finalize();
        std::array::from_fn(|i| large[8 + i])
    }

    fn cipher(&self, message_key: &[u8; 16], from: From) -> ([u8; 32], [u8; 32]) {
        let key = &self.key.expose_secret()[from.offset()..];
        let a = Sha256::new().chain_update(message_key).chain_update(&key[..36]).finalize();
        let b = Sha256::new().chain_update(&key[40..][..36]).chain_update(message_key).finalize();
        let inner = |i: &usize| (8..24).contains(i);
        let cipher = std::array::from_fn(|i| if inner(&i) { b[i] } else { a[i] });
        let vector = std::array::from_fn(|i| if inner(&i) { a[i] } else { b[i] });
        (cipher, vector)
    }
}

/// Reads what was encrypted; none where it does not add up.
fn opened(content: &[u8]) -> Option<Opened<'_>> {
    let (_salt, rest) = content.split_first_chunk::<8>()?;
    let (session, rest) = rest.split_first_chunk()?;
    let (message, rest) = rest.split_first_chunk()?;
    let (sequence, rest) = rest.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let length = usize::try_from(i32::from_le_bytes(*length)).ok()?;
    let (body, padding) = rest.split_at_checked(length)?;
    (length % 4 == 0 && PADDING.contains(&padding.len())).then(|| Opened {
        session: i64::from_le_bytes(*session),
        message: i64::from_le_bytes(*message),
        sequence: i32::from_le_bytes(*sequence),
        body,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use grammers_crypto::{AuthKey as Theirs, DequeBuffer, encrypt_data_v2};
    use proptest::prelude::*;

    use super::*;

    impl Envelope {
        /// What a data centre does: the other half of the key, otherwise the same.
        pub(crate) fn seal_there(&self, buffer: &mut Vec<u8>, start: usize) {
            self.seal_from(From::Server, buffer, start, &[1; MOST_PADDING]);
        }

        pub(crate) fn open_there<'a>(&self, packet: &'a mut [u8]) -> Result<Opened<'a>, Garbled> {
            self.open_from(From::Client, packet)
        }
    }

    pub(crate) fn opened(content: &[u8]) -> Opened<'_> {
        super::opened(content).expect("a message")
    }

    pub(crate) fn bytes() -> [u8; 256] {
        std::array::from_fn(|i| u8::try_from(i).expect("small").wrapping_mul(7))
    }

    fn envelope() -> Envelope {
        Envelope::new(&Secret::new(Box::new(bytes())))
    }

    /// What a data centre does: the other half of the key, otherwise the same.
    fn from_server(session: i64, body: &[u8], claimed: i32, padding: usize) -> Vec<u8> {
        let mut packet = vec![0; HEADER];
        for long in [5, session, 9] {
            packet.extend(i64::to_le_bytes(long));
        }
        packet.extend(3_i32.to_le_bytes());
        packet.extend(claimed.to_le_bytes());
        packet.extend(body);
        packet.extend(vec![1; padding]);
        let envelope = envelope();
        let (header, content) = packet.split_at_mut(HEADER);
        let message_key = envelope.message_key(content, From::Server);
        let (key, vector) = envelope.cipher(&message_key, From::Server);
        ige::encrypt(content, &key, &vector);
        header[..8].copy_from_slice(&envelope.id);
        header[8..].copy_from_slice(&message_key);
        packet
    }

    fn padding_of(body: usize) -> usize {
        (INNER_HEADER + body + 12).next_multiple_of(16) - INNER_HEADER - body
    }

    proptest! {
        #[test]
        fn packets_are_sealed_as_by_another_implementation(words in 4..200_usize) {
            let clear = vec![8; words * 4];
            let mut buffer = vec![0; 3 + HEADER];
            buffer.extend(&clear);
            envelope().seal(&mut buffer, 3, &[2; MOST_PADDING]);
            // The other one pads by chance, so both are compared by what they make of the same padding.
            let padded = [&clear[..], &vec![2; buffer.len() - 3 - HEADER - clear.len()]].concat();
            prop_assert!(PADDING.contains(&(padded.len() - clear.len())));
            let mut theirs = DequeBuffer::with_capacity(8, 64);
            theirs.extend(&clear);
            encrypt_data_v2(&mut theirs, &Theirs::from_bytes(bytes()));
            prop_assert_eq!(&buffer[3..11], &theirs[..8]);
            let message_key: [u8; 16] = buffer[11..27].try_into().expect("a message key");
            prop_assert_eq!(message_key, envelope().message_key(&padded, From::Client));
            let (key, vector) = envelope().cipher(&theirs[8..24].try_into().expect("a message key"), From::Client);
            let mut content = theirs[24..].to_vec();
            ige::decrypt(&mut content, &key, &vector);
            prop_assert_eq!(&content[..clear.len()], &clear[..]);
            let (key, vector) = envelope().cipher(&message_key, From::Client);
            ige::decrypt(&mut buffer[27..], &key, &vector);
            prop_assert_eq!(&buffer[27..], &padded[..]);
        }

        #[test]
        fn packets_sealed_by_a_data_centre_are_opened(words in 0..100_usize) {
            let body = vec![3; words * 4];
            let claimed = i32::try_from(body.len()).expect("small");
            let mut packet = from_server(6, &body, claimed, padding_of(body.len()));
            let opened = Opened { session: 6, message: 9, sequence: 3, body: &body };
            prop_assert_eq!(envelope().open(&mut packet), Ok(opened));
        }

        #[test]
        fn a_changed_bit_is_detected(at in 0..88_usize, bit in 0..8_u8) {
            let mut packet = from_server(6, &[1; 20], 20, padding_of(20));
            packet[at] ^= 1 << bit;
            prop_assert_eq!(envelope().open(&mut packet), Err(Garbled::Key));
        }
    }

    #[test]
    fn lengths_are_checked() {
        for claimed in [-4, 21, 40, 400, i32::MAX] {
            let mut packet = from_server(6, &[1; 20], claimed, padding_of(20));
            assert_eq!(envelope().open(&mut packet), Err(Garbled::Message), "{claimed}");
        }
        let mut packet = from_server(6, &[1; 20], 20, padding_of(20) + 1024);
        assert_eq!(envelope().open(&mut packet), Err(Garbled::Message));
        for length in [0, 23, 24, 40, 56, 75] {
            let refused = Garbled::Length(i64::try_from(length).expect("small"));
            assert_eq!(envelope().open(&mut vec![0; length]), Err(refused));
        }
    }
}
