//! `/inbox-programs`: what programs wrote through channels, such as newsletters and notices by mail. It is in no conversation.

use api::AnyMessage;
use askama::Template;
use axum::extract::{Query as QueryOf, State};
use axum::response::Response;
use http::Method;
use serde::Deserialize;

use crate::dashboard::Dashboard;
use crate::listing::{self, address};
use crate::page::{self, refusal};
use crate::view::Section;
use crate::visitor::Visitor;
use crate::words::{ChannelsWords, InboxWords, WorkWords};

const HERE: &str = "/inbox-programs";

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    channel: String,
    after: String,
}

impl Query {
    fn page_after(&self, after: &str) -> String {
        address(HERE, &[("channel", &self.channel), ("after", after)])
    }
}

#[derive(Template)]
#[template(path = "inbox/programs.html")]
struct Programs<'a> {
    visitor: &'a Visitor,
    words: &'static InboxWords,
    work: &'static WorkWords,
    channels: &'static ChannelsWords,
    query: &'a Query,
    found: &'a api::Page<AnyMessage>,
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    QueryOf(query): QueryOf<Query>,
) -> Response {
    let path = address(
        "/v1/messages",
        &[
            ("direction", "in"),
            ("origin", "bot"),
            ("channel", &query.channel),
            ("cursor", &query.after),
            ("limit", "50"),
        ],
    );
    let answer = dashboard.ask::<api::Page<AnyMessage>>(&visitor, Method::GET, &path, None).await;
    let found = match listing::found(answer) {
        Ok((found, _)) => found,
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    let words = InboxWords::of(visitor.language);
    let body = Programs {
        visitor: &visitor,
        words,
        work: WorkWords::of(visitor.language),
        channels: ChannelsWords::of(visitor.language),
        query: &query,
        found: &found,
    };
    page::page(&visitor, words.programs, Section::Inbox, body)
}
