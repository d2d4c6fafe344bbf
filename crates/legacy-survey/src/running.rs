//! Which of the old scripts run, and who started them. Whatever is not surely one of them is not ours to judge.

use std::path::{Path, PathBuf};

use domain::Timestamp;

use super::{OLD_PORTS, Script};
use machine::{Process, Snapshot, is_python, script, shown};

/// What only looks after other processes: whose parent that is, has lost its own.
const FIRST_PROCESSES: [&str; 6] = ["init", "systemd", "tini", "dumb-init", "docker-init", "s6-svscan"];

/// An old script that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Its process; of a master with workers, the master.
    pub pid: u32,
    /// Its command, as it may be shown.
    pub command: String,
    pub file: Option<PathBuf>,
    pub script: Script,
    pub folder: Option<PathBuf>,
    pub ports: Vec<u16>,
    /// The session files it has open.
    pub open: Vec<PathBuf>,
    /// Since when it runs.
    pub since: Option<Timestamp>,
    pub by: StartedBy,
}

/// Who started a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartedBy {
    /// The service manager, by this unit.
    Unit(String),
    /// Someone who is gone: no one looks after it.
    Orphaned,
    Process {
        pid: u32,
        name: String,
    },
}

/// Who started a process, by what the machine shows.
pub(crate) fn started_by(process: &Process, snapshot: &Snapshot) -> StartedBy {
    if let Some(unit) = &process.unit {
        return StartedBy::Unit(unit.clone());
    }
    match snapshot.process(process.parent) {
        Some(parent) if parent.pid > 1 && !FIRST_PROCESSES.contains(&parent.name.as_str()) => {
            StartedBy::Process { pid: parent.pid, name: parent.name.clone() }
        }
        _ => StartedBy::Orphaned,
    }
}

/// The old scripts that run. One is known by its place in `folder`; or its source says that it is one of them, and it holds
/// one of the sessions `named`, or serves one of `ports` or of the old ones.
pub fn running(snapshot: &Snapshot, folder: Option<&Path>, named: &[PathBuf], ports: &[u16]) -> Vec<Running> {
    let all: Vec<Running> = snapshot
        .processes
        .iter()
        .filter(|process| is_python(&process.arguments))
        .filter_map(|process| recognize(process, snapshot, folder, named, ports))
        .collect();
    let pids: Vec<u32> = all.iter().map(|one| one.pid).collect();
    let is_worker = |pid: u32| snapshot.process(pid).is_some_and(|process| pids.contains(&process.parent));
    all.into_iter().filter(|one| !is_worker(one.pid)).collect()
}

fn recognize(
    process: &Process,
    snapshot: &Snapshot,
    folder: Option<&Path>,
    named: &[PathBuf],
    ports: &[u16],
) -> Option<Running> {
    let file = script(&process.arguments, process.folder.as_deref());
    let open: Vec<PathBuf> = snapshot.sessions_of(process.pid).map(Path::to_owned).collect();
    let listens = snapshot.ports_of(process.pid);
    let inside = folder.is_some_and(|folder| {
        file.as_deref().is_some_and(|file| file.starts_with(folder))
            || open.iter().any(|file| file.starts_with(folder))
    });
    let source = || file.as_deref().and_then(Script::read).unwrap_or_default();
    let holds = open.iter().any(|file| named.contains(file));
    let serves = listens.iter().any(|port| OLD_PORTS.contains(port) || ports.contains(port));
    let script = if inside || holds || serves { source() } else { return None };
    if !inside && !script.is_old() {
        return None;
    }
    Some(Running {
        pid: process.pid,
        command: shown(&process.arguments),
        folder: process.folder.clone(),
        ports: listens,
        open,
        since: process.started_at,
        by: started_by(process, snapshot),
        file,
        script,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32, parent: u32, name: &str, unit: Option<&str>) -> Process {
        Process {
            pid,
            parent,
            user: Some(0),
            name: name.to_owned(),
            arguments: vec![name.to_owned()],
            folder: None,
            started_at: None,
            unit: unit.map(str::to_owned),
        }
    }

    #[test]
    fn a_process_without_parent_or_unit_is_an_orphan() {
        let processes = vec![
            process(1, 0, "systemd", None),
            process(7, 1, "gunicorn", None),
            process(8, 1, "gunicorn", Some("old.service")),
            process(9, 12, "python3", None),
            process(10, 11, "python3", None),
            process(11, 1, "bash", None),
            process(13, 14, "python3", None),
            process(14, 1, "tini", None),
        ];
        let snapshot = Snapshot { processes, ..Snapshot::default() };
        let by = |pid| started_by(snapshot.process(pid).expect("it runs"), &snapshot);
        assert_eq!(by(7), StartedBy::Orphaned);
        assert_eq!(by(8), StartedBy::Unit("old.service".to_owned()));
        assert_eq!(by(9), StartedBy::Orphaned);
        assert_eq!(by(10), StartedBy::Process { pid: 11, name: "bash".to_owned() });
        assert_eq!(by(13), StartedBy::Orphaned);
    }

    #[test]
    fn a_python_program_that_only_has_a_port_nearby_is_foreign() {
        let mut other = process(20, 1, "python3", None);
        other.arguments = vec!["python3".to_owned(), "/nowhere/shop.py".to_owned()];
        let snapshot = Snapshot { processes: vec![other], ..Snapshot::default() };
        assert_eq!(running(&snapshot, None, &[], &[5021]), []);
        assert_eq!(running(&snapshot, Some(Path::new("/elsewhere")), &[], &[]), []);
        assert_eq!(running(&snapshot, Some(Path::new("/nowhere")), &[], &[]).len(), 1);
    }
}
