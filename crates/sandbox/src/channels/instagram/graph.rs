//! The calls of the Graph API that the pretend Instagram answers.

use std::time::Duration;

use domain::Timestamp;
use md5::{Digest as _, Md5};
use serde_json::{Value, json};

use super::super::fake::{ChannelEffect, CustomerDeed, Outside, ProviderFile};
use super::super::request::{Reply, Request};
use super::{ACCOUNT, APP_SCOPED_ID, CHANNEL, FIELDS, Instagram, Message, USER_ID, USERNAME};

const MEGABYTE: usize = 1024 * 1024;
/// A token cannot be renewed before.
const OLD_ENOUGH: Duration = Duration::from_hours(24);
const WINDOW: Duration = Duration::from_hours(24);
const WINDOW_OF_PEOPLE: Duration = Duration::from_hours(7 * 24);
/// How many messages of a conversation show their content.
const SHOWN: usize = 20;
/// The versions of the API that are in use.
const VERSIONS: std::ops::RangeInclusive<u32> = 20..=26;

pub(super) fn error(status: u16, (code, subcode): (i64, i64), message: &str) -> Reply {
    let kind = if code == 190 { "OAuthException" } else { "IGApiException" };
    let mut error = json!({"message": message, "type": kind, "code": code, "fbtrace_id": "Aplanted"});
    if subcode != 0 {
        error["error_subcode"] = json!(subcode);
    }
    Reply::json(status, &json!({"error": error}))
}

pub(super) fn wrong(message: &str) -> Reply {
    error(400, (100, 0), message)
}

impl Instagram {
    pub(super) fn called(&mut self, request: &Request, outside: &mut Outside) -> Reply {
        let mut path = request.path.trim_matches('/');
        if let Some((version, rest)) = path.split_once('/').filter(|(first, _)| first.starts_with('v')) {
            let major = version[1..].split('.').next().and_then(|major| major.parse().ok());
            if !major.is_some_and(|major| VERSIONS.contains(&major)) {
                return error(400, (2_635, 0), "You are calling a deprecated version of the Ads API.");
            }
            path = rest;
        }
        let query = request.query();
        match (request.method.as_str(), path) {
            ("GET", "oauth/authorize") => return self.authorize(&query, outside),
            ("POST", "oauth/access_token") => return self.exchange(&request.form(), outside),
            ("GET", "access_token") => return self.lengthen(&query, outside),
            _ => {}
        }
        let given = request.bearer().or_else(|| query.get("access_token").map(String::as_str));
        self.recall_token(given.unwrap_or_default());
        let Some(token) = self.tokens.iter().find(|token| Some(token.text.as_str()) == given) else {
            return error(401, (190, 0), "Invalid OAuth access token - Cannot parse access token");
        };
        if token.has_ended || token.made.is_some_and(|made| outside.now.since(made) > token.lives) {
            return error(400, (190, 463), "Error validating access token: Session has expired");
        }
        let method = request.method.as_str();
        if let Some(reply) = self.posts.called(method, path, request, outside) {
            return reply;
        }
        match (method, path) {
            ("GET", "refresh_access_token") => {
                let made = token.made;
                self.refresh(made, query.get("grant_type").map(String::as_str), outside)
            }
            ("GET", "me") => Reply::json(
                200,
                &json!({"id": APP_SCOPED_ID, "user_id": USER_ID, "username": USERNAME, "name": "Demo studio"}),
            ),
            ("GET", "me/subscribed_apps") => {
                Reply::json(200, &json!({"data": [{"id": "1", "subscribed_fields": self.subscribed}]}))
            }
            ("POST", "me/subscribed_apps") => {
                let fields = query.get("subscribed_fields").cloned().unwrap_or_default();
                let fields: Vec<String> = fields.split(',').map(str::to_owned).collect();
                if let Some(unknown) = fields.iter().find(|field| !FIELDS.contains(&field.as_str())) {
                    return wrong(&format!(
                        "Param subscribed_fields must be one of the known ones - got \"{unknown}\"."
                    ));
                }
                self.subscribed = fields;
                Reply::json(200, &json!({"success": true}))
            }
            ("DELETE", "me/subscribed_apps") => {
                self.subscribed.clear();
                Reply::json(200, &json!({"success": true}))
            }
            ("POST", "me/messages") => self.send(request, outside).unwrap_or_else(|refused| refused),
            ("POST", path) if path == format!("{USER_ID}/messages") => {
                self.send(request, outside).unwrap_or_else(|refused| refused)
            }
            ("GET", "me/conversations") => self.conversations(query.get("user_id").map(String::as_str)),
            ("GET", id) => self.object(id, outside),
            _ => error(400, (100, 33), "Unsupported request. The object does not exist."),
        }
    }

    fn refresh(&mut self, made: Option<Timestamp>, grant: Option<&str>, outside: &Outside) -> Reply {
        if grant != Some("ig_refresh_token") {
            return wrong("Invalid grant_type");
        }
        if made.is_some_and(|made| outside.now.since(made) < OLD_ENOUGH) {
            return wrong("The access token must be at least 24 hours old");
        }
        self.long_token(outside)
    }

    fn send(&mut self, request: &Request, outside: &mut Outside) -> Result<Reply, Reply> {
        let body = request.json();
        let user =
            body["recipient"]["id"].as_str().ok_or_else(|| wrong("The parameter recipient is required"))?;
        let chat = self.chats.get(user).filter(|chat| !chat.has_blocked);
        let chat = chat.ok_or_else(|| error(400, (100, 2_534_014), "The requested user cannot be found."))?;
        if let Some(action) = body["sender_action"].as_str() {
            if !["typing_on", "typing_off", "mark_seen", "react", "unreact"].contains(&action) {
                return Err(wrong("Param sender_action must be one of the known ones"));
            }
            outside.record(ChannelEffect { method: action.to_owned(), ..effect(user) });
            return Ok(Reply::json(200, &json!({"recipient_id": user})));
        }
        let is_of_person = body["messaging_type"] == "MESSAGE_TAG" && body["tag"] == "HUMAN_AGENT";
        let window = if is_of_person { WINDOW_OF_PEOPLE } else { WINDOW };
        if chat.wrote.is_none_or(|wrote| outside.now.since(wrote) > window) {
            let message = "This message is sent outside of allowed window.";
            return Err(error(403, (10, 2_534_022), message));
        }
        let message = &body["message"];
        let attachment = &message["attachment"];
        let text = message["text"].as_str().unwrap_or_default();
        let (method, file) = match (text.is_empty(), attachment.is_object()) {
            (false, false) if text.len() > 1_000 => {
                return Err(wrong("Length of param message[text] must be less than or equal to 1000"));
            }
            (false, false) if message["quick_replies"].is_null() => ("send_text", None),
            (false, false) if are_quick_replies(&message["quick_replies"]) => ("send_quick_replies", None),
            (false, false) => return Err(wrong("Param message[quick_replies] is invalid")),
            (true, true) => ("send_attachment", Some(taken(attachment, request.fetched.as_ref())?)),
            (true, false) => return Err(wrong("The parameter message is empty")),
            (false, true) => return Err(wrong("Param message must have either text or attachment")),
        };
        let kept: Vec<_> =
            file.iter().map(|(kind, file)| ((*kind).to_owned(), outside.keep((*file).clone()))).collect();
        let echo = self.keep(user, true, text, &kept, outside);
        let id = echo["mid"].as_str().unwrap_or_default().to_owned();
        outside.record(ChannelEffect {
            method: method.to_owned(),
            text: text.to_owned(),
            external_id: Some(id.clone()),
            media: file.as_ref().map(|(kind, _)| (*kind).to_owned()),
            md5: file.as_ref().map(|(_, file)| hex::encode(Md5::digest(&file.content))),
            ..effect(user)
        });
        let item = json!({"sender": {"id": USER_ID}, "recipient": {"id": user}, "message": echo});
        self.tell("messages", item, &CustomerDeed::default(), outside);
        Ok(Reply::json(200, &json!({"recipient_id": user, "message_id": id})))
    }

    fn conversations(&self, user: Option<&str>) -> Reply {
        let is_requested = |id: &&String| user.is_none_or(|user| user == id.as_str());
        let known = self.chats.keys().filter(is_requested).filter(|id| !self.chats[*id].messages.is_empty());
        let data: Value = known.map(|id| json!({"id": format!("aWdfconversation{id}")})).collect();
        Reply::json(200, &json!({"data": data}))
    }

    fn object(&self, id: &str, outside: &Outside) -> Reply {
        let none = || error(400, (100, 33), "Unsupported get request. Object does not exist.");
        if let Some(user) = id.strip_prefix("aWdfconversation") {
            let Some(chat) = self.chats.get(user) else { return none() };
            let newest_first = chat.messages.iter().rev().enumerate();
            let data: Value = newest_first.map(|(place, it)| shown(it, user, place < SHOWN)).collect();
            return Reply::json(200, &json!({"id": id, "messages": {"data": data}}));
        }
        let Some(chat) = self.chats.get(id) else { return none() };
        if chat.hides_name {
            return error(400, (230, 0), "User consent is required to access user profile");
        }
        let picture = format!("{}/files/picture", outside.base);
        let profile =
            json!({"id": id, "name": chat.name, "username": format!("user_{id}"), "profile_pic": picture});
        Reply::json(200, &profile)
    }
}

pub(super) fn effect(user: &str) -> ChannelEffect {
    ChannelEffect {
        provider: CHANNEL.to_owned(),
        account: ACCOUNT.to_owned(),
        chat_id: user.to_owned(),
        ..ChannelEffect::default()
    }
}

/// Whether these are answers that a customer can tap.
fn are_quick_replies(all: &Value) -> bool {
    let is_one = |one: &Value| {
        let length = one["title"].as_str().unwrap_or_default().chars().count();
        one["content_type"] == "text" && (1..=20).contains(&length) && one["payload"].is_string()
    };
    all.as_array().is_some_and(|all| (1..=13).contains(&all.len()) && all.iter().all(is_one))
}

/// What is attached, if it can be fetched and is of the type that it is said to be.
fn taken<'a>(
    attachment: &'a Value,
    fetched: Option<&'a ProviderFile>,
) -> Result<(&'a str, &'a ProviderFile), Reply> {
    let kind = attachment["type"].as_str().unwrap_or_default();
    let (mimes, most): (&[&str], usize) = match kind {
        "image" => (&["image/png", "image/jpeg", "image/gif"], 8),
        "audio" => (&["audio/aac", "audio/mp4", "audio/m4a", "audio/x-m4a", "audio/wav", "audio/x-wav"], 25),
        "video" => (&["video/mp4", "video/ogg", "video/avi", "video/quicktime", "video/webm"], 25),
        "file" => (&["application/pdf"], 25),
        _ => return Err(wrong("Param message[attachment][type] must be one of image, video, audio, file")),
    };
    let file =
        fetched.ok_or_else(|| error(400, (100, 2_018_008), "Failed to fetch the file from the url."))?;
    if !mimes.contains(&file.mime.as_str()) || file.content.len() > most * MEGABYTE {
        return Err(wrong("The attachment is of a type or size that is not supported"));
    }
    Ok((kind, file))
}

fn shown(message: &Message, user: &str, with_content: bool) -> Value {
    let second = jiff::Timestamp::from_second(message.at.as_seconds()).unwrap_or_default();
    let at = second.strftime("%Y-%m-%dT%H:%M:%S+0000").to_string();
    if !with_content {
        return json!({"id": message.id, "created_time": at});
    }
    let from = if message.is_own { USER_ID } else { user };
    let mut object =
        json!({"id": message.id, "created_time": at, "from": {"id": from}, "message": message.text});
    if let Some((kind, url)) = &message.file {
        object["attachments"] = json!({"data": [{"id": "1", (format!("{kind}_data")): {"url": url}}]});
    }
    object
}
