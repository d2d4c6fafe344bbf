//! `GET /v1/logs/histogram`: how many lines and errors there were, minute by minute.

use std::time::Duration;

use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;
use logs::MOST_BUCKETS;
use utoipa::IntoParams;

use super::filter::{self, FilterParameters};
use super::unread;
use crate::answer::json;
use crate::auth::{Authorized, CanRead};
use crate::extract::QueryParameters;
use crate::problem::{FieldError, Problem};
use crate::state::State;

/// The stretch of time by default.
const USUAL_STRETCH: Duration = Duration::from_hours(2);
const USUAL_BUCKET: Duration = Duration::from_mins(1);

/// Counts the log lines that match, in equal stretches from `since` (2 h ago) to `until` (now).
#[utoipa::path(
    get, path = "/v1/logs/histogram", tag = "logs", operation_id = "count_logs",
    params(FilterParameters, HistogramParameters),
    responses((status = 200, description = "The counts", body = api::LogHistogram))
)]
pub(crate) async fn count(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let now = state.clock().now();
    let filter = filter::take(&mut query, now);
    let bucket = query.take_with("bucket", |text| {
        let length = config::parse_duration(text).map_err(|error| error.to_string())?;
        if length < Duration::from_secs(1) { Err("write 1s or more".to_owned()) } else { Ok(length) }
    });
    query.finish()?;
    let until = filter.until.unwrap_or(now);
    let since = filter.since.unwrap_or_else(|| until.minus(USUAL_STRETCH));
    let bucket = bucket.unwrap_or(USUAL_BUCKET);
    let wrong = |message: String| Err(Problem::fields(vec![FieldError::new("since", message)]));
    if since > until {
        return wrong("is later than until; turn them round".to_owned());
    }
    if until.since(since).as_micros() > bucket.as_micros().saturating_mul(MOST_BUCKETS as u128) {
        return wrong(format!(
            "is too far back for this bucket: there are at most {MOST_BUCKETS}; write a longer bucket"
        ));
    }
    let counted =
        state.logs().histogram(filter, since, until, bucket).await.map_err(|error| unread(&error))?;
    let logs::Histogram { buckets, counted_from, damaged } = counted;
    let items = buckets.into_iter().map(Into::into).collect();
    Ok(json(StatusCode::OK, &api::LogHistogram { items, end: until, counted_from, damaged }))
}

/// How lines are counted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
pub(crate) struct HistogramParameters {
    /// How long each stretch is, 1 s or more; there are at most 2000 of them.
    #[param(default = "1m", example = "5m")]
    bucket: Option<String>,
}
