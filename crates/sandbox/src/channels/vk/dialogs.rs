//! Dialogs, and what customers do in them.

use serde_json::{Value, json};

use super::{ACCOUNT, FIRST_CHAT, GROUP, MOST_PRESSES, MethodResult, Parameters, Refusal, Vk, refused};
use crate::channels::fake::{CustomerAction, CustomerDeed, CustomerDone, Outside, ProviderFile};

/// A chat with the community.
#[derive(Default)]
pub(super) struct Dialog {
    pub(super) messages: Vec<Message>,
    pub(super) last_number: i64,
    pub(super) unread: usize,
    pub(super) is_blocked: bool,
}

#[derive(Clone)]
pub(super) struct Message {
    /// 0 in chats of several.
    pub(super) id: i64,
    pub(super) number: i64,
    pub(super) from: i64,
    pub(super) date: i64,
    pub(super) text: String,
    pub(super) random_id: i64,
    pub(super) attachments: Vec<Value>,
    /// Written by a person in the pages of VK.
    pub(super) is_by_admin: bool,
    pub(super) edited: Option<i64>,
    /// More fields.
    pub(super) more: Value,
}

impl Message {
    pub(super) fn is_own(&self) -> bool {
        self.from == -GROUP
    }

    /// As VK shows it.
    pub(super) fn to_json(&self, peer: i64) -> Value {
        let mut message_object = json!({
            "id": self.id, "date": self.date, "peer_id": peer, "from_id": self.from,
            "conversation_message_id": self.number, "out": i64::from(self.is_own()), "text": self.text,
            "random_id": self.random_id, "attachments": self.attachments, "fwd_messages": [],
            "important": false, "is_hidden": false, "version": 10_000_000 + self.number,
        });
        if self.is_by_admin {
            message_object["admin_author_id"] = 7.into();
        }
        if let Some(edited) = self.edited {
            message_object["update_time"] = edited.into();
        }
        for (name, value) in self.more.as_object().into_iter().flatten() {
            message_object[name] = value.clone();
        }
        message_object
    }
}

impl Vk {
    /// A chat that may be written to.
    pub(super) fn dialog(&mut self, peer: i64) -> Result<&mut Dialog, Refusal> {
        match self.dialogs.get_mut(&peer) {
            Some(dialog) if !dialog.is_blocked => Ok(dialog),
            _ if peer > FIRST_CHAT => refused(917, "You don't have access to this chat"),
            _ => refused(901, "Can't send messages for users without permission"),
        }
    }

    /// Adds a message, numbered and dated.
    pub(super) fn add(&mut self, peer: i64, message: Message, outside: &Outside) -> Message {
        let id = if peer > FIRST_CHAT { 0 } else { self.next() };
        let dialog = self.dialogs.entry(peer).or_default();
        dialog.last_number += 1;
        dialog.unread = if message.is_own() { 0 } else { dialog.unread + 1 };
        let message = Message { id, number: dialog.last_number, date: outside.seconds(), ..message };
        dialog.messages.push(message.clone());
        message
    }

    pub(super) fn history(&mut self, parameters: &Parameters) -> MethodResult {
        let peer = parameters.number("peer_id")?;
        let Some(dialog) = self.dialogs.get(&peer) else { return Ok(json!({ "count": 0, "items": [] })) };
        let newest = dialog.messages.iter().rev().take(parameters.count(20));
        let items: Vec<Value> = newest.map(|message| message.to_json(peer)).collect();
        Ok(json!({ "count": dialog.messages.len(), "items": items }))
    }

    pub(super) fn conversations(&self, parameters: &Parameters) -> Value {
        let is_unread = parameters.word("filter") == Some("unread");
        let wanted = self.dialogs.iter().filter(|(_, dialog)| !is_unread || dialog.unread > 0);
        let item = |(peer, dialog): (&i64, &Dialog)| {
            let kind = if *peer > FIRST_CHAT { "chat" } else { "user" };
            let conversation = json!({
                "peer": { "id": peer, "type": kind, "local_id": peer },
                "unread_count": dialog.unread,
                "can_write": { "allowed": !dialog.is_blocked },
            });
            let last = dialog.messages.last().map(|message| message.to_json(*peer));
            json!({ "conversation": conversation, "last_message": last })
        };
        let offset = parameters.word("offset").and_then(|offset| offset.parse().ok()).unwrap_or(0);
        let items: Vec<Value> = wanted.skip(offset).take(parameters.count(20)).map(item).collect();
        json!({ "count": items.len(), "items": items })
    }

    pub(super) fn by_number(&self, parameters: &Parameters) -> MethodResult {
        let peer = parameters.number("peer_id")?;
        let numbers: Vec<i64> = parameters
            .needed("conversation_message_ids")?
            .split(',')
            .filter_map(|number| number.parse().ok())
            .collect();
        let all = self.dialogs.get(&peer).into_iter().flat_map(|dialog| &dialog.messages);
        let items: Vec<Value> = all
            .filter(|message| numbers.contains(&message.number))
            .map(|message| message.to_json(peer))
            .collect();
        Ok(json!({ "count": items.len(), "items": items }))
    }

    /// What a customer does.
    pub(super) fn act(&mut self, deed: &CustomerDeed, outside: &mut Outside) -> Result<CustomerDone, String> {
        let user = deed.from.parse().ok().filter(|user| (1..FIRST_CHAT).contains(user));
        let user: i64 = user.ok_or("from: the number of a person, such as 2001")?;
        let peer = deed.extra["chat"].as_i64().map_or(user, |chat| FIRST_CHAT + chat);
        if let Some(name) = &deed.name {
            self.names.insert(user, name.clone());
        }
        self.names.entry(user).or_insert_with(|| format!("Person {user}"));
        self.dialogs.entry(peer).or_default();
        let numbered = |number: i64| Some(format!("{peer}:{number}"));
        let requested = deed.message_id.as_deref().and_then(|id| id.rsplit(':').next()?.parse::<i64>().ok());
        let message_id = match deed.action {
            CustomerAction::Write => numbered(self.written(peer, user, deed, outside)?),
            CustomerAction::OwnerWrites => numbered(self.written(peer, -GROUP, deed, outside)?),
            CustomerAction::Edit => {
                let number = requested.ok_or("message_id: which message is changed")?;
                let text = deed.text.clone().ok_or("text: what it says now")?;
                let dialog = self.dialogs.entry(peer).or_default();
                let mut theirs = dialog.messages.iter_mut().filter(|message| message.from == user);
                let found = theirs.find(|message| message.number == number);
                let message = found.ok_or("message_id: there is none of theirs")?;
                (message.text, message.edited) = (text, Some(outside.seconds()));
                let message_object = message.to_json(peer);
                self.tell("message_edit", &message_object, deed.forged, outside);
                numbered(number)
            }
            CustomerAction::Read => {
                let dialog = self.dialogs.entry(peer).or_default();
                let own = dialog.messages.iter().rev().find(|message| message.is_own());
                let number = requested.or(own.map(|own| own.number)).ok_or("message_id: nothing was sent")?;
                let read = json!({
                    "from_id": user, "peer_id": peer, "read_message_id": number,
                    "conversation_message_id": number,
                });
                self.tell("message_read", &read, deed.forged, outside);
                numbered(number)
            }
            CustomerAction::React => {
                let number = requested.ok_or("message_id: which message")?;
                let dialog = self.dialogs.entry(peer).or_default();
                if !dialog.messages.iter().any(|message| message.number == number) {
                    return Err("message_id: there is no such message".to_owned());
                }
                let mut reacted = json!({ "reacted_id": user, "peer_id": peer, "cmid": number });
                if let Some(given) = deed.text.as_deref().filter(|given| !given.is_empty()) {
                    let id: i64 = given.parse().map_err(|_| "text: reactions of VK are numbers")?;
                    reacted["reaction_id"] = id.into();
                }
                self.tell("message_reaction_event", &reacted, deed.forged, outside);
                numbered(number)
            }
            CustomerAction::Block | CustomerAction::Unblock => {
                let is_blocked = deed.action == CustomerAction::Block;
                self.dialogs.entry(peer).or_default().is_blocked = is_blocked;
                let kind = if is_blocked { "message_deny" } else { "message_allow" };
                self.tell(kind, &json!({ "user_id": user, "key": "" }), deed.forged, outside);
                None
            }
            CustomerAction::Press => {
                let data = deed.text.clone().ok_or("text: the data of the button")?;
                let payload = serde_json::from_str(&data).unwrap_or(Value::String(data));
                let id = format!("press{}", self.next());
                let number = self.dialogs.entry(peer).or_default().last_number;
                let pressed = json!({
                    "user_id": user, "peer_id": peer, "event_id": id, "payload": payload,
                    "conversation_message_id": number,
                });
                self.presses.push_back((id.clone(), user, peer));
                if self.presses.len() > MOST_PRESSES {
                    self.presses.pop_front();
                }
                self.tell("message_event", &pressed, deed.forged, outside);
                Some(format!("{peer}:event:{id}"))
            }
            CustomerAction::Delete | CustomerAction::Deliver | CustomerAction::Undeliver => {
                return Err(format!("action: VK tells nothing of {:?}", deed.action));
            }
        };
        // What was reported so far is no longer in the log, or its key is no longer good.
        match deed.extra["log"].as_str() {
            Some("lost") => self.forget_log(),
            Some("new_key") => self.log_key += 1,
            _ => {}
        }
        let (channel, account) = (deed.channel.clone(), ACCOUNT.to_owned());
        Ok(CustomerDone { channel, account, chat_id: peer.to_string(), message_id })
    }

    /// A message of a person: its number.
    fn written(
        &mut self,
        peer: i64,
        from: i64,
        deed: &CustomerDeed,
        outside: &mut Outside,
    ) -> Result<i64, String> {
        let mut attachments = Vec::new();
        for media in &deed.media {
            let (kind, mime) = match media.kind.as_str() {
                "image" => ("photo", "image/jpeg"),
                "voice" => ("audio_message", "audio/ogg"),
                "document" => ("doc", "application/octet-stream"),
                "video" => {
                    let video = json!({ "id": self.next(), "owner_id": from, "title": media.name });
                    attachments.push(json!({ "type": "video", "video": video }));
                    continue;
                }
                "sticker" => {
                    let file = ProviderFile { content: media.bytes(), ..ProviderFile::default() };
                    let image = json!({ "url": outside.keep(file), "width": 64, "height": 64 });
                    let sticker = json!({ "sticker_id": 1, "images": [image] });
                    attachments.push(json!({ "type": "sticker", "sticker": sticker }));
                    continue;
                }
                other => return Err(format!("media: the pretend VK has no {other}")),
            };
            let name = media.name.clone().unwrap_or_else(|| media.kind.clone());
            let mime = media.mime.clone().unwrap_or_else(|| mime.to_owned());
            let file = ProviderFile { name, mime, content: media.bytes(), ..ProviderFile::default() };
            let mut object = self.uploads.save(kind, file, outside);
            if let (Some(object), Some(transcript)) =
                (object.as_object_mut(), deed.extra["heard"].as_object())
            {
                object.extend(transcript.clone());
            }
            attachments.push(json!({ "type": kind, kind: object }));
        }
        let text = deed.text.clone().unwrap_or_default();
        if text.is_empty() && attachments.is_empty() {
            return Err("text: what is written, or media".to_owned());
        }
        let mut more = json!({});
        if let Some(ad) = &deed.subject {
            more = json!({ "ref": ad, "ref_source": "vk_ads" });
        }
        let number = |id: &str| id.rsplit(':').next()?.parse::<i64>().ok();
        if let Some(answered) = deed.message_id.as_deref().and_then(number) {
            let messages = &self.dialogs.entry(peer).or_default().messages;
            let found = messages.iter().find(|message| message.number == answered);
            more["reply_message"] = found.ok_or("message_id: there is no such message")?.to_json(peer);
        }
        let is_own = from == -GROUP;
        let message = Message {
            id: 0,
            number: 0,
            from,
            date: 0,
            text,
            random_id: 0,
            attachments,
            is_by_admin: is_own,
            edited: None,
            more,
        };
        let message = self.add(peer, message, outside);
        let message_object = message.to_json(peer);
        if is_own {
            self.tell("message_reply", &message_object, deed.forged, outside);
        } else {
            let info = json!({ "button_actions": ["text", "callback"], "keyboard": true, "lang_id": 0 });
            let object = json!({ "message": message_object, "client_info": info });
            self.tell("message_new", &object, deed.forged, outside);
        }
        Ok(message.number)
    }
}
