//! File ids as the Bot API writes them: what is in one. Pure.
//!
//! Base64 for addresses, in which a zero byte is followed by how many zeros it stands for; inside: the type with flags,
//! the data centre, the file reference if the flag says so, the id, the access hash, then what only some types have;
//! at the end the versions. The format is tdlib's `FullRemoteFileLocation`; every client library reads it.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use domain::AccessHash;
use store::RemoteKind;

/// With or without the signs that fill it up.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The longest id that is looked at, in bytes of text. Telegram's have about a hundred.
const LONGEST: usize = 1_024;

/// In the type: the file is at an address of the web, and Telegram has none of it.
const IS_ON_THE_WEB: u32 = 1 << 24;
/// In the type: there is a file reference.
const HAS_REFERENCE: u32 = 1 << 25;

/// The first version that includes its minor version.
const WITH_MINOR: u8 = 4;

/// A file that Telegram has, as an id names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RemoteFile {
    pub(crate) kind: RemoteKind,
    pub(crate) dc_id: i32,
    pub(crate) id: i64,
    pub(crate) access_hash: AccessHash,
    pub(crate) file_reference: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no file id of a photo or a document")]
pub(crate) struct Undecodable;

pub(crate) fn decode(file_id: &str) -> Result<RemoteFile, Undecodable> {
    if file_id.len() > LONGEST {
        return Err(Undecodable);
    }
    let packed = BASE64.decode(file_id.trim()).map_err(|_| Undecodable)?;
    let bytes = unpacked(&packed).ok_or(Undecodable)?;
    let (version, rest) = bytes.split_last().ok_or(Undecodable)?;
    let body = match *version {
        WITH_MINOR => rest.split_last().ok_or(Undecodable)?.1,
        2 | 3 => rest,
        _ => return Err(Undecodable),
    };
    read(body).ok_or(Undecodable)
}

fn read(body: &[u8]) -> Option<RemoteFile> {
    let (kind, body) = number(body)?;
    let (dc_id, body) = number(body)?;
    if kind & IS_ON_THE_WEB != 0 {
        return None;
    }
    let (file_reference, body) = if kind & HAS_REFERENCE == 0 { (&[][..], body) } else { bytes(body)? };
    let (id, body) = body.split_first_chunk()?;
    let (access_hash, _) = body.split_first_chunk()?;
    Some(RemoteFile {
        kind: kind_of(kind & !HAS_REFERENCE)?,
        dc_id: i32::try_from(dc_id).ok()?,
        id: i64::from_le_bytes(*id),
        access_hash: AccessHash(i64::from_le_bytes(*access_hash)),
        file_reference: file_reference.to_vec(),
    })
}

/// By tdlib's `FileType`. Thumbnails, profile photos, secret and temporary files cannot be sent.
const fn kind_of(kind: u32) -> Option<RemoteKind> {
    match kind {
        2 => Some(RemoteKind::Photo),
        // Voice, video, document, sticker, audio, animation, video note, document as file.
        3 | 4 | 5 | 8 | 9 | 10 | 13 | 17 => Some(RemoteKind::Document),
        _ => None,
    }
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*number), rest))
}

/// Bytes as TL writes them: their count, they, and up to a multiple of four.
fn bytes(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (short, rest) = body.split_first()?;
    let (head, length, rest) = if *short == 254 {
        let (length, rest) = rest.split_first_chunk::<3>()?;
        (4, u32::from_le_bytes([length[0], length[1], length[2], 0]) as usize, rest)
    } else {
        (1, usize::from(*short), rest)
    };
    let padding = (4 - (head + length) % 4) % 4;
    Some((rest.get(..length)?, rest.get(length + padding..)?))
}

fn unpacked(packed: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(packed.len() * 2);
    let mut rest = packed.iter();
    while let Some(byte) = rest.next() {
        if *byte == 0 {
            bytes.resize(bytes.len() + usize::from(*rest.next()?), 0);
        } else {
            bytes.push(*byte);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encode(kind: u32, file: &RemoteFile, version: &[u8]) -> String {
        let RemoteFile { kind: _, dc_id, id, access_hash, file_reference } = file;
        let (dc_id, id, access_hash) = (*dc_id, *id, access_hash.0);
        testkit::FileId { kind, dc_id, id, access_hash, file_reference }.of_version(version)
    }

    fn file(kind: RemoteKind, file_reference: Vec<u8>) -> RemoteFile {
        RemoteFile { kind, dc_id: 2, id: 5, access_hash: AccessHash(-7), file_reference }
    }

    #[test]
    fn an_id_of_a_real_sticker_is_read() {
        let read = decode("CAACAgIAAxkBAAIEol9yQhBqFnT4HXldAh31a-hYXuDIAAIECwACAoujAAFFn1sl9AABHbkbBA");
        let read = read.expect("a sticker");
        assert_eq!((read.kind, read.dc_id), (RemoteKind::Document, 2));
        assert_eq!(
            (read.id, read.access_hash),
            (46_033_261_910_035_204, AccessHash(-5_107_925_353_769_492_667))
        );
        assert!(!read.file_reference.is_empty());
    }

    #[test]
    fn only_sendable_file_types_are_accepted() {
        let photo = file(RemoteKind::Photo, vec![1, 0, 0, 2]);
        assert_eq!(decode(&encode(2, &photo, &[30, 4])), Ok(photo.clone()));
        assert_eq!(decode(&encode(2, &photo, &[2])), Ok(photo.clone()));
        let voice = file(RemoteKind::Document, Vec::new());
        assert_eq!(decode(&encode(3, &voice, &[30, 4])), Ok(voice.clone()));
        for kind in [0, 1, 6, 7, 99, IS_ON_THE_WEB | 2] {
            assert_eq!(decode(&encode(kind, &voice, &[30, 4])), Err(Undecodable), "{kind}");
        }
        assert_eq!(decode(&encode(2, &photo, &[9])), Err(Undecodable));
        let long = "A".repeat(LONGEST + 1);
        for wrong in ["", "AA", "photo.jpg", "https://example.com/a.jpg", "*", long.as_str()] {
            assert_eq!(decode(wrong), Err(Undecodable), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn written_ids_are_read_back(
            id: i64, access_hash: i64, dc_id in 1..6_i32, reference in proptest::collection::vec(any::<u8>(), 1..300),
            photo: bool,
        ) {
            let kind = if photo { RemoteKind::Photo } else { RemoteKind::Document };
            let access_hash = AccessHash(access_hash);
            let file = RemoteFile { kind, dc_id, id, access_hash, file_reference: reference };
            prop_assert_eq!(decode(&encode(if photo { 2 } else { 5 }, &file, &[47, 4])), Ok(file));
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in "[A-Za-z0-9_=-]{0,120}|\\PC{0,40}") {
            let _ = decode(&text);
        }
    }
}
