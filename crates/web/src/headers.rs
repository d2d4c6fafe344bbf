//! The headers that every answer carries: nothing is guessed, framed, kept or passed on.

use axum::response::Response;
use http::HeaderValue;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

/// For how long a browser that came over TLS comes over nothing else: 180 days.
const STRICT_TRANSPORT: HeaderValue = HeaderValue::from_static("max-age=15552000");

/// Has browsers come over TLS alone from now on (RFC 6797). A host that each developer's machine has is left out.
pub(crate) fn over_tls(response: &mut Response, host: Option<&HeaderValue>) {
    let host = host.map(HeaderValue::as_bytes).unwrap_or_default();
    if !is_localhost(host) {
        response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, STRICT_TRANSPORT);
    }
}

/// Whether a header `Host` names `localhost`, with a port or without.
fn is_localhost(host: &[u8]) -> bool {
    let name = host.split(|byte| *byte == b':').next().unwrap_or_default();
    name.strip_suffix(b".").unwrap_or(name).eq_ignore_ascii_case(b"localhost")
}

/// Adds them; what a page set itself stays.
pub(crate) fn secure(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    // With `no-referrer` browsers write `Origin: null` for our own forms, as they do for many foreign ones.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers
        .entry(CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_alone_is_left_out() {
        for host in ["localhost", "LOCALHOST:5099", "localhost.:5099"] {
            assert!(is_localhost(host.as_bytes()), "{host}");
        }
        for host in ["", "localhost.evil.example", "localhosting.ru:443", "desk.localhost"] {
            assert!(!is_localhost(host.as_bytes()), "{host}");
        }
    }
}
