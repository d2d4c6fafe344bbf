//! `/v1/accounts/import/files`: session files are sent, looked through by a dry run, and then imported or taken back.

use axum::body::Bytes;
use axum::extract::{Request, State as Shared};
use axum::response::{IntoResponse, Response};
use domain::Timestamp;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::Serialize;
use utoipa::ToSchema;

use super::bundles::{BUNDLE_LIFETIME, BundleError, MOST_FILES};
use crate::answer::{json, located};
use crate::auth::{Authorized, CanArrangeAccounts};
use crate::extract::{PathParameter, read_body};
use crate::multipart::{self, MultipartError};
use crate::options::Limits;
use crate::problem::{Code, FieldError, Problem, shorten};
use crate::state::State;

/// All files of one request, in bytes.
const LARGEST: usize = 64 * 1024 * 1024;

const FIELD: &str = "file";

/// Session files that are sent.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the form, which is read part by part")]
pub(crate) struct ImportForm {
    /// Session files, the old registry (`.db`), and a plan file (`.toml`) if there is one; 64 MB and 200 files at most.
    #[schema(value_type = Vec<String>, format = Binary)]
    file: Vec<String>,
}

/// Files that wait to be imported.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImportFiles {
    /// By which an import names them, in `files`.
    #[schema(example = "imp_0193c0de00007000800000000000000a")]
    id: String,
    /// How many there are.
    #[schema(example = 12)]
    count: usize,
    /// Until when they are kept. After the import they are removed at once.
    expires_at: Timestamp,
}

/// Takes session files that an import can name.
///
/// They are kept in a folder of the data directory that only the program can read, for half an hour or until they are imported
/// or taken back, and then overwritten and removed. Stop the program that used the sessions first.
#[utoipa::path(
    post, path = "/v1/accounts/import/files", tag = "accounts", operation_id = "send_import_files",
    request_body(content = ImportForm, content_type = "multipart/form-data"),
    responses(
        (status = 201, description = "They wait", body = ImportFiles,
            headers(("Location" = String, description = "Where they can be taken back"))),
        (status = 408, description = "The body came too slowly"),
        (status = 409, description = "Too many wait already: `wrong_state`"),
        (status = 413, description = "They are larger than 64 MB"),
        (status = 415, description = "The body is no form"),
        (status = 422, description = "There is no file, or there are too many"),
        (status = 507, description = "The disk does not take them"),
    )
)]
pub(crate) async fn send(
    Shared(state): Shared<State>,
    _: Authorized<CanArrangeAccounts>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let limits = Limits { body: LARGEST, ..state.limits() };
    let body = read_body(&parts.headers, body, &limits).await?;
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let files = files_of(kind, &body)?;
    let count = files.len();
    let kept = state.bundles().keep(state.ids().next().simple(), files, state.clock().now()).await;
    let (id, expires_at) = kept.map_err(problem)?;
    forget_later(&state, id.clone());
    let place = format!("/v1/accounts/import/files/{id}");
    Ok(located(json(StatusCode::CREATED, &ImportFiles { id, count, expires_at }), &place))
}

/// Takes session files back that were sent and not imported.
#[utoipa::path(
    delete, path = "/v1/accounts/import/files/{id}", tag = "accounts", operation_id = "take_import_files_back",
    params(("id" = String, Path, description = "The id that sending them answered")),
    responses(
        (status = 204, description = "Removed"),
        (status = 404, description = "There are none, or their time is over"),
    )
)]
pub(crate) async fn take_back(
    Shared(state): Shared<State>,
    _: Authorized<CanArrangeAccounts>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    if state.bundles().remove(&given).await {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        let detail = format!("No files wait as {:?}; they are kept for half an hour.", shorten(&given));
        Err(Problem::new(Code::NotFound, detail))
    }
}

/// Sees to it that files do not outlive their time or the program.
fn forget_later(state: &State, id: String) {
    let waiting = state.clone();
    ambient::spawn_detached(state.tasks(), async move {
        tokio::select! {
            () = waiting.stopping() => {}
            () = tokio::time::sleep(BUNDLE_LIFETIME) => {}
        }
        waiting.bundles().remove(&id).await;
    });
}

/// The files of a form, by name. A field without a file is none: anyone who sends a page's form has others beside it.
fn files_of(content_type: &str, body: &Bytes) -> Result<Vec<(String, Bytes)>, Problem> {
    let wrong = |message: String| Problem::fields(vec![FieldError::new(FIELD, message)]);
    let parts = multipart::parts(content_type, body).map_err(|error| match error {
        MultipartError::OtherType => Problem::new(Code::UnsupportedMediaType, sentence(error)),
        MultipartError::Broken | MultipartError::TooMany => wrong(error.to_string()),
    })?;
    let files = parts.into_iter().filter(|part| part.name == FIELD).filter_map(|part| {
        // An empty choice is sent as a file without a name.
        let name = part.file_name.filter(|name| !name.is_empty() || !part.bytes.is_empty())?;
        Some((name, part.bytes))
    });
    let files: Vec<_> = files.collect();
    match files.len() {
        0 => Err(wrong("is missing; choose session files".to_owned())),
        count if count > MOST_FILES => {
            Err(wrong(format!("is there {count} times; send {MOST_FILES} files at once")))
        }
        _ => match files.iter().find(|(_, bytes)| bytes.is_empty()) {
            Some((name, _)) => Err(wrong(format!("{:?} is empty", shorten(name)))),
            None => Ok(files),
        },
    }
}

fn sentence(error: MultipartError) -> String {
    super::refusal::sentence(&error.to_string())
}

fn problem(error: BundleError) -> Problem {
    match error {
        BundleError::TooManyBundles => {
            Problem::new(Code::WrongState, super::refusal::sentence(&error.to_string()))
        }
        BundleError::Disk(why) => {
            tracing::error!(error = %why, "files to be imported cannot be kept");
            Problem::new(Code::StorageFull, "The data directory does not take the files; the log says why.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: &str = "multipart/form-data; boundary=b";

    fn form(files: usize, more: &str) -> Bytes {
        let one = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nx\r\n";
        Bytes::from(format!("{}{more}--b--\r\n", one.repeat(files)))
    }

    #[test]
    fn other_fields_and_an_empty_choice_are_no_files() {
        let field = "--b\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\nt0ken\r\n";
        let nothing = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\"\r\n\r\n\r\n";
        let found = files_of(KIND, &form(2, &format!("{field}{nothing}"))).expect("files");
        assert_eq!(found.len(), 2);
        for empty in [form(0, ""), form(0, field), form(0, nothing)] {
            assert!(files_of(KIND, &empty).is_err());
        }
        let hollow =
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"main.session\"\r\n\r\n\r\n";
        let refused = files_of(KIND, &form(1, hollow)).expect_err("empty");
        assert!(refused.detail().contains("main.session"), "{}", refused.detail());
    }

    #[test]
    fn only_so_many_files_come_at_once() {
        assert!(files_of(KIND, &form(MOST_FILES, "")).is_ok());
        assert!(files_of(KIND, &form(MOST_FILES + 1, "")).is_err());
        assert!(files_of("application/json", &form(1, "")).is_err());
    }
}
