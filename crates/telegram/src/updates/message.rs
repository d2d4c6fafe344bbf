//! A message of Telegram's in our words. Pure.

use std::collections::HashMap;

use domain::received_message::{
    ForwardedFrom, Reaction, ReceivedEntity, ReceivedFile, ReceivedMedia, ReceivedMessage,
};
use domain::{AccountName, ChatId, MessageOrigin, TelegramMessageId, UserId, Words};
use grammers_tl_types::{enums, types};

use crate::chat::history;
use crate::files::file_shown;
use crate::peers::parsing;

/// As whom Telegram itself writes to an account, sign-in codes among it.
const TELEGRAM: i64 = 777_000;

/// Who is who in an answer.
#[derive(Debug, Default)]
pub(super) struct Cast(HashMap<ChatId, Named>);

/// What someone is called.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) is_bot: bool,
}

impl Cast {
    pub(super) fn of(users: &[enums::User], chats: &[enums::Chat]) -> Self {
        let mut cast = HashMap::with_capacity(users.len() + chats.len());
        for user in users {
            if let enums::User::User(user) = user
                && let Some(chat_id) = ChatId::user(user.id)
            {
                let named = Named { name: parsing::display_name(user), is_bot: user.bot };
                cast.insert(chat_id, named);
            }
        }
        for chat in chats {
            let (chat_id, name) = match chat {
                enums::Chat::Chat(group) => (ChatId::group(group.id), &group.title),
                enums::Chat::Channel(channel) => (ChatId::channel(channel.id), &channel.title),
                _ => continue,
            };
            if let Some(chat_id) = chat_id {
                cast.insert(chat_id, Named { name: name.clone(), is_bot: false });
            }
        }
        Self(cast)
    }
}

/// The account that a message is shown to.
pub(super) struct Viewer<'a> {
    pub(super) account: &'a AccountName,
    pub(super) me: Option<UserId>,
    pub(super) cast: &'a Cast,
    /// What is known of a peer that an answer does not introduce.
    pub(super) cached_name: &'a dyn Fn(ChatId) -> Option<Named>,
}

impl Viewer<'_> {
    fn named(&self, chat_id: ChatId) -> Option<Named> {
        let named = self.cast.0.get(&chat_id).cloned();
        named.or_else(|| (self.cached_name)(chat_id)).filter(|named| !named.name.is_empty() || named.is_bot)
    }

    /// The message; nothing of one that is gone.
    pub(super) fn received(&self, message: &enums::Message) -> Option<ReceivedMessage> {
        match message {
            enums::Message::Empty(_) => None,
            enums::Message::Message(message) => self.of_someone(message),
            enums::Message::Service(message) => self.of_service(message),
        }
    }

    fn of_someone(&self, message: &types::Message) -> Option<ReceivedMessage> {
        let chat_id = parsing::chat_id(&message.peer_id)?;
        let sender = self.sender(message.from_id.as_ref(), chat_id, message.out);
        let named = sender.and_then(|sender| self.named(sender));
        let is_own =
            message.out || sender.is_some_and(|sender| sender.user_id() == self.me && self.me.is_some());
        let origin = match &named {
            _ if is_own => MessageOrigin::Owner,
            _ if sender.is_some_and(|sender| sender.get() == TELEGRAM) => MessageOrigin::Service,
            Some(named) if named.is_bot => MessageOrigin::Bot,
            _ => MessageOrigin::Person,
        };
        // A sign-in code is a secret: a reader of the store must not get into the account with it.
        let (text, entities) = if origin == MessageOrigin::Service {
            (Words::default(), Vec::new())
        } else {
            let entities = message.entities.iter().flatten().filter_map(entity).collect();
            (message.message.clone().into(), entities)
        };
        Some(ReceivedMessage {
            account: self.account.clone(),
            chat_id,
            message_id: TelegramMessageId::new(message.id)?,
            origin,
            sender,
            sender_name: named.map(|named| named.name),
            text,
            entities,
            media: message.media.as_ref().and_then(media),
            service: None,
            reply_to: message.reply_to.as_ref().and_then(history::answered),
            forward: message.fwd_from.as_ref().map(forwarded),
            reactions: message.reactions.as_ref().map(reactions).unwrap_or_default(),
            album: message.grouped_id,
            sent_at: history::at(message.date),
            // A change that Telegram hides is none of the writer's.
            edited_at: message.edit_date.filter(|_| !message.edit_hide).map(history::at),
        })
    }

    fn of_service(&self, message: &types::MessageService) -> Option<ReceivedMessage> {
        let chat_id = parsing::chat_id(&message.peer_id)?;
        let sender = self.sender(message.from_id.as_ref(), chat_id, message.out);
        Some(ReceivedMessage {
            account: self.account.clone(),
            chat_id,
            message_id: TelegramMessageId::new(message.id)?,
            origin: MessageOrigin::Service,
            sender,
            sender_name: sender.and_then(|sender| self.named(sender)).map(|named| named.name),
            text: Words::default(),
            entities: Vec::new(),
            media: None,
            service: Some(history::service(&message.action)),
            reply_to: message.reply_to.as_ref().and_then(history::answered),
            forward: None,
            reactions: message.reactions.as_ref().map(reactions).unwrap_or_default(),
            album: None,
            sent_at: history::at(message.date),
            edited_at: None,
        })
    }

    /// In private chats messages do not name the one they are from, and in channels they are from the channel.
    fn sender(&self, from: Option<&enums::Peer>, chat_id: ChatId, out: bool) -> Option<ChatId> {
        match from {
            Some(from) => parsing::chat_id(from),
            None if out && chat_id.user_id().is_some() => self.me.map(ChatId::from),
            None => Some(chat_id),
        }
    }
}

fn media(shown: &enums::MessageMedia) -> Option<ReceivedMedia> {
    let kind = history::media(shown)?.to_owned();
    let file = file_shown(shown).map(|file| ReceivedFile {
        name: Some(file.name).filter(|name| !name.is_empty()),
        mime: file.mime,
        size: file.size,
    });
    Some(ReceivedMedia { kind, file })
}

fn forwarded(header: &enums::MessageFwdHeader) -> ForwardedFrom {
    let enums::MessageFwdHeader::Header(header) = header;
    ForwardedFrom {
        from_id: header.from_id.as_ref().and_then(parsing::chat_id),
        name: header.from_name.clone().or_else(|| header.post_author.clone()),
        at: history::at(header.date),
        message_id: header.channel_post.and_then(TelegramMessageId::new),
    }
}

pub(super) fn reactions(reactions: &enums::MessageReactions) -> Vec<Reaction> {
    let enums::MessageReactions::Reactions(reactions) = reactions;
    let counted = reactions.results.iter().filter_map(|counted| {
        let enums::ReactionCount::Count(counted) = counted;
        let (emoji, custom_emoji_id) = match &counted.reaction {
            enums::Reaction::Emoji(emoji) => (Some(emoji.emoticon.clone()), None),
            enums::Reaction::CustomEmoji(emoji) => (None, Some(emoji.document_id)),
            enums::Reaction::Paid => (Some("⭐".to_owned()), None),
            enums::Reaction::Empty => return None,
        };
        Some(Reaction { emoji, custom_emoji_id, count: u32::try_from(counted.count).unwrap_or(0) })
    });
    counted.collect()
}

fn entity(entity: &enums::MessageEntity) -> Option<ReceivedEntity> {
    use enums::MessageEntity as Kind;
    let plain = |kind: &str, offset: i32, length: i32| {
        Some(ReceivedEntity {
            offset: u32::try_from(offset).ok()?,
            length: u32::try_from(length).ok()?,
            kind: kind.to_owned(),
            url: None,
            user_id: None,
            language: None,
            id: None,
            expandable: None,
        })
    };
    match entity {
        Kind::Bold(at) => plain("bold", at.offset, at.length),
        Kind::Italic(at) => plain("italic", at.offset, at.length),
        Kind::Underline(at) => plain("underline", at.offset, at.length),
        Kind::Strike(at) => plain("strikethrough", at.offset, at.length),
        Kind::Spoiler(at) => plain("spoiler", at.offset, at.length),
        Kind::Code(at) => plain("code", at.offset, at.length),
        Kind::Url(at) => plain("url", at.offset, at.length),
        Kind::Email(at) => plain("email", at.offset, at.length),
        Kind::Phone(at) => plain("phone", at.offset, at.length),
        Kind::Mention(at) => plain("mention", at.offset, at.length),
        Kind::Hashtag(at) => plain("hashtag", at.offset, at.length),
        Kind::Cashtag(at) => plain("cashtag", at.offset, at.length),
        Kind::BotCommand(at) => plain("bot_command", at.offset, at.length),
        Kind::BankCard(at) => plain("bank_card", at.offset, at.length),
        Kind::Pre(at) => {
            let language = Some(at.language.clone());
            plain("pre", at.offset, at.length).map(|entity| ReceivedEntity { language, ..entity })
        }
        Kind::TextUrl(at) => {
            let url = Some(at.url.as_str().into());
            plain("text_link", at.offset, at.length).map(|entity| ReceivedEntity { url, ..entity })
        }
        Kind::MentionName(at) => {
            let user_id = Some(at.user_id);
            plain("mention_user", at.offset, at.length).map(|entity| ReceivedEntity { user_id, ..entity })
        }
        Kind::CustomEmoji(at) => {
            let id = Some(at.document_id);
            plain("custom_emoji", at.offset, at.length).map(|entity| ReceivedEntity { id, ..entity })
        }
        Kind::Blockquote(at) => {
            let expandable = Some(at.collapsed);
            plain("blockquote", at.offset, at.length).map(|entity| ReceivedEntity { expandable, ..entity })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::parsing::tests::some_user;
    use domain::Timestamp;
    use grammers_tl_types::Deserializable as _;

    /// A message with all flags off, which is nothing but its id, chat, time and text.
    fn message(id: i32, peer: &enums::Peer, text: &str) -> types::Message {
        use grammers_tl_types::Serializable as _;
        let mut bytes = vec![0; 8];
        id.serialize(&mut bytes);
        peer.serialize(&mut bytes);
        1_700_000_000_i32.serialize(&mut bytes);
        text.to_owned().serialize(&mut bytes);
        types::Message::from_bytes(&bytes).expect("a message")
    }

    fn user(user_id: i64) -> enums::Peer {
        types::PeerUser { user_id }.into()
    }

    fn read_message(message: types::Message, users: Vec<types::User>) -> ReceivedMessage {
        let users: Vec<enums::User> = users.into_iter().map(Into::into).collect();
        let cast = Cast::of(&users, &[]);
        let account = "main".parse().expect("a name");
        let viewer = Viewer { account: &account, me: UserId::new(1), cast: &cast, cached_name: &|_| None };
        viewer.received(&message.into()).expect("a message")
    }

    #[test]
    fn message_authors_are_distinguished() {
        let person = types::User { first_name: Some("Ann".into()), ..some_user(7) };
        let bot = types::User { bot: true, ..some_user(8) };
        let private = |id, user_id| message(id, &user(user_id), "hi");
        let from_ann = read_message(private(1, 7), vec![person]);
        assert_eq!(
            (from_ann.origin, from_ann.sender, from_ann.sender_name.as_deref(), &*from_ann.text),
            (MessageOrigin::Person, ChatId::user(7), Some("Ann"), "hi")
        );
        assert_eq!(from_ann.id().to_string().parse(), Ok(from_ann.id()));
        assert_eq!(read_message(private(2, 8), vec![bot]).origin, MessageOrigin::Bot);
        let own = read_message(types::Message { out: true, ..private(3, 7) }, Vec::new());
        assert_eq!((own.origin, own.sender), (MessageOrigin::Owner, ChatId::user(1)));
        // What an account writes to itself is not marked as going out.
        assert_eq!(read_message(private(4, 1), Vec::new()).origin, MessageOrigin::Owner);
        let channel: enums::Peer = types::PeerChannel { channel_id: 9 }.into();
        let post = read_message(message(5, &channel, "news"), Vec::new());
        assert_eq!((post.origin, post.sender), (MessageOrigin::Person, ChatId::channel(9)));
    }

    #[test]
    fn a_sign_in_code_is_not_stored() {
        let code = read_message(message(1, &user(TELEGRAM), "Login code: 12345"), Vec::new());
        assert_eq!((code.origin, &*code.text), (MessageOrigin::Service, ""));
    }

    #[test]
    fn replies_and_forwards_are_reported() {
        let channel: enums::Peer = types::PeerChannel { channel_id: 9 }.into();
        let reply = types::MessageReplyHeader::from_bytes(&[0; 4]).expect("a header");
        let reply = types::MessageReplyHeader { reply_to_msg_id: Some(3), ..reply };
        let forward = types::MessageFwdHeader::from_bytes(&[0; 8]).expect("a header");
        let forward =
            types::MessageFwdHeader { from_id: Some(channel), channel_post: Some(8), date: 5, ..forward };
        let message = types::Message {
            reply_to: Some(reply.into()),
            fwd_from: Some(forward.into()),
            ..message(5, &user(7), "look")
        };
        let received = read_message(message, Vec::new());
        let from = ForwardedFrom {
            from_id: ChatId::channel(9),
            name: None,
            at: Timestamp::from_micros(5_000_000),
            message_id: TelegramMessageId::new(8),
        };
        assert_eq!((received.reply_to, received.forward), (TelegramMessageId::new(3), Some(from)));
    }

    #[test]
    fn chat_changes_are_service_messages() {
        use grammers_tl_types::Serializable as _;
        let mut bytes = vec![0; 4];
        6_i32.serialize(&mut bytes);
        user(7).serialize(&mut bytes);
        1_700_000_000_i32.serialize(&mut bytes);
        enums::MessageAction::HistoryClear.serialize(&mut bytes);
        let notice = types::MessageService::from_bytes(&bytes).expect("a notice");
        let cast = Cast::default();
        let account = "main".parse().expect("a name");
        let viewer = Viewer { account: &account, me: UserId::new(1), cast: &cast, cached_name: &|_| None };
        let seen = viewer.received(&notice.into()).expect("a notice");
        assert_eq!((seen.origin, &*seen.text), (MessageOrigin::Service, ""));
        assert!(seen.service.is_some_and(|service| !service.is_empty()));
        let gone = enums::Message::Empty(types::MessageEmpty { id: 6, peer_id: None });
        assert_eq!(viewer.received(&gone), None);
    }

    #[test]
    fn a_change_that_is_hidden_is_no_edit() {
        let edited = |edit_hide| {
            let message = message(1, &user(7), "hi");
            read_message(types::Message { edit_date: Some(9), edit_hide, ..message }, Vec::new()).edited_at
        };
        assert_eq!((edited(false), edited(true)), (Some(Timestamp::from_micros(9_000_000)), None));
    }

    #[test]
    fn received_entities_use_the_words_of_sent_ones() {
        let link = types::MessageEntityTextUrl { offset: 1, length: 2, url: "https://example.com".into() };
        let pre = types::MessageEntityPre { offset: 0, length: 2, language: "rust".into() };
        for (given, json) in [
            (link.into(), r#"{"offset":1,"length":2,"type":"text_link","url":"https://example.com"}"#),
            (pre.into(), r#"{"offset":0,"length":2,"type":"pre","language":"rust"}"#),
        ] {
            let json = json.to_owned();
            assert_eq!(
                entity(&given).map(|entity| serde_json::to_string(&entity).expect("JSON")),
                Some(json.clone())
            );
            assert!(serde_json::from_str::<domain::text::Entity>(&json).is_ok());
        }
        assert_eq!(entity(&types::MessageEntityUnknown { offset: 0, length: 1 }.into()), None);
    }
}
