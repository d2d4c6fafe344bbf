//! A call as it arrives: its query, its fields, and what is wrong with them, in the form of the old servers.

use std::collections::BTreeSet;
use std::net::IpAddr;

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use domain::ExternalChat;
use http::{HeaderMap, StatusCode, Uri};
use serde_json::{Value, json};
use store::{Join, Origin};

use super::super::fields::Fields;
use super::super::request::Marks;
use super::Gate;
use super::refused::Refused;
use crate::auth::ConnectionInfo;
use crate::extract::read_body;
use crate::fingerprint::Fingerprint;
use crate::idempotency::{self, Scope};
use crate::problem::Problem;

/// The most items of one call.
pub(super) const MOST_ITEMS: usize = 100;

/// A call that was let in.
pub(super) struct Call {
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) address: Option<IpAddr>,
    pub(super) body: Bytes,
    query: Fields,
    fields: Result<Fields, String>,
}

impl FromRequest<Gate> for Call {
    type Rejection = Refused;

    async fn from_request(request: Request, gate: &Gate) -> Result<Self, Refused> {
        let (parts, body) = request.into_parts();
        let via = parts.extensions.get::<ConnectionInfo>().and_then(|via| via.peer);
        let address = via.map(|peer| gate.state.client_address(peer, &parts.headers));
        let body = read_body(&parts.headers, body, &gate.state.limits()).await.map_err(Problem::from)?;
        let pairs = form_pairs(parts.uri.query().unwrap_or_default());
        let query = Fields::of(pairs.into_iter().map(|(name, value)| (name, Value::from(value))).collect());
        let fields = if body.is_empty() { Ok(Fields::default()) } else { Fields::read_strictly(&body) };
        Ok(Self { uri: parts.uri, headers: parts.headers, address, body, query, fields })
    }
}

/// The pairs of a query.
fn form_pairs(query: &str) -> Vec<(String, String)> {
    let read = |text: &str| {
        let text = text.replace('+', " ");
        percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(k, v)| (read(k), read(v))).collect()
}

impl Call {
    /// Begins to read its fields.
    pub(super) fn reading(&self) -> Reading<'_> {
        static NONE: std::sync::LazyLock<Fields> = std::sync::LazyLock::new(Fields::default);
        let mut wrong = Vec::new();
        let fields = self.fields.as_ref().unwrap_or_else(|error| {
            wrong.push(json!({ "loc": ["body"], "msg": error, "type": "json_invalid" }));
            &NONE
        });
        Reading {
            fields,
            query: &self.query,
            is_query: self.body.is_empty() && self.uri.query().is_some(),
            wrong,
        }
    }

    pub(super) fn origin(&self, gate: &Gate) -> Origin {
        Origin { listener: gate.name.to_string(), api_key: None, address: self.address }
    }

    /// How one of its messages is known again: by the key, by the body where repeats are joined, by the body if no one has its answer.
    pub(super) fn marks(&self, gate: &Gate, order: &Value) -> Result<Marks, Refused> {
        let path = self.uri.path();
        let key = idempotency::key(&self.headers)
            .map_err(|error| Refused::error(StatusCode::BAD_REQUEST, error.to_string()))?;
        let key = key.map(|key| format!("{key}/{}", order["item"]));
        let scope = Scope { api_key: None, repeats: gate.port.repeats, listener: &gate.name, path };
        let idempotency = idempotency::idempotency(key.as_deref(), &scope, order);
        let join = key.is_none().then(|| Join {
            fingerprint: Fingerprint::default().text(&gate.name).text(path).json_without(order, &[]).finish(),
            repeats: gate.state.options().legacy.join_repeats,
        });
        Ok(Marks { idempotency, join })
    }
}

/// Fields that are being read; what is wrong with them is reported together.
pub(super) struct Reading<'a> {
    fields: &'a Fields,
    query: &'a Fields,
    /// Whether its fields are in the query.
    is_query: bool,
    wrong: Vec<Value>,
}

impl<'a> Reading<'a> {
    fn refuse(&mut self, name: &str, message: &str, kind: &str) {
        let place = if self.query.has(name) || self.is_query { "query" } else { "body" };
        self.wrong.push(json!({ "loc": [place, name], "msg": message, "type": kind }));
    }

    /// Where a field is: in the body, else in the query.
    fn of(&self, name: &str) -> &'a Fields {
        if self.fields.has(name) { self.fields } else { self.query }
    }

    /// A text or number; none where it is left out.
    pub(super) fn maybe(&mut self, name: &str) -> Option<String> {
        let found = self.of(name);
        if !found.has(name) {
            return None;
        }
        if !found.is_plain(name) || found.is_unset(name) {
            self.refuse(name, "Input should be a valid string", "string_type");
            return None;
        }
        Some(found.text(name).trim().to_owned())
    }

    /// The same, of what must be there.
    pub(super) fn text(&mut self, name: &str) -> String {
        let before = self.wrong.len();
        let text = self.maybe(name);
        if text.is_none() && self.wrong.len() == before {
            self.refuse(name, "Field required", "missing");
        }
        text.unwrap_or_default()
    }

    /// A message's text, as it is written.
    pub(super) fn words(&mut self, name: &str) -> String {
        let trimmed = self.text(name);
        match self.of(name).value(name) {
            Some(Value::String(text)) => text.clone(),
            _ => trimmed,
        }
    }

    /// A whole number that must be there.
    pub(super) fn number(&mut self, name: &str) -> String {
        let text = self.text(name);
        if !text.is_empty() && text.parse::<i64>().is_err() {
            self.refuse(name, "Input should be a valid integer", "int_parsing");
        }
        text
    }

    /// The same as a number.
    pub(super) fn integer(&mut self, name: &str) -> i64 {
        self.number(name).parse().unwrap_or_default()
    }

    /// A whole number; none where it is left out.
    pub(super) fn maybe_integer(&mut self, name: &str) -> Option<i64> {
        self.value(name).map(|_| self.integer(name))
    }

    /// An `http` or `https` address that must be there.
    pub(super) fn url(&mut self, name: &str) -> String {
        let text = self.text(name);
        if !text.is_empty() && !is_url(&text) {
            self.refuse(name, "Input should be a valid URL", "url_parsing");
        }
        text
    }

    /// A number within bounds, else what stands for it.
    pub(super) fn count(&self, name: &str, default: usize, most: usize) -> usize {
        let number = self.of(name).number(name).ok().flatten();
        number.and_then(|number| usize::try_from(number).ok()).unwrap_or(default).min(most)
    }

    pub(super) fn flag(&self, name: &str, default: bool) -> bool {
        // What is false is given; to [`Fields::has`] it is as if left out.
        let is_false = self.fields.value(name) == Some(&Value::Bool(false));
        if is_false { false } else { self.of(name).flag(name, default) }
    }

    /// The fields that are named so, each as true or false.
    pub(super) fn flags(&self, wanted: impl Fn(&str) -> bool) -> Vec<(String, bool)> {
        let names: BTreeSet<&str> = self.fields.all_names().chain(self.query.all_names()).collect();
        let flags = names.into_iter().filter(|name| wanted(name));
        flags.map(|name| (name.to_owned(), self.flag(name, false))).collect()
    }

    pub(super) fn value(&self, name: &str) -> Option<&'a Value> {
        self.of(name).value(name).filter(|value| !value.is_null())
    }

    /// A list that must be there, with one to [`MOST_ITEMS`] items.
    pub(super) fn list(&mut self, name: &str) -> &'a [Value] {
        match self.fields.value(name) {
            Some(Value::Array(items)) if items.len() > MOST_ITEMS => {
                self.refuse(name, "List should have at most 100 items", "too_long");
                &[]
            }
            Some(Value::Array(items)) if !items.is_empty() => items,
            Some(Value::Array(_)) => {
                self.refuse(name, "List should have at least 1 item", "too_short");
                &[]
            }
            Some(value) if !value.is_null() => {
                self.refuse(name, "Input should be a valid list", "list_type");
                &[]
            }
            _ => {
                self.refuse(name, "Field required", "missing");
                &[]
            }
        }
    }

    /// Ends the reading.
    pub(super) fn finish(self) -> Result<(), Refused> {
        if self.wrong.is_empty() { Ok(()) } else { Err(Refused::Fields(self.wrong)) }
    }
}

pub(super) fn is_url(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

/// A chat as its provider names it.
pub(super) fn chat(name: &str, text: &str) -> Result<ExternalChat, Refused> {
    ExternalChat::new(text)
        .filter(|_| !domain::missing::is_in_id(text))
        .ok_or_else(|| Refused::field("body", name, "Input should be the id of a chat", "value_error"))
}

/// A text or number of a list as text.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}
