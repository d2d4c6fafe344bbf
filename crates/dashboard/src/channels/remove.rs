//! `/channels/{name}/remove`: asks first, says what becomes of its messages, and takes the account out of the settings.

use access::Right;
use api::{Channel, RemovedChannel};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use http::Method;
use serde::Deserialize;

use super::{API, HERE};
use crate::dashboard::Dashboard;
use crate::listing::address;
use crate::page::{self, refusal, segment};
use crate::view::{Linked, Section};
use crate::visitor::{Posted, Visitor};
use crate::words::ChannelSettingsWords;

#[derive(Template)]
#[template(path = "channels/remove.html")]
struct Question<'a> {
    visitor: &'a Visitor,
    words: &'static ChannelSettingsWords,
    channel: &'a Channel,
}

impl Question<'_> {
    fn is_registered(&self) -> bool {
        self.channel.webhook.as_ref().is_some_and(|webhook| webhook.state == "here")
    }
}

/// `GET /channels/{name}/remove`.
pub(crate) async fn ask(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Response {
    if !visitor.may(Right::Administer) {
        return refusal::not_allowed(&visitor);
    }
    let path = format!("{API}/{}", segment(&name));
    let channel = match dashboard.ask::<Channel>(&visitor, Method::GET, &path, None).await {
        Ok(channel) => channel,
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    let words = ChannelSettingsWords::of(visitor.language);
    let title = words.remove_question(channel.name.as_str());
    let body = Question { visitor: &visitor, words, channel: &channel };
    page::page(&visitor, &title, Section::Channels, body)
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Answer {
    with_waiting: String,
}

/// `POST /channels/{name}/remove`.
pub(crate) async fn remove(
    State(dashboard): State<Dashboard>,
    Path(name): Path<String>,
    Posted { visitor, form }: Posted<Answer>,
) -> Response {
    if !visitor.may(Right::Administer) {
        return refusal::not_allowed(&visitor);
    }
    let with_waiting = if form.with_waiting.is_empty() { "" } else { "true" };
    let path = address(&format!("{API}/{}", segment(&name)), &[("with_waiting", with_waiting)]);
    match dashboard.ask::<RemovedChannel>(&visitor, Method::DELETE, &path, None).await {
        Ok(_) => page::done(&visitor, HERE, &ChannelSettingsWords::of(visitor.language).removed(&name)),
        Err(why) if why.code == "account_not_found" => refusal::no_such_page(&visitor),
        Err(why) => page::refused(&visitor, &format!("{HERE}/{}/remove", segment(&name)), &why),
    }
}
