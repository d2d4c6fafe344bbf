//! `/chats`: the registry.

use askama::Template;
use axum::extract::{Query as QueryOf, State};
use axum::response::Response;
use serde::Deserialize;

use super::Chat;
use crate::dashboard::Dashboard;
use crate::listing::{self, address};
use crate::page::{self, refusal::RefusalPage};
use crate::view::{Linked, Section};
use crate::visitor::Visitor;
use crate::words::{self, ChatsWords, WorkWords};

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    pub(super) q: String,
    pub(super) account: String,
    pub(super) state: String,
    pub(super) kind: String,
    pub(super) after: String,
}

impl Query {
    pub(super) fn page_after(&self, after: &str) -> String {
        let pairs = [
            ("q", self.q.trim()),
            ("account", &self.account),
            ("state", &self.state),
            ("kind", &self.kind),
            ("after", after),
        ];
        address("/chats", &pairs)
    }

    fn is_narrow(&self) -> bool {
        [&self.q, &self.account, &self.state, &self.kind].into_iter().any(|value| !value.is_empty())
    }
}

#[derive(Template)]
#[template(path = "chats/list.html")]
pub(super) struct List<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static ChatsWords,
    pub(super) work: &'static WorkWords,
    pub(super) query: &'a Query,
    pub(super) accounts: &'a [String],
    pub(super) found: &'a api::Page<Chat>,
    pub(super) wrong: Option<String>,
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    QueryOf(query): QueryOf<Query>,
) -> Result<Response, RefusalPage> {
    let words = ChatsWords::of(visitor.language);
    let pairs = [
        ("q", query.q.trim()),
        ("account", &query.account),
        ("state", &query.state),
        ("kind", &query.kind),
        ("cursor", &query.after),
        ("limit", "50"),
    ];
    let (found, wrong) =
        listing::find::<api::Page<Chat>>(&dashboard, &visitor, &address("/v1/chats", &pairs)).await?;
    let accounts = dashboard.account_names(&visitor).await;
    let work = WorkWords::of(visitor.language);
    let body =
        List { visitor: &visitor, words, work, query: &query, accounts: &accounts, found: &found, wrong };
    Ok(page::page(&visitor, words.chats, Section::Chats, body))
}
