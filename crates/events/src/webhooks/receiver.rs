//! A webhook ready to be posted to: its client, its keys, its headers, and the form of an event.

use ambient::Clock;
use domain::{EventFilter, ExposeSecret, Timestamp, WebhookId};
use outbound::header::{HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::{Value, json};
use store::{StoredEvent, StoredWebhook, WebhookForm};

use super::{Answer, Endpoint, Kind, MADE_BY_SETTINGS, NotTaken, SigningKey, WebhookError, WebhooksParts};
use crate::Post;

pub(super) struct Receiver {
    pub(super) id: WebhookId,
    endpoint: Endpoint,
    key: SigningKey,
    /// The keys before, each until then.
    previous: Vec<(SigningKey, Timestamp)>,
    headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) filter: EventFilter,
    pub(super) ordered: bool,
    /// In the place of the event, the message that came in.
    pub(super) form: Option<WebhookForm>,
}

/// An event as it is posted.
#[derive(Serialize)]
struct Posted<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    timestamp: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chat: Option<&'a str>,
    data: Value,
}

/// The body that an event is posted with.
pub fn body(event: &StoredEvent) -> String {
    let posted = Posted {
        kind: event.kind.as_str(),
        timestamp: event.at,
        account: event.account.as_ref().map(domain::AccountName::as_str),
        chat: event.chat.as_deref(),
        data: serde_json::from_str(&event.data).unwrap_or(Value::Null),
    };
    serde_json::to_string(&posted).unwrap_or_default()
}

impl Receiver {
    pub(super) fn new(webhook: &StoredWebhook, parts: &WebhooksParts) -> Result<Self, WebhookError> {
        let secrets = &webhook.secrets;
        let previous = |(secret, until): &(domain::SecretText, Timestamp)| {
            SigningKey::of(secret.expose_secret()).map(|key| (key, *until))
        };
        let header = |(name, value): &(String, domain::SecretText)| {
            let wrong = || WebhookError::Header(name.clone());
            let mut value = HeaderValue::from_str(value.expose_secret()).map_err(|_| wrong())?;
            value.set_sensitive(true);
            Ok::<_, WebhookError>((HeaderName::try_from(name.as_str()).map_err(|_| wrong())?, value))
        };
        let url = secrets.url.expose_secret();
        // A caller may have changed the address since, or may have added an account with the same address.
        let is_vouched = webhook.created_by == MADE_BY_SETTINGS
            && parts
                .vouched
                .iter()
                .any(|it| it.url == url && webhook.filter.accounts == [it.account.clone()]);
        let endpoint = if is_vouched {
            Endpoint::of_settings(url, Kind::Event)?
        } else {
            Endpoint::new(url, &parts.allowed, Kind::Event)?
        };
        Ok(Self {
            id: webhook.id,
            endpoint,
            key: SigningKey::of(secrets.secret.expose_secret())?,
            previous: secrets.previous.iter().map(previous).collect::<Result<_, _>>()?,
            headers: secrets.headers.iter().map(header).collect::<Result<_, WebhookError>>()?,
            filter: webhook.filter.clone(),
            ordered: webhook.ordered,
            form: secrets.form,
        })
    }

    /// Posts an event, or what replaces it; its id stays the same, however often it is posted.
    pub(super) async fn post(
        &self,
        clock: &Clock,
        event: &StoredEvent,
        instead: Option<String>,
    ) -> Result<Answer, NotTaken> {
        self.send(clock, &event.id.to_string(), instead.unwrap_or_else(|| body(event))).await
    }

    /// Posts something that is no event, to see whether it is taken.
    pub(super) async fn ping(&self, clock: &Clock) -> Result<Answer, NotTaken> {
        let now = clock.now();
        let body = json!({"type": "ping", "timestamp": now, "data": {"webhook_id": self.id.to_string()}});
        self.send(clock, &format!("ping_{}", now.as_micros()), body.to_string()).await
    }

    async fn send(&self, clock: &Clock, id: &str, body: String) -> Result<Answer, NotTaken> {
        let now = clock.now();
        let previous = self.previous.iter().filter(|(_, until)| *until > now).map(|(key, _)| key);
        let keys: Vec<_> = std::iter::once(&self.key).chain(previous).collect();
        self.endpoint.post(clock, Post { id, body, keys: &keys, headers: &self.headers }).await
    }
}
