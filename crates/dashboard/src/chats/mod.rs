//! Chats: which account serves each, those that nobody finds, and giving them to another account or leaving them.

pub(crate) mod act;
pub(crate) mod list;
pub(crate) mod one;
pub(crate) mod unresolved;

use domain::Timestamp;
use serde::Deserialize;

/// A chat, as the API shows it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Chat {
    #[serde(rename = "chat_id")]
    pub(crate) id: String,
    pub(crate) title: Option<String>,
    pub(crate) about: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) state: String,
    pub(crate) account: Option<String>,
    #[serde(default)]
    pub(crate) accounts: Vec<String>,
    pub(crate) invite_link: Option<String>,
    pub(crate) operation: Option<String>,
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) left_at: Option<Timestamp>,
}

impl Chat {
    /// Where its page is.
    pub(crate) fn path(&self) -> String {
        format!("/chats/{}", self.id)
    }

    /// What people call it.
    pub(crate) fn name(&self) -> &str {
        self.title.as_deref().or(self.username.as_deref()).unwrap_or(&self.id)
    }

    /// The public name and the number, where they are not the name already.
    pub(crate) fn other_names(&self) -> impl Iterator<Item = &str> {
        [self.username.as_deref(), Some(self.id.as_str())]
            .into_iter()
            .flatten()
            .filter(|name| *name != self.name())
    }

    /// The accounts in it that do not serve it yet.
    pub(crate) fn others(&self) -> impl Iterator<Item = &String> {
        self.accounts.iter().filter(|account| self.account.as_ref() != Some(*account))
    }

    /// Whether it is a private dialog.
    pub(crate) fn is_private(&self) -> bool {
        !self.id.starts_with('-')
    }

    /// Whether an account is in it.
    pub(crate) fn is_active(&self) -> bool {
        self.state == "active"
    }
}
