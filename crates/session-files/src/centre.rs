//! Telegram's data centres: their numbers, and the addresses that other programs write into their files.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Ports of the data centres, and of those for tests as Pyrogram writes it.
const PORT: u16 = 443;
const TEST_PORT: u16 = 80;

/// The largest number that a data centre can have: strings keep it in a byte.
const LARGEST: i32 = 255;

/// The address of one of Telegram's five data centres, as the libraries have it built in; `None` for any other number.
pub fn builtin_address(dc_id: i32) -> Option<SocketAddr> {
    let ip = match dc_id {
        1 => [149, 154, 175, 53],
        2 => [149, 154, 167, 51],
        3 => [149, 154, 175, 100],
        4 => [149, 154, 167, 91],
        5 => [91, 108, 56, 130],
        _ => return None,
    };
    Some(SocketAddr::new(Ipv4Addr::from(ip).into(), PORT))
}

/// The address of one of the three data centres for tests, which know none of the real accounts.
pub fn test_address(dc_id: i32) -> Option<SocketAddr> {
    let ip = match dc_id {
        1 => [149, 154, 175, 10],
        2 => [149, 154, 167, 40],
        3 => [149, 154, 175, 117],
        _ => return None,
    };
    Some(SocketAddr::new(Ipv4Addr::from(ip).into(), TEST_PORT))
}

/// Whether an address is one of the data centres for tests, whatever the port.
pub(crate) fn is_test(dc_id: i32, address: Option<SocketAddr>) -> bool {
    address.is_some() && test_address(dc_id).map(|test| test.ip()) == address.map(|address| address.ip())
}

/// A data centre's number as a file has it; `None` for what cannot be one.
pub(crate) fn number(dc_id: i64) -> Option<i32> {
    i32::try_from(dc_id).ok().filter(|id| (1..=LARGEST).contains(id))
}

/// An address as a file has it; `None` for one that no one can connect to.
pub(crate) fn address(ip: IpAddr, port: u16) -> Option<SocketAddr> {
    (port != 0 && !ip.is_unspecified()).then_some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_centres_are_known_and_three_of_them_have_one_for_tests() {
        assert_eq!((0..9).filter_map(builtin_address).count(), 5);
        assert_eq!((0..9).filter_map(test_address).count(), 3);
        assert!(is_test(2, test_address(2)) && !is_test(2, builtin_address(2)) && !is_test(9, None));
    }

    /// As Telethon, Pyrogram and Telegram's own applications have them built in.
    #[test]
    fn each_centre_has_its_own_address() {
        let addresses = [
            (1, "149.154.175.53:443"),
            (2, "149.154.167.51:443"),
            (3, "149.154.175.100:443"),
            (4, "149.154.167.91:443"),
            (5, "91.108.56.130:443"),
        ];
        for (dc_id, address) in addresses {
            assert_eq!(builtin_address(dc_id), address.parse().ok(), "{dc_id}");
        }
        for (dc_id, address) in
            [(1, "149.154.175.10:80"), (2, "149.154.167.40:80"), (3, "149.154.175.117:80")]
        {
            assert_eq!(test_address(dc_id), address.parse().ok(), "{dc_id}");
        }
    }

    #[test]
    fn numbers_and_addresses_that_cannot_be_are_none() {
        assert_eq!([-1, 0, 256, i64::MAX].map(number), [None; 4]);
        assert_eq!([1, 5, 255].map(number), [Some(1), Some(5), Some(255)]);
        assert_eq!(address(Ipv4Addr::UNSPECIFIED.into(), 443), None);
        assert_eq!(address(Ipv4Addr::LOCALHOST.into(), 0), None);
    }
}
