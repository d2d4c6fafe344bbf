//! What an answer says about the key it was asked with: how much it may still ask, and when it ends.
//!
//! The headers are those of the draft `draft-ietf-httpapi-ratelimit-headers`.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use domain::Timestamp;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::meter::Pace;
use crate::problem::whole_seconds;

const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const EXPIRES: HeaderName = HeaderName::from_static("api-key-expires");

/// So long before its end the answers to a key name it.
pub(crate) const NAMED_BEFORE: Duration = Duration::from_hours(7 * 24);

/// What is left of a quota.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quota {
    pub(super) pace: Pace,
    /// So many requests are allowed at once now.
    pub(super) left: u32,
    /// After this all of them are.
    pub(super) whole_in: Duration,
}

/// Where the check of a key leaves what the answer says about it.
#[derive(Clone, Default)]
pub(crate) struct KeyNote(Arc<OnceLock<KeyStatus>>);

#[derive(Clone, Copy)]
struct KeyStatus {
    quota: Option<Quota>,
    /// The end of the key, once it is near.
    expires_at: Option<Timestamp>,
}

impl KeyNote {
    pub(super) fn say(&self, quota: Option<Quota>, expires_at: Option<Timestamp>, now: Timestamp) {
        let expires_at = expires_at.filter(|end| end.since(now) <= NAMED_BEFORE);
        // The first key of a request is the one that counts.
        let _ = self.0.set(KeyStatus { quota, expires_at });
    }
}

/// Adds to each answer what the check of the key left.
pub(crate) async fn answer(mut request: Request, next: Next) -> Response {
    let note = KeyNote::default();
    request.extensions_mut().insert(note.clone());
    let mut response = next.run(request).await;
    if let Some(status) = note.0.get() {
        add(response.headers_mut(), status);
    }
    response
}

fn add(headers: &mut HeaderMap, status: &KeyStatus) {
    let mut put = |name: HeaderName, text: String| {
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(name, value);
        }
    };
    if let Some(Quota { pace, left, whole_in }) = status.quota {
        put(RATE_LIMIT_POLICY, format!("\"key\";q={};w={}", pace.burst(), whole_seconds(pace.window())));
        put(RATE_LIMIT, format!("\"key\";r={left};t={}", whole_seconds(whole_in)));
    }
    if let Some(end) = status.expires_at {
        put(EXPIRES, end.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_and_a_near_end_are_headers() {
        let pace = Pace::new("10/s".parse().expect("a rate"), std::num::NonZeroU32::new(25));
        let quota = Quota { pace, left: 24, whole_in: Duration::from_millis(100) };
        let now = Timestamp::from_micros(1_893_456_000_000_000);
        let shown = |expires_at: Option<Timestamp>| {
            let (note, mut headers) = (KeyNote::default(), HeaderMap::new());
            note.say(Some(quota), expires_at, now);
            add(&mut headers, note.0.get().expect("it was said"));
            headers
        };
        let headers = shown(Some(now.plus(NAMED_BEFORE)));
        assert_eq!(headers[RATE_LIMIT_POLICY], "\"key\";q=25;w=3");
        assert_eq!(headers[RATE_LIMIT], "\"key\";r=24;t=1");
        assert_eq!(headers[EXPIRES], now.plus(NAMED_BEFORE).to_string());
        assert!(!shown(None).contains_key(EXPIRES));
        assert!(!shown(Some(now.plus(NAMED_BEFORE).plus(NAMED_BEFORE))).contains_key(EXPIRES));
    }
}
