//! A data directory put back from a backup: wholly, or not at all, whatever breaks it off.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ambient::Clock;
use store::{MasterKey, OpenError, Store, StoreError, StoreOptions};
use tempfile::TempDir;

use super::restore::RestoreError;
use super::{AttemptBy, BackupParts, BackupState, Backups, Places, Restore, Waiting, finish, read_history};

/// A data directory with a backup of another state than it is in.
struct World {
    place: TempDir,
    clock: Clock,
    backup: PathBuf,
}

fn options(data: &Path, clock: &Clock) -> StoreOptions {
    StoreOptions {
        data_dir: data.to_owned(),
        url: "sqlite:other.db".to_owned(),
        clock: clock.clone(),
        master_key: MasterKey::File("master.key".into()),
    }
}

/// Changes something that a backup keeps.
async fn stop(store: &Store, clock: &Clock, service: domain::Service) {
    store.services().save(service, true, clock.now()).await.unwrap();
}

async fn stopped(store: &Store) -> usize {
    store.services().stopped().await.unwrap().len()
}

impl World {
    /// The backup has one stopped service and one file, the directory two and another file.
    async fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let (data, clock) = (place.path().join("data"), Clock::system());
        let store = Store::open(options(&data, &clock)).await.unwrap();
        stop(&store, &clock, domain::Service::SendText).await;
        fs::create_dir(data.join("outgoing")).unwrap();
        fs::write(data.join("outgoing/before"), "before").unwrap();
        let backups = Backups::new(BackupParts {
            store: store.clone(),
            clock: clock.clone(),
            data_dir: data.clone(),
            settings: config::BackupSettings::default(),
            master_key: MasterKey::File("master.key".into()),
            version: "0.1.0",
            at_rest: false,
        });
        let name = backups.begin(AttemptBy::Person).unwrap();
        while backups.get(&name).await.unwrap().state != BackupState::Proven {
            tokio::task::yield_now().await;
        }
        stop(&store, &clock, domain::Service::CreateChat).await;
        fs::rename(data.join("outgoing/before"), data.join("outgoing/after")).unwrap();
        drop(backups);
        store.close().await;
        let backup = data.join("backups").join(name.as_str());
        Self { place, clock, backup }
    }

    fn data(&self) -> PathBuf {
        self.place.path().join("data")
    }

    fn places(&self) -> Places {
        let data_dir = self.data();
        Places { database: data_dir.join("other.db"), backups: data_dir.join("backups"), data_dir }
    }

    fn restore(&self) -> Restore {
        Restore {
            file: self.backup.clone(),
            places: self.places(),
            master_key: MasterKey::File("master.key".into()),
            waiting: Waiting::Hold,
            identity: None,
            clock: self.clock.clone(),
        }
    }

    async fn is_restored(&self) {
        let data = self.data();
        assert!(!data.join(store::RESTORING).exists() && !data.join("restoring.partial").exists());
        assert!(data.join("outgoing/before").exists() && !data.join("outgoing/after").exists());
        let store = Store::open(options(&data, &self.clock)).await.unwrap();
        assert_eq!(stopped(&store).await, 1);
        store.close().await;
        assert!(read_history(&data.join("backups")).unwrap().unwrap().restored.is_some());
        let replaced = replaced(&data);
        assert!(replaced.join("outgoing/after").exists() && replaced.join("other.db").exists());
        // What was there is whole, with its log if it had one.
        fs::copy(data.join("master.key"), replaced.join("master.key")).unwrap();
        fs::set_permissions(
            replaced.join("master.key"),
            fs::metadata(data.join("master.key")).unwrap().permissions(),
        )
        .unwrap();
        let before = Store::open(options(&replaced, &self.clock)).await.unwrap();
        assert_eq!(stopped(&before).await, 2);
        before.close().await;
    }

    async fn is_as_it_was(&self) {
        assert!(self.data().join("outgoing/after").exists());
        let store = Store::open(options(&self.data(), &self.clock)).await.unwrap();
        assert_eq!(stopped(&store).await, 2);
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_sets_the_replaced_files_aside() {
    let world = World::new().await;
    let ready = world.restore().prepare().await.unwrap();
    assert!(ready.replaces && ready.held.is_some());
    // No one else gets in meanwhile.
    let refused = Store::open(options(&world.data(), &world.clock)).await;
    assert!(matches!(refused, Err(OpenError::InUse { .. })));
    let done = ready.put_in_place().await.unwrap();
    assert!(done.replaced.is_some());
    world.is_restored().await;
    assert!(finish(world.places(), &world.clock).await.unwrap().is_none(), "there is nothing to finish");
}

/// Where the previous data is.
fn replaced(data: &Path) -> PathBuf {
    let entries = fs::read_dir(data).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = entries.filter(|path| path.to_string_lossy().contains("/replaced-")).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// Each file's owner, wherever it is.
fn owners(folder: &Path) -> BTreeSet<u32> {
    let mut found = BTreeSet::from([fs::metadata(folder).unwrap().uid()]);
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let metadata = entry.metadata().unwrap();
        found.insert(metadata.uid());
        if metadata.is_dir() {
            found.extend(owners(&entry.path()));
        }
    }
    found
}

/// A service that runs as a user of its own must be able to read what root puts back for it.
#[tokio::test(flavor = "multi_thread")]
async fn all_of_it_belongs_to_the_owner_of_the_directory() {
    let world = World::new().await;
    let data = world.data();
    let service = Some(rustix::fs::Uid::from_raw(12_345));
    // A user who is not root can give nothing away, and all is their own from the first.
    let is_root = rustix::fs::chown(&data, service, None).is_ok();
    for name in
        ["master.key", "other.db", "outgoing", "outgoing/after", "backups", "reserve", "switchboard.lock"]
    {
        let given = rustix::fs::chown(data.join(name), service, None);
        assert!(given.is_ok() == is_root, "{name}: {given:?}");
    }
    let backup = fs::read_dir(data.join("backups")).unwrap().map(|entry| entry.unwrap().path());
    for file in backup {
        let _ = rustix::fs::chown(file, service, None);
    }
    world.restore().prepare().await.unwrap().put_in_place().await.unwrap();
    assert_eq!(owners(&data).len(), 1, "{:?}", owners(&data));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_preparation_changes_no_file() {
    let world = World::new().await;
    drop(world.restore().prepare().await.unwrap());
    assert!(!world.data().join("restoring.partial").exists());
    world.is_as_it_was().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_backup_and_one_of_another_key_change_nothing() {
    let world = World::new().await;
    let whole = fs::read(&world.backup).unwrap();
    let torn = world.place.path().join("torn.tar.gz");
    fs::write(&torn, &whole[..whole.len() - 200]).unwrap();
    let refused = Restore { file: torn, ..world.restore() }.prepare().await.err();
    assert!(matches!(refused, Some(RestoreError::Archive { .. })), "{refused:?}");
    world.is_as_it_was().await;

    let other = MasterKey::Given("07".repeat(32).into());
    let refused = Restore { master_key: other, ..world.restore() }.prepare().await.err();
    assert!(matches!(refused, Some(RestoreError::Open(OpenError::MasterKey(_)))), "{refused:?}");
    let missing =
        Restore { file: world.data().join("backups/none"), ..world.restore() }.prepare().await.err();
    assert!(matches!(missing, Some(RestoreError::Unreadable { .. })), "{missing:?}");
    world.is_as_it_was().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_the_other_kind_changes_nothing() {
    let world = World::new().await;
    let mark = world.data().join("store.json");
    let real = fs::read_to_string(&mark).unwrap();
    fs::write(&mark, real.replace("\"real\"", "\"demo\"")).unwrap();
    let refused = world.restore().prepare().await.err().expect("it is refused");
    assert!(matches!(refused, RestoreError::OtherKind { .. }), "{refused:?}");
    let text = refused.to_string();
    assert!(text.contains("of a store with real customers, and") && text.contains("--data-dir"), "{text}");
    fs::write(&mark, &real).unwrap();
    world.is_as_it_was().await;
    // A damaged mark names no kind, and a restore mends it.
    fs::write(&mark, "damaged").unwrap();
    world.restore().prepare().await.unwrap().put_in_place().await.unwrap();
    assert!(fs::read_to_string(&mark).unwrap().contains("\"real\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_someone_works_on_is_left_alone() {
    let world = World::new().await;
    let store = Store::open(options(&world.data(), &world.clock)).await.unwrap();
    let refused = world.restore().prepare().await.err();
    assert!(matches!(refused, Some(RestoreError::Open(OpenError::InUse { .. }))), "{refused:?}");
    assert_eq!(store.round_trip().await.map(drop), Ok::<_, StoreError>(()));
    store.close().await;
    world.is_as_it_was().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_cut_before_the_marker_can_be_repeated() {
    let world = World::new().await;
    let aside = world.data().join("restoring.partial");
    fs::create_dir_all(aside.join("outgoing")).unwrap();
    fs::write(aside.join("outgoing/half"), "").unwrap();
    world.is_as_it_was().await;
    world.restore().prepare().await.unwrap().put_in_place().await.unwrap();
    world.is_restored().await;
}

/// What a kill after each of its steps leaves is made by hand; the rest is done when it is called again.
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_cut_after_any_step_keeps_the_store_closed() {
    for steps in 0..=5 {
        let world = World::new().await;
        let (data, aside) = (world.data(), world.data().join("restoring.partial"));
        fs::write(data.join("other.db-wal"), "").unwrap();
        let ready = world.restore().prepare().await.unwrap();
        // The marker and no more, as a kill would leave it.
        drop(ready.begin(world.clock.now()).unwrap());
        let replaced = replaced(&data);
        let moves: [&dyn Fn(); 5] = [
            &|| {
                fs::rename(data.join("outgoing"), replaced.join("outgoing")).unwrap();
            },
            &|| fs::rename(aside.join("outgoing"), data.join("outgoing")).unwrap(),
            &|| fs::rename(aside.join("uploads"), data.join("uploads")).unwrap(),
            &|| {
                fs::rename(data.join("other.db-wal"), replaced.join("other.db-wal")).unwrap();
                fs::rename(data.join("other.db"), replaced.join("other.db")).unwrap();
            },
            &|| fs::rename(data.join("other.db.restoring"), data.join("other.db")).unwrap(),
        ];
        moves[..steps].iter().for_each(|step| step());
        let refused = Store::open(options(&data, &world.clock)).await.err().unwrap();
        assert!(refused.to_string().contains("switchboard restore"), "{refused}");
        let looked = store::inspect(&data, "sqlite:other.db", &MasterKey::File("master.key".into()));
        assert!(matches!(looked, Err(OpenError::HalfRestored { .. })), "{looked:?}");
        let done =
            finish(world.places(), &world.clock).await.unwrap().expect("there was something to finish");
        assert_eq!(done.replaced.as_deref(), Some(&*replaced), "after {steps} steps");
        world.is_restored().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_lies_elsewhere_is_put_back_there() {
    let world = World::new().await;
    let (data, elsewhere) = (world.data(), world.place.path().join("elsewhere"));
    fs::create_dir(&elsewhere).unwrap();
    fs::rename(data.join("other.db"), elsewhere.join("other.db")).unwrap();
    let places = Places { database: elsewhere.join("other.db"), ..world.places() };
    Restore { places, ..world.restore() }.prepare().await.unwrap().put_in_place().await.unwrap();
    let mut names: Vec<_> = fs::read_dir(&elsewhere)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(
        names[0] == "other.db" && names[1].starts_with("other.db.replaced-") && names.len() == 2,
        "{names:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_cannot_be_finished_is_not_begun() {
    let world = World::new().await;
    let outgoing = world.data().join("outgoing");
    fs::rename(&outgoing, world.place.path().join("moved")).unwrap();
    std::os::unix::fs::symlink(world.place.path().join("moved"), &outgoing).unwrap();
    let refused = world.restore().prepare().await.unwrap().put_in_place().await.err();
    assert!(matches!(refused, Some(RestoreError::Unmovable { .. })), "{refused:?}");
    world.is_as_it_was().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_marker_with_a_foreign_path_moves_no_file() {
    let world = World::new().await;
    drop(world.restore().prepare().await.unwrap().begin(world.clock.now()).unwrap());
    let sign = world.data().join(store::RESTORING);
    let text = fs::read_to_string(&sign).unwrap();
    let at = text.find("replaced-").unwrap();
    fs::write(&sign, format!("{}../../etc{}", &text[..at], &text[at..])).unwrap();
    let refused = finish(world.places(), &world.clock).await.err();
    assert!(matches!(refused, Some(RestoreError::Unmovable { .. })), "{refused:?}");
    fs::write(&sign, text).unwrap();
    finish(world.places(), &world.clock).await.unwrap().unwrap();
    world.is_restored().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_store_is_another_one_than_the_replaced() {
    let world = World::new().await;
    let database = world.data().join("other.db");
    // The replaced one comes further than the restored one will.
    for _ in 0..5 {
        world.is_as_it_was().await;
    }
    world.restore().prepare().await.unwrap().put_in_place().await.unwrap();
    world.is_restored().await;
    fs::copy(replaced(&world.data()).join("other.db"), &database).unwrap();
    let refused = Store::open(options(&world.data(), &world.clock)).await.err();
    assert!(matches!(refused, Some(OpenError::ForeignDatabase { .. })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_made_while_served_is_not_restored_to_send() {
    let world = World::new().await;
    let refused = Restore { waiting: Waiting::Send, ..world.restore() }.prepare().await.err();
    assert!(matches!(refused, Some(RestoreError::MadeWhileServed)), "{refused:?}");
    world.is_as_it_was().await;
}
