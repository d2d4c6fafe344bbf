//! `/channels/{name}`: how an account is, where its provider posts to, and what customers wrote last.

use access::Right;
use api::{AnyMessage, Channel, ChannelWebhook};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use http::Method;

use super::API;
use crate::dashboard::Dashboard;
use crate::listing::{self, address};
use crate::page::{self, refusal, segment};
use crate::view::{Linked, Section};
use crate::visitor::Visitor;
use crate::words::{self, ChannelLoginWords, ChannelSettingsWords, ChannelsWords, WorkWords};

#[derive(Template)]
#[template(path = "channels/one.html")]
struct One<'a> {
    visitor: &'a Visitor,
    words: &'static ChannelsWords,
    login: &'static ChannelLoginWords,
    removing: &'static ChannelSettingsWords,
    work: &'static WorkWords,
    channel: &'a Channel,
    /// For those who may see the secret in its address.
    webhook: Option<&'a ChannelWebhook>,
    /// Why the provider does not say where it posts to.
    unknown: Option<&'a str>,
    messages: &'a [AnyMessage],
    may_act: bool,
    may_log_in: bool,
    may_send: bool,
}

impl One<'_> {
    fn longest(&self) -> String {
        words::number::thousands(self.channel.can.text as u64)
    }

    fn is_paused(&self) -> bool {
        self.channel.switch == "paused"
    }

    fn is_registered(&self) -> bool {
        self.webhook.is_some_and(|webhook| webhook.is_registered == Some(true))
    }

    /// Whether the visitor may have a new token made, or the account removed.
    fn may_administer(&self) -> bool {
        self.visitor.may(Right::Administer)
    }

    /// Where an address is entered by hand, connecting still gets what else is missing.
    fn lacks_something(&self) -> bool {
        self.channel.identity.as_ref().is_some_and(|identity| !identity.missing.is_empty())
    }

    fn is_unregistered(&self) -> bool {
        self.webhook.is_some_and(|webhook| webhook.is_registered == Some(false))
    }

    fn another(&self) -> bool {
        self.is_unregistered() && self.webhook.is_some_and(|webhook| !webhook.registered.is_empty())
    }
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
    let (runs, may_administer) = (channel.is_started(), visitor.may(Right::Administer));
    let (mut webhook, mut unknown) = (None, None);
    // A mailbox has no address to which anything posts.
    if runs && may_administer && channel.takes_posts() {
        match dashboard.ask::<ChannelWebhook>(&visitor, Method::GET, &format!("{path}/webhook"), None).await {
            Ok(found) => webhook = Some(found),
            Err(why) => unknown = Some(why.detail),
        }
    }
    let which = [
        ("direction", "in"),
        ("channel", channel.channel.as_str()),
        ("channel_account", channel.name.as_str()),
        ("limit", "25"),
    ];
    let path = address("/v1/messages", &which);
    let messages = match dashboard.ask::<api::Page<AnyMessage>>(&visitor, Method::GET, &path, None).await {
        Ok(found) => found.items,
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    let body = One {
        visitor: &visitor,
        words: ChannelsWords::of(visitor.language),
        login: ChannelLoginWords::of(visitor.language),
        removing: ChannelSettingsWords::of(visitor.language),
        work: WorkWords::of(visitor.language),
        channel: &channel,
        webhook: webhook.as_ref(),
        unknown: unknown.as_deref(),
        messages: &messages,
        may_log_in: runs && may_administer && super::login::is_possible(&channel),
        may_act: runs && visitor.may(Right::Operate),
        may_send: runs && visitor.may(Right::Send),
    };
    page::page(&visitor, channel.name.as_str(), Section::Channels, body)
}
