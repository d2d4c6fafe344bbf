//! What providers post to the old addresses, which have no secret: taken while the settings of an account allow it.

use ::channels::{HookError, HookRefusal, TakenHook};
use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use config::ChannelKind;
use http::header::CONTENT_TYPE;
use http::{Method, StatusCode};
use serde_json::json;

use super::call::Call;
use super::refused::Refused;
use super::{Gate, HandlerResult, done};
use crate::hooks;

/// `/webhook/{channel}`.
pub(super) async fn take(Shared(gate): Shared<Gate>, method: Method, call: Call) -> HandlerResult {
    let account = gate.account()?;
    let (channel, name) = (account.channel.clone(), gate.port.account.clone());
    let post = hooks::post(&method, &call.uri, &call.headers, &call.body);
    let taken = gate.state.channels().old_hook(&channel, name.as_ref(), post).await;
    Ok(answer(&gate, taken.map_err(|error| refused(&gate, error))?))
}

/// What the old server answered.
fn answer(gate: &Gate, taken: TakenHook) -> Response {
    match gate.port.channel {
        // Their providers read the answer.
        ChannelKind::Vk | ChannelKind::Instagram => {
            let plain = if taken.answer.body.is_empty() && gate.port.channel == ChannelKind::Vk {
                "ok".to_owned()
            } else {
                taken.answer.body
            };
            let kind = match taken.answer.content_type {
                "" => "text/plain; charset=utf-8",
                kind => kind,
            };
            (StatusCode::OK, [(CONTENT_TYPE, kind)], plain).into_response()
        }
        ChannelKind::Max => done(&json!({ "success": true })),
        _ => forwarded_response(&taken),
    }
}

pub(super) fn forwarded_response(taken: &TakenHook) -> Response {
    done(&match &taken.message_id {
        Some(id) => json!({ "ok": true, "forwarded": taken.forwarded, "message_id": id }),
        None => json!({ "ok": true, "skipped": true, "reason": "no message of a customer" }),
    })
}

fn refused(gate: &Gate, error: HookError) -> Refused {
    match error {
        HookError::NoSuchAddress => Refused::error(
            StatusCode::NOT_FOUND,
            "this address has no secret; old_hook = true at the account lets it be used until it is registered again",
        ),
        HookError::Refused(refusal) => {
            tracing::warn!(%refusal, "a post of a provider is refused");
            match refusal {
                HookRefusal::NotGenuine if gate.port.channel == ChannelKind::Vk => {
                    Refused::error(StatusCode::FORBIDDEN, "bad secret")
                }
                HookRefusal::NotGenuine => Refused::error(StatusCode::UNAUTHORIZED, refusal.to_string()),
                HookRefusal::OtherAccount(_) => Refused::error(StatusCode::FORBIDDEN, refusal.to_string()),
                HookRefusal::Unreadable(_) => Refused::error(StatusCode::BAD_REQUEST, refusal.to_string()),
                HookRefusal::NotYet(_) => {
                    Refused::error(StatusCode::SERVICE_UNAVAILABLE, refusal.to_string())
                }
            }
        }
        HookError::Store(error) => error.into(),
    }
}
