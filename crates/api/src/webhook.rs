//! A webhook, and what was posted to it.

use domain::{EventId, ExposeSecret, Timestamp, WebhookId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{StoredWebhook, WebhookTotals};
use utoipa::ToSchema;

/// An endpoint of another program that events are posted to.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Webhook {
    /// Its id.
    #[schema(value_type = String, example = "hook_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    pub id: WebhookId,
    /// Where events are posted to. Keys and roles without `admin` see scheme, host and port alone.
    #[schema(example = "https://example.com/hook")]
    pub url: String,
    /// What it is for.
    #[schema(example = "n8n: answers to customers")]
    pub description: Option<String>,
    /// Which types of events it wants; all of them where there is none.
    #[schema(example = json!(["message.*", "account.state"]))]
    pub events: Vec<String>,
    /// Only events about one of these accounts.
    #[schema(example = json!(["main"]))]
    pub accounts: Vec<String>,
    /// Only events about one of these chats.
    #[schema(example = json!(["-1001234567890"]))]
    pub chats: Vec<String>,
    /// Whether the events of one chat are posted one after another.
    pub ordered: bool,
    /// The names of the headers that posts carry beside those of Standard Webhooks; their values are not shown.
    #[schema(example = json!(["authorization"]))]
    pub headers: Vec<String>,
    /// `active`, `failing` (nothing was taken since `failing_since`), `paused` by a person, or `disabled`.
    #[schema(example = "active")]
    pub state: String,
    /// Since when it is paused.
    pub paused_at: Option<Timestamp>,
    /// Since when it is switched off: it answered 410, or took nothing for five days.
    pub disabled_at: Option<Timestamp>,
    /// Why it is switched off.
    pub disabled_reason: Option<String>,
    /// When it took something last.
    pub delivered_at: Option<Timestamp>,
    /// Since when every attempt failed.
    pub failing_since: Option<Timestamp>,
    /// How many did since then.
    pub failures: u64,
    /// Why the last one did; or up to which event events were removed before they could be posted.
    pub last_error: Option<String>,
    /// Events that wait to be posted, as far as they were looked at.
    pub waiting: u64,
    /// When the oldest of them happened.
    pub oldest_waiting_at: Option<Timestamp>,
    /// Events that were given up.
    pub dead: u64,
    /// How many of the latest events were posted, once or more often: 100 at most.
    #[schema(example = 100)]
    pub recent: u64,
    /// How many of those it took.
    #[schema(example = 98)]
    pub recent_delivered: u64,
    /// Whether a replay is under way.
    pub replaying: bool,
    /// Until when posts are signed with the secret before, too.
    pub previous_secret_until: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it: the name of a user, the id of an API key, or `this machine`.
    #[schema(example = "anna")]
    pub created_by: String,
}

impl Webhook {
    /// The view of a webhook with so much on its way.
    pub fn new(webhook: StoredWebhook, totals: WebhookTotals) -> Self {
        let state = match (&webhook.disabled, webhook.paused_at, webhook.failing_since) {
            (Some(_), ..) => "disabled",
            (None, Some(_), _) => "paused",
            (None, None, Some(_)) => "failing",
            (None, None, None) => "active",
        };
        let (disabled_at, disabled_reason) = webhook.disabled.unzip();
        let secrets = webhook.secrets;
        Self {
            id: webhook.id,
            url: secrets.url.expose_secret().to_owned(),
            description: webhook.description,
            events: webhook.filter.types.iter().map(ToString::to_string).collect(),
            accounts: webhook.filter.accounts.iter().map(ToString::to_string).collect(),
            chats: webhook.filter.chats,
            ordered: webhook.ordered,
            headers: secrets.headers.into_iter().map(|(name, _)| name).collect(),
            state: state.to_owned(),
            paused_at: webhook.paused_at,
            disabled_at,
            disabled_reason,
            delivered_at: webhook.delivered_at,
            failing_since: webhook.failing_since,
            failures: webhook.failures,
            last_error: webhook.last_error,
            waiting: totals.waiting,
            // The number of an event is the microsecond in which it was written.
            oldest_waiting_at: totals.oldest_waiting.map(|event| Timestamp::from_micros(event.get())),
            dead: totals.dead,
            recent: totals.recent,
            recent_delivered: totals.recent_delivered,
            replaying: webhook.replay.is_some(),
            previous_secret_until: secrets.previous.first().map(|(_, until)| *until),
            created_at: webhook.created_at,
            created_by: webhook.created_by,
        }
    }
}

/// A webhook with the secret that its posts are signed with: it is shown this once.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct MadeWebhook {
    #[serde(flatten)]
    pub view: Webhook,
    /// The secret, as libraries for Standard Webhooks take it. Keep it: no one can show it again.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    pub secret: String,
}

/// What came of a test.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct WebhookTest {
    /// Whether the endpoint took it.
    pub taken: bool,
    /// The status of its answer.
    #[schema(example = 200)]
    pub status: Option<u16>,
    /// How long the answer took, in milliseconds.
    #[schema(example = 12)]
    pub latency_ms: Option<u64>,
    /// The beginning of the answer, 2 kB at most.
    pub answer: Option<String>,
    /// Why it was not taken.
    #[schema(example = "no answer within 15 s")]
    pub error: Option<String>,
}

/// An event for a webhook, with the last attempt to post it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct WebhookAttempt {
    /// The event, which is the `webhook-id` of its posts.
    #[schema(value_type = String, example = "evt_1893456000000000")]
    pub event: EventId,
    /// The type of the event; none once it is past its retention.
    #[serde(rename = "type")]
    #[schema(example = "message.sent")]
    pub kind: Option<String>,
    /// `waiting`, `delivered` or `dead`.
    #[schema(example = "delivered")]
    pub state: String,
    /// How often it was posted.
    pub attempts: u32,
    /// When it is posted next, if it waits.
    pub next_at: Option<Timestamp>,
    /// When it was posted last.
    pub tried_at: Option<Timestamp>,
    /// The status of the answer.
    #[schema(example = 200)]
    pub status: Option<u16>,
    /// How long the answer took, in milliseconds.
    #[schema(example = 12)]
    pub latency_ms: Option<u64>,
    /// The beginning of the answer, 2 kB at most.
    pub answer: Option<String>,
    /// Why it was not taken.
    pub error: Option<String>,
    /// What is posted; none once the event is past its retention.
    pub payload: Option<Value>,
}

impl From<store::WebhookDelivery> for WebhookAttempt {
    fn from(delivery: store::WebhookDelivery) -> Self {
        let waits = delivery.state == store::WebhookDeliveryState::Waiting;
        let payload = delivery.what.as_ref().map(events::event_body);
        Self {
            event: delivery.event,
            kind: delivery.what.map(|event| event.kind.to_string()),
            state: delivery.state.to_string(),
            attempts: delivery.attempts,
            next_at: waits.then_some(delivery.next_at),
            tried_at: delivery.tried_at,
            status: delivery.status,
            latency_ms: delivery.latency.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
            answer: delivery.answer,
            error: delivery.error,
            payload: payload.and_then(|body| serde_json::from_str(&body).ok()),
        }
    }
}

/// How many events are posted once more.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct WebhookRetry {
    /// How many.
    #[schema(example = 3)]
    pub retried: u64,
}
