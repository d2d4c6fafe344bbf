//! Files from one side to the other: what the receiver has already does not come again, and what came is compared.

use crate::files::{BLOCK, FileEntry, Sum, whole};
use crate::link::{Link, LinkError};
use crate::serving::{Answer, BLOCKS, Failed, Request, SUMS};

/// How often a file that changes while it is read is begun again; at rest none does.
const ATTEMPTS: u32 = 3;

/// What came over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Carried {
    pub(crate) files: u64,
    /// The size of all files, in bytes.
    pub(crate) bytes: u64,
    /// How much of it went over the line, in bytes.
    pub(crate) sent: u64,
}

/// Brings the files of one side to the other. With `exact`, each must be the same in the end; without, what changes meanwhile
/// comes later.
pub(crate) async fn carry(
    from: &mut Link,
    to: &mut Link,
    exact: bool,
    mut progress: impl FnMut(Carried, u64),
) -> Result<Carried, LinkError> {
    let (Answer::Files { files }, _) = from.ask(&Request::Files, Vec::new()).await? else {
        return Err(from.odd());
    };
    to.ask(&Request::Only { files: files.clone() }, Vec::new()).await?;
    let all = files.iter().map(|entry| entry.bytes).sum();
    let mut carried = Carried::default();
    for entry in files {
        let mut attempt = 1;
        while !one(from, to, &entry, &mut carried).await? {
            if !exact {
                break;
            }
            if attempt == ATTEMPTS {
                let what = format!("{:?} is not the same on both sides after {attempt} attempts", entry.name);
                return Err(LinkError::Failed { name: to.name().to_owned(), failed: Failed::refused(what) });
            }
            attempt += 1;
        }
        carried.files += 1;
        carried.bytes += entry.bytes;
        progress(carried, all);
    }
    Ok(carried)
}

/// Brings one file over; whether it is the same on both sides then.
async fn one(
    from: &mut Link,
    to: &mut Link,
    entry: &FileEntry,
    carried: &mut Carried,
) -> Result<bool, LinkError> {
    let name = &entry.name;
    let of = entry.bytes.div_ceil(BLOCK);
    let mut all: Vec<Sum> = Vec::new();
    let mut first = 0;
    while first < of {
        let mut theirs = sums(from, name, false, first).await?;
        theirs.truncate(usize::try_from(of - first).unwrap_or(usize::MAX));
        if theirs.is_empty() {
            // It became shorter meanwhile.
            return Ok(false);
        }
        let ours = sums(to, name, true, first).await?;
        let differ: Vec<u64> = (first..)
            .zip(&theirs)
            .enumerate()
            .filter(|(place, (_, sum))| ours.get(*place) != Some(*sum))
            .map(|(_, (number, _))| number)
            .collect();
        for blocks in differ.chunks(BLOCKS) {
            let read = Request::Read { name: name.clone(), blocks: blocks.to_vec() };
            let (_, bytes) = from.ask(&read, Vec::new()).await?;
            carried.sent += bytes.len() as u64;
            to.ask(&Request::Write { name: name.clone(), blocks: blocks.to_vec() }, bytes).await?;
        }
        first += theirs.len() as u64;
        all.extend(theirs);
    }
    match to.ask(&Request::Settle { name: name.clone(), bytes: entry.bytes }, Vec::new()).await? {
        (Answer::Settled { sum }, _) => Ok(sum == whole(&all)),
        _ => Err(to.odd()),
    }
}

/// The sums of up to [`SUMS`] blocks.
async fn sums(link: &mut Link, name: &str, incoming: bool, from: u64) -> Result<Vec<Sum>, LinkError> {
    let (_, body) = link.ask(&Request::Sums { name: name.to_owned(), incoming, from }, Vec::new()).await?;
    let sums = body.chunks_exact(32).take(usize::try_from(SUMS).unwrap_or(usize::MAX));
    Ok(sums.filter_map(|sum| sum.try_into().ok()).collect())
}
