//! Where tests keep their files: in memory, where the machine has room for them.
//!
//! Tests kill our programs, never the machine, so that none of their files has to outlast a power cut; a disk that other
//! programs write to answers a wait for it after seconds.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::{env, fs, process};

use anyhow::{Context, Result};

use super::leftovers;

const MEMORY: &str = "/dev/shm";

/// More than all tests keep at a time, in bytes.
const ENOUGH: u64 = 4 << 30;

/// A folder that is removed with all that it holds.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// A folder in memory, or among the system's temporary files if these have a place of their own or memory is short.
    pub(super) fn new() -> Result<Self> {
        let free = rustix::fs::statvfs(MEMORY).map_or(0, |stat| stat.f_bavail * stat.f_frsize);
        let is_named = env::var_os(leftovers::SCRATCH).is_some();
        let parent = if is_named || free < ENOUGH { env::temp_dir() } else { MEMORY.into() };
        let scratch = Self(parent.join(format!("switchboard-tests-{}", process::id())));
        fs::create_dir_all(shared(scratch.path()))
            .with_context(|| format!("cannot make {}", scratch.path().display()))?;
        // As the system's own folder: a database server has a user of its own.
        fs::set_permissions(scratch.path(), Permissions::from_mode(0o1777))?;
        Ok(scratch)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn shared(&self) -> PathBuf {
        shared(&self.0)
    }
}

/// The folder in it for what tests share.
pub(super) fn shared(scratch: &Path) -> PathBuf {
    scratch.join("shared")
}

impl Drop for Scratch {
    fn drop(&mut self) {
        leftovers::end(&self.0);
        let _ = fs::remove_dir_all(&self.0);
    }
}
