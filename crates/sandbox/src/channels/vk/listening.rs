//! How the product hears: posts to the servers that are registered, and the log that it asks.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{ACCOUNT, GROUP, MethodResult, Parameters, VERSION, Vk, missing, refused};
use crate::channels::fake::{Outside, Post, PostAnswer};
use crate::channels::request::{Reply, Request};

/// What the log has at most.
const LONGEST_LOG: usize = 1_000;
/// The most servers that a community has.
const MOST_SERVERS: usize = 10;
/// What an address has to answer when it is asked.
const CODE: &str = "c0ffee42";
/// What an address may be posted.
const KINDS: [&str; 9] = [
    "message_new",
    "message_reply",
    "message_edit",
    "message_event",
    "message_allow",
    "message_deny",
    "message_read",
    "message_reaction_event",
    "message_typing_state",
];
/// The gaps after which an event is posted again, in milliseconds: made short.
const RETRIES: [u64; 5] = [250, 500, 1_000, 2_000, 4_000];

pub(super) struct CallbackServer {
    id: i64,
    url: String,
    title: String,
    secret: String,
    status: &'static str,
    kinds: BTreeSet<String>,
}

impl Vk {
    /// Methods about hearing.
    pub(super) fn listening(
        &mut self,
        method: &str,
        parameters: &Parameters,
        outside: &mut Outside,
    ) -> MethodResult {
        match method {
            "groups.getCallbackConfirmationCode" => Ok(json!({ "code": CODE })),
            "groups.getCallbackServers" => {
                let server = |it: &CallbackServer| {
                    json!({
                        "id": it.id, "title": it.title, "creator_id": 1, "url": it.url,
                        "secret_key": it.secret, "status": it.status,
                    })
                };
                let items: Vec<Value> = self.servers.iter().map(server).collect();
                Ok(json!({ "count": items.len(), "items": items }))
            }
            "groups.addCallbackServer" => {
                let (url, title) = (parameters.needed("url")?, parameters.needed("title")?);
                let secret = parameters.word("secret_key").unwrap_or_default();
                if title.chars().count() > 14 {
                    return missing("title");
                }
                if secret.len() > 50 || !secret.chars().all(char::is_alphanumeric) {
                    return missing("secret_key");
                }
                if self.servers.len() >= MOST_SERVERS {
                    return refused(2000, "Servers number limit is reached");
                }
                let (url, title, secret) = (url.to_owned(), title.to_owned(), secret.to_owned());
                let id = self.next();
                let server =
                    CallbackServer { id, url, title, secret, status: "wait", kinds: BTreeSet::new() };
                let confirmation =
                    json!({ "type": "confirmation", "group_id": GROUP, "secret": server.secret });
                let confirmation = Post::json("vk", ACCOUNT, server.url.as_str(), &confirmation);
                self.servers.push(server);
                outside.post(Post { wants_body: Some(CODE), retries: Vec::new(), ..confirmation });
                Ok(json!({ "server_id": id }))
            }
            "groups.deleteCallbackServer" => {
                let id = parameters.number("server_id")?;
                let before = self.servers.len();
                self.servers.retain(|server| server.id != id);
                if self.servers.len() == before { missing("server_id") } else { Ok(json!(1)) }
            }
            "groups.setCallbackSettings" => {
                let id = parameters.number("server_id")?;
                let server = self.servers.iter_mut().find(|server| server.id == id);
                let Some(server) = server else { return missing("server_id") };
                if parameters.needed("api_version")? != VERSION {
                    return missing("api_version");
                }
                for (name, value) in parameters.0.iter().filter(|(name, _)| KINDS.contains(&name.as_str())) {
                    if value == "1" {
                        server.kinds.insert(name.clone());
                    } else {
                        server.kinds.remove(name);
                    }
                }
                Ok(json!(1))
            }
            "groups.getCallbackSettings" => {
                let id = parameters.number("server_id")?;
                let server = self.servers.iter().find(|server| server.id == id);
                let Some(server) = server else { return missing("server_id") };
                let is_on = |kind: &str| (kind.to_owned(), json!(i32::from(server.kinds.contains(kind))));
                let events: Map<String, Value> = KINDS.into_iter().map(is_on).collect();
                Ok(json!({ "api_version": VERSION, "events": events }))
            }
            "groups.setLongPollSettings" => {
                self.is_logged = parameters.flag("enabled");
                Ok(json!(1))
            }
            "groups.getLongPollServer" if self.is_logged => {
                let (server, key) = (format!("{}/longpoll/{GROUP}", outside.base), self.key());
                Ok(json!({ "server": server, "key": key, "ts": self.log_end().to_string() }))
            }
            "groups.getLongPollServer" => refused(100, "longpoll for this group is not enabled"),
            _ => refused(3, "Unknown method passed"),
        }
    }

    fn key(&self) -> String {
        format!("longpollkey{}", self.log_key)
    }

    /// Where the log ends.
    fn log_end(&self) -> u64 {
        self.log_start + self.log.len() as u64
    }

    /// A call that waits for the log to go on.
    pub(super) fn listen(&mut self, request: &Request) -> Reply {
        let query = request.query();
        let field = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
        let end = self.log_end();
        if field("act") != "a_check" || field("key") != self.key() {
            return Reply::json(200, &json!({ "failed": 2 }));
        }
        let Some(ts) = field("ts").parse::<u64>().ok().filter(|ts| *ts <= end) else {
            // A place that was never there.
            self.log_key += 1;
            return Reply::json(200, &json!({ "failed": 3 }));
        };
        if ts < self.log_start {
            return Reply::json(200, &json!({ "failed": 1, "ts": end.to_string() }));
        }
        let skipped = usize::try_from(ts - self.log_start).unwrap_or(usize::MAX);
        let updates: Vec<&Value> = self.log.iter().skip(skipped).collect();
        let wait = field("wait").parse().unwrap_or(25).min(90);
        let reply = Reply::json(200, &json!({ "ts": end.to_string(), "updates": updates }));
        if updates.is_empty() { reply.waiting(Duration::from_secs(wait)) } else { reply }
    }

    /// What the log has is gone, as it is after a while.
    pub(super) fn forget_log(&mut self) {
        self.log_start = self.log_end();
        self.log.clear();
    }

    /// Something happened in the community.
    pub(super) fn tell(&mut self, kind: &str, object: &Value, forged: bool, outside: &mut Outside) {
        let event = format!("{:040x}", self.next());
        let update = json!({
            "type": kind, "group_id": GROUP, "event_id": event, "v": VERSION, "object": object,
        });
        if self.is_logged && !forged {
            self.log.push_back(update.clone());
            if self.log.len() > LONGEST_LOG {
                self.log.pop_front();
                self.log_start += 1;
            }
        }
        for server in &self.servers {
            if server.status != "ok" || !server.kinds.iter().any(|known| known == kind) {
                continue;
            }
            let mut body = update.clone();
            body["secret"] = if forged { "guessed".into() } else { server.secret.clone().into() };
            let post = Post::json("vk", ACCOUNT, server.url.as_str(), &body);
            let (wants_body, counts_tries) = (Some("ok"), Some("X-Retry-Counter"));
            // What is refused as forged is not sent again by a stranger.
            let retries = if forged { Vec::new() } else { RETRIES.to_vec() };
            outside.post(Post { wants_body, retries, counts_tries, ..post });
        }
    }

    /// What an address answered: the word that it has to know, or `remove`, by which it goes.
    pub(super) fn was_posted(&mut self, post: &Post, answer: Option<&PostAnswer>) {
        let body = answer.map(|answer| answer.body.trim()).unwrap_or_default();
        if post.wants_body == Some(CODE) {
            let is_known = body == CODE && answer.is_some_and(|answer| answer.status == 200);
            for server in self.servers.iter_mut().filter(|server| server.url == post.url) {
                server.status = if is_known { "ok" } else { "failed" };
            }
        } else if body == "remove" {
            self.servers.retain(|server| server.url != post.url);
        }
    }
}
