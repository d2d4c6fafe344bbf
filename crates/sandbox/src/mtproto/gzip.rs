//! `gzip_packed`: answers that shrink are sent packed, requests may come packed.

use std::cell::RefCell;
use std::io::Read;

use flate2::{Compress, Compression, Crc, FlushCompress, Status};

use super::tl::{self, Malformed, Reader};

/// Bodies up to this size are sent as they are.
const WORTH_PACKING: std::ops::RangeInclusive<usize> = 513..=256 * 1024;
/// A request may unpack to no more than this.
const LONGEST_UNPACKED: u64 = 8 * 1024 * 1024;

/// No name, no time, no flags.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

thread_local! {
    // A compressor is a big allocation: one a thread, used again and again.
    static COMPRESSOR: RefCell<Compress> = RefCell::new(Compress::new(Compression::fast(), false));
}

/// The body as `gzip_packed`, if that is shorter.
pub(crate) fn packed(body: &[u8]) -> Option<Vec<u8>> {
    if !WORTH_PACKING.contains(&body.len()) {
        return None;
    }
    let mut member = Vec::with_capacity(body.len());
    member.extend_from_slice(&HEADER);
    let status = COMPRESSOR.with_borrow_mut(|compressor| {
        compressor.reset();
        // Writes no further than the capacity, so it gives up on what does not shrink.
        compressor.compress_vec(body, &mut member, FlushCompress::Finish)
    });
    if !matches!(status, Ok(Status::StreamEnd)) {
        return None;
    }
    let mut crc = Crc::new();
    crc.update(body);
    member.extend_from_slice(&crc.sum().to_le_bytes());
    member.extend_from_slice(&tl::int(body.len()).to_le_bytes());
    let mut object = Vec::with_capacity(member.len() + 12);
    object.extend_from_slice(&tl::GZIP_PACKED.to_le_bytes());
    tl::put_bytes(&mut object, &member);
    (object.len() < body.len()).then_some(object)
}

/// The body of a `gzip_packed` object.
pub(crate) fn unpacked(object: &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut reader = Reader::new(object);
    if reader.u32()? != tl::GZIP_PACKED {
        return Err(Malformed);
    }
    let mut body = Vec::new();
    let read =
        flate2::read::GzDecoder::new(reader.bytes()?).take(LONGEST_UNPACKED + 1).read_to_end(&mut body);
    match read {
        Ok(_) if u64::try_from(body.len()).is_ok_and(|length| length <= LONGEST_UNPACKED) => Ok(body),
        _ => Err(Malformed),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn packed_data_is_shorter_and_unpacks_unchanged(word in any::<[u8; 7]>(), times in 0..3000_usize) {
            let body = word.repeat(times);
            match packed(&body) {
                Some(object) => {
                    prop_assert!(object.len() < body.len());
                    prop_assert_eq!(object.len() % 4, 0);
                    prop_assert_eq!(unpacked(&object), Ok(body));
                }
                None => prop_assert!(body.len() <= 600),
            }
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            bytes.splice(0..0, tl::GZIP_PACKED.to_le_bytes());
            let _ = unpacked(&bytes);
        }
    }

    #[test]
    fn incompressible_data_is_left_unpacked() {
        let mut state = 1_u32;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        })
        .take(4000)
        .collect();
        assert_eq!(packed(&noise), None);
        assert_eq!(packed(&[0; 512]), None);
    }

    #[test]
    fn a_decompression_bomb_is_refused() {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&vec![0; 9 * 1024 * 1024]).unwrap();
        let mut object = tl::GZIP_PACKED.to_le_bytes().to_vec();
        tl::put_bytes(&mut object, &encoder.finish().unwrap());
        assert_eq!(unpacked(&object), Err(Malformed));
    }
}
