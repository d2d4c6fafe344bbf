//! A store with its backups, a clock, and a place for copies.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ambient::Clock;
use backup::{
    AttemptBy, BackupName, BackupParts, BackupState, BackupStatus, Backups, CopiesView, read_history,
};
use config::{BackupCopySettings, BackupSettings};
use domain::Service;
use store::{MasterKey, Store, StoreOptions};
use tempfile::TempDir;

pub(crate) const HOUR: Duration = Duration::from_hours(1);

pub(crate) struct World {
    pub(crate) place: TempDir,
    pub(crate) clock: Clock,
    pub(crate) backups: Backups,
    pub(crate) store: Store,
}

/// Settings under which nothing is made by itself.
pub(crate) fn by_hand(copy: BackupCopySettings) -> BackupSettings {
    let never = Duration::ZERO;
    BackupSettings { every: never, drill_every: never, copy, ..BackupSettings::default() }
}

impl World {
    pub(crate) async fn new(settings: impl FnOnce(&Path) -> BackupSettings) -> Self {
        let place = tempfile::tempdir().expect("a folder");
        let (data_dir, clock) = (place.path().join("data"), Clock::system());
        let options = StoreOptions {
            data_dir: data_dir.clone(),
            url: "sqlite:switchboard.db".to_owned(),
            clock: clock.clone(),
            master_key: MasterKey::File("master.key".into()),
        };
        let store = Store::open(options).await.expect("opens");
        store.services().save(Service::SendText, true, clock.now()).await.expect("writes");
        fs::create_dir(data_dir.join("outgoing")).expect("a folder");
        fs::write(data_dir.join("outgoing/01a"), "a picture").expect("written");
        let backups = Backups::new(BackupParts {
            store: store.clone(),
            clock: clock.clone(),
            data_dir,
            settings: settings(place.path()),
            master_key: MasterKey::File("master.key".into()),
            version: "0.1.0",
            at_rest: false,
        });
        Self { place, clock, backups, store }
    }

    /// A folder for copies.
    pub(crate) fn elsewhere(place: &Path) -> PathBuf {
        let folder = place.join("elsewhere");
        fs::create_dir(&folder).expect("a folder");
        folder
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.place.path().join("data/backups")
    }

    pub(crate) fn master_key(&self) -> MasterKey {
        MasterKey::File(self.place.path().join("data/master.key"))
    }

    /// Makes one, and waits until it was tried.
    pub(crate) async fn made(&self) -> BackupName {
        let name = loop {
            match self.backups.begin(AttemptBy::Person) {
                Ok(name) => break name,
                Err(_) => tokio::time::sleep(Duration::from_millis(2)).await,
            }
        };
        self.until("it is proven", |now| {
            now.backups.iter().any(|one| one.name == name && one.state == BackupState::Proven)
        })
        .await;
        name
    }

    /// Waits until it is so.
    pub(crate) async fn until(&self, what: &str, is_so: impl Fn(&BackupStatus) -> bool) -> BackupStatus {
        let waiting = async {
            loop {
                let status = self.backups.status().await.expect("is known");
                if is_so(&status) {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), waiting)
            .await
            .unwrap_or_else(|_| panic!("never: {what}"))
    }

    /// The same while time goes by.
    pub(crate) async fn until_later(
        &self,
        what: &str,
        is_so: impl Fn(&BackupStatus) -> bool,
    ) -> BackupStatus {
        let passing = async {
            loop {
                tokio::time::sleep(Duration::from_millis(5)).await;
                self.clock.advance(Duration::from_mins(1));
            }
        };
        tokio::select! {
            status = self.until(what, is_so) => status,
            () = passing => unreachable!("time never ends"),
        }
    }

    /// Waits until so many copies are there and the last attempt came to be.
    pub(crate) async fn copied(&self, name: &BackupName) -> CopiesView {
        let is_copied = |now: &BackupStatus| {
            let last = now.copies.as_ref().and_then(|copies| copies.last.as_ref());
            last.is_some_and(|last| last.name == *name)
        };
        let status = self.until_later("it is copied", is_copied).await;
        status.copies.expect("there are copies")
    }

    /// Ends it; returns the history as it is then.
    pub(crate) async fn ended(&self) -> backup::History {
        self.backups.stop(Duration::from_mins(1)).await;
        read_history(&self.folder()).expect("reads").expect("a history")
    }
}

/// The names in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect();
    // It takes the place of the history a moment later.
    names.retain(|name| name != "history.json.new");
    names.sort();
    names
}
