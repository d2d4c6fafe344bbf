//! Opening a store, step by step, on a thread that may block.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};

use domain::Timestamp;
use tokio_postgres::Config;

use crate::conversations::index::ConversationIndex;
use crate::database::postgres::Use;
use crate::database::{Address, Connection, Postgres, sqlite};
use crate::directory::DirectoryLock;
use crate::disk::{Disk, Space};
use crate::error::MasterKeyError;
use crate::events::EventLog;
use crate::group::WriteConnection;
use crate::identity::{DatabaseFile, Mark};
use crate::lease::{Lease, Term};
use crate::outbox::callers;
use crate::reader::Readers;
use crate::stats::Location;
use crate::unreadable::LastUnreadable;
use crate::vault::Vault;
use crate::write::Durability;
use crate::writer::Writer;
use crate::{
    Accepts, Inner, OpenError, StoreError, StoreOptions, callbacks, copying, directory, fences, identity,
    key_rotation, migrations,
};

/// Enough for interactive reads beside one long one.
const READERS: usize = 2;
/// A field sealed with the master key, to know it again.
pub(crate) const KEY_CHECK: &str = "master key check";
/// The same with the key that is to take its place, while a rotation is under way.
pub(crate) const NEXT_KEY_CHECK: &str = "next master key check";
pub(crate) const KEY_CHECK_TEXT: &[u8] = b"switchboard";

pub(crate) fn open(options: StoreOptions, accepts: Accepts, disk: Disk) -> Result<Inner, OpenError> {
    let StoreOptions { data_dir, url, clock, master_key } = options;
    let address = Address::parse(&url, &data_dir)?;
    let mut lock = directory::lock(&data_dir)?;
    directory::whole(&data_dir)?;
    fences::check_before_it_is_made(&address, &data_dir)?;
    let has_traces = identity::has_traces(&data_dir, &master_key)?;
    identity::check_before_it_is_made(&address, &data_dir, has_traces, accepts)?;
    let (server, Opened { writing, readers, lease, file }) = match &address {
        Address::Sqlite(file) => (None, open_file(file.clone(), &mut lock, clock.now())?),
        Address::Postgres(config) => {
            (Some(config.clone()), open_server(config, (&data_dir, &lock), accepts, clock.now())?)
        }
    };
    let failed = |error: StoreError| match &writing {
        Connection::Sqlite(_) => OpenError::Failed { file: file.clone(), what: error.to_string() },
        Connection::Postgres(connection) => connection.open_error(&error),
    };
    if copying::is_unfinished(&writing).map_err(failed)? {
        return Err(OpenError::HalfCopied);
    }
    fences::check(&writing, &data_dir, failed)?;
    let check = key_check(&writing).map_err(failed)?;
    let known = identity::remembered(&data_dir)?;
    let found = identity::found(&writing, check.is_some(), known.as_ref()).map_err(failed)?;
    let (term, database) = if let Some(lease) = &lease {
        (lease.term(), None)
    } else {
        let term = Arc::new(Term::endless());
        let opened = DatabaseFile::opened(file.clone(), Arc::clone(&term));
        (term, Some(opened.map_err(|source| OpenError::NotWritable { dir: data_dir.clone(), source })?))
    };
    let mut mark = Mark::admit(&address, (found, database), (&data_dir, has_traces), accepts, clock.clone())?;
    let vault = Arc::new(master_key.vault(&data_dir, check.is_some())?);
    if let Some(sealed) = fact(&writing, NEXT_KEY_CHECK).map_err(failed)?
        && vault.open("store_facts", NEXT_KEY_CHECK, &sealed).is_err()
    {
        return Err(MasterKeyError::NextMissing { file: master_key.next_file(&data_dir) }.into());
    }
    if let Some(sealed) = &check
        && !is_ours(&vault, sealed)
    {
        return Err(MasterKeyError::Wrong { file: master_key.file(&data_dir) }.into());
    }
    let begin = |writing: &Connection| {
        callers::all_left(writing)?;
        if check.is_none() {
            save_key_check(writing, &vault)?;
        }
        mark.advance(writing)
    };
    let has_advanced = match at_once(&writing, begin) {
        // Outcomes are still to be shown and written.
        Err(StoreError::StorageFull) if check.is_some() => {
            at_once(&writing, callers::all_left).map_err(failed)?;
            false
        }
        written => written.map(|()| true).map_err(failed)?,
    };
    mark.committed(has_advanced, None);
    mark.begin().map_err(|source| OpenError::NotWritable { dir: data_dir.clone(), source })?;
    if master_key.next_file(&data_dir).is_some_and(|next| next.exists()) {
        at_once(&writing, |writing| key_rotation::name_next(writing, &vault)).map_err(failed)?;
    }

    let mut events = EventLog::new(clock.clone());
    let last = events.open(&writing).map_err(failed)?;
    let mut index = ConversationIndex::default();
    index.open(&writing, last).map_err(failed)?;
    let lately = index.lately().clone();
    let newest_event = events.newest();

    let no_thread =
        |error: std::io::Error| OpenError::Failed { file: file.clone(), what: format!("no thread: {error}") };
    let readers = Readers::start(readers).map_err(no_thread)?;
    let space = Space::new(&data_dir, disk.clone(), clock.clone());
    let writing = WriteConnection::new(writing, space, events, index, mark);
    let writer = Writer::start(writing, lock).map_err(no_thread)?;
    let location = Location { dir: data_dir, file, disk };
    Ok(Inner {
        readers,
        writer,
        lease,
        term,
        server,
        vault,
        master_key,
        rotating: tokio::sync::Mutex::default(),
        clock,
        location,
        callbacks_counted: callbacks::Counters::default(),
        newest_event,
        lately,
        unreadable: LastUnreadable::default(),
        retention: RwLock::default(),
        contact_limits: RwLock::default(),
        messages_counted: Mutex::default(),
    })
}

/// Writes in a transaction: on a server, only as long as the lease is held.
fn at_once(
    connection: &Connection,
    write: impl FnOnce(&Connection) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    connection.begin(Durability::Synced)?;
    let written = write(connection).and_then(|()| Ok(connection.commit()?));
    if written.is_err() {
        connection.roll_back();
    }
    written
}

/// The connections of a database that is of this program's time.
struct Opened {
    writing: Connection,
    readers: Vec<Connection>,
    lease: Option<Lease>,
    file: PathBuf,
}

fn open_file(file: PathBuf, lock: &mut DirectoryLock, now: Timestamp) -> Result<Opened, OpenError> {
    sqlite::make(&file)?;
    lock.add_database(&file)?;
    let mut writing = sqlite::writing(&file)?;
    migrations::run(&mut writing, &file, now)?;
    let readers: Result<Vec<_>, _> =
        (0..READERS).map(|_| sqlite::reading(&file).map(Connection::Sqlite)).collect();
    Ok(Opened { writing: Connection::Sqlite(writing), readers: readers?, lease: None, file })
}

fn open_server(
    config: &Config,
    (data_dir, lock): (&Path, &DirectoryLock),
    accepts: Accepts,
    now: Timestamp,
) -> Result<Opened, OpenError> {
    if data_dir.join(directory::RESTORED).exists() {
        return Err(OpenError::HalfRestored { dir: data_dir.to_owned() });
    }
    let connect = |usage| Postgres::connect(config, usage);
    let writing = connect(Use::Writing)?;
    migrations::prepare_server(&writing)?;
    // Before the schema is changed: a program of an earlier version may work on it.
    let lease = match Lease::take(connect(Use::Writing)?, Some(lock)) {
        Err(held @ OpenError::Held { .. }) => {
            // This machine may take over later, from a database that is older than the one of the holder.
            if let Err(what) =
                identity::follow_holder(data_dir, &Connection::Postgres(Box::new(writing)), accepts)
            {
                tracing::warn!(%what, "the identity of the store is not written down while another process holds the store");
            }
            return Err(held);
        }
        taken => taken?,
    };
    let writing = writing.under(lease.epoch);
    migrations::run_on_server(&writing, now)?;
    let writing = Connection::Postgres(Box::new(writing));
    let readers: Result<Vec<_>, _> = (0..READERS)
        .map(|_| connect(Use::Reading).map(|reading| Connection::Postgres(Box::new(reading))))
        .collect();
    let file = data_dir.join("switchboard.db");
    Ok(Opened { writing, readers: readers?, lease: Some(lease), file })
}

/// Whether the key of a vault is the one that this field was sealed with.
pub(crate) fn is_ours(vault: &Vault, sealed: &[u8]) -> bool {
    vault.open("store_facts", KEY_CHECK, sealed).as_deref() == Ok(KEY_CHECK_TEXT)
}

pub(crate) fn key_check(connection: &Connection) -> Result<Option<Vec<u8>>, StoreError> {
    fact(connection, KEY_CHECK)
}

fn fact(connection: &Connection, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    connection.first("SELECT value FROM store_facts WHERE name = $1", [name], |row| row.get(0))
}

fn save_key_check(connection: &Connection, vault: &Vault) -> Result<(), StoreError> {
    let sealed = vault
        .seal("store_facts", KEY_CHECK, KEY_CHECK_TEXT)
        .map_err(|error| StoreError::Unavailable(error.to_string()))?;
    connection
        .execute("INSERT INTO store_facts (name, value) VALUES ($1, $2)", (KEY_CHECK, sealed))
        .map(|_| ())
}
