//! Starting, pausing, stopping and removing a campaign; what cannot be taken back is asked before.

use access::Right;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{HERE, call, find};
use crate::dashboard::Dashboard;
use crate::page::{self, refusal, segment};
use crate::view::{Linked, Section};
use crate::visitor::{Posted, Visitor};
use crate::words::{CampaignsWords, WorkWords};

/// A question before something is stopped or removed.
#[derive(Template)]
#[template(path = "campaigns/question.html")]
pub(crate) struct Question<'a> {
    pub(crate) visitor: &'a Visitor,
    pub(crate) work: &'static WorkWords,
    pub(crate) title: &'a str,
    pub(crate) follows: &'static str,
    pub(crate) button: &'static str,
    /// Where the form goes.
    pub(crate) action: String,
    /// What the form sends as `name`; empty where the address has it.
    pub(crate) name: &'a str,
    /// The page behind it.
    pub(crate) back: &'a str,
}

/// `GET /campaigns/{name}/stop`: the question before it.
pub(crate) async fn ask_stop(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Response {
    let words = CampaignsWords::of(visitor.language);
    let question = |title: &str| words.stop_question(title);
    ask(&dashboard, &visitor, &name, question, (words.stop_follows, "/actions/stop", words.stop)).await
}

/// `GET /campaigns/{name}/remove`: the question before it.
pub(crate) async fn ask_remove(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Response {
    let words = CampaignsWords::of(visitor.language);
    let question = |title: &str| words.remove_question(title);
    ask(&dashboard, &visitor, &name, question, (words.remove_follows, "/actions/remove", words.remove)).await
}

async fn ask(
    dashboard: &Dashboard,
    visitor: &Visitor,
    name: &str,
    question: impl Fn(&str) -> String,
    (follows, action, button): (&'static str, &'static str, &'static str),
) -> Response {
    if !visitor.may(Right::Operate) {
        return refusal::not_allowed(visitor);
    }
    let campaign = match find(dashboard, visitor, name).await {
        Ok(campaign) => campaign,
        Err(answer) => return *answer,
    };
    let title = question(&campaign.title);
    let (work, back) = (WorkWords::of(visitor.language), campaign.path());
    let action = format!("{back}{action}");
    let body = Question { visitor, work, title: &title, follows, button, action, name: "", back: &back };
    page::page(visitor, &title, Section::Campaigns, body)
}

/// What a button sends.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Pressed {
    /// The page to go back to.
    back: String,
    /// After how many chats it pauses; empty for all of them.
    limit: String,
    /// The sender that is meant.
    sender: String,
    /// The chat that is meant; empty for all of them.
    chat: String,
}

/// `POST /campaigns/{name}/actions/{action}`.
pub(crate) async fn act(
    State(dashboard): State<Dashboard>,
    Path((name, action)): Path<(String, String)>,
    Posted { visitor, form }: Posted<Pressed>,
) -> Response {
    let words = CampaignsWords::of(visitor.language);
    let campaign = match find(&dashboard, &visitor, &name).await {
        Ok(campaign) => campaign,
        Err(answer) => return *answer,
    };
    let title = &campaign.title;
    let here = campaign.path();
    let mut back = if form.back.is_empty() { here.as_str() } else { &form.back };
    let mut body = None;
    let mut call_of = (Method::POST, call(&name, &format!("/{action}")));
    let done = match action.as_str() {
        "start" => {
            let limit = form.limit.trim();
            // What is no number is refused there, with the name of its field.
            let canary = limit.parse::<u32>().map_or_else(|_| Value::from(limit), Value::from);
            body = Some(if limit.is_empty() { json!({}) } else { json!({ "canary": canary }) });
            words.began_note(title)
        }
        "pause" => words.paused_note(title),
        "resume" => words.began_note(title),
        "stop" => words.stopped_note(title),
        "unblock" if !form.chat.is_empty() => {
            body = Some(json!({ "chat": form.chat }));
            words.unblocked_chat_note(&form.chat)
        }
        "unblock" => words.unblocked_note(title),
        "remove-sender" => {
            call_of = (Method::DELETE, call(&name, &format!("/senders/{}", segment(&form.sender))));
            words.saved_note(title)
        }
        "remove" => {
            back = HERE;
            call_of = (Method::DELETE, call(&name, ""));
            words.removed_note(title)
        }
        _ => return refusal::no_such_page(&visitor),
    };
    let (method, path) = call_of;
    match dashboard.ask::<Value>(&visitor, method, &path, body).await {
        Ok(_) => page::done(&visitor, back, &done),
        Err(why) if action == "start" => {
            let field = why.fields.first().map(|field| format!("{}: {}.", words.limit, field.message));
            page::not_done(&visitor, &format!("{here}/forecast"), &field.unwrap_or(why.detail))
        }
        Err(why) => page::refused(&visitor, if action == "remove" { &here } else { back }, &why),
    }
}
