//! A chat that was made or left here, or that some account is in.

use domain::chat::{ChatId, ChatKind, Username};
use domain::{AccountName, OperationId, Timestamp};
use serde::{Deserialize, Serialize};
use store::{ChatRecord, ChatState, PeerKind};
use telegram::ChatInfo;
use utoipa::ToSchema;

use crate::schemas;

/// A chat that was made or left here, or that some account is in.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Chat {
    /// The chat, as the Bot API writes it.
    #[schema(value_type = String, example = "-1001234567890")]
    pub chat_id: ChatId,
    /// Its title.
    #[schema(example = "Order 1001")]
    #[schema(extensions(("x-words" = json!(true))))]
    pub title: Option<String>,
    /// Its description, if it was set here.
    #[schema(extensions(("x-words" = json!(true))))]
    pub about: Option<String>,
    /// Its public name.
    #[schema(value_type = Option<String>, example = "@demo_channel")]
    #[schema(extensions(("x-words" = json!(true))))]
    pub username: Option<String>,
    /// `group`, `supergroup` or `channel`, once it was seen.
    #[schema(example = "supergroup")]
    pub kind: Option<String>,
    /// Whether it is still one of ours.
    #[schema(schema_with = schemas::chat_state)]
    pub state: String,
    /// The account it is bound to: the first choice for all that is done in it.
    #[schema(value_type = Option<String>, example = "main")]
    pub account: Option<AccountName>,
    /// The accounts that are known to be in it.
    #[schema(value_type = Vec<String>)]
    pub accounts: Vec<AccountName>,
    /// Its invite link, if one was made here.
    #[schema(example = "https://t.me/+AbCdEfGhIjKlMnOp")]
    pub invite_link: Option<String>,
    /// The operation that made it.
    #[schema(value_type = Option<String>, example = "op_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    pub operation: Option<OperationId>,
    /// When it was made here.
    pub created_at: Option<Timestamp>,
    /// When it was left.
    pub left_at: Option<Timestamp>,
}

impl Chat {
    /// A chat from what the store keeps and what memory knows; nothing when neither knows it.
    pub fn new(record: Option<ChatRecord>, known: Option<ChatInfo>) -> Option<Self> {
        let mut view = match (record, &known) {
            (Some(record), _) => Self::from_record(record),
            (None, Some(known)) => Self::from_id(known.chat_id),
            (None, None) => return None,
        };
        if let Some(known) = known {
            // Memory hears of new titles first.
            view.title = Some(known.title).filter(|title| !title.is_empty()).or(view.title);
            view.username = known.username.map(|name: Username| name.to_string());
            view.kind = Some(known.kind.as_str().to_owned());
            view.accounts = known.accounts;
        }
        Some(view)
    }

    fn from_record(record: ChatRecord) -> Self {
        Self {
            chat_id: record.chat_id,
            title: record.title,
            about: record.about,
            username: None,
            kind: record.kind.map(PeerKind::as_str).map(str::to_owned).or(match record.chat_id.kind() {
                ChatKind::Group => Some("group".to_owned()),
                ChatKind::User | ChatKind::Channel => None,
            }),
            state: record.state.as_str().to_owned(),
            account: record.account,
            accounts: record.accounts,
            invite_link: record.invite_link,
            operation: record.operation,
            created_at: record.created_at,
            left_at: record.left_at,
        }
    }

    fn from_id(chat_id: ChatId) -> Self {
        Self {
            chat_id,
            title: None,
            about: None,
            username: None,
            kind: None,
            state: ChatState::Active.as_str().to_owned(),
            account: None,
            accounts: Vec::new(),
            invite_link: None,
            operation: None,
            created_at: None,
            left_at: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record() -> ChatRecord {
        ChatRecord {
            chat_id: "-1001234567890".parse().expect("a chat"),
            title: Some("old".to_owned()),
            about: None,
            kind: None,
            state: ChatState::Active,
            account: "main".parse().ok(),
            accounts: Vec::new(),
            invite_link: None,
            operation: None,
            created_at: None,
            left_at: None,
        }
    }

    fn known(title: &str) -> ChatInfo {
        ChatInfo {
            chat_id: "-1001234567890".parse().expect("a chat"),
            title: title.to_owned(),
            username: "demo_channel".parse().ok(),
            kind: PeerKind::Supergroup,
            accounts: "main".parse().into_iter().collect(),
        }
    }

    fn shown(record: Option<ChatRecord>, known: Option<ChatInfo>) -> serde_json::Value {
        serde_json::to_value(Chat::new(record, known)).expect("JSON")
    }

    #[test]
    fn memory_adds_to_what_the_store_keeps() {
        let chat = shown(Some(record()), Some(known("new")));
        assert_eq!((&chat["title"], &chat["username"]), (&json!("new"), &json!("@demo_channel")));
        assert_eq!((&chat["kind"], &chat["accounts"]), (&json!("supergroup"), &json!(["main"])));
        assert_eq!((&chat["account"], &chat["state"]), (&json!("main"), &json!("active")));
        assert_eq!(shown(Some(record()), Some(known("")))["title"], "old");
    }

    #[test]
    fn either_of_them_is_enough() {
        assert_eq!(shown(Some(record()), None)["title"], "old");
        assert_eq!(shown(None, Some(known("new")))["account"], json!(null));
        assert_eq!(shown(None, None), json!(null));
    }
}
