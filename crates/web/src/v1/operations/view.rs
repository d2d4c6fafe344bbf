//! A piece of work as the API shows it: a message or work on a chat, with its steps. Pure.

use domain::message::{MessageState, OutboundMessage};
use domain::outcome::OutcomeKind;
use domain::saga::{Progress, Saga, SagaEntry, SagaState, StepOutcome, Task};
use domain::timeline::Entry;
use domain::{AccountName, ChatId, ChatRef, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::result::ResultView;
use super::says::sentence;
use crate::v1::message_view::FailureView;
use crate::v1::names::NamesView;
use crate::v1::{why, words};

/// The kind of a message in the log of all work.
pub(super) const SEND_TEXT: &str = "send_text";

/// A piece of work: a message on its way out, or work on a chat that takes several steps.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Operation)]
pub(crate) struct OperationView<'a> {
    /// Our id, `op_…` or `msg_…`; sorts by time.
    #[schema(example = "op_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    id: String,
    /// What it is.
    #[schema(schema_with = words::work_kind)]
    kind: &'static str,
    /// Where it stands: for `op_…` one of `queued`, `running`, `done`, `failed`, `cancelled` and `in_doubt`; for
    /// `msg_…` the state of the message.
    #[schema(example = "done")]
    state: &'static str,
    /// Whether it is over. What is in doubt is not: a person ends it.
    finished: bool,
    /// The account that does or did it.
    #[schema(value_type = Option<String>, example = "main")]
    account: Option<&'a AccountName>,
    /// The chat as the caller named it, names with @ and in small letters; null when a chat was to be made.
    #[schema(value_type = Option<String>, example = "@demo_channel")]
    chat: Option<&'a ChatRef>,
    /// The chat as the Bot API writes it, once it is known or made.
    #[schema(value_type = Option<String>, example = "-1001234567890")]
    chat_id: Option<ChatId>,
    #[serde(flatten)]
    names: NamesView,
    /// The text of a message.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    /// What it waits for, or why it ended as it did, in words.
    detail: Option<String>,
    /// What its caller must look at while it is not over, in words; left out in lists and for messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        example = "Not done yet. Do not ask for it again; look at GET /v1/operations/op_01k2v7m3w0e9tq4b8s6n5x1zyr until \
        `finished` is true, then read `state`."
    )]
    advice: Option<String>,
    /// Why it failed, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<FailureView>,
    /// What came of it so far, as whoever asked for it is answered; left out in lists and for messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<ResultView<'a>>,
    /// What happened, oldest first; left out in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<Vec<StepView<'a>>>,
    /// When it was accepted.
    created_at: Timestamp,
    /// When it last changed.
    updated_at: Timestamp,
}

/// One entry of a piece of work's history.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OperationStep)]
pub(crate) struct StepView<'a> {
    /// When.
    at: Timestamp,
    /// What: a step such as `create` or `invite`, or what happened to the whole, such as `accepted` or `waiting`.
    #[schema(example = "create")]
    what: &'a str,
    /// The account it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "main")]
    account: Option<&'a AccountName>,
    /// `begun`, or how it ended: `ok`, `sent` or the word of another outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ok")]
    outcome: Option<&'a str>,
    /// More, as it was noted.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    /// The entry as a sentence.
    #[schema(example = "main tried to make the chat: ok.")]
    says: String,
}

impl<'a> OperationView<'a> {
    /// Work on a chat as a list shows it. Every account that could do it may be held back until an instant.
    pub(crate) fn of_saga(saga: &'a Saga, held_until: Option<Timestamp>) -> Self {
        Self {
            id: saga.id.to_string(),
            kind: saga.task.kind().as_str(),
            state: saga.state.as_str(),
            finished: saga.state.is_final() && saga.state != SagaState::InDoubt,
            account: saga.account.as_ref(),
            chat: saga.task.chat(),
            chat_id: saga.chat_id,
            names: NamesView { chat_title: title(&saga.task).map(str::to_owned), chat_username: None },
            text: None,
            detail: detail(saga, held_until),
            advice: None,
            failure: saga.failure.as_ref().map(|failure| FailureView::of_task(saga, failure)),
            result: None,
            steps: None,
            created_at: saga.created_at,
            updated_at: saga.updated_at,
        }
    }

    /// A message as a list shows it.
    pub(crate) fn of_message(message: &'a OutboundMessage) -> Self {
        Self {
            id: message.id.to_string(),
            kind: SEND_TEXT,
            state: message.state.as_str(),
            finished: message.state.is_final() && message.state != MessageState::InDoubt,
            account: message.account.as_ref(),
            chat: Some(&message.chat),
            chat_id: message.chat_id,
            names: NamesView::default(),
            text: Some(&message.content.text.text),
            detail: message.failure.as_ref().map(domain::outcome::Failure::describe),
            advice: None,
            failure: message.failure.as_ref().map(FailureView::of_message),
            result: None,
            steps: None,
            created_at: message.created_at,
            updated_at: message.updated_at,
        }
    }

    /// The same with what people call its chat. What a chat is to be called stays where it has no name yet.
    #[must_use]
    pub(crate) fn named(mut self, names: NamesView) -> Self {
        self.names.chat_title = names.chat_title.or(self.names.chat_title);
        self.names.chat_username = names.chat_username;
        self
    }

    /// With what came of it so far, and its history.
    #[must_use]
    pub(crate) fn with_saga(mut self, saga: &'a Saga, entries: &'a [SagaEntry]) -> Self {
        let something = saga.chat_id.is_some() || saga.progress != Progress::default();
        self.result = something.then(|| saga.into());
        self.steps = Some(entries.iter().map(Into::into).collect());
        self.advice = advice(saga);
        self
    }

    #[must_use]
    pub(crate) fn with_timeline(mut self, timeline: &'a [Entry]) -> Self {
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

/// What a chat is to be called.
fn title(task: &Task) -> Option<&str> {
    match task {
        Task::CreateChat { title, .. } => Some(title),
        Task::EditChat { title, .. } => title.as_deref(),
        Task::LeaveChat { .. } | Task::AddMembers { .. } | Task::RemoveMembers { .. } => None,
    }
}

fn detail(saga: &Saga, held_until: Option<Timestamp>) -> Option<String> {
    if let Some(failure) = &saga.failure {
        return Some(crate::problem::describe_task_failure(saga, failure));
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

impl<'a> From<&'a SagaEntry> for StepView<'a> {
    fn from(entry: &'a SagaEntry) -> Self {
        Self {
            at: entry.at,
            what: entry.what.as_str(),
            account: entry.account.as_ref(),
            outcome: entry.outcome.map(StepOutcome::as_str),
            detail: entry.detail.as_deref(),
            says: sentence(entry),
        }
    }
}

impl<'a> From<&'a Entry> for StepView<'a> {
    fn from(entry: &'a Entry) -> Self {
        Self {
            at: entry.at,
            what: entry.step.as_str(),
            account: entry.account.as_ref(),
            outcome: entry.outcome.map(OutcomeKind::as_str),
            detail: entry.detail.as_deref(),
            says: why::sentence(entry),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::saga;
    use super::*;
    use domain::outcome::Failure;
    use serde_json::{Value, json};

    fn shown(saga: &Saga, held_until: Option<Timestamp>) -> Value {
        serde_json::to_value(OperationView::of_saga(saga, held_until)).expect("JSON")
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
    fn what_it_waits_for_and_why_it_failed_are_told() {
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
    fn what_is_not_over_says_what_to_look_at() {
        let mut saga = saga(r#"{"kind":"create_chat","title":"Order 1","members":[]}"#);
        for state in SagaState::ALL {
            saga.state = state;
            let view = OperationView::of_saga(&saga, None).with_saga(&saga, &[]);
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
