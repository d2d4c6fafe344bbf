//! Chats: which account serves each, those that nobody finds, and giving them to another account or leaving them.

mod act;
mod list;
mod one;
mod unresolved;

use axum::Router;
use axum::routing::{get, post};
use domain::Timestamp;
use serde::Deserialize;

use crate::dashboard::Dashboard;

/// The routes of chats.
pub(crate) fn routes() -> Router<Dashboard> {
    Router::new()
        .route("/chats", get(list::show))
        .route("/chats/unresolved", get(unresolved::show))
        .route("/chats/unresolved/actions/forget", post(unresolved::forget))
        .route("/chats/{id}", get(one::show))
        .route("/chats/{id}/bind", get(act::ask_to_bind))
        .route("/chats/{id}/leave", get(act::ask_to_leave))
        .route("/chats/{id}/actions/bind", post(act::bind))
        .route("/chats/{id}/actions/leave", post(act::leave))
}

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
