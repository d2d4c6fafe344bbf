//! `GET /v1/alerts`: what is broken now, and what was.

use api::schemas;
use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;
use store::AlertFilter;
use utoipa::IntoParams;

use super::{no_such_alert, read_alert};
use crate::answer::json;
use crate::auth::{Authorized, CanRead};
use crate::extract::{PathParameter, QueryParameters};
use crate::problem::Problem;
use crate::v1::page::{listed, store_page};
use crate::v1::{LongPageParameters, Page};

/// Which alerts to list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
pub(crate) struct ListParameters {
    /// `open` or `past`; both when left out.
    #[param(schema_with = schemas::open_or_past)]
    state: Option<String>,
    /// Only those of this card.
    #[param(example = "account:main")]
    card: Option<String>,
}

/// Lists alerts, the latest first.
///
/// A card that failed three times in a row raises one, and two good answers in a row clear it. What is a part of
/// something that has an alert gets none of its own. Past ones are kept for 30 days.
#[utoipa::path(
    get, path = "/v1/alerts", tag = "alerts", operation_id = "list_alerts",
    params(ListParameters, LongPageParameters),
    responses((status = 200, description = "A page of alerts", body = Page<api::Alert>))
)]
pub(crate) async fn list(
    Shared(alerts): Shared<alerts::Alerts>,
    _: Authorized<CanRead>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let open = query.take_with("state", |text| match text {
        "open" => Ok(true),
        "past" => Ok(false),
        _ => Err("write open or past".to_owned()),
    });
    let card = query.take("card");
    let page = store_page(&mut query);
    query.finish()?;
    let found = alerts.list(&AlertFilter { open, card }, &page).await.map_err(listed)?;
    let items: Vec<api::Alert> = found.items.into_iter().map(Into::into).collect();
    Ok(json(StatusCode::OK, &Page { items, next_cursor: found.next_cursor }))
}

/// Shows an alert.
#[utoipa::path(
    get, path = "/v1/alerts/{id}", tag = "alerts", operation_id = "get_alert",
    params(("id" = String, Path, description = "The alert's id")),
    responses((status = 200, description = "The alert", body = api::Alert))
)]
pub(crate) async fn get(
    Shared(alerts): Shared<alerts::Alerts>,
    _: Authorized<CanRead>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let found = alerts.get(read_alert(&given)?).await?;
    let alert = found.ok_or_else(|| no_such_alert(&given))?;
    Ok(json(StatusCode::OK, &api::Alert::from(alert)))
}
