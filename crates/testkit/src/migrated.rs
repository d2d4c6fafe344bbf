//! The database of a store that was never used. All programs of a test run start with a copy: to make it is most of what a first
//! start costs.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::OnceLock;
use std::thread;

use ambient::Clock;
use rusqlite::Connection;
use store::{MasterKey, Store, StoreOptions};

use crate::shared;

/// For tests outside a run, which share it with those of their process.
static MADE: OnceLock<Vec<u8>> = OnceLock::new();

/// Makes a data directory with a copy of it in it.
pub(crate) fn put_into(data_dir: &Path) {
    // The caller may be in a runtime.
    let make = || thread::scope(|scope| scope.spawn(make).join().expect("it does not panic"));
    let database = MADE.get_or_init(|| shared("migrated", make));
    DirBuilder::new().recursive(true).mode(0o700).create(data_dir).expect("a folder");
    // Without it a test build takes the directory for a real one.
    fs::write(data_dir.join("made-by-a-test-build"), "").expect("writes");
    let file = data_dir.join("switchboard.db");
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    opened.and_then(|mut file| file.write_all(database)).expect("writes");
}

fn make() -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("switchboard.db");
    let options = StoreOptions {
        data_dir: folder.path().to_owned(),
        url: "sqlite:switchboard.db".to_owned(),
        clock: Clock::system(),
        master_key: MasterKey::File("master.key".into()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { Store::open(options).await.expect("opens").close().await });
    let database = Connection::open(&file).expect("opens");
    // Each store has an identity and a master key of its own.
    database.execute("DELETE FROM store_facts", []).expect("deleted");
    database.close().expect("closes");
    fs::read(file).expect("reads")
}
