//! Messages that other programs push to be sent: each is handed to the outbox under the id that it was taken with, as anything else
//! that is sent.

use std::time::Duration;

use ::queue::Taken;
use delivery::{Submission, SubmitError};
use domain::message::Writer;
use domain::missing::{self, MISSING};
use domain::spoken::names;
use domain::{AccountName, ChannelChat, ChannelName, ChatRef, ExternalChat, SpokenText, Timestamp};
use serde_json::Value;
use sha2::{Digest, Sha256};
use store::{Idempotency, Origin, SameBy, StoreError, TELEGRAM_ACCOUNT};
use uuid::Uuid;

use super::incoming::reason;
use super::{Fate, Later, read};
use crate::inbound::{WrongField, text};
use crate::send::{KEY_LIFETIME, content, to_chat};
use crate::service::Inner;

/// Who asks the outbox for them.
const LISTENER: &str = "queue";

/// Fields beside the text in which two messages may differ.
const BESIDE: [&str; 8] = [
    "media",
    "attachments",
    "files",
    "parse_mode",
    "reply_to",
    "reply_to_message_id",
    "buttons",
    "reply_markup",
];

/// What is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ToSend {
    channel: Option<ChannelName>,
    account: Option<AccountName>,
    chat: ExternalChat,
    text: String,
    /// What its program calls it.
    key: Option<String>,
    /// The fields of [`BESIDE`] that it has, in JSON; empty where it has none.
    beside: String,
}

impl ToSend {
    /// What a repeat under the same key has to have: the same chat of the same account, as far as it is named, the same text, and the
    /// same further fields.
    fn body(&self) -> String {
        let channel = self.channel.as_ref().map_or("", ChannelName::as_str);
        let account = self.account.as_ref().map_or("", AccountName::as_str);
        let mut body = [channel, account, self.chat.as_str(), &self.text].join("\0");
        if !self.beside.is_empty() {
            body = [&body, self.beside.as_str()].join("\0");
        }
        body
    }
}

/// Where it goes.
enum Destination {
    To(ChannelChat),
    /// To a chat of Telegram, by whichever account can.
    Any(ChatRef),
    None(String),
}

/// Reads an item as programs write it, plainly or within `out_message`.
fn read_item(item: &Value) -> Result<ToSend, Vec<WrongField>> {
    let inner = &item["out_message"];
    let find =
        |names: &[&str]| names.iter().find_map(|name| text(&inner[*name]).or_else(|| text(&item[*name])));
    let mut wrong = Vec::new();
    let mut keep = |field, message: String| wrong.push(WrongField { field, message });
    let channel = find(&["channel"]).map(|name| name.parse::<ChannelName>()).transpose();
    let channel = channel.map_err(|error| keep("channel", error.to_string())).unwrap_or_default();
    let account = find(&["channel_account", "account"]).map(|name| name.parse::<AccountName>()).transpose();
    let account = account.map_err(|error| keep("channel_account", error.to_string())).unwrap_or_default();
    let chat = find(&["external_chat_id", "chat_id"]).and_then(|chat| ExternalChat::new(&chat));
    if chat.is_none() {
        keep("external_chat_id", "is missing; name the chat that it is for".to_owned());
    }
    let body = find(&["message_text", "text"]);
    if body.is_none() {
        keep("message_text", "is missing; say what is to be sent".to_owned());
    }
    // What a model says passes the gate for its words here too.
    let is_in_list = |fields: &Value| {
        let sources = fields["action_source"].as_array().into_iter().flatten();
        sources.filter_map(Value::as_str).any(names::is_of_model)
    };
    let is_of_model = find(&["action_source"]).is_some_and(|source| names::is_of_model(&source))
        || [inner, item].into_iter().any(is_in_list);
    let body = match body
        .map(|text| if is_of_model { SpokenText::read(&text).map(|spoken| spoken.plain()) } else { Ok(text) })
    {
        Some(Err(why)) => {
            keep("message_text", format!("is not for a customer: {why}"));
            None
        }
        other => other.and_then(Result::ok),
    };
    let key = find(&["idempotency_key"]);
    let is_other = |key: &Value| key.is_array() || key.is_object() || key.is_boolean();
    if [inner, item].iter().any(|fields| is_other(&fields["idempotency_key"])) {
        keep("idempotency_key", "is no text and no number; give each message a key of its own".to_owned());
    }
    if key.as_deref().is_some_and(missing::is_in_key) {
        keep("idempotency_key", MISSING.to_owned());
    }
    for (field, id) in [
        ("external_chat_id", chat.as_ref().map(ExternalChat::as_str)),
        ("channel", channel.as_ref().map(ChannelName::as_str)),
        ("channel_account", account.as_ref().map(AccountName::as_str)),
    ] {
        if id.is_some_and(missing::is_in_id) {
            keep(field, MISSING.to_owned());
        }
    }
    if body.as_deref().is_some_and(missing::is_in_text) {
        keep("message_text", MISSING.to_owned());
    }
    let beside = |name: &&str| [&inner[*name], &item[*name]].into_iter().find(|value| !value.is_null());
    let beside: Vec<String> =
        BESIDE.iter().filter_map(|name| Some(format!("{name}={}", beside(name)?))).collect();
    let beside = beside.join("\0");
    match (chat, body) {
        (Some(chat), Some(text)) if wrong.is_empty() => {
            Ok(ToSend { channel, account, chat, text, key, beside })
        }
        _ => Err(wrong),
    }
}

pub(super) async fn take(inner: &Inner, taken: &[Taken], fates: &mut Vec<Fate>) -> Result<(), Later> {
    for taken in taken {
        let to_send = read(&taken.item).and_then(|item| read_item(&item).map_err(|wrong| reason(&wrong)));
        fates.push(match (to_send, taken.id) {
            (Ok(to_send), Some(id)) => hand_over(inner, to_send, id).await?,
            (Err(reason), _) => Fate::Dead(reason),
            (Ok(_), None) => Fate::Dead("it was written to a list of this program's own".to_owned()),
        });
    }
    Ok(())
}

async fn hand_over(inner: &Inner, to_send: ToSend, id: Uuid) -> Result<Fate, Later> {
    let destination = destination(inner, &to_send).await?;
    let body = to_send.body();
    let ToSend { text, key, .. } = to_send;
    let origin = Origin { listener: LISTENER.to_owned(), api_key: None, address: None };
    let made = match destination {
        Destination::None(reason) => return Ok(Fate::Dead(reason)),
        Destination::To(chat) => to_chat(&chat, text, Writer::Program, origin),
        Destination::Any(chat) => Some(Submission {
            chat,
            content: content(text, Writer::Program),
            pin: None,
            on_flood: domain::message::OnFlood::Wait,
            send_at: None,
            needs_approval: false,
            origin,
            idempotency: None,
            join: None,
        }),
    };
    let Some(made) = made else {
        return Ok(Fate::Dead("external_chat_id is no chat of Telegram".to_owned()));
    };
    let delivery = &inner.parts.delivery;
    let key = idempotency(key.as_deref(), id, body.as_bytes());
    let too_old = taken_at(id).plus(KEY_LIFETIME) < inner.parts.clock.now();
    if too_old && !matches!(delivery.repeated(key).await, Ok(Some(_))) {
        return Ok(Fate::Dead("it was taken too long ago, and may have been sent then".to_owned()));
    }
    match delivery.submit(Submission { idempotency: Some(key), ..made }).await {
        Ok(_) => Ok(Fate::Taken),
        Err(SubmitError::Conflict) => Ok(Fate::Dead(
            "idempotency_key belongs to a message with another chat, text or file; give each message a key of its own".to_owned(),
        )),
        Err(SubmitError::TooMany(_) | SubmitError::ShuttingDown | SubmitError::OutcomeUnknown { .. }) => {
            Err(Later::NoRoom)
        }
        Err(SubmitError::Store(StoreError::DoNotContact { .. })) => {
            Ok(Fate::Dead("do_not_contact: the chat is on the do-not-contact list".to_owned()))
        }
        Err(SubmitError::Store(error)) => Err(error.into()),
        Err(error) => Ok(Fate::Dead(error.to_string())),
    }
}

/// When an item was taken: its id says it.
fn taken_at(id: Uuid) -> Timestamp {
    let (seconds, nanos) = id.get_timestamp().map_or((0, 0), |at| at.to_unix());
    Timestamp::from_micros(0).plus(Duration::new(seconds, nanos))
}

/// The key of a message, and the fingerprint of its chat and text.
fn idempotency(key: Option<&str>, id: Uuid, body: &[u8]) -> Idempotency {
    let mut hash = Sha256::new();
    match key {
        Some(key) => hash.update([b"key of queue:outgoing\0", key.as_bytes()].concat()),
        None => hash.update([b"item of queue:outgoing\0".as_slice(), id.as_bytes()].concat()),
    }
    Idempotency {
        scope: hash.finalize().into(),
        fingerprint: Sha256::digest(body).into(),
        same_by: SameBy::Key,
    }
}

/// Through which account it goes: the one that it names, else the one to which the chat wrote last, else the only one there is.
async fn destination(inner: &Inner, to_send: &ToSend) -> Result<Destination, StoreError> {
    let ToSend { channel, account, chat, .. } = to_send;
    if let Some(channel) = channel.as_ref().filter(|channel| channel.as_str() == TELEGRAM_ACCOUNT) {
        return Ok(match (account, chat.as_str().parse()) {
            (Some(account), _) => Destination::To(ChannelChat {
                channel: channel.clone(),
                account: account.clone(),
                chat: chat.clone(),
            }),
            (None, Ok(chat)) => Destination::Any(ChatRef::Id(chat)),
            (None, Err(_)) => Destination::None("external_chat_id is no chat of Telegram".to_owned()),
        });
    }
    let known = inner.parts.channels.all().filter(|known| {
        channel.as_ref().is_none_or(|channel| known.channel == *channel)
            && account.as_ref().is_none_or(|account| known.name() == account)
    });
    let known: Vec<ChannelChat> = known
        .map(|known| ChannelChat {
            channel: known.channel.clone(),
            account: known.name().clone(),
            chat: chat.clone(),
        })
        .collect();
    let mut wrote = Vec::new();
    for address in &known {
        let stored = inner.parts.store.channels().chat(address).await?;
        wrote.extend(stored.and_then(|stored| stored.last_in_at).map(|at| (at, address)));
    }
    Ok(choose(channel.as_ref(), account.as_ref(), &known, wrote))
}

fn choose(
    channel: Option<&ChannelName>,
    account: Option<&AccountName>,
    known: &[ChannelChat],
    mut wrote: Vec<(Timestamp, &ChannelChat)>,
) -> Destination {
    wrote.sort_unstable_by_key(|(at, _)| *at);
    let is_tie = matches!(wrote.as_slice(), [.., (one, _), (other, _)] if one == other);
    match (wrote.last(), known) {
        (Some((_, last)), _) if !is_tie => Destination::To((*last).clone()),
        (None, [only]) if channel.is_some() => Destination::To(only.clone()),
        (None, []) => Destination::None(match (channel, account) {
            (Some(channel), None) => format!("channel {channel} has no account here"),
            (_, Some(account)) => format!("channel_account {account} is no account of that channel"),
            (None, None) => "channel is missing; name the channel, such as avito".to_owned(),
        }),
        _ if channel.is_none() => {
            Destination::None("channel is missing, and no chat of that id wrote; name the channel, such as avito".to_owned())
        }
        _ => Destination::None(
            "channel_account is missing: the channel has several accounts, and none of them is the one that the chat wrote to last; \
             name it"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn items_are_read_plainly_and_wrapped() {
        let plain =
            json!({ "channel": "avito", "external_chat_id": "u2i:1", "message_text": "Yes", "appeal_id": 4 });
        let wrapped = json!({ "channel": "avito", "out_message": { "external_chat_id": "u2i:1", "message_text": "Yes",
            "tenant_id": "t", "action_source": "ai", "channel_account": "" } });
        let read = read_item(&plain).unwrap();
        assert_eq!(read, read_item(&wrapped).unwrap());
        assert_eq!((read.chat.as_str(), read.text.as_str(), read.key), ("u2i:1", "Yes", None));
        assert_eq!(read_item(&json!({ "external_chat_id": 42, "text": "Yes" })).unwrap().chat.as_str(), "42");
        let fields = |item: Value| -> Vec<&str> {
            read_item(&item).unwrap_err().into_iter().map(|wrong| wrong.field).collect()
        };
        assert_eq!(fields(json!({})), ["external_chat_id", "message_text"]);
        for source in ["ai", "AI", "bot", "llm", "assistant", "model", "gpt-4o"] {
            let of_model = |text: &str| json!({ "chat_id": 1, "text": text, "action_source": source });
            assert_eq!(read_item(&of_model("<think>Hm</think>**Yes**")).unwrap().text, "Yes", "{source}");
            assert_eq!(fields(of_model("Yes <tool_call>")), ["message_text"], "{source}");
        }
        for key in [json!(["a"]), json!({ "id": 1 }), json!(true)] {
            let item = json!({ "chat_id": 1, "text": "Yes", "idempotency_key": key });
            assert_eq!(fields(item), ["idempotency_key"]);
        }
        let of_crm = json!({ "chat_id": 1, "text": "**Yes**", "action_source": "crm" });
        assert_eq!(read_item(&of_crm).unwrap().text, "**Yes**");
        assert_eq!(fields(json!({ "channel": "V K", "chat_id": 1, "text": "a" })), ["channel"]);
        for (field, value, wrong) in [
            ("idempotency_key", "undefined-ready", "idempotency_key"),
            ("idempotency_key", "{{ $json.order_id }}-ready", "idempotency_key"),
            ("idempotency_key", "-ready", "idempotency_key"),
            ("text", "Hello {{ name }}", "message_text"),
            ("text", "#N/A", "message_text"),
            ("channel", "undefined", "channel"),
            ("account", "null", "channel_account"),
            ("chat_id", "[object Object]", "external_chat_id"),
            ("text", "undefined", "message_text"),
            ("text", "Hello [object Object]", "message_text"),
        ] {
            let mut item = json!({ "channel": "avito", "chat_id": "u2i-1", "text": "Ready", "idempotency_key": "7-ready" });
            assert!(read_item(&item).is_ok());
            item[field] = value.into();
            assert_eq!(fields(item), [wrong], "{value}");
        }
    }

    #[test]
    fn the_same_id_in_another_channel_is_another_chat() {
        let of = |channel: &str, text: &str| {
            read_item(&json!({ "channel": channel, "chat_id": 42, "text": text })).unwrap().body()
        };
        assert_eq!(of("vk", "Yes"), of("vk", "Yes"));
        assert_ne!(of("vk", "Yes"), of("max", "Yes"));
        assert_ne!(of("vk", "Yes"), of("vk", "No"));
        // What stands beside the text counts, wherever it stands.
        let beside = |mut item: Value, name: &str, value: Value| {
            item[name] = value;
            read_item(&item).unwrap().body()
        };
        let plain = || json!({ "chat_id": 42, "text": "Yes", "appeal_id": 4 });
        let usual = read_item(&plain()).unwrap().body();
        assert_eq!(beside(plain(), "appeal_id", json!(5)), usual);
        for (name, value) in [
            ("media", json!({ "images": [{ "url": "https://example.com/a.jpg" }] })),
            ("parse_mode", json!("HTML")),
            ("reply_to", json!(7)),
        ] {
            let changed = beside(plain(), name, value.clone());
            assert_ne!(changed, usual, "{name}");
            let wrapped = json!({ "out_message": { "chat_id": 42, "text": "Yes", name: value } });
            assert_eq!(read_item(&wrapped).unwrap().body(), changed, "{name}");
        }
    }

    #[test]
    fn a_key_with_another_text_or_chat_is_another_request() {
        let of = |key: Option<&str>, id: u128, body: &[u8]| {
            let Idempotency { scope, fingerprint, .. } = idempotency(key, Uuid::from_u128(id), body);
            (scope, fingerprint)
        };
        assert_eq!(of(Some("k"), 1, b"u2i-1\0Yes"), of(Some("k"), 2, b"u2i-1\0Yes"));
        let (scope, fingerprint) = of(Some("k"), 3, b"u2i-1\0No");
        assert_eq!(scope, of(Some("k"), 1, b"u2i-1\0Yes").0);
        assert_ne!(fingerprint, of(Some("k"), 1, b"u2i-1\0Yes").1);
        assert_ne!(of(None, 1, b"").0, of(None, 2, b"").0);
    }

    #[test]
    fn an_item_goes_through_the_account_the_chat_wrote_to_last() {
        let at = Timestamp::from_micros;
        let known: Vec<ChannelChat> =
            ["avito:new/1", "avito:shop/1"].into_iter().map(|chat| chat.parse().unwrap()).collect();
        let channel: ChannelName = "avito".parse().unwrap();
        let chosen = |wrote: Vec<(Timestamp, &ChannelChat)>, known: &[ChannelChat]| match choose(
            Some(&channel),
            None,
            known,
            wrote,
        ) {
            Destination::To(chat) => Some(chat.to_string()),
            _ => None,
        };
        let last = vec![(at(2), &known[1]), (at(1), &known[0])];
        assert_eq!(chosen(last, &known).as_deref(), Some("avito:shop/1"));
        assert_eq!(chosen(vec![(at(1), &known[1]), (at(1), &known[0])], &known), None);
        assert_eq!(chosen(Vec::new(), &known), None);
        assert_eq!(chosen(Vec::new(), &known[..1]).as_deref(), Some("avito:new/1"));
        assert_eq!(chosen(Vec::new(), &[]), None);
    }
}
