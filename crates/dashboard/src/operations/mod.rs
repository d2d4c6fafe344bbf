//! Operations: all work in one list, and the steps of work on a chat.

pub(crate) mod act;
pub(crate) mod list;
pub(crate) mod one;

pub(crate) use api::{Operation, OperationStep};
use domain::AccountName;

use crate::listing::{chat_cell, chat_in_list};
use crate::view::Linked;

impl Linked for Operation {
    fn path(&self) -> String {
        if is_message(self) { format!("/messages/{}", self.id) } else { format!("/operations/{}", self.id) }
    }
}

/// Whether it is a message, which has pages of its own.
pub(crate) fn is_message(operation: &Operation) -> bool {
    operation.id.starts_with("msg_")
}

/// The chat by number, and as it was asked for.
fn chat(operation: &Operation) -> (Option<String>, Option<String>) {
    (operation.chat_id.map(|id| id.to_string()), operation.chat.as_ref().map(ToString::to_string))
}

pub(crate) fn chat_html(operation: &Operation) -> String {
    let (id, requested) = chat(operation);
    chat_in_list(&operation.names, id.as_deref(), requested.as_deref())
}

pub(crate) fn chat_title(operation: &Operation) -> Option<String> {
    let (id, requested) = chat(operation);
    chat_cell(&operation.names, id.as_deref(), requested.as_deref()).map(|cell| cell.name.to_owned())
}

/// The chat as far as it is known.
pub(crate) fn chat_name(operation: &Operation) -> Option<String> {
    let (id, requested) = chat(operation);
    id.or(requested)
}

/// The account that does or did it.
pub(crate) fn account_of(operation: &Operation) -> Option<&str> {
    operation.account.as_ref().map(AccountName::as_str)
}

/// Whether a chat is to be made, so that a person who says it was must name it.
pub(crate) fn makes_a_chat(operation: &Operation) -> bool {
    operation.kind == "create_chat"
}
