//! `GET /v1/logs/{id}`: one line, and those around it.

use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;
use logs::LineId;

use super::unread;
use crate::answer::json;
use crate::auth::{Authorized, CanRead};
use crate::extract::{PathParameter, QueryParameters};
use crate::problem::{Code, Problem, shorten};
use crate::state::State;

/// The most lines on either side.
const MOST_AROUND: usize = 200;
const USUAL_AROUND: usize = 20;

/// Shows a log line and those around it, whatever they are about.
#[utoipa::path(
    get, path = "/v1/logs/{id}", tag = "logs", operation_id = "get_log_line",
    params(
        ("id" = String, Path, description = "The id of the line"),
        ("around" = Option<usize>, Query, description = "How many lines on either side", minimum = 0, maximum = 200),
    ),
    responses(
        (status = 200, description = "The line in its place", body = api::LogLineInPlace),
        (status = 404, description = "There is none (any more)"),
    )
)]
pub(crate) async fn get(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    PathParameter(given): PathParameter<String>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let around = query.take_with("around", |text| {
        let number = text.parse().ok().filter(|around| *around <= MOST_AROUND);
        number.ok_or_else(|| format!("write a number from 0 to {MOST_AROUND}"))
    });
    query.finish()?;
    let Ok(id) = given.parse::<LineId>() else { return Err(not_found(&given)) };
    let line = state.logs().line(id).await.map_err(|error| unread(&error))?;
    let Some(line) = line else { return Err(not_found(&given)) };
    let around = state.logs().around(id, around.unwrap_or(USUAL_AROUND)).await;
    let (before, after) = around.map_err(|error| unread(&error))?;
    let views = |lines: Vec<logs::Line>| lines.into_iter().map(Into::into).collect();
    Ok(json(
        StatusCode::OK,
        &api::LogLineInPlace { line: line.into(), before: views(before), after: views(after) },
    ))
}

fn not_found(given: &str) -> Problem {
    let given = shorten(given);
    Problem::new(
        Code::LogLineNotFound,
        format!(
            "No log line has the id {given:?}; it may have been among the oldest, which go when the budget is used."
        ),
    )
}
