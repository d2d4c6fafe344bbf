//! A batch as other programs get it: the one format of all channels, with all that was written as one text. Pure.

use domain::{InboundKind, VOICE_MARK};
use serde_json::{Value, json};
use store::{ClientMessage, StoredAppeal, StoredClient, StoredTurn};

/// The body of a batch, made of its messages in order: the first one is its base, the texts are joined by an empty line.
pub fn batch(
    turn: &StoredTurn,
    messages: &[ClientMessage],
    client: Option<&StoredClient>,
    appeal: Option<&StoredAppeal>,
) -> Value {
    let kept: Vec<&ClientMessage> = messages.iter().filter(|message| message.deleted_at.is_none()).collect();
    let texts: Vec<&str> =
        kept.iter().map(|message| message.text.as_str()).filter(|text| !text.is_empty()).collect();
    let heard: Vec<&str> = texts.iter().filter_map(|text| Some(text.split_once(VOICE_MARK)?.1)).collect();
    let first = kept.first();
    let media = || kept.iter().flat_map(|message| &message.media);
    let has = |kind: InboundKind| media().any(|media| media.kind == kind);
    let of = |kind: InboundKind| media().filter(move |media| media.kind == kind);
    let originals: Vec<Value> = kept
        .iter()
        .map(|message| {
            let kind = message.media.first().map_or("text", |media| media.kind.as_str());
            json!({
                "id": message.message,
                "external_message_id": message.external_id,
                "timestamp": message.at,
                "type": kind,
                "text_length": message.text.chars().count(),
            })
        })
        .collect();
    json!({
        "turn_id": turn.id,
        "channel": turn.chat.channel.as_str(),
        "channel_account": turn.chat.account.as_str(),
        "external_chat_id": turn.chat.chat.as_str(),
        "external_message_id": first.and_then(|message| message.external_id.as_deref()),
        "text": texts.join("\n\n"),
        "timestamp": first.map(|message| message.at),
        "client_name": client.and_then(|client| client.name.as_deref()),
        "client_phone": client.and_then(|client| client.phone.as_deref()),
        "client_email": client.and_then(|client| client.email.as_deref()),
        "client": client.map(|client| json!({
            "id": client.id, "name": client.name, "phone": client.phone, "email": client.email,
        })),
        "appeal": appeal.map(|appeal| json!({
            "id": appeal.id, "status": appeal.state.as_str(), "tags": appeal.tags, "opened_at": appeal.opened_at,
        })),
        "media": {
            "has_voice": has(InboundKind::Voice),
            "voice_url": of(InboundKind::Voice).find_map(|media| media.url.as_deref()),
            "voice_transcribed_text": Some(heard.join("\n\n")).filter(|heard| !heard.is_empty()),
            "has_images": has(InboundKind::Image),
            "images": of(InboundKind::Image)
                .map(|media| json!({ "url": media.url, "file_id": media.file_id }))
                .collect::<Vec<_>>(),
            "has_video": has(InboundKind::Video),
            "has_document": has(InboundKind::Document),
        },
        "meta": {
            "ad_channel": appeal.and_then(|appeal| appeal.ad.as_ref()).map(|ad| ad.channel.as_str()),
            "ad_id": appeal.and_then(|appeal| appeal.ad.as_ref()).and_then(|ad| ad.id.as_deref()),
            "batched": true,
            "batch_size": kept.len(),
            "original_messages": originals,
            "combined_at": turn.created_at,
        },
    })
}

#[cfg(test)]
mod tests {
    use domain::{Author, InboundMedia, Timestamp, TurnId, TurnStage};

    use super::*;

    fn turn() -> StoredTurn {
        let at = Timestamp::from_micros(1_760_000_500_000_000);
        StoredTurn {
            id: TurnId::MIN,
            chat: "avito:shop/u2i-1".parse().unwrap(),
            stage: TurnStage::Respond,
            client: None,
            appeal: None,
            responder: None,
            discards: 0,
            created_at: at,
            stage_at: at,
            due_at: at,
            tries: 0,
            answer: None,
            needs_approval: false,
            why: None,
            outbox_id: None,
        }
    }

    fn message(seq: i64, text: &str, media: Vec<InboundMedia>) -> ClientMessage {
        ClientMessage {
            seq,
            chat: turn().chat,
            author: Author::Client,
            client: None,
            appeal: None,
            turn: Some(TurnId::MIN),
            message: format!("rcv_{seq}"),
            external_id: Some(format!("m-{seq}")),
            text: text.into(),
            media,
            at: turn().created_at,
            edited_at: None,
            deleted_at: None,
        }
    }

    #[test]
    fn a_batch_is_one_text_and_all_media() {
        let image = InboundMedia::at(InboundKind::Image, "https://example.com/a.jpg");
        let mut gone = message(3, "taken back", Vec::new());
        gone.deleted_at = Some(turn().created_at);
        let messages = [
            message(1, "Hello", Vec::new()),
            message(2, "", vec![image]),
            gone,
            message(4, "Bye", Vec::new()),
        ];
        let body = batch(&turn(), &messages, None, None);
        assert_eq!(body["text"], "Hello\n\nBye");
        assert_eq!(body["external_message_id"], "m-1");
        assert_eq!(body["media"]["images"][0]["url"], "https://example.com/a.jpg");
        assert_eq!((&body["meta"]["batch_size"], &body["meta"]["batched"]), (&json!(3), &json!(true)));
    }
}
