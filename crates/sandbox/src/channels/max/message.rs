//! Messages of the pretend MAX: what is sent, changed, removed and read back.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{BOT, DAY, DIALOGS, MOST_A_SECOND, MOST_MESSAGES, MaxFake, absent, bad, denied, effect, refused};
use crate::channels::fake::Outside;
use crate::channels::request::Reply;

/// Attachments that stand alone.
const ALONE: [&str; 4] = ["audio", "file", "contact", "sticker"];
/// The longest text.
const LONGEST: usize = 4_000;

impl MaxFake {
    pub(super) fn send(
        &mut self,
        query: &BTreeMap<String, String>,
        body: &Value,
        outside: &mut Outside,
    ) -> Result<Value, Reply> {
        let number = |name: &str| query.get(name).map(|text| text.parse::<i64>());
        let chat = match (number("chat_id"), number("user_id")) {
            (Some(Ok(chat)), None) => chat,
            (None, Some(Ok(user))) => user + DIALOGS,
            _ => return Err(bad("chat_id or user_id must be given, as a number")),
        };
        let known = self.chats.get(&chat).ok_or_else(|| absent("chat"))?;
        if known.is_stopped {
            return Err(denied());
        }
        let user = known.user["user_id"].clone();
        self.count_sending(outside)?;
        let text = checked_text(body)?;
        let attachments = self.attached(body)?;
        if text.is_empty() && attachments.is_empty() {
            return Err(bad("message has neither text nor attachments"));
        }
        let link = self.linked(body)?;
        let mut recorded = effect(chat);
        for given in body["attachments"].as_array().into_iter().flatten() {
            if let Some(upload) = self.uploaded(given) {
                recorded.media = Some(upload.kind.to_owned());
                let earlier = recorded.md5.take().map(|earlier| earlier + ",").unwrap_or_default();
                recorded.md5 = Some(earlier + &upload.md5);
            }
        }
        let message = self.made_message(&Self::bot(outside), chat, &text, &attachments, outside);
        let mut message = Value::Object(message);
        message["recipient"]["user_id"] = user;
        if let Some(link) = link {
            recorded.reply_to = link["message"]["mid"].as_str().map(str::to_owned);
            message["link"] = link;
        }
        "POST /messages".clone_into(&mut recorded.method);
        recorded.text = text;
        recorded.external_id = message["body"]["mid"].as_str().map(str::to_owned);
        outside.record(recorded);
        self.keep(chat, message.clone());
        Ok(json!({"message": message}))
    }

    /// A message with a number of its own.
    pub(super) fn made_message(
        &mut self,
        sender: &Value,
        chat: i64,
        text: &str,
        attachments: &[Value],
        outside: &Outside,
    ) -> serde_json::Map<String, Value> {
        let number = self.next();
        let recipient = json!({
            "chat_id": chat, "chat_type": if chat < 0 { "chat" } else { "dialog" },
            "user_id": if chat < 0 { Value::Null } else { BOT.into() },
        });
        let body = json!({
            "mid": format!("mid.{number:016x}"), "seq": 116_000_000_000_000_000_i64 + number,
            "text": if text.is_empty() { Value::Null } else { text.into() }, "attachments": attachments, "markup": [],
        });
        let message =
            json!({"sender": sender, "recipient": recipient, "timestamp": outside.millis(), "body": body});
        message.as_object().cloned().unwrap_or_default()
    }

    pub(super) fn keep(&mut self, chat: i64, message: Value) {
        let messages = &mut self.chats.entry(chat).or_default().messages;
        if messages.len() >= MOST_MESSAGES {
            messages.pop_front();
        }
        messages.push_back(message);
    }

    fn count_sending(&mut self, outside: &Outside) -> Result<(), Reply> {
        let now = outside.millis();
        while self.sent_at.front().is_some_and(|at| now - at >= 1_000) {
            self.sent_at.pop_front();
        }
        if self.sent_at.len() >= MOST_A_SECOND {
            return Err(refused(429, "too.many.requests", "Too many requests"));
        }
        self.sent_at.push_back(now);
        Ok(())
    }

    /// The attachments as others see them.
    fn attached(&mut self, body: &Value) -> Result<Vec<Value>, Reply> {
        let given = match &body["attachments"] {
            Value::Null => return Ok(Vec::new()),
            Value::Array(given) => given,
            _ => return Err(bad("attachments is no list")),
        };
        let kinds: Vec<&str> = given.iter().filter_map(|one| one["type"].as_str()).collect();
        if kinds.iter().any(|kind| ALONE.contains(kind)) && kinds.len() > 1 {
            return Err(bad("such an attachment must be the only one"));
        }
        given
            .iter()
            .map(|one| match one["type"].as_str() {
                Some("inline_keyboard") => checked_keyboard(one).map(|()| one.clone()),
                Some("image" | "video" | "audio" | "file") => self.attached_file(one),
                _ => Err(bad("unknown type of attachment")),
            })
            .collect()
    }

    fn attached_file(&mut self, given: &Value) -> Result<Value, Reply> {
        let kind = given["type"].as_str().unwrap_or_default().to_owned();
        let token = super::upload::token_of(given).ok_or_else(|| bad("payload has no token"))?;
        let upload = self.uploads.get_mut(&token).ok_or_else(|| bad("unknown token"))?;
        if upload.kind != kind {
            return Err(bad("the token is of another type"));
        }
        let Some(url) = upload.url.clone() else { return Err(bad("nothing was uploaded")) };
        if upload.work_left > 0 {
            upload.work_left -= 1;
            return Err(refused(
                400,
                "attachment.not.ready",
                "Key: errors.process.attachment.file.not.processed",
            ));
        }
        Ok(json!({"type": kind, "payload": {"url": url, "token": token}}))
    }

    fn linked(&self, body: &Value) -> Result<Option<Value>, Reply> {
        let link = &body["link"];
        if link.is_null() {
            return Ok(None);
        }
        let message = link["mid"].as_str().and_then(|mid| self.message(mid));
        match (link["type"].as_str(), message) {
            (Some(kind @ ("reply" | "forward")), Some(message)) => Ok(Some(json!({
                "type": kind, "sender": message["sender"], "chat_id": message["recipient"]["chat_id"], "message": message["body"],
            }))),
            _ => Err(bad("wrong link")),
        }
    }

    pub(super) fn edit(
        &mut self,
        query: &BTreeMap<String, String>,
        body: &Value,
        outside: &mut Outside,
    ) -> Result<Value, Reply> {
        let (chat, place) = self.own_message(query, outside)?;
        let text = checked_text(body)?;
        let attachments = if body["attachments"].is_null() { None } else { Some(self.attached(body)?) };
        let Some(message) = self.chats.get_mut(&chat).and_then(|chat| chat.messages.get_mut(place)) else {
            return Err(absent("message"));
        };
        message["body"]["text"] = text.clone().into();
        if let Some(attachments) = attachments {
            message["body"]["attachments"] = attachments.into();
        }
        let external_id = message["body"]["mid"].as_str().map(str::to_owned);
        let method = "PUT /messages".to_owned();
        outside.record(crate::channels::ChannelEffect { method, text, external_id, ..effect(chat) });
        Ok(json!({"success": true}))
    }

    /// Answers a press: a note that its user sees, another text for the message with the button, or both.
    pub(super) fn answer_press(
        &mut self,
        query: &BTreeMap<String, String>,
        body: &Value,
        outside: &mut Outside,
    ) -> Result<Value, Reply> {
        let id = query.get("callback_id").ok_or_else(|| bad("callback_id is missing"))?;
        let mid = self.presses.get(id).cloned().ok_or_else(|| absent("callback"))?;
        if body["notification"].is_null() && body["message"].is_null() {
            return Err(bad("neither message nor notification"));
        }
        if !body["message"].is_null() {
            let mid = mid.clone().ok_or_else(|| absent("message"))?;
            self.edit(&BTreeMap::from([("message_id".to_owned(), mid)]), &body["message"], outside)?;
        }
        let chat = mid.as_deref().and_then(|mid| self.location_of(mid)).map(|(chat, _)| chat);
        let (method, text) = ("POST /answers".to_owned(), body["notification"].as_str().unwrap_or_default());
        let text = text.to_owned();
        let recorded = effect(chat.unwrap_or_default());
        outside.record(crate::channels::ChannelEffect { method, text, external_id: mid, ..recorded });
        Ok(json!({"success": true}))
    }

    pub(super) fn delete(
        &mut self,
        query: &BTreeMap<String, String>,
        outside: &mut Outside,
    ) -> Result<Value, Reply> {
        let (chat, place) = self.own_message(query, outside)?;
        let removed = self.chats.get_mut(&chat).and_then(|chat| chat.messages.remove(place));
        let external_id = removed.and_then(|message| message["body"]["mid"].as_str().map(str::to_owned));
        let method = "DELETE /messages".to_owned();
        outside.record(crate::channels::ChannelEffect { method, external_id, ..effect(chat) });
        Ok(json!({"success": true}))
    }

    fn own_message(
        &self,
        query: &BTreeMap<String, String>,
        outside: &Outside,
    ) -> Result<(i64, usize), Reply> {
        let mid = query.get("message_id").ok_or_else(|| bad("message_id is missing"))?;
        let (chat, place) = self.location_of(mid).ok_or_else(|| absent("message"))?;
        let message = self.message(mid).ok_or_else(|| absent("message"))?;
        if message["sender"]["user_id"] != BOT {
            return Err(refused(403, "chat.denied", "the message is not the bot's"));
        }
        if outside.millis() - message["timestamp"].as_i64().unwrap_or_default() > DAY {
            return Err(bad("the message is older than a day"));
        }
        Ok((chat, place))
    }

    pub(super) fn history(&self, query: &BTreeMap<String, String>) -> Result<Value, Reply> {
        let number = |name: &str| query.get(name).and_then(|text| text.parse::<i64>().ok());
        if let Some(mids) = query.get("message_ids") {
            let found: Vec<&Value> = mids.split(',').filter_map(|mid| self.message(mid)).collect();
            return Ok(json!({"messages": found}));
        }
        let chat = number("chat_id").ok_or_else(|| bad("chat_id or message_ids must be given"))?;
        let chat = self.chats.get(&chat).ok_or_else(|| absent("chat"))?;
        let count = number("count").unwrap_or(50);
        if !(1..=100).contains(&count) {
            return Err(bad("count must be from 1 to 100"));
        }
        let (after, before) = (number("after").unwrap_or(i64::MIN), number("before").unwrap_or(i64::MAX));
        let is_within =
            |message: &&Value| (after..=before).contains(&message["timestamp"].as_i64().unwrap_or_default());
        let count = usize::try_from(count).unwrap_or_default();
        let messages: Vec<&Value> = chat.messages.iter().rev().filter(is_within).take(count).collect();
        Ok(json!({"messages": messages}))
    }
}

fn checked_text(body: &Value) -> Result<String, Reply> {
    let text = match &body["text"] {
        Value::Null => "",
        Value::String(text) => text,
        _ => return Err(bad("text is no text")),
    };
    if text.chars().count() > LONGEST {
        return Err(bad("text is too long"));
    }
    match body["format"].as_str() {
        None if body["format"].is_null() => Ok(text.to_owned()),
        Some("html") => Ok(shown(text)),
        Some("markdown") => Ok(text.to_owned()),
        _ => Err(bad("unknown format")),
    }
}

/// HTML as people see it.
fn shown(html: &str) -> String {
    let mut text = String::new();
    let mut is_tag = false;
    for character in html.chars() {
        match character {
            '<' => is_tag = true,
            '>' if is_tag => is_tag = false,
            other if !is_tag => text.push(other),
            _ => {}
        }
    }
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

fn checked_keyboard(keyboard: &Value) -> Result<(), Reply> {
    let rows = keyboard["payload"]["buttons"].as_array().ok_or_else(|| bad("keyboard has no buttons"))?;
    let of_row = |row: &Value| row.as_array().is_some_and(|row| row.len() <= 7);
    if rows.len() > 30 || !rows.iter().all(of_row) {
        return Err(bad("too many buttons"));
    }
    for button in rows.iter().filter_map(Value::as_array).flatten() {
        let length = |key: &str| button[key].as_str().unwrap_or_default().chars().count();
        if !(1..=128).contains(&length("text")) || length("payload") > 1_024 || length("url") > 2_048 {
            return Err(bad("wrong button"));
        }
    }
    Ok(())
}
