//! A message is sent; one whose file is still at work there is sent again a little later.

use std::time::Duration;

use outbound::Method;
use serde_json::{Map, Value, json};

use super::client::Client;
use super::format;
use super::recipient::Recipient;
use crate::error::CallError;
use crate::provider::Outgoing;

/// How long MAX may work at a file before it counts as not uploaded.
const LONGEST_WORK: Duration = Duration::from_mins(2);
/// The first wait for that; the next is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest of these waits.
const LONGEST_WAIT: Duration = Duration::from_secs(16);

/// Sends a message once; its id.
///
/// # Errors
/// MAX refuses it, or no answer came.
pub(super) async fn send(client: &Client, outgoing: &Outgoing) -> Result<String, CallError> {
    let (name, recipient) = Recipient::of(&outgoing.chat)?.parameter();
    let body = body(outgoing)?;
    let without_preview = if outgoing.preview { "false" } else { "true" };
    let query = [(name, recipient.as_str()), ("disable_link_preview", without_preview)];
    let started = client.clock().running();
    let mut wait = FIRST_WAIT;
    let reply = loop {
        match client.call(Method::POST, "/messages", &query, Some(&body)).await {
            // The answer proves that nothing was sent.
            Err(CallError::Unprepared(_)) if client.clock().running() + wait < started + LONGEST_WORK => {
                client.clock().sleep(wait).await;
                wait = (wait * 2).min(LONGEST_WAIT);
            }
            other => break other?,
        }
    };
    let mid = reply.pointer("/message/body/mid").and_then(Value::as_str).filter(|mid| !mid.is_empty());
    mid.map(str::to_owned).ok_or_else(|| CallError::Unreadable("a message without an id".to_owned()))
}

fn body(outgoing: &Outgoing) -> Result<Value, CallError> {
    let mut body = Map::new();
    match format::html(&outgoing.text) {
        Some(html) => {
            body.insert("text".to_owned(), html.into());
            body.insert("format".to_owned(), "html".into());
        }
        None if outgoing.text.text.is_empty() => {}
        None => {
            body.insert("text".to_owned(), outgoing.text.text.as_str().into());
        }
    }
    let attached = outgoing.files().map(|(_, prepared)| serde_json::from_str::<Value>(prepared?).ok());
    let attached: Option<Vec<Value>> = attached.collect();
    let mut attached =
        attached.ok_or_else(|| CallError::Unprepared("the file was not uploaded".to_owned()))?;
    let options = outgoing.provider_options.as_ref();
    attached
        .extend(options.and_then(|all| all.get("attachments")?.as_array()).into_iter().flatten().cloned());
    if !attached.is_empty() {
        body.insert("attachments".to_owned(), attached.into());
    }
    if let Some(mid) = &outgoing.reply_to {
        body.insert("link".to_owned(), json!({ "type": "reply", "mid": mid.to_string() }));
    }
    body.insert("notify".to_owned(), (!outgoing.silent).into());
    Ok(Value::Object(body))
}
