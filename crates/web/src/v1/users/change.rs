//! Adding, changing and removing users.

use access::{Role, UserName};
use api::schemas;
use axum::extract::State as Shared;
use axum::response::Response;
use domain::SecretText;
use http::StatusCode;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{missing, read_name, refused};
use crate::answer::{json, located};
use crate::audit::Audited;
use crate::auth::{Authorized, CanManagePeople};
use crate::extract::{Json, PathParameter, hidden};
use crate::problem::{FieldError, Problem};

/// A user to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUser {
    /// What they sign in with: 1 to 40 letters, digits and `. _ - @`; capitals do not matter.
    #[schema(min_length = 1, max_length = 40, example = "anna")]
    name: String,
    /// What they may.
    #[schema(schema_with = schemas::role)]
    role: Role,
    /// Their first password: 8 characters or more.
    #[serde(deserialize_with = "hidden::text")]
    #[schema(value_type = String, format = Password, write_only, min_length = 8, max_length = 1024)]
    password: SecretText,
}

/// What is to be another.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserChange {
    /// What they may from now on.
    #[schema(schema_with = schemas::role)]
    role: Role,
}

/// Adds someone who may sign in to the dashboard.
#[utoipa::path(
    post, path = "/v1/users", tag = "users", operation_id = "add_user",
    request_body = NewUser,
    responses(
        (status = 201, description = "Added", body = api::User),
        (status = 409, description = "The name is taken: `user_exists`"),
    )
)]
pub(crate) async fn add(
    Shared(access): Shared<access::Access>,
    _: Authorized<CanManagePeople>,
    body: Json<NewUser>,
) -> Result<Response, Problem> {
    let NewUser { name: given, role, password } = body.value;
    let name: UserName = given.parse().map_err(|_| {
        Problem::fields(vec![FieldError::new("name", "is wrong: use 1 to 40 letters, digits and . _ - @")])
    })?;
    let person = access.add(name, role, password).await.map_err(|error| refused(error, &given))?;
    let audited = Audited::about(&person.name).with("role", role.as_str());
    let path = format!("/v1/users/{}", utf8_percent_encode(person.name.as_str(), NON_ALPHANUMERIC));
    Ok(audited.of(located(json(StatusCode::CREATED, &api::User::from(person)), &path)))
}

/// Gives a user another role, at once in all their sessions.
#[utoipa::path(
    patch, path = "/v1/users/{name}", tag = "users", operation_id = "change_user",
    params(("name" = String, Path, description = "The name they sign in with")),
    request_body = UserChange,
    responses(
        (status = 200, description = "The user as they are now", body = api::User),
        (status = 404, description = "There is none: `user_not_found`"),
        (status = 409, description = "It is the last admin: `last_admin`"),
    )
)]
pub(crate) async fn change(
    Shared(access): Shared<access::Access>,
    _: Authorized<CanManagePeople>,
    PathParameter(given): PathParameter<String>,
    body: Json<UserChange>,
) -> Result<Response, Problem> {
    let name = read_name(&given)?;
    let role = body.value.role;
    access.set_role(&name, role).await.map_err(|error| refused(error, &given))?;
    let person = access.person(&name).await?.ok_or_else(|| missing(&given))?;
    let audited = Audited::about(&name).with("role", role.as_str());
    Ok(audited.of(json(StatusCode::OK, &api::User::from(person))))
}

/// Removes a user and ends their sessions.
#[utoipa::path(
    delete, path = "/v1/users/{name}", tag = "users", operation_id = "remove_user",
    params(("name" = String, Path, description = "The name they sign in with")),
    responses(
        (status = 204, description = "Removed"),
        (status = 404, description = "There is none: `user_not_found`"),
        (status = 409, description = "It is the last admin: `last_admin`"),
    )
)]
pub(crate) async fn remove(
    Shared(access): Shared<access::Access>,
    _: Authorized<CanManagePeople>,
    PathParameter(given): PathParameter<String>,
) -> Result<StatusCode, Problem> {
    let name = read_name(&given)?;
    access.remove(&name).await.map_err(|error| refused(error, &given))?;
    Ok(StatusCode::NO_CONTENT)
}
