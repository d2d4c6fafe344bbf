//! A webhook: posts of JSON, signed as Standard Webhooks do.

use std::fmt;

use ambient::Clock;
use config::WebhookSecret;
use domain::SecretText;
use domain::secret::ExposeSecret;
use events::{Answer, Endpoint, EndpointError, InvalidKey, Kind, NotTaken, Post, SigningKey};
use outbound::Allowed;

use super::DeliveryError;
use crate::notice::Words;

/// How much of an answer is shown when it is no success.
const SHOWN: usize = 200;

/// Why a webhook cannot be posted to at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HookError {
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error(transparent)]
    Key(#[from] InvalidKey),
}

pub(crate) struct Hook {
    endpoint: Endpoint,
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
        let endpoint = Endpoint::new(url.expose_secret(), allowed, Kind::Alert)?;
        Ok(Self { endpoint, key: secret.map(SigningKey::new).transpose()? })
    }

    /// Scheme, host and port: the path often carries a secret.
    pub(crate) fn place(&self) -> String {
        outbound::server_of(self.endpoint.url())
    }

    /// The host, an address of version 6 without brackets, and the port.
    pub(crate) fn address(&self) -> Option<(String, u16)> {
        let url = self.endpoint.url();
        let host = url.host_str()?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        Some((bare.to_owned(), url.port_or_known_default()?))
    }

    pub(crate) async fn post(&self, clock: &Clock, words: &Words) -> Result<(), DeliveryError> {
        let keys: Vec<_> = self.key.iter().collect();
        let post = Post { id: &words.id, body: words.json.to_string(), keys: &keys, headers: &[] };
        self.endpoint.post(clock, post).await.map(drop).map_err(|not_taken| match not_taken {
            NotTaken::Answered(_) if not_taken.is_gone() => {
                DeliveryError::Off("it answered 410 Gone: it wants nothing more".to_owned())
            }
            NotTaken::SentOn(answer) => DeliveryError::Failed(format!(
                "it answered {} and wants the post sent elsewhere; name that address",
                answer.status
            )),
            NotTaken::Answered(answer) => {
                DeliveryError::Failed(format!("it answered {}{}", answer.status, excerpt(&answer)))
            }
            other => DeliveryError::Failed(other.to_string()),
        })
    }
}

/// The beginning of what it said, on one line.
fn excerpt(answer: &Answer) -> String {
    let text: String =
        answer.body.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN).collect();
    if text.trim().is_empty() { String::new() } else { format!(": {}", text.trim()) }
}

#[cfg(test)]
mod tests {
    use outbound::AllowList;

    use super::*;

    #[test]
    fn the_shown_address_has_no_path() {
        let url = SecretText::from("http://127.0.0.1:8080/planted?planted=1");
        let loopback = Allowed::new(AllowList::Events, vec!["127.0.0.0/8".parse().unwrap()]);
        let hook = Hook::new(&url, None, &loopback).unwrap();
        assert_eq!(hook.place(), "http://127.0.0.1:8080");
        assert_eq!(hook.address(), Some(("127.0.0.1".to_owned(), 8080)));
        assert!(!format!("{hook:?}").contains("planted"));
        let refused = Hook::new(&url, None, &Allowed::new(AllowList::Events, Vec::new()));
        assert!(matches!(&refused, Err(HookError::Endpoint(_))));
        assert!(refused.unwrap_err().to_string().ends_with("list its network in [events] allow_private"));
    }
}
