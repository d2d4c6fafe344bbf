//! `GET /v1/cards/{id}`: one card and its last two hours.

use axum::extract::State as Shared;
use axum::response::Response;
use health::CardId;
use http::StatusCode;

use crate::answer::json;
use crate::auth::{Authorized, CanRead};
use crate::extract::PathParameter;
use crate::problem::{Code, Problem, shorten};

/// Shows one card with its health strip.
#[utoipa::path(
    get, path = "/v1/cards/{id}", tag = "system", operation_id = "get_card",
    params(("id" = String, Path, description = "The card's id, as `GET /v1/overview` lists it: `service:send_text`, `account:main`, `line:main:all`, `port:5021`, `store`, `queue`")),
    responses(
        (status = 200, description = "The card and its last 120 minutes", body = api::CardWithStrip),
        (status = 404, description = "There is no such card"),
    )
)]
pub(crate) async fn get(
    Shared(health): Shared<health::Health>,
    _: Authorized<CanRead>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let none = || {
        let detail =
            format!("There is no card {:?}; GET /v1/overview lists those there are.", shorten(&given));
        Problem::new(Code::CardNotFound, detail)
    };
    let id: CardId = given.parse().map_err(|_| none())?;
    let card = health.card(&id).ok_or_else(none)?;
    let answer = json(StatusCode::OK, &api::CardWithStrip::new(card, health.strip(&id)));
    std::future::ready(Ok(answer)).await
}
