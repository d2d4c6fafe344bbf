//! Files that grammers keeps itself.

use std::net::{SocketAddr, SocketAddrV6};

use domain::{ChatId, ChatKind};

use crate::session::{ChannelState, Found, Key, Kind, Peer, PeerKind, Session};
use crate::sqlite::{Database, Fields};
use crate::unreadable::Unreadable;

const NEWEST: u32 = 1;

/// The data centre that grammers takes when the file names none.
const DEFAULT_CENTRE: i64 = 2;

/// What the bits of a peer's subtype say; they mean one thing for users, another for channels.
const OWN: i32 = 1;
const BOT: i32 = 2;
const MEGAGROUP: i32 = 4;
const BROADCAST: i32 = 8;
const GIGAGROUP: i32 = 12;

pub(crate) fn read(database: &Database<'_>) -> Result<Found, Unreadable> {
    let kind = Kind::GrammersFile;
    let version = database.pragma("user_version")?;
    if version != i64::from(NEWEST) {
        return Err(Unreadable::OtherVersion { kind, version, newest: NEWEST });
    }
    let home = database.first("dc_home", &["dc_id"], "", |row| Ok(row.integer("dc_id")))?.flatten();
    let home = home.unwrap_or(DEFAULT_CENTRE);
    let session = database.first(
        "dc_option",
        &["dc_id", "ipv4", "ipv6", "auth_key"],
        &format!("WHERE dc_id = {home}"),
        |row| Session::at(home, address(row), Key::from_file(row.bytes("auth_key"))?),
    )?;
    let mut session = session.ok_or(Unreadable::NotSignedIn)?;
    database.each("peer_info", &["peer_id", "hash", "subtype"], "ORDER BY peer_id", |row| {
        let Some(id) = row.integer("peer_id").and_then(ChatId::new) else { return Ok(()) };
        let subtype = row.count("subtype");
        if let Some(user_id) = id.user_id()
            && subtype & OWN != 0
        {
            session.user_id = Some(user_id);
            session.is_bot = Some(subtype & BOT != 0);
        }
        session.peers.push(Peer {
            id,
            access_hash: row.access_hash("hash", id),
            kind: peer_kind(id, subtype),
            username: None,
            name: None,
        });
        Ok(())
    })?;
    session.update_state =
        database.first("update_state", &["pts", "qts", "date", "seq"], "", |row| Ok(row.update_state()))?;
    database.each("channel_state", &["peer_id", "pts"], "ORDER BY peer_id", |row| {
        let id = row.integer("peer_id").and_then(|id| ChatId::channel(id).or_else(|| ChatId::new(id)));
        let id = id.filter(|id| id.kind() == ChatKind::Channel);
        session.channel_states.extend(id.map(|id| ChannelState { id, pts: row.count("pts") }));
        Ok(())
    })?;
    Ok(Found { kind, version: Some(NEWEST), session })
}

fn address(row: Fields<'_>) -> Option<SocketAddr> {
    let usable = |address: &SocketAddr| address.port() != 0 && !address.ip().is_unspecified();
    let ipv4 = row.text("ipv4").and_then(|text| text.parse().ok()).filter(usable);
    let ipv6 = || row.text("ipv6").and_then(|text| text.parse::<SocketAddrV6>().ok());
    ipv4.or_else(|| ipv6().map(SocketAddr::from).filter(usable))
}

fn peer_kind(id: ChatId, subtype: i32) -> PeerKind {
    match id.kind() {
        ChatKind::User if subtype & BOT != 0 => PeerKind::Bot,
        // A gigagroup is a supergroup where only administrators write.
        ChatKind::Channel if subtype & GIGAGROUP == GIGAGROUP => PeerKind::Supergroup,
        ChatKind::Channel if subtype & MEGAGROUP != 0 => PeerKind::Supergroup,
        ChatKind::Channel if subtype & BROADCAST != 0 => PeerKind::Channel,
        _ => PeerKind::of(id),
    }
}
