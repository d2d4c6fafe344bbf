//! The session's cookie: its name, its flags, and finding it in what a browser sends.
//!
//! Over TLS it has the prefix `__Host-`, which a browser only takes with `Secure`, for this host alone (RFC 6265bis); then
//! the plain one is not looked at, which a neighbour on the same host could have set.

use crate::token::SessionToken;

const SECURE: &str = "__Host-switchboard";
const PLAIN: &str = "switchboard";

/// The longest life of a session, for the browser; the server has the last word.
const MAX_AGE: u64 = crate::session::LONGEST.as_secs();

fn name(secure: bool) -> &'static str {
    if secure { SECURE } else { PLAIN }
}

fn flags(secure: bool) -> &'static str {
    if secure { "; Path=/; HttpOnly; SameSite=Lax; Secure" } else { "; Path=/; HttpOnly; SameSite=Lax" }
}

/// The value of `Set-Cookie` that begins a session. `secure` says whether the browser speaks TLS to us or to a trusted
/// proxy. `SameSite=Lax`: a link in an alert opens the page; no foreign form is sent with it.
pub fn begin(token: &SessionToken, secure: bool) -> String {
    format!("{}={}; Max-Age={MAX_AGE}{}", name(secure), token.text(), flags(secure))
}

/// The value of `Set-Cookie` that takes it away.
pub fn end(secure: bool) -> String {
    format!("{}=; Max-Age=0{}", name(secure), flags(secure))
}

/// The session's token in the headers `Cookie` of a request, if there is a well-formed one.
pub fn find<'a>(headers: impl IntoIterator<Item = &'a str>, secure: bool) -> Option<SessionToken> {
    headers
        .into_iter()
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, _)| *found == name(secure))
        .and_then(|(_, value)| SessionToken::read(value.trim_matches('"')))
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
            find(headers.iter().copied(), secure).is_some_and(|found| found.text() == token.text())
        };
        let plain = format!("theme=dark; switchboard={}; lang=ru", token.text());
        assert!(found(&[&plain], false) && !found(&[&plain], true));
        let secure = format!("__Host-switchboard={}", token.text());
        assert!(found(&["a=b", &secure], true) && !found(&[&secure], false));
        assert!(!found(&["switchboard=yesterday"], false) && !found(&[], false));
    }

    proptest! {
        #[test]
        fn any_header_is_read(header in ".{0,200}", secure: bool) {
            let _ = find([header.as_str()], secure);
        }
    }
}
