//! The address of a proxy.

use std::{fmt, str::FromStr};

use secrecy::{ExposeSecret, SecretString};

/// The address of a SOCKS5 proxy. It can hold a password, so it is never printed.
#[derive(Clone)]
pub struct ProxyAddress(SecretString);

impl ProxyAddress {
    /// The whole address, password included.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// A text that is no proxy's address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be socks5://HOST:PORT or socks5://USER:PASSWORD@HOST:PORT; other kinds of proxies are not spoken"
)]
pub struct InvalidProxy;

impl FromStr for ProxyAddress {
    type Err = InvalidProxy;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text.strip_prefix("socks5://").ok_or(InvalidProxy)?;
        let (credentials, server) = match rest.rsplit_once('@') {
            Some((credentials, server)) => (Some(credentials), server),
            None => (None, rest),
        };
        let (host, port) = server.rsplit_once(':').ok_or(InvalidProxy)?;
        let named = credentials
            .is_none_or(|words| words.split_once(':').is_some_and(|(user, _)| !user.is_empty()))
            && !host.is_empty()
            && !text.contains(|c: char| c.is_whitespace() || c.is_control())
            && !server.contains(['/', '?', '#']);
        let port: u16 = port.parse().map_err(|_| InvalidProxy)?;
        if named && port > 0 { Ok(Self(text.into())) } else { Err(InvalidProxy) }
    }
}

impl fmt::Display for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("socks5://[REDACTED]")
    }
}

impl fmt::Debug for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyAddress({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_socks5_with_host_and_port() {
        for text in ["socks5://127.0.0.1:1080", "socks5://demo:wo@rd@proxy.example.com:1080"] {
            let proxy: ProxyAddress = text.parse().unwrap();
            assert_eq!(proxy.expose(), text);
            assert_eq!(format!("{proxy:?}"), "ProxyAddress(socks5://[REDACTED])");
        }
        for text in
            ["http://127.0.0.1:1", "socks5://127.0.0.1", "socks5://:1", "socks5://a:0", "socks5://demo@a:1"]
        {
            assert_eq!(text.parse::<ProxyAddress>().unwrap_err(), InvalidProxy, "{text}");
        }
    }
}
