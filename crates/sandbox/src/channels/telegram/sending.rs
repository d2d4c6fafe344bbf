//! What the bot does in chats: messages, files, edits, deletions.

use std::time::Duration;

use domain::text::{Entity, EntityKind, MOST_ENTITIES, ParseMode, parse};
use md5::{Digest, Md5};
use serde_json::{Value, json};

use super::given::Given;
use super::{ACCOUNT, CHANNEL, Chat, File, ID, Message, Refusal, TelegramFake};
use crate::channels::fake::{ChannelEffect, Outside, ProviderFile};

const LONGEST_TEXT: usize = 4_096;
const LONGEST_CAPTION: usize = 1_024;
const LARGEST_PHOTO: usize = 10 * 1024 * 1024;
const LARGEST_FILE: usize = 50 * 1024 * 1024;

/// The media that are sent: the method, its field, and the word of the ledger.
const MEDIA: [(&str, &str, &str); 7] = [
    ("sendphoto", "photo", "image"),
    ("senddocument", "document", "document"),
    ("sendvoice", "voice", "voice"),
    ("sendvideo", "video", "video"),
    ("sendaudio", "audio", "audio"),
    ("sendanimation", "animation", "animation"),
    ("sendvideonote", "video_note", "video"),
];

/// The kinds of entities that are known.
const ENTITIES: [&str; 18] = [
    "mention",
    "hashtag",
    "cashtag",
    "bot_command",
    "url",
    "email",
    "phone_number",
    "bold",
    "italic",
    "underline",
    "strikethrough",
    "spoiler",
    "blockquote",
    "expandable_blockquote",
    "code",
    "pre",
    "text_link",
    "text_mention",
];

type MethodResult = Result<Value, Refusal>;

/// A file as the Bot API writes it, and what the ledger says of it.
struct Attached {
    field: &'static str,
    word: &'static str,
    written: Value,
    md5: Option<String>,
}

impl TelegramFake {
    pub(super) fn change(&mut self, method: &str, given: &Given, outside: &mut Outside) -> MethodResult {
        if let Some((_, field, word)) = MEDIA.into_iter().find(|(known, ..)| *known == method) {
            return self.send(method, given, Some((field, word)), outside);
        }
        match method {
            "sendmessage" => self.send(method, given, None, outside),
            "sendmediagroup" => self.send_album(method, given, outside),
            "editmessagetext" | "editmessagecaption" => self.edit(method, given, outside),
            "deletemessage" => self.delete(given, outside),
            "deletebusinessmessages" => self.delete_business(given, outside),
            "sendchataction" => {
                let chat = self.open_chat(given)?.name();
                if given.text("action").is_none() {
                    return Err(Refusal::bad("wrong parameter action in request"));
                }
                outside.record(effect("sendChatAction", &chat));
                Ok(json!(true))
            }
            _ => Err(Refusal::new(404, "Not Found")),
        }
    }

    /// The chat that is named, if the bot may write there.
    fn open_chat(&mut self, given: &Given) -> Result<&mut Chat, Refusal> {
        let id = given.number("chat_id").ok_or_else(|| Refusal::bad("chat_id is empty"))?;
        let business = given.text("business_connection_id");
        let name = business.map_or(id.to_string(), |business| format!("{business}:{id}"));
        let chat = self.chats.get_mut(&name).ok_or_else(|| Refusal::bad("chat not found"))?;
        if let Some(moved) = chat.moved_to {
            let what = Refusal::bad("group chat was upgraded to a supergroup chat");
            return Err(Refusal { parameters: json!({ "migrate_to_chat_id": moved }), ..what });
        }
        if chat.is_blocked {
            let what = if chat.id > 0 {
                "Forbidden: bot was blocked by the user"
            } else {
                "Forbidden: bot was kicked from the group chat"
            };
            return Err(Refusal::new(403, what));
        }
        Ok(chat)
    }

    fn send(
        &mut self,
        method: &str,
        given: &Given,
        media: Option<(&'static str, &'static str)>,
        outside: &mut Outside,
    ) -> MethodResult {
        let name = self.open_chat(given)?.name();
        let (text, marked) = words(given, media.is_some())?;
        let attached = match media {
            Some((field, word)) => Some(self.attach(given, (field, word), outside)?),
            None => None,
        };
        let chat = self.open_chat(given)?;
        let reply = given.nested("reply_parameters");
        let answered = reply["message_id"].as_i64();
        let found = answered.and_then(|id| chat.messages.get(&id));
        if answered.is_some() && found.is_none() && reply["allow_sending_without_reply"] != true {
            return Err(Refusal::bad("message to be replied not found"));
        }
        let mut body = json!({
            "from": { "id": ID, "is_bot": true, "first_name": "Demo shop", "username": "demo_shop_bot" },
            "chat": chat.written(),
            "date": outside.seconds(),
        });
        if let Some(found) = found {
            body["reply_to_message"] = found.body.clone();
        }
        let reply_to = answered.filter(|_| found.is_some()).map(|id| format!("{name}:{id}"));
        if let Some(business) = &chat.business {
            body["business_connection_id"] = business.as_str().into();
        }
        if !text.is_empty() {
            put(&mut body, attached.is_some(), &text, marked);
        }
        if let Some(attached) = &attached {
            body[attached.field] = attached.written.clone();
        }
        self.take_room(&name, outside)?;
        let message = Message {
            is_own: true,
            has_media: attached.is_some(),
            text: text.clone(),
            body,
            ..Message::default()
        };
        let chat = self.open_chat(given)?;
        let (id, body) = chat.keep(message);
        outside.record(ChannelEffect {
            text,
            entities: entities_of(&body),
            external_id: Some(format!("{name}:{id}")),
            reply_to,
            media: attached.as_ref().map(|attached| attached.word.to_owned()),
            md5: attached.and_then(|attached| attached.md5),
            ..effect(&spelled(method), &name)
        });
        Ok(body)
    }

    /// Of an album each file is a message.
    fn send_album(&mut self, method: &str, given: &Given, outside: &mut Outside) -> MethodResult {
        let items = given.nested("media").as_array().cloned().unwrap_or_default();
        if !(2..=10).contains(&items.len()) {
            return Err(Refusal::bad("wrong number of messages in the media group"));
        }
        let kind = |item: &Value| item["type"].as_str().unwrap_or_default().to_owned();
        let is_visual = |item: &Value| ["photo", "video"].contains(&kind(item).as_str());
        if !items.iter().all(is_visual) && items.iter().any(|item| kind(item) != kind(&items[0])) {
            return Err(Refusal::bad("MEDIA_INVALID"));
        }
        let mut calls = Vec::new();
        for (place, item) in items.iter().enumerate() {
            let named = MEDIA.into_iter().find(|(_, field, _)| *field == kind(item));
            let (_, field, word) = named.ok_or_else(|| Refusal::bad("can't parse InputMedia: type"))?;
            let name = item["media"].as_str().unwrap_or_default();
            if let Some(part) = name.strip_prefix("attach://")
                && given.file(part).is_none_or(|part| part.content.is_empty())
            {
                return Err(Refusal::bad("file must be non-empty"));
            }
            calls.push((given.alone(field, item, place == 0), (field, word)));
        }
        let group = outside.millis().to_string();
        let mut sent = Vec::new();
        for (alone, media) in calls {
            let mut body = self.send(method, &alone, Some(media), outside)?;
            body["media_group_id"] = group.as_str().into();
            sent.push(body);
        }
        Ok(sent.into())
    }

    /// About 30 messages a second and one a second in a chat, or 20 a minute in a group, with short bursts.
    fn take_room(&mut self, chat: &str, outside: &Outside) -> Result<(), Refusal> {
        let in_chat = Duration::from_secs(if chat.starts_with('-') { 3 } else { 1 });
        let kinds = [(chat, in_chat, 20), ("", Duration::from_millis(33), 30)];
        let next = |room: Option<&domain::Timestamp>, each: Duration| {
            room.copied().unwrap_or(outside.now).max(outside.now).plus(each)
        };
        for (name, each, burst) in kinds {
            let over = next(self.room.get(name), each).since(outside.now.plus(each * burst));
            if !over.is_zero() {
                return Err(Refusal::flood(over.as_secs() + 1));
            }
        }
        for (name, each, _) in kinds {
            let until = next(self.room.get(name), each);
            self.room.insert(name.to_owned(), until);
        }
        Ok(())
    }

    /// The file of a call: a part of it, or one that is known by its id.
    fn attach(
        &mut self,
        given: &Given,
        (field, word): (&'static str, &'static str),
        outside: &mut Outside,
    ) -> Result<Attached, Refusal> {
        let attached = |written, md5| Attached { field, word, written, md5 };
        let as_response = |file: Value| if field == "photo" { json!([file]) } else { file };
        let elsewhere = given.text(field).and_then(|text| text.strip_prefix("attach://"));
        if let Some(known) = given.text(field).filter(|_| elsewhere.is_none()) {
            if known.starts_with("http") {
                return Err(Refusal::bad("failed to get HTTP URL content"));
            }
            let file = self.files.get(known);
            let file = file.ok_or_else(|| Refusal::bad("wrong file identifier/HTTP URL specified"))?;
            let md5 = outside.file(&file.url).map(|kept| hex::encode(Md5::digest(&kept.content)));
            return Ok(attached(as_response(json!({ "file_id": known, "file_size": file.size })), md5));
        }
        let nothing = || Refusal::bad(format!("there is no {} in the request", field.replace('_', " ")));
        let part = given.file(elsewhere.unwrap_or(field)).ok_or_else(nothing)?;
        if part.content.is_empty() {
            return Err(Refusal::bad("file must be non-empty"));
        }
        if part.content.len() > LARGEST_FILE {
            return Err(Refusal::new(413, "Request Entity Too Large"));
        }
        if field == "photo" && part.content.len() > LARGEST_PHOTO {
            return Err(Refusal::bad("file is too big"));
        }
        let (name, mime) =
            (part.file_name.clone().unwrap_or_default(), part.mime.clone().unwrap_or_default());
        let written = self.keep_file(&name, &mime, part.content.clone(), outside);
        Ok(attached(as_response(written), Some(hex::encode(Md5::digest(&part.content)))))
    }

    /// Keeps a file; what the Bot API writes of it.
    pub(super) fn keep_file(
        &mut self,
        name: &str,
        mime: &str,
        content: Vec<u8>,
        outside: &mut Outside,
    ) -> Value {
        let size = content.len() as u64;
        let kept =
            ProviderFile { name: name.to_owned(), mime: mime.to_owned(), content, ..ProviderFile::default() };
        let url = outside.keep(kept);
        let id = format!("AQ{}", url.rsplit('/').next().unwrap_or_default());
        let mut written = json!({ "file_id": id, "file_unique_id": &id[2..], "file_size": size });
        for (field, value) in [("file_name", name), ("mime_type", mime)] {
            if !value.is_empty() {
                written[field] = value.into();
            }
        }
        self.files.insert(id, File { url, size, path: None });
        written
    }

    fn edit(&mut self, method: &str, given: &Given, outside: &mut Outside) -> MethodResult {
        let of_caption = method == "editmessagecaption";
        let chat = self.open_chat(given)?;
        let (name, id) = (chat.name(), given.number("message_id").unwrap_or_default());
        let message = chat.messages.get_mut(&id).ok_or_else(|| Refusal::bad("message to edit not found"))?;
        if !message.is_own {
            return Err(Refusal::bad("message can't be edited"));
        }
        if message.has_media != of_caption {
            let what = if of_caption { "caption" } else { "text" };
            return Err(Refusal::bad(format!("there is no {what} in the message to edit")));
        }
        let (text, marked) = words(given, of_caption)?;
        if message.text == text {
            return Err(Refusal::bad(
                "message is not modified: specified new message content and reply markup are exactly the same as a \
                 current content and reply markup of the message",
            ));
        }
        message.text.clone_from(&text);
        put(&mut message.body, of_caption, &text, marked);
        message.body["edit_date"] = outside.seconds().into();
        let body = message.body.clone();
        let external_id = Some(format!("{name}:{id}"));
        let entities = entities_of(&body);
        outside.record(ChannelEffect { text, entities, external_id, ..effect(&spelled(method), &name) });
        Ok(body)
    }

    fn delete(&mut self, given: &Given, outside: &mut Outside) -> MethodResult {
        let chat = self.open_chat(given)?;
        let (name, id) = (chat.name(), given.number("message_id").unwrap_or_default());
        let message = chat.messages.get(&id).ok_or_else(|| Refusal::bad("message to delete not found"))?;
        let age = outside.seconds() - message.body["date"].as_i64().unwrap_or_default();
        if age > 48 * 3_600 {
            return Err(Refusal::bad("message can't be deleted for everyone"));
        }
        chat.messages.remove(&id);
        let external_id = Some(format!("{name}:{id}"));
        outside.record(ChannelEffect { external_id, ..effect("deleteMessage", &name) });
        Ok(json!(true))
    }

    fn delete_business(&mut self, given: &Given, outside: &mut Outside) -> MethodResult {
        let business = given.text("business_connection_id").unwrap_or_default();
        let ids = given.nested("message_ids");
        let ids: Vec<i64> = ids.as_array().into_iter().flatten().filter_map(Value::as_i64).collect();
        // The call names no chat: it is the one that has all of the messages.
        let has = |chat: &Chat| ids.iter().all(|id| chat.messages.get(id).is_some_and(|it| it.is_own));
        let chat =
            self.chats.values_mut().find(|chat| chat.business.as_deref() == Some(business) && has(chat));
        let chat = chat.filter(|_| !ids.is_empty());
        let chat = chat.ok_or_else(|| Refusal::bad("MESSAGE_ID_INVALID"))?;
        let name = chat.name();
        for id in ids {
            chat.messages.remove(&id);
            let external_id = Some(format!("{name}:{id}"));
            outside.record(ChannelEffect { external_id, ..effect("deleteBusinessMessages", &name) });
        }
        Ok(json!(true))
    }
}

fn effect(method: &str, chat: &str) -> ChannelEffect {
    ChannelEffect {
        provider: CHANNEL.to_owned(),
        account: ACCOUNT.to_owned(),
        method: method.to_owned(),
        chat_id: chat.to_owned(),
        ..ChannelEffect::default()
    }
}

/// A method as the Bot API writes it.
fn spelled(method: &str) -> String {
    const WORDS: [&str; 11] = [
        "message",
        "photo",
        "document",
        "voice",
        "video",
        "audio",
        "animation",
        "text",
        "caption",
        "media",
        "group",
    ];
    let mut spelled = method.to_owned();
    for word in WORDS {
        let capital = format!("{}{}", word[..1].to_ascii_uppercase(), &word[1..]);
        spelled = spelled.replace(word, &capital);
    }
    spelled
}

/// The words of a message without their markup, and what the markup says of them.
fn words(given: &Given, of_caption: bool) -> Result<(String, Value), Refusal> {
    let (field, entities) = if of_caption { ("caption", "caption_entities") } else { ("text", "entities") };
    let written = given.text(field).unwrap_or_default();
    let (text, marked) = match given.text("parse_mode").map(str::to_ascii_lowercase).as_deref() {
        None | Some("markdown" | "markdownv2") => (written.trim().to_owned(), Value::Null),
        Some("html") => {
            let wrong = |error| Refusal::bad(format!("can't parse entities: {error}"));
            let parsed = parse(ParseMode::Html, written).map_err(wrong)?;
            (parsed.text, parsed.entities.iter().map(entity).collect())
        }
        Some(_) => return Err(Refusal::bad("unsupported parse_mode")),
    };
    let length = text.encode_utf16().count();
    if !of_caption && length == 0 {
        return Err(Refusal::bad("message text is empty"));
    }
    if of_caption && length > LONGEST_CAPTION {
        return Err(Refusal::bad("message caption is too long"));
    }
    if length > LONGEST_TEXT {
        return Err(Refusal::bad("message is too long"));
    }
    if given.has(entities) {
        let given = given.nested(entities);
        check(&given, length)?;
        return Ok((text, given));
    }
    Ok((text, marked))
}

/// An entity as the Bot API writes it.
fn entity(entity: &Entity) -> Value {
    let mut written = serde_json::to_value(entity).unwrap_or_default();
    match &entity.kind {
        EntityKind::MentionUser { user_id } => {
            written["type"] = "text_mention".into();
            written["user"] = json!({ "id": user_id, "is_bot": false, "first_name": "Someone" });
        }
        EntityKind::Blockquote { expandable: true } => written["type"] = "expandable_blockquote".into(),
        EntityKind::CustomEmoji { id } => written["custom_emoji_id"] = id.to_string().into(),
        _ => {}
    }
    written
}

/// Puts words into a message. The server ignores further entities.
fn put(body: &mut Value, of_caption: bool, text: &str, mut marked: Value) {
    if let Some(marked) = marked.as_array_mut() {
        marked.truncate(MOST_ENTITIES);
    }
    let (field, entities) = if of_caption { ("caption", "caption_entities") } else { ("text", "entities") };
    body[field] = text.into();
    if let Some(body) = body.as_object_mut() {
        body.remove(entities);
        if marked.as_array().is_some_and(|marked| !marked.is_empty()) {
            body.insert(entities.to_owned(), marked);
        }
    }
}

/// The entities of a message, for the ledger.
fn entities_of(body: &Value) -> Vec<Value> {
    let fields = ["entities", "caption_entities"];
    fields.iter().filter_map(|field| body[*field].as_array()).flatten().cloned().collect()
}

fn check(entities: &Value, length: usize) -> Result<(), Refusal> {
    let wrong = |what: &str| Refusal::bad(format!("can't parse entities: {what}"));
    let entities = entities.as_array().ok_or_else(|| wrong("a list is expected"))?;
    for entity in entities {
        let kind = entity["type"].as_str().unwrap_or_default();
        if !ENTITIES.contains(&kind) && kind != "custom_emoji" {
            return Err(wrong("an entity has an unsupported type"));
        }
        let number = |name: &str| entity[name].as_u64().and_then(|number| usize::try_from(number).ok());
        let (offset, size) = (number("offset"), number("length"));
        let is_inside = offset.zip(size).is_some_and(|(offset, size)| offset.saturating_add(size) <= length);
        if !is_inside {
            return Err(wrong("an entity is outside of the text"));
        }
        if kind == "text_mention" && entity["user"]["id"].as_i64().is_none() {
            return Err(wrong("a user is expected"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_entities_of_a_message_are_ignored() {
        let bold = json!({ "type": "bold", "offset": 0, "length": 1 });
        for (of_caption, field) in [(false, "entities"), (true, "caption_entities")] {
            let mut body = json!({});
            put(&mut body, of_caption, "a", vec![bold.clone(); 120].into());
            assert_eq!(body[field].as_array().map(Vec::len), Some(100));
            assert_eq!(entities_of(&body).len(), 100);
        }
    }
}
