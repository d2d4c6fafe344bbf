//! The address of a webhook: compared as a whole, shown without its path, which may be a secret.

use std::fmt;

use domain::SecretText;
use domain::secret::ExposeSecret;
use outbound::Url;

/// From how many letters on a part of a path or a query may be a secret.
const SECRET: usize = 16;

/// Where something is registered or should be.
#[derive(Clone)]
pub(crate) struct WebhookAddress {
    /// The address; nothing when the text is none.
    url: Option<Url>,
    text: SecretText,
}

impl WebhookAddress {
    pub(crate) fn of(text: &str) -> Self {
        let mut url = Url::parse(text).ok().filter(|url| url.host_str().is_some_and(|host| !host.is_empty()));
        if let Some(url) = &mut url {
            // What follows a `#` is never sent.
            url.set_fragment(None);
        }
        Self { url, text: SecretText::from(text) }
    }

    /// Whether what is sent to one arrives at the other.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (&self.url, &other.url) {
            (Some(one), Some(other)) => one == other,
            (None, None) => self.text.expose_secret() == other.text.expose_secret(),
            _ => false,
        }
    }

    /// Whether both are shown alike, so that only what is not shown differs.
    pub(super) fn looks_like(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }

    /// Whether what is sent there can be read on the way.
    pub(super) fn is_plain_http(&self) -> bool {
        self.url.as_ref().is_some_and(|url| url.scheme() == "http" && !is_near(url))
    }

    /// Whether a part of its path or query is long enough to be a secret.
    pub(super) fn may_carry_a_secret(&self) -> bool {
        let Some(url) = &self.url else { return false };
        let path = url.path().split('/');
        let query = url.query().unwrap_or_default().split('&').map(|pair| {
            let (_, value) = pair.split_once('=').unwrap_or(("", pair));
            value
        });
        url.password().is_some() || path.chain(query).any(|part| part.len() >= SECRET)
    }
}

/// Whether an address is on this machine, in a private network, or named without dots as containers are.
fn is_near(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    match bare.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private(),
        Ok(std::net::IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unique_local(),
        Err(_) => !bare.contains('.'),
    }
}

/// Scheme, host and port.
impl fmt::Display for WebhookAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(url) = &self.url else { return f.write_str("something that is no address") };
        let host: String = url.host_str().unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
        write!(f, "{}://{host}", url.scheme())?;
        url.port().map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl fmt::Debug for WebhookAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookAddress({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_differ_by_path_and_not_by_spelling() {
        let is = |one: &str, other: &str| WebhookAddress::of(one).is(&WebhookAddress::of(other));
        assert!(is("https://Example.com:443/hook", "https://example.com/hook"));
        assert!(is("https://example.com", "https://example.com/"));
        assert!(is("https://example.com/hook#top", "https://example.com/hook"));
        assert!(is("nothing", "nothing"));
        for other in [
            "https://example.com/Hook",
            "https://example.com/hook/",
            "https://example.com/hook?x=1",
            "http://example.com/hook",
            "https://example.com:8443/hook",
            "https://www.example.com/hook",
            "nothing",
        ] {
            assert!(!is(other, "https://example.com/hook"), "{other}");
        }
    }

    #[test]
    fn a_shown_address_has_no_path_and_no_password() {
        for (text, shown) in [
            ("https://demo:planted@example.com:8443/planted?planted#planted", "https://example.com:8443"),
            ("https://example.com:443/planted", "https://example.com"),
            ("http://[::1]:80/planted", "http://[::1]"),
            ("planted", "something that is no address"),
            ("", "something that is no address"),
            ("data:planted", "something that is no address"),
        ] {
            let address = WebhookAddress::of(text);
            assert_eq!(address.to_string(), shown, "{text}");
            assert!(!format!("{address:?}").contains("planted"));
        }
    }

    #[test]
    fn nearby_addresses_may_use_plain_http() {
        for (text, is_open) in [
            ("http://example.com/x", true),
            ("http://203.0.113.7/x", true),
            ("https://example.com/x", false),
            ("http://127.0.0.1:8080/x", false),
            ("http://[::1]/x", false),
            ("http://192.168.0.7/x", false),
            ("http://n8n:5678/x", false),
        ] {
            assert_eq!(WebhookAddress::of(text).is_plain_http(), is_open, "{text}");
        }
    }

    #[test]
    fn a_secret_is_long() {
        for (text, expected) in [
            ("https://example.com/", false),
            ("https://example.com/avito/webhook", false),
            ("https://example.com/hook?from=avito", false),
            ("https://example.com/hook/0f1e2d3c4b5a69788796", true),
            ("https://example.com/hook?key=0f1e2d3c4b5a69788796", true),
            ("nothing", false),
        ] {
            assert_eq!(WebhookAddress::of(text).may_carry_a_secret(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_path_is_ever_shown(path in "[a-z0-9]{8,40}", query in "[a-z0-9]{8,40}", port in 1_u16..) {
            let address = WebhookAddress::of(&format!("https://example.com:{port}/{path}?{query}"));
            let shown = format!("{address} {address:?}");
            prop_assert!(!shown.contains(&path) && !shown.contains(&query), "{shown}");
        }

        #[test]
        fn any_text_is_an_address_or_none(text in any::<String>()) {
            let address = WebhookAddress::of(&text);
            prop_assert!(address.is(&WebhookAddress::of(&text)) && address.looks_like(&address));
            prop_assert!(!address.to_string().chars().any(char::is_control));
            let _ = (address.is_plain_http(), address.may_carry_a_secret());
        }
    }
}
