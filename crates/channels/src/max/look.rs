//! Whether a message arrived whose sending had no clear answer: the chat is read back.

use std::time::Duration;

use delivery::MessageLookup;
use domain::outcome::SentIds;
use domain::{ProviderId, Timestamp};
use outbound::Method;
use serde_json::Value;

use super::client::Client;
use super::recipient::Recipient;
use super::upload::Kind;
use crate::provider::Outgoing;
use crate::recent::Recent;

/// The clock of MAX may be so far behind ours.
pub(super) const CLOCKS_APART: Duration = Duration::from_secs(30);

/// Looks for a message of ours that may have been sent since then.
pub(super) async fn find(
    client: &Client,
    recent: &Recent,
    outgoing: &Outgoing,
    since: Timestamp,
) -> MessageLookup {
    let Ok(Recipient::Chat(chat)) = Recipient::of(&outgoing.chat) else { return MessageLookup::CannotTell };
    let Ok(own) = client.own_id().await else { return MessageLookup::CannotTell };
    let after = (client.by_its_clock(since).minus(CLOCKS_APART).as_micros() / 1_000).to_string();
    let query = [("chat_id", chat.to_string()), ("after", after), ("count", "100".to_owned())];
    let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let reply = client.call(Method::GET, "/messages", &query, None).await;
    let Some(messages) = reply.as_ref().ok().and_then(|reply| reply.get("messages")?.as_array()) else {
        return MessageLookup::CannotTell;
    };
    let mids = messages.iter().filter(|message| is_it(message, own, outgoing));
    let mids = mids.filter_map(|message| message.pointer("/body/mid")?.as_str());
    if let Some(mid) = mids.into_iter().find(|mid| !recent.has(mid)) {
        recent.add(mid);
        return MessageLookup::Here(SentIds::one(Some(ProviderId::from(mid))));
    }
    if messages.len() >= 100 { MessageLookup::CannotTell } else { MessageLookup::NotThere }
}

/// Whether a message is ours and says the same.
fn is_it(message: &Value, own: i64, outgoing: &Outgoing) -> bool {
    let text = message.pointer("/body/text").and_then(Value::as_str).unwrap_or_default();
    let attached = message.pointer("/body/attachments").and_then(Value::as_array);
    let kinds = attached.into_iter().flatten().filter_map(|one| one.get("type")?.as_str());
    let wanted = outgoing.files().map(|(file, _)| Kind::of(&file.form).as_str());
    message.pointer("/sender/user_id").and_then(Value::as_i64) == Some(own)
        && text.trim() == outgoing.text.text.trim()
        && kinds.filter(|kind| *kind != "inline_keyboard" && *kind != "share").eq(wanted)
}
