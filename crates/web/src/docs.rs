//! `/docs`: the API to read and to try, from files inside the program; nothing is fetched from elsewhere.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use axum::body::Body;
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use utoipa_swagger_ui::{Config, SwaggerFile};

use crate::problem::{Code, Problem};

/// The page draws with inline styles and small inline images; scripts come from files of its own only.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    Arc::new(
        Config::from("/openapi.json")
            // Without this the page would show an address to a validator on the internet.
            .validator_url("none")
            .query_config_enabled(false)
            .try_it_out_enabled(true)
            .display_request_duration(true)
            .doc_expansion("list"),
    )
});

/// `/docs` → `/docs/`, so that the page finds its files.
pub(crate) async fn redirect() -> Redirect {
    std::future::ready(Redirect::permanent("/docs/")).await
}

pub(crate) async fn index() -> Response {
    std::future::ready(file("")).await
}

pub(crate) async fn asset(Path(path): Path<String>) -> Response {
    std::future::ready(file(&path)).await
}

fn file(path: &str) -> Response {
    match utoipa_swagger_ui::serve(path, Arc::clone(&CONFIG)) {
        Ok(Some(file)) => show(file),
        Ok(None) => Problem::new(Code::NotFound, "The docs have no such file.").into_response(),
        Err(error) => {
            tracing::error!(%error, "a file of the docs cannot be served");
            Problem::new(Code::Internal, "The file cannot be served; see the log.").into_response()
        }
    }
}

fn show(file: SwaggerFile<'static>) -> Response {
    let bytes = match file.bytes {
        Cow::Borrowed(bytes) => bytes::Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    let kind = HeaderValue::from_str(&file.content_type);
    headers.insert(CONTENT_TYPE, kind.unwrap_or(HeaderValue::from_static("application/octet-stream")));
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
