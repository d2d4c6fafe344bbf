//! Messages of chats as VK keeps them: what came in while nothing was reported.

use domain::{InboundChange, InboundEvent, Timestamp};
use serde_json::Value;

use super::client::Client;
use super::inbound::{is_notice, message};
use crate::error::CallError;
use crate::histories::Histories;

/// The most chats that one call lists, and the most messages of a chat that it reads.
const PAGE: usize = 200;
/// The most pages of the list.
const PAGES: usize = 50;

/// Returns the messages since then, of the chats that moved since.
///
/// # Errors
/// VK refuses it, or no answer came.
pub(super) async fn since(client: &Client, since: Timestamp) -> Result<Histories, CallError> {
    let earliest = client.http().by_its_clock(since).as_seconds();
    let mut read = Histories::default();
    for page in 0..PAGES {
        let (offset, count) = ((page * PAGE).to_string(), PAGE.to_string());
        let parameters = [("filter", "all"), ("offset", offset.as_str()), ("count", count.as_str())];
        let reply = client.of_group("messages.getConversations", &parameters).await?;
        let items = reply["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        // The chats that moved last come first.
        let moved = |item: &&Value| item["last_message"]["date"].as_i64().is_none_or(|date| date >= earliest);
        let peers = items.iter().take_while(moved).map(|item| item["conversation"]["peer"]["id"].as_i64());
        let peers: Vec<Option<i64>> = peers.collect();
        for peer in peers.iter().flatten() {
            match last_of(client, *peer, PAGE as u64, earliest).await {
                Ok(messages) => read.events.extend(messages),
                Err(error) => read.fail(&peer.to_string(), error)?,
            }
        }
        if peers.len() < PAGE {
            break;
        }
    }
    Ok(read)
}

/// Returns the last messages of a chat that are not older, oldest first.
pub(super) async fn last_of(
    client: &Client,
    peer: i64,
    count: u64,
    earliest: i64,
) -> Result<Vec<InboundEvent>, CallError> {
    let parameters = [("peer_id", peer.to_string()), ("count", count.clamp(1, PAGE as u64).to_string())];
    let parameters = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>();
    let history = client.call("messages.getHistory", &parameters).await?;
    let all = history["items"].as_array().into_iter().flatten().rev();
    let recent = all.filter(|raw| raw["date"].as_i64().is_none_or(|date| date >= earliest));
    let now = client.clock().now();
    let found = recent.filter(|raw| !is_notice(raw)).map(|raw| {
        let Some(message) = message(raw, client.group(), raw, now) else {
            return InboundEvent::lost("a message of a history").with_raw(|| raw.to_string());
        };
        let key = format!("message:{}", message.external_id);
        InboundEvent { key, change: InboundChange::Message(Box::new(message)) }
    });
    Ok(found.collect())
}
