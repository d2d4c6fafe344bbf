//! What is done to chats and messages besides sending.

use domain::ExternalChat;
use outbound::Method;
use serde_json::{Value, json};

use super::client::Client;
use super::recipient::Recipient;
use crate::error::CallError;
use crate::old_call::OldCall;
use crate::provider::Deed;

/// Does it.
///
/// # Errors
/// MAX refuses it, or no answer came.
pub(super) async fn act(client: &Client, chat: &ExternalChat, deed: &Deed) -> Result<(), CallError> {
    match deed {
        Deed::Edit { external_id, text } => {
            // What is attached stays where nothing is said of it.
            let body = json!({ "text": text });
            client.call(Method::PUT, "/messages", &[("message_id", external_id)], Some(&body)).await?;
        }
        Deed::Delete { external_id } => {
            client.call(Method::DELETE, "/messages", &[("message_id", external_id)], None).await?;
        }
        Deed::MarkRead { .. } => show(client, chat, "mark_seen").await?,
        Deed::Typing => show(client, chat, "typing_on").await?,
    }
    Ok(())
}

/// Makes a call of the old server.
///
/// # Errors
/// MAX refuses it, or no answer came.
pub(super) async fn old_call(client: &Client, call: &OldCall) -> Result<Value, CallError> {
    match call {
        OldCall::Members { chat, count, marker } => {
            let (path, count) = (format!("/chats/{}/members", number(chat)?), count.to_string());
            let marker = marker.map(|marker| marker.to_string());
            let mut query = vec![("count", count.as_str())];
            query.extend(marker.as_deref().map(|marker| ("marker", marker)));
            client.call(Method::GET, &path, &query, None).await
        }
        OldCall::ShowAction { chat, action } => {
            show(client, chat, action).await?;
            Ok(json!({ "success": true }))
        }
        OldCall::AnswerPress { callback, notification, message } => {
            let body = json!({ "notification": notification, "message": message });
            client.call(Method::POST, "/answers", &[("callback_id", callback)], Some(&body)).await
        }
        _ => Err(CallError::refused("not_supported", "MAX has no such call")),
    }
}

/// The number of a chat.
fn number(chat: &ExternalChat) -> Result<i64, CallError> {
    match Recipient::of(chat)? {
        Recipient::Chat(id) => Ok(id),
        Recipient::User(_) => Err(CallError::NotFound("the number of the chat is not known yet".to_owned())),
    }
}

async fn show(client: &Client, chat: &ExternalChat, action: &str) -> Result<(), CallError> {
    let path = format!("/chats/{}/actions", number(chat)?);
    client.call(Method::POST, &path, &[], Some(&json!({ "action": action }))).await.map(drop)
}
