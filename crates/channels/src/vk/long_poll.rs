//! Asking VK what came in: a call that waits for the next, from a place in a short log.

use std::time::Duration;

use ambient::lock::Mutex;
use domain::secret::ExposeSecret;
use domain::{InboundChange, InboundEvent, SecretText};
use serde_json::Value;

use super::client::{Client, VERSION};
use super::inbound::{KINDS, events, external_id, is_notice, message};
use crate::error::CallError;
use crate::http::LARGEST;
use crate::provider::Polled;

/// How long a call waits for the first.
const WAIT: Duration = Duration::from_secs(25);
/// What its answer may take beyond that.
const BEYOND: Duration = Duration::from_secs(15);
/// So many chats are looked through after a gap, and so many messages in each.
const CHATS: &str = "50";
/// A message that is older is not looked for: its row may be past its time, and it would come in as a new one.
const LOOKS_BACK: Duration = Duration::from_hours(30 * 24);

/// The server that is asked, while its key is good.
#[derive(Default)]
pub(super) struct LongPoll(Mutex<Option<Server>>);

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
    let known = long_poll.0.lock().clone();
    let (server, ts) = match (known, cursor) {
        (Some(server), Some(ts)) => (server, ts.to_owned()),
        (_, cursor) => {
            let newest = connect(client, long_poll).await?;
            let Some(ts) = cursor else { return Ok(polled(Vec::new(), newest)) };
            let server = long_poll.0.lock().clone();
            let none = || CallError::Unreached("the server of the long poll is not known".to_owned());
            (server.ok_or_else(none)?, ts.to_owned())
        }
    };
    let wait = WAIT.as_secs().to_string();
    let query = [("act", "a_check"), ("key", server.key.expose_secret()), ("ts", &ts), ("wait", &wait)];
    let request = client.http().get(&server.url).query(&query);
    let answer = client.http().call_within(request, WAIT + BEYOND, LARGEST).await?;
    if !answer.is_success() {
        *long_poll.0.lock() = None;
        return Err(CallError::Server(answer.status.to_string()));
    }
    let reply: Value = answer.json()?;
    let next = word(&reply["ts"]);
    match (reply["failed"].as_i64(), next) {
        (None, Some(next)) => {
            let all = reply["updates"].as_array().into_iter().flatten();
            let now = client.clock().now();
            let found = all.filter_map(|update| events(update, client.group(), now)).flatten().collect();
            Ok(polled(found, next))
        }
        // The log does not reach back so far: what is unread is looked for.
        (Some(1), Some(next)) => Ok(polled(missed(client).await?, next)),
        (Some(2), _) => {
            connect(client, long_poll).await?;
            Ok(polled(Vec::new(), ts))
        }
        (Some(_), _) => {
            let newest = connect(client, long_poll).await?;
            Ok(polled(missed(client).await?, newest))
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
    if long_poll.0.lock().is_none() {
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
    *long_poll.0.lock() = Some(Server { url, key: key.to_owned().into() });
    Ok(ts)
}

/// The messages that were not read, after a gap in the log.
async fn missed(client: &Client) -> Result<Vec<InboundEvent>, CallError> {
    let unread = [("filter", "unread"), ("count", CHATS)];
    let reply = client.of_group("messages.getConversations", &unread).await?;
    let since = client.clock().now().minus(LOOKS_BACK).as_seconds();
    let mut found = Vec::new();
    for item in reply["items"].as_array().into_iter().flatten() {
        let conversation = &item["conversation"];
        let Some(peer) = conversation["peer"]["id"].as_i64() else { continue };
        let count = conversation["unread_count"].as_u64().unwrap_or(1).clamp(1, 200).to_string();
        let parameters = [("peer_id", peer.to_string()), ("count", count)];
        let parameters = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>();
        let history = client.call("messages.getHistory", &parameters).await?;
        let all = history["items"].as_array().into_iter().flatten().rev();
        for raw in all.filter(|raw| raw["date"].as_i64().is_none_or(|date| date >= since)) {
            if let Some(message) = message(raw, client.group(), raw).filter(|_| !is_notice(raw)) {
                let key = format!("message:{}", message.external_id);
                found.push(InboundEvent { key, change: InboundChange::Message(Box::new(message)) });
            }
        }
    }
    Ok(found)
}

/// The id of a message that was read from a history.
pub(super) fn id_of(message: &Value) -> Option<String> {
    Some(external_id(message["peer_id"].as_i64()?, message["conversation_message_id"].as_i64()?))
}
