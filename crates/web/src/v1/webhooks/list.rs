//! The list of webhooks, and one of them.

use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;

use super::{find_webhook, view};
use crate::answer::json;
use crate::auth::{Authorized, CanRead};
use crate::extract::PathParameter;
use crate::problem::Problem;
use crate::state::State;
use crate::v1::{Page, PageParameters, PageRequest};

/// Lists the webhooks, the oldest first.
#[utoipa::path(
    get, path = "/v1/webhooks", tag = "webhooks", operation_id = "list_webhooks",
    params(PageParameters),
    responses((status = 200, description = "The webhooks and how each stands", body = Page<api::Webhook>))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    by: Authorized<CanRead>,
    wanted: PageRequest,
) -> Result<Response, Problem> {
    let webhooks = state.store().webhooks().list().await?;
    let Page { items, next_cursor } = wanted.cut(webhooks, |webhook| webhook.id.to_string())?;
    let mut shown = Vec::with_capacity(items.len());
    for webhook in items {
        shown.push(view(&state, webhook, &by.caller).await?);
    }
    Ok(json(StatusCode::OK, &Page { items: shown, next_cursor }))
}

/// Shows a webhook.
#[utoipa::path(
    get, path = "/v1/webhooks/{id}", tag = "webhooks", operation_id = "get_webhook",
    params(("id" = String, Path, description = "The webhook's id")),
    responses((status = 200, description = "The webhook", body = api::Webhook))
)]
pub(crate) async fn get(
    Shared(state): Shared<State>,
    by: Authorized<CanRead>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let webhook = find_webhook(&state, &given).await?;
    Ok(json(StatusCode::OK, &view(&state, webhook, &by.caller).await?))
}
