//! Port 8765: Avito.

use crate::auth::{CanAdminister, CanRead, CanSend, Needed};
use crate::routing::{delete, get, post};
use ::channels::{Deed, OldCall};
use axum::extract::{Path, State as Shared};
use http::StatusCode;
use media::Wish;
use serde_json::{Value, json};

use super::call::{Call, plain};
use super::look::{Dialog, FARTHEST, Line, MOST};
use super::refused::Refused;
use super::routes::Routes;
use super::send::{Order, send, send_each};
use super::{Gate, HandlerResult, access, deed, done, look};

/// The number of messages of a chat in which the advertisement is looked for.
const DEPTH: usize = 20;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .route::<CanRead>("/api/token", get(token))
        .route::<CanAdminister>("/api/token/refresh", post(new_token))
        .route::<CanRead>("/api/chats", get(chats))
        .route::<CanRead>("/api/chats/search", get(chats_of_item))
        .route::<CanRead>("/api/chats/unread/count", get(count_unread))
        .route::<CanRead>("/api/chats/{chat}", get(chat))
        .route::<CanRead>("/api/chats/{chat}/messages", get(messages))
        .route::<CanSend>("/api/chats/{chat}/messages/{message}", delete(remove))
        .route::<CanSend>("/api/chats/{chat}/read", post(read))
        .route::<CanRead>("/api/messages/unread/all", get(unread))
        .route::<CanSend>("/api/messages/send", post(send_text))
        .route::<CanSend>("/api/messages/send/image", post(send_image))
        .route::<CanSend>("/api/messages/send/link", post(send_link))
        .route::<CanSend>("/api/messages/send/bulk", post(send_bulk))
        .route::<CanAdminister>("/api/webhook/subscribe", post(subscribe))
        .route::<CanAdminister>("/api/webhook/unsubscribe", post(unsubscribe))
        .route::<CanRead>("/api/webhook/status", get(status))
        .route::<CanSend>("/api/blacklist", post(block))
}

async fn token(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    let is_new = call.reading().flag("force_refresh", false);
    if is_new {
        access::check(&gate, CanAdminister::DEMAND, (&call.headers, &call.uri)).await?;
    }
    Ok(done(&deed::token(&gate, is_new).await?))
}

async fn new_token(Shared(gate): Shared<Gate>) -> HandlerResult {
    Ok(done(&deed::token(&gate, true).await?))
}

fn message(line: &Line) -> Value {
    let content = match (line.kind, &line.url) {
        ("text", _) => json!({ "text": line.text }),
        ("image", Some(url)) => json!({ "image": { "sizes": { "original": url } } }),
        (kind, url) => json!({ kind: { "url": url }, "text": line.text }),
    };
    json!({
        "id": line.id, "author_id": line.user.as_deref().map(id), "created": line.at.as_seconds(),
        "direction": if line.is_own { "out" } else { "in" },
        "type": if line.is_deleted { "deleted" } else { line.kind }, "content": content,
    })
}

/// An id as a number, where it is one.
fn id(text: &str) -> Value {
    text.parse::<i64>().map_or_else(|_| text.into(), Value::from)
}

fn shown(dialog: &Dialog) -> Value {
    let (chat, last) = (&dialog.chat, dialog.last());
    let user = json!({ "id": chat.user.as_deref().map(id), "name": chat.name });
    let item = dialog.lines.iter().find_map(|line| line.ad.as_deref());
    json!({
        "id": chat.chat.as_str(), "users": [user], "updated": last.map(|last| last.at.as_seconds()),
        "last_message": last.map(message), "unread": dialog.is_unread(),
        "context": item.map(|item| json!({ "type": "item", "value": { "id": id(item) } })),
    })
}

async fn chats(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    let mut reading = call.reading();
    let items = ["item_ids", "item_id"].map(|name| reading.maybe(name).unwrap_or_default()).join(",");
    let items: Vec<&str> = items.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
    let page = (reading.count("limit", MOST, MOST), reading.count("offset", 0, FARTHEST));
    let is_wanted = reading.flag("unread_only", false);
    reading.finish()?;
    listed(&gate, page, |dialog| {
        (!is_wanted || dialog.is_unread()) && (items.is_empty() || is_of(dialog, &items))
    })
    .await
}

fn is_of(dialog: &Dialog, items: &[&str]) -> bool {
    dialog.lines.iter().filter_map(|line| line.ad.as_deref()).any(|item| items.contains(&item))
}

async fn listed(gate: &Gate, page: (usize, usize), wanted: impl Fn(&Dialog) -> bool) -> HandlerResult {
    let dialogs = look::dialogs(gate, page, DEPTH).await?;
    let chats: Vec<Value> = dialogs.iter().filter(|dialog| wanted(dialog)).map(shown).collect();
    Ok(done(&json!({ "success": true, "count": chats.len(), "chats": chats })))
}

async fn chats_of_item(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    let mut reading = call.reading();
    let item = reading.text("item_id");
    reading.finish()?;
    listed(&gate, (MOST, 0), |dialog| is_of(dialog, &[&item])).await
}

async fn count_unread(Shared(gate): Shared<Gate>) -> HandlerResult {
    let dialogs = look::dialogs(&gate, (MOST, 0), 1).await?;
    let count = dialogs.iter().filter(|dialog| dialog.is_unread()).count();
    Ok(done(&json!({ "success": true, "count": count })))
}

async fn unread(Shared(gate): Shared<Gate>) -> HandlerResult {
    let dialogs = look::dialogs(&gate, (MOST, 0), DEPTH).await?;
    let mut messages = Vec::new();
    for dialog in dialogs.iter().filter(|dialog| dialog.is_unread()) {
        for line in dialog.lines.iter().take_while(|line| !line.is_own) {
            let mut message = message(line);
            message["chat_id"] = dialog.chat.chat.as_str().into();
            messages.push(message);
        }
    }
    Ok(done(&json!({ "success": true, "count": messages.len(), "messages": messages })))
}

async fn chat(Shared(gate): Shared<Gate>, Path(name): Path<String>) -> HandlerResult {
    let found = look::dialog(&gate, &name).await?;
    let dialog = found.ok_or_else(|| Refused::error(StatusCode::NOT_FOUND, "there is no such chat"))?;
    Ok(done(&json!({ "success": true, "chat": shown(&dialog) })))
}

async fn messages(Shared(gate): Shared<Gate>, Path(name): Path<String>, call: Call) -> HandlerResult {
    let reading = call.reading();
    let page = (reading.count("limit", MOST, MOST), reading.count("offset", 0, FARTHEST));
    let messages: Vec<Value> = look::lines(&gate, &name, page).await?.iter().map(message).collect();
    Ok(done(&json!({ "success": true, "chat_id": name, "count": messages.len(), "messages": messages })))
}

async fn remove(Shared(gate): Shared<Gate>, Path((chat, message)): Path<(String, String)>) -> HandlerResult {
    deed::act(&gate, &chat, &Deed::Delete { external_id: message.clone() }).await?;
    let body =
        json!({ "success": true, "chat_id": chat, "message_id": message, "message": "Message deleted" });
    Ok(done(&body))
}

async fn read(Shared(gate): Shared<Gate>, Path(chat): Path<String>) -> HandlerResult {
    deed::act(&gate, &chat, &Deed::MarkRead { external_id: None }).await?;
    Ok(done(&json!({ "success": true, "chat_id": chat, "message": "Chat marked as read" })))
}

async fn send_one(gate: &Gate, call: &Call, order: Order) -> HandlerResult {
    let chat = order.chat.clone();
    let sent = send(gate, call, order).await?;
    let response = json!({ "id": sent.id, "message_id": sent.ours });
    Ok(done(&json!({ "success": true, "chat_id": chat, "message": "Message sent", "response": response })))
}

async fn send_text(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    let mut reading = call.reading();
    let order = Order::text(reading.text("chat_id"), reading.words("text"));
    reading.finish()?;
    send_one(&gate, &call, order).await
}

async fn send_image(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    let mut reading = call.reading();
    let order = Order::text(reading.text("chat_id"), "").with(reading.url("image_url"), None, Wish::Auto);
    reading.finish()?;
    send_one(&gate, &call, order).await
}

async fn send_link(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    let mut reading = call.reading();
    let (chat, url) = (reading.text("chat_id"), reading.url("url"));
    let text = reading.maybe("text").map_or_else(|| url.clone(), |text| format!("{text}\n{url}"));
    reading.finish()?;
    send_one(&gate, &call, Order::text(chat, text)).await
}

async fn send_bulk(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    let mut reading = call.reading();
    let messages = reading.list("messages");
    reading.finish()?;
    let order = |message: &Value| Order::text(plain(&message["chat_id"]), plain(&message["text"]));
    let orders: Vec<Order> = messages.iter().map(order).collect();
    let results = send_each(&gate, &call, orders.clone()).await;
    let sent = results.iter().filter(|result| result.is_ok()).count();
    let results: Vec<Value> = orders
        .iter()
        .zip(&results)
        .map(|(order, result)| match result {
            Ok(sent) => json!({ "chat_id": order.chat, "success": true, "message_id": sent.id }),
            Err(refused) => json!({ "chat_id": order.chat, "success": false, "error": refused.words() }),
        })
        .collect();
    Ok(done(&json!({
        "success": true, "total": results.len(), "sent": sent, "failed": results.len() - sent, "results": results,
    })))
}

async fn subscribe(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    let mut reading = call.reading();
    let (url, version) = (reading.url("url"), reading.count("version", 2, 9));
    reading.finish()?;
    let url = deed::register(&gate, &call, &url).await?;
    Ok(done(&json!({
        "success": true, "url": url, "version": version, "message": "Webhook subscribed", "response": { "ok": true },
    })))
}

async fn unsubscribe(Shared(gate): Shared<Gate>) -> HandlerResult {
    let urls = deed::unregister(&gate, None).await?;
    Ok(done(&json!({
        "success": true, "message": "Webhook unsubscribed", "urls": urls, "response": { "ok": true },
    })))
}

async fn status(Shared(gate): Shared<Gate>) -> HandlerResult {
    Ok(done(&deed::status(&gate).await?))
}

async fn block(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    let mut reading = call.reading();
    let user = reading.integer("user_id");
    let (item, reason) = (reading.maybe_integer("item_id"), reading.maybe_integer("reason_id"));
    reading.finish()?;
    deed::old_call(&gate, &OldCall::Block { user, because: item.zip(reason) }).await?;
    Ok(done(&json!({ "success": true, "user_id": user, "message": "User blocked" })))
}
