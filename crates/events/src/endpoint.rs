//! Where another program listens: the client that posts to it, whom it may reach, and how a post ended.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use ambient::Clock;
use media::guard::{self, AddressError};
use media::{Allowed, Names};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Response, StatusCode, Url};

use crate::{Kind, SigningKey};

/// The longest wait for a connection, TLS included.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a connection that no one uses is kept.
const IDLE: Duration = Duration::from_secs(30);

/// How often a receiver may send a call on.
const MOST_REDIRECTS: usize = 3;

/// How much of an answer is kept.
const ANSWER_LIMIT: usize = 2048;

/// How much of an answer is read: a connection whose answer was read to its end can serve again.
const MOST_READ: usize = 64 * 1024;

/// How long the rest of an answer may take once its first line is there.
const REST: Duration = Duration::from_secs(2);

/// Why nothing can be posted to an endpoint. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error("calls to other programs cannot be made; install the system's certificates (ca-certificates)")]
    Client(#[from] reqwest::Error),
}

/// What the other program answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: StatusCode,
    /// How long it took until the first line was there.
    pub latency: Duration,
    /// The beginning of its body, 2 kB at most.
    pub body: String,
}

/// Why the other program does not have it, or may not have it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    #[error("no answer within {} s", .0.as_secs())]
    NoAnswer(Duration),
    #[error("it answered {}", .0.status)]
    Answered(Answer),
    #[error("it answered {} and wants the call sent to another address; name that one in the settings", .0.status)]
    SentOn(Answer),
    #[error("{0}")]
    Refused(#[from] AddressError),
    #[error("{0}")]
    Broken(String),
}

impl NotTaken {
    /// What it answered, if it did.
    pub const fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Answered(answer) | Self::SentOn(answer) => Some(answer),
            Self::NoAnswer(_) | Self::Refused(_) | Self::Broken(_) => None,
        }
    }

    /// Whether it wants nothing more.
    pub fn is_gone(&self) -> bool {
        self.answer().is_some_and(|answer| answer.status == StatusCode::GONE)
    }
}

/// One post.
pub struct Post<'a> {
    /// By which the receiver recognizes a repeat.
    pub id: &'a str,
    /// JSON.
    pub body: String,
    /// What it is signed with: each key makes a signature.
    pub keys: &'a [&'a SigningKey],
    pub headers: &'a [(HeaderName, HeaderValue)],
}

/// A receiver of posts.
pub struct Endpoint {
    client: Client,
    url: Url,
    allowed: Option<Allowed>,
    kind: Kind,
}

impl Endpoint {
    /// An endpoint at an address that the guard lets pass.
    ///
    /// # Errors
    /// The address is refused, or no client can be made.
    pub fn new(address: &str, allowed: &Allowed, kind: Kind) -> Result<Self, EndpointError> {
        Self::at(guard::address(address, allowed)?, Some(allowed.clone()), kind)
    }

    /// An endpoint of the settings, which may be anywhere: their author owns the machine.
    ///
    /// # Errors
    /// It is no address, or no client can be made.
    pub fn of_settings(address: &str, kind: Kind) -> Result<Self, EndpointError> {
        let url = Url::parse(address).map_err(|error| AddressError::Unreadable(error.to_string()))?;
        Self::at(url, None, kind)
    }

    fn at(url: Url, allowed: Option<Allowed>, kind: Kind) -> Result<Self, EndpointError> {
        let redirects = if kind.follows() { Policy::custom(follow) } else { Policy::none() };
        let builder = Client::builder()
            .user_agent(concat!("switchboard/", env!("CARGO_PKG_VERSION")))
            // Where calls go is known; a variable of the environment must not lead them elsewhere.
            .no_proxy()
            .connect_timeout(CONNECT)
            .timeout(kind.limit())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(kind.idle_connections())
            .redirect(redirects);
        // A name is judged when it is resolved, that is for each connection before it is made.
        let builder = match &allowed {
            Some(allowed) => builder.dns_resolver(Arc::new(Names::of_system(allowed.clone()))),
            None => builder,
        };
        // Without TLS no certificate is needed, and a system without certificates is no hindrance.
        let builder = if url.scheme() == "https" { builder } else { builder.tls_certs_only([]) };
        Ok(Self { client: builder.build()?, url, allowed, kind })
    }

    /// The address.
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// Posts JSON with the headers of Standard Webhooks, and waits as long as the kind lets.
    ///
    /// # Errors
    /// The receiver does not have it, or may not have it.
    pub async fn post(&self, clock: &Clock, post: Post<'_>) -> Result<Answer, NotTaken> {
        // An address that is a number meets no resolver.
        if let Some(allowed) = &self.allowed {
            guard::address(self.url.as_str(), allowed)?;
        }
        let (began, limit) = (clock.running(), self.kind.limit());
        let at = clock.now().as_seconds();
        let Post { id, body, keys, headers } = post;
        let mut request = self
            .client
            .post(self.url.clone())
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", at);
        if !keys.is_empty() {
            let signed: Vec<_> = keys.iter().map(|key| key.sign(id, at, &body)).collect();
            request = request.header("webhook-signature", signed.join(" "));
        }
        let own: HeaderMap = headers.iter().cloned().collect();
        let sent = request.headers(own).body(body).send();
        let answer = clock.timeout(limit, sent).await.map_err(|_| NotTaken::NoAnswer(limit))?;
        let answer = answer.map_err(|error| {
            if error.is_timeout() { NotTaken::NoAnswer(limit) } else { NotTaken::Broken(cause(error)) }
        })?;
        let (status, latency) = (answer.status(), clock.running().saturating_sub(began));
        let answer = Answer { status, latency, body: read(clock, answer).await };
        if status.is_success() {
            return Ok(answer);
        }
        Err(if status.is_redirection() { NotTaken::SentOn(answer) } else { NotTaken::Answered(answer) })
    }
}

/// The beginning of a body, as far as it comes in time.
async fn read(clock: &Clock, mut answer: Response) -> String {
    let (mut kept, mut left) = (Vec::new(), MOST_READ);
    let reading = async {
        while let Ok(Some(piece)) = answer.chunk().await
            && piece.len() <= left
        {
            left -= piece.len();
            kept.extend_from_slice(&piece[..piece.len().min(ANSWER_LIMIT - kept.len())]);
        }
    };
    let _ = clock.timeout(REST, reading).await;
    // U+0000 cannot be stored.
    let text = String::from_utf8_lossy(&kept).replace('\0', "\u{fffd}");
    text[..text.floor_char_boundary(ANSWER_LIMIT)].to_owned()
}

/// A redirect that is not followed becomes the answer, which is no success.
fn follow(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let from = attempt.previous().last();
    let again = attempt.previous().len() <= MOST_REDIRECTS
        && keeps_the_body(attempt.status())
        && from.is_some_and(|from| stays(from, attempt.url()));
    if again { attempt.follow() } else { attempt.stop() }
}

/// The others turn a POST into a GET, in which the receiver learns nothing.
fn keeps_the_body(status: StatusCode) -> bool {
    matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT)
}

fn stays(from: &Url, to: &Url) -> bool {
    from.scheme() == to.scheme()
        && from.host().is_some()
        && from.host() == to.host()
        && from.port_or_known_default() == to.port_or_known_default()
}

/// What went wrong, down to its cause; never the address, which may hold a secret.
fn cause(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let detail = error.to_string();
        if !text.contains(&detail) {
            text.push_str(": ");
            text.push_str(&detail);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use media::AllowList;

    use super::*;

    #[test]
    fn an_endpoint_is_made_with_and_without_tls() {
        let nowhere = Allowed::new(AllowList::Events, Vec::new());
        for address in ["http://example.com/hook", "https://example.com/hook"] {
            assert!(Endpoint::new(address, &nowhere, Kind::Event).is_ok(), "{address}");
        }
        for address in [
            "http://127.0.0.1/",
            "http://10.0.0.1/",
            "http://169.254.169.254/",
            "http://[::ffff:127.0.0.1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://[2002:7f00:1::]/",
            "http://2130706433/",
            "ftp://example.com/",
            "http://name:word@example.com/",
        ] {
            let made = Endpoint::new(address, &nowhere, Kind::Event);
            assert!(matches!(made, Err(EndpointError::Address(_))), "{address}");
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
