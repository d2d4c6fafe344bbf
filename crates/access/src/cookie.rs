//! The cookies of a session, of a known browser and of a sign-in form: their names, their flags, and finding them in what a browser
//! sends.
//!
//! Over TLS each has the prefix `__Host-`, which a browser only takes with `Secure`, for this host alone (RFC 6265bis); then
//! the plain one is not looked at, which a neighbour on the same host could have set.

use crate::token::{DeviceToken, DoorToken, SessionToken};

/// The name of a cookie: over TLS, and without.
struct Name(&'static str, &'static str);

const SESSION: Name = Name("__Host-switchboard", "switchboard");
const DEVICE: Name = Name("__Host-switchboard-device", "switchboard-device");
const DOOR: Name = Name("__Host-switchboard-door", "switchboard-door");

/// How many cookies of one name are looked at. A neighbour on the same host can set one that the browser sends first.
const MOST_OF_A_NAME: usize = 8;

/// The longest life of a session, for the browser; the server has the last word.
const MAX_AGE: u64 = crate::session::LONGEST.as_secs();

impl Name {
    const fn of(&self, secure: bool) -> &'static str {
        if secure { self.0 } else { self.1 }
    }

    /// `SameSite=Lax`: a link in an alert opens the page; no foreign form is sent with it.
    fn set(&self, value: &str, age: Option<u64>, secure: bool) -> String {
        let age = age.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
        let only = if secure { "; Secure" } else { "" };
        format!("{}={value}{age}; Path=/; HttpOnly; SameSite=Lax{only}", self.of(secure))
    }

    /// All values of this name that can be read as a token, in the order in which the browser sent them.
    fn find<'a, T>(
        &self,
        headers: impl IntoIterator<Item = &'a str>,
        secure: bool,
        read: impl Fn(&str) -> Option<T>,
    ) -> impl Iterator<Item = T> {
        let pairs = headers.into_iter().flat_map(|line| line.split(';'));
        let pairs = pairs.filter_map(|pair| pair.trim().split_once('='));
        let values = pairs.filter(move |(found, _)| *found == self.of(secure)).map(|(_, value)| value);
        values.filter_map(move |value| read(value.trim_matches('"')))
    }
}

/// The value of `Set-Cookie` that begins a session. `secure` says whether the browser speaks TLS to us or to a trusted
/// proxy.
pub fn begin(token: &SessionToken, secure: bool) -> String {
    SESSION.set(&token.text(), Some(MAX_AGE), secure)
}

/// The value of `Set-Cookie` that takes it away.
pub fn end(secure: bool) -> String {
    SESSION.set("", Some(0), secure)
}

/// The tokens of a session in the headers `Cookie` of a request: the well-formed ones, [`MOST_OF_A_NAME`] at most.
pub fn find<'a>(headers: impl IntoIterator<Item = &'a str>, secure: bool) -> Vec<SessionToken> {
    SESSION.find(headers, secure, SessionToken::read).take(MOST_OF_A_NAME).collect()
}

/// The value of `Set-Cookie` by which the browser is known at its next sign-ins. It outlives sessions.
pub fn remember(token: &DeviceToken, secure: bool) -> String {
    DEVICE.set(&token.text(), Some(crate::session::DEVICE_LASTS.as_secs()), secure)
}

/// The tokens of the browser: the well-formed ones, [`MOST_OF_A_NAME`] at most.
pub fn find_devices<'a>(headers: impl IntoIterator<Item = &'a str>, secure: bool) -> Vec<DeviceToken> {
    DEVICE.find(headers, secure, DeviceToken::read).take(MOST_OF_A_NAME).collect()
}

/// The value of `Set-Cookie` that goes with a sign-in form. The browser forgets it when it is closed.
pub fn door(token: &DoorToken, secure: bool) -> String {
    DOOR.set(&token.text(), None, secure)
}

/// The token that goes with a sign-in form, if there is a well-formed one.
pub fn find_door<'a>(headers: impl IntoIterator<Item = &'a str>, secure: bool) -> Option<DoorToken> {
    DOOR.find(headers, secure, DoorToken::read).next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_cookie_is_for_this_host_alone_and_not_for_scripts() {
        let token = SessionToken::draw().expect("chance");
        let secure = begin(&token, true);
        assert!(secure.starts_with("__Host-switchboard="), "{secure}");
        for flag in ["; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age=2592000"] {
            assert!(secure.contains(flag), "{secure}");
        }
        let plain = begin(&token, false);
        assert!(plain.starts_with("switchboard=") && !plain.contains("Secure"), "{plain}");
        assert!(end(true).starts_with("__Host-switchboard=; Max-Age=0;"), "{}", end(true));
    }

    #[test]
    fn it_is_found_among_others_and_only_by_its_own_name() {
        let token = SessionToken::draw().expect("chance");
        let found = |headers: &[&str], secure| {
            find(headers.iter().copied(), secure).iter().any(|found| found.text() == token.text())
        };
        let plain = format!("theme=dark; switchboard={}; lang=ru", token.text());
        assert!(found(&[&plain], false) && !found(&[&plain], true));
        let secure = format!("__Host-switchboard={}", token.text());
        assert!(found(&["a=b", &secure], true) && !found(&[&secure], false));
        assert!(!found(&["switchboard=yesterday"], false) && !found(&[], false));
    }

    #[test]
    fn each_cookie_of_the_name_is_a_candidate() {
        let (first, second) = (SessionToken::draw().expect("chance"), SessionToken::draw().expect("chance"));
        let line = format!("switchboard=AAAA; switchboard={}; switchboard={}", first.text(), second.text());
        let found: Vec<_> = find([line.as_str()], false).iter().map(SessionToken::text).collect();
        assert_eq!(found, [first.text(), second.text()]);
        let many = line.repeat(20).replace("switchboard=AAAA", "; switchboard=AAAA");
        assert_eq!(find([many.as_str()], false).len(), MOST_OF_A_NAME);
    }

    proptest! {
        #[test]
        fn any_header_is_read(header in ".{0,200}", secure: bool) {
            let _ = find([header.as_str()], secure);
        }
    }
}
