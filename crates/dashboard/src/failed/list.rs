//! `/failed`: the requests that failed and are kept.

use access::Right;
use askama::Template;
use axum::extract::{Query as QueryOf, State};
use axum::response::Response;
use serde::Deserialize;

use super::FailedRequest;
use crate::dashboard::Dashboard;
use crate::listing::{self, address};
use crate::page::{self, refusal::RefusalPage};
use crate::view::{Linked, Section};
use crate::visitor::Visitor;
use crate::words::{self, FailedWords, WorkWords};

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    pub(super) state: String,
    pub(super) after: String,
}

impl Query {
    fn page_after(&self, after: &str) -> String {
        address("/failed", &[("state", &self.state), ("after", after)])
    }
}

#[derive(Template)]
#[template(path = "failed/list.html")]
pub(super) struct List<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static FailedWords,
    pub(super) work: &'static WorkWords,
    pub(super) query: &'a Query,
    pub(super) found: &'a api::Page<FailedRequest>,
    pub(super) wrong: Option<String>,
    pub(super) may_act: bool,
}

/// The page; what waits for a decision unless another state is asked for.
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    QueryOf(mut query): QueryOf<Query>,
) -> Result<Response, RefusalPage> {
    if query.state.is_empty() {
        "pending".clone_into(&mut query.state);
    }
    let state = match query.state.as_str() {
        "all" => "",
        // What waits for its next try may come to wait for a person.
        "pending" => "pending,waiting",
        state => state,
    };
    let path = address("/v1/failed-requests", &[("state", state), ("cursor", &query.after), ("limit", "50")]);
    let (found, wrong) = listing::find::<api::Page<FailedRequest>>(&dashboard, &visitor, &path).await?;
    let words = FailedWords::of(visitor.language);
    let work = WorkWords::of(visitor.language);
    let may_act = visitor.may(Right::Send);
    let body = List { visitor: &visitor, words, work, query: &query, found: &found, wrong, may_act };
    Ok(page::page(&visitor, words.failed, Section::Failed, body))
}
