//! `/accounts/{name}/remove`: asks first, says what becomes of its chats, messages and sessions, and wants its name typed.

use access::Right;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use health::CardId;
use http::Method;
use serde::Deserialize;
use serde_json::Value;

use super::{Account, HERE, find, path_of};
use crate::dashboard::Dashboard;
use crate::listing::{address, refuse};
use crate::page::{self, refusal, segment};
use crate::view::{Linked, Section};
use crate::visitor::{Posted, Visitor};
use crate::words::{AccountFormWords, WorkWords};

/// The most chats that are counted for the question.
const MOST_COUNTED: usize = 500;

#[derive(Template)]
#[template(path = "accounts/remove.html")]
pub(super) struct Question<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static AccountFormWords,
    pub(super) work: &'static WorkWords,
    pub(super) account: &'a Account,
    /// How many chats go through it, and whether there are more.
    pub(super) chats: (u64, bool),
    pub(super) waiting: u64,
}

impl Question<'_> {
    fn load(&self) -> String {
        self.words.remove_chats(self.chats.0, self.chats.1, self.waiting)
    }
}

/// `GET /accounts/{name}/remove`.
pub(crate) async fn ask(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Response {
    if !visitor.may(Right::ArrangeAccounts) {
        return refusal::not_allowed(&visitor);
    }
    let account = match find(&dashboard, &visitor, &name).await {
        Ok(account) => account,
        Err(answer) => return *answer,
    };
    let limit = MOST_COUNTED.to_string();
    let path = address("/v1/chats", &[("account", account.name.as_str()), ("limit", &limit)]);
    let chats = match dashboard.ask::<api::Page<Value>>(&visitor, Method::GET, &path, None).await {
        Ok(listed) => (listed.items.len() as u64, listed.next_cursor.is_some()),
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    let card = format!("account:{}", account.name).parse::<CardId>().ok();
    let waiting =
        card.and_then(|card| dashboard.health().card(&card)).and_then(|card| card.queue).unwrap_or_default();
    let words = AccountFormWords::of(visitor.language);
    let title = words.remove_question(account.name.as_str());
    let work = WorkWords::of(visitor.language);
    let body = Question { visitor: &visitor, words, work, account: &account, chats, waiting };
    page::page(&visitor, &title, Section::Accounts, body)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Answer {
    typed: String,
    force: Option<String>,
}

/// `POST /accounts/{name}/remove`.
pub(crate) async fn remove(
    State(dashboard): State<Dashboard>,
    Path(name): Path<String>,
    Posted { visitor, form }: Posted<Answer>,
) -> Response {
    if !visitor.may(Right::ArrangeAccounts) {
        return refusal::not_allowed(&visitor);
    }
    let words = AccountFormWords::of(visitor.language);
    let question = format!("{}/remove", path_of(&name));
    if form.typed.trim() != name {
        return page::not_done(&visitor, &question, words.name_differs);
    }
    let force = if form.force.is_some() { "true" } else { "" };
    let path = address(&format!("/v1/accounts/{}", segment(&name)), &[("force", force)]);
    match dashboard.ask::<Value>(&visitor, Method::DELETE, &path, None).await {
        Ok(_) => page::done(&visitor, HERE, &words.removed(&name)),
        Err(why) if why.code == "account_not_found" => refusal::no_such_page(&visitor),
        Err(why) => refuse(&visitor, &question, &why),
    }
}
