//! `/logs`: searching the lines, with how many there were when.

use std::time::Duration;

use ::logs::{Bucket, ErrorKind, Histogram, Line, LineId, Order, Service};
use askama::Template;
use axum::extract::{Query as QueryOf, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::Timestamp;

use super::chart::{self, Bar};
use super::query::Query;
use super::row::Row;
use crate::dashboard::Dashboard;
use crate::listing::TimeRange;
use crate::page;
use crate::view::Section;
use crate::visitor::Visitor;
use crate::words::{LogsWords, WorkWords, number};

/// How many lines a page shows.
const PAGE: usize = 200;

pub(super) struct Found {
    pub(super) lines: Vec<Line>,
    pub(super) next: Option<LineId>,
    /// How many there were when; nothing when they could not be counted.
    pub(super) counted: Option<Histogram>,
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
        chart::bars(self.buckets())
    }

    fn buckets(&self) -> &[Bucket] {
        self.found.counted.as_ref().map_or(&[], |counted| &counted.buckets)
    }

    fn axis(&self) -> Vec<Timestamp> {
        chart::axis(self.found.since, self.found.until)
    }

    fn totals(&self) -> (u64, u64) {
        let sum = |of: fn(&Bucket) -> u64| self.buckets().iter().map(of).sum();
        (sum(|bucket| bucket.lines), sum(|bucket| bucket.errors))
    }

    fn lede(&self) -> String {
        let (lines, errors) = self.totals();
        match &self.found.counted {
            None => self.words.uncounted.to_owned(),
            Some(counted) if counted.counted_from.is_some() || counted.damaged > 0 => {
                self.words.lede_at_least(lines, errors)
            }
            Some(_) => self.words.lede(lines, errors),
        }
    }

    fn chart_name(&self) -> String {
        self.words.chart(&number::span(self.visitor.language, self.found.bar), &self.lede())
    }

    /// Why the bars are shorter than they should be, where they are.
    fn left_out(&self) -> Vec<String> {
        let Some(counted) = &self.found.counted else { return Vec::new() };
        let from = counted.counted_from.map(|at| self.visitor.wall().minute(at).text());
        let damaged = (counted.damaged > 0).then(|| self.words.damaged(counted.damaged));
        from.map(|from| self.words.counted_from(&from)).into_iter().chain(damaged).collect()
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

    /// The last line that was written of those that are shown. Where nothing is, whatever comes is new; but not while the
    /// search goes on further back.
    fn newest(&self) -> String {
        let none = if self.found.next.is_none() { LineId::NONE.to_string() } else { String::new() };
        self.found.lines.first().map_or(none, |line| line.id.to_string())
    }

    fn chosen_range(&self, word: &str) -> bool {
        let usual =
            self.query.range.is_empty() && self.query.subject.is_empty() && !self.query.stretch().is_exact();
        self.query.range == word || usual && word == "2h"
    }

    fn wrong(&self) -> Option<String> {
        let stretch = self.query.stretch();
        let unread = stretch.unread(self.visitor.zone, self.visitor.now)?;
        Some(self.work.unread_time(unread))
    }

    fn services() -> impl Iterator<Item = &'static str> {
        Service::ALL.into_iter().map(Service::as_str)
    }

    fn troubles(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let words = self.words;
        ErrorKind::ALL.into_iter().map(|trouble| (trouble.as_str(), words.trouble(trouble)))
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    QueryOf(query): QueryOf<Query>,
) -> Response {
    // Anyone who searches for the id of a line wants that line.
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
    let counted = store.histogram(filter, since, until, bar).await;
    let unread = lines.as_ref().map_or(true, |page| page.damaged > 0) || counted.is_err();
    if let Err(error) = &lines {
        tracing::warn!(%error, "the log lines cannot be shown");
    }
    if let Err(error) = &counted {
        tracing::warn!(%error, "the log lines cannot be counted");
    }
    let page = lines.unwrap_or_default();
    Found { lines: page.lines, next: page.next, counted: counted.ok(), bar, since, until, unread }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Language;

    fn drawn(language: Language, counted: Option<Histogram>) -> String {
        let now: Timestamp = "2026-11-20T11:07:31Z".parse().expect("a time");
        let visitor = Visitor::made_up(language, now);
        let since = now.minus(Duration::from_hours(2));
        let bar = Duration::from_mins(1);
        let found = Found { lines: Vec::new(), next: None, counted, bar, since, until: now, unread: false };
        let (words, work) = (LogsWords::of(language), WorkWords::of(language));
        let query = Query::default();
        List { visitor: &visitor, words, work, query: &query, accounts: &[], found: &found }
            .render()
            .expect("a page")
    }

    fn counted(counted_from: Option<&str>, damaged: u32) -> Histogram {
        let counted_from = counted_from.map(|at| at.parse().expect("a time"));
        let start = "2026-11-20T10:30:00Z".parse().expect("a time");
        Histogram { buckets: vec![Bucket { start, lines: 2, errors: 1 }], counted_from, damaged }
    }

    #[test]
    fn an_incomplete_count_is_not_shown_as_complete() {
        let whole = counted(None, 0);
        let cut = counted(Some("2026-11-20T10:21:00Z"), 0);
        let spoilt = counted(None, 3);
        for (language, found, expected, hidden) in [
            (Language::English, Some(whole.clone()), &["2 lines, 1 error among them."][..], "Counted back"),
            (
                Language::English,
                Some(cut.clone()),
                &["At least 2 lines, at least 1 error", "Counted back to 13:21"],
                "Not counted",
            ),
            (
                Language::English,
                Some(spoilt.clone()),
                &["At least 2 lines", "Not counted: 3 blocks"],
                "Counted back",
            ),
            (Language::English, None, &["The lines cannot be counted now."], "0 lines"),
            (Language::Russian, Some(whole), &["2 строки, из них 1 ошибка."], "Посчитано назад"),
            (
                Language::Russian,
                Some(cut),
                &["Не меньше 2 строк, из них не меньше 1 ошибки", "Посчитано назад до 13:21"],
                "Не посчитано",
            ),
            (
                Language::Russian,
                Some(spoilt),
                &["Не меньше 2 строк", "Не посчитано: 3 блока"],
                "Посчитано назад",
            ),
            (Language::Russian, None, &["Сейчас строки не посчитать."], "0 строк"),
        ] {
            let drawn = drawn(language, found);
            for words in expected {
                assert!(drawn.contains(words), "{words} in {drawn}");
            }
            assert!(!drawn.contains(hidden), "{hidden} in {drawn}");
        }
    }
}
