//! A pretend MAX: one bot with its dialogs, files, subscriptions and updates.

mod customer;
mod message;
mod update;
mod upload;

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use super::fake::{CustomerDeed, CustomerDone, Fake, Outside, Post, PostAnswer};
use super::request::{Reply, Request};

const CHANNEL: &str = "max";
const ACCOUNT: &str = "assistant";
const TOKEN: &str = "planted-max-token";
/// The bot's own id.
const BOT: i64 = 9001;
/// The dialog of a user has the user's number and this.
const DIALOGS: i64 = 1_000_000_000;
/// As many updates wait for a poll at most.
const MOST_UPDATES: usize = 10_000;
/// As many messages are kept of a chat.
const MOST_MESSAGES: usize = 1_000;
/// The most messages that may be sent within a second.
const MOST_A_SECOND: usize = 30;
/// A day, in milliseconds: as old may a message be that is edited or deleted.
const DAY: i64 = 86_400_000;
/// The gaps between attempts to post, in milliseconds: those of MAX are as many seconds.
const GAPS: [u64; 10] = [60, 150, 375, 937, 2_343, 5_859, 14_648, 36_621, 91_552, 228_881];

pub(super) struct MaxFake {
    chats: BTreeMap<i64, Chat>,
    uploads: BTreeMap<String, upload::Upload>,
    /// Addresses of films by their tokens.
    films: BTreeMap<String, String>,
    subscriptions: Vec<Subscription>,
    /// What waits for a poll, with its number.
    updates: VecDeque<(i64, Value)>,
    /// The number of the last update.
    last_update: i64,
    /// The messages whose buttons were pressed, by the ids of the presses.
    presses: BTreeMap<String, Option<String>>,
    /// Messages and files that were made.
    made: i64,
    /// When messages were sent lately, in milliseconds.
    sent_at: VecDeque<i64>,
    is_revoked: bool,
}

#[derive(Default)]
struct Chat {
    user: Value,
    /// The user has stopped the bot.
    is_stopped: bool,
    messages: VecDeque<Value>,
}

struct Subscription {
    url: String,
    secret: String,
    types: Option<Vec<String>>,
    since: i64,
}

impl MaxFake {
    pub(super) fn new() -> Self {
        Self {
            chats: BTreeMap::new(),
            uploads: BTreeMap::new(),
            films: BTreeMap::new(),
            subscriptions: Vec::new(),
            updates: VecDeque::new(),
            last_update: 0,
            presses: BTreeMap::new(),
            made: 0,
            sent_at: VecDeque::new(),
            is_revoked: false,
        }
    }

    fn next(&mut self) -> i64 {
        self.made += 1;
        self.made
    }

    fn bot(outside: &Outside) -> Value {
        json!({
            "user_id": BOT, "first_name": "Demo assistant", "last_name": null, "name": "Demo assistant",
            "username": "demo_assistant_bot", "is_bot": true, "last_activity_time": outside.millis(),
        })
    }

    /// The chat and its number within the chat's messages.
    fn location_of(&self, mid: &str) -> Option<(i64, usize)> {
        self.chats.iter().find_map(|(id, chat)| {
            let is_it = |message: &Value| message.pointer("/body/mid").and_then(Value::as_str) == Some(mid);
            Some((*id, chat.messages.iter().position(is_it)?))
        })
    }

    fn message(&self, mid: &str) -> Option<&Value> {
        let (chat, place) = self.location_of(mid)?;
        self.chats.get(&chat)?.messages.get(place)
    }

    fn routed(&mut self, request: &Request, outside: &mut Outside) -> Result<Value, Reply> {
        let query = request.query();
        let body = request.json();
        let parts: Vec<&str> = request.path.split('/').skip(1).collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("GET", ["me"]) => {
                let mut me = Self::bot(outside);
                me["description"] = Value::Null;
                me["commands"] = json!([]);
                Ok(me)
            }
            ("GET", ["chats", id]) => self.show_chat(id, outside),
            ("POST", ["chats", id, "actions"]) => self.show_action(id, &body, outside),
            ("POST", ["messages"]) => self.send(&query, &body, outside),
            ("PUT", ["messages"]) => self.edit(&query, &body, outside),
            ("DELETE", ["messages"]) => self.delete(&query, outside),
            ("GET", ["messages"]) => self.history(&query),
            ("GET", ["messages", mid]) => self.message(mid).cloned().ok_or_else(|| absent("message")),
            ("GET", ["chats", id, "members"]) => self.members(id, &query, outside),
            ("POST", ["answers"]) => self.answer_press(&query, &body, outside),
            ("POST", ["uploads"]) => self.begin_upload(&query, outside),
            ("GET", ["videos", token]) => {
                let url = self.films.get(*token).ok_or_else(|| absent("video"))?;
                Ok(
                    json!({"token": token, "urls": {"mp4_720": url, "mp4_144": format!("{url}?small"), "hls": null}}),
                )
            }
            ("GET", ["subscriptions"]) => Ok(self.list_subscriptions()),
            ("POST", ["subscriptions"]) => self.subscribe(&body, outside),
            ("DELETE", ["subscriptions"]) => self.unsubscribe(&query),
            ("GET", ["updates"]) => self.poll(&query),
            _ => Err(refused(404, "not.found", "Unknown path or method")),
        }
    }

    fn show_chat(&self, id: &str, outside: &Outside) -> Result<Value, Reply> {
        let id: i64 = id.parse().map_err(|_| bad("chat id is no number"))?;
        let chat = self.chats.get(&id).ok_or_else(|| absent("chat"))?;
        let kind = if id < 0 { "chat" } else { "dialog" };
        Ok(json!({
            "chat_id": id, "type": kind, "status": "active", "title": null, "icon": null,
            "participants_count": 2, "dialog_with_user": chat.user, "is_public": false,
            "last_event_time": outside.millis(),
        }))
    }

    /// The user of a dialog and the bot, a page at a time.
    fn members(&self, id: &str, query: &BTreeMap<String, String>, outside: &Outside) -> Result<Value, Reply> {
        let id: i64 = id.parse().map_err(|_| bad("chat id is no number"))?;
        let chat = self.chats.get(&id).ok_or_else(|| absent("chat"))?;
        if chat.is_stopped {
            return Err(denied());
        }
        let number = |name: &str, usual| query.get(name).map_or(Some(usual), |text| text.parse().ok());
        let (count, marker) = (number("count", 20), number("marker", 0));
        let count = count.filter(|count| (1..=100).contains(count));
        let (Some(count), Some(marker)) = (count, marker) else { return Err(bad("count or marker")) };
        let all = [chat.user.clone(), Self::bot(outside)];
        let members: Vec<&Value> = all.iter().skip(marker).take(count).collect();
        let next = marker + members.len();
        Ok(json!({"members": members, "marker": (next < all.len()).then_some(next)}))
    }

    fn show_action(&mut self, id: &str, body: &Value, outside: &mut Outside) -> Result<Value, Reply> {
        let id: i64 = id.parse().map_err(|_| bad("chat id is no number"))?;
        let chat = self.chats.get(&id).ok_or_else(|| absent("chat"))?;
        if chat.is_stopped {
            return Err(denied());
        }
        let action = body["action"].as_str().unwrap_or_default();
        if !["typing_on", "sending_photo", "sending_video", "sending_audio", "sending_file", "mark_seen"]
            .contains(&action)
        {
            return Err(bad("unknown action"));
        }
        outside.record(super::ChannelEffect { method: action.to_owned(), ..effect(id) });
        Ok(json!({"success": true}))
    }
}

impl Fake for MaxFake {
    fn answer(&mut self, request: &Request, outside: &mut Outside) -> Option<Reply> {
        if let Some(id) = request.path.strip_prefix("/upload/") {
            return Some(self.take_upload(id, request, outside));
        }
        // The bare token in the header counts, and nothing else does.
        if request.header("authorization") != Some(TOKEN) {
            return None;
        }
        if self.is_revoked {
            return Some(refused(401, "verify.token", "Invalid access_token"));
        }
        Some(match self.routed(request, outside) {
            Ok(response) => Reply::json(200, &response),
            Err(refusal) => refusal,
        })
    }

    fn customer(&mut self, deed: &CustomerDeed, outside: &mut Outside) -> Result<CustomerDone, String> {
        self.act(deed, outside)
    }

    fn posted(&mut self, post: &Post, answer: Option<&PostAnswer>, _outside: &mut Outside) {
        let is_taken = answer.is_some_and(|answer| answer.status == 200);
        // After eight hours without a success an address is posted to no more.
        if !is_taken && post.tries >= GAPS.len() {
            self.subscriptions.retain(|one| one.url != post.url);
        }
    }

    fn too_many(&self, seconds: u64) -> Reply {
        let mut reply = refused(429, "too.many.requests", "Too many requests");
        reply.headers.push(("retry-after", seconds.to_string()));
        reply
    }

    /// Tokens do not end: it is revoked.
    fn expire_tokens(&mut self) {
        self.is_revoked = true;
    }

    fn settings(&self) -> Vec<toml::Table> {
        let pairs = [("name", ACCOUNT), ("channel", CHANNEL), ("token", TOKEN)];
        vec![pairs.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect()]
    }

    fn accounts(&self) -> Vec<String> {
        vec![ACCOUNT.to_owned()]
    }
}

fn effect(chat: i64) -> super::ChannelEffect {
    super::ChannelEffect {
        provider: CHANNEL.to_owned(),
        account: ACCOUNT.to_owned(),
        chat_id: chat.to_string(),
        ..super::ChannelEffect::default()
    }
}

fn refused(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(status, &json!({"code": code, "message": message}))
}

fn bad(message: &str) -> Reply {
    refused(400, "proto.payload", message)
}

fn absent(what: &str) -> Reply {
    refused(404, "not.found", &format!("no such {what}"))
}

fn denied() -> Reply {
    refused(403, "chat.denied", "error.dialog.suspended")
}

#[cfg(test)]
mod tests;
