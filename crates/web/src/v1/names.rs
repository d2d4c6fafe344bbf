//! What people call the chats of a list, and the chats that a text names.

use std::collections::BTreeMap;

use domain::{ChatId, ChatRef};
use store::{ChatNames, StoreError};

use super::chats::today;
use crate::state::State;

/// The longest text that is searched for, in letters.
pub(super) const LONGEST_TEXT: usize = 200;

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

    pub(super) fn view(&self, chat: Option<ChatId>) -> api::ChatNames {
        chat.and_then(|chat| self.0.get(&chat)).map(api::ChatNames::from).unwrap_or_default()
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

/// Those of some chats, or of all, that a text names.
pub(super) async fn narrowed(
    state: &State,
    chats: Option<Vec<ChatId>>,
    text: &str,
) -> Result<Vec<ChatId>, StoreError> {
    let named = chats_named(state, text).await?;
    Ok(match chats {
        Some(chats) => chats.into_iter().filter(|chat| named.contains(chat)).collect(),
        None => named,
    })
}
