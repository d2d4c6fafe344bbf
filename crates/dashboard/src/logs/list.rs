//! `/logs`: searching the lines, with how many there were when.

use std::time::Duration;

use ::logs::{Bucket, Line, LineId, Order, Service, Trouble};
use askama::Template;
use axum::extract::{Query as QueryOf, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::Timestamp;

use super::chart::{self, Bar};
use super::query::Query;
use super::row::Row;
use crate::dashboard::Dashboard;
use crate::listing::Stretch;
use crate::page::{self, Section};
use crate::visitor::Visitor;
use crate::words::{LogsWords, WorkWords, number};

/// How many lines a page shows.
const PAGE: usize = 200;

/// What a search found.
pub(super) struct Found {
    pub(super) lines: Vec<Line>,
    pub(super) next: Option<LineId>,
    pub(super) buckets: Vec<Bucket>,
    pub(super) bar: Duration,
    pub(super) since: Timestamp,
    pub(super) until: Timestamp,
    /// The lines could not be read, or not all of them.
    pub(super) unread: bool,
}

#[derive(Template)]
#[template(path = "logs/list.html")]
pub(super) struct List<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static LogsWords,
    pub(super) work: &'static WorkWords,
    pub(super) query: &'a Query,
    pub(super) accounts: &'a [String],
    pub(super) found: &'a Found,
}

impl List<'_> {
    fn bars(&self) -> Vec<Bar> {
        chart::bars(&self.found.buckets)
    }

    fn axis(&self) -> Vec<Timestamp> {
        chart::axis(self.found.since, self.found.until)
    }

    fn totals(&self) -> (u64, u64) {
        let sum = |of: fn(&Bucket) -> u64| self.found.buckets.iter().map(of).sum();
        (sum(|bucket| bucket.lines), sum(|bucket| bucket.errors))
    }

    fn lede(&self) -> String {
        let (lines, errors) = self.totals();
        self.words.lede(lines, errors)
    }

    fn chart_name(&self) -> String {
        let language = self.visitor.language;
        let (lines, errors) = self.totals();
        self.words.chart(&number::span(language, self.found.bar), lines, errors)
    }

    /// The lines, each with the date before it where that is another.
    fn rows(&self) -> Vec<(Option<String>, Row<'_>)> {
        let (mut rows, mut day) = (Vec::new(), String::new());
        let wall = self.visitor.wall();
        let sought = self.query.q.trim();
        for line in &self.found.lines {
            let date = wall.date(line.at);
            let heading = (date != day).then(|| date.clone());
            day = date;
            let sought = (!sought.is_empty()).then_some(sought);
            rows.push((heading, Row { line, words: self.words, wall, sought, chosen: false }));
        }
        rows
    }

    fn newest(&self) -> String {
        self.found.lines.first().map(|line| line.id.to_string()).unwrap_or_default()
    }

    fn chosen_range(&self, word: &str) -> bool {
        let usual =
            self.query.range.is_empty() && self.query.subject.is_empty() && !self.query.stretch().is_exact();
        self.query.range == word || usual && word == "2h"
    }

    fn services() -> impl Iterator<Item = &'static str> {
        Service::ALL.into_iter().map(Service::as_str)
    }

    fn troubles(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let words = self.words;
        Trouble::ALL.into_iter().map(|trouble| (trouble.as_str(), words.trouble(trouble)))
    }
}

/// The page.
pub(super) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    QueryOf(query): QueryOf<Query>,
) -> Response {
    // Whoever searches for the id of a line wants that line.
    if let Ok(id) = query.q.trim().parse::<LineId>() {
        return Redirect::to(&format!("/logs/{id}")).into_response();
    }
    let found = search(&dashboard, &visitor, &query).await;
    let words = LogsWords::of(visitor.language);
    let accounts = dashboard.account_names(&visitor).await;
    let work = WorkWords::of(visitor.language);
    let body = List { visitor: &visitor, words, work, query: &query, accounts: &accounts, found: &found };
    page::page(&visitor, words.logs, Section::Logs, body)
}

async fn search(dashboard: &Dashboard, visitor: &Visitor, query: &Query) -> Found {
    let filter = query.filter(visitor);
    let since = filter.since.unwrap_or_default();
    let until = filter.until.unwrap_or(visitor.now);
    let bar = chart::length(until.since(since));
    let wanted = ::logs::Query {
        filter: filter.clone(),
        order: Order::NewestFirst,
        after: query.after.parse::<LineId>().ok(),
        limit: PAGE,
    };
    let store = dashboard.state().logs();
    let lines = store.search(wanted).await;
    let buckets = store.histogram(filter, since, until, bar).await;
    let unread = lines.as_ref().map_or(true, |page| page.damaged > 0) || buckets.is_err();
    if let Err(error) = &lines {
        tracing::warn!(%error, "the log lines cannot be shown");
    }
    let page = lines.unwrap_or_default();
    let buckets = buckets.unwrap_or_default();
    Found { lines: page.lines, next: page.next, buckets, bar, since, until, unread }
}
