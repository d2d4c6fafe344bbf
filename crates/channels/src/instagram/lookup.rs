//! Looking whether a message arrived: by the latest messages of the conversation.

use std::collections::VecDeque;
use std::time::Duration;

use ambient::lock::Mutex;
use delivery::MessageLookup;
use domain::outcome::SentIds;
use domain::{ProviderId, Timestamp};
use serde_json::Value;

use crate::provider::Outgoing;

use super::client::{Client, word};

/// The conversation shows the content of so many messages, the latest ones.
const SHOWN: usize = 20;
/// So many ids of sent messages are remembered.
const MOST: usize = 1_000;
/// How far Instagram's clock, which has whole seconds, may be from ours.
const CLOCKS_DIFFER: Duration = Duration::from_secs(10);
/// How long Instagram may take to fetch a file: as long it is not certain that it is not sent.
const LONGEST_FETCH: Duration = Duration::from_secs(90);

/// Messages that were certainly sent: none of them is the one that is looked for.
#[derive(Default)]
pub(super) struct Sent(Mutex<VecDeque<String>>);

impl Sent {
    pub(super) fn remember(&self, id: &str) {
        let mut ids = self.0.lock();
        if ids.len() >= MOST {
            ids.pop_front();
        }
        ids.push_back(id.to_owned());
    }

    fn has(&self, id: &str) -> bool {
        self.0.lock().iter().any(|known| known == id)
    }
}

pub(super) async fn find(
    client: &Client,
    sent: &Sent,
    outgoing: &Outgoing,
    since: Timestamp,
) -> MessageLookup {
    let Some(messages) = latest(client, outgoing.chat.as_str()).await else {
        return MessageLookup::CannotTell;
    };
    let found = judge(&messages, sent, outgoing, since);
    if let MessageLookup::Here(ids) = &found
        && let Some(ProviderId::Text(id)) = ids.first()
    {
        sent.remember(id);
    }
    let may_come = outgoing.file.is_some() && client.clock().now().since(since) < LONGEST_FETCH;
    if found == MessageLookup::NotThere && may_come { MessageLookup::CannotTell } else { found }
}

async fn latest(client: &Client, chat: &str) -> Option<Vec<Value>> {
    let query = [("platform", "instagram"), ("user_id", chat)];
    let conversations = client.get("me/conversations", &query).await.ok()?;
    let id = word(conversations["data"].get(0)?, "id")?;
    // The id is part of a path.
    if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b':' | b'=')) {
        return None;
    }
    let fields = "messages{id,created_time,from,to,message,attachments}";
    let conversation = client.get(&id, &[("fields", fields)]).await.ok()?;
    conversation["messages"]["data"].as_array().cloned()
}

/// What the latest messages say.
fn judge(messages: &[Value], sent: &Sent, outgoing: &Outgoing, since: Timestamp) -> MessageLookup {
    let since = since.minus(CLOCKS_DIFFER);
    let mut is_whole = messages.len() < SHOWN;
    for message in messages.iter().take(SHOWN) {
        let at = word(message, "created_time").and_then(|at| at.parse::<Timestamp>().ok());
        let (Some(id), Some(at)) = (word(message, "id"), at) else { return MessageLookup::CannotTell };
        if at < since {
            is_whole = true;
            continue;
        }
        let is_ours = word(&message["from"], "id").is_some_and(|from| from != outgoing.chat.as_str());
        if is_ours && !sent.has(&id) && is_same(message, outgoing) {
            return MessageLookup::Here(SentIds::one(Some(ProviderId::Text(id.into()))));
        }
    }
    if is_whole { MessageLookup::NotThere } else { MessageLookup::CannotTell }
}

fn is_same(message: &Value, outgoing: &Outgoing) -> bool {
    let text = word(message, "message").unwrap_or_default();
    let has_file = message["attachments"]["data"].as_array().is_some_and(|files| !files.is_empty());
    match &outgoing.file {
        // A file is at another address there and may have been made smaller.
        Some(_) => has_file && text.is_empty(),
        None => !has_file && text.trim() == outgoing.text.text.trim(),
    }
}

#[cfg(test)]
mod tests {
    use domain::ExternalChat;
    use domain::text::FormattedText;
    use serde_json::json;

    use super::*;

    fn looked_for(text: &str) -> Outgoing {
        Outgoing {
            chat: ExternalChat::new("5550001").unwrap(),
            text: FormattedText::plain(text),
            file: None,
            reply_to: None,
            written_by: domain::message::Writer::Program,
            silent: false,
            preview: false,
            key: 1,
            prepared: None,
            album: Vec::new(),
            provider_options: None,
        }
    }

    fn message(id: &str, from: &str, at: &str, text: &str) -> Value {
        json!({"id": id, "from": {"id": from}, "created_time": at, "message": text})
    }

    #[test]
    fn only_an_own_new_message_that_says_it_counts() {
        let since: Timestamp = "2030-01-01T12:00:00Z".parse().unwrap();
        let (own, theirs) = ("17840000000000001", "5550001");
        let at = "2030-01-01T12:00:01+0000";
        let messages = [
            message("m1", own, at, "Well?"),
            message("m2", theirs, at, "Hello"),
            message("m3", own, at, "Hello"),
            message("m4", own, "2030-01-01T11:59:00+0000", "Old"),
        ];
        let sent = Sent::default();
        let look = |text: &str| judge(&messages, &sent, &looked_for(text), since);
        assert_eq!(look("Hello "), MessageLookup::Here(SentIds::one(Some("m3"))));
        assert_eq!(look("Old"), MessageLookup::NotThere);
        sent.remember("m3");
        assert_eq!(look("Hello"), MessageLookup::NotThere);
        let many: Vec<Value> = (0..20).map(|number| message(&number.to_string(), own, at, "x")).collect();
        assert_eq!(judge(&many, &sent, &looked_for("Hello"), since), MessageLookup::CannotTell);
        assert_eq!(judge(&[json!({})], &sent, &looked_for("Hello"), since), MessageLookup::CannotTell);
    }
}
