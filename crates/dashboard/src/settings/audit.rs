//! The audit log: who did what, narrowed by a form that is an address of its own.

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use http::Method;
use serde::{Deserialize, Serialize};

use super::Tabs;
use super::people::unread;
use crate::dashboard::Dashboard;
use crate::page;
use crate::view::{Section, Tab};
use crate::visitor::Visitor;
use crate::words::{AuditWords, Wall};

const PAGE: u32 = 100;

/// What the page is narrowed to.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct AuditFilter {
    pub(super) who: String,
    pub(super) action: String,
    pub(super) subject: String,
    pub(super) result: String,
    pub(super) address: String,
    pub(super) cursor: String,
}

impl AuditFilter {
    fn is_narrow(&self) -> bool {
        [&self.who, &self.action, &self.subject, &self.result, &self.address]
            .iter()
            .any(|one| !one.trim().is_empty())
    }

    /// The query for the API; an empty field counts as absent there.
    fn query(&self) -> String {
        let trimmed = Self {
            who: self.who.trim().to_owned(),
            action: self.action.trim().to_owned(),
            subject: self.subject.trim().to_owned(),
            result: self.result.clone(),
            address: self.address.trim().to_owned(),
            cursor: self.cursor.clone(),
        };
        serde_urlencoded::to_string(trimmed).unwrap_or_default()
    }
}

#[derive(Template)]
#[template(path = "settings/audit.html")]
pub(super) struct Audit<'a> {
    pub(super) words: &'static AuditWords,
    pub(super) wall: Wall,
    pub(super) tabs: Tabs,
    pub(super) filter: &'a AuditFilter,
    pub(super) entries: &'a [api::AuditEntry],
    /// The address of the page with what came before.
    pub(super) older: Option<String>,
}

impl Audit<'_> {
    fn results() -> [&'static str; 4] {
        access::AuditResult::ALL.map(access::AuditResult::as_str)
    }

    fn tone(result: &str) -> &'static str {
        match result {
            "done" => "ok",
            "failed" => "bad",
            "refused" => "wait",
            _ => "",
        }
    }
}

/// `GET /settings/audit`.
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    query: Result<Query<AuditFilter>, QueryRejection>,
) -> Response {
    let filter = query.map(|Query(filter)| filter).unwrap_or_default();
    let path = format!("/v1/audit?limit={PAGE}&{}", filter.query());
    let list = match dashboard.ask::<api::Page<api::AuditEntry>>(&visitor, Method::GET, &path, None).await {
        Ok(list) => list,
        Err(why) => return unread(&visitor, &why),
    };
    let words = AuditWords::of(visitor.language);
    let older = list.next_cursor.map(|cursor| {
        let further = AuditFilter { cursor, ..filter.clone() };
        format!("/settings/audit?{}", further.query())
    });
    let tabs = Tabs::new(&visitor, Tab::Audit);
    let body = Audit { words, wall: visitor.wall(), tabs, filter: &filter, entries: &list.items, older };
    page::page(&visitor, words.title, Section::Settings, body)
}
