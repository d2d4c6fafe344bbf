//! What Avito reports of messages, as what comes in. Pure.

use domain::{
    AdSource, ExternalChat, InboundChange, InboundEvent, InboundKind, InboundMedia, InboundMessage,
    InboundReceipt, MessageOrigin, Timestamp,
};
use serde_json::Value;

use super::client::addresses;

/// The ids up to this are of Avito itself.
const LAST_OF_AVITO: i64 = 1;

/// What a message of the chat says, whether it was posted or read. Nothing of what Avito itself writes; nothing where it cannot be read.
pub(super) fn events(message: &Value, chat: &str, owner: i64, raw: &str) -> Option<Vec<InboundEvent>> {
    let kind = message["type"].as_str()?;
    let author = message["author_id"].as_i64();
    let is_own = author == Some(owner) || message["direction"] == "out";
    let is_avito = !is_own && author.is_none_or(|author| author <= LAST_OF_AVITO);
    if kind == "system" || message["chat_type"] == "a2u" || is_avito {
        return Some(Vec::new());
    }
    let id = message["id"].as_str().filter(|id| !id.is_empty())?;
    let sent_at = seconds(message["created"].as_i64()?);
    let chat = ExternalChat::new(chat)?;
    if kind == "deleted" {
        let change = InboundChange::Deleted { external_id: id.to_owned(), at: sent_at };
        return Some(vec![InboundEvent { key: format!("deleted:{id}"), change }]);
    }
    let (text, media) = content(kind, &message["content"]);
    let item = &message["item_id"];
    let message_in = InboundMessage {
        origin: if is_own { MessageOrigin::Owner } else { MessageOrigin::Person },
        user: author.filter(|_| !is_own).map(|author| author.to_string()),
        media,
        reply_to: message["quote"]["id"].as_str().map(str::to_owned),
        ad: item.as_i64().map(|item| AdSource { channel: "avito".to_owned(), id: Some(item.to_string()) }),
        raw: Some(raw.to_owned()),
        ..InboundMessage::private(chat, id, text, sent_at)
    };
    let mut events = vec![InboundEvent {
        key: format!("message:{id}"),
        change: InboundChange::Message(Box::new(message_in)),
    }];
    events.extend(receipt(message, id).filter(|_| is_own));
    Some(events)
}

/// Whether a message was posted, which says less of it than the history does.
pub(super) fn is_posted(message: &InboundMessage) -> bool {
    let raw = message.raw.as_deref().and_then(|raw| serde_json::from_str::<Value>(raw).ok());
    raw.is_some_and(|raw| raw["payload"].is_object())
}

/// That a message was read, where it was.
fn receipt(message: &Value, id: &str) -> Option<InboundEvent> {
    let at = message["read"].as_i64();
    let at = at.or_else(|| message["created"].as_i64().filter(|_| message["is_read"] == true))?;
    let (external_id, receipt) = (id.to_owned(), InboundReceipt::Read);
    let change = InboundChange::Receipt { external_id, receipt, at: seconds(at) };
    Some(InboundEvent { key: format!("read:{id}"), change })
}

/// The text and the media of a message of this type.
fn content(kind: &str, content: &Value) -> (String, Vec<InboundMedia>) {
    let word = |value: &Value| value.as_str().unwrap_or_default().trim().to_owned();
    let none = Vec::new;
    match kind {
        "text" => (content["text"].as_str().unwrap_or_default().to_owned(), none()),
        "link" => {
            let link = &content["link"];
            let text = link["text"].as_str().or_else(|| link["url"].as_str());
            (text.unwrap_or_default().to_owned(), none())
        }
        "image" => {
            let largest = largest(&content["image"]["sizes"]);
            let image = |url: Option<String>| InboundMedia { url, ..InboundMedia::new(InboundKind::Image) };
            (String::new(), vec![image(largest)])
        }
        "voice" => {
            let id = content["voice"]["voice_id"].as_str().map(str::to_owned);
            let mime = Some("audio/mp4".to_owned());
            (String::new(), vec![InboundMedia { file_id: id, mime, ..InboundMedia::new(InboundKind::Voice) }])
        }
        "item" => {
            let item = &content["item"];
            (format!("{} {}", word(&item["title"]), word(&item["item_url"])).trim().to_owned(), none())
        }
        "location" => {
            let place = &content["location"];
            let words = [word(&place["text"]), word(&place["title"])].into_iter().find(|it| !it.is_empty());
            (words.unwrap_or_else(|| format!("place: {}, {}", place["lat"], place["lon"])), none())
        }
        "call" | "appCall" => (format!("call: {}", word(&content["call"]["status"])), none()),
        "file" => (String::new(), vec![InboundMedia::new(InboundKind::Document)]),
        "video" => (String::new(), vec![InboundMedia::new(InboundKind::Video)]),
        other => (content["text"].as_str().unwrap_or(other).to_owned(), none()),
    }
}

/// The address of the largest size of a picture.
fn largest(sizes: &Value) -> Option<String> {
    let area = |size: &str| -> u64 {
        let (width, height) = size.split_once('x').unwrap_or_default();
        let number = |text: &str| u64::from(text.parse::<u32>().unwrap_or_default());
        number(width) * number(height)
    };
    let largest = sizes.as_object()?.iter().max_by_key(|(size, _)| area(size))?.1;
    largest.as_str().map(str::to_owned)
}

/// Whether a message in the chat's history certainly shows the picture that was uploaded.
pub(super) fn is_picture(message: &Value, id: &str, uploaded: &[String]) -> bool {
    let plain = |url: &str| url.split('?').next().unwrap_or_default().to_owned();
    let shown = addresses(&message["content"]["image"]["sizes"]);
    shown.iter().any(|url| url.contains(id) || uploaded.iter().any(|it| plain(it) == plain(url)))
}

/// A time in whole seconds.
pub(super) fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds.saturating_mul(1_000_000))
}
