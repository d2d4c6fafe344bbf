//! All processes at one moment, who listens where, and who has which session file open.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::proc_stat::Boot;
use super::process::{self, Process};
use super::sockets::{self, Listening};
use super::{Root, file_name};

/// The most processes that are looked at.
const MOST_PROCESSES: usize = 20_000;

/// What is beside a database while it is open.
const BESIDE: [&str; 3] = ["-journal", "-wal", "-shm"];

/// The machine at one moment.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// All processes, by their numbers.
    pub processes: Vec<Process>,
    /// Who listens where: several where workers share a socket.
    pub listeners: Vec<Listener>,
    /// Session files that are open, each with its processes. What is beside a file counts as the file.
    pub sessions: Vec<(PathBuf, Vec<u32>)>,
    /// How many processes do not show their open files to this user.
    pub hidden: usize,
}

/// A socket that listens, and its processes.
#[derive(Debug, Clone)]
pub struct Listener {
    pub socket: Listening,
    /// Whose; empty where the system does not show it.
    pub pids: Vec<u32>,
}

impl Snapshot {
    /// Looks at everything. Files with the name of a session are noted, and those that are named.
    pub fn take(root: &Root, named: &[PathBuf]) -> Self {
        let stat = fs::read_to_string(root.processes.join("stat")).unwrap_or_default();
        let auxiliary = fs::read(root.processes.join("self/auxv")).unwrap_or_default();
        let boot = Boot::read(&stat, &auxiliary);
        let mut snapshot = Self::default();
        let mut sockets: HashMap<u64, Vec<u32>> = HashMap::new();
        for pid in process::pids(root).into_iter().take(MOST_PROCESSES) {
            let Some(process) = Process::read(root, pid, boot) else { continue };
            match process::open_files(&root.process(pid)) {
                Some(files) => snapshot.sort(pid, &files, named, &mut sockets),
                None => snapshot.hidden += 1,
            }
            snapshot.processes.push(process);
        }
        snapshot.listeners = sockets::listening(root)
            .into_iter()
            .map(|socket| Listener { pids: sockets.remove(&socket.inode).unwrap_or_default(), socket })
            .collect();
        snapshot.sessions.sort();
        snapshot
    }

    fn sort(&mut self, pid: u32, files: &[PathBuf], named: &[PathBuf], sockets: &mut HashMap<u64, Vec<u32>>) {
        for file in files {
            if let Some(inode) = process::socket_inode(file) {
                let pids = sockets.entry(inode).or_default();
                if pids.last() != Some(&pid) {
                    pids.push(pid);
                }
            } else if let Some(session) = session_file(file, named) {
                match self.sessions.iter_mut().find(|(known, _)| *known == session) {
                    Some((_, pids)) if pids.contains(&pid) => {}
                    Some((_, pids)) => pids.push(pid),
                    None => self.sessions.push((session, vec![pid])),
                }
            }
        }
    }

    /// A process by its number.
    pub fn process(&self, pid: u32) -> Option<&Process> {
        let place = self.processes.binary_search_by_key(&pid, |process| process.pid).ok()?;
        self.processes.get(place)
    }

    /// The first of several processes: the one that none of the others started. Workers belong to their master.
    pub fn master(&self, pids: &[u32]) -> Option<&Process> {
        let is_worker = |process: &Process| pids.contains(&process.parent);
        pids.iter().filter_map(|pid| self.process(*pid)).find(|process| !is_worker(process))
    }

    /// Who is in the way of an address; nothing when no one is, a listener without processes when no one is named.
    pub fn conflicting_listener(&self, address: SocketAddr) -> Option<&Listener> {
        self.listeners.iter().find(|listener| listener.socket.blocks(address))
    }

    /// The ports on which these processes or their workers listen, in order, each once.
    pub fn ports_of(&self, pid: u32) -> Vec<u16> {
        let mut ports: Vec<u16> = self
            .listeners
            .iter()
            .filter(|listener| self.master(&listener.pids).is_some_and(|master| master.pid == pid))
            .map(|listener| listener.socket.address.port())
            .collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }

    /// The session files that a process or a worker of it has open.
    pub fn sessions_of(&self, pid: u32) -> impl Iterator<Item = &Path> {
        let belongs = move |other: &u32| {
            *other == pid || self.process(*other).is_some_and(|process| process.parent == pid)
        };
        self.sessions.iter().filter(move |(_, pids)| pids.iter().any(belongs)).map(|(file, _)| file.as_path())
    }
}

/// The session file that an open file is or belongs to.
fn session_file(file: &Path, named: &[PathBuf]) -> Option<PathBuf> {
    let name = file_name(file);
    let name = name.strip_suffix(" (deleted)").unwrap_or(&name);
    let base = BESIDE.iter().find_map(|beside| name.strip_suffix(beside)).unwrap_or(name);
    let whole = file.with_file_name(base);
    let meant = Path::new(base).extension() == Some(OsStr::new("session"));
    (meant || named.contains(&whole)).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn companion_files_name_their_session() {
        let named = [PathBuf::from("/keys/main")];
        for (file, expected) in [
            ("/old/main.session", Some("/old/main.session")),
            ("/old/main.session-journal", Some("/old/main.session")),
            ("/old/main.session (deleted)", Some("/old/main.session")),
            ("/keys/main-wal", Some("/keys/main")),
            ("/keys/other", None),
            ("/tmp/x.db", None),
        ] {
            assert_eq!(session_file(Path::new(file), &named), expected.map(PathBuf::from), "{file}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_session_that_is_open_here_and_a_port_name_this_process() {
        let folder = tempfile::tempdir().expect("a folder");
        let journal = folder.path().join("main.session-journal");
        let _open = fs::File::create(&journal).expect("made");
        let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = port.local_addr().expect("an address");
        let snapshot = Snapshot::take(&Root::default(), &[]);
        let own = std::process::id();
        let session = folder.path().join("main.session");
        assert!(snapshot.sessions.contains(&(session.clone(), vec![own])));
        assert!(snapshot.sessions_of(own).any(|file| file == session));
        let listener = snapshot.conflicting_listener(address).expect("a process listens");
        assert_eq!(snapshot.master(&listener.pids).map(|master| master.pid), Some(own));
        assert!(snapshot.ports_of(own).contains(&address.port()));
    }
}
