//! `/webhooks/{id}`: one of them, with what came of each event.

use std::time::Duration;

use access::Right;
use api::{Webhook, WebhookAttempt};
use askama::Template;
use axum::extract::{Path, Query as QueryOf, State};
use axum::response::Response;
use domain::Timestamp;
use http::Method;
use serde::Deserialize;

use super::{API, find, name};
use crate::dashboard::Dashboard;
use crate::listing::{self, address};
use crate::page::{self, refusal};
use crate::view::{Linked, Section};
use crate::visitor::Visitor;
use crate::words::number::latency;
use crate::words::{self, WebhooksWords, WorkWords};

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    state: String,
    after: String,
    /// The path of the page; no part of the query.
    #[serde(skip)]
    path: String,
}

impl Query {
    fn page_after(&self, after: &str) -> String {
        address(&self.path, &[("state", &self.state), ("after", after)])
    }
}

#[derive(Template)]
#[template(path = "webhooks/one.html")]
struct One<'a> {
    visitor: &'a Visitor,
    words: &'static WebhooksWords,
    work: &'static WorkWords,
    webhook: &'a Webhook,
    query: &'a Query,
    found: &'a api::Page<WebhookAttempt>,
    wrong: Option<String>,
    may_change: bool,
}

impl One<'_> {
    /// The number of an event is the microsecond in which it was written.
    fn happened(attempt: &WebhookAttempt) -> Timestamp {
        Timestamp::from_micros(attempt.event.get())
    }

    fn took(&self, millis: u64) -> String {
        latency(self.visitor.language, Duration::from_millis(millis))
    }

    fn payload(attempt: &WebhookAttempt) -> Option<String> {
        serde_json::to_string_pretty(attempt.payload.as_ref()?).ok()
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    QueryOf(mut query): QueryOf<Query>,
) -> Response {
    let webhook = match find(&dashboard, &visitor, &id).await {
        Ok(webhook) => webhook,
        Err(answer) => return *answer,
    };
    query.path = webhook.path();
    let pairs = [("state", query.state.as_str()), ("cursor", &query.after), ("limit", "25")];
    let path = address(&format!("{API}/{}/attempts", webhook.id), &pairs);
    let answer = dashboard.ask::<api::Page<WebhookAttempt>>(&visitor, Method::GET, &path, None).await;
    let (found, wrong) = match listing::found(answer) {
        Ok(found) => found,
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    let body = One {
        visitor: &visitor,
        words: WebhooksWords::of(visitor.language),
        work: WorkWords::of(visitor.language),
        webhook: &webhook,
        query: &query,
        found: &found,
        wrong,
        may_change: visitor.may(Right::Administer),
    };
    page::page(&visitor, name(&webhook), Section::Webhooks, body)
}
