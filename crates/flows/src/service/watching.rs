//! What comes in live, handed to the machines that watch for it.

use std::sync::Arc;

use domain::{AccountName, ChatId, ChatKind, TelegramMessageId, Timestamp};
use telegram::{LiveLine, Sighting, Watcher};

use super::Inner;
use crate::machine::Input;

impl Watcher for Inner {
    fn watches(&self, account: &AccountName, chat_id: ChatId) -> bool {
        !self.roster.read().watching(account, chat_id).is_empty()
    }

    /// Those that run see it first: their press waits for no other machine.
    fn seen(self: Arc<Self>, account: &AccountName, sighting: &Sighting, line: &LiveLine<'_>) {
        let roster = self.roster();
        let watching = roster.watching(account, sighting.chat_id).iter();
        let (running, at_rest): (Vec<_>, Vec<_>) =
            watching.partition(|instance| instance.machine.lock().is_running());
        for instance in running.into_iter().chain(at_rest) {
            self.feed(instance, Some(line), Input::Sighted(sighting));
        }
    }

    fn gone(
        self: Arc<Self>,
        account: &AccountName,
        channel: Option<ChatId>,
        message_ids: &[TelegramMessageId],
        version: i32,
    ) {
        let roster = self.roster();
        let is_concerned = |chat_id: ChatId| match channel {
            Some(channel) => chat_id == channel,
            // Such ids are the account's own: no two of its private chats and basic groups share one.
            None => chat_id.kind() != ChatKind::Channel,
        };
        let of_account = roster.all.iter().filter(|instance| instance.account == *account);
        for instance in of_account.filter(|instance| instance.chat_id().is_some_and(is_concerned)) {
            self.feed(instance, None, Input::Gone { message_ids, version });
        }
    }

    fn missed(
        self: Arc<Self>,
        account: &AccountName,
        chat_id: ChatId,
        message_id: TelegramMessageId,
        written_at: Timestamp,
    ) {
        for instance in self.roster().watching(account, chat_id) {
            self.feed(instance, None, Input::Missed { message_id, written_at });
        }
    }

    fn interrupted(self: Arc<Self>, account: &AccountName) {
        let roster = self.roster();
        for instance in roster.all.iter().filter(|instance| instance.account == *account) {
            self.feed(instance, None, Input::Interrupted);
        }
    }
}
