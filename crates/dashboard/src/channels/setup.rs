//! `/channels/{name}/setup`: what is to be done at the provider, what is missing, and a message for a test.

use access::Right;
use api::{Channel, ChannelWebhook};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use http::Method;

use super::API;
use crate::dashboard::Dashboard;
use crate::page::{self, refusal, segment};
use crate::view::{Linked, Section};
use crate::visitor::Visitor;
use crate::words::ChannelsWords;

#[derive(Template)]
#[template(path = "channels/setup.html")]
struct Setup<'a> {
    visitor: &'a Visitor,
    words: &'static ChannelsWords,
    channel: &'a Channel,
    /// The address to be entered at the provider, for those who may see the secret in it.
    hook: Option<&'a str>,
    /// The word that the provider asks for beside it, for the same.
    verify_token: Option<&'a str>,
    may_act: bool,
    may_send: bool,
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Response {
    let path = format!("{API}/{}", segment(&name));
    let channel = match dashboard.ask::<Channel>(&visitor, Method::GET, &path, None).await {
        Ok(channel) => channel,
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    let runs = channel.is_started();
    let mut webhook = None;
    if runs && visitor.may(Right::Administer) {
        let path = format!("{path}/webhook");
        // Where the provider cannot be asked, the page has no address.
        webhook = dashboard.ask::<ChannelWebhook>(&visitor, Method::GET, &path, None).await.ok();
    }
    let words = ChannelsWords::of(visitor.language);
    let body = Setup {
        visitor: &visitor,
        words,
        channel: &channel,
        hook: webhook.as_ref().and_then(|webhook| webhook.url.as_deref()),
        verify_token: webhook.as_ref().and_then(|webhook| webhook.verify_token.as_deref()),
        may_act: runs && visitor.may(Right::Operate),
        may_send: runs && visitor.may(Right::Send),
    };
    page::page(&visitor, words.setup_page, Section::Channels, body)
}
