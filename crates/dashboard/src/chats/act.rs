//! Giving a chat to another account, and leaving it: each asks first and says what follows.

use access::Right;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::ChatRef;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::one::find;
use super::{Chat, is_private, serves};
use crate::dashboard::Dashboard;
use crate::listing::{address, refuse};
use crate::page::{self, refusal};
use crate::view::{Linked, Section};
use crate::visitor::{Posted, Visitor};
use crate::words::{ChatsWords, WorkWords};

#[derive(Template)]
#[template(path = "chats/bind.html")]
pub(super) struct BindQuestion<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static ChatsWords,
    pub(super) work: &'static WorkWords,
    pub(super) chat: &'a Chat,
    pub(super) others: Vec<String>,
}

#[derive(Template)]
#[template(path = "chats/leave.html")]
pub(super) struct LeaveQuestion<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static ChatsWords,
    pub(super) work: &'static WorkWords,
    pub(super) chat: &'a Chat,
}

/// `/chats/{id}/bind`.
pub(crate) async fn ask_to_bind(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    if !visitor.may(Right::Send) {
        return refusal::not_allowed(&visitor);
    }
    let words = ChatsWords::of(visitor.language);
    match find(&dashboard, &visitor, &id).await {
        Ok(chat) => {
            let work = WorkWords::of(visitor.language);
            let others = others(&dashboard, &visitor, &chat).await;
            let body = BindQuestion { visitor: &visitor, words, work, chat: &chat, others };
            page::page(&visitor, words.bind, Section::Chats, body)
        }
        Err(answer) => *answer,
    }
}

/// The accounts that a chat can be given to: those in it, for a private dialog all. Those that have it come first.
async fn others(dashboard: &Dashboard, visitor: &Visitor, chat: &Chat) -> Vec<String> {
    let mut others: Vec<String> = super::others(chat).map(ToString::to_string).collect();
    if is_private(chat) {
        let all = dashboard.account_names(visitor).await;
        let more = all
            .into_iter()
            .filter(|name| !others.contains(name) && !name.parse().is_ok_and(|name| serves(&name, chat)));
        let more: Vec<String> = more.collect();
        others.extend(more);
    }
    others
}

/// `/chats/{id}/leave`.
pub(crate) async fn ask_to_leave(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    if !visitor.may(Right::Send) {
        return refusal::not_allowed(&visitor);
    }
    let words = ChatsWords::of(visitor.language);
    match find(&dashboard, &visitor, &id).await {
        Ok(chat) => {
            let work = WorkWords::of(visitor.language);
            let body = LeaveQuestion { visitor: &visitor, words, work, chat: &chat };
            page::page(&visitor, words.leave, Section::Chats, body)
        }
        Err(answer) => *answer,
    }
}

/// What the question about another account sends.
#[derive(Debug, Deserialize)]
pub(crate) struct Bind {
    #[serde(default)]
    account: String,
}

/// `/chats/{id}/actions/bind`.
pub(crate) async fn bind(
    State(dashboard): State<Dashboard>,
    Path(id): Path<String>,
    Posted { visitor, form }: Posted<Bind>,
) -> Response {
    let Ok(chat) = id.parse::<ChatRef>() else { return refusal::no_such_page(&visitor) };
    let (back, words) = (format!("/chats/{chat}"), ChatsWords::of(visitor.language));
    let body = json!({ "account": form.account });
    match dashboard.ask::<Value>(&visitor, Method::PATCH, &format!("/v1/chats/{chat}"), Some(body)).await {
        Ok(_) => page::done(&visitor, &back, &words.bound(&form.account)),
        Err(why) => refuse(&visitor, &back, &why),
    }
}

/// What the question about leaving sends.
#[derive(Debug, Deserialize)]
pub(crate) struct Leave {
    #[serde(default)]
    remove_members: String,
    #[serde(default)]
    leave_own: String,
}

/// `/chats/{id}/actions/leave`.
pub(crate) async fn leave(
    State(dashboard): State<Dashboard>,
    Path(id): Path<String>,
    Posted { visitor, form }: Posted<Leave>,
) -> Response {
    let Ok(chat) = id.parse::<ChatRef>() else { return refusal::no_such_page(&visitor) };
    let (back, words) = (format!("/chats/{chat}"), ChatsWords::of(visitor.language));
    let ticked = |field: &str| if field.is_empty() { "" } else { "true" };
    let (remove, own) = (ticked(&form.remove_members), ticked(&form.leave_own));
    // A long leave goes on by itself; its operation shows how far it is.
    let path = address(
        &format!("/v1/chats/{chat}"),
        &[("remove_members", remove), ("leave_own", own), ("wait", "10")],
    );
    match dashboard.ask::<Value>(&visitor, Method::DELETE, &path, None).await {
        Ok(answer) if answer["left"] == json!(true) => page::done(&visitor, &back, words.was_left),
        Ok(answer) => {
            let operation = answer["id"].as_str().or(answer["operation"].as_str()).unwrap_or_default();
            page::done(&visitor, &format!("/operations/{operation}"), words.leaving)
        }
        Err(why) => refuse(&visitor, &back, &why),
    }
}
