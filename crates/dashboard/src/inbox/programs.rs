//! `/inbox-programs`: what programs wrote through channels, such as newsletters and notices by mail. No conversation has it.

use api::AnyMessage;
use askama::Template;
use axum::extract::{Query as QueryOf, State};
use axum::response::Response;

use crate::dashboard::Dashboard;
use crate::listing::{self, Unfiltered, address};
use crate::page::{self, refusal::RefusalPage};
use crate::view::Section;
use crate::visitor::Visitor;
use crate::words::{ChannelsWords, InboxWords, WorkWords};

#[derive(Template)]
#[template(path = "inbox/programs.html")]
struct Programs<'a> {
    visitor: &'a Visitor,
    words: &'static InboxWords,
    work: &'static WorkWords,
    channels: &'static ChannelsWords,
    query: &'a Unfiltered,
    found: &'a api::Page<AnyMessage>,
    wrong: Option<String>,
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    QueryOf(mut query): QueryOf<Unfiltered>,
) -> Result<Response, RefusalPage> {
    "/inbox-programs".clone_into(&mut query.path);
    let pairs = [("direction", "in"), ("origin", "bot"), ("cursor", &query.after), ("limit", "50")];
    let (found, wrong) = listing::find(&dashboard, &visitor, &address("/v1/messages", &pairs)).await?;
    let words = InboxWords::of(visitor.language);
    let work = WorkWords::of(visitor.language);
    let channels = ChannelsWords::of(visitor.language);
    let body = Programs { visitor: &visitor, words, work, channels, query: &query, found: &found, wrong };
    Ok(page::page(&visitor, words.programs, Section::Inbox, body))
}
