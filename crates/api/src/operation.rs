//! A piece of work: a message or work on a chat, with its steps.

use domain::message::{MessageState, OutboundMessage};
use domain::outcome::OutcomeKind;
use domain::saga::{Progress, Saga, SagaEntry, SagaState, StepOutcome, Task, TaskKind};
use domain::timeline::Entry;
use domain::{AccountName, ChatId, ChatRef, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::message::Failure;
use crate::names::ChatNames;
use crate::operation_history::sentence;
use crate::operation_result::OperationResult;
use crate::schemas;
use crate::task_failure::describe_task_failure;
use crate::why;

/// The kind of a message in the log of all work.
pub const SEND_TEXT: &str = "send_text";
/// The word for work on chats of every kind.
pub const OPERATION: &str = "operation";

pub fn kinds() -> impl Iterator<Item = &'static str> {
    std::iter::once(SEND_TEXT).chain(TaskKind::ALL.into_iter().map(TaskKind::as_str))
}

/// The kinds that the list can be narrowed to.
pub fn wanted_kinds() -> impl Iterator<Item = &'static str> {
    kinds().chain(std::iter::once(OPERATION))
}

/// A piece of work: a message on its way out, or work on a chat that takes several steps.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Operation {
    /// Our id, `op_…` or `msg_…`; sorts by time.
    #[schema(example = "op_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    pub id: String,
    /// What it is.
    #[schema(schema_with = schemas::work_kind)]
    pub kind: String,
    /// Its state: for `op_…` one of `queued`, `running`, `done`, `failed`, `cancelled` and `in_doubt`; for
    /// `msg_…` the state of the message.
    #[schema(example = "done")]
    pub state: String,
    /// Whether it is over. What is in doubt is not: a person ends it.
    pub finished: bool,
    /// The account that does or did it.
    #[schema(value_type = Option<String>, example = "main")]
    pub account: Option<AccountName>,
    /// The chat as the caller named it, names with @ and in small letters; null when a chat was to be made.
    #[schema(value_type = Option<String>, example = "@demo_channel")]
    pub chat: Option<ChatRef>,
    /// The chat as the Bot API writes it, once it is known or made.
    #[schema(value_type = Option<String>, example = "-1001234567890")]
    pub chat_id: Option<ChatId>,
    #[serde(flatten)]
    pub names: ChatNames,
    /// The text of a message.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(extensions(("x-words" = json!(true))))]
    pub text: Option<String>,
    /// What it waits for, or why it ended as it did, in words.
    pub detail: Option<String>,
    /// What its caller must look at while it is not over, in words; left out in lists and for messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        example = "Not done yet. Do not ask for it again; look at GET /v1/operations/op_01k2v7m3w0e9tq4b8s6n5x1zyr until \
        `finished` is true, then read `state`."
    )]
    pub advice: Option<String>,
    /// Why it failed, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// What came of it so far, as its caller is answered; left out in lists and for messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<OperationResult>,
    /// What happened, oldest first; left out in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<OperationStep>>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// One entry of a piece of work's history.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OperationStep {
    /// When.
    pub at: Timestamp,
    /// What: a step such as `create` or `invite`, or what happened to the whole, such as `accepted` or `waiting`.
    #[schema(example = "create")]
    pub what: String,
    /// The account it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "main")]
    pub account: Option<AccountName>,
    /// `begun`, or how it ended: `ok`, `sent` or the word of another outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ok")]
    pub outcome: Option<String>,
    /// More, as it was noted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The entry as a sentence.
    #[schema(example = "main tried to make the chat: ok.")]
    pub says: String,
}

impl Operation {
    /// Work on a chat as a list shows it. Every account that could do it may be held back until an instant.
    pub fn of_saga(saga: &Saga, held_until: Option<Timestamp>) -> Self {
        Self {
            id: saga.id.to_string(),
            kind: saga.task.kind().as_str().to_owned(),
            state: saga.state.as_str().to_owned(),
            finished: saga.state.is_final() && saga.state != SagaState::InDoubt,
            account: saga.account.clone(),
            chat: saga.task.chat().cloned(),
            chat_id: saga.chat_id,
            names: ChatNames { chat_title: title(&saga.task).map(str::to_owned), chat_username: None },
            text: None,
            detail: detail(saga, held_until),
            advice: None,
            failure: saga.failure.as_ref().map(|failure| Failure::of_task(saga, failure)),
            result: None,
            steps: None,
            created_at: saga.created_at,
            updated_at: saga.updated_at,
        }
    }

    /// A message as a list shows it.
    pub fn of_message(message: &OutboundMessage) -> Self {
        Self {
            id: message.id.to_string(),
            kind: SEND_TEXT.to_owned(),
            state: message.state.as_str().to_owned(),
            finished: message.state.is_final() && message.state != MessageState::InDoubt,
            account: message.account.clone(),
            chat: Some(message.chat.clone()),
            chat_id: message.chat_id(),
            names: ChatNames::default(),
            text: Some(message.content.text.text.clone()),
            detail: message.failure.as_ref().map(domain::outcome::Failure::describe),
            advice: None,
            failure: message.failure.as_ref().map(Failure::of_message),
            result: None,
            steps: None,
            created_at: message.created_at,
            updated_at: message.updated_at,
        }
    }

    /// The same with what people call its chat. What a chat is to be called stays where it has no name yet.
    #[must_use]
    pub fn named(mut self, names: ChatNames) -> Self {
        self.names.chat_title = names.chat_title.or(self.names.chat_title);
        self.names.chat_username = names.chat_username;
        self
    }

    /// With what came of it so far, and its history.
    #[must_use]
    pub fn with_saga(mut self, saga: &Saga, entries: &[SagaEntry]) -> Self {
        let something = saga.chat_id.is_some() || saga.progress != Progress::default();
        self.result = something.then(|| saga.into());
        self.steps = Some(entries.iter().map(Into::into).collect());
        self.advice = advice(saga);
        self
    }

    #[must_use]
    pub fn with_timeline(mut self, timeline: &[Entry]) -> Self {
        self.steps = Some(timeline.iter().map(Into::into).collect());
        self
    }
}

/// What a caller must look at while work on a chat is not over.
fn advice(saga: &Saga) -> Option<String> {
    let so_far = match saga.state {
        SagaState::Queued => "Nothing is done yet: it waits and goes on by itself.",
        SagaState::Running => "It is under way and not done yet.",
        SagaState::InDoubt => {
            return Some(format!(
                "It may be done or not. Do not ask for it again; look into Telegram, then say what is there: POST \
                 /v1/operations/{}/resolve.",
                saga.id
            ));
        }
        SagaState::Done | SagaState::Failed | SagaState::Cancelled => return None,
    };
    Some(format!(
        "{so_far} Do not ask for it again; look at GET /v1/operations/{} until `finished` is true, then read `state`: `done` \
         or `failed`.",
        saga.id
    ))
}

fn title(task: &Task) -> Option<&str> {
    match task {
        Task::CreateChat { title, .. } => Some(title),
        Task::EditChat { title, .. } => title.as_deref(),
        Task::LeaveChat { .. } | Task::AddMembers { .. } | Task::RemoveMembers { .. } => None,
    }
}

fn detail(saga: &Saga, held_until: Option<Timestamp>) -> Option<String> {
    if let Some(failure) = &saga.failure {
        return Some(describe_task_failure(saga, failure));
    }
    match saga.state {
        SagaState::InDoubt => {
            let account = saga.account.as_ref().map_or("an account", AccountName::as_str);
            let (done, look) = match &saga.task {
                Task::CreateChat { .. } => ("have made the chat", "whether it is there"),
                Task::LeaveChat { .. } => ("have left the chat", "whether it is still in it"),
                _ => ("have changed the chat", "how it is"),
            };
            Some(format!(
                "{account} may {done} and cannot be asked any more; look in Telegram {look}, then decide."
            ))
        }
        SagaState::Queued | SagaState::Running => match (held_until, &saga.begun) {
            (Some(until), _) => Some(format!("It waits until {until}, as Telegram asked.")),
            (None, Some(begun)) => Some(format!("The step {} is under way.", begun.step.name())),
            (None, None) => None,
        },
        SagaState::Done | SagaState::Failed | SagaState::Cancelled => None,
    }
}

impl From<&SagaEntry> for OperationStep {
    fn from(entry: &SagaEntry) -> Self {
        Self {
            at: entry.at,
            what: entry.what.as_str().to_owned(),
            account: entry.account.clone(),
            outcome: entry.outcome.map(|outcome| StepOutcome::as_str(outcome).to_owned()),
            detail: entry.detail.clone(),
            says: sentence(entry),
        }
    }
}

impl From<&Entry> for OperationStep {
    fn from(entry: &Entry) -> Self {
        Self {
            at: entry.at,
            what: entry.step.as_str().to_owned(),
            account: entry.account.clone(),
            outcome: entry.outcome.map(|outcome| OutcomeKind::as_str(outcome).to_owned()),
            detail: entry.detail.clone(),
            says: why::sentence(entry),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sagas::saga;
    use domain::outcome::Failure;
    use serde_json::{Value, json};

    fn shown(saga: &Saga, held_until: Option<Timestamp>) -> Value {
        serde_json::to_value(Operation::of_saga(saga, held_until)).expect("JSON")
    }

    #[test]
    fn doubt_is_not_finished_and_says_what_to_do() {
        let mut saga = saga(r#"{"kind":"create_chat","title":"Order 1","members":[]}"#);
        saga.state = SagaState::InDoubt;
        saga.account = "main".parse().ok();
        let shown = shown(&saga, None);
        assert_eq!((&shown["finished"], &shown["state"]), (&json!(false), &json!("in_doubt")));
        let detail = shown["detail"].as_str().expect("words");
        assert!(detail.starts_with("main may have made the chat"), "{detail}");
        assert!(advice(&saga).is_some_and(|advice| advice.contains("/resolve")));
    }

    #[test]
    fn reasons_for_waiting_and_failing_are_described() {
        let mut saga = saga(r#"{"kind":"create_chat","title":"Order 1","members":[]}"#);
        let until = Timestamp::from_micros(60_000_000);
        let waits = shown(&saga, Some(until));
        assert!(waits["detail"].as_str().is_some_and(|words| words.contains(&until.to_string())), "{waits}");
        assert_eq!(shown(&saga, None)["detail"], Value::Null);
        saga.state = SagaState::Failed;
        saga.failure = Some(Failure::Rejected { provider_code: "CHAT_TITLE_EMPTY".into() });
        let failed = shown(&saga, None);
        assert_eq!(failed["failure"]["provider_code"], "CHAT_TITLE_EMPTY");
        assert_eq!((&failed["finished"], &failed["failure"]["code"]), (&json!(true), &json!("rejected")));
    }

    #[test]
    fn an_unfinished_operation_names_its_path() {
        let mut saga = saga(r#"{"kind":"create_chat","title":"Order 1","members":[]}"#);
        for state in SagaState::ALL {
            saga.state = state;
            let view = Operation::of_saga(&saga, None).with_saga(&saga, &[]);
            let shown = serde_json::to_value(view).expect("JSON");
            let advice = shown["advice"].as_str();
            let path = format!("/v1/operations/{}", saga.id);
            let is_open = matches!(state, SagaState::Queued | SagaState::Running | SagaState::InDoubt);
            assert_eq!(advice.is_some_and(|words| words.contains(&path)), is_open, "{state:?}: {advice:?}");
        }
    }

    #[test]
    fn every_state_is_finished_or_goes_on() {
        let mut saga = saga(r#"{"kind":"create_chat","title":"Order 1","members":[]}"#);
        for state in SagaState::ALL {
            saga.state = state;
            let over = matches!(state, SagaState::Done | SagaState::Failed | SagaState::Cancelled);
            assert_eq!(shown(&saga, None)["finished"], over, "{state:?}");
        }
    }
}
