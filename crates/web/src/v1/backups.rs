//! `/v1/backups`: making backups of this server, trying them, looking at them.

use axum::extract::State as Shared;
use axum::response::Response;
use backup::{AttemptBy, BackupError, BackupName, BackupState};
use http::{HeaderMap, StatusCode};

use crate::answer::json;
use crate::audit::Audited;
use crate::auth::{Authorized, CanAdminister, CanRead};
use crate::extract::PathParameter;
use crate::files::{self, FileRequest};
use crate::problem::{Code, Problem};
use crate::state::State;

fn problem(error: BackupError) -> Problem {
    match error {
        BackupError::Busy => Problem::new(
            Code::WrongState,
            "A backup is being made or tried already; wait until that is done.",
        ),
        BackupError::Unknown { .. } => {
            Problem::new(Code::BackupNotFound, "There is no backup of this name; GET /v1/backups lists them.")
        }
        BackupError::None { .. } => {
            Problem::new(Code::BackupNotFound, "There is no backup; make one with POST /v1/backups.")
        }
        BackupError::Stopping => Problem::new(Code::ShuttingDown, "The server is stopping."),
        other => {
            tracing::error!(error = %other, "the backups cannot be looked at");
            Problem::new(Code::Internal, format!("The backups cannot be looked at: {other}."))
        }
    }
}

/// Lists the backups that are stored on this server, and reports when the next one is made.
#[utoipa::path(
    get, path = "/v1/backups", tag = "system", operation_id = "list_backups",
    responses((status = 200, description = "The backups", body = api::Backups))
)]
pub(crate) async fn list(
    Shared(backups): Shared<backup::Backups>,
    _: Authorized<CanRead>,
) -> Result<Response, Problem> {
    let status = backups.status().await.map_err(problem)?;
    Ok(json(StatusCode::OK, &api::Backups::from(status)))
}

/// Shows one.
#[utoipa::path(
    get, path = "/v1/backups/{name}", tag = "system", operation_id = "get_backup",
    params(("name" = String, Path, description = "The name of its file")),
    responses((status = 200, description = "How it is", body = api::Backup))
)]
pub(crate) async fn get(
    Shared(backups): Shared<backup::Backups>,
    _: Authorized<CanRead>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let view = backups.get(&named(&given)?).await.map_err(problem)?;
    Ok(json(StatusCode::OK, &api::Backup::from(view)))
}

/// Begins to make one, beside all other work. It is tried as soon as it is made; `GET /v1/backups/{name}` shows how far it is.
#[utoipa::path(
    post, path = "/v1/backups", tag = "system", operation_id = "create_backup",
    responses(
        (status = 202, description = "It is being made", body = api::Backup),
        (status = 409, description = "One is being made or tried already"),
    )
)]
pub(crate) async fn create(
    Shared(state): Shared<State>,
    _: Authorized<CanAdminister>,
) -> Result<Response, Problem> {
    let name = state.backups().begin(AttemptBy::Person).map_err(problem)?;
    let made_at = name.made_at();
    let audited = Audited::about(&name);
    let begun = api::Backup {
        name: name.to_string(),
        made_at,
        state: BackupState::Making,
        bytes: None,
        proven_at: None,
        wrong: None,
    };
    Ok(audited.of(json(StatusCode::ACCEPTED, &begun)))
}

/// Begins to try one: it is unpacked beside the others, compared with what was put into it, and its database is opened with the
/// master key and read through.
#[utoipa::path(
    post, path = "/v1/backups/{name}/check", tag = "system", operation_id = "check_backup",
    params(("name" = String, Path, description = "The name of its file")),
    responses(
        (status = 202, description = "It is being tried", body = api::Backup),
        (status = 409, description = "One is being made or tried already"),
    )
)]
pub(crate) async fn check(
    Shared(state): Shared<State>,
    _: Authorized<CanAdminister>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let name = named(&given)?;
    let view = state.backups().get(&name).await.map_err(problem)?;
    state.backups().check(name.clone()).await.map_err(problem)?;
    let begun = api::Backup { state: BackupState::Proving, ..api::Backup::from(view) };
    Ok(Audited::about(&name).of(json(StatusCode::ACCEPTED, &begun)))
}

/// Begins to restore one for practice, as it happens by itself now and then: the newest copy is fetched and compared, else the
/// newest backup is taken, and restored into a folder of its own. `drills` of `GET /v1/backups` shows what came of it.
#[utoipa::path(
    post, path = "/v1/backups/drill", tag = "system", operation_id = "drill_backup",
    responses(
        (status = 202, description = "It takes place", body = api::Backups),
        (status = 404, description = "There is no backup"),
        (status = 409, description = "One takes place already"),
    )
)]
pub(crate) async fn drill(
    Shared(backups): Shared<backup::Backups>,
    _: Authorized<CanAdminister>,
) -> Result<Response, Problem> {
    backups.begin_drill().await.map_err(|error| match error {
        BackupError::Busy => {
            Problem::new(Code::WrongState, "A restore is being practised already; wait until that is done.")
        }
        error => problem(error),
    })?;
    let status = backups.status().await.map_err(problem)?;
    Ok(json(StatusCode::ACCEPTED, &api::Backups::from(status)))
}

/// Downloads one.
///
/// Who has it and the master key has the accounts. One range of bytes can be asked for with `Range`, so that a download that was
/// broken off goes on where it was.
#[utoipa::path(
    get, path = "/v1/backups/{name}/content", tag = "system", operation_id = "download_backup",
    params(
        ("name" = String, Path, description = "The name of its file"),
        ("Range" = Option<String>, Header, description = "One range, such as `bytes=0-1023`"),
        ("If-None-Match" = Option<String>, Header, description = "`ETag`s of what the caller has, or `*`")),
    responses(
        (status = 200, description = "The file", content_type = "application/gzip"),
        (status = 206, description = "The bytes that were asked for", content_type = "application/gzip"),
        (status = 304, description = "It is the one that `If-None-Match` names"),
        (status = 416, description = "The file has no such bytes"),
        (status = 503, description = "Too many files are being read already"),
    )
)]
pub(crate) async fn download(
    Shared(state): Shared<State>,
    _: Authorized<CanAdminister>,
    PathParameter(given): PathParameter<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let name = named(&given)?;
    let opened = state.backups().open(&name).await.map_err(problem)?;
    files::backup(&state, opened, name.as_str(), &FileRequest::read(&headers)).await
}

fn named(given: &str) -> Result<BackupName, Problem> {
    given.parse().map_err(|_| {
        Problem::new(Code::BackupNotFound, "There is no backup of this name; GET /v1/backups lists them.")
    })
}
