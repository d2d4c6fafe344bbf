//! Port 8770: forms of pages. Anyone sends one; the account of the channel reads it.

use crate::auth::CanSend;
use crate::routing::post;
use ::channels::{HookError, HookRefusal};
use axum::Router;
use axum::extract::State as Shared;
use axum::response::IntoResponse;
use http::header::CONTENT_TYPE;
use http::{Method, StatusCode};
use serde_json::json;

use super::call::Call;
use super::refused::Refused;
use super::routes::Routes;
use super::{Gate, HandlerResult, hook};
use crate::problem::whole_seconds;
use crate::{forms, hooks};

/// What needs no key.
pub(super) fn open_routes() -> Router<Gate> {
    let mut router = Router::new();
    for path in ["/api/submit", "/api/quiz", "/api/callback", "/api/contact"] {
        router = router.route(path, post(submit));
    }
    router
}

pub(super) fn routes(routes: Routes) -> Routes {
    routes.route::<CanSend>("/webhook/form", post(posted))
}

async fn submit(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    bounded(&call)?;
    let post = hooks::post(&Method::POST, &call.uri, &call.headers, &call.body);
    if let Err(wait) = forms::admit(&gate.state, gate.account()?, call.address, &post).await {
        let wait = whole_seconds(wait);
        return Err(Refused::Error {
            status: StatusCode::TOO_MANY_REQUESTS,
            error: format!("too many forms; try again in {wait} s"),
            details: json!({ "retry_after": wait }),
        });
    }
    let taken = gate.state.channels().let_in(gate.account()?, post).await;
    let taken = taken.map(|taken| taken.answer).map_err(wrong)?;
    let kind = if taken.content_type.is_empty() { "application/json" } else { taken.content_type };
    Ok((StatusCode::OK, [(CONTENT_TYPE, kind)], taken.body).into_response())
}

async fn posted(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    bounded(&call)?;
    let post = hooks::post(&Method::POST, &call.uri, &call.headers, &call.body);
    let taken = gate.state.channels().let_in(gate.account()?, post).await;
    Ok(hook::forwarded_response(&taken.map_err(wrong)?))
}

fn bounded(call: &Call) -> Result<(), Refused> {
    if call.body.len() <= forms::LARGEST {
        return Ok(());
    }
    Err(Refused::error(StatusCode::PAYLOAD_TOO_LARGE, "a form has at most 64 KiB"))
}

/// What is wrong with a form: the account says `field: why`.
fn wrong(error: HookError) -> Refused {
    match error {
        HookError::Refused(HookRefusal::Unreadable(why)) => {
            let (field, message) = forms::wrong_field(&why);
            match message {
                "is missing" => Refused::field("body", field, "field required", "missing"),
                _ => Refused::field("body", field, message, "value_error"),
            }
        }
        HookError::Refused(refusal) => {
            Refused::error(StatusCode::FORBIDDEN, format!("this page may not send forms: {refusal}"))
        }
        HookError::NoSuchAddress => Refused::error(StatusCode::NOT_FOUND, "Not Found"),
        HookError::Store(error) => error.into(),
    }
}
