//! The buttons of a message: sending it again, cancelling it, letting it out, and ending the doubt about it.

use axum::extract::{Path, State};
use axum::response::Response;
use domain::MessageId;
use http::Method;
use serde_json::{Value, json};

use crate::dashboard::Dashboard;
use crate::listing::{Pressed, refuse};
use crate::page::{self, refusal};
use crate::visitor::Posted;
use crate::words::MessagesWords;

/// `/messages/{id}/actions/{action}`: asks the API for it as the person who pressed.
pub(crate) async fn act(
    State(dashboard): State<Dashboard>,
    Path((id, action)): Path<(String, String)>,
    Posted { visitor, form }: Posted<Pressed>,
) -> Response {
    let words = MessagesWords::of(visitor.language);
    let Ok(id) = id.parse::<MessageId>() else { return refusal::no_such_page(&visitor) };
    let (call, body, done) = match action.as_str() {
        "retry" => ("retry", None, words.retried),
        "cancel" => ("cancel", None, words.cancelled),
        "approve" => ("approve", None, words.approved),
        "reject" => ("reject", None, words.cancelled),
        "sent" => ("resolve", Some(json!({ "as": "sent" })), words.counted_as_sent),
        "resend" => ("resolve", Some(json!({ "as": "resend" })), words.sent_again),
        _ => return refusal::no_such_page(&visitor),
    };
    match dashboard.ask::<Value>(&visitor, Method::POST, &format!("/v1/messages/{id}/{call}"), body).await {
        // It may have been sent before it was cancelled.
        Ok(message) if action == "cancel" && message["state"] == "in_doubt" => {
            page::done(&visitor, &form.back, words.tried_no_longer)
        }
        Ok(_) => page::done(&visitor, &form.back, done),
        Err(why) => refuse(&visitor, &form.back, &why),
    }
}
