//! What the first bytes of a file say: its form, and how large a picture is.

use grammers_tl_types::enums::storage::FileType;

/// How wide and high a picture is, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Extent {
    /// Whether a photo may be so large: the sides together, and one against the other.
    pub(crate) fn suits_a_photo(self) -> bool {
        let Self { width, height } = self;
        let (short, long) = (width.min(height), width.max(height));
        short > 0 && width.saturating_add(height) <= 10_000 && long <= short.saturating_mul(20)
    }

    /// The letter that Telegram names the size by: the box that the picture fits into.
    pub(crate) fn letter(self) -> &'static str {
        match self.width.max(self.height) {
            0..=100 => "s",
            101..=320 => "m",
            321..=800 => "x",
            801..=1_280 => "y",
            _ => "w",
        }
    }
}

/// The form of a file, as Telegram reports it to clients that download.
pub(crate) fn form(head: &[u8]) -> FileType {
    match head {
        [0xff, 0xd8, 0xff, ..] => FileType::FileJpeg,
        [0x89, b'P', b'N', b'G', ..] => FileType::FilePng,
        [b'G', b'I', b'F', b'8', ..] => FileType::FileGif,
        [b'%', b'P', b'D', b'F', ..] => FileType::FilePdf,
        [b'I', b'D', b'3', ..] | [0xff, 0xfb | 0xf3 | 0xf2, ..] => FileType::FileMp3,
        [_, _, _, _, b'f', b't', b'y', b'p', b'q', b't', ..] => FileType::FileMov,
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => FileType::FileMp4,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => FileType::FileWebp,
        _ => FileType::FileUnknown,
    }
}

/// How large a picture is; none for what is no picture, or is broken.
pub(crate) fn extent(head: &[u8]) -> Option<Extent> {
    let (width, height) = match form(head) {
        FileType::FilePng => {
            let long = |offset| Some(big(head, offset)? << 16 | big(head, offset + 2)?);
            (long(16)?, long(20)?)
        }
        FileType::FileGif => (little(head, 6)?, little(head, 8)?),
        FileType::FileWebp => webp(head)?,
        FileType::FileJpeg => jpeg(head)?,
        _ => return None,
    };
    (width > 0 && height > 0).then_some(Extent { width, height })
}

fn pair(head: &[u8], offset: usize) -> Option<[u8; 2]> {
    head.get(offset..)?.first_chunk().copied()
}

fn big(head: &[u8], offset: usize) -> Option<u32> {
    pair(head, offset).map(|pair| u16::from_be_bytes(pair).into())
}

fn little(head: &[u8], offset: usize) -> Option<u32> {
    pair(head, offset).map(|pair| u16::from_le_bytes(pair).into())
}

fn webp(head: &[u8]) -> Option<(u32, u32)> {
    match head.get(12..16)? {
        b"VP8 " => Some((little(head, 26)? & 0x3fff, little(head, 28)? & 0x3fff)),
        b"VP8L" => {
            let bits = little(head, 21)? | little(head, 23)? << 16;
            Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        b"VP8X" => {
            let three = |offset| Some(little(head, offset)? | u32::from(*head.get(offset + 2)?) << 16);
            Some((three(24)? + 1, three(27)? + 1))
        }
        _ => None,
    }
}

/// Goes from one segment to the next until there is a frame.
fn jpeg(head: &[u8]) -> Option<(u32, u32)> {
    let mut place = 2;
    loop {
        let marker = *head.get(place + 1)?;
        match marker {
            0xff => place += 1,
            0x01 | 0xd0..=0xd8 => place += 2,
            0xd9 | 0xda => return None,
            // Tables of Huffman codes and arithmetic are among the frames.
            0xc0..=0xcf if ![0xc4, 0xc8, 0xcc].contains(&marker) => {
                return Some((big(head, place + 7)?, big(head, place + 5)?));
            }
            _ => place += 2 + usize::try_from(big(head, place + 2)?).ok()?.max(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pictures_tell_how_large_they_are() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\x40\0\0\0\xf0\x08\x02";
        assert_eq!(extent(png), Some(Extent { width: 320, height: 240 }));
        let gif = b"GIF89a\x10\x00\x20\x00";
        assert_eq!(extent(gif), Some(Extent { width: 16, height: 32 }));
        let jpeg = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08\x00\x02\x00\x03\x03";
        assert_eq!(extent(jpeg), Some(Extent { width: 3, height: 2 }));
        let webp = b"RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0\x0f\0\0\x07\0\0";
        assert_eq!(extent(webp), Some(Extent { width: 16, height: 8 }));
        assert_eq!(extent(b"text"), None);
        assert_eq!(extent(&png[..20]), None);
    }

    #[test]
    fn a_photo_has_limits_of_size_and_aspect_ratio() {
        let suits = |width, height| Extent { width, height }.suits_a_photo();
        assert!(suits(1, 1) && suits(5_000, 5_000) && suits(20, 1));
        assert!(!suits(5_001, 5_000) && !suits(21, 1) && !suits(0, 5));
        assert_eq!(Extent { width: 320, height: 240 }.letter(), "m");
        assert_eq!(Extent { width: 2_000, height: 1 }.letter(), "w");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(
            head in proptest::sample::select(vec![&b"\xff\xd8\xff"[..], b"\x89PNG", b"GIF8", b"RIFF\0\0\0\0WEBPVP8X"]),
            rest in proptest::collection::vec(any::<u8>(), 0..64),
        ) {
            let _ = extent(&[head, &rest].concat());
        }
    }
}
