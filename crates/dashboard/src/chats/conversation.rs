//! `/chats/{id}/messages`: the conversation of a chat, what was received and what was sent, the newest below.

use api::AnyMessage;
use askama::Template;
use axum::extract::{Path, Query as QueryOf, State};
use axum::response::Response;
use http::Method;
use serde::Deserialize;

use super::{Chat, conversation_path, name, one};
use crate::ask::Refused;
use crate::dashboard::Dashboard;
use crate::listing::address;
use crate::page::{self, refusal};
use crate::view::{Linked, Section};
use crate::visitor::Visitor;
use crate::words::{self, ChatsWords, MessagesWords, WorkWords};

/// How many messages a page shows.
const PAGE: &str = "50";
/// How many before a message, and after it.
const HALF_A_PAGE: &str = "25";

/// What the address asks for: words, and the message to show what is round it, before it or after it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    pub(super) q: String,
    pub(super) around: String,
    pub(super) before: String,
    pub(super) after: String,
    /// How far a search for words went.
    pub(super) cursor: String,
}

/// The messages of a page, the newest last.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    pub(crate) messages: Vec<AnyMessage>,
    /// Whether there are some before them.
    pub(super) earlier: bool,
    /// Whether there may be some after them.
    pub(super) later: bool,
    /// Where a search for words goes on.
    pub(super) further: Option<String>,
}

#[derive(Template)]
#[template(path = "chats/conversation.html")]
pub(super) struct Conversation<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static ChatsWords,
    pub(super) of_messages: &'static MessagesWords,
    pub(super) work: &'static WorkWords,
    pub(super) chat: &'a Chat,
    pub(super) query: &'a Query,
    pub(super) shown: &'a Shown,
}

impl Conversation<'_> {
    fn page_of(&self, field: &str, value: &str) -> String {
        address(&conversation_path(&self.chat.chat_id.to_string()), &[("q", &self.query.q), (field, value)])
    }

    fn earlier(&self) -> Option<String> {
        let oldest = self.shown.messages.first().filter(|_| self.shown.earlier)?;
        Some(self.page_of("before", &oldest.id()))
    }

    fn later(&self) -> Option<String> {
        let newest = self.shown.messages.last().filter(|_| self.shown.later)?;
        Some(self.page_of("after", &newest.id()))
    }

    fn further(&self) -> Option<String> {
        self.shown.further.as_ref().map(|cursor| self.page_of("cursor", cursor))
    }

    fn waiting(&self) -> String {
        address("/messages", &[("chat", &self.chat.chat_id.to_string()), ("state", "undelivered")])
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    QueryOf(query): QueryOf<Query>,
) -> Response {
    let chat = match one::find(&dashboard, &visitor, &id).await {
        Ok(chat) => chat,
        Err(answer) => return *answer,
    };
    let shown = match shown(&dashboard, &visitor, &chat, &query).await {
        Ok(shown) => shown,
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    let words = ChatsWords::of(visitor.language);
    let body = Conversation {
        visitor: &visitor,
        words,
        of_messages: MessagesWords::of(visitor.language),
        work: WorkWords::of(visitor.language),
        chat: &chat,
        query: &query,
        shown: &shown,
    };
    page::page(&visitor, &format!("{}: {}", words.conversation, name(&chat)), Section::Chats, body)
}

async fn shown(
    dashboard: &Dashboard,
    visitor: &Visitor,
    chat: &Chat,
    query: &Query,
) -> Result<Shown, Refused> {
    let id = chat.chat_id.to_string();
    if !query.around.is_empty() {
        return around(dashboard, visitor, &id, &query.around, HALF_A_PAGE).await;
    }
    let q = query.q.trim();
    let path = |field: &str, value: &str| {
        address(&format!("/v1/chats/{id}/messages"), &[("q", q), (field, value), ("limit", PAGE)])
    };
    if !query.after.is_empty() {
        let page = ask(dashboard, visitor, &path("after", &query.after)).await?;
        let later = page.next_cursor.is_some();
        return Ok(Shown { messages: page.items, earlier: true, later, further: None });
    }
    let (field, value) =
        if query.before.is_empty() { ("cursor", &query.cursor) } else { ("before", &query.before) };
    let page = ask(dashboard, visitor, &path(field, value)).await?;
    Ok(Shown {
        messages: page.items.into_iter().rev().collect(),
        earlier: q.is_empty() && page.next_cursor.is_some(),
        later: !query.before.is_empty(),
        further: page.next_cursor.filter(|_| !q.is_empty()),
    })
}

/// A message with so many before it and after it.
pub(crate) async fn around(
    dashboard: &Dashboard,
    visitor: &Visitor,
    chat: &str,
    message: &str,
    most: &str,
) -> Result<Shown, Refused> {
    let path = |field| address(&format!("/v1/chats/{chat}/messages"), &[(field, message), ("limit", most)]);
    let before = ask(dashboard, visitor, &path("before")).await?;
    let after = ask(dashboard, visitor, &path("after")).await?;
    let path = format!("/v1/messages/{}", page::segment(message));
    let itself = dashboard.ask::<AnyMessage>(visitor, Method::GET, &path, None).await?;
    let (earlier, later) = (before.next_cursor.is_some(), after.next_cursor.is_some());
    let messages = before.items.into_iter().rev().chain([itself]).chain(after.items).collect();
    Ok(Shown { messages, earlier, later, further: None })
}

async fn ask(dashboard: &Dashboard, visitor: &Visitor, path: &str) -> Result<api::Page<AnyMessage>, Refused> {
    dashboard.ask(visitor, Method::GET, path, None).await
}
