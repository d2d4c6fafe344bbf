//! Who is at the other end of a request: its address, whether the way to it is encrypted, and whether a page of ours sent it.

use std::net::IpAddr;

use http::header::{HOST, ORIGIN, REFERER};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use crate::auth::{self, ConnectionInfo, Way};
use crate::state::State;

/// How a browser says whether a page of another site sent a request.
pub(crate) const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The address that a request comes from: the other end of the connection, or, where that is a trusted proxy, the client that it names in
/// `Forwarded` or `X-Forwarded-For`. None on the control socket.
pub fn client_address(state: &State, parts: &Parts) -> Option<IpAddr> {
    let peer = parts.extensions.get::<ConnectionInfo>()?.peer?;
    Some(state.client_address(peer, &parts.headers))
}

/// Whether the browser spoke TLS: to this program, or to a trusted proxy that says so (`proto=https` in `Forwarded`, or
/// `X-Forwarded-Proto: https`).
pub fn is_secure(state: &State, parts: &Parts) -> bool {
    let via = parts.extensions.get::<ConnectionInfo>().copied();
    via.is_some_and(|via| is_encrypted(state, via, &parts.headers))
}

/// The same, for what has the headers alone.
pub(crate) fn is_encrypted(state: &State, via: ConnectionInfo, headers: &HeaderMap) -> bool {
    via.is_encrypted || way(state, via, headers).is_some_and(|way| way.says_https)
}

fn way(state: &State, via: ConnectionInfo, headers: &HeaderMap) -> Option<Way> {
    Some(auth::way(via.peer?, headers, &state.options().trusted_proxies))
}

/// Whether a browser says that a page of another site sent this: by `Sec-Fetch-Site`, `Origin` or `Referer`. One that says so is
/// enough, whatever the others say. A request without them needs the token of the form alone.
pub fn is_from_another_site(state: &State, parts: &Parts) -> bool {
    let via = parts.extensions.get::<ConnectionInfo>().copied();
    let options = state.options();
    let public = options.examined.settings.public_url.as_deref().and_then(authority_of);
    let forwarded = via.and_then(|via| way(state, via, &parts.headers)?.host);
    let given = parts.headers.get(HOST).and_then(|host| host.to_str().ok()).map(str::to_owned);
    is_of_another(&parts.headers, &own_hosts(given, forwarded, public), is_secure(state, parts))
}

/// The hosts of this site: the one that was asked, and the one of `public_url`. A trusted proxy may pass the client's own
/// `X-Forwarded-Host` on, so the host that it names counts only where there is no `public_url`.
fn own_hosts(given: Option<String>, forwarded: Option<String>, public: Option<String>) -> Vec<String> {
    [given, public.or(forwarded)].into_iter().flatten().collect()
}

/// Whether these headers name another site than one of these hosts. Pages of a site behind TLS came over TLS.
fn is_of_another(headers: &HeaderMap, own: &[String], has_tls: bool) -> bool {
    let sites: Vec<_> = headers.get_all(FETCH_SITE).iter().map(HeaderValue::as_bytes).collect();
    let is_same = match sites.as_slice() {
        [b"same-origin"] => true,
        [b"none"] | [] => false,
        _ => return true,
    };
    // A page that names itself to no one has the origin null; `same-origin` says that it is of this site.
    let says_nothing = |value: &&HeaderValue| is_same && value.as_bytes() == b"null";
    let mut named = [ORIGIN, REFERER]
        .into_iter()
        .flat_map(|name| headers.get_all(name))
        .filter(|value| !says_nothing(value));
    named.any(|value| {
        let page = value.to_str().ok().and_then(|value| value.parse::<Uri>().ok());
        let is_page = |page: &Uri| match page.scheme_str() {
            Some("https") => true,
            Some("http") => !has_tls,
            _ => false,
        };
        !page.is_some_and(|page| is_page(&page) && own.iter().any(|host| is_at(&page, host)))
    })
}

/// Whether a page is at this host. One without a port may be behind a proxy that takes it away.
fn is_at(page: &Uri, host: &str) -> bool {
    let Ok(host) = host.trim().parse::<http::uri::Authority>() else { return false };
    let default = if page.scheme_str() == Some("https") { 443 } else { 80 };
    let is_same_port = host.port_u16().is_none_or(|port| port == page.port_u16().unwrap_or(default));
    is_same_port && page.host().is_some_and(|name| name.eq_ignore_ascii_case(host.host()))
}

fn authority_of(url: &str) -> Option<String> {
    Some(url.parse::<Uri>().ok()?.authority()?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_names_the_host_where_the_settings_do_not() {
        let own = |forwarded: Option<&str>, public: Option<&str>| {
            own_hosts(Some("asked".to_owned()), forwarded.map(str::to_owned), public.map(str::to_owned))
        };
        assert_eq!(own(Some("named"), None), ["asked", "named"]);
        assert_eq!(own(Some("named"), Some("public")), ["asked", "public"]);
        assert_eq!(own(None, None), ["asked"]);
    }

    #[test]
    fn a_form_of_another_site_is_recognized() {
        let own = ["desk.example.com".to_owned(), "127.0.0.1:8765".to_owned()];
        let is_of_another = |lines: &[(&str, &'static str)], has_tls: bool| {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.append(name.parse::<HeaderName>().expect("a name"), HeaderValue::from_static(value));
            }
            is_of_another(&headers, &own, has_tls)
        };
        let is_foreign = |lines: &[(&str, &'static str)]| is_of_another(lines, false);
        assert!(is_of_another(&[("origin", "http://desk.example.com")], true), "the site is behind TLS");
        assert!(!is_of_another(&[("origin", "https://desk.example.com")], true));
        for ours in [
            &[][..],
            &[("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "none")],
            &[("sec-fetch-site", "same-origin"), ("origin", "https://desk.example.com")],
            &[("sec-fetch-site", "none"), ("origin", "https://desk.example.com")],
            &[("origin", "https://desk.example.com")],
            &[("origin", "https://DESK.example.com:8443")],
            &[("origin", "http://127.0.0.1:8765")],
            &[("sec-fetch-site", "same-origin"), ("origin", "null")],
            &[("referer", "https://desk.example.com/sign-in?next=/")],
        ] {
            assert!(!is_foreign(ours), "{ours:?}");
        }
        for foreign in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "")],
            &[("origin", "https://evil.example.com")],
            &[("origin", "https://desk.example.com.evil.example")],
            &[("origin", "http://127.0.0.1:9999")],
            &[("origin", "http://127.0.0.1")],
            &[("origin", "")],
            &[("origin", "null")],
            &[("origin", "file://")],
            &[("origin", "moz-extension://desk.example.com")],
            &[("origin", "https://desk.example.com"), ("origin", "https://evil.example.com")],
            &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "none"), ("origin", "https://evil.example.com")],
            &[("sec-fetch-site", "none"), ("origin", "null")],
            &[("sec-fetch-site", "same-origin"), ("origin", "https://evil.example.com")],
            &[("sec-fetch-site", "same-origin"), ("referer", "https://evil.example.com/")],
            &[("sec-fetch-site", "same-origin"), ("origin", "null"), ("origin", "https://evil.example.com")],
            &[("origin", "null"), ("referer", "https://desk.example.com/")],
            &[("origin", "https://desk.example.com"), ("referer", "https://evil.example.com/")],
            &[("referer", "https://evil.example.com/desk.example.com")],
        ] {
            assert!(is_foreign(foreign), "{foreign:?}");
        }
    }
}
