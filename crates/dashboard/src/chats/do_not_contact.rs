//! `/chats/do-not-contact`: the contacts that refuse campaigns or all messages; adding, importing and removing them.

use access::Right;
use api::{DoNotContact, DoNotContactAdded};
use askama::Template;
use axum::body::Body;
use axum::extract::{Query as QueryOf, State};
use axum::response::Response;
use http::header::HOST;
use http::{Method, Request};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::ask::Refused;
use crate::dashboard::Dashboard;
use crate::listing::{self, address};
use crate::page;
use crate::page::refusal::{self, RefusalPage};
use crate::view::Section;
use crate::visitor::{Posted, Visitor};
use crate::words::{ChatsWords, DoNotContactWords, WorkWords, wrong_field};

const HERE: &str = "/chats/do-not-contact";
const API: &str = "/v1/do-not-contact";

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    q: String,
    after: String,
}

impl Query {
    fn page_after(&self, after: &str) -> String {
        address(HERE, &[("q", self.q.trim()), ("after", after)])
    }

    fn is_narrow(&self) -> bool {
        !self.q.trim().is_empty()
    }
}

#[derive(Template)]
#[template(path = "chats/do_not_contact.html")]
struct List<'a> {
    visitor: &'a Visitor,
    words: &'static DoNotContactWords,
    chats: &'static ChatsWords,
    work: &'static WorkWords,
    query: &'a Query,
    found: &'a api::Page<DoNotContact>,
    wrong: Option<String>,
    may_add: bool,
    may_remove: bool,
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    QueryOf(query): QueryOf<Query>,
) -> Result<Response, RefusalPage> {
    let words = DoNotContactWords::of(visitor.language);
    let pairs = [("contact", query.q.trim()), ("cursor", &query.after), ("limit", "50")];
    let (found, wrong) =
        listing::find::<api::Page<DoNotContact>>(&dashboard, &visitor, &address(API, &pairs)).await?;
    let body = List {
        visitor: &visitor,
        words,
        chats: ChatsWords::of(visitor.language),
        work: WorkWords::of(visitor.language),
        query: &query,
        found: &found,
        wrong,
        may_add: visitor.may(Right::Send),
        may_remove: visitor.may(Right::Administer),
    };
    Ok(page::page(&visitor, words.title, Section::Chats, body))
}

/// A contact to be added.
#[derive(Debug, Deserialize)]
pub(crate) struct Add {
    contact: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    level: String,
}

/// `POST /chats/do-not-contact/actions/add`.
pub(crate) async fn add(
    State(dashboard): State<Dashboard>,
    Posted { visitor, form }: Posted<Add>,
) -> Response {
    let body = json!({ "contact": form.contact, "reason": form.reason, "level": form.level });
    added(&dashboard, &visitor, API, body).await
}

/// Contacts to be added, one a line or as CSV.
#[derive(Debug, Deserialize)]
pub(crate) struct Import {
    list: String,
}

/// `POST /chats/do-not-contact/actions/import`.
pub(crate) async fn import(
    State(dashboard): State<Dashboard>,
    Posted { visitor, form }: Posted<Import>,
) -> Response {
    added(&dashboard, &visitor, "/v1/do-not-contact/import", json!({ "list": form.list })).await
}

async fn added(dashboard: &Dashboard, visitor: &Visitor, path: &str, body: Value) -> Response {
    /// Contacts that are named in a note.
    const NAMED: usize = 10;
    /// Refused lines that are named in a note, which goes into a cookie.
    const WRONG: usize = 3;
    let words = DoNotContactWords::of(visitor.language);
    match dashboard.ask::<DoNotContactAdded>(visitor, Method::POST, path, Some(body)).await {
        Ok(DoNotContactAdded { added, already, items, wrong }) => {
            let mut summary = words.added(added as u64, already as u64);
            let named: Vec<&str> = items.iter().take(NAMED).map(|item| item.contact.as_str()).collect();
            if !named.is_empty() {
                let more = if items.len() > NAMED { ", …" } else { "" };
                summary = format!("{summary} {}", words.now_listed(&(named.join(", ") + more)));
            }
            if wrong.is_empty() {
                return page::done(visitor, HERE, &summary);
            }
            let line = |wrong: &api::WrongLine| {
                words.wrong_line(wrong.line, &wrong_field(visitor.language, &wrong.message))
            };
            let lines: Vec<String> = wrong.iter().take(WRONG).map(line).collect();
            let more = if wrong.len() > WRONG { "; …" } else { "" };
            let lines = words.wrong_lines(&(lines.join("; ") + more));
            page::not_done(visitor, HERE, &format!("{summary} {lines}"))
        }
        Err(why) => page::refused(visitor, HERE, &why),
    }
}

/// What is decided about a paused entry.
#[derive(Debug, Deserialize)]
pub(crate) struct Decide {
    id: String,
    refuses: bool,
}

/// `POST /chats/do-not-contact/actions/decide`.
pub(crate) async fn decide(
    State(dashboard): State<Dashboard>,
    Posted { visitor, form }: Posted<Decide>,
) -> Response {
    let path = format!("{API}/{}/decide", page::segment(&form.id));
    let body = json!({ "refuses": form.refuses });
    match dashboard.ask::<Value>(&visitor, Method::POST, &path, Some(body)).await {
        Ok(_) => page::done(&visitor, HERE, DoNotContactWords::of(visitor.language).decided),
        Err(why) => page::refused(&visitor, HERE, &why),
    }
}

/// Which entry is to be removed.
#[derive(Debug, Deserialize)]
pub(crate) struct Remove {
    id: String,
    #[serde(default)]
    contact: String,
}

/// `POST /chats/do-not-contact/actions/remove`.
pub(crate) async fn remove(
    State(dashboard): State<Dashboard>,
    Posted { visitor, form }: Posted<Remove>,
) -> Response {
    let path = format!("{API}/{}", page::segment(&form.id));
    match dashboard.ask::<Value>(&visitor, Method::DELETE, &path, None).await {
        Ok(_) => page::done(&visitor, HERE, &DoNotContactWords::of(visitor.language).removed(&form.contact)),
        Err(why) => page::refused(&visitor, HERE, &why),
    }
}

/// `GET /chats/do-not-contact/export`: the file, as the API gives it.
pub(crate) async fn export(State(dashboard): State<Dashboard>, visitor: Visitor) -> Response {
    let request = Request::get("/v1/do-not-contact/export").header(HOST, "localhost").body(Body::empty());
    match (visitor.actor(), request) {
        (Some(actor), Ok(request)) => dashboard.api().answer_as(actor, request).await,
        (None, _) => refusal::not_allowed(&visitor),
        (_, Err(error)) => refusal::of_api(&visitor, &Refused::internal(error.to_string())),
    }
}
