//! What a call of the Bot API is given: JSON, a form, a query or parts, all read alike.

use serde_json::{Map, Value};

use crate::channels::request::{FormPart, Request};

/// The parameters and files of a call.
#[derive(Debug, Default, Clone)]
pub(super) struct Given {
    fields: Map<String, Value>,
    files: Vec<FormPart>,
}

impl Given {
    pub(super) fn read(request: &Request) -> Self {
        let mut given = Self::default();
        let text = |(name, value)| (name, Value::String(value));
        given.fields.extend(request.query().into_iter().map(text));
        let kind = request.header("content-type").unwrap_or_default();
        if kind.starts_with("multipart/") {
            for part in request.parts() {
                if part.file_name.is_some() {
                    given.files.push(part);
                } else {
                    let value = String::from_utf8_lossy(&part.content).into_owned();
                    given.fields.insert(part.name, Value::String(value));
                }
            }
        } else if kind.starts_with("application/json") {
            given.fields.extend(request.json().as_object().cloned().unwrap_or_default());
        } else {
            given.fields.extend(request.form().into_iter().map(text));
        }
        given
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// A number, which a form has as text.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        let value = self.fields.get(name)?;
        value.as_i64().or_else(|| value.as_str()?.parse().ok())
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        let value = self.fields.get(name);
        value.is_some_and(|value| value.as_bool().unwrap_or(value.as_str() == Some("true")))
    }

    /// An object or a list, which a form has as the text of it; `Null` where it is none.
    pub(super) fn nested(&self, name: &str) -> Value {
        match self.fields.get(name) {
            Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
            Some(other) => other.clone(),
            None => Value::Null,
        }
    }

    /// The call that would send one item of an album by itself.
    pub(super) fn alone(&self, field: &str, item: &Value, is_first: bool) -> Self {
        let mut alone = self.clone();
        alone.fields.remove("media");
        for name in ["caption", "caption_entities", "parse_mode"] {
            alone.fields.extend(item.get(name).map(|value| (name.to_owned(), value.clone())));
        }
        alone.fields.insert(field.to_owned(), item["media"].clone());
        if !is_first {
            alone.fields.remove("reply_parameters");
        }
        alone
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    pub(super) fn file(&self, name: &str) -> Option<&FormPart> {
        self.files.iter().find(|file| file.name == name)
    }
}
