//! A pretend Bot API with one bot, as `api.telegram.org` answers: its token in the path, updates by poll or by webhook.

mod calls;
mod customers;
mod given;
mod sending;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use domain::Timestamp;
use serde_json::{Value, json};

use super::fake::{CustomerDeed, CustomerDone, Fake, Outside, Post, PostAnswer};
use super::request::{Reply, Request};
use given::Given;

const CHANNEL: &str = "telegram";
const ACCOUNT: &str = "bot";
const TOKEN: &str = "7000000001:AApretend_token_of_the_demo_bot_0001";
const ID: i64 = 7_000_000_001;
/// The connection to a personal account that the demo has, and the account's owner.
const BUSINESS: &str = "demo";
const OWNER: i64 = 5_000_001;
/// The connection that a stranger made to the bot.
const FOREIGN_BUSINESS: &str = "foreign";
const STRANGER: i64 = 6_000_001;

/// Updates are kept for so long.
const UPDATE_LIFETIME: Duration = Duration::from_hours(24);
/// The most updates, and messages of a chat, that are kept; the oldest are forgotten.
const MOST: usize = 10_000;

/// The kinds of updates that come only where they are named.
const ONLY_NAMED: [&str; 1] = ["message_reaction"];

/// The pretend Bot API.
#[derive(Debug, Default)]
pub(super) struct TelegramFake {
    /// By the name that the product has for them: `2001`, `demo:2001`.
    chats: BTreeMap<String, Chat>,
    /// Oldest first.
    updates: VecDeque<Update>,
    last_update: i64,
    hook: Option<Hook>,
    /// The number of the `getUpdates` that counts.
    poll: u64,
    /// Presses that wait for an answer, and since when.
    presses: VecDeque<(String, Timestamp)>,
    last_press: u64,
    /// By their ids.
    files: BTreeMap<String, File>,
    /// Until when the room of a chat is used up; the empty name is all chats.
    room: BTreeMap<String, Timestamp>,
    /// The next call finds the token revoked.
    is_revoked: bool,
}

#[derive(Debug)]
struct Update {
    id: i64,
    body: Value,
    at: Timestamp,
}

#[derive(Debug, Default)]
struct Hook {
    url: String,
    secret: String,
    max_connections: i64,
    allowed: Option<Vec<String>>,
    last_error: Option<(i64, String)>,
}

#[derive(Debug, Default)]
struct Chat {
    id: i64,
    business: Option<String>,
    /// What the customer is called, or the group.
    name: String,
    is_blocked: bool,
    /// The supergroup that the group has become.
    moved_to: Option<i64>,
    last_message: i64,
    messages: BTreeMap<i64, Message>,
}

#[derive(Debug, Default, Clone)]
struct Message {
    is_own: bool,
    has_media: bool,
    text: String,
    /// As the Bot API writes it.
    body: Value,
    /// By the person.
    reactions: BTreeMap<i64, Vec<Value>>,
}

#[derive(Debug, Default)]
struct File {
    /// Where it is kept.
    url: String,
    size: u64,
    /// The path that was given out last, and until when it is good.
    path: Option<(String, Timestamp)>,
}

/// A refusal of the Bot API.
#[derive(Debug)]
struct Refusal {
    code: u16,
    description: String,
    parameters: Value,
}

impl Refusal {
    fn new(code: u16, description: impl Into<String>) -> Self {
        Self { code, description: description.into(), parameters: Value::Null }
    }

    fn bad(what: impl std::fmt::Display) -> Self {
        Self::new(400, format!("Bad Request: {what}"))
    }

    fn flood(seconds: u64) -> Self {
        let parameters = json!({ "retry_after": seconds });
        Self { parameters, ..Self::new(429, format!("Too Many Requests: retry after {seconds}")) }
    }

    fn reply(&self) -> Reply {
        let mut body = json!({ "ok": false, "error_code": self.code, "description": self.description });
        if !self.parameters.is_null() {
            body["parameters"] = self.parameters.clone();
        }
        Reply::json(self.code, &body)
    }
}

impl Chat {
    /// The name that the product has for it.
    fn name(&self) -> String {
        match &self.business {
            Some(business) => format!("{business}:{}", self.id),
            None => self.id.to_string(),
        }
    }

    /// As the Bot API writes it.
    fn written(&self) -> Value {
        match self.id {
            1.. => json!({ "id": self.id, "type": "private", "first_name": self.name }),
            ..=-1_000_000_000_000 => json!({ "id": self.id, "type": "supergroup", "title": self.name }),
            _ => json!({ "id": self.id, "type": "group", "title": self.name }),
        }
    }

    /// Keeps a message under a number of its own, which its body is given.
    fn keep(&mut self, mut message: Message) -> (i64, Value) {
        self.last_message += 1;
        let id = self.last_message;
        message.body["message_id"] = id.into();
        let body = message.body.clone();
        self.messages.insert(id, message);
        if self.messages.len() > MOST {
            self.messages.pop_first();
        }
        (id, body)
    }
}

impl TelegramFake {
    pub(super) fn new() -> Self {
        // Numbers of updates begin anywhere.
        Self { last_update: 900_000, ..Self::default() }
    }

    /// Something happened: it waits for a poll, or is posted.
    fn tell(&mut self, kind: &str, body: &Value, is_forged: bool, outside: &mut Outside) {
        let allowed = self.hook.as_ref().and_then(|hook| hook.allowed.as_ref());
        let is_left_out = |allowed: &Vec<String>| !allowed.iter().any(|one| one == kind);
        if allowed.map_or(self.hook.is_some() && ONLY_NAMED.contains(&kind), is_left_out) {
            return;
        }
        self.last_update += 1;
        let update = Update {
            id: self.last_update,
            body: json!({ "update_id": self.last_update, kind: body }),
            at: outside.now,
        };
        if let Some(hook) = &self.hook {
            outside.post(hook.post(&update, is_forged));
        }
        self.updates.push_back(update);
        if self.updates.len() > MOST {
            self.updates.pop_front();
        }
    }

    fn file(&self, path: &str, outside: &Outside) -> Reply {
        let is_it =
            |file: &&File| file.path.as_ref().is_some_and(|(one, until)| one == path && *until > outside.now);
        let kept = self.files.values().find(is_it).and_then(|file| outside.file(&file.url));
        match kept {
            Some(kept) => Reply {
                status: 200,
                content_type: "application/octet-stream".to_owned(),
                body: kept.content.clone(),
                ..Reply::default()
            },
            None => Refusal::new(404, "Not Found").reply(),
        }
    }
}

impl Hook {
    fn post(&self, update: &Update, is_forged: bool) -> Post {
        let secret = if is_forged { "forged" } else { &self.secret };
        let post = Post::json(CHANNEL, ACCOUNT, &self.url, &update.body);
        if secret.is_empty() { post } else { post.header("X-Telegram-Bot-Api-Secret-Token", secret) }
    }
}

/// Whether a token has the form of one.
fn is_formed(token: &str) -> bool {
    token.split_once(':').is_some_and(|(id, word)| {
        !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) && word.len() >= 10
    })
}

impl Fake for TelegramFake {
    fn answer(&mut self, request: &Request, outside: &mut Outside) -> Option<Reply> {
        let (is_file, rest) = match request.path.strip_prefix("/file/bot") {
            Some(rest) => (true, rest),
            None => (false, request.path.strip_prefix("/bot")?),
        };
        let (token, method) = rest.split_once('/').unwrap_or((rest, ""));
        if token != TOKEN || std::mem::take(&mut self.is_revoked) {
            let known = is_formed(token) && !is_file;
            let refusal =
                if known { Refusal::new(401, "Unauthorized") } else { Refusal::new(404, "Not Found") };
            return Some(refusal.reply());
        }
        self.updates.retain(|update| outside.now < update.at.plus(UPDATE_LIFETIME));
        if is_file {
            return Some(self.file(method, outside));
        }
        let given = Given::read(request);
        Some(match self.call(&method.to_ascii_lowercase(), &given, request.number, outside) {
            Ok((result, waits)) => {
                let reply = Reply::json(200, &json!({ "ok": true, "result": result }));
                waits.map_or(reply.clone(), |longest| reply.waiting(longest))
            }
            Err(refusal) => refusal.reply(),
        })
    }

    fn customer(&mut self, deed: &CustomerDeed, outside: &mut Outside) -> Result<CustomerDone, String> {
        self.act(deed, outside)
    }

    fn posted(&mut self, post: &Post, answer: Option<&PostAnswer>, outside: &mut Outside) {
        let update: Value = serde_json::from_slice(&post.body).unwrap_or_default();
        match answer {
            Some(answer) if (200..300).contains(&answer.status) => {
                self.updates.retain(|one| one.body["update_id"] != update["update_id"]);
            }
            failed => {
                let why = match failed {
                    Some(answer) => format!("Wrong response from the webhook: {}", answer.status),
                    None => "Connection refused".to_owned(),
                };
                if let Some(hook) = &mut self.hook {
                    hook.last_error = Some((outside.seconds(), why));
                }
            }
        }
    }

    /// A webhook that was set again posts by itself what waits.
    fn repeats(&self, post: &Post) -> bool {
        self.hook.as_ref().is_some_and(|hook| {
            let has_secret = post.headers.iter().any(|(_, value)| *value == hook.secret);
            hook.url == post.url && has_secret != hook.secret.is_empty()
        })
    }

    fn too_many(&self, seconds: u64) -> Reply {
        Refusal::flood(seconds).reply()
    }

    /// The token is revoked for one call: a demo whose only bot is gone for good is of no use.
    fn expire_tokens(&mut self) {
        self.is_revoked = true;
    }

    fn settings(&self) -> Vec<toml::Table> {
        let entry = |(key, value): (&str, &str)| (key.to_owned(), toml::Value::from(value));
        let mut account: toml::Table =
            [("name", ACCOUNT), ("channel", CHANNEL), ("token", TOKEN)].map(entry).into_iter().collect();
        account.insert("business_accounts".to_owned(), vec![OWNER.to_string()].into());
        vec![account]
    }

    fn accounts(&self) -> Vec<String> {
        vec![ACCOUNT.to_owned()]
    }
}
