//! `/campaign-profiles/{name}/log-in`: what the window of a profile shows to its owner, who scans the code with the phone.

use access::Right;
use api::{CampaignLogIn, CampaignProfile};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use http::Method;

use super::{call, find};
use crate::dashboard::Dashboard;
use crate::page::{self, refusal};
use crate::view::{Linked, Section};
use crate::visitor::Visitor;
use crate::words::{LoginWords, ProfilesWords};

/// After how many seconds the window is looked at again where no script does.
const RENEWED: u16 = 5;

#[derive(Template)]
#[template(path = "profiles/log_in.html")]
struct LogIn<'a> {
    words: &'static ProfilesWords,
    login: &'static LoginWords,
    profile: &'a CampaignProfile,
    /// What the window shows, or why it cannot be opened.
    seen: Result<&'a CampaignLogIn, &'a str>,
    moves: bool,
}

/// `GET /campaign-profiles/{name}/log-in`.
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Response {
    if !visitor.may(Right::ArrangeAccounts) {
        return refusal::not_allowed(&visitor);
    }
    let profile = match find(&dashboard, &visitor, &name).await {
        Ok(profile) => profile,
        Err(answer) => return *answer,
    };
    let path = call(&name, "/log-in");
    let seen = dashboard.ask::<CampaignLogIn>(&visitor, Method::POST, &path, None).await;
    let words = ProfilesWords::of(visitor.language);
    let moves = seen.as_ref().is_ok_and(|seen| seen.state != "done");
    let body = LogIn {
        words,
        login: LoginWords::of(visitor.language),
        profile: &profile,
        seen: seen.as_ref().map_err(|why| why.detail.as_str()),
        moves,
    };
    let title = words.log_in_title(&profile.name);
    page::moving_page(&visitor, &title, Section::Campaigns, body, moves.then_some(RENEWED))
}
