//! What an action answers: back to the page it came from, with a note on what came of it.

use axum::response::{IntoResponse, Redirect, Response};
use http::header::SET_COOKIE;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::ask::Refused;
use crate::visitor::{Flash, Tone, Visitor, set_cookie};

/// How long a note waits for its page, in seconds.
const WAITS: u32 = 60;

/// It was done: to the page `back` (a path of ours), which shows `words` once. A script follows the same way and takes what
/// changed out of that page, so that an action has one answer for both.
pub(crate) fn done(_visitor: &Visitor, back: &str, words: &str) -> Response {
    noted(back, &Flash::new(Tone::Done, words))
}

/// It was refused: the same with what the API said.
pub(crate) fn refused(_visitor: &Visitor, back: &str, why: &Refused) -> Response {
    noted(back, &Flash::new(Tone::Refused, &why.detail))
}

/// It was not done, for a reason that this program has words for.
pub(crate) fn not_done(_visitor: &Visitor, back: &str, words: &str) -> Response {
    noted(back, &Flash::new(Tone::Refused, words))
}

pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn noted(back: &str, note: &Flash) -> Response {
    let mut answer = Redirect::to(own_path(back)).into_response();
    if let Some(cookie) = set_cookie(Flash::COOKIE, &note.to_word(), WAITS) {
        answer.headers_mut().append(SET_COOKIE, cookie);
    }
    answer
}

/// A path of ours, or the overview: a form never sends a browser elsewhere.
pub(crate) fn own_path(path: &str) -> &str {
    let mut characters = path.chars();
    let ours = characters.next() == Some('/')
        && !matches!(characters.next(), Some('/' | '\\'))
        && path.chars().all(|one| !one.is_control() && one.is_ascii());
    if ours { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_form_never_sends_a_browser_elsewhere() {
        for (given, taken) in [
            ("/messages?q=1", "/messages?q=1"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("", "/"),
            ("/a\r\nSet-Cookie: x", "/"),
        ] {
            assert_eq!(own_path(given), taken, "{given}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_given_stays_here(given in "\\PC{0,40}") {
            let place = own_path(&given);
            prop_assert!(place.starts_with('/') && !place.starts_with("//") && !place.starts_with("/\\"));
        }
    }
}
