//! What a message of VK says: its text, files, place, forwarded messages and all other attachments. Pure.

use domain::content::coordinates;
use domain::lenient::number;
use domain::{Content, InboundKind, InboundMedia};
use serde_json::Value;

use super::client;

/// Messages within messages are read so deep.
const DEEPEST: usize = 4;
/// The most letters of a post that are quoted.
const LONGEST_POST: usize = 1_000;

/// What a message says.
pub(super) fn content(message: &Value) -> Content {
    within(message, DEEPEST)
}

fn within(message: &Value, depth: usize) -> Content {
    let mut content = Content::default();
    content.say(message["text"].as_str().unwrap_or_default());
    attachments(&mut content, message, depth);
    let geo = &message["geo"];
    if geo.is_object() {
        let place = coordinates(&geo["coordinates"]["latitude"], &geo["coordinates"]["longitude"]);
        // Older versions have both numbers in one text.
        let place = place.or_else(|| geo["coordinates"].as_str().map(|both| both.replace(' ', ",")));
        content.add(InboundKind::Location, place.into_iter().chain(word(&geo["place"], "title")));
    }
    for forwarded in message["fwd_messages"].as_array().into_iter().flatten() {
        if depth == 0 {
            // That there is more is said; the rest is in the raw message.
            content.add(InboundKind::Forward, ["…"]);
            break;
        }
        let from = number(&forwarded["from_id"])
            .map(|id| if id < 0 { format!("club{}", -id) } else { format!("id{id}") });
        content.add_forward(from.as_deref(), within(forwarded, depth - 1));
    }
    if message["is_expired"] == true {
        content.add(InboundKind::Hidden, [""]);
    }
    content
}

fn attachments(content: &mut Content, message: &Value, depth: usize) {
    for attached in message["attachments"].as_array().into_iter().flatten() {
        let kind = attached["type"].as_str().unwrap_or_default();
        attachment(content, kind, &attached[kind], depth);
    }
}

fn word(object: &Value, name: &str) -> Option<String> {
    object[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The first of these fields that has words.
fn words<const N: usize>(object: &Value, names: [&str; N]) -> impl Iterator<Item = String> {
    names.into_iter().filter_map(|name| word(object, name)).collect::<Vec<_>>().into_iter()
}

/// The page of something: `https://vk.com/wall-1_2`.
fn page(kind: &str, object: &Value) -> Option<String> {
    let owner = ["owner_id", "to_id", "from_id"].iter().find_map(|name| number(&object[*name]))?;
    Some(format!("https://vk.com/{kind}{owner}_{}", number(&object["id"])?))
}

fn attachment(content: &mut Content, kind: &str, object: &Value, depth: usize) {
    let made = |to: InboundKind, url: Option<String>| InboundMedia {
        url,
        file_id: client::attachment(kind, object),
        ..InboundMedia::new(to)
    };
    match kind {
        "photo" => content.attach(made(InboundKind::Image, largest(&object["sizes"]))),
        "graffiti" => content.attach(made(InboundKind::Image, word(object, "url"))),
        "sticker" | "ugc_sticker" => content.attach(made(InboundKind::Sticker, largest(&object["images"]))),
        "audio_message" => content.attach(voice(object, made)),
        "audio" | "podcast" => {
            let name = word(object, "title");
            content.attach(InboundMedia { name, ..made(InboundKind::Audio, word(object, "url")) });
        }
        "video" | "video_message" | "clip" => {
            let name = word(object, "title");
            content.attach(InboundMedia { name, ..made(InboundKind::Video, None) });
        }
        "doc" => {
            let (name, size) = (word(object, "title"), object["size"].as_u64());
            content.attach(InboundMedia { name, size, ..made(InboundKind::Document, word(object, "url")) });
        }
        "link" | "article" | "mini_app" | "app" | "audio_playlist" | "donut_link" => {
            let address = ["url", "view_url"].iter().find_map(|name| word(object, name));
            content.add(InboundKind::Link, words(object, ["title", "caption"]).chain(address));
        }
        "market" => {
            let price = word(&object["price"], "text");
            let link = page("market", object);
            content.add(InboundKind::Product, words(object, ["title"]).chain(price).chain(link));
        }
        "market_album" => content.add(InboundKind::Product, words(object, ["title"])),
        "wall" | "wall_reply" => {
            // A post that only passes another one on has that one's words and files.
            let original = &object["copy_history"][0];
            let text = word(object, "text").or_else(|| word(original, "text"));
            let text: Option<String> = text.map(|text| text.chars().take(LONGEST_POST).collect());
            content.add(InboundKind::Post, text.into_iter().chain(page("wall", object)));
            for post in [object, original].into_iter().filter(|_| depth > 0) {
                attachments(content, post, depth - 1);
            }
        }
        "poll" => {
            let answers = object["answers"].as_array().into_iter().flatten();
            let answers: Vec<String> = answers.filter_map(|answer| word(answer, "text")).collect();
            let answers = Some(format!("({})", answers.join("; "))).filter(|_| !answers.is_empty());
            content.add(InboundKind::Poll, words(object, ["question"]).chain(answers));
        }
        "gift" => content.add(InboundKind::Gift, [""]),
        "story" | "narrative" => content.add(InboundKind::Story, page("story", object)),
        "call" | "group_call_in_progress" => content.add(InboundKind::Call, words(object, ["state"])),
        "money_transfer" | "money_request" => {
            let amount = word(&object["amount"], "text");
            content.add(InboundKind::Payment, amount.into_iter().chain(words(object, ["comment"])));
        }
        "event" => content.add(InboundKind::Appointment, words(object, ["text", "address"])),
        "geo" => {
            let at = object.get("coordinates").unwrap_or(object);
            content.add(InboundKind::Location, coordinates(&at["latitude"], &at["longitude"]));
        }
        other => content.add_unknown(other, words(object, ["title", "text", "url"])),
    }
}

fn voice(object: &Value, made: impl FnOnce(InboundKind, Option<String>) -> InboundMedia) -> InboundMedia {
    let (ogg, mp3) = (word(object, "link_ogg"), word(object, "link_mp3"));
    let mime = if ogg.is_some() { "audio/ogg" } else { "audio/mpeg" };
    // It may be in the works yet.
    let is_done = object["transcript_state"] == "done";
    let transcript = word(object, "transcript").filter(|_| is_done).map(Into::into);
    InboundMedia { mime: Some(mime.to_owned()), transcript, ..made(InboundKind::Voice, ogg.or(mp3)) }
}

/// The address of the largest of these pictures.
fn largest(images: &Value) -> Option<String> {
    let area = |image: &&Value| {
        image["width"].as_u64().unwrap_or(0).saturating_mul(image["height"].as_u64().unwrap_or(0))
    };
    images.as_array()?.iter().max_by_key(area)?["url"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reposts_and_deep_forwards_are_not_lost() {
        let photo = json!({"type": "photo", "photo": {"id": 1, "owner_id": 2, "sizes": [{"url": "https://example.com/1", "width": 1, "height": 1}]}});
        let wall = json!({"id": 2, "to_id": -1, "text": "", "copy_history": [{"text": "Sale", "attachments": [photo]}]});
        let (text, media) =
            content(&json!({"text": "", "attachments": [{"type": "wall", "wall": wall}]})).into_parts();
        assert_eq!(text, "[post] Sale https://vk.com/wall-1_2");
        let kinds: Vec<_> = media.iter().map(|media| media.kind).collect();
        assert_eq!(kinds, [InboundKind::Image, InboundKind::Post]);
        let mut deep = json!({"from_id": 7, "text": "innermost"});
        for _ in 0..6 {
            deep = json!({"from_id": 7, "text": "", "fwd_messages": [deep]});
        }
        let (text, _) = content(&deep).into_parts();
        assert!(text.ends_with("[forward] id7\n[forward] …"), "{text}");
    }
}
