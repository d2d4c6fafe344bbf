//! Messages: finding them, and why each is where it is.

pub(crate) mod act;
pub(crate) mod find;
pub(crate) mod retry_failed;
#[cfg(test)]
mod tests;
mod timeline;
pub(crate) mod why;

use askama::Template;
use domain::{MessageId, Timestamp};
use serde::Deserialize;

pub(crate) use timeline::Step;

use crate::listing::Named;

/// A message, as the API shows it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Message {
    pub(crate) id: MessageId,
    pub(crate) state: String,
    pub(crate) account: Option<String>,
    pub(crate) chat: String,
    pub(crate) chat_id: Option<String>,
    #[serde(flatten)]
    pub(crate) named: Named,
    #[serde(default)]
    pub(crate) text: String,
    #[serde(default, rename = "message_ids")]
    pub(crate) sent_ids: Vec<i64>,
    #[serde(default)]
    pub(crate) parts: u64,
    #[serde(default)]
    pub(crate) media: Vec<Media>,
    pub(crate) failure: Option<Failure>,
    pub(crate) send_at: Option<Timestamp>,
    /// It may have arrived, and is tried until then.
    pub(crate) gives_up_at: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// A file of a message.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Media {
    #[serde(default)]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) size: Option<u64>,
}

/// Why something failed.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Failure {
    pub(crate) code: String,
    pub(crate) detail: String,
    pub(crate) provider_code: Option<String>,
}

impl Failure {
    /// Whether it waited when a backup was made, and may have been sent since.
    pub(crate) fn is_restored(&self) -> bool {
        self.code == domain::outcome::Failure::RESTORED
    }
}

impl Message {
    /// Where its page is.
    pub(crate) fn path(&self) -> String {
        format!("/messages/{}", self.id)
    }

    /// The chat in a list.
    pub(crate) fn chat_cell(&self) -> String {
        let cell = self.named.cell(self.chat_id.as_deref(), Some(&self.chat));
        cell.and_then(|cell| cell.render().ok()).unwrap_or_default()
    }

    /// Whether it can be sent again.
    pub(crate) fn can_retry(&self) -> bool {
        matches!(self.state.as_str(), "failed" | "cancelled")
    }

    /// Whether it can be cancelled: with certainty, or so that it is tried no longer.
    pub(crate) fn can_cancel(&self) -> bool {
        matches!(self.state.as_str(), "queued" | "scheduled" | "awaiting_approval")
            || self.gives_up_at.is_some()
    }

    /// Whether a person has to say what became of it.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.state == "in_doubt"
    }
}
