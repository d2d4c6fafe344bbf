//! The way a request took: whose it is, whether the browser spoke TLS, and to which host, past the proxies that are trusted. Pure.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use http::header::FORWARDED;
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

pub(crate) const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
/// Headers in which a proxy names one client, without the proxies on the way.
const OF_ONE_CLIENT: [&str; 4] = ["cf-connecting-ip", "true-client-ip", "x-client-ip", "x-real-ip"];
/// Spaces that may stand between the parts of `Forwarded`.
const BLANKS: [char; 2] = [' ', '\t'];
/// Headers that only a proxy, a balancer or a gateway writes. A star stands for any further letters of a name.
const OF_PROXIES: [&str; 112] = [
    "akamai-*",
    "ali-cdn-real-ip",
    "cdn-*",
    "cf-*",
    "client-cert",
    "client-cert-chain",
    "client-ip",
    "disguised-host",
    "eagleeye-*",
    "early-data",
    "fastly-*",
    "fly-*",
    "forwarded",
    "forwarded-for",
    "front-end-https",
    "incap-client-ip",
    "l5d-*",
    "max-forwards",
    "proxy-client-ip",
    "proxy-connection",
    "remote-addr",
    "remote-email",
    "remote-groups",
    "remote-name",
    "remote-user",
    "rndr-*",
    "ssl-client-*",
    "surrogate-*",
    "tailscale-*",
    "true-client-ip",
    "true-client-port",
    "via",
    "was-default-hostname",
    "wl-proxy-*",
    "x-accel-*",
    "x-akamai-*",
    "x-amz-cf-*",
    "x-amzn-*",
    "x-apigee-*",
    "x-appengine-*",
    "x-appservice-*",
    "x-arr-*",
    "x-auth-request-*",
    "x-authentik-*",
    "x-azure-*",
    "x-backend-*",
    "x-bluecoat-*",
    "x-cache*",
    "x-cdn*",
    "x-client-cert",
    "x-client-host",
    "x-client-ip",
    "x-client-port",
    "x-client-proto",
    "x-cloud-trace-*",
    "x-cluster-client-ip",
    "x-coming-from",
    "x-consumer-*",
    "x-ddos*",
    "x-edge-*",
    "x-envoy-*",
    "x-forwarded*",
    "x-gateway-*",
    "x-gcore-*",
    "x-goog-authenticated-*",
    "x-goog-iap-*",
    "x-haproxy-*",
    "x-heroku-*",
    "x-host",
    "x-https",
    "x-iinfo",
    "x-istio-*",
    "x-kong-*",
    "x-lb-*",
    "x-loadbalancer*",
    "x-ms-client-principal*",
    "x-nf-*",
    "x-ngenix-*",
    "x-nginx-*",
    "x-original-*",
    "x-override-url",
    "x-pomerium-*",
    "x-proxy-*",
    "x-proxyuser-ip",
    "x-qrator-*",
    "x-queue-start",
    "x-railway-*",
    "x-real-*",
    "x-remote-*",
    "x-render-*",
    "x-request-start",
    "x-rewrite-url",
    "x-scheme",
    "x-served-by",
    "x-site-deployment-id",
    "x-source-ip",
    "x-squid-*",
    "x-ssl",
    "x-ssl-*",
    "x-sucuri-*",
    "x-timer",
    "x-tls-*",
    "x-traefik-*",
    "x-tyk-*",
    "x-upstream-*",
    "x-url-scheme",
    "x-variti-*",
    "x-varnish*",
    "x-vercel-*",
    "x-wallarm-*",
    "x-waws-*",
    "x-zscaler-*",
];

/// What trusted proxies say about a request, or what the connection shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) client: IpAddr,
    /// Whether the outermost trusted proxy says `https`.
    pub(crate) says_https: bool,
    /// The host that the outermost trusted proxy names.
    pub(crate) host: Option<String>,
    /// Whether the client names clients before it, and may be a proxy that is not trusted.
    pub(crate) has_others_before: bool,
}

/// What one proxy says of the client before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Hop {
    client: Option<IpAddr>,
    proto: Option<String>,
    host: Option<String>,
}

/// A `Forwarded` that RFC 7239 does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Unreadable;

/// Reads the way of a request whose connection comes from `peer`: from the nearest proxy outwards, past each that is trusted. A
/// proxy of one kind passes the headers of the other kinds on as the client wrote them. Where two kinds name different clients,
/// or `Forwarded` cannot be read, no header is believed.
pub(crate) fn way(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Way {
    let peer = peer.to_canonical();
    let nothing = || Way { client: peer, says_https: false, host: None, has_others_before: false };
    if !is_in(peer, trusted) {
        return nothing();
    }
    let found = match (standard(headers), common(headers)) {
        (Err(Unreadable), _) | (Ok(None), None) => return nothing(),
        (Ok(Some(hops)), None) | (Ok(None), Some(hops)) => walk(peer, &hops, trusted),
        (Ok(Some(standard)), Some(common)) => {
            let (one, other) = (walk(peer, &standard, trusted), walk(peer, &common, trusted));
            match (one.client == peer, other.client == peer) {
                _ if one.client == other.client => Way {
                    client: one.client,
                    says_https: one.says_https && other.says_https,
                    host: other.host.or(one.host),
                    has_others_before: one.has_others_before || other.has_others_before,
                },
                // Only the common headers without addresses came beside the standard one, or the other way round.
                (false, true) if standard_alone(&common) => one,
                (true, false) if standard_alone(&standard) => other,
                _ => return nothing(),
            }
        }
    };
    if names_another_client(headers, found.client, trusted) { nothing() } else { found }
}

/// Whether a header of one client names another one. The second of two trusted proxies names the first there.
fn names_another_client(headers: &HeaderMap, client: IpAddr, trusted: &[IpNet]) -> bool {
    let lines = OF_ONE_CLIENT.iter().flat_map(|name| headers.get_all(*name));
    let mut named = lines.filter_map(|line| node(&unquoted(line.to_str().ok()?)));
    named.any(|other| other != client && !is_in(other, trusted))
}

fn standard_alone(hops: &[Hop]) -> bool {
    hops.iter().all(|hop| hop.client.is_none())
}

/// Walks from the last hop, which the nearest proxy wrote, to the first that no trusted proxy wrote.
fn walk(peer: IpAddr, hops: &[Hop], trusted: &[IpNet]) -> Way {
    let mut way = Way { client: peer, says_https: false, host: None, has_others_before: false };
    for (before, hop) in hops.iter().enumerate().rev() {
        if let Some(proto) = &hop.proto {
            way.says_https = ["https", "wss"].iter().any(|word| proto.eq_ignore_ascii_case(word));
        }
        if hop.host.is_some() {
            way.host.clone_from(&hop.host);
        }
        let Some(client) = hop.client else { return way };
        way.client = client;
        if !is_in(client, trusted) {
            way.has_others_before = before > 0;
            return way;
        }
    }
    way
}

/// Whether a request has something that only a proxy writes.
pub(crate) fn came_through_a_proxy(headers: &HeaderMap) -> bool {
    let is_of_proxies = |name: &HeaderName| {
        OF_PROXIES.iter().any(|known| match known.strip_suffix('*') {
            Some(start) => name.as_str().starts_with(start),
            None => name.as_str() == *known,
        })
    };
    headers.keys().any(is_of_proxies)
}

pub(crate) fn is_in(address: IpAddr, networks: &[IpNet]) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| network.contains(&address))
}

/// The hops of `Forwarded` (RFC 7239), in the order in which they were written; none where there is no such header.
fn standard(headers: &HeaderMap) -> Result<Option<Vec<Hop>>, Unreadable> {
    if !headers.contains_key(FORWARDED) {
        return Ok(None);
    }
    let lines = headers.get_all(FORWARDED).iter().map(|line| elements(line.to_str().ok()?));
    let hops: Option<Vec<Vec<Hop>>> = lines.collect();
    hops.map(|hops| Some(hops.concat())).ok_or(Unreadable)
}

/// The elements of one line of `Forwarded`; none where the line cannot be read, or an element has a name twice.
fn elements(line: &str) -> Option<Vec<Hop>> {
    let (mut hops, mut hop, mut names, mut rest) = (Vec::new(), Hop::default(), BTreeSet::new(), line);
    loop {
        rest = rest.trim_start_matches(BLANKS);
        // An element and a pair may be empty.
        if !rest.is_empty() && !rest.starts_with([',', ';']) {
            let (name, value, after) = pair(rest)?;
            match name.as_str() {
                "for" => hop.client = node(&value),
                "proto" => hop.proto = Some(value),
                "host" => hop.host = Some(value),
                _ => {}
            }
            if !names.insert(name) {
                return None;
            }
            rest = after.trim_start_matches(BLANKS);
        }
        let mut signs = rest.chars();
        let separator = signs.next();
        match separator {
            Some(';') => {}
            Some(',') | None if names.is_empty() => {}
            Some(',') | None => {
                hops.push(std::mem::take(&mut hop));
                names.clear();
            }
            Some(_) => return None,
        }
        if separator.is_none() {
            return Some(hops);
        }
        rest = signs.as_str();
    }
}

/// The first pair of a text: its name in small letters, its value, and what follows. A value without quotes may have all that
/// separates nothing: proxies write ports and brackets so.
fn pair(text: &str) -> Option<(String, String, &str)> {
    let (name, rest) = text.split_once('=')?;
    let is_of_name = |sign: u8| sign.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&sign);
    if name.is_empty() || !name.bytes().all(is_of_name) {
        return None;
    }
    let (value, after) = if let Some(quoted) = rest.strip_prefix('"') {
        let (mut value, mut signs) = (String::new(), quoted.chars());
        loop {
            match signs.next()? {
                '"' => break (value, signs.as_str()),
                '\\' => value.push(signs.next()?),
                sign => value.push(sign),
            }
        }
    } else {
        let is_of_value = |sign: char| sign.is_ascii_graphic() && !"\"\\,;".contains(sign);
        let (value, after) = rest.split_at(rest.find(|sign| !is_of_value(sign)).unwrap_or(rest.len()));
        (value.to_owned(), after)
    };
    Some((name.to_ascii_lowercase(), value, after))
}

/// The hops of `X-Forwarded-For`, `-Proto` and `-Host`; none where none of them is there. A proxy that writes one word for all of the
/// way says it of its own hop and of those before.
fn common(headers: &HeaderMap) -> Option<Vec<Hop>> {
    let values = |name: HeaderName| -> Vec<String> {
        let lines = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or_default());
        // No comma stands in quotes here, and a client may leave one open.
        lines.flat_map(|line| line.split(',')).map(unquoted).filter(|value| !value.is_empty()).collect()
    };
    let (clients, protos, hosts) = (values(FORWARDED_FOR), values(FORWARDED_PROTO), values(FORWARDED_HOST));
    let count = clients.len().max(1);
    // From the nearest one: the last value, then the one before, and the first for all that are further away.
    let word = |words: &[String], from_end: usize| {
        let place = words.len().checked_sub(1)?.saturating_sub(from_end);
        words.get(place).cloned()
    };
    let is_any = !(clients.is_empty() && protos.is_empty() && hosts.is_empty());
    is_any.then(|| {
        let hop = |from_end: usize| Hop {
            client: clients.len().checked_sub(from_end + 1).and_then(|place| node(clients.get(place)?)),
            proto: word(&protos, from_end),
            host: word(&hosts, from_end),
        };
        (0..count).rev().map(hop).collect()
    })
}

fn unquoted(value: &str) -> String {
    let value = value.trim();
    match value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) {
        Some(inner) => inner.replace("\\\"", "\"").replace("\\\\", "\\").trim().to_owned(),
        None => value.to_owned(),
    }
}

/// The address of a node: with or without a port, brackets, and the zone of a link. A hidden or unknown one has none.
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let host = match text.strip_prefix('[') {
        Some(rest) => {
            let (inner, port) = rest.split_once(']')?;
            if !port.is_empty() && !port.starts_with(':') {
                return None;
            }
            inner
        }
        None => text,
    };
    let host = host.split('%').next().unwrap_or(host);
    let plain = || host.parse::<IpAddr>().ok();
    let with_port = || host.parse::<SocketAddr>().ok().map(|address| address.ip());
    // A port may be hidden, as `1.2.3.4:_http`.
    let with_hidden_port =
        || host.split_once(':').and_then(|(host, _)| host.parse::<std::net::Ipv4Addr>().ok()).map(IpAddr::V4);
    plain().or_else(with_port).or_else(with_hidden_port).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let line = |(name, value): &(&str, &str)| {
            (name.parse::<HeaderName>().expect("a name"), HeaderValue::from_str(value).expect("a value"))
        };
        let mut headers = HeaderMap::new();
        for (name, value) in lines.iter().map(line) {
            headers.append(name, value);
        }
        headers
    }

    fn trusted() -> Vec<IpNet> {
        ["172.17.0.0/16", "127.0.0.0/8", "fd00::/8"].map(|network| network.parse().expect("a network")).into()
    }

    const FOR: &str = "x-forwarded-for";
    const PROTO: &str = "x-forwarded-proto";

    #[test]
    fn only_trusted_proxies_are_believed() {
        for (peer, lines, expected) in [
            ("10.0.0.1", &[(FOR, "1.2.3.4")][..], "10.0.0.1"),
            ("10.0.0.1", &[("forwarded", "for=1.2.3.4")], "10.0.0.1"),
            ("172.17.0.2", &[(FOR, "1.2.3.4")], "1.2.3.4"),
            ("::ffff:172.17.0.2", &[(FOR, "1.2.3.4")], "1.2.3.4"),
            ("172.17.0.2", &[(FOR, "6.6.6.6, 1.2.3.4")], "1.2.3.4"),
            ("172.17.0.2", &[(FOR, "6.6.6.6"), (FOR, "1.2.3.4, 127.0.0.1")], "1.2.3.4"),
            ("172.17.0.2", &[(FOR, "1.2.3.4:8080")], "1.2.3.4"),
            ("172.17.0.2", &[(FOR, "[2001:db8::1]")], "2001:db8::1"),
            ("172.17.0.2", &[(FOR, "[2001:db8::1]:443")], "2001:db8::1"),
            ("172.17.0.2", &[(FOR, "\"[2001:db8::1]:443\"")], "2001:db8::1"),
            ("172.17.0.2", &[(FOR, "fe80::1%eth0")], "fe80::1"),
            ("172.17.0.2", &[(FOR, "unknown")], "172.17.0.2"),
            ("172.17.0.2", &[], "172.17.0.2"),
            ("172.17.0.2", &[(FOR, "127.0.0.1")], "127.0.0.1"),
            ("172.17.0.2", &[("forwarded", "for=1.2.3.4")], "1.2.3.4"),
            ("172.17.0.2", &[("forwarded", "For=\"[2001:db8:cafe::17]:4711\"")], "2001:db8:cafe::17"),
            ("172.17.0.2", &[("forwarded", "for=192.0.2.43;proto=https;by=203.0.113.43")], "192.0.2.43"),
            ("172.17.0.2", &[("forwarded", "for=6.6.6.6, for=1.2.3.4;by=\"a,b;c\"")], "1.2.3.4"),
            ("172.17.0.2", &[("forwarded", "for=1.2.3.4"), ("forwarded", "for=172.17.0.9")], "1.2.3.4"),
            ("fd00::2", &[("forwarded", "for=\"1.2.3.4:_http\"")], "1.2.3.4"),
            ("172.17.0.2", &[("forwarded", "for=_hidden")], "172.17.0.2"),
            ("172.17.0.2", &[("forwarded", "for=unknown;proto=https")], "172.17.0.2"),
            // One that writes X-Forwarded-For passes a Forwarded of the client on, and the other way round.
            ("172.17.0.2", &[("forwarded", "for=6.6.6.6"), (FOR, "1.2.3.4")], "172.17.0.2"),
            ("172.17.0.2", &[("forwarded", "for=1.2.3.4"), (FOR, "1.2.3.4")], "1.2.3.4"),
            // So does one that names the client alone.
            ("172.17.0.2", &[("x-real-ip", "1.2.3.4"), (FOR, "127.0.0.1")], "172.17.0.2"),
            ("172.17.0.2", &[("true-client-ip", "1.2.3.4"), (FOR, "6.6.6.6")], "172.17.0.2"),
            ("172.17.0.2", &[("cf-connecting-ip", "1.2.3.4"), (FOR, "6.6.6.6")], "172.17.0.2"),
            ("172.17.0.2", &[("x-client-ip", "1.2.3.4:99"), ("forwarded", "for=127.0.0.1")], "172.17.0.2"),
            ("172.17.0.2", &[("x-real-ip", "1.2.3.4"), (FOR, "1.2.3.4")], "1.2.3.4"),
            ("172.17.0.2", &[("x-real-ip", "172.17.0.9"), (FOR, "1.2.3.4, 172.17.0.9")], "1.2.3.4"),
            ("172.17.0.2", &[("x-real-ip", "1.2.3.4")], "172.17.0.2"),
        ] {
            let found = way(address(peer), &headers(lines), &trusted()).client;
            assert_eq!(found, address(expected), "{peer} {lines:?}");
        }
    }

    #[test]
    fn a_forwarded_that_cannot_be_read_names_no_client() {
        let own = "for=1.2.3.4";
        let quoted = "for=\"[2001:db8::9]:99\"";
        for lies in [
            r#"for=127.0.0.1;a=\""#,
            r#"for=127.0.0.1;a=""#,
            r#"for=127.0.0.1;a="\""#,
            r#"for=127.0.0.1;a=b""#,
            "for=127.0.0.1;a=\\",
            r#"for=127.0.0.1;a="b"c"#,
            "for=127.0.0.1;a",
            "for=127.0.0.1 a=b",
            "for=127.0.0.1;=b",
            "for=6.6.6.6;for=127.0.0.1",
            "for=6.6.6.6;a=b;For=127.0.0.1",
            "(for)=127.0.0.1",
        ] {
            for written in [own, quoted] {
                let line = format!("{lies}, {written}");
                let both = [("forwarded", &*line), (FOR, "127.0.0.1")];
                for lines in [&both[..1], &both[..]] {
                    let found = way(address("172.17.0.2"), &headers(lines), &trusted()).client;
                    assert_eq!(found, address("172.17.0.2"), "{lines:?}");
                }
            }
            let lines = [("forwarded", lies), ("forwarded", own)];
            let found = way(address("172.17.0.2"), &headers(&lines), &trusted()).client;
            assert_eq!(found, address("172.17.0.2"), "{lines:?}");
        }
        for lies in ["", ",;,", "for=6.6.6.6", r#"for="6.6.6.6";by="a\",b;c\\""#, "for=[::1]:80 ; proto=http"]
        {
            let line = format!("{lies} ,\t{own}");
            let found = way(address("172.17.0.2"), &headers(&[("forwarded", &line)]), &trusted()).client;
            assert_eq!(found, address("1.2.3.4"), "{line}");
        }
    }

    #[test]
    fn only_a_trusted_proxy_reports_an_encrypted_connection() {
        for (peer, lines, expected) in [
            ("172.17.0.2", &[(PROTO, "https")][..], true),
            ("172.17.0.2", &[(PROTO, "HTTPS")], true),
            ("172.17.0.2", &[(PROTO, "\"https\"")], true),
            ("172.17.0.2", &[(PROTO, "https, http")], false),
            ("172.17.0.2", &[(PROTO, "http")], false),
            ("172.17.0.2", &[], false),
            ("10.0.0.1", &[(PROTO, "https")], false),
            // Two proxies that are trusted: the outer one spoke to the browser.
            ("172.17.0.2", &[(FOR, "1.2.3.4, 172.17.0.9"), (PROTO, "https, http")], true),
            ("172.17.0.2", &[(FOR, "1.2.3.4, 172.17.0.9"), (PROTO, "https")], true),
            // The client says https, and its proxy http.
            ("172.17.0.2", &[(FOR, "9.9.9.9, 1.2.3.4"), (PROTO, "https, http")], false),
            ("172.17.0.2", &[("forwarded", "for=1.2.3.4;proto=https")], true),
            ("172.17.0.2", &[("forwarded", "for=1.2.3.4;Proto=\"https\", for=172.17.0.9;proto=http")], true),
            ("172.17.0.2", &[("forwarded", "for=9.9.9.9;proto=https, for=1.2.3.4;proto=http")], false),
        ] {
            let found = way(address(peer), &headers(lines), &trusted()).says_https;
            assert_eq!(found, expected, "{peer} {lines:?}");
        }
        let named = headers(&[("forwarded", "for=1.2.3.4;host=\"desk.example.com:8443\"")]);
        let host = way(address("172.17.0.2"), &named, &trusted()).host;
        assert_eq!(host.as_deref(), Some("desk.example.com:8443"));
        let named = headers(&[("x-forwarded-host", "desk.example.com")]);
        assert_eq!(way(address("172.17.0.2"), &named, &trusted()).host.as_deref(), Some("desk.example.com"));
        assert_eq!(way(address("10.0.0.1"), &named, &trusted()).host, None);
    }

    #[test]
    fn what_only_proxies_write_shows_a_proxy() {
        for name in [
            "Forwarded",
            "Via",
            "X-Forwarded",
            "X-Forwarded-For",
            "X-Forwarded-Ssl",
            "X-Forwarded-Prefix",
            "X-Real-IP",
            "X-Original-Host",
            "X-Envoy-External-Address",
            "CF-Ray",
            "CDN-Loop",
            "Fly-Client-IP",
            "Fastly-Client-IP",
            "X-Azure-ClientIP",
            "Max-Forwards",
            "Proxy-Connection",
            "True-Client-IP",
            "X-HTTPS",
            "X-Host",
            "X-Url-Scheme",
            "X-Sucuri-ClientIP",
            "X-BlueCoat-Via",
            "X-Coming-From",
            "Cdn-Src-Ip",
            "Rndr-Id",
            "X-Railway-Edge",
            "X-Amzn-Trace-Id",
            "X-Cloud-Trace-Context",
            "Early-Data",
            "X-Rewrite-URL",
            "Remote-Addr",
            "X-Served-By",
            "X-Cache",
            "X-Cache-Hits",
            "X-Varnish",
            "X-Amz-Cf-Id",
            "X-Azure-FDID",
            "Fastly-FF",
            "CDN-RequestId",
            "X-Request-Start",
            "X-Queue-Start",
            "X-Cluster-Client-IP",
            "X-Client-IP",
            "X-Haproxy-Server-State",
            "Surrogate-Capability",
            "X-Auth-Request-User",
            "SSL-Client-Verify",
            "X-Timer",
        ] {
            let name = name.to_ascii_lowercase();
            assert!(came_through_a_proxy(&headers(&[(name.as_str(), "1")])), "{name}");
        }
        for name in [
            "host",
            "accept",
            "user-agent",
            "x-api-key",
            "x-request-id",
            "forwarding",
            "x-flying",
            "traceparent",
            "x-b3-traceid",
            "x-client-version",
            "x-requested-with",
        ] {
            assert!(!came_through_a_proxy(&headers(&[(name, "1")])), "{name}");
        }
    }

    proptest! {
        #[test]
        fn client_headers_never_hide_its_own_address(lies in "[ -~]{0,60}") {
            let line = format!("{lies}, 1.2.3.4");
            let found = way(address("172.17.0.2"), &headers(&[(FOR, &line)]), &trusted()).client;
            prop_assert_eq!(found, address("1.2.3.4"));
        }

        /// Whatever a client writes beforehand, it gets its own address or that of the proxy.
        #[test]
        fn a_client_never_gets_the_address_of_another(lies in "[ -~]{0,60}", is_standard: bool) {
            let name = if is_standard { "forwarded" } else { FOR };
            let written = if is_standard { "for=1.2.3.4" } else { "1.2.3.4" };
            let found = way(address("172.17.0.2"), &headers(&[(name, &format!("{lies}, {written}"))]), &trusted()).client;
            prop_assert!([address("1.2.3.4"), address("172.17.0.2")].contains(&found), "{found}");
            let found = way(address("172.17.0.2"), &headers(&[(name, &lies), (name, written)]), &trusted()).client;
            prop_assert!([address("1.2.3.4"), address("172.17.0.2")].contains(&found), "{found}");
        }
    }
}
