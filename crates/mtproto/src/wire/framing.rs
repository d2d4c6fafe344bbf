//! The "full" transport: how packets follow each other on a connection. Length, number, packet, checksum. Pure.
//!
//! After <https://core.telegram.org/mtproto/mtproto-transports#full>.

use std::ops::Range;

use super::error::{Garbled, Loss};

pub(super) const HEADER: usize = 8;

const TRAILER: usize = 4;

/// Nothing that Telegram sends comes near this many bytes.
const LONGEST: usize = 16 * 1024 * 1024;

/// Where both sides are in counting packets.
#[derive(Debug, Default)]
pub(super) struct Framing {
    sent: i32,
    received: i32,
}

/// What the bytes that came begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Frame {
    /// A packet; the next one begins behind it, at `end`.
    Packet { packet: Range<usize>, end: usize },
    /// A part of one; with so many bytes it is whole.
    Missing(usize),
}

impl Framing {
    /// Frames a packet: the buffer holds room for [`HEADER`] and then the packet.
    pub(super) fn frame(&mut self, buffer: &mut Vec<u8>) {
        let length = u32::try_from(buffer.len() + TRAILER).unwrap_or(u32::MAX);
        if let Some(header) = buffer.first_chunk_mut::<HEADER>() {
            let header = header.split_at_mut(4);
            header.0.copy_from_slice(&length.to_le_bytes());
            header.1.copy_from_slice(&self.sent.to_le_bytes());
        }
        let checksum = crc32fast::hash(buffer);
        buffer.extend_from_slice(&checksum.to_le_bytes());
        self.sent = self.sent.wrapping_add(1);
    }

    /// Looks for a packet at the beginning of what came.
    pub(super) fn next(&mut self, came: &[u8]) -> Result<Frame, Loss> {
        let Some(length) = int(came, 0) else { return Ok(Frame::Missing(4)) };
        if length < 0 {
            return Err(Loss::Status(length.unsigned_abs()));
        }
        let whole = usize::try_from(length).unwrap_or(usize::MAX);
        if !(HEADER + TRAILER..=LONGEST).contains(&whole) || whole % 4 != 0 {
            return Err(Loss::Garbled(Garbled::Length(i64::from(length))));
        }
        let Some((content, checksum)) = came.get(..whole).and_then(|came| came.split_last_chunk()) else {
            return Ok(Frame::Missing(whole));
        };
        let (got, expected) = (int(content, 4).unwrap_or_default(), self.received);
        if got != expected {
            return Err(Loss::Garbled(Garbled::Order { got, expected }));
        }
        if crc32fast::hash(content) != u32::from_le_bytes(*checksum) {
            return Err(Loss::Garbled(Garbled::Checksum));
        }
        self.received = self.received.wrapping_add(1);
        Ok(Frame::Packet { packet: HEADER..whole - TRAILER, end: whole })
    }
}

fn int(bytes: &[u8], at: usize) -> Option<i32> {
    Some(i32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use grammers_crypto::DequeBuffer;
    use grammers_mtproto::transport::{Full, Transport as _};
    use proptest::prelude::*;

    use super::*;

    fn framed(framing: &mut Framing, packet: &[u8]) -> Vec<u8> {
        let mut buffer = vec![0; HEADER];
        buffer.extend_from_slice(packet);
        framing.frame(&mut buffer);
        buffer
    }

    proptest! {
        #[test]
        fn frames_are_written_as_by_another_implementation(words in proptest::collection::vec(0..300_usize, 1..5)) {
            let (mut ours, mut theirs, mut reader) = (Framing::default(), Full::new(), Framing::default());
            for words in words {
                let packet = vec![7; words * 4];
                let mut buffer = DequeBuffer::with_capacity(16, 16);
                buffer.extend(packet.iter());
                theirs.pack(&mut buffer);
                let frame = framed(&mut ours, &packet);
                prop_assert_eq!(&frame[..], buffer.as_ref());
                let end = frame.len();
                prop_assert_eq!(reader.next(&frame), Ok(Frame::Packet { packet: 8..end - 4, end }));
            }
        }

        #[test]
        fn the_rest_of_a_partial_packet_is_awaited(words in 0..50_usize, cut in any::<prop::sample::Index>()) {
            let frame = framed(&mut Framing::default(), &vec![1; words * 4]);
            let cut = cut.index(frame.len());
            let missing = if cut < 4 { 4 } else { frame.len() };
            prop_assert_eq!(Framing::default().next(&frame[..cut]), Ok(Frame::Missing(missing)));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = Framing::default().next(&bytes);
        }
    }

    #[test]
    fn invalid_packets_end_the_connection() {
        let frame = framed(&mut Framing::default(), &[5; 8]);
        let mut framing = Framing::default();
        let mut damaged = frame.clone();
        damaged[9] ^= 1;
        assert_eq!(framing.next(&damaged), Err(Loss::Garbled(Garbled::Checksum)));
        assert!(framing.next(&frame).is_ok());
        let again = Garbled::Order { got: 0, expected: 1 };
        assert_eq!(framing.next(&frame), Err(Loss::Garbled(again)));
        for length in [0_i32, 8, 13, 17 * 1024 * 1024, i32::MAX] {
            let refused = Err(Loss::Garbled(Garbled::Length(i64::from(length))));
            assert_eq!(Framing::default().next(&length.to_le_bytes()), refused);
        }
    }

    #[test]
    fn a_negative_length_is_a_refusal() {
        assert_eq!(Framing::default().next(&(-404_i32).to_le_bytes()), Err(Loss::Status(404)));
        assert_eq!(Framing::default().next(&i32::MIN.to_le_bytes()), Err(Loss::Status(1 << 31)));
    }
}
