//! The HTTP client for calls to other programs: how long it waits, where it lets itself be sent, whom it trusts.

use std::time::Duration;

use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, StatusCode, Url};

use crate::webhook;

/// How long a connection that no one uses is kept.
const IDLE: Duration = Duration::from_secs(30);

/// How often a receiver may send a call on.
const MOST_REDIRECTS: usize = 3;

/// Why no one outside can be told anything. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("calls to other programs cannot be made; install the system's certificates (ca-certificates)")]
    Client(#[from] reqwest::Error),
    #[error("legacy.invite_callback.secret is wrong: {0}")]
    Secret(#[from] crate::InvalidKey),
    #[error("legacy.invite_callback.url is no address: {0}; write one like https://example.com/hook")]
    Address(String),
}

/// A client for one receiver, whose calls take no longer than `limit`, whatever the receiver does.
pub(crate) fn new(receiver: &Url, limit: Duration) -> Result<Client, StartError> {
    let builder = webhook::client(receiver, limit).pool_idle_timeout(IDLE);
    Ok(builder.redirect(Policy::custom(follow)).build()?)
}

/// A redirect that is not followed becomes the answer, which is no success.
fn follow(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let from = attempt.previous().last();
    let again = attempt.previous().len() <= MOST_REDIRECTS
        && keeps_the_body(attempt.status())
        && from.is_some_and(|from| stays(from, attempt.url()));
    if again { attempt.follow() } else { attempt.stop() }
}

/// The others turn a POST into a GET, which tells the receiver nothing.
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
    fn a_client_is_made_for_receivers_with_and_without_tls() {
        for receiver in ["http://example.com/hook", "https://example.com/hook"] {
            assert!(new(&receiver.parse().unwrap(), IDLE).is_ok(), "{receiver}");
        }
    }

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
