//! The identity of a store: an id and how far the store has come, in the database and in the data directory.
//!
//! A start compares both. It refuses a database that is missing, that belongs to another store, or that is an older copy: an
//! idempotency key that such a database has forgotten would be sent again. The database is written first and the data directory
//! afterwards, so after a crash the database is never behind.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ambient::Clock;
use serde::{Deserialize, Serialize};

use crate::column::Columns;
use crate::database::{Address, Connection, params};
use crate::error::DamagedFile;
use crate::statement::statements;
use crate::{OpenError, StoreError, events};

/// The file in the data directory.
pub const STORE_MARK: &str = "store.json";

/// The largest file that is read, in bytes.
const LARGEST: u64 = 4096;
/// The fact in the database: the id (16 bytes) and the generation (8 bytes).
const FACT: &str = "store identity";
/// While the store is written to, the generation grows this often.
const ADVANCE_EVERY: Duration = Duration::from_mins(1);

statements! {
    READ = "SELECT value FROM store_facts WHERE name = $1";
    SAVE = "
        INSERT INTO store_facts (name, value) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value";
}

/// Databases that a start accepts although the data directory does not expect them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Accepts {
    /// An empty database in place of the one that is missing.
    pub empty: bool,
    /// An older copy, or the database of another store.
    pub other: bool,
}

/// A store and how far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    id: [u8; 16],
    /// Grows with each start and stop, and while the store is written to. 0: announced, not in the database yet.
    generation: i64,
    /// The id of the newest event.
    event: i64,
}

/// The same in the file. The numbers have a fixed width, so that the file is overwritten in place.
#[derive(Serialize, Deserialize)]
struct Written {
    store: String,
    generation: String,
    event: String,
}

/// Why a database is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    Missing,
    Foreign,
    Older,
}

impl Identity {
    fn new() -> Result<Self, OpenError> {
        let mut id = [0; 16];
        getrandom::fill(&mut id)
            .map_err(|error| crate::MasterKeyError::NoRandomness { what: error.to_string() })?;
        Ok(Self { id, generation: 0, event: 0 })
    }

    fn parse(text: &str) -> Option<Self> {
        let written: Written = serde_json::from_str(text).ok()?;
        let mut id = [0; 16];
        hex::decode_to_slice(written.store, &mut id).ok()?;
        let number = |digits: &str| digits.parse().ok().filter(|number| *number >= 0);
        Some(Self { id, generation: number(&written.generation)?, event: number(&written.event)? })
    }

    fn text(&self) -> String {
        let Self { id, generation, event } = self;
        let id = hex::encode(id);
        format!("{{\"store\":\"{id}\",\"generation\":\"{generation:019}\",\"event\":\"{event:019}\"}}\n")
    }

    fn fact(&self) -> Vec<u8> {
        [&self.id[..], &self.generation.to_be_bytes()].concat()
    }

    /// Whether this is an earlier moment of the same store.
    const fn is_before(&self, other: &Self) -> bool {
        self.generation < other.generation || self.event < other.event
    }
}

/// The identity that the data directory remembers. Blocks on the disk.
pub(crate) fn remembered(data_dir: &Path) -> Result<Option<Identity>, OpenError> {
    let file = data_dir.join(STORE_MARK);
    let mut text = String::new();
    match File::open(&file).and_then(|opened| opened.take(LARGEST).read_to_string(&mut text)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {}
        read => drop(read.map_err(|source| OpenError::NotWritable { dir: data_dir.to_owned(), source })?),
    }
    Identity::parse(&text).map(Some).ok_or_else(|| {
        DamagedFile {
            file,
            what: "it is no identity of a store".to_owned(),
            advice: "if the database is the newest there is, remove this file",
        }
        .into()
    })
}

/// The identity in a database; none in an empty one.
pub(crate) fn in_database(connection: &Connection) -> Result<Option<Identity>, StoreError> {
    let Some(fact) =
        connection.first(READ, [FACT], |row| Columns::new(row, "store_facts").get::<[u8; 24]>(0))?
    else {
        return Ok(None);
    };
    let (mut id, mut generation) = ([0; 16], [0; 8]);
    id.copy_from_slice(&fact[..16]);
    generation.copy_from_slice(&fact[16..]);
    let generation = i64::from_be_bytes(generation).max(1);
    Ok(Some(Identity { id, generation, event: events::newest(connection)?.max(0) }))
}

/// Refuses to make a database file where the data directory remembers that it had one. Blocks on the disk.
pub(crate) fn check_before_it_is_made(
    address: &Address,
    data_dir: &Path,
    has_key: bool,
    accepts: Accepts,
) -> Result<(), OpenError> {
    let Address::Sqlite(file) = address else { return Ok(()) };
    if holds_something(file) {
        return Ok(());
    }
    let judged = judge(remembered(data_dir)?.as_ref(), None, has_key, accepts);
    judged.map_err(|refusal| refusal.describe(data_dir, address))
}

/// Whether a database file, or its log alone, has any bytes: a store that was made a moment ago may be in its log.
fn holds_something(file: &Path) -> bool {
    let has_bytes = |file: &Path| fs::metadata(file).is_ok_and(|found| found.len() > 0);
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    has_bytes(file) || has_bytes(Path::new(&log))
}

fn judge(
    remembered: Option<&Identity>,
    found: Option<&Identity>,
    has_key: bool,
    accepts: Accepts,
) -> Result<(), Refusal> {
    // One that was only announced is in no database yet.
    let refusal = match (remembered.filter(|known| known.generation > 0), found) {
        (Some(_), None) => Refusal::Missing,
        (None, None) if has_key && remembered.is_none() => Refusal::Missing,
        (Some(known), Some(found)) if known.id != found.id => Refusal::Foreign,
        (Some(known), Some(found)) if found.is_before(known) => Refusal::Older,
        (None, _) | (Some(_), Some(_)) => return Ok(()),
    };
    let is_accepted = if refusal == Refusal::Missing { accepts.empty } else { accepts.other };
    if is_accepted { Ok(()) } else { Err(refusal) }
}

impl Refusal {
    fn describe(self, data_dir: &Path, address: &Address) -> OpenError {
        let (dir, database) = (data_dir.to_owned(), address.to_string());
        match self {
            Self::Missing => OpenError::MissingDatabase { dir, database },
            Self::Foreign => OpenError::ForeignDatabase { dir, database },
            Self::Older => OpenError::OlderDatabase { dir, database },
        }
    }
}

/// The identity of an open store, and the file that follows it.
pub(crate) struct Mark {
    file: PathBuf,
    opened: Option<File>,
    identity: Identity,
    clock: Clock,
    /// When the generation grows next, by the running clock.
    due_at: Duration,
    /// Whether anything was committed since.
    is_behind: bool,
    /// What is in the file.
    in_file: Option<Identity>,
}

impl Mark {
    /// Compares a database with what the data directory remembers, and announces the store there if it is new. Blocks on the disk.
    ///
    /// # Errors
    /// The database is missing, older or foreign, and not accepted as it is.
    pub(crate) fn admit(
        (connection, address): (&Connection, &Address),
        (data_dir, has_key): (&Path, bool),
        accepts: Accepts,
        clock: Clock,
        failed: impl FnOnce(StoreError) -> OpenError,
    ) -> Result<Self, OpenError> {
        let (remembered, found) = (remembered(data_dir)?, in_database(connection).map_err(failed)?);
        judge(remembered.as_ref(), found.as_ref(), has_key, accepts)
            .map_err(|refusal| refusal.describe(data_dir, address))?;
        let announced = remembered.filter(|known| known.generation == 0);
        let identity = match found.or(announced) {
            Some(identity) => identity,
            None => Identity::new()?,
        };
        let mut mark = Self {
            file: data_dir.join(STORE_MARK),
            opened: None,
            identity,
            due_at: clock.running().saturating_add(ADVANCE_EVERY),
            clock,
            is_behind: true,
            in_file: remembered,
        };
        // Before anything of the store is made: a start that is killed in between begins again.
        if found.is_none() && announced.is_none() {
            mark.write_file()
                .map_err(|source| OpenError::NotWritable { dir: data_dir.to_owned(), source })?;
        }
        Ok(mark)
    }

    /// Writes the next generation into the database, in a transaction of the caller. It counts once [`Mark::committed`] is called.
    pub(crate) fn advance(&self, connection: &Connection) -> Result<(), StoreError> {
        let next = Identity { generation: self.identity.generation.saturating_add(1), ..self.identity };
        connection.run(SAVE, params![FACT, next.fact()])
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
            self.identity.generation = self.identity.generation.saturating_add(1);
            self.due_at = self.clock.running().saturating_add(ADVANCE_EVERY);
        }
        self.is_behind = !has_advanced;
        self.identity.event = event.unwrap_or_default().max(self.identity.event);
        self.follow();
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
        self.opened = Some(OpenOptions::new().write(true).open(&self.file)?);
        self.follow();
        self.sync()
    }

    /// Syncs the file.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.opened.as_ref().map_or(Ok(()), File::sync_data)
    }

    /// Beside the file first, then in its place, and on the disk.
    fn write_file(&mut self) -> io::Result<()> {
        let fresh = self.file.with_extension("json.new");
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        made.write_all(self.identity.text().as_bytes())?;
        if let Some(folder) = self.file.parent() {
            give_to_owner(&made, folder)?;
            made.sync_all()?;
            fs::rename(&fresh, &self.file)?;
            File::open(folder)?.sync_all()?;
        }
        (self.opened, self.in_file) = (Some(made), Some(self.identity));
        Ok(())
    }
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
        let (clock, identity) = (Clock::system(), Identity { id: [7; 16], generation: 1, event: 0 });
        let (file, due_at) = (PathBuf::new(), Duration::MAX);
        Self { file, opened: None, identity, clock, due_at, is_behind: false, in_file: Some(identity) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn identity(id: u8, generation: i64, event: i64) -> Identity {
        Identity { id: [id; 16], generation, event }
    }

    #[test]
    fn a_file_of_fixed_width_is_read_as_it_was_written() {
        for known in [identity(1, 0, 0), identity(0xab, i64::MAX, 1_900_000_000_000_000)] {
            assert_eq!(Identity::parse(&known.text()), Some(known));
            assert_eq!(known.text().len(), identity(2, 1, 1).text().len());
        }
        let whole = identity(1, 2, 3).text();
        for damaged in
            ["", "{}", "null", &whole[..40], &whole.replace("002", "0-2"), &whole.replace("01", "0x")]
        {
            assert_eq!(Identity::parse(damaged), None, "{damaged}");
        }
    }

    #[test]
    fn each_pair_of_directory_and_database_is_judged() {
        use Refusal::{Foreign, Missing, Older};
        let (announced, known) = (identity(1, 0, 0), identity(1, 5, 70));
        let later = [identity(1, 5, 70), identity(1, 6, 70), identity(1, 5, 71), identity(1, 9, 90)];
        let earlier = [identity(1, 4, 70), identity(1, 5, 69), identity(1, 4, 99), identity(1, 9, 69)];
        let strict = |known: Option<&Identity>, found: Option<&Identity>, has_key| {
            judge(known, found, has_key, Accepts::default())
        };
        assert_eq!(strict(None, None, false), Ok(()), "a new directory");
        assert_eq!(strict(None, None, true), Err(Missing), "the key shows that there was a database");
        assert_eq!(strict(Some(&announced), None, true), Ok(()), "a first start that was killed");
        assert_eq!(strict(Some(&known), None, false), Err(Missing));
        for found in later {
            assert_eq!(strict(Some(&known), Some(&found), true), Ok(()), "{found:?}");
            assert_eq!(strict(None, Some(&found), true), Ok(()), "another machine joins");
        }
        for found in earlier {
            assert_eq!(strict(Some(&known), Some(&found), true), Err(Older), "{found:?}");
        }
        let foreign = identity(2, 9, 90);
        assert_eq!(strict(Some(&known), Some(&foreign), true), Err(Foreign));
        assert_eq!(strict(Some(&announced), Some(&foreign), true), Ok(()));
        for (empty, other) in [(true, false), (false, true)] {
            let accepts = Accepts { empty, other };
            assert_eq!(judge(Some(&known), None, true, accepts).is_ok(), empty);
            assert_eq!(judge(None, None, true, accepts).is_ok(), empty);
            assert_eq!(judge(Some(&known), Some(&foreign), true, accepts).is_ok(), other);
            assert_eq!(judge(Some(&known), Some(&earlier[0]), true, accepts).is_ok(), other);
        }
    }
}
