//! `/chats/unresolved`: chats that no account finds, how often each is asked for and by whom, and forgetting them.

use access::Right;
use api::UnresolvedChat;
use askama::Template;
use axum::extract::{Query as QueryOf, State};
use axum::response::Response;
use domain::ChatRef;
use http::Method;
use serde::Deserialize;
use serde_json::Value;

use crate::dashboard::Dashboard;
use crate::listing::{address, refuse};
use crate::page::{self, refusal};
use crate::view::Section;
use crate::visitor::{Posted, Visitor};
use crate::words::{self, ChatsWords, WorkWords};

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    after: String,
}

#[derive(Template)]
#[template(path = "chats/unresolved.html")]
pub(super) struct List<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static ChatsWords,
    pub(super) work: &'static WorkWords,
    pub(super) found: &'a api::Page<UnresolvedChat>,
    pub(super) later: bool,
    pub(super) may_act: bool,
}

impl List<'_> {
    fn page_after(after: &str) -> String {
        address("/chats/unresolved", &[("after", after)])
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    QueryOf(query): QueryOf<Query>,
) -> Response {
    let words = ChatsWords::of(visitor.language);
    let path = address("/v1/chats/unresolved", &[("cursor", &query.after), ("limit", "50")]);
    match dashboard.ask::<api::Page<UnresolvedChat>>(&visitor, Method::GET, &path, None).await {
        Ok(found) => {
            let body = List {
                visitor: &visitor,
                words,
                work: WorkWords::of(visitor.language),
                found: &found,
                later: !query.after.is_empty(),
                may_act: visitor.may(Right::Operate),
            };
            page::page(&visitor, words.unresolved, Section::Chats, body)
        }
        Err(why) => refusal::of_api(&visitor, &why),
    }
}

/// Which chat is to be forgotten.
#[derive(Debug, Deserialize)]
pub(crate) struct Forget {
    chat: String,
}

/// `/chats/unresolved/actions/forget`.
pub(crate) async fn forget(
    State(dashboard): State<Dashboard>,
    Posted { visitor, form }: Posted<Forget>,
) -> Response {
    let back = "/chats/unresolved";
    let Ok(chat) = form.chat.parse::<ChatRef>() else { return refusal::no_such_page(&visitor) };
    let words = ChatsWords::of(visitor.language);
    let path = format!("/v1/chats/unresolved/{chat}");
    match dashboard.ask::<Value>(&visitor, Method::DELETE, &path, None).await {
        Ok(_) => page::done(&visitor, back, &words.forgotten(&form.chat)),
        Err(why) => refuse(&visitor, back, &why),
    }
}
