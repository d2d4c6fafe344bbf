//! Messages that an account missed.

use domain::{ChatId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::names::ChatNames;

/// Messages of a chat that an account missed, as after an absence that is longer than Telegram's difference reaches.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ReceivedGap {
    /// The chat; null: the private chats and basic groups, of which it is not seen yet which have new messages.
    #[schema(value_type = Option<String>, example = "-1001234567890")]
    pub chat_id: Option<ChatId>,
    #[serde(flatten)]
    pub names: ChatNames,
    /// What was written before is here.
    pub since: Timestamp,
    /// How many messages were read from the history since.
    pub messages: u64,
    /// When it was noticed.
    pub noticed_at: Timestamp,
    /// Why the rest is not read; null while it is being read.
    #[schema(example = "the account does not know the chat")]
    pub failure: Option<String>,
}

impl ReceivedGap {
    pub fn new(gap: store::ReceivedGap, names: ChatNames) -> Self {
        let store::ReceivedGap { chat_id, since, messages, noticed_at, failure, .. } = gap;
        Self { chat_id, names, since, messages, noticed_at, failure }
    }
}
