//! A form with files: read within bounds, and only if it comes from a page of ours.

use std::time::Duration;

use axum::body::{Body, Bytes};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::Csrf;

/// The largest form, in bytes: what the API takes, and a little for its other fields.
const LARGEST: usize = 64 * 1024 * 1024 + 64 * 1024;

/// How long the files may take to arrive.
const TIMEOUT: Duration = Duration::from_mins(5);

/// Why a form was not read.
pub(crate) enum Unread {
    TooLarge,
    Broken,
}

/// The whole of a form.
pub(crate) async fn whole(body: Body) -> Result<Bytes, Unread> {
    match tokio::time::timeout(TIMEOUT, Limited::new(body, LARGEST).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.downcast_ref::<LengthLimitError>().is_some() => Err(Unread::TooLarge),
        Ok(Err(_)) | Err(_) => Err(Unread::Broken),
    }
}

/// The parts of a form; none where it does not come from a page of ours.
pub(crate) fn parts_of_ours(
    state: &web::State,
    token: &Csrf,
    parts: &Parts,
    body: &Bytes,
) -> Option<Vec<web::Part>> {
    if web::is_from_another_site(state, parts) { None } else { parts_with(token, &parts.headers, body) }
}

fn parts_with(token: &Csrf, headers: &HeaderMap, body: &Bytes) -> Option<Vec<web::Part>> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let parts = web::form_parts(kind, body).ok()?;
    let given = parts.iter().find(|part| part.name == Csrf::FIELD)?.text()?;
    token.matches(given).then_some(parts)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_form_with_files_carries_its_token_too() {
        let token = Csrf::new("t0ken");
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("multipart/form-data; boundary=b"));
        let field = |name: &str, more: &str, text: &str| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n{text}\r\n")
        };
        let form = |fields: String| Bytes::from(format!("{fields}--b--\r\n"));
        let is_ours = |headers: &HeaderMap, body: &Bytes| parts_with(&token, headers, body).is_some();
        assert!(is_ours(&headers, &form(field("csrf", "", "t0ken"))));
        for wrong in [
            String::new(),
            field("csrf", "", "other"),
            field("csrf", "; filename=\"x\"", "t0ken"),
            field("csrf", "", "other") + &field("csrf", "", "t0ken"),
        ] {
            assert!(!is_ours(&headers, &form(wrong)));
        }
        assert!(!is_ours(&HeaderMap::new(), &form(field("csrf", "", "t0ken"))));
    }
}
