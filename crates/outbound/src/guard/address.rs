//! What a caller may give as an address: http or https, a host, a port that is not another protocol's.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;

use super::{Allowed, Refused, fit};

/// The longest address that is read, in bytes.
const MOST_BYTES: usize = 4096;

/// Ports of other protocols that could be spoken to by accident or by malice: the list of the Fetch standard.
const OTHER_PROTOCOLS: [u16; 83] = [
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103,
    104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514,
    515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723,
    2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
];

/// Names that systems give to the machine itself, beside those below `localhost`.
const OWN_NAMES: [&str; 4] = ["localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"];

/// Why an address is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("the address is longer than {MOST_BYTES} bytes")]
    TooLong,
    #[error("this is no address: {0}; write one like https://example.com/photo.jpg")]
    Unreadable(String),
    #[error("addresses begin with https:// or http://, not {0}:")]
    Scheme(String),
    #[error("the address carries a name or password before the @; leave it out")]
    Credentials,
    #[error("the address names no host")]
    NoHost,
    #[error("port {0} belongs to another protocol than http")]
    Port(u16),
    #[error("the address names the host of the proxy")]
    Proxy,
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// Reads an address that a caller gave, and judges its host as [`host`] does.
pub fn address(text: &str, allowed: &Allowed) -> Result<Url, AddressError> {
    if text.len() > MOST_BYTES {
        return Err(AddressError::TooLong);
    }
    let url = Url::parse(text).map_err(|error| AddressError::Unreadable(error.to_string()))?;
    check(url, allowed)
}

/// The rules for an address that is read already: one that a redirect led to.
pub fn check(mut url: Url, allowed: &Allowed) -> Result<Url, AddressError> {
    if url.as_str().len() > MOST_BYTES {
        return Err(AddressError::TooLong);
    }
    if !matches!(url.scheme(), "http" | "https") {
        return Err(AddressError::Scheme(url.scheme().chars().take(32).collect()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressError::Credentials);
    }
    let named = url.host_str().filter(|host| !host.is_empty()).ok_or(AddressError::NoHost)?;
    host(named, allowed)?;
    if let Some(port) = url.port().filter(|port| OTHER_PROTOCOLS.contains(port)) {
        return Err(AddressError::Port(port));
    }
    url.set_fragment(None);
    Ok(url)
}

/// Judges a host that is a number in whatever notation, or a name that always means this machine. Any other name passes: it is
/// judged when it is dialled.
///
/// # Errors
/// The guard refuses it.
pub fn host(host: &str, allowed: &Allowed) -> Result<(), Refused> {
    let found = match number(host) {
        Some(number) => vec![number],
        None if is_own_name(host) => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        None => Vec::new(),
    };
    let found: Vec<_> = found.into_iter().map(|address| SocketAddr::new(address, 0)).collect();
    fit(&found, allowed).map(drop)
}

/// Whether a name always means this machine (RFC 6761, section 6.3).
fn is_own_name(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    name.ends_with(".localhost") || OWN_NAMES.contains(&&*name)
}

/// The address in a host that is one, in whatever notation (`0x7f.1`, `2130706433`).
pub fn number(host: &str) -> Option<IpAddr> {
    let written =
        if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
    let url = Url::parse(&format!("http://{written}/")).ok()?;
    plain_number(url.host_str()?)
}

/// The address in a host that is one. All notations were made one by reading the address.
fn plain_number(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare.strip_suffix('.').unwrap_or(bare).parse().ok()
}
