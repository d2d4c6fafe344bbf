//! A message on its way out, or at its end.

use domain::message::OutboundMessage;
use domain::saga::Saga;
use domain::timeline::{Entry, Step};
use domain::{AccountName, ChatId, ChatRef, MessageId, MessageState, ProviderId, Reactions, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::media::{Media, Whereabouts};
use crate::names::ChatNames;
use crate::received_message::{MessageDirection, Reaction};
use crate::schemas;
use crate::task_failure::describe_task_failure;

/// A message on its way out, or at its end.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Message {
    /// `out`: it was sent, or is to be.
    #[serde(default)]
    pub direction: MessageDirection,
    /// Our id; sorts by time.
    #[schema(value_type = String, example = "msg_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    pub id: MessageId,
    /// How far it is.
    #[schema(schema_with = schemas::message_state)]
    pub state: MessageState,
    /// While it is not over: what its caller must look at. Left out in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        example = "Not sent yet: it waits in the queue and goes out by itself. Do not send it again; look at GET /v1/messages/msg_01k2v7m3w0e9tq4b8s6n5x1zyr until `state` is `sent` or `failed`."
    )]
    pub advice: Option<String>,
    /// The account that sends or sent it.
    #[schema(value_type = Option<String>, example = "main")]
    pub account: Option<AccountName>,
    /// Where to, as the caller named it.
    #[schema(value_type = String, example = "@demo_channel")]
    pub chat: ChatRef,
    /// Where to, as the Bot API writes it, once it is known.
    #[schema(value_type = Option<String>, example = "-1001234567890")]
    pub chat_id: Option<ChatId>,
    #[serde(flatten)]
    pub names: ChatNames,
    /// The text or caption, whole and without marks; a mention is not in it.
    #[schema(extensions(("x-words" = json!(true))))]
    pub text: String,
    /// The provider's ids of what was sent, in order: one for each text and for each of the media. Telegram's are numbers,
    /// those of other channels may be text.
    #[schema(schema_with = schemas::message_ids)]
    pub message_ids: Vec<ProviderId>,
    /// How many parts it leaves in; 0 while a mention is not resolved yet.
    pub parts: usize,
    /// How many short messages its texts are, as operators count them; of messages by SMS alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segments: Option<usize>,
    /// The files that it carries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Media>,
    /// What people think of it, as channels report it; left out in lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<Reaction>,
    /// Each attempt whose outcome is known, in order; left out in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<Vec<Attempt>>,
    /// Why it failed, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// It is not known whether it arrived, and the same is tried again; at this instant a look at the chat decides. Left out
    /// in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gives_up_at: Option<Timestamp>,
    /// Not before this instant, if the caller said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_at: Option<Timestamp>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// One attempt to send one part.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Attempt {
    /// The account.
    #[schema(value_type = Option<String>, example = "main")]
    pub account: Option<AccountName>,
    /// `sent`, `flood_wait`, `slow_mode`, `not_found`, `forbidden`, `peer_flood`, `banned`, `session_lost`,
    /// `unavailable`, `unprepared`, `rejected`, `media_gone`, `media_expired`, `in_progress` or `unknown`.
    #[schema(example = "sent")]
    pub outcome: String,
    /// More, in words.
    pub detail: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// Why a message was not sent, or work on a chat not done.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Failure {
    /// The stable word; the same as in a problem's `code`.
    #[schema(example = "chat_not_found")]
    pub code: String,
    /// What happened.
    pub detail: String,
    /// The provider's own word, with `rejected`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_code: Option<String>,
}

impl Message {
    pub fn listed(message: &OutboundMessage) -> Self {
        Self::new(message, None, None)
    }

    /// A message with its attempts, where its files are, and until when it is tried.
    pub fn whole(
        message: &OutboundMessage,
        timeline: &[Entry],
        whereabouts: &Whereabouts,
        gives_up_at: Option<Timestamp>,
    ) -> Self {
        Self { gives_up_at, ..Self::new(message, Some(timeline), Some(whereabouts)) }
    }

    /// The same with what people call its chat.
    #[must_use]
    pub fn named(self, names: ChatNames) -> Self {
        Self { names, ..self }
    }

    /// The same with what people think of its parts.
    #[must_use]
    pub fn with_reactions(self, parts: &[Reactions]) -> Self {
        Self {
            reactions: parts.iter().flat_map(Reactions::counted).map(|it| Reaction::from(&it)).collect(),
            ..self
        }
    }

    fn new(message: &OutboundMessage, timeline: Option<&[Entry]>, whereabouts: Option<&Whereabouts>) -> Self {
        Self {
            direction: MessageDirection::Out,
            id: message.id,
            state: message.state,
            advice: timeline.and_then(|_| advice(message)),
            account: message.account.clone(),
            chat: message.chat.clone(),
            chat_id: message.chat_id(),
            names: ChatNames::default(),
            text: message.content.text.text.clone(),
            message_ids: message.message_ids(),
            parts: message.parts.len(),
            segments: segments(message),
            media: Media::all(message, whereabouts),
            reactions: Vec::new(),
            attempts: timeline.map(attempts),
            failure: message.failure.as_ref().map(Failure::of_message),
            gives_up_at: None,
            send_at: message.send_at,
            created_at: message.created_at,
            updated_at: message.updated_at,
        }
    }
}

fn segments(message: &OutboundMessage) -> Option<usize> {
    let ChatRef::Channel(chat) = &message.chat else { return None };
    let count = channels::Nature::named(chat.channel.as_str()).segments?;
    let texts = message.parts.iter().filter(|part| !part.is_media());
    Some(texts.map(|part| count(&part.text.text)).sum())
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

/// The steps of a timeline that report the outcome of an attempt; the last one that succeeds is the step `sent`.
fn attempts(timeline: &[Entry]) -> Vec<Attempt> {
    timeline
        .iter()
        .filter(|entry| matches!(entry.step, Step::Attempted | Step::Sent))
        .filter_map(|entry| {
            Some(Attempt {
                account: entry.account.clone(),
                outcome: entry.outcome?.as_str().to_owned(),
                detail: entry.detail.clone(),
                at: entry.at,
            })
        })
        .collect()
}

impl Failure {
    pub fn of_message(failure: &domain::outcome::Failure) -> Self {
        Self::new(failure, failure.describe())
    }

    /// Why work on a chat failed.
    pub fn of_task(saga: &Saga, failure: &domain::outcome::Failure) -> Self {
        Self::new(failure, describe_task_failure(saga, failure))
    }

    fn new(failure: &domain::outcome::Failure, detail: String) -> Self {
        let provider_code = match failure {
            domain::outcome::Failure::Rejected { provider_code } => Some(provider_code.to_string()),
            _ => None,
        };
        Self { code: failure.code().to_owned(), detail, provider_code }
    }
}
