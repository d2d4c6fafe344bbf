//! Proxies of browser profiles: read from a file, named without their passwords.

use domain::SecretText;
use domain::secret::ExposeSecret;
use outbound::{Allowed, guard};
use percent_encoding::percent_decode_str;

use crate::import::Imported;

const SCHEME: &str = "socks5://";

/// Reads proxies, one a line, each in one of the notations of [`config::ProxyAddress`].
/// The answer has a name without the password, and the address. A line is refused whose host the guard refuses.
pub fn read_proxies(text: &str, allowed: &Allowed) -> Imported<(String, SecretText)> {
    let mut read = Imported::default();
    for (line, words) in (1..).zip(text.strip_prefix('\u{feff}').unwrap_or(text).lines()) {
        let words = words.trim();
        if words.is_empty() || words.starts_with('#') {
            continue;
        }
        match proxy(words, allowed) {
            Ok((name, _)) if read.items.iter().any(|(known, _)| *known == name) => {
                read.refuse(line, format!("{name} is there twice"));
            }
            Ok(proxy) => read.items.push(proxy),
            Err(why) => read.refuse(line, why),
        }
    }
    read
}

fn proxy(words: &str, allowed: &Allowed) -> Result<(String, SecretText), String> {
    let address = words.parse::<config::ProxyAddress>().map_err(|error| error.to_string())?;
    let address = address.expose();
    let rest = address.strip_prefix(SCHEME).unwrap_or(address);
    let (login, server) = rest.rsplit_once('@').map_or((None, rest), |(login, server)| (Some(login), server));
    let host = server.rsplit_once(':').map_or(server, |(host, _)| host);
    guard::host(host.trim_matches(['[', ']']), allowed).map_err(|why| format!("is not dialled: {why}"))?;
    let user = login.and_then(|login| login.split_once(':')).map(|(user, _)| format!("{user}@"));
    Ok((format!("{SCHEME}{}{server}", user.unwrap_or_default()), address.to_owned().into()))
}

/// A proxy as browsers take it. A caller named it, so it may be in these private networks alone.
pub(crate) fn as_browsers_take_it(address: &SecretText, allowed: &Allowed) -> browser::Proxy {
    let address = address.expose_secret();
    let rest = address.strip_prefix(SCHEME).unwrap_or(address);
    let login = rest.rsplit_once('@').and_then(|(login, server)| Some((login.split_once(':')?, server)));
    let (login, server) = match login {
        Some(((user, password), server)) => (Some((decoded(user), decoded(password).into())), server),
        None => (None, rest),
    };
    browser::Proxy { address: server.to_owned(), login, allowed: allowed.clone() }
}

fn decoded(word: &str) -> String {
    percent_decode_str(word).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn listed(networks: &[&str]) -> Allowed {
        let networks = networks.iter().map(|network| network.parse().expect("a network")).collect();
        Allowed::new(outbound::AllowList::Campaigns, networks)
    }

    #[test]
    fn each_form_is_read_and_bad_lines_are_named() {
        let file = "\u{feff}# mine\r\n127.0.0.1:1080\r\n10.0.0.1:1080:demo:se:cret\r\nsocks5://demo:a@b@10.0.0.2:1\r\n\
                    http://10.0.0.3:8080\n10.0.0.4\n127.0.0.1:1080\n10.0.0.5:0\n";
        let read = read_proxies(file, &listed(&["127.0.0.0/8", "10.0.0.0/8"]));
        let refused = read_proxies("10.0.0.1:1080\n0x7f.1:1\n[::1]:1\nproxy.example.com:1", &listed(&[]));
        assert_eq!(refused.bad.iter().map(|bad| bad.line).collect::<Vec<_>>(), [1, 2, 3]);
        let names: Vec<_> = read.items.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            ["socks5://127.0.0.1:1080", "socks5://demo@10.0.0.1:1080", "socks5://demo@10.0.0.2:1"]
        );
        assert_eq!(read.bad.iter().map(|bad| bad.line).collect::<Vec<_>>(), [5, 6, 7, 8]);
        let allowed = listed(&[]);
        let proxy = as_browsers_take_it(&read.items[1].1, &allowed);
        let (user, password) = proxy.login.expect("a password");
        assert_eq!((proxy.address.as_str(), user.as_str()), ("10.0.0.1:1080", "demo"));
        assert_eq!(password.expose_secret(), "se:cret");
        let open = as_browsers_take_it(&read.items[0].1, &allowed);
        assert!(open.address == "127.0.0.1:1080" && open.login.is_none(), "{open:?}");
    }

    proptest! {
        #[test]
        fn no_name_has_a_password(user in "[a-z]{1,8}", password in "[A-Z0-9:@]{4,12}") {
            let read = read_proxies(&format!("{user}:{password}@proxy.example.com:1080"), &listed(&[]));
            for (name, _) in read.items {
                prop_assert!(!name.contains(&password), "{name}");
            }
        }
    }
}
