//! `/v1/ownerless-sessions`: sessions that are kept and belong to no account, and how one becomes so.

use std::sync::Arc;

use api::schemas;
use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use domain::{AccountName, Purpose};
use http::StatusCode;
use serde::Deserialize;
use store::KeyFingerprint;
use telegram::RosterError;
use utoipa::ToSchema;

use super::{read_name, refusal};
use crate::answer::json;
use crate::auth::{Authorized, CanArrangeAccounts, CanRead};
use crate::extract::{Json, PathParameter};
use crate::problem::{Code, Problem, shorten};
use crate::v1::{Page, PageParameters, PageRequest};

/// Whose a session shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Assignment {
    /// The account's name.
    #[schema(value_type = String, example = "main")]
    account: AccountName,
    /// What it is for; left out or empty: what no other session of the account is for.
    #[serde(default, rename = "for")]
    #[schema(schema_with = schemas::purposes)]
    purposes: Vec<Purpose>,
}

/// Takes a session out of an account.
///
/// Its connection is ended, and it is kept as a session without an account unless Telegram has ended it. What it was for,
/// the other sessions of the account do, if the settings gave that to them before.
#[utoipa::path(
    delete, path = "/v1/accounts/{name}/sessions/{session}", tag = "accounts", operation_id = "release_session",
    params(
        ("name" = String, Path, description = "The account's name"),
        ("session" = String, Path, description = "The session, as `session` of a line of the account names it"),
    ),
    responses(
        (status = 200, description = "The account as it is now", body = api::Account),
        (status = 404, description = "There is no such account, or it has no such session: `session_not_found`"),
        (status = 409, description = "Its connection did not end in time: `account_busy`"),
        (status = 422, description = "Wrong parameters"),
    )
)]
pub(crate) async fn release(
    Shared(pool): Shared<Arc<telegram::Pool>>,
    _: Authorized<CanArrangeAccounts>,
    PathParameter((name, session)): PathParameter<(String, String)>,
) -> Result<Response, Problem> {
    let account = read_name(&name)?;
    let none = || {
        let detail = format!(
            "{account} has no session of the store with the id {:?}; GET /v1/accounts/{account} shows its sessions. \
             One that the settings name is taken out there.",
            shorten(&session)
        );
        Problem::new(Code::SessionNotFound, detail)
    };
    let id = session.parse().map_err(|_| none())?;
    match pool.remove_session(&account, id).await {
        Ok(view) => Ok(json(StatusCode::OK, &api::Account::from(view))),
        Err(RosterError::NoSuchSession) => Err(none()),
        Err(error) => Err(refusal::of_roster(error)),
    }
}

/// Lists the sessions that belong to no account.
#[utoipa::path(
    get, path = "/v1/ownerless-sessions", tag = "accounts", operation_id = "list_ownerless_sessions",
    params(PageParameters),
    responses((status = 200, description = "The sessions", body = Page<api::OwnerlessSession>))
)]
pub(crate) async fn list(
    Shared(pool): Shared<Arc<telegram::Pool>>,
    _: Authorized<CanRead>,
    wanted: PageRequest,
) -> Result<Response, Problem> {
    let sessions: Vec<_> = pool.ownerless().await?.into_iter().map(api::OwnerlessSession::from).collect();
    Ok(json(StatusCode::OK, &wanted.cut(sessions, |session| session.id.clone())?))
}

/// Gives a session to an account, which uses it from now on.
#[utoipa::path(
    post, path = "/v1/ownerless-sessions/{id}/assign", tag = "accounts", operation_id = "assign_ownerless_session",
    params(("id" = String, Path, description = "The session's id")),
    request_body = Assignment,
    responses(
        (status = 200, description = "The account as it is now", body = api::Account),
        (status = 404, description = "There is no such session or account"),
        (status = 409, description = "It is another person's: `other_person`; or in use: `session_in_use`"),
    )
)]
pub(crate) async fn assign(
    Shared(pool): Shared<Arc<telegram::Pool>>,
    _: Authorized<CanArrangeAccounts>,
    PathParameter(given): PathParameter<String>,
    body: Json<Assignment>,
) -> Result<Response, Problem> {
    let Assignment { account, purposes } = body.value;
    match pool.adopt_session(&account, read_id(&given)?, &purposes).await {
        Ok(view) => Ok(json(StatusCode::OK, &api::Account::from(view))),
        Err(RosterError::NoSuchSession) => Err(not_found(&given)),
        Err(error) => Err(refusal::of_roster(error)),
    }
}

/// Deletes the key of a session that belongs to no account, for good.
#[utoipa::path(
    delete, path = "/v1/ownerless-sessions/{id}", tag = "accounts", operation_id = "forget_ownerless_session",
    params(("id" = String, Path, description = "The session's id")),
    responses((status = 204, description = "Deleted"))
)]
pub(crate) async fn forget(
    Shared(pool): Shared<Arc<telegram::Pool>>,
    _: Authorized<CanArrangeAccounts>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    if pool.forget_session(read_id(&given)?).await? {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(not_found(&given))
    }
}

fn read_id(given: &str) -> Result<KeyFingerprint, Problem> {
    given.parse().map_err(|_| not_found(given))
}

fn not_found(given: &str) -> Problem {
    let detail = format!(
        "No session without an account has the id {:?}; GET /v1/ownerless-sessions lists them.",
        shorten(given)
    );
    Problem::new(Code::SessionNotFound, detail)
}
