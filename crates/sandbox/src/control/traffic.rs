//! `/telegram/traffic`: people write to accounts at a steady pace, which a caller for each message would disturb.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tokio::time::{MissedTickBehavior, interval};

use super::answers::{Body, ControlError};
use super::context::ControlContext;
use crate::telegram::NewMessage;

/// The most messages of one order, and the most in a second.
const MOST: u32 = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    /// Who write, by turns.
    from: Vec<String>,
    /// Whom they write to, by turns.
    to: Vec<String>,
    count: u32,
    per_second: u32,
}

#[derive(Serialize)]
pub(super) struct Traffic {
    written: u32,
}

/// Answers once all are written.
pub(super) async fn write(
    State(context): State<Arc<ControlContext>>,
    Body(order): Body<Order>,
) -> Result<Json<Traffic>, ControlError> {
    let is_fine = !order.from.is_empty() && !order.to.is_empty();
    if !is_fine || [order.count, order.per_second].iter().any(|number| !(1..=MOST).contains(number)) {
        let words = format!("traffic needs from, to, and 1 to {MOST} for count and per_second");
        return Err(ControlError::Request(words));
    }
    let mut tick = interval(Duration::from_secs(1) / order.per_second);
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let turns = order.from.iter().cycle().zip(order.to.iter().cycle());
    for (number, (from, to)) in (1..=order.count).zip(turns) {
        tick.tick().await;
        let (from, chat) = (from.clone(), to.clone());
        context.telegram.write(&NewMessage {
            from,
            chat,
            text: format!("text {number}"),
            ..NewMessage::default()
        })?;
    }
    Ok(Json(Traffic { written: order.count }))
}
