//! `GET /v1/logs`: searching, page by page.

use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;
use logs::{LineId, Order, Query};
use utoipa::IntoParams;

use super::filter::{self, FilterParameters};
use super::unread;
use crate::answer::json;
use crate::auth::{Authorized, CanRead};
use crate::extract::QueryParameters;
use crate::problem::Problem;
use crate::v1::{Page, PageRequest};

/// How many lines a page has by default.
const USUAL: u32 = 100;

/// Searches the log lines, the latest first unless said otherwise.
///
/// A page may have fewer lines than were asked for and still be followed by another: where little matches, a search gives after
/// a few seconds what it has.
#[utoipa::path(
    get, path = "/v1/logs", tag = "logs", operation_id = "search_logs",
    params(FilterParameters, ListParameters),
    responses((status = 200, description = "A page of lines", body = Page<api::LogLine>))
)]
pub(crate) async fn list(
    Shared(clock): Shared<ambient::Clock>,
    Shared(logs): Shared<logs::LogStore>,
    _: Authorized<CanRead>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let filter = filter::take(&mut query, clock.now());
    let order = query.take_with("order", order).unwrap_or_default();
    let PageRequest { limit, cursor } = PageRequest::take(&mut query);
    query.finish()?;
    let after: Option<LineId> = match cursor.map(|cursor| cursor.parse()) {
        Some(Err(_)) => return Err(crate::v1::wrong_cursor()),
        Some(Ok(id)) => Some(id),
        None => None,
    };
    let limit = usize::try_from(limit.unwrap_or(USUAL)).unwrap_or(usize::MAX);
    let wanted = Query { filter, order, after, limit };
    let found = logs.search(wanted).await.map_err(|error| unread(&error))?;
    if found.damaged > 0 {
        tracing::warn!(blocks = found.damaged, "some log lines cannot be read: the disk has changed them");
    }
    let items: Vec<api::LogLine> = found.lines.into_iter().map(Into::into).collect();
    Ok(json(StatusCode::OK, &Page { items, next_cursor: found.next.map(|id| id.to_string()) }))
}

fn order(word: &str) -> Result<Order, String> {
    match word {
        "newest" => Ok(Order::NewestFirst),
        "oldest" => Ok(Order::OldestFirst),
        _ => Err("write newest or oldest".to_owned()),
    }
}

/// Which part of what is found.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
pub(crate) struct ListParameters {
    /// `newest` or `oldest` first.
    #[param(default = "newest")]
    order: Option<String>,
    /// How many, 1 to 500.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before, or the id of a line: those behind it in the order.
    cursor: Option<String>,
}
