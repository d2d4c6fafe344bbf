//! Updates of the pretend MAX: posted to those that subscribed, or kept for a poll.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{ACCOUNT, CHANNEL, GAPS, MOST_UPDATES, MaxFake, Subscription, bad, refused};
use crate::channels::fake::{Outside, Post};
use crate::channels::request::Reply;

/// Every kind that can be subscribed to.
const KINDS: [&str; 22] = [
    "message_created",
    "message_callback",
    "message_edited",
    "message_removed",
    "bot_started",
    "bot_stopped",
    "bot_added",
    "bot_removed",
    "user_added",
    "user_removed",
    "chat_title_changed",
    "bot_admin_permissions_changed",
    "dialog_muted",
    "dialog_unmuted",
    "dialog_cleared",
    "dialog_removed",
    "comment_created",
    "comment_edited",
    "comment_removed",
    "message_chat_created",
    "message_construction_request",
    "message_constructed",
];

impl MaxFake {
    /// Something happened.
    pub(super) fn tell(&mut self, update: &Value, is_forged: bool, outside: &mut Outside) {
        if self.subscriptions.is_empty() {
            if self.updates.len() >= MOST_UPDATES {
                self.updates.pop_front();
            }
            self.last_update += 1;
            self.updates.push_back((self.last_update, update.clone()));
            return;
        }
        let kind = update["update_type"].as_str().unwrap_or_default();
        for one in &self.subscriptions {
            if one.types.as_ref().is_some_and(|types| !types.iter().any(|known| known == kind)) {
                continue;
            }
            let secret = if is_forged { "forged" } else { &one.secret };
            let mut post = Post::json(CHANNEL, ACCOUNT, &one.url, update);
            post.retries = GAPS.to_vec();
            if !secret.is_empty() {
                post = post.header("X-Max-Bot-Api-Secret", secret);
            }
            outside.post(post);
        }
    }

    pub(super) fn list_subscriptions(&self) -> Value {
        let all: Vec<Value> = self
            .subscriptions
            .iter()
            .map(|one| json!({"url": one.url, "time": one.since, "update_types": one.types, "version": "0.0.33"}))
            .collect();
        json!({"subscriptions": all})
    }

    pub(super) fn subscribe(&mut self, body: &Value, outside: &Outside) -> Result<Value, Reply> {
        let url = body["url"].as_str().unwrap_or_default();
        // The real one takes port 443 alone; here addresses of this machine stand for that.
        let is_local = url.starts_with("http://127.0.0.1") || url.starts_with("http://localhost");
        let host = url.strip_prefix("https://").map(|rest| rest.split('/').next().unwrap_or_default());
        let is_secure =
            host.is_some_and(|host| !host.is_empty() && (!host.contains(':') || host.ends_with(":443")));
        if !is_local && !is_secure {
            return Err(bad("url must be https, on port 443"));
        }
        let secret = body["secret"].as_str().unwrap_or_default();
        let is_of_secret = |one: char| one.is_ascii_alphanumeric() || one == '-' || one == '_';
        if !body["secret"].is_null()
            && (!(5..=256).contains(&secret.len()) || !secret.chars().all(is_of_secret))
        {
            return Err(bad("wrong secret"));
        }
        let types: Option<Vec<String>> = body["update_types"]
            .as_array()
            .map(|all| all.iter().filter_map(Value::as_str).map(str::to_owned).collect());
        if types.iter().flatten().any(|kind| !KINDS.contains(&kind.as_str())) {
            return Err(bad("unknown update type"));
        }
        self.subscriptions.retain(|one| one.url != url);
        self.subscriptions.push(Subscription {
            url: url.to_owned(),
            secret: secret.to_owned(),
            types,
            since: outside.millis(),
        });
        Ok(json!({"success": true}))
    }

    pub(super) fn unsubscribe(&mut self, query: &BTreeMap<String, String>) -> Result<Value, Reply> {
        let url = query.get("url").ok_or_else(|| bad("url is missing"))?;
        let before = self.subscriptions.len();
        self.subscriptions.retain(|one| one.url != *url);
        let is_removed = self.subscriptions.len() < before;
        Ok(if is_removed {
            json!({"success": true})
        } else {
            json!({"success": false, "message": "no such subscription"})
        })
    }

    pub(super) fn poll(&mut self, query: &BTreeMap<String, String>) -> Result<Value, Reply> {
        if !self.subscriptions.is_empty() {
            return Err(refused(400, "proto.payload", "there is a subscription: updates are posted"));
        }
        let number = |name: &str, usual: i64| query.get(name).map_or(Ok(usual), |text| text.parse::<i64>());
        let (Ok(limit), Ok(timeout)) = (number("limit", 100), number("timeout", 30)) else {
            return Err(bad("limit and timeout are numbers"));
        };
        if !(1..=1_000).contains(&limit) || !(0..=90).contains(&timeout) {
            return Err(bad("limit is from 1 to 1000, timeout from 0 to 90"));
        }
        if let Some(marker) = query.get("marker") {
            let marker: i64 = marker.parse().map_err(|_| bad("marker is no number"))?;
            while self.updates.front().is_some_and(|(number, _)| *number <= marker) {
                self.updates.pop_front();
            }
        }
        let types: Option<Vec<&str>> = query.get("types").map(|types| types.split(',').collect());
        let is_wanted = |update: &Value| {
            let kind = update["update_type"].as_str().unwrap_or_default();
            types.as_ref().is_none_or(|types| types.contains(&kind))
        };
        let limit = usize::try_from(limit).unwrap_or_default();
        let page: Vec<&(i64, Value)> = self.updates.iter().take(limit).collect();
        let marker = page.last().map(|(number, _)| *number);
        let updates: Vec<&Value> =
            page.iter().map(|(_, update)| update).filter(|update| is_wanted(update)).collect();
        Ok(json!({"updates": updates, "marker": marker}))
    }
}
