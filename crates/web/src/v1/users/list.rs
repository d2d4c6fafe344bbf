//! `GET /v1/users` and `GET /v1/users/{name}`.

use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;

use super::view::User;
use super::{missing, read_name};
use crate::answer::json;
use crate::auth::{By, CanManagePeople};
use crate::extract::{PathParameter, QueryParameters};
use crate::problem::Problem;
use crate::state::State;
use crate::v1::{Page, PageParameters, Wanted};

/// Lists the people who may sign in to the dashboard, by name.
#[utoipa::path(
    get, path = "/v1/users", tag = "users", operation_id = "list_users",
    params(PageParameters),
    responses((status = 200, description = "The users", body = Page<User>))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    _: By<CanManagePeople>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let wanted = Wanted::take(&mut query);
    query.finish()?;
    let page = wanted.cut(state.access().people().await?, |person| person.name.to_string())?;
    let items: Vec<User> = page.items.into_iter().map(User::from).collect();
    Ok(json(StatusCode::OK, &Page { items, next_cursor: page.next_cursor }))
}

/// Shows a user.
#[utoipa::path(
    get, path = "/v1/users/{name}", tag = "users", operation_id = "get_user",
    params(("name" = String, Path, description = "The name they sign in with")),
    responses(
        (status = 200, description = "The user", body = User),
        (status = 404, description = "There is none: `user_not_found`"),
    )
)]
pub(crate) async fn get(
    Shared(state): Shared<State>,
    _: By<CanManagePeople>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let name = read_name(&given)?;
    let person = state.access().person(&name).await?.ok_or_else(|| missing(&given))?;
    Ok(json(StatusCode::OK, &User::from(person)))
}
