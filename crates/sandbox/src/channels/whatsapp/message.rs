//! Messages of the pretend Wappi: what is sent, removed and read back.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Timestamp;
use md5::{Digest, Md5};
use serde_json::{Value, json};

use super::{Item, WhatsappFake, chat_of, done, effect, error_with_success_status, refused};
use crate::channels::ChannelEffect;
use crate::channels::fake::{Outside, ProviderFile};
use crate::channels::request::Reply;

/// A link to a file ends after this number of days.
const LINK_DAYS: u64 = 7;

impl WhatsappFake {
    pub(super) fn send_text(&mut self, body: &Value, outside: &mut Outside) -> Result<Value, Reply> {
        let chat = chat_of(body)?;
        let text = body["body"].as_str().unwrap_or_default().to_owned();
        if text.is_empty() {
            return Err(refused(400, "body is empty"));
        }
        let reply_to = body["quoted_message_id"].as_str().map(str::to_owned);
        let item = Item { kind: "chat".to_owned(), text, reply_to, ..Item::default() };
        Ok(self.sent(&chat, "message/send", item, None, outside))
    }

    pub(super) fn send_file(
        &mut self,
        kind: &str,
        body: &Value,
        outside: &mut Outside,
    ) -> Result<Value, Reply> {
        let chat = chat_of(body)?;
        let coded = body["b64_file"].as_str().unwrap_or_default();
        let content = STANDARD.decode(coded).ok().filter(|content| !content.is_empty());
        let content = content.ok_or_else(|| refused(400, "b64_file is no bare base64"))?;
        let name = body["file_name"].as_str().unwrap_or_default();
        if name.is_empty() && kind != "ptt" {
            return Err(refused(400, "file_name is empty"));
        }
        let item = Item {
            kind: kind.to_owned(),
            text: body["caption"].as_str().unwrap_or_default().to_owned(),
            file_name: name.to_owned(),
            ..Item::default()
        };
        let method = match kind {
            "image" => "message/img/send",
            "video" => "message/video/send",
            "ptt" => "message/audio/send",
            _ => "message/document/send",
        };
        Ok(self.sent(&chat, method, item, Some(content), outside))
    }

    /// The ledger has what was fetched, where something was.
    pub(super) fn send_link(
        &mut self,
        body: &Value,
        fetched: Option<&ProviderFile>,
        outside: &mut Outside,
    ) -> Result<Value, Reply> {
        let chat = chat_of(body)?;
        let url = body["url"].as_str().unwrap_or_default();
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(refused(400, "url must be an address"));
        }
        let ending = body["file_name"].as_str().unwrap_or_default().rsplit('.').next().unwrap_or_default();
        let kind = match ending.to_ascii_lowercase().as_str() {
            "jpg" | "jpeg" | "png" => "image",
            "mp4" => "video",
            _ => "document",
        };
        let item = Item {
            kind: kind.to_owned(),
            text: body["caption"].as_str().unwrap_or_default().to_owned(),
            file_name: body["file_name"].as_str().unwrap_or_default().to_owned(),
            link: url.to_owned(),
            ..Item::default()
        };
        let content = fetched.map(|file| file.content.clone());
        Ok(self.sent(&chat, "message/file/url/send", item, content, outside))
    }

    fn sent(
        &mut self,
        chat: &str,
        method: &str,
        item: Item,
        content: Option<Vec<u8>>,
        outside: &mut Outside,
    ) -> Value {
        let id = self.next_id();
        let item = Item { id: id.clone(), is_own: true, time: outside.seconds(), ..item };
        outside.record(ChannelEffect {
            method: method.to_owned(),
            text: item.text.clone(),
            external_id: Some(id.clone()),
            reply_to: item.reply_to.clone(),
            media: (item.kind != "chat").then(|| item.kind.clone()),
            md5: content.as_ref().map(|content| hex::encode(Md5::digest(content))),
            ..effect(chat)
        });
        if let Some(content) = content {
            self.files.insert(id.clone(), (item.file_name.clone(), String::new(), content));
        }
        let task = format!("task-{id}");
        let echo = self.posted_item("outgoing_message_api", chat, &item);
        self.keep(chat, item);
        self.tell(&json!([merged(echo, &json!({"task_id": task}))]), false, outside);
        for status in ["pending", "sent"] {
            self.tell_status(&id, status, false, outside);
        }
        let ids = match self.mode.id_key.as_str() {
            "task_id" => json!({"task_id": task}),
            "message.id" => json!({"message": {"id": id}}),
            key => json!({key: id}),
        };
        merged(done(outside), &ids)
    }

    pub(super) fn delete(&mut self, body: &Value, outside: &mut Outside) -> Result<Value, Reply> {
        let id = body["message_id"].as_str().unwrap_or_default();
        let (chat, place) =
            self.location_of(id).ok_or_else(|| error_with_success_status("message not found"))?;
        let items = self.chats.entry(chat.clone()).or_default();
        if !items.get(place).is_some_and(|item| item.is_own) {
            return Err(error_with_success_status("message is not yours"));
        }
        items.remove(place);
        let external_id = Some(id.to_owned());
        outside.record(ChannelEffect { method: "message/delete".to_owned(), external_id, ..effect(&chat) });
        Ok(done(outside))
    }

    pub(super) fn mark_read(&mut self, body: &Value, outside: &mut Outside) -> Result<Value, Reply> {
        let id = body["message_id"].as_str().unwrap_or_default();
        let (chat, _) = self.location_of(id).ok_or_else(|| error_with_success_status("message not found"))?;
        for item in self.chats.entry(chat.clone()).or_default() {
            item.is_read |= !item.is_own;
        }
        outside.record(ChannelEffect { method: "message/mark/read".to_owned(), ..effect(&chat) });
        Ok(done(outside))
    }

    pub(super) fn history(&self, query: &BTreeMap<String, String>) -> Result<Value, Reply> {
        let chat = query.get("chat_id").ok_or_else(|| refused(400, "chat_id is required"))?;
        let limit: usize = query.get("limit").map_or(Ok(100), |limit| limit.parse()).unwrap_or(0);
        if !(1..=100).contains(&limit) {
            return Err(refused(400, "limit must be from 1 to 100"));
        }
        let items = self.chats.get(chat);
        let shown = |item: &Item| {
            let body = match item.kind.as_str() {
                "chat" => item.text.clone().into(),
                _ => json!({"fileName": item.file_name, "mimetype": item.mime, "url": item.link}),
            };
            json!({
                "id": item.id, "type": item.kind, "fromMe": item.is_own, "chatId": chat, "time": item.time, "body": body,
                "caption": if item.kind == "chat" { Value::Null } else { item.text.clone().into() },
                "isRead": item.is_read, "isReply": item.reply_to.is_some(),
            })
        };
        let is_descending = query.get("order").is_some_and(|order| order == "desc");
        let mut found: Vec<Value> = items.into_iter().flatten().map(shown).collect();
        if is_descending {
            found.reverse();
        }
        found.truncate(limit);
        Ok(json!({"status": "done", "messages": found}))
    }

    pub(super) fn download(&self, id: &str, outside: &mut Outside) -> Result<Value, Reply> {
        let (name, mime, content) = self.files.get(id).ok_or_else(|| refused(404, "message has no media"))?;
        let until = outside.now.plus(std::time::Duration::from_hours(24 * LINK_DAYS));
        let link = store_file(name, mime, content.clone(), until, outside);
        Ok(json!({
            "status": "done", "file_name": name, "mimetype": mime, "file_link": link,
            "file_link_expire": until.as_seconds(),
        }))
    }
}

/// Keeps a file for as long as a link to it is good.
pub(super) fn store_file(
    name: &str,
    mime: &str,
    content: Vec<u8>,
    until: Timestamp,
    outside: &mut Outside,
) -> String {
    let (name, mime) = (name.to_owned(), mime.to_owned());
    outside.keep(ProviderFile { name, mime, content, until: Some(until), ..ProviderFile::default() })
}

/// The fields of both.
pub(super) fn merged(mut one: Value, other: &Value) -> Value {
    for (name, value) in other.as_object().into_iter().flatten() {
        one[name] = value.clone();
    }
    one
}
