//! Who holds a TCP port, as Linux shows it under `/proc`. Where it shows nothing, nobody is named.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use serde::Serialize;
use utoipa::ToSchema;

/// The process that holds an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Holder {
    /// Its number.
    #[schema(example = 4711)]
    pub pid: u32,
    /// Its program's name.
    #[schema(example = "python3")]
    pub program: String,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (process {})", self.program, self.pid)
    }
}

/// Looks for the process that listens where `address` cannot be bound. Reads files; call it off the async threads.
pub(super) fn holder(address: SocketAddr) -> Option<Holder> {
    let inodes: Vec<u64> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|file| fs::read_to_string(file).ok())
        .flat_map(|table| listening_inodes(&table, address))
        .collect();
    if inodes.is_empty() { None } else { owner(Path::new("/proc"), &inodes) }
}

/// The inodes of the sockets that listen on the address or on all addresses of its port.
fn listening_inodes(table: &str, address: SocketAddr) -> Vec<u64> {
    table.lines().skip(1).filter_map(|line| listening_inode(line, address)).collect()
}

fn listening_inode(line: &str, address: SocketAddr) -> Option<u64> {
    const LISTEN: &str = "0A";
    let mut columns = line.split_ascii_whitespace();
    let (host, port) = columns.nth(1)?.split_once(':')?;
    let state = columns.nth(1)?;
    let inode = columns.nth(5)?;
    let host = parse_host(host)?;
    let same_port = u16::from_str_radix(port, 16).ok()? == address.port();
    let same_host =
        host.is_unspecified() || address.ip().is_unspecified() || host == address.ip().to_canonical();
    (state == LISTEN && same_port && same_host).then(|| inode.parse().ok()).flatten()
}

/// The kernel writes each 32 bits of an address as a number in its own byte order.
fn parse_host(hex: &str) -> Option<IpAddr> {
    let word = |from: usize| {
        hex.get(from..from + 8).and_then(|word| u32::from_str_radix(word, 16).ok()).map(u32::to_ne_bytes)
    };
    match hex.len() {
        8 => Some(IpAddr::V4(Ipv4Addr::from(word(0)?))),
        32 => {
            let mut bytes = [0_u8; 16];
            for (slot, from) in bytes.chunks_exact_mut(4).zip([0, 8, 16, 24]) {
                slot.copy_from_slice(&word(from)?);
            }
            Some(IpAddr::V6(Ipv6Addr::from(bytes)).to_canonical())
        }
        _ => None,
    }
}

/// The process with one of these sockets among its open files.
fn owner(processes: &Path, inodes: &[u64]) -> Option<Holder> {
    let wanted: Vec<String> = inodes.iter().map(|inode| format!("socket:[{inode}]")).collect();
    for process in fs::read_dir(processes).ok()?.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let Ok(files) = fs::read_dir(process.path().join("fd")) else { continue };
        let holds = files
            .flatten()
            .filter_map(|file| fs::read_link(file.path()).ok())
            .any(|target| wanted.iter().any(|wanted| target.as_os_str() == wanted.as_str()));
        if holds {
            let program = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some(Holder { pid, program: program.trim().to_owned() });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const TCP: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:13EB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0000000000000000 100 0 0 10 0
   1: 00000000:139D 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 222 1 0000000000000000 100 0 0 10 0
   2: 0100007F:13EB 0100007F:A1B2 01 00000000:00000000 00:00000000 00000000     0        0 333 1 0000000000000000 20 4 30 10 -1
";

    const TCP6: &str = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000001000000:13EB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 444 1 0000000000000000 100 0 0 10 0
   1: 00000000000000000000000000000000:139D 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 555 1 0000000000000000 100 0 0 10 0
";

    fn at(address: &str) -> SocketAddr {
        address.parse().expect("an address")
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn the_listening_socket_is_found_by_address_and_port() {
        assert_eq!(listening_inodes(TCP, at("127.0.0.1:5099")), [111]);
        assert_eq!(listening_inodes(TCP, at("0.0.0.0:5099")), [111]);
        assert!(listening_inodes(TCP, at("127.0.0.2:5099")).is_empty());
        assert_eq!(listening_inodes(TCP, at("127.0.0.1:5021")), [222]);
        assert_eq!(listening_inodes(TCP6, at("[::1]:5099")), [444]);
        assert_eq!(listening_inodes(TCP6, at("127.0.0.1:5021")), [555]);
        assert!(listening_inodes("", at("127.0.0.1:5099")).is_empty());
        assert!(listening_inodes("x\ny z\n", at("127.0.0.1:5099")).is_empty());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_port_of_this_very_process_names_it() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let holder = holder(listener.local_addr().expect("an address")).expect("a holder");
        assert_eq!(holder.pid, std::process::id());
        assert!(!holder.program.is_empty());
    }
}
