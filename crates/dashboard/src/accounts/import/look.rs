//! `/accounts/import/{id}`: what an import of the files that were sent would do, and the form that carries it out.

use access::Right;
use api::{ImportAnswer, ImportedRegistry, ImportedSession};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::Purpose;
use http::Method;
use serde_json::{Value, json};

use super::{API, HERE};
use crate::accounts::plain;
use crate::dashboard::Dashboard;
use crate::page::{self, refusal, segment};
use crate::view::Section;
use crate::visitor::{Posted, Visitor};
use crate::words::{AccountsWords, ImportWords, number, translate};

/// How the API says that the files are gone.
const GONE: &str = "is none that is kept: they wait for half an hour; send them again";

#[derive(Template)]
#[template(path = "accounts/import_look.html")]
pub(crate) struct Look<'a> {
    pub(crate) visitor: &'a Visitor,
    pub(crate) words: &'static ImportWords,
    pub(crate) list: &'static AccountsWords,
    pub(crate) id: &'a str,
    pub(crate) report: &'a ImportAnswer,
    pub(crate) accounts: &'a [String],
}

impl Look<'_> {
    fn table(&self) -> Result<String, askama::Error> {
        Table { words: self.words, list: self.list, report: self.report }.render()
    }

    fn path(&self) -> String {
        format!("{HERE}/{}", plain(self.id))
    }
}

#[derive(Template)]
#[template(path = "accounts/import_table.html")]
pub(super) struct Table<'a> {
    pub(super) words: &'static ImportWords,
    pub(super) list: &'static AccountsWords,
    pub(super) report: &'a ImportAnswer,
}

impl Table<'_> {
    fn says(&self, registry: &ImportedRegistry) -> String {
        let ImportedRegistry { chats_taken, chats_known, failed_requests_taken, failovers_taken, .. } =
            registry;
        let [chats, known, requests, failovers] =
            [chats_taken, chats_known, failed_requests_taken, failovers_taken].map(|count| *count as u64);
        self.words.registry_says(chats, known, requests, failovers)
    }

    fn peers(session: &ImportedSession) -> String {
        number::thousands(session.peers as u64)
    }

    fn purposes(&self, purposes: &[Purpose]) -> String {
        if purposes.len() == Purpose::ALL.len() {
            return self.list.everything.to_owned();
        }
        let words: Vec<_> = purposes.iter().map(|purpose| self.list.purpose(purpose.as_str())).collect();
        words.join(", ")
    }
}

/// `GET /accounts/import/{id}`.
pub(crate) async fn look(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    if !visitor.may(Right::ArrangeAccounts) {
        return refusal::not_allowed(&visitor);
    }
    let words = ImportWords::of(visitor.language);
    let body = json!({ "files": id, "dry_run": true });
    let report = match dashboard.ask::<ImportAnswer>(&visitor, Method::POST, API, Some(body)).await {
        Ok(report) => report,
        // The only field that can be wrong is the one that names the files, or their plan.
        Err(why)
            if why.code == "invalid_request" && why.detail.contains(&*translate(visitor.language, GONE)) =>
        {
            return refusal::of_nothing(&visitor, words.gone, words.gone_detail);
        }
        Err(why) if why.code == "wrong_state" => {
            return refusal::of_nothing(&visitor, words.another_runs, words.running_detail);
        }
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    let accounts = dashboard.account_names(&visitor).await;
    let list = AccountsWords::of(visitor.language);
    let body = Look { visitor: &visitor, words, list, id: &id, report: &report, accounts: &accounts };
    page::page(&visitor, words.title, Section::Accounts, body)
}

/// A form without fields of its own.
#[derive(serde::Deserialize)]
pub(crate) struct Nothing {}

/// `POST /accounts/import/{id}/actions/take-back`.
pub(crate) async fn take_back(
    State(dashboard): State<Dashboard>,
    Path(id): Path<String>,
    Posted { visitor, .. }: Posted<Nothing>,
) -> Response {
    if !visitor.may(Right::ArrangeAccounts) {
        return refusal::not_allowed(&visitor);
    }
    let words = ImportWords::of(visitor.language);
    let path = format!("{API}/files/{}", segment(&id));
    match dashboard.ask::<Value>(&visitor, Method::DELETE, &path, None).await {
        Ok(_) => page::done(&visitor, HERE, words.taken_back),
        Err(_) => page::not_done(&visitor, HERE, words.gone),
    }
}
