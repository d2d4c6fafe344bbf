//! A batch as other programs get it: the one format of all channels, with all that was written as one text. Pure.

use std::time::Duration;

use domain::{InboundKind, InboundMedia, VOICE_MARK};
use serde_json::{Map, Value, json};
use store::{ClientMessage, Disclosure, StoredTurn};

/// What a turn is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TurnContext {
    /// The messages of the batch, in order.
    pub messages: Vec<ClientMessage>,
    /// What other programs may read of the client.
    pub disclosed: Disclosure,
    /// What came with the messages beside the format.
    pub beside: Map<String, Value>,
    /// So long after its first message the batch is complete in any case.
    pub longest: Duration,
}

/// The body of a batch, made of its messages in order: the first one is its base, the texts are joined by an empty line.
pub fn batch(turn: &StoredTurn, context: &TurnContext) -> Value {
    let TurnContext { messages, disclosed, beside, longest } = context;
    let Disclosure { chat_type, is_proved, client, appeal, writer_identity, .. } = disclosed;
    let (client, appeal) = (client.as_ref(), appeal.as_ref());
    let kept: Vec<&ClientMessage> = messages.iter().filter(|message| message.deleted_at.is_none()).collect();
    let texts: Vec<&str> =
        kept.iter().map(|message| message.text.as_str()).filter(|text| !text.is_empty()).collect();
    let transcripts: Vec<&str> =
        texts.iter().filter_map(|text| Some(text.split_once(VOICE_MARK)?.1)).collect();
    let first = kept.first();
    let external_id = first.and_then(|message| message.external_id.as_deref());
    let reason = match first {
        Some(first) if turn.created_at >= first.at.plus(*longest) => "max_wait_timeout",
        _ => "silence_reached",
    };
    let identity = |kind: &str| {
        writer_identity.identities.iter().find(|known| known.kind == kind).map(|known| known.value.as_str())
    };
    let media: Vec<_> = kept
        .iter()
        .flat_map(|message| message.media.iter().map(move |media| (media, message.text.as_str())))
        .collect();
    let originals: Vec<Value> = kept
        .iter()
        .map(|message| {
            let mut kinds = message.media.iter().map(|media| media.kind);
            let kind = kinds.find(|kind| *kind != InboundKind::Reply).map_or("text", InboundKind::as_str);
            json!({
                "id": message.message,
                "external_message_id": message.external_id,
                "timestamp": message.at,
                "type": kind,
                "text_length": message.text.chars().count(),
                "reply_text": InboundMedia::reply_text(&message.media),
                "sender_name": message.sender,
            })
        })
        .collect();
    let mut body = json!({
        "turn_id": turn.id,
        "channel": turn.chat.channel.as_str(),
        "channel_account": turn.chat.account.as_str(),
        "external_chat_id": turn.chat.chat.as_str(),
        "chat_type": chat_type.as_str(),
        "client_is_proved": is_proved,
        "external_user_id": writer_identity.user,
        "external_message_id": external_id,
        "text": texts.join("\n\n"),
        "timestamp": first.map(|message| message.at),
        "skip": false,
        "client_name": client.and_then(|client| client.name.as_deref()),
        "client_phone": client.and_then(|client| client.phone.as_deref()),
        "client_email": client.and_then(|client| client.email.as_deref()),
        "client": client.map(|client| json!({
            "id": client.id, "name": client.name, "phone": client.phone, "email": client.email,
            "telegram_id": identity("telegram"), "vk_id": identity("vk"), "whatsapp_id": identity("whatsapp"),
            "avito_id": identity("avito"), "max_id": identity("max"), "instagram_id": identity("instagram"),
            "was_merged": writer_identity.was_merged,
        })),
        "client_found": client.is_some(),
        "appeal": appeal.map(|appeal| json!({
            "id": appeal.id, "status": appeal.state.as_str(), "tags": appeal.tags, "opened_at": appeal.opened_at,
        })),
        "media": media_of(&media, &transcripts),
        "meta": {
            "ad_channel": appeal.and_then(|appeal| appeal.ad.as_ref()).map(|ad| ad.channel.as_str()),
            "ad_id": appeal.and_then(|appeal| appeal.ad.as_ref()).and_then(|ad| ad.id.as_deref()),
            "external_message_id": external_id,
            "user_id": writer_identity.user,
            "chat_id": turn.chat.chat.as_str(),
            "batched": true,
            "batch_reason": reason,
            "batch_size": kept.len(),
            "original_messages": originals,
            "combined_at": turn.created_at,
        },
    });
    with(&mut body, beside.clone());
    body
}

/// Adds what came beside the format.
pub(crate) fn with(body: &mut Value, beside: Map<String, Value>) {
    if let Value::Object(fields) = body {
        fields.extend(beside);
    }
}

/// What is attached, each with the text of its message, in the one format.
pub(crate) fn media_of(media: &[(&InboundMedia, &str)], transcripts: &[&str]) -> Value {
    let attached = media.iter().filter(|(media, _)| media.kind != InboundKind::Reply);
    let with_text = |kind: InboundKind| media.iter().filter(move |(media, _)| media.kind == kind);
    let of = |kind: InboundKind| with_text(kind).map(|(media, _)| *media);
    let has = |kind: InboundKind| of(kind).next().is_some();
    json!({
        "has_voice": has(InboundKind::Voice),
        "voice_url": of(InboundKind::Voice).find_map(|media| media.url.as_deref()),
        "voice_transcribed_text": Some(transcripts.join("\n\n")).filter(|text| !text.is_empty()),
        "has_images": has(InboundKind::Image),
        "images": with_text(InboundKind::Image)
            .map(|(media, text)| json!({ "url": media.url, "file_id": media.file_id, "caption": text }))
            .collect::<Vec<_>>(),
        "has_video": has(InboundKind::Video),
        "videos": of(InboundKind::Video).map(|media| json!({ "url": media.url })).collect::<Vec<_>>(),
        "has_document": has(InboundKind::Document),
        "kinds": attached.map(|(media, _)| media.kind.as_str()).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use domain::{Author, ContactProof, InboundMedia, Timestamp, TurnId, TurnStage};
    use store::WriterIdentity;

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
            formatted: None,
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
            sender: None,
            sender_proof: ContactProof::ChannelId,
            mentions_us: false,
        }
    }

    #[test]
    fn a_batch_is_one_text_and_all_media() {
        let image = InboundMedia::at(InboundKind::Image, "https://example.com/a.jpg");
        let mut gone = message(3, "taken back", Vec::new());
        gone.deleted_at = Some(turn().created_at);
        let messages = [
            message(1, "Hello", Vec::new()),
            message(2, "It is this one", vec![image]),
            gone,
            message(4, "Bye", Vec::new()),
        ];
        let writer_identity = WriterIdentity { user: Some("2001".to_owned()), ..WriterIdentity::default() };
        let mut context = TurnContext {
            messages: messages.to_vec(),
            disclosed: Disclosure { writer_identity, ..Disclosure::default() },
            longest: Duration::from_mins(5),
            ..TurnContext::default()
        };
        let body = batch(&turn(), &context);
        assert_eq!(body["text"], "Hello\n\nIt is this one\n\nBye");
        assert_eq!(body["external_message_id"], "m-1");
        let image =
            json!({ "url": "https://example.com/a.jpg", "file_id": null, "caption": "It is this one" });
        assert_eq!(body["media"]["images"], json!([image]));
        assert_eq!((&body["meta"]["batch_size"], &body["meta"]["batched"]), (&json!(3), &json!(true)));
        assert_eq!(
            (&body["external_user_id"], &body["meta"]["external_message_id"], &body["client_found"]),
            (&json!("2001"), &json!("m-1"), &json!(false))
        );
        assert_eq!(body["meta"]["batch_reason"], "silence_reached");
        context.messages[0].at = turn().created_at.minus(context.longest);
        assert_eq!(batch(&turn(), &context)["meta"]["batch_reason"], "max_wait_timeout");
    }
}
