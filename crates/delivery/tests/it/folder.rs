//! What a delivery under test stands on: a store in a folder, opened again and again as after a crash, and the time, ids
//! and chance of the system.

use std::path::Path;

use ambient::{Chance, Clock, Ids};
use delivery::Ambient;
use store::{MasterKey, Store, StoreOptions};

/// The store in this folder.
pub(crate) async fn store(folder: &Path, clock: &Clock) -> Store {
    let options = StoreOptions {
        data_dir: folder.join("data"),
        url: "sqlite:switchboard.db".into(),
        clock: clock.clone(),
        master_key: MasterKey::File(folder.join("master.key")),
    };
    Store::open(options).await.expect("opens")
}

/// What stands beside it.
pub(crate) fn ambient(clock: &Clock) -> Ambient {
    Ambient { ids: Ids::new(clock.clone()), chance: Chance::from_system(), clock: clock.clone() }
}
