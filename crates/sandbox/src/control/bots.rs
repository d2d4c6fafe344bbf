//! `/telegram/bots`, `/telegram/trips`: bots, and what they do.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::answers::{Body, ControlError, Path};
use super::context::ControlContext;
use crate::telegram::{MadeBot, NewBot, NewTrip, OutsidePress, Play, Played, Rules, Trip, TroubleOrder};

pub(super) async fn make(
    State(context): State<Arc<ControlContext>>,
    Body(order): Body<NewBot>,
) -> Result<(StatusCode, Json<MadeBot>), ControlError> {
    Ok((StatusCode::CREATED, Json(context.telegram.make_bot(&order)?)))
}

pub(super) async fn trouble(
    State(context): State<Arc<ControlContext>>,
    Path(name): Path<String>,
    Body(troubles): Body<Vec<TroubleOrder>>,
) -> Result<StatusCode, ControlError> {
    context.telegram.trouble(&name, &troubles)?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn press(
    State(context): State<Arc<ControlContext>>,
    Body(order): Body<OutsidePress>,
) -> Result<Json<Value>, ControlError> {
    let answer = context.telegram.press_outside(&order).await?;
    Ok(Json(match answer {
        Some(answer) => {
            json!({ "answered": true, "text": answer.text, "alert": answer.alert, "url": answer.url })
        }
        None => json!({ "answered": false }),
    }))
}

pub(super) async fn instruct(
    State(context): State<Arc<ControlContext>>,
    Path(name): Path<String>,
    Body(rules): Body<Rules>,
) -> Result<StatusCode, ControlError> {
    context.telegram.instruct(&name, &rules)?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn play(
    State(context): State<Arc<ControlContext>>,
    Path(name): Path<String>,
    Body(order): Body<Play>,
) -> Result<(StatusCode, Json<Played>), ControlError> {
    Ok((StatusCode::CREATED, Json(context.telegram.play(&name, &order)?)))
}

pub(super) async fn offer_trip(
    State(context): State<Arc<ControlContext>>,
    Body(order): Body<NewTrip>,
) -> Result<(StatusCode, Json<Trip>), ControlError> {
    Ok((StatusCode::CREATED, Json(context.telegram.offer_trip(&order)?)))
}
