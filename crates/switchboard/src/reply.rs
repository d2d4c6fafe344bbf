//! Answers of the API: JSON, or an error.

use anyhow::Context;
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Bytes};
use hyper::{Response, StatusCode};
use serde_json::Value;

use crate::cli_errors;

/// The largest answer read.
const LARGEST: usize = 16 * 1024 * 1024;

/// An error that the API answered. Displays its detail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub(crate) struct ApiError {
    /// The stable word for what went wrong, or nothing if the answer was no problem document.
    pub(crate) code: String,
    /// What happened, and what to do about it.
    pub(crate) detail: String,
    /// The fields that are wrong, where it is about fields.
    pub(crate) fields: Vec<String>,
}

impl ApiError {
    /// The refusal in an error, if it is one.
    pub(crate) fn of(error: &anyhow::Error) -> Option<&Self> {
        error.downcast_ref()
    }

    /// Whether it is about this field and no other.
    pub(crate) fn is_about(&self, field: &str) -> bool {
        self.fields == [field]
    }

    fn read(problem: &Value) -> Self {
        let text = |field: &str| problem[field].as_str().map(str::to_owned);
        let summary = text("detail")
            .or_else(|| text("title"))
            // `/health/ready` has a word there, problem documents a number.
            .or_else(|| text("status").map(|status| format!("the server is not ready: {status}")))
            .unwrap_or_else(|| "the server refused without a word".to_owned());
        let word = |error: &Value, name: &str| error[name].as_str().unwrap_or_default().to_owned();
        let errors = problem["errors"].as_array().into_iter().flatten();
        let errors: Vec<_> = errors.map(|error| (word(error, "field"), word(error, "message"))).collect();
        let wrong: Vec<_> =
            errors.iter().map(|(field, message)| cli_errors::of_field(field, message)).collect();
        let detail = match wrong.as_slice() {
            [] => cli_errors::of_text(&summary),
            [only] => only.clone(),
            several => format!("not all of this can be taken:\n  {}", several.join("\n  ")),
        };
        let fields = errors.into_iter().map(|(field, _)| field).collect();
        Self { code: text("code").unwrap_or_default(), detail, fields }
    }
}

/// Reads an answer; one that is no success is a [`ApiError`].
pub(crate) async fn read<B>(answer: Response<B>) -> anyhow::Result<Value>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let status = answer.status();
    let body = Limited::new(answer.into_body(), LARGEST)
        .collect()
        .await
        .map_err(|error| anyhow::anyhow!("the server's answer: {error}"))?
        .to_bytes();
    if status == StatusCode::NO_CONTENT || body.is_empty() && status.is_success() {
        return Ok(Value::Null);
    }
    let value: Value = serde_json::from_slice(&body).context("the server's answer is not JSON")?;
    if status.is_success() { Ok(value) } else { Err(ApiError::read(&value).into()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_refusal_has_its_word_and_every_field_that_is_wrong() {
        let one = json!({ "code": "code_invalid", "detail": "It is wrong." });
        let refused = ApiError::read(&one);
        assert_eq!((refused.code.as_str(), refused.to_string().as_str()), ("code_invalid", "It is wrong."));
        let several = json!({ "detail": "2 fields are wrong; see errors.", "errors": [
            { "field": "name", "message": "is missing" }, { "field": "api_id", "message": "is wrong" } ] });
        assert!(ApiError::read(&several).detail.ends_with("\n  the name is missing\n  --api-id is wrong"));
        assert!(!ApiError::read(&several).is_about("name"));
        let one =
            json!({ "detail": "It is wrong.", "errors": [{ "field": "phone", "message": "is wrong" }] });
        assert!(ApiError::read(&one).is_about("phone") && !ApiError::read(&one).is_about("name"));
        assert_eq!(ApiError::read(&one).detail, "the phone number (--phone) is wrong");
        assert!(!ApiError::read(&json!({})).detail.is_empty());
    }
}
