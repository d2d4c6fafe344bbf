//! Who is at the other end of a request: its address and whether the way to it is encrypted, past the proxies that are trusted.

use std::net::IpAddr;

use http::request::Parts;
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use crate::auth::{self, ConnectionInfo};
use crate::state::State;

const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The address that a request comes from: the other end of the connection, or, where that is a trusted proxy, whom it names in
/// `X-Forwarded-For`. None on the control socket.
pub fn client_address(state: &State, parts: &Parts) -> Option<IpAddr> {
    let peer = parts.extensions.get::<ConnectionInfo>()?.peer?;
    Some(state.client_address(peer, &parts.headers))
}

/// Whether the browser spoke TLS: to this program, or to a trusted proxy that says so (`X-Forwarded-Proto: https`).
pub fn is_secure(state: &State, parts: &Parts) -> bool {
    let Some(via) = parts.extensions.get::<ConnectionInfo>() else { return false };
    let is_proxied = |peer| came_encrypted(peer, &parts.headers, &state.options().trusted_proxies);
    via.is_encrypted || via.peer.is_some_and(is_proxied)
}

/// The last word of the header counts: it is what the nearest proxy wrote.
fn came_encrypted(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> bool {
    let header = headers.get_all(FORWARDED_PROTO).iter().next_back().and_then(|line| line.to_str().ok());
    let nearest = header.and_then(|line| line.rsplit(',').next()).map(str::trim);
    auth::is_in(peer, trusted) && nearest.is_some_and(|word| word.eq_ignore_ascii_case("https"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn only_a_trusted_proxy_reports_an_encrypted_connection() {
        let trusted: Vec<IpNet> = vec!["172.17.0.0/16".parse().expect("a network")];
        for (peer, proto, expected) in [
            ("172.17.0.2", Some("https"), true),
            ("172.17.0.2", Some("HTTPS"), true),
            ("172.17.0.2", Some("https, http"), false),
            ("172.17.0.2", Some("http"), false),
            ("172.17.0.2", None, false),
            ("10.0.0.1", Some("https"), false),
        ] {
            let headers: HeaderMap = proto
                .map(|proto| (FORWARDED_PROTO, HeaderValue::from_str(proto).expect("a value")))
                .into_iter()
                .collect();
            let peer: IpAddr = peer.parse().expect("an address");
            assert_eq!(came_encrypted(peer, &headers, &trusted), expected, "{peer} {proto:?}");
        }
    }
}
