//! Messages, edits and deletions in what Telegram sends by itself.

use std::sync::Arc;
use std::time::Duration;

use domain::{AccountName, ChatId, ChatKind, TelegramMessageId, Timestamp, UserId};
use grammers_session::updates::UpdatesLike;
use grammers_tl_types::{enums, types};

use super::{KnownBots, LiveLine, Sender, Sighting, Watcher, keyboard};
use crate::chat::history::at;
use crate::peers::parsing;

/// One arrival, for one watcher.
pub(super) struct Reading<'a> {
    pub(super) account: &'a AccountName,
    pub(super) me: Option<UserId>,
    pub(super) arrived: Duration,
    pub(super) watcher: &'a Arc<dyn Watcher>,
    pub(super) bots: &'a KnownBots,
}

impl Reading<'_> {
    pub(super) fn read(&self, updates: &UpdatesLike, line: &LiveLine<'_>) {
        let updates = match updates {
            UpdatesLike::Updates(updates) => updates,
            UpdatesLike::MalformedUpdates => return Arc::clone(self.watcher).interrupted(self.account),
            _ => return,
        };
        match updates {
            enums::Updates::Updates(all) => {
                all.updates.iter().for_each(|update| self.update(update, &all.users, line));
            }
            enums::Updates::Combined(all) => {
                all.updates.iter().for_each(|update| self.update(update, &all.users, line));
            }
            enums::Updates::UpdateShort(one) => self.update(&one.update, &[], line),
            enums::Updates::UpdateShortMessage(short) => self.short(short, line),
            enums::Updates::UpdateShortChatMessage(short) => self.short_in_group(short, line),
            enums::Updates::TooLong => Arc::clone(self.watcher).interrupted(self.account),
            enums::Updates::UpdateShortSentMessage(_) => {}
        }
    }

    fn update(&self, update: &enums::Update, users: &[enums::User], line: &LiveLine<'_>) {
        use enums::Update;
        match update {
            Update::NewMessage(new) => self.message(&new.message, new.pts, users, line),
            Update::NewChannelMessage(new) => self.message(&new.message, new.pts, users, line),
            Update::EditMessage(edit) => self.message(&edit.message, edit.pts, users, line),
            Update::EditChannelMessage(edit) => self.message(&edit.message, edit.pts, users, line),
            Update::DeleteMessages(gone) => self.gone(None, &gone.messages, gone.pts),
            Update::DeleteChannelMessages(gone) => {
                self.gone(ChatId::channel(gone.channel_id), &gone.messages, gone.pts);
            }
            Update::ChannelTooLong(_) => Arc::clone(self.watcher).interrupted(self.account),
            _ => {}
        }
    }

    fn message(&self, message: &enums::Message, version: i32, users: &[enums::User], line: &LiveLine<'_>) {
        let chat_id = match message {
            enums::Message::Message(message) => parsing::chat_id(&message.peer_id),
            _ => None,
        };
        if chat_id.is_some_and(|chat_id| self.watcher.watches(self.account, chat_id))
            && let Some(mut sighting) = of_message(message, version, self.me, self.arrived)
        {
            if let Some(user) = sighting.sender.id.user_id().filter(|_| sighting.sender.is_in_group) {
                if users.iter().any(|other| is_bot(other, user)) {
                    self.bots.add(user);
                }
                sighting.sender.is_bot |= self.bots.has(user);
            }
            Arc::clone(self.watcher).seen(self.account, &sighting, line);
        }
    }

    fn short(&self, short: &types::UpdateShortMessage, line: &LiveLine<'_>) {
        let Some(chat_id) = ChatId::user(short.user_id) else { return };
        let sender = Sender { id: chat_id, is_in_group: false, is_bot: false };
        let reply_to = replied(short.reply_to.as_ref());
        let change = (short.id, short.pts, short.date, short.out);
        self.plain(chat_id, change, (sender, reply_to), &short.message, line);
    }

    fn short_in_group(&self, short: &types::UpdateShortChatMessage, line: &LiveLine<'_>) {
        let Some(chat_id) = ChatId::group(short.chat_id) else { return };
        let is_own = short.out || self.me.is_some_and(|me| me.get() == short.from_id);
        let user = ChatId::user(short.from_id);
        let is_bot = user.and_then(ChatId::user_id).is_some_and(|user| self.bots.has(user));
        let sender = Sender { id: user.unwrap_or(chat_id), is_in_group: true, is_bot };
        let reply_to = replied(short.reply_to.as_ref());
        let change = (short.id, short.pts, short.date, is_own);
        self.plain(chat_id, change, (sender, reply_to), &short.message, line);
    }

    /// A message in its short form, which has no keyboard.
    fn plain(
        &self,
        chat_id: ChatId,
        (id, version, date, is_own): (i32, i32, i32, bool),
        (sender, reply_to): (Sender, Option<TelegramMessageId>),
        text: &str,
        line: &LiveLine<'_>,
    ) {
        let Some(message_id) = TelegramMessageId::new(id) else { return };
        if self.watcher.watches(self.account, chat_id) {
            let sighting = Sighting {
                chat_id,
                message_id,
                version,
                written_at: at(date),
                arrived: self.arrived,
                is_own,
                sender,
                reply_to,
                text: text.to_owned(),
                keyboard: None,
            };
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
    let chat_id = parsing::chat_id(&message.peer_id)?;
    let keyboard = message.reply_markup.as_ref().and_then(keyboard::read).map(Arc::new);
    let is_in_group = match chat_id.kind() {
        ChatKind::User => false,
        ChatKind::Group => true,
        ChatKind::Channel => !message.post,
    };
    let author = message.from_id.as_ref().and_then(parsing::chat_id).filter(|_| is_in_group);
    // Only a bot puts a keyboard under its own message. A person may send or forward that of a bot, which is then named.
    let is_of_another = message.via_bot_id.is_some() || message.fwd_from.is_some();
    let is_bot = is_in_group && from.is_some() && keyboard.is_some() && !is_of_another;
    Some(Sighting {
        chat_id,
        message_id: TelegramMessageId::new(message.id)?,
        version,
        written_at: at(message.edit_date.unwrap_or(message.date)),
        arrived,
        is_own: message.out || (me.is_some() && from == me),
        sender: Sender { id: author.unwrap_or(chat_id), is_in_group, is_bot },
        reply_to: replied(message.reply_to.as_ref()),
        text: message.message.clone(),
        keyboard,
    })
}

/// Whether this user is a bot, by what Telegram says of the users that an update names.
fn is_bot(named: &enums::User, user: UserId) -> bool {
    matches!(named, enums::User::User(named) if named.bot && named.id == user.get())
}

/// The message of the same chat that one answers.
fn replied(header: Option<&enums::MessageReplyHeader>) -> Option<TelegramMessageId> {
    match header {
        Some(enums::MessageReplyHeader::Header(header)) if header.reply_to_peer_id.is_none() => {
            header.reply_to_msg_id.and_then(TelegramMessageId::new)
        }
        _ => None,
    }
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

#[cfg(test)]
mod tests {
    use grammers_tl_types::{Deserializable as _, Serializable as _};

    use super::*;

    /// A message with a keyboard that a user writes in a group.
    fn with_keyboard() -> types::Message {
        let mut bytes = vec![0; 8];
        5_i32.serialize(&mut bytes);
        enums::Peer::from(types::PeerChannel { channel_id: 9 }).serialize(&mut bytes);
        1_700_000_000_i32.serialize(&mut bytes);
        "New trip".to_owned().serialize(&mut bytes);
        let message = types::Message::from_bytes(&bytes).expect("a message");
        types::Message {
            from_id: Some(types::PeerUser { user_id: 7 }.into()),
            reply_markup: Some(types::ReplyInlineMarkup { force_reply: false, rows: Vec::new() }.into()),
            ..message
        }
    }

    #[test]
    fn a_keyboard_shows_a_bot_only_where_no_other_bot_made_it() {
        let sender = |message: types::Message| {
            of_message(&message.into(), 1, None, Duration::ZERO).expect("a sighting").sender
        };
        let forward = types::MessageFwdHeader::from_bytes(&[0; 8]).expect("a header");
        for (message, is_bot) in [
            (with_keyboard(), true),
            (types::Message { fwd_from: Some(forward.into()), ..with_keyboard() }, false),
            (types::Message { via_bot_id: Some(8), ..with_keyboard() }, false),
            // An anonymous administrator, and a channel, write as a chat.
            (types::Message { from_id: None, ..with_keyboard() }, false),
            (
                types::Message {
                    from_id: Some(types::PeerChannel { channel_id: 8 }.into()),
                    ..with_keyboard()
                },
                false,
            ),
            (types::Message { post: true, from_id: None, ..with_keyboard() }, false),
        ] {
            let is_post = message.post;
            let sender = sender(message);
            assert_eq!((sender.is_bot, sender.is_in_group), (is_bot, !is_post), "{sender:?}");
        }
    }
}
