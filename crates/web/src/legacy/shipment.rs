//! What a call of `/send_media` asks for. Pure.

use domain::{ChatId, ChatRef};
use serde_json::Value;

use super::fields::{Fields, NotANumber};

/// Whom files are sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Recipient {
    /// Somebody or some chat that can exist.
    Chat(ChatRef),
    /// A number that is nobody's.
    NoSuchId,
    /// A name that nobody can have.
    NoSuchName,
}

/// Why a call asks for nothing that could be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Wrong {
    #[error("Specify 'user_id' or 'username'")]
    Nobody,
    #[error("user_id must be integer")]
    NotANumber,
    #[error("files must be a non-empty list")]
    NoFiles,
}

/// Who is meant: by number, else by name. It is looked at before the files are.
pub(super) fn recipient(fields: &Fields) -> Result<Recipient, Wrong> {
    match fields.number("user_id") {
        Err(NotANumber) => Err(Wrong::NotANumber),
        Ok(Some(id)) => {
            Ok(ChatId::new(id).map_or(Recipient::NoSuchId, |id| Recipient::Chat(ChatRef::Id(id))))
        }
        Ok(None) if fields.has("username") => {
            let name = fields.text("username").trim().parse();
            Ok(name.map_or(Recipient::NoSuchName, Recipient::Chat))
        }
        Ok(None) => Err(Wrong::Nobody),
    }
}

/// How many files there are.
pub(super) fn files(fields: &Fields) -> Result<usize, Wrong> {
    match fields.value("files") {
        Some(Value::Array(files)) if !files.is_empty() => Ok(files.len()),
        _ => Err(Wrong::NoFiles),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn who(json: &str) -> Result<Recipient, Wrong> {
        recipient(&Fields::read(json.as_bytes()))
    }

    #[test]
    fn the_recipient_by_number_and_by_name() {
        let chat = |chat: &str| Ok(Recipient::Chat(chat.parse().expect("a chat")));
        for (json, expected) in [
            (r#"{"user_id":123}"#, chat("123")),
            (r#"{"user_id":"123"}"#, chat("123")),
            (r#"{"user_id":-1001234567890}"#, chat("-1001234567890")),
            (r#"{"user_id":"-1001234567890","username":"demo"}"#, chat("-1001234567890")),
            (r#"{"username":"demo"}"#, chat("@demo")),
            (r#"{"username":"@demo","user_id":""}"#, chat("@demo")),
            (r#"{"user_id":99999999999999}"#, Ok(Recipient::NoSuchId)),
            (r#"{"username":"не имя"}"#, Ok(Recipient::NoSuchName)),
            (r#"{"user_id":"x"}"#, Err(Wrong::NotANumber)),
            (r#"{"user_id":1.5,"username":"demo"}"#, Err(Wrong::NotANumber)),
            (r#"{"user_id":[1]}"#, Err(Wrong::NotANumber)),
            ("{}", Err(Wrong::Nobody)),
            (r#"{"user_id":null,"username":""}"#, Err(Wrong::Nobody)),
        ] {
            assert_eq!(who(json), expected, "{json}");
        }
    }

    #[test]
    fn files_are_a_list_with_something_in_it() {
        for (json, count) in [
            (r#"{"files":["https://example.com/a.png"]}"#, Ok(1)),
            (r#"{"files":[{"url":"https://example.com/a.png"},"b"]}"#, Ok(2)),
            (r#"{"files":[]}"#, Err(Wrong::NoFiles)),
            (r#"{"files":"https://example.com/a.png"}"#, Err(Wrong::NoFiles)),
            ("{}", Err(Wrong::NoFiles)),
        ] {
            assert_eq!(files(&Fields::read(json.as_bytes())), count, "{json}");
        }
    }

    proptest! {
        #[test]
        fn a_number_means_the_same_as_text(id: i64) {
            let number = who(&format!(r#"{{"user_id":{id}}}"#));
            prop_assert_eq!(&number, &who(&format!(r#"{{"user_id":"{id}"}}"#)));
            prop_assert_eq!(number.is_ok(), id != 0);
        }
    }
}
