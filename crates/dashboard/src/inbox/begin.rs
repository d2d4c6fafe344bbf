//! `/inbox-new`: a conversation that a person begins.

use access::Right;
use api::{BegunConversation, InboxChannel};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::{path_of, reply};
use crate::ask::Refused;
use crate::dashboard::Dashboard;
use crate::page::{self, refusal};
use crate::view::Section;
use crate::visitor::{Posted, Visitor};
use crate::words::{ChannelsWords, InboxWords};

/// The first message as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Form {
    /// `channel:account`
    through: String,
    to: String,
    name: String,
    text: String,
    /// When the form was drawn: the same text from another drawing is another message.
    drawn: String,
}

#[derive(Template)]
#[template(path = "inbox/begin.html")]
struct Begin<'a> {
    visitor: &'a Visitor,
    words: &'static InboxWords,
    channels: &'static ChannelsWords,
    through: &'a [InboxChannel],
    form: &'a Form,
    wrong: Option<&'a Refused>,
}

impl Begin<'_> {
    /// What is wrong with a field.
    fn wrong_with(&self, field: &str) -> Option<&str> {
        let mut fields = self.wrong?.fields.iter();
        fields.find(|wrong| wrong.field.starts_with(field)).map(|wrong| wrong.message.as_str())
    }

    fn value(one: &InboxChannel) -> String {
        format!("{}:{}", one.channel, one.account)
    }

    fn can_write_first(&self) -> bool {
        self.through.iter().any(|one| one.writes_first)
    }
}

pub(crate) async fn show(State(dashboard): State<Dashboard>, visitor: Visitor) -> Response {
    let form = Form { drawn: visitor.now.as_micros().to_string(), ..Form::default() };
    drawn(&dashboard, &visitor, &form, None).await
}

async fn drawn(dashboard: &Dashboard, visitor: &Visitor, form: &Form, wrong: Option<&Refused>) -> Response {
    if !visitor.may(Right::Answer) {
        return refusal::not_allowed(visitor);
    }
    let listed =
        dashboard.ask::<api::Page<InboxChannel>>(visitor, Method::GET, "/v1/inbox/channels", None).await;
    let through = match listed {
        Ok(listed) => listed.items,
        Err(why) => return refusal::of_api(visitor, &why),
    };
    let words = InboxWords::of(visitor.language);
    let body = Begin {
        visitor,
        words,
        channels: ChannelsWords::of(visitor.language),
        through: &through,
        form,
        wrong,
    };
    let status = wrong.map_or(StatusCode::OK, |wrong| wrong.status);
    page::page_of(status, visitor, words.begin, Section::Inbox, body)
}

/// `POST /inbox-new`.
pub(crate) async fn send(
    State(dashboard): State<Dashboard>,
    Posted { visitor, form }: Posted<Form>,
) -> Response {
    let (channel, account) = form.through.split_once(':').unwrap_or_default();
    let body = json!({
        "channel": channel, "channel_account": account, "to": form.to, "name": form.name, "text": form.text,
    });
    let pressed = reply::Form {
        text: form.text.clone(),
        chat: format!("{} {} {}", form.through, form.to, form.name),
        drawn: form.drawn.clone(),
        ..reply::Form::default()
    };
    let Some(key) = pressed.key(&visitor).filter(|_| visitor.may(Right::Answer)) else {
        return refusal::not_allowed(&visitor);
    };
    match dashboard.ask_once::<BegunConversation>(&visitor, "/v1/conversations", key, body).await {
        Ok(begun) => {
            page::done(&visitor, &path_of(begun.client_id), InboxWords::of(visitor.language).was_begun)
        }
        Err(why) => drawn(&dashboard, &visitor, &form, Some(&why)).await,
    }
}
