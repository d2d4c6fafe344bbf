//! The identity of a store: an id, a kind and how far the store has come, in the database and in the data directory.
//!
//! A start compares both. It refuses a database that is missing, that belongs to another store, that is an older copy, or a copy
//! that was started by itself: an idempotency key that such a database has forgotten would be sent again. It also refuses a store
//! of the other kind: a demo would send real messages to pretended customers. The database is written first and the data directory
//! afterwards, so after a crash the database is never behind.

mod mark;
mod starts;

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ambient::regular_file;
use serde::{Deserialize, Serialize};

use crate::column::Columns;
use crate::database::{self, Address, Connection};
use crate::error::DamagedFile;
use crate::statement::statements;
use crate::{MasterKey, OpenError, StoreError, events, fences, inspect};

pub(crate) use mark::{DatabaseFile, Mark};
use starts::{NO_WORD, Starts, Word};

/// The file in the data directory.
pub const STORE_MARK: &str = "store.json";

/// The largest file that is read, in bytes.
const LARGEST: u64 = 4096;
/// The fact in the database: the id (16 bytes), the generation (8 bytes) and the kind (1 byte); of a fork also the id of the store
/// that it was forked from (16 bytes).
const FACT: &str = "store identity";

statements! {
    READ = "SELECT value FROM store_facts WHERE name = $1";
    SAVE = "
        INSERT INTO store_facts (name, value) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value";
}

/// What a start expects of its database, and what it accepts all the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Accepts {
    /// An empty database in place of the one that is missing.
    pub empty: bool,
    /// An older copy, or the database of another store.
    pub other: bool,
    /// The kind that the store must have. None accepts both, and makes a real store.
    pub kind: Option<StoreKind>,
}

/// Whether real customers are behind a store. An identity of an earlier version has no kind and counts as real.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// Real customers.
    Real,
    /// Pretended customers.
    Demo,
}

/// A store and how far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    id: [u8; 16],
    kind: StoreKind,
    /// The id of the store that this one was forked from. Only the database has it.
    parent: Option<[u8; 16]>,
    /// Grows with each start and stop, and while the store is written to. 0: announced, not in the database yet.
    generation: i64,
    /// The id of the newest event.
    event: i64,
    /// The word of the newest start. In the database it is in a fact of its own.
    word: Word,
}

/// The same in the file. The numbers have a fixed width, so that the file is overwritten in place.
#[derive(Serialize, Deserialize)]
struct Written {
    store: String,
    kind: Option<String>,
    generation: String,
    event: String,
    word: Option<String>,
}

/// What a database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// There is no file, or no store was ever begun in it.
    Empty,
    /// The store of a version without identities.
    Unnamed,
    Store(Identity),
    /// A copy of the store that the data directory remembers, made before the remembered moment and started by itself.
    Diverged(Identity),
}

/// Why a database is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    Missing,
    Foreign,
    /// An older copy, or one that was started by itself.
    Older,
    /// The data directory remembers no store, so the database may be an older copy.
    Unknown,
    /// The store is not of this kind.
    OtherKind(StoreKind),
}

impl StoreKind {
    /// All words have the same length.
    const fn word(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::Demo => "demo",
        }
    }

    const fn byte(self) -> u8 {
        match self {
            Self::Real => 0,
            Self::Demo => 1,
        }
    }

    fn find(is_it: impl Fn(Self) -> bool) -> Option<Self> {
        [Self::Real, Self::Demo].into_iter().find(|kind| is_it(*kind))
    }
}

impl Identity {
    fn new(kind: StoreKind) -> Result<Self, OpenError> {
        Ok(Self { id: random()?, kind, parent: None, generation: 0, event: 0, word: NO_WORD })
    }

    /// The same store under a new id.
    fn forked(self) -> Result<Self, OpenError> {
        Ok(Self { id: random()?, parent: Some(self.id), ..self })
    }

    fn parse(text: &str) -> Option<Self> {
        let written: Written = serde_json::from_str(text).ok()?;
        let mut id = [0; 16];
        hex::decode_to_slice(written.store, &mut id).ok()?;
        let kind = match written.kind {
            Some(word) => StoreKind::find(|kind| kind.word() == word)?,
            None => StoreKind::Real,
        };
        let number = |digits: &str| digits.parse().ok().filter(|number| *number >= 0);
        let (generation, event) = (number(&written.generation)?, number(&written.event)?);
        let mut word = NO_WORD;
        if let Some(written) = written.word {
            hex::decode_to_slice(written, &mut word).ok()?;
        }
        Some(Self { id, kind, parent: None, generation, event, word })
    }

    fn text(&self) -> String {
        let Self { id, kind, generation, event, word, .. } = self;
        let (id, kind, word) = (hex::encode(id), kind.word(), hex::encode(word));
        format!(
            "{{\"store\":\"{id}\",\"kind\":\"{kind}\",\"generation\":\"{generation:019}\",\"event\":\"{event:019}\",\
             \"word\":\"{word}\"}}\n"
        )
    }

    fn from_fact(fact: &[u8]) -> Option<Self> {
        let (id, rest) = fact.split_first_chunk()?;
        let (generation, rest) = rest.split_first_chunk()?;
        let (kind, parent) = match rest {
            [] => (StoreKind::Real, None),
            [byte, parent @ ..] => {
                let kind = StoreKind::find(|kind| kind.byte() == *byte)?;
                (kind, if parent.is_empty() { None } else { Some(parent.try_into().ok()?) })
            }
        };
        let generation = i64::from_be_bytes(*generation).max(1);
        Some(Self { id: *id, kind, parent, generation, event: 0, word: NO_WORD })
    }

    fn fact(&self) -> Vec<u8> {
        let parent = self.parent.as_ref().map_or(&[][..], |parent| parent);
        [&self.id[..], &self.generation.to_be_bytes(), &[self.kind.byte()], parent].concat()
    }

    /// Whether this is an earlier moment of the same store.
    const fn is_before(&self, other: &Self) -> bool {
        self.generation < other.generation || self.event < other.event
    }
}

fn random<const BYTES: usize>() -> Result<[u8; BYTES], OpenError> {
    let mut random = [0; BYTES];
    getrandom::fill(&mut random)
        .map_err(|error| crate::MasterKeyError::NoRandomness { what: error.to_string() })?;
    Ok(random)
}

/// The identity that the data directory remembers. Blocks on the disk.
pub(crate) fn remembered(data_dir: &Path) -> Result<Option<Identity>, OpenError> {
    let file = data_dir.join(STORE_MARK);
    let mut text = String::new();
    match regular_file::open(&file).and_then(|opened| opened.take(LARGEST).read_to_string(&mut text)) {
        // A link that leads nowhere is not taken for a missing file.
        Err(error) if error.kind() == io::ErrorKind::NotFound && file.symlink_metadata().is_err() => {
            return Ok(None);
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Err(OpenError::NotWritable { dir: data_dir.to_owned(), source: error });
        }
        // What was read of it is no identity.
        _ => {}
    }
    Identity::parse(&text).map(Some).ok_or_else(|| {
        DamagedFile {
            file,
            what: "it is no identity of a store".to_owned(),
            advice: "if the database is the newest there is, remove this file and start once with `switchboard up \
                --accept-database`",
        }
        .into()
    })
}

/// What is in a database, for a data directory that knows this identity; `is_used` says that a store was begun in it.
pub(crate) fn found(
    connection: &Connection,
    is_used: bool,
    known: Option<&Identity>,
) -> Result<Found, StoreError> {
    let fact = connection.first(READ, [FACT], |row| Columns::new(row, "store_facts").get::<Vec<u8>>(0))?;
    let Some(fact) = fact else {
        return Ok(if is_used { Found::Unnamed } else { Found::Empty });
    };
    let identity = Identity::from_fact(&fact)
        .ok_or_else(|| StoreError::corrupt("store_facts", "value", FACT, "it is no identity of a store"))?;
    let event = events::newest(connection)?.max(0);
    // Read last: another process may start meanwhile, and an event of its start must not count for the start before.
    let starts = Starts::read(connection)?;
    let identity = Identity { event, word: starts.word(), ..identity };
    let is_same = |known: &&Identity| known.id == identity.id;
    Ok(match known.filter(is_same) {
        Some(known) if !starts.include(known) => Found::Diverged(identity),
        _ => Found::Store(identity),
    })
}

/// Lets a data directory remember the store of a database that a command has put there, unless it remembers one.
pub(crate) fn remember(data_dir: &Path, connection: &Connection) -> Result<(), OpenError> {
    let failed = |what: String| OpenError::Failed { file: data_dir.join(STORE_MARK), what };
    let found = found(connection, true, None).map_err(|error| failed(error.to_string()))?;
    let Found::Store(identity) = found else { return Ok(()) };
    if remembered(data_dir)?.is_none() {
        mark::write(&data_dir.join(STORE_MARK), &identity).map_err(|error| failed(error.to_string()))?;
    }
    Ok(())
}

/// Lets the data directory of a program that waits for the lease remember how far the holder's store has come. What a start would
/// refuse changes nothing. Blocks on the disk.
pub(crate) fn follow_holder(
    data_dir: &Path,
    connection: &Connection,
    accepts: Accepts,
) -> Result<(), String> {
    let known = remembered(data_dir).map_err(|error| error.to_string())?;
    let found = found(connection, true, known.as_ref()).map_err(|error| error.to_string())?;
    let is_admitted = judge(known.as_ref(), &found, (false, true), accepts) == Ok(None);
    match found {
        Found::Store(identity) if is_admitted => {
            mark::follow(&data_dir.join(STORE_MARK), known.as_ref(), &identity)
                .map_err(|error| error.to_string())
        }
        _ => Ok(()),
    }
}

/// Lets a data directory remember the store of a database file that a command has put there, unless it remembers one. The caller
/// has the lock of the directory. Blocks on the disk.
///
/// # Errors
/// The database cannot be read, or the data directory cannot be written.
pub fn remember_database(data_dir: &Path, database: &Path) -> Result<(), OpenError> {
    let failed = |error| database::sqlite::failed(database, &error);
    let connection = inspect::open(database, !has_bytes(&log_of(database))).map_err(failed)?;
    remember(data_dir, &Connection::Sqlite(connection))
}

/// The kind of the store that a data directory remembers. Blocks on the disk.
///
/// # Errors
/// `store.json` cannot be read.
pub fn kind_of(data_dir: &Path) -> Result<Option<StoreKind>, OpenError> {
    Ok(remembered(data_dir)?.map(|known| known.kind))
}

/// Refuses a data directory that remembers a store of another kind. Blocks on the disk.
///
/// # Errors
/// [`OpenError::OtherKind`]; or `store.json` cannot be read.
pub fn check_kind(data_dir: &Path, kind: StoreKind) -> Result<(), OpenError> {
    match kind_of(data_dir)? {
        Some(known) if known != kind => {
            Err(OpenError::OtherKind { dir: data_dir.to_owned(), expected: kind })
        }
        _ => Ok(()),
    }
}

/// Refuses a store of another kind, and to make a database file where the data directory shows that it had one. SQLite has not
/// touched the file yet: it removes the log of an empty one. Blocks on the disk.
pub(crate) fn check_before_it_is_made(
    address: &Address,
    data_dir: &Path,
    has_traces: bool,
    accepts: Accepts,
) -> Result<(), OpenError> {
    if let Some(kind) = accepts.kind {
        check_kind(data_dir, kind)?;
    }
    let Address::Sqlite(file) = address else { return Ok(()) };
    if has_bytes(file) {
        return Ok(());
    }
    let has_traces = has_traces || has_bytes(&log_of(file));
    let judged = judge(remembered(data_dir)?.as_ref(), &Found::Empty, (has_traces, false), accepts);
    judged.map(drop).map_err(|refusal| refusal.describe(data_dir, address))
}

/// Whether a data directory had a store, by what only a store leaves there. Blocks on the disk.
pub(crate) fn has_traces(data_dir: &Path, master_key: &MasterKey) -> Result<bool, OpenError> {
    let is_there = |name: &str| data_dir.join(name).exists();
    let has_backups = || {
        let entries = fs::read_dir(data_dir.join("backups"));
        let mut names = entries.into_iter().flatten().flatten().map(|entry| entry.file_name());
        names.any(|name| name.to_string_lossy().contains(".tar.gz"))
    };
    Ok(master_key.file(data_dir).is_some_and(|key| key.exists())
        || is_there("health.db")
        || has_backups()
        || fences::remembered_fence(data_dir)?.is_some())
}

fn has_bytes(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|found| found.len() > 0)
}

fn log_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// Compares what the data directory remembers with what was found. Returns the refusal that was accepted.
fn judge(
    remembered: Option<&Identity>,
    found: &Found,
    (has_traces, is_on_server): (bool, bool),
    accepts: Accepts,
) -> Result<Option<Refusal>, Refusal> {
    let of_database = match found {
        Found::Empty => None,
        Found::Unnamed => Some(StoreKind::Real),
        Found::Store(found) | Found::Diverged(found) => Some(found.kind),
    };
    let mut kinds = remembered.map(|known| known.kind).into_iter().chain(of_database);
    if let Some(expected) = accepts.kind
        && kinds.any(|kind| kind != expected)
    {
        return Err(Refusal::OtherKind(expected));
    }
    // One that was only announced is in no database yet.
    let refusal = match (remembered.filter(|known| known.generation > 0), found) {
        (Some(_), Found::Empty) => Refusal::Missing,
        (None, Found::Empty) if has_traces && remembered.is_none() => Refusal::Missing,
        (Some(_), Found::Unnamed | Found::Diverged(_)) => Refusal::Older,
        // Another machine has accepted an older database for all of them.
        (Some(known), Found::Store(found)) if is_on_server && found.parent == Some(known.id) => {
            return Ok(None);
        }
        (Some(known), Found::Store(found)) if known.id != found.id => Refusal::Foreign,
        (Some(known), Found::Store(found)) if found.is_before(known) => Refusal::Older,
        (None, Found::Empty | Found::Unnamed) | (Some(_), Found::Store(_)) => return Ok(None),
        // Another machine joins.
        (None, Found::Store(_)) if is_on_server => return Ok(None),
        // A first start that was killed.
        (None, Found::Store(found)) if remembered.is_some_and(|announced| announced.id == found.id) => {
            return Ok(None);
        }
        (None, Found::Store(_) | Found::Diverged(_)) => Refusal::Unknown,
    };
    let is_accepted = if refusal == Refusal::Missing { accepts.empty } else { accepts.other };
    if is_accepted { Ok(Some(refusal)) } else { Err(refusal) }
}

impl Refusal {
    fn describe(self, data_dir: &Path, address: &Address) -> OpenError {
        let (dir, database) = (data_dir.to_owned(), address.to_string());
        match self {
            Self::Missing => OpenError::MissingDatabase { dir, database },
            Self::Foreign => OpenError::ForeignDatabase { dir, database },
            Self::Older => OpenError::OlderDatabase { dir, database },
            Self::Unknown => OpenError::UnknownDatabase { dir, database },
            Self::OtherKind(expected) => OpenError::OtherKind { dir, expected },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) const fn identity(id: u8, generation: i64, event: i64) -> Identity {
        Identity { id: [id; 16], kind: StoreKind::Real, parent: None, generation, event, word: NO_WORD }
    }

    const fn demo(of: Identity) -> Identity {
        Identity { kind: StoreKind::Demo, ..of }
    }

    #[test]
    fn a_file_of_fixed_width_is_read_as_it_was_written() {
        let begun = Identity { word: [0xcd; 8], ..identity(0xab, i64::MAX, 1_900_000_000_000_000) };
        for known in [identity(1, 0, 0), demo(begun)] {
            assert_eq!(Identity::parse(&known.text()), Some(known));
            assert_eq!(known.text().len(), identity(2, 1, 1).text().len());
        }
        let whole = identity(1, 2, 3).text();
        let without_kind = whole.replace("\"kind\":\"real\",", "");
        assert_eq!(Identity::parse(&without_kind), Some(identity(1, 2, 3)), "of an earlier version");
        let without_word = whole.replace(",\"word\":\"0000000000000000\"", "");
        assert!(without_word.len() < whole.len());
        assert_eq!(Identity::parse(&without_word), Some(identity(1, 2, 3)), "of an earlier version");
        for damaged in [
            "",
            "{}",
            "null",
            &whole[..40],
            &whole.replace("002", "0-2"),
            &whole.replace("01", "0x"),
            &whole.replace("real", "reel"),
        ] {
            assert_eq!(Identity::parse(damaged), None, "{damaged}");
        }
    }

    #[test]
    fn a_fact_is_read_as_it_was_written() {
        let fork = Identity { parent: Some([9; 16]), ..demo(identity(1, 2, 0)) };
        for known in [identity(1, 2, 0), demo(identity(3, i64::MAX, 0)), fork] {
            assert_eq!(Identity::from_fact(&known.fact()), Some(known));
        }
        let whole = fork.fact();
        assert_eq!(Identity::from_fact(&whole[..24]), Some(identity(1, 2, 0)), "of an earlier version");
        for damaged in [&whole[..23], &whole[..40], &[whole.as_slice(), &[0]].concat(), &[2; 25]] {
            assert_eq!(Identity::from_fact(damaged), None, "{damaged:?}");
        }
    }

    /// What a start says that accepts nothing.
    fn strict(known: Option<&Identity>, found: Found, traces: bool, server: bool) -> Result<(), Refusal> {
        judge(known, &found, (traces, server), Accepts::default()).map(drop)
    }

    #[test]
    fn each_pair_of_directory_and_database_is_judged() {
        use Found::{Empty, Unnamed};
        use Refusal::{Foreign, Missing, Older, Unknown};
        let (announced, known) = (identity(1, 0, 0), identity(1, 5, 70));
        let later = [identity(1, 5, 70), identity(1, 6, 70), identity(1, 5, 71), identity(1, 9, 90)];
        let earlier = [identity(1, 4, 70), identity(1, 5, 69), identity(1, 4, 99), identity(1, 9, 69)];
        let foreign = Found::Store(identity(2, 9, 90));
        for server in [false, true] {
            assert_eq!(strict(None, Empty, false, server), Ok(()), "a new directory");
            assert_eq!(
                strict(None, Empty, true, server),
                Err(Missing),
                "traces show that there was a database"
            );
            assert_eq!(
                strict(Some(&announced), Empty, true, server),
                Ok(()),
                "a first start that was killed"
            );
            assert_eq!(strict(Some(&known), Empty, false, server), Err(Missing));
            assert_eq!(
                strict(None, Unnamed, true, server),
                Ok(()),
                "an update from a version without identities"
            );
            assert_eq!(
                strict(Some(&known), Unnamed, true, server),
                Err(Older),
                "a copy from before the update"
            );
            for found in later {
                assert_eq!(strict(Some(&known), Found::Store(found), true, server), Ok(()), "{found:?}");
            }
            for found in earlier {
                assert_eq!(strict(Some(&known), Found::Store(found), true, server), Err(Older), "{found:?}");
            }
            let diverged = Found::Diverged(identity(1, 9, 90));
            assert_eq!(strict(Some(&known), diverged, true, server), Err(Older), "a copy went on by itself");
            assert_eq!(strict(Some(&known), foreign, true, server), Err(Foreign));
            let own = Found::Store(identity(1, 1, 0));
            assert_eq!(
                strict(Some(&announced), own, true, server),
                Ok(()),
                "a first start that was killed later"
            );
        }
        assert_eq!(strict(None, foreign, true, true), Ok(()), "another machine joins");
        assert_eq!(strict(Some(&announced), foreign, true, true), Ok(()));
        assert_eq!(strict(None, foreign, true, false), Err(Unknown), "a file that someone put there");
        assert_eq!(strict(Some(&announced), foreign, true, false), Err(Unknown));
        let fork = Found::Store(Identity { parent: Some([1; 16]), ..identity(2, 1, 1) });
        assert_eq!(strict(Some(&known), fork, true, true), Ok(()), "another machine accepted it for all");
        assert_eq!(strict(Some(&known), fork, true, false), Err(Foreign));
        let older = Found::Store(earlier[0]);
        for (known, found) in [(Some(&known), foreign), (Some(&known), older), (None, foreign)] {
            for (empty, other) in [(true, false), (false, true)] {
                let accepts = Accepts { empty, other, kind: None };
                let is_accepted = |known, found| judge(known, &found, (true, false), accepts).is_ok();
                assert_eq!(is_accepted(known, found), other);
                assert_eq!(is_accepted(known, Empty), empty);
            }
        }
    }

    #[test]
    fn a_store_of_the_other_kind_is_refused_whatever_is_accepted() {
        let (real, own) = (identity(1, 5, 70), Found::Store(identity(1, 5, 70)));
        let pretended = Found::Store(demo(real));
        for (empty, other) in [(false, false), (true, true)] {
            let judged = |kind, known: Option<&Identity>, found| {
                judge(known, &found, (true, true), Accepts { empty, other, kind: Some(kind) }).is_ok()
            };
            for (known, found) in
                [(Some(&real), own), (None, own), (None, Found::Unnamed), (Some(&real), pretended)]
            {
                assert!(!judged(StoreKind::Demo, known, found), "{known:?} {found:?}");
            }
            for (known, found) in
                [(Some(&demo(real)), pretended), (None, pretended), (Some(&demo(real)), Found::Empty)]
            {
                assert!(!judged(StoreKind::Real, known, found), "{known:?} {found:?}");
            }
            assert!(
                judged(StoreKind::Real, Some(&real), own)
                    && judged(StoreKind::Demo, Some(&demo(real)), pretended)
            );
        }
        assert!(
            judge(Some(&demo(real)), &pretended, (true, false), Accepts::default()).is_ok(),
            "a command that sends nothing"
        );
    }
}
