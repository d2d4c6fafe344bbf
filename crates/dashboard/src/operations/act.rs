//! The buttons of work on a chat: doing it again, cancelling it, and ending the doubt about it.

use axum::extract::{Path, State};
use axum::response::Response;
use domain::OperationId;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::dashboard::Dashboard;
use crate::doubt;
use crate::listing::refuse;
use crate::page::{self, refusal};
use crate::visitor::Posted;
use crate::words::OperationsWords;

#[derive(Debug, Deserialize)]
pub(crate) struct Pressed {
    #[serde(default)]
    back: String,
    /// The chat that was made, where one was to be.
    #[serde(default)]
    chat_id: String,
}

/// `/operations/{id}/actions/{action}`: asks the API for it as the person who pressed.
pub(crate) async fn act(
    State(dashboard): State<Dashboard>,
    Path((id, action)): Path<(String, String)>,
    Posted { visitor, form }: Posted<Pressed>,
) -> Response {
    let words = OperationsWords::of(visitor.language);
    let Ok(id) = id.parse::<OperationId>() else { return refusal::no_such_page(&visitor) };
    let (call, body, done) = match action.as_str() {
        "retry" => ("retry", None, words.retried),
        "cancel" => ("cancel", None, words.cancelled),
        "done" => ("resolve", Some(resolved(&form.chat_id)), words.counted_as_done),
        "again" => ("resolve", Some(json!({ "as": "again" })), words.done_again),
        _ => return refusal::no_such_page(&visitor),
    };
    match dashboard.ask::<Value>(&visitor, Method::POST, &format!("/v1/operations/{id}/{call}"), body).await {
        Ok(_) => page::done(&visitor, &form.back, done),
        // Nothing is decided yet: back to the form, with what was written in it.
        Err(why) if call == "resolve" && why.code != "wrong_state" => {
            doubt::form_again(&visitor, &id.to_string(), &form.chat_id, &why)
        }
        Err(why) => refuse(&visitor, &form.back, &why),
    }
}

/// The word that it happened, with the chat that was made.
fn resolved(chat_id: &str) -> Value {
    match chat_id.trim() {
        "" => json!({ "as": "done" }),
        chat_id => json!({ "as": "done", "chat_id": chat_id }),
    }
}
