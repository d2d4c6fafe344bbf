//! Giving a user another password, and taking a second factor away: for those who have lost theirs.

use axum::extract::State as Shared;
use domain::SecretText;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{read_name, refused};
use crate::auth::{Authorized, CanManagePeople};
use crate::extract::{Json, PathParameter, hidden};
use crate::problem::Problem;

/// A password to be set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPassword {
    /// The password: 8 characters or more.
    #[serde(deserialize_with = "hidden::text")]
    #[schema(value_type = String, format = Password, write_only, min_length = 8, max_length = 1024)]
    password: SecretText,
}

/// Gives a user another password and ends all their sessions.
#[utoipa::path(
    put, path = "/v1/users/{name}/password", tag = "users", operation_id = "set_user_password",
    params(("name" = String, Path, description = "The name they sign in with")),
    request_body = NewPassword,
    responses(
        (status = 204, description = "Set"),
        (status = 404, description = "There is none: `user_not_found`"),
        (status = 422, description = "The password is not taken"),
    )
)]
pub(crate) async fn set(
    Shared(access): Shared<access::Access>,
    _: Authorized<CanManagePeople>,
    PathParameter(given): PathParameter<String>,
    body: Json<NewPassword>,
) -> Result<StatusCode, Problem> {
    let name = read_name(&given)?;
    let set = access.set_password(&name, body.value.password).await;
    set.map_err(|error| refused(error, &given))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a user's second factor away, so that the password alone lets them in.
#[utoipa::path(
    delete, path = "/v1/users/{name}/second-factor", tag = "users", operation_id = "reset_second_factor",
    params(("name" = String, Path, description = "The name they sign in with")),
    responses(
        (status = 204, description = "Gone, or there was none"),
        (status = 404, description = "There is no such user: `user_not_found`"),
    )
)]
pub(crate) async fn reset_second_factor(
    Shared(access): Shared<access::Access>,
    _: Authorized<CanManagePeople>,
    PathParameter(given): PathParameter<String>,
) -> Result<StatusCode, Problem> {
    let name = read_name(&given)?;
    access.reset_second_factor(&name).await.map_err(|error| refused(error, &given))?;
    Ok(StatusCode::NO_CONTENT)
}
