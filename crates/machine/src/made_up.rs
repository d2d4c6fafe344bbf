//! Machines that tests make up.

use std::net::SocketAddr;

use super::Process;
use super::snapshot::{Listener, Snapshot};
use super::sockets::Listening;

/// A machine with these processes: number, parent, command, ports on all addresses.
pub fn snapshot(processes: &[(u32, u32, &str, &[u16])]) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for (pid, parent, command, ports) in processes {
        let arguments: Vec<String> = command.split(' ').map(str::to_owned).collect();
        snapshot.processes.push(Process {
            pid: *pid,
            parent: *parent,
            user: Some(0),
            name: arguments[0].clone(),
            arguments,
            folder: None,
            started_at: None,
            unit: None,
        });
        snapshot.listeners.extend(ports.iter().map(|port| Listener {
            socket: Listening { address: SocketAddr::from(([0, 0, 0, 0], *port)), inode: u64::from(*port) },
            pids: vec![*pid],
        }));
    }
    snapshot
}
