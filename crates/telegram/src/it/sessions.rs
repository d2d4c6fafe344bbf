//! Sessions that are missing, wrong, or someone else's.

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use config::SessionSource;
use domain::Purpose;
use domain::account::{AccountState, Reason};
use telegram::{Action, Pool};

use crate::it::world::{World, name, send, state, until, view};

fn string(dc_id: u8, key: &[u8; 256]) -> SessionSource {
    let mut raw = vec![dc_id, 127, 0, 0, 1, 0, 80];
    raw.extend_from_slice(key);
    SessionSource::Text(format!("1{}", URL_SAFE.encode(raw)).into())
}

fn key_of(world: &World, account: &str) -> [u8; 256] {
    let accounts = world.telegram().accounts();
    let account = accounts.iter().find(|one| &*one.name == account).expect("an account");
    account.lines[0].auth_key
}

/// Gives `backup_1` another session, and starts it beside `backup_2`.
async fn with_session(world: &mut World, source: SessionSource) -> std::sync::Arc<Pool> {
    world.settings.accounts[0].sessions[0].source = source;
    let pool = world.pool().await;
    until("backup_2 is ready", || state(&pool, "backup_2").0 == AccountState::Ready).await;
    pool
}

async fn two() -> World {
    World::new().await.only(&["backup_1", "backup_2"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_or_unreadable_session_needs_a_login() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = folder.path().join("text.session");
    std::fs::write(&text, b"not a database").expect("a file");
    for source in [
        SessionSource::File(PathBuf::from("/nowhere/main.session")),
        SessionSource::File(text),
        SessionSource::Text("hello".into()),
        string(2, &[0; 256]),
    ] {
        let mut world = two().await;
        let pool = with_session(&mut world, source).await;
        assert_eq!(state(&pool, "backup_1"), (AccountState::NeedsLogin, Some(Reason::NoSession)));
        let shown = view(&pool, "backup_1");
        assert!(shown.detail.is_some() && shown.advice.is_some());
        pool.stop(Duration::from_secs(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_key_or_centre_is_reported_without_a_new_key() {
    let mut world = two().await;
    let right = key_of(&world, "backup_1");
    for source in [string(2, &[9; 256]), string(4, &right)] {
        let pool = with_session(&mut world, source).await;
        until("shown", || state(&pool, "backup_1").0 != AccountState::Connecting).await;
        assert_eq!(state(&pool, "backup_1"), (AccountState::NeedsLogin, Some(Reason::KeyUnknown)));
        pool.stop(Duration::from_secs(5)).await;
    }
    let pool = with_session(&mut world, string(2, &right)).await;
    until("ready", || state(&pool, "backup_1").0 == AccountState::Ready).await;
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_centre_without_an_address_is_reported() {
    let mut world = two().await;
    let key = key_of(&world, "backup_1");
    let pool = with_session(&mut world, string(3, &key)).await;
    assert_eq!(state(&pool, "backup_1"), (AccountState::Error, Some(Reason::Other)));
    assert!(view(&pool, "backup_1").detail.is_some_and(|detail| detail.contains("data centre 3")));
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_session_in_two_accounts_is_used_once() {
    let mut world = two().await;
    let key = key_of(&world, "backup_2");
    world.settings.accounts[0].sessions[0].source = string(2, &key);
    let pool = world.pool().await;
    until("the first one has it", || state(&pool, "backup_1").0 == AccountState::Ready).await;
    assert_eq!(state(&pool, "backup_2"), (AccountState::Error, Some(Reason::Other)));
    assert!(view(&pool, "backup_2").detail.is_some_and(|detail| detail.contains("backup_1")));
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_two_people_in_one_account_stop_it() {
    let mut world = two().await;
    let other = key_of(&world, "backup_2");
    world.settings.accounts.truncate(1);
    let account = &mut world.settings.accounts[0];
    let mut second = account.sessions[0].clone();
    second.source = string(2, &other);
    second.purposes = vec![Purpose::CreateChat];
    account.sessions[0].purposes = vec![Purpose::SendText];
    account.sessions.push(second);
    let pool = world.pool().await;
    until("shown", || state(&pool, "backup_1") == (AccountState::Error, Some(Reason::WrongUser))).await;
    let sent = crate::it::world::candidates(&pool, "@client_1", None).await;
    assert!(sent.able.is_empty(), "{sent:?}");
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_line_for_sending_is_down_another_one_sends() {
    let mut world = World::new().await.only(&["main"]);
    let sessions = &mut world.settings.accounts[0].sessions;
    let sending =
        sessions.iter_mut().find(|session| session.purposes == [Purpose::SendText]).expect("a line");
    sending.source = SessionSource::Text("broken".into());
    let pool = world.pool().await;
    until("three lines are up", || {
        view(&pool, "main").lines.iter().filter(|line| line.state == AccountState::Ready).count() == 3
    })
    .await;
    assert_eq!(state(&pool, "main"), (AccountState::NeedsLogin, Some(Reason::NoSession)));
    assert_eq!(send(&pool, "main", "@client_1", "hello", 1).await.word(), "sent");
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_session_file_is_read_on_the_next_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("backup.session");
    let mut world = two().await;
    let key = key_of(&world, "backup_1");
    let pool = with_session(&mut world, SessionSource::File(path.clone())).await;
    assert_eq!(state(&pool, "backup_1"), (AccountState::NeedsLogin, Some(Reason::NoSession)));
    let file = rusqlite::Connection::open(&path).expect("a file");
    file.execute_batch(
        "CREATE TABLE version (version integer primary key); INSERT INTO version VALUES (7);
         CREATE TABLE sessions (dc_id integer primary key, server_address text, port integer, auth_key blob,
                                takeout_id integer);
         CREATE TABLE entities (id integer primary key, hash integer not null);",
    )
    .expect("a schema");
    let insert =
        "INSERT INTO sessions (dc_id, server_address, port, auth_key) VALUES (2, '203.0.113.9', 443, ?1)";
    file.execute(insert, [key.as_slice()]).expect("a session");
    drop(file);
    pool.act(&name("backup_1"), Action::Start).await.expect("started");
    until("ready", || state(&pool, "backup_1").0 == AccountState::Ready).await;
    assert_eq!(send(&pool, "backup_1", "@client_1", "hello", 1).await.word(), "sent");
    pool.stop(Duration::from_secs(5)).await;
}
