//! systemd's own reader of units: tests hold ours against it.

use std::process::Command;

use crate::program;
use crate::system_packages::Wanted;

/// `systemd-analyze`. Nothing is started by it.
pub(crate) const ANALYZER: Wanted = Wanted {
    name: "`systemd-analyze`",
    packages: &["systemd"],
    is_there: || program::is_fine(Command::new("systemd-analyze").arg("--version")),
};
