//! `/inbox/{client_id}`: one thread with a client over all channels, the form to answer, and who the client is.

use access::Right;
use api::{Appeal, Client, ClientCard, ConversationMessage, Note, ReplyTemplate, Turn};
use askama::Template;
use axum::extract::{Path, Query as QueryOf, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::{
    Author, ChatType, ClientId, GroupAnswers, InboundKind, MessageState, Responder, Timestamp, TurnStage,
};
use http::{Method, StatusCode};
use serde::Deserialize;

use super::reply::Form;
use super::{call, channel_chat, of_client, path_of};
use crate::ask::Refused;
use crate::dashboard::Dashboard;
use crate::listing::address;
use crate::page::{self, refusal};
use crate::view::{Linked, Section};
use crate::visitor::Visitor;
use crate::words::{self, ChannelsWords, InboxWords, Sentence, WorkWords};

/// How many messages a page shows.
const PAGE: &str = "50";
/// How many batches are shown, with what was answered or proposed.
const MOST_TURNS: usize = 10;
/// How many clients are named that may be the same person.
const MOST_PERHAPS: usize = 10;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    /// How far older messages went.
    older: String,
    /// The turn whose proposed answer is to be sent.
    draft: String,
    /// The template that is to be sent.
    template: String,
}

/// What the page is made from.
struct Shown {
    card: ClientCard,
    /// The newest last.
    messages: Vec<ConversationMessage>,
    older: Option<String>,
    turns: Vec<Turn>,
    notes: Vec<Note>,
    perhaps: Vec<(Client, String)>,
    /// With their variables filled in.
    templates: Vec<ReplyTemplate>,
}

#[derive(Template)]
#[template(path = "inbox/one.html")]
struct One<'a> {
    visitor: &'a Visitor,
    words: &'static InboxWords,
    channels: &'static ChannelsWords,
    work: &'static WorkWords,
    shown: &'a Shown,
    form: &'a Form,
    /// Why the answer was not sent.
    wrong: Option<&'a str>,
    /// Whether these are the latest messages: an answer is written beside those alone, as its writer is warned of no other there.
    is_latest: bool,
    may_act: bool,
    /// Whether what concerns more than this conversation may be decided.
    may_decide: bool,
}

impl One<'_> {
    fn path(&self) -> String {
        self.shown.card.client.path()
    }

    fn appeal(&self) -> Option<&Appeal> {
        self.shown.card.appeals.first()
    }

    fn older(&self) -> Option<String> {
        self.shown.older.as_ref().map(|cursor| address(&self.path(), &[("older", cursor)]))
    }

    /// Whether it is known who answers, and that is a person.
    fn is_taken_over(&self) -> bool {
        self.appeal().is_some_and(|appeal| appeal.responder == Some(Responder::Human))
    }

    fn is_assigned_to_visitor(&self) -> bool {
        let user = self.visitor.user.as_ref().map(ToString::to_string);
        self.appeal().is_some_and(|appeal| appeal.assignee.is_some() && appeal.assignee == user)
    }

    fn tags(&self) -> String {
        self.appeal().map(|appeal| appeal.tags.join(", ")).unwrap_or_default()
    }

    /// Numbers and addresses that the client wrote, each with the field that it belongs to.
    fn written(&self) -> Vec<(&'static str, &str)> {
        let ClientCard { written_phones, written_emails, .. } = &self.shown.card;
        let phones = written_phones.iter().map(|phone| ("phone", phone.as_str()));
        phones.chain(written_emails.iter().map(|email| ("email", email.as_str()))).collect()
    }

    /// How long the client has waited.
    fn waited(&self) -> Option<String> {
        let since = self.appeal().filter(|appeal| appeal.state.is_open())?.waiting_since?;
        Some(words::number::span(self.visitor.language, self.visitor.now.since(since)))
    }

    /// Where a chat is, for people.
    fn chat_name(&self, chat: &str) -> String {
        let parts = channel_chat(chat);
        format!("{} · {}", self.channels.title(parts.channel), parts.account)
    }

    /// Why the answer was not sent.
    fn refusal(&self) -> Option<Sentence<'_>> {
        self.wrong.map(|why| self.visitor.wall().verbatim(why.into()))
    }

    /// What is known of a client in a field; empty where nothing is.
    fn known(field: Option<&String>) -> &str {
        field.map_or("", String::as_str)
    }

    /// Where a file of a message is.
    fn file_path(&self, message: &str, number: usize) -> String {
        format!("/inbox-files/{}/{}/{number}", self.shown.card.client.id, page::segment(message))
    }

    /// What a browser plays in a page.
    fn is_sound(kind: InboundKind) -> bool {
        matches!(kind, InboundKind::Voice | InboundKind::Audio)
    }

    fn is_film(kind: InboundKind) -> bool {
        kind == InboundKind::Video
    }

    fn template_path(&self, name: &str) -> String {
        address(&self.path(), &[("template", name)])
    }

    /// Until when it is set aside.
    fn snoozed(&self) -> Option<Timestamp> {
        super::snoozed(self.appeal()?, self.visitor.now)
    }

    /// For how many hours it can be set aside.
    fn snoozes(&self) -> [(u32, &'static str); 4] {
        let words = self.words;
        [(1, words.an_hour), (4, words.four_hours), (24, words.a_day), (168, words.a_week)]
    }

    /// The last message that is shown: what is answered after it was not seen.
    fn seen(&self) -> &str {
        self.shown.messages.last().map_or("", |message| message.id.as_str())
    }

    /// Whether it is the conversation of a group.
    fn is_group(client: &Client) -> bool {
        client.chat_type == ChatType::Group
    }

    /// Whether a message of ours can be sent again.
    fn is_failed(message: &ConversationMessage) -> bool {
        message.state == Some(MessageState::Failed)
    }

    /// Whether a browser shows it in a page.
    fn is_picture(kind: InboundKind) -> bool {
        matches!(kind, InboundKind::Image | InboundKind::Sticker)
    }

    fn awaits_approval(message: &ConversationMessage) -> bool {
        message.state == Some(MessageState::AwaitingApproval)
    }

    /// Whether an answer was proposed that did not leave.
    fn is_proposed(turn: &Turn) -> bool {
        matches!(turn.stage, TurnStage::HandedOver | TurnStage::Discarded) && turn.answer.is_some()
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    QueryOf(query): QueryOf<Query>,
) -> Response {
    let Ok(id) = id.parse::<ClientId>() else { return refusal::no_such_page(&visitor) };
    let shown = match gather(&dashboard, &visitor, id, &query.older).await {
        Ok(shown) => shown,
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    // Of one that was merged into another, that one is shown.
    if shown.card.client.id != id {
        return Redirect::to(&path_of(shown.card.client.id)).into_response();
    }
    let is_latest = query.older.is_empty();
    if is_latest && visitor.may(Right::Answer) && shown.card.appeals.iter().any(|appeal| appeal.unread > 0) {
        // A person who sees the page has read it.
        let read = dashboard.ask::<()>(&visitor, Method::POST, &call(id, "/read"), None).await;
        if let Err(error) = read {
            tracing::debug!(%error, "a conversation is not marked as read");
        }
    }
    let draft = shown.turns.iter().find(|turn| turn.id.to_string() == query.draft);
    let template = shown.templates.iter().find(|template| template.name == query.template);
    let text = template.map(|template| template.text.clone());
    let text = text.or_else(|| draft.and_then(|turn| turn.answer.clone())).unwrap_or_default();
    let form = Form { text, ..Form::at(visitor.now) };
    drawn(&visitor, &shown, &form, None, is_latest)
}

/// The page again, with an answer that was not sent and why.
pub(super) async fn with_refused(
    dashboard: &Dashboard,
    visitor: &Visitor,
    id: ClientId,
    form: &Form,
    why: &Refused,
) -> Response {
    match gather(dashboard, visitor, id, "").await {
        Ok(shown) => {
            let field = why.fields.first().map(|field| field.message.as_str());
            drawn(visitor, &shown, form, Some((why.status, field.unwrap_or(&why.detail))), true)
        }
        Err(why) => refusal::of_api(visitor, &why),
    }
}

fn drawn(
    visitor: &Visitor,
    shown: &Shown,
    form: &Form,
    wrong: Option<(StatusCode, &str)>,
    is_latest: bool,
) -> Response {
    let words = InboxWords::of(visitor.language);
    let body = One {
        visitor,
        words,
        channels: ChannelsWords::of(visitor.language),
        work: WorkWords::of(visitor.language),
        shown,
        form,
        wrong: wrong.map(|(_, detail)| detail),
        is_latest,
        may_act: visitor.may(Right::Answer),
        may_decide: visitor.may(Right::Send),
    };
    let status = wrong.map_or(StatusCode::OK, |(status, _)| status);
    page::page_of(status, visitor, words.name_of(&shown.card.client), Section::Inbox, body)
}

async fn gather(
    dashboard: &Dashboard,
    visitor: &Visitor,
    id: ClientId,
    older: &str,
) -> Result<Shown, Refused> {
    let card: ClientCard = dashboard.ask(visitor, Method::GET, &of_client(id, ""), None).await?;
    let path = address(&call(id, "/messages"), &[("cursor", older), ("limit", PAGE)]);
    let found: api::Page<ConversationMessage> = dashboard.ask(visitor, Method::GET, &path, None).await?;
    let (mut turns, mut notes) = (Vec::new(), Vec::new());
    if !card.appeals.is_empty() {
        let path = call(id, "/turns");
        turns = dashboard.ask::<api::Page<Turn>>(visitor, Method::GET, &path, None).await?.items;
        turns.retain(|turn| turn.answer.is_some() || turn.why.is_some());
        turns.truncate(MOST_TURNS);
        let path = call(id, "/notes");
        notes = dashboard.ask::<api::Page<Note>>(visitor, Method::GET, &path, None).await?.items;
    }
    let mut perhaps = Vec::new();
    for other in card.perhaps.iter().take(MOST_PERHAPS) {
        let path = of_client(other.client_id, "");
        let found = dashboard.ask::<ClientCard>(visitor, Method::GET, &path, None).await?;
        // One that was merged into this one is this one.
        if found.client.id != card.client.id {
            perhaps.push((found.client, other.why.clone()));
        }
    }
    let path = call(id, "/templates");
    let templates = dashboard.ask::<api::Page<ReplyTemplate>>(visitor, Method::GET, &path, None).await?.items;
    let messages = found.items.into_iter().rev().collect();
    Ok(Shown { templates, card, messages, older: found.next_cursor, turns, notes, perhaps })
}
