//! `/logs/{id}`: a line in its place, with its fields and what to do.

use ::logs::{Line, LineId};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::row::Row;
use crate::dashboard::Dashboard;
use crate::page::{self, refusal};
use crate::view::Section;
use crate::visitor::Visitor;
use crate::words::LogsWords;

const AROUND: usize = 25;

#[derive(Template)]
#[template(path = "logs/one.html")]
pub(super) struct One<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static LogsWords,
    pub(super) line: &'a Line,
    /// In the order in which they were written.
    pub(super) before: &'a [Line],
    pub(super) after: &'a [Line],
}

impl One<'_> {
    /// Newest first, as in the list.
    fn rows(&self) -> Vec<Row<'_>> {
        let row =
            |line, chosen| Row { line, words: self.words, wall: self.visitor.wall(), sought: None, chosen };
        let after = self.after.iter().rev().map(|line| row(line, false));
        let before = self.before.iter().rev().map(|line| row(line, false));
        after.chain([row(self.line, true)]).chain(before).collect()
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    let words = LogsWords::of(visitor.language);
    let Ok(id) = id.parse::<LineId>() else { return refusal::no_such_page(&visitor) };
    let store = dashboard.state().logs();
    let line = match store.line(id).await {
        Ok(Some(line)) => line,
        Ok(None) => return refusal::of_nothing(&visitor, words.line_gone, words.line_gone_detail),
        Err(error) => {
            tracing::warn!(%error, "a log line cannot be shown");
            return refusal::of_nothing(&visitor, words.unread, words.unread_detail);
        }
    };
    let (before, after) = store.around(id, AROUND).await.unwrap_or_default();
    let body = One { visitor: &visitor, words, line: &line, before: &before, after: &after };
    page::page(&visitor, words.line, Section::Logs, body)
}
