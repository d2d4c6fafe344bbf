//! Pages in a browser: they may not use what is open without a key, whatever name leads them here. Pure.

use std::net::{Ipv4Addr, Ipv6Addr};

use http::header::{HOST, ORIGIN, REFERER};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Uri};

use crate::client::FETCH_SITE;

/// Endings of names that no machine on the internet can have (RFC 6761, RFC 8375), and two of usual routers. Any machine of a network
/// can give itself a name in `.local` (RFC 6762).
const PRIVATE: [&str; 5] = [".localhost", ".home.arpa", ".test", ".internal", ".lan"];

/// Returns why a request without a key may come from a page. Browsers name the page in `Origin`, `Sec-Fetch-Site` or `Referer`, but
/// for a page whose own name leads here (DNS rebinding). Programs call an address, a private name, `machine`, which is the name of
/// this machine, or the host of `public_url`.
pub(crate) fn sign_of_page(headers: &HeaderMap, public_url: Option<&str>, machine: &str) -> Option<String> {
    let is_named = headers.contains_key(ORIGIN)
        || headers.get_all(FETCH_SITE).iter().any(|site| site.as_bytes() != b"none")
        || headers.get_all(REFERER).iter().any(|page| !is_of_host(page, headers.get(HOST)));
    if is_named {
        return Some("a web page may not call this port without a key".to_owned());
    }
    let public = public_url.and_then(|url| url.parse::<Uri>().ok());
    let public = public.as_ref().and_then(Uri::host);
    let is_ours = |host: &str| {
        let mut own = public.into_iter().chain([machine]).chain(machine.split('.').next());
        is_private(host) || own.any(|own| !own.is_empty() && own.eq_ignore_ascii_case(host))
    };
    headers.get_all(HOST).iter().find_map(|value| {
        let host = host_of(value.as_bytes()).unwrap_or_default();
        let words = || {
            format!(
                "any page may have the name {host:?}; without a key call this port by its address, as localhost or by the name of its machine, or send an API key in the header X-API-Key"
            )
        };
        (!is_ours(host)).then(words)
    })
}

/// Whether a page is at the host that was asked. An empty `Referer` names no page.
fn is_of_host(page: &HeaderValue, asked: Option<&HeaderValue>) -> bool {
    let at = page.to_str().ok().and_then(|page| page.parse::<Uri>().ok());
    let at = at.as_ref().and_then(Uri::authority).map(Authority::as_str);
    page.is_empty()
        || at.is_some_and(|at| asked.is_some_and(|own| own.as_bytes().eq_ignore_ascii_case(at.as_bytes())))
}

/// The host of a `Host` that is a host and perhaps a port, and nothing else.
fn host_of(given: &[u8]) -> Option<&str> {
    let given = std::str::from_utf8(given).ok()?;
    let end = match given.strip_prefix('[') {
        Some(rest) => {
            let inner = rest.split(']').next()?;
            inner.parse::<Ipv6Addr>().ok()?;
            inner.len() + "[]".len()
        }
        None => given.find(':').unwrap_or(given.len()),
    };
    let (host, port) = given.split_at_checked(end)?;
    let is_port = port.is_empty()
        || port.strip_prefix(':').is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    (is_port && (host.starts_with('[') || host.bytes().all(is_name))).then_some(host)
}

/// Whether only a machine of a private network can have this name: an address, or a name with a private ending. A machine of the
/// network may give itself a name without a dot, and a name server may complete one.
fn is_private(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let is_address = name.starts_with('[') || name.parse::<Ipv4Addr>().is_ok();
    is_address || name == "localhost" || PRIVATE.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderName;

    fn sign(name: HeaderName, value: &'static str) -> Option<String> {
        let headers = HeaderMap::from_iter([(name, HeaderValue::from_static(value))]);
        sign_of_page(&headers, Some("https://desk.example.com/base"), "gateway.office.example")
    }

    #[test]
    fn a_page_is_known_by_its_headers_and_by_a_name_that_anyone_may_have() {
        for host in [
            "127.0.0.1:5022",
            "[::1]:5022",
            "10.0.0.5",
            "localhost:5022",
            "LocalHost.",
            "gateway:5022",
            "gateway.office.example",
            "host.docker.internal:5022",
            "Gateway.LAN.",
            "[::ffff:10.0.0.5]",
            "desk.example.com",
            "DESK.example.com:443",
        ] {
            assert_eq!(sign(HOST, host), None, "{host}");
        }
        for host in [
            "evil.example:8765",
            "evil",
            "office:5022",
            "localhost.evil",
            "127.0.0.1.evil.example",
            "desk.example.com.evil.example",
            "evil.local",
            "gateway.local.:8765",
            "[::1].evil.example",
            "[::1]evil",
            "[evil]",
            "[::1",
            "127.0.0.1:x",
            "127.0.0.1@evil.example",
            "localhost/",
            "a b",
            "",
        ] {
            assert!(sign(HOST, host).is_some(), "{host}");
        }
        assert_eq!(sign(FETCH_SITE, "none"), None);
        for site in ["cross-site", "same-site", "same-origin", ""] {
            assert!(sign(FETCH_SITE, site).is_some(), "{site}");
        }
        assert!(sign(ORIGIN, "null").is_some());
        let refers = |page: &'static str| {
            let lines = [(HOST, "127.0.0.1:8765"), (REFERER, page)];
            let lines = lines.map(|(name, value)| (name, HeaderValue::from_static(value)));
            sign_of_page(&HeaderMap::from_iter(lines), None, "")
        };
        for page in ["", "http://127.0.0.1:8765/api/chats"] {
            assert_eq!(refers(page), None, "{page}");
        }
        for page in
            ["http://evil.example/", "http://127.0.0.1:9999/", "http://127.0.0.1/", "about:blank", "x"]
        {
            assert!(refers(page).is_some(), "{page}");
        }
        assert_eq!(sign_of_page(&HeaderMap::new(), None, ""), None);
    }
}
