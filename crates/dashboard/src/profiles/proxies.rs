//! `/campaign-proxies`: the proxies of browser profiles: added by a list, tested, removed.

use access::Right;
use api::{CampaignImport, CampaignProxy};
use askama::Template;
use axum::extract::{Path, Query as QueryOf, State};
use axum::response::Response;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::campaigns::act::Question;
use crate::dashboard::Dashboard;
use crate::listing::{Unfiltered, address};
use crate::page::{self, refusal, segment};
use crate::view::Section;
use crate::visitor::{Posted, Visitor};
use crate::words::{CampaignsWords, ProfilesWords, WorkWords, translate};

const HERE: &str = "/campaign-proxies";
pub(super) const API: &str = "/v1/campaign-proxies";

/// What the form sends.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Pasted {
    file: String,
}

/// Which proxy is meant.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Named {
    name: String,
}

#[derive(Template)]
#[template(path = "profiles/proxies.html")]
struct Proxies<'a> {
    visitor: &'a Visitor,
    words: &'static ProfilesWords,
    campaigns: &'static CampaignsWords,
    work: &'static WorkWords,
    query: &'a Unfiltered,
    found: &'a api::Page<CampaignProxy>,
    pasted: &'a Pasted,
    /// What came of the form, where something in it cannot be used.
    import: Option<&'a CampaignImport>,
    wrong: Option<&'a str>,
    may_act: bool,
    may_arrange: bool,
}

impl Proxies<'_> {
    fn here(page: &str) -> bool {
        page == "proxies"
    }

    fn line(&self, message: &str) -> String {
        translate(self.visitor.language, message).into_owned()
    }

    fn note(&self, import: &CampaignImport) -> String {
        crate::campaigns::added(self.campaigns, import)
    }

    fn question(name: &str) -> String {
        address(&format!("{HERE}/remove"), &[("name", name)])
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    QueryOf(query): QueryOf<Unfiltered>,
) -> Response {
    drawn(&dashboard, &visitor, query, &Pasted::default(), Ok(None)).await
}

async fn drawn(
    dashboard: &Dashboard,
    visitor: &Visitor,
    mut query: Unfiltered,
    pasted: &Pasted,
    came: Result<Option<&CampaignImport>, &str>,
) -> Response {
    HERE.clone_into(&mut query.path);
    let path = address(API, &[("cursor", &query.after), ("limit", "50")]);
    let found = match dashboard.ask::<api::Page<CampaignProxy>>(visitor, Method::GET, &path, None).await {
        Ok(found) => found,
        Err(why) => return refusal::of_api(visitor, &why),
    };
    let words = ProfilesWords::of(visitor.language);
    let status = if matches!(came, Ok(None)) { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let body = Proxies {
        visitor,
        words,
        campaigns: CampaignsWords::of(visitor.language),
        work: WorkWords::of(visitor.language),
        query: &query,
        found: &found,
        pasted,
        import: came.ok().flatten(),
        wrong: came.err(),
        may_act: visitor.may(Right::Operate),
        may_arrange: visitor.may(Right::ArrangeAccounts),
    };
    page::page_of(status, visitor, words.proxies, Section::Campaigns, body)
}

/// `POST /campaign-proxies`.
pub(crate) async fn add(
    State(dashboard): State<Dashboard>,
    Posted { visitor, form }: Posted<Pasted>,
) -> Response {
    if !visitor.may(Right::ArrangeAccounts) {
        return refusal::not_allowed(&visitor);
    }
    let body = Some(json!({ "file": form.file }));
    let again = async |came: Result<Option<&CampaignImport>, &str>| {
        drawn(&dashboard, &visitor, Unfiltered::default(), &form, came).await
    };
    match dashboard.ask::<CampaignImport>(&visitor, Method::POST, API, body).await {
        Ok(import) if import.wrong_count == 0 => {
            let note = crate::campaigns::added(CampaignsWords::of(visitor.language), &import);
            page::done(&visitor, HERE, &note)
        }
        Ok(import) => again(Ok(Some(&import))).await,
        Err(why) => again(Err(why.fields.first().map_or(&why.detail, |field| &field.message))).await,
    }
}

/// `GET /campaign-proxies/remove?name=`: the question before it.
pub(crate) async fn ask_remove(visitor: Visitor, QueryOf(Named { name }): QueryOf<Named>) -> Response {
    if !visitor.may(Right::ArrangeAccounts) {
        return refusal::not_allowed(&visitor);
    }
    let words = ProfilesWords::of(visitor.language);
    let title = words.remove_question(&name);
    let body = Question {
        visitor: &visitor,
        work: WorkWords::of(visitor.language),
        title: &title,
        follows: words.remove_proxy_follows,
        button: words.remove,
        action: format!("{HERE}/actions/remove"),
        name: &name,
        back: HERE,
    };
    page::page(&visitor, &title, Section::Campaigns, body)
}

/// `POST /campaign-proxies/actions/{action}`.
pub(crate) async fn act(
    State(dashboard): State<Dashboard>,
    Path(action): Path<String>,
    Posted { visitor, form: Named { name } }: Posted<Named>,
) -> Response {
    let words = ProfilesWords::of(visitor.language);
    let path = format!("{API}/{}", segment(&name));
    let (method, path, note) = match action.as_str() {
        "check" => (Method::POST, format!("{path}/check"), words.checked_note(&name)),
        "remove" => (Method::DELETE, path, words.removed_note(&name)),
        _ => return refusal::no_such_page(&visitor),
    };
    match dashboard.ask::<Value>(&visitor, method, &path, None).await {
        Ok(shown) if shown["health"] == "sick" => page::not_done(&visitor, HERE, &words.wrong_note(&name)),
        Ok(_) => page::done(&visitor, HERE, &note),
        Err(why) => page::refused(&visitor, HERE, &why),
    }
}
