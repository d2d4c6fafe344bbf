//! Pyrogram's `.session` files, and Kurigram's, which go on from them: versions 1 to 7.

use std::collections::HashMap;

use domain::secret::ExposeSecret;
use domain::{AccessHash, ChatId, ChatKind, UserId};
use rusqlite::{Transaction, params};

use crate::session::{ChannelState, Found, Key, Kind, Peer, PeerKind, Session, UpdateState};
use crate::sqlite::{Database, Fields};
use crate::unreadable::{Unreadable, Unwritable};

/// The version that Kurigram 2.2 writes.
const NEWEST: u32 = 7;

/// Pyrogram never got further than this.
const NEWEST_OF_PYROGRAM: u32 = 3;

/// Before this version access hashes could be wrong, and Pyrogram throws them away.
const FIRST_WITH_GOOD_HASHES: u32 = 2;

/// The update state with this id is the account's.
const OWN: i64 = 0;

const SCHEMA: &str = "
    CREATE TABLE sessions (
        dc_id INTEGER PRIMARY KEY, server_address TEXT, port INTEGER, api_id INTEGER, test_mode INTEGER,
        auth_key BLOB, date INTEGER NOT NULL, user_id INTEGER, is_bot INTEGER
    );
    CREATE TABLE peers (
        id INTEGER PRIMARY KEY, access_hash INTEGER, type INTEGER NOT NULL, phone_number TEXT,
        last_update_on INTEGER NOT NULL DEFAULT (CAST(STRFTIME('%s', 'now') AS INTEGER))
    );
    CREATE TABLE usernames (id INTEGER, username TEXT, FOREIGN KEY (id) REFERENCES peers(id));
    CREATE TABLE update_state (id INTEGER PRIMARY KEY, pts INTEGER, qts INTEGER, date INTEGER, seq INTEGER);
    CREATE TABLE version (number INTEGER PRIMARY KEY);
    CREATE INDEX idx_peers_id ON peers (id);
    CREATE INDEX idx_peers_phone_number ON peers (phone_number);
    CREATE INDEX idx_usernames_id ON usernames (id);
    CREATE INDEX idx_usernames_username ON usernames (username);
    CREATE TRIGGER trg_peers_last_update_on AFTER UPDATE ON peers
    BEGIN
        UPDATE peers SET last_update_on = CAST(STRFTIME('%s', 'now') AS INTEGER) WHERE id = NEW.id;
    END;
    INSERT INTO version VALUES (7);";

pub(crate) fn read(database: &Database<'_>) -> Result<Found, Unreadable> {
    let version = database.version("number", Kind::KurigramFile, NEWEST)?;
    let kind = if version > NEWEST_OF_PYROGRAM { Kind::KurigramFile } else { Kind::PyrogramFile };
    let session = database.first(
        "sessions",
        &["dc_id", "server_address", "port", "api_id", "test_mode", "auth_key", "user_id", "is_bot"],
        "ORDER BY length(auth_key) DESC, dc_id",
        |row| {
            let key = Key::from_file(row.bytes("auth_key"))?;
            let mut session = Session::at(row.integer("dc_id").unwrap_or_default(), row.address(), key)?;
            session.test_mode |= row.count("test_mode") != 0;
            session.api_id = Some(row.count("api_id")).filter(|id| *id > 0);
            session.user_id = row.integer("user_id").and_then(UserId::new);
            session.is_bot = row.integer("is_bot").map(|bot| bot != 0);
            Ok(session)
        },
    )?;
    let mut session = session.ok_or(Unreadable::NotSignedIn)?;
    let mut usernames = HashMap::new();
    database.each("usernames", &["id", "username"], "ORDER BY rowid", |row| {
        if let (Some(id), Some(username)) = (row.integer("id"), row.text("username")) {
            usernames.entry(id).or_insert(username);
        }
        Ok(())
    })?;
    if version >= FIRST_WITH_GOOD_HASHES {
        database.each("peers", &["id", "access_hash", "type", "username"], "ORDER BY id", |row| {
            session.peers.extend(peer(row, &mut usernames));
            Ok(())
        })?;
    }
    database.each("update_state", &["id", "pts", "qts", "date", "seq"], "ORDER BY id", |row| {
        match row.integer("id") {
            Some(OWN) => session.update_state = Some(row.update_state()),
            id => session.channel_states.extend(
                id.and_then(ChatId::new)
                    .filter(|id| id.kind() == ChatKind::Channel)
                    .map(|id| ChannelState { id, pts: row.count("pts") }),
            ),
        }
        Ok(())
    })?;
    Ok(Found { kind, version: Some(version), session })
}

fn peer(row: Fields<'_>, usernames: &mut HashMap<i64, String>) -> Option<Peer> {
    let id = row.integer("id").and_then(ChatId::new)?;
    let kind = match row.text("type").as_deref() {
        Some("bot") if id.kind() == ChatKind::User => PeerKind::Bot,
        Some("supergroup" | "forum") if id.kind() == ChatKind::Channel => PeerKind::Supergroup,
        Some("channel") if id.kind() == ChatKind::Channel => PeerKind::Channel,
        _ => PeerKind::of(id),
    };
    let access_hash = row.access_hash("access_hash", id);
    let username = row.text("username").or_else(|| usernames.remove(&id.get()));
    Some(Peer { id, access_hash, kind, username, name: None })
}

pub(crate) fn fill(to: &Transaction<'_>, session: &Session) -> Result<(), Unwritable> {
    let address = session.reachable_at().ok_or(Unwritable::NoAddress(session.dc_id))?;
    to.execute_batch(SCHEMA)?;
    to.execute(
        "INSERT INTO sessions VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8)",
        params![
            session.dc_id,
            address.ip().to_string(),
            address.port(),
            session.api_id,
            session.test_mode,
            session.key.expose_secret().as_slice(),
            session.user_id.map(UserId::get),
            session.is_bot,
        ],
    )?;
    let mut peers = to.prepare("INSERT OR REPLACE INTO peers (id, access_hash, type) VALUES (?1, ?2, ?3)")?;
    let mut usernames = to.prepare("INSERT INTO usernames VALUES (?1, ?2)")?;
    for peer in &session.peers {
        let (AccessHash(hash), kind) = match (peer.access_hash, peer.kind) {
            (_, PeerKind::Group) => (AccessHash::NONE, "group"),
            (Some(hash), PeerKind::User) => (hash, "user"),
            (Some(hash), PeerKind::Bot) => (hash, "bot"),
            (Some(hash), PeerKind::Supergroup | PeerKind::SupergroupOrChannel) => (hash, "supergroup"),
            (Some(hash), PeerKind::Channel) => (hash, "channel"),
            // It would send a wrong hash rather than ask for the right one.
            (None, _) => continue,
        };
        peers.execute(params![peer.id.get(), hash, kind])?;
        if let Some(username) = &peer.username {
            usernames.execute(params![peer.id.get(), username.to_lowercase()])?;
        }
    }
    let mut state = to.prepare("INSERT OR REPLACE INTO update_state VALUES (?1, ?2, ?3, ?4, ?5)")?;
    if let Some(UpdateState { pts, qts, date, seq }) = session.update_state {
        state.execute(params![OWN, pts, qts, date, seq])?;
    }
    for channel in &session.channel_states {
        state.execute(params![channel.id.get(), channel.pts, None::<i32>, None::<i32>, None::<i32>])?;
    }
    Ok(())
}
