//! Files in the schemas of other programs, whole or odd.

use std::path::{Path, PathBuf};

use domain::Secret;
use rusqlite::{Connection, params};
use session_files::{Key, Session, write_telethon};
use tempfile::TempDir;

/// A key of its own for each test, from the test's name for it.
pub(crate) fn key(seed: u8) -> [u8; 256] {
    std::array::from_fn(|index| u8::try_from(index).unwrap_or_default().wrapping_mul(7) ^ seed)
}

pub(crate) fn session(seed: u8) -> Session {
    Session::new(2, Key::new(Secret::new(Box::new(key(seed)))).expect("a key"))
}

pub(crate) fn telethon(seed: u8) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("main.session");
    write_telethon(&path, &session(seed)).expect("written");
    (folder, path)
}

pub(crate) fn change(path: &Path, sql: &str) {
    Connection::open(path).expect("opened").execute_batch(sql).expect("changed");
}

pub(crate) fn database(folder: &Path, name: &str, sql: &str) -> PathBuf {
    let path = folder.join(name);
    change(&path, sql);
    path
}

pub(crate) fn set_key(path: &Path, key: &[u8]) {
    let database = Connection::open(path).expect("opened");
    database.execute("UPDATE sessions SET auth_key = ?1", params![key]).expect("changed");
}
