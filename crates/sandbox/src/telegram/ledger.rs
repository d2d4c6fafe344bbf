//! The ledger: every effect an account had on the world, in order.

use std::borrow::Cow;
use std::sync::Arc;

use domain::time::Timestamp;
use grammers_tl_types::enums;
use serde::Serialize;
use serde_json::{Value, json};

use super::files::FileKind;
use super::peer::Peer;
use crate::channels::ChannelEffect;

/// A row as it is kept: small, because a run makes many.
#[derive(Debug, Clone)]
struct Row {
    at: i64,
    account: Arc<str>,
    method: &'static str,
    chat: Peer,
    random_id: Option<i64>,
    text: Arc<str>,
    entities: Option<Arc<[enums::MessageEntity]>>,
    message_id: Option<i32>,
    media: Option<Box<MediaNote>>,
    press: Option<Box<PressNote>>,
    /// Of another provider than Telegram; then the chat says nothing.
    outside: Option<Box<ChannelEffect>>,
}

/// The file of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MediaNote {
    /// As clients name it, too.
    pub file_id: i64,
    /// How it is shown.
    pub kind: FileKind,
    /// As its sender called it.
    pub file_name: Option<String>,
    /// As its sender gave it; of a photo, what it is.
    pub mime_type: String,
    /// In bytes.
    pub size: u64,
    /// In hexadecimal.
    pub md5: String,
    /// Of pictures and films, in pixels.
    pub width: Option<u32>,
    /// Of pictures and films, in pixels.
    pub height: Option<u32>,
    /// Of films and recordings, in milliseconds.
    pub duration_ms: Option<u64>,
    /// Of films: whether they can be watched while they load.
    pub supports_streaming: Option<bool>,
    /// The same for all messages of one album.
    pub grouped_id: Option<i64>,
}

/// Which keyboard of its message a press hit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PressNote {
    /// The keyboards of a message are counted from 1; none if the message had no such button, or is gone.
    pub version: Option<u32>,
    /// The keyboard that the message had when the press came.
    pub newest: Option<u32>,
    /// Whether the keyboard that was pressed was no longer there.
    pub stale: bool,
    /// For how long the keyboard that was pressed had been shown, in microseconds.
    pub shown_us_ago: Option<i64>,
    /// From when the bytes of the last keyboard were handed to the connection until those of the press arrived, in
    /// microseconds.
    pub wire_us: Option<u64>,
    /// For how long another had been in its place, in microseconds.
    pub replaced_us_ago: Option<i64>,
    /// The text of the button.
    pub button: Option<String>,
    /// How the press was refused.
    pub refused: Option<String>,
}

/// An effect, as the control port shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Rises by one; the first is 1.
    pub seq: u64,
    /// When, RFC 3339 with microseconds.
    pub at: String,
    /// `telegram`, or a channel.
    pub provider: Cow<'static, str>,
    /// The account's name.
    pub account: Arc<str>,
    /// As in TL; of a channel as its provider calls it.
    pub method: Cow<'static, str>,
    /// As the Bot API writes it; of a channel as its provider does.
    pub chat_id: String,
    /// A 64-bit number: readers that know only doubles lose its last digits.
    pub random_id: Option<i64>,
    /// Plain text; a new chat's title.
    pub text: Arc<str>,
    /// What is bold in the text and the like, as the Bot API writes it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<Value>,
    /// In the account's own numbering, or the channel's.
    pub message_id: Option<i32>,
    /// Of a message with a file; its caption is the text.
    pub media: Option<Box<MediaNote>>,
    /// Of a press.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub press: Option<Box<PressNote>>,
    /// Of a channel: the provider's id of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Of a channel: the message that it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// Of a file in a channel: what it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_kind: Option<String>,
    /// Of a file in a channel: the MD5 of its content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_md5: Option<String>,
}

/// What a method did.
#[derive(Debug, Clone)]
pub(crate) struct Effect {
    pub(crate) method: &'static str,
    pub(crate) chat: Peer,
    pub(crate) random_id: Option<i64>,
    pub(crate) text: Arc<str>,
    pub(crate) entities: Option<Arc<[enums::MessageEntity]>>,
    pub(crate) message_id: Option<i32>,
    pub(crate) media: Option<Box<MediaNote>>,
    pub(crate) press: Option<Box<PressNote>>,
}

/// The list itself.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    rows: Vec<Row>,
    /// Rows that were cleared away: seq never begins again.
    cleared: u64,
}

impl Ledger {
    pub(crate) fn record(&mut self, at: i64, account: Arc<str>, effect: Effect) {
        let Effect { method, chat, random_id, text, entities, message_id, media, press } = effect;
        let outside = None;
        self.rows.push(Row {
            at,
            account,
            method,
            chat,
            random_id,
            text,
            entities,
            message_id,
            media,
            press,
            outside,
        });
    }

    /// An effect at another provider.
    pub(crate) fn record_outside(&mut self, at: i64, effect: ChannelEffect) {
        self.rows.push(Row {
            at,
            account: effect.account.as_str().into(),
            method: "",
            chat: Peer::User(0),
            random_id: None,
            text: effect.text.as_str().into(),
            entities: None,
            message_id: None,
            media: None,
            press: None,
            outside: Some(Box::new(effect)),
        });
    }

    pub(crate) fn after(&self, seq: u64, limit: usize) -> Vec<Entry> {
        let skip = usize::try_from(seq.saturating_sub(self.cleared)).unwrap_or(usize::MAX);
        let numbered = (self.cleared + 1..).zip(&self.rows);
        numbered.skip(skip).take(limit).map(|(seq, row)| row.entry(seq)).collect()
    }

    pub(crate) fn clear(&mut self) {
        self.cleared += self.rows.len() as u64;
        self.rows = Vec::new();
    }
}

impl Row {
    fn entry(&self, seq: u64) -> Entry {
        let outside = self.outside.as_deref();
        Entry {
            seq,
            at: Timestamp::from_micros(self.at).to_string(),
            provider: outside.map_or("telegram".into(), |it| it.provider.clone().into()),
            account: Arc::clone(&self.account),
            method: outside.map_or(self.method.into(), |it| it.method.clone().into()),
            chat_id: outside.map_or_else(|| self.chat.to_string(), |it| it.chat_id.clone()),
            random_id: self.random_id,
            text: Arc::clone(&self.text),
            entities: outside.map_or_else(
                || self.entities.iter().flat_map(|entities| entities.iter()).map(entity_note).collect(),
                |it| it.entities.clone(),
            ),
            message_id: self.message_id,
            media: self.media.clone(),
            press: self.press.clone(),
            external_id: outside.and_then(|it| it.external_id.clone()),
            reply_to: outside.and_then(|it| it.reply_to.clone()),
            file_kind: outside.and_then(|it| it.media.clone()),
            file_md5: outside.and_then(|it| it.md5.clone()),
        }
    }
}

/// An entity as the Bot API writes it.
fn entity_note(entity: &enums::MessageEntity) -> Value {
    use enums::MessageEntity as Kind;
    let (kind, extra) = match entity {
        Kind::Bold(_) => ("bold", Value::Null),
        Kind::Italic(_) => ("italic", Value::Null),
        Kind::Underline(_) => ("underline", Value::Null),
        Kind::Strike(_) => ("strikethrough", Value::Null),
        Kind::Spoiler(_) => ("spoiler", Value::Null),
        Kind::Code(_) => ("code", Value::Null),
        Kind::Pre(pre) => ("pre", json!({ "language": pre.language })),
        Kind::TextUrl(link) => ("text_link", json!({ "url": link.url })),
        Kind::MentionName(mention) => ("text_mention", json!({ "user": { "id": mention.user_id } })),
        Kind::Blockquote(quote) if quote.collapsed => ("expandable_blockquote", Value::Null),
        Kind::Blockquote(_) => ("blockquote", Value::Null),
        Kind::CustomEmoji(emoji) => {
            ("custom_emoji", json!({ "custom_emoji_id": emoji.document_id.to_string() }))
        }
        _ => ("other", Value::Null),
    };
    let mut note = json!({ "type": kind, "offset": entity.offset(), "length": entity.length() });
    for (name, value) in extra.as_object().into_iter().flatten() {
        note[name] = value.clone();
    }
    note
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effect(text: &str) -> Effect {
        Effect {
            method: "messages.sendMessage",
            chat: Peer::Channel(2_000_000_001),
            random_id: Some(i64::MAX),
            text: text.into(),
            entities: None,
            message_id: Some(7),
            media: None,
            press: None,
        }
    }

    #[test]
    fn entities_are_shown_as_the_bot_api_writes_them() {
        use grammers_tl_types::types;
        let bold = types::MessageEntityBold { offset: 0, length: 1 }.into();
        let link =
            types::MessageEntityTextUrl { offset: 2, length: 3, url: "https://example.com".into() }.into();
        let mut ledger = Ledger::default();
        ledger.record(0, "main".into(), Effect { entities: Some([bold, link].into()), ..effect("a bcd") });
        let shown = serde_json::to_value(&ledger.after(0, 1)[0]).expect("JSON");
        let wanted = json!([
            { "type": "bold", "offset": 0, "length": 1 },
            { "type": "text_link", "offset": 2, "length": 3, "url": "https://example.com" },
        ]);
        assert_eq!(shown["entities"], wanted);
    }

    #[test]
    fn rows_are_numbered_for_ever() {
        let mut ledger = Ledger::default();
        ledger.record(1_700_000_000_000_001, "main".into(), effect("a"));
        ledger.record(1_700_000_000_000_002, "main".into(), effect("b"));
        let all = ledger.after(0, 10);
        assert_eq!(all.iter().map(|row| row.seq).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(all[0].at, "2023-11-14T22:13:20.000001Z");
        assert_eq!(all[0].chat_id, "-1002000000001");
        assert_eq!(all[0].random_id, Some(i64::MAX));
        assert_eq!(ledger.after(1, 10).len(), 1);
        assert_eq!(ledger.after(0, 1).len(), 1);
        assert_eq!(ledger.after(9, 10).len(), 0);
        ledger.clear();
        ledger.record(0, "main".into(), effect("c"));
        assert_eq!(ledger.after(0, 10)[0].seq, 3);
        assert_eq!(ledger.after(2, 10)[0].seq, 3);
        assert!(ledger.after(3, 10).is_empty());
    }
}
