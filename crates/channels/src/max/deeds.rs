//! What is done to chats and messages besides sending.

use domain::ExternalChat;
use reqwest::Method;
use serde_json::json;

use super::client::Client;
use super::place::Place;
use crate::error::CallError;
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

async fn show(client: &Client, chat: &ExternalChat, action: &str) -> Result<(), CallError> {
    let Place::Chat(id) = Place::of(chat)? else {
        return Err(CallError::NotFound("the number of the chat is not known yet".to_owned()));
    };
    let body = json!({ "action": action });
    client.call(Method::POST, &format!("/chats/{id}/actions"), &[], Some(&body)).await.map(drop)
}
