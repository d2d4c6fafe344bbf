//! Schemas of values that the document cannot derive: words out of a fixed list, and chats as text or number.

use std::ops::RangeInclusive;

use access::{AuditResult, Role};
use domain::account::{PRIORITIES, SendingLimits, USUAL_PRIORITY};
use domain::{AccountState, MessageState, Purpose};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use store::{AlertState, FailedState, PeerKind, Scope};
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, SchemaFormat, SchemaType, Type};
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

/// What has not arrived, in whatever state it is.
pub(super) const UNDELIVERED: &str = "undelivered";

/// How far a message of a list is, or that it has not arrived.
pub(super) fn listed_message_state() -> RefOr<Schema> {
    let words = MessageState::ALL.into_iter().map(MessageState::as_str).chain([UNDELIVERED]);
    one_of(words, "How far it is, or that it has not arrived.").examples(["sent"]).into()
}

/// How flood waits are cleared.
pub(super) fn clearing() -> RefOr<Schema> {
    let words = health::Clearing::ALL.map(health::Clearing::as_str);
    one_of(words, "How they are cleared.").examples(["pause_flooded"]).into()
}

/// How a backup is.
pub(super) fn backup_state() -> RefOr<Schema> {
    let words = backup::BackupState::ALL.map(backup::BackupState::as_str);
    one_of(words, "How it is.").examples(["proven"]).into()
}

/// How an account or a line is.
pub(super) fn account_state() -> RefOr<Schema> {
    let words = AccountState::ALL.map(AccountState::as_str);
    one_of(words, "How it is.").examples(["ready"]).into()
}

/// The priority of an account.
pub(super) fn priority() -> RefOr<Schema> {
    between(&PRIORITIES, "The lower, the earlier it is chosen.").into()
}

/// The priority of a new account.
pub(super) fn new_priority() -> RefOr<Schema> {
    let schema = between(&PRIORITIES, "The lower, the earlier it is chosen.");
    schema.default(Some(USUAL_PRIORITY.into())).into()
}

/// How many messages an account may send within any hour.
pub(super) fn limit_per_hour() -> RefOr<Schema> {
    let description = "How many messages it may send within any hour. Further ones wait or go through another account; null: as many as there are.";
    between(&SendingLimits::RANGE, description).examples([30]).into()
}

/// How many messages an account may send within any 24 hours.
pub(super) fn limit_per_day() -> RefOr<Schema> {
    between(&SendingLimits::RANGE, "The same within any 24 hours.").examples([300]).into()
}

/// A number that may be left out.
fn between<N: Copy + Into<u32>>(range: &RangeInclusive<N>, description: &str) -> ObjectBuilder {
    let (first, last): (u32, u32) = ((*range.start()).into(), (*range.end()).into());
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Integer, Type::Null]))
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
        .description(Some(description))
        .minimum(Some(first))
        .maximum(Some(last))
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

/// What a user may.
pub(super) fn role() -> RefOr<Schema> {
    let words = Role::ALL.into_iter().map(Role::as_str);
    one_of(words, "`viewer` looks, `operator` keeps it running as well, `admin` may everything.")
        .examples(["operator"])
        .into()
}

pub(super) fn audit_kind() -> RefOr<Schema> {
    one_of(["user", "api_key", "machine", "program", "nobody"], "Who it was.").examples(["user"]).into()
}

/// What came of an action.
pub(super) fn audit_result() -> RefOr<Schema> {
    let words = AuditResult::ALL.into_iter().map(AuditResult::as_str);
    one_of(words, "`unknown`: no one waited for the answer; it may have been done.").examples(["done"]).into()
}

/// A name as a segment of a path.
pub(super) fn in_path(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()
}

/// As what a file is sent.
pub(super) fn media_kind() -> RefOr<Schema> {
    let words = ["photo", "video", "animation", "voice", "audio", "document"];
    one_of(words, "As what it is sent.").examples(["photo"]).into()
}

/// As what a caller wants a file to be sent.
pub(super) fn media_wish() -> RefOr<Schema> {
    one_of(["auto", "document", "voice", "animation"], "As what it is sent; `auto` is by its content.")
        .default(Some("auto".into()))
        .into()
}

/// What an account can be seen doing.
pub(super) fn typing() -> RefOr<Schema> {
    let words = telegram::Typing::ALL.map(telegram::Typing::as_str);
    one_of(words, "What the account is about to do; it fades after a few seconds.")
        .default(Some("typing".into()))
        .into()
}

/// What to do when all must wait.
pub(super) fn on_flood() -> RefOr<Schema> {
    one_of(["wait", "fail"], "What to do when every account that could send must wait.")
        .default(Some("wait".into()))
        .into()
}

/// The kinds of work in the log of all work.
pub(super) fn work_kind() -> RefOr<Schema> {
    one_of(super::operations::log::kinds(), "What it is.").examples(["create_chat"]).into()
}

/// A kind of work that a list is narrowed to.
pub(super) fn wanted_work_kind() -> RefOr<Schema> {
    one_of(super::operations::log::wanted_kinds(), "What it is.").examples(["create_chat"]).into()
}

/// Whether work goes on.
pub(super) fn open_or_finished() -> RefOr<Schema> {
    one_of(["open", "finished", "in_doubt"], "Whether it goes on.").into()
}

/// How an alert is.
pub(super) fn alert_state() -> RefOr<Schema> {
    one_of(AlertState::ALL.map(AlertState::as_str), "How it is.").examples(["open"]).into()
}

/// Whether something is broken now.
pub(super) fn open_or_past() -> RefOr<Schema> {
    one_of(["open", "past"], "Whether it is open.").into()
}

/// What a target of alerts is.
pub(super) fn target_kind() -> RefOr<Schema> {
    one_of(config::AlertTargetKind::ALL.map(config::AlertTargetKind::as_str), "What it is.")
        .examples(["webhook"])
        .into()
}

/// Days of the week.
pub(super) fn weekdays() -> RefOr<Schema> {
    ArrayBuilder::new()
        .items(one_of(alerts::Weekday::ALL.map(alerts::Weekday::as_str), "A day of the week."))
        .description(Some("Days of the week."))
        .examples([serde_json::json!(["sat", "sun"])])
        .into()
}

pub(super) fn service() -> RefOr<Schema> {
    one_of(Purpose::ALL.map(Purpose::as_str), "The service.").examples(["create_chat"]).into()
}

/// What a session is for.
pub(crate) fn purposes() -> RefOr<Schema> {
    ArrayBuilder::new()
        .items(one_of(Purpose::ALL.map(Purpose::as_str), "One thing it is for."))
        .description(Some("What it is for; left out or empty: what no other session of the account is for."))
        .examples([serde_json::json!(["send_text"])])
        .into()
}

/// What became of a failed request.
pub(super) fn failed_state() -> RefOr<Schema> {
    one_of(FailedState::ALL.map(FailedState::as_str), "What became of it.").examples(["pending"]).into()
}

/// What a chat in a list is.
pub(super) fn chat_kind() -> RefOr<Schema> {
    let words = [PeerKind::Group, PeerKind::Supergroup, PeerKind::Channel].map(PeerKind::as_str);
    one_of(words, "What it is.").examples(["supergroup"]).into()
}

/// Whether a chat is still one of ours.
pub(super) fn chat_state() -> RefOr<Schema> {
    one_of(["active", "left"], "Whether it is still one of ours.").examples(["active"]).into()
}

/// Users in a request.
pub(super) fn people() -> RefOr<Schema> {
    let person = ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Integer]))
        .description(Some("A user by id (text or number) or by username."));
    ArrayBuilder::new()
        .items(person)
        .description(Some("Users by id or by username."))
        .max_items(Some(200))
        .examples([serde_json::json!(["@client_1", "123456789"])])
        .into()
}

/// A chat in a request.
pub(super) fn chat() -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Integer]))
        .description(Some("Where to: a chat id as the Bot API writes it (text or number), a username, a link such as `https://t.me/name`, \
             the phone number of a person (`+70000000001`), or `me`: the Saved Messages of the account that sends."))
        .examples(["-1001234567890", "@demo_channel"])
        .into()
}
