//! A file that comes in parts: the rules of parts, in any order, and what they make together.

use std::collections::VecDeque;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use md5::{Digest, Md5};

use super::content::{Content, Depot, STRIDE, TemporaryFile};
use crate::telegram::rpc::{Result, RpcError, bad_request, internal};

/// The most parts of one file.
const MOST_PARTS: u32 = 4_000;
/// What may come as a small file.
const LARGEST_SMALL: u64 = 10 * 1024 * 1024;
/// The uploads of one account that are remembered; older ones are forgotten.
const MOST_UPLOADS: usize = 256;

/// One part as it is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part<'a> {
    /// Its place, from 0.
    pub(crate) number: i32,
    /// How many there will be: given for big files alone, −1 when it is not known yet.
    pub(crate) total: Option<i32>,
    pub(crate) bytes: &'a [u8],
}

/// What a client says that it uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim<'a> {
    pub(crate) id: i64,
    pub(crate) big: bool,
    pub(crate) parts: i32,
    /// Empty when the client did not count it.
    pub(crate) md5: &'a str,
}

/// The disk did not do what it should.
pub(crate) fn disk(error: &io::Error) -> RpcError {
    tracing::warn!(%error, "a file is not kept or not read");
    internal("FILE_STORAGE_FAILED")
}

/// The uploads of one account, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Uploads(VecDeque<Upload>);

impl Uploads {
    pub(crate) fn save(&mut self, depot: &Depot, id: i64, part: Part<'_>) -> Result<()> {
        let big = part.total.is_some();
        let number = admitted(&part)?;
        let known = self.0.iter().rposition(|upload| upload.id == id && upload.big == big);
        if let Some(upload) = known.and_then(|place| self.0.get_mut(place)) {
            if upload.has(number, part.bytes).map_err(|error| disk(&error))? {
                return Ok(());
            }
            // What was made of a whole one stays as it is: this begins another file.
            if upload.whole.is_none() {
                return upload.take(number, part);
            }
        }
        if let Some(place) = known {
            self.0.remove(place);
        }
        let disk_file = depot.new_file().map_err(|error| disk(&error))?;
        let mut upload = Upload::new(id, big, disk_file);
        upload.take(number, part)?;
        if self.0.len() == MOST_UPLOADS {
            self.0.pop_front();
        }
        self.0.push_back(upload);
        Ok(())
    }

    /// The whole file. It can be asked for again.
    pub(crate) fn whole(&mut self, claim: &Claim<'_>) -> Result<Arc<Content>> {
        let parts = u32::try_from(claim.parts).ok().filter(|parts| (1..=MOST_PARTS).contains(parts));
        let parts = parts.ok_or(bad_request("FILE_PARTS_INVALID"))?;
        let upload = self.0.iter_mut().rfind(|upload| upload.id == claim.id && upload.big == claim.big);
        let whole = upload.ok_or_else(|| missing(0))?.finish(parts)?;
        let claimed = claim.md5.trim();
        if !claimed.is_empty() && !claimed.eq_ignore_ascii_case(&whole.checksum()) {
            return Err(bad_request("MD5_CHECKSUM_INVALID"));
        }
        Ok(whole)
    }
}

fn missing(part: u32) -> RpcError {
    RpcError { code: 400, message: format!("FILE_PART_{part}_MISSING").into() }
}

/// Whether all parts but the last may be so long.
fn fits(length: u64) -> bool {
    length > 0 && length.is_multiple_of(1024) && STRIDE.is_multiple_of(length)
}

/// Checks what can be known of a part alone; returns its number.
fn admitted(part: &Part<'_>) -> Result<u32> {
    if part.bytes.is_empty() {
        return Err(bad_request("FILE_PART_EMPTY"));
    }
    if part.bytes.len() as u64 > STRIDE {
        return Err(bad_request("FILE_PART_TOO_BIG"));
    }
    let number = u32::try_from(part.number).ok().filter(|number| *number < MOST_PARTS);
    let number = number.ok_or(bad_request("FILE_PART_INVALID"))?;
    let Some(claimed) = part.total.filter(|claimed| *claimed != -1) else { return Ok(number) };
    let total = u32::try_from(claimed).ok().filter(|total| (1..=MOST_PARTS).contains(total));
    let total = total.ok_or(bad_request("FILE_PARTS_INVALID"))?;
    if number >= total {
        return Err(bad_request("FILE_PART_INVALID"));
    }
    if number + 1 < total && !fits(part.bytes.len() as u64) {
        return Err(bad_request("FILE_PART_SIZE_INVALID"));
    }
    Ok(number)
}

/// How long a file is whose parts are so long: all as long as the first, but the last may be shorter.
fn joined(sizes: &[u32]) -> Result<u64> {
    let (Some(first), Some((last, all))) = (sizes.first(), sizes.split_last()) else {
        return Err(bad_request("FILE_PARTS_INVALID"));
    };
    if let Some(gap) = (0..).zip(sizes).find_map(|(number, size)| (*size == 0).then_some(number)) {
        return Err(missing(gap));
    }
    let even = all.iter().all(|size| size == first) && last <= first;
    if !even || (!all.is_empty() && !fits(u64::from(*first))) {
        return Err(bad_request("FILE_PART_SIZE_INVALID"));
    }
    Ok(sizes.iter().map(|size| u64::from(*size)).sum())
}

#[derive(Debug)]
struct Upload {
    id: i64,
    big: bool,
    /// None once it is whole.
    disk_file: Option<TemporaryFile>,
    /// How long each part is; 0 for one that has not come.
    sizes: Vec<u32>,
    /// The checksum of the parts from the first on, without a gap.
    digest: Md5,
    digested: usize,
    whole: Option<Arc<Content>>,
}

impl Upload {
    fn new(id: i64, big: bool, disk_file: TemporaryFile) -> Self {
        let (sizes, digest) = (Vec::new(), Md5::new());
        Self { id, big, disk_file: Some(disk_file), sizes, digest, digested: 0, whole: None }
    }

    fn disk_file(&self) -> io::Result<&TemporaryFile> {
        let whole = self.whole.as_ref().map(|whole| &whole.disk_file);
        self.disk_file.as_ref().or(whole).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn read(&self, number: usize) -> io::Result<Vec<u8>> {
        let size = self.sizes.get(number).copied().unwrap_or(0);
        let mut file = self.disk_file()?.open()?;
        file.seek(SeekFrom::Start(number as u64 * STRIDE))?;
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Whether this part is there already, with these bytes.
    fn has(&self, number: u32, bytes: &[u8]) -> io::Result<bool> {
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        let length = self.sizes.get(number).map(|size| u64::from(*size));
        Ok(length == Some(bytes.len() as u64) && self.read(number)? == bytes)
    }

    fn take(&mut self, number: u32, part: Part<'_>) -> Result<()> {
        let length = u32::try_from(part.bytes.len()).unwrap_or(u32::MAX);
        // All parts of a big file but the last are as long as each other.
        let full = part.total.map_or(0, |total| usize::try_from(total - 1).unwrap_or(0));
        let inside = usize::try_from(number).is_ok_and(|number| number < full);
        let mut others = self.sizes.iter().take(full).filter(|size| **size != 0);
        if inside && others.any(|size| *size != length) {
            return Err(bad_request("FILE_PART_SIZE_CHANGED"));
        }
        self.write(number, length, part.bytes).map_err(|error| disk(&error))
    }

    fn write(&mut self, number: u32, length: u32, bytes: &[u8]) -> io::Result<()> {
        let place = usize::try_from(number).unwrap_or(usize::MAX);
        let mut file = self.disk_file()?.open()?;
        file.seek(SeekFrom::Start(u64::from(number) * STRIDE))?;
        file.write_all(bytes)?;
        if place >= self.sizes.len() {
            self.sizes.resize(place + 1, 0);
        }
        if let Some(size) = self.sizes.get_mut(place) {
            *size = length;
        }
        if place < self.digested {
            (self.digest, self.digested) = (Md5::new(), 0);
        }
        // In order, nothing is ever read again.
        if place == self.digested {
            self.digest.update(bytes);
            self.digested += 1;
        }
        self.digest_on()
    }

    /// Counts on over the parts that came before their turn.
    fn digest_on(&mut self) -> io::Result<()> {
        while self.sizes.get(self.digested).is_some_and(|size| *size > 0) {
            let bytes = self.read(self.digested)?;
            self.digest.update(&bytes);
            self.digested += 1;
        }
        Ok(())
    }

    fn finish(&mut self, parts: u32) -> Result<Arc<Content>> {
        let parts = usize::try_from(parts).unwrap_or(usize::MAX);
        if self.sizes.len() > parts {
            return Err(bad_request("FILE_PARTS_INVALID"));
        }
        if self.sizes.len() < parts {
            let gap = self.sizes.iter().position(|size| *size == 0).unwrap_or(self.sizes.len());
            return Err(missing(u32::try_from(gap).unwrap_or(u32::MAX)));
        }
        let size = joined(&self.sizes)?;
        if !self.big && size > LARGEST_SMALL {
            return Err(bad_request("FILE_PARTS_INVALID"));
        }
        if let Some(whole) = &self.whole {
            return Ok(Arc::clone(whole));
        }
        let disk_file = self.disk_file.take().ok_or_else(|| missing(0))?;
        let part = self.sizes.first().map_or(STRIDE, |size| u64::from(*size));
        let md5 = self.digest.clone().finalize().into();
        let whole = Arc::new(Content { disk_file, size, md5, part });
        self.whole = Some(Arc::clone(&whole));
        Ok(whole)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::telegram::identities::mix;

    fn part(number: i32, total: Option<i32>, bytes: &[u8]) -> Part<'_> {
        Part { number, total, bytes }
    }

    fn claim(parts: i32, big: bool) -> Claim<'static> {
        Claim { id: 1, big, parts, md5: "" }
    }

    fn error<T: std::fmt::Debug>(result: Result<T>) -> String {
        result.unwrap_err().message.into_owned()
    }

    #[test]
    fn invalid_parts_are_refused() {
        let long = vec![1; 512 * 1024 + 1];
        assert_eq!(error(admitted(&part(0, None, &[]))), "FILE_PART_EMPTY");
        assert_eq!(error(admitted(&part(0, None, &long))), "FILE_PART_TOO_BIG");
        assert_eq!(error(admitted(&part(-1, None, &[1]))), "FILE_PART_INVALID");
        assert_eq!(error(admitted(&part(4_000, None, &[1]))), "FILE_PART_INVALID");
        assert_eq!(error(admitted(&part(0, Some(4_001), &[1]))), "FILE_PARTS_INVALID");
        assert_eq!(error(admitted(&part(0, Some(0), &[1]))), "FILE_PARTS_INVALID");
        assert_eq!(error(admitted(&part(2, Some(2), &[1]))), "FILE_PART_INVALID");
        assert_eq!(error(admitted(&part(0, Some(2), &long[..1_000]))), "FILE_PART_SIZE_INVALID");
        assert_eq!(error(admitted(&part(0, Some(2), &long[..3 * 1024]))), "FILE_PART_SIZE_INVALID");
        assert_eq!(admitted(&part(0, Some(2), &long[..4 * 1024])), Ok(0));
        assert_eq!(admitted(&part(1, Some(2), &[1])), Ok(1));
        assert_eq!(admitted(&part(3_999, Some(-1), &[1])), Ok(3_999));
    }

    #[test]
    fn parts_make_a_file_when_they_fit_together() {
        assert_eq!(joined(&[5]), Ok(5));
        assert_eq!(joined(&[1024, 1024, 3]), Ok(2051));
        assert_eq!(error(joined(&[])), "FILE_PARTS_INVALID");
        assert_eq!(error(joined(&[1024, 0, 3])), "FILE_PART_1_MISSING");
        assert_eq!(error(joined(&[1024, 2048])), "FILE_PART_SIZE_INVALID");
        assert_eq!(error(joined(&[2048, 1024, 2048])), "FILE_PART_SIZE_INVALID");
        assert_eq!(error(joined(&[1000, 1000])), "FILE_PART_SIZE_INVALID");
    }

    #[test]
    fn claimed_parts_and_checksum_must_match() {
        let folder = tempfile::tempdir().unwrap();
        let depot = Depot::new(folder.path().to_owned());
        let mut uploads = Uploads::default();
        assert_eq!(error(uploads.whole(&claim(1, false))), "FILE_PART_0_MISSING");
        assert_eq!(error(uploads.whole(&claim(0, false))), "FILE_PARTS_INVALID");
        uploads.save(&depot, 1, part(0, None, &[7; 1024])).unwrap();
        assert_eq!(error(uploads.whole(&claim(2, false))), "FILE_PART_1_MISSING");
        assert_eq!(error(uploads.whole(&claim(1, true))), "FILE_PART_0_MISSING");
        uploads.save(&depot, 1, part(1, None, &[8; 10])).unwrap();
        assert_eq!(error(uploads.whole(&claim(1, false))), "FILE_PARTS_INVALID");
        let wrong = Claim { md5: "00000000000000000000000000000000", ..claim(2, false) };
        assert_eq!(error(uploads.whole(&wrong)), "MD5_CHECKSUM_INVALID");
        let whole = uploads.whole(&claim(2, false)).unwrap();
        let checksum = whole.checksum().to_uppercase();
        uploads.whole(&Claim { md5: &checksum, ..claim(2, false) }).unwrap();
        // The same part once more changes nothing; another one begins another file.
        uploads.save(&depot, 1, part(1, None, &[8; 10])).unwrap();
        assert_eq!(uploads.whole(&claim(2, false)).unwrap().md5, whole.md5);
        uploads.save(&depot, 1, part(0, None, &[9; 3])).unwrap();
        assert_eq!(uploads.whole(&claim(1, false)).unwrap().read(0, 9).unwrap(), [9; 3]);
        assert_eq!(whole.size, 1034);
        assert_eq!(whole.read(1020, 8).unwrap(), [7, 7, 7, 7, 8, 8, 8, 8]);
    }

    #[test]
    fn small_files_and_part_sizes_have_limits() {
        let folder = tempfile::tempdir().unwrap();
        let depot = Depot::new(folder.path().to_owned());
        let mut uploads = Uploads::default();
        let bytes = vec![1; 512 * 1024];
        for number in 0..21 {
            uploads.save(&depot, 1, part(number, None, &bytes)).unwrap();
        }
        assert_eq!(error(uploads.whole(&claim(21, false))), "FILE_PARTS_INVALID");
        uploads.save(&depot, 1, part(0, Some(3), &bytes)).unwrap();
        let changed = uploads.save(&depot, 1, part(1, Some(3), &bytes[..1024]));
        assert_eq!(error(changed), "FILE_PART_SIZE_CHANGED");
    }

    proptest! {
        #[test]
        fn parts_in_any_order_make_the_file_and_its_checksum(
            bytes in proptest::collection::vec(any::<u8>(), 1..9_000),
            order in any::<u64>(),
            first in any::<usize>(),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let depot = Depot::new(folder.path().to_owned());
            let mut uploads = Uploads::default();
            let total = i32::try_from(bytes.len().div_ceil(1024)).unwrap();
            let mut parts: Vec<(i32, &[u8])> = (0..).zip(bytes.chunks(1024)).collect();
            parts.sort_by_key(|(number, _)| mix(order ^ u64::from(number.unsigned_abs())));
            // One part comes wrong at first, and one twice.
            let (number, right) = parts[first % parts.len()];
            uploads.save(&depot, 1, part(number, Some(total), &vec![0; right.len()])).unwrap();
            for (number, piece) in &parts {
                uploads.save(&depot, 1, part(*number, Some(total), piece)).unwrap();
            }
            uploads.save(&depot, 1, part(parts[0].0, Some(total), parts[0].1)).unwrap();
            let whole = uploads.whole(&claim(total, true)).unwrap();
            prop_assert_eq!(whole.md5, <[u8; 16]>::from(Md5::digest(&bytes)));
            prop_assert_eq!(whole.read(0, bytes.len() + 1).unwrap(), bytes);
        }
    }
}
