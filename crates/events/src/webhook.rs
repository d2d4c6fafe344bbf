//! What all posts to other programs have in common: the client, the headers of Standard Webhooks, the words for a failure.

use std::error::Error;
use std::time::Duration;

use domain::Timestamp;
use reqwest::{Client, ClientBuilder, RequestBuilder, Url};

use crate::SigningKey;

/// The longest wait for a connection, TLS included.
const CONNECT: Duration = Duration::from_secs(10);

/// A client for one receiver, whose calls take no longer than `limit`.
pub fn client(receiver: &Url, limit: Duration) -> ClientBuilder {
    let builder = Client::builder()
        .user_agent(concat!("switchboard/", env!("CARGO_PKG_VERSION")))
        // Where calls go is in the settings; a variable of the environment must not lead them elsewhere.
        .no_proxy()
        .connect_timeout(CONNECT)
        .timeout(limit);
    // Without TLS no certificate is needed, and a system without certificates is no hindrance.
    if receiver.scheme() == "https" { builder } else { builder.tls_certs_only([]) }
}

/// A post of JSON under an id by which the receiver can tell a repeat, signed where there is a key.
pub fn post(
    client: &Client,
    url: &Url,
    key: Option<&SigningKey>,
    id: &str,
    now: Timestamp,
    body: String,
) -> RequestBuilder {
    let at = now.as_seconds();
    let mut request = client
        .post(url.clone())
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", at);
    if let Some(key) = key {
        request = request.header("webhook-signature", key.sign(id, at, &body));
    }
    request.body(body)
}

/// What went wrong, down to its cause; never the address, which may hold a secret.
pub fn cause(error: reqwest::Error) -> String {
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
    text
}
