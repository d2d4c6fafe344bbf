//! An endpoint that speaks as OpenAI's: its address and key, and how calls of it fail.

use std::time::Duration;

use ambient::Clock;
use channels::CallError;
use channels::http::{Answer, Http};
use domain::SecretText;
use domain::secret::{ExposeSecret, Words};
use outbound::RequestBuilder;
use outbound::header::{AUTHORIZATION, HeaderValue};
use serde_json::Value;

/// The greatest answer that is read.
const LARGEST: u64 = 1024 * 1024;
/// The most characters of an error's words that are kept.
const LONGEST: usize = 300;

/// Where a model is asked.
#[derive(Clone)]
pub struct Endpoint {
    http: Http,
    base: String,
    key: Option<HeaderValue>,
}

/// Why there is no such endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WrongEndpoint {
    #[error("must begin with http:// or https://, such as https://api.openai.com/v1")]
    Address,
    #[error("has characters that no key has")]
    Key,
}

/// Why there is no answer. No error has the key, nor words of customers in what it displays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    #[error("the model has not answered within {} s", .0.as_secs())]
    Timeout(Duration),
    #[error("the endpoint refuses the key ({0}); give it one that may use the model")]
    Unauthorized(u16),
    #[error("the endpoint wants to be paid before it answers")]
    OutOfFunds,
    #[error("the endpoint wants fewer calls")]
    RateLimited {
        /// For so long it wants none, where it says so.
        retry_after: Option<Duration>,
    },
    #[error("the endpoint has an error of its own ({0})")]
    Unavailable(u16),
    /// No connection: certainly nothing was asked.
    #[error("the endpoint cannot be reached: {0}")]
    Unreached(String),
    #[error("the connection to the endpoint broke: {0}")]
    Broken(String),
    #[error("the endpoint answered something that cannot be read: {0}")]
    Unreadable(String),
    /// The request is wrong, or there is no such model.
    #[error("the endpoint refuses the request ({status}{})", of_what(.code.as_ref(), .param.as_ref()))]
    Refused {
        status: u16,
        code: Option<String>,
        /// The field that is to blame.
        param: Option<String>,
        /// What the endpoint says. It may quote what was asked.
        message: Words,
    },
}

fn of_what(code: Option<&String>, param: Option<&String>) -> String {
    let code = code.map(|code| format!(", {code}")).unwrap_or_default();
    code + &param.map(|param| format!(", `{param}`")).unwrap_or_default()
}

impl AskError {
    /// Whether it is certain that the call cost nothing.
    pub const fn costs_nothing(&self) -> bool {
        !matches!(self, Self::Timeout(_) | Self::Broken(_) | Self::Unreadable(_) | Self::Unavailable(_))
    }
}

impl From<CallError> for AskError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::NoAnswer(limit) => Self::Timeout(limit),
            CallError::Unreached(why) => Self::Unreached(why),
            CallError::Unreadable(why) => Self::Unreadable(why),
            other => Self::Broken(other.to_string()),
        }
    }
}

impl Endpoint {
    /// An endpoint at this address, such as `https://api.openai.com/v1`. One on this machine may want no key.
    ///
    /// # Errors
    /// Address or key are none.
    pub fn new(http: Http, base: &str, key: Option<&SecretText>) -> Result<Self, WrongEndpoint> {
        let base = base.trim().trim_end_matches('/').to_owned();
        if !["http://", "https://"].iter().any(|start| base.starts_with(start)) {
            return Err(WrongEndpoint::Address);
        }
        let header = |key: &SecretText| {
            let mut header = HeaderValue::from_str(&format!("Bearer {}", key.expose_secret().trim()))?;
            header.set_sensitive(true);
            Ok::<_, outbound::header::InvalidHeaderValue>(header)
        };
        let key = key.map(header).transpose().map_err(|_| WrongEndpoint::Key)?;
        Ok(Self { http, base, key })
    }

    pub(super) const fn clock(&self) -> &Clock {
        self.http.clock()
    }

    /// Posts to a path below the address and reads what is answered, all of it within the limit.
    pub(super) async fn post(
        &self,
        path: &str,
        limit: Duration,
        body: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Vec<u8>, AskError> {
        let mut request = self.http.post(&format!("{}{path}", self.base));
        if let Some(key) = &self.key {
            request = request.header(AUTHORIZATION, key.clone());
        }
        let answer = self.http.call_within(body(request), limit, LARGEST).await?;
        if answer.is_success() { Ok(answer.body) } else { Err(refusal(&answer)) }
    }
}

fn refusal(answer: &Answer) -> AskError {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    // Some endpoints have the error as a text, or its parts without it.
    let error = body.get("error").filter(|error| error.is_object()).unwrap_or(&body);
    let word = |name: &str| {
        let word = error.get(name).and_then(Value::as_str).filter(|word| !word.is_empty());
        word.map(|word| word.chars().take(64).collect::<String>())
    };
    let (code, param) = (word("code").or_else(|| word("type")), word("param"));
    let is_unpaid = |word: &String| word == "insufficient_quota" || word == "billing_hard_limit_reached";
    match answer.status {
        401 | 403 => AskError::Unauthorized(answer.status),
        402 => AskError::OutOfFunds,
        429 if code.as_ref().is_some_and(is_unpaid) => AskError::OutOfFunds,
        429 => AskError::RateLimited { retry_after: answer.retry_after },
        status @ (408 | 409 | 500..) => AskError::Unavailable(status),
        status => {
            let message = error.get("message").or_else(|| body.get("error")).and_then(Value::as_str);
            let message = message.unwrap_or_default().chars().take(LONGEST).collect::<String>().into();
            AskError::Refused { status, code, param, message }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(status: u16, body: &str) -> AskError {
        let (content_type, headers) = (None, outbound::header::HeaderMap::default());
        let body = body.as_bytes().to_vec();
        refusal(&Answer { status, body, content_type, retry_after: None, headers })
    }

    #[test]
    fn a_refusal_is_read_in_any_form() {
        let error = |code: &str| json!({ "error": { "message": "No: x", "code": code, "param": "model" } });
        let unpaid = error("insufficient_quota").to_string();
        assert_eq!(refused(429, &unpaid), AskError::OutOfFunds);
        assert_eq!(refused(402, ""), AskError::OutOfFunds);
        assert_eq!(refused(429, "<html>"), AskError::RateLimited { retry_after: None });
        assert_eq!(refused(403, ""), AskError::Unauthorized(403));
        assert_eq!(refused(503, "[]"), AskError::Unavailable(503));
        for (status, body, shown, expected) in [
            (404, error("model_not_found").to_string(), "(404, model_not_found, `model`)", "No: x"),
            (400, r#"{"error":"No: x"}"#.to_owned(), "(400)", "No: x"),
            (422, r#"{"message":"No: x","type":"bad"}"#.to_owned(), "(422, bad)", "No: x"),
            (301, "x".to_owned(), "(301)", ""),
        ] {
            let error = refused(status, &body);
            assert!(error.to_string().ends_with(shown), "{error}");
            assert!(!format!("{error} {error:?}").contains("No: x"), "{error:?}");
            assert!(
                matches!(&error, AskError::Refused { message, .. } if &**message == expected),
                "{error:?}"
            );
        }
    }
}
