//! `/v1/channels`: accounts of channels, whether they are well, where their providers post to, and which the settings name.

mod act;
pub(super) mod deeds;
mod login;
mod look;
pub(crate) mod media;
pub(super) mod received;
mod settings;

use std::sync::Arc;

use crate::routing::routes;
use ::channels::{Account, CallError, Registered};
use axum::response::Response;
use domain::AccountName;
use http::StatusCode;
use utoipa_axum::router::OpenApiRouter;

use crate::answer::json;
use crate::channel_changes::WrittenChannels;
use crate::problem::{Code, Problem, shorten};
use crate::state::State;

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(look::list, settings::add))
        .routes(routes!(look::get, settings::remove))
        .routes(routes!(look::webhook))
        .routes(routes!(act::check))
        .routes(routes!(act::connect))
        .routes(routes!(act::disconnect))
        .routes(routes!(act::resubscribe))
        .routes(routes!(act::renew_token))
        .routes(routes!(act::pause))
        .routes(routes!(act::resume))
        .routes(routes!(login::get))
        .routes(routes!(login::log_out))
        .routes(routes!(login::restart))
}

/// The account of a name.
fn find_account<'a>(state: &'a State, given: &str) -> Result<&'a Arc<Account>, Problem> {
    let name = given.parse::<AccountName>().ok();
    name.and_then(|name| state.channels().channels().get(&name)).ok_or_else(|| no_such_account(given))
}

fn no_such_account(given: &str) -> Problem {
    let detail = format!(
        "No channel account that runs has the name {:?}; GET /v1/channels lists them.",
        shorten(given)
    );
    Problem::new(Code::AccountNotFound, detail)
}

/// The accounts that the settings file names now; none where that is not known.
async fn written(state: &State) -> Option<WrittenChannels> {
    state.channel_changes()?.written().await
}

/// An account as the API shows it.
async fn shown(state: &State, account: &Account) -> Result<api::Channel, Problem> {
    view(state, account, written(state).await.as_ref()).await
}

async fn view(
    state: &State,
    account: &Account,
    written: Option<&WrittenChannels>,
) -> Result<api::Channel, Problem> {
    let (channels, channel, name) = (state.store().channels(), &account.channel, account.name());
    let stored = api::StoredFacts {
        last_in_at: channels.last_in(channel, name).await?,
        last_out_at: channels.last_out(channel, name).await?,
        waiting: channels.waiting(channel, name).await?,
    };
    let is_removed = written.is_some_and(|written| !written.contains_key(name));
    Ok(api::Channel { is_removed, ..api::Channel::new(account, stored, state.clock().now()) })
}

/// Where an account's provider posts to, and the address that is ours.
fn webhook_of(state: &State, account: &Account, registered: Option<Registered>) -> Response {
    let url = state.channels().shown_url(account);
    json(StatusCode::OK, &api::ChannelWebhook::new(account, url, registered))
}

/// What kept a provider from doing what it was asked for.
fn problem(error: &CallError) -> Problem {
    let (code, advice) = match error {
        CallError::Refused { code, .. } if code == "by_hand" => (
            Code::WrongState,
            "Register the address of GET /v1/channels/{name}/webhook in the provider's own pages.",
        ),
        CallError::Refused { .. } => (Code::Rejected, "Read what it says."),
        CallError::Token(_) => (Code::ProviderError, "Put a new token into the settings and start again."),
        CallError::Account(_) => (Code::ProviderError, "See to it in the provider's own pages."),
        _ => (Code::ProviderError, "Try again later."),
    };
    Problem::new(code, format!("{error}. {advice}"))
}
