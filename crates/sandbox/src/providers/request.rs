//! A call to a provider, and its reply, without HTTP.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// A call.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// `GET`, `POST`…
    pub(crate) method: String,
    /// Below the provider's address, with the slash that it begins with.
    pub(crate) path: String,
    /// What comes after the `?`.
    pub(crate) query: String,
    /// The header of this name.
    pub(crate) authorization: Option<String>,
    /// The body, if it is a text.
    pub(crate) body: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// Where the caller is sent on.
    pub(crate) location: Option<&'static str>,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self { status, body: body.to_string(), location: None }
    }
}

impl Request {
    /// The parameters of the query.
    pub(crate) fn query(&self) -> BTreeMap<String, String> {
        pairs(&self.query)
    }

    /// The fields of the form in the body.
    pub(crate) fn form(&self) -> BTreeMap<String, String> {
        pairs(&self.body)
    }

    /// Token and method of a call to the Bot API.
    pub(crate) fn bot_call(&self) -> Option<(&str, &str)> {
        self.path.strip_prefix("/bot")?.split_once('/')
    }

    /// The parameters of query and body, which is JSON or a form.
    pub(crate) fn parameters(&self) -> Map<String, Value> {
        let mut all: Map<String, Value> =
            self.query().into_iter().map(|(name, value)| (name, Value::String(value))).collect();
        match serde_json::from_str(&self.body) {
            Ok(Value::Object(fields)) => all.extend(fields),
            _ => all.extend(self.form().into_iter().map(|(name, value)| (name, Value::String(value)))),
        }
        all
    }

    /// The token after `Bearer `.
    pub(crate) fn bearer(&self) -> Option<&str> {
        self.authorization.as_deref()?.strip_prefix("Bearer ")
    }
}

/// The pairs of a form, as `application/x-www-form-urlencoded` has them.
fn pairs(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next().unwrap_or(b'0'), rest.next().unwrap_or(b'0')];
                hex::decode(digits).ok().and_then(|one| one.first().copied()).unwrap_or(b'?')
            }
            other => other,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn forms_are_read_as_they_are_written() {
        let read = pairs("a=1&b=x%20y+z&c=%D0%B6&d=&e&=f&g=%zz%4");
        let read: Vec<_> = read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(read, [("", "f"), ("a", "1"), ("b", "x y z"), ("c", "ж"), ("d", ""), ("g", "?@")]);
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_as_a_form(text in ".{0,80}") {
            let _ = pairs(&text);
        }
    }
}
