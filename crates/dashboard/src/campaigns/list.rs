//! `/campaigns`: all of them, how far each is, and when it ends.

use access::Right;
use api::Campaign;
use askama::Template;
use axum::extract::{Query as QueryOf, State};
use axum::response::Response;
use http::Method;

use super::{API, Control, HERE};
use crate::dashboard::Dashboard;
use crate::listing::{Unfiltered, address};
use crate::page::{self, refusal};
use crate::view::{Linked, Section};
use crate::visitor::Visitor;
use crate::words::{CampaignsWords, WorkWords};

#[derive(Template)]
#[template(path = "campaigns/list.html")]
struct List<'a> {
    visitor: &'a Visitor,
    words: &'static CampaignsWords,
    work: &'static WorkWords,
    query: &'a Unfiltered,
    found: &'a api::Page<Campaign>,
    may_act: bool,
}

impl List<'_> {
    fn rate(&self, campaign: &Campaign) -> String {
        let (sent, most) = super::rate(campaign);
        self.words.of_limit(sent, most)
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    QueryOf(mut query): QueryOf<Unfiltered>,
) -> Response {
    HERE.clone_into(&mut query.path);
    let path = address(API, &[("cursor", &query.after), ("limit", "50")]);
    let found = match dashboard.ask::<api::Page<Campaign>>(&visitor, Method::GET, &path, None).await {
        Ok(found) => found,
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    let words = CampaignsWords::of(visitor.language);
    let work = WorkWords::of(visitor.language);
    let may_act = visitor.may(Right::Operate);
    let body = List { visitor: &visitor, words, work, query: &query, found: &found, may_act };
    page::page(&visitor, words.campaigns, Section::Campaigns, body)
}
