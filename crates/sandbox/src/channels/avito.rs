//! A pretend Avito: tokens, chats of buyers, pictures, posts to the registered addresses.

use std::collections::BTreeMap;

use domain::Timestamp;
use md5::{Digest, Md5};
use serde_json::{Value, json};
use sha2::Sha256;

use super::fake::{
    ChannelEffect, CustomerAction, CustomerDeed, CustomerDone, CustomerMedia, Fake, Outside, Post,
    ProviderFile,
};
use super::request::{Reply, Request};

/// The account of the demo world.
const ACCOUNT: &str = "shop";
const CLIENT_ID: &str = "demo-avito-client";
const CLIENT_SECRET: &str = "demo-avito-secret";
const OWNER: i64 = 1_000_001;
/// The advertisement that buyers write about, unless they name one.
const ITEM: i64 = 555_001;
/// Seconds that a token lives.
const TOKEN_LIFE: i64 = 86_400;
/// Seconds in which a message may be deleted, and that the address of a recording is good.
const HOUR: i64 = 3_600;
/// The longest text.
const LONGEST: usize = 1_000;
/// The largest picture.
const LARGEST_IMAGE: usize = 24 * 1024 * 1024;
/// What a picture may be.
const IMAGES: [&str; 5] = ["image/jpeg", "image/png", "image/gif", "image/bmp", "image/heic"];
/// How long an answer to a post is waited for.
const WITHIN_MS: u64 = 2_000;

#[derive(Default)]
pub(super) struct Avito {
    /// Tokens, and when each ends.
    tokens: BTreeMap<String, i64>,
    hooks: Vec<String>,
    chats: BTreeMap<String, Chat>,
    /// Pictures that were uploaded: their sizes, and the MD5 of each.
    images: BTreeMap<String, (Value, String)>,
    /// Recordings: the name and type and content of each.
    voices: BTreeMap<String, ProviderFile>,
    made: u64,
    /// Histories have two forms, in turn.
    is_object: bool,
}

struct Chat {
    buyer: i64,
    name: String,
    item: i64,
    created: i64,
    updated: i64,
    is_unread: bool,
    messages: Vec<Message>,
}

#[derive(Clone)]
struct Message {
    id: String,
    author: i64,
    created: i64,
    kind: &'static str,
    content: Value,
    read: Option<i64>,
    /// The message that it answers: shown in the history alone.
    quote: Option<String>,
}

impl Message {
    fn is_own(&self) -> bool {
        self.author == OWNER
    }

    /// As the history has it.
    fn to_json(&self) -> Value {
        json!({
            "id": self.id, "author_id": self.author, "created": self.created,
            "direction": if self.is_own() { "out" } else { "in" },
            "type": self.kind, "content": self.content,
            "is_read": self.read.is_some(), "read": self.read, "quote": self.quote.as_ref().map(|id| json!({ "id": id })),
        })
    }
}

impl Chat {
    fn to_json(&self, id: &str) -> Value {
        let last = self.messages.last().map(Message::to_json);
        json!({
            "id": id, "created": self.created, "updated": self.updated,
            "context": { "type": "item", "value": {
                "id": self.item, "title": "Bicycle", "price_string": "10 000 ₽", "status_id": 4,
                "url": "https://example.com/item", "user_id": OWNER, "images": { "count": 0 },
            } },
            "last_message": last,
            "users": [{ "id": OWNER, "name": "Shop" }, { "id": self.buyer, "name": self.name }],
        })
    }
}

fn refused(code: u16, message: &str) -> Reply {
    Reply::json(code, &json!({ "error": { "code": code, "message": message } }))
}

fn ok() -> Reply {
    Reply::json(200, &json!({ "ok": true }))
}

impl Fake for Avito {
    fn answer(&mut self, request: &Request, outside: &mut Outside) -> Option<Reply> {
        let path: Vec<&str> = request.path.trim_start_matches('/').split('/').collect();
        if matches!(path[..], ["token"] | ["token", ""]) {
            return self.token(request, outside);
        }
        let ends = request.bearer().and_then(|token| self.tokens.get(token)).copied();
        let Some(ends) = ends else {
            // The accounts that know no more than where their webhooks are answer this one.
            let is_theirs = request.path == "/messenger/v1/subscriptions";
            return if is_theirs { None } else { Some(refused(401, "invalid access token")) };
        };
        if ends <= outside.seconds() {
            return Some(refused(403, "access token is expired"));
        }
        let mut reply = self.route(request, &path, outside);
        reply.headers.push(("x-ratelimit-limit", "300".to_owned()));
        Some(reply)
    }

    fn customer(&mut self, deed: &CustomerDeed, outside: &mut Outside) -> Result<CustomerDone, String> {
        let buyer: i64 = deed.from.parse().ok().filter(|id| *id > 1 && *id != OWNER).ok_or(
            "from: the number of a buyer, such as 2000002; not that of the shop, 1000001".to_owned(),
        )?;
        let item = match &deed.subject {
            Some(item) => item.parse().map_err(|_| "subject: the number of an advertisement".to_owned())?,
            None => ITEM,
        };
        let chat_id = format!("u2i-{item}~{buyer}");
        let now = outside.seconds();
        let new = || Chat {
            buyer,
            name: format!("Buyer {buyer}"),
            item,
            created: now,
            updated: now,
            is_unread: false,
            messages: Vec::new(),
        };
        let chat = self.chats.entry(chat_id.clone()).or_insert_with(new);
        if let Some(name) = &deed.name {
            chat.name.clone_from(name);
        }
        let message_id = match deed.action {
            CustomerAction::Write => self.written(&chat_id, buyer, deed, outside)?,
            CustomerAction::OwnerWrites => self.written(&chat_id, OWNER, deed, outside)?,
            CustomerAction::Delete => {
                let id = deed.message_id.clone().ok_or("message_id: which message is deleted")?;
                let author = |message: &&mut Message| message.id == id && message.author == buyer;
                let found = chat.messages.iter_mut().find(author).ok_or("message_id: there is none")?;
                (found.kind, found.content) = ("deleted", json!({}));
                let message = found.clone();
                chat.updated = now;
                self.tell(&chat_id, &message, deed.forged, outside);
                Some(id)
            }
            CustomerAction::Read => {
                for message in chat.messages.iter_mut().filter(|message| message.is_own()) {
                    message.read.get_or_insert(now);
                }
                None
            }
            other => return Err(format!("action: Avito has no {other:?}")),
        };
        let (channel, account) = (deed.channel.clone(), ACCOUNT.to_owned());
        Ok(CustomerDone { channel, account, chat_id, message_id })
    }

    fn too_many(&self, seconds: u64) -> Reply {
        let mut reply = refused(429, "too many requests");
        reply.headers.push(("retry-after", seconds.to_string()));
        reply
    }

    fn expire_tokens(&mut self) {
        for ends in self.tokens.values_mut() {
            *ends = 0;
        }
    }

    fn settings(&self) -> Vec<toml::Table> {
        let pairs = [
            ("name", ACCOUNT),
            ("channel", "avito"),
            ("client_id", CLIENT_ID),
            ("client_secret", CLIENT_SECRET),
        ];
        vec![pairs.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect()]
    }

    fn accounts(&self) -> Vec<String> {
        vec![ACCOUNT.to_owned()]
    }
}

impl Avito {
    fn made(&mut self, outside: &Outside) -> String {
        self.made += 1;
        hex::encode(&Sha256::digest(format!("{} {}", outside.now.as_micros(), self.made))[..16])
    }

    fn token(&mut self, request: &Request, outside: &Outside) -> Option<Reply> {
        let form = request.form();
        let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        if (field("client_id"), field("client_secret")) != (CLIENT_ID, CLIENT_SECRET) {
            return None;
        }
        if request.method != "POST" {
            return Some(refused(405, "method not allowed"));
        }
        if field("grant_type") != "client_credentials" {
            return Some(refused(400, "grant_type"));
        }
        let token = self.made(outside);
        self.tokens.insert(token.clone(), outside.seconds() + TOKEN_LIFE);
        let response = json!({ "access_token": token, "expires_in": TOKEN_LIFE, "token_type": "Bearer" });
        Some(Reply::json(200, &response))
    }

    fn route(&mut self, request: &Request, path: &[&str], outside: &mut Outside) -> Reply {
        let url = || request.json()["url"].as_str().map(str::to_owned);
        match (request.method.as_str(), path) {
            ("GET", ["core", "v1", "accounts", "self"]) => {
                let (email, phone) = ("shop@example.com", "70000000001");
                let response = json!({
                    "id": OWNER, "name": "Shop", "email": email, "phone": phone, "phones": [phone],
                    "profile_url": "https://example.com/shop",
                });
                Reply::json(200, &response)
            }
            ("POST", ["messenger", "v3", "webhook"]) => match url() {
                Some(url) if url.starts_with("http") => {
                    if !self.hooks.contains(&url) {
                        self.hooks.push(url);
                    }
                    ok()
                }
                _ => refused(400, "url"),
            },
            ("POST", ["messenger", "v1", "webhook", "unsubscribe"]) => match url() {
                Some(url) if self.hooks.contains(&url) => {
                    self.hooks.retain(|known| *known != url);
                    ok()
                }
                _ => refused(400, "url"),
            },
            ("POST", ["messenger", "v1", "subscriptions"]) => {
                let all: Vec<Value> =
                    self.hooks.iter().map(|url| json!({ "url": url, "version": "3" })).collect();
                Reply::json(200, &json!({ "subscriptions": all }))
            }
            (_, ["messenger", version, "accounts", owner, rest @ ..]) => {
                if owner.parse() != Ok(OWNER) {
                    return refused(403, "this is not your account");
                }
                self.of_account(request, version, rest, outside)
            }
            _ => refused(404, "not found"),
        }
    }

    fn of_account(
        &mut self,
        request: &Request,
        version: &str,
        path: &[&str],
        outside: &mut Outside,
    ) -> Reply {
        match (request.method.as_str(), version, path) {
            ("GET", "v2", ["chats"]) => self.list(request),
            ("POST", "v1", ["uploadImages"]) => self.upload(request, outside),
            ("GET", "v1", ["getVoiceFiles"]) => self.voice_files(request, outside),
            ("POST", "v2", ["blacklist"]) => block(request, outside),
            (method, _, ["chats", id, rest @ ..]) => {
                if !self.chats.contains_key(*id) {
                    return refused(404, "chat not found");
                }
                match (method, version, rest) {
                    ("GET", "v2", []) => {
                        let response = self.chats.get(*id).map(|chat| chat.to_json(id));
                        Reply::json(200, &response.unwrap_or_default())
                    }
                    ("GET", "v3", ["messages", ""]) => self.history(id, request),
                    ("POST", "v1", ["messages"]) => self.send_text(id, request, outside),
                    ("POST", "v1", ["messages", "image"]) => self.send_image(id, request, outside),
                    ("POST", "v1", ["messages", message]) => self.delete(id, message, outside),
                    ("POST", "v1", ["read"]) => {
                        if let Some(chat) = self.chats.get_mut(*id) {
                            chat.is_unread = false;
                        }
                        outside.record(effect("read", id));
                        ok()
                    }
                    _ => refused(404, "not found"),
                }
            }
            _ => refused(404, "not found"),
        }
    }

    fn list(&self, request: &Request) -> Reply {
        let Some((limit, offset)) = page(request) else { return refused(400, "limit or offset") };
        let query = request.query();
        if query.get("chat_types").is_some_and(|types| !types.split(',').any(|kind| kind == "u2i")) {
            return Reply::json(200, &json!({ "chats": [] }));
        }
        let unread_only = query.get("unread_only").is_some_and(|only| only == "true");
        let mut chats: Vec<_> =
            self.chats.iter().filter(|(_, chat)| !unread_only || chat.is_unread).collect();
        chats.sort_by_key(|(_, chat)| std::cmp::Reverse(chat.updated));
        let all: Vec<Value> =
            chats.into_iter().skip(offset).take(limit).map(|(id, chat)| chat.to_json(id)).collect();
        Reply::json(200, &json!({ "chats": all }))
    }

    fn history(&mut self, id: &str, request: &Request) -> Reply {
        let Some((limit, offset)) = page(request) else { return refused(400, "limit or offset") };
        let Some(chat) = self.chats.get(id) else { return refused(404, "chat not found") };
        let all: Vec<Value> =
            chat.messages.iter().rev().skip(offset).take(limit).map(Message::to_json).collect();
        self.is_object = !self.is_object;
        let response = if self.is_object { json!({ "messages": all }) } else { json!(all) };
        Reply::json(200, &response)
    }

    fn send_text(&mut self, id: &str, request: &Request, outside: &mut Outside) -> Reply {
        let body = request.json();
        let text = body["message"]["text"].as_str().unwrap_or_default();
        if body["type"] != "text" || text.trim().is_empty() {
            return refused(400, "message.text is required");
        }
        if text.chars().count() > LONGEST {
            return refused(400, "message.text is too long");
        }
        let message = self.add(id, OWNER, "text", json!({ "text": text }), outside);
        let (text, external_id) = (text.to_owned(), Some(message.id.clone()));
        outside.record(ChannelEffect { text, external_id, ..effect("messages", id) });
        self.tell(id, &message, false, outside);
        Reply::json(200, &message.to_json())
    }

    fn send_image(&mut self, id: &str, request: &Request, outside: &mut Outside) -> Reply {
        let body = request.json();
        let Some((sizes, md5)) = body["image_id"].as_str().and_then(|image| self.images.get(image)).cloned()
        else {
            return refused(400, "image_id");
        };
        let message = self.add(id, OWNER, "image", json!({ "image": { "sizes": sizes } }), outside);
        let (external_id, media) = (Some(message.id.clone()), Some("image".to_owned()));
        let sent = effect("messages/image", id);
        outside.record(ChannelEffect { external_id, media, md5: Some(md5), ..sent });
        self.tell(id, &message, false, outside);
        Reply::json(200, &message.to_json())
    }

    fn delete(&mut self, id: &str, message: &str, outside: &mut Outside) -> Reply {
        let own = |known: &&mut Message| known.id == message && known.is_own();
        let found = self.chats.get_mut(id).and_then(|chat| chat.messages.iter_mut().find(own));
        let Some(found) = found else { return refused(404, "message not found") };
        if found.created + HOUR < outside.seconds() {
            return refused(400, "the message is too old to be deleted");
        }
        (found.kind, found.content) = ("deleted", json!({}));
        let external_id = Some(message.to_owned());
        outside.record(ChannelEffect { external_id, ..effect("delete", id) });
        Reply::json(200, &json!({}))
    }

    fn upload(&mut self, request: &Request, outside: &mut Outside) -> Reply {
        let parts = request.parts();
        let [part] = parts.as_slice() else { return refused(400, "one image is wanted") };
        let mime = part.mime.clone().unwrap_or_default();
        if part.name != "uploadfile[]" || part.content.is_empty() || !IMAGES.contains(&mime.as_str()) {
            return refused(400, "uploadfile[] must be an image");
        }
        if part.content.len() > LARGEST_IMAGE {
            return refused(400, "the image is too large");
        }
        let sizes = image_sizes(&part.content, &mime, outside);
        let (id, md5) = (self.made(outside), hex::encode(Md5::digest(&part.content)));
        self.images.insert(id.clone(), (sizes.clone(), md5));
        Reply::json(200, &json!({ id: sizes }))
    }

    fn voice_files(&self, request: &Request, outside: &mut Outside) -> Reply {
        let ids: Vec<String> = form_urlencoded::parse(request.query.as_bytes())
            .filter(|(name, _)| name == "voice_ids")
            .flat_map(|(_, ids)| ids.split(',').map(str::to_owned).collect::<Vec<_>>())
            .collect();
        let until = Some(Timestamp::from_micros((outside.seconds() + HOUR) * 1_000_000));
        let mut urls = serde_json::Map::new();
        for id in ids {
            if let Some(voice) = self.voices.get(&id) {
                let url = outside.keep(ProviderFile { until, ..voice.clone() });
                urls.insert(id, url.into());
            }
        }
        Reply::json(200, &json!({ "voices_urls": urls }))
    }

    /// Messages of a person: the text, then each file.
    fn written(
        &mut self,
        chat: &str,
        author: i64,
        deed: &CustomerDeed,
        outside: &mut Outside,
    ) -> Result<Option<String>, String> {
        let mut contents: Vec<(&'static str, Value)> = Vec::new();
        if let Some(text) = deed.text.as_deref().filter(|text| !text.is_empty()) {
            contents.push(("text", json!({ "text": text })));
        }
        for media in &deed.media {
            contents.push(self.attached(media, outside)?);
        }
        if contents.is_empty() {
            return Err("text: what is written, or media".to_owned());
        }
        let mut last = None;
        for (kind, content) in contents {
            let message = self.add(chat, author, kind, content, outside);
            let kept = self.chats.get_mut(chat).and_then(|chat| chat.messages.last_mut());
            if let Some(kept) = kept {
                kept.quote.clone_from(&deed.message_id);
            }
            self.tell(chat, &message, deed.forged, outside);
            last = Some(message.id);
        }
        Ok(last)
    }

    fn attached(
        &mut self,
        media: &CustomerMedia,
        outside: &mut Outside,
    ) -> Result<(&'static str, Value), String> {
        let mime = |usual: &str| media.mime.clone().unwrap_or_else(|| usual.to_owned());
        match media.kind.as_str() {
            "image" => {
                let sizes = image_sizes(&media.bytes(), &mime("image/jpeg"), outside);
                Ok(("image", json!({ "image": { "sizes": sizes } })))
            }
            "voice" => {
                let id = self.made(outside);
                let file = ProviderFile {
                    mime: mime("audio/mp4"),
                    content: media.bytes(),
                    ..ProviderFile::default()
                };
                self.voices.insert(id.clone(), file);
                Ok(("voice", json!({ "voice": { "voice_id": id } })))
            }
            "video" => Ok(("video", json!({}))),
            "document" => Ok(("file", json!({}))),
            other => Err(format!("media: Avito has no {other}")),
        }
    }

    fn add(
        &mut self,
        chat: &str,
        author: i64,
        kind: &'static str,
        content: Value,
        outside: &Outside,
    ) -> Message {
        let (id, created) = (self.made(outside), outside.seconds());
        let message = Message { id, author, created, kind, content, read: None, quote: None };
        if let Some(chat) = self.chats.get_mut(chat) {
            chat.messages.push(message.clone());
            chat.updated = created;
            chat.is_unread = author != OWNER;
        }
        message
    }

    /// Posts a message to every registered address.
    fn tell(&mut self, chat: &str, message: &Message, forged: bool, outside: &mut Outside) {
        let item = self.chats.get(chat).map(|chat| chat.item);
        let (id, signature) = (self.made(outside), self.made(outside));
        let user = if forged { OWNER + 1 } else { OWNER };
        let body = json!({
            "id": id, "version": "v3.0.0", "timestamp": outside.seconds(),
            "payload": { "type": "message", "value": {
                "id": message.id, "chat_id": chat, "chat_type": "u2i", "user_id": user,
                "author_id": message.author, "created": message.created,
                "type": message.kind, "content": message.content, "item_id": item, "read": message.read,
            } },
        });
        for url in &self.hooks {
            // Who does not know the address guesses at its secret.
            let url = match url.rsplit_once('/') {
                Some((start, _)) if forged => format!("{start}/guessed"),
                _ => url.clone(),
            };
            let mut post = Post { within_ms: Some(WITHIN_MS), ..Post::json("avito", ACCOUNT, url, &body) };
            if forged {
                post.retries.clear();
            }
            let signature = format!("{signature}{signature}");
            outside.post(post.header("x-avito-messenger-signature", signature));
        }
    }
}

/// Takes people who may write no more; the reasons are spam, fraud, insults and others.
fn block(request: &Request, outside: &mut Outside) -> Reply {
    let body = request.json();
    let Some(users) = body["users"].as_array().filter(|users| !users.is_empty()) else {
        return refused(400, "users is required");
    };
    let is_wrong = |user: &Value| {
        let context = &user["context"];
        let reason = context["reason_id"].as_i64().unwrap_or_default();
        let is_explained = context["item_id"].is_i64() && (1..=4).contains(&reason);
        !user["user_id"].is_i64() || !(context.is_null() || is_explained)
    };
    if users.iter().any(is_wrong) {
        return refused(400, "users is wrong");
    }
    for user in users {
        let text = user["context"]["reason_id"].as_i64().map(|id| id.to_string()).unwrap_or_default();
        outside.record(ChannelEffect { text, ..effect("blacklist", &user["user_id"].to_string()) });
    }
    Reply { body: Vec::new(), ..ok() }
}

fn effect(method: &str, chat: &str) -> ChannelEffect {
    ChannelEffect {
        provider: "avito".to_owned(),
        account: ACCOUNT.to_owned(),
        method: method.to_owned(),
        chat_id: chat.to_owned(),
        ..ChannelEffect::default()
    }
}

/// The addresses of a picture in its sizes. The picture is the same in each.
fn image_sizes(content: &[u8], mime: &str, outside: &mut Outside) -> Value {
    let mut keep = || {
        let (mime, content) = (mime.to_owned(), content.to_vec());
        outside.keep(ProviderFile { mime, content, ..ProviderFile::default() })
    };
    json!({ "140x105": keep(), "1280x960": keep() })
}

/// How many, and after how many; none where that is not allowed.
fn page(request: &Request) -> Option<(usize, usize)> {
    let query = request.query();
    let number = |name: &str, usual| query.get(name).map_or(Some(usual), |text| text.parse::<usize>().ok());
    let (limit, offset) = (number("limit", 100)?, number("offset", 0)?);
    ((1..=100).contains(&limit) && offset <= 1_000).then_some((limit, offset))
}
