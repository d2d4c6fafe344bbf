//! Their sessions in, ours out, and theirs again: the same key, data centre, peers and update state.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use domain::{AccessHash, ChatId, ExposeSecret, UserId};
use rusqlite::Connection;
use serde_json::{Value, json};
use session_files::{
    Kind, Peer, PeerKind, Session, Unwritable, pyrogram_string, read, read_text, string_session,
    write_kurigram, write_telethon,
};

use crate::it::fixture::{change, database, key, session, telethon};
use crate::it::python;

const USER: i64 = 7_000_000_001;

fn peer(id: i64, access_hash: Option<i64>, kind: PeerKind, username: Option<&str>) -> Peer {
    let id = ChatId::new(id).expect("an id");
    let access_hash = access_hash.map(AccessHash);
    Peer { id, access_hash, kind, username: username.map(str::to_owned), name: None }
}

/// The peers of the Python script; Telethon distinguishes kinds only as far as the id does.
fn peers(all_kinds: bool) -> Vec<Peer> {
    let or = |kind, coarse| if all_kinds { kind } else { coarse };
    vec![
        peer(-1_002_000_000_000, Some(4444), or(PeerKind::Channel, PeerKind::SupergroupOrChannel), None),
        peer(
            -1_001_234_567_890,
            Some(3333),
            or(PeerKind::Supergroup, PeerKind::SupergroupOrChannel),
            Some("demo_chat"),
        ),
        peer(-77, None, PeerKind::Group, None),
        peer(42, Some(-2222), or(PeerKind::Bot, PeerKind::User), Some("demo_bot")),
        peer(USER, Some(1111), PeerKind::User, Some("demo_main")),
    ]
}

fn assert_state(session: &Session) {
    let state = session.update_state.expect("a state");
    assert_eq!((state.pts, state.qts, state.date, state.seq), (10, 20, 1_700_000_000, 30));
    let channels: Vec<_> = session.channel_states.iter().map(|state| (state.id.get(), state.pts)).collect();
    assert_eq!(channels, [(-1_001_234_567_890, 55)]);
}

fn without_names(mut peers: Vec<Peer>) -> Vec<Peer> {
    for peer in &mut peers {
        peer.name = None;
    }
    peers
}

#[test]
fn telethons_session_comes_back_to_telethon() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, string) = python::make("telethon", folder.path(), &key(1));
    let before = fs::read(&path).expect("readable");
    let found = read(&path).expect("a session");
    assert_eq!((found.kind, found.version), (Kind::TelethonFile, Some(8)));
    let session = &found.session;
    assert_eq!((session.dc_id, session.address, session.user_id), (4, None, UserId::new(USER)));
    assert_eq!(session.key.expose_secret(), &key(1));
    assert_eq!(session.peers.last().and_then(|peer| peer.name.as_deref()), Some("Demo Main"));
    assert_eq!(without_names(session.peers.clone()), peers(false));
    assert_state(session);
    assert_eq!(fs::read(&path).expect("readable"), before, "the original is only read");

    let ours = folder.path().join("ours.session");
    write_telethon(&ours, session).expect("written");
    let again = python::show("telethon", ours.to_str().expect("a path"));
    assert_eq!(again, python::show("telethon", path.to_str().expect("a path")));
    assert_eq!(again["key"], hex::encode(key(1)));

    let text = string_session(session).expect("a string");
    assert_eq!(text.expose_secret(), string, "Telethon would have written the same");
    assert_eq!(read_text(&string).expect("a session").session.key.expose_secret(), &key(1));
    let shown = python::show("telethon", text.expose_secret());
    assert_eq!((&shown["dc_id"], &shown["key"]), (&json!(4), &json!(hex::encode(key(1)))));
}

#[test]
fn kurigrams_session_comes_back_to_kurigram() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, string) = python::make("kurigram", folder.path(), &key(2));
    let found = read(&path).expect("a session");
    assert_eq!((found.kind, found.version), (Kind::KurigramFile, Some(7)));
    let session = &found.session;
    assert_eq!((session.dc_id, session.api_id, session.user_id), (4, Some(12345), UserId::new(USER)));
    assert_eq!((session.test_mode, session.is_bot), (false, Some(false)));
    assert_eq!(session.key.expose_secret(), &key(2));
    assert_eq!(session.peers, peers(true));
    assert_state(session);

    let ours = folder.path().join("ours.session");
    write_kurigram(&ours, session).expect("written");
    let again = python::show("kurigram", ours.to_str().expect("a path"));
    assert_eq!(again, python::show("kurigram", path.to_str().expect("a path")));
    assert_eq!(again["key"], hex::encode(key(2)));

    let text = pyrogram_string(session).expect("a string");
    assert_eq!(text.expose_secret(), string, "Kurigram would have written the same");
    let shown = python::show("kurigram", text.expose_secret());
    assert_eq!((&shown["key"], &shown["user_id"]), (&json!(hex::encode(key(2))), &json!(USER)));
    let again = read_text(&string).expect("a session");
    assert_eq!((again.kind, again.session.api_id), (Kind::PyrogramString, Some(12345)));
}

#[test]
fn a_session_moves_from_kurigram_to_telethon() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, _) = python::make("kurigram", folder.path(), &key(3));
    let ours = folder.path().join("ours.session");
    write_telethon(&ours, &read(&path).expect("a session").session).expect("written");
    let shown = python::show("telethon", ours.to_str().expect("a path"));
    assert_eq!((&shown["key"], &shown["own"]), (&json!(hex::encode(key(3))), &json!(USER)));
    assert_eq!(shown["address"], "149.154.167.91");
    let entities: Vec<&Value> =
        shown["entities"].as_array().expect("a list").iter().map(|row| &row[1]).collect();
    assert_eq!(entities, [4444, 3333, 0, -2222, 1111]);
}

/// Pyrogram 2 is what Kurigram began with, and Kurigram still brings its files forward.
#[test]
fn pyrogram_file_is_read_before_and_after_kurigram() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = database(
        folder.path(),
        "old.session",
        "CREATE TABLE sessions (dc_id INTEGER PRIMARY KEY, api_id INTEGER, test_mode INTEGER, auth_key BLOB,
                                date INTEGER NOT NULL, user_id INTEGER, is_bot INTEGER);
         CREATE TABLE peers (id INTEGER PRIMARY KEY, access_hash INTEGER, type INTEGER NOT NULL, username TEXT,
                             phone_number TEXT, last_update_on INTEGER NOT NULL DEFAULT 0);
         CREATE TABLE version (number INTEGER PRIMARY KEY);
         INSERT INTO version VALUES (3);
         INSERT INTO sessions VALUES (5, 12345, 0, zeroblob(256), 0, 7000000001, 1);
         INSERT INTO peers (id, access_hash, type, username) VALUES (42, -2222, 'bot', 'demo_bot');",
    );
    crate::it::fixture::set_key(&path, &key(4));
    let before = read(&path).expect("a session");
    assert_eq!((before.kind, before.version), (Kind::PyrogramFile, Some(3)));
    assert_eq!(before.session.peers, [peer(42, Some(-2222), PeerKind::Bot, Some("demo_bot"))]);
    python::show("kurigram", path.to_str().expect("a path"));
    let after = read(&path).expect("a session");
    assert_eq!((after.kind, after.version), (Kind::KurigramFile, Some(7)));
    for session in [before.session, after.session] {
        assert_eq!((session.dc_id, session.user_id, session.is_bot), (5, UserId::new(USER), Some(true)));
        assert_eq!(session.key.expose_secret(), &key(4));
    }
}

/// Telethon reads older versions by adding what is missing; so each is a newer one with something taken away.
#[test]
fn each_version_of_telethon_is_read() {
    let (_folder, path) = telethon(5);
    change(&path, "INSERT INTO entities (id, hash) VALUES (0, 7000000001), (42, 9)");
    let steps = [
        (8, "ALTER TABLE sessions ADD COLUMN tmp_auth_key"),
        (7, "ALTER TABLE sessions DROP COLUMN tmp_auth_key"),
        (6, "ALTER TABLE entities DROP COLUMN date"),
        (5, ""),
        (4, "ALTER TABLE sessions DROP COLUMN takeout_id"),
        (3, "DROP TABLE update_state"),
        (2, "DROP TABLE sent_files"),
        (1, ""),
    ];
    for (version, sql) in steps {
        change(&path, &format!("{sql}; UPDATE version SET version = {version}"));
        let found = read(&path).expect("a session");
        assert_eq!((found.version, found.session.user_id), (Some(version), UserId::new(USER)));
        assert_eq!(found.session.key.expose_secret(), &key(5));
        // The access hashes before version 6 are not to be trusted.
        assert_eq!(found.session.peers.len(), usize::from(version >= 6), "{version}");
    }
}

#[test]
fn of_several_rows_the_one_with_a_key_counts() {
    let (_folder, path) = telethon(6);
    change(&path, "INSERT INTO sessions (dc_id, auth_key) VALUES (1, x''), (5, NULL)");
    let found = read(&path).expect("a session");
    assert_eq!((found.session.dc_id, found.session.key.expose_secret()), (2, &key(6)));
}

/// Telethon 1.2x to 1.40 take these columns by their places, and no others.
#[test]
fn a_telethon_file_is_of_version_7() {
    let (_folder, path) = telethon(6);
    let database = Connection::open(&path).expect("opened");
    let version: i64 =
        database.query_row("SELECT version FROM version", [], |row| row.get(0)).expect("a version");
    assert_eq!(version, 7);
    let columns = |table: &str| -> String {
        let names = "SELECT group_concat(name, ' ') FROM pragma_table_info(?1)";
        database.query_row(names, [table], |row| row.get(0)).expect("columns")
    };
    assert_eq!(columns("sessions"), "dc_id server_address port auth_key takeout_id");
    assert_eq!(columns("entities"), "id hash username phone name date");
    assert_eq!(columns("sent_files"), "md5_digest file_size type id hash");
    assert_eq!(columns("update_state"), "id pts qts date seq");
}

#[test]
fn a_file_of_grammers_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = database(
        folder.path(),
        "grammers.sqlite",
        "CREATE TABLE dc_home (dc_id INTEGER NOT NULL, PRIMARY KEY(dc_id));
         CREATE TABLE dc_option (dc_id INTEGER NOT NULL, ipv4 TEXT NOT NULL, ipv6 TEXT NOT NULL, auth_key BLOB,
                                 PRIMARY KEY (dc_id));
         CREATE TABLE peer_info (peer_id INTEGER NOT NULL, hash INTEGER, subtype INTEGER, PRIMARY KEY (peer_id));
         CREATE TABLE update_state (pts INTEGER NOT NULL, qts INTEGER NOT NULL, date INTEGER NOT NULL,
                                    seq INTEGER NOT NULL);
         CREATE TABLE channel_state (peer_id INTEGER NOT NULL, pts INTEGER NOT NULL, PRIMARY KEY (peer_id));
         INSERT INTO dc_home VALUES (4);
         INSERT INTO dc_option VALUES (2, '149.154.167.41:443', '[2001:67c:4e8:f002::a]:443', NULL),
                                      (4, '149.154.167.92:443', '[2001:67c:4e8:f004::a]:443', zeroblob(256));
         INSERT INTO peer_info VALUES (7000000001, 1111, 1), (42, -2222, 2), (-77, NULL, NULL),
                                      (-1001234567890, 3333, 4), (-1002000000000, 4444, 8);
         INSERT INTO update_state VALUES (10, 20, 1700000000, 30);
         INSERT INTO channel_state VALUES (1234567890, 55);
         PRAGMA user_version = 1;",
    );
    let database = Connection::open(&path).expect("opened");
    database.execute("UPDATE dc_option SET auth_key = ?1 WHERE dc_id = 4", [key(6)]).expect("changed");
    let found = read(&path).expect("a session");
    assert_eq!((found.kind, found.version, found.session.dc_id), (Kind::GrammersFile, Some(1), 4));
    assert_eq!((found.session.user_id, found.session.is_bot), (UserId::new(USER), Some(false)));
    assert_eq!(found.session.key.expose_secret(), &key(6));
    let mut wanted = peers(true);
    for peer in &mut wanted {
        peer.username = None;
    }
    assert_eq!(found.session.peers, wanted);
    assert_state(&found.session);
}

#[test]
fn a_file_is_private_and_never_written_over() {
    let (folder, path) = telethon(7);
    let before = fs::read(&path).expect("readable");
    assert!(matches!(write_telethon(&path, &session(8)), Err(Unwritable::Exists)));
    assert!(matches!(write_kurigram(&path, &session(8)), Err(Unwritable::Exists)));
    assert_eq!(fs::read(&path).expect("readable"), before);
    assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 1, "nothing is left beside it");
}

#[test]
fn unknown_session_fields_are_not_invented() {
    let mut foreign = session(9);
    foreign.dc_id = 9;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("main.session");
    assert!(matches!(write_telethon(&path, &foreign), Err(Unwritable::NoAddress(9))));
    assert!(matches!(string_session(&foreign), Err(Unwritable::NoAddress(9))));
    assert!(matches!(pyrogram_string(&foreign), Err(Unwritable::MissingIdentity)));
    assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 0);
    foreign.address = "203.0.113.9:443".parse().ok();
    write_telethon(&path, &foreign).expect("written");
    let again = read(&path).expect("a session").session;
    assert_eq!((again.dc_id, again.address), (9, foreign.address));
    foreign.dc_id = 2;
    foreign.test_mode = true;
    foreign.address = None;
    let text = string_session(&foreign).expect("a string");
    assert!(read_text(text.expose_secret()).expect("a session").session.test_mode);
}
