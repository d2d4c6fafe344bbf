//! `/accounts/{name}/change`: priority, pool, proxy, phone number and application of an account.

use access::Right;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::{ChatId, ExposeSecret, FileKind, Keep, SecretText};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::add::{Wrong, number};
use super::file_kinds::FilesTicked;
use super::{Account, find, path_of};
use crate::dashboard::Dashboard;
use crate::page::{self, refusal, segment};
use crate::view::{Linked, Section};
use crate::visitor::{Posted, Visitor};
use crate::words::{AccountFormWords, AccountsWords, WorkWords};

const FIELDS: [&str; 10] = [
    "api_id",
    "api_hash",
    "phone",
    "priority",
    "proxy",
    "messages_per_hour",
    "messages_per_day",
    "keep_messages.always",
    "keep_messages.never",
    "keep_messages.files.max_size",
];

/// What the form counts the size of files in.
const MEGABYTE: u64 = 1_000_000;

/// What the form sends. What is empty stays as it is. A secret is never shown again.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Changed {
    priority: String,
    pool: Option<String>,
    phone: Option<SecretText>,
    forget_phone: Option<String>,
    proxy: Option<SecretText>,
    no_proxy: Option<String>,
    api_id: String,
    api_hash: Option<SecretText>,
    messages_per_hour: Option<String>,
    messages_per_day: Option<String>,
    keep_rule: String,
    keep_always: String,
    keep_never: String,
    #[serde(flatten)]
    files: FilesTicked,
    /// In megabytes.
    files_up_to: String,
}

#[derive(Template)]
#[template(path = "accounts/change.html")]
pub(super) struct Change<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static AccountFormWords,
    pub(super) list: &'static AccountsWords,
    pub(super) work: &'static WorkWords,
    pub(super) account: &'a Account,
    pub(super) form: &'a Changed,
    pub(super) wrong: Wrong,
}

impl Change<'_> {
    fn elsewhere(&self) -> Option<&str> {
        self.wrong.elsewhere(&FIELDS)
    }
}

impl Changed {
    fn of(account: &Account) -> Self {
        let pool = account.pool.then(String::new);
        let limit = |limit: Option<u32>| Some(limit.map(|limit| limit.to_string()).unwrap_or_default());
        let lines = |chats: &[ChatId]| chats.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        let keep = &account.keep_messages;
        Self {
            priority: account.priority.to_string(),
            pool,
            messages_per_hour: limit(account.limits.messages_per_hour),
            messages_per_day: limit(account.limits.messages_per_day),
            keep_rule: keep.rule.as_str().to_owned(),
            keep_always: lines(&keep.always),
            keep_never: lines(&keep.never),
            files: FilesTicked::of(&keep.files.kinds),
            files_up_to: keep.files.max_size.div_ceil(MEGABYTE).to_string(),
            ..Self::default()
        }
    }

    fn body(&self) -> Value {
        let mut body = Map::new();
        body.insert("pool".into(), self.pool.is_some().into());
        for (field, text) in [("priority", &self.priority), ("api_id", &self.api_id)] {
            if !text.trim().is_empty() {
                body.insert(field.into(), number(text));
            }
        }
        // An empty limit is none.
        for (field, given) in
            [("messages_per_hour", &self.messages_per_hour), ("messages_per_day", &self.messages_per_day)]
        {
            if let Some(text) = given {
                let limit = if text.trim().is_empty() { Value::Null } else { number(text) };
                body.insert(field.into(), limit);
            }
        }
        if !self.keep_rule.is_empty() {
            let [always, never] = [&self.keep_always, &self.keep_never].map(|text| {
                let chats = text.split([',', ' ', '\t', '\r', '\n']).filter(|chat| !chat.is_empty());
                chats.collect::<Vec<_>>()
            });
            let mut keep = json!({ "rule": self.keep_rule, "always": always, "never": never,
                "files": { "kinds": self.files.words() } });
            if !self.files_up_to.trim().is_empty() {
                keep["files"]["max_size"] = match self.files_up_to.trim().parse::<u64>() {
                    Ok(megabytes) => megabytes.saturating_mul(MEGABYTE).into(),
                    Err(_) => number(&self.files_up_to),
                };
            }
            body.insert("keep_messages".into(), keep);
        }
        let secrets = [
            ("phone", &self.phone, self.forget_phone.is_some()),
            ("proxy", &self.proxy, self.no_proxy.is_some()),
            ("api_hash", &self.api_hash, false),
        ];
        for (field, text, gone) in secrets {
            let text = text.as_ref().map(|text| text.expose_secret().trim()).unwrap_or_default();
            if gone {
                body.insert(field.into(), Value::Null);
            } else if !text.is_empty() {
                body.insert(field.into(), text.into());
            }
        }
        Value::Object(body)
    }
}

fn drawn(status: StatusCode, visitor: &Visitor, account: &Account, form: &Changed, wrong: Wrong) -> Response {
    let words = AccountFormWords::of(visitor.language);
    let (list, work) = (AccountsWords::of(visitor.language), WorkWords::of(visitor.language));
    let title = words.change_title(account.name.as_str());
    let body = Change { visitor, words, list, work, account, form, wrong };
    page::page_of(status, visitor, &title, Section::Accounts, body)
}

/// `GET /accounts/{name}/change`.
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Response {
    if !visitor.may(Right::ArrangeAccounts) {
        return refusal::not_allowed(&visitor);
    }
    match find(&dashboard, &visitor, &name).await {
        Ok(account) => drawn(StatusCode::OK, &visitor, &account, &Changed::of(&account), Wrong::default()),
        Err(answer) => *answer,
    }
}

/// `POST /accounts/{name}/change`.
pub(crate) async fn change(
    State(dashboard): State<Dashboard>,
    Path(name): Path<String>,
    Posted { visitor, form }: Posted<Changed>,
) -> Response {
    if !visitor.may(Right::ArrangeAccounts) {
        return refusal::not_allowed(&visitor);
    }
    let account = match find(&dashboard, &visitor, &name).await {
        Ok(account) => account,
        Err(answer) => return *answer,
    };
    let words = AccountFormWords::of(visitor.language);
    let path = format!("/v1/accounts/{}", segment(&name));
    match dashboard.ask::<api::Account>(&visitor, Method::PATCH, &path, Some(form.body())).await {
        Ok(_) => page::done(&visitor, &path_of(&name), &words.changed(&name)),
        Err(why) => {
            let wrong = Wrong::of(words, &why);
            drawn(StatusCode::UNPROCESSABLE_ENTITY, &visitor, &account, &form, wrong)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_fields_stay_and_ticked_ones_are_removed() {
        let body = |form: &str| serde_urlencoded::from_str::<Changed>(form).expect("a form").body();
        assert_eq!(body("priority=&phone=&proxy=&api_id=&api_hash="), json!({ "pool": false }));
        assert_eq!(
            body("priority=7&pool=yes&phone=%2B7&forget_phone=yes&no_proxy=yes&api_id=5&api_hash=ab"),
            json!({ "pool": true, "priority": 7, "phone": null, "proxy": null, "api_id": 5, "api_hash": "ab" })
        );
        assert_eq!(
            body("messages_per_hour=30&messages_per_day="),
            json!({ "pool": false, "messages_per_hour": 30, "messages_per_day": null })
        );
        assert_eq!(
            body("keep_rule=private&keep_always=-1001%0D%0A-1002%2C+7&keep_never="),
            json!({ "pool": false, "keep_messages":
                { "rule": "private", "always": ["-1001", "-1002", "7"], "never": [], "files": { "kinds": [] } } })
        );
        for (size, bytes) in [("5", json!(5_000_000)), ("much", json!("much"))] {
            assert_eq!(
                body(&format!("keep_rule=all&photo=yes&voice=yes&files_up_to={size}"))["keep_messages"],
                json!({ "rule": "all", "always": [], "never": [],
                    "files": { "kinds": ["photo", "voice"], "max_size": bytes } })
            );
        }
    }
}
