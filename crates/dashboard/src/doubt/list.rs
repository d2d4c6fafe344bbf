//! `/doubt`: every message and all work on chats that is in doubt.

use access::Right;
use askama::Template;
use axum::extract::{Query as QueryOf, State};
use axum::response::Response;
use http::Method;
use serde::Deserialize;

use crate::dashboard::Dashboard;
use crate::listing::{address, first_words};
use crate::operations::Operation;
use crate::page::{self, refusal};
use crate::view::Section;
use crate::visitor::Visitor;
use crate::words::{self, DoubtWords, WorkWords};

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    after: String,
}

#[derive(Template)]
#[template(path = "doubt/list.html")]
pub(super) struct List<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static DoubtWords,
    pub(super) work: &'static WorkWords,
    pub(super) found: &'a api::Page<Operation>,
    pub(super) later: bool,
    pub(super) may_act: bool,
}

impl List<'_> {
    /// The start of the text, or what was to be done.
    fn heading(&self, one: &Operation) -> String {
        match one.text.as_deref().map(|text| first_words(text, 140)) {
            Some(text) if !text.is_empty() => text,
            Some(_) => self.words.without_text.to_owned(),
            None => words::kind(self.visitor.language, &one.kind).to_owned(),
        }
    }

    fn page_after(after: &str) -> String {
        address("/doubt", &[("after", after)])
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    QueryOf(query): QueryOf<Query>,
) -> Response {
    let pairs = [("state", "in_doubt"), ("cursor", query.after.as_str()), ("limit", "50")];
    let path = address("/v1/operations", &pairs);
    let found = match dashboard.ask::<api::Page<Operation>>(&visitor, Method::GET, &path, None).await {
        Ok(found) => found,
        // A cursor of another day leads nowhere: the first page is one press away.
        Err(why) if why.code == "invalid_request" => api::Page::default(),
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    let words = DoubtWords::of(visitor.language);
    let body = List {
        visitor: &visitor,
        words,
        work: WorkWords::of(visitor.language),
        found: &found,
        later: !query.after.is_empty(),
        may_act: visitor.may(Right::Send),
    };
    page::page(&visitor, words.doubt, Section::Doubt, body)
}
