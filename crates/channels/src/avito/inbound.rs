//! What Avito reports of messages, as what comes in. Pure.

use domain::content::coordinates;
use domain::lenient::{self, number};
use domain::{
    AdSource, Content, ExternalChat, InboundChange, InboundEvent, InboundKind, InboundMedia, InboundMessage,
    InboundReceipt, MessageOrigin, Timestamp,
};
use serde_json::Value;

use super::client::addresses;

/// The ids up to this are of Avito itself.
const LAST_OF_AVITO: i64 = 1;

/// What a message of the chat says, whether it was posted or read. Of what Avito itself writes that it came; of what cannot be read that
/// it may be lost.
pub(super) fn events(
    message: &Value,
    chat: &str,
    owner: i64,
    raw: &str,
    now: Timestamp,
) -> Vec<InboundEvent> {
    let kind = message["type"].as_str().unwrap_or_default();
    let author = number(&message["author_id"]);
    let is_own = author == Some(owner) || message["direction"] == "out";
    let is_avito = !is_own
        && match author {
            Some(author) => author <= LAST_OF_AVITO,
            None => message["author_id"].is_null(),
        };
    if kind == "system" || message["chat_type"] == "a2u" || is_avito {
        return vec![InboundEvent::notice("a message of Avito itself")];
    }
    let (Some(id), Some(chat)) = (lenient::id(&message["id"]), ExternalChat::new(chat.trim())) else {
        let lost = InboundEvent::lost(format!("a message of the kind {kind} without an id or a chat"));
        return vec![lost.with_raw(|| raw.to_owned())];
    };
    let sent_at = lenient::time(&message["created"]).unwrap_or(now);
    if kind == "deleted" {
        let change = InboundChange::Deleted { external_id: id.clone(), at: sent_at };
        return vec![InboundEvent { key: format!("deleted:{id}"), change }];
    }
    let (text, media) = content(kind, &message["content"]).into_parts();
    let item = lenient::id(&message["item_id"]);
    let message_in = InboundMessage {
        origin: if is_own { MessageOrigin::Owner } else { MessageOrigin::Person },
        user: author.filter(|_| !is_own).map(|author| author.to_string()),
        media,
        ad: item.map(|item| AdSource { channel: "avito".to_owned(), id: Some(item) }),
        raw: Some(raw.to_owned()),
        ..InboundMessage::private(chat, id.clone(), text, sent_at)
    };
    let quote = &message["quote"];
    let message_in = message_in.answering(lenient::id(&quote["id"]), quote["content"]["text"].as_str());
    let mut events = vec![InboundEvent {
        key: format!("message:{id}"),
        change: InboundChange::Message(Box::new(message_in)),
    }];
    events.extend(receipt(message, &id).filter(|_| is_own));
    events
}

/// Whether a message was posted, which says less of it than the history does.
pub(super) fn is_posted(message: &InboundMessage) -> bool {
    let raw = message.raw.as_deref().and_then(|raw| serde_json::from_str::<Value>(raw).ok());
    raw.is_some_and(|raw| raw["payload"].is_object())
}

/// That a message was read, where it was.
fn receipt(message: &Value, id: &str) -> Option<InboundEvent> {
    let at = lenient::time(&message["read"]);
    let at =
        at.or_else(|| lenient::time(&message["created"]).filter(|_| lenient::is_true(&message["is_read"])))?;
    let (external_id, receipt) = (id.to_owned(), InboundReceipt::Read);
    let change = InboundChange::Receipt { external_id, receipt, at };
    Some(InboundEvent { key: format!("read:{id}"), change })
}

/// What a message of this type says.
fn content(kind: &str, written: &Value) -> Content {
    let word = |value: &Value| lenient::text(value).unwrap_or_default();
    let mut content = Content::default();
    match kind {
        "text" => content.say(written["text"].as_str().unwrap_or_default()),
        "link" => {
            let link = &written["link"];
            match word(&link["text"]).as_str() {
                "" => content.add(InboundKind::Link, [word(&link["url"])]),
                typed => content.say(typed),
            }
        }
        "image" => {
            let url = largest(&written["image"]["sizes"]);
            content.attach(InboundMedia { url, ..InboundMedia::new(InboundKind::Image) });
        }
        "voice" => {
            let file_id = lenient::id(&written["voice"]["voice_id"]);
            let mime = Some("audio/mp4".to_owned());
            content.attach(InboundMedia { file_id, mime, ..InboundMedia::new(InboundKind::Voice) });
        }
        "item" => {
            let item = &written["item"];
            content.add(
                InboundKind::Product,
                [word(&item["title"]), word(&item["price_string"]), word(&item["item_url"])],
            );
        }
        "location" => {
            let place = &written["location"];
            let words = [word(&place["text"]), word(&place["title"])].into_iter().find(|it| !it.is_empty());
            content.add(
                InboundKind::Location,
                coordinates(&place["lat"], &place["lon"]).into_iter().chain(words),
            );
        }
        "call" | "appCall" => content.add(InboundKind::Call, [word(&written["call"]["status"])]),
        "file" => content.attach(InboundMedia::new(InboundKind::Document)),
        "video" => content.attach(InboundMedia::new(InboundKind::Video)),
        other => content.add_unknown(other, [word(&written["text"])]),
    }
    content
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
