//! What is done with a conversation and its client: assigned, taken over, closed, noted, changed, merged and split.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::Response;
use domain::ClientId;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{call, of_client, path_of};
use crate::dashboard::Dashboard;
use crate::page::{self, refusal, segment};
use crate::visitor::Posted;
use crate::words::{InboxWords, MessagesWords};

/// How many hours ahead a conversation is set aside at most: a month.
const MOST_HOURS: u32 = 31 * 24;

/// What the forms of the page send.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Form {
    /// When programs answer in a group.
    answers: String,
    /// Whose it is to be.
    to: String,
    /// A note.
    text: String,
    /// The appeal whose tags they are.
    appeal: String,
    tags: String,
    /// Of the client; in a question the other client.
    name: String,
    phone: String,
    email: String,
    /// The merge that is undone.
    merge: String,
    /// The message that is sent again, let out or not.
    message: String,
    /// For how many hours it is set aside.
    hours: String,
}

/// `POST /inbox/{client_id}/actions/{action}`.
pub(crate) async fn act(
    State(dashboard): State<Dashboard>,
    Path((id, action)): Path<(String, String)>,
    Posted { visitor, form }: Posted<Form>,
) -> Response {
    let Ok(id) = id.parse::<ClientId>() else { return refusal::no_such_page(&visitor) };
    let words = InboxWords::of(visitor.language);
    let user = visitor.user.as_ref().map(ToString::to_string);
    let mut method = Method::POST;
    let (path, body, done) = match action.as_str() {
        "assign" => (call(id, "/assign"), json!({ "to": form.to }), words.was_assigned),
        "assign-to-me" => (call(id, "/assign"), json!({ "to": user }), words.was_assigned),
        "unassign" => (call(id, "/assign"), json!({}), words.was_assigned),
        "take-over" => (call(id, "/hand-over"), json!({ "to": "human" }), words.was_taken_over),
        "give-back" => (call(id, "/hand-over"), json!({}), words.was_given_back),
        "close" => (call(id, "/close"), json!({}), words.was_closed),
        "reopen" => (call(id, "/reopen"), json!({}), words.was_reopened),
        "snooze" => {
            let hours = form.hours.trim().parse().unwrap_or(1_u32).clamp(1, MOST_HOURS);
            let until = visitor.now.plus(Duration::from_secs(u64::from(hours) * 3600));
            (call(id, "/snooze"), json!({ "until": until }), words.was_snoozed)
        }
        "wake" => (call(id, "/snooze"), json!({}), words.was_woken),
        "resend" => {
            let message = segment(&form.message);
            (call(id, &format!("/messages/{message}/retry")), json!({}), words.was_resent)
        }
        "approve" | "reject" => {
            let words = MessagesWords::of(visitor.language);
            let done = if action == "approve" { words.approved } else { words.cancelled };
            (format!("/v1/messages/{}/{action}", segment(&form.message)), json!({}), done)
        }
        "erase" => {
            return match dashboard.ask::<Value>(&visitor, Method::DELETE, &of_client(id, ""), None).await {
                Ok(_) => page::done(&visitor, super::HERE, words.was_erased),
                Err(why) => page::refused(&visitor, &path_of(id), &why),
            };
        }
        "note" => (call(id, "/notes"), json!({ "text": form.text }), words.was_noted),
        "tag" => {
            method = Method::PATCH;
            let tags: Vec<&str> = form.tags.split(',').collect();
            (format!("/v1/appeals/{}", segment(&form.appeal)), json!({ "tags": tags }), words.was_saved)
        }
        "change" => {
            method = Method::PATCH;
            // What is empty stays as it is.
            let field = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
            let body = json!({
                "name": field(&form.name), "phone": field(&form.phone), "email": field(&form.email),
            });
            (of_client(id, ""), body, words.was_saved)
        }
        "group-answers" => {
            method = Method::PATCH;
            (of_client(id, ""), json!({ "group_answers": form.answers }), words.was_saved)
        }
        "merge" => (of_client(id, "/merge"), json!({ "other": form.name }), words.was_merged),
        "dismiss" => (of_client(id, "/dismiss"), json!({ "other": form.name }), words.was_dismissed),
        "split" => (of_client(id, "/split"), json!({ "merge": form.merge }), words.was_split),
        _ => return refusal::no_such_page(&visitor),
    };
    match dashboard.ask::<Value>(&visitor, method, &path, Some(body)).await {
        Ok(_) => page::done(&visitor, &path_of(id), done),
        Err(why) => page::refused(&visitor, &path_of(id), &why),
    }
}
