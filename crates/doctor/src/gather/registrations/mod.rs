//! Asking providers where they send what customers write: one read-only question for each webhook of the settings.

mod avito;
mod call;
mod max;
mod telegram_bot;
mod vk;
mod wappi;

use std::time::Duration;

use ambient::Clock;
use config::{Settings, WebhookCredentials, WebhookFields};
use futures::StreamExt;
use futures::stream;

use crate::check::webhooks::{Asked, Failure, Told};

use call::Clients;

/// How long one provider may take, all its calls together.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Providers that are asked at the same time.
const AT_ONCE: usize = 32;

/// The most webhooks that are asked for.
const MOST: usize = 64;

pub(crate) struct Registrations {
    /// Each webhook, with what its provider told.
    pub(crate) asked: Vec<Asked>,
    /// How many more there are, which were not asked for.
    pub(crate) left_out: usize,
}

/// Asks for all webhooks of the settings, several at once.
pub(crate) async fn all(settings: &Settings, clock: &Clock) -> Registrations {
    let webhooks: Vec<_> = settings.webhooks_elsewhere().collect();
    let left_out = webhooks.len().saturating_sub(MOST);
    let clients = &Clients::new(TIMEOUT);
    let asking: Vec<_> = webhooks
        .into_iter()
        .take(MOST)
        .map(|(webhook, key)| async move {
            let outcome = within(TIMEOUT, &webhook, clients, clock).await;
            Asked { webhook, key, outcome }
        })
        .collect();
    let asked = stream::iter(asking).buffered(AT_ONCE).collect().await;
    Registrations { asked, left_out }
}

async fn within(
    limit: Duration,
    webhook: &WebhookFields,
    clients: &Clients,
    clock: &Clock,
) -> Result<Told, Failure> {
    let answered = clock.timeout(limit, ask(webhook, clients)).await;
    answered.unwrap_or_else(|_| Err(Failure::Unreached(format!("no answer within {} s", limit.as_secs()))))
}

async fn ask(webhook: &WebhookFields, clients: &Clients) -> Result<Told, Failure> {
    let wrong = |_| Failure::Unclear("the settings do not say what it is asked with".to_owned());
    let credentials = webhook.check().map_err(wrong)?;
    let client = clients.at(webhook.api())?;
    match &credentials {
        WebhookCredentials::TelegramBot { token } => telegram_bot::ask(&client, token).await,
        WebhookCredentials::Avito { client_id, client_secret } => {
            avito::ask(&client, client_id, client_secret).await
        }
        WebhookCredentials::Max { token } => max::ask(&client, token).await,
        WebhookCredentials::Vk { token, group_id } => vk::ask(&client, token, *group_id).await,
        WebhookCredentials::Wappi { token, profile_id } => wappi::ask(&client, token, profile_id).await,
    }
}

#[cfg(test)]
mod tests;
