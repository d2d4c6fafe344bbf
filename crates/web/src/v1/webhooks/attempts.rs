//! What was posted to a webhook, and what is posted once more.

use api::{WebhookAttempt, WebhookRetry, WebhookTest};
use axum::extract::State as Shared;
use axum::response::Response;
use domain::{EventId, Timestamp};
use events::{Answer, WebhookError};
use http::StatusCode;
use store::WebhookDeliveryState;
use utoipa::IntoParams;

use super::{find_webhook, view};
use crate::answer::json;
use crate::auth::{Authorized, CanRead, CanRunWebhooks};
use crate::extract::{PathParameter, QueryParameters};
use crate::problem::{Code, FieldError, Problem, shorten};
use crate::state::State;
use crate::v1::page::{listed, store_page};
use crate::v1::{LongPageParameters, Page};

/// Which attempts are listed.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
pub(crate) struct AttemptParameters {
    /// Only those that are `waiting`, `delivered` or `dead`.
    #[param(example = "dead")]
    state: Option<String>,
}

/// Lists the events for a webhook with the last attempt to post each, the latest event first.
#[utoipa::path(
    get, path = "/v1/webhooks/{id}/attempts", tag = "webhooks", operation_id = "list_webhook_attempts",
    params(("id" = String, Path, description = "The webhook's id"), AttemptParameters, LongPageParameters),
    responses((status = 200, description = "A page of attempts", body = Page<WebhookAttempt>))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    PathParameter(given): PathParameter<String>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let wanted = query.take_with("state", |text| {
        text.parse::<WebhookDeliveryState>().map_err(|_| "write waiting, delivered or dead".to_owned())
    });
    let page = store_page(&mut query);
    query.finish()?;
    let id = find_webhook(&state, &given).await?.id;
    let found = state.store().webhooks().deliveries(id, wanted, &page).await.map_err(listed)?;
    let items = found.items.into_iter().map(WebhookAttempt::from).collect();
    Ok(json(StatusCode::OK, &Page { items, next_cursor: found.next_cursor }))
}

/// Posts an event of the type `ping` now, whether the webhook is paused or not, and answers what came of it.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/test", tag = "webhooks", operation_id = "test_webhook",
    params(("id" = String, Path, description = "The webhook's id")),
    responses((status = 200, description = "What came of it, within 20 seconds", body = WebhookTest))
)]
pub(crate) async fn test(
    Shared(state): Shared<State>,
    _: Authorized<CanRunWebhooks>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let webhook = find_webhook(&state, &given).await?;
    let tested = match state.webhooks().test(&webhook).await {
        Ok(Ok(answer)) => test_report(Some(&answer), None),
        Ok(Err(not_taken)) => test_report(not_taken.answer(), Some(not_taken.to_string())),
        Err(error @ (WebhookError::Endpoint(_) | WebhookError::Key(_) | WebhookError::Header(_))) => {
            test_report(None, Some(error.to_string()))
        }
    };
    Ok(json(StatusCode::OK, &tested))
}

fn test_report(answer: Option<&Answer>, error: Option<String>) -> WebhookTest {
    WebhookTest {
        taken: error.is_none(),
        status: answer.map(|answer| answer.status.as_u16()),
        latency_ms: answer.map(|answer| u64::try_from(answer.latency.as_millis()).unwrap_or(u64::MAX)),
        answer: answer.map(|answer| answer.body.clone()),
        error,
    }
}

/// Posts every event since a time once more, as far as events are kept. What happens meanwhile is posted beside it.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/replay", tag = "webhooks", operation_id = "replay_webhook",
    params(
        ("id" = String, Path, description = "The webhook's id"),
        ("since" = String, Query, description = "The time of the first of them", example = "2030-01-01T00:00:00Z"),
    ),
    responses((status = 202, description = "It has begun; `replaying` says until when", body = api::Webhook))
)]
pub(crate) async fn replay(
    Shared(state): Shared<State>,
    by: Authorized<CanRunWebhooks>,
    PathParameter(given): PathParameter<String>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let since = query.take_with("since", |text| {
        text.parse::<Timestamp>().map_err(|_| "write a time such as 2030-01-01T00:00:00Z".to_owned())
    });
    query.finish()?;
    let Some(since) = since else {
        return Err(Problem::fields(vec![FieldError::new("since", "is missing")]));
    };
    let id = find_webhook(&state, &given).await?.id;
    state.store().webhooks().replay(id, since).await?;
    state.webhooks().changed();
    let webhook = find_webhook(&state, &given).await?;
    Ok(json(StatusCode::ACCEPTED, &view(&state, webhook, &by.caller).await?))
}

/// Posts one event once more, now.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/attempts/{event}/retry", tag = "webhooks", operation_id = "retry_webhook_attempt",
    params(
        ("id" = String, Path, description = "The webhook's id"),
        ("event" = String, Path, description = "The event's id"),
    ),
    responses((status = 202, description = "It is posted now", body = WebhookRetry))
)]
pub(crate) async fn retry(
    Shared(state): Shared<State>,
    _: Authorized<CanRunWebhooks>,
    PathParameter((given, event)): PathParameter<(String, String)>,
) -> Result<Response, Problem> {
    let id = find_webhook(&state, &given).await?.id;
    let missing = || {
        let event = shorten(&event);
        let detail =
            format!("The webhook {id} was not notified of {event:?}, or that event is no longer kept.");
        Problem::new(Code::AttemptNotFound, detail)
    };
    let event: EventId = event.parse().map_err(|_| missing())?;
    if !state.store().webhooks().retry(id, event, state.clock().now()).await? {
        return Err(missing());
    }
    state.webhooks().changed();
    Ok(json(StatusCode::ACCEPTED, &WebhookRetry { retried: 1 }))
}

/// Posts everything once more that was given up for a webhook.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/retry", tag = "webhooks", operation_id = "retry_webhook",
    params(("id" = String, Path, description = "The webhook's id")),
    responses((status = 202, description = "All of it is posted now", body = WebhookRetry))
)]
pub(crate) async fn retry_dead(
    Shared(state): Shared<State>,
    _: Authorized<CanRunWebhooks>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let id = find_webhook(&state, &given).await?.id;
    let retried = state.store().webhooks().retry_dead(id, state.clock().now()).await?;
    state.webhooks().changed();
    Ok(json(StatusCode::ACCEPTED, &WebhookRetry { retried }))
}
