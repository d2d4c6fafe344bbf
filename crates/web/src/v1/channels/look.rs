//! The list of channel accounts, one of them, and where its provider posts to.

use std::sync::Arc;

use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;

use super::{known, problem, shown};
use crate::answer::json;
use crate::auth::{Authorized, CanAdminister, CanRead};
use crate::extract::PathParameter;
use crate::problem::Problem;
use crate::state::State;
use crate::v1::{Page, PageParameters, PageRequest};

/// Lists the accounts of channels, by name.
#[utoipa::path(
    get, path = "/v1/channels", tag = "channels", operation_id = "list_channels",
    params(PageParameters),
    responses((status = 200, description = "The accounts and how each is", body = Page<api::Channel>))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    Authorized { caller, .. }: Authorized<CanRead>,
    wanted: PageRequest,
) -> Result<Response, Problem> {
    let all = state.channels().channels().all();
    let may_see =
        |account: &&Arc<::channels::Account>| caller.shows_channel_account(&account.channel, account.name());
    let mine = all.filter(may_see).cloned().collect();
    let Page { items, next_cursor } = wanted.cut(mine, |account| account.name().to_string())?;
    let mut views = Vec::with_capacity(items.len());
    for account in items {
        views.push(shown(&state, &account).await?);
    }
    Ok(json(StatusCode::OK, &Page { items: views, next_cursor }))
}

/// Shows an account of a channel.
#[utoipa::path(
    get, path = "/v1/channels/{name}", tag = "channels", operation_id = "get_channel",
    params(("name" = String, Path, description = "The account's name")),
    responses((status = 200, description = "The account", body = api::Channel))
)]
pub(crate) async fn get(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let account = known(&state, &given)?;
    Ok(json(StatusCode::OK, &shown(&state, account).await?))
}

/// Asks the provider where it posts to, and shows the address that is to be registered there. The address has a secret in it.
#[utoipa::path(
    get, path = "/v1/channels/{name}/webhook", tag = "channels", operation_id = "get_channel_webhook",
    params(("name" = String, Path, description = "The account's name")),
    responses(
        (status = 200, description = "Ours and theirs", body = api::ChannelWebhook),
        (status = 502, description = "The provider did not answer as it should"),
    )
)]
pub(crate) async fn webhook(
    Shared(state): Shared<State>,
    _: Authorized<CanAdminister>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let account = known(&state, &given)?;
    let registered = state.channels().registered(account).await.transpose();
    let registered = registered.map_err(|error| problem(&error))?;
    let url = state.channels().hook_url(account);
    Ok(json(StatusCode::OK, &api::ChannelWebhook::new(url, registered)))
}
