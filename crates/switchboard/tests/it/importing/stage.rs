//! An account that lives in another program so far, and the commands that bring it over.

use std::path::{Path, PathBuf};

use domain::{AccessHash, Secret};
use rusqlite::Connection;
use serde_json::Value;
use session_files::{Key, Peer, PeerKind, Session};
use testkit::World;

use crate::shell::cli::{Cli, cli};

/// The account that moves.
pub(crate) const MOVING: &str = "backup_1";

/// The application that new accounts are made with; the secret is in this variable.
const HASH: (&str, &str) = ("DEMO_API_HASH", "0123456789abcdef0123456789abcdef");

/// What the old registry says of each of its chats.
pub(crate) const OLD_TITLE: &str = "A title of the old registry";
pub(crate) const OLD_LINK: &str = "https://t.me/+of_the_old_registry";

/// A world whose settings do not name the account that moves.
pub(crate) async fn world() -> World {
    let world = crate::postgres::world().await;
    world.edit_settings(|text| testkit::without_account(&text, MOVING));
    world
}

/// The key of the account that moves.
pub(crate) async fn key(world: &World) -> [u8; 256] {
    let account = world.account(MOVING).await;
    hex(account["auth_key"].as_str().expect("a key")).try_into().expect("256 bytes")
}

/// A session file of the account that moves, which knows these chats.
pub(crate) async fn file(world: &World, path: &Path, chats: &[&str]) {
    let (account, key) = (world.account(MOVING).await, key(world).await);
    let dc_id = i32::try_from(account["dc_id"].as_i64().expect("a number")).expect("small");
    let mut session = Session::new(dc_id, Key::new(Secret::new(Box::new(key))).expect("a key"));
    session.peers = chats
        .iter()
        .map(|chat| Peer {
            id: chat.parse().expect("an id"),
            access_hash: Some(AccessHash(1)),
            kind: PeerKind::Supergroup,
            username: None,
            name: Some("Demo".to_owned()),
        })
        .collect();
    session_files::write_telethon(path, &session).expect("written");
}

/// Writes one session of an account of these settings as Telethon keeps it: the one that is for this, or any.
pub(crate) fn session_of(settings: &str, account: &str, purpose: &str, file: &Path) {
    let name = format!("name = \"{account}\"");
    let block = settings.split("[[telegram.accounts]]").find(|block| block.contains(&name));
    let mut lines = block.expect("the account").lines();
    let line = lines.find(|line| line.contains("string = ") && line.contains(purpose));
    let text = line.expect("a session").split('"').nth(1).expect("a string");
    let found = session_files::read_text(text).expect("a session");
    session_files::write_telethon(file, &found.session).expect("written");
}

fn hex(text: &str) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal");
    (0..text.len()).step_by(2).map(digits).collect()
}

/// An old registry in which `bound` goes through the second backup, and `left` was left.
pub(crate) fn registry(path: &Path, bound: &str, left: &str) {
    registry_of("backup_2", path, bound, left);
}

/// The same with an account by the name that it had there.
pub(crate) fn registry_of(account: &str, path: &Path, bound: &str, left: &str) {
    let database = Connection::open(path).expect("opens");
    database
        .execute_batch(
            "CREATE TABLE chat_assignments (chat_id TEXT PRIMARY KEY, account_name TEXT, title TEXT,
                 invite_link TEXT, created_at REAL, status TEXT);
             CREATE TABLE failover_log (id INTEGER PRIMARY KEY, ts REAL, chat_id TEXT, from_account TEXT,
                 to_account TEXT, reason TEXT);
             CREATE TABLE failed_requests (id INTEGER PRIMARY KEY, ts REAL, service TEXT, direction TEXT,
                 endpoint TEXT, request_payload TEXT, error TEXT, status TEXT, retry_count INTEGER,
                 last_retry_ts REAL, last_retry_error TEXT);
             INSERT INTO failed_requests VALUES (7, 1700000004.0, 'send_text', 'inbound', '/send_text',
                 '{\"chat\":\"@client_1\",\"text\":\"from the old registry\"}', 'timeout', 'pending', 2, NULL, NULL);
             INSERT INTO failover_log VALUES
                 (1, strftime('%s', 'now') - 60, '-1001', 'main', 'fifth', 'FloodWait');",
        )
        .expect("made");
    for (chat, status) in [(bound, "active"), (left, "left")] {
        let add = "INSERT INTO chat_assignments VALUES (?1, ?2, ?3, ?4, 1700000000, ?5)";
        database.execute(add, (chat, account, OLD_TITLE, OLD_LINK, status)).expect("added");
    }
}

/// A command on the data directory, with the application's secret at hand.
pub(crate) fn command(world: &World, arguments: &[&str]) -> Cli {
    cli(world, arguments).env(HASH.0, HASH.1)
}

/// Runs a command that is to go well; what it printed as JSON.
pub(crate) async fn fine(world: &World, arguments: &[&str]) -> Value {
    command(world, arguments).beside().await.json()
}

/// The arguments of an import that makes accounts.
pub(crate) fn import<'a>(paths: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["account", "import"];
    arguments.extend(paths);
    arguments.extend(["--api-id", "1000001", "--api-hash-env", HASH.0, "--yes", "--json"]);
    arguments
}

pub(crate) fn path(world: &World, name: &str) -> (PathBuf, String) {
    let path = world.data_dir(name);
    let text = path.to_str().expect("UTF-8").to_owned();
    (path, text)
}
