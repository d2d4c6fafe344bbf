//! Requests that name a client behind a proxy which no one said to trust: counted, without an address. Requests of which no one knows
//! who calls.

use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use domain::Timestamp;
use http::HeaderMap;
use http::header::FORWARDED;
use ipnet::IpNet;

use super::caller::ConnectionInfo;
use super::way::{FORWARDED_FOR, came_through_a_proxy, is_in, way};
use crate::state::State;

/// The error for such a caller.
pub(crate) const HIDDEN_BY_A_PROXY: &str = "this came through a proxy, and who calls is unknown; name the proxy in trusted_proxies, and let it write X-Forwarded-For and remove Forwarded";

/// How often someone who is not trusted named a client, since the start.
#[derive(Debug, Default)]
pub(crate) struct Forwarded {
    near: AtomicU64,
    far: AtomicU64,
    last: AtomicI64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotBelieved {
    /// Requests from this machine or a private network: where proxies are.
    pub(crate) near: u64,
    /// Requests from elsewhere: anyone may write such a header.
    pub(crate) far: u64,
    /// When the last one came.
    pub(crate) last_at: Option<Timestamp>,
}

impl Forwarded {
    /// Counts a request, if it names a client and its `peer` is not trusted.
    pub(crate) fn note(&self, peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet], now: Timestamp) {
        let names_a_client = headers.contains_key(FORWARDED_FOR) || headers.contains_key(FORWARDED);
        if !names_a_client || is_in(peer, trusted) {
            return;
        }
        let count = if is_near(peer) { &self.near } else { &self.far };
        count.fetch_add(1, Ordering::Relaxed);
        self.last.store(now.as_micros(), Ordering::Relaxed);
    }

    pub(crate) fn counted(&self) -> NotBelieved {
        let (near, far) = (self.near.load(Ordering::Relaxed), self.far.load(Ordering::Relaxed));
        let last_at = (near + far > 0).then(|| Timestamp::from_micros(self.last.load(Ordering::Relaxed)));
        NotBelieved { near, far, last_at }
    }
}

/// Whether a proxy stands before a caller and no one knows who calls: the proxy is not trusted, or a trusted one names no client that
/// can be believed, so that the address is the proxy's own, or it names another proxy.
pub(crate) fn is_hidden_by_a_proxy(state: &State, via: ConnectionInfo, headers: &HeaderMap) -> bool {
    let trusted = &state.options().trusted_proxies;
    let is_unknown = |peer| {
        let way = way(peer, headers, trusted);
        !is_in(peer, trusted) || is_in(way.client, trusted) || way.has_others_before
    };
    came_through_a_proxy(headers) && via.peer.is_some_and(is_unknown)
}

/// Whether an address is of this machine or of a network that is not the internet.
fn is_near(address: IpAddr) -> bool {
    match address.to_canonical() {
        // 100.64.0.0/10 is what carriers and overlay networks share.
        IpAddr::V4(address) => {
            address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || (address.octets()[0] == 100 && address.octets()[1] & 0xc0 == 64)
        }
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    #[test]
    fn only_untrusted_forwarding_peers_are_counted() {
        let trusted: Vec<IpNet> = vec!["172.17.0.0/16".parse().expect("a network")];
        let named = |name: HeaderName| HeaderMap::from_iter([(name, HeaderValue::from_static("for=x"))]);
        let counted = Forwarded::default();
        let note = |peer: &str, headers: &HeaderMap, at: i64| {
            let peer = peer.parse().expect("an address");
            counted.note(peer, headers, &trusted, Timestamp::from_micros(at));
        };
        note("127.0.0.1", &HeaderMap::new(), 1);
        note("172.17.0.2", &named(FORWARDED_FOR), 2);
        assert_eq!(counted.counted(), NotBelieved { near: 0, far: 0, last_at: None });
        note("127.0.0.1", &named(FORWARDED_FOR), 3);
        note("::ffff:10.0.0.1", &named(FORWARDED), 4);
        note("203.0.113.7", &named(FORWARDED_FOR), 5);
        assert_eq!(
            counted.counted(),
            NotBelieved { near: 2, far: 1, last_at: Some(Timestamp::from_micros(5)) }
        );
    }

    #[test]
    fn private_addresses_are_near() {
        let near = |text: &str| is_near(text.parse().expect("an address"));
        for text in ["127.0.0.1", "::1", "192.168.1.1", "100.64.0.1", "169.254.1.1", "fd00::1", "fe80::1"] {
            assert!(near(text), "{text}");
        }
        for text in ["203.0.113.7", "100.128.0.1", "2001:db8::1"] {
            assert!(!near(text), "{text}");
        }
    }
}
