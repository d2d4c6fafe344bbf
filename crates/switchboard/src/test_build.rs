//! A test build runs only on data that it made itself; a release build runs on any.

use std::path::Path;

/// The mark that a test build leaves in its data directory.
const MARK: &str = "made-by-a-test-build";

/// Lets the environment name a failpoint for a command without a server, in a test build.
pub(crate) fn begin() {
    #[cfg(feature = "testing")]
    failpoint::testing::arm_by_environment();
}

/// The environment of the program; none where it runs in the process of a test.
pub(crate) fn environment() -> std::env::VarsOs {
    #[cfg(feature = "testing")]
    if IS_WITHIN_TEST.load(std::sync::atomic::Ordering::Relaxed) {
        let mut all = std::env::vars_os();
        all.by_ref().for_each(drop);
        return all;
    }
    std::env::vars_os()
}

/// Whether the program runs in the process of a test.
#[cfg(feature = "testing")]
pub(crate) static IS_WITHIN_TEST: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// In a test build, refuses the data directory of a real installation.
pub(crate) fn check(data_dir: &Path) -> anyhow::Result<()> {
    anyhow::ensure!(
        !cfg!(feature = "testing")
            || !data_dir.join("switchboard.db").exists()
            || data_dir.join(MARK).exists(),
        "{} was not made by a test build; this binary has the feature `testing` and refuses it",
        data_dir.display()
    );
    Ok(())
}

/// In a test build, marks the data directory.
pub(crate) fn mark(data_dir: &Path) -> anyhow::Result<()> {
    if cfg!(feature = "testing") {
        std::fs::write(data_dir.join(MARK), "")?;
    }
    Ok(())
}
