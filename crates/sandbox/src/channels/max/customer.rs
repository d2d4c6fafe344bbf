//! What users of the pretend MAX do.

use serde_json::{Value, json};

use super::{ACCOUNT, BOT, CHANNEL, Chat, DIALOGS, MaxFake};
use crate::channels::fake::{
    CustomerAction, CustomerDeed, CustomerDone, CustomerMedia, Outside, ProviderFile,
};

impl MaxFake {
    pub(super) fn act(&mut self, deed: &CustomerDeed, outside: &mut Outside) -> Result<CustomerDone, String> {
        let user: i64 = deed.from.parse().map_err(|_| "from: a user of MAX is a number".to_owned())?;
        let chat = user + DIALOGS;
        self.meet(user, chat, deed, outside);
        let done = |message_id: Option<String>| CustomerDone {
            channel: CHANNEL.to_owned(),
            account: ACCOUNT.to_owned(),
            chat_id: chat.to_string(),
            message_id,
        };
        match deed.action {
            CustomerAction::Write => self.write(chat, deed, outside).map(|mid| done(Some(mid))),
            CustomerAction::Edit => {
                let mid = needed(deed)?;
                let (chat, place) = self.location_of(mid).ok_or("message_id: there is no such message")?;
                let messages = self.chats.get_mut(&chat).map(|chat| &mut chat.messages);
                let message = messages.and_then(|all| all.get_mut(place)).ok_or("message_id: it is gone")?;
                message["body"]["text"] = deed.text.clone().unwrap_or_default().into();
                let update = json!({"update_type": "message_edited", "timestamp": outside.millis(), "message": message});
                self.tell(&update, deed.forged, outside);
                Ok(done(Some(mid.to_owned())))
            }
            CustomerAction::Delete => {
                let mid = needed(deed)?;
                let (chat, place) = self.location_of(mid).ok_or("message_id: there is no such message")?;
                if let Some(chat) = self.chats.get_mut(&chat) {
                    chat.messages.remove(place);
                }
                let update = json!({
                    "update_type": "message_removed", "timestamp": outside.millis(), "message_id": mid,
                    "chat_id": chat, "user_id": user,
                });
                self.tell(&update, deed.forged, outside);
                Ok(done(Some(mid.to_owned())))
            }
            CustomerAction::Block | CustomerAction::Unblock => {
                let is_stopped = deed.action == CustomerAction::Block;
                self.chats.entry(chat).or_default().is_stopped = is_stopped;
                if is_stopped {
                    let update = self.about_bot("bot_stopped", chat, outside);
                    self.tell(&update, deed.forged, outside);
                } else {
                    self.start(chat, deed, outside);
                }
                Ok(done(None))
            }
            CustomerAction::Press => {
                let message = deed.message_id.as_deref().and_then(|mid| self.message(mid)).cloned();
                let message =
                    message.or_else(|| self.last_of_bot(chat)).filter(|_| deed.extra["message"] != "gone");
                let number = self.next();
                let at = outside.millis();
                let mid = message.as_ref().and_then(|message| message["body"]["mid"].as_str());
                self.presses.insert(format!("f9L{number}"), mid.map(str::to_owned));
                let callback = json!({
                    "timestamp": at, "callback_id": format!("f9L{number}"), "payload": deed.text, "user": self.user(chat),
                });
                let update = json!({
                    "update_type": "message_callback", "timestamp": at, "user_locale": "ru", "callback": callback,
                    "message": message,
                });
                self.tell(&update, deed.forged, outside);
                Ok(done(None))
            }
            CustomerAction::Read
            | CustomerAction::Deliver
            | CustomerAction::Undeliver
            | CustomerAction::React => {
                Err("action: MAX does not tell a bot how far its messages are".to_owned())
            }
            CustomerAction::OwnerWrites => {
                Err("action: no one but the bot writes in the name of a bot of MAX".to_owned())
            }
        }
    }

    /// The chat with a user exists from now on; a link that the user came by (`subject`) starts the bot.
    fn meet(&mut self, user: i64, chat: i64, deed: &CustomerDeed, outside: &mut Outside) {
        let name = deed.name.clone().unwrap_or_else(|| format!("Customer {user}"));
        let (first, last) = name.split_once(' ').unwrap_or((&name, ""));
        let last = if last.is_empty() { Value::Null } else { last.into() };
        let profile = json!({
            "user_id": user, "first_name": first, "last_name": last, "username": null, "is_bot": false,
            "last_activity_time": outside.millis(),
        });
        let known =
            self.chats.entry(chat).or_insert_with(|| Chat { user: profile.clone(), ..Chat::default() });
        if deed.name.is_some() {
            known.user = profile;
        }
        if deed.subject.is_some() && deed.action == CustomerAction::Write {
            self.start(chat, deed, outside);
        }
    }

    fn start(&mut self, chat: i64, deed: &CustomerDeed, outside: &mut Outside) {
        let mut update = self.about_bot("bot_started", chat, outside);
        update["payload"] = deed.subject.clone().into();
        self.tell(&update, deed.forged, outside);
    }

    fn about_bot(&self, kind: &str, chat: i64, outside: &Outside) -> Value {
        json!({
            "update_type": kind, "timestamp": outside.millis(), "chat_id": chat, "user": self.user(chat),
            "user_locale": "ru",
        })
    }

    fn user(&self, chat: i64) -> Value {
        self.chats.get(&chat).map(|chat| chat.user.clone()).unwrap_or_default()
    }

    fn last_of_bot(&self, chat: i64) -> Option<Value> {
        let messages = &self.chats.get(&chat)?.messages;
        messages.iter().rev().find(|message| message["sender"]["user_id"] == BOT).cloned()
    }

    fn write(&mut self, chat: i64, deed: &CustomerDeed, outside: &mut Outside) -> Result<String, String> {
        if self.chats.get(&chat).is_some_and(|chat| chat.is_stopped) {
            return Err("from: the user has stopped the bot; unblock comes first".to_owned());
        }
        let mut attachments: Vec<Value> = Vec::new();
        for media in &deed.media {
            attachments.push(self.sent_file(media, outside)?);
        }
        attachments.extend(deed.phone.as_ref().map(|phone| self.contact(chat, phone)));
        let text = deed.text.clone().unwrap_or_default();
        let mut message =
            Value::Object(self.made_message(&self.user(chat), chat, &text, &attachments, outside));
        let mid = message["body"]["mid"].as_str().unwrap_or_default().to_owned();
        if let Some(answered) = deed.message_id.as_deref().and_then(|mid| self.message(mid)) {
            message["link"] = json!({
                "type": "reply", "sender": answered["sender"], "chat_id": chat, "message": answered["body"],
            });
        }
        self.keep(chat, message.clone());
        let update = json!({
            "update_type": "message_created", "timestamp": outside.millis(), "user_locale": "ru", "message": message,
        });
        self.tell(&update, deed.forged, outside);
        Ok(mid)
    }

    fn sent_file(&mut self, media: &CustomerMedia, outside: &mut Outside) -> Result<Value, String> {
        let kind = match media.kind.as_str() {
            "image" => "image",
            "voice" | "audio" => "audio",
            "video" => "video",
            "document" => "file",
            "sticker" => "sticker",
            _ => return Err("media: kind is image, voice, audio, video, document or sticker".to_owned()),
        };
        let content = media.bytes();
        let size = content.len();
        let mime = media.mime.clone().unwrap_or_else(|| "application/octet-stream".to_owned());
        let url = outside.keep(ProviderFile { mime, content, ..ProviderFile::default() });
        let token = format!("file-token-{}", self.next());
        Ok(match kind {
            "video" => {
                self.films.insert(token.clone(), url);
                let payload = json!({"url": format!("https://example.com/video/{token}"), "token": token});
                json!({"type": kind, "payload": payload, "width": 2, "height": 2, "duration": 1})
            }
            "file" => {
                let name = media.name.clone().unwrap_or_else(|| "file.bin".to_owned());
                json!({"type": kind, "payload": {"url": url, "token": token}, "filename": name, "size": size})
            }
            "sticker" => {
                json!({"type": kind, "payload": {"url": url, "code": token}, "width": 2, "height": 2})
            }
            "audio" => json!({"type": kind, "payload": {"url": url, "token": token}, "transcription": null}),
            _ => json!({"type": kind, "payload": {"photo_id": self.next(), "url": url, "token": token}}),
        })
    }

    /// The user's own card, signed as MAX signs it.
    fn contact(&self, chat: i64, phone: &str) -> Value {
        use hmac::{Hmac, KeyInit, Mac};
        let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
        let card =
            format!("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Customer\r\nTEL;TYPE=cell:{digits}\r\nEND:VCARD\r\n");
        let mac = Hmac::<sha2::Sha256>::new_from_slice(super::TOKEN.as_bytes());
        let hash =
            mac.map(|mac| hex::encode(mac.chain_update(&card).finalize().into_bytes())).unwrap_or_default();
        json!({"type": "contact", "payload": {"vcf_info": card, "hash": hash, "max_info": self.user(chat)}})
    }
}

fn needed(deed: &CustomerDeed) -> Result<&str, String> {
    deed.message_id.as_deref().ok_or_else(|| "message_id: it is needed".to_owned())
}
