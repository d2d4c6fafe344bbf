//! The address a request really comes from, when trusted proxies are between. Pure.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Walks `X-Forwarded-For` from the right, past every proxy that is trusted, to the first that is not.
pub(crate) fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let mut address = peer.to_canonical();
    if !is_in(address, trusted) {
        return address;
    }
    let lines: Vec<&str> =
        headers.get_all(FORWARDED_FOR).iter().filter_map(|line| line.to_str().ok()).collect();
    for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        let Some(hop) = parse_hop(hop) else { return address };
        address = hop;
        if !is_in(address, trusted) {
            return address;
        }
    }
    address
}

pub(crate) fn is_in(address: IpAddr, networks: &[IpNet]) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| network.contains(&address))
}

/// An address, with or without a port.
fn parse_hop(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    hop.parse::<IpAddr>()
        .ok()
        .or_else(|| hop.parse::<std::net::SocketAddr>().ok().map(|address| address.ip()))
        .or_else(|| hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok())
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn headers(lines: &[&str]) -> HeaderMap {
        lines.iter().map(|line| (FORWARDED_FOR, HeaderValue::from_str(line).expect("a value"))).collect()
    }

    fn trusted() -> Vec<IpNet> {
        vec!["172.17.0.0/16".parse().expect("a network"), "127.0.0.0/8".parse().expect("a network")]
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        for (peer, lines, expected) in [
            ("10.0.0.1", &["1.2.3.4"][..], "10.0.0.1"),
            ("172.17.0.2", &["1.2.3.4"], "1.2.3.4"),
            ("::ffff:172.17.0.2", &["1.2.3.4"], "1.2.3.4"),
            ("172.17.0.2", &["6.6.6.6, 1.2.3.4"], "1.2.3.4"),
            ("172.17.0.2", &["6.6.6.6", "1.2.3.4, 127.0.0.1"], "1.2.3.4"),
            ("172.17.0.2", &["1.2.3.4:8080"], "1.2.3.4"),
            ("172.17.0.2", &["[2001:db8::1]"], "2001:db8::1"),
            ("172.17.0.2", &["unknown"], "172.17.0.2"),
            ("172.17.0.2", &[], "172.17.0.2"),
            ("172.17.0.2", &["127.0.0.1"], "127.0.0.1"),
        ] {
            let found = client_address(address(peer), &headers(lines), &trusted());
            assert_eq!(found, address(expected), "{peer} {lines:?}");
        }
    }

    proptest! {
        #[test]
        fn client_headers_never_hide_its_own_address(lies in "[ -~]{0,60}") {
            let line = format!("{lies}, 1.2.3.4");
            let found = client_address(address("172.17.0.2"), &headers(&[&line]), &trusted());
            prop_assert_eq!(found, address("1.2.3.4"));
        }
    }
}
