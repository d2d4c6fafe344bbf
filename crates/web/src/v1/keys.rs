//! `/v1/keys`: making and revoking API keys.

use std::collections::HashMap;

use api::schemas;
use axum::extract::State as Shared;
use axum::response::Response;
use config::{format_duration, parse_repeats};
use domain::{ApiKeyId, Timestamp};
use http::StatusCode;
use serde::Deserialize;
use store::{ApiKey, Scope, StoreError};
use utoipa::ToSchema;

use super::{Page, PageParameters, PageRequest};
use crate::answer::json;
use crate::audit::Audited;
use crate::auth::{self, Authorized, CanManageKeys};
use crate::extract::{PathParameter, Unchecked};
use crate::problem::{Code, FieldError, Problem, shorten};
use crate::state::State;

/// The longest name of a key.
const LONGEST_NAME: usize = 100;

/// The names of the keys, revoked ones too, for lists that tell who asked.
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

/// A key to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewKey {
    /// What to call it.
    #[schema(example = "n8n")]
    name: String,
    /// What it may: `send`, `read`, `admin` (all).
    #[schema(schema_with = schemas::scopes)]
    scopes: Vec<Scope>,
    /// For how long the same body, sent with this key to the same path without an `Idempotency-Key`, is the same message and
    /// answered as a replay, `1s` to `1d`. Left out: each request is a new message.
    #[serde(default)]
    #[schema(example = "10m")]
    repeats: Option<String>,
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
    let key = body.checked(|new| check(new, id, now))?;
    let text = auth::new_key().map_err(|error| {
        tracing::error!(%error, "the system gives no random numbers");
        Problem::new(Code::Internal, "No key can be made: the system gives no random numbers.")
    })?;
    state.store().api_keys().create(&key, auth::hash(&text)).await?;
    state.keys().forget();
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
    let mut audited =
        Audited::about(&key.id).with("name", key.name.as_str()).with("scopes", scopes.join(" "));
    if let Some(repeats) = key.repeats {
        audited = audited.with("repeats", format_duration(repeats));
    }
    Ok(audited.of(json(StatusCode::CREATED, &api::MadeApiKey { view: key.into(), key: text })))
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
    let missing = || {
        Problem::new(
            Code::KeyNotFound,
            format!("No API key has the id {:?}; GET /v1/keys lists them.", shorten(&given)),
        )
    };
    let id: ApiKeyId = given.parse().map_err(|_| missing())?;
    let revoked = state.store().api_keys().revoke(id, state.clock().now()).await;
    state.keys().forget();
    match revoked {
        // Revoking twice is no error: the key does not work any more, which is what was asked for.
        Ok(true | false) => Ok(StatusCode::NO_CONTENT),
        Err(StoreError::NotFound { .. }) => Err(missing()),
        Err(error) => Err(error.into()),
    }
}

fn check(new: NewKey, id: ApiKeyId, now: Timestamp) -> Result<ApiKey, Problem> {
    let mut errors = Vec::new();
    let name = new.name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        errors.push(FieldError::new(
            "name",
            format!("is wrong: write 1 to {LONGEST_NAME} characters on one line"),
        ));
    }
    let mut scopes = Vec::new();
    for scope in new.scopes {
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    if scopes.is_empty() {
        errors.push(FieldError::new("scopes", "is empty; name one or more of send, read and admin"));
    }
    let repeats = new.repeats.as_deref().map(str::trim).filter(|repeats| !repeats.is_empty());
    let repeats = repeats.map(parse_repeats).transpose().unwrap_or_else(|error| {
        errors.push(FieldError::new("repeats", error.to_string()));
        None
    });
    if !errors.is_empty() {
        return Err(Problem::fields(errors));
    }
    Ok(ApiKey { id, name: name.to_owned(), scopes, created_at: now, revoked_at: None, repeats })
}
