//! `/channels`: all accounts of channels, and how each is.

use access::Right;
use api::Channel;
use askama::Template;
use axum::extract::{Query as QueryOf, State};
use axum::response::Response;
use http::Method;

use super::{API, HERE};
use crate::dashboard::Dashboard;
use crate::listing::{Unfiltered, address};
use crate::page::{self, refusal};
use crate::view::{Linked, Section};
use crate::visitor::Visitor;
use crate::words::{self, ChannelSettingsWords, ChannelsWords, WorkWords};

#[derive(Template)]
#[template(path = "channels/list.html")]
struct List<'a> {
    visitor: &'a Visitor,
    words: &'static ChannelsWords,
    adding: &'static ChannelSettingsWords,
    work: &'static WorkWords,
    query: &'a Unfiltered,
    found: &'a api::Page<Channel>,
    may_add: bool,
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    QueryOf(mut query): QueryOf<Unfiltered>,
) -> Response {
    HERE.clone_into(&mut query.path);
    let path = address(API, &[("cursor", &query.after), ("limit", "50")]);
    let found = match dashboard.ask::<api::Page<Channel>>(&visitor, Method::GET, &path, None).await {
        Ok(found) => found,
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    let (words, work) = (ChannelsWords::of(visitor.language), WorkWords::of(visitor.language));
    let (adding, may_add) = (ChannelSettingsWords::of(visitor.language), visitor.may(Right::Administer));
    let body = List { visitor: &visitor, words, adding, work, query: &query, found: &found, may_add };
    page::page(&visitor, words.channels, Section::Channels, body)
}
