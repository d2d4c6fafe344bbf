//! `/channels/{name}/login`: how the owner of an account logs in at its provider, until it is done.

use access::Right;
use api::{Channel, ChannelLogIn};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use channels::Nature;
use http::Method;

use super::API;
use crate::dashboard::Dashboard;
use crate::page::{self, refusal, segment};
use crate::view::{Linked, Section};
use crate::visitor::Visitor;
use crate::words::{ChannelLoginWords, ChannelsWords};

/// After how many seconds is looked again where no script does.
const RENEWED: u16 = 5;

#[derive(Template)]
#[template(path = "channels/login.html")]
struct LogIn<'a> {
    visitor: &'a Visitor,
    words: &'static ChannelLoginWords,
    channels: &'static ChannelsWords,
    channel: &'a Channel,
    /// What is to be done, or why nothing can be.
    login: Result<&'a ChannelLogIn, &'a str>,
    moves: bool,
    /// What is done to log in.
    steps: &'static [[&'static str; 2]],
    /// The channel as people call it.
    provider: &'static str,
    restarts: bool,
}

/// Whether someone logs in at a channel, so that its page leads here.
pub(super) fn is_possible(channel: &Channel) -> bool {
    !Nature::named(channel.channel.as_str()).log_in.is_empty()
}

pub(crate) async fn show(
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
    let login = dashboard.ask::<ChannelLogIn>(&visitor, Method::GET, &format!("{path}/login"), None).await;
    let moves = login.as_ref().is_ok_and(|login| login.state == "picture");
    let words = ChannelLoginWords::of(visitor.language);
    let channels = ChannelsWords::of(visitor.language);
    let nature = Nature::named(channel.channel.as_str());
    let body = LogIn {
        visitor: &visitor,
        words,
        channels,
        channel: &channel,
        login: login.as_ref().map_err(|why| why.detail.as_str()),
        moves,
        steps: nature.log_in,
        provider: channels.title(channel.channel.as_str()),
        restarts: nature.restarts,
    };
    let title = words.title(channel.name.as_str());
    page::moving_page(&visitor, &title, Section::Channels, body, moves.then_some(RENEWED))
}
