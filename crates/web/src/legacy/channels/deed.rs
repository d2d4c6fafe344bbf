//! What the ports of the old servers do besides sending: marking as read, changing, removing, and where the provider posts to.

use ::channels::{Deed, OldCall, RegisterError, Registered};
use delivery::Action;
use http::header::HOST;
use http::uri::Authority;
use http::{StatusCode, Uri};
use serde_json::{Value, json};

use super::Gate;
use super::call::{Call, chat};
use super::refused::Refused;
use crate::deeds;

/// Does something to a chat or a message.
pub(super) async fn act(gate: &Gate, name: &str, deed: &Deed) -> Result<(), Refused> {
    let account = gate.account()?;
    let needed = match deed {
        Deed::Edit { .. } => Action::Edit,
        Deed::Delete { .. } => Action::Delete,
        Deed::MarkRead { .. } => Action::MarkRead,
        Deed::Typing => Action::Typing,
    };
    if !account.provider.capabilities().actions.contains(&needed) {
        let error = format!("{} has no such call", account.channel);
        return Err(Refused::error(StatusCode::NOT_IMPLEMENTED, error));
    }
    let chat = chat("chat_id", name)?;
    deeds::check(&gate.state, None, account, &chat, deed).await?;
    account.provider.act(&chat, deed).await?;
    Ok(())
}

/// The chat of a message, as far as the store knows it.
pub(super) async fn chat_of(gate: &Gate, external_id: &str) -> Result<Option<String>, Refused> {
    let found = deeds::chat_of(&gate.state, gate.account()?, None, external_id).await?;
    Ok(found.map(|chat| chat.to_string()))
}

/// Makes a call that only the old server of this channel had: what the provider answered.
pub(super) async fn old_call(gate: &Gate, call: &OldCall) -> Result<Value, Refused> {
    Ok(gate.account()?.provider.old_call(call).await?)
}

/// Where the provider posts to.
pub(super) async fn registered(gate: &Gate) -> Result<Registered, Refused> {
    let account = gate.account()?;
    if let Some(found) = gate.state.channels().registered(account).await {
        return Ok(found?);
    }
    let error = format!("{} does not say where it posts to", account.channel);
    Err(Refused::error(StatusCode::NOT_IMPLEMENTED, error))
}

/// An address that a provider posts to, as it may be shown. With the secret of ours a caller could post in the name of customers.
pub(super) fn shown(gate: &Gate, url: &str) -> String {
    let ours = format!("/hooks/{}/", gate.port.channel.as_str());
    let account = url.split_once(&ours).and_then(|(base, rest)| Some((base, rest.split_once('/')?.0)));
    account.map_or_else(|| url.to_owned(), |(base, account)| format!("{base}{ours}{account}/..."))
}

/// Has the provider post to an address, and returns the one that is registered, as it may be shown. An address of this port stands
/// for the account's own.
pub(super) async fn register(gate: &Gate, call: &Call, url: &str) -> Result<String, Refused> {
    let called = call.headers.get(HOST).and_then(|host| host.to_str().ok());
    let is_of_port = url.parse::<Uri>().is_ok_and(|url| {
        let is_same =
            url.port_u16() == Some(gate.port.port) || url.authority().map(Authority::as_str) == called;
        is_same && url.path().trim_end_matches('/') == gate.hook_path()
    });
    let registered = gate.state.channels().register_at(gate.account()?, url, is_of_port).await;
    registered.map(|url| shown(gate, &url)).map_err(|error| match error {
        RegisterError::Call(error) => error.into(),
        other => Refused::error(StatusCode::CONFLICT, other.to_string()),
    })
}

/// Has the provider post nowhere, or not to this address any more, also in the form in which it is shown. The addresses at which it did,
/// as they may be shown.
pub(super) async fn unregister(gate: &Gate, only: Option<&str>) -> Result<Vec<String>, Refused> {
    let mut urls = match only {
        Some(url) if !url.ends_with("/...") => vec![url.to_owned()],
        _ => registered(gate).await?.urls,
    };
    urls.retain(|url| only.is_none_or(|only| only == url || only == shown(gate, url)));
    for url in &urls {
        gate.state.channels().unregister(gate.account()?, url).await?;
    }
    Ok(urls.iter().map(|url| shown(gate, url)).collect())
}

/// The state of the provider's posts, in a form that no old server had.
pub(super) async fn status(gate: &Gate) -> Result<Value, Refused> {
    let found = registered(gate).await?;
    let account = gate.account()?;
    Ok(json!({
        "success": true, "subscribed": !found.urls.is_empty(),
        "here": gate.state.channels().is_registered(account, &found),
        "subscriptions": found.urls.iter().map(|url| json!({ "url": shown(gate, url) })).collect::<Vec<_>>(),
        "last_error": found.last_error,
    }))
}

/// The number of characters of a token that are shown.
const SHOWN: usize = 20;

/// The token, as far as it may be shown.
pub(super) async fn token(gate: &Gate, is_new: bool) -> Result<Value, Refused> {
    let account = gate.account()?;
    if is_new {
        account.provider.renew_token().await?;
    } else {
        account.provider.check().await?;
    }
    let start = account.provider.token_start(SHOWN).map(|start| format!("{start}..."));
    Ok(json!({
        "success": true, "token": start, "message": if is_new { "Token refreshed" } else { "Token is valid" },
        "expires_at": account.provider.token_expires(),
    }))
}
