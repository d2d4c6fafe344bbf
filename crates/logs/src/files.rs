//! The files of a log store: the segments, each named after its first line, and the open file with the newest lines.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::block::{HEAD, Label};
use crate::row::Rows;

/// How the open file begins.
const MAGIC: [u8; 8] = *b"SwLogs1\n";
/// The bytes of its head: the magic, the number of the first line and a checksum of the two.
pub(crate) const OPEN_HEAD: usize = 20;
/// The bytes before each group of lines: their length and their checksum.
pub(crate) const GROUP_HEAD: usize = 8;
/// The most bytes that the open file can have; what is longer is damaged.
const LARGEST_OPEN: u64 = 64 << 20;

const ENDING: &str = ".segment";

pub(crate) fn open_file(folder: &Path) -> PathBuf {
    folder.join("open")
}

/// The open file that is being made.
pub(crate) fn next_file(folder: &Path) -> PathBuf {
    folder.join("open.next")
}

/// The segment whose first line has this number.
pub(crate) fn segment_file(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:016x}{ENDING}"))
}

/// The numbers of the first lines of all segments, in order.
pub(crate) fn segments(folder: &Path) -> io::Result<Vec<u64>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let Some(number) = name.to_str().and_then(|name| name.strip_suffix(ENDING)) else { continue };
        if number.len() == 16
            && let Ok(first) = u64::from_str_radix(number, 16)
        {
            found.push(first);
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Makes or opens a file that its owner alone may read.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}

/// A block in a segment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockEntry {
    pub(crate) at: u64,
    pub(crate) label: Label,
}

/// How a segment ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// With a whole block.
    Whole,
    /// With a piece of a block that is being written, or was when the power went.
    Torn,
    /// With damaged bytes.
    Damaged,
}

/// Finds the blocks of a segment by their heads alone.
pub(crate) fn blocks(file: &File) -> io::Result<(Vec<BlockEntry>, End)> {
    let length = file.metadata()?.len();
    let mut found = Vec::new();
    let mut at = 0;
    loop {
        if at == length {
            return Ok((found, End::Whole));
        }
        let mut head = [0; HEAD];
        match file.read_exact_at(&mut head, at) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok((found, End::Torn)),
            Err(error) => return Err(error),
        }
        let Some(label) = Label::read(&head) else { return Ok((found, End::Damaged)) };
        let end = at + label.size();
        if end > length {
            return Ok((found, End::Torn));
        }
        found.push(BlockEntry { at, label });
        at = end;
    }
}

/// The newest lines, as they are in the open file.
#[derive(Debug, Default)]
pub(crate) struct OpenLines {
    /// The number of the first.
    pub(crate) first: u64,
    pub(crate) rows: Vec<u8>,
    /// How many bytes of the file are whole.
    pub(crate) whole: u64,
}

/// Reads the open file as far as it is whole; nothing when there is none.
pub(crate) fn read_open(path: &Path) -> io::Result<Option<OpenLines>> {
    let file = match ambient::regular_file::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(LARGEST_OPEN).read_to_end(&mut bytes)?;
    Ok(parse_open(&bytes))
}

fn parse_open(bytes: &[u8]) -> Option<OpenLines> {
    let (head, mut rest) = bytes.split_first_chunk::<OPEN_HEAD>()?;
    let (known, crc) = head.split_last_chunk::<4>()?;
    if known[..8] != MAGIC || crc32fast::hash(known).to_le_bytes() != *crc {
        return None;
    }
    let first = u64::from_le_bytes(*known.last_chunk::<8>()?);
    let mut lines = OpenLines { first, rows: Vec::with_capacity(rest.len()), whole: OPEN_HEAD as u64 };
    while let Some((head, behind)) = rest.split_first_chunk::<GROUP_HEAD>() {
        let (length, crc) = head.split_at(4);
        let length = length.first_chunk::<4>().map_or(0, |length| u32::from_le_bytes(*length) as usize);
        let Some(group) = behind.get(..length) else { break };
        if crc32fast::hash(group).to_le_bytes() != *crc {
            break;
        }
        lines.rows.extend(group);
        lines.whole += (GROUP_HEAD + length) as u64;
        rest = &behind[length..];
    }
    Some(lines)
}

/// The head of an open file.
pub(crate) fn open_head(first: u64) -> [u8; OPEN_HEAD] {
    let mut head = [0; OPEN_HEAD];
    head[..8].copy_from_slice(&MAGIC);
    head[8..16].copy_from_slice(&first.to_le_bytes());
    let crc = crc32fast::hash(&head[..16]);
    head[16..].copy_from_slice(&crc.to_le_bytes());
    head
}

/// Some lines as they go into the open file.
pub(crate) fn group(rows: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.extend(u32::try_from(rows.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend(crc32fast::hash(rows).to_le_bytes());
    out.extend(rows);
}

/// Puts an empty open file in the place of the one that is there, in one step: a reader sees the one or the other.
pub(crate) fn replace_open(folder: &Path, first: u64) -> io::Result<File> {
    let next = next_file(folder);
    let mut file = private().create(true).truncate(true).open(&next)?;
    file.write_all(&open_head(first))?;
    fs::rename(next, open_file(folder))?;
    Ok(file)
}

/// The open file to go on with at the start: the one that is there if its lines are in no segment, else a new one. What is
/// torn at its end is cut off.
pub(crate) fn replace_open_after(folder: &Path, left: Option<&OpenLines>, first: u64) -> io::Result<File> {
    match left {
        Some(left) if left.first == first => {
            let file = private().open(open_file(folder))?;
            file.set_len(left.whole)?;
            Ok(file)
        }
        Some(left) => {
            let next = next_file(folder);
            let mut file = private().create(true).truncate(true).open(&next)?;
            file.write_all(&open_head(first))?;
            // Most often the segments have all of them.
            let sealed = usize::try_from(first.saturating_sub(left.first)).unwrap_or(usize::MAX);
            let mut rows = Rows::new(&left.rows);
            let begin = rows.by_ref().take(sealed).last().map_or(0, |head| head.text.end);
            if begin < left.rows.len() {
                let mut piece = Vec::new();
                group(&left.rows[begin..], &mut piece);
                file.write_all(&piece)?;
            }
            fs::rename(next, open_file(folder))?;
            Ok(file)
        }
        None => replace_open(folder, first),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_open_file_reads_back_and_is_cut_where_it_is_torn(
            groups in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..8),
            cut: prop::sample::Index,
        ) {
            let mut bytes = open_head(9).to_vec();
            let mut piece = Vec::new();
            let mut ends = vec![(bytes.len(), 0)];
            for rows in &groups {
                group(rows, &mut piece);
                bytes.extend(&piece);
                ends.push((bytes.len(), ends.last().map_or(0, |(_, rows)| *rows) + rows.len()));
            }
            let whole = parse_open(&bytes).expect("reads");
            prop_assert_eq!((whole.first, whole.whole), (9, bytes.len() as u64));
            prop_assert_eq!(&whole.rows, &groups.concat());
            let length = cut.index(bytes.len() + 1);
            match parse_open(&bytes[..length]) {
                None => prop_assert!(length < OPEN_HEAD),
                Some(torn) => {
                    let (end, rows) = *ends.iter().rfind(|(end, _)| *end <= length).expect("the head");
                    prop_assert_eq!(torn.whole, end as u64);
                    prop_assert_eq!(torn.rows.as_slice(), &whole.rows[..rows]);
                }
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = parse_open(&bytes);
        }
    }
}
