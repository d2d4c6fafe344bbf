//! `/failovers`: when work went to another account than the one that was its first choice.

use askama::Template;
use axum::extract::{Query as QueryOf, State};
use axum::response::Response;
use domain::Timestamp;
use http::Method;
use serde::Deserialize;

use crate::dashboard::Dashboard;
use crate::listing::{self, Listed, Named, address};
use crate::page::{self, refusal};
use crate::view::Section;
use crate::visitor::Visitor;
use crate::words::{OperationsWords, WorkWords};

/// A failover, as the API shows it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Failover {
    pub(crate) at: Timestamp,
    pub(crate) chat_id: Option<String>,
    #[serde(flatten)]
    pub(crate) named: Named,
    pub(crate) from: String,
    pub(crate) to: String,
    #[serde(default)]
    pub(crate) done_by: Option<String>,
    #[serde(default)]
    pub(crate) state: Option<String>,
    pub(crate) reason: String,
    pub(crate) subject: String,
}

impl Failover {
    fn chat_cell(&self) -> String {
        let cell = self.named.cell(self.chat_id.as_deref(), None);
        cell.and_then(|cell| cell.render().ok()).unwrap_or_default()
    }

    /// Where the work is shown; nothing where a person moved the chat, or an import brought the entry.
    fn path(&self) -> Option<String> {
        let page = if self.subject.starts_with("msg_") { "messages" } else { "operations" };
        let is_work = self.subject.starts_with("msg_") || self.subject.starts_with("op_");
        is_work.then(|| format!("/{page}/{}", self.subject))
    }
}

/// What the address asks for.
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
    found: &'a Listed<Failover>,
    wrong: Option<String>,
}

/// The page.
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    QueryOf(query): QueryOf<Query>,
) -> Response {
    let pairs = [
        ("account", query.account.as_str()),
        ("chat", query.chat.trim()),
        ("cursor", &query.after),
        ("limit", "50"),
    ];
    let path = address("/v1/failovers", &pairs);
    let answer = dashboard.ask::<Listed<Failover>>(&visitor, Method::GET, &path, None).await;
    let (found, wrong) = match listing::found(answer) {
        Ok(found) => found,
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    let words = OperationsWords::of(visitor.language);
    let accounts = dashboard.account_names(&visitor).await;
    let work = WorkWords::of(visitor.language);
    let body =
        List { visitor: &visitor, words, work, query: &query, accounts: &accounts, found: &found, wrong };
    page::page(&visitor, words.failovers, Section::Operations, body)
}
