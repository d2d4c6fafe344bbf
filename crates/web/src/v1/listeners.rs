//! `/v1/listeners`: where the program listens, and who is in the way.

use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;

use super::Page;
use crate::answer::json;
use crate::auth::{By, CanRead};
use crate::extract::QueryParameters;
use crate::listen::ListenerView;
use crate::problem::{Body as ProblemBody, Problem};
use crate::state::State;

/// Lists the listeners.
#[utoipa::path(
    get, path = "/v1/listeners", tag = "system", operation_id = "list_listeners",
    responses(
        (status = 200, description = "The listeners and how each is", body = Page<ListenerView>),
        (status = 403, description = "The key lacks the scope", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("api_key" = []), ("bearer" = []))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    _: By<CanRead>,
    query: QueryParameters,
) -> Result<Response, Problem> {
    query.finish()?;
    Ok(json(StatusCode::OK, &Page::whole(state.listeners())))
}
