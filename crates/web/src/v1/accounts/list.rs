//! `GET /v1/accounts`: how each Telegram account is.

use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;

use super::read_name;
use super::view::Account;
use crate::answer::json;
use crate::auth::{By, CanRead};
use crate::extract::{PathParameter, QueryParameters};
use crate::problem::{Body as ProblemBody, Problem};
use crate::state::State;
use crate::v1::{Page, PageParameters, Wanted};

/// Lists the accounts, by priority.
#[utoipa::path(
    get, path = "/v1/accounts", tag = "accounts", operation_id = "list_accounts",
    params(PageParameters),
    responses(
        (status = 200, description = "The accounts", body = Page<Account>),
        (status = 422, description = "Wrong parameters", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("api_key" = []), ("bearer" = []))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    _: By<CanRead>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let wanted = Wanted::take(&mut query);
    query.finish()?;
    let accounts: Vec<Account> = state.pool().accounts().into_iter().map(Into::into).collect();
    Ok(json(StatusCode::OK, &wanted.cut(accounts, |account| account.name.to_string())?))
}

/// Shows an account.
#[utoipa::path(
    get, path = "/v1/accounts/{name}", tag = "accounts", operation_id = "get_account",
    params(("name" = String, Path, description = "The account's name in the settings")),
    responses(
        (status = 200, description = "The account", body = Account),
        (status = 404, description = "There is none", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("api_key" = []), ("bearer" = []))
)]
pub(crate) async fn get(
    Shared(state): Shared<State>,
    _: By<CanRead>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let name = read_name(&given)?;
    let view = state.pool().account(&name).ok_or_else(|| Problem::account_not_found(&given))?;
    Ok(json(StatusCode::OK, &Account::from(view)))
}
