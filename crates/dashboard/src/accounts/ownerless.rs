//! Sessions that belong to no one: given to an account, or deleted; each asks first.

use access::Right;
use api::OwnerlessSession;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::HERE;
use super::purposes::{self, Ticked};
use crate::dashboard::Dashboard;
use crate::listing::refuse;
use crate::page::{self, refusal, segment};
use crate::view::{Linked, Section};
use crate::visitor::{Posted, Visitor};
use crate::words::{AccountsWords, WorkWords};

impl Linked for OwnerlessSession {
    fn path(&self) -> String {
        format!("{HERE}/sessions/{}", segment(&self.id))
    }
}

/// Whose it is, as well as that is known.
pub(super) fn whose(session: &OwnerlessSession) -> String {
    let public = || session.username.as_ref().map(|name| format!("@{name}"));
    let name = session.display_name.clone().or_else(public);
    name.or_else(|| session.user_id.map(|id| id.to_string())).unwrap_or_else(|| session.id.clone())
}

#[derive(Template)]
#[template(path = "accounts/give.html")]
pub(super) struct GiveQuestion<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static AccountsWords,
    pub(super) work: &'static WorkWords,
    pub(super) session: &'a OwnerlessSession,
    /// The accounts that could take it.
    pub(super) accounts: &'a [String],
}

#[derive(Template)]
#[template(path = "accounts/drop.html")]
pub(super) struct DropQuestion<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static AccountsWords,
    pub(super) work: &'static WorkWords,
    pub(super) session: &'a OwnerlessSession,
}

async fn session_of(
    dashboard: &Dashboard,
    visitor: &Visitor,
    id: &str,
) -> Result<OwnerlessSession, Box<Response>> {
    if !visitor.may(Right::ArrangeAccounts) {
        return Err(Box::new(refusal::not_allowed(visitor)));
    }
    let listed = dashboard
        .ask::<api::Page<OwnerlessSession>>(visitor, Method::GET, "/v1/ownerless-sessions", None)
        .await;
    match listed {
        Ok(listed) => listed
            .items
            .into_iter()
            .find(|session| session.id == id)
            .ok_or_else(|| Box::new(refusal::no_such_page(visitor))),
        Err(why) => Err(Box::new(refusal::of_api(visitor, &why))),
    }
}

/// `/accounts/sessions/{id}/give`.
pub(crate) async fn ask_give(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    let session = match session_of(&dashboard, &visitor, &id).await {
        Ok(session) => session,
        Err(answer) => return *answer,
    };
    let listed = dashboard.ask::<api::Page<api::Account>>(&visitor, Method::GET, "/v1/accounts", None).await;
    let accounts: Vec<String> = match listed {
        Ok(listed) => listed
            .items
            .into_iter()
            .filter(|one| fits(one, &session))
            .map(|one| one.name.to_string())
            .collect(),
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    let words = AccountsWords::of(visitor.language);
    let work = WorkWords::of(visitor.language);
    let title = words.give_question(&whose(&session));
    let body = GiveQuestion { visitor: &visitor, words, work, session: &session, accounts: &accounts };
    page::page(&visitor, &title, Section::Accounts, body)
}

/// Whether an account could take a session: no one is known there yet, or the same person.
fn fits(account: &api::Account, session: &OwnerlessSession) -> bool {
    account.user_id.is_none() || session.user_id.is_none() || account.user_id == session.user_id
}

/// `/accounts/sessions/{id}/drop`.
pub(crate) async fn ask_drop(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    let session = match session_of(&dashboard, &visitor, &id).await {
        Ok(session) => session,
        Err(answer) => return *answer,
    };
    let words = AccountsWords::of(visitor.language);
    let work = WorkWords::of(visitor.language);
    let title = words.drop_question(&whose(&session));
    page::page(
        &visitor,
        &title,
        Section::Accounts,
        DropQuestion { visitor: &visitor, words, work, session: &session },
    )
}

/// What the question about giving it away sends; that about deleting it sends nothing.
#[derive(Debug, Deserialize)]
pub(crate) struct Given {
    #[serde(default)]
    account: String,
    #[serde(flatten)]
    ticked: Ticked,
}

/// `/accounts/sessions/{id}/actions/{action}`: `give` or `drop`.
pub(crate) async fn act(
    State(dashboard): State<Dashboard>,
    Path((id, action)): Path<(String, String)>,
    Posted { visitor, form }: Posted<Given>,
) -> Response {
    if !visitor.may(Right::ArrangeAccounts) {
        return refusal::not_allowed(&visitor);
    }
    let words = AccountsWords::of(visitor.language);
    let path = format!("/v1/ownerless-sessions/{}", segment(&id));
    let (answer, note) = match action.as_str() {
        "give" => {
            let body = json!({ "account": form.account, "for": form.ticked.words() });
            let path = format!("{path}/assign");
            let answer = dashboard.ask::<Value>(&visitor, Method::POST, &path, Some(body)).await;
            (answer, words.given(&form.account))
        }
        "drop" => {
            let answer = dashboard.ask::<Value>(&visitor, Method::DELETE, &path, None).await;
            (answer, words.dropped.to_owned())
        }
        _ => return refusal::no_such_page(&visitor),
    };
    match answer {
        Ok(_) => page::done(&visitor, HERE, &note),
        Err(why) => refuse(&visitor, HERE, &why),
    }
}
