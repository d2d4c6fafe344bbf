//! `/campaign-profiles`: all of them, what each sent within the hour, and what went wrong last; making one.

use access::Right;
use api::CampaignProfile;
use askama::Template;
use axum::extract::{Query as QueryOf, State};
use axum::response::Response;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::{API, HERE, LOCAL, call, path_of, proxy_names, put};
use crate::dashboard::Dashboard;
use crate::listing::{Unfiltered, address};
use crate::page::{self, refusal};
use crate::view::{Linked, Section};
use crate::visitor::{Posted, Visitor};
use crate::words::{CampaignsWords, ProfilesWords, WorkWords};

/// What the form sends.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Made {
    name: String,
    /// The first of [`LOCAL`] where it is empty.
    kind: String,
    proxy: String,
}

#[derive(Template)]
#[template(path = "profiles/list.html")]
struct List<'a> {
    visitor: &'a Visitor,
    words: &'static ProfilesWords,
    campaigns: &'static CampaignsWords,
    work: &'static WorkWords,
    query: &'a Unfiltered,
    found: &'a api::Page<CampaignProfile>,
    proxies: &'a [String],
    made: &'a Made,
    /// What is wrong with the form.
    wrong: Option<&'a str>,
    may_arrange: bool,
}

impl List<'_> {
    fn here(page: &str) -> bool {
        page == "profiles"
    }

    fn wrong(&self) -> Option<&str> {
        self.wrong
    }

    fn browser(kind: &str) -> &str {
        if kind == LOCAL[0] { "Chromium" } else { "Firefox" }
    }

    /// The one proxy that is chosen in the form.
    fn chosen(&self) -> &str {
        &self.made.proxy
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    QueryOf(query): QueryOf<Unfiltered>,
) -> Response {
    drawn(&dashboard, &visitor, query, &Made::default(), None).await
}

async fn drawn(
    dashboard: &Dashboard,
    visitor: &Visitor,
    mut query: Unfiltered,
    made: &Made,
    wrong: Option<&str>,
) -> Response {
    HERE.clone_into(&mut query.path);
    let path = address(API, &[("cursor", &query.after), ("limit", "50")]);
    let found = match dashboard.ask::<api::Page<CampaignProfile>>(visitor, Method::GET, &path, None).await {
        Ok(found) => found,
        Err(why) => return refusal::of_api(visitor, &why),
    };
    let may_arrange = visitor.may(Right::ArrangeAccounts);
    let proxies = if may_arrange { proxy_names(dashboard, visitor).await } else { Vec::new() };
    let words = ProfilesWords::of(visitor.language);
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let body = List {
        visitor,
        words,
        campaigns: CampaignsWords::of(visitor.language),
        work: WorkWords::of(visitor.language),
        query: &query,
        found: &found,
        proxies: &proxies,
        made,
        wrong,
        may_arrange,
    };
    page::page_of(status, visitor, words.profiles, Section::Campaigns, body)
}

/// `POST /campaign-profiles`.
pub(crate) async fn add(
    State(dashboard): State<Dashboard>,
    Posted { visitor, form }: Posted<Made>,
) -> Response {
    if !visitor.may(Right::ArrangeAccounts) {
        return refusal::not_allowed(&visitor);
    }
    let words = ProfilesWords::of(visitor.language);
    let form = Made { name: form.name.trim().to_owned(), ..form };
    let again =
        async |wrong: &str| drawn(&dashboard, &visitor, Unfiltered::default(), &form, Some(wrong)).await;
    if form.name.is_empty() {
        return again(words.no_name).await;
    }
    // One that is there is changed on its page, where its kind is known.
    if dashboard.ask::<Value>(&visitor, Method::GET, &call(&form.name, ""), None).await.is_ok() {
        return again(words.is_there).await;
    }
    let kind = if form.kind.is_empty() { LOCAL[0] } else { &form.kind };
    match put(&dashboard, &visitor, &form.name, kind, &form.proxy).await {
        Ok(made) => page::done(&visitor, &path_of(&made.name), &words.made_note(&made.name)),
        Err(why) => again(why.fields.first().map_or(&why.detail, |field| &field.message)).await,
    }
}
