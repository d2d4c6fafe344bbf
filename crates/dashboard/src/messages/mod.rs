//! Messages: finding them, and why each is where it is.

pub(crate) mod act;
pub(crate) mod find;
pub(crate) mod received;
pub(crate) mod retry_failed;
#[cfg(test)]
mod tests;
mod timeline;
pub(crate) mod why;

pub(crate) use api::{Failure, Message};
pub(crate) use timeline::Step;

use domain::MessageState;

use crate::listing::chat_in_list;
use crate::view::Linked;

impl Linked for Message {
    fn path(&self) -> String {
        format!("/messages/{}", self.id)
    }
}

pub(crate) fn chat_cell(message: &Message) -> String {
    let (id, requested) = (message.chat_id.map(|id| id.to_string()), message.chat.to_string());
    chat_in_list(&message.names, id.as_deref(), Some(&requested))
}

/// Whether it can be sent again.
pub(crate) const fn can_retry(message: &Message) -> bool {
    matches!(message.state, MessageState::Failed | MessageState::Cancelled)
}

/// Whether it can be cancelled: with certainty, or so that it is tried no longer.
pub(crate) const fn can_cancel(message: &Message) -> bool {
    let waits = matches!(message.state, MessageState::Queued | MessageState::Scheduled);
    waits || message.gives_up_at.is_some()
}

/// Whether something waited when a backup was made, and may have been done since.
pub(crate) fn is_restored(failure: &Failure) -> bool {
    failure.code == domain::outcome::Failure::RESTORED
}
