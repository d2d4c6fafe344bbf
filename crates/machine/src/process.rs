//! One process: who started it, since when, with what words, where, and which files it has open.

use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use domain::Timestamp;

use super::proc_stat::{self, Boot};
use super::{Root, control_group};

/// The longest command line read, in bytes, and the most open files of one process that are looked at.
const LONGEST_COMMAND: u64 = 64 * 1024;
const MOST_FILES: usize = 20_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    pub pid: u32,
    /// The process it belongs to.
    pub parent: u32,
    /// The user it runs as.
    pub user: Option<u32>,
    /// Its name as the kernel has it, 15 letters at most.
    pub name: String,
    /// The words it was started with.
    pub arguments: Vec<String>,
    pub folder: Option<PathBuf>,
    pub started_at: Option<Timestamp>,
    /// The service of the service manager that it belongs to, such as `old-gateway.service`.
    pub unit: Option<String>,
}

/// The numbers of all processes, in order.
pub(super) fn pids(root: &Root) -> Vec<u32> {
    let entries = fs::read_dir(&root.processes).into_iter().flatten().flatten();
    let mut pids: Vec<u32> =
        entries.filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse().ok())).collect();
    pids.sort_unstable();
    pids
}

impl Process {
    /// Reads one; nothing when it has ended, or is one of the kernel's own.
    pub(super) fn read(root: &Root, pid: u32, boot: Option<Boot>) -> Option<Self> {
        let folder = root.process(pid);
        let stat = proc_stat::parse(&fs::read_to_string(folder.join("stat")).ok()?)?;
        let arguments = arguments(&folder);
        if stat.ended || arguments.is_empty() {
            return None;
        }
        let groups = fs::read_to_string(folder.join("cgroup")).unwrap_or_default();
        Some(Self {
            pid,
            parent: stat.parent,
            user: fs::metadata(&folder).ok().map(|entry| entry.uid()),
            name: fs::read_to_string(folder.join("comm")).unwrap_or_default().trim().to_owned(),
            arguments,
            folder: fs::read_link(folder.join("cwd")).ok(),
            started_at: boot.map(|boot| boot.after(stat.started)),
            unit: control_group::unit(&groups),
        })
    }
}

fn arguments(folder: &Path) -> Vec<String> {
    let mut bytes = Vec::new();
    let read = fs::File::open(folder.join("cmdline"))
        .and_then(|file| file.take(LONGEST_COMMAND).read_to_end(&mut bytes));
    if read.is_err() {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_end_matches('\0');
    if text.is_empty() { Vec::new() } else { text.split('\0').map(str::to_owned).collect() }
}

/// What the open files of a process lead to; nothing when the system does not show them.
pub(super) fn open_files(folder: &Path) -> Option<Vec<PathBuf>> {
    let entries = fs::read_dir(folder.join("fd")).ok()?;
    Some(entries.flatten().take(MOST_FILES).filter_map(|entry| fs::read_link(entry.path()).ok()).collect())
}

/// The number of the socket that an open file is, if it is one.
pub(super) fn socket_inode(target: &Path) -> Option<u64> {
    let text = std::str::from_utf8(target.as_os_str().as_bytes()).ok()?;
    text.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

/// The memory that a process really has, in bytes.
pub fn resident(root: &Root, pid: u32) -> Option<u64> {
    let status = fs::read_to_string(root.process(pid).join("status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn this_very_process_is_shown() {
        let root = Root::default();
        let pid = std::process::id();
        assert!(pids(&root).contains(&pid));
        let stat = fs::read_to_string("/proc/stat").expect("a text");
        let own = Process::read(&root, pid, Boot::read(&stat, &[])).expect("it runs");
        assert!(own.parent > 0 && !own.name.is_empty() && !own.arguments.is_empty());
        assert!(resident(&root, pid) > Some(100_000));
        assert!(own.folder.is_some() && own.started_at > Some(Timestamp::default()));
        let file = tempfile::NamedTempFile::new().expect("a file");
        assert!(open_files(&root.process(pid)).expect("shown").iter().any(|open| open == file.path()));
    }

    #[test]
    fn only_sockets_have_the_number_of_a_socket() {
        assert_eq!(socket_inode(Path::new("socket:[4711]")), Some(4711));
        for other in ["pipe:[4711]", "socket:[x]", "/tmp/socket:[1]", ""] {
            assert_eq!(socket_inode(Path::new(other)), None, "{other}");
        }
    }
}
