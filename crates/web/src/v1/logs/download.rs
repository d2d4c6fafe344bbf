//! `GET /v1/logs/download`: all lines that match as one file, read as it goes out.

use std::fmt::Write;
use std::io;

use axum::body::Body;
use axum::extract::State as Shared;
use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use http::HeaderValue;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use logs::{LARGEST_PAGE, LogStore, Order, Query, printed};
use utoipa::IntoParams;

use super::filter::{self, FilterParameters};
use crate::auth::{Authorized, CanRead};
use crate::extract::QueryParameters;
use crate::problem::Problem;
use crate::state::State;

/// How the lines of a file are written.
#[derive(Debug, Clone, Copy, Default)]
enum Format {
    #[default]
    Text,
    Json,
}

/// Downloads the log lines that match, the oldest first: as text, or as one JSON object a line.
#[utoipa::path(
    get, path = "/v1/logs/download", tag = "logs", operation_id = "download_logs",
    params(FilterParameters, DownloadParameters),
    responses((status = 200, description = "The lines", content((String = "text/plain"), (String = "application/x-ndjson"))))
)]
pub(crate) async fn download(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let now = state.clock().now();
    let filter = filter::take(&mut query, now);
    let format = query.take_with("format", |word| match word {
        "text" => Ok(Format::Text),
        "json" => Ok(Format::Json),
        _ => Err("write text or json".to_owned()),
    });
    query.finish()?;
    let format = format.unwrap_or_default();
    let filter = logs::Filter { until: Some(filter.until.unwrap_or(now)), ..filter };
    let first = Query { filter, order: Order::OldestFirst, after: None, limit: LARGEST_PAGE };
    let store = state.logs().clone();
    let pieces = stream::try_unfold(Some((store, first)), move |next| piece(next, format));
    let mut response = Response::new(Body::from_stream(pieces));
    let (media_type, name) = match format {
        Format::Text => ("text/plain; charset=utf-8", "attachment; filename=\"switchboard-logs.txt\""),
        Format::Json => ("application/x-ndjson", "attachment; filename=\"switchboard-logs.jsonl\""),
    };
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response.headers_mut().insert(CONTENT_DISPOSITION, HeaderValue::from_static(name));
    Ok(response)
}

/// A page of lines as bytes, and where the next begins. A reader that goes away ends it.
async fn piece(
    next: Option<(LogStore, Query)>,
    format: Format,
) -> io::Result<Option<(Bytes, Option<(LogStore, Query)>)>> {
    let Some((store, query)) = next else { return Ok(None) };
    let page = store.search(query.clone()).await.map_err(io::Error::other)?;
    let mut text = String::new();
    for line in &page.lines {
        match format {
            Format::Text => {
                let _ = writeln!(text, "{}", printed(line, false));
            }
            Format::Json => {
                text.push_str(&serde_json::to_string(line).map_err(io::Error::other)?);
                text.push('\n');
            }
        }
    }
    let next = page.next.map(|after| (store, Query { after: Some(after), ..query }));
    Ok(Some((text.into(), next)))
}

/// What the file is.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
pub(crate) struct DownloadParameters {
    /// `text` or `json`.
    #[param(default = "text")]
    format: Option<String>,
}
