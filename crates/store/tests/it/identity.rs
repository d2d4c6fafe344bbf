//! A start on a database that is missing, an older copy, or that of another store; and on one whose holder is dead.

use std::fs;
use std::path::{Path, PathBuf};

use ambient::Clock;
use store::{Accepts, MasterKey, OpenError, Store, StoreOptions, inspect};

use crate::support::{World, conformance, options};

conformance! {
    a_start_and_a_stop_need_nothing,
    an_older_copy_is_refused,
    a_copy_without_the_last_event_is_refused,
    the_database_of_another_store_is_refused,
    an_empty_database_is_refused,
    a_new_directory_joins_a_store,
    a_first_start_that_was_killed_begins_again,
    a_damaged_mark_is_named;
    sqlite:
    a_missing_file_is_refused_and_not_made,
    an_older_file_is_refused,
    a_server_that_looks_says_what_a_start_would,
}

const OTHER: Accepts = Accepts { empty: false, other: true };
const EMPTY: Accepts = Accepts { empty: true, other: false };

fn data(world: &World) -> PathBuf {
    world.dir.path().join("data")
}

async fn refused(world: &World) -> OpenError {
    match world.open_again().await {
        Err(error) => error,
        Ok(_) => panic!("it is opened"),
    }
}

/// Refused, with all words; and accepted by these alone, from then on without them.
async fn accepted_by_these_alone(world: &World, accepts: Accepts, words: &[&str]) {
    let mark = fs::read(data(world).join("store.json")).ok();
    for insufficient in [Accepts::default(), if accepts.other { EMPTY } else { OTHER }] {
        let Err(error) = Store::open_accepting(world.options(), insufficient).await else {
            panic!("it is opened")
        };
        let text = error.to_string();
        for word in words {
            assert!(text.contains(word), "{word}: {text}");
        }
        assert_eq!(fs::read(data(world).join("store.json")).ok(), mark, "nothing is changed");
    }
    Store::open_accepting(world.options(), accepts).await.unwrap().close().await;
    world.open_again().await.unwrap().close().await;
}

async fn a_start_and_a_stop_need_nothing(world: World) {
    world.queued(1).await;
    world.store.clone().close().await;
    for _ in 0..3 {
        let store = world.open_again().await.unwrap();
        // Without an order to close, as after a kill.
        drop(store);
    }
    world.open_again().await.unwrap();
}

async fn an_older_copy_is_refused(world: World) {
    world.store.clone().close().await;
    world.run("CREATE TABLE kept AS SELECT * FROM store_facts WHERE name = 'store identity'");
    world.open_again().await.unwrap().close().await;
    world.run(
        "UPDATE store_facts SET value = (SELECT value FROM kept) WHERE name = 'store identity'; DROP TABLE kept",
    );
    accepted_by_these_alone(&world, OTHER, &["older", "switchboard restore", "--accept-database"]).await;
}

async fn a_copy_without_the_last_event_is_refused(world: World) {
    world.queued(1).await;
    world.queued(1).await;
    world.store.clone().close().await;
    world.run("DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)");
    accepted_by_these_alone(&world, OTHER, &["older", "switchboard restore", "--accept-database"]).await;
}

async fn the_database_of_another_store_is_refused(world: World) {
    world.store.clone().close().await;
    let fact = "store_facts SET value = (SELECT value FROM other) WHERE name = 'store identity'";
    let other = format!("{}{:016x}", "ab".repeat(16), 9);
    let other =
        if world.postgres.is_some() { format!("decode('{other}', 'hex')") } else { format!("x'{other}'") };
    world.run(&format!("CREATE TABLE other AS SELECT {other} AS value; UPDATE {fact}; DROP TABLE other"));
    let words = ["another store", "--data-dir", "switchboard restore", "--accept-database"];
    accepted_by_these_alone(&world, OTHER, &words).await;
}

async fn an_empty_database_is_refused(world: World) {
    world.queued(1).await;
    world.store.clone().close().await;
    empty(&world);
    let text = refused(&world).await.to_string();
    assert!(!text.contains("postgres://"), "{text}");
    let words = ["missing", "switchboard restore", "--begin-empty"];
    accepted_by_these_alone(&world, EMPTY, &words).await;
    // The same without a master key in the directory.
    empty(&world);
    fs::rename(data(&world).join("master.key"), world.dir.path().join("elsewhere")).unwrap();
    accepted_by_these_alone(&world, EMPTY, &words).await;
    // And without the mark.
    empty(&world);
    fs::remove_file(data(&world).join("store.json")).unwrap();
    accepted_by_these_alone(&world, EMPTY, &words).await;
}

/// Puts a database without anything in the place of the one there is.
fn empty(world: &World) {
    match &world.postgres {
        None => {
            fs::write(data(world).join("switchboard.db"), "").unwrap();
        }
        Some(database) => {
            database.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
        }
    }
}

/// The same store, from another data directory.
fn from(folder: &Path, world: &World) -> StoreOptions {
    let key = fs::read_to_string(data(world).join("master.key")).unwrap();
    let master_key = MasterKey::Given(key.into());
    StoreOptions { data_dir: folder.to_owned(), master_key, ..world.options() }
}

async fn a_new_directory_joins_a_store(world: World) {
    world.queued(1).await;
    world.store.clone().close().await;
    let second = tempfile::tempdir().unwrap();
    let folder = second.path().join("data");
    let url = match &world.postgres {
        Some(database) => database.url(),
        None => format!("sqlite:{}", data(&world).join("switchboard.db").display()),
    };
    let options = || StoreOptions { url: url.clone(), ..from(&folder, &world) };
    Store::open(options()).await.unwrap().close().await;
    // Each is older than the store after the other has worked on it.
    world.open_again().await.unwrap().close().await;
    Store::open(options()).await.unwrap().close().await;
    world.open_again().await.unwrap();
}

async fn a_first_start_that_was_killed_begins_again(world: World) {
    world.store.clone().close().await;
    // Killed after the mark and the key were made, before the database had anything.
    empty(&world);
    let mark = data(&world).join("store.json");
    let text = fs::read_to_string(&mark).unwrap();
    let (before, _) = text.split_once("\"generation\"").unwrap();
    let zero = "0".repeat(19);
    fs::write(&mark, format!("{before}\"generation\":\"{zero}\",\"event\":\"{zero}\"}}\n")).unwrap();
    world.open_again().await.unwrap().close().await;
    assert_eq!(fs::read_to_string(&mark).unwrap().split_once("\"generation\"").unwrap().0, before);
    empty(&world);
    assert!(matches!(refused(&world).await, OpenError::MissingDatabase { .. }));
}

async fn a_damaged_mark_is_named(world: World) {
    world.store.clone().close().await;
    for garbage in
        [&b"garbage"[..], b"", b"{}", &[0xff; 40], b"{\"store\":\"\",\"generation\":\"1\",\"event\":\"1\"}"]
    {
        fs::write(data(&world).join("store.json"), garbage).unwrap();
        let error = refused(&world).await;
        let text = error.to_string();
        assert!(matches!(error, OpenError::DamagedFile(_)), "{error:?}");
        assert!(text.contains("store.json is damaged") && text.contains("remove this file"), "{text}");
    }
    fs::remove_file(data(&world).join("store.json")).unwrap();
    world.open_again().await.unwrap();
}

async fn a_missing_file_is_refused_and_not_made(world: World) {
    world.queued(1).await;
    world.store.clone().close().await;
    let file = data(&world).join("switchboard.db");
    fs::remove_file(&file).unwrap();
    let error = refused(&world).await;
    assert!(matches!(error, OpenError::MissingDatabase { .. }), "{error:?}");
    assert!(error.to_string().contains(file.to_str().unwrap()), "{error}");
    assert!(!file.exists(), "no empty one is in the way of the right one");
    let accepted = Store::open_accepting(world.options(), EMPTY).await.unwrap();
    assert_eq!(accepted.outbox().unfinished(None, 10).await.unwrap().readable, []);
}

async fn an_older_file_is_refused(world: World) {
    let names = ["switchboard.db", "switchboard.db-wal"];
    // As it is while it works, after a message.
    world.queued(1).await;
    let copies = names.map(|name| (name, fs::read(data(&world).join(name)).unwrap()));
    world.queued(1).await;
    // Killed: what was committed last is in the mark already.
    let mark = fs::read(data(&world).join("store.json")).unwrap();
    world.store.clone().close().await;
    for (name, bytes) in copies {
        fs::write(data(&world).join(name), bytes).unwrap();
    }
    fs::write(data(&world).join("store.json"), mark).unwrap();
    let _ = fs::remove_file(data(&world).join("switchboard.db-shm"));
    let error = refused(&world).await;
    assert!(matches!(error, OpenError::OlderDatabase { .. }), "{error:?}");
}

async fn a_server_that_looks_says_what_a_start_would(world: World) {
    world.store.clone().close().await;
    fs::remove_file(data(&world).join("switchboard.db")).unwrap();
    let looked = inspect(&data(&world), "sqlite:switchboard.db", &MasterKey::File("master.key".into()));
    assert!(matches!(looked, Err(OpenError::MissingDatabase { .. })), "{looked:?}");
}

#[tokio::test]
async fn a_lease_of_a_dead_predecessor_is_taken_at_once() {
    let world = World::on_postgres().await;
    let database = world.postgres.as_ref().unwrap();
    world.queued(1).await;
    let first = database.query("SELECT epoch::text FROM store_leases");
    world.store.clone().close().await;
    // What a process leaves that is killed.
    database.query("UPDATE store_leases SET expires_at = now() + interval '1 hour'");
    let second = tempfile::tempdir().unwrap();
    let elsewhere = Store::open(from(&second.path().join("data"), &world)).await;
    assert!(matches!(elsewhere, Err(OpenError::Held { .. })), "a standby on another machine waits");
    let store = world.open_again().await.unwrap();
    assert!(store.is_held().await);
    assert_ne!(
        database.query("SELECT epoch::text FROM store_leases"),
        first,
        "what the dead one sent is refused"
    );
    // Where another machine holds it, the same directory waits too.
    store.close().await;
    database.query("UPDATE store_leases SET expires_at = now() + interval '1 hour', place = 'elsewhere'");
    assert!(matches!(world.open_again().await, Err(OpenError::Held { .. })));
    database.query("UPDATE store_leases SET place = NULL");
    assert!(matches!(world.open_again().await, Err(OpenError::Held { .. })));
}

#[tokio::test]
async fn the_generation_grows_while_the_store_is_written_to() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Clock::system());
    let store = Store::open(options(&dir, &clock)).await.unwrap();
    let generation = || {
        let text = fs::read_to_string(dir.path().join("data/store.json")).unwrap();
        let (_, rest) = text.split_once("\"generation\":\"").unwrap();
        rest[..19].parse::<i64>().unwrap()
    };
    let first = generation();
    store.round_trip().await.unwrap();
    assert_eq!(generation(), first);
    clock.advance(std::time::Duration::from_mins(1));
    store.round_trip().await.unwrap();
    assert_eq!(generation(), first + 1);
    store.round_trip().await.unwrap();
    assert_eq!(generation(), first + 1);
    store.close().await;
    assert_eq!(generation(), first + 2, "a stop ends the generation");
}
