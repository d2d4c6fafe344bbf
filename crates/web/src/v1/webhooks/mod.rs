//! `/v1/webhooks`: the endpoints of other programs, and what was posted to each of them.

mod attempts;
mod bodies;
mod change;
mod list;

use crate::routing::routes;
use domain::WebhookId;
use outbound::{Url, server_of};
use store::StoredWebhook;
use utoipa_axum::router::OpenApiRouter;

use crate::auth::Caller;
use crate::problem::{Code, Problem, shorten};
use crate::state::State;

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(list::list, change::create))
        .routes(routes!(list::get, change::change, change::remove))
        .routes(routes!(change::rotate))
        .routes(routes!(change::pause))
        .routes(routes!(change::resume))
        .routes(routes!(attempts::test))
        .routes(routes!(attempts::replay))
        .routes(routes!(attempts::list))
        .routes(routes!(attempts::retry))
        .routes(routes!(attempts::retry_dead))
}

/// The webhook of an id.
async fn find_webhook(state: &State, given: &str) -> Result<StoredWebhook, Problem> {
    let id: WebhookId = given.parse().map_err(|_| no_such_webhook(given))?;
    state.store().webhooks().get(id).await?.ok_or_else(|| no_such_webhook(given))
}

/// A webhook as a caller sees it: the path of its address, which often carries a secret, is for administrators.
async fn view(state: &State, webhook: StoredWebhook, caller: &Caller) -> Result<api::Webhook, Problem> {
    let totals = state.store().webhooks().totals(webhook.id).await?;
    let mut view = api::Webhook::new(webhook, totals);
    if !caller.administers {
        view.url = Url::parse(&view.url).map(|url| server_of(&url)).unwrap_or_default();
    }
    Ok(view)
}

fn no_such_webhook(given: &str) -> Problem {
    let detail = format!("No webhook has the id {:?}; GET /v1/webhooks lists them.", shorten(given));
    Problem::new(Code::WebhookNotFound, detail)
}
