//! The machine as Linux shows it in files: processes, sockets, open files, control groups, unit files, the journal. Only
//! read, never changed. All of it blocks on the disk; call it off the async threads.

mod bounded;
mod command_line;
mod control_group;
mod holder;
mod journal;
#[cfg(any(test, feature = "testing"))]
pub mod made_up;
mod proc_stat;
mod process;
mod snapshot;
mod sockets;
mod unit_file;

use std::path::{Path, PathBuf};

pub use bounded::read_text;
pub use command_line::{is_python, script, shown};
pub use control_group::{MemoryLimit, memory_limit};
pub use holder::{Holder, holder};
pub use journal::Journal;
pub use journal::{Entry, Event};
pub use process::{Process, resident};
pub use snapshot::Snapshot;
pub use unit_file::{Unit, units};

/// Where the machine's files are: `/` and `/proc`, unless a copy is looked at.
#[derive(Debug, Clone)]
pub struct Root {
    /// The root of the file system: below it are `etc/systemd/system` and `sys/fs/cgroup`.
    pub files: PathBuf,
    /// Where the kernel shows the processes.
    pub processes: PathBuf,
}

impl Default for Root {
    fn default() -> Self {
        Self { files: PathBuf::from("/"), processes: PathBuf::from("/proc") }
    }
}

impl Root {
    /// A path of the machine, such as `/etc/systemd/system`, below this root.
    pub fn at(&self, path: &str) -> PathBuf {
        self.files.join(path.trim_start_matches('/'))
    }

    fn process(&self, pid: u32) -> PathBuf {
        self.processes.join(pid.to_string())
    }
}

/// The last part of a path, as text.
pub fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
