//! What is done to an account of a channel: it is checked, its provider posts here, its token is renewed.

use std::sync::Arc;

use ::channels::{Account, Incoming, RegisterError};
use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{find_account, problem, shown, webhook_of};
use crate::answer::json;
use crate::auth::{Authorized, CanAdminister, CanOperate};
use crate::extract::{Json, PathParameter};
use crate::problem::{Code, Problem};
use crate::state::State;

/// Checks an account with a real call to its provider that changes nothing.
#[utoipa::path(
    post, path = "/v1/channels/{name}/check", tag = "channels", operation_id = "check_channel",
    params(("name" = String, Path, description = "The account's name")),
    responses((status = 200, description = "How it is now", body = api::Channel))
)]
pub(crate) async fn check(
    Shared(state): Shared<State>,
    _: Authorized<CanOperate>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let account = find_account(&state, &given)?;
    state.channels().check_now(account).await;
    Ok(json(StatusCode::OK, &shown(&state, account).await?))
}

/// How an address is registered.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Connect {
    /// Whether an address of another program that is registered there is replaced.
    #[schema(default = false)]
    take_over: Option<bool>,
}

/// Has the provider of an account post here from now on.
///
/// Where another address is registered, nothing is changed unless `take_over` is true: the program there would hear nothing more.
#[utoipa::path(
    post, path = "/v1/channels/{name}/connect", tag = "channels", operation_id = "connect_channel",
    params(("name" = String, Path, description = "The account's name")),
    request_body = Connect,
    responses(
        (status = 200, description = "The provider posts here; where `is_registered` is null, once its pages have the address", body = api::ChannelWebhook),
        (status = 409, description = "Another address is registered, there is no `public_url`, or the provider has no such call"),
        (status = 502, description = "The provider did not answer as it should"),
    )
)]
pub(crate) async fn connect(
    Shared(state): Shared<State>,
    _: Authorized<CanAdminister>,
    PathParameter(given): PathParameter<String>,
    Json { value: wanted, .. }: Json<Connect>,
) -> Result<Response, Problem> {
    register(&state, &given, wanted.take_over == Some(true)).await
}

/// Registers the address of an account again, where its provider lost it. Where the address of another program is registered, nothing
/// is changed.
#[utoipa::path(
    post, path = "/v1/channels/{name}/resubscribe", tag = "channels", operation_id = "resubscribe_channel",
    params(("name" = String, Path, description = "The account's name")),
    responses(
        (status = 200, description = "The provider posts here; where `is_registered` is null, once its pages have the address", body = api::ChannelWebhook),
        (status = 409, description = "Another address is registered, there is no `public_url`, or the provider has no such call"),
        (status = 502, description = "The provider did not answer as it should"),
    )
)]
pub(crate) async fn resubscribe(
    Shared(state): Shared<State>,
    _: Authorized<CanAdminister>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    register(&state, &given, false).await
}

/// The account of a name, where there is a provider that posts.
fn posted_to<'a>(state: &'a State, given: &str) -> Result<&'a Arc<Account>, Problem> {
    let account = find_account(state, given)?;
    let detail = if !account.provider.receives().contains(&Incoming::Webhook) {
        "This account has no webhook, so nothing is to be connected: where it receives, it fetches by itself what came in. \
         `switchboard channel test NAME` (POST /v1/channels/{name}/check) tries it."
    } else if account.provider.public_path().is_some() {
        "Pages post to this account and no provider does, so nothing is to be connected: have the form of the page post to the \
         address that `switchboard channel status NAME` (GET /v1/channels/{name}/webhook) shows."
    } else {
        return Ok(account);
    };
    Err(Problem::new(Code::WrongState, detail))
}

async fn register(state: &State, given: &str, take_over: bool) -> Result<Response, Problem> {
    let account = posted_to(state, given)?;
    let after =
        state.channels().register(account, take_over).await.map_err(|error| match error {
            RegisterError::NoPublicUrl => {
                let detail = "There is no address to register: set `public_url`, the address of this program on the internet.";
                Problem::new(Code::WrongState, detail)
            }
            RegisterError::Elsewhere(others) => {
                let list = others.iter().map(|url| api::without_path(url)).collect::<Vec<_>>().join(", ");
                let detail = format!(
                    "Another address is registered there: {list}. The program behind it would hear nothing more; \
                     POST /v1/channels/{{name}}/connect with \"take_over\": true replaces it."
                );
                Problem::new(Code::WrongState, detail)
            }
            RegisterError::Call(error) => problem(&error),
        })?;
    Ok(webhook_of(state, account, after))
}

/// Has the provider of an account post nowhere; it is asked instead, where it can be.
#[utoipa::path(
    post, path = "/v1/channels/{name}/disconnect", tag = "channels", operation_id = "disconnect_channel",
    params(("name" = String, Path, description = "The account's name")),
    responses(
        (status = 200, description = "The provider posts here no more", body = api::ChannelWebhook),
        (status = 409, description = "The provider has no such call, or there is no `public_url`"),
        (status = 502, description = "The provider did not answer as it should"),
    )
)]
pub(crate) async fn disconnect(
    Shared(state): Shared<State>,
    _: Authorized<CanAdminister>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let account = posted_to(&state, &given)?;
    let channels = state.channels();
    let no_address =
        || Problem::new(Code::WrongState, "Nothing of ours can be registered without `public_url`.");
    let url = channels.hook_url(account).ok_or_else(no_address)?;
    channels.unregister(account, &url).await.map_err(|error| problem(&error))?;
    let after = channels.registered(account).await.transpose().map_err(|error| problem(&error))?;
    Ok(webhook_of(&state, account, after))
}

/// Gets a new token from the provider now, where tokens end.
#[utoipa::path(
    post, path = "/v1/channels/{name}/refresh-token", tag = "channels", operation_id = "refresh_channel_token",
    params(("name" = String, Path, description = "The account's name")),
    responses(
        (status = 200, description = "It has a new token", body = api::Channel),
        (status = 422, description = "Tokens of this channel do not end"),
        (status = 502, description = "The provider did not answer as it should"),
    )
)]
pub(crate) async fn renew_token(
    Shared(state): Shared<State>,
    _: Authorized<CanAdminister>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let account = find_account(&state, &given)?;
    account.provider.renew_token().await.map_err(|error| problem(&error))?;
    Ok(json(StatusCode::OK, &shown(&state, account).await?))
}

/// Pauses an account: nothing is sent through it, and its messages wait. What comes in is still received. It stays paused over restarts.
#[utoipa::path(
    post, path = "/v1/channels/{name}/pause", tag = "channels", operation_id = "pause_channel",
    params(("name" = String, Path, description = "The account's name")),
    responses((status = 200, description = "It is paused", body = api::Channel))
)]
pub(crate) async fn pause(
    Shared(state): Shared<State>,
    _: Authorized<CanOperate>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    switch(&state, &given, true).await
}

/// Resumes an account that was paused: what waited leaves in its order.
#[utoipa::path(
    post, path = "/v1/channels/{name}/resume", tag = "channels", operation_id = "resume_channel",
    params(("name" = String, Path, description = "The account's name")),
    responses((status = 200, description = "It sends again", body = api::Channel))
)]
pub(crate) async fn resume(
    Shared(state): Shared<State>,
    _: Authorized<CanOperate>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    switch(&state, &given, false).await
}

async fn switch(state: &State, given: &str, paused: bool) -> Result<Response, Problem> {
    let account = find_account(state, given)?;
    state.channels().pause(account, paused).await?;
    Ok(json(StatusCode::OK, &shown(state, account).await?))
}
