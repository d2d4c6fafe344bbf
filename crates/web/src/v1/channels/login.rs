//! Logging an account in at its provider: how its owner does it, starting it again there, logging it out.

use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;

use super::{find_account, problem, shown};
use crate::answer::json;
use crate::auth::{Authorized, CanAdminister};
use crate::extract::PathParameter;
use crate::problem::Problem;
use crate::state::State;

/// Shows how the owner of an account logs in at its provider: a QR code for the phone, or an address for a browser.
///
/// Asking changes nothing. A QR code is replaced by the provider after some seconds: ask again until `state` is `done`.
#[utoipa::path(
    get, path = "/v1/channels/{name}/login", tag = "channels", operation_id = "get_channel_login",
    params(("name" = String, Path, description = "The account's name")),
    responses(
        (status = 200, description = "What to do, or that it is logged in", body = api::ChannelLogIn),
        (status = 422, description = "No one logs in at this channel"),
        (status = 502, description = "The provider did not answer as it should"),
    )
)]
pub(crate) async fn get(
    Shared(state): Shared<State>,
    _: Authorized<CanAdminister>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let account = find_account(&state, &given)?;
    let back = state.channels().log_in_url(&account.channel);
    let how = account.provider.log_in(back.as_deref()).await.map_err(|error| problem(&error))?;
    Ok(json(StatusCode::OK, &api::ChannelLogIn::new(account.name().clone(), how)))
}

/// Logs an account out at its provider. Nothing is sent through it before someone logs in again.
#[utoipa::path(
    post, path = "/v1/channels/{name}/logout", tag = "channels", operation_id = "log_channel_out",
    params(("name" = String, Path, description = "The account's name")),
    responses(
        (status = 200, description = "It is logged out", body = api::Channel),
        (status = 422, description = "No one logs in at this channel"),
        (status = 502, description = "The provider did not answer as it should"),
    )
)]
pub(crate) async fn log_out(
    Shared(state): Shared<State>,
    _: Authorized<CanAdminister>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let account = find_account(&state, &given)?;
    account.provider.log_out().await.map_err(|error| problem(&error))?;
    state.channels().check_now(account).await;
    Ok(json(StatusCode::OK, &shown(&state, account).await?))
}

/// Has the provider start an account again, such as one that lost its phone.
#[utoipa::path(
    post, path = "/v1/channels/{name}/restart", tag = "channels", operation_id = "restart_channel",
    params(("name" = String, Path, description = "The account's name")),
    responses(
        (status = 200, description = "It is started again", body = api::Channel),
        (status = 422, description = "The provider has no such call"),
        (status = 502, description = "The provider did not answer as it should"),
    )
)]
pub(crate) async fn restart(
    Shared(state): Shared<State>,
    _: Authorized<CanAdminister>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let account = find_account(&state, &given)?;
    account.provider.restart().await.map_err(|error| problem(&error))?;
    state.channels().check_now(account).await;
    Ok(json(StatusCode::OK, &shown(&state, account).await?))
}
