//! Schemas of values that the document cannot derive: words out of a fixed list, and chats as text or number.

use std::ops::RangeInclusive;

use access::{AuditResult, Role};
use domain::account::{PRIORITIES, SendingLimits, USUAL_PRIORITY};
use domain::{AccountState, ContactKind, ContactSource, MessageState, Purpose, Service, Suppression};
use store::{AlertState, FailedState, PeerKind, Scope};
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

fn one_of(words: impl IntoIterator<Item = &'static str>, description: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .enum_values(Some(words.into_iter().collect::<Vec<_>>()))
}

pub fn message_state() -> RefOr<Schema> {
    let words = MessageState::ALL.into_iter().map(MessageState::as_str);
    one_of(words, "How far it is.").examples(["sent"]).into()
}

/// What wrote a message that was received.
pub fn message_origin() -> RefOr<Schema> {
    let words = domain::MessageOrigin::ALL.into_iter().map(domain::MessageOrigin::as_str);
    one_of(words, "What wrote it; `owner` is a person at another app of the account.")
        .examples(["person"])
        .into()
}

/// Which messages a list has.
pub fn direction() -> RefOr<Schema> {
    one_of(["in", "out"], "Those that were received, or those that were sent.")
        .default(Some("out".into()))
        .into()
}

/// What has not arrived, in whatever state it is.
pub const UNDELIVERED: &str = "undelivered";

/// How far a message of a list is, or that it has not arrived.
pub fn listed_message_state() -> RefOr<Schema> {
    let words = MessageState::ALL.into_iter().map(MessageState::as_str).chain([UNDELIVERED]);
    one_of(words, "How far it is, or that it has not arrived.").examples(["sent"]).into()
}

pub fn message_ids() -> RefOr<Schema> {
    let id = ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::Integer, Type::String]));
    ArrayBuilder::new()
        .items(id)
        .description(Some(
            "The provider's ids of what was sent, in order: one for each text and for each of the media. Telegram's are numbers, \
             those of other channels may be text.",
        ))
        .into()
}

pub fn reply_to() -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Integer, Type::String, Type::Null]))
        .minimum(Some(1_u32))
        .min_length(Some(1))
        .max_length(Some(256))
        .description(Some(
            "The message that is answered, by its id at the provider: a number at Telegram, text at other channels.",
        ))
        .into()
}

pub fn contact_kind() -> RefOr<Schema> {
    let words = ContactKind::ALL.map(ContactKind::as_str);
    one_of(words, "What a contact is named by.").examples(["phone"]).into()
}

pub fn contact_source() -> RefOr<Schema> {
    let words = ContactSource::ALL.map(ContactSource::as_str);
    one_of(words, "Where an entry comes from.").examples(["page"]).into()
}

pub fn suppression() -> RefOr<Schema> {
    let words = Suppression::ALL.map(Suppression::as_str);
    one_of(words, "What an entry refuses.").examples(["all"]).into()
}

pub fn clearing() -> RefOr<Schema> {
    let words = health::Clearing::ALL.map(health::Clearing::as_str);
    one_of(words, "How they are cleared.").examples(["pause_flooded"]).into()
}

pub fn backup_state() -> RefOr<Schema> {
    let words = backup::BackupState::ALL.map(backup::BackupState::as_str);
    one_of(words, "How it is.").examples(["proven"]).into()
}

pub fn drill_of() -> RefOr<Schema> {
    one_of(backup::DrillOf::ALL.map(backup::DrillOf::as_str), "What it was of.").examples(["copy"]).into()
}

pub fn account_state() -> RefOr<Schema> {
    let words = AccountState::ALL.map(AccountState::as_str);
    one_of(words, "How it is.").examples(["ready"]).into()
}

pub fn priority() -> RefOr<Schema> {
    between(&PRIORITIES, "The lower, the earlier it is chosen.").into()
}

pub fn new_priority() -> RefOr<Schema> {
    let schema = between(&PRIORITIES, "The lower, the earlier it is chosen.");
    schema.default(Some(USUAL_PRIORITY.into())).into()
}

/// How many messages an account may send within any hour.
pub fn limit_per_hour() -> RefOr<Schema> {
    let description = "How many messages it may send within any hour. Further ones wait or go through another account; null: as many as there are.";
    between(&SendingLimits::RANGE, description).examples([30]).into()
}

/// How many messages an account may send within any 24 hours.
pub fn limit_per_day() -> RefOr<Schema> {
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

pub fn scopes() -> RefOr<Schema> {
    let words = Scope::ALL.into_iter().map(Scope::as_str);
    ArrayBuilder::new()
        .items(one_of(words, "One thing it may do; `admin` is all."))
        .description(Some(
            "What it may: `send`, `read`, `operate`, `personal` (change and erase clients), `admin` (all).",
        ))
        .min_items(Some(1))
        .examples([serde_json::json!(["send", "read"])])
        .into()
}

pub fn role() -> RefOr<Schema> {
    let words = Role::ALL.into_iter().map(Role::as_str);
    one_of(words, "`agent` sees the inbox alone and answers there, `viewer` looks, `operator` keeps it running as well, `admin` may everything.")
        .examples(["operator"])
        .into()
}

pub fn audit_kind() -> RefOr<Schema> {
    one_of(["user", "api_key", "machine", "program", "nobody"], "Who it was.").examples(["user"]).into()
}

pub fn audit_result() -> RefOr<Schema> {
    let words = AuditResult::ALL.into_iter().map(AuditResult::as_str);
    one_of(words, "`unknown`: no one waited for the answer; it may have been done.").examples(["done"]).into()
}

pub fn media_kind() -> RefOr<Schema> {
    let words = ["photo", "video", "animation", "voice", "audio", "document"];
    one_of(words, "As what it is sent.").examples(["photo"]).into()
}

/// As what a caller wants a file to be sent.
pub fn media_wish() -> RefOr<Schema> {
    one_of(["auto", "document", "voice", "animation"], "As what it is sent; `auto` is by its content.")
        .default(Some("auto".into()))
        .into()
}

/// What an account can be seen doing.
pub fn typing() -> RefOr<Schema> {
    let words = telegram::Typing::ALL.map(telegram::Typing::as_str);
    one_of(words, "What the account is about to do; it fades after a few seconds.")
        .default(Some("typing".into()))
        .into()
}

/// What to do when all must wait.
pub fn on_flood() -> RefOr<Schema> {
    one_of(["wait", "fail"], "What to do when every account that could send must wait.")
        .default(Some("wait".into()))
        .into()
}

/// Who wrote a message.
pub fn written_by() -> RefOr<Schema> {
    one_of(
        ["person", "program"],
        "Who wrote it. Instagram takes a person's answer for 7 days after the customer's last message, a program's for 24 hours; a \
         mail of a program says so in its header.",
    )
    .default(Some("program".into()))
    .into()
}

/// The kinds of work in the log of all work.
pub fn work_kind() -> RefOr<Schema> {
    one_of(crate::operation::kinds(), "What it is.").examples(["create_chat"]).into()
}

/// A kind of work that a list is narrowed to.
pub fn wanted_work_kind() -> RefOr<Schema> {
    one_of(crate::operation::wanted_kinds(), "What it is.").examples(["create_chat"]).into()
}

pub fn open_or_finished() -> RefOr<Schema> {
    one_of(["open", "finished", "in_doubt"], "Whether it goes on.").into()
}

pub fn alert_state() -> RefOr<Schema> {
    one_of(AlertState::ALL.map(AlertState::as_str), "How it is.").examples(["open"]).into()
}

pub fn open_or_past() -> RefOr<Schema> {
    one_of(["open", "past"], "Whether it is open.").into()
}

pub fn target_kind() -> RefOr<Schema> {
    one_of(config::AlertTargetKind::ALL.map(config::AlertTargetKind::as_str), "What it is.")
        .examples(["webhook"])
        .into()
}

pub fn weekdays() -> RefOr<Schema> {
    ArrayBuilder::new()
        .items(one_of(alerts::Weekday::ALL.map(alerts::Weekday::as_str), "A day of the week."))
        .description(Some("Days of the week."))
        .examples([serde_json::json!(["sat", "sun"])])
        .into()
}

pub fn service() -> RefOr<Schema> {
    one_of(Service::ALL.map(Service::as_str), "The service.").examples(["create_chat"]).into()
}

pub fn purposes() -> RefOr<Schema> {
    ArrayBuilder::new()
        .items(one_of(Purpose::ALL.map(Purpose::as_str), "One thing it is for."))
        .description(Some("What it is for; left out or empty: what no other session of the account is for."))
        .examples([serde_json::json!(["send_text"])])
        .into()
}

pub fn failed_state() -> RefOr<Schema> {
    one_of(FailedState::ALL.map(FailedState::as_str), "What became of it.").examples(["pending"]).into()
}

pub fn chat_kind() -> RefOr<Schema> {
    let words = [PeerKind::Group, PeerKind::Supergroup, PeerKind::Channel].map(PeerKind::as_str);
    one_of(words, "What it is.").examples(["supergroup"]).into()
}

pub fn chat_state() -> RefOr<Schema> {
    one_of(["active", "left"], "Whether it is still one of ours.").examples(["active"]).into()
}

pub fn people() -> RefOr<Schema> {
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

pub fn chat() -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Integer]))
        .description(Some("Where to: a chat id as the Bot API writes it (text or number), a username, a link such as `https://t.me/name`, \
             the phone number of a person (`+70000000001`), or `me`: the Saved Messages of the account that sends."))
        .examples(["-1001234567890", "@demo_channel"])
        .into()
}
