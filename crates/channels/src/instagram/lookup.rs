//! Looking whether a message arrived: by the latest messages of the conversation.

use std::time::Duration;

use delivery::MessageLookup;
use domain::outcome::SentIds;
use domain::{ProviderId, Timestamp};
use serde_json::Value;

use crate::error::CallError;
use crate::provider::Outgoing;
use crate::recent::Recent;

use super::client::{Client, word};

/// How many messages of a conversation show their content, the latest ones.
const SHOWN: usize = 20;
/// How far Instagram's clock, which has whole seconds, may be from ours.
pub(super) const CLOCKS_DIFFER: Duration = Duration::from_secs(10);

pub(super) async fn find(
    client: &Client,
    recent: &Recent,
    outgoing: &Outgoing,
    since: Timestamp,
) -> MessageLookup {
    let Ok(messages) = latest(client, outgoing.chat.as_str()).await else {
        return MessageLookup::CannotTell;
    };
    let found = judge(&messages, recent, outgoing, client.by_its_clock(since));
    if let MessageLookup::Here(ids) = &found
        && let Some(ProviderId::Text(id)) = ids.first()
    {
        recent.add(id);
    }
    found
}

async fn latest(client: &Client, chat: &str) -> Result<Vec<Value>, CallError> {
    let query = [("platform", "instagram"), ("user_id", chat)];
    let conversations = client.get("me/conversations", &query).await?;
    let id = word(&conversations["data"][0], "id");
    messages_of(client, &id.ok_or_else(|| CallError::NotFound("there is no conversation".to_owned()))?).await
}

/// The messages of a conversation, the latest first.
///
/// # Errors
/// Instagram refuses it, or no answer came.
pub(super) async fn messages_of(client: &Client, id: &str) -> Result<Vec<Value>, CallError> {
    let unreadable = |what: &str| CallError::Unreadable(format!("a conversation without {what}"));
    // The id is part of a path.
    if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b':' | b'=')) {
        return Err(unreadable("a plain id"));
    }
    let fields = "messages{id,created_time,from,to,message,attachments}";
    let conversation = client.get(id, &[("fields", fields)]).await?;
    conversation["messages"]["data"].as_array().cloned().ok_or_else(|| unreadable("messages"))
}

/// What the latest messages say.
fn judge(messages: &[Value], recent: &Recent, outgoing: &Outgoing, since: Timestamp) -> MessageLookup {
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
        if is_ours && !recent.has(&id) && is_same(message, outgoing) {
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
        let recent = Recent::default();
        let look = |text: &str| judge(&messages, &recent, &looked_for(text), since);
        assert_eq!(look("Hello "), MessageLookup::Here(SentIds::one(Some("m3"))));
        assert_eq!(look("Old"), MessageLookup::NotThere);
        recent.add("m3");
        assert_eq!(look("Hello"), MessageLookup::NotThere);
        let many: Vec<Value> = (0..20).map(|number| message(&number.to_string(), own, at, "x")).collect();
        assert_eq!(judge(&many, &recent, &looked_for("Hello"), since), MessageLookup::CannotTell);
        assert_eq!(judge(&[json!({})], &recent, &looked_for("Hello"), since), MessageLookup::CannotTell);
    }
}
