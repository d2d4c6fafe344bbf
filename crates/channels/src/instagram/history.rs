//! What came in while nothing was posted here: the latest messages of the conversations that moved since.

use std::time::Duration;

use domain::{InboundEvent, Timestamp};
use serde_json::{Value, json};

use super::client::{Client, word};
use super::inbound;
use super::lookup::{CLOCKS_DIFFER, messages_of};
use crate::error::CallError;
use crate::histories::Histories;

/// The most pages of the list of conversations.
const PAGES: usize = 20;
/// Between two calls: Instagram takes two a second.
const BETWEEN: Duration = Duration::from_millis(500);

/// Returns the messages since then, oldest first within a conversation. Instagram shows the content of the latest 20 of each.
///
/// # Errors
/// Instagram refuses it, or no answer came.
pub(super) async fn since(client: &Client, since: Timestamp) -> Result<Histories, CallError> {
    let own =
        client.own_id().ok_or_else(|| CallError::Unreached("the account has no known id yet".to_owned()))?;
    let earliest = client.by_its_clock(since).minus(CLOCKS_DIFFER);
    let (mut read, mut after) = (Histories::default(), None::<String>);
    for _ in 0..PAGES {
        let mut query = vec![("platform", "instagram"), ("fields", "id,updated_time")];
        query.extend(after.as_deref().map(|after| ("after", after)));
        let reply = client.get("me/conversations", &query).await?;
        let listed = reply["data"].as_array();
        let listed =
            listed.ok_or_else(|| CallError::Unreadable("conversations without a list".to_owned()))?;
        let moved = |one: &&Value| time(one, "updated_time").is_none_or(|at| at >= earliest);
        for id in listed.iter().filter(moved).filter_map(|one| word(one, "id")) {
            client.clock().sleep(BETWEEN).await;
            let events = match messages_of(client, &id).await {
                Ok(messages) => events_of(&messages, &own, earliest),
                Err(error) => Err(error),
            };
            match events {
                Ok(events) => read.events.extend(events),
                Err(error) => read.fail(&id, error)?,
            }
        }
        after = word(&reply["paging"]["cursors"], "after").filter(|_| reply["paging"]["next"].is_string());
        if after.is_none() {
            break;
        }
    }
    Ok(read)
}

fn time(object: &Value, name: &str) -> Option<Timestamp> {
    word(object, name)?.parse().ok()
}

/// The messages of a conversation that are not older, oldest first, as they would have been posted.
fn events_of(messages: &[Value], own: &str, earliest: Timestamp) -> Result<Vec<InboundEvent>, CallError> {
    let ids = messages.iter().flat_map(|message| {
        let to = message["to"]["data"].as_array().into_iter().flatten();
        [&message["from"]].into_iter().chain(to).filter_map(|person| word(person, "id"))
    });
    let mut others: Vec<String> = ids.filter(|id| id != own).collect();
    others.sort();
    others.dedup();
    let customer = match &others[..] {
        [] => return Ok(Vec::new()),
        [customer] => customer,
        _ => return Err(CallError::Unreadable("a conversation without the id of the account".to_owned())),
    };
    let mut events = Vec::new();
    for message in messages.iter().rev() {
        let (Some(id), Some(at)) = (word(message, "id"), time(message, "created_time")) else { continue };
        let Some(from) = word(&message["from"], "id").filter(|_| at >= earliest) else { continue };
        let is_own = from == own;
        let (sender, recipient) = if is_own { (own, customer.as_str()) } else { (customer.as_str(), own) };
        let files = message["attachments"]["data"].as_array().into_iter().flatten();
        let files: Vec<Value> = files.filter_map(attachment).collect();
        // What was shared, such as a post or a story, is not among the fields that are asked for.
        let is_hidden = files.is_empty() && word(message, "message").is_none();
        let item = json!({
            "sender": {"id": sender}, "recipient": {"id": recipient}, "timestamp": at.as_micros() / 1_000,
            "message": {
                "mid": id, "text": message["message"], "is_echo": is_own,
                "attachments": files, "is_unsupported": is_hidden,
            },
        });
        events.extend(inbound::read_item(&item, own, at));
    }
    Ok(events)
}

/// A file of a message in the form of a post.
fn attachment(file: &Value) -> Option<Value> {
    let kinds = [("image", "image_data"), ("video", "video_data"), ("audio", "audio_data")];
    let found = kinds
        .into_iter()
        .find_map(|(kind, name)| Some((kind, word(&file[name], "url")?)))
        .or_else(|| Some(("file", word(file, "file_url")?)));
    if let Some((kind, url)) = found {
        return Some(json!({"type": kind, "payload": {"url": url}}));
    }
    // One of another kind has a placeholder by the name of what holds it.
    let held = file.as_object()?.iter().find(|(_, value)| value.is_object());
    Some(json!({"type": held.map_or("unknown", |(name, _)| name.as_str()), "payload": {}}))
}

#[cfg(test)]
mod tests {
    use domain::{InboundChange, MessageOrigin};

    use super::*;

    const OWN: &str = "17840000000000001";

    fn read(messages: &Value) -> Result<Vec<(String, String, MessageOrigin)>, CallError> {
        let earliest = "2030-01-01T12:00:00Z".parse().unwrap();
        let events = events_of(messages.as_array().unwrap(), OWN, earliest)?;
        let read = events.into_iter().map(|event| match event.change {
            InboundChange::Message(message) => {
                assert!(
                    [format!("message:{}", message.external_id), format!("echo:{}", message.external_id)]
                        .contains(&event.key)
                );
                (message.chat.to_string(), message.text.as_str().to_owned(), message.origin)
            }
            other => panic!("{other:?}"),
        });
        Ok(read.collect())
    }

    #[test]
    fn a_conversation_is_read_as_it_would_have_been_posted() {
        let at = "2030-01-01T12:00:05+0000";
        let to = |id: &str| json!({"data": [{"id": id}]});
        let messages = json!([
            {"id": "m3", "created_time": at, "from": {"id": "5550001"}, "message": "",
                "attachments": {"data": [{"image_data": {"url": "https://example.com/a.jpg"}}]}},
            {"id": "m2b", "created_time": at, "from": {"id": "5550001"}, "message": "",
                "attachments": {"data": [{"id": "5", "generic_template": {"title": "Lamp"}}]}},
            {"id": "m2a", "created_time": at, "from": {"id": "5550001"}, "message": ""},
            {"id": "m2", "created_time": at, "from": {"id": OWN}, "to": to("5550001"), "message": "Yes"},
            {"id": "m1", "created_time": at, "from": {"id": "5550001"}, "to": to(OWN), "message": "Hello"},
            {"id": "m0", "created_time": "2030-01-01T11:00:00+0000", "from": {"id": "5550001"}, "message": "Old"},
            {"id": "none", "created_time": at},
        ]);
        let said = |text: &str, origin| ("5550001".to_owned(), text.to_owned(), origin);
        let wanted = [
            said("Hello", MessageOrigin::Person),
            said("Yes", MessageOrigin::Owner),
            said("[hidden]", MessageOrigin::Person),
            said("[generic_template]", MessageOrigin::Person),
            said("", MessageOrigin::Person),
        ];
        assert_eq!(read(&messages).unwrap(), wanted);
        assert_eq!(read(&json!([])).unwrap(), []);
        let strangers = json!([
            {"id": "m1", "created_time": at, "from": {"id": "1"}, "to": to("2"), "message": "Hello"},
        ]);
        assert!(read(&strangers).is_err());
    }
}
