//! `/v1/listeners`: where the program listens, and who is in the way.

use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;

use super::{Page, PageParameters, PageRequest};
use crate::answer::json;
use crate::auth::{Authorized, CanRead};
use crate::listen::ListenerView;
use crate::problem::Problem;
use crate::state::State;

/// Lists the listeners.
#[utoipa::path(
    get, path = "/v1/listeners", tag = "system", operation_id = "list_listeners",
    params(PageParameters),
    responses(
        (status = 200, description = "The listeners and how each is", body = Page<ListenerView>),
        (status = 403, description = "The key lacks the scope"),
    )
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    wanted: PageRequest,
) -> Result<Response, Problem> {
    Ok(json(StatusCode::OK, &wanted.cut(state.listeners(), |listener| listener.name.clone())?))
}
