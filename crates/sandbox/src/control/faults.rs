//! `/faults`: the dial.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::answers::{Body, ControlError, Items, Path};
use super::context::ControlContext;
use crate::ai;
use crate::channels::{ActiveChannelFault, ChannelFaultOrder};
use crate::telegram::{ActiveFault, FaultOrder};

/// The Bot API among the providers of faults; `telegram` is MTProto.
const BOTS: &str = "telegram_bot";

/// A fault of either kind.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum AnyFault {
    Telegram(ActiveFault),
    Channel(ActiveChannelFault),
}

pub(super) async fn list(State(context): State<Arc<ControlContext>>) -> Json<Items<AnyFault>> {
    let mut of_channels = context.channels.faults(|faults| faults.list());
    for fault in of_channels.iter_mut().filter(|fault| fault.order.provider == "telegram") {
        // As it is ordered.
        BOTS.clone_into(&mut fault.order.provider);
    }
    let of_telegram = context.telegram.faults().into_iter().map(AnyFault::Telegram);
    Json(Items { items: of_telegram.chain(of_channels.into_iter().map(AnyFault::Channel)).collect() })
}

pub(super) async fn add(
    State(context): State<Arc<ControlContext>>,
    Body(mut order): Body<Value>,
) -> Result<(StatusCode, Json<Value>), ControlError> {
    let provider = order.get("provider").and_then(Value::as_str).unwrap_or_default();
    let channel = if provider == BOTS { "telegram" } else { provider }.to_owned();
    let id = if provider != "telegram" && (context.channels.has(&channel) || provider == ai::PROVIDER) {
        order["provider"] = json!(channel);
        let order: ChannelFaultOrder = read(order)?;
        context.channels.faults(|faults| faults.add(order)).map_err(ControlError::Request)?
    } else {
        context.telegram.add_fault(read::<FaultOrder>(order)?)?
    };
    Ok((StatusCode::CREATED, Json(json!({ "id": id }))))
}

fn read<T: DeserializeOwned>(order: Value) -> Result<T, ControlError> {
    serde_json::from_value(order).map_err(|error| ControlError::Request(error.to_string()))
}

pub(super) async fn remove(
    State(context): State<Arc<ControlContext>>,
    Path(id): Path<u64>,
) -> Result<StatusCode, ControlError> {
    let gone = context.telegram.remove_fault(id) || context.channels.faults(|faults| faults.remove(id));
    gone.then_some(StatusCode::NO_CONTENT).ok_or_else(|| ControlError::NotFound(format!("fault {id}")))
}

pub(super) async fn clear(State(context): State<Arc<ControlContext>>) -> StatusCode {
    context.telegram.clear_faults();
    context.channels.clear_faults();
    StatusCode::NO_CONTENT
}
