//! The identity of an open store, the file that follows it, and whether the database is still in its place.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ambient::{Clock, regular_file};

use super::{FACT, Found, Identity, Refusal, SAVE, STORE_MARK, Starts, Word, judge, random, remembered};
use crate::database::{Address, Connection, params};
use crate::lease::Term;
use crate::{Accepts, OpenError, StoreError, StoreKind};

/// While the store is written to, the generation grows this often.
const ADVANCE_EVERY: Duration = Duration::from_mins(1);

/// The identity of an open store, and the file that follows it.
pub(crate) struct Mark {
    file: PathBuf,
    opened: Option<File>,
    identity: Identity,
    /// The word of this start. The identity has it from the first generation on that this program wrote.
    word: Word,
    clock: Clock,
    /// When the generation grows next, by the running clock.
    due_at: Duration,
    /// Whether anything was committed since.
    is_behind: bool,
    /// What is in the file.
    in_file: Option<Identity>,
    /// None on a server.
    database: Option<DatabaseFile>,
}

/// The database file as it was opened.
pub(crate) struct DatabaseFile {
    path: PathBuf,
    device: u64,
    inode: u64,
    /// Ends when the file is lost.
    term: Arc<Term>,
}

impl DatabaseFile {
    /// The file at this path, which was opened a moment ago.
    pub(crate) fn opened(path: PathBuf, term: Arc<Term>) -> io::Result<Self> {
        let found = fs::metadata(&path)?;
        Ok(Self { path, device: found.dev(), inode: found.ino(), term })
    }

    /// Ends the term if the path does not lead to the opened file any more. What is written then is lost with the open file.
    fn check(&self) -> Result<(), StoreError> {
        let is_lost = match fs::metadata(&self.path) {
            Ok(found) => (found.dev(), found.ino()) != (self.device, self.inode),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        if !is_lost {
            return Ok(());
        }
        self.term.end();
        let file = self.path.display();
        Err(StoreError::Unavailable(format!("{file} was removed or replaced while it was open")))
    }
}

impl Mark {
    /// Compares a database with what the data directory remembers, and announces the store there if it is new. Blocks on the disk.
    ///
    /// # Errors
    /// The database is missing, older, unknown or foreign, and not accepted as it is; or it is of another kind.
    pub(crate) fn admit(
        address: &Address,
        (found, database): (Found, Option<DatabaseFile>),
        (data_dir, has_traces): (&Path, bool),
        accepts: Accepts,
        clock: Clock,
    ) -> Result<Self, OpenError> {
        let remembered = remembered(data_dir)?;
        let is_on_server = matches!(address, Address::Postgres(_));
        let accepted = judge(remembered.as_ref(), &found, (has_traces, is_on_server), accepts)
            .map_err(|refusal| refusal.describe(data_dir, address))?;
        let announced = remembered.filter(|known| known.generation == 0);
        let (is_new, identity) = match (found, announced) {
            // Otherwise the newer database would pass for this one later.
            (Found::Store(identity) | Found::Diverged(identity), _)
                if matches!(accepted, Some(Refusal::Older | Refusal::Unknown)) =>
            {
                (false, identity.forked()?)
            }
            (Found::Store(identity) | Found::Diverged(identity), _) => (false, identity),
            (_, Some(announced)) => (false, announced),
            (_, None) => (true, Identity::new(accepts.kind.unwrap_or(StoreKind::Real))?),
        };
        let mut mark = Self {
            file: data_dir.join(STORE_MARK),
            opened: None,
            identity,
            word: random()?,
            due_at: clock.running().saturating_add(ADVANCE_EVERY),
            clock,
            is_behind: true,
            in_file: remembered,
            database,
        };
        // Before anything of the store is made: a start that is killed in between begins again.
        if is_new {
            mark.write_file()
                .map_err(|source| OpenError::NotWritable { dir: data_dir.to_owned(), source })?;
        }
        Ok(mark)
    }

    /// Looks whether the database is in its place.
    ///
    /// # Errors
    /// Its file was removed or replaced.
    pub(crate) fn check_place(&self) -> Result<(), StoreError> {
        self.database.as_ref().map_or(Ok(()), DatabaseFile::check)
    }

    /// Writes the next generation into the database, the first time with the word of this start, in a transaction of the caller.
    /// It counts once [`Mark::committed`] is called.
    pub(crate) fn advance(&self, connection: &Connection) -> Result<(), StoreError> {
        let next = self.advanced();
        if self.identity.word != next.word {
            let mut starts = Starts::read(connection)?;
            starts.add(&next);
            starts.save(connection)?;
        }
        connection.run(SAVE, params![FACT, next.fact()])
    }

    const fn advanced(&self) -> Identity {
        let generation = self.identity.generation.saturating_add(1);
        Identity { generation, word: self.word, ..self.identity }
    }

    /// Whether the next generation is due with this commit.
    pub(crate) fn is_due(&self) -> bool {
        self.due_at <= self.clock.running()
    }

    /// The next generation is due at once, as the store is closed. False if nothing was committed since the last one.
    pub(crate) fn end(&mut self) -> bool {
        self.due_at = Duration::ZERO;
        self.is_behind
    }

    /// The database is on the disk up to this event, and up to the next generation if one was written.
    pub(crate) fn committed(&mut self, has_advanced: bool, event: Option<i64>) {
        if has_advanced {
            self.identity = self.advanced();
            self.due_at = self.clock.running().saturating_add(ADVANCE_EVERY);
        }
        self.is_behind = !has_advanced;
        self.identity.event = event.unwrap_or_default().max(self.identity.event);
        if has_advanced {
            self.put_file_back();
        }
        self.follow();
    }

    /// Writes the file again where it was removed or replaced: the next start needs it. The file of another store is left.
    pub(crate) fn put_file_back(&mut self) {
        let Some(opened) = &self.opened else { return };
        let place = |found: fs::Metadata| (found.dev(), found.ino());
        let is_there = match fs::metadata(&self.file) {
            Ok(found) => opened.metadata().is_ok_and(|own| place(own) == place(found)),
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        };
        let is_foreign = || {
            let folder = self.file.parent().unwrap_or(Path::new(""));
            matches!(remembered(folder), Ok(Some(other)) if other.id != self.identity.id)
        };
        if is_there || self.check_place().is_err() || is_foreign() {
            return;
        }
        let written = self.write_file();
        let file = self.file.display();
        match written {
            Ok(()) => {
                tracing::warn!(%file, "the identity of the store was removed or replaced; it is written again");
            }
            Err(error) => tracing::warn!(%file, %error, "the identity of the store was removed or replaced"),
        }
    }

    /// Brings the file to what is in the database. A crash of this program loses nothing of it; a power cut may, and leaves the
    /// file behind the database, which is safe.
    fn follow(&mut self) {
        let Some(opened) = &self.opened else { return };
        if self.in_file == Some(self.identity) {
            return;
        }
        match opened.write_all_at(self.identity.text().as_bytes(), 0) {
            Ok(()) => self.in_file = Some(self.identity),
            Err(error) => {
                tracing::warn!(file = %self.file.display(), %error, "the identity of the store is not written down");
                self.opened = None;
            }
        }
    }

    /// Writes the file and syncs it, after the start has written to the database.
    pub(crate) fn begin(&mut self) -> io::Result<()> {
        let has_same_id = self.in_file.is_some_and(|known| known.id == self.identity.id);
        if !has_same_id {
            return self.write_file();
        }
        let Some(opened) = open_in_place(&self.file, &self.identity)? else { return self.write_file() };
        self.opened = Some(opened);
        self.follow();
        self.sync()
    }

    /// Syncs the file.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.opened.as_ref().map_or(Ok(()), File::sync_data)
    }

    fn write_file(&mut self) -> io::Result<()> {
        (self.opened, self.in_file) = (Some(write(&self.file, &self.identity)?), Some(self.identity));
        Ok(())
    }
}

/// Brings the file to what is in a database. The file of the same store is overwritten in place.
pub(super) fn follow(file: &Path, known: Option<&Identity>, identity: &Identity) -> io::Result<()> {
    let is_same = known.is_some_and(|known| known.id == identity.id);
    if is_same && known.is_some_and(|known| !known.is_before(identity)) {
        return Ok(());
    }
    match if is_same { open_in_place(file, identity)? } else { None } {
        Some(opened) => opened.write_all_at(identity.text().as_bytes(), 0),
        None => write(file, identity).map(drop),
    }
}

/// Opens the file to be overwritten; none where it has another length, of which the end would be left.
fn open_in_place(file: &Path, identity: &Identity) -> io::Result<Option<File>> {
    let opened = regular_file::open_with(OpenOptions::new().write(true), file)?;
    let length = opened.metadata()?.len();
    Ok((length == identity.text().len() as u64).then_some(opened))
}

/// Beside the file first, then in its place, and on the disk.
pub(super) fn write(file: &Path, identity: &Identity) -> io::Result<File> {
    let fresh = file.with_extension("json.new");
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
    made.write_all(identity.text().as_bytes())?;
    if let Some(folder) = file.parent() {
        give_to_owner(&made, folder)?;
        made.sync_all()?;
        fs::rename(&fresh, file)?;
        File::open(folder)?.sync_all()?;
    }
    Ok(made)
}

/// Gives a file that root has made to the owner of the data directory: the service could not open it.
fn give_to_owner(file: &File, folder: &Path) -> io::Result<()> {
    let (made, owner) = (file.metadata()?, folder.metadata()?);
    if rustix::process::geteuid().is_root() && made.uid() != owner.uid() {
        fchown(file, Some(owner.uid()), Some(owner.gid()))?;
    }
    Ok(())
}

#[cfg(test)]
impl Mark {
    /// One without a file.
    pub(crate) fn for_test() -> Self {
        let (clock, identity) = (Clock::system(), super::tests::identity(7, 1, 0));
        let (file, due_at) = (PathBuf::new(), Duration::MAX);
        let (word, in_file) = (identity.word, Some(identity));
        Self { file, opened: None, identity, word, clock, due_at, is_behind: false, in_file, database: None }
    }
}
