//! Asking providers where they send what customers write: one read-only question for each webhook of the settings, as an account of
//! its channel asks it.

use std::sync::Arc;
use std::time::Duration;

use ambient::{Chance, Clock};
use channels::http::{Http, Route};
use channels::{CallError, PostingState, Provider, Registered, Registering, Setup, StoredValues};
use config::{ChannelFields, Settings, WebhookFields, WebhookProvider};
use domain::ChannelName;
use futures::StreamExt;
use futures::stream;
use serde_json::json;

use crate::check::webhooks::{
    Failure, ProviderReport, Registration, WebhookAddress, WebhookQuery, harmless, registering,
};

/// How long one provider may take, all its calls together.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Providers that are asked at the same time.
const AT_ONCE: usize = 32;

/// The most webhooks that are asked for.
const MOST: usize = 64;

pub(crate) struct Registrations {
    /// Each webhook, with what its provider reported.
    pub(crate) queries: Vec<WebhookQuery>,
    /// How many more there are, which were not asked for.
    pub(crate) left_out: usize,
}

/// Asks for all webhooks of the settings, several at once.
pub(crate) async fn all(settings: &Settings, clock: &Clock) -> Registrations {
    let webhooks: Vec<_> = settings.webhooks_elsewhere().collect();
    let left_out = webhooks.len().saturating_sub(MOST);
    let asking: Vec<_> = webhooks
        .into_iter()
        .take(MOST)
        .map(|(webhook, key)| async move {
            let outcome = within(TIMEOUT, &webhook, clock).await;
            WebhookQuery { webhook, key, outcome }
        })
        .collect();
    let queries = stream::iter(asking).buffered(AT_ONCE).collect().await;
    Registrations { queries, left_out }
}

async fn within(limit: Duration, webhook: &WebhookFields, clock: &Clock) -> Result<ProviderReport, Failure> {
    let answered = clock.timeout(limit, ask(webhook, clock)).await;
    answered.unwrap_or_else(|_| Err(Failure::Unreached(format!("no answer within {} s", limit.as_secs()))))
}

async fn ask(webhook: &WebhookFields, clock: &Clock) -> Result<ProviderReport, Failure> {
    let account = account(webhook, clock)?;
    let asking = account.registered().ok_or_else(incomplete_settings)?;
    asking.await.map(read).map_err(|error| failure(webhook.provider, &error))
}

/// An account that is there for this question alone: nothing is kept of it, and nothing is posted to it.
fn account(webhook: &WebhookFields, clock: &Clock) -> Result<Arc<dyn Provider>, Failure> {
    webhook.check().map_err(|_| incomplete_settings())?;
    let named = json!({ "name": "webhook", "channel": webhook.provider.as_str() });
    let bare: ChannelFields = serde_json::from_value(named).map_err(|_| incomplete_settings())?;
    let fields = ChannelFields {
        token: webhook.token.clone(),
        client_id: webhook.client_id.clone(),
        client_secret: webhook.client_secret.clone(),
        group_id: webhook.group_id,
        profile_id: webhook.profile_id.clone(),
        api: webhook.api.clone(),
        ..bare
    };
    let http = Http::new(clock.clone(), fields.api(), &Route::default());
    let http = http.map_err(|error| Failure::Unreached(error.to_string()))?;
    let channel: ChannelName = fields.channel.as_str().parse().map_err(|_| incomplete_settings())?;
    let kept = StoredValues::in_memory(channel, fields.name.clone());
    let (clock, chance) = (clock.clone(), Chance::from_system());
    let (hook_secret, hook_url) = ("".into(), None);
    let made = channels::make(Setup { fields, http, kept, clock, chance, hook_secret, hook_url });
    made.map_err(|_| incomplete_settings())
}

fn incomplete_settings() -> Failure {
    Failure::Unclear("the settings do not say what it is asked with".to_owned())
}

fn read(found: Registered) -> ProviderReport {
    let registration = |(index, url): (usize, String)| {
        let posting = found.postings.get(index);
        (!url.is_empty()).then(|| Registration {
            address: WebhookAddress::of(&url),
            state: posting.map_or(PostingState::Works, |posting| posting.state),
            has_secret: posting.and_then(|posting| posting.has_secret),
        })
    };
    ProviderReport {
        registered: found.urls.into_iter().enumerate().filter_map(registration).collect(),
        waiting: found.waiting,
        failed: found.last_error_at.map(|at| (at, found.last_error.unwrap_or_default())),
        signed_out: found.signed_out,
    }
}

/// What a call that failed means to the owner of the webhook, with the key of the settings that a refusal is about.
fn failure(provider: WebhookProvider, error: &CallError) -> Failure {
    let why = match error {
        // These errors speak of a chat, and none is meant here.
        CallError::Forbidden(why) | CallError::NotFound(why) => harmless(why),
        other => harmless(&other.to_string()),
    };
    let Registering { secret, place, secret_has_rights, .. } = registering(provider);
    let field = match error {
        CallError::Token(_) | CallError::Forbidden(_) => Some(secret),
        // A right that the key lacks.
        CallError::Account(_) if secret_has_rights => Some(secret),
        CallError::Refused { .. } | CallError::NotFound(_) => place,
        _ => None,
    };
    match (field, error) {
        (Some(field), _) => Failure::Refused { field, why },
        (None, CallError::Account(_)) => Failure::Barred(why),
        (
            None,
            CallError::Wait { .. }
            | CallError::Unreached(_)
            | CallError::NoAnswer(_)
            | CallError::Broken(_)
            | CallError::Server(_),
        ) => Failure::Unreached(why),
        (None, _) => Failure::Unclear(why),
    }
}

#[cfg(test)]
mod tests;
