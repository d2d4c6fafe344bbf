//! A webhook: posts of JSON, signed as Standard Webhooks do.

use std::fmt;
use std::time::Duration;

use ambient::Clock;
use config::WebhookSecret;
use domain::SecretText;
use domain::secret::ExposeSecret;
use events::{InvalidKey, SigningKey, webhook};
use media::guard::{self, AddressError};
use media::{Allowed, Names};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};

use super::DeliveryError;
use crate::notice::Words;

/// The longest call.
const TOTAL: Duration = Duration::from_secs(20);
/// How much of an answer is shown when it is no success.
const SHOWN: usize = 200;

/// Why a webhook cannot be posted to at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HookError {
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error(transparent)]
    Key(#[from] InvalidKey),
    #[error("calls cannot be made; install the system's certificates (ca-certificates)")]
    Client(#[from] reqwest::Error),
}

pub(crate) struct Hook {
    client: Client,
    url: Url,
    allowed: Allowed,
    key: Option<SigningKey>,
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hook").field("place", &self.place()).finish_non_exhaustive()
    }
}

impl Hook {
    pub(crate) fn new(
        url: &SecretText,
        secret: Option<&WebhookSecret>,
        allowed: &Allowed,
    ) -> Result<Self, HookError> {
        let url = guard::address(url.expose_secret(), allowed)?;
        let builder = webhook::client(&url, TOTAL)
            .dns_resolver(std::sync::Arc::new(Names::of_system(allowed.clone())))
            // A name is judged when it is resolved, so each post resolves it.
            .pool_max_idle_per_host(0)
            .redirect(Policy::none());
        let key = secret.map(SigningKey::new).transpose()?;
        Ok(Self { client: builder.build()?, url, allowed: allowed.clone(), key })
    }

    /// Scheme, host and port: the path often carries a secret.
    pub(crate) fn place(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        match self.url.port() {
            Some(port) => format!("{}://{host}:{port}", self.url.scheme()),
            None => format!("{}://{host}", self.url.scheme()),
        }
    }

    /// The host, an address of version 6 without brackets, and the port.
    pub(crate) fn address(&self) -> Option<(String, u16)> {
        let host = self.url.host_str()?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        Some((bare.to_owned(), self.url.port_or_known_default()?))
    }

    pub(crate) async fn post(&self, clock: &Clock, words: &Words) -> Result<(), DeliveryError> {
        // An address that is a number meets no resolver, and may be allowed no more.
        guard::address(self.url.as_str(), &self.allowed)
            .map_err(|error| DeliveryError::Failed(error.to_string()))?;
        let (key, body) = (self.key.as_ref(), words.json.to_string());
        let request = webhook::post(&self.client, &self.url, key, &words.id, clock.now(), body);
        let answer = request.send().await.map_err(broken)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        if status == StatusCode::GONE {
            return Err(DeliveryError::Off("it answered 410 Gone: it wants nothing more".to_owned()));
        }
        if status.is_redirection() {
            let what = format!("it answered {status} and wants the post sent elsewhere; name that address");
            return Err(DeliveryError::Failed(what));
        }
        Err(DeliveryError::Failed(format!("it answered {status}{}", said(answer).await)))
    }
}

/// The beginning of what it said, on one line.
async fn said(mut answer: reqwest::Response) -> String {
    let mut text = Vec::new();
    while text.len() < SHOWN
        && let Ok(Some(piece)) = answer.chunk().await
    {
        text.extend_from_slice(&piece);
    }
    let text: String = String::from_utf8_lossy(&text)
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(SHOWN)
        .collect();
    if text.trim().is_empty() { String::new() } else { format!(": {}", text.trim()) }
}

fn broken(error: reqwest::Error) -> DeliveryError {
    DeliveryError::Failed(if error.is_timeout() {
        format!("no answer within {} s", TOTAL.as_secs())
    } else {
        webhook::cause(error)
    })
}

#[cfg(test)]
mod tests {
    use media::AllowList;

    use super::*;

    #[test]
    fn where_it_is_shows_no_path() {
        let url = SecretText::from("http://127.0.0.1:8080/planted?planted=1");
        let loopback = Allowed::new(AllowList::Events, vec!["127.0.0.0/8".parse().unwrap()]);
        let hook = Hook::new(&url, None, &loopback).unwrap();
        assert_eq!(hook.place(), "http://127.0.0.1:8080");
        assert_eq!(hook.address(), Some(("127.0.0.1".to_owned(), 8080)));
        assert!(!format!("{hook:?}").contains("planted"));
        let refused = Hook::new(&url, None, &Allowed::new(AllowList::Events, Vec::new()));
        assert!(matches!(&refused, Err(HookError::Address(_))));
        assert!(refused.unwrap_err().to_string().ends_with("list its network in [events] allow_private"));
    }
}
