//! `GET /v1/users` and `GET /v1/users/{name}`.

use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;

use super::{missing, read_name};
use crate::answer::json;
use crate::auth::{Authorized, CanManagePeople};
use crate::extract::PathParameter;
use crate::problem::Problem;
use crate::v1::{Page, PageParameters, PageRequest};

/// Lists the people who may sign in to the dashboard, by name.
#[utoipa::path(
    get, path = "/v1/users", tag = "users", operation_id = "list_users",
    params(PageParameters),
    responses((status = 200, description = "The users", body = Page<api::User>))
)]
pub(crate) async fn list(
    Shared(access): Shared<access::Access>,
    _: Authorized<CanManagePeople>,
    wanted: PageRequest,
) -> Result<Response, Problem> {
    let page = wanted.cut(access.people().await?, |person| person.name.to_string())?;
    let items: Vec<api::User> = page.items.into_iter().map(api::User::from).collect();
    Ok(json(StatusCode::OK, &Page { items, next_cursor: page.next_cursor }))
}

/// Shows a user.
#[utoipa::path(
    get, path = "/v1/users/{name}", tag = "users", operation_id = "get_user",
    params(("name" = String, Path, description = "The name they sign in with")),
    responses(
        (status = 200, description = "The user", body = api::User),
        (status = 404, description = "There is none: `user_not_found`"),
    )
)]
pub(crate) async fn get(
    Shared(access): Shared<access::Access>,
    _: Authorized<CanManagePeople>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let name = read_name(&given)?;
    let person = access.person(&name).await?.ok_or_else(|| missing(&given))?;
    Ok(json(StatusCode::OK, &api::User::from(person)))
}
