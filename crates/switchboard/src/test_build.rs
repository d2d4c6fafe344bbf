//! A test build runs only on data that it made itself; a release build runs on any.

#[cfg(feature = "testing")]
pub(crate) use made::{begin, check, mark};
#[cfg(not(feature = "testing"))]
pub(crate) use release::{begin, check, mark};

#[cfg(not(feature = "testing"))]
mod release {
    //! Nothing to check in a release build.

    /// Release builds have no points to stop at.
    pub(crate) const fn begin() {}

    /// Release builds run on any data directory.
    #[expect(clippy::unnecessary_wraps, reason = "the same signature as in test builds")]
    pub(crate) fn check(_: &std::path::Path) -> anyhow::Result<()> {
        Ok(())
    }

    /// Release builds leave no mark.
    #[expect(clippy::unnecessary_wraps, reason = "the same signature as in test builds")]
    pub(crate) fn mark(_: &std::path::Path) -> anyhow::Result<()> {
        Ok(())
    }
}

#[cfg(feature = "testing")]
mod made {
    //! A test build runs only on data it made itself.

    use std::path::Path;

    /// A command that no server runs for is stopped at a point by its environment.
    pub(crate) fn begin() {
        failpoint::testing::arm_by_environment();
    }

    /// The mark a test build leaves in its data directory.
    const MARK: &str = "made-by-a-test-build";

    /// Refuses a data directory of a real installation.
    pub(crate) fn check(data_dir: &Path) -> anyhow::Result<()> {
        let mark = data_dir.join(MARK);
        anyhow::ensure!(
            !data_dir.join("switchboard.db").exists() || mark.exists(),
            "{} was not made by a test build; this binary has the feature `testing` and refuses it",
            data_dir.display()
        );
        Ok(())
    }

    pub(crate) fn mark(data_dir: &Path) -> anyhow::Result<()> {
        Ok(std::fs::write(data_dir.join(MARK), "")?)
    }
}
