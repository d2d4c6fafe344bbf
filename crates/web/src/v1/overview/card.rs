//! `GET /v1/cards/{id}`: one card and its last two hours.

use axum::extract::State as Shared;
use axum::response::Response;
use health::CardId;
use http::StatusCode;

use super::view::CardWithStrip;
use crate::answer::json;
use crate::auth::{By, CanRead};
use crate::extract::PathParameter;
use crate::problem::{Code, Problem, shorten};
use crate::state::State;

/// Shows one card with its health strip.
#[utoipa::path(
    get, path = "/v1/cards/{id}", tag = "system", operation_id = "get_card",
    params(("id" = String, Path, description = "The card's id, as `GET /v1/overview` lists it: `service:send_text`, `account:main`, `line:main:all`, `port:5021`, `store`, `queue`")),
    responses(
        (status = 200, description = "The card and its last 120 minutes", body = CardWithStrip),
        (status = 404, description = "There is no such card"),
    )
)]
pub(crate) async fn get(
    Shared(state): Shared<State>,
    _: By<CanRead>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let none = || {
        let detail =
            format!("There is no card {:?}; GET /v1/overview lists those there are.", shorten(&given));
        Problem::new(Code::CardNotFound, detail)
    };
    let id: CardId = given.parse().map_err(|_| none())?;
    let card = state.health().card(&id).ok_or_else(none)?;
    let answer = json(StatusCode::OK, &CardWithStrip::new(card, state.health().strip(&id)));
    std::future::ready(Ok(answer)).await
}
