//! Schemas of values that the document cannot derive: words out of a fixed list, and chats as text or number.

use domain::MessageState;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

fn one_of(words: impl IntoIterator<Item = &'static str>, description: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .enum_values(Some(words.into_iter().collect::<Vec<_>>()))
}

/// How far a message is.
pub(super) fn message_state() -> RefOr<Schema> {
    let words = MessageState::ALL.into_iter().map(MessageState::as_str);
    one_of(words, "How far it is.").examples(["sent"]).into()
}

/// What to do when all must wait.
pub(super) fn on_flood() -> RefOr<Schema> {
    one_of(["wait", "fail"], "What to do when every account that could send must wait.")
        .default(Some("wait".into()))
        .into()
}

/// A chat in a request.
pub(super) fn chat() -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Integer]))
        .description(Some("Where to: a chat id as the Bot API writes it (text or number), or a username."))
        .examples(["-1001234567890", "@demo_channel"])
        .into()
}
