//! What a call of `/create_chat` asks for. Pure.

use domain::ChatRef;
use domain::missing::{self, MISSING};
use domain::saga::{ObserverRule, Task};
use serde_json::Value;

use super::fields::Fields;

/// The most people of one call.
const MOST_PEOPLE: usize = 200;
/// So much of a title is kept by Telegram, in characters.
const LONGEST_TITLE: usize = 128;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CreateChatRequest {
    /// The title as the caller wrote it; the answer repeats it.
    pub(super) title: String,
    /// Whom to invite, in the caller's order.
    pub(super) people: Vec<Named>,
    pub(super) client_tg_id: Option<String>,
}

/// Someone as the caller wrote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    /// As written, a name with its `@`.
    pub(super) given: String,
    /// Who that could be; no one, if no account can have such a name.
    pub(super) who: Option<ChatRef>,
}

/// Why there is nothing that could be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Wrong {
    #[error("title is required")]
    NoTitle,
    #[error("title {MISSING}; no chat was made")]
    UnsetTitle,
    #[error("usernames (array) is required")]
    NoUsernames,
    #[error("usernames {MISSING}; no chat was made")]
    UnsetName,
    #[error("usernames may name {MOST_PEOPLE} people at most")]
    TooMany,
}

impl CreateChatRequest {
    pub(super) fn read(fields: &Fields) -> Result<Self, Wrong> {
        if !fields.has("title") || !fields.is_plain("title") {
            return Err(Wrong::NoTitle);
        }
        let title = fields.text("title");
        if missing::is_in_title(&title) {
            return Err(Wrong::UnsetTitle);
        }
        let Some(Value::Array(names)) = fields.value("usernames") else { return Err(Wrong::NoUsernames) };
        let mut written =
            names.iter().filter_map(Value::as_str).map(|name| name.trim().trim_start_matches('@'));
        if written.any(|name| !name.is_empty() && missing::is_missing(name)) {
            return Err(Wrong::UnsetName);
        }
        let people: Vec<Named> = names.iter().filter_map(Named::read).collect();
        if people.is_empty() {
            return Err(Wrong::NoUsernames);
        }
        if people.len() > MOST_PEOPLE {
            return Err(Wrong::TooMany);
        }
        let client = fields.text("client_tg_id").trim().to_owned();
        let is_there = fields.has("client_tg_id") && !fields.is_unset("client_tg_id");
        Ok(Self { title, people, client_tg_id: Some(client).filter(|_| is_there) })
    }

    /// What is to be done; nothing, when no one of these people can exist. The callback is sent if `calls_back`.
    pub(super) fn task(&self, calls_back: bool) -> Option<Task> {
        let members: Vec<ChatRef> = self.people.iter().filter_map(|named| named.who.clone()).collect();
        if members.is_empty() {
            return None;
        }
        let kept: String = self.title.trim().chars().take(LONGEST_TITLE).collect();
        Some(Task::CreateChat {
            title: kept.trim_end().to_owned(),
            about: String::new(),
            members,
            admins: Vec::new(),
            observer: ObserverRule::ByBackups,
            needs_a_member: true,
            client_tg_id: self.client_tg_id.clone().filter(|_| calls_back),
        })
    }

    pub(super) fn given(&self, who: &ChatRef) -> String {
        let named = self.people.iter().find(|named| named.who.as_ref() == Some(who));
        named.map_or_else(|| who.to_string(), |named| named.given.clone())
    }
}

impl Named {
    /// Reads one of the array; nothing where it names no one at all.
    fn read(value: &Value) -> Option<Self> {
        let (text, who) = match value {
            Value::Null => return None,
            Value::String(text) => (text.trim().to_owned(), text.parse().ok().filter(is_of_telegram)),
            Value::Number(number) => (number.to_string(), number.to_string().parse().ok()),
            // Named all the same, so that the answer can say that this is no one.
            other => (other.to_string(), None),
        };
        if text.trim_start_matches('@').is_empty() {
            return None;
        }
        let given = match who {
            Some(ChatRef::Username(_)) => format!("@{}", text.trim_start_matches('@')),
            _ => text.chars().take(64).collect(),
        };
        Some(Self { given, who })
    }
}

const fn is_of_telegram(chat: &ChatRef) -> bool {
    !matches!(chat, ChatRef::Channel(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(json: &str) -> Result<CreateChatRequest, Wrong> {
        CreateChatRequest::read(&Fields::read(json.as_bytes()))
    }

    #[test]
    fn the_title_is_missed_before_the_names() {
        for (body, wrong) in [
            ("{}", Wrong::NoTitle),
            ("no JSON", Wrong::NoTitle),
            (r#"{"title":"  ","usernames":["@a1"]}"#, Wrong::NoTitle),
            (r#"{"title":null}"#, Wrong::NoTitle),
            (r#"{"usernames":["@a1"]}"#, Wrong::NoTitle),
            (r#"{"title":"undefined","usernames":["@a1"]}"#, Wrong::UnsetTitle),
            (r#"{"title":"Order undefined","usernames":["@a1"]}"#, Wrong::UnsetTitle),
            (r#"{"title":"[object Object]","usernames":["@a1"]}"#, Wrong::UnsetTitle),
            (r#"{"title":"x","usernames":["@a1","undefined"]}"#, Wrong::UnsetName),
            (r#"{"title":"x","usernames":["@null"]}"#, Wrong::UnsetName),
            (r#"{"title":"x","usernames":["[object Object]"]}"#, Wrong::UnsetName),
            (r#"{"title":"x"}"#, Wrong::NoUsernames),
            (r#"{"title":"x","usernames":[]}"#, Wrong::NoUsernames),
            (r#"{"title":"x","usernames":"@a1"}"#, Wrong::NoUsernames),
            (r#"{"title":"x","usernames":{"0":"@a1"}}"#, Wrong::NoUsernames),
            (r#"{"title":"x","usernames":["", null, "@"]}"#, Wrong::NoUsernames),
        ] {
            assert_eq!(read(body), Err(wrong), "{body}");
        }
        assert_eq!(Wrong::NoTitle.to_string(), "title is required");
        assert_eq!(Wrong::NoUsernames.to_string(), "usernames (array) is required");
        let many: Vec<String> = (0..=MOST_PEOPLE).map(|number| format!("user_{number}")).collect();
        let body = serde_json::json!({ "title": "x", "usernames": many }).to_string();
        assert_eq!(read(&body), Err(Wrong::TooMany));
    }

    #[test]
    fn names_are_read_with_and_without_an_at_sign() {
        let chat = read(r#"{"title":"x","usernames":["@Demo_A","demo_b",7,"не имя",true]}"#).expect("a chat");
        let given: Vec<&str> = chat.people.iter().map(|named| named.given.as_str()).collect();
        assert_eq!(given, ["@Demo_A", "@demo_b", "7", "не имя", "true"]);
        let task = chat.task(true).expect("a task");
        let Task::CreateChat { members, needs_a_member, observer, .. } = task else { panic!("another task") };
        let members: Vec<String> = members.iter().map(ToString::to_string).collect();
        assert_eq!(members, ["@demo_a", "@demo_b", "7"]);
        assert!(needs_a_member && observer == ObserverRule::ByBackups);
        assert_eq!(chat.given(&"@demo_a".parse().expect("a name")), "@Demo_A");
        assert_eq!(read(r#"{"title":"x","usernames":["не имя"]}"#).expect("a chat").task(true), None);
    }

    #[test]
    fn the_client_is_passed_on_only_where_a_callback_is_set() {
        for (client, text) in [
            (r#""77""#, Some("77")),
            ("77", Some("77")),
            ("77.0", Some("77")),
            ("null", None),
            (r#""""#, None),
            ("0", None),
            (r#""undefined""#, None),
            (r#"" null ""#, None),
        ] {
            let body = format!(r#"{{"title":"x","usernames":["@a1"],"client_tg_id":{client}}}"#);
            let chat = read(&body).expect("a chat");
            assert_eq!(chat.client_tg_id.as_deref(), text, "{client}");
            for calls_back in [true, false] {
                let Some(Task::CreateChat { client_tg_id, .. }) = chat.task(calls_back) else {
                    panic!("no task")
                };
                assert_eq!(client_tg_id.as_deref(), text.filter(|_| calls_back), "{client}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_title_is_shortened_for_telegram_and_answered_in_full(title in "[^\"\\\\\\p{C}]{1,300}") {
            let body = serde_json::json!({ "title": title, "usernames": ["@a1"] }).to_string();
            match read(&body) {
                Err(Wrong::UnsetTitle) => prop_assert!(missing::is_in_title(&title)),
                Err(wrong) => prop_assert!(wrong == Wrong::NoTitle && title.trim().is_empty()),
                Ok(chat) => {
                    prop_assert_eq!(&chat.title, &title);
                    let Some(Task::CreateChat { title: kept, .. }) = chat.task(false) else {
                        panic!("no task")
                    };
                    prop_assert!((1..=LONGEST_TITLE).contains(&kept.chars().count()));
                    prop_assert!(title.trim().starts_with(&kept) && kept.trim() == kept);
                }
            }
        }

        #[test]
        fn every_named_person_is_included(names in prop::collection::vec(".{0,40}", 0..20)) {
            let body = serde_json::json!({ "title": "x", "usernames": names }).to_string();
            prop_assume!(read(&body) != Err(Wrong::UnsetName));
            let named = names.iter().filter(|name| !name.trim().trim_start_matches('@').is_empty()).count();
            prop_assert_eq!(read(&body).map_or(0, |chat| chat.people.len()), named);
        }
    }
}
