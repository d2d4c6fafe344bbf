//! The shelf: uploads that wait to be sent, each with a note beside it, gone after their time.
//!
//! A file is on the shelf when its note is there; the note is written last and removed first. So a crash leaves at
//! most a file without a note, or a note without a file, and [`Shelf::open`] clears both away.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ambient::{Clock, Ids};
use bytes::Bytes;
use domain::{Timestamp, UploadId};
use futures::{Stream, StreamExt};
use serde::{Deserialize, Serialize};

use crate::intake::{Disk, Doomed, Intake, Limits, TakeError, Taken, in_background, write_whole};
use crate::kind;
use crate::name::FileName;

/// How the names of notes end.
const NOTE: &str = ".json";

/// The longest note that is read, in bytes.
const MOST_NOTE: u64 = 16 * 1024;

/// What the shelf holds, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// How long an upload is kept.
    pub keep: Duration,
    /// The most that all uploads have together, those under way included, in bytes.
    pub most_bytes: u64,
    pub most_files: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    pub id: UploadId,
    pub name: FileName,
    /// The file. It is on the shelf until its time is over; [`Intake::adopt`] makes it last longer.
    pub taken: Taken,
    pub expires_at: Timestamp,
    /// Who may name, see and remove it.
    pub owner: Owner,
    /// What its caller knows it by, so that the same upload sent again is not kept twice.
    pub token: Option<Token>,
}

/// What a caller knows an upload by: a hash of its key and of who it is.
pub type Token = [u8; 32];

/// Whose an upload is: a hash of who put it there.
pub type Owner = [u8; 32];

/// What came of putting an upload on the shelf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put {
    /// It is there now.
    New(Upload),
    /// The same was there already under its token.
    Again(Upload),
    /// Something else is there under its token.
    Other,
}

#[derive(Debug, Serialize, Deserialize)]
struct Note {
    name: FileName,
    size: u64,
    sha256: String,
    expires_at: Timestamp,
    owner: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

/// Uploads in a folder of their own. Cheap to clone; clones are the same shelf.
#[derive(Clone)]
pub struct Shelf(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    intake: Intake,
    ids: Ids,
    clock: Clock,
    rules: Rules,
    books: Mutex<Books>,
}

/// What is on the shelf, and how much room is taken by it and by what is on its way.
#[derive(Default)]
struct Books {
    uploads: BTreeMap<UploadId, Upload>,
    bytes: u64,
    files: usize,
}

impl Shelf {
    /// Opens the shelf in a folder that no one else uses, and clears away what is expired or was left by a crash.
    pub async fn open(
        folder: PathBuf,
        ids: Ids,
        clock: Clock,
        limits: Limits,
        rules: Rules,
    ) -> io::Result<Self> {
        Self::open_on(Disk::default(), folder, ids, clock, limits, rules).await
    }

    /// The same on a disk that is asked in another way.
    pub async fn open_on(
        disk: Disk,
        folder: PathBuf,
        ids: Ids,
        clock: Clock,
        limits: Limits,
        rules: Rules,
    ) -> io::Result<Self> {
        let intake = Intake::open(folder.clone(), ids.clone(), clock.clone(), limits).await?.on(disk);
        let (place, now) = (folder.clone(), clock.now());
        let uploads = in_background(move || read(&place, now)).await?;
        let bytes = uploads.values().map(|upload| upload.taken.size).sum();
        let books = Mutex::new(Books { files: uploads.len(), bytes, uploads });
        Ok(Self(Arc::new(Inner { folder, intake, ids, clock, rules, books })))
    }

    /// Puts an upload on the shelf. `requested` is the name that its owner gave it, `token` what the owner knows it by.
    pub async fn put<S, E>(
        &self,
        requested: Option<&str>,
        (owner, token): (Owner, Option<Token>),
        declared: Option<u64>,
        bytes: S,
    ) -> Result<Put, TakeError>
    where
        S: Stream<Item = Result<Bytes, E>>,
        E: std::fmt::Display,
    {
        self.sweep().await?;
        // It would fit on no shelf: that more is free later is no help.
        let most = self.0.intake.limits().most;
        if declared.is_some_and(|declared| declared > most) {
            return Err(TakeError::TooLarge { most });
        }
        let mut room = Room::of(Arc::clone(&self.0))?;
        room.grow_to(declared.unwrap_or(0))?;
        let id = UploadId::from_uuid(self.0.ids.next());
        let mut received = 0_u64;
        let room_taken = &mut room;
        let pieces = bytes.map(|piece| {
            let piece = piece.map_err(|error| TakeError::Broken(error.to_string()))?;
            received = received.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
            room_taken.grow_to(received)?;
            Ok(piece)
        });
        let file = self.0.intake.named(&id.to_string(), declared, pieces).await?;
        let doomed = Doomed::new(file.path.clone());
        let name = FileName::choose(requested, None, None, file.facts.content);
        let expires_at = self.0.clock.now().plus(self.0.rules.keep);
        let upload = Upload { id, name, taken: file, expires_at, owner, token };
        // Whether the same is there is looked up before the note is written, and once more when it has its place: two of
        // one token may be on their way at once.
        if let Some(there) = self.by_token(&upload) {
            return Ok(there);
        }
        self.write_note(&upload).await?;
        if let Some(there) = room.keep(upload.clone()) {
            let (folder, id) = (self.0.folder.clone(), upload.id);
            in_background(move || discard(&folder, id)).await?;
            doomed.keep();
            return Ok(there);
        }
        doomed.keep();
        Ok(Put::New(upload))
    }

    fn by_token(&self, upload: &Upload) -> Option<Put> {
        self.0.books().by_token(upload, self.0.clock.now())
    }

    /// An upload, if it is on the shelf and its time is not over.
    pub fn get(&self, id: UploadId) -> Option<Upload> {
        let now = self.0.clock.now();
        self.0.books().uploads.get(&id).filter(|upload| upload.expires_at > now).cloned()
    }

    /// Takes an upload off the shelf. Says whether it was there.
    pub async fn remove(&self, id: UploadId) -> io::Result<bool> {
        let Some(upload) = self.0.books().remove(id) else { return Ok(false) };
        let folder = self.0.folder.clone();
        in_background(move || discard(&folder, upload.id)).await?;
        Ok(true)
    }

    /// Takes everything off the shelf whose time is over. Says how much that was.
    pub async fn sweep(&self) -> io::Result<usize> {
        let now = self.0.clock.now();
        let over: Vec<UploadId> = {
            let books = self.0.books();
            books.uploads.values().filter(|upload| upload.expires_at <= now).map(|upload| upload.id).collect()
        };
        let mut removed = 0;
        for id in over {
            removed += usize::from(self.remove(id).await?);
        }
        Ok(removed)
    }

    /// When the next upload leaves the shelf: the time for the next [`Shelf::sweep`].
    pub fn next_expiry(&self) -> Option<Timestamp> {
        self.0.books().uploads.values().map(|upload| upload.expires_at).min()
    }

    async fn write_note(&self, upload: &Upload) -> io::Result<()> {
        let note = Note {
            name: upload.name.clone(),
            size: upload.taken.size,
            sha256: hex::encode(upload.taken.sha256),
            expires_at: upload.expires_at,
            owner: hex::encode(upload.owner),
            token: upload.token.map(hex::encode),
        };
        let path = self.0.folder.join(format!("{}{NOTE}", upload.id));
        let text = serde_json::to_vec(&note).map_err(io::Error::other)?;
        in_background(move || write_whole(&path, &text)).await
    }
}

impl Inner {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    /// What is there already under the token of an upload.
    fn by_token(&self, upload: &Upload, now: Timestamp) -> Option<Put> {
        let token = upload.token?;
        let there = self.uploads.values().find(|one| one.token == Some(token) && one.expires_at > now)?;
        let same = there.taken.sha256 == upload.taken.sha256 && there.name == upload.name;
        Some(if same { Put::Again(there.clone()) } else { Put::Other })
    }

    fn remove(&mut self, id: UploadId) -> Option<Upload> {
        let upload = self.uploads.remove(&id)?;
        self.bytes = self.bytes.saturating_sub(upload.taken.size);
        self.files = self.files.saturating_sub(1);
        Some(upload)
    }
}

/// Room for one upload on its way; given back unless the upload arrives.
struct Room {
    shelf: Arc<Inner>,
    bytes: u64,
}

impl Room {
    fn of(shelf: Arc<Inner>) -> Result<Self, TakeError> {
        {
            let mut books = shelf.books();
            if books.files >= shelf.rules.most_files {
                return Err(TakeError::ShelfFull { most: shelf.rules.most_bytes });
            }
            books.files += 1;
        }
        Ok(Self { shelf, bytes: 0 })
    }

    fn grow_to(&mut self, bytes: u64) -> Result<(), TakeError> {
        let more = bytes.saturating_sub(self.bytes);
        let most = self.shelf.rules.most_bytes;
        let mut books = self.shelf.books();
        let all = books.bytes.checked_add(more).filter(|all| *all <= most);
        books.bytes = all.ok_or(TakeError::ShelfFull { most })?;
        self.bytes += more;
        Ok(())
    }

    /// The upload has arrived and takes the room for itself, unless another of its token was quicker.
    fn keep(mut self, upload: Upload) -> Option<Put> {
        let now = self.shelf.clock.now();
        let mut books = self.shelf.books();
        if let Some(there) = books.by_token(&upload, now) {
            drop(books);
            return Some(there);
        }
        books.bytes = books.bytes.saturating_sub(self.bytes).saturating_add(upload.taken.size);
        books.files += 1;
        books.uploads.insert(upload.id, upload);
        drop(books);
        self.bytes = 0;
        None
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut books = self.shelf.books();
        books.bytes = books.bytes.saturating_sub(self.bytes);
        books.files = books.files.saturating_sub(1);
    }
}

/// Reads the shelf from disk and clears away what does not belong to it. Blocks.
fn read(folder: &Path, now: Timestamp) -> io::Result<BTreeMap<UploadId, Upload>> {
    let mut uploads = BTreeMap::new();
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        found.extend(name.strip_suffix(NOTE).unwrap_or(&name).parse::<UploadId>());
    }
    for id in found {
        if uploads.contains_key(&id) {
            continue;
        }
        match read_one(folder, id)? {
            Some(upload) if upload.expires_at > now => {
                uploads.insert(id, upload);
            }
            _ => discard(folder, id)?,
        }
    }
    Ok(uploads)
}

/// One upload, if its note can be read and its file has the size that the note says.
fn read_one(folder: &Path, id: UploadId) -> io::Result<Option<Upload>> {
    let note = folder.join(format!("{id}{NOTE}"));
    let path = folder.join(id.to_string());
    let size = |path: &Path| match fs::symlink_metadata(path) {
        Ok(found) => Ok(found.is_file().then_some(found.len())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    };
    let (Some(length), Some(held)) = (size(&note)?, size(&path)?) else { return Ok(None) };
    if length > MOST_NOTE {
        return Ok(None);
    }
    let Ok(note) = serde_json::from_slice::<Note>(&fs::read(note)?) else { return Ok(None) };
    let mut sha256 = [0; 32];
    if note.size != held || hex::decode_to_slice(&note.sha256, &mut sha256).is_err() {
        return Ok(None);
    }
    let token = match note.token.as_deref().map(hash_from) {
        Some(None) => return Ok(None),
        token => token.flatten(),
    };
    let Some(owner) = hash_from(&note.owner) else { return Ok(None) };
    let facts = kind::look(&mut fs::File::open(&path)?, held)?;
    let file = Taken { path, size: held, sha256, facts };
    Ok(Some(Upload { id, name: note.name, taken: file, expires_at: note.expires_at, owner, token }))
}

fn hash_from(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    hex::decode_to_slice(text, &mut hash).ok()?;
    Some(hash)
}

/// Removes an upload's note, then its file. Blocks.
fn discard(folder: &Path, id: UploadId) -> io::Result<()> {
    for name in [format!("{id}{NOTE}"), id.to_string()] {
        match fs::remove_file(folder.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
