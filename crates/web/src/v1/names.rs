//! What people call the chats of a list, and the chats that a text names.

use std::collections::BTreeMap;

use domain::{ChatId, ChatRef};
use serde::Serialize;
use store::{ChatNames, StoreError};
use utoipa::ToSchema;

use super::chats::today;
use crate::state::State;

/// The longest text that is searched for, in letters.
pub(super) const LONGEST_TEXT: usize = 200;

/// What people call a chat; left out as far as it is not known.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub(crate) struct NamesView {
    /// The title of the chat, or the name of the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Order 1001")]
    pub(crate) chat_title: Option<String>,
    /// The public name of the chat or person.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "@demo_channel")]
    pub(crate) chat_username: Option<String>,
}

impl From<&ChatNames> for NamesView {
    fn from(names: &ChatNames) -> Self {
        Self {
            chat_title: names.title.clone(),
            chat_username: names.username.as_ref().map(ToString::to_string),
        }
    }
}

/// The names of the chats of a list.
#[derive(Debug, Default)]
pub(crate) struct Names(BTreeMap<ChatId, ChatNames>);

impl Names {
    /// Asks the store once, however many there are.
    pub(super) async fn of(
        state: &State,
        chats: impl Iterator<Item = Option<ChatId>>,
    ) -> Result<Self, StoreError> {
        let mut chats: Vec<_> = chats.flatten().collect();
        chats.sort_unstable();
        chats.dedup();
        Ok(Self(state.store().chats().names(chats).await?))
    }

    /// Those of one chat.
    pub(super) fn view(&self, chat: Option<ChatId>) -> NamesView {
        chat.and_then(|chat| self.0.get(&chat)).map(NamesView::from).unwrap_or_default()
    }
}

/// Reads a text to search for.
pub(super) fn wanted(text: &str) -> Result<String, String> {
    let text = text.trim();
    let fits = text.chars().count() <= LONGEST_TEXT;
    fits.then(|| text.to_owned()).ok_or_else(|| format!("write at most {LONGEST_TEXT} letters"))
}

/// The chats that a text names: the one with this number or public name, and all that have it in a name.
pub(super) async fn chats_named(state: &State, text: &str) -> Result<Vec<ChatId>, StoreError> {
    let exact = text.parse::<ChatRef>().ok().and_then(|chat| today(state, &chat));
    let mut found = state.store().chats().find(text).await?;
    match exact {
        // What names one chat exactly means that one, though others have it in their names.
        Some(chat) if found.contains(&chat) || text.starts_with('-') => Ok(vec![chat]),
        exact => {
            found.extend(exact);
            Ok(found)
        }
    }
}
