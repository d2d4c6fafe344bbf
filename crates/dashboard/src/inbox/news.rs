//! What a browser asks for by itself: who else writes an answer, and which conversations are new or wait for too long.

use api::{Appeal, Conversation, Writing};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use domain::{ClientId, Timestamp};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::call;
use crate::dashboard::Dashboard;
use crate::listing::address;
use crate::view::Linked;
use crate::visitor::{Posted, Visitor};
use crate::words::InboxWords;

/// How many conversations of each kind people are notified of.
const MOST: &str = "20";

/// Whether the asker writes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Form {
    writing: String,
}

/// `POST /inbox/{client_id}/writing`.
pub(crate) async fn writing(
    State(dashboard): State<Dashboard>,
    Path(id): Path<ClientId>,
    Posted { visitor, form }: Posted<Form>,
) -> Response {
    let body = Some(json!({ "writing": form.writing == "yes" }));
    let others = dashboard.ask::<Writing>(&visitor, Method::POST, &call(id, "/writing"), body).await;
    let others = others.map(|others| others.writing).unwrap_or_default();
    let words = InboxWords::of(visitor.language);
    let text = if others.is_empty() { String::new() } else { words.someone_writes(&others.join(", ")) };
    shown(&WritingText { text: &text })
}

#[derive(Template)]
#[template(source = "<p id=\"writing\">{{ text }}</p>", ext = "html")]
struct WritingText<'a> {
    text: &'a str,
}

/// Something that a browser notifies of.
struct Item {
    /// The same for the same piece of news.
    key: String,
    path: String,
    title: String,
    text: &'static str,
}

#[derive(Template)]
#[template(
    source = "<ul id=\"news\">{% for item in items %}<li data-news=\"{{ item.key }}\" data-path=\"{{ item.path }}\" \
              data-title=\"{{ item.title }}\">{{ item.text }}</li>{% endfor %}</ul>",
    ext = "html"
)]
struct News {
    items: Vec<Item>,
}

/// `GET /inbox-news`: conversations of the visitor and of no one that are new, or whose clients wait for too long.
pub(crate) async fn show(State(dashboard): State<Dashboard>, visitor: Visitor) -> Response {
    let words = InboxWords::of(visitor.language);
    let user = visitor.user.as_ref().map(ToString::to_string);
    let mut items = Vec::new();
    for (field, text) in [("unread", words.is_new), ("sort", words.is_overdue)] {
        let value = if field == "unread" { "true" } else { "waiting" };
        let pairs = [("open", "true"), ("snoozed", "false"), (field, value), ("limit", MOST)];
        let path = address("/v1/conversations", &pairs);
        let found = dashboard.ask::<api::Page<Conversation>>(&visitor, Method::GET, &path, None).await;
        for one in found.map(|found| found.items).unwrap_or_default() {
            let Some(appeal) = &one.appeal else { continue };
            let is_theirs = appeal.assignee.is_none() || appeal.assignee == user;
            let is_overdue = field == "unread" || super::is_overdue(appeal, visitor.now);
            if is_theirs && is_overdue {
                let title = words.name_of(&one.client).to_owned();
                items.push(Item { key: key(field, appeal), path: one.client.path(), title, text });
            }
        }
    }
    shown(&News { items })
}

/// New again with each message, and overdue once for each wait.
fn key(kind: &str, appeal: &Appeal) -> String {
    let since = appeal.waiting_since.map(Timestamp::as_micros).unwrap_or_default();
    let unread = if kind == "unread" { appeal.unread } else { 0 };
    format!("{kind}-{}-{since}-{unread}", appeal.id)
}

fn shown(template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => {
            tracing::error!(%error, "a piece of a page was not drawn");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
