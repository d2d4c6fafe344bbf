//! Privacy: whom a user lets put it into a chat.

use serde::{Deserialize, Serialize};

use super::orders::OutsideError;
use super::peer::Peer;
use super::state::State;
use super::world::Telegram;

/// Who may put a user into a chat.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Invites {
    /// Anybody.
    #[default]
    Everybody,
    /// Users that it has exchanged messages with.
    Contacts,
    /// No one. A bot says so for good, and inviting it is an error.
    #[serde(rename = "nobody")]
    NoOne,
}

/// A user's privacy, as it is set and as it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Privacy {
    /// Who may put the user into a chat.
    pub invites: Invites,
}

impl State {
    /// Whether a user lets another put it into a chat.
    pub(crate) fn lets_in(&self, user: i64, by: i64) -> bool {
        let Some(person) = self.people.get(&user) else { return false };
        let wanted = match person.invites {
            Invites::Everybody => true,
            Invites::Contacts => self.has_dialog(user, by) || self.has_dialog(by, user),
            Invites::NoOne => false,
        };
        user == by || (wanted && !person.blocked.contains(&by))
    }

    fn has_dialog(&self, owner: i64, with: i64) -> bool {
        let dialog = self.mailboxes.get(&owner).and_then(|mailbox| mailbox.dialog(Peer::User(with)));
        dialog.is_some_and(|dialog| !dialog.hidden)
    }
}

impl Telegram {
    /// Sets a user's privacy.
    pub fn set_privacy(&self, name: &str, privacy: Privacy) -> Result<Privacy, OutsideError> {
        let mut state = self.lock();
        let user = state.named_user(name)?;
        if let Some(person) = state.people.get_mut(&user) {
            person.invites = privacy.invites;
        }
        Ok(privacy)
    }
}
