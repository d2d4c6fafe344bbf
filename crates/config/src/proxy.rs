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
pub enum InvalidProxy {
    #[error(
        "must be HOST:PORT, HOST:PORT:USER:PASSWORD, USER:PASSWORD@HOST:PORT or a link like https://t.me/socks?server=HOST&port=PORT; socks5:// may stand before the first three"
    )]
    Form,
    #[error("only SOCKS5 proxies are spoken: name the SOCKS5 port of this one")]
    Kind,
}

impl FromStr for ProxyAddress {
    type Err = InvalidProxy;

    /// Reads an address in any of the notations that people copy, and keeps it as `socks5://[USER:PASSWORD@]HOST:PORT`, where `%` begins
    /// an escape.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or(("socks5", text));
        let written = match scheme.to_ascii_lowercase().as_str() {
            "socks5" | "socks5h" | "socks" => Written::read(rest).ok_or(InvalidProxy::Form)?,
            "http" | "https" | "tg" => Written::of_link(rest)?,
            _ => return Err(InvalidProxy::Kind),
        };
        let Written { host, port, login } = written;
        let is_named = login.as_ref().is_none_or(|(user, _)| !user.is_empty() && !user.contains(':'))
            && !host.is_empty()
            && !host.contains(['/', '?', '#', '@'])
            && !text.contains(|c: char| c.is_whitespace() || c.is_control());
        let port = port.parse::<u16>().ok().filter(|port| is_named && *port > 0).ok_or(InvalidProxy::Form)?;
        let login = login.map(|(user, password)| format!("{user}:{password}@")).unwrap_or_default();
        Ok(Self(format!("socks5://{login}{host}:{port}").into()))
    }
}

/// The parts of an address.
struct Written {
    /// One of IPv6 has brackets.
    host: String,
    port: String,
    /// The user and the password.
    login: Option<(String, String)>,
}

impl Written {
    fn read(text: &str) -> Option<Self> {
        let (login, server) = match text.rsplit_once('@') {
            Some((login, server)) => (Some(login.split_once(':')?), server),
            None => (None, text),
        };
        let server = server.strip_suffix('/').unwrap_or(server);
        let (host, rest) = match server.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']')?;
                (format!("[{host}]"), rest.strip_prefix(':')?)
            }
            None => server.split_once(':').map(|(host, rest)| (host.to_owned(), rest))?,
        };
        let (port, behind) = rest.split_once(':').map_or((rest, None), |(port, login)| (port, Some(login)));
        let login = match (login, behind) {
            (login, None) => login.map(|(user, password)| (user.to_owned(), password.to_owned())),
            (None, Some(behind)) => {
                behind.split_once(':').map(|(user, password)| Some((encoded(user), encoded(password))))?
            }
            (Some(_), Some(_)) => return None,
        };
        Some(Self { host, port: port.to_owned(), login })
    }

    /// Reads a link of Telegram to a proxy, such as `t.me/socks?server=…`.
    fn of_link(link: &str) -> Result<Self, InvalidProxy> {
        let path =
            ["t.me/", "telegram.me/"].into_iter().find_map(|host| link.strip_prefix(host)).unwrap_or(link);
        let query = path.strip_prefix("socks?").or_else(|| path.strip_prefix("socks/?"));
        let query = query.ok_or(InvalidProxy::Kind)?;
        let given = |name: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            pairs.find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.into_owned())
        };
        let (server, port) = given("server").zip(given("port")).ok_or(InvalidProxy::Form)?;
        let is_bare = server.contains(':') && !server.starts_with('[');
        let host = if is_bare { format!("[{server}]") } else { server };
        let login = given("user").map(|user| (encoded(&user), encoded(&given("pass").unwrap_or_default())));
        Ok(Self { host, port, login })
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

/// A word as an address has it: those who use the address decode it.
fn encoded(word: &str) -> String {
    word.replace('%', "%25")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_notation_is_read_and_kept_in_one() {
        for (text, kept) in [
            ("socks5://127.0.0.1:1080", "socks5://127.0.0.1:1080"),
            ("socks5://demo:wo@rd@proxy.example.com:1080", "socks5://demo:wo@rd@proxy.example.com:1080"),
            ("SOCKS5://127.0.0.1:1080/", "socks5://127.0.0.1:1080"),
            ("socks5h://proxy.example.com:1080", "socks5://proxy.example.com:1080"),
            ("127.0.0.1:1080", "socks5://127.0.0.1:1080"),
            ("127.0.0.1:1080:demo:se:cret", "socks5://demo:se:cret@127.0.0.1:1080"),
            ("127.0.0.1:1080:demo:50%40", "socks5://demo:50%2540@127.0.0.1:1080"),
            ("demo:secret@127.0.0.1:1080", "socks5://demo:secret@127.0.0.1:1080"),
            ("[2001:db8::1]:1080", "socks5://[2001:db8::1]:1080"),
            ("[2001:db8::1]:1080:demo:secret", "socks5://demo:secret@[2001:db8::1]:1080"),
            ("https://t.me/socks?server=127.0.0.1&port=1080", "socks5://127.0.0.1:1080"),
            (
                "tg://socks?server=2001:db8::1&port=1080&user=demo&pass=a%40b",
                "socks5://demo:a@b@[2001:db8::1]:1080",
            ),
        ] {
            let proxy: ProxyAddress = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(proxy.expose(), kept);
            assert_eq!(format!("{proxy:?}"), "ProxyAddress(socks5://[REDACTED])");
        }
        for (text, error) in [
            ("http://127.0.0.1:1", InvalidProxy::Kind),
            ("https://t.me/proxy?server=a&port=1&secret=ee", InvalidProxy::Kind),
            ("socks4://127.0.0.1:1", InvalidProxy::Kind),
            ("https://t.me/socks?server=a", InvalidProxy::Form),
            ("socks5://127.0.0.1", InvalidProxy::Form),
            ("socks5://:1", InvalidProxy::Form),
            ("socks5://a:0", InvalidProxy::Form),
            ("socks5://demo@a:1", InvalidProxy::Form),
            ("2001:db8::1:1080", InvalidProxy::Form),
            ("a:1:demo", InvalidProxy::Form),
            ("a b:1", InvalidProxy::Form),
        ] {
            assert_eq!(text.parse::<ProxyAddress>().unwrap_err(), error, "{text}");
        }
    }
}
