//! Calls to providers over HTTP: one client an account, and answers that are read whole within their limits.

use std::error::Error;
use std::time::Duration;

use ambient::Clock;
use reqwest::header::{HeaderMap, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Method, Proxy, RequestBuilder, Response};
use serde::de::DeserializeOwned;

use crate::error::CallError;
use crate::provider::Fetched;

/// The longest wait for a connection, TLS included.
const CONNECT: Duration = Duration::from_secs(10);
/// The longest wait for an answer to a plain call.
pub const ANSWER: Duration = Duration::from_secs(30);
/// The longest wait for the answer to an upload.
pub const UPLOAD: Duration = Duration::from_mins(5);
/// The greatest answer that is read.
pub const LARGEST: u64 = 8 * 1024 * 1024;
/// How often a file that is fetched may say that it is elsewhere.
const MOST_MOVES: usize = 3;

/// How the calls of an account go out.
#[derive(Debug, Clone, Default)]
pub struct Route {
    /// A SOCKS5 proxy.
    pub proxy: Option<config::ProxyAddress>,
    /// Certificates of the authority that signs the provider's, as PEM, beside those of the system.
    pub ca: Option<Vec<u8>>,
}

/// A client for the calls of one account. It follows no redirect and no variable of the environment: neither must lead a token
/// elsewhere.
#[derive(Clone)]
pub struct Http {
    client: reqwest::Client,
    clock: Clock,
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
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("switchboard/", env!("CARGO_PKG_VERSION")))
            .no_proxy()
            .redirect(Policy::none())
            .connect_timeout(CONNECT);
        if let Some(proxy) = &route.proxy {
            let proxy = proxy.expose().replacen("socks5://", "socks5h://", 1);
            builder = builder.proxy(Proxy::all(proxy).map_err(|_| NoClient::Other("the proxy".to_owned()))?);
        }
        builder = match &route.ca {
            Some(pem) => {
                let certificates = Certificate::from_pem_bundle(pem)
                    .map_err(|error| NoClient::Certificate(innermost(&error)))?;
                builder.tls_certs_merge(certificates)
            }
            // Without TLS no certificate is needed, and a system without certificates is no hindrance.
            None if !api.starts_with("https:") => builder.tls_certs_only([]),
            None => builder,
        };
        let client = builder.build().map_err(|error| NoClient::Other(innermost(&error)))?;
        Ok(Self { client, clock })
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
            let sent = request.send().await.map_err(|error| failed(&error, limit))?;
            read(sent, limit, most).await
        };
        self.clock.timeout(limit, asking).await.map_err(|_| CallError::NoAnswer(limit))?
    }

    /// Fetches a file of at most so many bytes. Where its address says that it is elsewhere, it is fetched there, without what
    /// the request had of headers.
    ///
    /// # Errors
    /// It is gone or larger, or no answer came.
    pub async fn download(&self, request: RequestBuilder, most: u64) -> Result<Fetched, CallError> {
        let mut answer = self.call_within(request, UPLOAD, most).await?;
        for _ in 0..MOST_MOVES {
            let place = answer.headers.get(LOCATION).and_then(|place| place.to_str().ok());
            match place.filter(|place| (300..400).contains(&answer.status) && place.starts_with("http")) {
                Some(place) => answer = self.call_within(self.get(place), UPLOAD, most).await?,
                None => break,
            }
        }
        if answer.is_success() {
            return Ok(Fetched { content: answer.body, mime: answer.content_type });
        }
        let why = format!("the file cannot be fetched: {}", answer.status);
        Err(if answer.status >= 500 { CallError::Server(why) } else { CallError::NotFound(why) })
    }
}

async fn read(mut answer: Response, limit: Duration, most: u64) -> Result<Answer, CallError> {
    let status = answer.status().as_u16();
    let header =
        |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let content_type = header("content-type");
    let retry_after =
        header("retry-after").and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    let mut body = Vec::new();
    let headers = answer.headers().clone();
    while let Some(piece) = answer.chunk().await.map_err(|error| failed(&error, limit))? {
        if (body.len() + piece.len()) as u64 > most {
            return Err(CallError::Unreadable(format!("{status} with more than {most} bytes")));
        }
        body.extend_from_slice(&piece);
    }
    Ok(Answer { status, body, content_type, retry_after, headers })
}

/// What kept a call from its answer. The words of the library may have the address in them, and that a token: only the innermost
/// cause is kept, which knows no address.
fn failed(error: &reqwest::Error, limit: Duration) -> CallError {
    if error.is_timeout() && !error.is_connect() {
        return CallError::NoAnswer(limit);
    }
    // What cannot be built or read from disk never left.
    let cause = innermost(error);
    if error.is_connect() || error.is_builder() {
        CallError::Unreached(cause)
    } else {
        CallError::Broken(cause)
    }
}

fn innermost(error: &reqwest::Error) -> String {
    let mut cause: Option<&dyn Error> = error.source();
    while let Some(deeper) = cause.and_then(Error::source) {
        cause = Some(deeper);
    }
    cause.map_or_else(|| "it broke off".to_owned(), ToString::to_string)
}
