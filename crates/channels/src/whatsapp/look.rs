//! Whether a message arrived whose sending had no clear answer, and under which id: the chat is read back.

use std::time::Duration;

use delivery::MessageLookup;
use domain::media::MediaForm;
use domain::outcome::SentIds;
use domain::{ProviderId, Timestamp};
use serde_json::Value;

use super::client::Client;
use super::sending::{link_of, recipient};
use crate::error::CallError;
use crate::provider::Outgoing;
use crate::recent::Recent;

/// The clock of Wappi may be so far behind ours.
const CLOCKS_APART: Duration = Duration::from_secs(30);
/// As many of the last messages of a chat are read.
const READ: usize = 50;

/// Looks for a message of ours that may have been sent since then.
pub(super) async fn find(
    client: &Client,
    recent: &Recent,
    outgoing: &Outgoing,
    since: Timestamp,
) -> MessageLookup {
    match look(client, recent, outgoing, since).await {
        Ok(Some(id)) => {
            recent.add(&id);
            MessageLookup::Here(SentIds::one(Some(ProviderId::from(id.as_str()))))
        }
        Ok(None) => MessageLookup::NotThere,
        Err(_) => MessageLookup::CannotTell,
    }
}

/// The id of a message that was certainly sent, where the chat shows it.
pub(super) async fn id_of_sent(
    client: &Client,
    recent: &Recent,
    outgoing: &Outgoing,
    since: Timestamp,
) -> Option<String> {
    look(client, recent, outgoing, since).await.ok().flatten()
}

/// The id, if it is there; an error where the chat cannot be read far enough.
async fn look(
    client: &Client,
    recent: &Recent,
    outgoing: &Outgoing,
    since: Timestamp,
) -> Result<Option<String>, CallError> {
    let recipient = recipient(&outgoing.chat)?;
    let chat = if recipient.contains('@') { recipient } else { format!("{recipient}@c.us") };
    let limit = READ.to_string();
    let query = [("chat_id", chat.as_str()), ("limit", limit.as_str()), ("order", "desc")];
    let reply = client.get("/api/sync/messages/get", &query).await?;
    let messages = reply.get("messages").and_then(Value::as_array);
    let messages = messages.ok_or_else(|| CallError::Unreadable("a chat without messages".to_owned()))?;
    let earliest = client.by_its_clock(since).minus(CLOCKS_APART).as_seconds();
    let found = messages.iter().filter(|message| is_it(message, outgoing, earliest));
    let mut ids = found.filter_map(|message| message.get("id")?.as_str());
    let id = ids.find(|id| !recent.has(id)).map(str::to_owned);
    let is_new =
        |message: &Value| message.get("time").and_then(Value::as_i64).is_some_and(|time| time >= earliest);
    // Where the page is full of later ones, it may be on the next.
    if id.is_none() && messages.len() >= READ && messages.iter().all(is_new) {
        return Err(CallError::Unreadable("more messages than are read".to_owned()));
    }
    Ok(id)
}

/// Whether a message is ours, says the same, and is not older.
fn is_it(message: &Value, outgoing: &Outgoing, earliest: i64) -> bool {
    let word = |name: &str| message.get(name).and_then(Value::as_str).unwrap_or_default();
    let is_own =
        ["fromMe", "is_me"].iter().any(|name| message.get(name).and_then(Value::as_bool) == Some(true));
    let is_new = message.get("time").and_then(Value::as_i64).is_none_or(|time| time >= earliest);
    let is_linked = outgoing.file.as_ref().is_some_and(|file| link_of(file).is_some());
    let (kinds, text): (&[&str], &str) = match outgoing.file.as_ref().map(|file| &file.form) {
        None => (&["chat", "text"], word("body")),
        // Wappi chooses by the ending of the name.
        Some(_) if is_linked => (&["image", "video", "document", "audio"], word("caption")),
        Some(MediaForm::Photo { .. }) => (&["image"], word("caption")),
        Some(MediaForm::Video { .. } | MediaForm::Animation { .. }) => (&["video"], word("caption")),
        Some(MediaForm::Voice { .. }) => (&["ptt", "audio"], ""),
        Some(MediaForm::Audio { .. } | MediaForm::Document) => (&["document", "audio"], word("caption")),
    };
    let named =
        message.get("file_name").or_else(|| message.pointer("/body/fileName")).and_then(Value::as_str);
    let is_named = match (&outgoing.file, named) {
        (Some(file), Some(name)) if is_linked || word("type") == "document" => file.name == name,
        _ => true,
    };
    is_own && is_new && is_named && kinds.contains(&word("type")) && text.trim() == outgoing.text.text.trim()
}
