//! A message as the API shows it.

use domain::message::OutboundMessage;
use domain::outcome::Failure;
use domain::saga::Saga;
use domain::timeline::{Entry, Step};
use domain::{AccountName, ChatId, ChatRef, MessageId, MessageState, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::media_view::{MediaView, Whereabouts};
use super::names::NamesView;
use super::words;
use crate::problem::describe_task_failure;

/// A message on its way out, or at its end.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Message)]
pub(crate) struct MessageView<'a> {
    /// Our id; sorts by time.
    #[schema(value_type = String, example = "msg_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    id: MessageId,
    /// How far it is.
    #[schema(schema_with = words::message_state)]
    state: MessageState,
    /// While it is not over: what its caller must look at. Left out in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        example = "Not sent yet: it waits in the queue and goes out by itself. Do not send it again; look at GET /v1/messages/msg_01k2v7m3w0e9tq4b8s6n5x1zyr until `state` is `sent` or `failed`."
    )]
    advice: Option<String>,
    /// The account that sends or sent it.
    #[schema(value_type = Option<String>, example = "main")]
    account: Option<&'a AccountName>,
    /// Where to, as the caller named it.
    #[schema(value_type = String, example = "@demo_channel")]
    chat: &'a ChatRef,
    /// Where to, as the Bot API writes it, once it is known.
    #[schema(value_type = Option<String>, example = "-1001234567890")]
    chat_id: Option<ChatId>,
    #[serde(flatten)]
    names: NamesView,
    /// The text or caption, whole and without marks; a mention is not in it.
    text: &'a str,
    /// Telegram's ids of what was sent, in order: one for each text and for each of the media.
    message_ids: Vec<i64>,
    /// How many parts it leaves in; 0 while a mention is not resolved yet.
    parts: usize,
    /// The files that it carries.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    media: Vec<MediaView<'a>>,
    /// Each attempt whose outcome is known, in order; left out in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<Vec<AttemptView<'a>>>,
    /// Why it failed, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<FailureView>,
    /// It is not known whether it arrived, and the same is tried again; at this instant a look at the chat decides. Left out
    /// in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    gives_up_at: Option<Timestamp>,
    /// Not before this instant, if the caller said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    send_at: Option<Timestamp>,
    /// When it was accepted.
    created_at: Timestamp,
    /// When it last changed.
    updated_at: Timestamp,
}

/// One attempt to send one part.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Attempt)]
pub(crate) struct AttemptView<'a> {
    /// The account.
    #[schema(value_type = Option<String>, example = "main")]
    account: Option<&'a AccountName>,
    /// `sent`, `flood_wait`, `slow_mode`, `not_found`, `forbidden`, `peer_flood`, `banned`, `session_lost`,
    /// `unavailable`, `unprepared`, `rejected`, `media_gone`, `media_expired`, `in_progress` or `unknown`.
    #[schema(example = "sent")]
    outcome: &'a str,
    /// More, in words.
    detail: Option<&'a str>,
    /// When.
    at: Timestamp,
}

/// Why a message was not sent, or work on a chat not done.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Failure)]
pub(crate) struct FailureView {
    /// The stable word; the same as in a problem's `code`.
    #[schema(example = "chat_not_found")]
    code: &'static str,
    /// What happened.
    detail: String,
    /// The provider's own word, with `rejected`.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_code: Option<String>,
}

impl<'a> MessageView<'a> {
    /// A message in a list.
    pub(crate) fn listed(message: &'a OutboundMessage) -> Self {
        Self::new(message, None, None)
    }

    /// A message with its attempts, where its files are, and until when it is tried.
    pub(crate) fn whole(
        message: &'a OutboundMessage,
        timeline: &'a [Entry],
        whereabouts: &Whereabouts,
        gives_up_at: Option<Timestamp>,
    ) -> Self {
        Self { gives_up_at, ..Self::new(message, Some(timeline), Some(whereabouts)) }
    }

    /// The same with what people call its chat.
    #[must_use]
    pub(crate) fn named(self, names: NamesView) -> Self {
        Self { names, ..self }
    }

    fn new(
        message: &'a OutboundMessage,
        timeline: Option<&'a [Entry]>,
        whereabouts: Option<&Whereabouts>,
    ) -> Self {
        Self {
            id: message.id,
            state: message.state,
            advice: timeline.and_then(|_| advice(message)),
            account: message.account.as_ref(),
            chat: &message.chat,
            chat_id: message.chat_id,
            names: NamesView::default(),
            text: &message.content.text.text,
            message_ids: message.message_ids(),
            parts: message.parts.len(),
            media: MediaView::all(message, whereabouts),
            attempts: timeline.map(attempts),
            failure: message.failure.as_ref().map(FailureView::of_message),
            gives_up_at: None,
            send_at: message.send_at,
            created_at: message.created_at,
            updated_at: message.updated_at,
        }
    }
}

/// What a caller must look at while a message is not over.
fn advice(message: &OutboundMessage) -> Option<String> {
    let id = message.id;
    let so_far = match message.state {
        MessageState::Queued => "Not sent yet: it waits in the queue and goes out by itself.",
        MessageState::Scheduled => "Not sent yet: it goes out by itself at the time in `send_at`.",
        MessageState::AwaitingApproval => "Not sent yet: it waits until a person lets it out.",
        MessageState::Sending => "It is being sent; whether it arrived is not known yet.",
        MessageState::InDoubt => {
            return Some(format!(
                "It may have arrived or not. Do not send it again; look into the chat, then say what is there: \
                 POST /v1/messages/{id}/resolve."
            ));
        }
        MessageState::Sent
        | MessageState::Delivered
        | MessageState::Read
        | MessageState::Failed
        | MessageState::Cancelled => return None,
    };
    Some(format!(
        "{so_far} Do not send it again; look at GET /v1/messages/{id} until `state` is `sent` or `failed`."
    ))
}

/// The steps of a timeline that tell the outcome of an attempt; the last one that succeeds is the step `sent`.
fn attempts(timeline: &[Entry]) -> Vec<AttemptView<'_>> {
    timeline
        .iter()
        .filter(|entry| matches!(entry.step, Step::Attempted | Step::Sent))
        .filter_map(|entry| {
            Some(AttemptView {
                account: entry.account.as_ref(),
                outcome: entry.outcome?.as_str(),
                detail: entry.detail.as_deref(),
                at: entry.at,
            })
        })
        .collect()
}

impl FailureView {
    /// Why a message failed.
    pub(super) fn of_message(failure: &Failure) -> Self {
        Self::new(failure, failure.describe())
    }

    /// Why work on a chat failed.
    pub(super) fn of_task(saga: &Saga, failure: &Failure) -> Self {
        Self::new(failure, describe_task_failure(saga, failure))
    }

    fn new(failure: &Failure, detail: String) -> Self {
        let provider_code = match failure {
            Failure::Rejected { provider_code } => Some(provider_code.to_string()),
            _ => None,
        };
        Self { code: failure.code(), detail, provider_code }
    }
}
