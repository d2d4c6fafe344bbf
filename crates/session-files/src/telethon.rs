//! Telethon's `.session` files, versions 1 to 8.

use domain::secret::ExposeSecret;
use domain::{AccessHash, ChatId, ChatKind, UserId};
use rusqlite::{Transaction, params};

use crate::session::{ChannelState, Found, Key, Kind, Peer, PeerKind, Session, UpdateState};
use crate::sqlite::{Database, Fields};
use crate::unreadable::{Unreadable, Unwritable};

/// The newest version that is read: Telethon 1.45 writes it.
const NEWEST: u32 = 8;

/// Before this version access hashes could be wrong, and Telethon throws them away.
const FIRST_WITH_GOOD_HASHES: u32 = 6;

/// The entity and the update state with this id are the account itself.
const OWN: i64 = 0;

/// Version 7: the oldest that holds a session with its peers, opened by Telethon 1.2x to 1.40. Newer ones bring the file up
/// to date themselves; an older Telethon cannot read a newer file.
const SCHEMA: &str = "
    CREATE TABLE version (version integer primary key);
    CREATE TABLE sessions (
        dc_id integer primary key, server_address text, port integer, auth_key blob, takeout_id integer
    );
    CREATE TABLE entities (
        id integer primary key, hash integer not null, username text, phone integer, name text, date integer
    );
    CREATE TABLE sent_files (
        md5_digest blob, file_size integer, type integer, id integer, hash integer,
        primary key (md5_digest, file_size, type)
    );
    CREATE TABLE update_state (
        id integer primary key, pts integer, qts integer, date integer, seq integer
    );
    INSERT INTO version VALUES (7);";

pub(crate) fn read(database: &Database<'_>) -> Result<Found, Unreadable> {
    let kind = Kind::TelethonFile;
    let version = database.version("version", kind, NEWEST)?;
    // In practice there is one row; should an old program have left more, the one with a key counts.
    let session = database.first(
        "sessions",
        &["dc_id", "server_address", "port", "auth_key"],
        "ORDER BY length(auth_key) DESC, dc_id",
        |row| {
            Session::at(
                row.integer("dc_id").unwrap_or_default(),
                row.address(),
                Key::from_file(row.bytes("auth_key"))?,
            )
        },
    )?;
    let mut session = session.ok_or(Unreadable::NotSignedIn)?;
    database.each("entities", &["id", "hash", "username", "name"], "ORDER BY id", |row| {
        match row.integer("id") {
            Some(OWN) => session.user_id = row.integer("hash").and_then(UserId::new),
            _ if version >= FIRST_WITH_GOOD_HASHES => session.peers.extend(peer(row)),
            _ => {}
        }
        Ok(())
    })?;
    database.each("update_state", &["id", "pts", "qts", "date", "seq"], "ORDER BY id", |row| {
        match row.integer("id") {
            Some(OWN) => session.update_state = Some(row.update_state()),
            Some(id) => session
                .channel_states
                .extend(channel(id).map(|id| ChannelState { id, pts: row.count("pts") })),
            None => {}
        }
        Ok(())
    })?;
    Ok(Found { kind, version: Some(version), session })
}

fn peer(row: Fields<'_>) -> Option<Peer> {
    let id = row.integer("id").and_then(ChatId::new)?;
    let access_hash = row.access_hash("hash", id);
    let (username, name) = (row.text("username"), row.text("name"));
    Some(Peer { id, access_hash, kind: PeerKind::of(id), username, name })
}

/// A channel as Telethon numbers it where only channels are: without the mark, or with it.
fn channel(id: i64) -> Option<ChatId> {
    ChatId::channel(id).or_else(|| ChatId::new(id).filter(|id| id.kind() == ChatKind::Channel))
}

pub(crate) fn fill(to: &Transaction<'_>, session: &Session) -> Result<(), Unwritable> {
    let address = session.reachable_at().ok_or(Unwritable::NoAddress(session.dc_id))?;
    to.execute_batch(SCHEMA)?;
    to.execute(
        "INSERT INTO sessions (dc_id, server_address, port, auth_key) VALUES (?1, ?2, ?3, ?4)",
        params![
            session.dc_id,
            address.ip().to_string(),
            address.port(),
            session.key.expose_secret().as_slice()
        ],
    )?;
    let mut entity =
        to.prepare("INSERT OR REPLACE INTO entities (id, hash, username, name) VALUES (?1, ?2, ?3, ?4)")?;
    for peer in &session.peers {
        let AccessHash(hash) = match (peer.access_hash, peer.kind) {
            (Some(hash), _) => hash,
            (None, PeerKind::Group) => AccessHash::NONE,
            // Telethon would send a wrong hash rather than ask for the right one.
            (None, _) => continue,
        };
        let username = peer.username.as_ref().map(|name| name.to_lowercase());
        entity.execute(params![peer.id.get(), hash, username, peer.name])?;
    }
    if let Some(user_id) = session.user_id {
        entity.execute(params![OWN, user_id.get(), None::<String>, None::<String>])?;
    }
    let mut state = to.prepare("INSERT OR REPLACE INTO update_state VALUES (?1, ?2, ?3, ?4, ?5)")?;
    if let Some(UpdateState { pts, qts, date, seq }) = session.update_state {
        state.execute(params![OWN, pts, qts, date, seq])?;
    }
    let date = session.update_state.map_or(0, |state| state.date);
    for channel in &session.channel_states {
        state.execute(params![channel.id.bare(), channel.pts, 0, date, 0])?;
    }
    Ok(())
}
