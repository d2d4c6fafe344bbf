//! Which requests are the same: by their `Idempotency-Key`, or by their body where the caller's settings say so.

use std::time::Duration;

use axum::response::Response;
use domain::ApiKeyId;
use domain::missing::{self, MISSING};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use store::{Idempotency, SameBy};

use crate::fingerprint::Fingerprint;
use crate::problem::{Code, Problem};

pub(crate) const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The answer's header, on a repeat.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidKey {
    #[error(
        "The header Idempotency-Key must be there once and have 1 to 255 visible ASCII characters, such as a UUID."
    )]
    Form,
    /// All requests without the value would be one.
    #[error("The header Idempotency-Key {MISSING}.")]
    Missing,
}

/// The key of a request, if it has one.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<&str>, InvalidKey> {
    let mut values = headers.get_all(KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() || !(1..=255).contains(&value.len()) {
        return Err(InvalidKey::Form);
    }
    match value.to_str() {
        Ok(text) if missing::is_in_key(text) => Err(InvalidKey::Missing),
        Ok(text) if text.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(Some(text)),
        _ => Err(InvalidKey::Form),
    }
}

/// The answer to a request whose key had brought the same before.
pub(crate) fn replayed(mut answer: Response) -> Response {
    answer.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    answer
}

/// Whose request it is, and where.
pub(crate) struct Scope<'a> {
    pub(crate) api_key: Option<ApiKeyId>,
    /// How long the same body is a repeat, for requests without a key.
    pub(crate) repeats: Option<Duration>,
    pub(crate) listener: &'a str,
    pub(crate) path: &'a str,
}

/// What a request stands for: this key in this scope, or without one this body, where bodies count. How long the caller
/// waits is no part of a body.
pub(crate) fn idempotency(key: Option<&str>, scope: &Scope<'_>, body: &Value) -> Option<Idempotency> {
    let same_by = match (key, scope.repeats) {
        (Some(_), _) => SameBy::Key,
        (None, Some(within)) => SameBy::Body { within },
        (None, None) => return None,
    };
    let api_key = scope.api_key.map(|id| id.to_string()).unwrap_or_default();
    let place = Fingerprint::default().text(&api_key).text(scope.listener).text("POST").text(scope.path);
    let scope = match key {
        Some(key) => place.text(key),
        None => place.json_without(body, &["wait"]),
    };
    let fingerprint = Fingerprint::default().json_without(body, &["wait"]).finish();
    Some(Idempotency { scope: scope.finish(), fingerprint, same_by })
}

/// What a request of `/v1` stands for, if it has a key or its body counts.
pub(crate) fn of_request(
    headers: &HeaderMap,
    scope: &Scope<'_>,
    raw: &[u8],
) -> Result<Option<Idempotency>, Problem> {
    let key = key(headers).map_err(|error| Problem::new(Code::InvalidHeader, error.to_string()))?;
    if key.is_none() && scope.repeats.is_none() {
        return Ok(None);
    }
    let body: Value =
        serde_json::from_slice(raw).map_err(|error| Problem::new(Code::InvalidJson, error.to_string()))?;
    Ok(idempotency(key, scope, &body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

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
            assert_eq!(key(&headers(wrong)), Err(InvalidKey::Form), "{wrong:?}");
        }
        for missing in
            ["undefined-ready", "order-undefined", "null", "NaN:7", "[object-Object]undefined", "None"]
        {
            assert_eq!(key(&headers(&[missing.as_bytes()])), Err(InvalidKey::Missing), "{missing}");
        }
        assert_eq!(key(&headers(&[b"nullable-7"])), Ok(Some("nullable-7")));
    }

    #[test]
    fn the_scope_is_key_listener_and_path() {
        let of = |listener, path| {
            let scope = Scope { api_key: None, repeats: None, listener, path };
            idempotency(Some("k"), &scope, &Value::Null).expect("a key").scope
        };
        assert_eq!(of("v1", "/v1/messages"), of("v1", "/v1/messages"));
        assert_ne!(of("v1", "/v1/messages"), of("5022", "/v1/messages"));
        assert_ne!(of("v1", "/v1/messages"), of("v1", "/v1/keys"));
    }

    proptest! {
        #[test]
        fn without_a_key_the_body_decides_where_it_counts(one: u8, other: u8, wait: u8, key: Option<u8>) {
            let body = |text: u8, wait: u8| json!({ "chat": "@demo_main", "text": text, "wait": wait });
            let scope = |repeats| Scope { api_key: None, repeats, listener: "v1", path: "/v1/messages" };
            let key = key.map(|key| key.to_string());
            let of = |repeats: Option<Duration>, body| idempotency(key.as_deref(), &scope(repeats), &body);
            prop_assert_eq!(of(None, body(one, 0)).is_some(), key.is_some(), "off by default");
            let within = Duration::from_mins(10);
            let (first, second) = (of(Some(within), body(one, 0)), of(Some(within), body(other, wait)));
            let (first, second) = (first.expect("it counts"), second.expect("it counts"));
            prop_assert_eq!(first.fingerprint == second.fingerprint, one == other);
            prop_assert_eq!(first.scope == second.scope, key.is_some() || one == other);
            let same_by = if key.is_some() { SameBy::Key } else { SameBy::Body { within } };
            prop_assert_eq!(first.same_by, same_by);
        }
    }
}
