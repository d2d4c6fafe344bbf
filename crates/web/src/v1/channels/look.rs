//! The list of channel accounts, one of them, and where its provider posts to.

use std::collections::BTreeMap;

use axum::extract::State as Shared;
use axum::response::Response;
use domain::AccountName;
use http::StatusCode;

use super::{find_account, problem, shown, view, webhook_of, written};
use crate::answer::json;
use crate::auth::{Authorized, CanAdminister, CanRead};
use crate::extract::PathParameter;
use crate::problem::Problem;
use crate::state::State;
use crate::v1::{Page, PageParameters, PageRequest};

/// Lists the accounts of channels, by name.
///
/// One that the settings have and the server takes up at its next start has the state `after_restart`; `is_removed` is one that it lets
/// go then.
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
    let (running, written) = (state.channels().channels(), written(&state).await);
    let mut all: BTreeMap<_, _> = written.iter().flatten().collect();
    all.extend(running.all().map(|account| (account.name(), &account.channel)));
    all.retain(|name, channel| caller.shows_channel_account(channel, name));
    let mine = all.into_iter().collect();
    let Page { items, next_cursor } = wanted.cut(mine, |named| named.0.to_string())?;
    let mut views = Vec::with_capacity(items.len());
    for (name, channel) in items {
        views.push(match running.get(name) {
            Some(account) => view(&state, account, written.as_ref()).await?,
            None => api::Channel::after_restart(name.clone(), channel.clone()),
        });
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
    Authorized { caller, .. }: Authorized<CanRead>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let account = match find_account(&state, &given) {
        Ok(account) => shown(&state, account).await?,
        Err(unknown) => written_alone(&state, &given).await.ok_or(unknown)?,
    };
    caller.check_channel_account(&account.channel, &account.name)?;
    Ok(json(StatusCode::OK, &account))
}

/// An account that the settings have and the server has not started with.
async fn written_alone(state: &State, given: &str) -> Option<api::Channel> {
    let name = given.parse::<AccountName>().ok()?;
    let channel = written(state).await?.remove(&name)?;
    Some(api::Channel::after_restart(name, channel))
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
    let account = find_account(&state, &given)?;
    let registered = state.channels().registered(account).await.transpose();
    let registered = registered.map_err(|error| problem(&error))?;
    Ok(webhook_of(&state, account, registered))
}
