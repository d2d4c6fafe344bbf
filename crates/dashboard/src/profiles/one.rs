//! `/campaign-profiles/{name}`: one browser profile with what went wrong last and a picture of it.

use access::Right;
use api::CampaignProfile;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::{CHROMIUM, find, proxy_names};
use crate::dashboard::Dashboard;
use crate::page;
use crate::view::{Linked, Section};
use crate::visitor::Visitor;
use crate::words::{CampaignsWords, ProfilesWords, said};

#[derive(Template)]
#[template(path = "profiles/one.html")]
struct One<'a> {
    visitor: &'a Visitor,
    words: &'static ProfilesWords,
    campaigns: &'static CampaignsWords,
    profile: &'a CampaignProfile,
    proxies: &'a [String],
    may_act: bool,
    may_arrange: bool,
}

impl One<'_> {
    fn is_chromium(&self) -> bool {
        self.profile.kind == CHROMIUM
    }

    fn chosen(&self) -> &str {
        self.profile.proxy.as_deref().unwrap_or_default()
    }

    fn error(&self, error: &str) -> String {
        said(self.visitor.language, error).into_owned()
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Response {
    let profile = match find(&dashboard, &visitor, &name).await {
        Ok(profile) => profile,
        Err(answer) => return *answer,
    };
    let may_arrange = visitor.may(Right::ArrangeAccounts);
    let proxies = if may_arrange { proxy_names(&dashboard, &visitor).await } else { Vec::new() };
    let body = One {
        visitor: &visitor,
        words: ProfilesWords::of(visitor.language),
        campaigns: CampaignsWords::of(visitor.language),
        profile: &profile,
        proxies: &proxies,
        may_act: visitor.may(Right::Operate),
        may_arrange,
    };
    page::page(&visitor, &profile.name, Section::Campaigns, body)
}
