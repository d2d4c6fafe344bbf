//! The transports as a client speaks them.

use flate2::Crc;
use grammers_crypto::ObfuscatedCipher;

/// A transport, by its form and whether it is obfuscated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Full,
    Intermediate,
    Padded,
    Abridged,
}

pub(crate) struct Framing {
    form: Form,
    /// Still to be written in front of the first packet.
    head: Vec<u8>,
    cipher: Option<ObfuscatedCipher>,
    sent: u32,
    received: u32,
}

/// What is at the front of the bytes.
pub(crate) enum Found {
    Packet(Vec<u8>),
    Status(i32),
}

impl Framing {
    pub(crate) fn plain(form: Form) -> Self {
        let head = match form {
            Form::Full => vec![],
            Form::Intermediate => vec![0xee; 4],
            Form::Padded => vec![0xdd; 4],
            Form::Abridged => vec![0xef],
        };
        Self { form, head, cipher: None, sent: 0, received: 0 }
    }

    pub(crate) fn obfuscated(form: Form) -> Self {
        let tag = Self::plain(form).head[0];
        let mut head: [u8; 64] = std::array::from_fn(|i| u8::try_from(i).unwrap() + 17);
        head[56..60].fill(tag);
        let mut cipher = ObfuscatedCipher::new(&head);
        let mut hidden = head;
        cipher.encrypt(&mut hidden);
        head[56..].copy_from_slice(&hidden[56..]);
        Self { form, head: head.to_vec(), cipher: Some(cipher), sent: 0, received: 0 }
    }

    pub(crate) fn pack(&mut self, packet: &[u8]) -> Vec<u8> {
        let length = u32::try_from(packet.len()).unwrap();
        let words = (length / 4).to_le_bytes();
        let mut framed = match self.form {
            Form::Full => {
                let mut framed =
                    [&(length + 12).to_le_bytes()[..], &self.sent.to_le_bytes(), packet].concat();
                framed.extend(checksum(&framed));
                framed
            }
            Form::Intermediate => [&length.to_le_bytes(), packet].concat(),
            Form::Padded => [&(length + 5).to_le_bytes(), packet, &[9; 5]].concat(),
            Form::Abridged if length / 4 < 0x7f => [&words[..1], packet].concat(),
            Form::Abridged => [&[0x7f], &words[..3], packet].concat(),
        };
        self.sent += 1;
        if let Some(cipher) = &mut self.cipher {
            cipher.encrypt(&mut framed);
        }
        let mut bytes = std::mem::take(&mut self.head);
        bytes.extend(framed);
        bytes
    }

    /// Must see each byte that arrives, once.
    pub(crate) fn arrived(&mut self, bytes: &mut [u8]) {
        if let Some(cipher) = &mut self.cipher {
            cipher.decrypt(bytes);
        }
    }

    /// Takes a whole packet off the front, if there is one.
    pub(crate) fn unpack(&mut self, bytes: &mut Vec<u8>) -> Option<Found> {
        let word = u32::from_le_bytes(*bytes.first_chunk()?);
        let (header, length, trailer) = match self.form {
            Form::Full if i32::from_le_bytes(*bytes.first_chunk()?) < 0 => (0, 12, 0),
            Form::Full => (8, usize::try_from(word).unwrap() - 12, 4),
            Form::Intermediate | Form::Padded => (4, usize::try_from(word).unwrap(), 0),
            Form::Abridged if bytes[0] < 0x7f => (1, usize::from(bytes[0]) * 4, 0),
            Form::Abridged => (4, usize::try_from(word >> 8).unwrap() * 4, 0),
        };
        let packet = bytes.get(header..header + length)?.to_vec();
        bytes.get(..header + length + trailer)?;
        let framed: Vec<u8> = bytes.drain(..header + length + trailer).collect();
        if header == 8 {
            assert_eq!(framed[4..8], self.received.to_le_bytes());
            assert_eq!(framed[8 + length..], checksum(&framed[..8 + length]));
            self.received += 1;
        }
        let is_status = length == 4 || header == 0;
        Some(match packet.first_chunk() {
            Some(code) if is_status => Found::Status(i32::from_le_bytes(*code)),
            _ => Found::Packet(packet),
        })
    }
}

fn checksum(bytes: &[u8]) -> [u8; 4] {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum().to_le_bytes()
}
