//! `/logs/download`: the lines of a filter as a file, as the API gives it.

use axum::body::Body;
use axum::extract::{Query as QueryOf, State};
use axum::response::Response;
use http::Request;
use http::header::HOST;

use super::query::Query;
use crate::ask::Refused;
use crate::dashboard::Dashboard;
use crate::page::refusal;
use crate::visitor::Visitor;

/// The file. It streams: a month of lines is never in memory at once.
pub(crate) async fn send(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    QueryOf(query): QueryOf<Query>,
) -> Response {
    let path = query.of_api("/v1/logs/download", "text", &visitor);
    let request = Request::get(path).header(HOST, "localhost").body(Body::empty());
    match (visitor.actor(), request) {
        (Some(actor), Ok(request)) => dashboard.api().answer_as(actor, request).await,
        (None, _) => refusal::not_allowed(&visitor),
        (_, Err(error)) => refusal::of_api(&visitor, &Refused::internal(error.to_string())),
    }
}
