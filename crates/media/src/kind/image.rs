//! Width and height of pictures, from their headers. Nothing is decoded.

use std::io::{self, Read, Seek, SeekFrom};

use super::{Pixels, at, read};

/// How many segments of a JPEG file are passed over; an honest one has a few dozen.
const MOST_SEGMENTS: usize = 2_000;

pub(super) fn png(head: &[u8]) -> Option<Pixels> {
    if at(head, 12)? != *b"IHDR" {
        return None;
    }
    let width = u32::from_be_bytes(at(head, 16)?);
    let height = u32::from_be_bytes(at(head, 20)?);
    Some(Pixels { width, height })
}

pub(super) fn gif(head: &[u8]) -> Option<Pixels> {
    let width = u16::from_le_bytes(at(head, 6)?).into();
    let height = u16::from_le_bytes(at(head, 8)?).into();
    Some(Pixels { width, height })
}

/// The three kinds of WebP: with extensions, lossy, lossless.
pub(super) fn webp(head: &[u8]) -> Option<Pixels> {
    match &at::<4>(head, 12)? {
        b"VP8X" => {
            let side = |place| {
                let [low, middle, high] = at(head, place)?;
                Some(u32::from_le_bytes([low, middle, high, 0]) + 1)
            };
            Some(Pixels { width: side(24)?, height: side(27)? })
        }
        b"VP8 " if at(head, 23)? == [0x9d, 0x01, 0x2a] => {
            let side = |place| Some(u32::from(u16::from_le_bytes(at(head, place)?) & 0x3fff));
            Some(Pixels { width: side(26)?, height: side(28)? })
        }
        b"VP8L" if *head.get(20)? == 0x2f => {
            let bits = u32::from_le_bytes(at(head, 21)?);
            Some(Pixels { width: (bits & 0x3fff) + 1, height: (bits >> 14 & 0x3fff) + 1 })
        }
        _ => None,
    }
}

/// Passes over the segments of a JPEG file to the one that begins the frame.
pub(super) fn jpeg<R: Read + Seek>(reader: &mut R) -> io::Result<Option<Pixels>> {
    reader.seek(SeekFrom::Start(2))?;
    for _ in 0..MOST_SEGMENTS {
        let [mark, mut kind] = read(reader)?;
        if mark != 0xff {
            return Ok(None);
        }
        let mut filling = 0;
        while kind == 0xff && filling < MOST_SEGMENTS {
            [kind] = read(reader)?;
            filling += 1;
        }
        match kind {
            // Marks without a segment.
            0x01 | 0xd0..=0xd8 => continue,
            // The picture itself, or its end, and no size before it.
            0x00 | 0xd9 | 0xda | 0xff => return Ok(None),
            _ => {}
        }
        let length = u16::from_be_bytes(read(reader)?);
        if is_frame(kind) {
            let [_depth, a, b, c, d] = read(reader)?;
            let (height, width) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            return Ok(Some(Pixels { width: width.into(), height: height.into() }));
        }
        let Some(rest) = length.checked_sub(2) else { return Ok(None) };
        reader.seek(SeekFrom::Current(rest.into()))?;
    }
    Ok(None)
}

/// Whether a segment begins a frame: all of their row but tables and reserved ones.
const fn is_frame(kind: u8) -> bool {
    matches!(kind, 0xc0..=0xcf) && !matches!(kind, 0xc4 | 0xc8 | 0xcc)
}
