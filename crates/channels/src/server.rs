//! The address of a mail server or a message centre, as settings write it.

use std::fmt;
use std::net::IpAddr;

use domain::SecretText;
use outbound::Url;
use percent_encoding::percent_decode_str;

/// How a server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Security {
    /// TLS from the first byte.
    Tls,
    /// TLS after STARTTLS; without it nothing is sent.
    StartTls,
    /// None: only within this machine.
    Plain,
}

/// A server. Only its host and port are ever printed.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) security: Security,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) login: Option<(String, SecretText)>,
}

impl Server {
    /// Reads the address of a server that takes mail.
    ///
    /// # Errors
    /// What is wrong with it, without the address.
    pub(crate) fn smtp(text: &str) -> Result<Self, &'static str> {
        const WANTED: &str = "must be smtps://USER:PASSWORD@HOST[:465] or smtp://USER:PASSWORD@HOST[:587] (STARTTLS), special \
             characters as %XX; to a server on this machine smtp:// goes without TLS";
        let url = Url::parse(text).map_err(|_| WANTED)?;
        let security = match url.scheme() {
            "smtps" => Security::Tls,
            "smtp" if is_near(&url) => Security::Plain,
            "smtp" => Security::StartTls,
            _ => return Err(WANTED),
        };
        Self::read(&url, security, if security == Security::Tls { 465 } else { 587 }).ok_or(WANTED)
    }

    /// Reads the address of a server of mailboxes.
    ///
    /// # Errors
    /// What is wrong with it, without the address.
    pub(crate) fn imap(text: &str) -> Result<Self, &'static str> {
        const WANTED: &str = "must be imaps://USER:PASSWORD@HOST[:993], special characters as %XX; imap://, without TLS, is for a \
             server on this machine";
        let url = Url::parse(text).map_err(|_| WANTED)?;
        let security = match url.scheme() {
            "imaps" => Security::Tls,
            "imap" if is_near(&url) => Security::Plain,
            _ => return Err(WANTED),
        };
        let server = Self::read(&url, security, if security == Security::Tls { 993 } else { 143 });
        server.filter(|server| server.login.is_some()).ok_or(WANTED)
    }

    /// Reads the address of a message centre, and what follows its `?`. Many centres have no TLS: they are reached over
    /// a line of their own.
    ///
    /// # Errors
    /// What is wrong with it, without the address.
    pub(crate) fn smpp(text: &str) -> Result<(Self, String), &'static str> {
        const WANTED: &str =
            "must be smpp://SYSTEM_ID:PASSWORD@HOST[:2775] or smpps:// with TLS, special characters as %XX";
        let mut url = Url::parse(text).map_err(|_| WANTED)?;
        let (security, usual) = match url.scheme() {
            "smpps" => (Security::Tls, 2776),
            "smpp" => (Security::Plain, 2775),
            _ => return Err(WANTED),
        };
        let options = url.query().unwrap_or_default().to_owned();
        url.set_query(None);
        let server = Self::read(&url, security, usual).filter(|server| server.login.is_some());
        server.map(|server| (server, options)).ok_or(WANTED)
    }

    fn read(url: &Url, security: Security, usual: u16) -> Option<Self> {
        let decoded =
            |text: &str| percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned);
        let login = match (url.username(), url.password()) {
            ("", None) => None,
            (user, Some(password)) if !user.is_empty() => Some((decoded(user)?, decoded(password)?.into())),
            _ => return None,
        };
        let is_bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        let host = host(url).filter(|host| !host.is_empty() && is_bare)?;
        Some(Self { security, host, port: url.port().unwrap_or(usual), login })
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

fn host(url: &Url) -> Option<String> {
    url.host_str().map(|host| host.trim_start_matches('[').trim_end_matches(']').to_owned())
}

/// Whether it is on this machine.
fn is_near(url: &Url) -> bool {
    host(url).is_some_and(|host| {
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    })
}

#[cfg(test)]
mod tests {
    use domain::secret::ExposeSecret;

    use super::*;

    #[test]
    fn addresses_of_servers_without_tls_are_near() {
        let smtp = Server::smtp("smtps://demo%40example.com:wo%3Ard@mail.example.com").unwrap();
        assert_eq!((smtp.security, smtp.port), (Security::Tls, 465));
        let (user, password) = smtp.login.clone().unwrap();
        assert_eq!((user.as_str(), password.expose_secret()), ("demo@example.com", "wo:rd"));
        assert_eq!(smtp.to_string(), "mail.example.com:465");
        let security = |text| Server::smtp(text).map(|server| server.security);
        assert_eq!(security("smtp://mail.example.com"), Ok(Security::StartTls));
        assert_eq!(security("smtp://127.0.0.1:2525"), Ok(Security::Plain));
        assert_eq!(Server::smtp("smtp://[::1]:2525").unwrap().host, "::1");
        let imap = |text| Server::imap(text).map(|server| (server.security, server.port));
        assert_eq!(imap("imaps://demo:word@mail.example.com"), Ok((Security::Tls, 993)));
        assert_eq!(imap("imap://demo:word@localhost:1143"), Ok((Security::Plain, 1143)));
        for text in
            ["", "imap://demo:word@mail.example.com", "imaps://mail.example.com", "https://example.com"]
        {
            assert!(Server::imap(text).is_err(), "{text}");
        }
        for text in [
            "",
            "smtps://",
            "smtps://demo@mail.example.com",
            "smtps://mail.example.com/path",
            "imaps://a:b@c",
        ] {
            assert!(Server::smtp(text).is_err(), "{text}");
        }
    }
}
