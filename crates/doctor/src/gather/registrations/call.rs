//! One call to a provider: a short time, a small answer, no redirect; and no word of the address, which may be a secret.

use std::error::Error;
use std::sync::OnceLock;
use std::time::Duration;

use domain::SecretText;
use domain::secret::ExposeSecret;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, StatusCode, Url};
use serde::de::DeserializeOwned;

use crate::check::webhooks::Failure;

/// The most of an answer that is read.
const LARGEST: usize = 256 * 1024;

/// The HTTP clients of one examination: certificates are read once, and only where there is TLS.
pub(super) struct Clients {
    limit: Duration,
    tls: OnceLock<Option<reqwest::Client>>,
    plain: OnceLock<Option<reqwest::Client>>,
}

pub(super) struct Client {
    http: reqwest::Client,
    api: String,
}

/// What it answered, with a status that is its own word on what was asked.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

impl Clients {
    /// Whose calls take no longer than `limit`.
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, tls: OnceLock::new(), plain: OnceLock::new() }
    }

    /// One for the API at this address.
    pub(super) fn at(&self, api: &str) -> Result<Client, Failure> {
        let has_tls = api.starts_with("https:");
        let made = if has_tls { &self.tls } else { &self.plain };
        let http = made.get_or_init(|| self.make(has_tls)).clone();
        let no_client = "calls cannot be made; install the system's certificates (ca-certificates)";
        let http = http.ok_or_else(|| Failure::Unreached(no_client.to_owned()))?;
        Ok(Client { http, api: api.to_owned() })
    }

    fn make(&self, has_tls: bool) -> Option<reqwest::Client> {
        let builder = reqwest::Client::builder()
            .user_agent(concat!("switchboard/", env!("CARGO_PKG_VERSION")))
            // Where calls go is in the settings; a variable of the environment must not lead them, and tokens, elsewhere.
            .no_proxy()
            .connect_timeout(self.limit)
            .timeout(self.limit)
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false);
        // Without TLS there is nobody to trust, and a system without certificates is no hindrance.
        let builder = if has_tls { builder } else { builder.tls_certs_only([]) };
        builder.build().ok()
    }
}

impl Client {
    /// A `GET` below the API's address.
    pub(super) fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<RequestBuilder, Failure> {
        Ok(self.http.get(self.url(path)?).query(query))
    }

    /// A `POST` of a form.
    pub(super) fn post(&self, path: &str, form: &[(&str, &str)]) -> Result<RequestBuilder, Failure> {
        let body = serde_urlencoded::to_string(form)
            .map_err(|_| Failure::Unclear("what it is asked with makes no form".to_owned()))?;
        let request = self.http.post(self.url(path)?);
        Ok(request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body))
    }

    fn url(&self, path: &str) -> Result<Url, Failure> {
        // Never the address itself: its path may be a token.
        Url::parse(&format!("{}{path}", self.api))
            .map_err(|_| Failure::Unclear("`api` of the settings is no address".to_owned()))
    }
}

/// Puts a secret into the header that says who asks, after what a provider wants before it.
pub(super) fn signed(
    request: RequestBuilder,
    before: &str,
    token: &SecretText,
) -> Result<RequestBuilder, Failure> {
    let value = HeaderValue::from_str(&format!("{before}{}", token.expose_secret()));
    let mut value =
        value.map_err(|_| Failure::Unclear("the token is none that a header can carry".to_owned()))?;
    value.set_sensitive(true);
    Ok(request.header(AUTHORIZATION, value))
}

/// Sends it and reads the answer, unless that says to try later or elsewhere.
pub(super) async fn send(request: RequestBuilder) -> Result<Answer, Failure> {
    let mut response = request.send().await.map_err(broken)?;
    let status = response.status();
    if status.is_redirection() {
        return Err(Failure::Unclear(format!(
            "it answered {status} and wants to be asked at another address"
        )));
    }
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        return Err(Failure::Unreached(format!("it answered {status}")));
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(broken)? {
        if body.len() + piece.len() > LARGEST {
            return Err(Failure::Unclear(format!("its answer is larger than {} KiB", LARGEST / 1024)));
        }
        body.extend_from_slice(&piece);
    }
    Ok(Answer { status: status.as_u16(), body })
}

impl Answer {
    /// The body as what is expected of it.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|_| self.unclear())
    }

    /// That it is none to what was asked; never its words, which may tell secrets back.
    pub(super) fn unclear(&self) -> Failure {
        Failure::Unclear(format!("it answered {}, and nothing that is known of it", self.status))
    }

    /// That it refuses what it was asked with.
    pub(super) fn refused(&self, field: &'static str) -> Failure {
        Failure::Refused { field, why: format!("it answered {}", self.status) }
    }
}

/// What went wrong, down to its cause; never the address, whose path may be a token.
fn broken(error: reqwest::Error) -> Failure {
    if error.is_timeout() {
        return Failure::Unreached("it did not answer in time".to_owned());
    }
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    Failure::Unreached(text)
}
