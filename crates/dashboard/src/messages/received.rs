//! `/messages/received`: what accounts received in all chats, found by words, chat and account.

use api::AnyMessage;
use askama::Template;
use axum::extract::{Query as QueryOf, State};
use axum::response::Response;
use serde::Deserialize;

use crate::dashboard::Dashboard;
use crate::listing::{self, address, chat_in_list};
use crate::page::{self, refusal::RefusalPage};
use crate::view::Section;
use crate::visitor::Visitor;
use crate::words::{MessagesWords, WorkWords};

/// How many messages a page shows.
const PAGE: &str = "50";
/// What came in through channels is on their pages and in the inbox.
const ACCOUNTS: &str = "telegram_account";

/// What the address asks for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    pub(super) q: String,
    pub(super) chat: String,
    pub(super) account: String,
    pub(super) after: String,
}

impl Query {
    fn is_narrow(&self) -> bool {
        [&self.q, &self.chat, &self.account].into_iter().any(|value| !value.is_empty())
    }

    pub(super) fn page_after(&self, after: &str) -> String {
        let Self { q, chat, account, after: _ } = self;
        address("/messages/received", &[("q", q), ("chat", chat), ("account", account), ("after", after)])
    }
}

#[derive(Template)]
#[template(path = "messages/received.html")]
struct Received<'a> {
    visitor: &'a Visitor,
    words: &'static MessagesWords,
    work: &'static WorkWords,
    query: &'a Query,
    accounts: &'a [String],
    found: &'a api::Page<AnyMessage>,
    wrong: Option<String>,
}

impl Received<'_> {
    fn chat_cell(message: &api::ReceivedMessage) -> String {
        chat_in_list(&message.names, Some(&message.chat_id.to_string()), None)
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    QueryOf(query): QueryOf<Query>,
) -> Result<Response, RefusalPage> {
    let path = address(
        "/v1/messages",
        &[
            ("direction", "in"),
            ("channel", ACCOUNTS),
            ("q", query.q.trim()),
            ("chat", query.chat.trim()),
            ("account", &query.account),
            ("cursor", &query.after),
            ("limit", PAGE),
        ],
    );
    let (found, wrong) = listing::find::<api::Page<AnyMessage>>(&dashboard, &visitor, &path).await?;
    let words = MessagesWords::of(visitor.language);
    let accounts = dashboard.account_names(&visitor).await;
    let body = Received {
        visitor: &visitor,
        words,
        work: WorkWords::of(visitor.language),
        query: &query,
        accounts: &accounts,
        found: &found,
        wrong,
    };
    Ok(page::page(&visitor, words.received, Section::Messages, body))
}
