//! Programs from the system's packages: there, or installed when we may.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, bail};

use crate::program;

/// Whether this run has fetched the lists of packages.
static UPDATED: AtomicBool = AtomicBool::new(false);

/// What a test or a check runs that is not Rust.
pub(crate) struct Wanted {
    /// What it is called in messages.
    pub(crate) name: &'static str,
    /// The packages of Debian that bring it.
    pub(crate) packages: &'static [&'static str],
    /// Whether it can be used.
    pub(crate) is_there: fn() -> bool,
}

impl Wanted {
    /// Makes sure that it can be used.
    pub(crate) fn ensure(&self) -> Result<()> {
        if (self.is_there)() {
            return Ok(());
        }
        let Self { name, packages, .. } = self;
        if !may_install() {
            bail!(
                "{name} is needed (on Debian: `apt-get install --no-install-recommends {}`)",
                packages.join(" ")
            );
        }
        if !UPDATED.swap(true, Ordering::Relaxed) {
            program::run(Command::new("apt-get").args(["update", "--quiet=2"]))?;
        }
        let mut install = Command::new("apt-get");
        install.env("DEBIAN_FRONTEND", "noninteractive");
        install.args(["install", "--quiet=2", "--yes", "--no-install-recommends"]).args(*packages);
        program::run(&mut install)?;
        if (self.is_there)() {
            Ok(())
        } else {
            bail!("{} installed and {name} still cannot be used", packages.join(" "))
        }
    }
}

fn may_install() -> bool {
    let root = program::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim_ascii() == b"0");
    root && program::is_fine(Command::new("apt-get").arg("--version"))
}
