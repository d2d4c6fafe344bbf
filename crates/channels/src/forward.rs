//! A message that came in as it is posted on to another program. Pure.

use domain::{InboundKind, InboundMedia};
use serde_json::{Value, json};
use store::{StoredInbound, WebhookForm};

/// The body in which a message is posted on; none where it has none of this form.
pub fn forwarded(stored: &StoredInbound, form: WebhookForm) -> Option<String> {
    match form {
        WebhookForm::Message => Some(one_format(stored).to_string()),
        WebhookForm::Raw => stored.message.raw.clone(),
        WebhookForm::Legacy => legacy(stored),
    }
}

/// The one format of all channels.
pub fn one_format(stored: &StoredInbound) -> Value {
    let (message, address) = (&stored.message, &stored.address);
    let has = |kind: InboundKind| message.media.iter().any(|media| media.kind == kind);
    let voice = message.media.iter().find(|media| media.kind == InboundKind::Voice);
    let images: Vec<Value> = of_kind(&message.media, InboundKind::Image)
        .map(|media| json!({ "url": media.url, "file_id": media.file_id, "caption": message.text.as_str() }))
        .collect();
    let videos: Vec<Value> =
        of_kind(&message.media, InboundKind::Video).map(|media| json!({ "url": media.url })).collect();
    let raw = raw(stored);
    json!({
        "channel": address.channel.as_str(),
        "channel_account": address.account.as_str(),
        "external_user_id": message.user,
        "external_chat_id": address.chat.as_str(),
        "external_message_id": message.external_id,
        "text": message.text.as_str(),
        "timestamp": message.sent_at,
        "client_name": message.name,
        "client_phone": message.phone,
        "client_email": message.email,
        "media": {
            "has_voice": voice.is_some(),
            "voice_url": voice.and_then(|media| media.url.clone()),
            "voice_transcribed_text": null,
            "has_images": !images.is_empty(),
            "images": images,
            "has_video": has(InboundKind::Video),
            "videos": videos,
            "has_document": has(InboundKind::Document),
        },
        "meta": {
            "ad_channel": message.ad.as_ref().map(|ad| ad.channel.as_str()),
            "ad_id": message.ad.as_ref().and_then(|ad| ad.id.as_deref()),
            "external_message_id": message.external_id,
            "raw": raw,
        },
    })
}

/// As the old server of the channel posted it on.
fn legacy(stored: &StoredInbound) -> Option<String> {
    let message = &stored.message;
    let media = message.media.first();
    let body = match stored.address.channel.as_str() {
        // The workflow reads the provider's own body and fails on anything else.
        "avito" => return message.raw.clone(),
        "whatsapp" => json!({
            "chatId": stored.address.chat.as_str(),
            "sender": message.user,
            "text": message.text.as_str(),
            "messageId": message.external_id,
            "timestamp": message.sent_at.as_seconds(),
            "senderName": message.name,
            "pushname": message.name,
            "media": media.map(|media| json!({ "type": media.kind.as_str(), "url": media.url })),
        }),
        "max" => {
            let attachment = |media: &InboundMedia| json!({ "type": media.kind.as_str(), "url": media.url });
            json!({
                "channel": "max",
                "message_id": message.external_id,
                "chat_id": stored.address.chat.as_str(),
                "user_id": message.user,
                "user_name": message.name,
                "text": message.text.as_str(),
                "attachments": message.media.iter().map(attachment).collect::<Vec<_>>(),
                "timestamp": message.sent_at.as_micros() / 1_000,
                "raw_data": raw(stored),
            })
        }
        "instagram" => {
            let mut body = one_format(stored);
            body["external_chat_id"] = json!(message.user);
            body
        }
        _ => one_format(stored),
    };
    Some(body.to_string())
}

fn raw(stored: &StoredInbound) -> Option<Value> {
    stored.message.raw.as_deref().and_then(|raw| serde_json::from_str(raw).ok())
}

fn of_kind(media: &[InboundMedia], kind: InboundKind) -> impl Iterator<Item = &InboundMedia> {
    media.iter().filter(move |media| media.kind == kind)
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
                ..InboundMessage::text(chat, "m1", "hello", at)
            },
            edited_at: None,
            deleted_at: None,
        }
    }

    #[test]
    fn each_form_is_what_its_reader_expects() {
        let read = |channel: &str, form| -> Value {
            serde_json::from_str(&forwarded(&stored(channel), form).unwrap()).unwrap()
        };
        assert_eq!(forwarded(&stored("vk"), WebhookForm::Raw).as_deref(), Some("{\"a\":1 }"));
        let message = read("vk", WebhookForm::Message);
        assert_eq!((&message["channel"], &message["external_chat_id"]), (&json!("vk"), &json!("c1")));
        assert_eq!(message["timestamp"], "2025-10-09T09:01:40.000000Z");
        assert_eq!(message["media"]["images"][0]["url"], "https://example.com/a.jpg");
        assert_eq!(message["meta"]["external_message_id"], "m1");
        assert_eq!(forwarded(&stored("avito"), WebhookForm::Legacy).as_deref(), Some("{\"a\":1 }"));
        let whatsapp = read("whatsapp", WebhookForm::Legacy);
        assert_eq!((&whatsapp["chatId"], &whatsapp["timestamp"]), (&json!("c1"), &json!(1_760_000_500)));
        assert_eq!(read("max", WebhookForm::Legacy)["raw_data"]["a"], 1);
        assert_eq!(read("instagram", WebhookForm::Legacy)["external_chat_id"], "2001");
    }
}
