//! File ids as the Bot API writes them, made of what names a file: what callers have kept and send again.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// In the type: there is a file reference.
const HAS_REFERENCE: u32 = 1 << 25;

/// The most zeros that one count stands for.
const MOST_ZEROS: usize = 250;

/// What an id says of a file. The format is tdlib's `FullRemoteFileLocation`.
#[derive(Debug, Clone, Copy)]
pub struct FileId<'a> {
    /// By tdlib's `FileType`: 2 is a photo, 5 a document.
    pub kind: u32,
    /// The data centre where it is stored.
    pub dc_id: i32,
    /// Its number.
    pub id: i64,
    /// What lets one account name it.
    pub access_hash: i64,
    /// What says where it was seen; empty for none.
    pub file_reference: &'a [u8],
}

impl FileId<'_> {
    /// The id as today's libraries write it.
    pub fn today(&self) -> String {
        self.of_version(&[47, 4])
    }

    /// The id as libraries of another time wrote it: the minor version where there is one, then the version.
    pub fn of_version(&self, version: &[u8]) -> String {
        let flag = if self.file_reference.is_empty() { 0 } else { HAS_REFERENCE };
        let mut body = (self.kind | flag).to_le_bytes().to_vec();
        body.extend(self.dc_id.to_le_bytes());
        if !self.file_reference.is_empty() {
            body.extend(bytes(self.file_reference));
        }
        body.extend(self.id.to_le_bytes());
        body.extend(self.access_hash.to_le_bytes());
        body.extend(version);
        URL_SAFE_NO_PAD.encode(packed(&body))
    }
}

/// Bytes as TL writes them: their count, they, and up to a multiple of four.
fn bytes(content: &[u8]) -> Vec<u8> {
    let mut written = match u8::try_from(content.len()) {
        Ok(short @ ..254) => vec![short],
        _ => [&[254], &content.len().to_le_bytes()[..3]].concat(),
    };
    written.extend(content);
    written.resize(written.len().next_multiple_of(4), 0);
    written
}

/// Zeros in a row become one and how many they are.
fn packed(body: &[u8]) -> Vec<u8> {
    let alike = |one: &u8, next: &u8| (*one == 0) == (*next == 0);
    let mut packed = Vec::new();
    for run in body.chunk_by(alike) {
        if run[0] != 0 {
            packed.extend(run);
            continue;
        }
        for zeros in run.chunks(MOST_ZEROS) {
            packed.extend([0, u8::try_from(zeros.len()).expect("few")]);
        }
    }
    packed
}
