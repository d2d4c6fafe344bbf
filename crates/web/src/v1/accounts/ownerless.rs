//! `/v1/ownerless-sessions`: sessions that are kept and belong to no account, and how one becomes so.

use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use domain::{AccountName, Purpose};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use store::KeyFingerprint;
use telegram::{OwnerlessView, RosterError};
use utoipa::ToSchema;

use super::view::Account;
use super::{read_name, refusal};
use crate::answer::json;
use crate::auth::{By, CanArrangeAccounts, CanRead};
use crate::extract::{Json, PathParameter, QueryParameters};
use crate::problem::{Code, Problem, shorten};
use crate::state::State;
use crate::v1::{Page, PageParameters, Wanted, words};

/// A session that belongs to no account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OwnerlessSession {
    /// The fingerprint of its key.
    #[schema(example = "1f2e3d4c5b6a7988")]
    id: String,
    /// The data centre it lives in.
    dc_id: i32,
    /// Whose it is, as Telegram told.
    user_id: Option<i64>,
    /// The public name of that user.
    username: Option<String>,
    /// The name of that user.
    display_name: Option<String>,
    /// Where it came from, in words.
    #[schema(example = "account main: another session took its place")]
    origin: String,
}

impl From<OwnerlessView> for OwnerlessSession {
    fn from(view: OwnerlessView) -> Self {
        Self {
            id: view.session,
            dc_id: view.dc_id,
            user_id: view.user_id,
            username: view.username,
            display_name: view.display_name,
            origin: view.origin,
        }
    }
}

/// Whose a session shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Assignment {
    /// The account's name.
    #[schema(value_type = String, example = "main")]
    account: AccountName,
    /// What it is for; left out or empty: what no other session of the account is for.
    #[serde(default, rename = "for")]
    #[schema(schema_with = words::purposes)]
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
        (status = 200, description = "The account as it is now", body = Account),
        (status = 404, description = "There is no such account, or it has no such session: `session_not_found`"),
        (status = 409, description = "Its connection did not end in time: `account_busy`"),
        (status = 422, description = "Wrong parameters"),
    )
)]
pub(crate) async fn release(
    Shared(state): Shared<State>,
    _: By<CanArrangeAccounts>,
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
    match state.pool().remove_session(&account, id).await {
        Ok(view) => Ok(json(StatusCode::OK, &Account::from(view))),
        Err(RosterError::NoSuchSession) => Err(none()),
        Err(error) => Err(refusal::of_roster(error)),
    }
}

/// Lists the sessions that belong to no account.
#[utoipa::path(
    get, path = "/v1/ownerless-sessions", tag = "accounts", operation_id = "list_ownerless_sessions",
    params(PageParameters),
    responses((status = 200, description = "The sessions", body = Page<OwnerlessSession>))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    _: By<CanRead>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let wanted = Wanted::take(&mut query);
    query.finish()?;
    let sessions: Vec<_> = state.pool().ownerless().await?.into_iter().map(OwnerlessSession::from).collect();
    Ok(json(StatusCode::OK, &wanted.cut(sessions, |session| session.id.clone())?))
}

/// Gives a session to an account, which uses it from now on.
#[utoipa::path(
    post, path = "/v1/ownerless-sessions/{id}/assign", tag = "accounts", operation_id = "assign_ownerless_session",
    params(("id" = String, Path, description = "The session's id")),
    request_body = Assignment,
    responses(
        (status = 200, description = "The account as it is now", body = Account),
        (status = 404, description = "There is no such session or account"),
        (status = 409, description = "It is another person's: `other_person`; or in use: `session_in_use`"),
    )
)]
pub(crate) async fn assign(
    Shared(state): Shared<State>,
    _: By<CanArrangeAccounts>,
    PathParameter(given): PathParameter<String>,
    body: Json<Assignment>,
) -> Result<Response, Problem> {
    let Assignment { account, purposes } = body.value;
    match state.pool().adopt_session(&account, read_id(&given)?, &purposes).await {
        Ok(view) => Ok(json(StatusCode::OK, &Account::from(view))),
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
    Shared(state): Shared<State>,
    _: By<CanArrangeAccounts>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    if state.pool().forget_session(read_id(&given)?).await? {
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
