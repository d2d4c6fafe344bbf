//! The form that takes files, and what is sent with it.

use access::Right;
use askama::Template;
use axum::extract::{FromRequestParts, Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::header::CONTENT_TYPE;
use http::{Method, StatusCode};
use serde::Deserialize;

use super::{API, HERE, Importing};
use crate::accounts::plain;
use crate::ask::Refused;
use crate::dashboard::Dashboard;
use crate::page::{self, refusal};
use crate::view::Section;
use crate::visitor::Visitor;
use crate::visitor::form_with_files::{Unread, parts_of_ours, whole};
use crate::words::{AccountsWords, ImportWords, WorkWords};

#[derive(Template)]
#[template(path = "accounts/import.html")]
pub(crate) struct Form<'a> {
    pub(crate) visitor: &'a Visitor,
    pub(crate) words: &'static ImportWords,
    pub(crate) list: &'static AccountsWords,
    pub(crate) work: &'static WorkWords,
    /// Why the files were not taken.
    pub(crate) wrong: Option<String>,
    /// Whether an import is under way.
    pub(crate) runs: bool,
}

fn drawn(status: StatusCode, dashboard: &Dashboard, visitor: &Visitor, wrong: Option<String>) -> Response {
    let words = ImportWords::of(visitor.language);
    let (list, work) = (AccountsWords::of(visitor.language), WorkWords::of(visitor.language));
    let runs = dashboard.page_state::<Importing>().is_under_way();
    let body = Form { visitor, words, list, work, wrong, runs };
    page::page_of(status, visitor, words.title, Section::Accounts, body)
}

/// `GET /accounts/import`.
pub(crate) async fn show(State(dashboard): State<Dashboard>, visitor: Visitor) -> Response {
    if !visitor.may(Right::ArrangeAccounts) {
        return refusal::not_allowed(&visitor);
    }
    std::future::ready(drawn(StatusCode::OK, &dashboard, &visitor, None)).await
}

/// What the API answers when it has taken the files.
#[derive(Deserialize)]
struct Taken {
    id: String,
}

/// `POST /accounts/import`: keeps the files and leads to what would be done with them.
pub(crate) async fn send(State(dashboard): State<Dashboard>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let visitor = match Visitor::from_request_parts(&mut parts, &dashboard).await {
        Ok(visitor) => visitor,
        Err(unknown) => return unknown.into_response(),
    };
    // No one sends megabytes who may not.
    if !visitor.may(Right::ArrangeAccounts) {
        return refusal::not_allowed(&visitor);
    }
    let words = ImportWords::of(visitor.language);
    let body = match whole(body).await {
        Ok(body) => body,
        Err(Unread::TooLarge) => {
            let wrong = words.why("too_large").map(str::to_owned);
            return drawn(StatusCode::PAYLOAD_TOO_LARGE, &dashboard, &visitor, wrong);
        }
        Err(Unread::Broken) => return refusal::form_unread(&visitor),
    };
    if parts_of_ours(dashboard.state(), &visitor.csrf, &parts, &body).is_none() {
        return refusal::form_of_elsewhere(&visitor);
    }
    let kind = parts.headers.get(CONTENT_TYPE).cloned();
    match dashboard.ask_with::<Taken>(&visitor, Method::POST, &format!("{API}/files"), kind, body).await {
        Ok(taken) => Redirect::to(&format!("{HERE}/{}", plain(&taken.id))).into_response(),
        Err(why) => {
            let status =
                if why.status.is_client_error() { StatusCode::UNPROCESSABLE_ENTITY } else { why.status };
            drawn(status, &dashboard, &visitor, Some(in_words(words, &why)))
        }
    }
}

fn in_words(words: &ImportWords, why: &Refused) -> String {
    words.why(&why.code).map_or_else(|| why.detail.clone(), str::to_owned)
}
