//! Operations: all work in one list, and the steps of work on a chat.

pub(crate) mod act;
pub(crate) mod list;
pub(crate) mod one;

use askama::Template;
use domain::Timestamp;
use serde::Deserialize;

use crate::listing::Named;
use crate::messages::Failure;

/// A piece of work, as the API shows it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) state: String,
    pub(crate) account: Option<String>,
    pub(crate) chat: Option<String>,
    pub(crate) chat_id: Option<String>,
    #[serde(flatten)]
    pub(crate) named: Named,
    /// The text of a message.
    pub(crate) text: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) failure: Option<Failure>,
    pub(crate) result: Option<serde_json::Value>,
    #[serde(default)]
    pub(crate) steps: Vec<Step>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// A step of it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Step {
    pub(crate) at: Timestamp,
    pub(crate) what: String,
    pub(crate) account: Option<String>,
    pub(crate) outcome: Option<String>,
    pub(crate) detail: Option<String>,
}

impl Operation {
    /// Whether it is a message, which has pages of its own.
    pub(crate) fn is_message(&self) -> bool {
        self.id.starts_with("msg_")
    }

    /// Where its page is.
    pub(crate) fn path(&self) -> String {
        if self.is_message() { format!("/messages/{}", self.id) } else { format!("/operations/{}", self.id) }
    }

    /// The chat in a list.
    pub(crate) fn chat_cell(&self) -> String {
        let cell = self.named.cell(self.chat_id.as_deref(), self.chat.as_deref());
        cell.and_then(|cell| cell.render().ok()).unwrap_or_default()
    }

    /// What people call its chat.
    pub(crate) fn chat_title(&self) -> Option<&str> {
        Some(self.named.cell(self.chat_id.as_deref(), self.chat.as_deref())?.name)
    }

    /// The chat as far as it is known.
    pub(crate) fn chat_name(&self) -> Option<&str> {
        self.chat_id.as_deref().or(self.chat.as_deref())
    }

    /// Whether a chat is to be made, so that a person who says it was must name it.
    pub(crate) fn makes_a_chat(&self) -> bool {
        self.kind == "create_chat"
    }

    pub(crate) fn can_retry(&self) -> bool {
        matches!(self.state.as_str(), "failed" | "cancelled")
    }

    pub(crate) fn can_cancel(&self) -> bool {
        self.state == "queued"
    }

    pub(crate) fn is_in_doubt(&self) -> bool {
        self.state == "in_doubt"
    }
}
