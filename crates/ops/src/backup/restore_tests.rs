//! A data directory put back from a backup: wholly, or not at all, whatever breaks it off.

use std::fs;
use std::path::{Path, PathBuf};

use ambient::Clock;
use store::{MasterKey, OpenError, Store, StoreError, StoreOptions};
use tempfile::TempDir;

use super::restore::RestoreError;
use super::{AttemptBy, BackupParts, BackupState, Backups, Restore, Waiting, finish, read_history};

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
async fn stop(store: &Store, clock: &Clock, service: domain::Purpose) {
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
        stop(&store, &clock, domain::Purpose::SendText).await;
        fs::create_dir(data.join("outgoing")).unwrap();
        fs::write(data.join("outgoing/before"), "before").unwrap();
        let backups = Backups::new(BackupParts {
            store: store.clone(),
            clock: clock.clone(),
            data_dir: data.clone(),
            settings: config::BackupSettings::default(),
            version: "0.1.0",
        });
        let name = backups.begin(AttemptBy::Person).unwrap();
        while backups.get(&name).await.unwrap().state != BackupState::Proven {
            tokio::task::yield_now().await;
        }
        stop(&store, &clock, domain::Purpose::CreateChat).await;
        fs::rename(data.join("outgoing/before"), data.join("outgoing/after")).unwrap();
        drop(backups);
        store.close().await;
        let backup = data.join("backups").join(name.as_str());
        Self { place, clock, backup }
    }

    fn data(&self) -> PathBuf {
        self.place.path().join("data")
    }

    fn restore(&self) -> Restore {
        Restore {
            file: self.backup.clone(),
            data_dir: self.data(),
            database: self.data().join("other.db"),
            backups: self.data().join("backups"),
            master_key: MasterKey::File("master.key".into()),
            waiting: Waiting::Hold,
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
        let replaced = fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path());
        let replaced: Vec<_> =
            replaced.filter(|path| path.to_string_lossy().contains("/replaced-")).collect();
        assert_eq!(replaced.len(), 1, "{replaced:?}");
        assert!(replaced[0].join("outgoing/after").exists() && replaced[0].join("other.db").exists());
        // What was there is whole, with its log if it had one.
        fs::copy(data.join("master.key"), replaced[0].join("master.key")).unwrap();
        fs::set_permissions(
            replaced[0].join("master.key"),
            fs::metadata(data.join("master.key")).unwrap().permissions(),
        )
        .unwrap();
        let before = Store::open(options(&replaced[0], &self.clock)).await.unwrap();
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
async fn it_is_put_back_and_what_was_there_is_kept() {
    let world = World::new().await;
    let ready = world.restore().prepare().await.unwrap();
    assert!(ready.replaces && ready.held.is_some());
    // Nobody else gets in meanwhile.
    let refused = Store::open(options(&world.data(), &world.clock)).await;
    assert!(matches!(refused, Err(OpenError::InUse { .. })));
    let done = ready.put_in_place().await.unwrap();
    assert!(done.replaced.is_some());
    world.is_restored().await;
    assert!(finish(&world.data(), &world.clock).await.unwrap().is_none(), "there is nothing to finish");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_only_looks_changes_nothing() {
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
async fn a_directory_that_somebody_works_on_is_left_alone() {
    let world = World::new().await;
    let store = Store::open(options(&world.data(), &world.clock)).await.unwrap();
    let refused = world.restore().prepare().await.err();
    assert!(matches!(refused, Some(RestoreError::Open(OpenError::InUse { .. }))), "{refused:?}");
    assert_eq!(store.round_trip().await.map(drop), Ok::<_, StoreError>(()));
    store.close().await;
    world.is_as_it_was().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_off_before_the_marker_all_is_as_it_was_and_it_can_be_done_again() {
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
async fn broken_off_after_any_step_no_store_opens_until_it_is_finished() {
    for steps in 0..=5 {
        let world = World::new().await;
        let (data, aside) = (world.data(), world.data().join("restoring.partial"));
        fs::write(data.join("other.db-wal"), "").unwrap();
        let ready = world.restore().prepare().await.unwrap();
        let marker = ready.begin_and_die();
        let replaced = data.join(marker);
        let moves: [&dyn Fn(); 5] = [
            &|| {
                fs::create_dir(&replaced).unwrap();
                fs::rename(data.join("outgoing"), replaced.join("outgoing")).unwrap();
            },
            &|| fs::rename(aside.join("outgoing"), data.join("outgoing")).unwrap(),
            &|| fs::rename(aside.join("uploads"), data.join("uploads")).unwrap(),
            &|| {
                fs::rename(data.join("other.db-wal"), replaced.join("other.db-wal")).unwrap();
                fs::rename(data.join("other.db"), replaced.join("other.db")).unwrap();
            },
            &|| fs::rename(aside.join("switchboard.db"), data.join("other.db")).unwrap(),
        ];
        moves[..steps].iter().for_each(|step| step());
        let refused = Store::open(options(&data, &world.clock)).await.err().unwrap();
        assert!(refused.to_string().contains("switchboard restore"), "{refused}");
        let looked = store::look(&data, "sqlite:other.db", &MasterKey::File("master.key".into()));
        assert!(matches!(looked, Err(OpenError::HalfRestored { .. })), "{looked:?}");
        let done = finish(&data, &world.clock).await.unwrap().expect("there was something to finish");
        assert_eq!(done.replaced.as_deref(), Some(&*replaced), "after {steps} steps");
        world.is_restored().await;
    }
}
