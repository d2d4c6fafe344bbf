//! Going out: the session ends at the server, whatever the browser keeps.

use access::ClientInfo;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::header::SET_COOKIE;
use serde::Deserialize;

use crate::dashboard::Dashboard;
use crate::page::refusal;
use crate::visitor::Posted;

/// Nothing but the token.
#[derive(Deserialize)]
pub(crate) struct Nothing {}

/// `POST /sign-out`.
pub(crate) async fn leave(
    State(dashboard): State<Dashboard>,
    Posted { visitor, .. }: Posted<Nothing>,
) -> Response {
    if let Some(session) = &visitor.session {
        let client = ClientInfo { address: visitor.address, browser: None, devices: Vec::new() };
        if let Err(error) = dashboard.state().access().sign_out(session, &client).await {
            tracing::error!(%error, "a session could not be ended");
            return refusal::no_store(&visitor);
        }
    }
    let mut answer = Redirect::to("/sign-in?note=out").into_response();
    // Both names: the browser may have signed in over the other way.
    for secure in [true, false] {
        if let Ok(cookie) = access::cookie::end(secure).parse() {
            answer.headers_mut().append(SET_COOKIE, cookie);
        }
    }
    answer
}
