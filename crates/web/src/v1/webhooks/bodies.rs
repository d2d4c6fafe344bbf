//! What a webhook is to be, as a body says it, checked field by field.

use std::collections::BTreeMap;

use domain::{ChatRef, EventFilter, SecretText};
use events::{MADE_BY_SETTINGS, WebhookError};
use http::HeaderName;
use serde::Deserialize;
use store::StoredWebhook;
use utoipa::ToSchema;

use crate::extract::{hidden, kept_when_empty};
use crate::problem::{FieldError, Problem};
use crate::state::State;
use crate::v1::chats::today;

/// The longest description, in characters.
const LONGEST: usize = 200;
/// Entries of one list at most.
const MOST: usize = 50;
/// Headers that every post has from us, or that say how it is sent.
const OURS: [&str; 9] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// A webhook to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewWebhook {
    /// Where events are posted to: a public address, unless `events.allow_private` lists its network. A name is judged when it
    /// is dialled. It is kept encrypted.
    #[serde(deserialize_with = "hidden::text")]
    #[schema(value_type = String, example = "https://example.com/hook")]
    url: SecretText,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 200, example = "n8n: answers to customers")]
    description: Option<String>,
    /// Which types of events it wants: `message.sent`, `message.*`, `*`. Left out: all.
    #[serde(default)]
    #[schema(max_items = 50, example = json!(["message.*", "account.state"]))]
    events: Option<Vec<String>>,
    /// Only events about one of these accounts.
    #[serde(default)]
    #[schema(max_items = 50, example = json!(["main"]))]
    accounts: Option<Vec<String>>,
    /// Only events about one of these chats. One that an account knows by its name is kept by its id.
    #[serde(default)]
    #[schema(max_items = 50, example = json!(["-1001234567890"]))]
    chats: Option<Vec<String>>,
    /// Whether the events of one chat are posted one after another, each once the one before was taken or given up.
    #[serde(default)]
    ordered: Option<bool>,
    /// Headers that posts carry beside those of Standard Webhooks. Their values are kept encrypted and never shown.
    #[serde(default)]
    #[schema(example = json!({"authorization": "Bearer demo"}))]
    headers: Option<BTreeMap<String, String>>,
}

/// What of a webhook is to be another; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebhookChange {
    /// Where events are posted to. With another scheme, host or port the webhook loses its `headers`, unless the call gives them again.
    #[serde(default, deserialize_with = "hidden::optional")]
    #[schema(value_type = Option<String>, example = "https://example.com/hook")]
    url: Option<SecretText>,
    /// What it is for; empty for nothing. A webhook that the settings made keeps it, and its `accounts` and `headers`.
    #[serde(default, deserialize_with = "kept_when_empty")]
    #[schema(max_length = 200)]
    description: Option<String>,
    /// Which types of events it wants: `message.sent`, `message.*`, `*`; an empty list: all.
    #[serde(default)]
    #[schema(max_items = 50, example = json!(["message.*", "account.state"]))]
    events: Option<Vec<String>>,
    /// Only events about one of these accounts; an empty list: about any.
    #[serde(default)]
    #[schema(max_items = 50, example = json!(["main"]))]
    accounts: Option<Vec<String>>,
    /// Only events about one of these chats; an empty list: about any. One that an account knows by its name is kept by its id.
    #[serde(default)]
    #[schema(max_items = 50, example = json!(["-1001234567890"]))]
    chats: Option<Vec<String>>,
    /// Whether the events of one chat are posted one after another, each once the one before was taken or given up.
    #[serde(default)]
    ordered: Option<bool>,
    /// All headers that posts carry beside those of Standard Webhooks, in place of those before. Their values are kept
    /// encrypted and never shown.
    #[serde(default)]
    #[schema(example = json!({"authorization": "Bearer demo"}))]
    headers: Option<BTreeMap<String, String>>,
}

impl NewWebhook {
    /// Fills a webhook that has nothing yet.
    pub(super) fn fill(self, webhook: StoredWebhook, state: &State) -> Result<StoredWebhook, Problem> {
        let Self { url, description, events, accounts, chats, ordered, headers } = self;
        WebhookChange { url: Some(url), description, events, accounts, chats, ordered, headers }
            .fill(webhook, state)
    }
}

impl WebhookChange {
    /// The webhook as it is to be. One of the settings keeps its account, by which the settings vouch for its address, and its
    /// headers.
    pub(super) fn fill(self, mut webhook: StoredWebhook, state: &State) -> Result<StoredWebhook, Problem> {
        let Self { url, description, events, accounts, chats, ordered, headers } = self;
        let mut errors = Vec::new();
        let own = (webhook.created_by == MADE_BY_SETTINGS)
            .then(|| (webhook.description.clone(), webhook.filter.accounts.clone()));
        if let Some(url) = url {
            events::move_to(&mut webhook.secrets, url);
        }
        if let Some(description) = description {
            webhook.description = read_description(&description, &mut errors);
        }
        webhook.ordered = ordered.unwrap_or(webhook.ordered);
        let old = webhook.filter;
        webhook.filter = EventFilter {
            types: read_list("events", events, old.types, &mut errors, |text| text.parse().ok()),
            accounts: read_list("accounts", accounts, old.accounts, &mut errors, |text| text.parse().ok()),
            chats: read_list("chats", chats, old.chats, &mut errors, |text| {
                let chat = text.parse::<ChatRef>().ok()?;
                // Events name a chat by its id once that is known.
                Some(today(state, &chat).map_or_else(|| chat.to_string(), |id| id.to_string()))
            }),
        };
        if let Some(headers) = headers {
            webhook.secrets.headers = read_headers(headers, &mut errors);
        }
        if let Some((description, accounts)) = own {
            let fixed = [
                ("description", webhook.description != description),
                ("accounts", webhook.filter.accounts != accounts),
                ("headers", !webhook.secrets.headers.is_empty()),
            ];
            let message = "is as the settings say; change `forward_to` of the account there";
            errors.extend(
                fixed
                    .into_iter()
                    .filter(|(_, is_changed)| *is_changed)
                    .map(|(field, _)| FieldError::new(field, message)),
            );
        }
        match state.webhooks().check(&webhook) {
            Ok(()) => {}
            Err(WebhookError::Endpoint(error)) => {
                errors.push(FieldError::new("url", format!("cannot be used: {error}")));
            }
            Err(WebhookError::Header(name)) => {
                let message = "cannot be sent; write one line of printable characters";
                errors.push(FieldError::new(format!("headers.{name}"), message));
            }
            Err(WebhookError::Key(error)) => errors.push(FieldError::new("", error.to_string())),
        }
        if errors.is_empty() { Ok(webhook) } else { Err(Problem::fields(errors)) }
    }
}

fn read_description(text: &str, errors: &mut Vec<FieldError>) -> Option<String> {
    let text = text.trim();
    if text.chars().count() > LONGEST || text.chars().any(char::is_control) {
        let message = format!("is wrong: write up to {LONGEST} characters on one line");
        errors.push(FieldError::new("description", message));
    }
    (!text.is_empty()).then(|| text.to_owned())
}

/// A list of a filter: what it is to be, or what it was.
fn read_list<T>(
    field: &str,
    given: Option<Vec<String>>,
    old: Vec<T>,
    errors: &mut Vec<FieldError>,
    read: impl Fn(&str) -> Option<T>,
) -> Vec<T> {
    let Some(given) = given else { return old };
    if given.len() > MOST {
        errors.push(FieldError::new(field, format!("has {} entries; {MOST} at most", given.len())));
        return old;
    }
    let mut list = Vec::new();
    for (place, text) in given.iter().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
        if let Some(one) = read(text.trim()) {
            list.push(one);
        } else {
            let what = match field {
                "events" => "is no type of an event; write one such as message.sent, message.* or *",
                "accounts" => "is no name of an account",
                _ => "is no chat; write its id or @username",
            };
            errors.push(FieldError::new(format!("{field}[{place}]"), what));
        }
    }
    list
}

fn read_headers(given: BTreeMap<String, String>, errors: &mut Vec<FieldError>) -> Vec<(String, SecretText)> {
    if given.len() > MOST {
        errors.push(FieldError::new("headers", format!("has {} entries; {MOST} at most", given.len())));
        return Vec::new();
    }
    let mut headers = Vec::new();
    for (name, value) in given {
        let field = format!("headers.{name}");
        match HeaderName::try_from(name.trim()) {
            Err(_) => errors.push(FieldError::new(field, "is no name of a header")),
            Ok(name) if OURS.contains(&name.as_str()) || name.as_str().starts_with("webhook-") => {
                errors.push(FieldError::new(field, "is set by us; leave it out"));
            }
            Ok(name) => headers.push((name.as_str().to_owned(), value.trim().to_owned().into())),
        }
    }
    headers
}
