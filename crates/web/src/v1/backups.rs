//! `/v1/backups`: making backups of this server, trying them, looking at them.

use std::time::Duration;

use axum::extract::State as Shared;
use axum::response::Response;
use backup::{AttemptBy, BackupError, BackupName, BackupView, Standing};
use domain::Timestamp;
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::words;
use crate::answer::json;
use crate::audit::Audited;
use crate::auth::{By, CanAdminister, CanRead};
use crate::extract::PathParameter;
use crate::files::{self, Asked};
use crate::problem::{Code, Problem};
use crate::state::State;

/// A backup: one file, which holds the database as it was at one moment and the files that wait to be sent. The master key and
/// the settings are not in it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Backup {
    /// The name of its file.
    #[schema(value_type = String, example = "switchboard-20300131T120000.250Z.tar.gz")]
    name: BackupName,
    /// When it was made, or is being made.
    made_at: Timestamp,
    /// `making`; `failed`: the last attempt came to nothing; `unproven`: it is there, and nobody has tried it; `proving`: it is
    /// being unpacked and read through; `proven`: nothing was wrong with it; `broken`.
    #[schema(schema_with = words::backup_state)]
    state: &'static str,
    /// Its size, in bytes.
    bytes: Option<u64>,
    /// When it was last found to be whole.
    proven_at: Option<Timestamp>,
    /// What is wrong.
    wrong: Option<String>,
}

impl From<BackupView> for Backup {
    fn from(view: BackupView) -> Self {
        let BackupView { name, made_at, state, bytes, proven_at, wrong } = view;
        Self { name, made_at, state: state.as_str(), bytes, proven_at, wrong }
    }
}

/// The backups of this server.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Backups)]
pub(crate) struct BackupList {
    /// The newest first; a failed attempt as long as none came to be since.
    items: Vec<Backup>,
    /// The folder that they lie in, on the server.
    folder: String,
    /// How often one is made, in seconds; 0: never by itself.
    every_seconds: u64,
    /// How many are kept.
    keep: usize,
    /// When the next one is due.
    next_at: Option<Timestamp>,
}

impl From<Standing> for BackupList {
    fn from(standing: Standing) -> Self {
        let Standing { folder, every, keep, next_at, backups } = standing;
        Self {
            items: backups.into_iter().map(Into::into).collect(),
            folder: folder.display().to_string(),
            every_seconds: Duration::as_secs(&every),
            keep,
            next_at,
        }
    }
}

fn problem(error: BackupError) -> Problem {
    match error {
        BackupError::Busy => Problem::new(
            Code::WrongState,
            "A backup is being made or tried already; wait until that is done.",
        ),
        BackupError::Unknown { .. } => {
            Problem::new(Code::BackupNotFound, "There is no backup of this name; GET /v1/backups lists them.")
        }
        BackupError::Stopping => Problem::new(Code::ShuttingDown, "The server is stopping."),
        other => {
            tracing::error!(error = %other, "the backups cannot be looked at");
            Problem::new(Code::Internal, format!("The backups cannot be looked at: {other}."))
        }
    }
}

/// Lists the backups that lie on this server, and tells when the next one is made.
#[utoipa::path(
    get, path = "/v1/backups", tag = "system", operation_id = "list_backups",
    responses((status = 200, description = "The backups", body = BackupList))
)]
pub(crate) async fn list(Shared(state): Shared<State>, _: By<CanRead>) -> Result<Response, Problem> {
    let standing = state.backups().standing().await.map_err(problem)?;
    Ok(json(StatusCode::OK, &BackupList::from(standing)))
}

/// Shows one.
#[utoipa::path(
    get, path = "/v1/backups/{name}", tag = "system", operation_id = "get_backup",
    params(("name" = String, Path, description = "The name of its file")),
    responses((status = 200, description = "How it is", body = Backup))
)]
pub(crate) async fn get(
    Shared(state): Shared<State>,
    _: By<CanRead>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let view = state.backups().get(&named(&given)?).await.map_err(problem)?;
    Ok(json(StatusCode::OK, &Backup::from(view)))
}

/// Begins to make one, beside all other work. It is tried as soon as it is made; `GET /v1/backups/{name}` tells how far it is.
#[utoipa::path(
    post, path = "/v1/backups", tag = "system", operation_id = "create_backup",
    responses(
        (status = 202, description = "It is being made", body = Backup),
        (status = 409, description = "One is being made or tried already"),
    )
)]
pub(crate) async fn create(Shared(state): Shared<State>, _: By<CanAdminister>) -> Result<Response, Problem> {
    let name = state.backups().begin(AttemptBy::Person).map_err(problem)?;
    let made_at = name.made_at();
    let audited = Audited::about(&name);
    let begun = Backup { name, made_at, state: "making", bytes: None, proven_at: None, wrong: None };
    Ok(audited.of(json(StatusCode::ACCEPTED, &begun)))
}

/// Begins to try one: it is unpacked beside the others, compared with what was put into it, and its database is opened with the
/// master key and read through.
#[utoipa::path(
    post, path = "/v1/backups/{name}/check", tag = "system", operation_id = "check_backup",
    params(("name" = String, Path, description = "The name of its file")),
    responses(
        (status = 202, description = "It is being tried", body = Backup),
        (status = 409, description = "One is being made or tried already"),
    )
)]
pub(crate) async fn check(
    Shared(state): Shared<State>,
    _: By<CanAdminister>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let name = named(&given)?;
    let view = state.backups().get(&name).await.map_err(problem)?;
    state.backups().check(name.clone()).await.map_err(problem)?;
    let begun = Backup { state: "proving", ..Backup::from(view) };
    Ok(Audited::about(&name).of(json(StatusCode::ACCEPTED, &begun)))
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
    _: By<CanAdminister>,
    PathParameter(given): PathParameter<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let name = named(&given)?;
    let opened = state.backups().open(&name).await.map_err(problem)?;
    files::backup(&state, opened, name.as_str(), &Asked::read(&headers)).await
}

fn named(given: &str) -> Result<BackupName, Problem> {
    given.parse().map_err(|_| {
        Problem::new(Code::BackupNotFound, "There is no backup of this name; GET /v1/backups lists them.")
    })
}
