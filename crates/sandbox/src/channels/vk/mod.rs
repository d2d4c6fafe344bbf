//! A pretend VK: a community with its key, its dialogs, posts to registered addresses and a log that is asked.

mod dialogs;
mod listening;
mod sending;
mod uploads;

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use super::fake::{ChannelEffect, CustomerDeed, CustomerDone, Fake, Outside, Post, PostAnswer};
use super::request::{Reply, Request};
use dialogs::Dialog;
use listening::CallbackServer;
use uploads::Uploads;

/// The account of the demo world.
const ACCOUNT: &str = "club";
const TOKEN: &str = "demo-vk-key";
const GROUP: i64 = 100_200;
const VERSION: &str = "5.199";
/// The most calls of a second that are taken.
const CALLS: usize = 20;
/// As many presses wait for an answer at most.
const MOST_PRESSES: usize = 100;
/// From this number on a peer is a chat of several.
const FIRST_CHAT: i64 = 2_000_000_000;

#[derive(Default)]
pub(super) struct Vk {
    dialogs: BTreeMap<i64, Dialog>,
    names: BTreeMap<i64, String>,
    uploads: Uploads,
    servers: Vec<CallbackServer>,
    /// What the log has, and how much was there before.
    log: VecDeque<Value>,
    log_start: u64,
    is_logged: bool,
    /// Part of the key of the log: it changes once the old one is no longer taken.
    log_key: u64,
    made: i64,
    revoked: bool,
    /// Presses without an answer: the event, who pressed, and where.
    presses: VecDeque<(String, i64, i64)>,
    /// When the last calls came, in milliseconds.
    calls: VecDeque<i64>,
}

/// What a method comes to.
type MethodResult = Result<Value, Refusal>;

/// An error of VK.
struct Refusal {
    code: i64,
    message: String,
}

fn refused<T>(code: i64, message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { code, message: message.into() })
}

/// The parameters of a call.
struct Parameters(BTreeMap<String, String>);

impl Parameters {
    fn word(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    fn needed(&self, name: &str) -> Result<&str, Refusal> {
        self.word(name).map_or_else(|| missing(name), Ok)
    }

    fn number(&self, name: &str) -> Result<i64, Refusal> {
        self.needed(name)?.parse().or_else(|_| missing(name))
    }

    fn flag(&self, name: &str) -> bool {
        self.word(name) == Some("1")
    }

    fn count(&self, usual: usize) -> usize {
        self.word("count").and_then(|count| count.parse().ok()).unwrap_or(usual).min(200)
    }
}

fn missing<T>(name: &str) -> Result<T, Refusal> {
    refused(100, format!("One of the parameters specified was missing or invalid: {name}"))
}

fn reply(result: MethodResult) -> Reply {
    match result {
        Ok(response) => Reply::json(200, &json!({ "response": response })),
        Err(Refusal { code, message }) => {
            let error = json!({ "error_code": code, "error_msg": message, "request_params": [] });
            Reply::json(200, &json!({ "error": error }))
        }
    }
}

fn effect(method: &str, peer: i64) -> ChannelEffect {
    ChannelEffect {
        provider: "vk".to_owned(),
        account: ACCOUNT.to_owned(),
        method: method.to_owned(),
        chat_id: peer.to_string(),
        ..ChannelEffect::default()
    }
}

impl Fake for Vk {
    fn answer(&mut self, request: &Request, outside: &mut Outside) -> Option<Reply> {
        if request.path.starts_with("/longpoll/") {
            return Some(self.listen(request));
        }
        if let Some(kind) = request.path.strip_prefix("/upload/") {
            return Some(self.uploads.take(kind, request));
        }
        let mut given = request.query();
        let kind = request.header("content-type").unwrap_or_default();
        if kind.starts_with("application/x-www-form-urlencoded") {
            given.extend(request.form());
        }
        let token = request.bearer().map(str::to_owned).or_else(|| given.get("access_token").cloned());
        if token.as_deref() != Some(TOKEN) {
            return None;
        }
        let parameters = Parameters(given);
        let path = request.path.strip_prefix("/method").unwrap_or(&request.path);
        Some(reply(self.method(path.trim_start_matches('/'), &parameters, outside)))
    }

    fn customer(&mut self, deed: &CustomerDeed, outside: &mut Outside) -> Result<CustomerDone, String> {
        self.act(deed, outside)
    }

    fn posted(&mut self, post: &Post, answer: Option<&PostAnswer>, _: &mut Outside) {
        self.was_posted(post, answer);
    }

    fn too_many(&self, _: u64) -> Reply {
        reply(refused(6, "Too many requests per second"))
    }

    /// Keys do not end: it is revoked.
    fn expire_tokens(&mut self) {
        self.revoked = true;
    }

    fn settings(&self) -> Vec<toml::Table> {
        let pairs = [("name", ACCOUNT), ("channel", "vk"), ("token", TOKEN)];
        let mut table: toml::Table =
            pairs.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
        table.insert("group_id".to_owned(), GROUP.into());
        vec![table]
    }

    fn accounts(&self) -> Vec<String> {
        vec![ACCOUNT.to_owned()]
    }
}

impl Vk {
    fn next(&mut self) -> i64 {
        self.made += 1;
        self.made
    }

    fn method(&mut self, method: &str, parameters: &Parameters, outside: &mut Outside) -> MethodResult {
        if self.revoked {
            return refused(5, "User authorization failed: access_token was revoked.");
        }
        if parameters.word("v") != Some(VERSION) {
            return missing("v");
        }
        let now = outside.millis();
        self.calls.retain(|at| *at > now - 1_000);
        if self.calls.len() >= CALLS {
            return refused(6, "Too many requests per second");
        }
        self.calls.push_back(now);
        if method.starts_with("groups.") && parameters.number("group_id")? != GROUP {
            return refused(125, "Invalid group id");
        }
        match method {
            "messages.send" => self.send(parameters, outside),
            "messages.edit" => self.edit(parameters, outside),
            "messages.delete" => self.delete(parameters, outside),
            "messages.getHistory" => self.history(parameters),
            "messages.getConversations" => Ok(self.conversations(parameters)),
            "messages.getByConversationMessageId" => self.by_number(parameters),
            "messages.markAsRead" => {
                let peer = parameters.number("peer_id")?;
                self.dialog(peer)?.unread = 0;
                outside.record(effect("markAsRead", peer));
                Ok(json!(1))
            }
            "messages.setActivity" => {
                let peer = parameters.number("peer_id")?;
                self.dialog(peer)?;
                if parameters.needed("type")? != "typing" {
                    return missing("type");
                }
                outside.record(effect("setActivity", peer));
                Ok(json!(1))
            }
            "messages.sendMessageEventAnswer" => {
                let (user, peer) = (parameters.number("user_id")?, parameters.number("peer_id")?);
                let press = (parameters.needed("event_id")?.to_owned(), user, peer);
                let place = self.presses.iter().position(|known| *known == press);
                self.presses.remove(place.map_or_else(|| missing("event_id"), Ok)?);
                outside.record(effect("sendMessageEventAnswer", peer));
                Ok(json!(1))
            }
            "users.get" => self.users(parameters),
            "photos.getMessagesUploadServer" => {
                self.dialog(parameters.number("peer_id")?)?;
                let url = format!("{}/upload/photo/{}", outside.base, self.next());
                Ok(json!({ "upload_url": url, "album_id": -64, "user_id": 0 }))
            }
            "docs.getMessagesUploadServer" => {
                self.dialog(parameters.number("peer_id")?)?;
                let kind = parameters.word("type").unwrap_or("doc").to_owned();
                if kind != "doc" && kind != "audio_message" {
                    return missing("type");
                }
                Ok(json!({ "upload_url": format!("{}/upload/{kind}/{}", outside.base, self.next()) }))
            }
            "photos.saveMessagesPhoto" => self.uploads.save_photo(parameters, outside),
            "docs.save" => self.uploads.save_document(parameters, outside),
            "groups.getById" => Ok(json!({ "groups": [{ "id": GROUP, "name": "Club" }], "profiles": [] })),
            "groups.getTokenPermissions" => {
                let names = ["photos", "messages", "docs", "manage"];
                let all: Vec<Value> =
                    names.iter().map(|name| json!({ "name": name, "setting": 1 })).collect();
                Ok(json!({ "mask": 1, "permissions": all }))
            }
            _ => self.listening(method, parameters, outside),
        }
    }

    fn users(&self, parameters: &Parameters) -> MethodResult {
        let ids = parameters.needed("user_ids")?.split(',').filter_map(|id| id.trim().parse::<i64>().ok());
        let user = |id: i64| {
            let name = self.names.get(&id)?;
            let (first, last) = name.split_once(' ').unwrap_or((name, ""));
            Some(json!({ "id": id, "first_name": first, "last_name": last }))
        };
        Ok(ids.filter_map(user).collect())
    }
}
