//! The file of a backup: a tar, packed with gzip, that any system can look into. What it holds is hashed on its way in and out.

use std::collections::{BTreeMap, HashSet};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::bundle::{self, Source};
use super::manifest::{self, Entry, Manifest};
use super::room;

/// How much is read at a time, in bytes.
const PIECE: usize = 128 * 1024;

/// After so many pieces, 8 MiB, it is looked how much room is left.
const LOOK_EVERY: u32 = 64;

/// Why a backup could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// It ends too early, or its packing is damaged.
    #[error("it is not whole: {0}")]
    Torn(String),
    /// Something is in it that no backup has.
    #[error("{0:?} is in it, which no backup of this program has; it was made by something else")]
    Foreign(String),
    #[error("{0:?} in it is not what was put into it; use another backup")]
    Differs(String),
    /// Rows are missing, or there are more than there were.
    #[error(
        "the table {table} of it has {found} rows and had {recorded} when it was made; use another backup"
    )]
    Rows { table: String, recorded: u64, found: u64 },
    /// A newer program made it.
    #[error("it has form {found}, this program knows {known}; use the program that made it, or a newer one", known = manifest::FORM)]
    Newer { found: u32 },
    /// A file beside it cannot be read or written.
    #[error("{file}: {source}")]
    File {
        file: String,
        /// What the system says.
        source: io::Error,
    },
    /// It would fill the disk.
    #[error("there is too little room to unpack it: {} MB are free; free some", free / 1_000_000)]
    NoRoom {
        /// What is free, in bytes.
        free: u64,
    },
    /// The program is stopping.
    #[error("the program was stopped meanwhile")]
    Stopped,
}

/// What a manifest says beside the files.
pub(crate) struct Head {
    pub(crate) made_at: domain::Timestamp,
    pub(crate) version: String,
    pub(crate) schema: i64,
    pub(crate) at_rest: bool,
    /// How many rows each table of the database has.
    pub(crate) rows: BTreeMap<String, u64>,
}

/// Writes a backup of these sources, to the disk. Blocks.
pub(crate) fn write(
    to: File,
    sources: &[Source],
    head: Head,
    stopping: &CancellationToken,
) -> Result<Manifest, ArchiveError> {
    let written = |source| failed("the backup", source, stopping);
    let packing = GzEncoder::new(BufWriter::with_capacity(PIECE, to), Compression::fast());
    let mut tar = tar::Builder::new(packing);
    let mut files = Vec::with_capacity(sources.len());
    for source in sources {
        let file = match File::open(&source.path) {
            // The message that it belonged to is over.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            opened => opened.map_err(|error| failed(&source.name, error, stopping))?,
        };
        let mut hashing = Hashing::new(file.take(source.bytes), stopping);
        let header = header(source.bytes, head.made_at);
        append(&mut tar, header, &source.name, &mut hashing).map_err(written)?;
        if hashing.bytes != source.bytes {
            // The tar has a gap now. Files that are whole do not change, so this one was not.
            let shrank = io::Error::new(io::ErrorKind::UnexpectedEof, "it became shorter while it was read");
            return Err(failed(&source.name, shrank, stopping));
        }
        files.push(Entry { name: source.name.clone(), bytes: source.bytes, sha256: hashing.end() });
    }
    let Head { made_at, version, schema, at_rest, rows } = head;
    let manifest =
        Manifest { form: manifest::FORM, made_at, version, schema, at_rest, rows: Some(rows), files };
    let text = serde_json::to_vec_pretty(&manifest).map_err(|error| written(error.into()))?;
    let size = u64::try_from(text.len()).unwrap_or(u64::MAX);
    if size > manifest::LARGEST {
        return Err(written(io::Error::other("there are too many files for one backup")));
    }
    append(&mut tar, header(size, made_at), manifest::NAME, text.as_slice()).map_err(written)?;
    let file = tar
        .into_inner()
        .and_then(GzEncoder::finish)
        .and_then(|file| file.into_inner().map_err(io::IntoInnerError::into_error))
        .map_err(written)?;
    file.sync_all().map_err(written)?;
    Ok(manifest)
}

fn append(
    tar: &mut tar::Builder<impl Write>,
    mut header: tar::Header,
    name: &str,
    content: impl Read,
) -> io::Result<()> {
    tar.append_data(&mut header, name, content)
}

fn header(bytes: u64, made_at: domain::Timestamp) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_size(bytes);
    header.set_mode(0o600);
    header.set_mtime(u64::try_from(made_at.as_seconds()).unwrap_or_default());
    header
}

/// Unpacks a backup into a folder that is empty, and compares each file with what was put into it. Blocks.
pub(crate) fn unpack(
    from: impl Read,
    into: &Path,
    stopping: &CancellationToken,
) -> Result<Manifest, ArchiveError> {
    let mut tar = tar::Archive::new(GzDecoder::new(BufReader::with_capacity(PIECE, from)));
    let torn = |error: io::Error| {
        if stopping.is_cancelled() { ArchiveError::Stopped } else { ArchiveError::Torn(error.to_string()) }
    };
    let mut unpacked = BTreeMap::new();
    let mut manifest: Option<Manifest> = None;
    for entry in tar.entries().map_err(torn)? {
        let mut entry = entry.map_err(torn)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let plain = entry.header().entry_type() == tar::EntryType::Regular;
        // The manifest is the last; a second one, or anything behind it, is of someone else.
        if !plain || manifest.is_some() {
            return Err(ArchiveError::Foreign(shown(&name)));
        }
        if name == manifest::NAME {
            manifest = Some(read_manifest(&mut entry).map_err(|error| error.unwrap_or_else(&torn))?);
        } else if bundle::belongs(&name) {
            let hashed = unpack_one(&mut entry, &name, into, stopping, &torn)?;
            if unpacked.insert(name.clone(), hashed).is_some() {
                return Err(ArchiveError::Foreign(shown(&name)));
            }
        } else {
            return Err(ArchiveError::Foreign(shown(&name)));
        }
    }
    // The packing's own sum is behind all of it, and is looked at only by one who reads to the end.
    io::copy(&mut tar.into_inner(), &mut io::sink()).map_err(torn)?;
    let manifest = manifest.ok_or_else(|| ArchiveError::Torn("its list of files is missing".to_owned()))?;
    compare(&manifest, &unpacked)?;
    Ok(manifest)
}

/// What is read first of a manifest: a newer form may look different.
#[derive(serde::Deserialize)]
struct Form {
    form: u32,
}

fn read_manifest(entry: &mut impl Read) -> Result<Manifest, Result<ArchiveError, io::Error>> {
    let mut text = Vec::new();
    entry.take(manifest::LARGEST).read_to_end(&mut text).map_err(Err)?;
    let wrong = |_: serde_json::Error| Ok(ArchiveError::Differs(manifest::NAME.to_owned()));
    let Form { form } = serde_json::from_slice(&text).map_err(wrong)?;
    if form > manifest::FORM {
        return Err(Ok(ArchiveError::Newer { found: form }));
    }
    serde_json::from_slice(&text).map_err(wrong)
}

fn unpack_one(
    entry: &mut impl Read,
    name: &str,
    into: &Path,
    stopping: &CancellationToken,
    torn: &impl Fn(io::Error) -> ArchiveError,
) -> Result<(u64, String), ArchiveError> {
    let on_disk = |source| failed(name, source, stopping);
    let path = into.join(name);
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(on_disk)?;
    }
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(on_disk)?;
    let mut hashing = Hashing::new(entry, stopping);
    let mut piece = vec![0; PIECE];
    let mut until_look = 0;
    // Not `io::copy`: what cannot be read is another trouble than what cannot be written.
    loop {
        if until_look == 0 {
            let free = room::free(into).map_err(on_disk)?;
            if free < room::MARGIN {
                return Err(ArchiveError::NoRoom { free });
            }
            until_look = LOOK_EVERY;
        }
        until_look -= 1;
        let read = hashing.read(&mut piece).map_err(torn)?;
        match piece.get(..read) {
            None | Some([]) => break,
            Some(some) => file.write_all(some).map_err(on_disk)?,
        }
    }
    file.sync_all().map_err(on_disk)?;
    let bytes = hashing.bytes;
    Ok((bytes, hashing.end()))
}

/// Nothing is missing, nothing is there that was not put into it, and all is what it was.
fn compare(manifest: &Manifest, unpacked: &BTreeMap<String, (u64, String)>) -> Result<(), ArchiveError> {
    for Entry { name, bytes, sha256 } in &manifest.files {
        if unpacked.get(name).is_none_or(|(size, hash)| (size, hash) != (bytes, sha256)) {
            return Err(ArchiveError::Differs(shown(name)));
        }
    }
    let named: HashSet<&str> = manifest.files.iter().map(|entry| entry.name.as_str()).collect();
    match unpacked.keys().find(|name| !named.contains(name.as_str())) {
        Some(name) => Err(ArchiveError::Foreign(shown(name))),
        None if unpacked.contains_key(bundle::DATABASE) => Ok(()),
        None => Err(ArchiveError::Torn("there is no database in it".to_owned())),
    }
}

/// A name from a file that anybody may have made.
fn shown(name: &str) -> String {
    name.chars().take(100).collect()
}

fn failed(file: &str, source: io::Error, stopping: &CancellationToken) -> ArchiveError {
    if stopping.is_cancelled() {
        return ArchiveError::Stopped;
    }
    ArchiveError::File { file: file.to_owned(), source }
}

/// Hashes and counts what is read through it, and ends when the program does.
struct Hashing<'a, R> {
    inner: R,
    hash: Sha256,
    bytes: u64,
    stopping: &'a CancellationToken,
}

impl<'a, R> Hashing<'a, R> {
    fn new(inner: R, stopping: &'a CancellationToken) -> Self {
        Self { inner, hash: Sha256::new(), bytes: 0, stopping }
    }

    fn end(self) -> String {
        use std::fmt::Write as _;
        self.hash.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

impl<R: Read> Read for Hashing<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.stopping.is_cancelled() {
            return Err(io::Error::other("stopped"));
        }
        let read = self.inner.read(into)?;
        self.hash.update(into.get(..read).unwrap_or_default());
        self.bytes += u64::try_from(read).unwrap_or(u64::MAX);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;
    use proptest::prelude::*;
    use std::fs;
    use tempfile::TempDir;

    fn head() -> Head {
        Head {
            made_at: Timestamp::from_micros(7_000_000),
            version: "0.1.0".to_owned(),
            schema: 13,
            at_rest: false,
            rows: BTreeMap::from([("messages".to_owned(), 3)]),
        }
    }

    /// A backup of these files.
    fn packed(files: &[(String, Vec<u8>)]) -> (TempDir, Manifest) {
        let place = tempfile::tempdir().unwrap();
        let sources: Vec<Source> = files
            .iter()
            .enumerate()
            .map(|(number, (name, content))| {
                let path = place.path().join(format!("source-{number}"));
                fs::write(&path, content).unwrap();
                Source { name: name.clone(), path, bytes: content.len() as u64 }
            })
            .collect();
        let file = File::create_new(place.path().join("backup")).unwrap();
        let manifest = write(file, &sources, head(), &CancellationToken::new()).unwrap();
        (place, manifest)
    }

    fn unpacked(place: &TempDir) -> Result<(Manifest, TempDir), ArchiveError> {
        let into = tempfile::tempdir().unwrap();
        let file = File::open(place.path().join("backup")).unwrap();
        unpack(file, into.path(), &CancellationToken::new()).map(|manifest| (manifest, into))
    }

    fn some() -> Vec<(String, Vec<u8>)> {
        let text = "a row of the database; ".repeat(2000).into_bytes();
        vec![("switchboard.db".to_owned(), text), ("outgoing/one".to_owned(), vec![7; 70_000])]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn an_archive_reads_back_as_written(
            files in proptest::collection::btree_map("(outgoing|uploads)/[a-z0-9_]{1,120}", proptest::collection::vec(any::<u8>(), 0..3000), 0..6),
            database in proptest::collection::vec(any::<u8>(), 0..9000),
        ) {
            let mut files: Vec<_> = files.into_iter().collect();
            files.insert(0, ("switchboard.db".to_owned(), database));
            let (place, manifest) = packed(&files);
            let (read, into) = unpacked(&place).unwrap();
            prop_assert_eq!(&read, &manifest);
            prop_assert_eq!(read.bytes(), files.iter().map(|(_, content)| content.len() as u64).sum::<u64>());
            for (name, content) in &files {
                prop_assert_eq!(&fs::read(into.path().join(name)).unwrap(), content);
            }
        }

        #[test]
        fn a_truncated_archive_is_refused(end in any::<prop::sample::Index>()) {
            let (place, _) = packed(&some());
            let backup = place.path().join("backup");
            let whole = fs::read(&backup).unwrap();
            let length = end.index(whole.len());
            fs::write(&backup, &whole[..length]).unwrap();
            prop_assert!(matches!(unpacked(&place), Err(ArchiveError::Torn(_))));
        }

        #[test]
        fn a_changed_byte_is_noticed(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
            let (place, manifest) = packed(&some());
            let backup = place.path().join("backup");
            let mut changed = fs::read(&backup).unwrap();
            let at = at.index(changed.len());
            changed[at] ^= 1 << bit;
            fs::write(&backup, changed).unwrap();
            // A bit of the packing's own date may change.
            if let Ok((read, into)) = unpacked(&place) {
                prop_assert_eq!(read, manifest);
                for (name, content) in some() {
                    prop_assert_eq!(fs::read(into.path().join(name)).unwrap(), content);
                }
            }
        }
    }

    #[test]
    fn an_archive_of_another_program_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let write = |entries: &[(&str, &str)]| {
            let file = File::create(place.path().join("backup")).unwrap();
            let mut tar = tar::Builder::new(GzEncoder::new(file, Compression::fast()));
            for (name, content) in entries {
                let mut header = header(content.len() as u64, Timestamp::default());
                // Not through `append_data`, which refuses such names itself.
                header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
                header.set_cksum();
                tar.append(&header, content.as_bytes()).unwrap();
            }
            tar.into_inner().unwrap().finish().unwrap();
            unpacked(&place).map(|(manifest, _)| manifest)
        };
        let newer = r#"{"form":2,"other":true}"#;
        assert!(matches!(write(&[("../evil", "x")]), Err(ArchiveError::Foreign(name)) if name == "../evil"));
        assert!(matches!(write(&[("/etc/passwd", "x")]), Err(ArchiveError::Foreign(_))));
        assert!(matches!(write(&[("master.key", "x")]), Err(ArchiveError::Foreign(_))));
        assert!(matches!(
            write(&[("switchboard.db", "x"), ("manifest.json", newer)]),
            Err(ArchiveError::Newer { found: 2 })
        ));
        assert!(matches!(
            write(&[("switchboard.db", "x"), ("manifest.json", "{")]),
            Err(ArchiveError::Differs(_))
        ));
        let empty = r#"{"form":1,"made_at":"2030-01-31T12:00:00Z","version":"1","schema":1,"files":[]}"#;
        assert!(matches!(
            write(&[("switchboard.db", "x"), ("manifest.json", empty)]),
            Err(ArchiveError::Foreign(_))
        ));
        assert!(matches!(write(&[("manifest.json", empty)]), Err(ArchiveError::Torn(_))));
        assert!(matches!(
            write(&[("manifest.json", empty), ("switchboard.db", "x")]),
            Err(ArchiveError::Foreign(_))
        ));
        assert!(matches!(write(&[]), Err(ArchiveError::Torn(_))));
    }

    #[test]
    fn unpacking_stops_when_cancelled() {
        let (place, _) = packed(&some());
        let stopped = CancellationToken::new();
        stopped.cancel();
        let into = tempfile::tempdir().unwrap();
        let file = File::open(place.path().join("backup")).unwrap();
        assert!(matches!(unpack(file, into.path(), &stopped), Err(ArchiveError::Stopped)));
    }
}
