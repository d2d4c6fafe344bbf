//! The sockets that listen, as the kernel lists them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::Root;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listening {
    pub address: SocketAddr,
    /// What names the socket among the open files of its processes.
    pub inode: u64,
}

impl Listening {
    /// Whether this one is in the way of an address: the same port, and the same host or all of them.
    pub fn blocks(&self, wanted: SocketAddr) -> bool {
        let (here, there) = (self.address.ip(), wanted.ip().to_canonical());
        self.address.port() == wanted.port()
            && (here.is_unspecified() || there.is_unspecified() || here == there)
    }
}

/// All that listen, IPv4 first.
pub(crate) fn listening(root: &Root) -> Vec<Listening> {
    ["net/tcp", "net/tcp6"]
        .iter()
        .filter_map(|file| std::fs::read_to_string(root.processes.join(file)).ok())
        .flat_map(|table| parse(&table))
        .collect()
}

fn parse(table: &str) -> Vec<Listening> {
    table.lines().skip(1).filter_map(line).collect()
}

fn line(line: &str) -> Option<Listening> {
    const LISTEN: &str = "0A";
    let mut columns = line.split_ascii_whitespace();
    let (host, port) = columns.nth(1)?.split_once(':')?;
    let state = columns.nth(1)?;
    let inode = columns.nth(5)?.parse().ok()?;
    let address = SocketAddr::new(parse_host(host)?, u16::from_str_radix(port, 16).ok()?);
    (state == LISTEN).then_some(Listening { address, inode })
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

    fn blocking_inodes(table: &str, address: &str) -> Vec<u64> {
        let wanted = address.parse().expect("an address");
        parse(table).into_iter().filter(|one| one.blocks(wanted)).map(|one| one.inode).collect()
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn the_listening_socket_is_found_by_address_and_port() {
        assert_eq!(blocking_inodes(TCP, "127.0.0.1:5099"), [111]);
        assert_eq!(blocking_inodes(TCP, "0.0.0.0:5099"), [111]);
        assert!(blocking_inodes(TCP, "127.0.0.2:5099").is_empty());
        assert_eq!(blocking_inodes(TCP, "127.0.0.1:5021"), [222]);
        assert_eq!(blocking_inodes(TCP6, "[::1]:5099"), [444]);
        assert_eq!(blocking_inodes(TCP6, "127.0.0.1:5021"), [555]);
        assert!(blocking_inodes("", "127.0.0.1:5099").is_empty());
        assert!(blocking_inodes("x\ny z\n", "127.0.0.1:5099").is_empty());
    }
}
