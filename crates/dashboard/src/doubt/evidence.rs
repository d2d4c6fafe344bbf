//! `/doubt/{id}`: what is known of one message or piece of work in doubt, and what the chat shows now.

use access::Right;
use api::HistoryMessage;
use askama::Template;
use axum::extract::{Path, Query as QueryOf, State};
use axum::response::Response;
use domain::{AccountName, MessageId, OperationId};
use http::Method;
use serde::Deserialize;

use super::made_chat::WrongChat;
use super::matching::may_be;
use crate::ask::Refused;
use crate::dashboard::Dashboard;
use crate::listing::address;
use crate::messages::{Message, Step};
use crate::operations::{Operation, chat_name, is_message};
use crate::page::{self, refusal};
use crate::view::{Linked, Section};
use crate::visitor::Visitor;
use crate::words::{self, DoubtWords, OperationsWords, WorkWords};

/// Messages of the chat that are shown.
const SHOWN: &str = "15";

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    /// What was written as the chat that was made, where it was not taken.
    chat_id: Option<String>,
}

#[derive(Deserialize)]
struct Steps {
    #[serde(default, alias = "timeline")]
    steps: Vec<Step>,
}

#[derive(Template)]
#[template(path = "doubt/evidence.html")]
pub(super) struct Evidence<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static DoubtWords,
    pub(super) work: &'static WorkWords,
    pub(super) operation: &'a Operation,
    pub(super) message: Option<&'a Message>,
    pub(super) steps: &'a [Step],
    /// What the chat shows now, or why that cannot be had; none where there is no chat to look into.
    pub(super) seen: Option<Result<Vec<HistoryMessage>, String>>,
    /// What was written as the chat that was made.
    pub(super) written: Option<&'a str>,
    pub(super) may_act: bool,
}

impl Evidence<'_> {
    fn may_be(&self, seen: &HistoryMessage) -> bool {
        self.message.is_some_and(|message| may_be(seen, &message.text, message.created_at))
    }

    fn found(&self) -> bool {
        matches!(&self.seen, Some(Ok(seen)) if seen.iter().any(|seen| self.may_be(seen)))
    }

    /// A step in a few words.
    fn heading(&self, step: &Step) -> String {
        let language = self.visitor.language;
        if is_message(self.operation) {
            return step.heading(language);
        }
        let words = OperationsWords::of(language);
        words.step(&step.name, step.account.as_deref(), step.outcome.as_deref())
    }

    fn looked(&self) -> bool {
        matches!(&self.seen, Some(Ok(_)))
    }

    /// What is wrong with the chat that was written, in words.
    fn wrong_chat(&self) -> Option<&'static str> {
        Some(WrongChat::of(self.written?)?.message(self.words))
    }

    /// The paths of the two buttons: it happened, and it did not.
    fn buttons(&self) -> (String, String) {
        let path = self.operation.path();
        let (yes, no) = if is_message(self.operation) { ("sent", "resend") } else { ("done", "again") };
        (format!("{path}/actions/{yes}"), format!("{path}/actions/{no}"))
    }
}

/// The page. What is no longer in doubt is shown on its own page, which says what became of it.
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    QueryOf(query): QueryOf<Query>,
) -> Response {
    let (path, steps_path, is_message) = match (id.parse::<MessageId>(), id.parse::<OperationId>()) {
        (Ok(id), _) => (format!("/v1/operations/{id}"), format!("/v1/messages/{id}/why"), true),
        (_, Ok(id)) => (format!("/v1/operations/{id}"), format!("/v1/operations/{id}"), false),
        _ => return refusal::no_such_page(&visitor),
    };
    match gather(&dashboard, &visitor, &path, &steps_path, is_message.then_some(id.as_str())).await {
        Ok((operation, message, steps, seen)) => {
            let words = DoubtWords::of(visitor.language);
            let body = Evidence {
                visitor: &visitor,
                words,
                work: WorkWords::of(visitor.language),
                operation: &operation,
                message: message.as_ref(),
                steps: &steps,
                seen,
                written: query.chat_id.as_deref(),
                may_act: visitor.may(Right::Send) && operation.state == "in_doubt",
            };
            page::page(&visitor, words.doubt, Section::Doubt, body)
        }
        Err(why) => refusal::of_api(&visitor, &why),
    }
}

type Gathered = (Operation, Option<Message>, Vec<Step>, Option<Result<Vec<HistoryMessage>, String>>);

async fn gather(
    dashboard: &Dashboard,
    visitor: &Visitor,
    path: &str,
    steps_path: &str,
    message: Option<&str>,
) -> Result<Gathered, Refused> {
    let operation = dashboard.ask::<Operation>(visitor, Method::GET, path, None).await?;
    let steps = dashboard.ask::<Steps>(visitor, Method::GET, steps_path, None).await?.steps;
    let message = match message {
        Some(id) => {
            Some(dashboard.ask::<Message>(visitor, Method::GET, &format!("/v1/messages/{id}"), None).await?)
        }
        None => None,
    };
    let seen = match chat_name(&operation) {
        Some(chat) => {
            // What another account wrote to a person is in another chat: only the account that is in doubt can see.
            let in_person = !chat.starts_with('-');
            let account =
                operation.account.as_ref().filter(|_| in_person).map(AccountName::as_str).unwrap_or_default();
            let pairs = [("limit", SHOWN), ("account", account)];
            let history = address(&format!("/v1/chats/{chat}/history"), &pairs);
            let listed =
                dashboard.ask::<api::Page<HistoryMessage>>(visitor, Method::GET, &history, None).await;
            Some(listed.map(|listed| listed.items).map_err(|why| why.detail))
        }
        None => None,
    };
    Ok((operation, message, steps, seen))
}
