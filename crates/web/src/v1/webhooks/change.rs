//! Webhooks that come, change and go.

use std::time::Duration;

use axum::extract::State as Shared;
use axum::response::Response;
use domain::{EventFilter, EventId, ExposeSecret, SecretText, WebhookId};
use events::MADE_BY_SETTINGS;
use http::StatusCode;
use store::{StoreError, StoredWebhook, WebhookSecrets};

use super::bodies::{NewWebhook, WebhookChange};
use super::{find_webhook, no_such_webhook, view};
use crate::answer::{json, located};
use crate::audit::Audited;
use crate::auth::{Authorized, Caller, CanAdminister, CanRunWebhooks};
use crate::extract::{PathParameter, Unchecked};
use crate::problem::{Code, Problem};
use crate::state::State;

/// How long posts are signed with the secret before, too.
const BOTH_SECRETS: Duration = Duration::from_hours(24);

/// The most earlier secrets that posts are signed with.
const MOST_BEFORE: usize = 5;

/// Makes a webhook, which hears what happens from now on. The answer shows the secret of its signatures; it is not shown again.
#[utoipa::path(
    post, path = "/v1/webhooks", tag = "webhooks", operation_id = "create_webhook",
    request_body = NewWebhook,
    responses(
        (status = 201, description = "Made", body = api::MadeWebhook,
            headers(("Location" = String, description = "The webhook's path"))),
        (status = 409, description = "There are too many: `wrong_state`"),
    )
)]
pub(crate) async fn create(
    Shared(state): Shared<State>,
    by: Authorized<CanAdminister>,
    body: Unchecked<NewWebhook>,
) -> Result<Response, Problem> {
    let secret = new_secret()?;
    let blank = StoredWebhook {
        id: WebhookId::from_uuid(state.ids().next()),
        secrets: WebhookSecrets {
            url: SecretText::from(String::new()),
            secret: secret.clone(),
            previous: Vec::new(),
            headers: Vec::new(),
            form: None,
        },
        description: None,
        filter: EventFilter::default(),
        ordered: false,
        created_at: state.clock().now(),
        created_by: maker(by.caller.who()),
        paused_at: None,
        disabled: None,
        cursor: EventId::ZERO,
        replay: None,
        delivered_at: None,
        failing_since: None,
        failures: 0,
        last_error: None,
    };
    let webhook = body.checked(|new| new.fill(blank, &state))?;
    match state.store().webhooks().add(&webhook).await {
        Ok(()) => state.webhooks().changed(),
        Err(StoreError::Conflict { .. }) => {
            let detail = "There are 100 webhooks already; remove one that is not needed.";
            return Err(Problem::new(Code::WrongState, detail));
        }
        Err(error) => return Err(error.into()),
    }
    let path = format!("/v1/webhooks/{}", webhook.id);
    let audited = Audited::about(&webhook.id);
    Ok(audited.of(located(made(&state, webhook, &secret, StatusCode::CREATED, &by.caller).await?, &path)))
}

/// The name of who made a webhook. A user may have the name that stands for the settings, which vouch for addresses.
fn maker(who: String) -> String {
    if who == MADE_BY_SETTINGS { format!("the user {who}") } else { who }
}

/// Changes a webhook: what is left out stays. What waits is posted as the webhook is then.
#[utoipa::path(
    patch, path = "/v1/webhooks/{id}", tag = "webhooks", operation_id = "change_webhook",
    params(("id" = String, Path, description = "The webhook's id")),
    request_body = WebhookChange,
    responses((status = 200, description = "The webhook as it is now", body = api::Webhook))
)]
pub(crate) async fn change(
    Shared(state): Shared<State>,
    by: Authorized<CanAdminister>,
    PathParameter(given): PathParameter<String>,
    body: Unchecked<WebhookChange>,
) -> Result<Response, Problem> {
    let old = find_webhook(&state, &given).await?;
    let webhook = body.checked(|change| change.fill(old, &state))?;
    save(&state, &webhook, &given).await?;
    shown(&state, &given, &by.caller).await
}

/// Removes a webhook, with all that waits for it.
#[utoipa::path(
    delete, path = "/v1/webhooks/{id}", tag = "webhooks", operation_id = "remove_webhook",
    params(("id" = String, Path, description = "The webhook's id")),
    responses((status = 204, description = "Removed"))
)]
pub(crate) async fn remove(
    Shared(state): Shared<State>,
    _: Authorized<CanAdminister>,
    PathParameter(given): PathParameter<String>,
) -> Result<StatusCode, Problem> {
    let id = find_webhook(&state, &given).await?.id;
    state.webhooks().changed();
    let removed = state.store().webhooks().remove(id, state.clock().now()).await?;
    state.webhooks().changed();
    if removed { Ok(StatusCode::NO_CONTENT) } else { Err(no_such_webhook(&given)) }
}

/// Gives a webhook a new secret. For a day posts carry a signature with the one before too, even when it is replaced again.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/rotate", tag = "webhooks", operation_id = "rotate_webhook_secret",
    params(("id" = String, Path, description = "The webhook's id")),
    responses((status = 200, description = "The webhook with its new secret", body = api::MadeWebhook))
)]
pub(crate) async fn rotate(
    Shared(state): Shared<State>,
    by: Authorized<CanAdminister>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let mut webhook = find_webhook(&state, &given).await?;
    let secret = new_secret()?;
    let before = std::mem::replace(&mut webhook.secrets.secret, secret.clone());
    let (now, previous) = (state.clock().now(), &mut webhook.secrets.previous);
    previous.retain(|(_, until)| *until > now);
    previous.insert(0, (before, now.plus(BOTH_SECRETS)));
    previous.truncate(MOST_BEFORE);
    save(&state, &webhook, &given).await?;
    made(&state, webhook, &secret, StatusCode::OK, &by.caller).await
}

/// Pauses a webhook. What happens meanwhile waits for it.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/pause", tag = "webhooks", operation_id = "pause_webhook",
    params(("id" = String, Path, description = "The webhook's id")),
    responses((status = 200, description = "Nothing is posted to it", body = api::Webhook))
)]
pub(crate) async fn pause(
    Shared(state): Shared<State>,
    by: Authorized<CanRunWebhooks>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let id = find_webhook(&state, &given).await?.id;
    state.store().webhooks().pause(id, state.clock().now()).await?;
    state.webhooks().changed();
    shown(&state, &given, &by.caller).await
}

/// Posts to a webhook again that was paused or is switched off, beginning with what waits.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/resume", tag = "webhooks", operation_id = "resume_webhook",
    params(("id" = String, Path, description = "The webhook's id")),
    responses((status = 200, description = "What waits is posted now", body = api::Webhook))
)]
pub(crate) async fn resume(
    Shared(state): Shared<State>,
    by: Authorized<CanRunWebhooks>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let id = find_webhook(&state, &given).await?.id;
    state.store().webhooks().resume(id, state.clock().now()).await?;
    state.webhooks().changed();
    shown(&state, &given, &by.caller).await
}

async fn save(state: &State, webhook: &StoredWebhook, given: &str) -> Result<(), Problem> {
    if !state.store().webhooks().change(webhook).await? {
        return Err(no_such_webhook(given));
    }
    state.webhooks().changed();
    Ok(())
}

async fn shown(state: &State, given: &str, caller: &Caller) -> Result<Response, Problem> {
    let webhook = find_webhook(state, given).await?;
    Ok(json(StatusCode::OK, &view(state, webhook, caller).await?))
}

async fn made(
    state: &State,
    webhook: StoredWebhook,
    secret: &SecretText,
    status: StatusCode,
    caller: &Caller,
) -> Result<Response, Problem> {
    let secret = secret.expose_secret().to_owned();
    Ok(json(status, &api::MadeWebhook { view: view(state, webhook, caller).await?, secret }))
}

fn new_secret() -> Result<SecretText, Problem> {
    events::new_secret().map_err(|error| {
        tracing::error!(%error, "the system gives no random numbers");
        Problem::new(Code::Internal, "No secret can be made: the system gives no random numbers.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_caller_is_taken_for_the_settings() {
        assert_eq!(maker("anna".to_owned()), "anna");
        assert_ne!(maker(MADE_BY_SETTINGS.to_owned()), MADE_BY_SETTINGS);
    }
}
