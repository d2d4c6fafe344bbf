//! A message that came in as it is posted on to another program. Its files are at links of ours, where there are some: those of
//! providers end within hours or days.

use domain::{InboundKind, InboundMedia};
use serde_json::{Value, json};
use store::{StoredInbound, WebhookForm};

use crate::links::Links;
use crate::nature::Nature;

/// The body in which a message is posted on; none where it has none of this form.
pub fn forwarded(stored: &StoredInbound, form: WebhookForm, links: &Links) -> Option<String> {
    match form {
        WebhookForm::Message => Some(one_format(stored, links).to_string()),
        WebhookForm::Raw => stored.message.raw.clone(),
        WebhookForm::Legacy => (Nature::named(stored.address.channel.as_str()).legacy)(stored, links),
    }
}

/// The one format of all channels.
pub(crate) fn one_format(stored: &StoredInbound, links: &Links) -> Value {
    let (message, address) = (&stored.message, &stored.address);
    let has = |kind: InboundKind| message.media.iter().any(|media| media.kind == kind);
    let of_kind = |kind: InboundKind| placed(stored, links).filter(move |(media, _)| media.kind == kind);
    let voice = of_kind(InboundKind::Voice).next();
    let images: Vec<Value> = of_kind(InboundKind::Image)
        .map(|(media, url)| json!({ "url": url, "file_id": media.file_id, "caption": message.text.as_str() }))
        .collect();
    let videos: Vec<Value> = of_kind(InboundKind::Video).map(|(_, url)| json!({ "url": url })).collect();
    let raw = raw(stored);
    json!({
        "channel": address.channel.as_str(),
        "channel_account": address.account.as_str(),
        "external_user_id": message.user,
        "external_chat_id": address.chat.as_str(),
        "chat_type": message.chat_type.as_str(),
        "external_message_id": message.external_id,
        "text": message.text.as_str(),
        "timestamp": message.sent_at,
        "client_name": message.name,
        "client_phone": message.phone.as_ref().map(|phone| phone.value.as_str()),
        "client_email": message.email.as_ref().map(|email| email.value.as_str()),
        "media": {
            "has_voice": voice.is_some(),
            "voice_url": voice.as_ref().and_then(|(_, url)| url.as_deref()),
            "voice_transcribed_text": voice.and_then(|(media, _)| media.transcript.as_deref()),
            "has_images": !images.is_empty(),
            "images": images,
            "has_video": has(InboundKind::Video),
            "videos": videos,
            "has_document": has(InboundKind::Document),
            "kinds": message.media.iter().map(|media| media.kind.as_str()).collect::<Vec<_>>(),
        },
        "meta": {
            "ad_channel": message.ad.as_ref().map(|ad| ad.channel.as_str()),
            "ad_id": message.ad.as_ref().and_then(|ad| ad.id.as_deref()),
            "external_message_id": message.external_id,
            "raw": raw,
        },
    })
}

pub(crate) fn raw(stored: &StoredInbound) -> Option<Value> {
    stored.message.raw.as_deref().and_then(|raw| serde_json::from_str(raw).ok())
}

/// The files of a message as the old servers named them.
pub(crate) fn files<'a>(stored: &'a StoredInbound, links: &'a Links) -> impl Iterator<Item = Value> + 'a {
    let files = placed(stored, links).filter(|(media, _)| media.kind.is_file());
    files.map(|(media, url)| json!({ "type": media.kind.as_str(), "url": url }))
}

/// The files of a message, with the address of each: ours, or without `public_url` the provider's.
fn placed<'a>(
    stored: &'a StoredInbound,
    links: &'a Links,
) -> impl Iterator<Item = (&'a InboundMedia, Option<String>)> {
    (0..).zip(&stored.message.media).map(|(place, media)| (media, links.instead(stored.id, place, media)))
}

#[cfg(test)]
mod tests {
    use domain::{ExternalChat, InboundId, InboundMessage, Timestamp};

    use super::*;

    fn stored(channel: &str) -> StoredInbound {
        let chat = ExternalChat::new("c1").unwrap();
        let at = Timestamp::from_micros(1_760_000_500_000_000);
        StoredInbound {
            id: InboundId::new(1).unwrap(),
            address: format!("{channel}:shop/c1").parse().unwrap(),
            message: InboundMessage {
                user: Some("2001".to_owned()),
                name: Some("Anna".to_owned()),
                media: vec![InboundMedia::at(InboundKind::Image, "https://example.com/a.jpg")],
                raw: Some("{\"a\":1 }".to_owned()),
                ..InboundMessage::private(chat, "m1", "hello", at)
            },
            edited_at: None,
            deleted_at: None,
            reactions: domain::Reactions::default(),
        }
    }

    #[test]
    fn each_form_is_what_its_reader_expects() {
        let links = Links::new(None, "planted".into(), ambient::Clock::system());
        let read = |channel: &str, form| -> Value {
            serde_json::from_str(&forwarded(&stored(channel), form, &links).unwrap()).unwrap()
        };
        assert_eq!(forwarded(&stored("vk"), WebhookForm::Raw, &links).as_deref(), Some("{\"a\":1 }"));
        let message = read("vk", WebhookForm::Message);
        assert_eq!((&message["channel"], &message["external_chat_id"]), (&json!("vk"), &json!("c1")));
        assert_eq!(message["timestamp"], "2025-10-09T09:01:40.000000Z");
        assert_eq!(message["media"]["images"][0]["url"], "https://example.com/a.jpg");
        assert_eq!(message["meta"]["external_message_id"], "m1");
        assert_eq!(forwarded(&stored("avito"), WebhookForm::Legacy, &links).as_deref(), Some("{\"a\":1 }"));
        let file = json!({ "type": "image", "url": "https://example.com/a.jpg" });
        let whatsapp = json!({
            "chatId": "c1", "sender": "2001", "text": "hello", "messageId": "m1", "timestamp": 1_760_000_500,
            "senderName": "Anna", "pushname": "Anna", "media": file,
        });
        assert_eq!(read("whatsapp", WebhookForm::Legacy), whatsapp);
        let max = json!({
            "channel": "max", "message_id": "m1", "chat_id": "c1", "user_id": "2001", "user_name": "Anna", "text": "hello",
            "attachments": [file], "timestamp": 1_760_000_500_000_i64, "raw_data": { "a": 1 },
        });
        assert_eq!(read("max", WebhookForm::Legacy), max);
        let mut instagram = read("instagram", WebhookForm::Message);
        assert_eq!(instagram["external_message_id"], "m1");
        instagram["external_chat_id"] = "2001".into();
        assert_eq!(read("instagram", WebhookForm::Legacy), instagram);
    }

    #[test]
    fn forwarded_files_have_our_links_and_keep_other_fields() {
        let links = Links::new(Some("https://shop.example.com"), "planted".into(), ambient::Clock::system());
        let read = |channel: &str, form| -> Value {
            let mut stored = stored(channel);
            stored.message.raw = Some("{\"file\":\"https://example.com/a.jpg\"}".to_owned());
            let voice = InboundMedia::at(InboundKind::Voice, "https://example.com/a.ogg");
            let film = InboundMedia::at(InboundKind::Video, "https://example.com/a.mp4");
            stored.message.media.extend([voice, film]);
            serde_json::from_str(&forwarded(&stored, form, &links).unwrap()).unwrap()
        };
        let opens = |url: &Value, place| {
            let text = url.as_str().unwrap().strip_prefix("https://shop.example.com/media/").unwrap();
            let message = InboundId::new(1).unwrap();
            assert_eq!(links.open(text), Some(crate::Linked::Received { message, place }));
        };
        let message = read("telegram", WebhookForm::Message);
        opens(&message["media"]["images"][0]["url"], 0);
        opens(&message["media"]["voice_url"], 1);
        opens(&message["media"]["videos"][0]["url"], 2);
        assert_eq!(message["meta"]["raw"]["file"], "https://example.com/a.jpg");
        opens(&read("whatsapp", WebhookForm::Legacy)["media"]["url"], 0);
        opens(&read("max", WebhookForm::Legacy)["attachments"][2]["url"], 2);
        opens(&read("instagram", WebhookForm::Legacy)["media"]["voice_url"], 1);
        assert_eq!(read("avito", WebhookForm::Legacy)["file"], "https://example.com/a.jpg");
    }
}
