//! Work that went to another account than its first choice.

use domain::{AccountName, ChatId, Timestamp};
use serde::{Deserialize, Serialize};
use store::FailoverRecord;
use utoipa::ToSchema;

use crate::names::ChatNames;

/// A piece of work went to another account than the one that was its first choice.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Failover {
    /// When.
    pub at: Timestamp,
    /// The chat, if it was known.
    #[schema(value_type = Option<String>, example = "-1001234567890")]
    pub chat_id: Option<ChatId>,
    #[serde(flatten)]
    pub names: ChatNames,
    /// The first choice.
    #[schema(value_type = String, example = "main")]
    pub from: AccountName,
    /// The account that it was given to instead.
    #[schema(value_type = String, example = "backup_1")]
    pub to: AccountName,
    /// The account that did it in the end; none where no account did, or none has yet.
    #[schema(value_type = Option<String>, example = "backup_1")]
    pub done_by: Option<AccountName>,
    /// How the message or operation is; none when it is not kept any more.
    #[schema(example = "sent")]
    pub state: Option<String>,
    /// Why.
    #[schema(example = "flood wait until 2026-01-01T12:00:00Z")]
    pub reason: String,
    /// The message or operation; `by_hand` where a person moved the chat.
    #[schema(example = "msg_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    pub subject: String,
}

impl From<FailoverRecord> for Failover {
    fn from(record: FailoverRecord) -> Self {
        let failover = record.failover;
        Self {
            at: failover.at,
            chat_id: failover.chat_id,
            names: ChatNames::default(),
            from: failover.from,
            to: failover.to,
            done_by: None,
            state: None,
            reason: failover.reason,
            subject: record.subject,
        }
    }
}
