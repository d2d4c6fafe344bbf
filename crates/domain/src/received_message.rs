//! A message that came in: what it says, who wrote it, and what became of it since.

use serde::{Deserialize, Serialize};

use crate::received_file::FileRule;
use crate::{
    AccountName, ChatId, ContactWish, InboundKind, InboundMedia, ReceivedId, TelegramMessageId, Timestamp,
    Words, contact_wish,
};

/// Who wrote a message that this program did not send.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray, Serialize, Deserialize)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[serde(rename_all = "snake_case")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageOrigin {
    /// A person, or a group or channel that writes as itself.
    Person,
    /// A bot.
    Bot,
    /// One of the accounts, with another app: its owner's phone.
    Owner,
    /// Telegram itself: a notice of its own, or of what happened to the chat.
    Service,
}

enum_words!(MessageOrigin);

/// A message as an account received it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedMessage {
    /// The account that received it first.
    pub account: AccountName,
    /// The chat it is in.
    pub chat_id: ChatId,
    /// Telegram's id of it.
    pub message_id: TelegramMessageId,
    /// Who wrote it.
    pub origin: MessageOrigin,
    /// The user who wrote it, or the group or channel that writes as itself.
    pub sender: Option<ChatId>,
    /// What its writer was called then.
    pub sender_name: Option<String>,
    /// Its text or caption.
    pub text: Words,
    /// The parts of it that look or behave in a special way.
    pub entities: Vec<ReceivedEntity>,
    /// What is attached.
    pub media: Option<ReceivedMedia>,
    /// What happened, when it reports something that happened to the chat.
    pub service: Option<String>,
    /// The message of the same chat that it answers.
    pub reply_to: Option<TelegramMessageId>,
    /// Where it was forwarded from.
    pub forward: Option<ForwardedFrom>,
    /// How many reacted to it, and how.
    pub reactions: Vec<Reaction>,
    /// The messages of one album have the same number.
    pub album: Option<i64>,
    /// When it was written, by Telegram's clock.
    pub sent_at: Timestamp,
    /// When it was changed last, by Telegram's clock.
    pub edited_at: Option<Timestamp>,
}

impl ReceivedMessage {
    /// Its id.
    pub fn id(&self) -> ReceivedId {
        ReceivedId::seen_by(self.chat_id, self.message_id, &self.account)
    }

    /// The person who wrote in their private chat about further messages, and what.
    pub fn contact_wish(&self) -> Option<(ChatId, ContactWish)> {
        let is_private = self.origin == MessageOrigin::Person && self.chat_id.user_id().is_some();
        let wish = is_private.then(|| contact_wish(self.text.as_str())).flatten()?;
        Some((self.chat_id, wish))
    }
}

/// One stretch of a text that looks or behaves in a special way. Its type is a word of [`EntityKind`](crate::text::EntityKind),
/// or one of what Telegram finds by itself: `url`, `email`, `phone`, `mention`, `hashtag`, `cashtag`, `bot_command`, `bank_card`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedEntity {
    /// Where it begins, in UTF-16 code units.
    pub offset: u32,
    /// How long it is, in UTF-16 code units.
    pub length: u32,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// The address that a `text_link` opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Words>,
    /// Whom a `mention_user` names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<i64>,
    /// The language of a `pre`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The document of a `custom_emoji`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<i64>,
    /// Whether a `blockquote` is shown folded at first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expandable: Option<bool>,
}

/// What is attached to a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedMedia {
    /// What it is, such as `photo`.
    pub kind: String,
    /// The file, when it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<ReceivedFile>,
}

impl From<&ReceivedMedia> for InboundMedia {
    fn from(media: &ReceivedMedia) -> Self {
        let kind = match media.kind.as_str() {
            "photo" => InboundKind::Image,
            "voice" => InboundKind::Voice,
            "audio" => InboundKind::Audio,
            "video" | "video_note" | "animation" => InboundKind::Video,
            "document" => InboundKind::Document,
            "sticker" => InboundKind::Sticker,
            "venue" => InboundKind::Location,
            "invoice" => InboundKind::Payment,
            "other" if media.file.is_none() => InboundKind::Unknown,
            kind => InboundKind::from_word(kind).unwrap_or(InboundKind::Unknown),
        };
        let file = media.file.as_ref();
        Self {
            name: file.and_then(|file| file.name.clone()),
            mime: file.map(|file| file.mime.clone()).filter(|mime| !mime.is_empty()),
            size: file.map(|file| file.size),
            ..Self::new(kind)
        }
    }
}

/// A file as its message describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedFile {
    /// What its sender called it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its type, as its sender stated it.
    pub mime: String,
    /// Its size in bytes.
    pub size: u64,
}

/// Where a message was forwarded from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardedFrom {
    /// Who wrote it first, where that may be known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_id: Option<ChatId>,
    /// Their name, where nothing else is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it was written first.
    pub at: Timestamp,
    /// Its id in the channel that it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<TelegramMessageId>,
}

/// A reaction, and how often it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaction {
    /// The emoji.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emoji: Option<String>,
    /// The document of a custom emoji.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_emoji_id: Option<i64>,
    /// How often it was given.
    pub count: u32,
}

/// Which messages of others an account keeps.
#[derive(
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
    strum::VariantNames,
    Serialize,
    Deserialize,
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Default,
)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// Those of private chats.
    Private,
    /// Those of private chats, and of the chats that were made here or that this program has sent to.
    #[default]
    Registered,
    /// All.
    All,
    /// None.
    None,
}

enum_words!(Keep);

/// Which messages of others an account keeps: a rule, and the chats that are exceptions to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeepRule {
    /// The rule.
    pub rule: Keep,
    /// Chats that are kept whatever the rule says.
    pub always: Vec<ChatId>,
    /// Chats that are never kept.
    pub never: Vec<ChatId>,
    /// Which files of what is kept are fetched without being asked for.
    pub files: FileRule,
}

impl KeepRule {
    /// As many chats as may be listed as exceptions of one kind.
    pub const MOST_CHATS: usize = 1_000;

    /// Whether the messages of this chat are kept. `is_registered` is asked only where it counts.
    pub fn keeps(&self, chat_id: ChatId, is_registered: impl FnOnce() -> bool) -> bool {
        if self.never.contains(&chat_id) {
            return false;
        }
        let is_private = chat_id.user_id().is_some();
        self.always.contains(&chat_id)
            || match self.rule {
                Keep::Private => is_private,
                Keep::Registered => is_private || is_registered(),
                Keep::All => true,
                Keep::None => false,
            }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chat() -> impl Strategy<Value = ChatId> {
        prop_oneof![
            (1..9_i64).prop_map(|id| ChatId::user(id).expect("a user")),
            (1..9_i64).prop_map(|id| ChatId::group(id).expect("a group")),
            (1..9_i64).prop_map(|id| ChatId::channel(id).expect("a channel")),
        ]
    }

    proptest! {
        #[test]
        fn exceptions_go_before_the_rule_and_never_before_always(
            keep in proptest::sample::select(Keep::ALL.to_vec()),
            always in proptest::collection::vec(chat(), 0..4),
            never in proptest::collection::vec(chat(), 0..4),
            chat in chat(),
            registered: bool,
        ) {
            let rule = KeepRule { rule: keep, always, never, ..KeepRule::default() };
            let kept = rule.keeps(chat, || registered);
            if rule.never.contains(&chat) {
                prop_assert!(!kept);
            } else if rule.always.contains(&chat) {
                prop_assert!(kept);
            } else {
                let by_rule = match keep {
                    Keep::All => true,
                    Keep::None => false,
                    Keep::Private => chat.get() > 0,
                    Keep::Registered => chat.get() > 0 || registered,
                };
                prop_assert_eq!(kept, by_rule);
            }
        }
    }

    #[test]
    fn fields_left_out_of_json_read_back() {
        let entity = r#"{"offset":0,"length":5,"type":"text_link","url":"https://example.com"}"#;
        let read: ReceivedEntity = serde_json::from_str(entity).expect("an entity");
        assert_eq!(
            (serde_json::to_string(&read).ok().as_deref(), read.kind.as_str()),
            (Some(entity), "text_link")
        );
        let media = r#"{"kind":"photo","file":{"mime":"image/jpeg","size":48213}}"#;
        let read: ReceivedMedia = serde_json::from_str(media).expect("media");
        assert_eq!(serde_json::to_string(&read).ok().as_deref(), Some(media));
    }
}
