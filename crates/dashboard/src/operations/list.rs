//! `/operations`: work on chats, newest first.

use askama::Template;
use axum::extract::{Query as QueryOf, State};
use axum::response::Response;
use serde::Deserialize;

use super::Operation;
use crate::dashboard::Dashboard;
use crate::listing::{self, address};
use crate::page::{self, refusal::RefusalPage};
use crate::view::{Linked, Section};
use crate::visitor::Visitor;
use crate::words::{self, OperationsWords, WorkWords};

const KINDS: [&str; 5] = ["create_chat", "leave_chat", "add_members", "remove_members", "edit_chat"];

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    pub(super) kind: String,
    pub(super) state: String,
    pub(super) account: String,
    pub(super) chat: String,
    pub(super) after: String,
}

impl Query {
    fn page_after(&self, after: &str) -> String {
        let Self { kind, state, account, chat, .. } = self;
        let pairs = [
            ("kind", kind.as_str()),
            ("state", state),
            ("account", account),
            ("chat", chat),
            ("after", after),
        ];
        address("/operations", &pairs)
    }

    fn is_narrow(&self) -> bool {
        let Self { kind, state, account, chat, .. } = self;
        [kind, state, account, chat].into_iter().any(|value| !value.is_empty())
    }
}

#[derive(Template)]
#[template(path = "operations/list.html")]
pub(super) struct List<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static OperationsWords,
    pub(super) work: &'static WorkWords,
    pub(super) query: &'a Query,
    pub(super) accounts: &'a [String],
    pub(super) found: &'a api::Page<Operation>,
    pub(super) wrong: Option<String>,
}

impl List<'_> {
    fn kinds() -> [&'static str; 5] {
        KINDS
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    QueryOf(query): QueryOf<Query>,
) -> Result<Response, RefusalPage> {
    let kind = if query.kind.is_empty() { "operation" } else { query.kind.as_str() };
    let pairs = [
        ("kind", kind),
        ("state", &query.state),
        ("account", &query.account),
        ("chat", query.chat.trim()),
        ("cursor", &query.after),
        ("limit", "50"),
    ];
    let path = address("/v1/operations", &pairs);
    let (found, wrong) = listing::find::<api::Page<Operation>>(&dashboard, &visitor, &path).await?;
    let words = OperationsWords::of(visitor.language);
    let accounts = dashboard.account_names(&visitor).await;
    let work = WorkWords::of(visitor.language);
    let body =
        List { visitor: &visitor, words, work, query: &query, accounts: &accounts, found: &found, wrong };
    Ok(page::page(&visitor, words.operations, Section::Operations, body))
}
