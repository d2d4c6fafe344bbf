//! `/v1/master-key`: the key to what is sealed in the store.

use ambient::run_detached;
use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;
use store::KeyRotationError;

use crate::answer::json;
use crate::auth::{Authorized, CanAdminister};
use crate::problem::{Code, Problem};
use crate::state::State;

/// Makes another master key, seals every secret of the store with it, and puts its file in the place of the old one.
///
/// The old key opens nothing from then on, and backups made before need it. A rotation that was interrupted goes on at the next
/// start, or with the next call.
#[utoipa::path(
    post, path = "/v1/master-key/rotate", tag = "system", operation_id = "rotate_master_key",
    responses(
        (status = 200, description = "The key was rotated", body = api::MasterKeyRotation),
        (status = 409, description = "The key is given from outside, or is being rotated already"),
    )
)]
pub(crate) async fn rotate(
    Shared(state): Shared<State>,
    _: Authorized<CanAdminister>,
) -> Result<Response, Problem> {
    let store = state.store().clone();
    // A caller that hangs up does not end it in the middle.
    let rotating = run_detached(state.tasks(), async move { store.rotate_master_key().await });
    let Some(rotated) = rotating.await else {
        return Err(Problem::new(Code::Internal, "The rotation broke down; call it again to go on."));
    };
    let rotated = rotated.map_err(problem)?;
    tracing::info!(fields = rotated.fields, "the master key was rotated");
    Ok(json(StatusCode::OK, &api::MasterKeyRotation { fields: rotated.fields }))
}

fn problem(error: KeyRotationError) -> Problem {
    match error {
        KeyRotationError::Store(error) => error.into(),
        KeyRotationError::MasterKey(error) => {
            tracing::error!(%error, "the master key was not rotated");
            Problem::new(Code::Internal, format!("The key was not rotated: {error}."))
        }
        other => Problem::new(Code::WrongState, format!("The key was not rotated: {other}.")),
    }
}
