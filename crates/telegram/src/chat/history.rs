//! The latest messages of a chat, page by page.

use domain::{AccountName, ChatKind, ChatRef, TelegramMessageId, Timestamp, UserId, Words};
use grammers_tl_types::{enums, functions, types};
use serde::Serialize;

use super::{ReadError, ask, reader, unknown};
use crate::files::{FileShown, file_shown};
use crate::peers::{lookup, parsing};
use crate::pool::Pool;

/// Messages at once, as many as Telegram gives.
const MOST: u32 = 100;

/// A message as Telegram keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryView {
    pub message_id: TelegramMessageId,
    /// When it was sent, by Telegram's clock.
    pub at: Timestamp,
    pub from: Option<UserId>,
    pub outgoing: bool,
    pub text: Words,
    pub reply_to: Option<TelegramMessageId>,
    /// What is attached: `photo`, `video`, `document` and so on.
    pub media: Option<&'static str>,
    /// The file that can be brought down, if what is attached is one.
    pub file: Option<FileShown>,
    /// What happened, when it reports a change of the chat.
    pub service: Option<String>,
}

/// Some messages, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryPage {
    pub items: Vec<HistoryView>,
    /// The id to ask for with `before` for older ones, if there may be any.
    pub next_cursor: Option<String>,
    /// Whose the ids are, where each account counts messages in its own way: everywhere but in supergroups and channels.
    pub counted_by: Option<AccountName>,
}

impl Pool {
    /// Asks Telegram for the messages of a chat that are older than `before`; at most `limit` (100) at once.
    pub async fn history(
        &self,
        chat: &ChatRef,
        pin: Option<&AccountName>,
        limit: u32,
        before: Option<TelegramMessageId>,
    ) -> Result<HistoryPage, ReadError> {
        let (account, chat_id) = reader(self, chat, pin).await?;
        let limit = i32::try_from(limit.clamp(1, MOST)).unwrap_or(1);
        let request = functions::messages::GetHistory {
            peer: lookup::input(&account, chat_id).await.ok_or_else(|| unknown(&account))?,
            // Telegram takes 0 for the newest.
            offset_id: before.map_or(0, TelegramMessageId::get),
            offset_date: 0,
            add_offset: 0,
            limit,
            max_id: 0,
            min_id: 0,
            hash: 0,
        };
        let (messages, users, chats) = match ask(&account, &request).await? {
            enums::messages::Messages::Messages(all) => (all.messages, all.users, all.chats),
            enums::messages::Messages::Slice(slice) => (slice.messages, slice.users, slice.chats),
            enums::messages::Messages::ChannelMessages(slice) => (slice.messages, slice.users, slice.chats),
            enums::messages::Messages::NotModified(_) => return Ok(HistoryPage::default()),
        };
        account.learn(&users, &chats, &[]).await;
        let me = account.health.user_id();
        let full = messages.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
        let items: Vec<HistoryView> = messages.iter().filter_map(|message| view(message, me)).collect();
        let next_cursor = messages.last().filter(|_| full).map(|oldest| oldest.id().to_string());
        let counted_by = (chat_id.kind() != ChatKind::Channel).then(|| account.name.clone());
        Ok(HistoryPage { items, next_cursor, counted_by })
    }
}

/// A message in our words; nothing of one that was deleted. `me` is the account's own user.
fn view(message: &enums::Message, me: Option<UserId>) -> Option<HistoryView> {
    match message {
        enums::Message::Empty(_) => None,
        enums::Message::Message(message) => Some(HistoryView {
            message_id: TelegramMessageId::new(message.id)?,
            at: at(message.date),
            from: sender(message.from_id.as_ref(), &message.peer_id, message.out, me),
            outgoing: message.out,
            text: message.message.clone().into(),
            reply_to: message.reply_to.as_ref().and_then(answered),
            media: message.media.as_ref().and_then(media),
            file: message.media.as_ref().and_then(file_shown),
            service: None,
        }),
        enums::Message::Service(message) => Some(HistoryView {
            message_id: TelegramMessageId::new(message.id)?,
            at: at(message.date),
            from: sender(message.from_id.as_ref(), &message.peer_id, message.out, me),
            outgoing: message.out,
            text: Words::default(),
            reply_to: message.reply_to.as_ref().and_then(answered),
            media: None,
            file: None,
            service: Some(service(&message.action)),
        }),
    }
}

pub(crate) const fn at(seconds: i32) -> Timestamp {
    Timestamp::from_micros(seconds as i64 * 1_000_000)
}

/// Who sent it: in private dialogs messages do not name the one they are from.
fn sender(from: Option<&enums::Peer>, peer: &enums::Peer, out: bool, me: Option<UserId>) -> Option<UserId> {
    match (from, peer) {
        (None, _) if out => me,
        (Some(author), _) | (None, author) => parsing::user_id(author),
    }
}

pub(crate) fn answered(reply: &enums::MessageReplyHeader) -> Option<TelegramMessageId> {
    match reply {
        enums::MessageReplyHeader::Header(header) => header.reply_to_msg_id.and_then(TelegramMessageId::new),
        enums::MessageReplyHeader::MessageReplyStoryHeader(_) => None,
    }
}

/// What is attached, in one word; nothing for the preview of a link.
pub(crate) fn media(media: &enums::MessageMedia) -> Option<&'static str> {
    use enums::MessageMedia as Media;
    Some(match media {
        Media::Empty | Media::WebPage(_) => return None,
        Media::Photo(_) => "photo",
        Media::Document(document) => document_word(document),
        Media::Geo(_) | Media::GeoLive(_) => "location",
        Media::Venue(_) => "venue",
        Media::Contact(_) => "contact",
        Media::Poll(_) => "poll",
        Media::Dice(_) => "dice",
        Media::Game(_) => "game",
        Media::Invoice(_) => "invoice",
        Media::Story(_) => "story",
        _ => "other",
    })
}

fn document_word(media: &types::MessageMediaDocument) -> &'static str {
    let Some(enums::Document::Document(document)) = &media.document else { return "document" };
    if media.voice {
        return "voice";
    }
    if media.round {
        return "video_note";
    }
    let mut word = "document";
    for attribute in &document.attributes {
        match attribute {
            enums::DocumentAttribute::Sticker(_) => return "sticker",
            enums::DocumentAttribute::Animated => return "animation",
            enums::DocumentAttribute::Video(_) => word = "video",
            enums::DocumentAttribute::Audio(_) => word = "audio",
            _ => {}
        }
    }
    word
}

pub(crate) fn service(action: &enums::MessageAction) -> String {
    use enums::MessageAction as Action;
    match action {
        Action::ChatCreate(_) | Action::ChannelCreate(_) => "created",
        Action::ChatEditTitle(_) => "title_changed",
        Action::ChatEditPhoto(_) | Action::ChatDeletePhoto => "photo_changed",
        Action::ChatAddUser(_) => "members_added",
        Action::ChatDeleteUser(_) => "member_removed",
        Action::ChatJoinedByLink(_) | Action::ChatJoinedByRequest => "member_joined",
        Action::ChatMigrateTo(_) | Action::ChannelMigrateFrom(_) => "became_supergroup",
        Action::PinMessage => "message_pinned",
        Action::HistoryClear => "history_cleared",
        Action::PhoneCall(_) => "phone_call",
        Action::ContactSignUp => "contact_joined",
        _ => "other",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sender_is_reported_in_private_dialogs_too() {
        let user = |user_id| -> enums::Peer { types::PeerUser { user_id }.into() };
        let channel: enums::Peer = types::PeerChannel { channel_id: 9 }.into();
        let (me, id) = (UserId::new(1), UserId::new);
        assert_eq!(sender(Some(&user(5)), &channel, false, me), id(5));
        assert_eq!(sender(None, &user(7), false, me), id(7));
        assert_eq!(sender(None, &user(7), true, me), me);
        assert_eq!(sender(Some(&channel), &channel, false, me), None);
        assert_eq!(at(3).as_seconds(), 3);
    }

    #[test]
    fn service_actions_have_words() {
        assert_eq!(service(&types::MessageActionChatAddUser { users: vec![1] }.into()), "members_added");
        assert_eq!(service(&enums::MessageAction::Empty), "other");
        assert_eq!(media(&enums::MessageMedia::Empty), None);
    }
}
