//! `/accounts/add`: an account is described; signing in comes next.

use std::borrow::Cow;

use access::Right;
use api::Account;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::{ExposeSecret, SecretText};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::path_of;
use crate::ask::Refused;
use crate::dashboard::Dashboard;
use crate::page::{self, refusal};
use crate::view::Section;
use crate::visitor::{Posted, Visitor};
use crate::words::{AccountFormWords, AccountsWords};

/// What the form sends. A secret is never shown again.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct New {
    name: String,
    api_id: String,
    api_hash: Option<SecretText>,
    phone: Option<SecretText>,
    priority: String,
    pool: Option<String>,
    proxy: Option<SecretText>,
    messages_per_hour: String,
    messages_per_day: String,
}

#[derive(Template)]
#[template(path = "accounts/add.html")]
pub(super) struct Add<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static AccountFormWords,
    pub(super) list: &'static AccountsWords,
    pub(super) name: &'a str,
    pub(super) api_id: &'a str,
    pub(super) priority: &'a str,
    pub(super) in_pool: bool,
    pub(super) per_hour: &'a str,
    pub(super) per_day: &'a str,
    pub(super) wrong: Wrong,
}

/// What is wrong with a form, in words, by its field.
#[derive(Default)]
pub(super) struct Wrong(Vec<(String, String)>);

impl Wrong {
    /// What the API said, in the reader's language where this program has words for it.
    pub(super) fn of(words: &AccountFormWords, why: &Refused) -> Self {
        // What is wrong with the name as a whole has a code of its own.
        if let Some(text) = words.wrong(&why.code) {
            return Self(vec![("name".to_owned(), text.into_owned())]);
        }
        if why.fields.is_empty() {
            return Self(vec![(String::new(), why.detail.clone())]);
        }
        let one = |field: &crate::ask::WrongField| {
            // One chat of a list that is typed as one text.
            let at = field.field.split('[').next().unwrap_or_default();
            let text = words.wrong(at).map_or_else(|| field.message.clone(), Cow::into_owned);
            (at.to_owned(), text)
        };
        Self(why.fields.iter().map(one).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn at(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(at, _)| at == field).map(|(_, text)| text.as_str())
    }

    pub(super) fn elsewhere(&self, fields: &[&str]) -> Option<&str> {
        self.0.iter().find(|(at, _)| !fields.contains(&at.as_str())).map(|(_, text)| text.as_str())
    }
}

const FIELDS: [&str; 8] =
    ["name", "api_id", "api_hash", "phone", "priority", "proxy", "messages_per_hour", "messages_per_day"];

impl Add<'_> {
    fn elsewhere(&self) -> Option<&str> {
        self.wrong.elsewhere(&FIELDS)
    }
}

impl New {
    fn body(&self) -> Value {
        let mut body = Map::new();
        body.insert("name".into(), self.name.trim().into());
        body.insert("api_id".into(), number(&self.api_id));
        let secret = |text: &Option<SecretText>| {
            text.as_ref().map(|text| text.expose_secret().trim().to_owned()).unwrap_or_default()
        };
        body.insert("api_hash".into(), secret(&self.api_hash).into());
        for (field, text) in [("phone", secret(&self.phone)), ("proxy", secret(&self.proxy))] {
            if !text.is_empty() {
                body.insert(field.into(), text.into());
            }
        }
        if !self.priority.trim().is_empty() {
            body.insert("priority".into(), number(&self.priority));
        }
        for (field, text) in
            [("messages_per_hour", &self.messages_per_hour), ("messages_per_day", &self.messages_per_day)]
        {
            if !text.trim().is_empty() {
                body.insert(field.into(), number(text));
            }
        }
        body.insert("pool".into(), self.pool.is_some().into());
        Value::Object(body)
    }
}

/// A number; what is none goes on as it is, and the API says what to write instead.
pub(super) fn number(text: &str) -> Value {
    text.trim().parse::<i64>().map_or_else(|_| text.trim().into(), Value::from)
}

/// `GET /accounts/add`.
pub(crate) async fn show(visitor: Visitor) -> Response {
    if !visitor.may(Right::ArrangeAccounts) {
        return refusal::not_allowed(&visitor);
    }
    let form = New { priority: "100".to_owned(), pool: Some(String::new()), ..New::default() };
    std::future::ready(drawn(StatusCode::OK, &visitor, &form, Wrong::default())).await
}

fn drawn(status: StatusCode, visitor: &Visitor, form: &New, wrong: Wrong) -> Response {
    let words = AccountFormWords::of(visitor.language);
    let body = Add {
        visitor,
        words,
        list: AccountsWords::of(visitor.language),
        name: &form.name,
        api_id: &form.api_id,
        priority: &form.priority,
        in_pool: form.pool.is_some(),
        per_hour: &form.messages_per_hour,
        per_day: &form.messages_per_day,
        wrong,
    };
    page::page_of(status, visitor, words.add_title, Section::Accounts, body)
}

/// `POST /accounts/add`: to the sign-in, or the form again with what is wrong.
pub(crate) async fn add(
    State(dashboard): State<Dashboard>,
    Posted { visitor, form }: Posted<New>,
) -> Response {
    if !visitor.may(Right::ArrangeAccounts) {
        return refusal::not_allowed(&visitor);
    }
    let words = AccountFormWords::of(visitor.language);
    match dashboard.ask::<Account>(&visitor, Method::POST, "/v1/accounts", Some(form.body())).await {
        Ok(account) => page::done(
            &visitor,
            &format!("{}/login", path_of(account.name.as_str())),
            &words.added(account.name.as_str()),
        ),
        Err(why) => {
            let wrong = Wrong::of(words, &why);
            drawn(StatusCode::UNPROCESSABLE_ENTITY, &visitor, &form, wrong)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_form_becomes_the_body_of_the_call() {
        let form: New = serde_urlencoded::from_str(
            "csrf=x&name=+main+&api_id=1000001&api_hash=0123&phone=&priority=2&pool=yes&proxy=socks5%3A%2F%2Fh%3A1",
        )
        .expect("a form");
        let body = json!({ "name": "main", "api_id": 1_000_001, "api_hash": "0123", "priority": 2, "pool": true,
            "proxy": "socks5://h:1" });
        assert_eq!(form.body(), body);
        let empty: New = serde_urlencoded::from_str("api_id=x").expect("a form");
        assert_eq!(empty.body(), json!({ "name": "", "api_id": "x", "api_hash": "", "pool": false }));
    }
}
