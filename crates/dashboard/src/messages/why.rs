//! `/messages/{id}`: a message and why it is where it is.

use access::Right;
use api::{MessageCandidate, Origin};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::{AccountName, MessageId, MessageState};
use http::Method;
use serde::Deserialize;

use super::timeline::{Step, Stop, stops};
use super::{Message, is_restored};
use crate::dashboard::Dashboard;
use crate::listing::{self, address};
use crate::page::{self, refusal};
use crate::view::{Linked, Section, Tint};
use crate::visitor::Visitor;
use crate::words::{self, MessagesWords, WorkWords, number};

/// How many of the messages to a chat are shown beside one.
const OTHERS: &str = "6";

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
    /// What else went to the chat, the newest first.
    pub(super) others: &'a [Message],
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
        // What a person said of it tells nothing of how long Telegram took.
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

    fn of_chat(&self) -> String {
        let chat = self.message.chat_id.map(|id| id.to_string()).unwrap_or_default();
        address("/messages", &[("chat", &chat)])
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
    let Ok(id) = id.parse::<MessageId>() else { return refusal::no_such_page(&visitor) };
    let path = format!("/v1/messages/{id}");
    let message = dashboard.ask::<Message>(&visitor, Method::GET, &path, None).await;
    let why = dashboard.ask::<Why>(&visitor, Method::GET, &format!("{path}/why"), None).await;
    let (message, why) = match (message, why) {
        (Ok(message), Ok(why)) => (message, why),
        (Err(refused), _) | (_, Err(refused)) => return refusal::of_api(&visitor, &refused),
    };
    let others = match message.chat_id {
        Some(chat) => {
            let others = address("/v1/messages", &[("chat_id", &chat.to_string()), ("limit", OTHERS)]);
            dashboard
                .ask::<api::Page<Message>>(&visitor, Method::GET, &others, None)
                .await
                .unwrap_or_default()
                .items
        }
        None => Vec::new(),
    };
    let body = Page {
        visitor: &visitor,
        words: MessagesWords::of(visitor.language),
        work: WorkWords::of(visitor.language),
        message: &message,
        why: &why,
        others: &others,
        may_act: visitor.may(Right::Send),
    };
    let title = body.verdict();
    page::page(&visitor, &title, Section::Messages, body)
}
