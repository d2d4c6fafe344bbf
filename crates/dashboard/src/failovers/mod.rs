//! `/failovers`: when work went to another account than the one that was its first choice.

use api::Failover;
use askama::Template;
use axum::extract::{Query as QueryOf, State};
use axum::response::Response;
use domain::AccountName;
use serde::Deserialize;

use crate::dashboard::Dashboard;
use crate::listing::{self, address, chat_in_list};
use crate::page::{self, refusal::RefusalPage};
use crate::view::Section;
use crate::visitor::Visitor;
use crate::words::{OperationsWords, WorkWords};

fn chat_cell(failover: &Failover) -> String {
    chat_in_list(&failover.names, failover.chat_id.map(|id| id.to_string()).as_deref(), None)
}

/// The account that did it in the end.
fn done_by(failover: &Failover) -> Option<&str> {
    failover.done_by.as_ref().map(AccountName::as_str)
}

/// Where the work is shown; nothing where a person moved the chat, or an import brought the entry.
fn work_path(failover: &Failover) -> Option<String> {
    let page = if failover.subject.starts_with("msg_") { "messages" } else { "operations" };
    let is_work = failover.subject.starts_with("msg_") || failover.subject.starts_with("op_");
    is_work.then(|| format!("/{page}/{}", failover.subject))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    account: String,
    chat: String,
    after: String,
}

impl Query {
    fn page_after(&self, after: &str) -> String {
        address("/failovers", &[("account", &self.account), ("chat", &self.chat), ("after", after)])
    }

    fn is_narrow(&self) -> bool {
        !self.account.is_empty() || !self.chat.is_empty()
    }
}

#[derive(Template)]
#[template(path = "failovers/list.html")]
struct List<'a> {
    visitor: &'a Visitor,
    words: &'static OperationsWords,
    work: &'static WorkWords,
    query: &'a Query,
    accounts: &'a [String],
    found: &'a api::Page<Failover>,
    wrong: Option<String>,
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    QueryOf(query): QueryOf<Query>,
) -> Result<Response, RefusalPage> {
    let pairs = [
        ("account", query.account.as_str()),
        ("chat", query.chat.trim()),
        ("cursor", &query.after),
        ("limit", "50"),
    ];
    let path = address("/v1/failovers", &pairs);
    let (found, wrong) = listing::find::<api::Page<Failover>>(&dashboard, &visitor, &path).await?;
    let words = OperationsWords::of(visitor.language);
    let accounts = dashboard.account_names(&visitor).await;
    let work = WorkWords::of(visitor.language);
    let body =
        List { visitor: &visitor, words, work, query: &query, accounts: &accounts, found: &found, wrong };
    Ok(page::page(&visitor, words.failovers, Section::Operations, body))
}
