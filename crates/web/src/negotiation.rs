//! The type that an error is sent as: a client that reads `application/json` alone gets it as that.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};

/// An error as RFC 9457 writes it.
const PROBLEM: &str = "application/problem+json";

/// The same for clients that do not know it.
const JSON: &str = "application/json";

pub(crate) async fn problems(request: Request, next: Next) -> Response {
    let plain = reads_json_alone(request.headers());
    let mut response = next.run(request).await;
    if plain && response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == PROBLEM) {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    }
    response
}

/// Whether a client names JSON among what it accepts, and not problems.
fn reads_json_alone(headers: &HeaderMap) -> bool {
    let accepts = |wanted: &str| {
        let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let mut ranges = values.flat_map(|value| value.split(','));
        ranges.any(|range| {
            let mut parts = range.split(';').map(str::trim);
            let is_wanted = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case(wanted));
            let is_refused = |part: &str| {
                let weight = part.strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
                weight.is_some_and(|weight| weight <= 0.0)
            };
            is_wanted && !parts.any(is_refused)
        })
    };
    accepts(JSON) && !accepts(PROBLEM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_that_accept_only_json_are_recognized() {
        for (accept, alone) in [
            ("application/json", true),
            ("application/json, text/plain, */*", true),
            (
                "application/json,text/html,application/xhtml+xml,application/xml,text/*;q=0.9, */*;q=0.7",
                true,
            ),
            ("Application/JSON;q=0.5", true),
            ("application/json, application/problem+json", false),
            ("application/json, application/problem+json;q=0", true),
            ("application/json;q=0", false),
            ("application/problem+json", false),
            ("*/*", false),
            ("text/html", false),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT, accept.parse().expect("a value"))]);
            assert_eq!(reads_json_alone(&headers), alone, "{accept}");
        }
        assert!(!reads_json_alone(&HeaderMap::new()));
    }
}
