//! How the endpoint refuses: OpenAI's error object.

use serde_json::json;

use crate::channels::Reply;

/// A call that is refused.
#[derive(Debug, PartialEq)]
pub(super) struct Refusal {
    status: u16,
    message: String,
    kind: &'static str,
    param: Option<String>,
    code: Option<&'static str>,
}

impl Refusal {
    pub(super) fn reply(&self) -> Reply {
        let Self { status, message, kind, param, code } = self;
        let error = json!({ "message": message, "type": kind, "param": param, "code": code });
        Reply::json(*status, &json!({ "error": error }))
    }

    fn request(status: u16, message: String) -> Self {
        Self { status, message, kind: "invalid_request_error", param: None, code: None }
    }

    /// A field is wrong.
    pub(super) fn field(
        param: impl Into<String>,
        code: Option<&'static str>,
        message: impl Into<String>,
    ) -> Self {
        Self { param: Some(param.into()), code, ..Self::request(400, message.into()) }
    }

    /// Something is wrong that no field is to blame for.
    pub(super) fn whole(message: impl Into<String>) -> Self {
        Self::request(400, message.into())
    }

    pub(super) fn missing(param: &str) -> Self {
        let code = Some("missing_required_parameter");
        Self::field(param, code, format!("Missing required parameter: '{param}'."))
    }

    /// A field is of another type.
    pub(super) fn kind(param: impl Into<String>, wanted: &str) -> Self {
        let param = param.into();
        let message = format!("Invalid type for '{param}': expected {wanted}.");
        Self::field(param, Some("invalid_type"), message)
    }

    pub(super) fn no_key() -> Self {
        let words = "You didn't provide an API key. You need to provide it in an Authorization header using Bearer auth.";
        Self::request(401, words.to_owned())
    }

    pub(super) fn wrong_key() -> Self {
        let message = "Incorrect API key provided.".to_owned();
        Self { code: Some("invalid_api_key"), ..Self::request(401, message) }
    }

    pub(super) fn no_model(name: &str) -> Self {
        let message = format!("The model `{name}` does not exist or you do not have access to it.");
        Self { code: Some("model_not_found"), ..Self::request(404, message) }
    }

    pub(super) fn wrong_model(name: &str) -> Self {
        let message = format!("`{name}` is not a model for this endpoint.");
        Self { param: Some("model".to_owned()), ..Self::request(404, message) }
    }

    pub(super) fn no_path(method: &str, path: &str) -> Self {
        Self::request(404, format!("Invalid URL ({method} /v1{path})"))
    }

    pub(super) fn wrong_method(method: &str, path: &str) -> Self {
        let message = format!("Not allowed to {method} on /v1{path}.");
        Self { code: Some("method_not_supported"), ..Self::request(405, message) }
    }

    pub(super) fn too_large(limit: usize, size: usize) -> Self {
        let message = format!("Maximum content size limit ({limit}) exceeded ({size} bytes read)");
        Self { kind: "server_error", ..Self::request(413, message) }
    }

    pub(super) fn too_many(seconds: u64) -> Self {
        let message = format!("Rate limit reached for requests. Please try again in {seconds}s.");
        Self { kind: "requests", code: Some("rate_limit_exceeded"), ..Self::request(429, message) }
    }

    pub(super) fn server_error(status: u16) -> Self {
        let message = "The server had an error while processing your request.".to_owned();
        Self { kind: "server_error", ..Self::request(status, message) }
    }
}
