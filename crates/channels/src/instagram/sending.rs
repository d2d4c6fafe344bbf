//! A message on its way out: what it is to Instagram, and how long a person may still answer.

use domain::message::Writer;
use domain::outcome::{RejectionCode, SentIds};
use domain::{Outcome, ProviderId};
use serde_json::{Value, json};

use super::attachment;
use super::client::{Client, word};
use super::error;
use crate::error::CallError;
use crate::http::{ANSWER, UPLOAD};
use crate::provider::Outgoing;
use crate::recent::Recent;

/// Sends it; what a person wrote again with a tag, once the 24 hours in which anything may be sent are over.
pub(super) async fn send(client: &Client, recent: &Recent, outgoing: &Outgoing) -> Outcome {
    let now = || client.clock().now();
    let message = match message(outgoing) {
        Ok(message) => message,
        Err(outcome) => return outcome,
    };
    let mut body = json!({"recipient": {"id": outgoing.chat.as_str()}, "message": message});
    let mut result = post(client, outgoing, &body).await;
    // The refusal proves that nothing was sent.
    if outgoing.written_by == Writer::Person && result.as_ref().is_err_and(error::is_window_over) {
        body["messaging_type"] = json!("MESSAGE_TAG");
        body["tag"] = json!("HUMAN_AGENT");
        result = post(client, outgoing, &body).await.map_err(error::of_human_agent);
    }
    match result {
        Ok(id) => {
            recent.add(&id);
            Outcome::Sent(SentIds::one(Some(ProviderId::Text(id.into()))))
        }
        Err(error) => error.outcome(now()),
    }
}

async fn post(client: &Client, outgoing: &Outgoing, body: &Value) -> Result<String, CallError> {
    // With a file the answer comes once Instagram has fetched it.
    let limit = if outgoing.file.is_some() { UPLOAD } else { ANSWER };
    let reply = client.post("me/messages", body, limit).await?;
    word(&reply, "message_id")
        .ok_or_else(|| CallError::Unreadable("200 without the id of a message".to_owned()))
}

/// What a part is to Instagram.
fn message(outgoing: &Outgoing) -> Result<Value, Outcome> {
    let Some(file) = &outgoing.file else {
        let mut message = json!({"text": outgoing.text.text});
        if let Some(replies) = outgoing.provider_options.as_ref().and_then(|all| all.get("quick_replies")) {
            message["quick_replies"] = replies.clone();
        }
        return Ok(message);
    };
    let kind = attachment::kind(&file.form, file.mime(), file.size).map_err(rejected)?;
    let link = file.link.as_deref().ok_or_else(|| {
        rejected("no_public_url: Instagram fetches files from an address of ours; set `public_url`")
    })?;
    Ok(json!({"attachment": {"type": kind, "payload": {"url": link}}}))
}

fn rejected(why: impl Into<String>) -> Outcome {
    Outcome::Rejected { code: RejectionCode::Provider(why.into()) }
}
