//! A message that was received, as it is stored.

use domain::{AccountName, ChatId, MessageOrigin, ReceivedId, TelegramMessageId, Timestamp, Words};
use serde::{Deserialize, Serialize};
use store::StoredReceived;
use utoipa::ToSchema;

use crate::channel::ChannelMessage;
use crate::history::HistoryFile;
use crate::message::Message;
use crate::names::ChatNames;
use crate::schemas;

/// A message that was received.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ReceivedMessage {
    /// `in`: it was received.
    pub direction: MessageDirection,
    /// Its id; the same as in the history of the chat.
    #[schema(value_type = String, example = "rcv_1zzzzy5q1rkpjw00000pg")]
    pub id: ReceivedId,
    /// Telegram's id of it.
    #[schema(value_type = i64, example = 45)]
    pub message_id: TelegramMessageId,
    /// The account that received it; of several the first.
    #[schema(value_type = String, example = "main")]
    pub account: AccountName,
    /// The chat that it is in.
    #[schema(value_type = String, example = "-1001234567890")]
    pub chat_id: ChatId,
    #[serde(flatten)]
    pub names: ChatNames,
    /// What wrote it.
    #[schema(schema_with = schemas::message_origin)]
    pub origin: MessageOrigin,
    /// The user who wrote it, or the chat that it was written as.
    #[schema(value_type = Option<String>, example = "5000000001")]
    pub from: Option<ChatId>,
    /// What that user or chat was called then.
    #[schema(example = "Anna")]
    pub from_name: Option<String>,
    /// Its text or caption.
    #[schema(value_type = String)]
    pub text: Words,
    /// What is bold, a link and so on in the text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<TextEntity>,
    /// What is attached, such as `photo`.
    pub media: Option<String>,
    /// The file, when what is attached is one.
    pub file: Option<HistoryFile>,
    /// What happened, when it reports something that happened to the chat.
    pub service: Option<String>,
    /// The message that it answers.
    #[schema(value_type = Option<i64>)]
    pub reply_to: Option<TelegramMessageId>,
    /// Where it was forwarded from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forward: Option<Forward>,
    /// How others reacted to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<Reaction>,
    /// Messages of one album have the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub album: Option<String>,
    /// When it was written, by Telegram's clock.
    pub at: Timestamp,
    /// When it was received here.
    pub received_at: Timestamp,
    /// When its writer changed it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    /// When it was heard that it was deleted. Its text stays until retention removes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
}

/// What a stretch of a text is.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TextEntity {
    /// Where it begins, in UTF-16 units.
    pub offset: u32,
    /// How long it is, in UTF-16 units.
    pub length: u32,
    /// What it is, such as `bold`, `url` or `text_link`.
    #[serde(rename = "type")]
    #[schema(example = "bold")]
    pub kind: String,
    /// Where a link leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub url: Option<Words>,
    /// The user whom it mentions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<i64>,
    /// The language of code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// Where a message was forwarded from.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Forward {
    /// The user or chat that wrote it first, where that may be seen.
    #[schema(value_type = Option<String>)]
    pub from: Option<ChatId>,
    /// What that user or chat is called.
    pub from_name: Option<String>,
    /// When it was written first.
    pub at: Timestamp,
}

/// A reaction, and how many reacted so.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Reaction {
    /// The emoji; none for one of a custom set.
    #[schema(example = "👍")]
    #[schema(extensions(("x-words" = json!(true))))]
    pub emoji: Option<String>,
    /// How many.
    pub count: u32,
}

/// Which of the two a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageDirection {
    /// It was received.
    In,
    /// It was sent, or was to be.
    #[default]
    Out,
}

/// A message of either direction.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum AnyMessage {
    /// It was received.
    In(Box<ReceivedMessage>),
    /// It was received through a channel.
    Channel(Box<ChannelMessage>),
    /// It was sent, or was to be.
    Out(Box<Message>),
}

impl AnyMessage {
    /// Its id, as text.
    pub fn id(&self) -> String {
        match self {
            Self::In(message) => message.id.to_string(),
            Self::Channel(message) => message.id.to_string(),
            Self::Out(message) => message.id.to_string(),
        }
    }
}

impl ReceivedMessage {
    pub fn new(stored: &StoredReceived, names: ChatNames) -> Self {
        let message = &stored.message;
        let id = message.id();
        let file = message.media.as_ref().and_then(|media| media.file.as_ref()).map(|file| HistoryFile {
            name: file.name.clone(),
            mime: file.mime.clone(),
            size: file.size,
            url: format!("/v1/messages/{id}/media/0"),
        });
        Self {
            direction: MessageDirection::In,
            id,
            file,
            names,
            message_id: message.message_id,
            account: message.account.clone(),
            chat_id: message.chat_id,
            origin: message.origin,
            from: message.sender,
            from_name: message.sender_name.clone(),
            text: message.text.clone(),
            entities: message.entities.iter().map(TextEntity::from).collect(),
            media: message.media.as_ref().map(|media| media.kind.clone()),
            service: message.service.clone(),
            reply_to: message.reply_to,
            forward: message.forward.as_ref().map(Forward::from),
            reactions: message.reactions.iter().map(Reaction::from).collect(),
            album: message.album.map(|album| album.to_string()),
            at: message.sent_at,
            received_at: stored.received_at(),
            edited_at: message.edited_at,
            deleted_at: stored.deleted_at,
        }
    }
}

impl From<&domain::received_message::ReceivedEntity> for TextEntity {
    fn from(entity: &domain::received_message::ReceivedEntity) -> Self {
        Self {
            offset: entity.offset,
            length: entity.length,
            kind: entity.kind.clone(),
            url: entity.url.clone(),
            user_id: entity.user_id,
            language: entity.language.clone(),
        }
    }
}

impl From<&domain::received_message::ForwardedFrom> for Forward {
    fn from(forward: &domain::received_message::ForwardedFrom) -> Self {
        Self { from: forward.from_id, from_name: forward.name.clone(), at: forward.at }
    }
}

impl From<&domain::received_message::Reaction> for Reaction {
    fn from(reaction: &domain::received_message::Reaction) -> Self {
        Self { emoji: reaction.emoji.clone(), count: reaction.count }
    }
}
