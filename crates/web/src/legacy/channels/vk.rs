//! Port 8767: VK.

use crate::auth::{CanAdminister, CanRead, CanSend};
use crate::routing::{delete, get, post, put};
use ::channels::{Deed, OldCall};
use axum::extract::{Path, State as Shared};
use http::StatusCode;
use media::Wish;
use serde_json::{Value, json};

use super::call::{Call, is_url, plain};
use super::look::{FARTHEST, Line, MOST};
use super::refused::Refused;
use super::routes::Routes;
use super::send::{Order, send, send_each};
use super::{Gate, HandlerResult, deed, done, look};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .route::<CanSend>("/api/messages/send", post(send_text))
        .route::<CanSend>("/api/messages/send/bulk", post(send_bulk))
        .route::<CanSend>("/api/messages/{message}", put(edit))
        .route::<CanSend>("/api/messages", delete(remove))
        .route::<CanRead>("/api/conversations", get(conversations))
        .route::<CanRead>("/api/conversations/{peer}/history", get(history))
        .route::<CanSend>("/api/conversations/{peer}/read", post(read))
        .route::<CanRead>("/api/users/{ids}", get(users))
        .route::<CanRead>("/api/group", get(group))
        .route::<CanRead>("/api/callback/servers", get(servers))
        .route::<CanAdminister>("/api/callback/servers", post(add_server))
        .route::<CanAdminister>("/api/callback/servers/{id}", delete(remove_server))
        .route::<CanAdminister>("/api/callback/servers/{id}/settings", put(settings))
        .route::<CanAdminister>("/api/callback/confirmation", get(confirmation))
}

/// The number of a message within its chat: `17` of `2001:17`.
fn number(id: &str) -> Value {
    let last = id.rsplit(':').next().unwrap_or(id);
    last.parse::<i64>().map_or_else(|_| id.into(), Value::from)
}

/// The chat of a message that is named so.
fn chat_of(id: &str) -> &str {
    id.split_once(':').map_or(id, |(chat, _)| chat)
}

/// A message as the provider names it: `2001:17` of 17 in the chat 2001.
fn named(peer: &str, id: &str) -> String {
    if id.contains(':') { id.to_owned() } else { format!("{peer}:{id}") }
}

async fn send_text(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    let mut reading = call.reading();
    let peer = reading.number("peer_id");
    let attachment = reading.maybe("attachment");
    let text = if attachment.is_some() && reading.value("message").is_none() {
        String::new()
    } else {
        reading.words("message")
    };
    let reply_to = reading.maybe("reply_to").map(|id| named(&peer, &id));
    let keyboard = reading.value("keyboard").map(|keyboard| match keyboard {
        Value::String(text) => text.clone(),
        given => given.to_string(),
    });
    reading.finish()?;
    let mut order = Order { reply_to, ..Order::text(peer.clone(), text) };
    let mut options = serde_json::Map::new();
    options.extend(keyboard.map(|keyboard| ("keyboard".to_owned(), keyboard.into())));
    match attachment {
        Some(url) if is_url(&url) => order = order.with(url, None, Wish::Auto),
        Some(names) if names.split(',').all(is_name) => {
            options.insert("attachment".to_owned(), names.into());
        }
        Some(_) => {
            let message = "Input should be the address of a file, or names as photo1_2";
            return Err(Refused::field("body", "attachment", message, "value_error"));
        }
        None => {}
    }
    order.options = (!options.is_empty()).then_some(Value::Object(options));
    let sent = send(&gate, &call, order).await?;
    Ok(done(&json!({
        "success": true, "peer_id": number(&peer), "message_id": sent.id.as_deref().map(number),
        "message": "Message sent",
    })))
}

/// Whether it is what VK calls something that is there, such as `photo-1_2_key`.
fn is_name(text: &str) -> bool {
    let kind = text.bytes().take_while(|one| one.is_ascii_lowercase() || *one == b'_').count();
    let (kind, rest) = text.split_at(kind);
    let mut parts = rest.strip_prefix('-').unwrap_or(rest).split('_');
    let mut is_number = || parts.next().is_some_and(|part| part.parse::<u64>().is_ok());
    !kind.is_empty()
        && is_number()
        && is_number()
        && parts.all(|key| key.bytes().all(|one| one.is_ascii_alphanumeric()))
}

async fn send_bulk(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    let mut reading = call.reading();
    let peers: Vec<String> = reading.list("peer_ids").iter().map(plain).collect();
    let text = reading.words("message");
    reading.finish()?;
    let orders = peers.iter().map(|peer| Order::text(peer.clone(), text.clone())).collect();
    let results = send_each(&gate, &call, orders).await;
    let sent = results.iter().filter(|result| result.is_ok()).count();
    let result = |(peer, result): (&String, &Result<super::send::Sent, Refused>)| match result {
        Ok(sent) => {
            json!({ "peer_id": number(peer), "success": true, "message_id": sent.id.as_deref().map(number) })
        }
        Err(refused) => json!({ "peer_id": number(peer), "success": false, "error": refused.words() }),
    };
    let results: Vec<Value> = peers.iter().zip(&results).map(result).collect();
    Ok(done(&json!({
        "success": true, "total": results.len(), "sent": sent, "failed": results.len() - sent, "results": results,
    })))
}

async fn edit(Shared(gate): Shared<Gate>, Path(message): Path<String>, call: Call) -> HandlerResult {
    let mut reading = call.reading();
    let (peer, text) = (reading.number("peer_id"), reading.words("message"));
    reading.finish()?;
    let external_id = named(&peer, &message);
    let chat = chat_of(&external_id).to_owned();
    deed::act(&gate, &chat, &Deed::Edit { external_id, text }).await?;
    Ok(done(&json!({
        "success": true, "peer_id": number(&chat), "message_id": number(&message), "message": "Message edited",
    })))
}

async fn remove(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    let mut reading = call.reading();
    let ids = reading.text("message_ids");
    let ids: Vec<&str> = ids.split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
    // A number alone says nothing of its chat.
    let is_bare = ids.iter().any(|id| !id.contains(':'));
    let peer = if is_bare { reading.number("peer_id") } else { String::new() };
    reading.finish()?;
    for id in &ids {
        let external_id = named(&peer, id);
        let chat = chat_of(&external_id).to_owned();
        deed::act(&gate, &chat, &Deed::Delete { external_id }).await?;
    }
    Ok(done(&json!({ "success": true, "message_ids": ids, "message": "Messages deleted" })))
}

fn message(line: &Line, peer: &str) -> Value {
    json!({
        "id": line.id.as_deref().map(number), "peer_id": number(peer), "from_id": line.user.as_deref().map(number),
        "date": line.at.as_seconds(), "out": i32::from(line.is_own), "text": line.text,
        "attachments": line.url.iter().map(|url| json!({ "type": line.kind, "url": url })).collect::<Vec<_>>(),
    })
}

async fn conversations(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    let mut reading = call.reading();
    let page = (reading.count("count", 20, MOST), reading.count("offset", 0, FARTHEST));
    let filter = reading.maybe("filter").unwrap_or_default();
    reading.finish()?;
    let is_waiting = matches!(filter.as_str(), "unread" | "unanswered");
    let dialogs = look::dialogs(&gate, page, 1).await?;
    let dialogs = dialogs.iter().filter(|dialog| !is_waiting || dialog.is_unread());
    let items: Vec<Value> = dialogs
        .map(|dialog| {
            let peer = dialog.chat.chat.as_str();
            json!({
                "conversation": { "peer": { "id": number(peer), "type": "user" }, "name": dialog.chat.name },
                "last_message": dialog.last().map(|last| message(last, peer)),
            })
        })
        .collect();
    Ok(done(&json!({ "success": true, "count": items.len(), "items": items })))
}

async fn history(Shared(gate): Shared<Gate>, Path(peer): Path<String>, call: Call) -> HandlerResult {
    let reading = call.reading();
    let page = (reading.count("count", 20, MOST), reading.count("offset", 0, FARTHEST));
    let lines = look::lines(&gate, &peer, page).await?;
    let items: Vec<Value> = lines.iter().map(|line| message(line, &peer)).collect();
    Ok(done(&json!({ "success": true, "peer_id": number(&peer), "count": items.len(), "items": items })))
}

async fn read(Shared(gate): Shared<Gate>, Path(peer): Path<String>) -> HandlerResult {
    deed::act(&gate, &peer, &Deed::MarkRead { external_id: None }).await?;
    Ok(done(&json!({ "success": true, "peer_id": number(&peer), "message": "Marked as read" })))
}

async fn users(Shared(gate): Shared<Gate>, Path(ids): Path<String>) -> HandlerResult {
    let mut users = Vec::new();
    for id in ids.split(',').map(str::trim).filter(|id| !id.is_empty()).take(MOST) {
        if let Some(dialog) = look::dialog(&gate, id).await? {
            let name = dialog.chat.name.unwrap_or_default();
            let (first, last) = name.split_once(' ').unwrap_or((&name, ""));
            users.push(json!({ "id": number(id), "first_name": first, "last_name": last }));
        }
    }
    Ok(done(&json!({ "success": true, "users": users })))
}

async fn group(Shared(gate): Shared<Gate>) -> HandlerResult {
    let identity = gate.account()?.provider.check().await?;
    Ok(done(&json!({ "success": true, "group": { "id": number(&identity.id), "name": identity.name } })))
}

async fn servers(Shared(gate): Shared<Gate>) -> HandlerResult {
    let found = deed::registered(&gate).await?;
    let server = |(place, url): (usize, &String)| json!({ "id": place + 1, "url": deed::shown(&gate, url) });
    let servers: Vec<Value> = found.urls.iter().enumerate().map(server).collect();
    Ok(done(&json!({ "success": true, "count": servers.len(), "servers": servers })))
}

async fn add_server(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    let mut reading = call.reading();
    let url = reading.url("url");
    reading.finish()?;
    let url = deed::register(&gate, &call, &url).await?;
    Ok(done(&json!({ "success": true, "url": url, "message": "Server added" })))
}

/// The address of a server, which is counted here from 1.
async fn server_url(gate: &Gate, id: usize) -> Result<String, Refused> {
    let found = deed::registered(gate).await?;
    let url = id.checked_sub(1).and_then(|place| found.urls.get(place)).cloned();
    url.ok_or_else(|| Refused::error(StatusCode::NOT_FOUND, "there is no such server"))
}

async fn settings(Shared(gate): Shared<Gate>, Path(id): Path<usize>, call: Call) -> HandlerResult {
    let reading = call.reading();
    let events = reading.flags(is_event);
    reading.finish()?;
    let url = server_url(&gate, id).await?;
    deed::old_call(&gate, &OldCall::CallbackSettings { url, events }).await?;
    Ok(done(&json!({ "success": true, "id": id, "message": "Settings saved" })))
}

/// Whether a field is the name of an event at VK, such as `wall_post_new`.
fn is_event(name: &str) -> bool {
    let is_word = name.bytes().all(|one| one.is_ascii_lowercase() || one == b'_');
    is_word && name.contains('_') && !["group_id", "server_id", "api_version", "access_token"].contains(&name)
}

async fn confirmation(Shared(gate): Shared<Gate>) -> HandlerResult {
    let reply = deed::old_call(&gate, &OldCall::ConfirmationCode).await?;
    Ok(done(&json!({ "success": true, "code": reply["code"] })))
}

async fn remove_server(Shared(gate): Shared<Gate>, Path(id): Path<usize>) -> HandlerResult {
    deed::unregister(&gate, Some(&server_url(&gate, id).await?)).await?;
    Ok(done(&json!({ "success": true, "id": id, "message": "Server deleted" })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vk_names_are_distinguished_from_other_words() {
        for name in ["photo1_2", "doc-100_7_a1b2", "audio_message5_6"] {
            assert!(is_name(name), "{name}");
        }
        for word in ["", "photo", "photo1", "1_2", "photo1_x", "photo1_2_a&b", "photo1_2 ", "photo--1_2"] {
            assert!(!is_name(word), "{word}");
        }
    }
}
