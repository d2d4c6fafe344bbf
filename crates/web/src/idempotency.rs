//! The `Idempotency-Key` of a request: what is taken as one, and what it stands for.

use axum::response::Response;
use domain::ApiKeyId;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use store::Idempotency;

use crate::fingerprint::Fingerprint;
use crate::problem::{Code, Problem};

/// The request's header.
pub(crate) const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The answer's header, on a repeat.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A header that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "The header Idempotency-Key must be there once and have 1 to 255 visible ASCII characters, such as a UUID."
)]
pub(crate) struct InvalidKey;

/// The key of a request, if it has one.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<&str>, InvalidKey> {
    let mut values = headers.get_all(KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() || !(1..=255).contains(&value.len()) {
        return Err(InvalidKey);
    }
    match value.to_str() {
        Ok(text) if text.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(Some(text)),
        _ => Err(InvalidKey),
    }
}

/// The answer to a request whose key had brought the same before.
pub(crate) fn replayed(mut answer: Response) -> Response {
    answer.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    answer
}

/// Whose key it is, and where.
pub(crate) struct Scope<'a> {
    pub(crate) api_key: Option<ApiKeyId>,
    pub(crate) listener: &'a str,
    pub(crate) path: &'a str,
}

/// What a key stands for: this scope, this body without how long the caller waits.
pub(crate) fn idempotency(key: &str, scope: &Scope<'_>, body: &Value) -> Idempotency {
    let api_key = scope.api_key.map(|id| id.to_string()).unwrap_or_default();
    Idempotency {
        scope: Fingerprint::default()
            .text(&api_key)
            .text(scope.listener)
            .text("POST")
            .text(scope.path)
            .text(key)
            .finish(),
        fingerprint: Fingerprint::default().json_without(body, &["wait"]).finish(),
    }
}

/// What the key of a request of `/v1` stands for, if it has one.
pub(crate) fn of_request(
    headers: &HeaderMap,
    scope: &Scope<'_>,
    raw: &[u8],
) -> Result<Option<Idempotency>, Problem> {
    let key = key(headers).map_err(|error| Problem::new(Code::InvalidHeader, error.to_string()))?;
    let Some(key) = key else { return Ok(None) };
    let body: Value =
        serde_json::from_slice(raw).map_err(|error| Problem::new(Code::InvalidJson, error.to_string()))?;
    Ok(Some(idempotency(key, scope, &body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&[u8]]) -> HeaderMap {
        values.iter().map(|value| (KEY, HeaderValue::from_bytes(value).expect("a value"))).collect()
    }

    #[test]
    fn a_key_is_one_visible_ascii_word() {
        assert_eq!(key(&headers(&[])), Ok(None));
        assert_eq!(key(&headers(&[b"order-1"])), Ok(Some("order-1")));
        assert_eq!(key(&headers(&[&[b'x'; 255]])).map(|key| key.map(str::len)), Ok(Some(255)));
        for wrong in [&[b"".as_slice()][..], &[b"a b"], &["ключ".as_bytes()], &[&[b'x'; 256]], &[b"a", b"b"]]
        {
            assert_eq!(key(&headers(wrong)), Err(InvalidKey), "{wrong:?}");
        }
    }

    #[test]
    fn the_scope_is_key_listener_and_path() {
        let of = |listener, path| {
            let scope = Scope { api_key: None, listener, path };
            idempotency("k", &scope, &Value::Null).scope
        };
        assert_eq!(of("v1", "/v1/messages"), of("v1", "/v1/messages"));
        assert_ne!(of("v1", "/v1/messages"), of("5022", "/v1/messages"));
        assert_ne!(of("v1", "/v1/messages"), of("v1", "/v1/keys"));
    }
}
