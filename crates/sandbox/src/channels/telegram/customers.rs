//! What customers of the pretend bot do, and the owner of the personal account that it is attached to.

use serde_json::{Map, Value, json};

use super::{ACCOUNT, BUSINESS, CHANNEL, Chat, ID, Message, OWNER, TelegramFake};
use crate::channels::fake::{CustomerAction, CustomerDeed, CustomerDone, CustomerMedia, Outside};

/// `extra` of a deed: `chat` is a group, `business` the connection of a personal account, `size` the size that a file is said
/// to have, `migrate` the id that a group has from now on.
impl TelegramFake {
    pub(super) fn act(&mut self, deed: &CustomerDeed, outside: &mut Outside) -> Result<CustomerDone, String> {
        if deed.forged && self.hook.is_none() {
            return Err("forged: only posts are, and no webhook is set".to_owned());
        }
        let from: i64 = deed.from.parse().map_err(|_| "from: the id of a person is a number".to_owned())?;
        let chat = self.meet(deed, from);
        match deed.action {
            CustomerAction::Write if deed.extra["migrate"].is_i64() => self.migrate(deed, &chat, outside),
            CustomerAction::Write | CustomerAction::OwnerWrites => self.write(deed, from, &chat, outside),
            CustomerAction::Edit => self.rewrite(deed, &chat, outside),
            CustomerAction::Delete => self.remove(deed, &chat, outside),
            CustomerAction::React => self.react(deed, from, &chat, outside),
            CustomerAction::Press => self.press(deed, from, &chat, outside),
            CustomerAction::Block | CustomerAction::Unblock => self.block(deed, from, &chat, outside),
            CustomerAction::Read | CustomerAction::Deliver | CustomerAction::Undeliver => {
                Err("action: Telegram does not tell bots of this".to_owned())
            }
        }
    }

    /// The chat of a deed, made if there is none.
    fn meet(&mut self, deed: &CustomerDeed, from: i64) -> String {
        let given = deed.extra["business"].as_str();
        let is_owner = deed.action == CustomerAction::OwnerWrites;
        let business = given.or_else(|| is_owner.then_some(BUSINESS)).map(str::to_owned);
        let id = deed.extra["chat"].as_i64().unwrap_or(from);
        let name = deed.name.clone().unwrap_or_else(|| format!("Customer {from}"));
        let chat = Chat { id, business, name, ..Chat::default() };
        let key = chat.name();
        let known = self.chats.entry(key.clone()).or_insert(chat);
        if let Some(name) = &deed.name {
            known.name.clone_from(name);
        }
        key
    }

    fn write(
        &mut self,
        deed: &CustomerDeed,
        from: i64,
        chat: &str,
        outside: &mut Outside,
    ) -> Result<CustomerDone, String> {
        let mut bodies = Vec::new();
        let text = match (&deed.text, &deed.subject) {
            (Some(text), _) => Some(text.clone()),
            (None, Some(ad)) => Some(format!("/start {ad}")),
            (None, None) => None,
        };
        for (place, media) in deed.media.iter().enumerate() {
            let mut body = self.attached(media, deed, outside)?;
            if let Some(text) = text.as_ref().filter(|_| place == 0) {
                body.insert("caption".to_owned(), text.as_str().into());
            }
            if deed.media.len() > 1 {
                body.insert("media_group_id".to_owned(), outside.millis().to_string().into());
            }
            bodies.push(body);
        }
        if bodies.is_empty() {
            let body = match (&text, &deed.phone) {
                (Some(text), _) => json!({ "text": text }),
                (None, Some(phone)) => json!({ "contact": {
                    "phone_number": phone.trim_start_matches('+'), "first_name": deed.name, "user_id": from,
                } }),
                (None, None) => return Err("text: a message has a text, media or a phone".to_owned()),
            };
            bodies.extend(body.as_object().cloned());
        }
        let mut done = None;
        for body in bodies {
            done = Some(self.hear(deed, from, (chat, body), outside)?);
        }
        done.ok_or_else(|| "text: there is nothing to write".to_owned())
    }

    /// A message of a customer becomes an update.
    fn hear(
        &mut self,
        deed: &CustomerDeed,
        from: i64,
        (chat, more): (&str, Map<String, Value>),
        outside: &mut Outside,
    ) -> Result<CustomerDone, String> {
        let found = self.chats.get_mut(chat).ok_or("from: there is no such chat")?;
        let from = if deed.action == CustomerAction::OwnerWrites { OWNER } else { from };
        let mut body = json!({
            "date": outside.seconds(),
            "from": { "id": from, "is_bot": false, "first_name": deed.name.as_ref().unwrap_or(&found.name) },
            "chat": found.written(),
        });
        if let Some(business) = &found.business {
            body["business_connection_id"] = business.as_str().into();
        }
        let answered = deed.message_id.as_deref().and_then(number);
        if let Some(answered) = answered.and_then(|id| found.messages.get(&id)) {
            body["reply_to_message"] = answered.body.clone();
        }
        let text = more.get("text").or_else(|| more.get("caption")).and_then(Value::as_str);
        let text = text.unwrap_or_default().to_owned();
        if let Value::Object(fields) = &mut body {
            fields.extend(more);
        }
        let kind = if found.business.is_some() { "business_message" } else { "message" };
        let (id, body) = found.keep(Message { text, body, ..Message::default() });
        self.tell(kind, &body, deed.forged, outside);
        Ok(done(chat, Some(id)))
    }

    fn attached(
        &mut self,
        media: &CustomerMedia,
        deed: &CustomerDeed,
        outside: &mut Outside,
    ) -> Result<Map<String, Value>, String> {
        let (field, mime) = match media.kind.as_str() {
            "image" => ("photo", ""),
            "voice" => ("voice", "audio/ogg"),
            "audio" => ("audio", "audio/mpeg"),
            "video" => ("video", "video/mp4"),
            "document" => ("document", "application/octet-stream"),
            "sticker" => ("sticker", ""),
            other => return Err(format!("media: no message of Telegram has {other:?}")),
        };
        let (name, mime) = (media.name.as_deref().unwrap_or_default(), media.mime.as_deref().unwrap_or(mime));
        let mut file = self.keep_file(name, mime, media.bytes(), outside);
        if let Some(size) = deed.extra["size"].as_u64() {
            file["file_size"] = size.into();
            let id = file["file_id"].as_str().unwrap_or_default();
            if let Some(kept) = self.files.get_mut(id) {
                kept.size = size;
            }
        }
        if field == "sticker" {
            file["emoji"] = "\u{1f44d}".into();
        }
        // Of a picture there are several sizes, the largest last.
        let attached = if field == "photo" {
            let small = self.keep_file("", "", b"small".to_vec(), outside);
            json!([small, file])
        } else {
            file
        };
        Ok(Map::from_iter([(field.to_owned(), attached)]))
    }

    fn rewrite(
        &mut self,
        deed: &CustomerDeed,
        chat: &str,
        outside: &mut Outside,
    ) -> Result<CustomerDone, String> {
        let (id, found) = self.written(deed, chat)?;
        let text = deed.text.clone().unwrap_or_default();
        let field = if found.body.get("caption").is_some() { "caption" } else { "text" };
        found.body[field] = text.as_str().into();
        found.body["edit_date"] = outside.seconds().into();
        found.text = text;
        let body = found.body.clone();
        let is_business = body.get("business_connection_id").is_some();
        let kind = if is_business { "edited_business_message" } else { "edited_message" };
        self.tell(kind, &body, deed.forged, outside);
        Ok(done(chat, Some(id)))
    }

    fn remove(
        &mut self,
        deed: &CustomerDeed,
        chat: &str,
        outside: &mut Outside,
    ) -> Result<CustomerDone, String> {
        let (id, found) = self.written(deed, chat)?;
        let body = found.body.clone();
        let Some(business) = body.get("business_connection_id") else {
            return Err("action: Telegram tells of deletions in chats of a personal account alone".to_owned());
        };
        let gone = json!({ "business_connection_id": business, "chat": body["chat"], "message_ids": [id] });
        if let Some(found) = self.chats.get_mut(chat) {
            found.messages.remove(&id);
        }
        self.tell("deleted_business_messages", &gone, deed.forged, outside);
        Ok(done(chat, Some(id)))
    }

    /// A message of a customer that is named.
    fn written(&mut self, deed: &CustomerDeed, chat: &str) -> Result<(i64, &mut Message), String> {
        let id = deed.message_id.as_deref().and_then(number).ok_or("message_id: which message?")?;
        let chat = self.chats.get_mut(chat).ok_or("from: there is no such chat")?;
        let found = chat.messages.get_mut(&id).filter(|message| !message.is_own);
        Ok((id, found.ok_or("message_id: the customer wrote no such message")?))
    }

    fn react(
        &mut self,
        deed: &CustomerDeed,
        from: i64,
        chat: &str,
        outside: &mut Outside,
    ) -> Result<CustomerDone, String> {
        let id = deed.message_id.as_deref().and_then(number).ok_or("message_id: which message?")?;
        let found = self.chats.get_mut(chat).ok_or("from: there is no such chat")?;
        let whole = |emoji: &String| json!({ "type": "emoji", "emoji": emoji });
        let new: Vec<Value> = deed.text.iter().filter(|emoji| !emoji.is_empty()).map(whole).collect();
        let message = found.messages.get_mut(&id).ok_or("message_id: there is no such message")?;
        let old = message.reactions.insert(from, new.clone()).unwrap_or_default();
        let body = json!({
            "chat": found.written(), "message_id": id, "date": outside.seconds(),
            "user": { "id": from, "is_bot": false }, "old_reaction": old, "new_reaction": new,
        });
        self.tell("message_reaction", &body, deed.forged, outside);
        Ok(done(chat, Some(id)))
    }

    fn press(
        &mut self,
        deed: &CustomerDeed,
        from: i64,
        chat: &str,
        outside: &mut Outside,
    ) -> Result<CustomerDone, String> {
        let data = deed.text.clone().unwrap_or_default();
        if !(1..=64).contains(&data.len()) {
            return Err("text: the data of a button has 1 to 64 bytes".to_owned());
        }
        self.last_press += 1;
        let id = format!("{}{:06}", ID, self.last_press);
        self.presses.push_back((id.clone(), outside.now));
        let mut body = json!({
            "id": id,
            "from": { "id": from, "is_bot": false, "first_name": deed.name },
            "chat_instance": from.to_string(),
            "data": data,
        });
        let found = self.chats.get(chat).ok_or("from: there is no such chat")?;
        let pressed = deed.message_id.as_deref().and_then(number);
        let own = |(number, message): &(&i64, &Message)| {
            message.is_own && pressed.is_none_or(|pressed| pressed == **number)
        };
        // Of an old message Telegram says no more than its number.
        body["message"] = match found.messages.iter().rev().find(own) {
            Some((_, message)) => message.body.clone(),
            None => json!({ "message_id": pressed.unwrap_or(1), "date": 0, "chat": found.written() }),
        };
        self.tell("callback_query", &body, deed.forged, outside);
        Ok(CustomerDone { message_id: Some(format!("cb:{id}")), ..done(chat, None) })
    }

    fn block(
        &mut self,
        deed: &CustomerDeed,
        from: i64,
        chat: &str,
        outside: &mut Outside,
    ) -> Result<CustomerDone, String> {
        let found = self.chats.get_mut(chat).ok_or("from: there is no such chat")?;
        found.is_blocked = deed.action == CustomerAction::Block;
        let (old, new) = if found.is_blocked { ("member", "kicked") } else { ("kicked", "member") };
        let member = |status: &str| json!({ "user": { "id": ID, "is_bot": true }, "status": status });
        let body = json!({
            "chat": found.written(), "from": { "id": from, "is_bot": false }, "date": outside.seconds(),
            "old_chat_member": member(old), "new_chat_member": member(new),
        });
        self.tell("my_chat_member", &body, deed.forged, outside);
        Ok(done(chat, None))
    }

    /// A group becomes a supergroup: a notice in each names the other.
    fn migrate(
        &mut self,
        deed: &CustomerDeed,
        chat: &str,
        outside: &mut Outside,
    ) -> Result<CustomerDone, String> {
        let to = deed.extra["migrate"].as_i64().unwrap_or_default();
        let old = self.chats.get_mut(chat).ok_or("from: there is no such chat")?;
        old.moved_to = Some(to);
        let (id, name) = (old.id, old.name.clone());
        let notice = |chat: &mut Chat, field: &str, other: i64| {
            let body = json!({ "date": outside.seconds(), "chat": chat.written(), field: other });
            chat.keep(Message { body, ..Message::default() }).1
        };
        let first = notice(old, "migrate_to_chat_id", to);
        let mut new = Chat { id: to, name, ..Chat::default() };
        let second = notice(&mut new, "migrate_from_chat_id", id);
        let name = new.name();
        self.chats.insert(name.clone(), new);
        self.tell("message", &first, deed.forged, outside);
        self.tell("message", &second, deed.forged, outside);
        Ok(done(&name, None))
    }
}

/// The number of a message, as the product names it or by itself.
fn number(id: &str) -> Option<i64> {
    id.rsplit(':').next()?.parse().ok()
}

fn done(chat: &str, message: Option<i64>) -> CustomerDone {
    CustomerDone {
        channel: CHANNEL.to_owned(),
        account: ACCOUNT.to_owned(),
        chat_id: chat.to_owned(),
        message_id: message.map(|message| format!("{chat}:{message}")),
    }
}
