//! `/v1/uploads`: files that are sent ahead and named by messages later.

use std::sync::OnceLock;

use api::schemas;
use axum::extract::{Request, State as Shared};
use axum::response::{IntoResponse, Response};
use domain::{Timestamp, UploadId};
use futures::TryStreamExt;
use http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use media::shelf::{Put, Token};
use media::{FileName, TakeError, Upload};
use serde::Serialize;
use utoipa::ToSchema;

use super::LISTENER;
use crate::answer::{json, located};
use crate::auth::{Authorized, Caller, CanAnswer, CanRead, CanSend};
use crate::extract::{PathParameter, QueryParameters};
use crate::files;
use crate::fingerprint::Fingerprint;
use crate::form_file::{FormFile, FormFileError};
use crate::idempotency;
use crate::multipart::file_name;
use crate::options::Limits;
use crate::problem::{Code, Problem, shorten};
use crate::state::State;

const PATH: &str = "/v1/uploads";

/// A file that waits to be named by a message.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Upload)]
pub(crate) struct UploadView {
    /// By which a message names it.
    #[schema(value_type = String, example = "upl_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    id: UploadId,
    /// What it will be called.
    #[schema(example = "price-list.pdf")]
    name: String,
    /// Its size in bytes.
    #[schema(example = 48213)]
    size: u64,
    /// As what it is sent unless a message says otherwise.
    #[schema(schema_with = schemas::media_kind)]
    kind: &'static str,
    /// The type of its content.
    #[schema(example = "application/pdf")]
    mime: &'static str,
    /// The SHA-256 of its content.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    sha256: String,
    /// Until when it is kept. A message that names it in time has it for itself.
    expires_at: Timestamp,
}

impl From<Upload> for UploadView {
    fn from(upload: Upload) -> Self {
        let facts = upload.taken.facts;
        Self {
            id: upload.id,
            mime: media::kind::mime(facts.content, upload.name.as_str()),
            kind: files::kind_of(&facts, upload.name.as_str()),
            name: upload.name.to_string(),
            size: upload.taken.size,
            sha256: domain::media::Sha256(upload.taken.sha256).to_string(),
            expires_at: upload.expires_at,
        }
    }
}

/// A file that is sent in a form.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the form, which is read as it arrives")]
pub(crate) struct UploadForm {
    /// The file; the field may have any name, and there may be others without a file.
    #[schema(value_type = String, format = Binary)]
    file: String,
}

/// Takes a file that messages can name.
///
/// The body is the file itself, as it is, or a form (`multipart/form-data`) with one file in any field. It is kept for the time that the settings say (`media.uploads_keep`), and can be named
/// by any number of messages of the same key until then.
#[utoipa::path(
    post, path = "/v1/uploads", tag = "files", operation_id = "upload_file",
    params(("filename" = Option<String>, Query, description = "What it is to be called; without it, what a `Content-Disposition` calls it, or what it is", example = "price-list.pdf"), ("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{0,127}[0-9A-Za-z][!-~]{0,127}$",
        description = "1 to 255 visible ASCII characters. The same key with the same file is the same upload while that is kept.")),
    request_body(
        content((String = "application/octet-stream"), (UploadForm = "multipart/form-data")),
        description = "The file's bytes, or a form with the file"
    ),
    responses(
        (status = 201, description = "Taken", body = UploadView,
            headers(("Location" = String, description = "Where to look at it"))),
        (status = 400, description = "A header is wrong, or the body ended early or is a broken form"),
        (status = 408, description = "The body came too slowly"),
        (status = 409, description = "The Idempotency-Key belongs to another file"),
        (status = 413, description = "The file is larger than `media.max_size`"),
        (status = 422, description = "The file is empty, the form has none or several, or a parameter is wrong"),
        (status = 507, description = "The disk is full, or the uploads kept have as much as they may"),
    )
)]
pub(crate) async fn put(
    Shared(state): Shared<State>,
    by: Authorized<CanAnswer>,
    mut query: QueryParameters,
    request: Request,
) -> Result<Response, Problem> {
    let given_name = query.take_with("filename", |text| {
        FileName::new(text)
            .map(|_| text.to_owned())
            .ok_or_else(|| "nothing of it can be a file name".to_owned())
    });
    query.finish()?;
    let (parts, body) = request.into_parts();
    let mark = (by.caller.owner(), token(&by.caller, &parts.headers)?);
    let pieces = body.into_data_stream();
    let put = async {
        if let Some(form) = form(&parts.headers) {
            let opening = FormFile::open(form, pieces);
            let file = tokio::time::timeout(state.limits().body_time, opening).await;
            let file = file.map_err(|_| slow(&state.limits()))?.map_err(|error| of_form(&error))?;
            let name = given_name.or_else(|| usable(file.name.clone()));
            // The shelf only knows that the file did not end; the form knows why.
            let broken = OnceLock::new();
            let bytes = file.bytes().inspect_err(|error| drop(broken.set(error.clone())));
            let put = state.files().shelf().put(name.as_deref(), mark, None, bytes).await;
            return put.map_err(|error| broken.get().map_or_else(|| refused(&error), of_form));
        }
        let name = given_name.or_else(|| usable(named(&parts.headers)));
        let put = state.files().shelf().put(name.as_deref(), mark, declared(&parts.headers), pieces).await;
        put.map_err(|error| refused(&error))
    };
    let put = tokio::select! {
        biased;
        () = state.stopping() => return Err(stopping()),
        put = put => put?,
    };
    match put {
        Put::New(upload) => Ok(taken(upload)),
        Put::Again(upload) => Ok(idempotency::replayed(taken(upload))),
        Put::Other => Err(Problem::new(
            Code::IdempotencyConflict,
            "This Idempotency-Key was used with another file or file name; use a new key for a new upload.",
        )),
    }
}

/// Shows an upload of the caller; a key with `admin` sees all.
#[utoipa::path(
    get, path = "/v1/uploads/{id}", tag = "files", operation_id = "get_upload",
    params(("id" = String, Path, description = "The id that uploading answered")),
    responses(
        (status = 200, description = "The upload", body = UploadView),
        (status = 404, description = "There is none, or its time is over"),
    )
)]
pub(crate) async fn get(
    Shared(state): Shared<State>,
    by: Authorized<CanRead>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let upload = id(&given).and_then(|id| state.files().upload(id, by.caller.uploads()));
    let view = upload.map(UploadView::from).ok_or_else(|| missing(&given))?;
    std::future::ready(Ok(json(StatusCode::OK, &view))).await
}

/// Removes an upload of the caller. Messages that named it keep their file.
#[utoipa::path(
    delete, path = "/v1/uploads/{id}", tag = "files", operation_id = "delete_upload",
    params(("id" = String, Path, description = "The id that uploading answered")),
    responses(
        (status = 204, description = "Removed"),
        (status = 404, description = "There is none, or its time is over"),
    )
)]
pub(crate) async fn remove(
    Shared(state): Shared<State>,
    by: Authorized<CanSend>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let upload = id(&given).and_then(|id| state.files().upload(id, by.caller.uploads()));
    let upload = upload.ok_or_else(|| missing(&given))?;
    match state.files().shelf().remove(upload.id).await {
        Ok(true) => Ok(StatusCode::NO_CONTENT.into_response()),
        Ok(false) => Err(missing(&given)),
        Err(error) => Err(refused(&error.into())),
    }
}

fn taken(upload: Upload) -> Response {
    let path = format!("{PATH}/{}", upload.id);
    located(json(StatusCode::CREATED, &UploadView::from(upload)), &path)
}

fn id(given: &str) -> Option<UploadId> {
    given.parse().ok()
}

fn missing(given: &str) -> Problem {
    let detail =
        format!("No upload has the id {:?}, or its time is over; send the file again.", shorten(given));
    Problem::new(Code::UploadNotFound, detail)
}

/// What the caller knows its upload by, if it gave a key.
fn token(caller: &Caller, headers: &HeaderMap) -> Result<Option<Token>, Problem> {
    let key =
        idempotency::key(headers).map_err(|error| Problem::new(Code::InvalidHeader, error.to_string()))?;
    let api_key = caller.api_key.map(|id| id.to_string()).unwrap_or_default();
    Ok(key.map(|key| {
        Fingerprint::default().text(&api_key).text(LISTENER).text("POST").text(PATH).text(key).finish()
    }))
}

/// The type of the body, if it is a form.
fn form(headers: &HeaderMap) -> Option<&str> {
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let essence = kind.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("multipart/form-data").then_some(kind)
}

/// What the header `Content-Disposition` calls the body.
fn named(headers: &HeaderMap) -> Option<String> {
    // Names beyond ASCII are sent as they are by many clients.
    file_name(&String::from_utf8_lossy(headers.get(CONTENT_DISPOSITION)?.as_bytes()))
}

/// A name of which something can be a file name.
fn usable(name: Option<String>) -> Option<String> {
    name.filter(|name| FileName::new(name).is_some())
}

fn of_form(error: &FormFileError) -> Problem {
    let code = match error {
        FormFileError::NoFile | FormFileError::TwoFiles | FormFileError::TooLong => Code::InvalidRequest,
        FormFileError::NoBoundary | FormFileError::Broken | FormFileError::Unread(_) => Code::BrokenBody,
    };
    Problem::new(code, format!("Nothing was kept: {error}."))
}

fn slow(limits: &Limits) -> Problem {
    let seconds = limits.body_time.as_secs();
    Problem::new(Code::RequestTimeout, format!("Nothing was kept: no file came within {seconds} s."))
}

fn declared(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn stopping() -> Problem {
    Problem::new(Code::ShuttingDown, "The server is stopping; nothing was kept. Try again in a moment.")
        .retry_after(5)
}

fn refused(error: &TakeError) -> Problem {
    let code = match error {
        TakeError::TooSlow { .. } => Code::RequestTimeout,
        TakeError::Broken(_) | TakeError::OtherLength { .. } => Code::BrokenBody,
        other => files::code_of(other),
    };
    match code {
        Code::StoreUnavailable => {
            tracing::error!(%error, "an upload could not be written");
            Problem::new(code, "The file could not be written; the log says why. Nothing was kept.")
                .retry_after(5)
        }
        Code::StorageFull => Problem::new(code, format!("Nothing was kept: {error}.")).retry_after(60),
        code => Problem::new(code, format!("Nothing was kept: {error}.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use media::intake::Wait;
    use std::time::Duration;

    #[test]
    fn each_upload_error_has_its_status() {
        let slow = TakeError::TooSlow { wait: Wait::NextBytes, limit: Duration::from_secs(30) };
        for (error, status) in [
            (TakeError::Empty, 422),
            (TakeError::TooLarge { most: 1 }, 413),
            (TakeError::OtherLength { declared: 2, received: 1 }, 400),
            (TakeError::Broken("gone".to_owned()), 400),
            (slow, 408),
            (TakeError::ShelfFull { most: 1 }, 507),
            (TakeError::NoSpace, 507),
            (TakeError::Disk(std::io::Error::other("x")), 503),
        ] {
            let message = error.to_string();
            assert_eq!(refused(&error).code().status().as_u16(), status, "{message}");
        }
    }

    #[test]
    fn a_form_is_distinguished_from_a_file() {
        let headers =
            |kind: &'static str| HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
        assert!(form(&headers("Multipart/Form-Data; boundary=x")).is_some());
        for kind in ["application/octet-stream", "image/png", "application/x-www-form-urlencoded"] {
            assert_eq!(form(&headers(kind)), None, "{kind}");
        }
        assert_eq!(form(&HeaderMap::new()), None);
    }

    #[test]
    fn the_name_in_a_header_counts() {
        let value = HeaderValue::from_bytes("attachment; filename=\"Счёт.pdf\"".as_bytes()).expect("a value");
        let headers = HeaderMap::from_iter([(CONTENT_DISPOSITION, value)]);
        assert_eq!(named(&headers).as_deref(), Some("Счёт.pdf"));
        assert_eq!(usable(Some("/".to_owned())), None);
    }
}
