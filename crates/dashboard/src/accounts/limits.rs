//! `/limits`: how many messages each account may send an hour and a day, and how many it has sent.

use api::Account;
use askama::Template;
use axum::extract::{Query as QueryOf, State};
use axum::response::Response;
use http::Method;

use crate::dashboard::Dashboard;
use crate::listing::{Unfiltered, address};
use crate::page::{self, refusal};
use crate::view::Section;
use crate::visitor::Visitor;
use crate::words::{AccountsWords, WorkWords};

#[derive(Template)]
#[template(path = "accounts/limits.html")]
struct Limits<'a> {
    visitor: &'a Visitor,
    words: &'static AccountsWords,
    work: &'static WorkWords,
    query: &'a Unfiltered,
    found: &'a api::Page<Account>,
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    QueryOf(mut query): QueryOf<Unfiltered>,
) -> Response {
    "/limits".clone_into(&mut query.path);
    let path = address("/v1/accounts", &[("cursor", query.after.as_str()), ("limit", "50")]);
    let answer = dashboard.ask::<api::Page<Account>>(&visitor, Method::GET, &path, None).await;
    let found = match answer {
        Ok(found) => found,
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    let words = AccountsWords::of(visitor.language);
    let work = WorkWords::of(visitor.language);
    let body = Limits { visitor: &visitor, words, work, query: &query, found: &found };
    page::page(&visitor, words.limits, Section::Accounts, body)
}
