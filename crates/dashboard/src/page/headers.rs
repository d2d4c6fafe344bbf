//! The headers of every page: nothing from elsewhere, nothing inline, no frame round it.

use axum::response::Response;
use http::header::CONTENT_SECURITY_POLICY;
use http::{HeaderName, HeaderValue};

/// Styles, scripts, images, fonts and calls from here alone.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; media-src 'self'; connect-src 'self'; \
     font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
);

/// What a page may ask of the machine it is shown on: nothing.
const PERMISSIONS: HeaderValue =
    HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()");

/// Adds them; what is the same for the API is added by the listener.
pub(crate) async fn secure(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(POLICY);
    headers.insert(HeaderName::from_static("permissions-policy"), PERMISSIONS);
    headers.insert(
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    );
    std::future::ready(response).await
}
