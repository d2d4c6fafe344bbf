//! The words of people in answers: a key without the scope `read` gets none, whatever call it makes.
//!
//! The fields that have some are marked with `x-words` in the schemas of the answers, and so in the OpenAPI document.

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request};
use axum::response::{IntoResponse, Response};
use http::Method;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use serde_json::{Value, json};

use crate::problem::{Code, Problem};

/// How a field with words of people is marked.
const MARK: &str = "x-words";
/// The largest answer that words are taken out of, in bytes.
const LARGEST: usize = 32 * 1024 * 1024;

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::to_value(crate::router::document()).unwrap_or_default());

/// The schemas of what each call answers when it goes well.
static ANSWERS: LazyLock<HashMap<(String, String), Vec<&'static Value>>> = LazyLock::new(|| {
    let mut answers = HashMap::new();
    for (path, route) in DOCUMENT["paths"].as_object().into_iter().flatten() {
        for (method, call) in route.as_object().into_iter().flatten() {
            let good = call["responses"].as_object().into_iter().flatten();
            let good = good.filter(|(status, _)| status.starts_with('2'));
            let schemas: Vec<_> =
                good.map(|(_, answer)| &answer["content"]["application/json"]["schema"]).collect();
            answers.insert((method.to_uppercase(), path.clone()), schemas);
        }
    }
    answers
});

/// A call of the API, by its method and the template of its path.
pub(crate) struct Call {
    method: Method,
    path: Option<MatchedPath>,
}

impl Call {
    pub(crate) fn of(request: &Request) -> Self {
        Self { method: request.method().clone(), path: request.extensions().get::<MatchedPath>().cloned() }
    }

    fn schemas(self) -> &'static [&'static Value] {
        let path = self.path.as_ref().map_or("", MatchedPath::as_str);
        let known = ANSWERS.get(&(self.method.to_string(), path.to_owned()));
        known.map(Vec::as_slice).unwrap_or_default()
    }
}

/// Takes the words of people out of an answer.
pub(crate) async fn withhold(call: Call, answer: Response) -> Response {
    let is_json = answer.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    let schemas = call.schemas();
    if !is_json || !answer.status().is_success() || schemas.is_empty() {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    let read = to_bytes(body, LARGEST).await.map_err(|error| error.to_string());
    let read =
        read.and_then(|body| serde_json::from_slice::<Value>(&body).map_err(|error| error.to_string()));
    match read {
        Ok(mut value) => {
            for schema in schemas {
                strip(&mut value, schema);
            }
            parts.headers.remove(CONTENT_LENGTH);
            Response::from_parts(parts, Body::from(value.to_string()))
        }
        Err(error) => {
            tracing::error!(error, "an answer could not be read to take the words of people out of it");
            Problem::new(Code::Internal, "It is done, but the answer could not be written; see the log.")
                .into_response()
        }
    }
}

/// Empties what the schema marks.
fn strip(value: &mut Value, schema: &Value) {
    let schema = resolved(schema);
    for choice in ["allOf", "anyOf", "oneOf"] {
        for schema in schema[choice].as_array().into_iter().flatten() {
            strip(value, schema);
        }
    }
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let own = &schema["properties"][name];
                let of_field = if own.is_null() { &schema["additionalProperties"] } else { own };
                if of_field[MARK] == true {
                    *value = empty(of_field, value);
                } else {
                    strip(value, of_field);
                }
            }
        }
        Value::Array(items) if schema["items"][MARK] == true => items.clear(),
        Value::Array(items) => items.iter_mut().for_each(|item| strip(item, &schema["items"])),
        _ => {}
    }
}

fn resolved(schema: &Value) -> &Value {
    let name = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/components/schemas/"));
    name.map_or(schema, |name| &DOCUMENT["components"]["schemas"][name])
}

/// Nothing, as the schema allows it.
fn empty(schema: &Value, value: &Value) -> Value {
    let kinds = &schema["type"];
    let may_be_null = kinds.as_array().is_some_and(|kinds| kinds.contains(&json!("null")));
    match value {
        _ if may_be_null => Value::Null,
        Value::String(_) => json!(""),
        Value::Array(_) => json!([]),
        _ => Value::Null,
    }
}
