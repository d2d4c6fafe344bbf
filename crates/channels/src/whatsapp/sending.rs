//! A message is sent: a text, or a file in the body or by a link of ours.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::media::MediaForm;
use domain::outcome::{RejectionCode, SentIds};
use domain::{ExternalChat, Outcome, ProviderId};
use serde_json::{Value, json};

use super::client::Client;
use super::inbound::ADDRESSES;
use super::look;
use crate::error::CallError;
use crate::http::{ANSWER, UPLOAD};
use crate::provider::{Outgoing, OutgoingFile};
use crate::recent::Recent;

const MIB: u64 = 1024 * 1024;
/// A larger file is fetched by Wappi, where it has an address.
const LINKED_FROM: u64 = 5 * MIB;
/// The largest file that a body carries.
const LARGEST_BODY: u64 = 32 * MIB;

/// Sends a message once.
pub(super) async fn send(client: &Client, recent: &Recent, outgoing: &Outgoing) -> Outcome {
    let now = client.clock().now();
    let recipient = match recipient(&outgoing.chat) {
        Ok(recipient) => recipient,
        Err(error) => return error.outcome(now),
    };
    let (path, body) = match call(&recipient, outgoing).await {
        Ok(call) => call,
        Err(outcome) => return outcome,
    };
    let limit = if outgoing.file.is_some() { UPLOAD } else { ANSWER };
    match client.post(path, &[], &body, limit).await {
        Ok(reply) => {
            let id = match id_of(&reply) {
                Some(id) => Some(id),
                None if reply.get("status").is_none() && reply.get("task_id").is_none() => {
                    let error = CallError::Unreadable("200 that does not say what was done".to_owned());
                    return error.outcome(client.clock().now());
                }
                // It was taken; its id is in the chat.
                None => look::id_of_sent(client, recent, outgoing, now).await,
            };
            if let Some(id) = &id {
                recent.add(id);
            }
            Outcome::Sent(SentIds::one(id.as_deref().map(ProviderId::from)))
        }
        Err(error) => error.outcome(client.clock().now()),
    }
}

/// What a call names a chat: the digits of a person, anything else whole.
///
/// # Errors
/// It can be no chat of WhatsApp.
pub(super) fn recipient(chat: &ExternalChat) -> Result<String, CallError> {
    let text = chat.as_str();
    let digits = text.strip_suffix("@c.us").unwrap_or(text);
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    if !digits.is_empty() && digits.bytes().all(|one| one.is_ascii_digit()) {
        return Ok(digits.to_owned());
    }
    if text.ends_with("@g.us") || text.ends_with("@lid") {
        return Ok(text.to_owned());
    }
    Err(CallError::NotFound(ADDRESSES.to_owned()))
}

async fn call(recipient: &str, outgoing: &Outgoing) -> Result<(&'static str, Value), Outcome> {
    let text = outgoing.text.text.as_str();
    let Some(file) = &outgoing.file else {
        let mut body = json!({ "recipient": recipient, "body": text });
        if let Some(id) = &outgoing.reply_to {
            body["quoted_message_id"] = id.to_string().into();
        }
        return Ok(("/api/sync/message/send", body));
    };
    let is_voice = matches!(file.form, MediaForm::Voice { .. });
    if is_voice && !text.is_empty() {
        return Err(rejected(
            "voice_has_no_caption: WhatsApp shows no text with a voice message; send the text by itself",
        ));
    }
    if let Some(link) = link_of(file) {
        let body = json!({ "recipient": recipient, "url": link, "file_name": file.name, "caption": text });
        return Ok(("/api/sync/message/file/url/send", body));
    }
    if file.size > LARGEST_BODY {
        return Err(rejected(if is_voice {
            "too_large: a voice message has at most 32 MB"
        } else {
            "too_large: a file of more than 32 MB is fetched from an address of ours; set `public_url`"
        }));
    }
    in_body(recipient, text, file).await
}

/// The address at which Wappi fetches a file, where it goes by that.
pub(super) fn link_of(file: &OutgoingFile) -> Option<&str> {
    let is_voice = matches!(file.form, MediaForm::Voice { .. });
    file.link.as_deref().filter(|_| file.size > LINKED_FROM && !is_voice)
}

async fn in_body(recipient: &str, text: &str, file: &OutgoingFile) -> Result<(&'static str, Value), Outcome> {
    let content = STANDARD.encode(file.read().await?);
    let path = match file.form {
        MediaForm::Voice { .. } => {
            let body = json!({ "recipient": recipient, "b64_file": content });
            return Ok(("/api/sync/message/audio/send", body));
        }
        MediaForm::Photo { .. } => "/api/sync/message/img/send",
        MediaForm::Video { .. } | MediaForm::Animation { .. } => "/api/sync/message/video/send",
        MediaForm::Audio { .. } | MediaForm::Document => "/api/sync/message/document/send",
    };
    let body =
        json!({ "recipient": recipient, "b64_file": content, "file_name": file.name, "caption": text });
    Ok((path, body))
}

fn id_of(reply: &Value) -> Option<String> {
    let ids =
        ["/message_id", "/id", "/message/id"].iter().find_map(|pointer| reply.pointer(pointer)?.as_str());
    ids.filter(|id| !id.is_empty()).map(str::to_owned)
}

fn rejected(words: &str) -> Outcome {
    Outcome::Rejected { code: RejectionCode::Provider(words.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chats_are_named_as_calls_want_them() {
        for (chat, wanted) in [
            ("70000000001@c.us", Some("70000000001")),
            ("+70000000001", Some("70000000001")),
            ("120363@g.us", Some("120363@g.us")),
            ("777@lid", Some("777@lid")),
            ("status@broadcast", None),
            ("someone", None),
            ("+", None),
        ] {
            let named = recipient(&ExternalChat::new(chat).unwrap());
            assert_eq!(named.ok().as_deref(), wanted, "{chat}");
        }
    }

    #[test]
    fn the_id_is_where_it_is_found_first() {
        for (reply, wanted) in [
            (json!({"message_id": "a", "id": "b"}), Some("a")),
            (json!({"id": "b", "message": {"id": "c"}}), Some("b")),
            (json!({"message": {"id": "c"}}), Some("c")),
            (json!({"task_id": "d"}), None),
            (json!({"message_id": ""}), None),
        ] {
            assert_eq!(id_of(&reply).as_deref(), wanted, "{reply}");
        }
    }
}
