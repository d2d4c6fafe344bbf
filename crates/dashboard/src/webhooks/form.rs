//! `/webhooks/add` and `/webhooks/{id}/change`: where a webhook is, and what it wants. A new secret is shown once.

use access::Right;
use api::{MadeWebhook, Webhook};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::event::EventType;
use domain::{ExposeSecret, SecretText};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{API, find, name};
use crate::ask::Refused;
use crate::dashboard::Dashboard;
use crate::page::{self, refusal};
use crate::view::{Linked, Section};
use crate::visitor::{Posted, Visitor};
use crate::words::{WebhooksWords, WorkWords};

/// What the form sends. Lists have commas or spaces between their entries, headers a line each.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    url: String,
    description: String,
    events: String,
    accounts: String,
    chats: String,
    ordered: Option<String>,
    headers: Option<SecretText>,
    no_headers: Option<String>,
}

impl Wanted {
    fn of(webhook: &Webhook) -> Self {
        Self {
            url: webhook.url.clone(),
            description: webhook.description.clone().unwrap_or_default(),
            events: webhook.events.join(", "),
            accounts: webhook.accounts.join(", "),
            chats: webhook.chats.join(", "),
            ordered: webhook.ordered.then(String::new),
            headers: None,
            no_headers: None,
        }
    }

    fn headers(&self) -> &str {
        self.headers.as_ref().map(|text| text.expose_secret().trim()).unwrap_or_default()
    }

    fn body(&self) -> Value {
        let mut body = json!({
            "url": self.url.trim(),
            "description": self.description.trim(),
            "events": list(&self.events),
            "accounts": list(&self.accounts),
            "chats": list(&self.chats),
            "ordered": self.ordered.is_some(),
        });
        // Those that are there are not shown: what is empty leaves them.
        let lines = self.headers().lines().filter(|line| !line.trim().is_empty());
        let headers: Map<String, Value> = lines
            .map(|line| line.split_once(':').unwrap_or((line, "")))
            .map(|(name, value)| (name.trim().to_owned(), value.trim().into()))
            .collect();
        if !headers.is_empty() || self.no_headers.is_some() {
            body["headers"] = headers.into();
        }
        body
    }
}

fn list(text: &str) -> Vec<&str> {
    text.split([',', ' ', ';', '\n', '\r', '\t']).filter(|one| !one.is_empty()).collect()
}

/// What was not taken: fields of the form and words.
#[derive(Default)]
struct Wrong(Vec<(String, String)>);

impl Wrong {
    const FIELDS: [&str; 6] = ["url", "description", "events", "accounts", "chats", "headers"];

    fn of(why: &Refused) -> Self {
        if why.fields.is_empty() {
            return Self(vec![(String::new(), why.detail.clone())]);
        }
        // An entry of a list is part of its field.
        let field = |path: &str| path.split(['[', '.']).next().unwrap_or_default().to_owned();
        Self(why.fields.iter().map(|wrong| (field(&wrong.field), wrong.message.clone())).collect())
    }

    fn at(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(at, _)| at == field).map(|(_, text)| text.as_str())
    }

    fn elsewhere(&self) -> Option<&str> {
        self.0.iter().find(|(at, _)| !Self::FIELDS.contains(&at.as_str())).map(|(_, text)| text.as_str())
    }
}

#[derive(Template)]
#[template(path = "webhooks/form.html")]
struct Form<'a> {
    visitor: &'a Visitor,
    words: &'static WebhooksWords,
    work: &'static WorkWords,
    /// The one that is changed; none for a new one.
    webhook: Option<&'a Webhook>,
    wanted: &'a Wanted,
    wrong: Wrong,
}

impl Form<'_> {
    fn types() -> impl Iterator<Item = &'static str> {
        EventType::ALL.into_iter().map(EventType::as_str)
    }
}

#[derive(Template)]
#[template(path = "webhooks/secret.html")]
struct NewSecret<'a> {
    words: &'static WebhooksWords,
    work: &'static WorkWords,
    title: &'static str,
    webhook: &'a Webhook,
    secret: &'a str,
}

/// The page with a new secret. It is the answer itself and not a redirect: the secret is kept nowhere that a second request
/// could read it from.
pub(super) fn secret(visitor: &Visitor, title: &'static str, made: &MadeWebhook) -> Response {
    let (words, work) = (WebhooksWords::of(visitor.language), WorkWords::of(visitor.language));
    let body = NewSecret { words, work, title, webhook: &made.view, secret: &made.secret };
    page::page(visitor, title, Section::Webhooks, body)
}

fn drawn(visitor: &Visitor, webhook: Option<&Webhook>, wanted: &Wanted, wrong: Wrong) -> Response {
    let (words, work) = (WebhooksWords::of(visitor.language), WorkWords::of(visitor.language));
    let title = if webhook.is_some() { words.change } else { words.add };
    let status = if wrong.0.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let body = Form { visitor, words, work, webhook, wanted, wrong };
    page::page_of(status, visitor, title, Section::Webhooks, body)
}

/// `GET /webhooks/add`.
pub(crate) async fn new(visitor: Visitor) -> Response {
    if !visitor.may(Right::Administer) {
        return refusal::not_allowed(&visitor);
    }
    drawn(&visitor, None, &Wanted::default(), Wrong::default())
}

/// `POST /webhooks/add`.
pub(crate) async fn add(
    State(dashboard): State<Dashboard>,
    Posted { visitor, form }: Posted<Wanted>,
) -> Response {
    if !visitor.may(Right::Administer) {
        return refusal::not_allowed(&visitor);
    }
    match dashboard.ask::<MadeWebhook>(&visitor, Method::POST, API, Some(form.body())).await {
        Ok(made) => secret(&visitor, WebhooksWords::of(visitor.language).made, &made),
        Err(why) => drawn(&visitor, None, &form, Wrong::of(&why)),
    }
}

/// `GET /webhooks/{id}/change`.
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    if !visitor.may(Right::Administer) {
        return refusal::not_allowed(&visitor);
    }
    match find(&dashboard, &visitor, &id).await {
        Ok(webhook) => drawn(&visitor, Some(&webhook), &Wanted::of(&webhook), Wrong::default()),
        Err(answer) => *answer,
    }
}

/// `POST /webhooks/{id}/change`.
pub(crate) async fn change(
    State(dashboard): State<Dashboard>,
    Path(id): Path<String>,
    Posted { visitor, form }: Posted<Wanted>,
) -> Response {
    if !visitor.may(Right::Administer) {
        return refusal::not_allowed(&visitor);
    }
    let webhook = match find(&dashboard, &visitor, &id).await {
        Ok(webhook) => webhook,
        Err(answer) => return *answer,
    };
    let path = format!("{API}/{}", webhook.id);
    match dashboard.ask::<Webhook>(&visitor, Method::PATCH, &path, Some(form.body())).await {
        Ok(changed) => {
            let words = WebhooksWords::of(visitor.language);
            page::done(&visitor, &changed.path(), &words.changed(name(&changed)))
        }
        Err(why) => drawn(&visitor, Some(&webhook), &form, Wrong::of(&why)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_a_body_of_the_api() {
        let body = |form: &str| serde_urlencoded::from_str::<Wanted>(form).expect("a form").body();
        let empty = json!({
            "url": "u", "description": "", "events": [], "accounts": [], "chats": [], "ordered": false,
        });
        assert_eq!(body("url=+u+&headers=+%0D%0A"), empty);
        let whole = body(
            "url=u&description=n8n&events=message.*%2C+account.state&accounts=main&chats=-100+%40demo_main&ordered=yes\
             &headers=Authorization%3A+Bearer+a%3Ab%0D%0Ax-own%3A1%0D%0Abare",
        );
        let expected = json!({
            "url": "u", "description": "n8n", "events": ["message.*", "account.state"], "accounts": ["main"],
            "chats": ["-100", "@demo_main"], "ordered": true,
            "headers": {"Authorization": "Bearer a:b", "x-own": "1", "bare": ""},
        });
        assert_eq!(whole, expected);
        assert_eq!(body("url=u&no_headers=yes")["headers"], json!({}));
    }

    #[test]
    fn a_wrong_entry_of_a_list_is_shown_at_its_field() {
        let field = |field: &str| crate::ask::WrongField { field: field.into(), message: field.into() };
        let fields = ["events[1]", "headers.x-own", "ordered"].map(field).to_vec();
        let wrong = Wrong::of(&Refused { fields, ..Refused::internal("") });
        let found = (wrong.at("events"), wrong.at("headers"), wrong.at("url"), wrong.elsewhere());
        assert_eq!(found, (Some("events[1]"), Some("headers.x-own"), None, Some("ordered")));
    }
}
