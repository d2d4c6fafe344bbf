//! The API, asked inside this very process as the person who looks.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::dashboard::Dashboard;
use crate::page::refusal;
use crate::view::Language;
use crate::visitor::Visitor;
use crate::words::{refused, wrong_field};

/// The longest wait for an answer: whatever asks Telegram has its own, shorter one.
const TIMEOUT: Duration = Duration::from_mins(3);

/// The longest wait for an import: a thousand sessions, each asked for its person.
const LONG_TIMEOUT: Duration = Duration::from_hours(6);

const JSON: HeaderValue = HeaderValue::from_static("application/json");

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The largest answer that is read, in bytes: a page of a list is far below it.
const LARGEST: usize = 16 * 1024 * 1024;

/// The API said no, or said nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{status} {code}: {detail}")]
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    /// The stable word of the problem (`docs/errors.md`); `internal` where there was no problem document.
    pub(crate) code: String,
    /// What to do about it, as the API said it.
    pub(crate) detail: String,
    /// The wrong fields of the request, each with its own words.
    pub(crate) fields: Vec<WrongField>,
}

/// A field of the request that the API did not take.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct WrongField {
    /// Where it is, like `chat` or `parts[0].text`.
    pub(crate) field: String,
    /// What is wrong with it and what to write instead.
    pub(crate) message: String,
}

/// A problem document, as far as a page shows it.
#[derive(Deserialize)]
struct Problem {
    code: String,
    detail: String,
    #[serde(default)]
    errors: Vec<WrongField>,
}

impl Refused {
    /// The same in the language of a reader.
    fn in_language(mut self, language: Language) -> Self {
        self.detail = refused(language, &self.code, &self.detail);
        for field in &mut self.fields {
            field.message = wrong_field(language, &field.message);
        }
        self
    }

    pub(crate) fn internal(detail: impl Into<String>) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            code: "internal".to_owned(),
            detail: detail.into(),
            fields: Vec::new(),
        }
    }
}

impl Dashboard {
    /// One call of the API as `visitor`; an answer without a body reads as JSON `null`. `path` carries its query.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        visitor: &Visitor,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<T, Refused> {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        self.ask_with(visitor, method, path, Some(JSON), body).await
    }

    /// A file as the API gives it.
    pub(crate) async fn file(&self, visitor: &Visitor, path: &str) -> Response {
        let request = Request::get(path).header(HOST, "localhost").body(Body::empty());
        match (visitor.actor(), request) {
            (Some(actor), Ok(request)) => self.api().answer_as(actor, request).await,
            (None, _) => refusal::not_allowed(visitor),
            (_, Err(error)) => refusal::of_api(visitor, &Refused::internal(error.to_string())),
        }
    }

    /// The same with a body of another type.
    pub(crate) async fn ask_with<T: DeserializeOwned>(
        &self,
        visitor: &Visitor,
        method: Method,
        path: &str,
        kind: Option<HeaderValue>,
        body: impl Into<Body>,
    ) -> Result<T, Refused> {
        self.ask_within(TIMEOUT, visitor, method, path, of_kind(kind), body.into()).await
    }

    /// A POST that is done once, however often it is sent with this key.
    pub(crate) async fn ask_once<T: DeserializeOwned>(
        &self,
        visitor: &Visitor,
        path: &str,
        key: HeaderValue,
        body: Value,
    ) -> Result<T, Refused> {
        let mut headers = of_kind(Some(JSON));
        headers.insert(IDEMPOTENCY_KEY, key);
        self.ask_within(TIMEOUT, visitor, Method::POST, path, headers, body.to_string().into()).await
    }

    /// The same for what may take hours, which no one waits for at a page.
    pub(crate) async fn ask_for_long<T: DeserializeOwned>(
        &self,
        visitor: &Visitor,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<T, Refused> {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        self.ask_within(LONG_TIMEOUT, visitor, method, path, of_kind(Some(JSON)), body.into()).await
    }

    async fn ask_within<T: DeserializeOwned>(
        &self,
        timeout: Duration,
        visitor: &Visitor,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Body,
    ) -> Result<T, Refused> {
        let (status, body) = self.bytes_within(timeout, visitor, method, path, headers, body).await?;
        read(status, &body).map_err(|why| why.in_language(visitor.language))
    }

    /// The same without the type of the answer, so that it is compiled once.
    fn bytes_within<'a>(
        &'a self,
        timeout: Duration,
        visitor: &'a Visitor,
        method: Method,
        path: &'a str,
        headers: HeaderMap,
        body: Body,
    ) -> BoxFuture<'a, Result<(StatusCode, Bytes), Refused>> {
        Box::pin(async move {
            let mut request = Request::builder()
                .method(method)
                .uri(path)
                .header(HOST, "localhost")
                .body(body)
                .map_err(|error| Refused::internal(format!("The request cannot be made: {error}.")))?;
            request.headers_mut().extend(headers);
            let actor = visitor.actor().ok_or_else(|| Refused::internal("No one is signed in."))?;
            let answer = self.api().answer_as(actor, request);
            let Ok(answer) = tokio::time::timeout(timeout, answer).await else {
                let detail = format!("There was no answer within {} s.", timeout.as_secs());
                return Err(Refused::internal(detail));
            };
            bytes_of(answer).await.map_err(|why| why.in_language(visitor.language))
        })
    }
}

fn of_kind(kind: Option<HeaderValue>) -> HeaderMap {
    kind.map(|kind| (CONTENT_TYPE, kind)).into_iter().collect()
}

pub(crate) async fn read_answer<T: DeserializeOwned>(answer: Response) -> Result<T, Refused> {
    let (status, body) = bytes_of(answer).await?;
    read(status, &body)
}

async fn bytes_of(answer: Response) -> Result<(StatusCode, Bytes), Refused> {
    let status = answer.status();
    let body = http_body_util::Limited::new(answer.into_body(), LARGEST).collect().await;
    let body = body.map_err(|error| Refused::internal(format!("The answer cannot be read: {error}.")))?;
    Ok((status, body.to_bytes()))
}

fn read<T: DeserializeOwned>(status: StatusCode, body: &[u8]) -> Result<T, Refused> {
    if status.is_success() {
        let body: &[u8] = if body.is_empty() { b"null" } else { body };
        return serde_json::from_slice(body)
            .map_err(|error| Refused::internal(format!("The answer is not what this page knows: {error}.")));
    }
    Err(match serde_json::from_slice::<Problem>(body) {
        Ok(problem) => Refused { status, code: problem.code, detail: problem.detail, fields: problem.errors },
        Err(_) => Refused { status, ..Refused::internal("The program gave no reason; the log has it.") },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_keeps_the_words_of_the_api() {
        let body =
            br#"{"code":"invalid_request","title":"t","status":422,"detail":"The field \"how\" is missing.",
            "errors":[{"field":"how","message":"is missing"}]}"#;
        let refused = read::<Value>(StatusCode::UNPROCESSABLE_ENTITY, body).expect_err("a refusal");
        assert_eq!(refused.code, "invalid_request");
        assert_eq!(refused.detail, "The field \"how\" is missing.");
        assert_eq!(refused.fields[0].field, "how");
        let bare = read::<Value>(StatusCode::BAD_GATEWAY, b"<html>").expect_err("a refusal");
        assert_eq!((bare.status, bare.code.as_str()), (StatusCode::BAD_GATEWAY, "internal"));
    }

    #[test]
    fn an_answer_without_a_body_is_an_answer() {
        assert_eq!(read::<Value>(StatusCode::NO_CONTENT, b""), Ok(Value::Null));
        assert_eq!(read::<()>(StatusCode::NO_CONTENT, b""), Ok(()));
    }
}
