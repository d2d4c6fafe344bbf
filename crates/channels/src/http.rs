//! Calls to providers over HTTP: one client an account, and answers that are read whole within their limits.

use std::sync::Arc;
use std::time::Duration;

use ambient::Clock;
use ambient::lock::Mutex;
use domain::Timestamp;
use futures::StreamExt as _;
use outbound::header::{CONTENT_TYPE, DATE, HeaderMap, LOCATION, RETRY_AFTER};
use outbound::{
    Certificate, HttpError, Method, NamedBy, Names, RequestBuilder, Response, SendError, Url, innermost,
};
use serde::de::DeserializeOwned;

use crate::caller::callers;
use crate::error::{CallError, NO_NUMBER};
use crate::provider::Fetched;

/// The longest wait for a connection, TLS included.
const CONNECT: Duration = Duration::from_secs(10);
/// How long, and how many, connections to a server that a call named are kept for the next call.
const IDLE: Duration = Duration::from_secs(90);
const MOST_IDLE: usize = 4;
/// The longest wait for an answer to a plain call.
pub const ANSWER: Duration = Duration::from_secs(30);
/// The longest wait for the answer to an upload.
pub const UPLOAD: Duration = Duration::from_mins(5);
/// The greatest answer that is read.
pub const LARGEST: u64 = 8 * 1024 * 1024;
/// The code of an address that the guard refuses.
const ADDRESS_REFUSED: &str = "ADDRESS_REFUSED";
/// How often a file that is fetched may say that it is elsewhere.
const MOST_MOVES: usize = 3;

/// How the calls of an account go out.
#[derive(Clone)]
pub struct Route {
    /// A SOCKS5 proxy.
    pub proxy: Option<config::ProxyAddress>,
    /// Certificates of the authority that signs the provider's, as PEM, beside those of the system.
    pub ca: Option<Vec<u8>>,
    /// The guard for addresses that the provider names. The settings vouch for their own address of the provider alone.
    pub names: Names,
    /// Whether a call named the base address and the proxy. The guard then judges all addresses, and lets public ones pass alone.
    pub named_by_caller: bool,
}

impl Default for Route {
    fn default() -> Self {
        Self { proxy: None, ca: None, names: Names::public(), named_by_caller: false }
    }
}

/// A client for the calls of one account. It follows no redirect, which must not lead a token elsewhere. The guard judges every
/// address on another server than the one that the settings name.
#[derive(Clone)]
pub struct Http {
    client: outbound::Client,
    clock: Clock,
    /// By how many seconds the provider's clock is ahead.
    ahead: Arc<Mutex<Option<i64>>>,
}

/// Why no client can be made.
#[derive(Debug, thiserror::Error)]
pub enum NoClient {
    /// The file of `ca_file` has no certificate.
    #[error("the file of `ca_file` has no certificate that can be read: {0}")]
    Certificate(String),
    /// The rest.
    #[error("calls cannot be made: {0}; install the system's certificates (ca-certificates)")]
    Other(String),
}

/// An answer, read whole.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    pub content_type: Option<String>,
    /// `Retry-After`, where it has a number of seconds.
    pub retry_after: Option<Duration>,
    /// All headers.
    pub headers: HeaderMap,
}

impl Answer {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// It is none, or not of this form. Says the status and nothing of the body.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        serde_json::from_slice(&self.body)
            .map_err(|_| CallError::Unreadable(format!("{} with a body of another form", self.status)))
    }
}

impl Http {
    /// A client that goes out this way.
    ///
    /// # Errors
    /// The certificates cannot be read, or there are none.
    pub fn new(clock: Clock, api: &str, route: &Route) -> Result<Self, NoClient> {
        let mut builder = if route.named_by_caller {
            let named_by = NamedBy::Caller(Names::of_system(callers()));
            outbound::Client::builder(named_by).idle(IDLE, MOST_IDLE)
        } else {
            outbound::Client::builder(NamedBy::Provider { base: api.to_owned(), names: route.names.clone() })
        };
        builder = builder.connect_timeout(CONNECT);
        if let Some(proxy) = &route.proxy {
            let proxy = Url::parse(proxy.expose()).map_err(|_| NoClient::Other("the proxy".to_owned()))?;
            builder = builder.proxy(proxy);
        }
        if let Some(pem) = &route.ca {
            let certificates = Certificate::from_pem_bundle(pem);
            let certificates = certificates.map_err(|error| NoClient::Certificate(innermost(&error)))?;
            builder = builder.certificates(certificates);
        }
        let client = builder.build().map_err(|error| NoClient::Other(error.to_string()))?;
        Ok(Self { client, clock, ahead: Arc::default() })
    }

    /// Makes a client for addresses that callers name. The guard judges all of them.
    ///
    /// # Errors
    /// The system has no certificates.
    pub fn of_callers(clock: Clock, names: Names) -> Result<Self, NoClient> {
        let builder = outbound::Client::builder(NamedBy::Caller(names)).connect_timeout(CONNECT);
        let client = builder.build().map_err(|error| NoClient::Other(error.to_string()))?;
        Ok(Self { client, clock, ahead: Arc::default() })
    }

    /// The time.
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// A call that is to be built.
    pub fn request(&self, method: Method, url: &str) -> RequestBuilder {
        self.client.request(method, url)
    }

    pub fn get(&self, url: &str) -> RequestBuilder {
        self.request(Method::GET, url)
    }

    pub fn post(&self, url: &str) -> RequestBuilder {
        self.request(Method::POST, url)
    }

    /// Makes a call and reads its answer, whatever its status, within [`ANSWER`].
    ///
    /// # Errors
    /// No answer came.
    pub async fn call(&self, request: RequestBuilder) -> Result<Answer, CallError> {
        self.call_within(request, ANSWER, LARGEST).await
    }

    /// The same with limits of one's own, of time and of bytes.
    ///
    /// # Errors
    /// No answer came, or a larger one.
    pub async fn call_within(
        &self,
        request: RequestBuilder,
        limit: Duration,
        most: u64,
    ) -> Result<Answer, CallError> {
        let asking = async {
            let sent = self.client.send(request).await.map_err(|error| failed(&error, limit))?;
            self.note_date(sent.headers());
            read(sent, limit, most).await
        };
        self.clock.timeout(limit, asking).await.map_err(|_| CallError::NoAnswer(limit))?
    }

    /// Makes a call and reads no more than the head of its answer, within [`ANSWER`].
    ///
    /// # Errors
    /// No answer came.
    pub async fn begin(&self, request: RequestBuilder) -> Result<Begun, CallError> {
        let sent = self.clock.timeout(ANSWER, self.client.send(request)).await;
        let sent = sent.map_err(|_| CallError::NoAnswer(ANSWER))?;
        sent.map(Begun).map_err(|error| failed(&error, ANSWER))
    }

    /// Reads the rest of an answer, within [`ANSWER`].
    ///
    /// # Errors
    /// It broke off, or is larger than [`LARGEST`].
    pub async fn finish(&self, Begun(answer): Begun) -> Result<Answer, CallError> {
        let read = self.clock.timeout(ANSWER, read(answer, ANSWER, LARGEST)).await;
        read.map_err(|_| CallError::NoAnswer(ANSWER))?
    }

    /// How many seconds the provider's clock is ahead of this one, by its last answer that had the time.
    pub fn clock_ahead(&self) -> Option<i64> {
        *self.ahead.lock()
    }

    /// By how much the provider's clock is known to be behind this one.
    pub(crate) fn clock_behind(&self) -> Duration {
        Duration::from_secs(self.clock_ahead().map_or(0, |ahead| ahead.min(0).unsigned_abs()))
    }

    /// The earliest time that the provider's clock may have shown then.
    pub(crate) fn by_its_clock(&self, at: Timestamp) -> Timestamp {
        at.minus(self.clock_behind())
    }

    fn note_date(&self, headers: &HeaderMap) {
        let date = headers.get(DATE).and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
        if let Some(date) = date {
            *self.ahead.lock() = Some(date.timestamp().as_second() - self.clock.now().as_seconds());
        }
    }

    /// Begins to fetch a file of at most `most` bytes. Where its address says that it is elsewhere, it is fetched there, without
    /// what the request had of headers.
    ///
    /// # Errors
    /// It is gone or larger, or no answer came.
    pub async fn download(&self, request: RequestBuilder, most: u64) -> Result<Fetched, CallError> {
        let mut begun = self.begin(request).await?;
        for _ in 0..MOST_MOVES {
            let Some(place) = begun.moved_to() else { break };
            begun = self.begin(self.get(&place)).await?;
        }
        begun.file(most)
    }
}

/// An answer of which the head is read.
pub struct Begun(Response);

impl Begun {
    fn status(&self) -> u16 {
        self.0.status().as_u16()
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status())
    }

    pub fn content_type(&self) -> Option<&str> {
        self.0.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok())
    }

    /// Where the file is, if it is elsewhere.
    fn moved_to(&self) -> Option<String> {
        let place = self.0.headers().get(LOCATION).and_then(|place| place.to_str().ok());
        let place = place.filter(|place| (300..400).contains(&self.status()) && place.starts_with("http"));
        place.map(str::to_owned)
    }

    /// The answer as a file of at most `most` bytes.
    ///
    /// # Errors
    /// It is none, or larger.
    pub fn file(self, most: u64) -> Result<Fetched, CallError> {
        if !self.is_success() {
            let status = self.status();
            let why = format!("the file cannot be fetched: {status}");
            return Err(match status {
                429 => CallError::wait(retry_after(self.0.headers()).unwrap_or(NO_NUMBER)),
                408 | 500.. => CallError::Server(why),
                _ => CallError::NotFound(why),
            });
        }
        let (mime, size) = (self.content_type().map(str::to_owned), self.0.content_length());
        if size.is_some_and(|size| size > most) {
            return Err(CallError::too_large(most));
        }
        let mut received = 0_u64;
        let pieces = self.0.bytes_stream().map(move |piece| {
            let piece = piece.map_err(|error| broken(&error, ANSWER))?;
            received += piece.len() as u64;
            if received > most { Err(CallError::too_large(most)) } else { Ok(piece) }
        });
        Ok(Fetched { mime, size, content: pieces.boxed() })
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

async fn read(mut answer: Response, limit: Duration, most: u64) -> Result<Answer, CallError> {
    let status = answer.status().as_u16();
    let content_type = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let content_type = content_type.map(str::to_owned);
    let retry_after = retry_after(answer.headers());
    let mut body = Vec::new();
    let headers = answer.headers().clone();
    while let Some(piece) = answer.chunk().await.map_err(|error| broken(&error, limit))? {
        if (body.len() + piece.len()) as u64 > most {
            return Err(CallError::Unreadable(format!("{status} with more than {most} bytes")));
        }
        body.extend_from_slice(&piece);
    }
    Ok(Answer { status, body, content_type, retry_after, headers })
}

/// Why a call has no answer. No text has the address, which may have a token in it.
fn failed(error: &SendError, limit: Duration) -> CallError {
    if let SendError::Refused(_) = error {
        return CallError::refused(ADDRESS_REFUSED, error.to_string());
    }
    if error.is_timeout() {
        return CallError::NoAnswer(limit);
    }
    let cause = explained(error.to_string());
    if error.is_unsent() { CallError::Unreached(cause) } else { CallError::Broken(cause) }
}

/// Why an answer broke off.
fn broken(error: &HttpError, limit: Duration) -> CallError {
    if error.is_timeout() { CallError::NoAnswer(limit) } else { CallError::Broken(innermost(error)) }
}

/// A cause, with what helps where it is a certificate.
pub(crate) fn explained(mut cause: String) -> String {
    if cause.contains("certificate") {
        cause.push_str("; `ca_file` takes the certificate of an authority that the system does not know");
    }
    cause
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn each_date_of_an_answer_tells_how_far_clocks_differ() {
        let clock = Clock::system();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = format!("http://{}", listener.local_addr().unwrap());
        let http = Http::new(clock.clone(), &api, &Route::default()).unwrap();
        assert_eq!(http.clock_ahead(), None);
        let date = |ahead: i64| {
            let at = jiff::Timestamp::from_second(clock.now().as_seconds() + ahead).unwrap();
            at.strftime("Date: %a, %d %b %Y %H:%M:%S GMT\r\n").to_string()
        };
        // An answer without a date that can be read changes nothing.
        for (header, ahead) in
            [(date(300), 300), (date(-600), -600), (String::new(), -600), ("Date: soon\r\n".to_owned(), -600)]
        {
            let answering = async {
                let (mut stream, _) = listener.accept().await.unwrap();
                assert_ne!(stream.read(&mut [0; 1024]).await.unwrap(), 0);
                let answer =
                    format!("HTTP/1.1 200 OK\r\n{header}Content-Length: 0\r\nConnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
            };
            let (answer, ()) = tokio::join!(http.call(http.get(&api)), answering);
            answer.unwrap();
            let found = http.clock_ahead().unwrap();
            // The answer takes a moment.
            assert!((ahead - 60..=ahead).contains(&found), "{header}: {found}");
        }
    }
}
