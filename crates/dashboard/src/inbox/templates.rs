//! `/inbox-templates`: answers that are written once and used often.

use access::Right;
use api::ReplyTemplate;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::ask::Refused;
use crate::dashboard::Dashboard;
use crate::page::{self, refusal, segment};
use crate::view::Section;
use crate::visitor::{Posted, Visitor};
use crate::words::InboxWords;

const HERE: &str = "/inbox-templates";

/// A template as it is written; of one that is removed its name.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Form {
    name: String,
    text: String,
}

#[derive(Template)]
#[template(path = "inbox/templates.html")]
struct Templates<'a> {
    visitor: &'a Visitor,
    words: &'static InboxWords,
    found: &'a [ReplyTemplate],
    form: &'a Form,
    wrong: Option<&'a Refused>,
    may_change: bool,
}

impl Templates<'_> {
    /// What is wrong with a field.
    fn wrong_with(&self, field: &str) -> Option<&str> {
        let mut fields = self.wrong?.fields.iter();
        fields.find(|wrong| wrong.field == field).map(|wrong| wrong.message.as_str())
    }
}

pub(crate) async fn show(State(dashboard): State<Dashboard>, visitor: Visitor) -> Response {
    drawn(&dashboard, &visitor, &Form::default(), None).await
}

async fn drawn(dashboard: &Dashboard, visitor: &Visitor, form: &Form, wrong: Option<&Refused>) -> Response {
    let listed =
        dashboard.ask::<api::Page<ReplyTemplate>>(visitor, Method::GET, "/v1/reply-templates", None).await;
    let found = match listed {
        Ok(found) => found.items,
        Err(why) => return refusal::of_api(visitor, &why),
    };
    let words = InboxWords::of(visitor.language);
    let may_change = visitor.may(Right::Send);
    let body = Templates { visitor, words, found: &found, form, wrong, may_change };
    let status = wrong.map_or(StatusCode::OK, |wrong| wrong.status);
    page::page_of(status, visitor, words.templates, Section::Inbox, body)
}

/// `POST /inbox-templates`.
pub(crate) async fn save(
    State(dashboard): State<Dashboard>,
    Posted { visitor, form }: Posted<Form>,
) -> Response {
    // An empty name would be another address.
    let name = if form.name.trim().is_empty() { " " } else { form.name.trim() };
    let path = format!("/v1/reply-templates/{}", segment(name));
    let body = Some(json!({ "text": form.text }));
    match dashboard.ask::<Value>(&visitor, Method::PUT, &path, body).await {
        Ok(_) => page::done(&visitor, HERE, InboxWords::of(visitor.language).was_saved),
        Err(why) if !why.fields.is_empty() => drawn(&dashboard, &visitor, &form, Some(&why)).await,
        Err(why) => page::refused(&visitor, HERE, &why),
    }
}

/// `POST /inbox-templates/actions/remove`.
pub(crate) async fn remove(
    State(dashboard): State<Dashboard>,
    Posted { visitor, form }: Posted<Form>,
) -> Response {
    let path = format!("/v1/reply-templates/{}", segment(&form.name));
    match dashboard.ask::<Value>(&visitor, Method::DELETE, &path, None).await {
        Ok(_) => page::done(&visitor, HERE, InboxWords::of(visitor.language).was_removed),
        Err(why) => page::refused(&visitor, HERE, &why),
    }
}
