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

/// More than all tests of a program keep at a time, in bytes.
const ENOUGH: u64 = 4 << 30;

/// A folder that is removed with all that it holds.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// A folder in memory; `None` where there is not enough of it, or a folder is named already.
    pub(super) fn in_memory() -> Result<Option<Self>> {
        let free = rustix::fs::statvfs(MEMORY).map_or(0, |stat| stat.f_bavail * stat.f_frsize);
        if env::var_os("TMPDIR").is_some() || free < ENOUGH {
            return Ok(None);
        }
        let folder = Path::new(MEMORY).join(format!("switchboard-tests-{}", process::id()));
        fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let scratch = Self(folder);
        // As the system's own folder: a database server has a user of its own.
        fs::set_permissions(scratch.path(), Permissions::from_mode(0o1777))?;
        Ok(Some(scratch))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        leftovers::end(&self.0);
        let _ = fs::remove_dir_all(&self.0);
    }
}
