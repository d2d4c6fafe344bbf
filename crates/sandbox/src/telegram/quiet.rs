//! What happens without notifying anyone: an update that got lost on its way.

use std::sync::MutexGuard;

use super::orders::{ChatName, MemberOrder, NewChat, NewUsername, OutsideError, UserName};
use super::state::State;
use super::world::Telegram;

/// The world while nothing is pushed. What is done takes effect, and is found by clients that ask.
pub struct Quiet<'a>(MutexGuard<'a, State>);

impl Telegram {
    /// Holds all pushes back while something is done.
    pub fn quietly(&self) -> Quiet<'_> {
        let mut state = self.lock();
        state.hushed = true;
        Quiet(state)
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        self.0.hushed = false;
    }
}

impl Quiet<'_> {
    /// As [`Telegram::make_chat`].
    pub fn make_chat(&mut self, order: &NewChat) -> Result<ChatName, OutsideError> {
        self.0.make_chat(order)
    }

    /// As [`Telegram::close_chat`].
    pub fn close_chat(&mut self, chat_id: &str) -> Result<(), OutsideError> {
        self.0.close_chat(chat_id)
    }

    /// As [`Telegram::migrate`].
    pub fn migrate(&mut self, chat_id: &str) -> Result<ChatName, OutsideError> {
        self.0.migrate_chat(chat_id)
    }

    /// As [`Telegram::move_member`].
    pub fn move_member(&mut self, chat_id: &str, order: &MemberOrder) -> Result<(), OutsideError> {
        self.0.move_member(chat_id, order)
    }

    /// As [`Telegram::rename`].
    pub fn rename(&mut self, name: &str, order: &NewUsername) -> Result<UserName, OutsideError> {
        self.0.rename(name, order)
    }
}
