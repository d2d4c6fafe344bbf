//! What a delivery under test works on: a store, opened again and again as after a crash, and the time, ids and chance of
//! the system.

use std::path::Path;

use ambient::{Chance, Clock, Ids};
use delivery::Ambient;
use store::{MasterKey, Store, StoreOptions};
use tempfile::TempDir;
use testkit::postgres::Database;

/// A folder for a store, and its database where that is not a file in the folder.
pub(crate) struct Folder {
    dir: TempDir,
    postgres: Option<Database>,
}

impl Folder {
    pub(crate) fn on_sqlite() -> Self {
        Self { dir: tempfile::tempdir().expect("a folder"), postgres: None }
    }

    pub(crate) async fn on_postgres() -> Self {
        let database = Database::migrated(async |url| {
            let folder = Self::on_sqlite();
            let options = StoreOptions { url, ..folder.options(&Clock::system()) };
            Store::open(options).await.expect("opens").close().await;
        });
        Self { postgres: Some(database.await), ..Self::on_sqlite() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The store in this folder.
    pub(crate) async fn store(&self, clock: &Clock) -> Store {
        if let Some(database) = &self.postgres {
            database.end_lease();
        }
        Store::open(self.options(clock)).await.expect("opens")
    }

    fn options(&self, clock: &Clock) -> StoreOptions {
        StoreOptions {
            data_dir: self.path().join("data"),
            url: self.postgres.as_ref().map_or_else(|| "sqlite:switchboard.db".into(), Database::url),
            clock: clock.clone(),
            master_key: MasterKey::File(self.path().join("master.key")),
        }
    }
}

/// What it needs beside the store.
pub(crate) fn ambient(clock: &Clock) -> Ambient {
    Ambient { ids: Ids::new(clock.clone()), chance: Chance::from_system(), clock: clock.clone() }
}
