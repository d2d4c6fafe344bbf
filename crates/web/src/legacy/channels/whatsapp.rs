//! Port 8766: `WhatsApp`.

use std::time::Duration;

use crate::auth::{CanAdminister, CanCancel, CanRead, CanSend};
use crate::routing::{delete, get, post};
use ::channels::{LogIn, OldCall};
use axum::extract::{Path, State as Shared};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::{MessageId, Phone};
use http::StatusCode;
use media::Wish;
use serde_json::{Value, json};

use super::call::{Call, plain};
use super::look::{Dialog, FARTHEST, Line, MOST};
use super::refused::Refused;
use super::routes::Routes;
use super::send::{Order, send, send_later};
use super::{Gate, HandlerResult, deed, done, look, mailing};
use crate::fingerprint::Fingerprint;

/// The most chats of one call.
const MOST_CHATS: usize = 500;
/// The longest time between two messages of a mailing, in seconds.
const LONGEST_DELAY: usize = 3_600;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .route::<CanSend>("/api/messages/send", post(send_text))
        .route::<CanSend>("/api/messages/send/image", post(send_image))
        .route::<CanSend>("/api/messages/send/document", post(send_document))
        .route::<CanSend>("/api/messages/send/voice", post(send_voice))
        .route::<CanSend>("/api/messages/send/bulk", post(send_bulk))
        .route::<CanRead>("/api/status", get(status))
        .route::<CanRead>("/api/profile", get(profile))
        .route::<CanAdminister>("/api/qr", get(qr))
        .route::<CanRead>("/api/chats", get(chats))
        .route::<CanRead>("/api/chats/{chat}/messages", get(messages))
        .route::<CanRead>("/api/contacts", get(contacts))
        .route::<CanRead>("/api/contacts/check/{phone}", get(check_number))
        .route::<CanRead>("/api/groups", get(groups))
        .route::<CanRead>("/api/mailing/{id}/status", get(mailing::status))
        .route::<CanCancel>("/api/mailing/{id}/stop", post(mailing::stop))
        .route::<CanAdminister>("/api/webhook/set", post(set_webhook))
        .route::<CanRead>("/api/webhook", get(webhook))
        .route::<CanAdminister>("/api/webhook", delete(remove_webhook))
}

/// The chat of a number; what has an `@` names one.
fn chat_of(given: &str) -> String {
    if given.is_empty() || given.contains('@') {
        return given.to_owned();
    }
    if let Some(phone) = Phone::read_typed(given) {
        return format!("{}@c.us", phone.digits());
    }
    let digits: String = given.chars().filter(char::is_ascii_digit).collect();
    format!("{digits}@c.us")
}

async fn send_one(gate: &Gate, call: &Call, to: String, order: Order) -> HandlerResult {
    let sent = send(gate, call, order).await?;
    Ok(done(
        &json!({ "success": true, "to": to, "message_id": sent.id, "message": "Message sent", "id": sent.ours }),
    ))
}

async fn send_text(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    let mut reading = call.reading();
    let to = reading.text("to");
    let text = reading.words("text");
    let order = Order { reply_to: reading.maybe("reply_to"), ..Order::text(chat_of(&to), text) };
    reading.finish()?;
    send_one(&gate, &call, to, order).await
}

async fn send_file(gate: &Gate, call: &Call, field: &str, wish: Wish) -> HandlerResult {
    let mut reading = call.reading();
    let (to, url) = (reading.text("to"), reading.url(field));
    let (caption, name) = (reading.maybe("caption").unwrap_or_default(), reading.maybe("filename"));
    reading.finish()?;
    let order = Order::text(chat_of(&to), caption).with(url, name, wish);
    send_one(gate, call, to, order).await
}

async fn send_image(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    send_file(&gate, &call, "image_url", Wish::Auto).await
}

async fn send_document(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    send_file(&gate, &call, "document_url", Wish::Document).await
}

async fn send_voice(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    send_file(&gate, &call, "voice_url", Wish::Voice).await
}

async fn send_bulk(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    let mut reading = call.reading();
    let recipients: Vec<String> = reading.list("recipients").iter().map(plain).collect();
    let text = reading.words("text");
    let least = reading.count("delay_min", 10, LONGEST_DELAY);
    let most = reading.count("delay_max", 30, LONGEST_DELAY).max(least);
    reading.finish()?;
    let mut after = Duration::ZERO;
    let mut orders = Vec::with_capacity(recipients.len());
    for to in &recipients {
        orders.push((after, Order::text(chat_of(to), text.clone())));
        after += delay(to, least, most);
    }
    let queued = send_later(&gate, &call, orders).await;
    let count = queued.iter().filter(|result| result.is_ok()).count();
    let result = |(to, result): (&String, &Result<MessageId, Refused>)| match result {
        Ok(id) => json!({ "to": to, "success": true, "id": id.to_string() }),
        Err(refused) => json!({ "to": to, "success": false, "error": refused.words() }),
    };
    let results: Vec<Value> = recipients.iter().zip(&queued).map(result).collect();
    let mailing = mailing::Mailing::of(queued.iter().filter_map(|result| result.as_ref().ok()));
    Ok(done(&json!({
        "success": true, "total": results.len(), "queued": count, "failed": results.len() - count, "results": results,
        "mailing_id": mailing.map(|mailing| mailing.to_string()),
    })))
}

/// How long after a message to someone the next one leaves: between the two bounds, the same whenever it is asked again.
fn delay(to: &str, least: usize, most: usize) -> Duration {
    let digest = Fingerprint::default().text(to).finish();
    let span = u64::try_from(most - least).unwrap_or_default() * 1_000;
    let part = span * u64::from(digest[0]) / 255;
    Duration::from_secs(u64::try_from(least).unwrap_or_default()) + Duration::from_millis(part)
}

async fn status(Shared(gate): Shared<Gate>) -> HandlerResult {
    let account = gate.account()?;
    let status = account.status();
    let why = status.stopped.or(status.last_error).map(|(why, _)| why.to_string());
    Ok(done(&json!({
        "success": true, "status": if why.is_none() { "online" } else { "offline" }, "authorized": why.is_none(),
        "detail": why, "checked_at": status.checked_at,
    })))
}

/// The picture that the phone scans, in base64 as Wappi has it; none where the number is signed in.
async fn qr(Shared(gate): Shared<Gate>) -> HandlerResult {
    let picture = match gate.account()?.provider.log_in(None).await? {
        LogIn::Done => None,
        LogIn::Picture(picture) => Some(STANDARD.encode(picture)),
        LogIn::Link { .. } => {
            let error = "this account signs in by a link, on its page of the dashboard";
            return Err(Refused::error(StatusCode::NOT_IMPLEMENTED, error));
        }
    };
    Ok(done(&json!({ "success": true, "authorized": picture.is_none(), "qrCode": picture })))
}

async fn check_number(Shared(gate): Shared<Gate>, Path(phone): Path<String>) -> HandlerResult {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    if !(7..=15).contains(&digits.len()) {
        return Err(Refused::field("path", "phone", "Input should be the number of a phone", "value_error"));
    }
    let reply = deed::old_call(&gate, &OldCall::CheckNumber { digits }).await?;
    Ok(done(&json!({ "success": true, "phone": phone, "exists": reply["on_whatsapp"] })))
}

async fn profile(Shared(gate): Shared<Gate>) -> HandlerResult {
    let identity = gate.account()?.provider.check().await?;
    Ok(done(&json!({ "success": true, "profile": { "id": identity.id, "name": identity.name } })))
}

fn message(line: &Line) -> Value {
    json!({
        "id": line.id, "type": line.kind, "body": line.text, "fromMe": line.is_own, "time": line.at.as_seconds(),
        "from": line.user, "media": line.url.as_ref().map(|url| json!({ "type": line.kind, "url": url })),
    })
}

fn shown(dialog: &Dialog) -> Value {
    let id = dialog.chat.chat.as_str();
    json!({
        "id": id, "name": dialog.chat.name, "isGroup": id.ends_with("@g.us"), "phone": dialog.chat.phone,
        "last_time": dialog.last().map(|last| last.at.as_seconds()), "last_message": dialog.last().map(message),
    })
}

/// Chats of the store, as a list of this name.
async fn listed(gate: &Gate, call: &Call, name: &str, wanted: impl Fn(&Dialog) -> bool) -> HandlerResult {
    let reading = call.reading();
    let page = (reading.count("limit", MOST, MOST_CHATS), reading.count("offset", 0, FARTHEST));
    let dialogs = look::dialogs(gate, page, 1).await?;
    let shown: Vec<Value> = dialogs.iter().filter(|dialog| wanted(dialog)).map(shown).collect();
    Ok(done(&json!({ "success": true, "count": shown.len(), name: shown })))
}

async fn chats(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    listed(&gate, &call, "chats", |_| true).await
}

async fn contacts(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    listed(&gate, &call, "contacts", |dialog| !dialog.chat.chat.as_str().ends_with("@g.us")).await
}

async fn groups(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    listed(&gate, &call, "groups", |dialog| dialog.chat.chat.as_str().ends_with("@g.us")).await
}

async fn messages(Shared(gate): Shared<Gate>, Path(given): Path<String>, call: Call) -> HandlerResult {
    let reading = call.reading();
    let page = (reading.count("limit", MOST, MOST), reading.count("offset", 0, FARTHEST));
    let messages: Vec<Value> =
        look::lines(&gate, &chat_of(&given), page).await?.iter().map(message).collect();
    Ok(done(&json!({ "success": true, "chat_id": given, "count": messages.len(), "messages": messages })))
}

async fn set_webhook(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    let mut reading = call.reading();
    let url = reading.url("url");
    reading.finish()?;
    let url = deed::register(&gate, &call, &url).await?;
    Ok(done(&json!({ "success": true, "url": url, "message": "Webhook set" })))
}

async fn webhook(Shared(gate): Shared<Gate>) -> HandlerResult {
    Ok(done(&deed::status(&gate).await?))
}

async fn remove_webhook(Shared(gate): Shared<Gate>) -> HandlerResult {
    let urls = deed::unregister(&gate, None).await?;
    Ok(done(&json!({ "success": true, "message": "Webhook removed", "urls": urls })))
}
