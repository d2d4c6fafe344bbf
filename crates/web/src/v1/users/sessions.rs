//! `/v1/users/{name}/sessions`: where a user is signed in, and ending that.

use access::UserName;
use axum::extract::State as Shared;
use axum::response::Response;
use domain::SessionId;
use http::StatusCode;

use super::{missing, read_name};
use crate::answer::json;
use crate::auth::{Authorized, CanManagePeople};
use crate::extract::PathParameter;
use crate::problem::{Code, Problem, shorten};
use crate::state::State;
use crate::v1::{Page, PageParameters, PageRequest};

/// Lists where a user is signed in, the latest first.
#[utoipa::path(
    get, path = "/v1/users/{name}/sessions", tag = "users", operation_id = "list_user_sessions",
    params(("name" = String, Path, description = "The name they sign in with"), PageParameters),
    responses(
        (status = 200, description = "The sessions", body = Page<api::UserSession>),
        (status = 404, description = "There is no such user: `user_not_found`"),
    )
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    _: Authorized<CanManagePeople>,
    PathParameter(given): PathParameter<String>,
    wanted: PageRequest,
) -> Result<Response, Problem> {
    let name = existing(&state, &given).await?;
    let found = state.access().sessions(&name).await?;
    let sessions: Vec<api::UserSession> = found.into_iter().map(api::UserSession::from).collect();
    Ok(json(StatusCode::OK, &wanted.cut(sessions, |session| session.id.to_string())?))
}

/// Ends all sessions of a user: they have to sign in again everywhere.
#[utoipa::path(
    delete, path = "/v1/users/{name}/sessions", tag = "users", operation_id = "end_user_sessions",
    params(("name" = String, Path, description = "The name they sign in with")),
    responses(
        (status = 204, description = "Ended"),
        (status = 404, description = "There is no such user: `user_not_found`"),
    )
)]
pub(crate) async fn end_all(
    Shared(state): Shared<State>,
    _: Authorized<CanManagePeople>,
    PathParameter(given): PathParameter<String>,
) -> Result<StatusCode, Problem> {
    let name = existing(&state, &given).await?;
    state.access().end_sessions(&name, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends one session of a user.
#[utoipa::path(
    delete, path = "/v1/users/{name}/sessions/{id}", tag = "users", operation_id = "end_user_session",
    params(
        ("name" = String, Path, description = "The name they sign in with"),
        ("id" = String, Path, description = "The session's public id"),
    ),
    responses(
        (status = 204, description = "Ended"),
        (status = 404, description = "There is no such user or session: `user_not_found`, `session_not_found`"),
    )
)]
pub(crate) async fn end(
    Shared(state): Shared<State>,
    _: Authorized<CanManagePeople>,
    PathParameter((given, id)): PathParameter<(String, String)>,
) -> Result<StatusCode, Problem> {
    let name = existing(&state, &given).await?;
    let gone = || {
        let detail = format!("{name} has no session {:?}; it may have ended.", shorten(&id));
        Problem::new(Code::SessionNotFound, detail)
    };
    let session: SessionId = id.parse().map_err(|_| gone())?;
    if state.access().end_session(&name, session).await? { Ok(StatusCode::NO_CONTENT) } else { Err(gone()) }
}

async fn existing(state: &State, given: &str) -> Result<UserName, Problem> {
    let name = read_name(given)?;
    let found = state.access().person(&name).await?;
    found.map(|person| person.name).ok_or_else(|| missing(given))
}
