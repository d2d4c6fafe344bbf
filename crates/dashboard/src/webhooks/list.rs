//! `/webhooks`: all of them and how well each does.

use access::Right;
use api::Webhook;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::Method;

use super::API;
use crate::dashboard::Dashboard;
use crate::page::{self, refusal};
use crate::view::{Linked, Section};
use crate::visitor::Visitor;
use crate::words::{self, WebhooksWords, WorkWords};

#[derive(Template)]
#[template(path = "webhooks/list.html")]
struct List<'a> {
    visitor: &'a Visitor,
    words: &'static WebhooksWords,
    work: &'static WorkWords,
    webhooks: &'a [Webhook],
    may_change: bool,
}

pub(crate) async fn show(State(dashboard): State<Dashboard>, visitor: Visitor) -> Response {
    // As many as there may be.
    let path = format!("{API}?limit=100");
    let webhooks = match dashboard.ask::<api::Page<Webhook>>(&visitor, Method::GET, &path, None).await {
        Ok(listed) => listed.items,
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    let words = WebhooksWords::of(visitor.language);
    let body = List {
        visitor: &visitor,
        words,
        work: WorkWords::of(visitor.language),
        webhooks: &webhooks,
        may_change: visitor.may(Right::Administer),
    };
    page::page(&visitor, words.webhooks, Section::Webhooks, body)
}
