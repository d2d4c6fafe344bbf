//! Stylesheet, icons and scripts: inside the program, named after their content, so that a browser keeps them for ever.

use std::fmt::Write;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};
use sha2::{Digest, Sha256};

use crate::page::{gzip, takes_gzip};

pub(crate) struct Asset {
    bytes: &'static [u8],
    kind: &'static str,
    path: String,
    squeezed: Bytes,
}

impl Asset {
    fn new(name: &str, ending: &str, kind: &'static str, bytes: &'static [u8]) -> Self {
        let hash = hex_of(&Sha256::digest(bytes));
        let squeezed = gzip(bytes, Compression::best()).unwrap_or_default().into();
        Self { bytes, kind, path: format!("/assets/{name}-{hash}.{ending}"), squeezed }
    }

    /// Its address, which changes with its content.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }
}

fn hex_of(hash: &[u8]) -> String {
    hash.iter().take(6).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

macro_rules! assets {
    ($($(#[$doc:meta])* $constant:ident = $name:literal . $ending:literal, $kind:literal;)*) => {
        $($(#[$doc])* pub(crate) static $constant: LazyLock<Asset> = LazyLock::new(|| {
            let bytes = include_bytes!(concat!("../assets/", $name, ".", $ending));
            Asset::new($name, $ending, $kind, bytes)
        });)*

        fn all() -> impl Iterator<Item = &'static Asset> {
            [$(&*$constant),*].into_iter()
        }
    };
}

assets! {
    /// The stylesheet.
    LOOK = "look"."css", "text/css; charset=utf-8";
    /// The sprite of icons; `#name` chooses one.
    ICONS = "icons"."svg", "image/svg+xml";
    /// The sign of the program, for the browser's tab.
    SIGN = "sign"."svg", "image/svg+xml";
    /// What every page does when scripts run.
    PAGE = "page"."js", "text/javascript; charset=utf-8";
    /// The board, live.
    LIVE = "live"."js", "text/javascript; charset=utf-8";
    /// Lists and the page of one message, kept up to date.
    FRESH = "fresh"."js", "text/javascript; charset=utf-8";
    /// Drafts, who else writes, and what is new in the inbox.
    INBOX = "inbox"."js", "text/javascript; charset=utf-8";
    /// The log, followed.
    LOGS = "logs"."js", "text/javascript; charset=utf-8";
    /// The dots of health strips.
    STRIP = "strip"."js", "text/javascript; charset=utf-8";
}

/// `/assets/{name}`.
pub(crate) async fn serve(Path(name): Path<String>, headers: HeaderMap) -> Response {
    std::future::ready(match all().find(|asset| asset.path.strip_prefix("/assets/") == Some(&name)) {
        Some(asset) => send(asset, takes_gzip(&headers)),
        None => StatusCode::NOT_FOUND.into_response(),
    })
    .await
}

fn send(asset: &'static Asset, squeezed: bool) -> Response {
    let squeezed = squeezed && !asset.squeezed.is_empty();
    let body = if squeezed { asset.squeezed.clone() } else { Bytes::from_static(asset.bytes) };
    let mut answer = body.into_response();
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(asset.kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if squeezed {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    answer
}
