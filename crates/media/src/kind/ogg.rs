//! How long an Ogg Opus recording is: its last page says how many samples were played by then.

use std::io::{self, Read, Seek, SeekFrom};
use std::time::Duration;

use super::Tracks;

/// A page is at most this long, so the last one begins no further from the end.
const LONGEST_PAGE: u64 = 65_307;

/// Opus counts in samples of 48 kHz, whatever was recorded.
const SAMPLES_A_MILLISECOND: u64 = 48;

/// Reads a recording of `size` bytes that begins with `head`.
pub(super) fn opus<R: Read + Seek>(reader: &mut R, size: u64, head: &[u8]) -> io::Result<Option<Tracks>> {
    reader.seek(SeekFrom::Start(size.saturating_sub(LONGEST_PAGE)))?;
    let mut tail = Vec::new();
    reader.by_ref().take(LONGEST_PAGE).read_to_end(&mut tail)?;
    let duration = last_sample(&tail).map(|last| {
        let samples = last.saturating_sub(skipped(head).unwrap_or(0).into());
        Duration::from_millis(samples / SAMPLES_A_MILLISECOND)
    });
    Ok(Some(Tracks { duration, pixels: None, picture: false, sound: true }))
}

/// The position that the last page with one says.
fn last_sample(tail: &[u8]) -> Option<u64> {
    let pages = tail.windows(14).rev().filter(|window| window.starts_with(b"OggS\0"));
    let mut positions = pages.filter_map(|page| Some(u64::from_le_bytes(page.get(6..14)?.try_into().ok()?)));
    // All ones: no packet ends on that page.
    positions.find(|position| *position != u64::MAX)
}

/// How many samples at the beginning are not played.
fn skipped(head: &[u8]) -> Option<u16> {
    let segments = usize::from(*head.get(26)?);
    let place = 27 + segments + 10;
    Some(u16::from_le_bytes(head.get(place..place + 2)?.try_into().ok()?))
}
