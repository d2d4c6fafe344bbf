//! Asking VK what came in: a call that waits for the next, from a place in a short log.

use std::collections::HashSet;
use std::time::Duration;

use ambient::lock::Mutex;
use domain::secret::ExposeSecret;
use domain::{InboundEvent, SecretText};
use serde_json::Value;

use super::client::{Client, VERSION};
use super::history::last_of;
use super::inbound::{KINDS, events, external_id};
use crate::error::CallError;
use crate::http::LARGEST;
use crate::provider::Polled;

/// How long a call waits for the first.
const WAIT: Duration = Duration::from_secs(25);
/// What its answer may take beyond that.
const BEYOND: Duration = Duration::from_secs(15);
/// How many unread chats one call lists, and how many one poll looks through after a gap. The next poll looks through the others.
const PAGE: usize = 200;
const CHATS: usize = 50;
/// What is between the place in the log and the number of chats in the cursor of a gap.
const SEEN: char = '+';
/// The most pages of that list.
const PAGES: usize = 100;
/// A message that is older is not looked for: its row may be past its time, and it would come in as a new one.
const LOOKS_BACK: Duration = Duration::from_hours(30 * 24);

/// What is known between two polls.
#[derive(Default)]
pub(super) struct LongPoll {
    /// The server that is asked, while its key is good.
    server: Mutex<Option<Server>>,
    gap: Mutex<Option<Gap>>,
}

/// A gap in the log, until all unread chats are looked through.
#[derive(Clone)]
struct Gap {
    /// The place from which the log was lost.
    ts: String,
    /// Where the log goes on. What comes in meanwhile is there.
    next: String,
    seen: HashSet<i64>,
}

#[derive(Clone)]
struct Server {
    url: String,
    key: SecretText,
}

/// What came in since the cursor. The first poll begins with the present.
pub(super) async fn poll(
    client: &Client,
    long_poll: &LongPoll,
    cursor: Option<&str>,
) -> Result<Polled, CallError> {
    let gap = long_poll.gap.lock().clone();
    if let Some(gap) = gap.filter(|gap| cursor == Some(&gap.cursor())) {
        return look_through(client, long_poll, gap).await;
    }
    // Otherwise what was looked through is not kept, and it is done again.
    let cursor = cursor.and_then(|cursor| cursor.split(SEEN).next());
    let known = long_poll.server.lock().clone();
    let (server, ts) = match (known, cursor) {
        (Some(server), Some(ts)) => (server, ts.to_owned()),
        (_, cursor) => {
            let newest = connect(client, long_poll).await?;
            let Some(ts) = cursor else { return Ok(polled(Vec::new(), newest)) };
            let server = long_poll.server.lock().clone();
            let none = || CallError::Unreached("the server of the long poll is not known".to_owned());
            (server.ok_or_else(none)?, ts.to_owned())
        }
    };
    let wait = WAIT.as_secs().to_string();
    let query = [("act", "a_check"), ("key", server.key.expose_secret()), ("ts", &ts), ("wait", &wait)];
    let request = client.http().get(&server.url).query(&query);
    let answer = client.http().call_within(request, WAIT + BEYOND, LARGEST).await?;
    if !answer.is_success() {
        *long_poll.server.lock() = None;
        return Err(CallError::Server(answer.status.to_string()));
    }
    let reply: Value = answer.json()?;
    let next = word(&reply["ts"]);
    match (reply["failed"].as_i64(), next) {
        (None, Some(next)) => {
            let all = reply["updates"].as_array().into_iter().flatten();
            let now = client.clock().now();
            let found = all.flat_map(|update| events(update, client.group(), now)).collect();
            Ok(polled(found, next))
        }
        // The log does not reach back so far: what is unread is looked for.
        (Some(1), Some(next)) => look_through(client, long_poll, Gap::new(ts, next)).await,
        (Some(2), _) => {
            connect(client, long_poll).await?;
            Ok(polled(Vec::new(), ts))
        }
        (Some(_), _) => {
            let newest = connect(client, long_poll).await?;
            look_through(client, long_poll, Gap::new(ts, newest)).await
        }
        (None, None) => Err(CallError::Unreadable("no ts in it".to_owned())),
    }
}

fn polled(events: Vec<InboundEvent>, ts: String) -> Polled {
    Polled { events, cursor: Some(ts), more: true }
}

/// A number that may be written as text.
fn word(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned).or_else(|| value.as_i64().map(|number| number.to_string()))
}

/// Has the log written, and gets a server and a key: the place at its end.
async fn connect(client: &Client, long_poll: &LongPoll) -> Result<String, CallError> {
    if long_poll.server.lock().is_none() {
        let kinds = KINDS.iter().map(|kind| (*kind, "1"));
        let settings: Vec<(&str, &str)> =
            [("enabled", "1"), ("api_version", VERSION)].into_iter().chain(kinds).collect();
        client.of_group("groups.setLongPollSettings", &settings).await?;
    }
    let reply = client.of_group("groups.getLongPollServer", &[]).await?;
    let (Some(url), Some(key), Some(ts)) =
        (reply["server"].as_str(), reply["key"].as_str(), word(&reply["ts"]))
    else {
        return Err(CallError::Unreadable("no server, key or ts in it".to_owned()));
    };
    let url = if url.starts_with("http") { url.to_owned() } else { format!("https://{url}") };
    *long_poll.server.lock() = Some(Server { url, key: key.to_owned().into() });
    Ok(ts)
}

impl Gap {
    fn new(ts: String, next: String) -> Self {
        Self { ts, next, seen: HashSet::new() }
    }

    /// The old place, and how many chats are looked through: it is kept with what was found in them.
    fn cursor(&self) -> String {
        format!("{}{SEEN}{}", self.ts, self.seen.len())
    }
}

/// The messages that were not read, of the next chats after a gap in the log.
async fn look_through(client: &Client, long_poll: &LongPoll, mut gap: Gap) -> Result<Polled, CallError> {
    let unread = unseen(client, &gap.seen).await?;
    let earliest = client.clock().now().minus(LOOKS_BACK).as_seconds();
    let mut found = Vec::new();
    for (peer, count) in unread.iter().take(CHATS) {
        found.extend(last_of(client, *peer, *count, earliest).await?);
        gap.seen.insert(*peer);
    }
    let is_through = unread.len() <= CHATS;
    let cursor = if is_through { gap.next.clone() } else { gap.cursor() };
    *long_poll.gap.lock() = (!is_through).then_some(gap);
    Ok(polled(found, cursor))
}

/// Unread chats that were not seen, with how many messages are unread: more than [`CHATS`] where there are as many. A chat that is
/// read meanwhile moves the others, so that the list is read from its beginning.
async fn unseen(client: &Client, seen: &HashSet<i64>) -> Result<Vec<(i64, u64)>, CallError> {
    let mut unread = Vec::new();
    for page in 0..PAGES {
        let (offset, count) = ((page * PAGE).to_string(), PAGE.to_string());
        let parameters = [("filter", "unread"), ("offset", offset.as_str()), ("count", count.as_str())];
        let reply = client.of_group("messages.getConversations", &parameters).await?;
        let items = reply["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        for conversation in items.iter().map(|item| &item["conversation"]) {
            let peer = conversation["peer"]["id"].as_i64().filter(|peer| !seen.contains(peer));
            let Some(peer) = peer else { continue };
            if unread.iter().all(|(known, _)| *known != peer) {
                unread.push((peer, conversation["unread_count"].as_u64().unwrap_or(1)));
            }
        }
        if items.len() < PAGE || unread.len() > CHATS {
            break;
        }
    }
    Ok(unread)
}

/// The id of a message that was read from a history.
pub(super) fn id_of(message: &Value) -> Option<String> {
    Some(external_id(message["peer_id"].as_i64()?, message["conversation_message_id"].as_i64()?))
}
