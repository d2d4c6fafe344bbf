//! Control groups: which service a process belongs to, and how much memory its group may have.

use std::fs;
use std::path::{Path, PathBuf};

use super::Root;

/// What the system allows a process and those beside it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryLimit {
    /// The least limit over its group and those above, in bytes.
    pub limit: Option<u64>,
    /// What the group with that limit uses, in bytes.
    pub used: Option<u64>,
    /// How often the system ended a process there for want of memory.
    pub killed: u64,
}

/// The service of a process by the text of its `cgroup`: the innermost part that is one. The service of a whole login
/// is none: no one looks after what a person started there.
pub(super) fn unit(groups: &str) -> Option<String> {
    let paths = groups.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    let is_service = |part: &&str| part.ends_with(".service") && !part.starts_with("user@");
    paths.flat_map(|path| path.split('/').rev().take(1)).find(is_service).map(str::to_owned)
}

/// The limit of a process's memory. Both generations of control groups are read.
pub fn memory_limit(root: &Root, pid: u32) -> MemoryLimit {
    let groups = fs::read_to_string(root.process(pid).join("cgroup")).unwrap_or_default();
    let base = root.at("/sys/fs/cgroup");
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':');
        let (_, controllers, path) = (parts.next(), parts.next(), parts.next().unwrap_or_default());
        let found = match controllers {
            Some("") => tightest(&base, path, &NEW),
            Some(list) if list.split(',').any(|name| name == "memory") => {
                tightest(&base.join("memory"), path, &OLD)
            }
            _ => continue,
        };
        if found.limit.is_some() {
            return found;
        }
    }
    MemoryLimit::default()
}

/// How a generation of control groups calls its files.
struct Files {
    limit: &'static str,
    used: &'static str,
    events: &'static str,
}

const NEW: Files = Files { limit: "memory.max", used: "memory.current", events: "memory.events" };
const OLD: Files =
    Files { limit: "memory.limit_in_bytes", used: "memory.usage_in_bytes", events: "memory.oom_control" };

/// What the old generation writes where there is no limit: the largest number of whole pages.
const NO_LIMIT: u64 = 1 << 60;

fn tightest(base: &Path, path: &str, files: &Files) -> MemoryLimit {
    let mut group: PathBuf = base.join(path.trim_start_matches('/'));
    let mut found = MemoryLimit::default();
    loop {
        let number = |name: &str| fs::read_to_string(group.join(name)).ok()?.trim().parse::<u64>().ok();
        if let Some(limit) = number(files.limit).filter(|limit| *limit < NO_LIMIT)
            && found.limit.is_none_or(|least| limit < least)
        {
            let events = fs::read_to_string(group.join(files.events)).unwrap_or_default();
            found = MemoryLimit { limit: Some(limit), used: number(files.used), killed: killed(&events) };
        }
        if group == base || !group.pop() || !group.starts_with(base) {
            return found;
        }
    }
}

fn killed(events: &str) -> u64 {
    events
        .lines()
        .find_map(|line| line.strip_prefix("oom_kill "))
        .and_then(|count| count.trim().parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_distinguished_from_a_login() {
        for (groups, expected) in [
            ("0::/system.slice/old-gateway.service", Some("old-gateway.service")),
            ("12:memory:/x\n0::/system.slice/a.service\n", Some("a.service")),
            ("0::/user.slice/user-1000.slice/session-4.scope", None),
            ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/own.service", Some("own.service")),
            ("0::/user.slice/user-1000.slice/user@1000.service", None),
            ("0::/", None),
            ("", None),
        ] {
            assert_eq!(unit(groups).as_deref(), expected, "{groups}");
        }
    }

    #[test]
    fn the_tightest_limit_counts() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = Root { files: folder.path().to_owned(), processes: folder.path().join("proc") };
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            fs::write(path, text).expect("written");
        };
        write("proc/7/cgroup", "0::/a.slice/b.service\n");
        write("sys/fs/cgroup/a.slice/b.service/memory.max", "max\n");
        assert_eq!(memory_limit(&root, 7), MemoryLimit::default());
        write("sys/fs/cgroup/a.slice/memory.max", "1000\n");
        write("sys/fs/cgroup/a.slice/memory.current", "900\n");
        write("sys/fs/cgroup/a.slice/memory.events", "low 0\noom 3\noom_kill 2\n");
        assert_eq!(memory_limit(&root, 7), MemoryLimit { limit: Some(1000), used: Some(900), killed: 2 });
        write("proc/8/cgroup", "5:cpu,memory:/old\n");
        write("sys/fs/cgroup/memory/old/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(memory_limit(&root, 8), MemoryLimit::default());
        write("sys/fs/cgroup/memory/old/memory.limit_in_bytes", "500\n");
        assert_eq!(memory_limit(&root, 8).limit, Some(500));
    }
}
