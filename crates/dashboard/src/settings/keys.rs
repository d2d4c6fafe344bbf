//! API keys: which there are, a new one that is shown once, and the end of one.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use api::ApiKey;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::Timestamp;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::people::unread;
use super::{Nothing, Tabs};
use crate::ask::Refused;
use crate::dashboard::Dashboard;
use crate::page::{self, refusal};
use crate::view::{Linked, Section, Tab};
use crate::visitor::{Posted, Visitor};
use crate::words::{KeysWords, Wall};

const HERE: &str = "/settings/keys";

impl Linked for ApiKey {
    fn path(&self) -> String {
        format!("{HERE}/{}", self.id)
    }
}

/// So long before its end a key is said to end soon.
const SOON: Duration = Duration::from_hours(7 * 24);

/// How far a key is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Life {
    Works,
    EndsSoon,
    Expired,
    Revoked,
}

impl Life {
    fn of(key: &ApiKey, now: Timestamp) -> Self {
        match key.expires_at {
            _ if key.revoked_at.is_some() => Self::Revoked,
            Some(end) if end <= now => Self::Expired,
            Some(end) if end.since(now) <= SOON => Self::EndsSoon,
            _ => Self::Works,
        }
    }
}

#[derive(Template)]
#[template(path = "settings/keys.html")]
pub(super) struct KeysPage<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static KeysWords,
    pub(super) wall: Wall,
    pub(super) tabs: Tabs,
    pub(super) keys: &'a [ApiKey],
}

impl KeysPage<'_> {
    fn work(&self) -> u64 {
        self.keys.iter().filter(|key| Life::of(key, self.visitor.now) < Life::Expired).count() as u64
    }

    fn life(&self, key: &ApiKey) -> Life {
        Life::of(key, self.visitor.now)
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass what they matched")]
    fn at_once(&self, burst: &NonZeroU32) -> String {
        self.words.at_once(&burst.to_string())
    }

    fn from(&self, address: &IpAddr) -> String {
        self.words.from(&address.to_string())
    }

    /// The scopes, each with what it is for, and whether a new key has it by default otherwise.
    fn scopes(&self) -> [(&'static str, &'static str, &'static str, bool); 5] {
        [
            ("send", self.words.send, self.words.send_help, true),
            ("read", self.words.read, self.words.read_help, true),
            ("operate", self.words.operate, self.words.operate_help, false),
            ("personal", self.words.personal, self.words.personal_help, false),
            ("admin", self.words.admin, self.words.admin_help, false),
        ]
    }
}

#[derive(Template)]
#[template(path = "settings/key_made.html")]
struct KeyMade<'a> {
    words: &'static KeysWords,
    tabs: Tabs,
    name: &'a str,
    key: &'a str,
}

#[derive(Template)]
#[template(path = "settings/revoke_key.html")]
struct RevokeQuestion<'a> {
    visitor: &'a Visitor,
    words: &'static KeysWords,
    key: &'a ApiKey,
}

#[derive(Template)]
#[template(path = "settings/change_key.html")]
struct ChangeQuestion<'a> {
    visitor: &'a Visitor,
    words: &'static KeysWords,
    key: &'a ApiKey,
}

impl ChangeQuestion<'_> {
    fn list(names: &[impl ToString]) -> String {
        names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}

async fn keys(dashboard: &Dashboard, visitor: &Visitor) -> Result<Vec<ApiKey>, Refused> {
    let list: api::Page<ApiKey> = dashboard.ask(visitor, Method::GET, "/v1/keys?limit=500", None).await?;
    Ok(list.items)
}

/// `GET /settings/keys`: those that work first.
pub(crate) async fn show(State(dashboard): State<Dashboard>, visitor: Visitor) -> Response {
    let mut keys = match keys(&dashboard, &visitor).await {
        Ok(keys) => keys,
        Err(why) => return unread(&visitor, &why),
    };
    let is_over = |key: &ApiKey| Life::of(key, visitor.now) >= Life::Expired;
    keys.sort_by_key(|key| (is_over(key), std::cmp::Reverse(key.created_at)));
    let words = KeysWords::of(visitor.language);
    let tabs = Tabs::new(&visitor, Tab::Keys);
    let body = KeysPage { visitor: &visitor, words, wall: visitor.wall(), tabs, keys: &keys };
    page::page(&visitor, words.title, Section::Settings, body)
}

/// A key to be made; a box that is not ticked sends nothing.
#[derive(Deserialize)]
pub(crate) struct NewKey {
    name: String,
    send: Option<String>,
    read: Option<String>,
    operate: Option<String>,
    personal: Option<String>,
    admin: Option<String>,
    #[serde(flatten)]
    terms: Terms,
}

/// Within what a key works, as the forms have it.
#[derive(Deserialize)]
struct Terms {
    #[serde(default)]
    accounts: String,
    #[serde(default)]
    chats: String,
    #[serde(default)]
    channels: String,
    #[serde(default)]
    expires_in: String,
    #[serde(default)]
    rate: String,
    #[serde(default)]
    burst: String,
    #[serde(default)]
    repeats: String,
}

/// `POST /settings/keys/actions/create`. Answered at once and not after a redirect: the key is kept nowhere that a second
/// request could read it from.
pub(crate) async fn create(
    State(dashboard): State<Dashboard>,
    Posted { visitor, form }: Posted<NewKey>,
) -> Response {
    let words = KeysWords::of(visitor.language);
    let ticked = [
        ("send", form.send),
        ("read", form.read),
        ("operate", form.operate),
        ("personal", form.personal),
        ("admin", form.admin),
    ];
    let scopes: Vec<&str> =
        ticked.iter().filter(|(_, tick)| tick.is_some()).map(|(scope, _)| *scope).collect();
    if scopes.is_empty() {
        return page::not_done(&visitor, HERE, words.no_scope);
    }
    let Terms { accounts, chats, channels, expires_in, rate, burst, repeats } = form.terms;
    let body = json!({
        "name": form.name, "scopes": scopes, "repeats": repeats, "accounts": accounts, "chats": chats,
        "channels": channels, "expires_in": expires_in, "rate": rate, "burst": burst,
    });
    match dashboard.ask::<api::MadeApiKey>(&visitor, Method::POST, "/v1/keys", Some(body)).await {
        Ok(made) => {
            let tabs = Tabs::new(&visitor, Tab::Keys);
            let body = KeyMade { words, tabs, name: &made.view.name, key: &made.key };
            page::page(&visitor, words.made, Section::Settings, body)
        }
        Err(why) => page::refused(&visitor, HERE, &why),
    }
}

async fn one(dashboard: &Dashboard, visitor: &Visitor, id: &str) -> Result<ApiKey, Response> {
    let keys = keys(dashboard, visitor).await.map_err(|why| unread(visitor, &why))?;
    keys.into_iter().find(|key| key.id.to_string() == id).ok_or_else(|| refusal::no_such_page(visitor))
}

/// `GET /settings/keys/{id}/revoke`: the question before it.
pub(crate) async fn ask_revoke(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    let key = match one(&dashboard, &visitor, &id).await {
        Ok(key) => key,
        Err(answer) => return answer,
    };
    let words = KeysWords::of(visitor.language);
    let title = words.revoke_question(&key.name);
    let body = RevokeQuestion { visitor: &visitor, words, key: &key };
    page::page(&visitor, &title, Section::Settings, body)
}

/// `POST /settings/keys/{id}/actions/revoke`.
pub(crate) async fn revoke(
    State(dashboard): State<Dashboard>,
    Path(id): Path<String>,
    Posted { visitor, .. }: Posted<Nothing>,
) -> Response {
    let key = match one(&dashboard, &visitor, &id).await {
        Ok(key) => key,
        Err(answer) => return answer,
    };
    let path = format!("/v1/keys/{}", key.id);
    match dashboard.ask::<Value>(&visitor, Method::DELETE, &path, None).await {
        Ok(_) => page::done(&visitor, HERE, &KeysWords::of(visitor.language).key_revoked(&key.name)),
        Err(why) => page::refused(&visitor, HERE, &why),
    }
}

/// `GET /settings/keys/{id}/change`: what it is limited to, until when it works, and how much it may ask.
pub(crate) async fn ask_change(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    let key = match one(&dashboard, &visitor, &id).await {
        Ok(key) => key,
        Err(answer) => return answer,
    };
    let words = KeysWords::of(visitor.language);
    let title = words.change_question(&key.name);
    let body = ChangeQuestion { visitor: &visitor, words, key: &key };
    page::page(&visitor, &title, Section::Settings, body)
}

/// A key as it is to be: a field that is empty takes a limit away, but for the end, which stays.
#[derive(Deserialize)]
pub(crate) struct ChangedKey {
    name: String,
    #[serde(flatten)]
    terms: Terms,
}

/// `POST /settings/keys/{id}/actions/change`.
pub(crate) async fn change(
    State(dashboard): State<Dashboard>,
    Path(id): Path<String>,
    Posted { visitor, form }: Posted<ChangedKey>,
) -> Response {
    let key = match one(&dashboard, &visitor, &id).await {
        Ok(key) => key,
        Err(answer) => return answer,
    };
    let Terms { accounts, chats, channels, expires_in, rate, burst, repeats } = form.terms;
    let list = |text: &str| match text.trim() {
        "" => json!([]),
        text => json!(text),
    };
    let or_none = |text: String| if text.trim().is_empty() { "none".to_owned() } else { text };
    let body = json!({
        "name": form.name, "repeats": or_none(repeats), "accounts": list(&accounts), "chats": list(&chats),
        "channels": list(&channels), "expires_in": expires_in, "rate": or_none(rate), "burst": burst,
    });
    let path = format!("/v1/keys/{}", key.id);
    match dashboard.ask::<Value>(&visitor, Method::PATCH, &path, Some(body)).await {
        Ok(_) => page::done(&visitor, HERE, &KeysWords::of(visitor.language).key_changed(&form.name)),
        Err(why) => page::refused(&visitor, HERE, &why),
    }
}
