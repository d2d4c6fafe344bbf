//! `/messages/{id}`: a message and why it is where it is.

use access::Right;
use api::{AnyMessage, MessageCandidate, Origin};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::{AccountName, MessageRef, MessageState};
use http::Method;
use serde::Deserialize;

use super::timeline::{Step, Stop, stops};
use super::{Message, is_restored};
use crate::chats::{conversation, conversation_path};
use crate::dashboard::Dashboard;
use crate::listing::{self, address};
use crate::page::{self, refusal};
use crate::view::{Linked, Section, Tint};
use crate::visitor::Visitor;
use crate::words::{self, MessagesWords, WorkWords, number};

/// How many messages of the chat are shown before one, and after it.
const BESIDE: &str = "3";

/// The steps of a message, as the API shows them.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Why {
    pub(crate) origin: Option<Origin>,
    #[serde(default)]
    pub(crate) candidates: Vec<MessageCandidate>,
    pub(crate) timeline: Vec<Step>,
}

/// How the verdict on an account looks.
pub(super) fn verdict_tint(candidate: &MessageCandidate) -> Tint {
    match candidate.verdict.as_str() {
        "first" | "next" => Tint::Good,
        "waits" => Tint::Waiting,
        _ => Tint::Bad,
    }
}

#[derive(Template)]
#[template(path = "messages/why.html")]
pub(super) struct Page<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static MessagesWords,
    pub(super) work: &'static WorkWords,
    pub(super) message: &'a Message,
    pub(super) why: &'a Why,
    /// The message and what came before it and after it in its chat, the newest last.
    pub(super) around: &'a [AnyMessage],
    pub(super) may_act: bool,
}

impl Page<'_> {
    pub(super) fn verdict(&self) -> String {
        if self.message.failure.as_ref().is_some_and(is_restored) {
            return self.words.held_back.to_owned();
        }
        if self.is_decided() {
            return self.words.decided.to_owned();
        }
        let account = self.message.account.as_ref().map(AccountName::as_str);
        self.words.verdict(self.message.state.as_str(), account)
    }

    /// Whether a person said that it counts as sent: Telegram did not.
    fn is_decided(&self) -> bool {
        let is_sent =
            matches!(self.message.state, MessageState::Sent | MessageState::Delivered | MessageState::Read);
        let last = self
            .why
            .timeline
            .iter()
            .rev()
            .find(|step| step.name == "resolved" || step.outcome.as_deref() == Some("sent"));
        is_sent && last.is_some_and(|step| step.name == "resolved")
    }

    fn lede(&self) -> String {
        if let Some(failure) = &self.message.failure {
            return self.visitor.wall().sentence(&failure.detail).to_string();
        }
        if self.is_decided() {
            return self.words.decided_detail.to_owned();
        }
        // What a person said of it says nothing of how long Telegram took.
        if self.why.timeline.iter().any(|step| step.name == "resolved") {
            return String::new();
        }
        let took = self.message.updated_at.since(self.message.created_at);
        let took = number::latency(self.visitor.language, took);
        self.words.lede_of(self.message.state.as_str(), &took)
    }

    fn stops(&self) -> Vec<Stop<'_>> {
        stops(&self.why.timeline)
    }

    fn lines(&self) -> String {
        address("/logs", &[("subject", &self.message.id.to_string()), ("range", "7d")])
    }

    /// The conversation, where the message is in it.
    fn conversation(&self) -> Option<String> {
        let (chat, id) = (self.message.chat_id?, self.message.id.to_string());
        Some(address(&conversation_path(&chat.to_string()), &[("around", &id)]) + "#" + &id)
    }

    fn is_this(&self, one: &AnyMessage) -> bool {
        one.id() == self.message.id.to_string()
    }

    fn ids(&self) -> String {
        let ids: Vec<_> = self.message.message_ids.iter().map(ToString::to_string).collect();
        ids.join(", ")
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    let id = match id.parse() {
        Ok(MessageRef::Sent(id)) => id,
        // What was received is shown in its conversation.
        Ok(MessageRef::Received(id)) => {
            let (chat, id) = (id.chat_id().to_string(), id.to_string());
            let conversation = address(&conversation_path(&chat), &[("around", &id)]);
            return Redirect::to(&format!("{conversation}#{id}")).into_response();
        }
        Ok(MessageRef::Inbound(_)) | Err(_) => return refusal::no_such_page(&visitor),
    };
    let path = format!("/v1/messages/{id}");
    let message = dashboard.ask::<Message>(&visitor, Method::GET, &path, None).await;
    let why = dashboard.ask::<Why>(&visitor, Method::GET, &format!("{path}/why"), None).await;
    let (message, why) = match (message, why) {
        (Ok(message), Ok(why)) => (message, why),
        (Err(refused), _) | (_, Err(refused)) => return refusal::of_api(&visitor, &refused),
    };
    let around = match message.chat_id {
        Some(chat) => {
            let (chat, id) = (chat.to_string(), message.id.to_string());
            conversation::around(&dashboard, &visitor, &chat, &id, BESIDE).await.unwrap_or_default().messages
        }
        None => Vec::new(),
    };
    let body = Page {
        visitor: &visitor,
        words: MessagesWords::of(visitor.language),
        work: WorkWords::of(visitor.language),
        message: &message,
        why: &why,
        around: &around,
        may_act: visitor.may(Right::Send),
    };
    let title = body.verdict();
    page::page(&visitor, &title, Section::Messages, body)
}
