//! A message of a chat as Telegram has it now.

use domain::{AccountName, ChatId, ChatRef, ReceivedId, TelegramMessageId, Timestamp, UserId, Words};
use serde::{Deserialize, Serialize};
use telegram::HistoryView;
use utoipa::ToSchema;

/// A message in a chat.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct HistoryMessage {
    /// Names it where only its chat's history does otherwise: `GET /v1/messages/{id}/media/0` reads its file. It stays as it is, and sorts as
    /// `message_id` does within the chat.
    #[schema(value_type = String, example = "rcv_1zzzzy5q1rkpjw00000pg")]
    pub id: ReceivedId,
    /// Telegram's id of it.
    #[schema(value_type = i64, example = 45)]
    pub message_id: TelegramMessageId,
    /// When it was written, by Telegram's clock.
    pub at: Timestamp,
    /// The user who wrote it, where it was one.
    #[schema(value_type = Option<i64>)]
    pub from: Option<UserId>,
    /// Whether the account that was asked wrote it.
    pub outgoing: bool,
    /// Its text or caption.
    #[schema(value_type = String)]
    pub text: Words,
    /// The message that it answers.
    #[schema(value_type = Option<i64>)]
    pub reply_to: Option<TelegramMessageId>,
    /// What is attached, such as `photo`.
    pub media: Option<String>,
    /// The file, when what is attached is one.
    pub file: Option<HistoryFile>,
    /// What happened, when it reports something that happened to the chat.
    pub service: Option<String>,
}

/// A file attached to a message.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct HistoryFile {
    /// What its sender called it.
    #[schema(example = "price-list.pdf")]
    pub name: Option<String>,
    /// Its type, as its sender gave it.
    #[schema(example = "application/pdf")]
    pub mime: String,
    /// Its size in bytes.
    #[schema(example = 48213)]
    pub size: u64,
    /// Where to read it; in a private chat or a basic group through the account whose ids the messages have.
    #[schema(example = "/v1/chats/-1001234567890/messages/45/media")]
    pub url: String,
}

impl HistoryMessage {
    /// `counted_by` is whose the ids are, where they are not the same for every account.
    pub fn new(
        view: HistoryView,
        (chat, chat_id): (&ChatRef, ChatId),
        counted_by: Option<&AccountName>,
    ) -> Option<Self> {
        let id = ReceivedId::new(chat_id, view.message_id, counted_by.cloned())?;
        let through = counted_by.map(|account| format!("?account={account}")).unwrap_or_default();
        let file = view.file.map(|file| HistoryFile {
            name: Some(file.name).filter(|name| !name.is_empty()),
            mime: file.mime,
            size: file.size,
            url: format!("/v1/chats/{chat}/messages/{}/media{through}", view.message_id),
        });
        Some(Self {
            id,
            file,
            message_id: view.message_id,
            at: view.at,
            from: view.from,
            outgoing: view.outgoing,
            text: view.text,
            reply_to: view.reply_to,
            media: view.media.map(str::to_owned),
            service: view.service,
        })
    }
}
