//! What the pretend Wappi posts: messages, and how far they are.

use serde_json::{Value, json};

use super::{ACCOUNT, CHANNEL, Item, NUMBER, PROFILE, WhatsappFake};
use crate::channels::fake::{Outside, Post};

impl WhatsappFake {
    /// Posts these messages: a list, or one as an object.
    pub(super) fn tell(&self, messages: &Value, is_forged: bool, outside: &mut Outside) {
        let Some(hook) = self.hook.as_ref().filter(|hook| !hook.url.is_empty()) else { return };
        let first = messages.get(0).unwrap_or(messages);
        let kind = first["wh_type"].as_str().unwrap_or_default();
        if !hook.types.iter().any(|known| known == kind) {
            return;
        }
        let mut post = Post::json(CHANNEL, ACCOUNT, &hook.url, &json!({"messages": messages}));
        if !hook.auth.is_empty() {
            post = post.header("Authorization", if is_forged { "forged" } else { &hook.auth });
        }
        outside.post(post);
    }

    pub(super) fn tell_status(&self, id: &str, status: &str, is_forged: bool, outside: &mut Outside) {
        let item = json!({"wh_type": "delivery_status", "id": id, "profile_id": PROFILE, "status": status});
        self.tell(&item, is_forged, outside);
    }

    /// A message as it is posted.
    pub(super) fn posted_item(&self, kind: &str, chat: &str, item: &Item) -> Value {
        let own = format!("{NUMBER}@c.us");
        let (from, to) = if item.is_own { (own.as_str(), chat) } else { (chat, own.as_str()) };
        let name = self.names.get(chat);
        let is_text = matches!(item.kind.as_str(), "chat" | "reaction");
        let mut payload = json!({
            "wh_type": kind, "profile_id": PROFILE, "id": item.id, "type": item.kind,
            "body": if is_text { item.text.as_str() } else { "" }, "from": from, "to": to, "chatId": chat,
            "senderName": if item.is_own { None } else { name }, "contact_name": name, "contact_phone": "",
            "chat_type": if chat.ends_with("@g.us") { "group" } else { "dialog" }, "is_me": item.is_own,
            "from_where": if kind == "outgoing_message_api" { "api" } else { "phone" }, "time": item.time,
            "caption": if is_text { Value::Null } else { item.text.clone().into() }, "isReply": item.reply_to.is_some(),
            "is_forwarded": false, "is_edited": false, "is_deleted": false,
            "stanza_id": item.reply_to.clone().unwrap_or_default(), "thumbnail": "", "picture": "",
        });
        if !item.link.is_empty() {
            payload["file_link"] = item.link.clone().into();
        }
        if !is_text {
            payload["file_name"] = item.file_name.clone().into();
            payload["mimetype"] = item.mime.clone().into();
        }
        if let Some(id) = &item.reply_to {
            payload["reply_message"] = json!({"id": id, "type": "chat"});
        }
        payload
    }
}
