//! The TCP transports: how packets are distinguished in a stream of bytes.

use std::ops::Range;

use flate2::Crc;
use grammers_crypto::ObfuscatedCipher;

/// The longest packet taken; a client that sends a longer one is cut off.
pub(crate) const LONGEST_PACKET: usize = (1024 + 16) * 1024;

const ABRIDGED: u8 = 0xef;
const INTERMEDIATE: [u8; 4] = [0xee; 4];
const PADDED: [u8; 4] = [0xdd; 4];
/// The first bytes of an obfuscated connection.
const OBFUSCATED_HEAD: usize = 64;

/// Why a stream of bytes makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TransportError {
    /// The first bytes belong to no transport.
    #[error("the first bytes belong to no known transport")]
    Unknown,
    /// A packet is shorter or longer than allowed.
    #[error("a packet of {0} bytes")]
    Length(usize),
    /// A packet of the full transport is out of order.
    #[error("packet number {got} instead of {expected}")]
    Sequence {
        /// The number it should have.
        expected: u32,
        /// The number it has.
        got: u32,
    },
    /// A packet of the full transport was damaged.
    #[error("a wrong checksum")]
    Checksum,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Abridged,
    Intermediate,
    Padded,
    Full { received: u32, sent: u32 },
}

/// One connection's transport.
pub(crate) struct Transport {
    kind: Kind,
    cipher: Option<Box<ObfuscatedCipher>>,
}

/// Where a packet is in the buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) payload: Range<usize>,
    /// How many bytes of the buffer it takes.
    pub(crate) end: usize,
}

/// Returns the transport by the first bytes of a connection, and how many bytes that took; `None` while there are too few.
pub(crate) fn detect(head: &[u8]) -> Result<Option<(Transport, usize)>, TransportError> {
    let plain = |kind, skip| Ok(Some((Transport { kind, cipher: None }, skip)));
    if head.first() == Some(&ABRIDGED) {
        return plain(Kind::Abridged, 1);
    }
    match head.first_chunk() {
        None => return Ok(None),
        Some(&INTERMEDIATE) => return plain(Kind::Intermediate, 4),
        Some(&PADDED) => return plain(Kind::Padded, 4),
        Some(_) => {}
    }
    // Full has no tag of its own: a length, then the number of the first packet. Obfuscated heads never have zeros there.
    match head.get(4..8) {
        None => return Ok(None),
        Some([0, 0, 0, 0]) => return plain(Kind::Full { received: 0, sent: 0 }, 0),
        Some(_) => {}
    }
    match head.first_chunk::<OBFUSCATED_HEAD>() {
        None => Ok(None),
        Some(head) => obfuscated(head).map(|transport| Some((transport, OBFUSCATED_HEAD))),
    }
}

fn obfuscated(head: &[u8; OBFUSCATED_HEAD]) -> Result<Transport, TransportError> {
    // The library's cipher is the client's; with the head reversed the directions swap.
    let mut reversed = *head;
    reversed.reverse();
    let mut cipher = ObfuscatedCipher::new(&reversed);
    let mut clear = *head;
    cipher.decrypt(&mut clear);
    let kind = match clear[56..60] {
        [ABRIDGED, ABRIDGED, ABRIDGED, ABRIDGED] => Kind::Abridged,
        [0xee, 0xee, 0xee, 0xee] => Kind::Intermediate,
        [0xdd, 0xdd, 0xdd, 0xdd] => Kind::Padded,
        _ => return Err(TransportError::Unknown),
    };
    Ok(Transport { kind, cipher: Some(Box::new(cipher)) })
}

impl Transport {
    /// Must see all bytes that arrive after the head, once and in order, before they are read as packets.
    pub(crate) fn arrived(&mut self, bytes: &mut [u8]) {
        if let Some(cipher) = &mut self.cipher {
            cipher.decrypt(bytes);
        }
    }

    /// The first packet in the buffer, if all of it is there.
    pub(crate) fn next(&mut self, buffer: &[u8]) -> Result<Option<Frame>, TransportError> {
        match &mut self.kind {
            Kind::Abridged => {
                let Some(&first) = buffer.first() else { return Ok(None) };
                // The top bit asks for a quick acknowledgement, which a server may leave out.
                let (header, words) = match first & 0x7f {
                    0x7f => match buffer.get(1..4) {
                        Some(&[low, middle, high]) => {
                            (4, usize::from(low) | usize::from(middle) << 8 | usize::from(high) << 16)
                        }
                        _ => return Ok(None),
                    },
                    words => (1, usize::from(words)),
                };
                frame(buffer, header, words * 4)
            }
            Kind::Intermediate | Kind::Padded => {
                let Some(length) = buffer.first_chunk() else { return Ok(None) };
                frame(buffer, 4, size(u32::from_le_bytes(*length) & 0x7fff_ffff))
            }
            Kind::Full { received, .. } => {
                let Some(length) = buffer.first_chunk() else { return Ok(None) };
                let length = size(u32::from_le_bytes(*length));
                if !(12..=LONGEST_PACKET + 12).contains(&length) {
                    return Err(TransportError::Length(length));
                }
                let Some(packet) = buffer.get(..length) else { return Ok(None) };
                let (body, checksum) = packet.split_at(length - 4);
                let mut crc = Crc::new();
                crc.update(body);
                if checksum != crc.sum().to_le_bytes() {
                    return Err(TransportError::Checksum);
                }
                let got = packet[4..8].try_into().map_or(u32::MAX, u32::from_le_bytes);
                if got != *received {
                    return Err(TransportError::Sequence { expected: *received, got });
                }
                *received = received.wrapping_add(1);
                Ok(Some(Frame { payload: 8..length - 4, end: length }))
            }
        }
    }

    /// Whether packets may end in up to 15 bytes that mean nothing.
    pub(crate) fn pads(&self) -> bool {
        self.kind == Kind::Padded
    }

    /// Begins a packet whose payload will have this many bytes. The answer is for [`Transport::end`].
    pub(crate) fn begin(&self, out: &mut Vec<u8>, payload: usize) -> usize {
        let start = out.len();
        let words = u32::try_from(payload / 4).unwrap_or(u32::MAX);
        let length = u32::try_from(payload).unwrap_or(u32::MAX);
        match self.kind {
            Kind::Abridged => match u8::try_from(words) {
                Ok(short) if short < 0x7f => out.push(short),
                _ => {
                    out.push(0x7f);
                    out.extend_from_slice(&words.to_le_bytes()[..3]);
                }
            },
            Kind::Intermediate | Kind::Padded => out.extend_from_slice(&length.to_le_bytes()),
            Kind::Full { sent, .. } => {
                out.extend_from_slice(&length.saturating_add(12).to_le_bytes());
                out.extend_from_slice(&sent.to_le_bytes());
            }
        }
        start
    }

    /// Ends the packet that begins at `start`.
    pub(crate) fn end(&mut self, out: &mut Vec<u8>, start: usize) {
        if let Kind::Full { sent, .. } = &mut self.kind {
            let mut crc = Crc::new();
            crc.update(&out[start..]);
            out.extend_from_slice(&crc.sum().to_le_bytes());
            *sent = sent.wrapping_add(1);
        }
        if let Some(cipher) = &mut self.cipher {
            cipher.encrypt(&mut out[start..]);
        }
    }

    /// Appends a transport error, such as -404.
    pub(crate) fn refuse(&mut self, out: &mut Vec<u8>, code: i32) {
        if matches!(self.kind, Kind::Full { .. }) {
            // It is where a length would be; some clients read 4 bytes of it, others wait for a whole header.
            for _ in 0..3 {
                out.extend_from_slice(&code.to_le_bytes());
            }
        } else {
            let start = self.begin(out, 4);
            out.extend_from_slice(&code.to_le_bytes());
            self.end(out, start);
        }
    }
}

fn size(length: u32) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

fn frame(buffer: &[u8], header: usize, length: usize) -> Result<Option<Frame>, TransportError> {
    if !(1..=LONGEST_PACKET).contains(&length) {
        return Err(TransportError::Length(length));
    }
    let end = header + length;
    Ok((buffer.len() >= end).then_some(Frame { payload: header..end, end }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEADS: [&[u8]; 4] = [&[ABRIDGED], &INTERMEDIATE, &PADDED, &[]];

    /// What a client of this transport writes; the server's own packing is the same but for the head.
    fn written(head: &[u8], packets: &[Vec<u8>]) -> Vec<u8> {
        let kind = match head {
            [ABRIDGED] => Kind::Abridged,
            [0xee, ..] => Kind::Intermediate,
            [0xdd, ..] => Kind::Padded,
            _ => Kind::Full { received: 0, sent: 0 },
        };
        let mut client = Transport { kind, cipher: None };
        let mut out = head.to_vec();
        for packet in packets {
            let start = client.begin(&mut out, packet.len());
            out.extend_from_slice(packet);
            client.end(&mut out, start);
        }
        out
    }

    /// Feeds the stream in pieces, as a connection does.
    fn read(pieces: &[&[u8]]) -> Result<Vec<Vec<u8>>, TransportError> {
        let (mut buffer, mut transport, mut packets) = (Vec::new(), None, Vec::new());
        for piece in pieces {
            let known = buffer.len();
            buffer.extend_from_slice(piece);
            match &mut transport {
                Some(transport) => Transport::arrived(transport, &mut buffer[known..]),
                None => {
                    if let Some((mut found, skip)) = detect(&buffer)? {
                        buffer.drain(..skip);
                        found.arrived(&mut buffer);
                        transport = Some(found);
                    }
                }
            }
            let Some(transport) = &mut transport else { continue };
            while let Some(found) = transport.next(&buffer)? {
                packets.push(buffer[found.payload].to_vec());
                buffer.drain(..found.end);
            }
        }
        assert!(buffer.is_empty());
        Ok(packets)
    }

    fn packets() -> impl Strategy<Value = Vec<Vec<u8>>> {
        proptest::collection::vec(
            proptest::collection::vec(any::<u8>(), 1..200).prop_map(|mut packet| {
                packet.resize(packet.len() * 4, 9);
                packet
            }),
            1..6,
        )
    }

    proptest! {
        #[test]
        fn packets_are_the_same_however_the_stream_is_split(
            packets in packets(), which in 0..4_usize, cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let stream = written(HEADS[which], &packets);
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len())).collect();
            cuts.extend([0, stream.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &stream[cut[0]..cut[1]]).collect();
            prop_assert_eq!(read(&pieces), Ok(packets));
        }

        #[test]
        fn an_obfuscated_stream_is_read_as_the_one_inside(packets in packets(), seed in any::<u8>(), cut in any::<prop::sample::Index>()) {
            let mut head = [seed | 1; 64];
            head[0] = 0x11;
            head[56..60].copy_from_slice(&INTERMEDIATE);
            let mut client = ObfuscatedCipher::new(&head);
            let mut hidden = head;
            client.encrypt(&mut hidden);
            head[56..].copy_from_slice(&hidden[56..]);
            let mut stream = written(&INTERMEDIATE, &packets)[4..].to_vec();
            client.encrypt(&mut stream);
            let stream = [&head[..], &stream[..]].concat();
            let (first, second) = stream.split_at(cut.index(stream.len()));
            prop_assert_eq!(read(&[first, second]), Ok(packets));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..300), which in 0..4_usize) {
            bytes.splice(0..0, HEADS[which].iter().copied());
            if let Ok(Some((mut transport, skip))) = detect(&bytes) {
                let mut rest = &bytes[skip..];
                while let Ok(Some(found)) = transport.next(rest) {
                    rest = &rest[found.end..];
                }
            }
        }
    }

    #[test]
    fn a_stream_split_at_every_byte_is_read() {
        let packets = vec![vec![1; 4], vec![2; 600], vec![3; 40]];
        for head in HEADS {
            let stream = written(head, &packets);
            let pieces: Vec<&[u8]> = stream.chunks(1).collect();
            assert_eq!(read(&pieces), Ok(packets.clone()));
        }
    }

    #[test]
    fn a_packet_over_the_limit_is_refused_by_its_length_alone() {
        let longest = u32::try_from(LONGEST_PACKET).unwrap();
        let intermediate = [&INTERMEDIATE[..], &(longest + 1).to_le_bytes()].concat();
        let full = [(longest + 13).to_le_bytes(), [0; 4]].concat();
        let abridged = [ABRIDGED, 0x7f, 0xff, 0xff, 0xff];
        for stream in [&intermediate[..], &full, &abridged] {
            assert!(matches!(read(&[stream]), Err(TransportError::Length(_))));
        }
    }

    #[test]
    fn full_checks_order_and_checksum() {
        let stream = written(&[], &[vec![1; 8], vec![2; 8]]);
        let mut damaged = stream.clone();
        damaged[9] ^= 1;
        assert_eq!(read(&[&damaged]), Err(TransportError::Checksum));
        let again = [&stream[..], &stream[..20]].concat();
        assert_eq!(read(&[&again]), Err(TransportError::Sequence { expected: 2, got: 0 }));
    }

    #[test]
    fn other_protocols_are_refused() {
        let request =
            b"GET / HTTP/1.1\r\nHost: example.com\r\nUser-Agent: something longer than a head\r\n\r\n";
        assert_eq!(read(&[request]), Err(TransportError::Unknown));
    }

    #[test]
    fn a_refusal_is_a_negative_code() {
        let refused = |kind| {
            let mut out = Vec::new();
            Transport { kind, cipher: None }.refuse(&mut out, -404);
            out
        };
        let code = (-404_i32).to_le_bytes();
        assert_eq!(refused(Kind::Abridged), [&[1], &code[..]].concat());
        assert_eq!(refused(Kind::Intermediate), [[4, 0, 0, 0], code].concat());
        assert_eq!(refused(Kind::Full { received: 1, sent: 1 }), [code, code, code].concat());
    }
}
