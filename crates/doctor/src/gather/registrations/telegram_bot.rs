//! A bot of Telegram: `getWebhookInfo` of the Bot API.

use domain::SecretText;
use domain::Timestamp;
use domain::secret::ExposeSecret;
use serde::Deserialize;

use super::call::{Answer, Client, send};
use crate::check::webhooks::{Failure, Registration, State, Told, WebhookAddress};

#[derive(Deserialize)]
struct Info {
    result: Webhook,
}

/// The address is empty where there is none.
#[derive(Deserialize)]
struct Webhook {
    url: String,
    pending_update_count: Option<i64>,
    last_error_date: Option<i64>,
    last_error_message: Option<String>,
}

pub(super) async fn ask(client: &Client, token: &SecretText) -> Result<Told, Failure> {
    let path = format!("/bot{}/getWebhookInfo", token.expose_secret());
    read(&send(client.get(&path, &[])?).await?)
}

/// 401 is for a token that was revoked, 404 for one that never was.
pub(super) fn read(answer: &Answer) -> Result<Told, Failure> {
    if matches!(answer.status, 401 | 403 | 404) {
        return Err(answer.refused("token"));
    }
    if answer.status != 200 {
        return Err(answer.unclear());
    }
    let Webhook { url, pending_update_count, last_error_date, last_error_message } =
        answer.read::<Info>()?.result;
    let registered = Some(url).filter(|url| !url.is_empty()).map(|url| Registration {
        place: WebhookAddress::of(&url),
        state: State::Works,
        has_secret: None,
    });
    let at = |seconds: i64| Timestamp::from_micros(seconds.saturating_mul(1_000_000));
    Ok(Told {
        registered: registered.into_iter().collect(),
        waiting: pending_update_count.map(|count| u64::try_from(count).unwrap_or(0)),
        failed: last_error_date
            .filter(|seconds| *seconds > 0)
            .map(|seconds| (at(seconds), last_error_message.unwrap_or_default())),
        signed_out: false,
    })
}
