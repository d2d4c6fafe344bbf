//! What a call of `/leave_chat` asks for. Pure.

use domain::saga::Task;
use domain::{ChatId, ChatRef};

use super::fields::Fields;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LeaveChatRequest {
    /// The chat as the caller wrote it.
    pub(super) given: String,
    /// The chat, if what the caller wrote can name one.
    pub(super) chat: Option<ChatRef>,
}

impl LeaveChatRequest {
    /// Reads the fields; nothing without a chat.
    pub(super) fn read(fields: &Fields) -> Option<Self> {
        if !fields.has("chat") {
            return None;
        }
        let given = fields.text("chat").trim().to_owned();
        let chat = if !fields.is_plain("chat") {
            None
        } else if is_bare(&given) {
            given.parse().ok().and_then(ChatId::channel).map(ChatRef::Id)
        } else {
            given.parse().ok()
        };
        Some(Self { given: given.chars().take(100).collect(), chat })
    }

    /// What is to be done; nothing, when what was written names no chat.
    pub(super) fn task(&self, remove_members: bool, keep_own: bool) -> Option<Task> {
        let chat = self.chat.clone()?;
        Some(Task::LeaveChat { chat, remove_members, missing_is_left: true, keep_own })
    }
}

/// Digits alone are the bare id of a supergroup or channel.
fn is_bare(given: &str) -> bool {
    !given.is_empty() && given.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(json: &str) -> Option<LeaveChatRequest> {
        LeaveChatRequest::read(&Fields::read(json.as_bytes()))
    }

    #[test]
    fn ids_are_read_with_and_without_their_mark() {
        for (chat, meant) in [
            (r#""-1001234567890""#, Some("-1001234567890")),
            ("-1001234567890", Some("-1001234567890")),
            ("-1001234567890.0", Some("-1001234567890")),
            (r#""1234567890""#, Some("-1001234567890")),
            ("1234567890", Some("-1001234567890")),
            (r#"" 1234567890 ""#, Some("-1001234567890")),
            ("7", Some("-1000000000007")),
            (r#""-123""#, Some("-123")),
            ("-123", Some("-123")),
            (r#""@Demo""#, Some("@demo")),
            (r#""demo""#, Some("@demo")),
            (r#""no chat""#, None),
            (r#""99999999999999999999999""#, None),
            ("true", None),
            (r#"["demo"]"#, None),
        ] {
            let request = read(&format!(r#"{{"chat":{chat}}}"#)).expect(chat);
            assert_eq!(request.chat, meant.map(|meant| meant.parse().expect("a chat")), "{chat}");
        }
    }

    #[test]
    fn a_chat_is_needed() {
        for body in ["", "{}", "chat=1", r#"{"chat":""}"#, r#"{"chat":null}"#, r#"{"chat":0}"#, "[1]"] {
            assert_eq!(read(body), None, "{body}");
        }
    }

    proptest! {
        #[test]
        fn a_bare_id_means_the_same_as_text_and_as_number(bare in 1_i64..=997_852_516_352) {
            let marked = format!("-100{bare:010}");
            let expected = ChatId::channel(bare).map(ChatRef::Id);
            for chat in [bare.to_string(), format!("\"{bare}\"")] {
                let request = read(&format!(r#"{{"chat":{chat}}}"#)).expect("a chat");
                prop_assert_eq!(&request.chat, &expected);
            }
            if bare <= 9_999_999_999 {
                let request = read(&format!(r#"{{"chat":{marked}}}"#)).expect("a chat");
                prop_assert_eq!(request.chat, expected);
            }
        }

        #[test]
        fn any_text_is_read(text in ".{0,200}") {
            let body = serde_json::json!({ "chat": text }).to_string();
            let named = read(&body).is_some();
            prop_assert_eq!(named, !text.trim().is_empty());
        }
    }
}
