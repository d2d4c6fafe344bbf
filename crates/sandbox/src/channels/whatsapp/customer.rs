//! What people do in the pretend WhatsApp.

use serde_json::{Value, json};

use super::message::{merged, store_file};
use super::{ACCOUNT, CHANNEL, Item, WhatsappFake};
use crate::channels::fake::{CustomerAction, CustomerDeed, CustomerDone, CustomerMedia, Outside};

impl WhatsappFake {
    pub(super) fn act(&mut self, deed: &CustomerDeed, outside: &mut Outside) -> Result<CustomerDone, String> {
        if let Some(profile) = deed.extra.get("profile") {
            self.change(profile, outside);
            return Ok(done(String::new(), None));
        }
        let chat = chat_of(&deed.from)?;
        if let Some(name) = &deed.name {
            self.names.insert(chat.clone(), name.clone());
        }
        match deed.action {
            CustomerAction::Write | CustomerAction::OwnerWrites => self.write(chat, deed, outside),
            CustomerAction::Edit => {
                let id = needed(deed)?;
                let (chat, place) = self.location_of(id).ok_or("message_id: there is no such message")?;
                let item = self.chats.get_mut(&chat).and_then(|items| items.get_mut(place));
                let item = item.ok_or("message_id: it is gone")?;
                item.text = deed.text.clone().unwrap_or_default();
                let item = item.clone();
                self.tell_changed(&chat, &item, "is_edited", deed.forged, outside);
                Ok(done(chat, Some(id.to_owned())))
            }
            CustomerAction::Delete => {
                let id = needed(deed)?;
                let (chat, place) = self.location_of(id).ok_or("message_id: there is no such message")?;
                let item = self.chats.get_mut(&chat).and_then(|items| items.remove(place));
                let item = item.ok_or("message_id: it is gone")?;
                self.tell_changed(&chat, &item, "is_deleted", deed.forged, outside);
                Ok(done(chat, Some(id.to_owned())))
            }
            CustomerAction::Read => {
                let mut ids = Vec::new();
                for item in self.chats.entry(chat.clone()).or_default() {
                    let is_named = deed.message_id.as_ref().is_none_or(|id| *id == item.id);
                    if item.is_own && !item.is_read && is_named {
                        item.is_read = true;
                        ids.push(item.id.clone());
                    }
                }
                for id in &ids {
                    self.tell_status(id, "read", deed.forged, outside);
                }
                Ok(done(chat, ids.pop()))
            }
            CustomerAction::React => {
                let (chat, _) =
                    self.location_of(needed(deed)?).ok_or("message_id: there is no such message")?;
                let text = deed.text.clone().unwrap_or_default();
                let (id, kind) = (self.next_id(), "reaction".to_owned());
                let item = Item { id: id.clone(), kind, text, time: outside.seconds(), ..Item::default() };
                let payload = self.posted_item("incoming_message", &chat, &item);
                let payload = merged(payload, &json!({"stanza_id": deed.message_id}));
                self.tell(&json!([payload]), deed.forged, outside);
                Ok(done(chat, Some(id)))
            }
            CustomerAction::Deliver => self.deliver(chat, deed, "delivered", outside),
            CustomerAction::Undeliver => {
                let status = deed.extra["status"].as_str().unwrap_or("undelivered").to_owned();
                self.deliver(chat, deed, &status, outside)
            }
            // A sender is not notified; what it sends arrives no more.
            CustomerAction::Block => {
                self.blocked.insert(chat.clone());
                Ok(done(chat, None))
            }
            CustomerAction::Unblock => {
                self.blocked.remove(&chat);
                Ok(done(chat, None))
            }
            CustomerAction::Press => Err("action: messages through Wappi have no buttons".to_owned()),
        }
    }

    /// The profile is signed in or out, paid for or not, or answers with ids elsewhere.
    fn change(&mut self, profile: &Value, outside: &mut Outside) {
        if let Some(is_paid) = profile["paid"].as_bool() {
            self.mode.is_paid = is_paid;
        }
        if let Some(key) = profile["id_key"].as_str() {
            key.clone_into(&mut self.mode.id_key);
        }
        if let Some(is_authorized) = profile["authorized"].as_bool() {
            self.sign(is_authorized, outside);
        }
    }

    fn write(
        &mut self,
        chat: String,
        deed: &CustomerDeed,
        outside: &mut Outside,
    ) -> Result<CustomerDone, String> {
        let is_own = deed.action == CustomerAction::OwnerWrites;
        // Some versions post what the owner writes as incoming.
        let kind = if is_own && deed.extra["as"] != "incoming" {
            "outgoing_message_phone"
        } else {
            "incoming_message"
        };
        let mut items = Vec::new();
        let text = deed.text.clone().unwrap_or_default();
        let base =
            Item { is_own, time: outside.seconds(), reply_to: deed.message_id.clone(), ..Item::default() };
        if deed.media.is_empty() {
            items.push(Item { id: self.next_id(), kind: "chat".to_owned(), text, ..base });
        } else {
            for (place, media) in deed.media.iter().enumerate() {
                let text = if place == 0 { text.clone() } else { String::new() };
                let hides_link = deed.extra["link"] == "hidden";
                items.push(self.with_file(Item { text, ..base.clone() }, media, hides_link, outside)?);
            }
        }
        let payloads: Vec<Value> = items.iter().map(|item| self.posted_item(kind, &chat, item)).collect();
        let payloads: Vec<Value> =
            payloads.into_iter().map(|item| merged(item, &deed.extra["item"])).collect();
        let id = items.first().map(|item| item.id.clone());
        for item in items {
            self.keep(&chat, item);
        }
        self.tell(&payloads.into(), deed.forged, outside);
        Ok(done(chat, id))
    }

    fn with_file(
        &mut self,
        item: Item,
        media: &CustomerMedia,
        hides_link: bool,
        outside: &mut Outside,
    ) -> Result<Item, String> {
        let kind = match media.kind.as_str() {
            "voice" => "ptt",
            kind @ ("image" | "audio" | "video" | "document" | "sticker") => kind,
            _ => return Err("media: kind is image, voice, audio, video, document or sticker".to_owned()),
        };
        let id = self.next_id();
        let name = media.name.clone().unwrap_or_default();
        let mime = media.mime.clone().unwrap_or_else(|| "application/octet-stream".to_owned());
        let until = outside.now.plus(std::time::Duration::from_hours(7 * 24));
        let link =
            if hides_link { String::new() } else { store_file(&name, &mime, media.bytes(), until, outside) };
        self.files.insert(id.clone(), (name.clone(), mime.clone(), media.bytes()));
        Ok(Item { id, kind: kind.to_owned(), file_name: name, mime, link, ..item })
    }

    fn tell_changed(&self, chat: &str, item: &Item, flag: &str, is_forged: bool, outside: &mut Outside) {
        let payload = merged(self.posted_item("incoming_message", chat, item), &json!({flag: true}));
        self.tell(&json!([payload]), is_forged, outside);
    }

    fn deliver(
        &self,
        chat: String,
        deed: &CustomerDeed,
        status: &str,
        outside: &mut Outside,
    ) -> Result<CustomerDone, String> {
        let last =
            || self.chats.get(&chat)?.iter().rev().find(|item| item.is_own).map(|item| item.id.clone());
        let id = deed.message_id.clone().or_else(last).ok_or("message_id: nothing was sent to this chat")?;
        if status == "delivered" && self.blocked.contains(&chat) {
            return Err("from: the customer has blocked the number".to_owned());
        }
        self.tell_status(&id, status, deed.forged, outside);
        Ok(done(chat, Some(id)))
    }
}

fn chat_of(from: &str) -> Result<String, String> {
    if from.contains('@') {
        return Ok(from.to_owned());
    }
    let digits = from.trim_start_matches('+');
    if !(7..=15).contains(&digits.len()) || !digits.bytes().all(|one| one.is_ascii_digit()) {
        return Err("from: a number in digits, or an id with @c.us, @g.us or @lid".to_owned());
    }
    Ok(format!("{digits}@c.us"))
}

fn done(chat_id: String, message_id: Option<String>) -> CustomerDone {
    CustomerDone { channel: CHANNEL.to_owned(), account: ACCOUNT.to_owned(), chat_id, message_id }
}

fn needed(deed: &CustomerDeed) -> Result<&str, String> {
    deed.message_id.as_deref().ok_or_else(|| "message_id: it is needed".to_owned())
}
