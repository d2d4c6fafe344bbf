//! `/v1/keys`: making, changing and revoking API keys.

use std::collections::HashMap;

use axum::extract::State as Shared;
use axum::response::Response;
use config::format_duration;
use domain::ApiKeyId;
use http::StatusCode;
use store::{ApiKey, StoreError};

use super::new_key::{KeyChange, NewKey};
use super::{Page, PageParameters, PageRequest};
use crate::answer::json;
use crate::audit::Audited;
use crate::auth::{self, Authorized, CanManageKeys};
use crate::extract::{PathParameter, Unchecked};
use crate::problem::{Code, Problem, shorten};
use crate::state::State;

/// The names of the keys, revoked ones too, for lists that show who asked.
#[derive(Debug, Default)]
pub(super) struct KeyNames(HashMap<String, String>);

impl KeyNames {
    /// Asks the store once, and only where some key is to be named.
    pub(super) async fn of(state: &State, needed: bool) -> Result<Self, StoreError> {
        if !needed {
            return Ok(Self::default());
        }
        let keys = state.store().api_keys().list().await?;
        Ok(Self(keys.into_iter().map(|key| (key.id.to_string(), key.name)).collect()))
    }

    pub(super) fn name(&self, id: &str) -> Option<String> {
        self.0.get(id).cloned()
    }
}

/// Lists the keys, revoked ones too.
#[utoipa::path(
    get, path = "/v1/keys", tag = "keys", operation_id = "list_keys",
    params(PageParameters),
    responses((status = 200, description = "The keys", body = Page<api::ApiKey>))
)]
pub(crate) async fn list(
    Shared(store): Shared<store::Store>,
    _: Authorized<CanManageKeys>,
    wanted: PageRequest,
) -> Result<Response, Problem> {
    let keys: Vec<api::ApiKey> = store.api_keys().list().await?.into_iter().map(Into::into).collect();
    Ok(json(StatusCode::OK, &wanted.cut(keys, |key| key.id.to_string())?))
}

/// Makes a key. The answer shows it; it is not shown again.
#[utoipa::path(
    post, path = "/v1/keys", tag = "keys", operation_id = "create_key",
    request_body = NewKey,
    responses((status = 201, description = "Made", body = api::MadeApiKey))
)]
pub(crate) async fn create(
    Shared(state): Shared<State>,
    _: Authorized<CanManageKeys>,
    body: Unchecked<NewKey>,
) -> Result<Response, Problem> {
    let (id, now) = (ApiKeyId::from_uuid(state.ids().next()), state.clock().now());
    let key = body.checked(|new| new.key(id, now))?;
    let text = auth::new_key().map_err(|error| {
        tracing::error!(%error, "the system gives no random numbers");
        Problem::new(Code::Internal, "No key can be made: the system gives no random numbers.")
    })?;
    state.store().api_keys().create(&key, auth::hash(&text)).await?;
    let audited = audited(&key);
    Ok(audited.of(json(StatusCode::CREATED, &api::MadeApiKey { view: key.into(), key: text })))
}

/// Changes a key that works or has expired: what is left out stays. What it may, it may for good.
#[utoipa::path(
    patch, path = "/v1/keys/{id}", tag = "keys", operation_id = "change_key",
    params(("id" = String, Path, description = "The key's public id")),
    request_body = KeyChange,
    responses(
        (status = 200, description = "The key as it is now", body = api::ApiKey),
        (status = 409, description = "It was revoked"),
    )
)]
pub(crate) async fn change(
    Shared(state): Shared<State>,
    _: Authorized<CanManageKeys>,
    PathParameter(given): PathParameter<String>,
    body: Unchecked<KeyChange>,
) -> Result<Response, Problem> {
    let id: ApiKeyId = given.parse().map_err(|_| no_such_key(&given))?;
    let keys = state.store().api_keys();
    let old = keys.get(id).await?.ok_or_else(|| no_such_key(&given))?;
    let now = state.clock().now();
    let key = body.checked(|change| change.fill(old, now))?;
    if !keys.change(&key).await? {
        return Err(Problem::new(Code::WrongState, "The key was revoked; make another."));
    }
    let audited = audited(&key);
    Ok(audited.of(json(StatusCode::OK, &api::ApiKey::from(key))))
}

/// What the audit log says about a key that is made or changed.
fn audited(key: &ApiKey) -> Audited {
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
    let list = |names: Vec<String>| Some(names.join(" ")).filter(|names| !names.is_empty());
    let limits = &key.limits;
    let details = [
        ("repeats", key.repeats.map(format_duration)),
        ("accounts", list(limits.accounts.iter().map(ToString::to_string).collect())),
        ("chats", list(limits.chats.iter().map(ToString::to_string).collect())),
        ("channels", list(limits.channels.iter().map(ToString::to_string).collect())),
        ("expires_at", key.expires_at.map(|end| end.to_string())),
        ("rate", key.rate.map(|rate| rate.to_string())),
        ("burst", key.burst.map(|burst| burst.to_string())),
    ];
    let audited = Audited::about(&key.id).with("name", key.name.as_str()).with("scopes", scopes.join(" "));
    let present = details.into_iter().filter_map(|(name, value)| Some((name, value?)));
    present.fold(audited, |audited, (name, value)| audited.with(name, value))
}

fn no_such_key(given: &str) -> Problem {
    let detail = format!("No API key has the id {:?}; GET /v1/keys lists them.", shorten(given));
    Problem::new(Code::KeyNotFound, detail)
}

/// Revokes a key, at once and for good.
#[utoipa::path(
    delete, path = "/v1/keys/{id}", tag = "keys", operation_id = "revoke_key",
    params(("id" = String, Path, description = "The key's public id")),
    responses((status = 204, description = "Revoked"))
)]
pub(crate) async fn revoke(
    Shared(state): Shared<State>,
    _: Authorized<CanManageKeys>,
    PathParameter(given): PathParameter<String>,
) -> Result<StatusCode, Problem> {
    let id: ApiKeyId = given.parse().map_err(|_| no_such_key(&given))?;
    let revoked = state.store().api_keys().revoke(id, state.clock().now()).await;
    match revoked {
        // Revoking twice is no error: the key does not work any more, which is what was asked for.
        Ok(true | false) => Ok(StatusCode::NO_CONTENT),
        Err(StoreError::NotFound { .. }) => Err(no_such_key(&given)),
        Err(error) => Err(error.into()),
    }
}
