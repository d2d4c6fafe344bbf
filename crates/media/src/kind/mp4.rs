//! The tracks of an MP4 or `QuickTime` file: how long, how large, with sound or without.

use std::io::{self, Read, Seek, SeekFrom};
use std::time::Duration;

use super::{Pixels, Tracks, read};

/// How many boxes are looked at in all; an honest file has some dozens before its tracks are known.
const MOST_BOXES: usize = 10_000;

/// Boxes that hold the boxes of interest.
const HOLDERS: [[u8; 4]; 3] = [*b"moov", *b"trak", *b"mdia"];

/// One box: its name, and where its content begins and ends in the file.
#[derive(Debug, Clone, Copy)]
struct Part {
    name: [u8; 4],
    begin: u64,
    end: u64,
}

/// Reads the tracks of a file of `size` bytes. Nothing, if it has none that can be made out.
pub(super) fn tracks<R: Read + Seek>(reader: &mut R, size: u64) -> io::Result<Option<Tracks>> {
    let mut found = None;
    let mut largest = None;
    // What is still to be looked at, the innermost last. Bounded by the count of boxes.
    let mut open = vec![(0, size)];
    let mut seen = 0;
    while let Some((begin, end)) = open.pop() {
        let Some(part) = part(reader, begin, end)? else { continue };
        seen += 1;
        if seen > MOST_BOXES {
            return Ok(None);
        }
        open.push((part.end, end));
        if HOLDERS.contains(&part.name) {
            open.push((part.begin, part.end));
            if part.name == *b"moov" {
                found = found.or(Some(Tracks::default()));
            }
        }
        let Some(tracks) = found.as_mut() else { continue };
        match &part.name {
            b"mvhd" => tracks.duration = duration(reader, part)?,
            b"tkhd" => largest = largest.max(sides(reader, part)?),
            b"hdlr" => match &handler(reader, part)? {
                b"vide" => tracks.picture = true,
                b"soun" => tracks.sound = true,
                _ => {}
            },
            _ => {}
        }
    }
    if let Some(tracks) = found.as_mut() {
        tracks.pixels = largest.map(|(_, width, height)| Pixels { width, height });
    }
    Ok(found)
}

/// The box that begins at a place, if there is one that ends within its holder.
fn part<R: Read + Seek>(reader: &mut R, begin: u64, end: u64) -> io::Result<Option<Part>> {
    if end.saturating_sub(begin) < 8 {
        return Ok(None);
    }
    reader.seek(SeekFrom::Start(begin))?;
    let length = u32::from_be_bytes(read(reader)?);
    let name = read(reader)?;
    let (header, length) = match length {
        0 => (8, end - begin),
        1 => (16, u64::from_be_bytes(read(reader)?)),
        length => (8, length.into()),
    };
    let inner = begin.checked_add(header);
    let outer = begin.checked_add(length).filter(|outer| *outer <= end);
    Ok(match (inner, outer) {
        (Some(inner), Some(outer)) if inner <= outer => Some(Part { name, begin: inner, end: outer }),
        _ => None,
    })
}

/// How long the film is: `mvhd`, in one of its two versions.
fn duration<R: Read + Seek>(reader: &mut R, part: Part) -> io::Result<Option<Duration>> {
    reader.seek(SeekFrom::Start(part.begin))?;
    let [version, ..] = read::<4>(reader)?;
    let (scale, length) = if version == 1 {
        read::<16>(reader)?;
        (u32::from_be_bytes(read(reader)?), u64::from_be_bytes(read(reader)?))
    } else {
        read::<8>(reader)?;
        (u32::from_be_bytes(read(reader)?), u64::from(u32::from_be_bytes(read(reader)?)))
    };
    let unknown = length == 0 || (version == 0 && length == u64::from(u32::MAX)) || length == u64::MAX;
    if scale == 0 || unknown {
        return Ok(None);
    }
    let millis = u128::from(length) * 1_000 / u128::from(scale);
    Ok(u64::try_from(millis).ok().map(Duration::from_millis))
}

/// The picture's size in `tkhd`, turned as its matrix turns it, after its area.
fn sides<R: Read + Seek>(reader: &mut R, part: Part) -> io::Result<Option<(u64, u32, u32)>> {
    reader.seek(SeekFrom::Start(part.begin))?;
    let [version, ..] = read::<4>(reader)?;
    let before_matrix = if version == 1 { 48 } else { 36 };
    reader.seek(SeekFrom::Current(before_matrix))?;
    let matrix: [u8; 36] = read(reader)?;
    // Sixteen bits of whole pixels, sixteen of fractions.
    let width = u32::from_be_bytes(read(reader)?) >> 16;
    let height = u32::from_be_bytes(read(reader)?) >> 16;
    let turned = matrix[..4] == [0; 4] && matrix[4..8] != [0; 4];
    let (width, height) = if turned { (height, width) } else { (width, height) };
    let area = u64::from(width) * u64::from(height);
    Ok((area > 0).then_some((area, width, height)))
}

fn handler<R: Read + Seek>(reader: &mut R, part: Part) -> io::Result<[u8; 4]> {
    reader.seek(SeekFrom::Start(part.begin))?;
    read::<8>(reader)?;
    read(reader)
}
