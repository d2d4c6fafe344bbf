//! An outbound message: what was asked for, the parts it leaves in, and how far it is.

use serde::{Deserialize, Serialize};

use crate::media::Media;
use crate::outcome::{Failure, SentIds};
use crate::text::{FormattedText, ParseMode};
use crate::{AccountName, Address, ChatId, ChatRef, MessageId, ProviderId, Timestamp};

/// How far a message is.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// Waiting for its turn; nothing has left.
    Queued,
    /// Waiting for its time.
    Scheduled,
    /// Waiting for a person's yes.
    AwaitingApproval,
    /// Given to an account; something may have left.
    Sending,
    /// The provider has it.
    Sent,
    /// The provider says that it arrived.
    Delivered,
    /// The provider says that it was read.
    Read,
    /// Ended unsent, for the reason in [`Failure`].
    Failed,
    /// Ended before it left.
    Cancelled,
    /// It may have been sent, and no one who knows can be asked.
    InDoubt,
}

enum_words!(MessageState);

impl MessageState {
    /// Whether a waiting caller can be answered: it will not change by itself any more.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Sent | Self::Delivered | Self::Read | Self::Failed | Self::Cancelled | Self::InDoubt
        )
    }

    /// Whether nothing of it has been given to an account, so that it can be cancelled with certainty.
    pub const fn can_cancel(self) -> bool {
        matches!(self, Self::Queued | Self::Scheduled | Self::AwaitingApproval)
    }
}

/// Whom a message mentions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Mention {
    /// This user.
    User {
        /// Telegram's id of the user.
        user_id: i64,
    },
    /// The user with this public name.
    Username {
        /// With or without `@`.
        username: String,
    },
    /// The last who wrote, or else the first of the recent participants, who is no bot, no account of ours and not excluded; no one, if
    /// there is none.
    Auto {
        /// If false, no one is mentioned.
        auto: bool,
        /// Never these.
        #[serde(default)]
        exclude: Vec<String>,
    },
}

/// What the caller wants when every account that could send must wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFlood {
    /// Keep it in the queue until one may send.
    #[default]
    Wait,
    /// End it unsent.
    Fail,
}

/// Who wrote what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Writer {
    /// A program, or it is not known: providers may refuse it where they take a person's answer.
    #[default]
    Program,
    /// A person.
    Person,
}

impl Writer {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    const fn is_program(&self) -> bool {
        matches!(self, Self::Program)
    }
}

/// What is to be sent, after the text was parsed; stored with the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The whole text, not yet split, without any mention.
    pub text: FormattedText,
    /// How it was written; kept for people who look at the message.
    pub parse_mode: ParseMode,
    /// The message answered, by its id at the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<ProviderId>,
    /// Whom to mention; resolved when an account is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mention: Option<Mention>,
    /// Whether the text goes out without the mention when no one is found for it.
    #[serde(default)]
    pub mention_optional: bool,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Writer::is_program")]
    pub written_by: Writer,
    /// Without a sound.
    #[serde(default)]
    pub silent: bool,
    /// With a preview of the first link.
    #[serde(default)]
    pub preview: bool,
    /// What it carries beside the text, in the order in which it is shown; the text is its caption then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Media>,
    /// What only its provider has, as it takes it, such as buttons: of its first part. Set by the old ports of channels alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_options: Option<serde_json::Value>,
}

/// How far one part is.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartState {
    /// Not given to an account yet, or given back with proof that nothing was sent.
    Waiting,
    /// Given to an account: from here on only an outcome decides.
    Begun,
    /// Accepted by the provider.
    Sent,
}

enum_words!(PartState);

/// One call to the provider: a text, or media that arrive together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Counted from 0.
    pub index: u16,
    /// The text of this part; with media their caption, often empty.
    pub text: FormattedText,
    /// What becomes a message of its own at the provider: the text, or each of the media. Never empty.
    pub items: Vec<PartItem>,
    /// How far it is.
    pub state: PartState,
}

/// What becomes one message at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartItem {
    /// The provider's own key against doubles; the same in every attempt.
    pub random_id: i64,
    /// The place of its media in [`Content::media`]; none for a text.
    pub media: Option<u16>,
    /// The message's id at the provider, once known.
    pub message_id: Option<ProviderId>,
}

impl Part {
    /// A text that no one has begun to send.
    pub fn of_text(index: u16, text: FormattedText, random_id: i64) -> Self {
        let items = vec![PartItem { random_id, media: None, message_id: None }];
        Self { index, text, items, state: PartState::Waiting }
    }

    /// Whether it carries media.
    pub fn is_media(&self) -> bool {
        self.items.iter().any(|item| item.media.is_some())
    }

    /// The `random_id` of its first item, by which the part as a whole is known.
    pub fn random_id(&self) -> i64 {
        self.items.first().map_or(0, |item| item.random_id)
    }

    /// The ids of its messages at the provider, as far as they are known, in order.
    pub fn message_ids(&self) -> impl Iterator<Item = &ProviderId> {
        self.items.iter().filter_map(|item| item.message_id.as_ref())
    }

    /// Notes that the provider has it, and under which ids.
    pub fn set_sent(&mut self, ids: &SentIds) {
        self.state = PartState::Sent;
        for (place, item) in self.items.iter_mut().enumerate() {
            item.message_id = ids.get(place).cloned();
        }
    }
}

/// Everything about a message that decides what happens next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboundMessage {
    /// Our id.
    pub id: MessageId,
    /// Where to, as the caller named it.
    pub chat: ChatRef,
    /// Where to, once it is known.
    pub address: Option<Address>,
    /// The one account that may send it, if the caller pinned one.
    pub pin: Option<AccountName>,
    /// The account that sends it, as soon as one was chosen.
    pub account: Option<AccountName>,
    /// What to send.
    pub content: Content,
    /// The calls it takes; empty until a mention is resolved.
    pub parts: Vec<Part>,
    /// How far it is.
    pub state: MessageState,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
    /// What to do when all must wait.
    pub on_flood: OnFlood,
    /// Not before this instant.
    pub send_at: Option<Timestamp>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl OutboundMessage {
    /// The id of a chat of Telegram, once it is known.
    pub fn chat_id(&self) -> Option<ChatId> {
        self.address.as_ref()?.chat_id()
    }

    /// Whether it may be for one person, and not for a group or a channel.
    pub fn is_for_a_person(&self) -> bool {
        self.chat_id().is_none_or(|chat| chat.user_id().is_some())
    }

    /// The chat by its address once that is known, else as the caller named it.
    pub fn place(&self) -> ChatRef {
        self.address.clone().map_or_else(|| self.chat.clone(), ChatRef::from)
    }

    /// The first part that is not sent yet.
    pub fn next_part(&self) -> Option<&Part> {
        self.parts.iter().find(|part| part.state != PartState::Sent)
    }

    /// Whether something of it was given to an account whose outcome is not known.
    pub fn in_flight(&self) -> bool {
        self.parts.iter().any(|part| part.state == PartState::Begun)
    }

    /// The ids of what was sent, in order: one for each text and for each of the media.
    pub fn message_ids(&self) -> Vec<ProviderId> {
        self.parts.iter().flat_map(Part::message_ids).cloned().collect()
    }

    /// The same of those that are numbers, as all of Telegram's are.
    pub fn message_numbers(&self) -> Vec<i64> {
        self.parts.iter().flat_map(Part::message_ids).filter_map(ProviderId::number).collect()
    }
}
