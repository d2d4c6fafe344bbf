//! Redirects that a client follows by itself: to the same server, with the body kept.

use reqwest::redirect::{Action, Attempt, Policy};
use reqwest::{StatusCode, Url};

/// Follows at most `most` redirects within one server. Any other redirect becomes the answer.
pub(crate) fn within_server(most: usize) -> Policy {
    if most == 0 {
        return Policy::none();
    }
    Policy::custom(move |attempt| follow(attempt, most))
}

fn follow(attempt: Attempt<'_>, most: usize) -> Action {
    let from = attempt.previous().last();
    let is_followed = attempt.previous().len() <= most
        && keeps_the_body(attempt.status())
        && from.is_some_and(|from| stays(from, attempt.url()));
    if is_followed { attempt.follow() } else { attempt.stop() }
}

/// Other redirects turn a POST into a GET, which does not carry the body.
fn keeps_the_body(status: StatusCode) -> bool {
    matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT)
}

fn stays(from: &Url, to: &Url) -> bool {
    from.scheme() == to.scheme()
        && from.host().is_some()
        && from.host() == to.host()
        && from.port_or_known_default() == to.port_or_known_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_sent_on_only_within_its_server() {
        let stays = |from: &str, to: &str| stays(&from.parse().unwrap(), &to.parse().unwrap());
        assert!(stays("https://example.com/hook", "https://example.com/hook/"));
        assert!(stays("https://example.com/hook", "https://example.com:443/hook/"));
        assert!(stays("http://127.0.0.1:8080/a", "http://127.0.0.1:8080/b"));
        for (from, to) in [
            ("https://example.com/hook", "https://example.org/hook"),
            ("https://example.com/hook", "https://www.example.com/hook"),
            ("https://example.com/hook", "http://example.com/hook"),
            ("http://127.0.0.1:8080/a", "http://127.0.0.1:8081/a"),
            ("http://example.com/hook", "https://example.com/hook"),
        ] {
            assert!(!stays(from, to), "{from} → {to}");
        }
    }
}
