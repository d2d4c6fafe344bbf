//! `/campaigns/{name}/chats`: the chats of a campaign, and adding more.

use access::Right;
use api::{Campaign, CampaignImport, CampaignTask};
use askama::Template;
use axum::extract::{Path, Query as QueryOf, State};
use axum::response::Response;
use http::{Method, StatusCode};
use serde::Deserialize;

use super::{call, find, import};
use crate::dashboard::Dashboard;
use crate::listing::{self, address};
use crate::page::{self, refusal};
use crate::view::{Linked, Section};
use crate::visitor::{Posted, Visitor};
use crate::words::{CampaignsWords, WorkWords, translate};

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    /// `yes` for those that are blocked.
    blocked: String,
    after: String,
    #[serde(skip)]
    path: String,
}

impl Query {
    fn page_after(&self, after: &str) -> String {
        address(&self.path, &[("blocked", &self.blocked), ("after", after)])
    }

    fn is_blocked(&self) -> bool {
        !self.blocked.is_empty()
    }
}

/// What the form sends.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Pasted {
    file: String,
}

#[derive(Template)]
#[template(path = "campaigns/chats.html")]
struct Chats<'a> {
    visitor: &'a Visitor,
    words: &'static CampaignsWords,
    work: &'static WorkWords,
    campaign: &'a Campaign,
    query: &'a Query,
    found: &'a api::Page<CampaignTask>,
    pasted: &'a Pasted,
    /// What came of the form, where something in it cannot be used.
    import: Option<&'a CampaignImport>,
    /// What is wrong with the form.
    wrong_form: Option<&'a str>,
    wrong: Option<String>,
    may_act: bool,
}

impl Chats<'_> {
    fn here(page: &str) -> bool {
        page == "/chats"
    }

    fn line(&self, message: &str) -> String {
        translate(self.visitor.language, message).into_owned()
    }

    fn note(&self, import: &CampaignImport) -> String {
        super::added(self.words, import)
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
    QueryOf(query): QueryOf<Query>,
) -> Response {
    drawn(&dashboard, &visitor, &name, query, &Pasted::default(), Ok(None)).await
}

/// The page, after a form that was not taken as a whole.
async fn drawn(
    dashboard: &Dashboard,
    visitor: &Visitor,
    name: &str,
    mut query: Query,
    pasted: &Pasted,
    came: Result<Option<&CampaignImport>, &str>,
) -> Response {
    let campaign = match find(dashboard, visitor, name).await {
        Ok(campaign) => campaign,
        Err(answer) => return *answer,
    };
    query.path = format!("{}/chats", campaign.path());
    let blocked = if query.is_blocked() { "true" } else { "" };
    let pairs = [("blocked", blocked), ("cursor", &query.after), ("limit", "50")];
    let path = address(&call(name, "/tasks"), &pairs);
    let answer = dashboard.ask::<api::Page<CampaignTask>>(visitor, Method::GET, &path, None).await;
    let (found, wrong) = match listing::found(answer) {
        Ok(found) => found,
        Err(why) => return refusal::of_api(visitor, &why),
    };
    let words = CampaignsWords::of(visitor.language);
    let status = if matches!(came, Ok(None)) { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let body = Chats {
        visitor,
        words,
        work: WorkWords::of(visitor.language),
        campaign: &campaign,
        query: &query,
        found: &found,
        pasted,
        import: came.ok().flatten(),
        wrong_form: came.err(),
        wrong,
        may_act: visitor.may(Right::Operate),
    };
    let title = format!("{}: {}", campaign.title, words.chats);
    page::page_of(status, visitor, &title, Section::Campaigns, body)
}

/// `POST /campaigns/{name}/chats`.
pub(crate) async fn add(
    State(dashboard): State<Dashboard>,
    Path(name): Path<String>,
    Posted { visitor, form }: Posted<Pasted>,
) -> Response {
    if !visitor.may(Right::Operate) {
        return refusal::not_allowed(&visitor);
    }
    match import(&dashboard, &visitor, (&name, "tasks"), &form.file, false).await {
        Ok(import) if import.wrong_count == 0 => {
            let back = format!("{}/chats", super::path_of(&name));
            page::done(&visitor, &back, &super::added(CampaignsWords::of(visitor.language), &import))
        }
        Ok(import) => {
            // The lines that can be used are in; the form keeps all of them, and each is known once.
            drawn(&dashboard, &visitor, &name, Query::default(), &form, Ok(Some(&import))).await
        }
        Err(why) => {
            let wrong = why.fields.first().map_or(&why.detail, |field| &field.message);
            drawn(&dashboard, &visitor, &name, Query::default(), &form, Err(wrong)).await
        }
    }
}
