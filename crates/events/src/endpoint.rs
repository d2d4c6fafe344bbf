//! Where another program listens: the client that posts to it, the addresses that it may reach, and how a post ended.

use std::error::Error;
use std::time::Duration;

use ambient::Clock;
use outbound::guard::{self, AddressError};
use outbound::header::{HeaderMap, HeaderName, HeaderValue};
use outbound::{Allowed, Client, NamedBy, Names, Response, SendError, StatusCode, Url};

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
    Client(#[from] SendError),
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
    kind: Kind,
}

impl Endpoint {
    /// An endpoint at an address that the guard lets pass.
    ///
    /// # Errors
    /// The address is refused, or no client can be made.
    pub fn new(address: &str, allowed: &Allowed, kind: Kind) -> Result<Self, EndpointError> {
        let names = Names::of_system(allowed.clone());
        Self::at(guard::address(address, allowed)?, NamedBy::Caller(names), kind)
    }

    /// An endpoint of the settings, which may be anywhere: their author owns the machine.
    ///
    /// # Errors
    /// It is no address, or no client can be made.
    pub fn of_settings(address: &str, kind: Kind) -> Result<Self, EndpointError> {
        let url = Url::parse(address).map_err(|error| AddressError::Unreadable(error.to_string()))?;
        Self::at(url, NamedBy::Settings(address.to_owned()), kind)
    }

    fn at(url: Url, named_by: NamedBy, kind: Kind) -> Result<Self, EndpointError> {
        let mut builder = Client::builder(named_by)
            .connect_timeout(CONNECT)
            .timeout(kind.limit())
            .idle(IDLE, kind.idle_connections())
            .follow_within_server(if kind.follows() { MOST_REDIRECTS } else { 0 });
        if url.scheme() != "https" {
            builder = builder.without_tls();
        }
        Ok(Self { client: builder.build()?, url, kind })
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
        let (began, limit) = (clock.running(), self.kind.limit());
        let at = clock.now().as_seconds();
        let Post { id, body, keys, headers } = post;
        let mut request = self
            .client
            .post(self.url.as_str())
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", at);
        if !keys.is_empty() {
            let signed: Vec<_> = keys.iter().map(|key| key.sign(id, at, &body)).collect();
            request = request.header("webhook-signature", signed.join(" "));
        }
        let own: HeaderMap = headers.iter().cloned().collect();
        let sent = self.client.send(request.headers(own).body(body));
        let answer = clock.timeout(limit, sent).await.map_err(|_| NotTaken::NoAnswer(limit))?;
        let answer = answer.map_err(|error| match error {
            SendError::Refused(error) => NotTaken::Refused(error),
            SendError::Http(error) if error.is_timeout() => NotTaken::NoAnswer(limit),
            SendError::Http(error) => NotTaken::Broken(cause(error)),
            other => NotTaken::Broken(other.to_string()),
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

/// What went wrong, down to its cause; never the address, which may hold a secret.
fn cause(error: outbound::HttpError) -> String {
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
    use outbound::AllowList;

    use super::*;

    #[test]
    fn an_endpoint_is_made_with_and_without_tls() {
        let nowhere = Allowed::new(AllowList::Events, Vec::new());
        for address in ["http://example.com/hook", "https://example.com/hook"] {
            assert!(Endpoint::new(address, &nowhere, Kind::Event).is_ok(), "{address}");
        }
        for address in [
            "http://127.0.0.1/",
            "http://localhost/",
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
}
