//! Port 8768: MAX.

use crate::auth::{CanAdminister, CanRead, CanSend};
use crate::routing::{delete, get, post, put};
use ::channels::{Deed, OldCall};
use axum::extract::{Path, State as Shared};
use axum::response::Response;
use domain::text::ParseMode;
use http::StatusCode;
use media::Wish;
use serde_json::{Value, json};

use super::call::{Call, Reading, chat as chat_named, is_url};
use super::look::{Dialog, FARTHEST, Line, MOST};
use super::refused::Refused;
use super::routes::Routes;
use super::send::{Order, send};
use super::{Gate, HandlerResult, deed, done, look};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .route::<CanSend>("/api/send", post(send_message))
        .route::<CanRead>("/api/message/{message}", get(message))
        .route::<CanSend>("/api/message/{message}", put(edit))
        .route::<CanSend>("/api/message/{message}", delete(remove))
        .route::<CanRead>("/api/chats", get(chats))
        .route::<CanRead>("/api/chat/{chat}", get(chat))
        .route::<CanRead>("/api/chat/{chat}/members", get(members))
        .route::<CanSend>("/api/chat/{chat}/action", post(action))
        .route::<CanAdminister>("/api/subscribe", post(subscribe))
        .route::<CanAdminister>("/api/subscribe", delete(unsubscribe))
        .route::<CanRead>("/api/subscriptions", get(subscriptions))
        .route::<CanSend>("/api/answer", post(answer_press))
        .route::<CanRead>("/api/updates", get(updates))
}

fn ok(result: &Value) -> Response {
    done(&json!({ "status": "ok", "result": result }))
}

/// An id as a number, where it is one.
fn id(text: &str) -> Value {
    text.parse::<i64>().map_or_else(|_| text.into(), Value::from)
}

async fn send_message(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    let mut reading = call.reading();
    let (chat, user) = (reading.maybe("chat_id"), reading.maybe("user_id"));
    let text = if reading.value("text").is_some() { reading.words("text") } else { String::new() };
    let format = reading.maybe("format").unwrap_or_default();
    let (notify, preview) = (reading.flag("notify", true), !reading.flag("disable_link_preview", false));
    let attachments = reading.value("attachments").and_then(Value::as_array).map(Vec::as_slice);
    reading.finish()?;
    let chat = chat.or_else(|| user.map(|user| format!("user:{user}")));
    let chat = chat.ok_or_else(|| Refused::error(StatusCode::BAD_REQUEST, "chat_id or user_id required"))?;
    let parse_mode = match format.as_str() {
        "html" => ParseMode::Html,
        "markdown" => ParseMode::Markdown,
        _ => ParseMode::None,
    };
    let mut order = Order { parse_mode, silent: !notify, preview, ..Order::text(chat.clone(), text.clone()) };
    let mut others = Vec::new();
    for one in attachments.unwrap_or_default() {
        match file(one) {
            Some((url, wish)) => order = order.with(url.to_owned(), None, wish),
            None if one["type"].is_string() => others.push(one.clone()),
            None => {
                return Err(Refused::field(
                    "body",
                    "attachments",
                    "Input should be attachments",
                    "value_error",
                ));
            }
        }
    }
    order.options = (!others.is_empty()).then(|| json!({ "attachments": others }));
    let sent = send(&gate, &call, order).await?;
    let message = json!({
        "recipient": { "chat_id": id(&chat) }, "body": { "mid": sent.id, "text": text },
    });
    Ok(ok(&json!({ "message": message, "id": sent.ours })))
}

/// The address of a file that is attached, and as what it is sent; none of what MAX has itself, such as buttons.
fn file(attachment: &Value) -> Option<(&str, Wish)> {
    let url = attachment["payload"]["url"].as_str().or_else(|| attachment["url"].as_str());
    let wish = match attachment["type"].as_str()? {
        "image" | "video" | "audio" => Wish::Auto,
        "file" => Wish::Document,
        _ => return None,
    };
    url.filter(|url| is_url(url)).map(|url| (url, wish))
}

fn shown(line: &Line, chat: &str) -> Value {
    json!({
        "sender": { "user_id": line.user.as_deref().map(id) }, "recipient": { "chat_id": id(chat) },
        "timestamp": line.at.as_micros() / 1_000, "body": { "mid": line.id, "text": line.text },
    })
}

fn shown_chat(dialog: &Dialog) -> Value {
    json!({
        "chat_id": id(dialog.chat.chat.as_str()), "type": "dialog",
        "status": if dialog.chat.unreachable_at.is_none() { "active" } else { "left" },
        "dialog_with_user": { "user_id": dialog.chat.user.as_deref().map(id), "first_name": dialog.chat.name },
        "last_event_time": dialog.last().map(|last| last.at.as_micros() / 1_000),
    })
}

fn nothing(what: &str) -> Refused {
    Refused::error(StatusCode::NOT_FOUND, format!("there is no such {what}"))
}

async fn message(Shared(gate): Shared<Gate>, Path(name): Path<String>) -> HandlerResult {
    let (chat, line) = look::received(&gate, &name).await?.ok_or_else(|| nothing("message"))?;
    Ok(ok(&shown(&line, &chat)))
}

/// The chat of a message: that of the store, else the one that is given. MAX needs none.
async fn chat_of(gate: &Gate, call: &Call, message: &str) -> Result<String, Refused> {
    let mut reading = call.reading();
    let chat = reading.maybe("chat_id");
    reading.finish()?;
    let known = deed::chat_of(gate, message).await?;
    Ok(known.or(chat).unwrap_or_else(|| "0".to_owned()))
}

async fn edit(Shared(gate): Shared<Gate>, Path(external_id): Path<String>, call: Call) -> HandlerResult {
    let mut reading = call.reading();
    let text = reading.words("text");
    reading.finish()?;
    let chat = chat_of(&gate, &call, &external_id).await?;
    deed::act(&gate, &chat, &Deed::Edit { external_id, text }).await?;
    Ok(ok(&json!({ "success": true })))
}

async fn remove(Shared(gate): Shared<Gate>, Path(external_id): Path<String>, call: Call) -> HandlerResult {
    let chat = chat_of(&gate, &call, &external_id).await?;
    deed::act(&gate, &chat, &Deed::Delete { external_id }).await?;
    Ok(ok(&json!({ "success": true })))
}

async fn chats(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    let reading = call.reading();
    let (count, marker) = (reading.count("count", 50, MOST).max(1), reading.count("marker", 0, FARTHEST));
    let dialogs = look::dialogs(&gate, (count, marker), 1).await?;
    let next = (dialogs.len() == count).then_some(marker + count);
    let chats: Vec<Value> = dialogs.iter().map(shown_chat).collect();
    Ok(ok(&json!({ "chats": chats, "marker": next })))
}

async fn chat(Shared(gate): Shared<Gate>, Path(name): Path<String>) -> HandlerResult {
    let dialog = look::dialog(&gate, &name).await?.ok_or_else(|| nothing("chat"))?;
    Ok(ok(&shown_chat(&dialog)))
}

async fn action(Shared(gate): Shared<Gate>, Path(chat): Path<String>, call: Call) -> HandlerResult {
    let mut reading = call.reading();
    let wanted = reading.text("action");
    reading.finish()?;
    match wanted.as_str() {
        "typing_on" => deed::act(&gate, &chat, &Deed::Typing).await?,
        "mark_seen" => deed::act(&gate, &chat, &Deed::MarkRead { external_id: None }).await?,
        "sending_photo" | "sending_video" | "sending_audio" | "sending_file" => {
            let chat = chat_named("chat_id", &chat)?;
            deed::old_call(&gate, &OldCall::ShowAction { chat, action: wanted }).await?;
        }
        _ => return Err(Refused::field("query", "action", "Input should be an action of MAX", "enum")),
    }
    Ok(ok(&json!({ "success": true })))
}

async fn members(Shared(gate): Shared<Gate>, Path(chat): Path<String>, call: Call) -> HandlerResult {
    let mut reading = call.reading();
    let (count, marker) = (reading.count("count", 20, MOST).max(1), reading.maybe_integer("marker"));
    reading.finish()?;
    let chat = chat_named("chat_id", &chat)?;
    Ok(ok(&deed::old_call(&gate, &OldCall::Members { chat, count, marker }).await?))
}

async fn answer_press(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    let mut reading = call.reading();
    let (callback, notification) = (reading.text("callback_id"), reading.maybe("notification"));
    let message = new_message(&mut reading);
    if notification.is_none() && message.is_none() {
        // What is missing is said in the words of the old server.
        reading.text("notification");
    }
    reading.finish()?;
    Ok(ok(&deed::old_call(&gate, &OldCall::AnswerPress { callback, notification, message }).await?))
}

/// What the message with the button becomes: as MAX takes it, or a text beside the callback.
fn new_message(reading: &mut Reading<'_>) -> Option<Value> {
    if let Some(message) = reading.value("message").filter(|message| message.is_object()) {
        return Some(message.clone());
    }
    let text = reading.value("text").map(|_| reading.words("text"))?;
    Some(match reading.maybe("format") {
        Some(format) => json!({ "text": text, "format": format }),
        None => json!({ "text": text }),
    })
}

/// What came in, from the store: a second reader at MAX would take the updates away from this program.
async fn updates(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    let mut reading = call.reading();
    let (limit, marker) = (reading.count("limit", MOST, MOST).max(1), reading.maybe_integer("marker"));
    reading.finish()?;
    let found = look::written(&gate, marker, limit).await?;
    let next = found.last().map(|(number, ..)| *number).or(marker);
    let update = |(_, chat, line): &(i64, String, Line)| {
        let at = line.at.as_micros() / 1_000;
        json!({ "update_type": "message_created", "timestamp": at, "message": shown(line, chat) })
    };
    let updates: Vec<Value> = found.iter().map(update).collect();
    Ok(ok(&json!({ "updates": updates, "marker": next })))
}

async fn subscribe(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    let mut reading = call.reading();
    let url = reading.url("url");
    reading.finish()?;
    deed::register(&gate, &call, &url).await?;
    Ok(ok(&json!({ "success": true })))
}

async fn unsubscribe(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    let mut reading = call.reading();
    let url = reading.maybe("url");
    reading.finish()?;
    deed::unregister(&gate, url.as_deref()).await?;
    Ok(ok(&json!({ "success": true })))
}

async fn subscriptions(Shared(gate): Shared<Gate>) -> HandlerResult {
    let found = deed::registered(&gate).await?;
    let urls: Vec<Value> = found.urls.iter().map(|url| json!({ "url": deed::shown(&gate, url) })).collect();
    Ok(ok(&json!({ "subscriptions": urls })))
}
