//! JSON bodies: what is wrong with one is told by field, with the nearest name that is known.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;

use super::body::read_body;
use super::object::Object;
use crate::problem::{Code, FieldError, Problem};
use crate::state::State;

/// A JSON object, read into `T`, and the bytes that it was read from.
pub(crate) struct Json<T> {
    pub(crate) value: T,
    pub(crate) raw: Bytes,
}

impl<T: DeserializeOwned> FromRequest<State> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &State) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        if !is_json(&parts.headers) {
            return Err(Problem::new(
                Code::UnsupportedMediaType,
                "The body must be JSON; send it with Content-Type: application/json.",
            ));
        }
        let raw = read_body(&parts.headers, body, state.limits()).await?;
        Ok(Self { value: parse(&raw)?, raw })
    }
}

/// Whether the body says that it is JSON, or says nothing.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE) else { return true };
    let Ok(value) = value.to_str() else { return false };
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
        || essence.rsplit_once('+').is_some_and(|(_, suffix)| suffix.eq_ignore_ascii_case("json"))
}

/// Reads one JSON object.
pub(crate) fn parse<T: DeserializeOwned>(raw: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(raw);
    let value = serde_path_to_error::deserialize::<_, Object<T>>(&mut deserializer).map_err(|error| {
        // A wrong field may stand before the place where the body stops being JSON: that comes first.
        match serde_json::from_slice::<IgnoredAny>(raw) {
            Err(syntax) => explain(".", &syntax),
            Ok(_) => explain(&error.path().to_string(), error.inner()),
        }
    })?;
    deserializer.end().map_err(|error| explain(".", &error))?;
    Ok(value.0)
}

fn explain(path: &str, error: &serde_json::Error) -> Problem {
    match error.classify() {
        Category::Data => Problem::fields(vec![field_error(path, &error.to_string())]),
        Category::Eof if error.line() == 1 && error.column() == 0 => {
            Problem::new(Code::InvalidJson, "The body is empty; send a JSON object.")
        }
        Category::Syntax | Category::Eof | Category::Io => {
            Problem::new(Code::InvalidJson, format!("The body is not JSON: {error}."))
        }
    }
}

/// Turns what the reader says into a field and a message.
fn field_error(path: &str, said: &str) -> FieldError {
    // The reader adds where it stood; the field says it better.
    let said = said.rsplit_once(" at line ").map_or(said, |(message, _)| message);
    let path = if path == "." { "" } else { path };
    let mut quoted = said.split('`').skip(1).step_by(2);
    if said.starts_with("unknown field ")
        && let Some(found) = quoted.next()
    {
        let field = if path == found || path.ends_with(&format!(".{found}")) {
            path.to_owned()
        } else {
            join(path, found)
        };
        return FieldError::new(field, unknown(found, quoted));
    }
    if said.starts_with("missing field ")
        && let Some(missing) = quoted.next()
    {
        return FieldError::new(join(path, missing), "is missing");
    }
    if said.starts_with("duplicate field ")
        && let Some(doubled) = quoted.next()
    {
        return FieldError::new(join(path, doubled), "is there twice");
    }
    FieldError::new(path, format!("is wrong: {said}"))
}

fn join(path: &str, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}

/// Says that a name is not known, and which known one is nearest.
pub(super) fn unknown<'a>(found: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    let nearest = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(found, name), *name))
        .min()
        .filter(|(distance, name)| *distance <= (name.len().max(found.len()) / 2).max(1));
    match nearest {
        Some((_, name)) => format!("is not known; did you mean {name:?}?"),
        None => format!("is not known; known are {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        user_id: Option<i64>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        text: String,
        wait: Option<u8>,
        inner: Option<Object<Inner>>,
    }

    fn errors(raw: &str) -> (Code, String) {
        let problem = parse::<Outer>(raw.as_bytes()).expect_err("a problem");
        (problem.code(), problem.detail().to_owned())
    }

    #[test]
    fn what_is_not_json_is_told_apart_from_what_is_wrong() {
        for raw in ["", "{", "{\"text\":\"x\"} x", "\u{feff}", "nul", "{\"text\":\"\\ud800\"}"] {
            assert_eq!(errors(raw).0, Code::InvalidJson, "{raw:?}");
        }
        for raw in ["[]", "1", "null", "\"x\"", "[\"x\",1,null]"] {
            assert_eq!(errors(raw).0, Code::InvalidRequest, "{raw:?}");
        }
    }

    #[test]
    fn the_field_is_named() {
        for (raw, detail) in [
            ("{}", "The field \"text\" is missing."),
            ("{\"text\":1}", "The field \"text\" is wrong: invalid type: integer `1`, expected a string."),
            ("{\"txt\":\"x\"}", "The field \"txt\" is not known; did you mean \"text\"?"),
            (
                "{\"text\":\"x\",\"inner\":{\"user\":1}}",
                "The field \"inner.user\" is not known; did you mean \"user_id\"?",
            ),
            (
                "{\"text\":\"x\",\"inner\":[1]}",
                "The field \"inner\" is wrong: invalid type: sequence, expected an object.",
            ),
            ("{\"text\":\"x\",\"text\":\"y\"}", "The field \"text\" is there twice."),
        ] {
            assert_eq!(errors(raw), (Code::InvalidRequest, detail.to_owned()), "{raw}");
        }
    }

    #[test]
    fn a_name_like_none_gets_the_list() {
        let problem = errors("{\"zzzzzzzzzzzz\":1}").1;
        assert!(problem.contains("known are text, wait, inner"), "{problem}");
    }

    #[test]
    fn media_types() {
        for (value, json) in [
            ("application/json", true),
            ("application/json; charset=utf-8", true),
            ("Application/JSON", true),
            ("application/vnd.x+json", true),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, value.parse().expect("a value"))]);
            assert_eq!(is_json(&headers), json, "{value}");
        }
    }
}
