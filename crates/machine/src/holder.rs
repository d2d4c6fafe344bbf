//! Who holds a TCP port, as Linux shows it. Where it shows nothing, no one is named.

use std::collections::HashSet;
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;

use super::{Root, process, sockets};

/// The process that holds an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub pid: u32,
    pub program: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (process {})", self.program, self.pid)
    }
}

/// Looks for the process that listens where `address` cannot be bound. Reads files; call it off the async threads.
pub fn holder(address: SocketAddr) -> Option<Holder> {
    let root = Root::default();
    let inodes: HashSet<u64> = sockets::listening(&root)
        .into_iter()
        .filter(|one| one.blocks(address))
        .map(|one| one.inode)
        .collect();
    if inodes.is_empty() {
        return None;
    }
    let holds = |folder: &Path| {
        let mut files = process::open_files(folder).into_iter().flatten();
        files.any(|file| process::socket_inode(&file).is_some_and(|inode| inodes.contains(&inode)))
    };
    process::pids(&root).into_iter().find(|pid| holds(&root.process(*pid))).map(|pid| {
        let program = std::fs::read_to_string(root.process(pid).join("comm")).unwrap_or_default();
        Holder { pid, program: program.trim().to_owned() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_port_of_this_very_process_names_it() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let holder = holder(listener.local_addr().expect("an address")).expect("a holder");
        assert_eq!(holder.pid, std::process::id());
        assert!(!holder.program.is_empty());
    }
}
