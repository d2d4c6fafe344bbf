//! JSON bodies: errors are reported by field, with the nearest name that is known.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::body::read_body;
use super::lenient::{self, Read};
use crate::problem::{Code, FieldError, Problem};
use crate::state::State;

/// A JSON object, read into `T`.
pub(crate) struct Json<T> {
    pub(crate) value: T,
}

impl<T: DeserializeOwned> FromRequest<State> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &State) -> Result<Self, Problem> {
        let value = Unchecked::from_request(request, state).await?.checked(Ok)?;
        Ok(Self { value })
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

/// Reads one JSON object; all its errors are reported at once.
#[cfg(test)]
pub(crate) fn parse<T: DeserializeOwned>(raw: &[u8]) -> Result<T, Problem> {
    Unchecked::of(raw.to_vec().into())?.checked(Ok)
}

/// A body whose fields may be wrong, for handlers with rules of their own: what those find wrong is reported together with
/// what could not be read.
pub(crate) struct Unchecked<T> {
    read: Read<T>,
    pub(crate) raw: Bytes,
}

impl<T: DeserializeOwned> Unchecked<T> {
    pub(crate) fn of(mut raw: Bytes) -> Result<Self, Problem> {
        // Editors of Windows put a byte order mark before the text.
        if raw.starts_with("\u{feff}".as_bytes()) {
            raw = raw.slice("\u{feff}".len()..);
        }
        let node = serde_json::from_slice(&raw).map_err(|error| explain(&error))?;
        Ok(Self { read: lenient::read(&node), raw })
    }

    pub(crate) fn checked<U>(self, check: impl FnOnce(T) -> Result<U, Problem>) -> Result<U, Problem> {
        let Read { value, mut wrong } = self.read;
        let checked = value.map(check);
        if wrong.is_empty() {
            return checked
                .unwrap_or_else(|| Err(Problem::fields(vec![FieldError::new("", "cannot be read")])));
        }
        if let Some(Err(problem)) = checked {
            let is_news = |error: &&FieldError| {
                let is_reported = |known: &FieldError| {
                    known.field.starts_with(&error.field) || error.field.starts_with(&known.field)
                };
                !wrong.iter().any(is_reported)
            };
            let news: Vec<_> = problem.errors().iter().filter(is_news).cloned().collect();
            wrong.extend(news);
        }
        Err(Problem::fields(wrong))
    }
}

impl<T: DeserializeOwned> FromRequest<State> for Unchecked<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &State) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        if !is_json(&parts.headers) {
            return Err(Problem::new(
                Code::UnsupportedMediaType,
                "The body must be JSON; send it with Content-Type: application/json.",
            ));
        }
        Self::of(read_body(&parts.headers, body, &state.limits()).await?)
    }
}

fn explain(error: &serde_json::Error) -> Problem {
    match error.classify() {
        Category::Eof if error.line() == 1 && error.column() == 0 => {
            Problem::new(Code::InvalidJson, "The body is empty; send a JSON object.")
        }
        Category::Syntax | Category::Eof | Category::Io | Category::Data => {
            Problem::new(Code::InvalidJson, format!("The body is not JSON: {error}."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Object;
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
    fn invalid_json_is_distinguished_from_invalid_fields() {
        for raw in ["", "{", "{\"text\":\"x\"} x", "\u{feff}", "nul", "{\"text\":\"\\ud800\"}"] {
            assert_eq!(errors(raw).0, Code::InvalidJson, "{raw:?}");
        }
        for raw in ["[]", "1", "null", "\"x\"", "[\"x\",1,null]"] {
            assert_eq!(errors(raw).0, Code::InvalidRequest, "{raw:?}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_text() {
        let read = parse::<Outer>("\u{feff}{\"text\":\"x\"}".as_bytes()).expect("an object");
        assert_eq!(read.text, "x");
    }

    #[test]
    fn the_invalid_field_is_named() {
        for (raw, detail) in [
            ("{}", "The field \"text\" is missing."),
            ("{\"text\":[1]}", "The field \"text\" is wrong: write text."),
            ("{\"txt\":\"x\"}", "2 fields are wrong; see errors."),
            ("{\"text\":\"x\",\"wiat\":1}", "The field \"wiat\" is not known; did you mean \"wait\"?"),
            (
                "{\"text\":\"x\",\"inner\":{\"user\":1}}",
                "The field \"inner.user\" is not known; did you mean \"user_id\"?",
            ),
            ("{\"text\":\"x\",\"inner\":[1]}", "The field \"inner\" is wrong: write an object."),
            ("{\"text\":\"x\",\"text\":\"y\"}", "The field \"text\" is there twice."),
        ] {
            assert_eq!(errors(raw), (Code::InvalidRequest, detail.to_owned()), "{raw}");
        }
    }

    #[test]
    fn a_field_name_like_no_other_gets_the_list_of_fields() {
        let problem = errors("{\"text\":\"x\",\"zzzzzzzzzzzz\":1}").1;
        assert!(problem.contains("known are text, wait, inner"), "{problem}");
    }

    #[test]
    fn json_media_types_are_recognized() {
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
