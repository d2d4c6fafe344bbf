//! Looking at a store that is not in use: what is wrong is reported, and nothing is changed by it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use store::{MasterKey, MasterKeyError, OpenError, StoreInspection, inspect};

use crate::support::World;

fn looked(world: &World) -> Result<Option<StoreInspection>, OpenError> {
    inspect(&world.dir.path().join("data"), "sqlite:switchboard.db", &MasterKey::File("master.key".into()))
}

fn all_files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}

#[tokio::test]
async fn a_store_at_rest_is_shown_and_left_as_it_was() {
    let world = World::fresh().await;
    world.queued(1).await;
    assert!(matches!(looked(&world), Err(OpenError::InUse { holder: Some(_), .. })));
    world.store.clone().close().await;
    let folder = world.dir.path().join("data");
    let before = all_files(&folder);
    let shown = looked(&world).unwrap().unwrap();
    assert_eq!((shown.schema, shown.checked), (shown.known, true));
    assert!(shown.database_bytes > 4096 && shown.written_at.is_some());
    assert_eq!(all_files(&folder), before);
    world.open_again().await.unwrap();
}

#[tokio::test]
async fn a_killed_store_is_shown_with_its_log() {
    let world = World::fresh().await;
    world.queued(1).await;
    // What a process that is killed leaves behind.
    let killed = tempfile::tempdir().unwrap();
    for name in ["switchboard.db", "switchboard.db-wal", "master.key"] {
        fs::copy(world.dir.path().join("data").join(name), killed.path().join(name)).unwrap();
    }
    let shown = inspect(killed.path(), "sqlite:switchboard.db", &MasterKey::File("master.key".into()));
    assert!(shown.unwrap().unwrap().log_bytes > 0);
}

#[tokio::test]
async fn a_store_that_would_not_open_is_reported() {
    let world = World::fresh().await;
    world.store.clone().close().await;
    let folder = world.dir.path().join("data");
    let other = inspect(&folder, "sqlite:switchboard.db", &MasterKey::Given("07".repeat(32).into()));
    assert!(matches!(other, Err(OpenError::MasterKey(MasterKeyError::Wrong { .. }))), "{other:?}");
    fs::rename(folder.join("master.key"), folder.join("moved")).unwrap();
    assert!(matches!(looked(&world), Err(OpenError::MasterKey(MasterKeyError::Missing { .. }))));
    assert!(!folder.join("master.key").exists(), "none is made");
    fs::rename(folder.join("moved"), folder.join("master.key")).unwrap();
    rusqlite::Connection::open(folder.join("switchboard.db"))
        .unwrap()
        .execute("INSERT INTO schema_migrations VALUES (999, 'later', 0)", [])
        .unwrap();
    assert!(matches!(looked(&world), Err(OpenError::Newer { found: 999, .. })));
    fs::write(folder.join("switchboard.db"), vec![b'x'; 8192]).unwrap();
    assert!(matches!(looked(&world), Err(OpenError::Corrupt { .. })));
    let nothing = tempfile::tempdir().unwrap();
    assert_eq!(inspect(nothing.path(), "sqlite:x.db", &MasterKey::File("k".into())).unwrap(), None);
    assert_eq!(fs::read_dir(nothing.path()).unwrap().count(), 0);
}
