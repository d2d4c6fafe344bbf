//! Messages, edits and deletions in what Telegram sends by itself.

use std::sync::Arc;
use std::time::Duration;

use domain::{AccountName, ChatId, TelegramMessageId, Timestamp, UserId};
use grammers_session::updates::UpdatesLike;
use grammers_tl_types::{enums, types};

use super::{LiveLine, Sighting, Watcher, keyboard};
use crate::chat::history::at;
use crate::peers::parsing;

/// One arrival, for one watcher.
pub(super) struct Reading<'a> {
    pub(super) account: &'a AccountName,
    pub(super) me: Option<UserId>,
    pub(super) arrived: Duration,
    pub(super) watcher: &'a Arc<dyn Watcher>,
}

impl Reading<'_> {
    pub(super) fn read(&self, updates: &UpdatesLike, line: &LiveLine<'_>) {
        let updates = match updates {
            UpdatesLike::Updates(updates) => updates,
            UpdatesLike::MalformedUpdates => return Arc::clone(self.watcher).interrupted(self.account),
            _ => return,
        };
        match updates {
            enums::Updates::Updates(all) => all.updates.iter().for_each(|update| self.update(update, line)),
            enums::Updates::Combined(all) => all.updates.iter().for_each(|update| self.update(update, line)),
            enums::Updates::UpdateShort(one) => self.update(&one.update, line),
            enums::Updates::UpdateShortMessage(short) => self.short(short, line),
            enums::Updates::UpdateShortChatMessage(short) => self.short_in_group(short, line),
            enums::Updates::TooLong => Arc::clone(self.watcher).interrupted(self.account),
            enums::Updates::UpdateShortSentMessage(_) => {}
        }
    }

    fn update(&self, update: &enums::Update, line: &LiveLine<'_>) {
        use enums::Update;
        match update {
            Update::NewMessage(new) => self.message(&new.message, new.pts, line),
            Update::NewChannelMessage(new) => self.message(&new.message, new.pts, line),
            Update::EditMessage(edit) => self.message(&edit.message, edit.pts, line),
            Update::EditChannelMessage(edit) => self.message(&edit.message, edit.pts, line),
            Update::DeleteMessages(gone) => self.gone(None, &gone.messages, gone.pts),
            Update::DeleteChannelMessages(gone) => {
                self.gone(ChatId::channel(gone.channel_id), &gone.messages, gone.pts);
            }
            Update::ChannelTooLong(_) => Arc::clone(self.watcher).interrupted(self.account),
            _ => {}
        }
    }

    fn message(&self, message: &enums::Message, version: i32, line: &LiveLine<'_>) {
        let chat_id = match message {
            enums::Message::Message(message) => parsing::chat_id(&message.peer_id),
            _ => None,
        };
        if chat_id.is_some_and(|chat_id| self.watcher.watches(self.account, chat_id))
            && let Some(sighting) = of_message(message, version, self.me, self.arrived)
        {
            Arc::clone(self.watcher).seen(self.account, &sighting, line);
        }
    }

    fn short(&self, short: &types::UpdateShortMessage, line: &LiveLine<'_>) {
        let Some(chat_id) = ChatId::user(short.user_id) else { return };
        let version = short.pts;
        self.plain(chat_id, (short.id, version, short.date, short.out), &short.message, line);
    }

    fn short_in_group(&self, short: &types::UpdateShortChatMessage, line: &LiveLine<'_>) {
        let Some(chat_id) = ChatId::group(short.chat_id) else { return };
        let is_own = short.out || self.me.is_some_and(|me| me.get() == short.from_id);
        self.plain(chat_id, (short.id, short.pts, short.date, is_own), &short.message, line);
    }

    /// A message in its short form, which has no keyboard.
    fn plain(
        &self,
        chat_id: ChatId,
        (id, version, date, is_own): (i32, i32, i32, bool),
        text: &str,
        line: &LiveLine<'_>,
    ) {
        let Some(message_id) = TelegramMessageId::new(id) else { return };
        if self.watcher.watches(self.account, chat_id) {
            let (written_at, arrived, text) = (at(date), self.arrived, text.to_owned());
            let sighting =
                Sighting { chat_id, message_id, version, written_at, arrived, is_own, text, keyboard: None };
            Arc::clone(self.watcher).seen(self.account, &sighting, line);
        }
    }

    fn gone(&self, channel: Option<ChatId>, message_ids: &[i32], version: i32) {
        let message_ids: Vec<_> = message_ids.iter().filter_map(|id| TelegramMessageId::new(*id)).collect();
        Arc::clone(self.watcher).gone(self.account, channel, &message_ids, version);
    }
}

/// A message as it is seen; nothing of one that is gone or that Telegram wrote itself.
pub(super) fn of_message(
    message: &enums::Message,
    version: i32,
    me: Option<UserId>,
    arrived: Duration,
) -> Option<Sighting> {
    let enums::Message::Message(message) = message else { return None };
    let from = message.from_id.as_ref().and_then(parsing::user_id);
    Some(Sighting {
        chat_id: parsing::chat_id(&message.peer_id)?,
        message_id: TelegramMessageId::new(message.id)?,
        version,
        written_at: at(message.edit_date.unwrap_or(message.date)),
        arrived,
        is_own: message.out || (me.is_some() && from == me),
        text: message.message.clone(),
        keyboard: message.reply_markup.as_ref().and_then(keyboard::read).map(Arc::new),
    })
}

/// The messages that were new or changed in an absence, each with its chat and when it was written or edited.
pub(super) fn missed<'u>(
    updates: impl Iterator<Item = &'u enums::Update>,
) -> impl Iterator<Item = (ChatId, TelegramMessageId, Timestamp)> {
    use enums::Update;
    updates.filter_map(|update| {
        let message = match update {
            Update::NewMessage(new) => &new.message,
            Update::NewChannelMessage(new) => &new.message,
            Update::EditMessage(edit) => &edit.message,
            Update::EditChannelMessage(edit) => &edit.message,
            _ => return None,
        };
        let sighting = of_message(message, 0, None, Duration::ZERO)?;
        Some((sighting.chat_id, sighting.message_id, sighting.written_at))
    })
}
