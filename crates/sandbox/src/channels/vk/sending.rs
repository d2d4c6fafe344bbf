//! What the product sends, changes and deletes.

use serde_json::{Value, json};

use super::dialogs::Message;
use super::uploads::Saved;
use super::{GROUP, MethodResult, Parameters, Vk, effect, missing, refused};
use crate::channels::fake::{ChannelEffect, Outside};

/// The longest text.
const LONGEST: usize = 4_096;
/// Seconds for which the key of a message is known.
const KEY_LIFETIME: i64 = 3_600;
/// The most messages of a chat that are looked at.
const KEYS_AMONG: usize = 100;
/// Seconds in which a message may be changed or deleted.
const DAY: i64 = 86_400;

/// Buttons, if they are as VK takes them.
fn checked_keyboard(given: &str) -> MethodResult {
    let keyboard: Value = serde_json::from_str(given).unwrap_or_default();
    let is_inline = keyboard["inline"] == true;
    let (most_rows, most) = if is_inline { (6, 10) } else { (10, 40) };
    let Some(rows) = keyboard["buttons"].as_array().filter(|rows| rows.len() <= most_rows) else {
        return refused(911, "Keyboard format is invalid: buttons");
    };
    let rows: Vec<&[Value]> = rows.iter().filter_map(|row| row.as_array().map(Vec::as_slice)).collect();
    let length =
        |button: &Value, name: &str| button["action"][name].as_str().unwrap_or_default().chars().count();
    let is_button = |button: &Value| {
        button["action"]["type"].is_string()
            && length(button, "label") <= 40
            && length(button, "payload") <= 255
    };
    let are_buttons = rows.concat().iter().all(is_button);
    let is_too_much = rows.iter().any(|row| row.len() > 5) || rows.concat().len() > most;
    if is_too_much || !are_buttons || (is_inline && keyboard["one_time"] == true) {
        return refused(911, "Keyboard format is invalid");
    }
    Ok(keyboard)
}

impl Vk {
    pub(super) fn send(&mut self, parameters: &Parameters, outside: &mut Outside) -> MethodResult {
        let key: i32 = parameters.needed("random_id")?.parse().or_else(|_| missing("random_id"))?;
        let text = parameters.word("message").unwrap_or_default();
        if text.chars().count() > LONGEST {
            return refused(914, "Message is too long");
        }
        let attached = self.uploads.attached(parameters.word("attachment").unwrap_or_default())?;
        if text.is_empty() && attached.is_empty() {
            return refused(100, "One of the parameters specified was missing or invalid: message is empty");
        }
        let Some(peers) = parameters.word("peer_ids") else {
            let peer = parameters.number("peer_id").or_else(|_| parameters.number("user_id"))?;
            return self.send_one(peer, key, parameters, outside).map(|message| json!(message.id));
        };
        let peers: Vec<i64> = peers.split(',').filter_map(|peer| peer.parse().ok()).collect();
        if peers.is_empty() || peers.len() > 100 {
            return missing("peer_ids");
        }
        let mut all: Vec<Value> = Vec::new();
        for peer in peers {
            all.push(match self.send_one(peer, key, parameters, outside) {
                Ok(message) => json!({
                    "peer_id": peer, "message_id": message.id, "conversation_message_id": message.number,
                }),
                Err(error) => json!({
                    "peer_id": peer, "message_id": 0,
                    "error": { "code": error.code, "description": error.message },
                }),
            });
        }
        Ok(json!(all))
    }

    fn send_one(
        &mut self,
        peer: i64,
        key: i32,
        parameters: &Parameters,
        outside: &mut Outside,
    ) -> Result<Message, super::Refusal> {
        let text = parameters.word("message").unwrap_or_default().to_owned();
        let attached = self.uploads.attached(parameters.word("attachment").unwrap_or_default())?;
        let since = outside.seconds() - KEY_LIFETIME;
        let key = i64::from(key);
        let dialog = self.dialog(peer)?;
        let mut recent = dialog.messages.iter().rev().take(KEYS_AMONG);
        let is_same = |message: &&Message| key != 0 && message.random_id == key && message.date > since;
        if let Some(earlier) = recent.find(is_same) {
            return Ok(earlier.clone());
        }
        let mut more = json!({});
        if let Some(forward) = parameters.word("forward") {
            let Ok(forward) = serde_json::from_str::<Value>(forward) else { return missing("forward") };
            let number = forward["conversation_message_ids"][0].as_i64();
            let known = dialog.messages.iter().find(|message| Some(message.number) == number);
            let Some(known) = known.filter(|_| forward["peer_id"] == peer) else { return missing("forward") };
            if forward["is_reply"] == true {
                more = json!({ "reply_message": known.to_json(peer) });
            }
        }
        if let Some(keyboard) = parameters.word("keyboard") {
            more["keyboard"] = checked_keyboard(keyboard)?;
        }
        let answered = more["reply_message"]["conversation_message_id"].as_i64();
        let reply_to = answered.map(|number| format!("{peer}:{number}"));
        let attachments = attached.iter().map(|saved| saved.object.clone()).collect();
        let message = Message {
            id: 0,
            number: 0,
            from: -GROUP,
            date: 0,
            text: text.clone(),
            random_id: key,
            attachments,
            is_by_admin: false,
            edited: None,
            more,
        };
        let message = self.add(peer, message, outside);
        let external_id = Some(format!("{peer}:{}", message.number));
        let first = attached.first();
        let (media, md5) = (first.map(|it| it.media.to_owned()), md5(&attached));
        let sent = effect("messages.send", peer);
        outside.record(ChannelEffect { text, external_id, reply_to, media, md5, ..sent });
        self.tell("message_reply", &message.to_json(peer), false, outside);
        Ok(message)
    }

    pub(super) fn edit(&mut self, parameters: &Parameters, outside: &mut Outside) -> MethodResult {
        let (peer, number) = (parameters.number("peer_id")?, parameters.number("cmid")?);
        let text = parameters.word("message").unwrap_or_default().to_owned();
        let attached = self.uploads.attached(parameters.word("attachment").unwrap_or_default())?;
        if text.is_empty() && attached.is_empty() {
            return missing("message");
        }
        if text.chars().count() > LONGEST {
            return refused(914, "Message is too long");
        }
        let now = outside.seconds();
        let dialog = self.dialog(peer)?;
        let found = dialog.messages.iter_mut().find(|message| message.number == number && message.is_own());
        let Some(message) = found else { return refused(100, "message not found") };
        if message.date + DAY < now {
            return refused(909, "Can't edit this message, because it's too old");
        }
        message.text.clone_from(&text);
        message.attachments = attached.iter().map(|saved| saved.object.clone()).collect();
        message.edited = Some(now);
        let message_object = message.to_json(peer);
        let (external_id, first) = (Some(format!("{peer}:{number}")), attached.first());
        let (media, md5) = (first.map(|it| it.media.to_owned()), md5(&attached));
        outside.record(ChannelEffect { text, external_id, media, md5, ..effect("messages.edit", peer) });
        self.tell("message_edit", &message_object, false, outside);
        Ok(json!(1))
    }

    pub(super) fn delete(&mut self, parameters: &Parameters, outside: &mut Outside) -> MethodResult {
        let (peer, numbers) = (parameters.number("peer_id")?, parameters.needed("cmids")?.to_owned());
        let is_for_all = parameters.flag("delete_for_all");
        let now = outside.seconds();
        self.dialog(peer)?;
        let mut all: Vec<Value> = Vec::new();
        for number in numbers.split(',').filter_map(|number| number.parse::<i64>().ok()) {
            let Some(dialog) = self.dialogs.get_mut(&peer) else { continue };
            let place = dialog.messages.iter().position(|message| message.number == number);
            let may = place
                .and_then(|place| dialog.messages.get(place))
                .is_some_and(|message| !is_for_all || (message.is_own() && message.date + DAY >= now));
            let mut result = json!({ "peer_id": peer, "conversation_message_id": number });
            if let Some(place) = place.filter(|_| may) {
                dialog.messages.remove(place);
                let external_id = Some(format!("{peer}:{number}"));
                outside.record(ChannelEffect { external_id, ..effect("messages.delete", peer) });
                result["response"] = 1.into();
            } else {
                let words = "Can't delete this message for everybody";
                result["error"] = json!({ "code": 924, "description": words });
            }
            all.push(result);
        }
        Ok(json!(all))
    }
}

/// What the ledger says of the files of a message.
fn md5(attached: &[Saved]) -> Option<String> {
    let all: Vec<&str> = attached.iter().map(|it| it.md5.as_str()).collect();
    (!all.is_empty()).then(|| all.join(","))
}
