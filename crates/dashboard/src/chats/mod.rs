//! Chats: which account serves each, what was said there, those that no one finds, the do-not-contact list, and giving them to another account or leaving them.

pub(crate) mod act;
pub(crate) mod conversation;
pub(crate) mod do_not_contact;
pub(crate) mod list;
pub(crate) mod one;
pub(crate) mod unresolved;

pub(crate) use api::Chat;
use domain::{AccountName, ChatKind};

use crate::view::Linked;

impl Linked for Chat {
    fn path(&self) -> String {
        format!("/chats/{}", self.chat_id)
    }
}

/// Where the conversation of a chat is shown.
pub(crate) fn conversation_path(chat_id: &str) -> String {
    format!("/chats/{chat_id}/messages")
}

pub(crate) fn name(chat: &Chat) -> String {
    chat.title.clone().or_else(|| chat.username.clone()).unwrap_or_else(|| chat.chat_id.to_string())
}

/// The public name and the number, where they are not the name already.
pub(crate) fn other_names(chat: &Chat) -> impl Iterator<Item = String> {
    let shown = name(chat);
    [chat.username.clone(), Some(chat.chat_id.to_string())]
        .into_iter()
        .flatten()
        .filter(move |name| *name != shown)
}

pub(crate) fn serves(account: &AccountName, chat: &Chat) -> bool {
    chat.account.as_ref() == Some(account)
}

/// The accounts in a chat that do not serve it yet.
pub(crate) fn others(chat: &Chat) -> impl Iterator<Item = &AccountName> {
    chat.accounts.iter().filter(|account| !serves(account, chat))
}

/// Whether it is a private dialog.
pub(crate) fn is_private(chat: &Chat) -> bool {
    chat.chat_id.kind() == ChatKind::User
}

/// Whether an account is in it.
pub(crate) fn is_active(chat: &Chat) -> bool {
    chat.state == "active"
}
