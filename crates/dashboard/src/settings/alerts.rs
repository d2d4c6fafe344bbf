//! Who is notified of alerts: chats, webhooks, mailboxes; each can be tested and taken out.

use std::time::Duration;

use api::AlertTarget;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::{ExposeSecret, SecretText, Timestamp};
use http::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::people::unread;
use super::{Nothing, Tabs};
use crate::ask::Refused;
use crate::dashboard::Dashboard;
use crate::page::{self, refusal, segment};
use crate::view::{Linked, Section, Tab};
use crate::visitor::{Posted, Visitor};
use crate::words::{AlertsWords, Wall, translate};

const HERE: &str = "/settings/alerts";
/// The call that lists and makes them.
const API: &str = "/v1/alert-targets";

/// How long a notice may wait for its target before the page minds.
const USUAL_WAIT: Duration = Duration::from_mins(1);

impl Linked for AlertTarget {
    fn path(&self) -> String {
        format!("{HERE}/{}", segment(&self.name))
    }
}

#[derive(Template)]
#[template(path = "settings/alerts.html")]
pub(super) struct Alerts<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static AlertsWords,
    pub(super) wall: Wall,
    pub(super) tabs: Tabs,
    pub(super) targets: &'a [AlertTarget],
}

impl Alerts<'_> {
    /// Whether all targets are notified over Telegram, on which the accounts that alerts are about depend too.
    fn is_telegram_alone(&self) -> bool {
        !self.targets.is_empty() && self.targets.iter().all(|target| target.kind.as_str() == "telegram")
    }

    fn count(&self) -> u64 {
        self.targets.len() as u64
    }

    /// Since when something waits for a target, if that is longer than a notice takes.
    fn stuck_since(&self, target: &AlertTarget) -> Option<Timestamp> {
        target.waiting_since.filter(|since| self.visitor.now.since(*since) > USUAL_WAIT)
    }
}

#[derive(Template)]
#[template(path = "settings/remove_target.html")]
struct RemoveQuestion<'a> {
    visitor: &'a Visitor,
    words: &'static AlertsWords,
    target: &'a AlertTarget,
}

async fn targets(dashboard: &Dashboard, visitor: &Visitor) -> Result<Vec<AlertTarget>, Refused> {
    let path = format!("{API}?limit=500");
    Ok(dashboard.ask::<api::Page<AlertTarget>>(visitor, Method::GET, &path, None).await?.items)
}

/// `GET /settings/alerts`.
pub(crate) async fn show(State(dashboard): State<Dashboard>, visitor: Visitor) -> Response {
    if !visitor.may(access::Right::ArrangeAlerts) {
        return refusal::not_allowed(&visitor);
    }
    let targets = match targets(&dashboard, &visitor).await {
        Ok(targets) => targets,
        Err(why) => return unread(&visitor, &why),
    };
    let words = AlertsWords::of(visitor.language);
    let tabs = Tabs::new(&visitor, Tab::Alerts);
    let body = Alerts { visitor: &visitor, words, wall: visitor.wall(), tabs, targets: &targets };
    page::page(&visitor, words.title, Section::Settings, body)
}

/// A target to be made: the fields of its kind; those that no one filled in are empty.
#[derive(Deserialize)]
pub(crate) struct NewTarget {
    name: String,
    kind: String,
    #[serde(default)]
    chat: String,
    #[serde(default)]
    account: String,
    url: Option<SecretText>,
    secret: Option<SecretText>,
    smtp: Option<SecretText>,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
}

impl NewTarget {
    fn body(&self) -> Value {
        let mut body = Map::new();
        body.insert("name".into(), self.name.trim().into());
        body.insert("kind".into(), self.kind.as_str().into());
        for (field, text) in [("chat", &self.chat), ("account", &self.account), ("from", &self.from)] {
            if !text.trim().is_empty() {
                body.insert(field.into(), text.trim().into());
            }
        }
        for (field, secret) in [("url", &self.url), ("secret", &self.secret), ("smtp", &self.smtp)] {
            let given = secret.as_ref().map(|secret| secret.expose_secret().trim());
            if let Some(text) = given.filter(|text| !text.is_empty()) {
                body.insert(field.into(), text.into());
            }
        }
        let to: Vec<&str> = self.to.split(',').map(str::trim).filter(|one| !one.is_empty()).collect();
        if !to.is_empty() {
            body.insert("to".into(), json!(to));
        }
        Value::Object(body)
    }
}

/// `POST /settings/alerts/actions/add`.
pub(crate) async fn add(
    State(dashboard): State<Dashboard>,
    Posted { visitor, form }: Posted<NewTarget>,
) -> Response {
    match dashboard.ask::<AlertTarget>(&visitor, Method::POST, API, Some(form.body())).await {
        Ok(made) => page::done(&visitor, HERE, &AlertsWords::of(visitor.language).added(&made.name)),
        Err(why) => page::refused(&visitor, HERE, &why),
    }
}

/// `GET /settings/alerts/{name}/remove`: the question before it.
pub(crate) async fn ask_remove(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Response {
    let found = match targets(&dashboard, &visitor).await {
        Ok(targets) => targets.into_iter().find(|target| target.name == name),
        Err(why) => return unread(&visitor, &why),
    };
    let Some(target) = found else { return refusal::no_such_page(&visitor) };
    let words = AlertsWords::of(visitor.language);
    let title = words.remove_question(&target.name);
    let body = RemoveQuestion { visitor: &visitor, words, target: &target };
    page::page(&visitor, &title, Section::Settings, body)
}

/// What a test comes to.
/// `POST /settings/alerts/{name}/actions/{action}`: a test, or the end.
pub(crate) async fn act(
    State(dashboard): State<Dashboard>,
    Path((name, action)): Path<(String, String)>,
    Posted { visitor, .. }: Posted<Nothing>,
) -> Response {
    let words = AlertsWords::of(visitor.language);
    let path = format!("{API}/{}", segment(&name));
    let note = match action.as_str() {
        "test" => dashboard
            .ask::<api::TargetTest>(&visitor, Method::POST, &format!("{path}/test"), None)
            .await
            .map(|tested| {
                words.tested(
                    &name,
                    tested.delivered,
                    tested.why.as_deref().map(|why| translate(visitor.language, why)).as_deref(),
                )
            }),
        "remove" => {
            dashboard.ask::<Value>(&visitor, Method::DELETE, &path, None).await.map(|_| words.removed(&name))
        }
        _ => return refusal::no_such_page(&visitor),
    };
    match note {
        Ok(note) => page::done(&visitor, HERE, &note),
        Err(why) => page::refused(&visitor, HERE, &why),
    }
}
