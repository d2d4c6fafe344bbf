//! Sending all failed messages again: the question with their number, how far it is, and ending it early.

use access::Right;
use api::{BegunRetryOfFailed, FailedMessages, RetryOfFailed};
use askama::Template;
use axum::extract::{Query as QueryOf, State};
use axum::response::Response;
use http::Method;
use serde::Deserialize;
use serde_json::Value;

use super::find::Query;
use crate::dashboard::Dashboard;
use crate::listing::{Pressed, refuse};
use crate::page::{self, refusal};
use crate::view::Section;
use crate::visitor::{Posted, Visitor};
use crate::words::{MessagesWords, WorkWords};

/// What the button says yes to: those that the question counted.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    #[serde(flatten)]
    query: Query,
    /// When they were counted.
    #[serde(default)]
    failed_until: String,
}

#[derive(Template)]
#[template(path = "messages/retry_failed.html")]
pub(super) struct Question<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static MessagesWords,
    pub(super) work: &'static WorkWords,
    pub(super) query: &'a Query,
    pub(super) failed: &'a FailedMessages,
    pub(super) may_act: bool,
}

impl Question<'_> {
    fn over(run: &RetryOfFailed) -> u64 {
        run.retried + run.refused
    }

    fn going(&self) -> Option<&RetryOfFailed> {
        self.failed.retry.as_ref().filter(|run| run.state == "running")
    }
}

/// `/messages/retry-failed`.
pub(crate) async fn ask(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    QueryOf(query): QueryOf<Query>,
) -> Response {
    let words = MessagesWords::of(visitor.language);
    let path = query.failed(&visitor, "/v1/failed-messages", "");
    match dashboard.ask::<FailedMessages>(&visitor, Method::GET, &path, None).await {
        Ok(failed) => {
            let work = WorkWords::of(visitor.language);
            let may_act = visitor.may(Right::Send);
            let body = Question { visitor: &visitor, words, work, query: &query, failed: &failed, may_act };
            page::page(&visitor, words.retry_all, Section::Messages, body)
        }
        Err(why) => refusal::of_api(&visitor, &why),
    }
}

/// Begins it, or says that a run goes on that this one is no part of.
pub(crate) async fn begin(
    State(dashboard): State<Dashboard>,
    Posted { visitor, form }: Posted<Answer>,
) -> Response {
    let words = MessagesWords::of(visitor.language);
    let path = form.query.failed(&visitor, "/v1/failed-messages/retry", &form.failed_until);
    match dashboard.ask::<BegunRetryOfFailed>(&visitor, Method::POST, &path, None).await {
        Ok(BegunRetryOfFailed { run, joined }) => {
            let note = if joined { words.retry_joined(run.total) } else { words.retry_begun(run.total) };
            page::done(&visitor, "/messages/retry-failed", &note)
        }
        Err(why) => refuse(&visitor, "/messages", &why),
    }
}

pub(crate) async fn stop(
    State(dashboard): State<Dashboard>,
    Posted { visitor, form: _ }: Posted<Pressed>,
) -> Response {
    let words = MessagesWords::of(visitor.language);
    match dashboard.ask::<Value>(&visitor, Method::DELETE, "/v1/failed-messages/retry", None).await {
        Ok(_) => page::done(&visitor, "/messages", words.retry_stopped),
        Err(why) => refuse(&visitor, "/messages", &why),
    }
}
