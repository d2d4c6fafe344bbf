//! A pretend Wappi: one profile, which is a number of WhatsApp, with its chats.

mod customer;
mod login;
mod message;
mod post;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Value, json};

use super::ChannelEffect;
use super::fake::{CustomerDeed, CustomerDone, Fake, Outside};
use super::request::{Reply, Request};

const CHANNEL: &str = "whatsapp";
const ACCOUNT: &str = "phone";
const TOKEN: &str = "planted-wappi-token";
const PROFILE: &str = "1a2b3c4d-5e6f";
/// The number of the profile.
const NUMBER: &str = "70000000009";
/// Numbers that begin so are not on WhatsApp.
const NOT_THERE: &str = "999";
/// As many messages are kept of a chat.
const MOST_MESSAGES: usize = 1_000;

pub(super) struct WhatsappFake {
    mode: Mode,
    chats: BTreeMap<String, VecDeque<Item>>,
    names: BTreeMap<String, String>,
    blocked: BTreeSet<String>,
    hook: Option<Hook>,
    /// Files by the ids of their messages: name, type and content.
    files: BTreeMap<String, (String, String, Vec<u8>)>,
    made: u64,
}

/// How the profile is, set by `extra.profile` of a customer's order.
struct Mode {
    is_authorized: bool,
    is_paid: bool,
    is_revoked: bool,
    /// Under which name an answer has the id of a message.
    id_key: String,
}

#[derive(Default)]
struct Hook {
    url: String,
    auth: String,
    types: Vec<String>,
}

/// A message of a chat.
#[derive(Debug, Clone, Default)]
struct Item {
    id: String,
    kind: String,
    text: String,
    is_own: bool,
    /// In seconds.
    time: i64,
    is_read: bool,
    file_name: String,
    mime: String,
    link: String,
    reply_to: Option<String>,
}

impl WhatsappFake {
    pub(super) fn new() -> Self {
        Self {
            mode: Mode {
                is_authorized: true,
                is_paid: true,
                is_revoked: false,
                id_key: "message_id".to_owned(),
            },
            chats: BTreeMap::new(),
            names: BTreeMap::new(),
            blocked: BTreeSet::new(),
            hook: None,
            files: BTreeMap::new(),
            made: 0,
        }
    }

    fn next_id(&mut self) -> String {
        self.made += 1;
        format!("3EB0{:012X}", self.made)
    }

    /// The chat of a message, and its place there.
    fn location_of(&self, id: &str) -> Option<(String, usize)> {
        self.chats
            .iter()
            .find_map(|(chat, items)| Some((chat.clone(), items.iter().position(|item| item.id == id)?)))
    }

    fn keep(&mut self, chat: &str, item: Item) {
        let items = self.chats.entry(chat.to_owned()).or_default();
        if items.len() >= MOST_MESSAGES {
            items.pop_front();
        }
        items.push_back(item);
    }

    fn routed(&mut self, request: &Request, outside: &mut Outside) -> Result<Value, Reply> {
        let query = request.query();
        if query.get("profile_id").map(String::as_str).unwrap_or_default().is_empty() {
            return Err(refused(400, "profile_id is required"));
        }
        if query.get("profile_id").map(String::as_str) != Some(PROFILE) {
            return Err(refused(404, "profile not found"));
        }
        if !self.mode.is_paid {
            return Err(refused(402, "profile is not paid"));
        }
        let body = request.json();
        let word = |name: &str| query.get(name).cloned().unwrap_or_default();
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/api/sync/get/status") => return Ok(self.status()),
            ("GET", "/api/sync/qr/get") => return self.qr_code(outside),
            ("POST", "/api/profile/restart") => {
                outside.record(ChannelEffect { method: "profile/restart".to_owned(), ..effect("") });
                return Ok(done(outside));
            }
            ("POST", "/api/profile/logout") => {
                if !self.mode.is_authorized {
                    return Err(error_with_success_status("profile is not authorized"));
                }
                self.sign(false, outside);
                return Ok(done(outside));
            }
            ("POST", "/api/webhook/url/set") => {
                let types = self.hook.take().map(|hook| hook.types).unwrap_or_default();
                self.hook = Some(Hook { url: word("url"), auth: word("auth"), types });
                return Ok(done(outside));
            }
            ("GET", "/api/webhook/url/get") => {
                return Ok(json!({"status": "done", "url": self.hook.as_ref().map(|hook| &hook.url)}));
            }
            ("POST" | "DELETE", "/api/webhook/url/delete") => {
                self.hook = None;
                return Ok(done(outside));
            }
            ("POST", "/api/webhook/types/set") => {
                let types = body.as_array().ok_or_else(|| refused(400, "a list of types is wanted"))?;
                let types = types.iter().filter_map(Value::as_str).map(str::to_owned).collect();
                self.hook.get_or_insert_default().types = types;
                return Ok(done(outside));
            }
            _ => {}
        }
        if !self.mode.is_authorized {
            return Err(error_with_success_status("profile is not authorized"));
        }
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/api/sync/message/send") => self.send_text(&body, outside),
            ("POST", "/api/sync/message/img/send") => self.send_file("image", &body, outside),
            ("POST", "/api/sync/message/document/send") => self.send_file("document", &body, outside),
            ("POST", "/api/sync/message/video/send") => self.send_file("video", &body, outside),
            ("POST", "/api/sync/message/audio/send") => self.send_file("ptt", &body, outside),
            ("POST", "/api/sync/message/file/url/send") => {
                self.send_link(&body, request.fetched.as_ref(), outside)
            }
            ("POST", "/api/sync/message/delete") => self.delete(&body, outside),
            ("POST", "/api/sync/message/mark/read") => self.mark_read(&body, outside),
            ("POST", "/api/sync/chat/typing/start") => {
                let chat = chat_of(&body)?;
                outside.record(ChannelEffect { method: "typing/start".to_owned(), ..effect(&chat) });
                Ok(done(outside))
            }
            ("GET", "/api/sync/contact/check") => check_number(&word("phone"), outside),
            ("GET", "/api/sync/messages/get") => self.history(&query),
            ("GET" | "POST", "/api/sync/chats/get") => Ok(self.dialogs()),
            ("GET", "/api/sync/message/media/download") => self.download(&word("message_id"), outside),
            _ => Err(refused(404, "not found")),
        }
    }

    fn status(&self) -> Value {
        let hook = self.hook.as_ref();
        json!({
            "status": "done", "authorized": self.mode.is_authorized, "phone": NUMBER, "platform": "android",
            "app_status": if self.mode.is_authorized { "open" } else { "closed" },
            "webhook_url": hook.map(|hook| hook.url.as_str()).unwrap_or_default(),
            "webhook_types": hook.map(|hook| hook.types.clone()).unwrap_or_default(),
            "message_count": 0,
        })
    }

    fn dialogs(&self) -> Value {
        let dialog = |(chat, items): (&String, &VecDeque<Item>)| {
            let name = self.names.get(chat);
            let last = items.back();
            json!({
                "id": chat, "name": name, "isGroup": chat.ends_with("@g.us"), "contact": {"PushName": name},
                "unread_count": items.iter().filter(|item| !item.is_own && !item.is_read).count(),
                "last_message_id": last.map(|item| &item.id), "last_timestamp": last.map(|item| item.time),
            })
        };
        let all: Vec<Value> = self.chats.iter().map(dialog).collect();
        json!({"status": "done", "dialogs": all, "total_count": all.len()})
    }
}

impl Fake for WhatsappFake {
    fn answer(&mut self, request: &Request, outside: &mut Outside) -> Option<Reply> {
        // The bare token; `Bearer` before it is another word.
        if request.header("authorization") != Some(TOKEN) || self.mode.is_revoked {
            return Some(refused(401, "unauthorized"));
        }
        Some(match self.routed(request, outside) {
            Ok(response) => Reply::json(200, &response),
            Err(refusal) => refusal,
        })
    }

    fn fetches(&self, request: &Request) -> Option<String> {
        let is_link = request.path.ends_with("/message/file/url/send");
        is_link.then(|| request.json()["url"].as_str().map(str::to_owned)).flatten()
    }

    fn customer(&mut self, deed: &CustomerDeed, outside: &mut Outside) -> Result<CustomerDone, String> {
        self.act(deed, outside)
    }

    fn too_many(&self, seconds: u64) -> Reply {
        let mut reply = refused(429, "too many requests");
        reply.headers.push(("retry-after", seconds.to_string()));
        reply
    }

    /// Tokens do not end: it is revoked.
    fn expire_tokens(&mut self) {
        self.mode.is_revoked = true;
    }

    fn settings(&self) -> Vec<toml::Table> {
        let pairs = [("name", ACCOUNT), ("channel", CHANNEL), ("token", TOKEN), ("profile_id", PROFILE)];
        vec![pairs.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect()]
    }

    fn accounts(&self) -> Vec<String> {
        vec![ACCOUNT.to_owned()]
    }
}

/// The chat that a call names, as history names it.
fn chat_of(body: &Value) -> Result<String, Reply> {
    let recipient = body["recipient"].as_str().unwrap_or_default();
    if recipient.ends_with("@g.us") || recipient.ends_with("@lid") {
        return Ok(recipient.to_owned());
    }
    if !is_number(recipient) {
        return Err(refused(400, "recipient must be a number in digits"));
    }
    if recipient.starts_with(NOT_THERE) {
        return Err(error_with_success_status("recipient is not on WhatsApp"));
    }
    Ok(format!("{recipient}@c.us"))
}

/// Whether a number is on WhatsApp.
fn check_number(phone: &str, outside: &Outside) -> Result<Value, Reply> {
    if !is_number(phone) {
        return Err(refused(400, "phone must be a number in digits"));
    }
    let mut response = done(outside);
    response["on_whatsapp"] = (!phone.starts_with(NOT_THERE)).into();
    Ok(response)
}

fn is_number(text: &str) -> bool {
    (7..=15).contains(&text.len()) && text.bytes().all(|one| one.is_ascii_digit())
}

fn effect(chat: &str) -> ChannelEffect {
    ChannelEffect {
        provider: CHANNEL.to_owned(),
        account: ACCOUNT.to_owned(),
        chat_id: chat.to_owned(),
        ..ChannelEffect::default()
    }
}

fn done(outside: &Outside) -> Value {
    json!({"status": "done", "timestamp": outside.seconds(), "time": outside.now.to_string()})
}

fn refused(status: u16, detail: &str) -> Reply {
    Reply::json(status, &json!({"status": "error", "detail": detail}))
}

/// A refusal with the status of a success.
fn error_with_success_status(detail: &str) -> Reply {
    refused(200, detail)
}

#[cfg(test)]
mod tests;
