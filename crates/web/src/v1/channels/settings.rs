//! Accounts in the settings file: added to it and taken out of it. The server takes either up at its next start.

use std::collections::{BTreeMap, BTreeSet};

use ::channels::CallError;
use axum::extract::State as Shared;
use axum::response::Response;
use config::{ChannelKey, ChannelKeyForm, ChannelKind, ChannelValue};
use domain::{AccountName, ChannelName, SecretText};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{no_such_account, shown};
use crate::answer::json;
use crate::audit::Audited;
use crate::auth::{Authorized, CanAdminister};
use crate::channel_changes::{self, ChannelAdded, ChannelChanges, NotChanged};
use crate::extract::{PathParameter, QueryParameters, Unchecked, unknown};
use crate::problem::{Code, FieldError, Problem, shorten};
use crate::state::State;

/// An account of a channel to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewChannel {
    /// Its channel.
    #[schema(example = "form")]
    channel: String,
    /// What to call it; no account of any channel or of Telegram has the same name.
    #[schema(value_type = String, pattern = "^[a-z0-9_-]{1,64}$", example = "site")]
    name: AccountName,
    /// Its keys that are no secrets, as in the section `[[channels]]` of the settings.
    #[serde(default)]
    #[schema(value_type = Object, example = json!({"origins": ["https://example.com"]}))]
    keys: BTreeMap<String, Value>,
    /// Its keys that are secrets, such as `token`. Each goes into a file beside the settings, and is never shown.
    #[serde(default)]
    #[schema(value_type = Object, write_only, example = json!({}))]
    secrets: BTreeMap<String, SecretText>,
    /// Whether its provider is asked first, with a real call that changes nothing.
    #[schema(default = true)]
    check: Option<bool>,
}

/// Adds an account of a channel to the settings file, once its provider has said that it works.
///
/// The server takes it up at its next start. Where something is wrong, nothing is changed; the errors name the keys. An address that
/// is not public is refused: the owner alone names such a one, in the settings file or with `switchboard channel add`.
#[utoipa::path(
    post, path = "/v1/channels", tag = "channels", operation_id = "add_channel",
    request_body = NewChannel,
    responses(
        (status = 201, description = "It is in the settings", body = api::AddedChannel),
        (status = 409, description = "The name is taken: `account_exists`; or the settings file cannot be changed: `wrong_state`"),
        (status = 422, description = "A key is wrong, or the provider refuses it: `rejected`"),
        (status = 502, description = "The provider did not answer as it should"),
    )
)]
pub(crate) async fn add(
    Shared(state): Shared<State>,
    _: Authorized<CanAdminister>,
    body: Unchecked<NewChannel>,
) -> Result<Response, Problem> {
    let new = body.checked(read)?;
    let (name, channel) = (new.name.clone(), new.channel);
    let is_reserved = state.pool().reserve_name(name.clone());
    let added = if state.pool().account(&name).is_some() {
        Err(taken(format!("is the name of the Telegram account {name}; take another one")))
    } else {
        add_to_settings(&state, new).await
    };
    let added = added.inspect_err(|_| {
        if is_reserved {
            state.pool().release_name(&name);
        }
    })?;
    let (is, missing) = added.identity.map_or_else(Default::default, |who| (Some(who.name), who.missing));
    // The words of channels are names of channels.
    let channel = channel.as_str().parse::<ChannelName>();
    let channel = channel.map_err(|error| Problem::new(Code::Internal, error.to_string()))?;
    let view = api::AddedChannel {
        name,
        channel,
        file: added.file.display().to_string(),
        needs_restart: true,
        is,
        missing,
    };
    let audited = Audited::about(&view.name).with("channel", view.channel.to_string());
    Ok(audited.of(json(StatusCode::CREATED, &view)))
}

async fn add_to_settings(state: &State, new: channel_changes::NewChannel) -> Result<ChannelAdded, Problem> {
    changes(state)?.add(new).await.map_err(problem)
}

/// Takes an account of a channel out of the settings file, and the files of its secrets that were typed here.
///
/// The server lets it go at its next start. What was received and sent through it stays.
#[utoipa::path(
    delete, path = "/v1/channels/{name}", tag = "channels", operation_id = "remove_channel",
    params(
        ("name" = String, Path, description = "The account's name"),
        ("with_waiting" = Option<bool>, Query, description = "Although messages wait for it; they fail after the next start"),
    ),
    responses(
        (status = 200, description = "It is in the settings no more", body = api::RemovedChannel),
        (status = 409, description = "Messages wait for it: `account_busy`; or the settings file cannot be changed: `wrong_state`"),
        (status = 422, description = "A setting names it: `settings_wrong`"),
    )
)]
pub(crate) async fn remove(
    Shared(state): Shared<State>,
    _: Authorized<CanAdminister>,
    PathParameter(given): PathParameter<String>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let with_waiting = query.take_with("with_waiting", |text| match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("write true or false".to_owned()),
    });
    query.finish()?;
    let name: AccountName = given.parse().map_err(|_| no_such_account(&given))?;
    // One that was added a moment ago is in the settings alone.
    let running = match state.channels().channels().get(&name) {
        Some(account) => Some(shown(&state, account).await?),
        None => None,
    };
    let waiting = running.as_ref().map_or(0, |account| account.waiting);
    if waiting > 0 && with_waiting != Some(true) {
        let detail = format!(
            "{waiting} messages wait for {name}, and would fail; let them leave or cancel them, or send with_waiting=true."
        );
        return Err(Problem::new(Code::AccountBusy, detail));
    }
    let file = changes(&state)?.remove(name.clone()).await.map_err(|error| match error {
        NotChanged::NoSuchAccount(_) if running.is_none() => no_such_account(&given),
        error => problem(error),
    })?;
    let webhook = running.and_then(|account| account.webhook);
    let view = api::RemovedChannel {
        name,
        file: file.display().to_string(),
        needs_restart: true,
        waiting,
        still_registered: webhook.is_some_and(|webhook| webhook.state == "here"),
    };
    let audited = Audited::about(&view.name).with("waiting", waiting.to_string());
    Ok(audited.of(json(StatusCode::OK, &view)))
}

/// What a body says, as far as that is right without a look at the settings.
fn read(new: NewChannel) -> Result<channel_changes::NewChannel, Problem> {
    let NewChannel { channel, name, keys: plain, secrets: secret, check } = new;
    let Ok(channel) = channel.parse::<ChannelKind>() else {
        let message =
            format!("is no channel; write one of {}", ChannelKind::ALL.map(ChannelKind::as_str).join(", "));
        return Err(Problem::fields(vec![FieldError::new("channel", message)]));
    };
    let (mut keys, mut secrets, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    let given: BTreeSet<String> = plain.keys().chain(secret.keys()).cloned().collect();
    let mut refuse = |field: String, message: String| wrong.push(FieldError::new(field, message));
    for (given, value) in plain {
        let field = format!("keys.{}", shorten(&given));
        let Some(key) = ChannelKey::named(&given) else {
            refuse(field, unknown_key(&given));
            continue;
        };
        if key.is_of_owner() {
            refuse(field, OF_OWNER.to_owned());
        } else if key.form == ChannelKeyForm::Secret {
            refuse(field, "is a secret; write it under secrets".to_owned());
        } else if let Some(value) = read_value(&key, &value) {
            keys.push((key.name, value));
        } else {
            refuse(field, format!("takes {}", key.form.wanted()));
        }
    }
    for (given, text) in secret {
        let field = format!("secrets.{}", shorten(&given));
        match ChannelKey::named(&given) {
            None => refuse(field, unknown_key(&given)),
            Some(key) if key.is_of_owner() => refuse(field, OF_OWNER.to_owned()),
            Some(key) if key.form == ChannelKeyForm::Secret => secrets.push((key.name, text)),
            Some(_) => refuse(field, "is no secret; write it under keys".to_owned()),
        }
    }
    for error in channel.check_keys(ChannelKey::all().map(|key| (key.name, given.contains(key.name)))) {
        refuse(field_path(error.field), error.message);
    }
    if wrong.is_empty() {
        let check = check.unwrap_or(true);
        Ok(channel_changes::NewChannel { name, channel, keys, secrets, check })
    } else {
        Err(Problem::fields(wrong))
    }
}

/// Why a call does not set a key.
const OF_OWNER: &str = "is set by the owner alone, in the settings file or with switchboard channel add";

fn unknown_key(given: &str) -> String {
    unknown(given, ChannelKey::all().map(|key| key.name))
}

/// A value as its key takes it; of any but a text also as the text of a form.
fn read_value(key: &ChannelKey, value: &Value) -> Option<ChannelValue> {
    Some(match (key.form, value) {
        (_, Value::String(text)) => return key.value(text),
        (ChannelKeyForm::Number, Value::Number(number)) => ChannelValue::Number(number.as_i64()?),
        (ChannelKeyForm::Flag, Value::Bool(flag)) => ChannelValue::Flag(*flag),
        (ChannelKeyForm::List, Value::Array(texts)) => {
            let texts = texts.iter().map(|text| text.as_str().map(str::to_owned));
            ChannelValue::List(texts.collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

/// Where a key is in the body.
fn field_path(key: &str) -> String {
    let is_secret = ChannelKey::named(key).is_some_and(|key| key.form == ChannelKeyForm::Secret);
    format!("{}.{key}", if is_secret { "secrets" } else { "keys" })
}

fn changes(state: &State) -> Result<&ChannelChanges, Problem> {
    let no_server = || {
        let detail =
            "No server runs, which would change its settings; use switchboard channel add or remove.";
        Problem::new(Code::WrongState, detail)
    };
    state.channel_changes().ok_or_else(no_server)
}

fn taken(message: impl Into<String>) -> Problem {
    Problem::field(Code::AccountExists, FieldError::new("name", message))
}

/// Why the settings file is as it was.
fn problem(error: NotChanged) -> Problem {
    let nothing = |error: &dyn std::fmt::Display| format!("Nothing was changed: {error}.");
    match error {
        NotChanged::Stopping => Problem::new(Code::ShuttingDown, "The server is stopping."),
        NotChanged::Busy | NotChanged::OfDemo | NotChanged::NoSuchAccount(_) => {
            Problem::new(Code::WrongState, nothing(&error))
        }
        NotChanged::File(why) => {
            let detail = format!(
                "The server cannot change its settings: {why}. On its machine switchboard channel add and remove do it."
            );
            Problem::new(Code::WrongState, detail)
        }
        NotChanged::Wrong { text, keys } => {
            if keys.iter().any(|(key, _)| key == "name") {
                return taken("is taken by another account; take another one");
            }
            let fields: Vec<_> =
                keys.into_iter().map(|(key, message)| FieldError::new(field_path(&key), message)).collect();
            if fields.is_empty() {
                Problem::new(Code::SettingsWrong, nothing(&text))
            } else {
                Problem::fields(fields)
            }
        }
        NotChanged::Refused(why) => {
            let is_refused = why.stops_account() || matches!(why, CallError::Refused { .. });
            let code = if is_refused { Code::Rejected } else { Code::ProviderError };
            Problem::new(code, nothing(&why))
        }
    }
}
