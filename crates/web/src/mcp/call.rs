//! A call of the API: the request that the arguments of a tool make, and the result that its answer is. Pure.

use axum::body::Body;
use domain::{SpokenText, Unspoken};
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use mcp::{CallToolResult, ContentBlock, JsonObject};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::problem::{Code, FieldError, Problem};

/// What models read about the argument that makes a repeat safe.
pub(super) const IDEMPOTENCY_KEY: &str = "1 to 255 visible ASCII characters without spaces, made up by you for this one: a new \
    text for each new thing, the same text when a call is repeated because its result was not seen. With it a repeat changes \
    nothing more.";

/// How a call is made.
pub(super) struct ApiCall {
    method: Method,
    path: String,
    parameters: Vec<Parameter>,
    has_body: bool,
}

/// A parameter of a call, which is an argument of the tool.
pub(super) struct Parameter {
    pub(super) argument: String,
    name: String,
    pub(super) location: ParameterLocation,
    pub(super) required: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ParameterLocation {
    Path,
    Query,
    /// The one header that a call takes is the key of a repeat.
    Header,
}

impl ApiCall {
    /// Reads it from its description in the OpenAPI document.
    pub(super) fn new(method: &str, path: &str, described: &Value) -> Option<Self> {
        let parameters = described["parameters"].as_array().into_iter().flatten();
        let parameters: Option<Vec<Parameter>> = parameters.map(Parameter::new).collect();
        Some(Self {
            method: method.to_uppercase().parse().ok()?,
            path: path.to_owned(),
            parameters: parameters?,
            has_body: described["requestBody"].is_object(),
        })
    }

    pub(super) fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The request that these arguments make. What no parameter takes is a field of the body, or else a part of the query, where
    /// the API says that it does not know it.
    pub(super) fn request(&self, mut arguments: JsonObject) -> Result<Request<Body>, Problem> {
        let (mut path, mut query) = (self.path.clone(), Vec::new());
        let (mut headers, mut missing) = (Vec::new(), Vec::new());
        for parameter in &self.parameters {
            let given = arguments.remove(&parameter.argument).as_ref().and_then(text);
            let Some(value) = given else {
                if parameter.required {
                    missing.push(parameter.is_missing());
                }
                continue;
            };
            match parameter.location {
                ParameterLocation::Path => {
                    path = path.replace(&format!("{{{}}}", parameter.name), &encoded(&value));
                }
                ParameterLocation::Query => query.push((parameter.name.clone(), value)),
                ParameterLocation::Header => headers.push((parameter, value)),
            }
        }
        if !missing.is_empty() {
            return Err(Problem::fields(missing));
        }
        let body = if self.has_body {
            Body::from(Value::Object(arguments).to_string())
        } else {
            query.extend(arguments.into_iter().filter_map(|(name, value)| Some((name, text(&value)?))));
            Body::empty()
        };
        for (index, (name, value)) in query.iter().enumerate() {
            path.push(if index == 0 { '?' } else { '&' });
            path.push_str(&encoded(name));
            path.push('=');
            path.push_str(&encoded(value));
        }
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = path.parse().map_err(|_| {
            Problem::fields(vec![FieldError::new("", "has arguments that are too long for an address")])
        })?;
        if self.has_body {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        for (parameter, value) in headers {
            let (name, value) = (parameter.name.parse::<HeaderName>(), HeaderValue::from_str(&value));
            let (Ok(name), Ok(value)) = (name, value) else {
                let error = FieldError::new(&parameter.argument, "has characters other than visible ASCII");
                return Err(Problem::fields(vec![error]));
            };
            request.headers_mut().insert(name, value);
        }
        Ok(request)
    }
}

impl Parameter {
    fn new(described: &Value) -> Option<Self> {
        let name = described["name"].as_str()?.to_owned();
        let location = match described["in"].as_str()? {
            "path" => ParameterLocation::Path,
            "query" => ParameterLocation::Query,
            "header" => ParameterLocation::Header,
            _ => return None,
        };
        Some(Self {
            argument: name.to_lowercase().replace('-', "_"),
            name,
            location,
            // Models repeat calls whose results they did not see, so what changes something always has its key.
            required: location == ParameterLocation::Header || described["required"] == true,
        })
    }

    fn is_missing(&self) -> FieldError {
        let message = match self.location {
            ParameterLocation::Header => {
                "is missing; make up a text for this one, and repeat it when the call is repeated"
            }
            ParameterLocation::Path | ParameterLocation::Query => "is missing",
        };
        FieldError::new(&self.argument, message)
    }
}

/// A value as text; nothing and empty text are none.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        other => Some(other.to_string()),
    }
}

pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// Has the text that a model would send pass the gate for its words. Without a parse mode its Markdown would be shown as it is.
pub(super) fn speak(arguments: &mut JsonObject) -> Result<(), Problem> {
    let mode =
        arguments.get("parse_mode").and_then(|mode| mode.as_str()).unwrap_or_default().trim().to_lowercase();
    let has_mode = !matches!(mode.as_str(), "" | "none");
    let Some(text) = arguments.get_mut("text") else { return Ok(()) };
    match text.as_str().map(SpokenText::read) {
        Some(Ok(spoken)) if !has_mode => *text = spoken.plain().into(),
        // The API reads the markup, but the thoughts and tokens go before.
        Some(Ok(_) | Err(Unspoken::Markup)) if has_mode => {
            let said = text.as_str().map(domain::spoken::without_thoughts);
            if let Some(Ok(answer)) = said {
                *text = answer.into();
            }
        }
        // The API says that it is empty.
        None | Some(Ok(_) | Err(Unspoken::Empty)) => {}
        Some(Err(why)) => {
            let message = format!("is not for the person it goes to: {why}; send the answer alone");
            return Err(Problem::fields(vec![FieldError::new("text", message)]));
        }
    }
    Ok(())
}

/// The result of a tool: what the API answered, or its problem.
pub(super) fn result(status: StatusCode, body: &[u8]) -> CallToolResult {
    match serde_json::from_slice(body) {
        Ok(value) if status.is_success() => CallToolResult::structured(value),
        Ok(problem) => refused(problem),
        Err(error) => {
            tracing::error!(%error, %status, "an answer of the API is not JSON");
            failed(&Problem::new(Code::Internal, "The answer could not be read; the log says why."))
        }
    }
}

/// A problem as the result of a tool, which the model sees and can act on.
pub(super) fn failed(problem: &Problem) -> CallToolResult {
    refused(json!(problem.body()))
}

fn refused(mut problem: Value) -> CallToolResult {
    if let Some(fields) = problem.as_object_mut() {
        // An address on this server, which a model cannot open.
        fields.remove("type");
    }
    CallToolResult::error(vec![ContentBlock::text(problem.to_string())])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(method: &str, has_body: bool) -> ApiCall {
        let mut described = json!({ "parameters": [
            { "name": "chat_id", "in": "path", "required": true },
            { "name": "q", "in": "query" },
            { "name": "limit", "in": "query" },
        ] });
        if has_body {
            described["parameters"] =
                json!([{ "name": "Idempotency-Key", "in": "header", "required": false }]);
            described["requestBody"] = json!({});
        }
        ApiCall::new(
            method,
            if has_body { "/v1/messages" } else { "/v1/chats/{chat_id}/messages" },
            &described,
        )
        .expect("a call")
    }

    fn request(call: &ApiCall, arguments: Value) -> Result<Request<Body>, Problem> {
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        call.request(arguments)
    }

    #[test]
    fn arguments_go_into_the_path_and_the_query() {
        let look = call("get", false);
        let uri_of = |arguments| request(&look, arguments).expect("a request").uri().to_string();
        assert_eq!(
            uri_of(json!({ "chat_id": "avito:shop/u2i-1", "q": "a&b=c", "limit": 5 })),
            "/v1/chats/avito%3Ashop%2Fu2i%2D1/messages?q=a%26b%3Dc&limit=5"
        );
        assert_eq!(uri_of(json!({ "chat_id": -100, "q": "", "limit": null })), "/v1/chats/%2D100/messages");
        assert_eq!(
            uri_of(json!({ "chat_id": "../x", "far": true })),
            "/v1/chats/%2E%2E%2Fx/messages?far=true"
        );
        let refused = request(&look, json!({ "q": "a" })).expect_err("no chat");
        assert_eq!(json!(refused.body())["errors"][0]["field"], "chat_id");
    }

    #[test]
    fn changing_calls_have_a_key_and_a_body() {
        let send = call("post", true);
        let http_request =
            request(&send, json!({ "idempotency_key": "a-1", "chat": "@demo_channel" })).expect("a request");
        assert_eq!((http_request.method(), http_request.uri().path()), (&Method::POST, "/v1/messages"));
        assert_eq!(http_request.headers()["idempotency-key"], "a-1");
        assert_eq!(http_request.headers()[CONTENT_TYPE], "application/json");
        for key in [json!(null), json!(""), json!("a\nb")] {
            let refused = request(&send, json!({ "idempotency_key": key })).expect_err("no key");
            assert_eq!(json!(refused.body())["errors"][0]["field"], "idempotency_key", "{key}");
        }
    }

    #[test]
    fn what_a_model_sends_passes_the_gate() {
        let spoken = |text: &str, mode: Value| {
            let Value::Object(mut arguments) = json!({ "text": text, "parse_mode": mode }) else {
                panic!("an object")
            };
            speak(&mut arguments).map(|()| arguments["text"].clone()).map_err(|problem| json!(problem.body()))
        };
        assert_eq!(spoken("**Yes**", json!(null)), Ok(json!("Yes")));
        assert_eq!(spoken("<b>Yes</b>", json!("html")), Ok(json!("<b>Yes</b>")));
        for text in ["<think>Hm", "Yes <tool_call>", "Yes<|im_end|> No"] {
            let refused = spoken(text, json!("html")).expect_err("a mark is left");
            assert_eq!(refused["errors"][0]["field"], "text", "{text}");
        }
    }

    #[test]
    fn a_problem_is_an_error_that_says_its_code() {
        let problem = Problem::new(Code::RateLimited, "Wait a little.").retry_after(3);
        let output = json!(failed(&problem));
        assert_eq!(output["isError"], true);
        let body: Value =
            serde_json::from_str(output["content"][0]["text"].as_str().expect("text")).expect("JSON");
        assert_eq!((&body["code"], &body["retry_after"]), (&json!("rate_limited"), &json!(3)));
        assert_eq!(json!(result(StatusCode::OK, b"<html>"))["isError"], true);
    }
}
