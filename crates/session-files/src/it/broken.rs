//! Files that are no sessions, or no longer, or not yet: each says why, and none is changed by being looked at.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::LazyLock;

use domain::ExposeSecret;
use proptest::prelude::*;
use rusqlite::Connection;
use session_files::{Foreign, Kind, Unreadable, read};

use crate::it::fixture::{change, database, key, set_key, telethon};
use crate::it::python;

fn refusal(path: &Path) -> Unreadable {
    read(path).expect_err("a refusal")
}

/// What a file of Telethon is after something was done to it.
fn after(sql: &str) -> Unreadable {
    let (_folder, path) = telethon(20);
    change(&path, sql);
    refusal(&path)
}

#[test]
fn an_invalid_key_is_refused_with_the_reason() {
    let with = |key: &[u8]| {
        let (_folder, path) = telethon(21);
        set_key(&path, key);
        refusal(&path)
    };
    assert!(matches!(with(&[]), Unreadable::NotSignedIn));
    assert!(matches!(with(&[0; 256]), Unreadable::ZeroKey));
    assert!(matches!(with(&[1; 255]), Unreadable::KeyLength(255)));
    assert!(matches!(after("UPDATE sessions SET auth_key = NULL"), Unreadable::NotSignedIn));
    assert!(matches!(after("DELETE FROM sessions"), Unreadable::NotSignedIn));
}

#[test]
fn a_data_centre_that_does_not_exist_is_refused() {
    for (dc_id, address) in [(0, "203.0.113.9"), (-2, "203.0.113.9"), (4096, "203.0.113.9"), (9, "")] {
        let refused = after(&format!("UPDATE sessions SET dc_id = {dc_id}, server_address = '{address}'"));
        assert!(matches!(refused, Unreadable::ImpossibleDataCentre(id) if id == dc_id), "{dc_id}");
    }
}

#[test]
fn another_version_is_named() {
    for version in [0, 9, 4_000_000_000_i64] {
        let refused = after(&format!("UPDATE version SET version = {version}"));
        let Unreadable::OtherVersion { kind, version: stated, newest } = refused else { panic!("{refused}") };
        assert_eq!((kind, stated, newest), (Kind::TelethonFile, version, 8));
    }
    let refused = after("DROP TABLE version; CREATE TABLE version (number); INSERT INTO version VALUES (8)");
    assert!(matches!(refused, Unreadable::OtherVersion { kind: Kind::KurigramFile, newest: 7, .. }));
}

#[test]
fn a_database_of_something_else_is_no_session() {
    assert!(matches!(after("DROP TABLE version"), Unreadable::NotASession));
    assert!(matches!(after("ALTER TABLE sessions DROP COLUMN auth_key"), Unreadable::NotASession));
    // A view is a program; it is not run.
    let endless = "DROP TABLE sessions; CREATE VIEW sessions AS WITH RECURSIVE n(i) AS
                   (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS dc_id, x'01' AS auth_key FROM n";
    assert!(matches!(after(endless), Unreadable::NotASession));
}

#[test]
fn other_files_are_refused_as_what_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).expect("a file");
        refusal(&path)
    };
    assert!(matches!(refusal(&folder.path().join("nothing")), Unreadable::Io(_)));
    assert!(matches!(refusal(folder.path()), Unreadable::NotAFile));
    assert!(matches!(file("empty.session", b""), Unreadable::Empty));
    assert!(matches!(file("page.session", b"<html>not found</html>"), Unreadable::NotSqlite));
    assert!(matches!(file("noise.session", &[0xFF; 9000]), Unreadable::NotSqlite));
    assert!(matches!(file("start.session", b"SQLite"), Unreadable::HalfCopied { there: 6, .. }));
    assert!(matches!(file("head.session", b"SQLite format 3\0"), Unreadable::HalfCopied { there: 16, .. }));
    assert!(matches!(file("D877F783D5D3EF8Cs", b"TDF$\x01\0"), Unreadable::Foreign(Foreign::Tdata)));
    assert!(matches!(file("td.binlog", b"\x04\0\0\0"), Unreadable::Foreign(Foreign::Tdlib)));
    assert!(matches!(refusal(folder.path()), Unreadable::Foreign(Foreign::Tdlib)));
}

#[test]
fn a_string_in_a_file_is_a_session() {
    let (folder, path) = telethon(22);
    let session = read(&path).expect("a session").session;
    let text = session_files::string_session(&session).expect("a string");
    let path = folder.path().join("session.txt");
    fs::write(&path, format!("\n {}\r\n", text.expose_secret())).expect("a file");
    let found = read(&path).expect("a session");
    assert_eq!((found.kind, found.session.key.expose_secret()), (Kind::TelethonString, &key(22)));
}

#[test]
fn a_file_that_was_copied_in_part_is_refused_wherever_it_ends() {
    let (_folder, path) = telethon(23);
    let mut database = Connection::open(&path).expect("opened");
    let transaction = database.transaction().expect("begun");
    for id in 1..4000 {
        transaction
            .execute("INSERT INTO entities (id, hash, name) VALUES (?1, ?1, 'Somebody')", [id])
            .expect("added");
    }
    transaction.commit().expect("kept");
    drop(database);
    let whole = fs::read(&path).expect("readable");
    assert_eq!(read(&path).expect("a session").session.peers.len(), 3999);
    for end in [50, 100, 4096, whole.len() / 2, whole.len() - 4096, whole.len() - 1] {
        fs::write(&path, &whole[..end]).expect("a file");
        let Unreadable::HalfCopied { there, .. } = refusal(&path) else {
            panic!("{end}: {}", refusal(&path))
        };
        assert_eq!(there, u64::try_from(end).expect("small"));
    }
    // As a download leaves it that made room first.
    let mut hollow = whole.clone();
    hollow[8192..].fill(0);
    fs::write(&path, hollow).expect("a file");
    assert!(matches!(refusal(&path), Unreadable::Damaged(_)));
}

#[test]
fn a_file_that_another_program_writes_to_is_left_alone() {
    let (_folder, path) = telethon(24);
    let mut locking = python::script()
        .args(["lock".as_ref(), path.as_os_str()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let mut line = String::new();
    BufReader::new(locking.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
    assert_eq!(line.trim(), "locked");
    let refused = read(&path).map(|found| found.kind);
    drop(locking.stdin.take());
    assert!(locking.wait().expect("it ends").success());
    assert!(matches!(refused, Err(Unreadable::Locked)), "{refused:?}");
    assert!(read(&path).is_ok());
}

/// Copies a database that is open, with all that is beside it, as after a kill.
fn killed(from: &Path, to: &Path, beside: &str) -> std::path::PathBuf {
    let killed = to.join("killed.session");
    fs::copy(from, &killed).expect("copied");
    let name = |path: &Path| format!("{}{beside}", path.display());
    fs::copy(name(from), name(&killed)).expect("copied");
    killed
}

#[test]
fn an_unfinished_transaction_is_undone_in_the_copy() {
    let (folder, path) = telethon(25);
    let database = Connection::open(&path).expect("opened");
    // So little memory that the change is in the file before it is committed.
    database
        .execute_batch(
            "PRAGMA cache_size = 1; BEGIN; UPDATE sessions SET auth_key = zeroblob(256);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
             INSERT INTO entities (id, hash) SELECT i, i FROM n;",
        )
        .expect("begun");
    let killed = killed(&path, folder.path(), "-journal");
    let (content, files) = (fs::read(&killed).expect("readable"), listing(folder.path()));
    let found = read(&killed).expect("a session");
    assert_eq!((found.session.key.expose_secret(), found.session.peers.len()), (&key(25), 0));
    assert_eq!((fs::read(&killed).expect("readable"), listing(folder.path())), (content, files));
}

#[test]
fn a_finished_transaction_is_read_from_the_log() {
    let (folder, path) = telethon(26);
    let database = Connection::open(&path).expect("opened");
    database.execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0").expect("a log");
    database.execute("UPDATE sessions SET auth_key = ?1", [key(27)]).expect("changed");
    let killed = killed(&path, folder.path(), "-wal");
    let (content, files) = (fs::read(&killed).expect("readable"), listing(folder.path()));
    assert_eq!(read(&killed).expect("a session").session.key.expose_secret(), &key(27));
    assert_eq!((fs::read(&killed).expect("readable"), listing(folder.path())), (content, files));
    // The log was lost on the way: the file alone is what it was before.
    fs::remove_file(format!("{}-wal", killed.display())).expect("removed");
    assert_eq!(read(&killed).expect("a session").session.key.expose_secret(), &key(26));
}

fn listing(folder: &Path) -> Vec<std::ffi::OsString> {
    let mut names: Vec<_> =
        fs::read_dir(folder).expect("readable").map(|entry| entry.expect("readable").file_name()).collect();
    names.sort();
    names
}

#[test]
fn no_refusal_quotes_the_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = database(
        folder.path(),
        "odd.session",
        "CREATE TABLE version (version); INSERT INTO version VALUES (8);
         CREATE TABLE sessions (dc_id, auth_key); INSERT INTO sessions VALUES (2, 'very secret')",
    );
    let refused = refusal(&path);
    assert!(
        matches!(refused, Unreadable::KeyLength(11)) && !format!("{refused} {refused:?}").contains("secret")
    );
}

/// A file to damage, made once: it takes its time to be on the disk.
static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let (_folder, path) = telethon(28);
    fs::read(path).expect("readable")
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_file_is_a_session_or_a_clear_refusal(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
        journal in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("main.session");
        let mut bytes = GOOD.clone();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        fs::write(&path, &bytes).expect("a file");
        fs::write(format!("{}-journal", path.display()), journal).expect("a file");
        let found = read(&path);
        prop_assert_eq!(fs::read(&path).expect("readable"), bytes);
        if let Ok(found) = found {
            prop_assert!((1..=255).contains(&found.session.dc_id));
        }
    }
}
