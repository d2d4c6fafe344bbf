//! Browser profiles of campaigns: how each is, logging in, and their proxies.

pub(crate) mod act;
pub(crate) mod list;
pub(crate) mod log_in;
pub(crate) mod one;
pub(crate) mod proxies;

use api::{CampaignProfile, CampaignProxy};
use axum::extract::{Path, State};
use axum::response::Response;
use http::Method;
use serde_json::json;

use crate::ask::Refused;
use crate::dashboard::Dashboard;
use crate::page::{refusal, segment};
use crate::view::Linked;
use crate::visitor::Visitor;

const HERE: &str = "/campaign-profiles";
const API: &str = "/v1/campaign-profiles";

/// The kinds of profile that are made on these pages: browsers of this machine, each on a directory of its own.
const LOCAL: [&str; 2] = ["chromium", "firefox"];

impl Linked for CampaignProfile {
    fn path(&self) -> String {
        path_of(&self.name)
    }
}

fn path_of(name: &str) -> String {
    format!("{HERE}/{}", segment(name))
}

/// The call of the API for a part of a profile.
fn call(name: &str, part: &str) -> String {
    format!("{API}/{}{part}", segment(name))
}

async fn find(
    dashboard: &Dashboard,
    visitor: &Visitor,
    name: &str,
) -> Result<CampaignProfile, Box<Response>> {
    let found = dashboard.ask::<CampaignProfile>(visitor, Method::GET, &call(name, ""), None).await;
    found.map_err(|why| Box::new(refusal::of_api(visitor, &why)))
}

/// The names of the proxies, for a choice; none where they cannot be had.
async fn proxy_names(dashboard: &Dashboard, visitor: &Visitor) -> Vec<String> {
    let path = format!("{}?limit=500", proxies::API);
    let listed = dashboard.ask::<api::Page<CampaignProxy>>(visitor, Method::GET, &path, None).await;
    listed.map(|listed| listed.items.into_iter().map(|proxy| proxy.name).collect()).unwrap_or_default()
}

/// Makes a profile of one of the kinds [`LOCAL`], or gives it another proxy.
async fn put(
    dashboard: &Dashboard,
    visitor: &Visitor,
    name: &str,
    kind: &str,
    proxy: &str,
) -> Result<CampaignProfile, Refused> {
    let proxy = Some(proxy).filter(|proxy| !proxy.is_empty());
    let body = json!({ "kind": kind, "proxy": proxy });
    dashboard.ask(visitor, Method::PUT, &call(name, ""), Some(body)).await
}

/// `GET /campaign-pictures/{file}`: a picture of what went wrong, as the API gives it.
pub(crate) async fn picture(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(file): Path<String>,
) -> Response {
    dashboard.file(&visitor, &format!("/v1/campaign-pictures/{}", segment(&file))).await
}
