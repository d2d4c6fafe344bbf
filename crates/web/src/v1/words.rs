//! Schemas of values that the document cannot derive: words out of a fixed list, and chats as text or number.

use domain::{AccountState, MessageState};
use store::Scope;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type};
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

/// How an account or a line is.
pub(super) fn account_state() -> RefOr<Schema> {
    let words = [
        AccountState::Ready,
        AccountState::Paused,
        AccountState::Offline,
        AccountState::Connecting,
        AccountState::FloodWait,
        AccountState::Error,
        AccountState::Restricted,
        AccountState::NeedsLogin,
        AccountState::Banned,
    ]
    .map(AccountState::as_str);
    one_of(words, "How it is.").examples(["ready"]).into()
}

/// What a key may do.
pub(super) fn scopes() -> RefOr<Schema> {
    let words = Scope::ALL.into_iter().map(Scope::as_str);
    ArrayBuilder::new()
        .items(one_of(words, "One thing it may do; `admin` is all."))
        .description(Some("What it may: `send`, `read`, `admin` (all)."))
        .min_items(Some(1))
        .examples([serde_json::json!(["send", "read"])])
        .into()
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
