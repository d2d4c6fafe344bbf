//! The posts of the pretend account, what is said below them, and the questions that a new chat offers.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::graph::{effect, error, wrong};
use super::{USER_ID, USERNAME};
use crate::channels::fake::{ChannelEffect, Outside};
use crate::channels::request::{Reply, Request};

/// The posts that are there, and the comment below the first of them.
const POSTS: [&str; 2] = ["17900000000000001", "17900000000000002"];
const COMMENT: &str = "17910000000000001";
/// The longest answer to a comment, the longest question, and how many there may be.
const LONGEST_REPLY: usize = 2_200;
const LONGEST_QUESTION: usize = 80;
const MOST_QUESTIONS: usize = 4;
const MOST_ON_A_PAGE: usize = 100;

pub(super) struct Posts {
    comments: BTreeMap<String, Comment>,
    ice_breakers: Value,
    made: u64,
}

struct Comment {
    text: String,
    username: String,
    is_hidden: bool,
    /// The comment that it answers.
    parent: Option<String>,
}

impl Posts {
    pub(super) fn planted() -> Self {
        let (text, username) = ("How much is it?".to_owned(), "user_5550001".to_owned());
        let comment = Comment { text, username, is_hidden: false, parent: None };
        let comments = BTreeMap::from([(COMMENT.to_owned(), comment)]);
        Self { comments, ice_breakers: Value::Null, made: 0 }
    }

    /// The answer to a call about these, if it is one.
    pub(super) fn called(
        &mut self,
        method: &str,
        path: &str,
        request: &Request,
        outside: &mut Outside,
    ) -> Option<Reply> {
        let result = match (method, path.split('/').collect::<Vec<_>>().as_slice()) {
            (_, ["me", "messenger_profile"]) => self.profile(method, request, outside),
            ("GET", ["me", "media"]) => {
                let shown = |id: &&str| {
                    let url = format!("{}/files/picture", outside.base);
                    json!({"id": id, "caption": "New in", "media_type": "IMAGE", "media_url": url, "comments_count": 1})
                };
                paged(POSTS.iter().map(shown).collect(), request, outside)
            }
            ("GET", [post, "comments"]) if POSTS.contains(post) => {
                let all = self.comments.iter().filter(|_| *post == POSTS[0]);
                paged(all.map(|(id, comment)| comment.to_json(id)).collect(), request, outside)
            }
            (_, [id, "comments" | "replies"]) if !self.comments.contains_key(*id) => {
                Err(error(400, (100, 33), "Unsupported request. The object does not exist."))
            }
            ("POST", [id, "replies"]) => self.reply(id, &request.json(), outside),
            ("POST", [id]) if self.comments.contains_key(*id) => self.hide(id, &request.json(), outside),
            ("DELETE", [id]) if self.comments.contains_key(*id) => {
                self.comments.retain(|known, comment| known != id && comment.parent.as_deref() != Some(*id));
                Ok(recorded("delete_comment", id, "", outside))
            }
            _ => return None,
        };
        Some(result.map_or_else(|refused| refused, |response| Reply::json(200, &response)))
    }

    fn profile(&mut self, method: &str, request: &Request, outside: &mut Outside) -> Result<Value, Reply> {
        let body = request.json();
        match method {
            "GET" if request.query().get("fields").is_some_and(|fields| fields == "ice_breakers") => {
                Ok(json!({"data": self.ice_breakers.as_array().cloned().unwrap_or_default()}))
            }
            "POST" if body["platform"] == "instagram" && are_questions(&body["ice_breakers"]) => {
                self.ice_breakers = body["ice_breakers"].clone();
                Ok(recorded("set_ice_breakers", "", "", outside))
            }
            "DELETE" if body["fields"] == json!(["ice_breakers"]) => {
                self.ice_breakers = Value::Null;
                Ok(recorded("delete_ice_breakers", "", "", outside))
            }
            _ => Err(wrong("Invalid parameter: ice_breakers")),
        }
    }

    fn reply(&mut self, id: &str, body: &Value, outside: &mut Outside) -> Result<Value, Reply> {
        let text = body["message"].as_str().unwrap_or_default();
        if text.trim().is_empty() || text.chars().count() > LONGEST_REPLY {
            return Err(wrong("The parameter message is required, with at most 2200 characters"));
        }
        self.made += 1;
        let made = format!("1792{:013}", self.made);
        let (username, parent) = (USERNAME.to_owned(), Some(id.to_owned()));
        let comment = Comment { text: text.to_owned(), username, is_hidden: false, parent };
        self.comments.insert(made.clone(), comment);
        recorded("reply_to_comment", id, text, outside);
        Ok(json!({"id": made}))
    }

    fn hide(&mut self, id: &str, body: &Value, outside: &mut Outside) -> Result<Value, Reply> {
        let hide = body["hide"].as_bool().ok_or_else(|| wrong("The parameter hide is required"))?;
        if let Some(comment) = self.comments.get_mut(id) {
            comment.is_hidden = hide;
        }
        Ok(recorded(if hide { "hide_comment" } else { "show_comment" }, id, "", outside))
    }
}

impl Comment {
    fn to_json(&self, id: &str) -> Value {
        let mut object =
            json!({"id": id, "text": self.text, "username": self.username, "hidden": self.is_hidden});
        if let Some(parent) = &self.parent {
            object["parent_id"] = parent.as_str().into();
        }
        object
    }
}

fn recorded(method: &str, chat: &str, text: &str, outside: &mut Outside) -> Value {
    outside.record(ChannelEffect { method: method.to_owned(), text: text.to_owned(), ..effect(chat) });
    json!({"success": true})
}

/// Whether these are questions for each language, not too many and not too long.
fn are_questions(all: &Value) -> bool {
    let is_question = |one: &Value| {
        let length = one["question"].as_str().unwrap_or_default().chars().count();
        (1..=LONGEST_QUESTION).contains(&length) && one["payload"].is_string()
    };
    let is_language = |one: &Value| {
        let questions = one["call_to_actions"].as_array().map(Vec::as_slice).unwrap_or_default();
        (1..=MOST_QUESTIONS).contains(&questions.len()) && questions.iter().all(is_question)
    };
    all.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(is_language))
}

/// A page of a list, whose next page has an address with the token in it.
fn paged(all: Vec<Value>, request: &Request, outside: &Outside) -> Result<Value, Reply> {
    let query = request.query();
    let number = |name: &str, usual: usize| query.get(name).map_or(Some(usual), |text| text.parse().ok());
    let limit = number("limit", 25).filter(|limit| (1..=MOST_ON_A_PAGE).contains(limit));
    let (Some(limit), Some(start)) = (limit, number("after", 0)) else { return Err(wrong("limit or after")) };
    let (total, data) = (all.len(), all.into_iter().skip(start).take(limit).collect::<Vec<_>>());
    let end = start + data.len();
    let mut response = json!({"data": data, "paging": {"cursors": {"after": end.to_string()}}});
    if end < total {
        let token = request.bearer().unwrap_or_default();
        let next = format!("{}/{USER_ID}?after={end}&access_token={token}", outside.base);
        response["paging"]["next"] = next.into();
    }
    Ok(response)
}
