//! The state of a sign-in, as the API answers it.

use anyhow::Context;
use serde_json::Value;

/// One state of a sign-in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stage {
    /// The state's word, such as `code_wanted`.
    pub(super) word: String,
    /// The whole answer.
    pub(super) response: Value,
}

impl Stage {
    pub(super) fn read(response: Value) -> anyhow::Result<Self> {
        let word = response["state"].as_str().context("the answer has no state")?.to_owned();
        Ok(Self { word, response })
    }

    /// Whether it waits for input.
    pub(super) fn wants_something(&self) -> bool {
        ["code_wanted", "password_wanted", "terms_wanted", "qr_shown"].contains(&self.word.as_str())
    }

    /// Whether the other state wants the same thing once more, sent the same way. A new code is not the same.
    pub(super) fn asks_the_same(&self, other: &Self) -> bool {
        let is_new = other.response["moved"] == true && other.response["wrong"] == 0;
        self.word == other.word && self.response["sent_by"] == other.response["sent_by"] && !is_new
    }

    /// A field that is text, or nothing.
    pub(super) fn text(&self, field: &str) -> &str {
        self.response[field].as_str().unwrap_or_default()
    }

    /// What happened and what to do now.
    pub(super) fn message(&self) -> String {
        let words = [self.text("detail"), self.text("advice")];
        words.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// Who has signed in, as people call it.
    pub(super) fn person(&self) -> String {
        let user = &self.response["user"];
        match (user["username"].as_str(), user["display_name"].as_str()) {
            (Some(username), _) => format!("@{username}"),
            (None, Some(name)) if !name.is_empty() => name.to_owned(),
            _ => user["user_id"].to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_new_code_is_reported_and_a_wrong_one_only_once() {
        let stage = |moved: bool, wrong: u32| {
            let response =
                json!({ "state": "code_wanted", "sent_by": "app", "moved": moved, "wrong": wrong });
            Stage::read(response).expect("reads")
        };
        assert!(stage(false, 0).asks_the_same(&stage(false, 1)));
        assert!(!stage(false, 0).asks_the_same(&stage(true, 0)));
        assert!(stage(true, 0).asks_the_same(&stage(true, 1)));
    }

    #[test]
    fn a_person_is_called_by_what_is_known() {
        let person =
            |user: Value| Stage::read(json!({ "state": "done", "user": user })).expect("reads").person();
        assert_eq!(person(json!({ "user_id": 7, "username": "demo_main" })), "@demo_main");
        assert_eq!(person(json!({ "user_id": 7, "username": null, "display_name": "Anna" })), "Anna");
        assert_eq!(person(json!({ "user_id": 7, "display_name": "" })), "7");
        assert!(Stage::read(json!({ "code": "x" })).is_err());
    }
}
