//! systemd's own reader of units: tests hold ours against it.

use std::process::Command;

use anyhow::{Result, bail};

use crate::program;

/// `systemd-analyze`: there, or installed from the system's packages when we may. Nothing is started by it.
pub(crate) fn ensure_analyzer() -> Result<()> {
    if is_there() {
        return Ok(());
    }
    let root = program::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim_ascii() == b"0");
    if !root || !program::is_fine(Command::new("apt-get").arg("--version")) {
        bail!("`systemd-analyze` is needed (on Debian: `apt-get install --no-install-recommends systemd`)");
    }
    program::run(Command::new("apt-get").args(["update", "--quiet=2"]))?;
    program::run(Command::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive").args([
        "install",
        "--quiet=2",
        "--yes",
        "--no-install-recommends",
        "systemd",
    ]))?;
    if is_there() { Ok(()) } else { bail!("systemd is installed and `systemd-analyze` still cannot be run") }
}

fn is_there() -> bool {
    program::is_fine(Command::new("systemd-analyze").arg("--version"))
}
