//! `/chats/unresolved`: chats that no account finds, how often each is asked for and by whom, and forgetting them.

use access::Right;
use askama::Template;
use axum::extract::{Query as QueryOf, State};
use axum::response::Response;
use domain::{ChatRef, Timestamp};
use http::Method;
use serde::Deserialize;
use serde_json::Value;

use crate::dashboard::Dashboard;
use crate::listing::{Listed, address, refuse};
use crate::page::{self, refusal};
use crate::view::Section;
use crate::visitor::{Posted, Visitor};
use crate::words::{self, ChatsWords, WorkWords};

/// A chat that no account finds, as the API shows it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Unresolved {
    pub(super) chat_id: String,
    pub(super) count: u64,
    pub(super) first_at: Timestamp,
    pub(super) last_at: Timestamp,
    #[serde(default)]
    pub(super) accounts: Vec<Said>,
    #[serde(default)]
    pub(super) callers: Vec<Caller>,
}

/// What one account said.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Said {
    pub(super) account: String,
    pub(super) why: String,
}

/// Somebody who asked for it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Caller {
    pub(super) listener: String,
    pub(super) api_key: Option<String>,
    pub(super) api_key_name: Option<String>,
    pub(super) address: Option<String>,
    #[serde(default)]
    pub(super) count: u64,
}

/// What the address asks for.
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
    pub(super) found: &'a Listed<Unresolved>,
    pub(super) later: bool,
    pub(super) may_act: bool,
}

impl List<'_> {
    fn page_after(after: &str) -> String {
        address("/chats/unresolved", &[("after", after)])
    }
}

/// The page.
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    QueryOf(query): QueryOf<Query>,
) -> Response {
    let words = ChatsWords::of(visitor.language);
    let path = address("/v1/chats/unresolved", &[("cursor", &query.after), ("limit", "50")]);
    match dashboard.ask::<Listed<Unresolved>>(&visitor, Method::GET, &path, None).await {
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
