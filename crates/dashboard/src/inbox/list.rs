//! `/inbox`: conversations with clients, whose each is and how long its client waits.

use std::collections::BTreeSet;

use api::{Channel, Conversation};
use askama::Template;
use axum::extract::{Query as QueryOf, State};
use axum::response::Response;
use domain::{AppealState, Timestamp};
use http::Method;
use serde::Deserialize;

use super::HERE;
use crate::ask::Refused;
use crate::dashboard::Dashboard;
use crate::listing::{self, address};
use crate::page::{self, refusal};
use crate::view::{Linked, Section};
use crate::visitor::Visitor;
use crate::words::{self, ChannelsWords, InboxWords, WorkWords};

/// How many conversations a page shows.
const PAGE: &str = "50";
/// How often a page is asked for that may have less than was asked for.
const MOST_TRIES: usize = 10;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    q: String,
    /// `mine`, `unassigned`, `snoozed` or `closed`; else all that are open.
    view: String,
    channel: String,
    state: String,
    /// `waiting`: who waits longest first.
    sort: String,
    after: String,
}

impl Query {
    fn page_after(&self, after: &str) -> String {
        let pairs = [
            ("q", self.q.trim()),
            ("view", &self.view),
            ("channel", &self.channel),
            ("state", &self.state),
            ("sort", &self.sort),
            ("after", after),
        ];
        address(HERE, &pairs)
    }

    fn is_narrow(&self) -> bool {
        [self.q.trim(), &self.channel, &self.state].into_iter().any(|value| !value.is_empty())
    }

    fn is_closed(&self) -> bool {
        self.view == "closed"
    }

    /// The call of the API. What is searched for is found in all parts of the list.
    fn call(&self, user: &str, cursor: &str) -> String {
        let search = self.q.trim();
        let (open, state) = match self.is_closed() {
            true if search.is_empty() => ("", "closed"),
            _ if search.is_empty() => ("true", self.state.as_str()),
            _ => ("", self.state.as_str()),
        };
        let snoozed = match self.view.as_str() {
            _ if !search.is_empty() => "",
            "snoozed" => "true",
            "closed" => "",
            _ => "false",
        };
        let sort = if self.is_closed() || !search.is_empty() { "" } else { self.sort.as_str() };
        let assignee = match self.view.as_str() {
            _ if !search.is_empty() => "",
            "mine" => user,
            "unassigned" => "none",
            _ => "",
        };
        let pairs = [
            ("search", search),
            ("sort", sort),
            ("snoozed", snoozed),
            ("open", open),
            ("state", state),
            ("assignee", assignee),
            ("channel", &self.channel),
            ("cursor", cursor),
            ("limit", PAGE),
        ];
        address("/v1/conversations", &pairs)
    }
}

#[derive(Template)]
#[template(path = "inbox/list.html")]
struct List<'a> {
    visitor: &'a Visitor,
    words: &'static InboxWords,
    channels: &'static ChannelsWords,
    work: &'static WorkWords,
    query: &'a Query,
    /// The channels that there are.
    of_channels: &'a BTreeSet<String>,
    found: &'a api::Page<Conversation>,
    wrong: Option<String>,
    may_write: bool,
    may_look: bool,
}

impl List<'_> {
    /// The parts of the list, by their words in addresses.
    fn views(&self) -> [(&'static str, &'static str); 5] {
        let words = self.words;
        [
            ("mine", words.mine),
            ("unassigned", words.unassigned),
            ("", words.open),
            ("snoozed", words.snoozed),
            ("closed", words.closed),
        ]
    }

    /// How many messages no person has seen.
    fn unread(one: &Conversation) -> u64 {
        one.appeal.as_ref().map_or(0, |appeal| appeal.unread)
    }

    /// Until when it is set aside.
    fn snoozed(&self, one: &Conversation) -> Option<Timestamp> {
        super::snoozed(one.appeal.as_ref()?, self.visitor.now)
    }

    /// Whether the client has waited for long.
    fn is_overdue(&self, one: &Conversation) -> bool {
        one.appeal.as_ref().is_some_and(|appeal| super::is_overdue(appeal, self.visitor.now))
    }

    fn is_view(&self, view: &str) -> bool {
        self.query.q.trim().is_empty() && self.query.view == view
    }

    fn view_path(&self, view: &str) -> String {
        address(HERE, &[("view", view), ("channel", &self.query.channel), ("sort", &self.query.sort)])
    }

    /// The states to choose from, by their words in addresses.
    fn states(&self) -> Vec<(&'static str, &'static str)> {
        let open = AppealState::ALL.into_iter().filter(|state| state.is_open());
        open.map(|state| (state.as_str(), self.words.pill(state).word)).collect()
    }

    fn is_state(&self, state: &str) -> bool {
        self.query.state == state
    }

    fn assignee(one: &Conversation) -> Option<&str> {
        one.appeal.as_ref()?.assignee.as_deref()
    }

    fn chat(one: &Conversation) -> Option<&str> {
        let last = one.last_message.as_ref().map(|message| message.chat.as_str());
        last.or(one.appeal.as_ref().map(|appeal| appeal.chat.as_str()))
    }

    /// How long the client has waited.
    fn waited(&self, one: &Conversation) -> Option<String> {
        let since = one.appeal.as_ref().filter(|appeal| appeal.state.is_open())?.waiting_since?;
        Some(words::number::span(self.visitor.language, self.visitor.now.since(since)))
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    QueryOf(query): QueryOf<Query>,
) -> Response {
    let (found, wrong) = match listing::found(listed(&dashboard, &visitor, &query).await) {
        Ok(found) => found,
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    let mut of_channels = channel_names(&dashboard, &visitor).await;
    let chats = found.items.iter().filter_map(List::chat);
    of_channels.extend(chats.map(|chat| super::channel_chat(chat).channel.to_owned()));
    of_channels.extend(Some(query.channel.clone()).filter(|channel| !channel.is_empty()));
    let words = InboxWords::of(visitor.language);
    let body = List {
        visitor: &visitor,
        words,
        channels: ChannelsWords::of(visitor.language),
        work: WorkWords::of(visitor.language),
        query: &query,
        of_channels: &of_channels,
        found: &found,
        wrong,
        may_write: visitor.may(access::Right::Answer),
        may_look: visitor.may(access::Right::Look),
    };
    page::page(&visitor, words.inbox, Section::Inbox, body)
}

async fn listed(
    dashboard: &Dashboard,
    visitor: &Visitor,
    query: &Query,
) -> Result<api::Page<Conversation>, Refused> {
    let user = visitor.user.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut path = query.call(&user, &query.after);
    let mut found = api::Page::<Conversation>::default();
    for _ in 0..MOST_TRIES {
        found = dashboard.ask(visitor, Method::GET, &path, None).await?;
        match &found.next_cursor {
            Some(next) if found.items.is_empty() => path = query.call(&user, next),
            _ => break,
        }
    }
    Ok(found)
}

/// The channels of the settings, for the filter; none where they cannot be had.
async fn channel_names(dashboard: &Dashboard, visitor: &Visitor) -> BTreeSet<String> {
    let listed =
        dashboard.ask::<api::Page<Channel>>(visitor, Method::GET, "/v1/channels?limit=500", None).await;
    listed
        .map(|listed| listed.items.into_iter().map(|channel| channel.channel.to_string()).collect())
        .unwrap_or_default()
}
