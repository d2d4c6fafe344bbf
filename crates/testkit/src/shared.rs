//! What the tests of a run make once and share, although each test is a process of its own.

use std::fs::{self, File};
use std::path::PathBuf;

/// Names the folder of the run; `cargo xtask test` sets it.
const FOLDER: &str = "SWITCHBOARD_TEST_SHARED";

/// The folder of the run, if there is one.
pub(crate) fn folder() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

/// A file that the first test of the run writes. No other test reads it before this is dropped.
pub(crate) struct Shared {
    file: PathBuf,
    _lock: File,
}

impl Shared {
    /// Waits until no other test has it. `None` outside a run.
    pub(crate) fn lock(name: &str) -> Option<Self> {
        let folder = folder()?;
        let lock = File::create(folder.join(name).with_extension("lock")).expect("the folder of the run");
        lock.lock().expect("a lock");
        Some(Self { file: folder.join(name), _lock: lock })
    }

    pub(crate) fn found(&self) -> Option<Vec<u8>> {
        fs::read(&self.file).ok()
    }

    /// A test that is killed meanwhile leaves no half of it.
    pub(crate) fn keep(&self, made: &[u8]) {
        let part = self.file.with_extension("part");
        fs::write(&part, made).and_then(|()| fs::rename(&part, &self.file)).expect("the folder of the run");
    }
}

/// Returns what the first test of the run made under this name, which has no extension. Outside a run, makes it.
pub fn shared(name: &str, make: impl FnOnce() -> Vec<u8>) -> Vec<u8> {
    let Some(shared) = Shared::lock(name) else { return make() };
    shared.found().unwrap_or_else(|| {
        let bytes = make();
        shared.keep(&bytes);
        bytes
    })
}
