//! A start on a database that is missing, an older copy, or that of another store; and on one whose holder is dead.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ambient::Clock;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use store::{Accepts, MasterKey, OpenError, Store, StoreError, StoreKind, StoreOptions, inspect};

use crate::support::{World, conformance, options};

conformance! {
    a_start_and_a_stop_need_nothing,
    an_older_copy_is_refused,
    a_copy_without_the_last_event_is_refused,
    a_database_without_the_start_that_is_remembered_is_refused,
    the_database_of_another_store_is_refused,
    an_empty_database_is_refused,
    a_demo_of_a_real_store_is_refused,
    a_first_start_that_was_killed_begins_again,
    a_damaged_mark_is_named,
    a_mark_that_is_removed_while_the_store_is_open_is_written_again,
    a_mark_of_another_length_is_replaced;
    sqlite:
    a_missing_file_is_refused_and_not_made,
    an_older_file_is_refused,
    a_file_that_the_directory_does_not_know_is_refused,
    a_directory_with_traces_of_a_store_begins_no_new_one,
    an_emptied_file_keeps_its_log,
    an_accepted_copy_is_another_store_from_then_on,
    a_copy_that_was_started_by_itself_is_refused,
    a_file_that_is_removed_or_replaced_while_it_is_open_is_lost,
    a_server_that_looks_says_what_a_start_would,
    a_database_is_open_once_whatever_leads_to_it,
    a_pipe_in_the_place_of_a_file_ends_the_start,
}

const OTHER: Accepts = Accepts { empty: false, other: true, kind: None };
const EMPTY: Accepts = Accepts { empty: true, other: false, kind: None };

const fn of_kind(kind: StoreKind) -> Accepts {
    Accepts { empty: true, other: true, kind: Some(kind) }
}

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

async fn a_database_without_the_start_that_is_remembered_is_refused(world: World) {
    world.store.clone().close().await;
    world.run("CREATE TABLE kept AS SELECT * FROM store_facts WHERE name = 'store starts'");
    world.open_again().await.unwrap().close().await;
    world.run(
        "UPDATE store_facts SET value = (SELECT value FROM kept) WHERE name = 'store starts'; DROP TABLE kept",
    );
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

#[tokio::test]
async fn a_new_directory_joins_a_store_on_a_server() {
    let world = World::on_postgres().await;
    world.queued(1).await;
    world.store.clone().close().await;
    let second = tempfile::tempdir().unwrap();
    let folder = second.path().join("data");
    let options = || from(&folder, &world);
    Store::open(options()).await.unwrap().close().await;
    // Each is older than the store after the other has worked on it.
    world.open_again().await.unwrap().close().await;
    Store::open(options()).await.unwrap().close().await;
    world.open_again().await.unwrap().close().await;
    // One machine accepts an older copy, and all others follow.
    world.run("DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)");
    assert!(matches!(refused(&world).await, OpenError::OlderDatabase { .. }));
    Store::open_accepting(world.options(), OTHER).await.unwrap().close().await;
    Store::open(options()).await.unwrap().close().await;
    world.open_again().await.unwrap().close().await;
    Store::open(options()).await.unwrap();
}

async fn a_demo_of_a_real_store_is_refused(world: World) {
    world.store.clone().close().await;
    let mark = data(&world).join("store.json");
    let as_kind = async |kind| match Store::open_accepting(world.options(), of_kind(kind)).await {
        Ok(store) => {
            store.close().await;
            Ok(())
        }
        Err(error) => Err(error),
    };
    let text = fs::read_to_string(&mark).unwrap();
    for is_of_an_earlier_version in [false, true] {
        if is_of_an_earlier_version {
            fs::write(&mark, text.replace("\"kind\":\"real\",", "")).unwrap();
            world.run("UPDATE store_facts SET value = substr(value, 1, 24) WHERE name = 'store identity'");
        }
        let before = fs::read(&mark).unwrap();
        let error = as_kind(StoreKind::Demo).await.unwrap_err();
        assert!(matches!(error, OpenError::OtherKind { .. }), "{error:?}");
        assert!(error.to_string().contains("without --data-dir"), "{error}");
        assert_eq!(fs::read(&mark).unwrap(), before, "nothing is changed");
    }
    as_kind(StoreKind::Real).await.unwrap();
    // Where the directory does not show it, the database does.
    fs::remove_file(&mark).unwrap();
    let error = as_kind(StoreKind::Demo).await.unwrap_err();
    assert!(matches!(error, OpenError::OtherKind { .. }), "{error:?}");
}

#[tokio::test]
async fn a_demo_is_no_real_store() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Clock::system());
    let options = || options(&dir, &clock);
    Store::open_accepting(options(), of_kind(StoreKind::Demo)).await.unwrap().close().await;
    let error = Store::open_accepting(options(), of_kind(StoreKind::Real)).await.err().unwrap();
    assert!(matches!(error, OpenError::OtherKind { .. }), "{error:?}");
    assert!(error.to_string().contains("another data directory"), "{error}");
    Store::open_accepting(options(), of_kind(StoreKind::Demo)).await.unwrap().close().await;
    // A command that sends nothing works on both.
    Store::open(options()).await.unwrap();
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
    let mark = data(&world).join("store.json");
    let is_named = async || {
        let error = refused(&world).await;
        let text = error.to_string();
        assert!(matches!(error, OpenError::DamagedFile(_)) && error.needs_a_person(), "{error:?}");
        assert!(text.contains("store.json is damaged") && text.contains("remove this file"), "{text}");
    };
    for garbage in
        [&b"garbage"[..], b"", b"{}", &[0xff; 40], b"{\"store\":\"\",\"generation\":\"1\",\"event\":\"1\"}"]
    {
        fs::write(&mark, garbage).unwrap();
        is_named().await;
    }
    fs::remove_file(&mark).unwrap();
    fs::create_dir(&mark).unwrap();
    is_named().await;
    fs::remove_dir(&mark).unwrap();
    symlink("nowhere", &mark).unwrap();
    is_named().await;
    fs::remove_file(&mark).unwrap();
    Store::open_accepting(world.options(), OTHER).await.unwrap();
}

async fn a_mark_of_another_length_is_replaced(world: World) {
    world.store.clone().close().await;
    let mark = data(&world).join("store.json");
    let text = fs::read_to_string(&mark).unwrap();
    fs::write(&mark, text.replace("}\n", ",\"added\":1}\n")).unwrap();
    for _ in 0..2 {
        world.open_again().await.unwrap().close().await;
        assert_eq!(fs::read(&mark).unwrap().len(), text.len());
    }
}

async fn a_mark_that_is_removed_while_the_store_is_open_is_written_again(world: World) {
    let mark = data(&world).join("store.json");
    fs::remove_file(&mark).unwrap();
    world.store.round_trip().await.unwrap();
    assert!(!mark.exists());
    world.clock.advance(Duration::from_mins(1));
    world.store.round_trip().await.unwrap();
    assert!(mark.exists());
    // At a stop too.
    fs::remove_file(&mark).unwrap();
    world.store.clone().close().await;
    assert!(mark.exists());
    // The file of another store is left.
    let store = world.open_again().await.unwrap();
    let text = fs::read_to_string(&mark).unwrap();
    let other = format!("{{\"store\":\"{}{}", "ab".repeat(16), text.split_at(42).1);
    fs::remove_file(&mark).unwrap();
    fs::write(&mark, &other).unwrap();
    store.close().await;
    assert_eq!(fs::read_to_string(&mark).unwrap(), other);
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

async fn a_file_that_the_directory_does_not_know_is_refused(world: World) {
    world.queued(1).await;
    world.store.clone().close().await;
    fs::remove_file(data(&world).join("store.json")).unwrap();
    let words = ["does not know", "store.json is missing", "switchboard restore", "--accept-database"];
    accepted_by_these_alone(&world, OTHER, &words).await;
    // So is the file of another directory.
    let second = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", data(&world).join("switchboard.db").display());
    let joining = Store::open(StoreOptions { url, ..from(&second.path().join("data"), &world) }).await;
    assert!(matches!(joining, Err(OpenError::UnknownDatabase { .. })));
    // An update from a version without identities needs nothing.
    fs::remove_file(data(&world).join("store.json")).unwrap();
    world.run("DELETE FROM store_facts WHERE name = 'store identity'");
    world.open_again().await.unwrap();
}

async fn a_directory_with_traces_of_a_store_begins_no_new_one(world: World) {
    world.store.clone().close().await;
    let folder = data(&world);
    let key = fs::read_to_string(folder.join("master.key")).unwrap();
    let options = || StoreOptions { master_key: MasterKey::Given(key.clone().into()), ..world.options() };
    let is_refused = async |options, what: &str| {
        let opened = Store::open(options).await;
        assert!(matches!(opened, Err(OpenError::MissingDatabase { .. })), "{what}");
        assert!(!folder.join("store.json").exists(), "{what}");
    };
    fs::remove_file(folder.join("store.json")).unwrap();
    // A header without tables.
    fs::remove_file(folder.join("switchboard.db")).unwrap();
    world.run("CREATE TABLE one (id INTEGER); DROP TABLE one");
    assert!(fs::metadata(folder.join("switchboard.db")).unwrap().len() > 0);
    is_refused(world.options(), "master.key beside a database without tables").await;
    // Nothing at all but what a store leaves, whose key comes from outside.
    fs::remove_file(folder.join("master.key")).unwrap();
    fs::create_dir(folder.join("backups")).unwrap();
    for trace in ["health.db", "backups/switchboard-20300131T120000.250Z.tar.gz", "switchboard.db-wal"] {
        let _ = fs::remove_file(folder.join("switchboard.db"));
        fs::write(folder.join(trace), "a trace").unwrap();
        is_refused(options(), trace).await;
        fs::remove_file(folder.join(trace)).unwrap();
    }
    // An owner makes folders before the first start.
    Store::open(options()).await.unwrap();
}

async fn an_emptied_file_keeps_its_log(world: World) {
    world.queued(1).await;
    let names = ["switchboard.db", "switchboard.db-wal", "store.json", "master.key"];
    let copies = names.map(|name| (name, fs::read(data(&world).join(name)).unwrap()));
    let killed = tempfile::tempdir().unwrap();
    fs::create_dir(killed.path().join("data")).unwrap();
    let there = |name: &str| killed.path().join("data").join(name);
    for (name, bytes) in &copies {
        fs::write(there(name), bytes).unwrap();
    }
    fs::write(there("switchboard.db"), "").unwrap();
    fs::set_permissions(
        there("master.key"),
        fs::metadata(data(&world).join("master.key")).unwrap().permissions(),
    )
    .unwrap();
    let opened = Store::open(options(&killed, &world.clock)).await;
    assert!(matches!(opened, Err(OpenError::MissingDatabase { .. })));
    assert_eq!(fs::read(there("switchboard.db-wal")).unwrap(), copies[1].1);
    assert_eq!(fs::metadata(there("switchboard.db")).unwrap().len(), 0);
}

async fn an_accepted_copy_is_another_store_from_then_on(world: World) {
    let file = data(&world).join("switchboard.db");
    world.store.clone().close().await;
    let older = fs::read(&file).unwrap();
    // It comes further than the copy will.
    for _ in 0..5 {
        world.open_again().await.unwrap().close().await;
    }
    let newer = fs::read(&file).unwrap();
    fs::write(&file, older).unwrap();
    assert!(matches!(refused(&world).await, OpenError::OlderDatabase { .. }));
    Store::open_accepting(world.options(), OTHER).await.unwrap().close().await;
    fs::write(&file, newer).unwrap();
    let error = refused(&world).await;
    assert!(matches!(error, OpenError::ForeignDatabase { .. }), "{error:?}");
}

async fn a_copy_that_was_started_by_itself_is_refused(world: World) {
    world.queued(1).await;
    world.store.clone().close().await;
    let second = tempfile::tempdir().unwrap();
    let folder = second.path().join("data");
    fs::create_dir(&folder).unwrap();
    for name in ["switchboard.db", "store.json"] {
        fs::copy(data(&world).join(name), folder.join(name)).unwrap();
    }
    world.open_again().await.unwrap().close().await;
    // It comes further than the database that was copied.
    for _ in 0..3 {
        Store::open(from(&folder, &world)).await.unwrap().close().await;
    }
    fs::copy(folder.join("switchboard.db"), data(&world).join("switchboard.db")).unwrap();
    let error = refused(&world).await;
    assert!(matches!(error, OpenError::OlderDatabase { .. }), "{error:?}");
    // Each store opens in its own directory.
    Store::open(from(&folder, &world)).await.unwrap();
}

async fn a_file_that_is_removed_or_replaced_while_it_is_open_is_lost(world: World) {
    world.store.clone().close().await;
    let file = data(&world).join("switchboard.db");
    let aside = data(&world).join("aside.db");
    for is_replaced in [false, true] {
        let store = world.open_again().await.unwrap();
        store.round_trip().await.unwrap();
        assert!(store.is_held().await && store.is_held_for_sure());
        fs::rename(&file, &aside).unwrap();
        if is_replaced {
            fs::copy(&aside, &file).unwrap();
        }
        let written = store.round_trip().await.unwrap_err();
        assert!(
            matches!(&written, StoreError::Unavailable(what) if what.contains("removed or replaced")),
            "{written}"
        );
        assert!(!store.is_held().await && !store.is_held_for_sure(), "nothing more is sent");
        let lost = tokio::time::timeout(Duration::from_secs(5), store.lost()).await.unwrap();
        assert!(
            matches!(&lost, Some(error @ OpenError::LostDatabase { .. }) if error.needs_a_person()),
            "{lost:?}"
        );
        fs::rename(&aside, &file).unwrap();
        assert!(store.round_trip().await.is_ok(), "what is written now is kept");
        assert!(!store.is_held_for_sure(), "but the program ends all the same");
        store.close().await;
    }
    // At a stop it is looked for too, with nothing left to write.
    let store = world.open_again().await.unwrap();
    let closed = store.clone();
    fs::rename(&file, &aside).unwrap();
    assert!(closed.lost_database().is_none());
    store.close().await;
    assert!(matches!(closed.lost_database(), Some(OpenError::LostDatabase { .. })));
    fs::rename(&aside, &file).unwrap();
    world.open_again().await.unwrap();
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
async fn a_standby_refuses_a_database_that_is_older_than_what_the_leader_wrote() {
    let world = World::on_postgres().await;
    let second = tempfile::tempdir().unwrap();
    let folder = second.path().join("data");
    let waits = async |accepts| {
        let waiting = Store::open_accepting(from(&folder, &world), accepts).await;
        assert!(matches!(waiting, Err(OpenError::Held { .. })), "the leader holds it");
        fs::read_to_string(folder.join("store.json")).ok()
    };
    assert_eq!(waits(of_kind(StoreKind::Demo)).await, None, "a demo remembers no real store");
    let joined = waits(of_kind(StoreKind::Real)).await;
    world.queued(1).await;
    let leader = fs::read_to_string(data(&world).join("store.json")).unwrap();
    assert_ne!(joined.as_ref(), Some(&leader));
    assert_eq!(waits(Accepts::default()).await, Some(leader));
    // The leader and its server die, and a copy without the last event takes their place.
    world.store.clone().close().await;
    world.run("DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)");
    let taken_over = Store::open(from(&folder, &world)).await;
    assert!(matches!(taken_over, Err(OpenError::OlderDatabase { .. })));
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
    clock.advance(Duration::from_mins(1));
    store.round_trip().await.unwrap();
    assert_eq!(generation(), first + 1);
    store.round_trip().await.unwrap();
    assert_eq!(generation(), first + 1);
    store.close().await;
    assert_eq!(generation(), first + 2, "a stop ends the generation");
}

async fn a_database_is_open_once_whatever_leads_to_it(world: World) {
    world.queued(1).await;
    let database = data(&world).join("switchboard.db");
    let second = tempfile::tempdir().unwrap();
    let directory = |name: &str| {
        let folder = second.path().join(name);
        fs::create_dir(&folder).unwrap();
        fs::copy(data(&world).join("store.json"), folder.join("store.json")).unwrap();
        folder
    };
    let named = directory("named");
    let by_address =
        || StoreOptions { url: format!("sqlite:{}", database.display()), ..from(&named, &world) };
    let (linked, hard) = (directory("linked"), directory("hard"));
    symlink(&database, linked.join("switchboard.db")).unwrap();
    fs::hard_link(&database, hard.join("switchboard.db")).unwrap();
    for options in [by_address(), from(&linked, &world), from(&hard, &world)] {
        let key = options.master_key.clone();
        let looked = inspect(&options.data_dir, &options.url, &key);
        assert!(matches!(looked, Err(OpenError::DatabaseInUse { .. })), "{looked:?}");
        let refused = Store::open(options).await.err().expect("it is refused");
        assert!(matches!(refused, OpenError::DatabaseInUse { .. }), "{refused:?}");
    }
    // The first one keeps its own locks.
    world.queued(1).await;
    world.store.clone().close().await;
    let opened = Store::open(by_address()).await.unwrap();
    let refused = refused(&world).await;
    assert!(refused.to_string().contains("store.url"), "{refused}");
    drop(opened);
    world.open_again().await.unwrap();
}

async fn a_pipe_in_the_place_of_a_file_ends_the_start(world: World) {
    world.store.clone().close().await;
    let aside = world.dir.path().join("aside");
    let beside = ["switchboard.db-wal", "switchboard.db-shm"];
    let files = ["store.json", "switchboard.db", "switchboard.lock", "master.key", "side.json"];
    for name in files.into_iter().chain(beside) {
        let file = data(&world).join(name);
        let is_there = fs::rename(&file, &aside).is_ok();
        mknodat(CWD, &file, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let refused = tokio::time::timeout(Duration::from_secs(20), refused(&world)).await;
        let text = refused.expect("the start ends").to_string();
        assert!(text.contains(name) || name == "switchboard.lock", "{name}: {text}");
        fs::remove_file(&file).unwrap();
        if is_there {
            fs::rename(&aside, &file).unwrap();
        }
    }
    // Without this file the store works on.
    let reserve = data(&world).join("reserve");
    let _ = fs::remove_file(&reserve);
    mknodat(CWD, &reserve, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let work = async { world.open_again().await.unwrap().close().await };
    tokio::time::timeout(Duration::from_secs(20), work).await.expect("it does not wait");
}
