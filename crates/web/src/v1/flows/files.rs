//! `/v1/flow-files`: files of the folder `flows`, and what is wrong with them while it is.

use api::FlowFile;
use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;

use crate::answer::json;
use crate::auth::{Authorized, CanRead};
use crate::problem::{Code, Problem};
use crate::state::State;
use crate::v1::{Page, PageParameters, PageRequest};

/// Lists the files of the folder `flows` beside the settings file, as they are now.
#[utoipa::path(
    get, path = "/v1/flow-files", tag = "flows", operation_id = "list_flow_files",
    params(PageParameters),
    responses((status = 200, description = "The files, and what is wrong with them", body = Page<FlowFile>))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    wanted: PageRequest,
) -> Result<Response, Problem> {
    let settings_file = state.options().examined.settings_file.clone();
    let reading = tokio::task::spawn_blocking(move || settings_file.as_deref().map(config::flow_files));
    let failed = |error: String| Problem::new(Code::Internal, format!("The files cannot be read: {error}."));
    let read = reading.await.map_err(|error| failed(error.to_string()))?;
    let files = read.transpose().map_err(|error| failed(error.to_string()))?.unwrap_or_default();
    let files: Vec<_> = files.into_iter().map(FlowFile::from).collect();
    Ok(json(StatusCode::OK, &wanted.cut(files, |file| file.file.clone())?))
}
