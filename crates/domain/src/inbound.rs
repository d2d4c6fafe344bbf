//! What comes in through a channel: messages, and what becomes of messages.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::address::ExternalChat;
use crate::reactions::GivenReactions;
use crate::text::shows_nothing;
use crate::{
    ChatType, ContactProof, ContactWish, MessageOrigin, ProvedContact, Timestamp, Words, contact_wish,
    wish_of_subject,
};

/// Something that a provider reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundEvent {
    /// Different for each event of one account, the same when the event is repeated. At most 512 bytes are kept of it.
    pub key: String,
    /// What happened.
    pub change: InboundChange,
}

/// What happened at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InboundChange {
    /// Someone wrote: a customer, a person of ours elsewhere, or this program, whose messages come back from some providers.
    Message(Box<InboundMessage>),
    /// The writer of a message changed its text.
    Edited { external_id: String, text: Words, at: Timestamp },
    /// The writer of a message took it back.
    Deleted { external_id: String, at: Timestamp },
    /// Someone reacted to a message of either side, or took that back.
    Reacted { external_id: String, given: GivenReactions },
    /// How far a message of ours is.
    Receipt { external_id: String, receipt: InboundReceipt, at: Timestamp },
    /// The customer has read all of ours in a chat that was sent by then.
    ReadUpTo { chat: ExternalChat, at: Timestamp },
    /// Whether a chat takes messages: false once the customer has blocked or left.
    Reachable { chat: ExternalChat, can: bool, at: Timestamp },
    /// Whether the account is signed in at its provider.
    SignedIn(bool),
    /// The provider reported something that becomes no message.
    Unread(Unread),
}

/// Something that a provider reported and that becomes no message. It is counted, so that nothing is dropped without a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// What it is, in a few words; nothing of what a customer wrote.
    pub what: String,
    /// Whether a customer may have written it: then it is an error of the account.
    pub is_lost: bool,
    /// What the provider said, where a customer may have written it and that is at hand.
    pub raw: Option<Words>,
}

impl Unread {
    /// Returns one; of long words the beginning.
    pub fn new(what: &str, is_lost: bool) -> Self {
        const LONGEST: usize = 120;
        let what = what.chars().filter(|letter| !letter.is_control()).take(LONGEST).collect();
        Self { what, is_lost, raw: None }
    }
}

impl InboundEvent {
    /// Returns that something cannot be read, so that what a customer wrote may be lost.
    pub fn lost(what: impl Into<String>) -> Self {
        Self::unread(Unread::new(&what.into(), true))
    }

    /// Returns that something came which says nothing to people, such as a notice.
    pub fn notice(what: impl Into<String>) -> Self {
        Self::unread(Unread::new(&what.into(), false))
    }

    fn unread(unread: Unread) -> Self {
        Self { key: "unread".to_owned(), change: InboundChange::Unread(unread) }
    }

    /// The same, with what the provider said where a customer's words may be lost and nothing nearer to them is attached.
    #[must_use]
    pub fn with_raw(mut self, raw: impl FnOnce() -> String) -> Self {
        if let InboundChange::Unread(unread) = &mut self.change
            && unread.is_lost
        {
            unread.raw.get_or_insert_with(|| raw().into());
        }
        self
    }

    /// Returns it, or in place of a message that says nothing a report of it: it would be an empty bubble. Where it has not even
    /// blanks, a customer may have said something in a way that this program does not know.
    #[must_use]
    pub fn without_empty_message(self) -> Self {
        let InboundChange::Message(message) = &self.change else { return self };
        let says_nothing = shows_nothing(message.text.as_str())
            && message.subject.as_deref().is_none_or(shows_nothing)
            && message.media.iter().all(|media| media.kind == InboundKind::Reply);
        if !says_nothing {
            return self;
        }
        let is_lost = message.origin == MessageOrigin::Person && message.text.is_empty();
        let mut unread = Unread::new("a message that says nothing", is_lost);
        unread.raw = message.kept_raw().map(|raw| Words::from(raw.into_owned()));
        Self::unread(unread)
    }

    /// Replaces a time that no clock can have said by `now`: see [`Timestamp::plausible`]. Returns whether it did.
    pub fn correct_time(&mut self, now: Timestamp) -> bool {
        let at = match &mut self.change {
            InboundChange::Message(message) => &mut message.sent_at,
            InboundChange::Reacted { given, .. } => &mut given.at,
            InboundChange::Edited { at, .. }
            | InboundChange::Deleted { at, .. }
            | InboundChange::Receipt { at, .. }
            | InboundChange::ReadUpTo { at, .. }
            | InboundChange::Reachable { at, .. } => at,
            InboundChange::SignedIn(_) | InboundChange::Unread(_) => return false,
        };
        let stated = std::mem::replace(at, at.plausible(now));
        stated != *at
    }
}

/// How far a message of ours is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InboundReceipt {
    /// It arrived.
    Delivered,
    /// It was read.
    Read,
    /// The provider had taken it and did not deliver it, for this reason.
    Failed(String),
}

/// The same with the beginnings of long texts, such as a picture that is written as text.
fn with_short_texts(said: Value) -> Value {
    const LONGEST: usize = 1_000;
    match said {
        Value::String(text) if text.len() > LONGEST => {
            format!("{}…", &text[..text.floor_char_boundary(LONGEST)]).into()
        }
        Value::Array(all) => all.into_iter().map(with_short_texts).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name, with_short_texts(value))).collect()
        }
        other => other,
    }
}

/// A message that came in through a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundMessage {
    /// The chat, as it is answered.
    pub chat: ExternalChat,
    /// The type of the chat.
    pub chat_type: ChatType,
    /// The whole group, where `chat` names one topic of it.
    pub group: Option<ExternalChat>,
    /// What the group is called.
    pub title: Option<String>,
    /// Whether a message of a group mentions this account or replies to a message of it.
    pub mentions_us: bool,
    /// The provider's id of it: unique within the account, and the same that sending it would have given.
    pub external_id: String,
    /// Who wrote it. [`MessageOrigin::Owner`] is said of all that the account itself wrote: what this program sent is distinguished
    /// later.
    pub origin: MessageOrigin,
    /// The customer's id; of an own message the addressee's.
    pub user: Option<String>,
    /// How it was proved that the customer has this id.
    pub sender_proof: ContactProof,
    /// What the customer is called.
    pub name: Option<String>,
    /// The customer's number in E.164, with its proof.
    pub phone: Option<ProvedContact>,
    /// The customer's address for email, with its proof.
    pub email: Option<ProvedContact>,
    /// What a mail is about, where it begins a thread or calls it otherwise.
    pub subject: Option<String>,
    /// Its text or caption, and words for what is neither text nor file; see [`crate::Content`].
    pub text: Words,
    /// All of its text, where `text` is without what it quotes of earlier messages.
    pub whole_text: Option<Words>,
    /// Whether no program may answer it: a person does.
    pub is_for_people: bool,
    /// What is attached.
    pub media: Vec<InboundMedia>,
    /// The provider's id of the message that it answers.
    pub reply_to: Option<String>,
    /// The advertisement or link that the customer came by.
    pub ad: Option<AdSource>,
    /// When it was written, by the provider's clock.
    pub sent_at: Timestamp,
    /// What the provider said, as JSON; see [`InboundMessage::kept_raw`].
    pub raw: Option<String>,
}

impl InboundMessage {
    /// As much of what the provider said is kept, in bytes.
    const LONGEST_RAW: usize = 32 * 1024;

    /// Returns what is kept of what the provider said. Of too much, long texts in it are cut; else the beginning of all is one text.
    pub fn kept_raw(&self) -> Option<Cow<'_, str>> {
        let raw = self.raw.as_deref()?;
        if raw.len() <= Self::LONGEST_RAW {
            return Some(Cow::Borrowed(raw));
        }
        let cut = serde_json::from_str::<Value>(raw).ok().map(|said| with_short_texts(said).to_string());
        let cut = cut.filter(|cut| cut.len() <= Self::LONGEST_RAW);
        // Each byte may take six in JSON.
        let beginning = || Value::from(&raw[..raw.floor_char_boundary(Self::LONGEST_RAW / 8)]).to_string();
        Some(Cow::Owned(cut.unwrap_or_else(beginning)))
    }

    /// Returns the same as an answer to another message: to the one with this id, of which the provider shows these words.
    #[must_use]
    pub fn answering(mut self, id: Option<String>, words: Option<&str>) -> Self {
        self.media.extend(words.and_then(|words| InboundMedia::reply(id.clone(), words)));
        self.reply_to = id;
        self
    }

    /// What its writer says about further messages, in words, aloud, or by the subject of a mail that has no words of its own. In a group
    /// no one speaks for the others. A refusal is taken back by its writer alone, so by no one whose sender is not proved.
    pub fn contact_wish(&self) -> Option<ContactWish> {
        if self.origin != MessageOrigin::Person || self.chat_type != ChatType::Private {
            return None;
        }
        let spoken = self.media.iter().filter_map(|media| media.transcript.as_ref());
        let said = std::iter::once(&self.text).chain(spoken).find_map(|words| contact_wish(words.as_str()));
        let by_subject = || wish_of_subject(self.subject.as_deref()?, self.text.as_str());
        said.or_else(by_subject).filter(|wish| *wish != ContactWish::Again || self.sender_proof.is_proved())
    }

    /// Returns a text of a customer in a private chat; the caller fills in the rest.
    pub fn private(
        chat: ExternalChat,
        external_id: impl Into<String>,
        text: impl Into<Words>,
        sent_at: Timestamp,
    ) -> Self {
        Self::of(ChatType::Private, chat, external_id, text, sent_at)
    }

    /// Returns a text of a customer in a chat of this type; the caller fills in the rest.
    pub fn of(
        chat_type: ChatType,
        chat: ExternalChat,
        external_id: impl Into<String>,
        text: impl Into<Words>,
        sent_at: Timestamp,
    ) -> Self {
        Self {
            chat,
            chat_type,
            group: None,
            title: None,
            mentions_us: false,
            external_id: external_id.into(),
            origin: MessageOrigin::Person,
            user: None,
            sender_proof: ContactProof::ChannelId,
            name: None,
            phone: None,
            email: None,
            subject: None,
            text: text.into(),
            whole_text: None,
            is_for_people: false,
            media: Vec::new(),
            reply_to: None,
            ad: None,
            sent_at,
            raw: None,
        }
    }

    /// Returns the whole group that the message is in; the chat itself, where it has no topics.
    pub fn group(&self) -> &ExternalChat {
        self.group.as_ref().unwrap_or(&self.chat)
    }
}

/// What comes before the words of a voice in the text of its message, as in the format that other programs know.
pub const VOICE_MARK: &str = "[Голосовое]: ";

/// Something attached to a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboundMedia {
    /// What it is.
    pub kind: InboundKind,
    /// Where the provider has it, as long as that address is good. None where the address would give a token away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The provider's name for it, with which it can be asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_id: Option<String>,
    /// What its sender called it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its type, as its sender or the provider stated it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    /// Its size in bytes, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// What a voice message says, where the provider has written it down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcript: Option<Words>,
    /// Whether a program that handed the message in named the file. The provider did not, and is not asked for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_handed_in: bool,
}

impl InboundMedia {
    /// Of this kind, with nothing known of it yet.
    pub const fn new(kind: InboundKind) -> Self {
        Self {
            kind,
            url: None,
            file_id: None,
            name: None,
            mime: None,
            size: None,
            transcript: None,
            is_handed_in: false,
        }
    }

    /// The message that another one answers, by its id and its words. Of long words the beginning is kept; none if they show nothing.
    pub fn reply(id: Option<String>, words: &str) -> Option<Self> {
        const LONGEST: usize = 500;
        let words = words.trim();
        let kept = || words.chars().take(LONGEST).collect();
        (!shows_nothing(words)).then(|| Self {
            name: Some(kept()),
            file_id: id,
            ..Self::new(InboundKind::Reply)
        })
    }

    /// The words of the message that another one answers.
    pub fn reply_text(media: &[Self]) -> Option<&str> {
        media.iter().find(|media| media.kind == InboundKind::Reply)?.name.as_deref()
    }

    /// At this address.
    pub fn at(kind: InboundKind, url: impl Into<String>) -> Self {
        Self { url: Some(url.into()), ..Self::new(kind) }
    }
}

/// What something attached to a message is, in all channels.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray, Serialize, Deserialize)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[serde(rename_all = "snake_case")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InboundKind {
    /// A picture.
    Image,
    /// A voice message.
    Voice,
    /// Music or speech.
    Audio,
    /// A film.
    Video,
    /// A file.
    Document,
    /// A sticker.
    Sticker,
    /// A file of another kind.
    Other,
    /// A place.
    Location,
    /// Someone's card.
    Contact,
    /// An address on the web, or what it leads to.
    Link,
    /// Something that is for sale.
    Product,
    /// An order.
    Order,
    /// A post of a wall or a channel, or a comment.
    Post,
    /// A story, or that one mentions us.
    Story,
    /// A poll or a quiz.
    Poll,
    /// A payment, an invoice or a transfer.
    Payment,
    /// A gift.
    Gift,
    /// A call that was made or missed.
    Call,
    /// An appointment.
    Appointment,
    /// What someone chose or filled in: a list, a form, a program of the provider's own.
    Form,
    /// People or chats that someone chose.
    Shared,
    /// A game.
    Game,
    /// A list of tasks.
    Checklist,
    /// A prize draw.
    Giveaway,
    /// What another message says that is passed on.
    Forward,
    /// The message that this one answers; the words of that one are its name, and its id is the file id. The text of this one does not
    /// repeat them.
    Reply,
    /// Something that its provider does not show to programs.
    Hidden,
    /// Something of a kind that this program does not know; its name is the provider's for the kind.
    Unknown,
}

enum_words!(InboundKind);

impl InboundKind {
    /// Whether it is a file. What is none has words in the text of its message.
    pub const fn is_file(self) -> bool {
        matches!(
            self,
            Self::Image
                | Self::Voice
                | Self::Audio
                | Self::Video
                | Self::Document
                | Self::Sticker
                | Self::Other
        )
    }
}

/// The advertisement or link that a customer came by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdSource {
    /// The kind of source, such as `avito` or `telegram_deeplink`.
    pub channel: String,
    /// The advertisement, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    proptest! {
        #[test]
        fn what_no_reader_sees_is_no_bubble(
            text in "[ \n\u{a0}\u{200b}\u{2060}\u{2800}\u{3164}\u{feff}]{0,8}",
            subject in proptest::option::of("[ \u{200b}\u{2800}]{0,3}"),
            seen in "[a-zа-я0-9]{1,3}",
            is_reply in any::<bool>(),
        ) {
            let is_bubble = |text: &str, subject: Option<String>| {
                let chat = ExternalChat::new("1").expect("a chat");
                let message = InboundMessage::private(chat, "1", text, Timestamp::from_micros(0));
                let message = message.answering(Some("2".to_owned()), is_reply.then_some("How much?"));
                let change = InboundChange::Message(Box::new(InboundMessage { subject, ..message }));
                let event = InboundEvent { key: "in:1".to_owned(), change }.without_empty_message();
                matches!(event.change, InboundChange::Message(_))
            };
            let with_words = format!("{text}{seen}");
            prop_assert!(!is_bubble(&text, subject.clone()));
            prop_assert!(is_bubble(&with_words, subject));
            prop_assert!(is_bubble(&text, Some(seen)));
        }
    }

    #[test]
    fn a_message_that_says_nothing_is_no_bubble_and_counted() {
        let event = |text: &str, change: fn(&mut InboundMessage)| {
            let chat = ExternalChat::new("1").expect("a chat");
            let mut message = InboundMessage::private(chat, "1", text, Timestamp::from_micros(0));
            message.raw = Some("{}".to_owned());
            change(&mut message);
            let change = InboundChange::Message(Box::new(message));
            InboundEvent { key: "in:1".to_owned(), change }.without_empty_message().change
        };
        let lost = |text: &str, change| match event(text, change) {
            InboundChange::Unread(unread) => {
                assert!(unread.raw.is_some());
                Some(unread.is_lost)
            }
            _ => None,
        };
        assert_eq!(lost("", |_| {}), Some(true));
        assert_eq!(lost(" \n\u{a0}", |_| {}), Some(false));
        assert_eq!(lost("", |message| message.origin = MessageOrigin::Owner), Some(false));
        assert_eq!(lost("Hi", |_| {}), None);
        assert_eq!(lost("", |message| message.subject = Some("Screen".to_owned())), None);
        assert_eq!(
            lost("", |message| message.media.push(InboundMedia::new(crate::InboundKind::Image))),
            None
        );
    }

    #[test]
    fn too_much_that_a_provider_said_is_cut_and_not_lost() {
        let kept = |raw: String| {
            let chat = ExternalChat::new("1").expect("a chat");
            let message = InboundMessage {
                raw: Some(raw),
                ..InboundMessage::private(chat, "1", "", Timestamp::from_micros(0))
            };
            message.kept_raw().map(Cow::into_owned).expect("it is kept")
        };
        assert_eq!(kept("{ }".to_owned()), "{ }");
        let picture = json!({"id": 7, "files": [{"body": "я".repeat(40_000)}], "type": "hologram"});
        let read: Value = serde_json::from_str(&kept(picture.to_string())).expect("JSON");
        assert_eq!((&read["id"], &read["type"]), (&json!(7), &json!("hologram")));
        assert_eq!(read["files"][0]["body"].as_str().map(str::len), Some(1_003));
        // Too many fields, and what is no JSON, are one text.
        let many: Vec<u32> = (0..20_000).collect();
        for raw in [json!(many).to_string(), format!("a={}", "\u{1}".repeat(40_000))] {
            let kept = kept(raw.clone());
            let Ok(Value::String(beginning)) = serde_json::from_str(&kept) else { panic!("no text") };
            assert!(raw.starts_with(&beginning) && kept.len() <= InboundMessage::LONGEST_RAW);
        }
        assert_eq!(
            InboundMessage::private(
                ExternalChat::new("1").expect("a chat"),
                "1",
                "",
                Timestamp::from_micros(0)
            )
            .kept_raw(),
            None
        );
    }
}
