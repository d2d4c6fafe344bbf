//! What a message is on its way to the Bot API. Pure.

use domain::media::MediaForm;
use domain::text::{EntityKind, FormattedText};
use domain::{ChannelName, ChatType, ProviderId};
use serde_json::{Map, Value, json};

use crate::provider::{Outgoing, OutgoingFile};

/// A chat as the Bot API names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// The connection to a personal account that the bot writes for.
    pub(super) business: Option<String>,
    pub(super) chat: i64,
    pub(super) topic: Option<Topic>,
}

/// A topic of a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    /// Of a forum, which all its members read.
    Forum(i64),
    /// Of the direct messages of a channel. One person writes in it.
    Direct(i64),
}

/// What chats are called.
pub(super) const ADDRESSES: &str = "a chat of a bot is a number, such as 2001, with a topic -1001234567890/7";

impl Target {
    /// A chat as it came in: `2001`, `CONNECTION:2001`, with a topic `-1001234567890/7`, or with direct messages
    /// `-1001234567890!501`.
    pub(super) fn of(chat: &str) -> Option<Self> {
        let (business, id) = match chat.rsplit_once(':') {
            Some((business, id)) => (Some(business.to_owned()), id),
            None => (None, chat),
        };
        let (id, topic) = match (id.split_once('/'), id.split_once('!')) {
            (Some((id, topic)), _) => (id, Some(Topic::Forum(topic.parse().ok()?))),
            (None, Some((id, topic))) => (id, Some(Topic::Direct(topic.parse().ok()?))),
            (None, None) => (id, None),
        };
        let target = Self { business, chat: id.parse().ok()?, topic }.checked()?;
        (target.name() == chat).then_some(target)
    }

    /// Returns the chat if Telegram can have it: topics are those of groups and channels, and a personal account has private chats.
    pub(super) fn checked(self) -> Option<Self> {
        let is_connection = |id: &str| {
            let is_sign = |byte: u8| byte.is_ascii_graphic() && byte != b':';
            let is_channel = id.parse::<ChannelName>().is_ok_and(|name| name.is_of_provider());
            !id.is_empty() && id.bytes().all(is_sign) && id.parse::<i64>().is_err() && !is_channel
        };
        let is_possible = match (&self.business, self.topic) {
            (None, None) => self.chat != 0,
            (None, Some(Topic::Forum(topic) | Topic::Direct(topic))) => self.chat < 0 && topic > 0,
            (Some(connection), None) => self.chat > 0 && is_connection(connection),
            (Some(_), Some(_)) => false,
        };
        is_possible.then_some(self)
    }

    /// The chat as it came in.
    pub(super) fn name(&self) -> String {
        match self.topic {
            Some(Topic::Forum(topic)) => format!("{}/{topic}", self.whole()),
            Some(Topic::Direct(topic)) => format!("{}!{topic}", self.whole()),
            None => self.whole(),
        }
    }

    /// The chat with all its topics.
    pub(super) fn whole(&self) -> String {
        match &self.business {
            Some(business) => format!("{business}:{}", self.chat),
            None => self.chat.to_string(),
        }
    }

    /// Who reads what is written there: ids of groups and channels are negative. Direct messages are those of one customer.
    pub(super) const fn chat_type(&self) -> ChatType {
        if self.chat < 0 && !self.is_direct() { ChatType::Group } else { ChatType::Private }
    }

    /// Whether these are direct messages to a channel.
    pub(super) const fn is_direct(&self) -> bool {
        matches!(self.topic, Some(Topic::Direct(_)))
    }

    /// What a message of this chat is called outside: the Bot API counts messages in each chat.
    pub(super) fn external_id(&self, message: i64) -> String {
        format!("{}:{message}", self.whole())
    }

    /// The number of a message that is called so; none where it is of another chat.
    pub(super) fn message(&self, external_id: &str) -> Option<i64> {
        let (chat, id) = external_id.rsplit_once(':')?;
        (chat == self.whole()).then(|| id.parse().ok())?
    }

    /// The fields that name it.
    pub(super) fn fields(&self) -> Map<String, Value> {
        let mut fields = Map::new();
        fields.insert("chat_id".to_owned(), self.chat.into());
        if let Some(business) = &self.business {
            fields.insert("business_connection_id".to_owned(), business.as_str().into());
        }
        fields
    }
}

/// The method that sends a file of this form, and its field.
pub(super) const fn method(form: &MediaForm) -> (&'static str, &'static str) {
    match form {
        MediaForm::Photo { .. } => ("sendPhoto", "photo"),
        MediaForm::Video { .. } => ("sendVideo", "video"),
        MediaForm::Animation { .. } => ("sendAnimation", "animation"),
        MediaForm::Voice { .. } => ("sendVoice", "voice"),
        MediaForm::Audio { .. } => ("sendAudio", "audio"),
        MediaForm::Document => ("sendDocument", "document"),
    }
}

/// The method that sends an album.
pub(super) const ALBUM: &str = "sendMediaGroup";

/// The name of the part that has the content of a file of an album, by its place.
pub(super) fn album_part(place: usize) -> String {
    format!("file{place}")
}

/// The fields of a message but for the content of its files.
pub(super) fn fields(outgoing: &Outgoing, target: &Target, is_formatted: bool) -> Map<String, Value> {
    let mut fields = target.fields();
    if let Some(topic) = target.topic {
        let (name, number) = match topic {
            Topic::Forum(number) => ("message_thread_id", number),
            Topic::Direct(number) => ("direct_messages_topic_id", number),
        };
        fields.insert(name.to_owned(), number.into());
    }
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    if outgoing.silent {
        put("disable_notification", true.into());
    }
    let answered = outgoing.reply_to.as_ref().and_then(|id| match id {
        ProviderId::Number(number) => Some(*number),
        ProviderId::Text(text) => target.message(text),
    });
    if let Some(message) = answered {
        put("reply_parameters", json!({ "message_id": message, "allow_sending_without_reply": true }));
    }
    match &outgoing.file {
        None => {
            put("link_preview_options", json!({ "is_disabled": !outgoing.preview }));
            fields.extend(words(&outgoing.text, ["text", "entities"], is_formatted));
        }
        Some(file) if outgoing.album.is_empty() => {
            fields.extend(captioned(file, Some(&outgoing.text), is_formatted));
        }
        Some(_) => {
            let one = |(place, (file, _)): (usize, (&OutgoingFile, Option<&str>))| {
                let text = Some(&outgoing.text).filter(|_| place == 0);
                let mut fields = captioned(file, text, is_formatted);
                fields.insert("type".to_owned(), method(&file.form).1.into());
                fields.insert("media".to_owned(), format!("attach://{}", album_part(place)).into());
                Value::Object(fields)
            };
            put("media", outgoing.files().enumerate().map(one).collect());
        }
    }
    fields
}

/// The fields of a file and its caption.
fn captioned(file: &OutgoingFile, text: Option<&FormattedText>, is_formatted: bool) -> Map<String, Value> {
    let text = text.filter(|text| !text.text.is_empty());
    let names = ["caption", "caption_entities"];
    let mut fields = text.map(|text| words(text, names, is_formatted)).unwrap_or_default();
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    let seconds = |ms: u64| Value::from(ms.div_ceil(1_000));
    match file.form {
        MediaForm::Video { width, height, duration_ms, streamable, .. } => {
            put("width", width.into());
            put("height", height.into());
            put("duration", seconds(duration_ms));
            put("supports_streaming", streamable.into());
        }
        MediaForm::Animation { width, height, duration_ms } => {
            put("width", width.into());
            put("height", height.into());
            put("duration", seconds(duration_ms));
        }
        MediaForm::Voice { duration_ms } | MediaForm::Audio { duration_ms } => {
            put("duration", seconds(duration_ms));
        }
        MediaForm::Document => {
            put("disable_content_type_detection", true.into());
        }
        MediaForm::Photo { .. } => {}
    }
    fields
}

/// A text and what is marked in it, under these names.
fn words(text: &FormattedText, [name, marks]: [&str; 2], is_formatted: bool) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert(name.to_owned(), text.text.as_str().into());
    if is_formatted && !text.entities.is_empty() {
        fields.insert(marks.to_owned(), entities_of(text));
    }
    fields
}

fn entities_of(text: &FormattedText) -> Value {
    let entity = |entity: &domain::text::Entity| {
        let mut written = json!({ "offset": entity.offset, "length": entity.length });
        let (kind, more) = match &entity.kind {
            EntityKind::Bold => ("bold", None),
            EntityKind::Italic => ("italic", None),
            EntityKind::Underline => ("underline", None),
            EntityKind::Strikethrough => ("strikethrough", None),
            EntityKind::Spoiler => ("spoiler", None),
            EntityKind::Code => ("code", None),
            EntityKind::Pre { language } => ("pre", Some(("language", language.as_str().into()))),
            EntityKind::TextLink { url } => ("text_link", Some(("url", url.as_str().into()))),
            EntityKind::MentionUser { user_id } => {
                let user = json!({ "id": user_id, "is_bot": false, "first_name": "" });
                ("text_mention", Some(("user", user)))
            }
            EntityKind::Blockquote { expandable: false } => ("blockquote", None),
            EntityKind::Blockquote { expandable: true } => ("expandable_blockquote", None),
            EntityKind::CustomEmoji { id } => {
                ("custom_emoji", Some(("custom_emoji_id", id.to_string().into())))
            }
        };
        written["type"] = kind.into();
        if let Some((name, value)) = more {
            written[name] = value;
        }
        written
    };
    text.entities.iter().map(entity).collect()
}

#[cfg(test)]
mod tests {
    use domain::ExternalChat;
    use domain::text::{ParseMode, parse};

    use super::*;

    #[test]
    fn chats_and_messages_are_named_one_way() {
        for name in
            ["2001", "-1001234567890", "-1001234567890/7", "-1001234567890!501", "bc-1:2001", "a_B9:2001"]
        {
            let target = Target::of(name).unwrap();
            assert_eq!(target.name(), name);
            assert_eq!(target.message(&target.external_id(17)), Some(17));
        }
        for name in [
            "",
            "@shop",
            "+2001",
            ":2001",
            "2001:",
            "20 01",
            "-1001234567890:7",
            "-100/7!8",
            "-100!7/8",
            "-100!",
            "0",
            "-0",
            "501!501",
            "501/7",
            "-1002222!-5",
            "-1002222!0",
            "-1002222/-7",
            "bc:-100222!501",
            "bc:-100222",
            "bc:2001/7",
            "bc:0",
            "a:b:2001",
            "a b:2001",
            "telegram:7502",
            "vk:7502",
            "7502:7502",
        ] {
            assert_eq!(Target::of(name), None, "{name}");
        }
        let target = Target::of("2001").unwrap();
        for other in ["2002:17", "bc-1:2001:17", "cb:17", "17", "2001:x"] {
            assert_eq!(target.message(other), None, "{other}");
        }
    }

    #[test]
    fn formatting_is_written_as_entities() {
        let html =
            "😀 <b>Price</b> <a href=\"https://example.com\">here</a> <a href=\"tg://user?id=7\">Ann</a>";
        let outgoing = Outgoing {
            chat: ExternalChat::new("bc-1:2001").unwrap(),
            text: parse(ParseMode::Html, html).unwrap(),
            file: None,
            reply_to: Some("bc-1:2001:17".into()),
            written_by: domain::message::Writer::Program,
            silent: true,
            preview: false,
            key: 1,
            prepared: None,
            album: Vec::new(),
            provider_options: None,
        };
        let target = Target::of(outgoing.chat.as_str()).unwrap();
        let written = Value::from(fields(&outgoing, &target, true));
        assert_eq!(
            written,
            json!({
                "chat_id": 2_001,
                "business_connection_id": "bc-1",
                "text": "😀 Price here Ann",
                "entities": [
                    {"offset": 3, "length": 5, "type": "bold"},
                    {"offset": 9, "length": 4, "type": "text_link", "url": "https://example.com"},
                    {"offset": 14, "length": 3, "type": "text_mention",
                        "user": {"id": 7, "is_bot": false, "first_name": ""}},
                ],
                "link_preview_options": {"is_disabled": true},
                "disable_notification": true,
                "reply_parameters": {"message_id": 17, "allow_sending_without_reply": true},
            })
        );
        assert!(!fields(&outgoing, &target, false).contains_key("entities"));
    }

    #[test]
    fn an_answer_goes_into_its_topic() {
        let outgoing = |chat: &str| Outgoing {
            chat: ExternalChat::new(chat).unwrap(),
            text: FormattedText::plain("hi"),
            file: None,
            reply_to: Some("-1002222:17".into()),
            written_by: domain::message::Writer::Program,
            silent: false,
            preview: true,
            key: 1,
            prepared: None,
            album: Vec::new(),
            provider_options: None,
        };
        for (chat, name, other) in [
            ("-1002222!501", "direct_messages_topic_id", "message_thread_id"),
            ("-1002222/501", "message_thread_id", "direct_messages_topic_id"),
        ] {
            let written = fields(&outgoing(chat), &Target::of(chat).unwrap(), true);
            assert_eq!((&written["chat_id"], &written[name]), (&json!(-1_002_222), &json!(501)), "{chat}");
            assert_eq!(written["reply_parameters"]["message_id"], 17, "{chat}");
            assert!(!written.contains_key(other), "{chat}");
        }
    }
}
