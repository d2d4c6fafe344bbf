//! Backups over a real store: made, tried, kept by number, broken off.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use ambient::Clock;
use config::BackupSettings;
use store::{MasterKey, Store, StoreOptions};
use tempfile::TempDir;

use super::{
    AttemptBy, BackupError, BackupName, BackupParts, BackupState, BackupView, Backups, read_history,
};

const DAY: Duration = Duration::from_hours(24);

struct World {
    place: TempDir,
    store: Store,
    clock: Clock,
    backups: Backups,
}

impl World {
    async fn new(settings: BackupSettings) -> Self {
        let place = tempfile::tempdir().unwrap();
        let clock = Clock::system();
        let options = StoreOptions {
            data_dir: place.path().join("data"),
            url: "sqlite:other.db".to_owned(),
            clock: clock.clone(),
            master_key: MasterKey::File("master.key".into()),
        };
        let store = Store::open(options).await.unwrap();
        fs::create_dir(place.path().join("data/outgoing")).unwrap();
        fs::write(place.path().join("data/outgoing/01a"), "a picture").unwrap();
        let parts = BackupParts {
            store: store.clone(),
            clock: clock.clone(),
            data_dir: place.path().join("data"),
            settings,
            master_key: MasterKey::File("master.key".into()),
            version: "0.1.0",
            at_rest: false,
        };
        Self { backups: Backups::new(parts), place, store, clock }
    }

    fn folder(&self) -> PathBuf {
        self.place.path().join("data/backups")
    }

    /// Until nothing is done any more.
    async fn rest(&self) -> Vec<BackupView> {
        tokio::time::timeout(Duration::from_mins(1), self.resting()).await.expect("it ends")
    }

    async fn resting(&self) -> Vec<BackupView> {
        loop {
            let backups = self.backups.status().await.unwrap().backups;
            let at_work =
                |view: &BackupView| matches!(view.state, BackupState::Making | BackupState::Proving);
            if !backups.iter().any(at_work) {
                return backups;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    async fn made(&self) -> BackupView {
        let name = self.backups.begin(AttemptBy::Person).unwrap();
        let mut all = self.rest().await;
        all.retain(|view| view.name == name);
        all.pop().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_made_tried_and_for_its_owner_alone() {
    let world = World::new(BackupSettings::default()).await;
    let made = world.made().await;
    assert_eq!((made.state, made.wrong), (BackupState::Proven, None));
    let rights = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(rights(world.folder()), 0o700);
    assert_eq!(rights(world.folder().join(made.name.as_str())), 0o600);
    let mut names: Vec<_> = fs::read_dir(world.folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["history.json", made.name.as_str()], "nothing else is left");
    // Any system can look into it.
    let listed = std::process::Command::new("tar")
        .arg("-tzf")
        .arg(world.folder().join(made.name.as_str()))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&listed.stdout), "switchboard.db\noutgoing/01a\nmanifest.json\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_gets_the_whole_backup_and_no_other_file() {
    let world = World::new(BackupSettings::default()).await;
    let made = world.made().await;
    let file = world.folder().join(made.name.as_str());
    let whole = fs::read(&file).unwrap();
    let (mut opened, bytes) = world.backups.open(&made.name).await.unwrap();
    assert_eq!(Some(bytes), made.bytes);
    fs::remove_file(&file).unwrap();
    let mut read = Vec::new();
    opened.read_to_end(&mut read).unwrap();
    assert!(read == whole, "{} of {} bytes", read.len(), whole.len());
    for in_its_place in [false, true] {
        if in_its_place {
            fs::create_dir(&file).unwrap();
        }
        assert!(matches!(world.backups.open(&made.name).await, Err(BackupError::Unknown { .. })));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_one_backup_is_made_at_a_time() {
    let world = World::new(BackupSettings::default()).await;
    let name = world.backups.begin(AttemptBy::Person).unwrap();
    assert!(matches!(world.backups.begin(AttemptBy::Person), Err(BackupError::Busy)));
    world.rest().await;
    let unknown = BackupName::of(world.clock.now().plus(DAY));
    assert!(matches!(world.backups.check(unknown).await, Err(BackupError::Unknown { .. })));
    world.backups.check(name).await.unwrap();
    assert_eq!(world.rest().await[0].state, BackupState::Proven);
    world.backups.stop(Duration::from_secs(10)).await;
    assert!(matches!(world.backups.begin(AttemptBy::Person), Err(BackupError::Stopping)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_backup_is_reported_as_broken() {
    let world = World::new(BackupSettings::default()).await;
    let made = world.made().await;
    let file = world.folder().join(made.name.as_str());
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    world.backups.check(made.name.clone()).await.unwrap();
    let broken = world.rest().await.remove(0);
    assert_eq!((broken.state, broken.proven_at), (BackupState::Broken, None));
    assert!(broken.wrong.unwrap().contains("not whole"));
    let history = read_history(&world.folder()).unwrap().unwrap();
    assert_eq!(history.proven().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_another_master_key_is_broken_here() {
    let (world, other) =
        (World::new(BackupSettings::default()).await, World::new(BackupSettings::default()).await);
    world.made().await;
    let foreign = other.made().await;
    fs::copy(other.folder().join(foreign.name.as_str()), world.folder().join(foreign.name.as_str())).unwrap();
    world.backups.check(foreign.name.clone()).await.unwrap();
    let tried = world.rest().await.into_iter().find(|view| view.name == foreign.name).unwrap();
    assert_eq!(tried.state, BackupState::Broken);
    assert!(tried.wrong.unwrap().contains("master key"));
}

/// Nothing can be written there, and what became of it is known all the same: neither is it tried without end, nor never.
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_made_is_tried_again_each_hour() {
    let settings = BackupSettings { folder: "file/backups".into(), ..BackupSettings::default() };
    let world = World::new(settings).await;
    fs::write(world.place.path().join("data/file"), "is in its way").unwrap();
    let (backups, clock) = (world.backups.clone(), world.clock.clone());
    backups.start();
    let attempts = || backups.cached_history().as_ref().map_or(0, |history| history.attempts.len());
    let failing = async {
        while attempts() == 0 {
            clock.advance(Duration::from_mins(1));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), failing).await.expect("it is tried");
    let last = || backups.cached_history().clone().unwrap().attempts[0].clone();
    let first = last();
    assert!(first.came.unwrap_err().contains("backup.folder"));
    let again = async {
        while last().at == first.at {
            clock.advance(Duration::from_mins(1));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), again).await.expect("it is tried again");
    assert!(last().at.since(first.at) >= Duration::from_hours(1), "not without end");
    backups.stop(Duration::from_mins(1)).await;
}

/// A clock that ran ahead for a while names files of the future; they neither end the schedule nor push out what is made now.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_ran_ahead_does_not_end_it() {
    let world = World::new(BackupSettings { keep: 1, ..BackupSettings::default() }).await;
    world.clock.advance(400 * DAY);
    let ahead = world.made().await;
    world.clock.set_back(400 * DAY);
    world.backups.start();
    let now = async {
        loop {
            let there = world.resting().await;
            if there.iter().any(|view| view.name < ahead.name && view.state == BackupState::Proven) {
                break;
            }
            world.clock.advance(Duration::from_secs(20));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), now).await.expect("one of now is made and stays");
    world.backups.stop(Duration::from_mins(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_are_made_when_due_and_pruned_to_the_limit() {
    let world = World::new(BackupSettings { every: DAY, keep: 2, ..BackupSettings::default() }).await;
    world.backups.start();
    for count in 1..=4 {
        let before = newest(&world).await;
        while newest(&world).await == before {
            world.clock.advance(Duration::from_hours(1));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let there = world.rest().await;
        assert!(there.iter().all(|view| view.state == BackupState::Proven), "{there:?}");
        assert_eq!(there.len().min(2), count.min(2));
    }
    // The last one's surplus may still be on its way out.
    while fs::read_dir(world.folder()).unwrap().count() > 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.backups.stop(Duration::from_secs(10)).await;
    world.store.clone().close().await;
}

async fn newest(world: &World) -> Option<BackupName> {
    world.backups.status().await.unwrap().backups.first().map(|view| view.name.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_leaves_no_half_of_a_backup() {
    let world = World::new(BackupSettings::default()).await;
    // More than is copied in a moment.
    for _ in 0..40 {
        fs::write(world.place.path().join(format!("data/outgoing/{}", rand_name())), vec![7; 400_000])
            .unwrap();
    }
    world.backups.begin(AttemptBy::Person).unwrap();
    world.backups.stop(Duration::from_mins(1)).await;
    let is_part = |entry: io::Result<fs::DirEntry>| {
        entry.is_ok_and(|entry| entry.path().to_string_lossy().contains(".partial"))
    };
    // The thread that copies the database may be a moment behind.
    let gone = async {
        while fs::read_dir(world.folder()).is_ok_and(|mut entries| entries.any(is_part)) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), gone).await.unwrap();
}

fn rand_name() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("file-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
